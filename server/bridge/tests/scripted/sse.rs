//! HTTP+SSE, and which way a remote server is spoken to: scripted servers in this process, on axum.

use crate::kit::{BOUND, Kit};
use axum::Router;
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, Method, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use bridge::Error;
use futures::StreamExt as _;
use model::{Secret, ServerSpec, ServerState, Transport};
use serde_json::{Value, json};
use std::convert::Infallible;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::mpsc;

/// How a scripted server behaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Manner {
    Honest,
    /// Streamable HTTP of the stateless revision.
    Stateless,
    /// Names an endpoint of another origin.
    NamesAnother,
    /// Never names an endpoint.
    NamesNone,
    /// Says what no JSON is before each answer.
    Babbles,
    /// Sends the answer to a call in an event without an end.
    Floods,
    /// Takes calls, and answers none.
    SilentOnCalls,
    /// Ends its stream at a call.
    HangsUpOnCalls,
    AsksForToken,
    Elsewhere,
}

struct Seat {
    manner: Manner,
    /// The newest stream.
    stream: Mutex<Option<mpsc::UnboundedSender<String>>>,
    requests: Mutex<Vec<String>>,
}

impl Seat {
    fn say(&self, event: &str, data: &str) {
        if let Some(stream) = &*self.stream.lock().unwrap_or_else(PoisonError::into_inner) {
            let _ = stream.send(format!("event: {event}\ndata: {data}\n\n"));
        }
    }

