//! What servers say in log messages: it is in their log as lines, over every transport, and a flood costs nobody anything.

use crate::faulty::faulty_spec;
use crate::kit::{BOUND, Kit};
use axum::Router;
use axum::body::Body;
use axum::extract::State;
use axum::http::{Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use bridge::Error;
use futures::StreamExt as _;
use model::{Secret, ServerSpec, Transport};
use serde_json::{Value, json};
use std::convert::Infallible;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::mpsc;

/// The log of the server, once `wanted` holds of it.
async fn log(kit: &Kit, wanted: impl Fn(&str) -> bool) -> String {
    let look = async {
        let mut look = tokio::time::interval(Duration::from_millis(5));
        loop {
            look.tick().await;
            let log = kit.bridge.log("s").await.expect("configured");
            if wanted(&log) {
                return log;
            }
        }
    };
    tokio::time::timeout(BOUND, look).await.expect("it is logged")
}

#[tokio::test(flavor = "multi_thread")]
async fn messages_stand_in_the_log_beside_stderr_as_lines_without_secrets() {
    let mut spec = faulty_spec("s", "chatty");
    if let Transport::Stdio { env, .. } = &mut spec.transport {
        env.insert("TOKEN".to_owned(), Secret::new("t0ps3cret"));
    }
    let kit = Kit::new(vec![spec]);
    let messages = json!([
        {"level": "warning", "logger": "db", "data": "slow with t0ps3cret\nand \u{1b}[31mred"},
        {"level": "made-up", "data": {"rows": [1, 2]}},
        {"level": 7},
        {"level": "info", "data": format!("{}t0ps3cret", "x".repeat(5_000))},
        {"level": "info", "data": "the last"},
    ]);
    kit.call("say", json!({"messages": messages, "stderr": "printed\n"})).await.expect("answered");
    let said = log(&kit, |log| log.contains("the last\n") && log.contains("printed\n")).await;
    let lines =
        ["warning db: slow with ***\\nand \\u{1b}[31mred", "made-up: {\"rows\":[1,2]}", "info: the last", "printed"];
    assert!(lines.iter().all(|wanted| said.lines().any(|line| line == *wanted)), "{said}");
    assert_eq!(said.lines().count(), 5, "one line each: {said}");
    assert!(said.contains("xxx…\n") && !said.contains("t0ps3"), "{said}");
    let file = std::fs::read_to_string(kit.folder.path().join("logs/s.log")).expect("there is a file");
    assert!(!file.contains("t0ps3"), "{file}");
    let died = Kit::new(vec![faulty_spec("s", "die-on-call")]).call("say", json!({})).await;
    assert!(matches!(died, Err(Error::Died { stderr_tail, .. }) if stderr_tail.contains("panicked at the call")));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_logs_is_told_from_which_level_on() {
    let kit = Kit::new(vec![faulty_spec("s", "chatty")]);
    let told = async {
        while kit.structured("client", json!({})).await["level"] != "info" {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(BOUND, told).await.expect("it is told");
    // One that claims to log, and knows no levels, works as well as any.
    let kit = Kit::new(vec![faulty_spec("s", "deaf-to-levels")]);
    assert_eq!(kit.structured("echo", json!({"a": 1})).await, json!({"a": 1}));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flood_is_counted_and_bounded_and_delays_no_call() {
    let kit = Kit::new(vec![faulty_spec("s", "chatty"), faulty_spec("neighbour", "ok")]);
    let messages = json!([{"level": "info", "data": "y".repeat(1_000)}]);
    let flood = kit.call("say", json!({"messages": messages, "times": 50_000}));
    let (flooded, ()) = futures::join!(flood, kit.neighbour_answers());
    flooded.expect("answered behind its messages");
    assert_eq!(kit.structured("echo", json!({"n": 1})).await, json!({"n": 1}));
    let said = log(&kit, |log| log.contains(" more log messages came too fast")).await;
    assert!(said.len() <= 64 << 10, "{} bytes are kept", said.len());
    kit.bridge.shutdown().await;
    let file = std::fs::read_to_string(kit.folder.path().join("logs/s.log")).expect("there is a file");
    let left_out = |line: &str| line.strip_prefix('(')?.split(' ').next()?.parse::<usize>().ok();
    let counted: usize = file.lines().map(|line| left_out(line).unwrap_or(1)).sum();
    assert!(file.len() < 2 << 20 && counted <= 50_000, "{} bytes of {counted} messages", file.len());
}

/// How a remote server is spoken to.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Manner {
    Stateless,
    Streamable,
    EventStream,
}

struct Seat {
    manner: Manner,
    stream: Mutex<Option<mpsc::UnboundedSender<String>>>,
    /// The level that it was told.
    level: Mutex<Value>,
}

/// A remote server that says something before it answers a call.
async fn serve(manner: Manner) -> (ServerSpec, Arc<Seat>) {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let url = format!("http://{}/mcp", listener.local_addr().expect("an address"));
    let seat = Arc::new(Seat { manner, stream: Mutex::default(), level: Mutex::default() });
    let router = Router::new().fallback(receive).with_state(seat.clone());
    tokio::spawn(async move { axum::serve(listener, router).await });
    let mut spec = faulty_spec("s", &url);
    spec.transport = Transport::Http { url, headers: [].into(), sse: manner == Manner::EventStream };
    (spec, seat)
}

async fn receive(State(seat): State<Arc<Seat>>, method: Method, body: axum::body::Bytes) -> Response {
    let message: Value = serde_json::from_slice(&body).unwrap_or_default();
    if method == Method::GET && seat.manner == Manner::EventStream {
        let (sender, events) = mpsc::unbounded_channel();
        let _ = sender.send("event: endpoint\ndata: /messages\n\n".to_owned());
        *seat.stream.lock().unwrap_or_else(PoisonError::into_inner) = Some(sender);
        let events = futures::stream::unfold(events, |mut events| async { Some((events.recv().await?, events)) });
        let body = Body::from_stream(events.map(Ok::<_, Infallible>));
        return ([(header::CONTENT_TYPE, "text/event-stream")], body).into_response();
    }
    if method != Method::POST {
        return StatusCode::METHOD_NOT_ALLOWED.into_response();
    }
    let events = answer(&seat, &message);
    if seat.manner == Manner::EventStream {
        let stream = seat.stream.lock().unwrap_or_else(PoisonError::into_inner);
        let _ = stream.as_ref().expect("opened first").send(events);
    } else if !events.is_empty() {
        return ([(header::CONTENT_TYPE, "text/event-stream")], events).into_response();
    }
    StatusCode::ACCEPTED.into_response()
}

/// What is said to a message, as events.
fn answer(seat: &Seat, message: &Value) -> String {
    let event = |data: &Value| format!("event: message\ndata: {data}\n\n");
    let (id, params) = (&message["id"], &message["params"]);
    let capabilities = json!({"tools": {}, "logging": {}});
    let is_stateless = seat.manner == Manner::Stateless;
    let mut result = match message["method"].as_str().unwrap_or_default() {
        _ if id.is_null() => return String::new(),
        "server/discover" if is_stateless => {
            json!({"supportedVersions": ["2026-07-28"], "capabilities": capabilities})
        }
        "initialize" if !is_stateless => json!({
            "protocolVersion": "2025-03-26", "capabilities": capabilities, "serverInfo": {"name": "s", "version": "1"},
        }),
        "tools/list" => json!({"tools": [{"name": "echo", "inputSchema": {"type": "object"}}]}),
        "tools/call" => json!({"content": [], "structuredContent": params["arguments"]}),
        "logging/setLevel" if !is_stateless => {
            seat.level.lock().unwrap_or_else(PoisonError::into_inner).clone_from(&params["level"]);
            json!({})
        }
        _ => {
            let error = json!({"code": -32_601, "message": "no such method"});
            return event(&json!({"jsonrpc": "2.0", "id": id, "error": error}));
        }
    };
    if is_stateless {
        seat.level
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone_from(&params["_meta"]["io.modelcontextprotocol/logLevel"]);
        for (key, value) in [("resultType", json!("complete")), ("ttlMs", json!(0)), ("cacheScope", json!("private"))] {
            result[key] = value;
        }
    }
    let answer = event(&json!({"jsonrpc": "2.0", "id": id, "result": result}));
    if message["method"] != "tools/call" {
        return answer;
    }
    let said = ["warning", "made-up"].map(|level| {
        let params = json!({"level": level, "logger": "remote", "data": {"n": 1}});
        event(&json!({"jsonrpc": "2.0", "method": "notifications/message", "params": params}))
    });
    said.concat() + &answer
}

#[tokio::test(flavor = "multi_thread")]
async fn remote_servers_are_told_the_level_and_heard_like_local_ones() {
    for manner in [Manner::Stateless, Manner::Streamable, Manner::EventStream] {
        let (spec, seat) = serve(manner).await;
        let kit = Kit::new(vec![spec]);
        assert_eq!(kit.structured("echo", json!({"n": 1})).await, json!({"n": 1}), "{manner:?}");
        let said = log(&kit, |log| log.lines().count() >= 2).await;
        assert_eq!(said, "warning remote: {\"n\":1}\nmade-up remote: {\"n\":1}\n", "{manner:?}");
        let level = || seat.level.lock().unwrap_or_else(PoisonError::into_inner).clone();
        log(&kit, |_log| level() == "info").await;
    }
}
