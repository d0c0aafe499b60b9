//! The dashboard's routes from outside: who gets in, what is answered, in which words refused, and that it ends.

use mcp::{Auth, HttpLimits, HttpServer, serve_dashboard, serve_http};
use model::{ConversationId, Reply, Request, RunRequest, Secret};
use serde_json::Value;
use std::net::SocketAddr;
use std::time::Duration;
use testkit::TestDaemon;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

const TOKEN: &str = "a token that only we know";

/// Longest that anything here may take, far below the bounds that are served.
const PATIENCE: Duration = Duration::from_mins(2);

const ROUTES: [&str; 4] = ["/api/report", "/api/run/calls?run_id=none", "/api/run/explain?run_id=none", "/api/events"];

async fn start(test: &TestDaemon) -> (HttpServer, SocketAddr) {
    start_within(test, HttpLimits::default()).await
}

async fn start_within(test: &TestDaemon, limits: HttpLimits) -> (HttpServer, SocketAddr) {
    let (any, auth) = ("127.0.0.1:0".parse().expect("an address"), Auth::Token(Secret::new(TOKEN)));
    let server = serve_http(test.daemon.clone(), any, auth, limits).await.expect("bound");
    let addr = address(&server);
    (server, addr)
}

fn address(server: &HttpServer) -> SocketAddr {
    server.url().trim_start_matches("http://").trim_end_matches("/mcp").parse().expect("an address")
}

/// One request on a connection of its own; `headers` replace the usual ones of the same name, and are left out where empty.
async fn send(addr: SocketAddr, method: &str, path: &str, headers: &[(&str, &str)]) -> TcpStream {
    let (host, bearer) = (addr.to_string(), format!("Bearer {TOKEN}"));
    let usual = [("Host", host.as_str()), ("Authorization", &bearer), ("Connection", "close")];
    let kept = usual.iter().filter(|(name, _)| !headers.iter().any(|(other, _)| other == name));
    let lines: String = kept
        .chain(headers)
        .filter(|(_, value)| !value.is_empty())
        .flat_map(|(name, value)| [name, ": ", value, "\r\n"])
        .collect();
    let mut stream = TcpStream::connect(addr).await.expect("connected");
    stream.write_all(format!("{method} {path} HTTP/1.1\r\n{lines}\r\n").as_bytes()).await.expect("sent");
    stream
}

async fn ask(addr: SocketAddr, method: &str, path: &str, headers: &[(&str, &str)]) -> (String, String) {
    let mut stream = send(addr, method, path, headers).await;
    let mut text = String::new();
    let read = stream.read_to_string(&mut text);
    tokio::time::timeout(PATIENCE, read).await.expect("closed in time").expect("UTF-8");
    let (head, body) = text.split_once("\r\n\r\n").expect("a head");
    (head.to_owned(), body.to_owned())
}

/// What a stream says until it holds `part`.
async fn until(stream: &mut TcpStream, part: &str) -> String {
    let mut text = String::new();
    let reading = async {
        while !text.contains(part) {
            let mut bytes = [0; 1_024];
            let read = stream.read(&mut bytes).await.expect("read");
            assert!(read > 0, "closed before `{part}`: {text}");
            text.push_str(std::str::from_utf8(&bytes[..read]).expect("ASCII"));
        }
    };
    tokio::time::timeout(PATIENCE, reading).await.expect("in time");
    text
}

fn status(head: &str) -> &str {
    head.split(' ').nth(1).expect("a status")
}

async fn run(test: &TestDaemon, code: &str) -> String {
    let request =
        RunRequest { code: code.to_owned(), language: Some(model::Language::JavaScript), ..RunRequest::default() };
    let ticket = test.daemon.submit(Request::Run(request), "cli", &ConversationId::new());
    let Ok(Reply::Run(reply)) = ticket.reply().await else { panic!("no run") };
    let run_id = reply.run_id.clone();
    let receipt = Request::Receipt { run_id: run_id.clone() };
    test.daemon.submit(receipt, "cli", &ConversationId::new()).reply().await.expect("counted");
    run_id.to_string()
}

