//! Which addresses a login may use, beyond what rmcp checks.
//!
//! rmcp keeps discovery within the server's origin and the authorization servers that it names, and resolves no public name
//! to a private address. It takes the endpoints in an authorization server's metadata as they are; here they must be
//! https, or plain http on this machine where the server itself is on it.

use super::{login::Failed, revoke};
use reqwest::Url;
use rmcp::transport::auth::AuthorizationMetadata;

/// Whether a token for `server` may be got from there.
pub(super) fn check(server: &str, metadata: &AuthorizationMetadata) -> Result<(), Failed> {
    let server = Url::parse(server).map_err(|e| Failed::new(format!("its URL cannot be read: {e}")))?;
    let here = is_loopback(&server);
    if !is_safe(&server, here) {
        let why = "its URL is plain http, over which a token would go for all to read".to_owned();
        return Err(Failed { why, hint: "Use its https URL.".to_owned() });
    }
    let endpoints = [
        ("authorization_endpoint", Some(&metadata.authorization_endpoint)),
        ("token_endpoint", Some(&metadata.token_endpoint)),
        ("registration_endpoint", metadata.registration_endpoint.as_ref()),
    ]
    .map(|(name, endpoint)| (name, endpoint.map(String::as_str)));
    let revocation = metadata.additional_fields.get(revoke::ENDPOINT).and_then(|endpoint| endpoint.as_str());
    for (name, endpoint) in endpoints.into_iter().chain([(revoke::ENDPOINT, revocation)]) {
        let safe = |text: &str| Url::parse(text).is_ok_and(|url| is_safe(&url, here));
        if let Some(endpoint) = endpoint.filter(|endpoint| !safe(endpoint)) {
            let shown: String = endpoint.chars().filter(|c| !c.is_control()).take(200).collect();
            return Err(Failed::new(format!(
                "the {name} of its authorization server, `{shown}`, is not a safe address"
            )));
        }
    }
    Ok(())
}

/// https anywhere (rmcp's resolver keeps it from private addresses); http on this machine alone, and only from here.
fn is_safe(url: &Url, here: bool) -> bool {
    url.username().is_empty()
        && match url.scheme() {
            "https" => here || !is_loopback(url),
            "http" => here && is_loopback(url),
            _ => false,
        }
}

/// Whether it leads to this machine.
pub(crate) fn is_loopback(url: &Url) -> bool {
    let Some(host) = url.host_str() else { return false };
    let host = host.trim_start_matches('[').trim_end_matches([']', '.']);
    host.eq_ignore_ascii_case("localhost")
        || host.to_ascii_lowercase().ends_with(".localhost")
        || host.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_endpoint_is_https_or_on_the_machine_that_the_server_is_on() {
        for (server, endpoint, fine) in [
            ("https://mcp.example.com/mcp", "https://auth.example.com/token", true),
            ("https://mcp.example.com/mcp", "http://auth.example.com/token", false),
            ("https://mcp.example.com/mcp", "https://127.0.0.1/token", false),
            ("https://mcp.example.com/mcp", "http://localhost:1/token", false),
            ("https://mcp.example.com/mcp", "javascript:alert(1)", false),
            ("https://mcp.example.com/mcp", "https://user@auth.example.com/token", false),
            ("http://mcp.example.com/mcp", "https://auth.example.com/token", false),
            ("http://127.0.0.1:80/mcp", "http://localhost:81/token", true),
            ("http://[::1]:80/mcp", "http://127.0.0.1:81/token", true),
            ("http://127.0.0.1:80/mcp", "https://auth.example.com/token", true),
            ("http://127.0.0.1:80/mcp", "http://10.0.0.1/token", false),
        ] {
            let mut metadata = AuthorizationMetadata::default();
            metadata.authorization_endpoint = endpoint.to_owned();
            metadata.token_endpoint = endpoint.to_owned();
            assert_eq!(check(server, &metadata).is_ok(), fine, "{server} {endpoint}");
        }
    }
}
