//! Remote servers that refuse, put off, lead elsewhere or never come to an end: a typed error in time, nothing sent twice
//! that may have been taken, and a neighbour that notices nothing.

use crate::kit::{BOUND, Kit};
use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use bridge::{Error, Patience};
use futures::{FutureExt as _, StreamExt as _, stream};
use model::{Secret, ServerSpec, Transport};
use serde_json::{Value, json};
use std::convert::Infallible;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpListener;

/// What a server does with a message, of whose method it is the nth; without an answer it is an honest one.
type Manner = dyn Fn(&Value, usize) -> Option<Response> + Send + Sync;

struct Web {
    url: String,
    manner: Box<Manner>,
    asked: Mutex<Vec<(String, Instant)>>,
}

impl Web {
    /// When it was asked for this so far.
    fn asked(&self, method: &str) -> Vec<Instant> {
        let asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
        asked.iter().filter(|(seen, _)| seen == method).map(|&(_, at)| at).collect()
    }
}

async fn serve(manner: impl Fn(&Value, usize) -> Option<Response> + Send + Sync + 'static) -> Arc<Web> {
    let (listener, url) = listen().await;
    let web = Arc::new(Web { url, manner: Box::new(manner), asked: Mutex::default() });
    let router = Router::new().fallback(answer).with_state(web.clone());
    tokio::spawn(async move { axum::serve(listener, router).await });
    web
}

async fn listen() -> (TcpListener, String) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let url = format!("http://{}/mcp", listener.local_addr().expect("an address"));
    (listener, url)
}

async fn answer(State(web): State<Arc<Web>>, body: Bytes) -> Response {
    let message: Value = serde_json::from_slice(&body).unwrap_or_default();
    let method = message["method"].as_str().unwrap_or_default().to_owned();
    let nth = web.asked(&method).len();
    web.asked.lock().unwrap_or_else(PoisonError::into_inner).push((method.clone(), Instant::now()));
    if let Some(answer) = (web.manner)(&message, nth) {
        return answer;
    }
    let result = match method.as_str() {
        "initialize" => json!({
            "protocolVersion": message["params"]["protocolVersion"],
            "capabilities": {"tools": {}},
            "serverInfo": {"name": "scripted", "version": "1"},
        }),
        "tools/list" => json!({"tools": [{"name": "echo", "inputSchema": {"type": "object"}}]}),
        "tools/call" => json!({"content": [], "structuredContent": message["params"]["arguments"]}),
        _ if message["id"].is_null() => return StatusCode::ACCEPTED.into_response(),
        _ => {
            let error = json!({"code": -32_601, "message": "unknown"});
            return json_response(&json!({"jsonrpc": "2.0", "id": message["id"], "error": error}));
        }
    };
    json_response(&json!({"jsonrpc": "2.0", "id": message["id"], "result": result}))
}

fn json_response(value: &Value) -> Response {
    ([(header::CONTENT_TYPE, "application/json")], value.to_string()).into_response()
}