#[tokio::test]
async fn the_page_needs_no_token_and_everything_else_does() {
    let test = TestDaemon::builder().start().await;
    let (_server, addr) = start(&test).await;
    let (head, body) = ask(addr, "GET", "/", &[("Authorization", "")]).await;
    assert_eq!(status(&head), "200", "{head}");
    assert!(head.contains("text/html") && body.contains(r#"id="data"></script>"#), "{head}");
    assert!(!body.contains(TOKEN));
    for route in ROUTES {
        for token in ["", "Bearer wrong", "Basic YTpi"] {
            let (head, body) = ask(addr, "GET", route, &[("Authorization", token)]).await;
            assert_eq!(status(&head), "401", "{route} {token}: {head}");
            assert!(body.starts_with("Unauthorized: "), "{body}");
        }
    }
    let (head, _) = ask(addr, "GET", "/api/report?token=a+token+that+only+we+know", &[("Authorization", "")]).await;
    assert_eq!(status(&head), "401", "a token in an address is none");
}

#[tokio::test]
async fn other_hosts_and_origins_are_refused_even_with_the_token() {
    let test = TestDaemon::builder().start().await;
    let (_server, addr) = start(&test).await;
    let (own, localhost) = (format!("http://{addr}"), format!("localhost:{}", addr.port()));
    for path in ["/", "/api/report"] {
        for (name, value, want) in [
            ("Host", "evil.example", "403"),
            ("Host", "127.0.0.1:1", "403"),
            ("Host", localhost.as_str(), "200"),
            ("Origin", "https://evil.example", "403"),
            ("Origin", "null", "403"),
            ("Origin", own.as_str(), "200"),
        ] {
            let (head, body) = ask(addr, "GET", path, &[(name, value)]).await;
            assert_eq!(status(&head), want, "{path} {name}: {value}: {head}\n{body}");
        }
    }
}

#[tokio::test]
async fn only_get_and_head_are_answered() {
    let test = TestDaemon::builder().start().await;
    let (_server, addr) = start(&test).await;
    for path in ["/", "/api/report"] {
        let (head, body) = ask(addr, "HEAD", path, &[]).await;
        assert_eq!((status(&head), body.as_str()), ("200", ""), "{head}");
        for method in ["POST", "PUT", "DELETE", "OPTIONS"] {
            let (head, _) = ask(addr, method, path, &[("Content-Length", "0")]).await;
            assert_eq!(status(&head), "405", "{method} {path}: {head}");
        }
    }
}

#[tokio::test]
async fn every_answer_forbids_what_a_browser_might_do_with_it() {
    let test = TestDaemon::builder().start().await;
    let (_server, addr) = start(&test).await;
    for (path, headers) in [
        ("/", &[][..]),
        ("/api/report", &[][..]),
        ("/api/report?top=x", &[][..]),
        ("/api/report", &[("Authorization", "")][..]),
        ("/", &[("Host", "evil.example")][..]),
    ] {
        let (head, _) = ask(addr, "GET", path, headers).await;
        let head = head.to_ascii_lowercase();
        for line in [
            "x-content-type-options: nosniff",
            "referrer-policy: no-referrer",
            "cache-control: no-store",
            "cross-origin-resource-policy: same-origin",
            "content-security-policy: default-src 'none'; ",
            "frame-ancestors 'none'",
        ] {
            assert!(head.contains(line), "{path}: no `{line}` in {head}");
        }
        assert!(!head.contains("unsafe-"), "{head}");
    }
}

#[tokio::test]
async fn a_query_that_is_wrong_is_refused_in_words() {
    let test = TestDaemon::builder().start().await;
    let (_server, addr) = start(&test).await;
    for (path, word) in [
        ("/api/report?since_ms=yesterday", "since_ms"),
        ("/api/report?colour=red", "colour"),
        ("/api/report?status=lost", "lost"),
        ("/api/report?since_ms=7200000&until_ms=0", "begins"),
        ("/api/report?tag=noequals", "tag"),
        ("/api/run/calls", "run_id"),
        ("/api/run/explain?run=x", "run"),
    ] {
        let (head, body) = ask(addr, "GET", path, &[]).await;
        assert_eq!(status(&head), "400", "{path}: {head}\n{body}");
        assert!(body.contains(word), "{path}: {body}");
    }
}

#[tokio::test]
async fn a_run_is_told_counted_and_found_with_its_calls() {
    let test = TestDaemon::builder().scripted("good", &["ok"]).start().await;
    let (_server, addr) = start(&test).await;
    let mut events = send(addr, "GET", "/api/events", &[]).await;
    assert!(until(&mut events, "text/event-stream").await.starts_with("HTTP/1.1 200"));
    let id = run(&test, "import * as good from 'servers/good'; export default await good.echo({n: 1})").await;
    until(&mut events, "data: counted").await;
    let (_, body) = ask(addr, "GET", "/api/report?top=5&server=good", &[]).await;
    let report: Value = serde_json::from_str(&body).expect("JSON");
    assert_eq!(report["total"]["runs"], 1, "{body}");
    assert_eq!(report["runs"][0]["run_id"], *id, "{body}");
    let (_, body) = ask(addr, "GET", &format!("/api/run/calls?run_id={id}"), &[]).await;
    let calls: Value = serde_json::from_str(&body).expect("JSON");
    assert_eq!((&calls[0]["server"], &calls[0]["tool"]), (&"good".into(), &"echo".into()), "{body}");
}

#[tokio::test]
async fn no_more_dashboards_are_told_than_there_is_room_for() {
    let test = TestDaemon::builder().start().await;
    let (server, addr) = start_within(&test, HttpLimits { followers: 1, ..HttpLimits::default() }).await;
    let mut first = send(addr, "GET", "/api/events", &[]).await;
    until(&mut first, "text/event-stream").await;
    let (head, body) = ask(addr, "GET", "/api/events", &[]).await;
    assert_eq!(status(&head), "503", "{head}");
    assert!(body.contains("close one"), "{body}");
    // The endpoint's end is theirs, too.
    server.stop().await;
    let mut rest = String::new();
    let ended = tokio::time::timeout(PATIENCE, first.read_to_string(&mut rest)).await.expect("in time");
    assert!(ended.is_ok(), "{ended:?}");
}

#[tokio::test]
async fn an_endpoint_for_the_dashboard_alone_runs_nothing() {
    let test = TestDaemon::builder().start().await;
    let (any, auth) = ("127.0.0.1:0".parse().expect("an address"), Auth::Token(Secret::new(TOKEN)));
    let server = serve_dashboard(test.daemon.clone(), any, auth, HttpLimits::default()).await.expect("bound");
    let addr = address(&server);
    assert_eq!(status(&ask(addr, "GET", "/api/report", &[]).await.0), "200");
    assert_eq!(status(&ask(addr, "POST", "/mcp", &[("Content-Length", "0")]).await.0), "404");
    assert_eq!(server.dashboard_url(), format!("http://{addr}/#token=a+token+that+only+we+know"));
}
