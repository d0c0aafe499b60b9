//! The streamable HTTP transport, with the configured headers.
//!
//! Bounded here: the size of an event or body, redirects (same origin only) and calls on their way. A session that the
//! server forgot is opened again by rmcp; a server that asks for patience gets it (`patient`).

use crate::auth::{Client, is_loopback};
use crate::lines::Observed;
use crate::patient::Patient;
use crate::{Options, error::Error};
use http::{HeaderName, HeaderValue};
use model::Secret;
use reqwest::Url;
use reqwest::redirect::{Action, Attempt, Policy};
use rmcp::service::{ClientInitializeError, RoleClient};
use rmcp::transport::streamable_http_client::{StreamableHttpClientTransportConfig, StreamableHttpError};
use rmcp::transport::{StreamableHttpClientTransport, Transport};
use std::collections::{BTreeMap, HashMap};
use std::error::Error as _;
use std::sync::{Arc, Once};

/// rmcp's own bound on an answer that comes as one JSON body, which cannot be set.
pub(crate) const BODY_BYTES_MAX: usize = 16 << 20;
/// How rmcp says that it was passed; the type of that error names the HTTP client it is built on.
pub(crate) const TOO_LARGE: &str = "HTTP response body exceeded the maximum size";

/// Characters of a refusal's body that are quoted.
const WHY_CHARS: usize = 300;

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
    observed: &Arc<Observed>,
) -> Result<impl Transport<RoleClient> + 'static, Error> {
    let mut config = StreamableHttpClientTransportConfig::with_uri(url)
        .custom_headers(header_map(server, headers)?)
        .max_concurrent_requests(calls_in_flight)
        .max_sse_event_size(options.message_bytes);
    config.channel_buffer_capacity = calls_in_flight;
    let client = Patient { client, observed: Arc::clone(observed) };
    Ok(StreamableHttpClientTransport::with_client(client, config))
}

/// What rmcp's own transport would send with, which does not give it away. Idle connections are not kept, since one whose
/// last body was not read to its end stalls the next request. What stays on this machine passes no proxy.
pub(crate) fn client(url: &str) -> reqwest::Client {
    install_tls();
    let client = reqwest::Client::builder().pool_max_idle_per_host(0).redirect(Policy::custom(redirect));
    let is_here = Url::parse(url).is_ok_and(|url| is_loopback(&url));
    let client = if is_here { client.no_proxy() } else { client };
    client.build().expect("a TLS implementation is installed, and nothing else can be wrong")
}

/// The HTTP status that a request was refused with, and what is known of the reason, which `clean` takes secrets out of.
pub(crate) fn refusal(
    error: &(dyn std::error::Error + 'static),
    clean: impl Fn(&str) -> String,
) -> Option<(u16, String)> {
    match error.downcast_ref::<StreamableHttpError<reqwest::Error>>()? {
        StreamableHttpError::HttpStatus(refused) => {
            let after = refused.retry_after.as_deref().map(str::trim).filter(|after| !after.is_empty());
            let unit = |after: &str| if after.bytes().all(|b| b.is_ascii_digit()) { " s" } else { "" };
            let why = after.map(|after| clean(&format!("it wants to be asked again after {after}{}", unit(after))));
            Some((refused.status, why.unwrap_or_default()))
        }
        StreamableHttpError::UnexpectedServerResponse(text) => {
            let (status, body) = text.strip_prefix("HTTP ")?.split_at_checked(3)?;
            let body = body.split_once(": ").map_or("", |(_, body)| body.trim());
            Some((status.parse().ok()?, clean(body).chars().filter(|c| !c.is_control()).take(WHY_CHARS).collect()))
        }
        _ => None,
    }
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

/// The transport's own error, without the Rust names that rmcp puts around it.
pub(crate) fn untold<'a>(error: &'a (dyn std::error::Error + 'static)) -> &'a (dyn std::error::Error + 'static) {
    match error.downcast_ref() {
        Some(ClientInitializeError::TransportError { error, .. }) => error.error.as_ref(),
        _ => error,
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

pub(crate) fn header_map(
    server: &str,
    headers: &BTreeMap<String, Secret>,
) -> Result<HashMap<HeaderName, HeaderValue>, Error> {
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
