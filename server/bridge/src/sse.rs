//! The HTTP+SSE transport of 2024-11-05: one event stream brings all that the server says, first of all the address that
//! our messages are posted to. rmcp has no client for it any more, but its HTTP client sends the requests: with the login,
//! the bounds on an event and on redirects, and the errors of streamable HTTP.
//!
//! Invariants: messages go to the stream's own origin and nowhere else; an answer is read as one over stdio is (`decode`). The
//! address holds the session's id, and is in no error. A stream that ends is not opened again here: the server is lost,
//! and its next use starts it anew.

use crate::auth::Client;
use crate::connection::describe;
use crate::decode::{Line, decode};
use crate::lines::{Fatal, Observed};
use futures::StreamExt as _;
use http::{HeaderName, HeaderValue};
use reqwest::Url;
use rmcp::service::{RoleClient, RxJsonRpcMessage, TxJsonRpcMessage};
use rmcp::transport::Transport;
use rmcp::transport::common::client_side_sse::BoxedSseResponse;
use rmcp::transport::streamable_http_client::{StreamableHttpClient as _, StreamableHttpError};
use std::collections::HashMap;
use std::sync::Arc;

type Failure = StreamableHttpError<reqwest::Error>;

/// How rmcp says that an event has more bytes than it may.
const TOO_LARGE: &str = "exceeded the maximum size";

/// An open event stream, and where to send to.
pub(crate) struct EventStream {
    /// None once it is closed.
    events: Option<BoxedSseResponse>,
    sender: Sender,
    observed: Arc<Observed>,
}

#[derive(Clone)]
struct Sender {
    client: Client,
    headers: HashMap<HeaderName, HeaderValue>,
    endpoint: Arc<str>,
    message_bytes: usize,
}

impl EventStream {
    /// Opens the stream at `url`, and waits for the address that it names.
    pub(crate) async fn open(
        url: &str,
        headers: HashMap<HeaderName, HeaderValue>,
        client: Client,
        message_bytes: usize,
        observed: Arc<Observed>,
    ) -> Result<Self, Failure> {
        let opened =
            client.get_stream_with_max_sse_event_size(url.into(), None, None, None, headers.clone(), message_bytes);
        let mut events = opened.await?;
        let endpoint = loop {
            let event = events.next().await.ok_or(StreamableHttpError::UnexpectedEndOfStream)??;
            if event.event.as_deref() == Some("endpoint") {
                break endpoint(url, event.data.as_deref().unwrap_or_default())?;
            }
        };
        let sender = Sender { client, headers, endpoint, message_bytes };
        Ok(Self { events: Some(events), sender, observed })
    }

    /// The message in an event; `Err` gives the server up.
    fn read(&self, data: &[u8]) -> Result<Option<RxJsonRpcMessage<RoleClient>>, Fatal> {
        match decode(data) {
            Line::Message(message) => {
                self.observed.sane();
                Ok(Some(*message))
            }
            Line::Garbage if !self.observed.garbage(data) => Err(Fatal::Garbage),
            Line::Garbage | Line::Ignored => Ok(None),
        }
    }
}

impl Sender {
    async fn send(self, item: TxJsonRpcMessage<RoleClient>) -> Result<(), Failure> {
        let Self { client, headers, endpoint, message_bytes } = self;
        match client.post_message_with_max_sse_event_size(endpoint, item, None, None, headers, message_bytes).await {
            // Servers confirm it in their own words; what was refused has been told apart by its status.
            Ok(_) | Err(StreamableHttpError::UnexpectedContentType(_)) => Ok(()),
            Err(StreamableHttpError::Client(error)) => Err(StreamableHttpError::Client(error.without_url())),
            Err(error) => Err(error),
        }
    }
}

impl Transport<RoleClient> for EventStream {
    type Error = Failure;

    fn send(
        &mut self,
        item: TxJsonRpcMessage<RoleClient>,
    ) -> impl Future<Output = Result<(), Self::Error>> + Send + 'static {
        self.sender.clone().send(item)
    }

    async fn receive(&mut self) -> Option<RxJsonRpcMessage<RoleClient>> {
        loop {
            let read = match self.events.as_mut()?.next().await? {
                Ok(event) if event.event.as_deref().is_none_or(|kind| kind == "message") => {
                    self.read(event.data.unwrap_or_default().as_bytes())
                }
                Ok(_) => Ok(None),
                Err(error) if describe(&error).contains(TOO_LARGE) => Err(Fatal::Overlong),
                Err(_lost) => return None,
            };
            match read {
                Ok(None) => {}
                Ok(message) => return message,
                Err(fatal) => {
                    self.observed.give_up(fatal);
                    return None;
                }
            }
        }
    }

    async fn close(&mut self) -> Result<(), Self::Error> {
        self.events = None;
        Ok(())
    }
}

/// The address that a stream names, as long as it is of the stream's own origin.
fn endpoint(url: &str, named: &str) -> Result<Arc<str>, Failure> {
    let refuse = |why: &'static str| StreamableHttpError::UnexpectedServerResponse(why.into());
    let stream = Url::parse(url).map_err(|_| refuse("its URL cannot be read"))?;
    let endpoint = stream.join(named.trim()).map_err(|_| refuse("the endpoint that it names is no URL"))?;
    if endpoint.origin() != stream.origin() || !endpoint.username().is_empty() || endpoint.password().is_some() {
        return Err(refuse("the endpoint that it names is of another origin"));
    }
    Ok(endpoint.as_str().into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_go_to_the_streams_own_origin() {
        let at = |named: &str| endpoint("http://h:1/a/sse?x=1", named).ok().map(|url| url.to_string());
        assert_eq!(at("/messages?sessionId=1").as_deref(), Some("http://h:1/messages?sessionId=1"));
        assert_eq!(at("messages").as_deref(), Some("http://h:1/a/messages"));
        assert_eq!(at("http://h:1/m").as_deref(), Some("http://h:1/m"));
        for elsewhere in ["http://h:2/m", "https://h:1/m", "//g:1/m", "http://h.g:1/m", "http://u@h:1/m", "file:///m"] {
            assert_eq!(at(elsewhere), None, "{elsewhere}");
        }
    }
}
