//! The streamable HTTP transport, with the configured headers.
//!
//! Bounded here: the size of an event or body, redirects (same origin only) and calls on their way. A session that the
//! server forgot is opened again by rmcp.

use crate::auth::Client;
use crate::{Options, error::Error};
use http::{HeaderName, HeaderValue};
use model::Secret;
use reqwest::redirect::{Action, Attempt, Policy};
use rmcp::service::{ClientInitializeError, RoleClient};
use rmcp::transport::streamable_http_client::{StreamableHttpClientTransportConfig, StreamableHttpError};
use rmcp::transport::{StreamableHttpClientTransport, Transport};
use std::collections::{BTreeMap, HashMap};
use std::error::Error as _;
use std::sync::Once;

/// rmcp's own bound on an answer that comes as one JSON body, which cannot be set.
pub(crate) const BODY_BYTES_MAX: usize = 16 << 20;
/// How rmcp says that it was passed; the type of that error names the HTTP client it is built on.
pub(crate) const TOO_LARGE: &str = "HTTP response body exceeded the maximum size";

/// Redirects that one request follows.
const REDIRECTS_MAX: usize = 10;

/// The transport to `url`, whose requests `client` sends. Connects at its first message.
pub(crate) fn transport(
    server: &str,
    url: &str,
    headers: &BTreeMap<String, Secret>,
    client: Client,
    options: &Options,
    calls_in_flight: usize,
) -> Result<impl Transport<RoleClient> + 'static, Error> {
    let mut config = StreamableHttpClientTransportConfig::with_uri(url)
        .custom_headers(header_map(server, headers)?)
        .max_concurrent_requests(calls_in_flight)
        .max_sse_event_size(options.message_bytes);
    config.channel_buffer_capacity = calls_in_flight;
    Ok(StreamableHttpClientTransport::with_client(client, config))
}

/// What rmcp's own transport would send with, which does not give it away. Idle connections are not kept, since one whose
/// last body was not read to its end stalls the next request.
pub(crate) fn client() -> reqwest::Client {
    install_tls();
    let client = reqwest::Client::builder().pool_max_idle_per_host(0).redirect(Policy::custom(redirect));
    client.build().expect("a TLS implementation is installed, and nothing else can be wrong")
}

/// Another origin would be handed the session and the headers; other codes than these lose the message.
fn redirect(attempt: Attempt<'_>) -> Action {
    let keeps_body = matches!(attempt.status().as_u16(), 307 | 308);
    let same_origin = attempt.previous().first().is_some_and(|first| first.origin() == attempt.url().origin());
    if !keeps_body || !same_origin {
        attempt.stop()
    } else if attempt.previous().len() > REDIRECTS_MAX {
        attempt.error(format!("more than {REDIRECTS_MAX} redirects"))
    } else {
        attempt.follow()
    }
}

/// What is behind an error. rmcp quotes the HTTP client's own, but does not give away what that came from: a refused
/// connection, a certificate, no TLS at all.
pub(crate) fn cause<'a>(error: &'a (dyn std::error::Error + 'static)) -> Option<&'a (dyn std::error::Error + 'static)> {
    if let Some(ClientInitializeError::TransportError { error, .. }) = error.downcast_ref() {
        return Some(error);
    }
    match error.downcast_ref() {
        Some(StreamableHttpError::<reqwest::Error>::Client(error)) => error.source(),
        _ => error.source(),
    }
}

fn header_map(server: &str, headers: &BTreeMap<String, Secret>) -> Result<HashMap<HeaderName, HeaderValue>, Error> {
    let invalid = |name: &str| Error::Unresolved {
        server: server.to_owned(),
        missing: vec![format!("its header `{name}` has a name or a value that HTTP does not allow")],
    };
    headers
        .iter()
        .map(|(name, value)| {
            let header = HeaderName::try_from(name.as_str()).map_err(|_| invalid(name))?;
            let mut value = HeaderValue::try_from(value.expose()).map_err(|_| invalid(name))?;
            value.set_sensitive(true);
            Ok((header, value))
        })
        .collect()
}

/// Which TLS implementation the process uses; a choice already made by somebody else stands.
pub(crate) fn install_tls() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let _ = rustls::crypto::ring::default_provider().install_default();
    });
}
