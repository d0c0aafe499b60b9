//! Between rmcp's transport and its HTTP client: patience with a server that has too much to do, and an error for the one
//! call whose event is too large, of which rmcp would say no more than that its stream ended.
//!
//! An answer of 429 or 503 with a `Retry-After` says that the request was not taken, so that it may be sent once more
//! without anything happening twice; nothing else is ever sent again. Bounded by how often and how long is waited. The
//! time of the start or the call runs on meanwhile, and who gives up sends nothing any more.

use crate::decode::{TOO_LARGE, substitute};
use crate::forward::forwarded;
use crate::lines::Observed;
use crate::tasks;
use futures::{StreamExt as _, TryStream};
use http::{HeaderName, HeaderValue};
use rmcp::model::{ClientJsonRpcMessage, ClientRequest, RequestId};
use rmcp::transport::common::client_side_sse::BoxedSseResponse;
use rmcp::transport::streamable_http_client::{
    HttpStatusError, SseError, StreamableHttpClient, StreamableHttpError, StreamableHttpPostResponse,
};
use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, SystemTime};
use tokio::time::Instant;

/// How often one request is sent again.
const AGAIN_MAX: usize = 3;
/// A server that wants more than this is believed, and its answer is an error at once.
const WAIT_MAX: Duration = Duration::from_secs(30);

/// An HTTP client that does so. All of one server's requests wait together.
#[derive(Clone)]
pub(crate) struct Patient<C> {
    pub(crate) client: C,
    pub(crate) observed: Arc<Observed>,
}

/// How rmcp says that an event has more bytes than it may.
const EVENT_TOO_LARGE: &str = "exceeded the maximum size";

type Event = <BoxedSseResponse as TryStream>::Ok;
type Headers = HashMap<HeaderName, HeaderValue>;

impl<C: StreamableHttpClient + Sync> Patient<C> {
    async fn send<T, F>(&self, request: impl Fn() -> F) -> Result<T, StreamableHttpError<C::Error>>
    where
        F: Future<Output = Result<T, StreamableHttpError<C::Error>>>,
    {
        for _ in 0..AGAIN_MAX {
            self.pause().await;
            match request().await {
                Err(StreamableHttpError::HttpStatus(status)) => match wait(&status) {
                    Some(wait) => self.observed.pause(Instant::now() + wait, status.status),
                    None => return Err(status.into()),
                },
                other => return other,
            }
        }
        self.pause().await;
        request().await
    }

    async fn pause(&self) {
        // It may be made longer meanwhile, by another request.
        while let Some(until) = self.observed.pause_until().filter(|&until| until > Instant::now()) {
            tokio::time::sleep_until(until).await;
        }
    }
}

/// The same events; one that is too large is the answer to `id`, as over stdio.
fn explained(events: BoxedSseResponse, id: RequestId) -> BoxedSseResponse {
    let explain = move |event: Result<Event, SseError>| match event {
        Err(error) if error.to_string().contains(EVENT_TOO_LARGE) => {
            let answer = substitute(id.clone(), TOO_LARGE, "the event is too large");
            let mut event = Event::default();
            // Its type has no name here that could be built from.
            event.data.clone_from(&serde_json::to_string(&answer).ok());
            Ok(event)
        }
        Ok(mut event) => {
            if let Some(kept) = event.data.as_deref().and_then(tasks::kept) {
                event.data = Some(kept);
            }
            Ok(event)
        }
        event => event,
    };
    events.map(explain).boxed()
}

/// How long to wait before a request is sent again; `None` where it is not to be.
fn wait(refused: &HttpStatusError) -> Option<Duration> {
    let asked = refused.retry_after.as_deref().filter(|_| matches!(refused.status, 429 | 503))?.trim();
    let wait = if let Ok(seconds) = asked.parse() {
        Duration::from_secs(seconds)
    } else {
        let until = httpdate::parse_http_date(asked).ok()?;
        until.duration_since(SystemTime::now()).unwrap_or_default()
    };
    Some(wait).filter(|&wait| wait <= WAIT_MAX)
}

type Text = Arc<str>;

impl<C: StreamableHttpClient + Sync> StreamableHttpClient for Patient<C> {
    type Error = C::Error;

    forwarded!(client);

    /// What rmcp's transport sends everything with.
    async fn post_message_with_max_sse_event_size(
        &self,
        uri: Text,
        message: ClientJsonRpcMessage,
        session: Option<Text>,
        token: Option<String>,
        headers: Headers,
        bytes: usize,
    ) -> Result<StreamableHttpPostResponse, StreamableHttpError<C::Error>> {
        if matches!(&message, ClientJsonRpcMessage::Request(asked) if matches!(asked.request, ClientRequest::InitializeRequest(_)))
        {
            self.observed.begin_session();
        }
        let answer = self.send(|| {
            let (uri, message, session) = (uri.clone(), message.clone(), session.clone());
            let (token, headers) = (token.clone(), headers.clone());
            self.client.post_message_with_max_sse_event_size(uri, message, session, token, headers, bytes)
        });
        Ok(match (answer.await?, message) {
            (StreamableHttpPostResponse::Sse(events, session), ClientJsonRpcMessage::Request(request)) => {
                StreamableHttpPostResponse::Sse(explained(events, request.id), session)
            }
            (answer, _) => answer,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_request_that_was_not_taken_is_sent_again_and_only_soon() {
        let in_ten = httpdate::fmt_http_date(SystemTime::now() + Duration::from_secs(10));
        let long_ago = "Sun, 06 Nov 1994 08:49:37 GMT";
        for (status, after, again) in [
            (429, Some("0"), true),
            (429, Some("30"), true),
            (503, Some(" 2 "), true),
            (503, Some(in_ten.as_str()), true),
            (503, Some(long_ago), true),
            (429, Some("31"), false),
            (429, Some("-1"), false),
            (429, Some("1.5"), false),
            (429, Some("99999999999999999999999"), false),
            (429, Some("soon"), false),
            (429, None, false),
            (503, None, false),
            (500, Some("1"), false),
            (502, Some("1"), false),
        ] {
            let refused = HttpStatusError::new(status, after.map(str::to_owned));
            assert_eq!(wait(&refused).is_some(), again, "{status} {after:?}");
        }
    }
}
