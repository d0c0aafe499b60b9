//! Streamable HTTP, against a scripted server in this process: hand-written HTTP/1.1, so that it can be rude.

use crate::kit::{BOUND, Kit};
use bridge::Error;
use model::{Secret, ServerSpec, Transport};
use serde_json::{Value, json};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};

/// How a scripted server behaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Manner {
    Honest,
    AsksForToken,
    /// The same without a challenge.
    RefusesToken,
    Silent,
    Html,
    RedirectsElsewhere,
    RedirectsToItself,
    /// Closes the connection instead of answering a call.
    HangsUpOnCalls,
    SilentOnCalls,
    /// Answers calls with this status.
    Fails(&'static str),
    /// Sends a call's answer a byte at a time.
    DripsCalls,
    /// Its token has run out since the handshake.
    RefusesCalls,
}

/// What a scripted server was asked: the request line and headers, as they came.
type Requests = Arc<Mutex<Vec<String>>>;

async fn serve(manner: Manner) -> (String, Requests) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let url = format!("http://{}/mcp", listener.local_addr().expect("an address"));
    let requests = Requests::default();
    let seen = requests.clone();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(converse(stream, manner, seen.clone()));
        }
    });
    (url, requests)
}

async fn converse(stream: TcpStream, manner: Manner, seen: Requests) -> Option<()> {
    let mut stream = BufReader::new(stream);
    loop {
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            if stream.read_line(&mut head).await.ok()? == 0 {
                return None;
            }
        }
        let length = head.lines().find_map(|line| line.to_lowercase().strip_prefix("content-length: ")?.parse().ok());
        let mut body = vec![0; length.unwrap_or(0)];
        stream.read_exact(&mut body).await.ok()?;
        let message = serde_json::from_slice(&body).unwrap_or(Value::Null);
        seen.lock().expect("not poisoned").push(head.clone());
        let reply = answer(manner, &head, &message).await?;
        if manner == Manner::DripsCalls && message["method"] == "tools/call" {
            let mut drip = tokio::time::interval(Duration::from_millis(20));
            for byte in reply.as_bytes() {
                drip.tick().await;
                stream.write_all(&[*byte]).await.ok()?;
            }
        } else {
            stream.write_all(reply.as_bytes()).await.ok()?;
        }
    }
}

/// The whole response; `None` hangs up.
async fn answer(manner: Manner, head: &str, message: &Value) -> Option<String> {
    let plain = |status: &str, headers: &str| Some(format!("HTTP/1.1 {status}\r\n{headers}content-length: 0\r\n\r\n"));
    match manner {
        Manner::AsksForToken => return plain("401 Unauthorized", "www-authenticate: Bearer\r\n"),
        Manner::RefusesToken => return plain("401 Unauthorized", ""),
        Manner::Silent => std::future::pending().await,
        Manner::Html => return Some(response("text/html", "<h1>It works!</h1>")),
        Manner::RedirectsElsewhere => return plain("307 Temporary Redirect", "location: http://127.0.0.1:9/mcp\r\n"),
        Manner::RedirectsToItself => return plain("307 Temporary Redirect", "location: /mcp\r\n"),
        Manner::HangsUpOnCalls if message["method"] == "tools/call" => return None,
        Manner::SilentOnCalls if message["method"] == "tools/call" => std::future::pending().await,
        Manner::RefusesCalls if message["method"] == "tools/call" => return plain("401 Unauthorized", ""),
        Manner::Fails(status) if message["method"] == "tools/call" => return plain(status, "retry-after: 120\r\n"),
        Manner::Honest
        | Manner::HangsUpOnCalls
        | Manner::SilentOnCalls
        | Manner::RefusesCalls
        | Manner::DripsCalls
        | Manner::Fails(_) => {}
    }
    if !head.starts_with("POST") {
        return plain("405 Method Not Allowed", "");
    }
    let result = match message["method"].as_str()? {
        "initialize" => json!({
            "protocolVersion": message["params"]["protocolVersion"],
            "capabilities": {"tools": {}},
            "serverInfo": {"name": "scripted", "version": "1"},
        }),
        "tools/list" => json!({"tools": [{"name": "slow", "inputSchema": {"type": "object"}}]}),
        "tools/call" => {
            let pause = message["params"]["arguments"]["ms"].as_u64().unwrap_or(0);
            tokio::time::sleep(Duration::from_millis(pause)).await;
            let bytes = message["params"]["arguments"]["bytes"].as_u64().unwrap_or(0);
            let filler = "x".repeat(usize::try_from(bytes).expect("64 bit"));
            json!({"content": [{"type": "text", "text": filler}], "structuredContent": message["params"]["arguments"]})
        }
        _ => return plain("202 Accepted", ""),
    };
    let body = json!({"jsonrpc": "2.0", "id": message["id"], "result": result}).to_string();
    Some(response("application/json", &body))
}

fn response(kind: &str, body: &str) -> String {
    format!("HTTP/1.1 200 OK\r\ncontent-type: {kind}\r\ncontent-length: {}\r\n\r\n{body}", body.len())
}

fn spec(url: &str) -> ServerSpec {
    let mut spec = crate::faulty::faulty_spec("s", "");
    let headers = [("Authorization".to_owned(), Secret::new("Bearer t0ps3cret"))].into();
    spec.transport = Transport::Http { url: url.to_owned(), headers, sse: false };
    spec
}

