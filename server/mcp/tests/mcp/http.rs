//! The loopback endpoint from outside: who gets in, what is bounded, and that it ends.

use daemon::{AskCalls, Options};
use mcp::{Auth, Error, HttpLimits, HttpServer, serve_http};
use model::Secret;
use serde_json::{Value, json};
use std::fmt::Write as _;
use std::net::SocketAddr;
use std::time::Duration;
use testkit::TestDaemon;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

const TOKEN: &str = "a token that only we know";

/// Longest that anything here may take, far below the bounds that are served.
const PATIENCE: Duration = Duration::from_mins(2);

/// A bound in time that is soon reached.
const SOON: Duration = Duration::from_millis(100);

async fn start(test: &TestDaemon) -> (HttpServer, SocketAddr) {
    start_within(test, HttpLimits::default()).await
}

async fn start_within(test: &TestDaemon, limits: HttpLimits) -> (HttpServer, SocketAddr) {
    let (any, auth) = ("127.0.0.1:0".parse().expect("an address"), Auth::Token(Secret::new(TOKEN)));
    let server = serve_http(test.daemon.clone(), any, auth, limits).await.expect("bound");
    let url = server.url();
    let addr = url.trim_start_matches("http://").trim_end_matches("/mcp").parse().expect("an address");
    (server, addr)
}

/// Sends one request on a connection of its own; `headers` replace the usual ones of the same name. Returns the head and
/// the body.
async fn post(addr: SocketAddr, body: &str, headers: &[(&str, &str)]) -> (String, String) {
    let mut stream = TcpStream::connect(addr).await.expect("connected");
    stream.write_all(request("POST", addr, body, headers).as_bytes()).await.expect("sent");
    let answer = rest(&mut stream).await;
    let (head, body) = answer.split_once("\r\n\r\n").expect("a head");
    (head.to_owned(), body.to_owned())
}

/// All that is sent until the connection is closed.
async fn rest(stream: &mut TcpStream) -> String {
    let mut text = String::new();
    let read = stream.read_to_string(&mut text);
    tokio::time::timeout(PATIENCE, read).await.expect("closed in time").expect("UTF-8");
    text
}

fn request(method: &str, addr: SocketAddr, body: &str, headers: &[(&str, &str)]) -> String {
    let (host, bearer, length) = (addr.to_string(), format!("Bearer {TOKEN}"), body.len().to_string());
    let usual = [
        ("Host", host.as_str()),
        ("Authorization", &bearer),
        ("Content-Type", "application/json"),
        ("Accept", "application/json, text/event-stream"),
        ("Content-Length", &length),
        ("Connection", "close"),
    ];
    let kept = usual.iter().filter(|(name, _)| !headers.iter().any(|(other, _)| other == name));
    let mut request = format!("{method} /mcp HTTP/1.1\r\n");
    for (name, value) in kept.chain(headers).filter(|(_, value)| !value.is_empty()) {
        let _ = write!(request, "{name}: {value}\r\n");
    }
    format!("{request}\r\n{body}")
}

fn status(head: &str) -> &str {
    head.split(' ').nth(1).expect("a status")
}

fn session_id(head: &str) -> String {
    let named = |line: &str| {
        let (name, value) = line.split_once(": ")?;
        name.eq_ignore_ascii_case("mcp-session-id").then(|| value.to_owned())
    };
    head.lines().find_map(named).expect("a session")
}

fn initialize() -> String {
    let client = json!({"name": "test", "version": "1"});
    let params = json!({"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": client});
    json!({"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": params}).to_string()
}

