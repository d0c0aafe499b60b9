//! Between rmcp's login and its HTTP client: the answers to a handshake and to a listing, with what they say of tasks.
//!
//! rmcp drops that (`tasks`), and reads an answer which comes as one JSON body itself, so that nobody sees its text. These
//! two requests are therefore sent from here; all others are rmcp's. Invariant: whatever is answered to the two comes out
//! as it would from rmcp: the same kinds of errors, and the same bounds, but that an answer's event stream is bounded as a
//! whole and not by its events.

use crate::forward::forwarded;
use crate::http::BODY_BYTES_MAX;
use crate::tasks;
use futures::StreamExt as _;
use http::header::{ACCEPT, CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderName, HeaderValue, StatusCode};
use reqwest::Response;
use rmcp::model::{ClientJsonRpcMessage, ClientRequest, JsonRpcMessage, ServerJsonRpcMessage};
use rmcp::transport::common::client_side_sse::BoxedSseResponse;
use rmcp::transport::common::http_header::{
    EVENT_STREAM_MIME_TYPE, HEADER_LAST_EVENT_ID, HEADER_SESSION_ID, JSON_MIME_TYPE,
};
use rmcp::transport::streamable_http_client::{
    AuthRequiredError, HttpStatusError, InsufficientScopeError, StreamableHttpClient, StreamableHttpError,
    StreamableHttpPostResponse,
};
use sse_stream::SseStream;
use std::collections::HashMap;
use std::io;
use std::sync::Arc;

/// Bytes of a refusal's body that are read.
const REFUSAL_BYTES_MAX: usize = 64 << 10;

type Failure = StreamableHttpError<reqwest::Error>;
type Headers = HashMap<HeaderName, HeaderValue>;
type Text = Arc<str>;

/// rmcp's HTTP client, but for those two.
#[derive(Clone)]
pub(crate) struct Sender(pub(crate) reqwest::Client);

/// Whether what a message asks for may be answered with something about tasks.
fn may_tell_of_tasks(message: &ClientJsonRpcMessage) -> bool {
    let ClientJsonRpcMessage::Request(asked) = message else { return false };
    matches!(asked.request, ClientRequest::InitializeRequest(_) | ClientRequest::ListToolsRequest(_))
}

impl Sender {
    async fn ask(
        &self,
        uri: Text,
        message: ClientJsonRpcMessage,
        session: Option<Text>,
        token: Option<String>,
        headers: Headers,
        bytes: usize,
    ) -> Result<StreamableHttpPostResponse, Failure> {
        let accepted = [EVENT_STREAM_MIME_TYPE, JSON_MIME_TYPE].join(", ");
        let mut request = self.0.post(uri.as_ref()).header(ACCEPT, accepted);
        if let Some(token) = token {
            request = request.bearer_auth(token);
        }
        for (name, value) in headers {
            let ours = [ACCEPT.as_str(), HEADER_SESSION_ID, HEADER_LAST_EVENT_ID];
            if ours.iter().any(|ours| name.as_str().eq_ignore_ascii_case(ours)) {
                return Err(StreamableHttpError::ReservedHeaderConflict(name.to_string()));
            }
            request = request.header(name, value);
        }
        if let Some(session) = &session {
            request = request.header(HEADER_SESSION_ID, session.as_ref());
        }
        let response = request.json(&message).send().await?;
        match refusal(&response, session.is_some()) {
            Some(refused) => Err(refused),
            None => answer(response, bytes).await,
        }
    }
}

fn header(response: &Response, name: impl http::header::AsHeaderName) -> Option<String> {
    Some(String::from_utf8_lossy(response.headers().get(name)?.as_bytes()).into_owned())
}

/// A refusal that is known by its status alone.
fn refusal(response: &Response, in_session: bool) -> Option<Failure> {
    let challenge = header(response, WWW_AUTHENTICATE);
    match (response.status(), challenge) {
        (StatusCode::UNAUTHORIZED, Some(challenge)) => {
            Some(StreamableHttpError::AuthRequired(AuthRequiredError::new(challenge)))
        }
        (StatusCode::FORBIDDEN, Some(challenge)) => {
            let scope = scope(&challenge);
            Some(StreamableHttpError::InsufficientScope(InsufficientScopeError::new(challenge, scope)))
        }
        (StatusCode::NOT_FOUND, _) if in_session => Some(StreamableHttpError::SessionExpired),
        (StatusCode::TOO_MANY_REQUESTS, _) => Some(busy(response).into()),
        _ => None,
    }
}

fn busy(response: &Response) -> HttpStatusError {
    HttpStatusError::new(response.status().as_u16(), header(response, RETRY_AFTER))
}

/// The scope that a challenge names.
fn scope(challenge: &str) -> Option<String> {
    let at = challenge.to_ascii_lowercase().find("scope=")? + "scope=".len();
    let value = &challenge[at..];
    let scope = match value.strip_prefix('"') {
        Some(quoted) => quoted.split_once('"')?.0,
        None => value.split([',', ';', ' ']).next()?,
    };
    Some(scope.to_owned()).filter(|scope| !scope.is_empty())
}

