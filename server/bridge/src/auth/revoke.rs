//! Telling the authorization server that a login is over (RFC 7009), where its metadata names an endpoint for that.
//!
//! The refresh token is given back, with which the access tokens end; without one the access token is. The endpoint is as
//! safe as the others of the login (`endpoints`), and like those it is the one that was found at the login.

use crate::auth::wallet::Kept;
use reqwest::{StatusCode, Url, header};
use std::time::Duration;

/// The member of the metadata.
pub(super) const ENDPOINT: &str = "revocation_endpoint";
/// Longest time for the answer: a person waits.
const PATIENCE: Duration = Duration::from_secs(10);

/// Gives back what is kept of a login; the error says why it may still hold. Without an endpoint nothing is done.
pub(super) async fn revoke(kept: &Kept) -> Result<(), String> {
    let Some(endpoint) = kept.metadata.additional_fields.get(ENDPOINT).and_then(|endpoint| endpoint.as_str()) else {
        return Ok(());
    };
    let token = |name| super::wallet::part(&kept.credentials, name);
    let found = ["refresh_token", "access_token"].into_iter().find_map(|name| Some((name, token(name)?)));
    let Some((kind, token)) = found else { return Ok(()) };
    let mut form = Url::parse("form:").expect("a URL");
    let token = token.as_str().unwrap_or_default();
    form.query_pairs_mut().append_pair("token", token).append_pair("token_type_hint", kind);
    let client = &kept.credentials.client_id;
    let request = crate::http::client(endpoint).post(endpoint).timeout(PATIENCE);
    let request = match &kept.client_secret {
        Some(secret) if !takes_post(kept) => request.basic_auth(encoded(client), Some(encoded(secret))),
        secret => {
            form.query_pairs_mut().append_pair("client_id", client);
            if let Some(secret) = secret {
                form.query_pairs_mut().append_pair("client_secret", secret);
            }
            request
        }
    };
    let request = request.header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
    let answer = request.body(form.query().unwrap_or_default().to_owned()).send().await;
    match answer.map_err(|error| crate::connection::describe(&error))?.status() {
        StatusCode::OK => Ok(()),
        status => Err(format!("HTTP {status}")),
    }
}

/// Whether it wants a client's secret in the form and nowhere else. Basic is what all must take.
fn takes_post(kept: &Kept) -> bool {
    let methods = kept.metadata.additional_fields.get("token_endpoint_auth_methods_supported");
    let takes = |name: &str| methods.and_then(|m| m.as_array()).is_some_and(|all| all.iter().any(|m| m == name));
    takes("client_secret_post") && !takes("client_secret_basic")
}

/// As a form would have it, which is what Basic takes of a client.
fn encoded(text: &str) -> String {
    let mut form = Url::parse("form:").expect("a URL");
    form.query_pairs_mut().append_pair("", text);
    form.query().and_then(|query| query.strip_prefix('=')).unwrap_or_default().to_owned()
}
