//! From a remote server's URL to a handshake: streamable HTTP in either era, or the older HTTP+SSE.
//!
//! What answers `initialize` over streamable HTTP with a refusal is asked once whether it opens an event stream, as the
//! protocol says. What was agreed on is remembered (`eras`), so that all this is done once. A refusal of who we are is an
//! answer, and ends it at once.

use crate::auth;
use crate::connection::{Client, Connection, describe};
use crate::eras::{self, Era};
use crate::error::Error;
use crate::open::Opening;
use crate::sse::EventStream;
use crate::supervise::Remains;
use model::{Secret, Transport};
use rmcp::service::ClientInitializeError;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{Instant, timeout, timeout_at};

/// Longest time for the answer to `server/discover`; rmcp's own is a little longer, and the transport is lost by it.
const DISCOVER: Duration = Duration::from_secs(9);

const HTTP_HINT: &str = "Check that the URL is its MCP endpoint (often `/mcp`) and that the server is running.";
const SSE_HINT: &str = "Check that the URL is its event stream (often `/sse`); where it has an endpoint for streamable HTTP \
     (often `/mcp`), use that with `\"type\": \"http\"`.";

/// Where a server is, and who sends the requests.
struct Remote<'a> {
    url: &'a str,
    headers: &'a BTreeMap<String, Secret>,
    sender: auth::Client,
}

impl Opening<'_> {
    pub(crate) async fn http(self, known: Option<Era>, limit: Duration) -> Result<Arc<Connection>, Error> {
        let Transport::Http { url, headers, sse } = &self.spec.transport else { unreachable!("matched by open") };
        let deadline = Instant::now() + limit;
        let sender = match &self.auth {
            Some(auth) => timeout_at(deadline, auth.client()).await,
            None => Ok(auth::without(&self.spec.name, url).await),
        };
        let sender = sender.map_err(|_elapsed| self.too_slow("recalling its login", limit))??;
        let remote = Remote { url, headers, sender };
        let known = if *sse { Some(Era::EventStream) } else { known };
        let (client, era) = timeout_at(deadline, self.greet(&remote, known, limit))
            .await
            .map_err(|_elapsed| self.too_slow("connect and handshake", limit))??;
        let (ring, health) = (self.ring.clone(), self.health.clone());
        let remains = Remains { process: None, ring, drained: None, health };
        self.finish(client, era, remains, deadline, limit).await
    }

    /// The handshake in the way that is known to work, or else in each in turn.
    async fn greet(&self, remote: &Remote<'_>, known: Option<Era>, limit: Duration) -> Result<(Client, Era), Error> {
        if known == Some(Era::EventStream) {
            return self.event_stream(remote).await.map(|client| (client, Era::EventStream));
        }
        let asked = match known {
            Some(_) => Some(self.streamable(remote, known).await?),
            None => timeout(DISCOVER.min(limit / 3), self.streamable(remote, None)).await.ok().transpose()?,
        };
        let shaken = match asked {
            Some(Err(refused)) if known.is_none() && !self.is_final(&refused) => None,
            asked => asked,
        };
        let shaken = match shaken {
            Some(shaken) => shaken,
            // It may answer the unknown with anything at all, or not.
            None => self.streamable(remote, Some(Era::Initialize)).await?,
        };
        let refused = match shaken {
            Ok(client) => {
                let era = Era::of(&client);
                return Ok((client, era));
            }
            Err(refused) => refused,
        };
        if is_older(&refused)
            && let Ok(client) = self.event_stream(remote).await
        {
            return Ok((client, Era::EventStream));
        }
        let explained = auth::explain_start(&self.spec.name, self.auth.as_deref(), &refused);
        Err(explained.unwrap_or_else(|| self.handshake_error(describe(eras::cause(&refused)), HTTP_HINT)))
    }

    async fn streamable(
        &self,
        remote: &Remote<'_>,
        known: Option<Era>,
    ) -> Result<Result<Client, ClientInitializeError>, Error> {
        let Remote { url, headers, sender } = remote;
        let (server, options) = (&self.spec.name, &self.shared.options);
        let in_flight = self.spec.limits.calls_in_flight;
        let transport =
            crate::http::transport(server, url, headers, sender.clone(), options, in_flight, &self.observed)?;
        let (mouth, _logs) = self.listen_to(tokio::io::empty());
        Ok(self.handshake(transport, mouth, known, None).await)
    }

    async fn event_stream(&self, remote: &Remote<'_>) -> Result<Client, Error> {
        let Remote { url, headers, sender } = remote;
        let server = &self.spec.name;
        let headers = crate::http::header_map(server, headers)?;
        let explain = |error: &(dyn std::error::Error + 'static)| {
            auth::explain(server, self.auth.as_deref(), error)
                .unwrap_or_else(|| self.handshake_error(describe(error), SSE_HINT))
        };
        let bytes = self.shared.options.message_bytes;
        let stream = EventStream::open(url, headers, sender.clone(), bytes, self.observed.clone()).await;
        let stream = stream.map_err(|error| explain(&error))?;
        let (mouth, _logs) = self.listen_to(tokio::io::empty());
        self.handshake(stream, mouth, Some(Era::EventStream), None).await.map_err(|error| {
            auth::explain_start(server, self.auth.as_deref(), &error).unwrap_or_else(|| explain(&error))
        })
    }

    /// Whether nothing else is worth trying: `initialize` was refused too, or who we are.
    fn is_final(&self, refused: &ClientInitializeError) -> bool {
        matches!(refused, ClientInitializeError::LegacyFallbackFailed { .. })
            || auth::explain_start(&self.spec.name, self.auth.as_deref(), refused).is_some()
    }
}

/// Whether a server may be one of HTTP+SSE: it refuses `initialize`, and not who asks.
fn is_older(refused: &ClientInitializeError) -> bool {
    let refused = eras::cause(refused);
    let text = describe(refused);
    let status = text.split_once("unexpected server response: HTTP ").and_then(|(_, rest)| rest.get(..3)?.parse().ok());
    matches!(refused, ClientInitializeError::JsonRpcError(_))
        || status.is_some_and(|status: u16| (400..500).contains(&status) && !matches!(status, 401 | 403 | 407 | 429))
}