async fn answer(response: Response, bytes: usize) -> Result<StreamableHttpPostResponse, Failure> {
    let (status, kind) = (response.status(), header(&response, CONTENT_TYPE));
    let session = header(&response, HEADER_SESSION_ID);
    let is = |mime: &str| kind.as_deref().is_some_and(|kind| kind.starts_with(mime));
    let is_json = is(JSON_MIME_TYPE);
    if !status.is_success() {
        let busy = status.is_server_error().then(|| busy(&response));
        return match (busy, is_json) {
            (Some(busy), false) => Err(busy.into()),
            (busy, _) => refused(response, is_json).await.map_err(|failure| busy.map_or(failure, Into::into)),
        };
    }
    if is(EVENT_STREAM_MIME_TYPE) {
        return Ok(StreamableHttpPostResponse::Sse(events(response, bytes), session));
    }
    if !is_json {
        return Err(StreamableHttpError::UnexpectedContentType(kind));
    }
    let body = body(response, BODY_BYTES_MAX).await?;
    let kept = std::str::from_utf8(&body).ok().and_then(tasks::kept);
    let message = serde_json::from_slice(kept.as_deref().map_or(&body, str::as_bytes));
    message.map(|message| StreamableHttpPostResponse::Json(message, session)).map_err(|error| {
        let why = format!("could not parse JSON response as ServerJsonRpcMessage: {error}");
        StreamableHttpError::UnexpectedServerResponse(why.into())
    })
}

/// What a refusal's body says: the server's own error, unless it is about who asks.
async fn refused(response: Response, is_json: bool) -> Result<StreamableHttpPostResponse, Failure> {
    let (status, session) = (response.status(), header(&response, HEADER_SESSION_ID));
    let body = body(response, REFUSAL_BYTES_MAX).await?;
    let is_about_us = matches!(status, StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN);
    if is_json
        && !is_about_us
        && let Ok(error @ JsonRpcMessage::Error(_)) = serde_json::from_slice::<ServerJsonRpcMessage>(&body)
    {
        return Ok(StreamableHttpPostResponse::Json(error, session));
    }
    let says = format!("HTTP {status}: {}", String::from_utf8_lossy(&body));
    Err(StreamableHttpError::UnexpectedServerResponse(says.into()))
}

async fn body(mut response: Response, bytes: usize) -> Result<Vec<u8>, Failure> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await? {
        if chunk.len() > bytes - body.len() {
            return Err(StreamableHttpError::ResponseBodyTooLarge { max_size: bytes });
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

/// The events of an answer. The error's text is rmcp's, by which it is known (`patient`).
fn events(response: Response, bytes: usize) -> BoxedSseResponse {
    let mut left = bytes;
    let bounded = response.bytes_stream().map(move |chunk| {
        let chunk = chunk.map_err(io::Error::other)?;
        let rest = left.checked_sub(chunk.len());
        left = rest.ok_or_else(|| io::Error::other("the answer's event stream exceeded the maximum size"))?;
        Ok::<_, io::Error>(chunk)
    });
    SseStream::from_bytes_stream(bounded).boxed()
}

impl StreamableHttpClient for Sender {
    type Error = reqwest::Error;

    forwarded!(0);

    /// What rmcp's transport sends everything with.
    async fn post_message_with_max_sse_event_size(
        &self,
        uri: Text,
        message: ClientJsonRpcMessage,
        session: Option<Text>,
        token: Option<String>,
        headers: Headers,
        bytes: usize,
    ) -> Result<StreamableHttpPostResponse, Failure> {
        if may_tell_of_tasks(&message) {
            return self.ask(uri, message, session, token, headers, bytes).await;
        }
        self.0.post_message_with_max_sse_event_size(uri, message, session, token, headers, bytes).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn response(status: u16, kind: &str, body: impl Into<reqwest::Body>) -> Response {
        let made = http::Response::builder().status(status).header(CONTENT_TYPE, kind).body(body);
        made.expect("a response").into()
    }

    #[test]
    fn a_challenge_says_which_scope_is_wanted() {
        assert_eq!(scope(r#"Bearer error="insufficient_scope", scope="a b", x="y""#).as_deref(), Some("a b"));
        assert_eq!(scope("Bearer Scope=a:b, x=y").as_deref(), Some("a:b"));
        assert_eq!((scope("Bearer"), scope("Bearer scope="), scope("Bearer scope=\"")), (None, None, None));
    }

    #[tokio::test]
    async fn what_is_answered_comes_out_as_from_rmcp() {
        let error = r#"{"jsonrpc":"2.0","id":1,"error":{"code":-1,"message":"no"}}"#;
        for (status, kind, body, said) in [
            (200, "application/json; charset=utf-8", r#"{"jsonrpc":"2.0","id":1,"result":{}}"#, "Ok(Json"),
            (400, "application/json", error, "Ok(Json"),
            (500, "application/json", error, "Ok(Json"),
            (403, "application/json", error, "Err(UnexpectedServerResponse(\"HTTP 403 Forbidden: {"),
            (500, "application/json", "{}", "Err(HttpStatus"),
            (502, "text/html", "<p>", "Err(HttpStatus"),
            (404, "text/plain", "gone", "Err(UnexpectedServerResponse(\"HTTP 404 Not Found: gone\""),
            (200, "text/html", "<p>", "Err(UnexpectedContentType"),
            (200, "application/json", "<p>", "Err(UnexpectedServerResponse(\"could not parse"),
        ] {
            let said_now = format!("{:?}", answer(response(status, kind, body), 1 << 20).await);
            assert!(said_now.starts_with(said), "{status} {kind}: {said_now}");
        }
        let large = vec![b' '; BODY_BYTES_MAX + 1];
        let too_large = answer(response(200, "application/json", large), 1 << 20).await;
        assert!(matches!(too_large, Err(StreamableHttpError::ResponseBodyTooLarge { .. })), "{too_large:?}");
        let events = response(200, EVENT_STREAM_MIME_TYPE, "data: 1\n\ndata: 2\n\n");
        let Ok(StreamableHttpPostResponse::Sse(mut events, _)) = answer(events, 4).await else { panic!("events") };
        let why = events.next().await.expect("one").expect_err("too large").to_string();
        assert!(why.contains("exceeded the maximum size"), "{why}");
    }
}