    fn requests(&self) -> Vec<String> {
        self.requests.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// A server, and its address without a path.
async fn serve(manner: Manner) -> (String, Arc<Seat>) {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let origin = format!("http://{}", listener.local_addr().expect("an address"));
    let seat = Arc::new(Seat { manner, stream: Mutex::default(), requests: Mutex::default() });
    let router = Router::new().fallback(answer).with_state(seat.clone());
    tokio::spawn(async move { axum::serve(listener, router).await });
    (origin, seat)
}

async fn answer(
    State(seat): State<Arc<Seat>>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: axum::body::Bytes,
) -> Response {
    let message: Value = serde_json::from_slice(&body).unwrap_or_default();
    let asked = message["method"].as_str().unwrap_or_default();
    let said = format!("{method} {} {asked}", uri.path());
    seat.requests.lock().unwrap_or_else(PoisonError::into_inner).push(said.trim().to_owned());
    if headers.get("x-key").is_none_or(|key| key != "h3ads3cret") {
        return StatusCode::BAD_REQUEST.into_response();
    }
    match (seat.manner, &method, uri.path()) {
        (Manner::AsksForToken, ..) => {
            (StatusCode::UNAUTHORIZED, [(header::WWW_AUTHENTICATE, "Bearer")]).into_response()
        }
        (Manner::Elsewhere, ..) => {
            (StatusCode::TEMPORARY_REDIRECT, [(header::LOCATION, "http://127.0.0.1:9/sse")]).into_response()
        }
        (Manner::Stateless, &Method::POST, "/mcp") => stateless(&message).into_response(),
        (Manner::Stateless, ..) => StatusCode::METHOD_NOT_ALLOWED.into_response(),
        (_, &Method::GET, "/sse") => stream(&seat),
        (_, &Method::POST, "/messages") if uri.query() == Some("session=s3ss10n") => {
            take(&seat, &message);
            (StatusCode::ACCEPTED, "Accepted").into_response()
        }
        _ => (StatusCode::NOT_FOUND, "Cannot POST that").into_response(),
    }
}

/// Opens the stream, and names the endpoint.
fn stream(seat: &Seat) -> Response {
    let (sender, events) = mpsc::unbounded_channel();
    *seat.stream.lock().unwrap_or_else(PoisonError::into_inner) = Some(sender);
    match seat.manner {
        Manner::NamesNone => {}
        Manner::NamesAnother => seat.say("endpoint", "http://127.0.0.1:9/messages"),
        _ => seat.say("endpoint", "/messages?session=s3ss10n"),
    }
    let events = futures::stream::unfold(events, |mut events| async { Some((events.recv().await?, events)) });
    let body = Body::from_stream(events.map(Ok::<_, Infallible>));
    ([(header::CONTENT_TYPE, "text/event-stream")], body).into_response()
}

/// Takes one message, and answers it over the stream.
fn take(seat: &Seat, message: &Value) {
    let arguments = &message["params"]["arguments"];
    let result = match message["method"].as_str().unwrap_or_default() {
        "initialize" => json!({
            "protocolVersion": "2024-11-05",
            "capabilities": {"tools": {}},
            "serverInfo": {"name": "scripted", "version": "1"},
        }),
        "tools/list" => json!({"tools": [{"name": "echo", "inputSchema": {"type": "object"}}]}),
        "tools/call" => match seat.manner {
            Manner::SilentOnCalls => return,
            Manner::HangsUpOnCalls => return *seat.stream.lock().unwrap_or_else(PoisonError::into_inner) = None,
            Manner::Floods => return seat.say("message", &"x".repeat(2 << 20)),
            _ => json!({"content": [], "structuredContent": arguments}),
        },
        _ if message["id"].is_null() => return,
        _ => json!({}),
    };
    if seat.manner == Manner::Babbles {
        seat.say("message", "Listening on port 3000");
        seat.say("ping", "still there");
    }
    seat.say("message", &json!({"jsonrpc": "2.0", "id": message["id"], "result": result}).to_string());
}

/// The stateless revision, as one JSON body each.
fn stateless(message: &Value) -> (StatusCode, axum::Json<Value>) {
    let id = &message["id"];
    let refuse = |code: i32, text: &str| {
        let error = json!({"jsonrpc": "2.0", "id": id, "error": {"code": code, "message": text}});
        (StatusCode::BAD_REQUEST, axum::Json(error))
    };
    if message["params"]["_meta"]["io.modelcontextprotocol/protocolVersion"] != "2026-07-28" {
        return refuse(-32_022, "no such revision");
    }
    let result = match message["method"].as_str().unwrap_or_default() {
        "server/discover" => json!({"supportedVersions": ["2026-07-28"], "capabilities": {"tools": {}}}),
        "tools/list" => json!({"tools": [{"name": "echo", "inputSchema": {"type": "object"}}]}),
        "tools/call" => json!({"content": [], "structuredContent": message["params"]["arguments"]}),
        _ => return refuse(-32_601, "no such method"),
    };
    let mut result = result;
    for (key, value) in [("resultType", json!("complete")), ("ttlMs", json!(1_000)), ("cacheScope", json!("private"))] {
        result[key] = value;
    }
    (StatusCode::OK, axum::Json(json!({"jsonrpc": "2.0", "id": id, "result": result})))
}

fn spec(url: &str, sse: bool) -> ServerSpec {
    let mut spec = crate::faulty::faulty_spec("s", url);
    let headers = [("X-Key".to_owned(), Secret::new("h3ads3cret"))].into();
    spec.transport = Transport::Http { url: url.to_owned(), headers, sse };
    spec
}

async fn start(manner: Manner) -> (Kit, Arc<Seat>) {
    let (origin, seat) = serve(manner).await;
    let specs = vec![spec(&format!("{origin}/sse"), true), crate::faulty::faulty_spec("neighbour", "ok")];
    (Kit::with(specs, |options| options.message_bytes = 1 << 20), seat)
}

#[tokio::test(flavor = "multi_thread")]
async fn calls_go_to_the_endpoint_and_answers_come_over_the_stream() {
    for manner in [Manner::Honest, Manner::Babbles] {
        let (kit, seat) = start(manner).await;
        let calls = (0..50).map(|n| kit.structured("echo", json!({"n": n})));
        let answers = futures::future::join_all(calls).await;
        assert!(answers.iter().enumerate().all(|(n, answer)| answer["n"] == n));
        let requests = seat.requests();
        assert_eq!(requests[..2], ["GET /sse".to_owned(), "POST /messages initialize".to_owned()]);
        assert_eq!(requests.iter().filter(|said| said.starts_with("GET")).count(), 1, "{requests:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_of_the_older_transport_is_found_behind_http_and_remembered() {
    let (origin, seat) = serve(Manner::Honest).await;
    let kit = Kit::new(vec![spec(&format!("{origin}/sse"), false)]);
    assert_eq!(kit.structured("echo", json!({"a": 1})).await, json!({"a": 1}));
    let asked = ["POST /sse server/discover", "POST /sse initialize", "GET /sse", "POST /messages initialize"];
    assert_eq!(seat.requests()[..4], asked.map(str::to_owned));
    let before = seat.requests().len();
    kit.bridge.restart("s").await.expect("restarted");
    assert_eq!(seat.requests()[before..before + 2], ["GET /sse", "POST /messages initialize"].map(str::to_owned));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stateless_server_is_asked_for_nothing_else() {
    let (origin, seat) = serve(Manner::Stateless).await;
    let kit = Kit::new(vec![spec(&format!("{origin}/mcp"), false)]);
    assert_eq!(kit.structured("echo", json!({"a": 1})).await, json!({"a": 1}));
    let asked = ["POST /mcp server/discover", "POST /mcp tools/list", "POST /mcp tools/call"];
    assert_eq!(seat.requests(), asked.map(str::to_owned));
}

#[tokio::test(flavor = "multi_thread")]
async fn each_bad_start_is_a_typed_error_without_its_secrets() {
    for (manner, expected) in [
        (Manner::NamesAnother, "of another origin"),
        (Manner::Elsewhere, "failed to connect"),
        (Manner::AsksForToken, "asks for a login"),
        (Manner::Stateless, "SSE"),
    ] {
        let (kit, seat) = start(manner).await;
        let error = tokio::time::timeout(BOUND, kit.bridge.tools("s")).await.expect("in time").expect_err("refused");
        assert!(matches!(error, Error::Handshake { .. } | Error::LoginNeeded { .. }), "{manner:?}: {error}");
        assert!(error.to_string().contains(expected), "{manner:?}: {error}");
        assert!(!format!("{error} {error:?}").contains("s3cret"), "{error:?}");
        assert_eq!(seat.requests().len(), 1, "{manner:?} is asked once");
        kit.neighbour_answers().await;
    }
    let (origin, _seat) = serve(Manner::NamesNone).await;
    let mut spec = spec(&format!("{origin}/sse"), true);
    spec.startup_timeout_ms = 300;
    let error = Kit::new(vec![spec]).bridge.tools("s").await.expect_err("it names none");
    assert!(error.is_timeout(), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_that_ends_or_floods_fails_its_calls_and_the_next_use_opens_another() {
    for manner in [Manner::HangsUpOnCalls, Manner::Floods] {
        let (mut kit, seat) = start(manner).await;
        kit.bridge.tools("s").await.expect("listed");
        let error = kit.call("echo", json!({})).await.expect_err("no answer");
        let typed = match manner {
            Manner::Floods => matches!(error, Error::TooLarge { limit_bytes: 1_048_576, .. }),
            _ => matches!(error, Error::Unreachable { .. }),
        };
        assert!(typed && !format!("{error:?}").contains("s3ss10n"), "{manner:?}: {error:?}");
        kit.state(ServerState::Failed).await;
        kit.bridge.tools("s").await.expect("another stream");
        assert_eq!(seat.requests().iter().filter(|said| *said == "GET /sse").count(), 2);
        kit.neighbour_answers().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_without_an_answer_ends_at_its_time_and_the_stream_goes_on() {
    let (kit, _seat) = start(Manner::SilentOnCalls).await;
    kit.bridge.tools("s").await.expect("listed");
    let limit = std::time::Duration::from_millis(300);
    let error = kit.call_within("echo", json!({}), limit).await.expect_err("silent");
    assert!(error.is_timeout(), "{error}");
    assert_eq!(kit.bridge.state("s").expect("configured").state, ServerState::Ready);
}