fn status(code: u16, headers: &[(&'static str, &str)]) -> Response {
    let mut response = StatusCode::from_u16(code).expect("a status").into_response();
    for (name, value) in headers {
        response.headers_mut().insert(*name, value.parse().expect("a header's value"));
    }
    response
}

fn spec(url: &str) -> ServerSpec {
    let mut spec = crate::faulty::faulty_spec("s", "");
    let headers = [("Authorization".to_owned(), Secret::new("Bearer t0ps3cret"))].into();
    spec.transport = Transport::Http { url: url.to_owned(), headers, sse: false };
    spec
}

fn kit(url: &str) -> Kit {
    Kit::new(vec![spec(url), crate::faulty::faulty_spec("neighbour", "ok")])
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_asks_for_patience_gets_it_at_its_start_and_at_calls() {
    for code in [429, 503] {
        let web = serve(move |message, nth| {
            let once = ["initialize", "tools/list", "tools/call"].iter().any(|method| message["method"] == **method);
            (once && nth == 0).then(|| status(code, &[("retry-after", "1")]))
        })
        .await;
        let kit = kit(&web.url);
        assert_eq!(kit.structured("echo", json!({"a": 1})).await, json!({"a": 1}));
        for method in ["initialize", "tools/list", "tools/call"] {
            let [first, second] = web.asked(method)[..] else { panic!("{method} is sent twice") };
            assert!(second - first >= Duration::from_secs(1), "{method}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_server_may_have_taken_is_sent_once() {
    for (code, after) in [(429, ""), (429, "120"), (503, ""), (503, "soon"), (500, "1"), (502, "1"), (504, "1")] {
        let web = serve(move |message, _| {
            let headers: &[_] = if after.is_empty() { &[] } else { &[("retry-after", after)] };
            (message["method"] == "tools/call").then(|| status(code, headers))
        })
        .await;
        let kit = kit(&web.url);
        let error = kit.call("echo", json!({})).await.expect_err("refused");
        let Error::Refused { server, status, why } = &error else { panic!("{error}") };
        assert_eq!((server.as_str(), *status), ("s", code));
        assert_eq!(why.contains("asked again after"), !after.is_empty(), "{why}");
        assert_eq!(web.asked("tools/call").len(), 1, "{code} {after}");
        kit.neighbour_answers().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn patience_ends() {
    let web =
        serve(|message, _| (message["method"] == "tools/call").then(|| status(429, &[("retry-after", "0")]))).await;
    let kit = kit(&web.url);
    let error = kit.call("echo", json!({})).await.expect_err("refused for ever");
    assert!(matches!(&error, Error::Refused { status: 429, .. }), "{error}");
    assert!(error.hint().contains("too much to do"), "{}", error.hint());
    assert_eq!(web.asked("tools/call").len(), 4);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_gives_up_sends_nothing_any_more_and_knows_what_it_waited_for() {
    let web = serve(|message, nth| {
        (message["method"] == "tools/call" && nth == 0).then(|| status(503, &[("retry-after", "8")]))
    })
    .await;
    let kit = kit(&web.url);
    kit.bridge.tools("s").await.expect("listed");
    let error = kit.call_within("echo", json!({}), Duration::from_secs(2)).await.expect_err("no time left");
    assert!(error.is_timeout() && error.to_string().contains("(HTTP 503)"), "{error}");
    // They wait with it, and so come after it would have been sent again.
    for n in 0..3 {
        assert_eq!(kit.structured("echo", json!({"n": n})).await, json!({"n": n}));
    }
    assert_eq!(web.asked("tools/call").len(), 4);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_in_place_of_an_answer_is_quoted_in_part_and_without_the_token() {
    let web = serve(|message, _| {
        let page = format!("t0ps3cret {}", "<p>no</p>".repeat(5_000));
        (message["method"] == "tools/call").then(|| (StatusCode::FORBIDDEN, page).into_response())
    })
    .await;
    let kit = kit(&web.url);
    let error = kit.call("echo", json!({})).await.expect_err("refused");
    assert!(matches!(&error, Error::Refused { status: 403, why, .. } if why.contains("<p>no</p>")), "{error}");
    assert!(error.to_string().len() < 500 && !error.to_string().contains("s3cret"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn another_origin_is_not_even_connected_to() {
    let (elsewhere, other) = listen().await;
    for code in [301, 302, 303, 307, 308] {
        let target = other.clone();
        let web = serve(move |message, _| {
            (message["method"] == "tools/call").then(|| status(code, &[("location", target.as_str())]))
        })
        .await;
        let kit = kit(&web.url);
        let error = kit.call("echo", json!({})).await.expect_err("it is led elsewhere");
        assert!(matches!(&error, Error::Refused { status, .. } if *status == code), "{error}");
        kit.neighbour_answers().await;
    }
    assert!(elsewhere.accept().now_or_never().is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_head_that_drips_ends_at_the_starts_time() {
    let (listener, url) = listen().await;
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                let mut drip = tokio::time::interval(Duration::from_millis(20));
                let head = b"HTTP/1.1 200 OK\r\nx-long: ".iter().chain(std::iter::repeat(&b'a'));
                for byte in head {
                    drip.tick().await;
                    if stream.write_all(&[*byte]).await.is_err() {
                        return;
                    }
                }
            });
        }
    });
    let kit = Kit::new(vec![
        ServerSpec { startup_timeout_ms: 600, ..spec(&url) },
        crate::faulty::faulty_spec("neighbour", "ok"),
    ]);
    let (error, ()) = tokio::join!(kit.bridge.tools("s"), kit.neighbour_answers());
    let error = error.expect_err("no head in time");
    assert!(matches!(&error, Error::Timeout { server, ms: 600, .. } if server == "s"), "{error}");
}

/// An event stream that begins with `first`, and goes on with `more` until nobody reads it any more.
fn endless(more: String) -> Response {
    let events = stream::repeat(Ok::<_, Infallible>(more)).then(|event| async {
        tokio::time::sleep(Duration::from_millis(10)).await;
        event
    });
    ([(header::CONTENT_TYPE, "text/event-stream")], Body::from_stream(events)).into_response()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_stream_without_an_end_ends_at_the_calls_time() {
    let web = serve(|message, _| {
        let token = &message["params"]["_meta"]["progressToken"];
        let report = json!({"progressToken": token, "progress": 1});
        let report = json!({"jsonrpc": "2.0", "method": "notifications/progress", "params": report});
        match message["params"]["name"].as_str()? {
            "comments" => Some(endless(":\n\n".to_owned())),
            "progress" => Some(endless(format!("data: {report}\n\n"))),
            _ => None,
        }
    })
    .await;
    let kit = kit(&web.url);
    kit.bridge.tools("s").await.expect("listed");
    let patience = Patience { silence: Duration::from_secs(5), total: Duration::from_secs(6) };
    for tool in ["comments", "progress"] {
        let (error, ()) = tokio::join!(kit.call_within(tool, json!({}), patience), kit.neighbour_answers());
        let error = error.expect_err("no end");
        let Error::Timeout { what, ms, .. } = &error else { panic!("{tool}: {error}") };
        let reports = tool == "progress";
        assert_eq!(*ms, if reports { 6_000 } else { 5_000 }, "{error}");
        assert_eq!(what.contains("reports progress without an end"), reports, "{error}");
    }
    assert_eq!(kit.structured("echo", json!({"a": 1})).await, json!({"a": 1}));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_without_an_end_fails_its_own_call_only() {
    let web =
        serve(|message, _| (message["params"]["name"] == "flood").then(|| endless("data: xxxx".repeat(2_000)))).await;
    let kit = Kit::with(vec![spec(&web.url)], |options| options.message_bytes = 100_000);
    let error = tokio::time::timeout(BOUND, kit.call("flood", json!({}))).await.expect("in time").expect_err("endless");
    assert!(matches!(&error, Error::TooLarge { limit_bytes: 100_000, .. }), "{error}");
    assert_eq!(kit.structured("echo", json!({"a": 1})).await, json!({"a": 1}));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_over_http_is_bounded_too() {
    let web = serve(move |message, nth| {
        let tool = json!({"name": format!("t{nth}"), "inputSchema": {"type": "object"}});
        let page = json!({"tools": [tool], "nextCursor": nth.to_string()});
        let answer = json!({"jsonrpc": "2.0", "id": message["id"], "result": page});
        (message["method"] == "tools/list").then(|| json_response(&answer))
    })
    .await;
    let kit = kit(&web.url);
    let error = kit.bridge.tools("s").await.expect_err("endless");
    assert!(matches!(&error, Error::Protocol { what, .. } if what.contains("more than 200 pages")), "{error}");
    kit.neighbour_answers().await;
}
