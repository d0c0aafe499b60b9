//! The loopback endpoint from outside: who gets in, what is bounded, and that it ends.

use mcp::{Auth, Error, HttpServer, serve_http};
use model::Secret;
use serde_json::{Value, json};
use std::fmt::Write as _;
use std::net::SocketAddr;
use testkit::TestDaemon;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

const TOKEN: &str = "a token that only we know";

async fn start(test: &TestDaemon) -> (HttpServer, SocketAddr) {
    let auth = Auth::Token(Secret::new(TOKEN));
    let server =
        serve_http(test.daemon.clone(), "127.0.0.1:0".parse().expect("an address"), auth).await.expect("bound");
    let url = server.url();
    let addr = url.trim_start_matches("http://").trim_end_matches("/mcp").parse().expect("an address");
    (server, addr)
}

/// Sends one request on a connection of its own; `headers` replace the usual ones of the same name. Returns the head and
/// the body.
async fn post(addr: SocketAddr, body: &str, headers: &[(&str, &str)]) -> (String, String) {
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
    let mut request = "POST /mcp HTTP/1.1\r\n".to_owned();
    for (name, value) in kept.chain(headers).filter(|(_, value)| !value.is_empty()) {
        let _ = write!(request, "{name}: {value}\r\n");
    }
    let mut stream = TcpStream::connect(addr).await.expect("connected");
    stream.write_all(format!("{request}\r\n{body}").as_bytes()).await.expect("sent");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.expect("UTF-8");
    let (head, body) = answer.split_once("\r\n\r\n").expect("a head");
    (head.to_owned(), body.to_owned())
}

fn status(head: &str) -> &str {
    head.split(' ').nth(1).expect("a status")
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
    let session =
        head.lines().find_map(|line| line.split_once(": ").filter(|(n, _)| n.eq_ignore_ascii_case("mcp-session-id")));
    let session = session.expect("a session").1.to_owned();
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
async fn a_body_without_end_and_a_session_too_many_are_refused() {
    let test = TestDaemon::builder().start().await;
    let (_server, addr) = start(&test).await;
    let large = " ".repeat((32 << 20) + 1);
    assert_eq!(status(&post(addr, &large, &[]).await.0), "413");
    let mut last = String::new();
    for _ in 0..=64 {
        last = post(addr, &initialize(), &[]).await.0;
    }
    assert_eq!(status(&last), "500", "{last}");
}

#[tokio::test]
async fn only_loopback_is_served_and_a_taken_port_is_said() {
    let test = TestDaemon::builder().start().await;
    let everywhere = serve_http(test.daemon.clone(), "0.0.0.0:0".parse().expect("an address"), Auth::Open).await;
    assert!(matches!(everywhere, Err(Error::NotLoopback(_))), "{everywhere:?}");
    let (_server, addr) = start(&test).await;
    let taken = serve_http(test.daemon.clone(), addr, Auth::Open).await;
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
