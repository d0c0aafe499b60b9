//! What a server's 401 or 403 means for whoever called it.

use crate::auth::Auth;
use crate::error::Error;
use reqwest::Url;
use rmcp::service::ClientInitializeError;
use rmcp::transport::auth::{AuthError, WWWAuthenticateParams};
use rmcp::transport::streamable_http_client::{AuthRequiredError, InsufficientScopeError};
use std::error::Error as StdError;

/// Characters of a scope that are shown.
const SCOPE_CHARS: usize = 200;
/// All that rmcp's text says of a 401 without a challenge.
const BARE_401: &str = "unexpected server response: HTTP 401";

/// The error that a refusal is; `None` where it is about something else. `auth` is the server's login, if it can have one.
pub(crate) fn explain(server: &str, auth: Option<&Auth>, error: &(dyn StdError + 'static)) -> Option<Error> {
    let refused = || Error::Unauthorized { server: server.to_owned() };
    let asks = |scope: String| Error::LoginNeeded { server: server.to_owned(), scope };
    causes(error).find_map(|error| {
        if let Some(challenge) = error.downcast_ref::<AuthRequiredError>() {
            let Some(auth) = auth else { return Some(refused()) };
            auth.challenged(&challenge.www_authenticate_header);
            Some(asks(String::new()))
        } else if let Some(challenge) = error.downcast_ref::<InsufficientScopeError>() {
            let auth = auth?;
            let scope = missing(&challenge.www_authenticate_header, &auth.url)?;
            auth.challenged(&challenge.www_authenticate_header);
            Some(asks(auth.wallet.clean(&scope)))
        } else if let (Some(problem), Some(auth)) = (error.downcast_ref::<AuthError>(), auth) {
            Some(auth.failed(super::login::Failed::of(problem)))
        } else if error.to_string().contains(BARE_401) {
            Some(if auth.is_some() { asks(String::new()) } else { refused() })
        } else {
            None
        }
    })
}

/// The same for a handshake, whose errors do not name what they came from as their source.
pub(crate) fn explain_start(server: &str, auth: Option<&Auth>, error: &ClientInitializeError) -> Option<Error> {
    match error {
        ClientInitializeError::TransportError { error, .. } => explain(server, auth, error.error.as_ref()),
        ClientInitializeError::LegacyFallbackFailed { fallback, .. } => explain_start(server, auth, fallback),
        other => explain(server, auth, other),
    }
}

/// An error and what it came from, outermost first.
fn causes<'a>(error: &'a (dyn StdError + 'static)) -> impl Iterator<Item = &'a (dyn StdError + 'static)> {
    let mut next = Some(error);
    std::iter::from_fn(move || {
        let error = next?;
        next = error.source();
        Some(error)
    })
}

/// The scope that a challenge asks for, where that is what it is about.
fn missing(challenge: &str, url: &str) -> Option<String> {
    let params = WWWAuthenticateParams::parse(challenge, &Url::parse(url).ok()?);
    let scope = params.is_insufficient_scope().then_some(params.scope.unwrap_or_default())?;
    Some(scope.chars().filter(|c| !c.is_control()).take(SCOPE_CHARS).collect())
}
