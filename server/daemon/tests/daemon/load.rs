//! Many calls at once and many servers, through the door: all answered right, in bounded memory, and nothing fetched.

use model::{CallRequest, Language, Reply, Request, RunStatus, SearchRequest};
use serde_json::{Value, json};
use testkit::{TestDaemon, built};

fn entry(args: &[&str]) -> Value {
    json!({"command": built("crowd-server"), "args": args})
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_calls_are_under_way_at_once_over_one_stdio_server() {
    let toml = "[servers.crowd]\ncalls_in_flight = 1000\n";
    let test = TestDaemon::builder().server("crowd", entry(&["1"])).toml(toml).start().await;
    for (language, code) in [
        (
            Language::Python,
            "import asyncio\nfrom servers import crowd\nr = await asyncio.gather(*[crowd.meet(n=n, of=1000) for n in range(1000)])\n\
             [a['n'] for a in r] == list(range(1000))",
        ),
        (
            Language::TypeScript,
            "import * as crowd from 'servers/crowd';\nconst calls = Array.from({length: 1000}, (_, n) => crowd.meet({n, of: 1000}));\n\
             (await Promise.all(calls)).every((a: any, n) => a.n === n)",
        ),
    ] {
        let reply = test.run(language, code).await;
        assert_eq!(reply.status, RunStatus::Ok, "{:?}", reply.error);
        assert_eq!((reply.result.expect("a value").get(), reply.calls.len()), ("true", 1_000));
    }
    let peak = peak_mib();
    assert!(peak < 1_024.0, "{peak} MiB");
}

#[tokio::test(flavor = "multi_thread")]
async fn ten_thousand_tools_of_fifty_servers_are_listed_and_searched() {
    let mut builder = TestDaemon::builder();
    for n in 0..50 {
        builder = builder.server(&format!("crowd{n}"), entry(&["200", "100"]));
    }
    let test = builder.start().await;
    let request = SearchRequest { query: "read record 77 of the archive crowd49".into(), ..SearchRequest::default() };
    let Ok(Reply::Search(found)) = test.ask(Request::Search(request)).await else { panic!("a search answers") };
    assert!(found.unavailable.is_empty() && found.searched >= 10_000, "{} {:?}", found.searched, found.unavailable);
    assert!(found.hits.iter().any(|hit| hit.server == "crowd49"), "{:?}", found.hits);
}

#[tokio::test(flavor = "multi_thread")]
async fn no_reference_of_a_schema_is_ever_fetched() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let uri = format!("http://{}/schema.json", listener.local_addr().expect("an address"));
    let test = TestDaemon::builder().server("crowd", entry(&["3", "0", &uri])).start().await;
    let arguments = Some(json!({"n": 1, "of": 2}));
    let request = CallRequest { server: "crowd".into(), tool: "read_record_1".into(), arguments, timeout_ms: None };
    let Ok(Reply::Call(reply)) = test.ask(Request::Call(request)).await else { panic!("a call answers") };
    assert!(reply.error.is_none(), "what cannot be checked here is left to the server: {:?}", reply.error);
    let run = test.run(Language::Python, "from servers import crowd\nawait crowd.read_record_2(n=1)").await;
    assert_eq!(run.status, RunStatus::Ok, "{:?}", run.error);
    let come = tokio::select! {
        biased;
        _ = listener.accept() => true,
        () = std::future::ready(()) => false,
    };
    assert!(!come, "nobody came to fetch it");
}

/// The most memory that this process ever had.
fn peak_mib() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")?.trim().trim_end_matches(" kB").parse().ok());
    peak.map_or(0.0, |kib: f64| kib / 1024.0)
}