#[tokio::test]
async fn only_the_token_an_own_host_and_no_foreign_origin_get_in() {
    let test = TestDaemon::builder().start().await;
    let (_server, addr) = start(&test).await;
    let (own, other) = (format!("http://{addr}"), format!("http://127.0.0.1:{}", addr.port().wrapping_add(1)));
    let localhost = format!("localhost:{}", addr.port());
    for (headers, want) in [
        (vec![], "200"),
        (vec![("Authorization", "")], "401"),
        (vec![("Authorization", "Bearer wrong")], "401"),
        (vec![("Host", localhost.as_str())], "200"),
        (vec![("Host", "evil.example")], "403"),
        (vec![("Host", "127.0.0.1:1")], "403"),
        (vec![("Origin", own.as_str())], "200"),
        (vec![("Origin", other.as_str())], "403"),
        (vec![("Origin", "https://evil.example")], "403"),
        (vec![("Origin", "null")], "403"),
    ] {
        let (head, body) = post(addr, &initialize(), &headers).await;
        assert_eq!(status(&head), want, "{headers:?}: {head}\n{body}");
        assert_eq!(want == "401", head.to_ascii_lowercase().contains("www-authenticate: bearer"), "{head}");
    }
}

#[tokio::test]
async fn a_session_of_the_editors_revision_and_one_request_of_the_newest_are_served() {
    let test = TestDaemon::builder().start().await;
    let (_server, addr) = start(&test).await;
    let (head, body) = post(addr, &initialize(), &[]).await;
    assert!(body.contains(r#""name":"tta""#), "{body}");
    let session = session_id(&head);
    let initialized = json!({"jsonrpc": "2.0", "method": "notifications/initialized"}).to_string();
    assert_eq!(status(&post(addr, &initialized, &[("Mcp-Session-Id", &session)]).await.0), "202");
    let call = |meta: Value| {
        let params = json!({"name": "run_code", "arguments": {"code": "6 * 7", "language": "python"}, "_meta": meta});
        json!({"jsonrpc": "2.0", "id": 2, "method": "tools/call", "params": params}).to_string()
    };
    let (_, body) = post(addr, &call(json!({})), &[("Mcp-Session-Id", &session)]).await;
    assert!(body.contains(r#""text":"42""#), "{body}");
    let meta = json!({
        "io.modelcontextprotocol/protocolVersion": "2026-07-28",
        "io.modelcontextprotocol/clientInfo": {"name": "test", "version": "1"},
        "io.modelcontextprotocol/clientCapabilities": {},
    });
    let headers = [("MCP-Protocol-Version", "2026-07-28"), ("Mcp-Method", "tools/call"), ("Mcp-Name", "run_code")];
    let (head, body) = post(addr, &call(meta), &headers).await;
    assert!(body.contains(r#""text":"42""#), "{head}\n{body}");
}

#[tokio::test]
async fn without_sessions_a_question_outlives_its_connection() {
    let options = Options { ask_calls: AskCalls::Always, ..Options::default() };
    let test = TestDaemon::builder().scripted("good", &["ok"]).options(options).start().await;
    let (_server, addr) = start(&test).await;
    let headers = [("MCP-Protocol-Version", "2026-07-28"), ("Mcp-Method", "tools/call"), ("Mcp-Name", "run_code")];
    let call = async |more: Value| {
        let mut params = json!({
            "name": "run_code",
            "arguments": {"code": "from servers import good\nawait good.echo(n=1)", "language": "python"},
            "_meta": {
                "io.modelcontextprotocol/protocolVersion": "2026-07-28",
                "io.modelcontextprotocol/clientInfo": {"name": "test", "version": "1"},
                "io.modelcontextprotocol/clientCapabilities": {"elicitation": {"form": {}}},
            },
        });
        params.as_object_mut().expect("an object").extend(more.as_object().cloned().unwrap_or_default());
        let body = json!({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params}).to_string();
        let (_, answer) = post(addr, &body, &headers).await;
        let json = &answer[answer.find('{').expect("JSON")..=answer.rfind('}').expect("JSON")];
        serde_json::from_str::<Value>(json).expect("one answer")["result"].clone()
    };
    let asked = call(json!({})).await;
    assert_eq!(asked["resultType"], "input_required", "{asked}");
    let answer = json!({"decision": {"action": "accept", "content": {"decision": "Allow once"}}});
    let done = call(json!({"requestState": asked["requestState"], "inputResponses": answer})).await;
    assert_eq!(
        (&done["resultType"], &done["content"][0]["text"]),
        (&json!("complete"), &json!(r#"{"n":1}"#)),
        "{done}"
    );
}

#[tokio::test]
async fn a_body_without_end_and_a_session_too_many_are_refused() {
    let test = TestDaemon::builder().start().await;
    let (_server, addr) = start_within(&test, HttpLimits { seat_wait: SOON, ..HttpLimits::default() }).await;
    let large = " ".repeat((32 << 20) + 1);
    assert_eq!(status(&post(addr, &large, &[]).await.0), "413");
    let mut last = String::new();
    for _ in 0..=64 {
        last = post(addr, &initialize(), &[]).await.0;
    }
    assert_eq!(status(&last), "503", "{last}");
    assert!(last.to_ascii_lowercase().contains("retry-after: 5"), "{last}");
}

#[tokio::test]
async fn requests_without_a_session_wait_for_each_other() {
    let test = TestDaemon::builder().start().await;
    let (_server, addr) =
        start_within(&test, HttpLimits { sessions: 2, seat_wait: PATIENCE, ..HttpLimits::default() }).await;
    let headers = [("MCP-Protocol-Version", "2026-07-28"), ("Mcp-Method", "tools/list")];
    let meta = json!({
        "io.modelcontextprotocol/protocolVersion": "2026-07-28",
        "io.modelcontextprotocol/clientInfo": {"name": "test", "version": "1"},
        "io.modelcontextprotocol/clientCapabilities": {},
    });
    let list = json!({"jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": {"_meta": meta}}).to_string();
    let mut asked = tokio::task::JoinSet::new();
    for _ in 0..100 {
        let list = list.clone();
        asked.spawn(async move { post(addr, &list, &headers).await });
    }
    for (head, body) in asked.join_all().await {
        assert!(status(&head) == "200" && body.contains("run_code"), "{head}\n{body}");
    }
}

#[tokio::test]
async fn a_connection_too_many_waits_until_another_ends() {
    let test = TestDaemon::builder().start().await;
    let (_server, addr) = start_within(&test, HttpLimits { connections: 1, ..HttpLimits::default() }).await;
    // Refused without its body being read, and kept open: the shortest exchange there is.
    let ask = request("POST", addr, "", &[("Connection", "keep-alive"), ("Authorization", "")]);
    let mut first = TcpStream::connect(addr).await.expect("connected");
    exchange(&mut first, &ask).await;
    let mut second = TcpStream::connect(addr).await.expect("the system's queue has room");
    second.write_all(request("POST", addr, &initialize(), &[]).as_bytes()).await.expect("sent");
    for _ in 0..50 {
        exchange(&mut first, &ask).await;
    }
    let waiting = second.try_read(&mut [0]).expect_err("nothing was answered");
    assert_eq!(waiting.kind(), std::io::ErrorKind::WouldBlock);
    drop(first);
    assert_eq!(status(&rest(&mut second).await), "200");
}

/// One request that is answered with 401 on a connection that stays open.
async fn exchange(stream: &mut TcpStream, ask: &str) {
    stream.write_all(ask.as_bytes()).await.expect("sent");
    let mut answer = String::new();
    while !answer.ends_with("handed over\n") {
        let mut chunk = [0; 1024];
        let length = stream.read(&mut chunk).await.expect("an answer");
        assert_ne!(length, 0, "{answer}");
        answer.push_str(&String::from_utf8_lossy(&chunk[..length]));
    }
    assert_eq!(status(&answer), "401");
}

#[tokio::test]
async fn who_does_not_finish_a_head_is_hung_up_on_and_keeps_nobody_out() {
    let test = TestDaemon::builder().start().await;
    let limits = HttpLimits { connections: 1, head_timeout: SOON, ..HttpLimits::default() };
    let (_server, addr) = start_within(&test, limits).await;
    let whole = request("POST", addr, &initialize(), &[]);
    for sent in ["", "POST /mcp HTTP/1.1\r\n", whole.split("Content-Length").next().expect("the first part")] {
        let mut slow = TcpStream::connect(addr).await.expect("connected");
        slow.write_all(sent.as_bytes()).await.expect("sent");
        let (head, _) = post(addr, &initialize(), &[]).await;
        assert_eq!(status(&head), "200", "after {sent:?}: {head}");
        assert_eq!(rest(&mut slow).await, "", "nothing is answered to {sent:?}");
    }
}

#[tokio::test]
async fn an_idle_session_ends_and_its_place_is_free() {
    let test = TestDaemon::builder().start().await;
    let limits = HttpLimits { sessions: 1, session_idle: SOON, ..HttpLimits::default() };
    let (_server, addr) = start_within(&test, limits).await;
    let session = session_id(&post(addr, &initialize(), &[]).await.0);
    // A session's own stream is open as long as the session.
    let mut stream = TcpStream::connect(addr).await.expect("connected");
    let listen = request("GET", addr, "", &[("Mcp-Session-Id", &session)]);
    stream.write_all(listen.as_bytes()).await.expect("sent");
    rest(&mut stream).await;
    let ping = json!({"jsonrpc": "2.0", "id": 2, "method": "ping"}).to_string();
    let (head, body) = post(addr, &ping, &[("Mcp-Session-Id", &session)]).await;
    assert_eq!(status(&head), "404", "{head}\n{body}");
    assert_eq!(status(&post(addr, &initialize(), &[]).await.0), "200");
}

#[tokio::test]
async fn only_loopback_is_served_and_a_taken_port_is_said() {
    let test = TestDaemon::builder().start().await;
    let everywhere =
        serve_http(test.daemon.clone(), "0.0.0.0:0".parse().expect("an address"), Auth::Open, HttpLimits::default())
            .await;
    assert!(matches!(everywhere, Err(Error::NotLoopback(_))), "{everywhere:?}");
    let (_server, addr) = start(&test).await;
    let taken = serve_http(test.daemon.clone(), addr, Auth::Open, HttpLimits::default()).await;
    assert!(matches!(taken, Err(Error::Bind { .. })), "{taken:?}");
}

#[tokio::test]
async fn a_stopped_endpoint_answers_nobody() {
    let test = TestDaemon::builder().start().await;
    let (server, addr) = start(&test).await;
    assert_eq!(status(&post(addr, &initialize(), &[]).await.0), "200");
    server.stop().await;
    assert!(TcpStream::connect(addr).await.is_err());
}

#[tokio::test(flavor = "multi_thread")]
async fn metrics_are_behind_the_same_door() {
    let test = TestDaemon::builder().start().await;
    let (_server, addr) = start(&test).await;
    test.run(model::Language::JavaScript, "export default 1").await;
    let scrape = async |headers: &[(&str, &str)]| {
        let mut stream = TcpStream::connect(addr).await.expect("connected");
        let asked = request("GET", addr, "", headers).replacen("/mcp", "/metrics", 1);
        stream.write_all(asked.as_bytes()).await.expect("sent");
        rest(&mut stream).await
    };
    for (headers, refused) in [
        ([("Authorization", "")], "401"),
        ([("Authorization", "Bearer another")], "401"),
        ([("Host", "evil.example")], "403"),
        ([("Origin", "http://evil.example")], "403"),
    ] {
        let answer = scrape(&headers).await;
        assert_eq!(status(&answer), refused, "{headers:?}");
        assert!(!answer.contains("tta_"), "{answer}");
    }
    let (top, body) =
        scrape(&[]).await.split_once("\r\n\r\n").map(|(h, t)| (h.to_owned(), t.to_owned())).expect("a head");
    assert_eq!(status(&top), "200", "{top}");
    assert!(top.to_lowercase().contains("content-type: application/openmetrics-text; version=1.0.0"), "{top}");
    assert!(body.contains("tta_runs_total{status=\"ok\",language=\"javascript\"} 1\n"), "{body}");
    assert!(body.ends_with("# EOF\n"), "{body}");
}