async fn start(manner: Manner) -> (Kit, Requests) {
    let (url, requests) = serve(manner).await;
    (Kit::new(vec![spec(&url), crate::faulty::faulty_spec("neighbour", "ok")]), requests)
}

#[tokio::test(flavor = "multi_thread")]
async fn calls_carry_the_configured_headers_and_run_side_by_side() {
    let (kit, requests) = start(Manner::Honest).await;
    assert_eq!(kit.bridge.tools("s").await.expect("listed")[0].name, "slow");
    let start = Instant::now();
    let calls = (0..100).map(|n| kit.structured("slow", json!({"ms": 1_000, "n": n})));
    let answers = futures::future::join_all(calls).await;
    assert!(answers.iter().enumerate().all(|(n, answer)| answer["n"] == n));
    assert!(start.elapsed() < Duration::from_secs(50), "one after the other they take 100 s: {:?}", start.elapsed());
    let requests = requests.lock().expect("not poisoned");
    assert!(
        requests.len() > 100
            && requests.iter().all(|head| head.to_lowercase().contains("authorization: bearer t0ps3cret"))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn each_bad_manner_is_a_typed_error_without_the_token() {
    for (manner, expected) in [
        (Manner::AsksForToken, "asks for authorization"),
        (Manner::RefusesToken, "asks for authorization"),
        (Manner::Html, "failed to connect: "),
        (Manner::RedirectsElsewhere, "failed to connect: "),
        (Manner::RedirectsToItself, "failed to connect: "),
    ] {
        let (kit, requests) = start(manner).await;
        let error = tokio::time::timeout(BOUND, kit.bridge.tools("s")).await.expect("in time").expect_err("refused");
        assert!(
            matches!(error, Error::Handshake { .. } | Error::Unauthorized { .. })
                && error.to_string().contains(expected),
            "{manner:?}: {error}"
        );
        assert!(!format!("{error} {error:?}").contains("s3cret"), "{error:?}");
        assert!(requests.lock().expect("not poisoned").len() < 50, "{manner:?} is not asked for ever");
        kit.neighbour_answers().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn silence_ends_at_the_timeout() {
    let (url, _requests) = serve(Manner::Silent).await;
    let mut spec = spec(&url);
    spec.startup_timeout_ms = 300;
    let error = Kit::new(vec![spec]).bridge.tools("s").await.expect_err("silent");
    assert!(error.is_timeout(), "{error}");
    let (kit, _requests) = start(Manner::SilentOnCalls).await;
    kit.bridge.tools("s").await.expect("listed");
    let error = kit.call_within("slow", json!({}), Duration::from_millis(300)).await.expect_err("silent");
    assert!(error.is_timeout(), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_is_too_large_fails_its_own_call_only() {
    let (kit, _requests) = start(Manner::Honest).await;
    let error = kit.call("slow", json!({"bytes": 16 << 20})).await.expect_err("too large");
    assert!(matches!(error, Error::TooLarge { limit_bytes: 16_777_216, .. }), "{error}");
    assert_eq!(kit.call("slow", json!({"bytes": 1 << 20})).await.expect("it fits").text().len(), 1 << 20);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_runs_out_is_said_to_be_refused() {
    let (kit, _requests) = start(Manner::RefusesCalls).await;
    kit.bridge.tools("s").await.expect("listed");
    let error = kit.call("slow", json!({})).await.expect_err("refused");
    assert!(error.is_unauthorized(), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hang_up_fails_its_call_only() {
    let (kit, _requests) = start(Manner::HangsUpOnCalls).await;
    for _ in 0..2 {
        let error = kit.call("slow", json!({})).await.expect_err("it hangs up");
        assert!(matches!(error, Error::Unreachable { .. }), "{error}");
    }
    kit.neighbour_answers().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_status_that_refuses_is_named_at_once_and_fails_its_call_only() {
    for status in ["403 Forbidden", "429 Too Many Requests", "500 Internal Server Error", "503 Service Unavailable"] {
        let (kit, requests) = start(Manner::Fails(status)).await;
        kit.bridge.tools("s").await.expect("listed");
        let asked = requests.lock().expect("not poisoned").len();
        let began = Instant::now();
        let error = kit.call("slow", json!({})).await.expect_err("refused");
        let text = error.to_string();
        assert!(text.starts_with("server `s` ") && text.contains(&status[..3]), "{text}");
        assert!(began.elapsed() < Duration::from_secs(10), "nobody waits out the two minutes it asks for");
        assert!(requests.lock().expect("not poisoned").len() - asked < 5, "it is not asked again and again");
        kit.neighbour_answers().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_drips_ends_at_the_calls_time() {
    let (kit, _requests) = start(Manner::DripsCalls).await;
    kit.bridge.tools("s").await.expect("listed");
    let error = kit.call_within("slow", json!({"bytes": 10_000}), Duration::from_millis(300)).await.expect_err("slow");
    assert!(error.is_timeout(), "{error}");
    kit.neighbour_answers().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_without_tls_behind_https_says_so() {
    let (url, _requests) = serve(Manner::Honest).await;
    let kit = Kit::new(vec![spec(&url.replace("http:", "https:")), crate::faulty::faulty_spec("neighbour", "ok")]);
    let error = tokio::time::timeout(BOUND, kit.bridge.tools("s")).await.expect("in time").expect_err("no TLS");
    let Error::Handshake { server, why, .. } = &error else { panic!("{error}") };
    assert!(server == "s" && why.contains("tls handshake"), "{error}");
    kit.neighbour_answers().await;
}
