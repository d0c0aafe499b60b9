//! The streamable HTTP transport, with the configured headers.
//!
//! Bounded here: the size of an event or body, redirects (same origin only, by rmcp's client) and calls on their way. A
//! session that the server forgot is opened again by rmcp.

use crate::{Options, error::Error};
use http::{HeaderName, HeaderValue};
use model::Secret;
use rmcp::service::RoleClient;
use rmcp::transport::streamable_http_client::{AuthRequiredError, StreamableHttpClientTransportConfig};
use rmcp::transport::{StreamableHttpClientTransport, Transport};
use std::collections::{BTreeMap, HashMap};
use std::sync::Once;

/// rmcp's own bound on an answer that comes as one JSON body, which cannot be set.
pub(crate) const BODY_BYTES_MAX: usize = 16 << 20;
/// How rmcp says that it was passed; the type of that error names the HTTP client it is built on.
pub(crate) const TOO_LARGE: &str = "HTTP response body exceeded the maximum size";

/// The transport to `url`. Connects at its first message.
pub(crate) fn transport(
    server: &str,
    url: &str,
    headers: &BTreeMap<String, Secret>,
    options: &Options,
) -> Result<impl Transport<RoleClient> + 'static, Error> {
    install_tls();
    let mut config = StreamableHttpClientTransportConfig::with_uri(url)
        .custom_headers(header_map(server, headers)?)
        .max_concurrent_requests(options.calls_in_flight)
        .max_sse_event_size(options.message_bytes);
    config.channel_buffer_capacity = options.calls_in_flight;
    Ok(StreamableHttpClientTransport::from_config(config))
}

/// Whether the server answered 401. Without a challenge that is all that rmcp's text of the error says of it.
pub(crate) fn is_unauthorized(error: &(dyn std::error::Error + 'static)) -> bool {
    let mut cause = Some(error);
    while let Some(error) = cause {
        if error.is::<AuthRequiredError>() || error.to_string().contains("unexpected server response: HTTP 401") {
            return true;
        }
        cause = error.source();
    }
    false
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
fn install_tls() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let _ = rustls::crypto::ring::default_provider().install_default();
    });
}
