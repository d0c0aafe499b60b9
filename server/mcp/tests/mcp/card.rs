//! The card under a run, as a host that shows pages gets it, and as all others do not.

use model::{Reply, Request, RunId};
use rmcp::model::{
    CallToolRequestParams, CallToolResult, ClientConfig, ErrorCode, ReadResourceRequestParams, ResourceContents,
};
use rmcp::service::{RunningService, ServiceError};
use rmcp::{RoleClient, ServiceExt as _};
use serde_json::{Value, json};
use testkit::TestDaemon;
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};

const PAGE: &str = "ui://tta/savings.html";
const EXTENSION: &str = "io.modelcontextprotocol/ui";

type Session = RunningService<RoleClient, ClientConfig>;

async fn connect(test: &TestDaemon, capabilities: Value) -> Session {
    let (near, far) = tokio::io::duplex(1 << 20);
    tokio::spawn(mcp::serve(test.daemon.clone(), tokio::io::split(far)));
    let info = json!({
        "protocolVersion": "2025-11-25",
        "capabilities": capabilities,
        "clientInfo": {"name": "host", "version": "1"},
    });
    let client: ClientConfig = serde_json::from_value(info).expect("a client");
    client.serve(near).await.expect("a session")
}

/// As VS Code says it.
fn shows_pages() -> Value {
    json!({"extensions": {EXTENSION: {"mimeTypes": ["text/html;profile=mcp-app"]}}})
}

async fn run(session: &Session, code: &str) -> CallToolResult {
    let Value::Object(arguments) = json!({"code": code, "language": "python"}) else { unreachable!() };
    session.call_tool(CallToolRequestParams::new("run_code").with_arguments(arguments)).await.expect("an answer")
}

async fn read(session: &Session, uri: &str) -> Result<(String, String), ServiceError> {
    let read = session.read_resource(ReadResourceRequestParams::new(uri)).await?;
    match read.contents.as_slice() {
        [ResourceContents::TextResourceContents { mime_type: Some(mime_type), text, .. }] => {
            Ok((mime_type.clone(), text.clone()))
        }
        other => panic!("one text, not {other:?}"),
    }
}

/// What the card is told of a run.
fn told(result: &CallToolResult) -> Value {
    result.meta.as_ref().and_then(|meta| meta.get("tta/run").cloned()).expect("data of the run")
}

#[tokio::test]
async fn a_host_that_shows_pages_is_offered_the_page_and_nothing_else() {
    let test = TestDaemon::builder().start().await;
    let session = connect(&test, shows_pages()).await;
    let offered = session.peer_info().expect("initialized").capabilities.clone();
    assert!(offered.resources.is_some() && offered.extensions.is_some_and(|e| e.contains_key(EXTENSION)));
    let listed = session.list_all_resources().await.expect("listed");
    assert_eq!(listed.iter().map(|r| r.uri.as_str()).collect::<Vec<_>>(), [PAGE]);
    let (mime_type, html) = read(&session, PAGE).await.expect("the page");
    assert!(mime_type == "text/html;profile=mcp-app" && html.starts_with("<!doctype html>"), "{mime_type}");
    for uri in ["ui://tta/other.html", "file:///etc/passwd", "ui://tta/receipt/none", ""] {
        match read(&session, uri).await {
            Err(ServiceError::McpError(e)) => assert_eq!(e.code, ErrorCode::RESOURCE_NOT_FOUND, "{uri}"),
            other => panic!("{uri} is not there: {other:?}"),
        }
    }
}

#[tokio::test]
async fn the_model_is_told_of_the_same_two_tools_with_and_without_a_card() {
    let test = TestDaemon::builder().start().await;
    let with = connect(&test, shows_pages()).await.list_all_tools().await.expect("listed");
    let without = connect(&test, json!({})).await.list_all_tools().await.expect("listed");
    assert_eq!(with.len(), 2);
    for (with, without) in with.into_iter().zip(without) {
        let linked = with.meta.as_ref().and_then(|meta| meta.get("ui").cloned());
        assert_eq!(linked, (with.name == "run_code").then(|| json!({"resourceUri": PAGE})));
        assert!(without.meta.is_none());
        let mut stripped = with;
        stripped.meta = None;
        assert_eq!(stripped, without);
    }
}

#[tokio::test]
async fn a_host_that_shows_no_pages_hears_nothing_of_them() {
    let test = TestDaemon::builder().start().await;
    let other_pages = json!({"extensions": {EXTENSION: {"mimeTypes": ["text/x-other"]}}});
    for capabilities in [json!({}), other_pages] {
        let session = connect(&test, capabilities).await;
        let offered = session.peer_info().expect("initialized").capabilities.clone();
        assert!(offered.extensions.is_none());
        assert_eq!(session.list_all_resources().await.expect("listed"), []);
        for uri in [PAGE, "ui://tta/receipt/none"] {
            match read(&session, uri).await {
                Err(ServiceError::McpError(e)) => assert_eq!(e.code, ErrorCode::RESOURCE_NOT_FOUND, "{uri}"),
                other => panic!("{uri} is not there: {other:?}"),
            }
        }
        assert_eq!(run(&session, "1").await.meta, None);
    }
}

#[tokio::test]
async fn the_card_shows_the_calls_at_once_and_the_ledgers_own_receipt_when_it_asks() {
    let test = TestDaemon::builder().scripted("good", &["ok"]).start().await;
    let session = connect(&test, shows_pages()).await;
    let code = "import asyncio\nfrom servers import good\n\
                a, b = await asyncio.gather(good.echo(text='x ' * 2000), good.echo(n=2))\nawait good.echo(n=3)";
    let result = run(&session, code).await;
    let content = result.content.first().and_then(|block| block.as_text()).map(|text| text.text.as_str());
    assert_eq!((content, result.content.len()), (Some(r#"{"n":3}"#), 1), "the model sees the result alone");
    assert_eq!(result.structured_content, None);

    let told = told(&result);
    assert_eq!(
        (&told["status"], &told["total"], &told["failed"], &told["waves"]),
        (&json!("ok"), &json!(3), &json!(0), &json!(2))
    );
    let calls: Vec<_> =
        told["calls"].as_array().expect("calls").iter().map(|c| (c["tool"].clone(), c["wave"].clone())).collect();
    assert_eq!(calls, [0, 0, 1].map(|wave| (json!("echo"), json!(wave))));
    assert!(told["wall_ms"].as_f64() > told["calls"][0]["ms"].as_f64(), "{told}");

    let run_id = told["run_id"].as_str().expect("an id");
    let (mime_type, json) = read(&session, &format!("ui://tta/receipt/{run_id}")).await.expect("a receipt");
    assert_eq!(mime_type, "application/json");
    let receipt: Value = serde_json::from_str(&json).expect("JSON");
    let Ok(Reply::Receipt(report, tokens)) = test.ask(Request::Receipt { run_id: RunId::from(run_id) }).await else {
        panic!("the run is counted");
    };
    assert_eq!(receipt, json!({"tokens": *report, "result_tokens": tokens}));
    assert!(tokens[0] > 2000 && report.direct.deferred.total > report.code_mode.total, "{json}");
}

#[tokio::test]
async fn a_run_that_fails_is_shown_with_what_it_cost() {
    let test = TestDaemon::builder().scripted("good", &["ok"]).start().await;
    let session = connect(&test, shows_pages()).await;
    let told = told(&run(&session, "from servers import good\nawait good.echo(n=1)\n1 / 0").await);
    assert_eq!((&told["status"], &told["total"]), (&json!("error"), &json!(1)));
    let uri = format!("ui://tta/receipt/{}", told["run_id"].as_str().expect("an id"));
    let receipt: Value = serde_json::from_str(&read(&session, &uri).await.expect("a receipt").1).expect("JSON");
    assert!(receipt["tokens"]["saved"].as_i64() < Some(0), "{receipt}");
    let refused = session
        .call_tool(CallToolRequestParams::new("run_code").with_arguments(serde_json::Map::new()))
        .await
        .expect("an answer");
    assert_eq!((refused.is_error, refused.meta), (Some(true), None), "nothing ran, nothing is shown");
}

#[tokio::test]
async fn what_the_card_is_told_is_bounded() {
    let long = "s".repeat(200);
    let test = TestDaemon::builder().scripted(&long, &["ok"]).start().await;
    let session = connect(&test, shows_pages()).await;
    let code = format!(
        "import asyncio, tta\nawait asyncio.gather(*[tta.call('{long}', 'echo', {{'n': n}}) for n in range(120)])\n1"
    );
    let told = told(&run(&session, &code).await);
    assert_eq!((told["calls"].as_array().map(Vec::len), &told["total"]), (Some(50), &json!(120)));
    assert!(told["calls"][0]["server"].as_str().is_some_and(|name| name.len() == 60), "{told}");
    assert!(told.to_string().len() < 10_000);
    let uri = format!("ui://tta/receipt/{}", told["run_id"].as_str().expect("an id"));
    let receipt: Value = serde_json::from_str(&read(&session, &uri).await.expect("a receipt").1).expect("JSON");
    assert_eq!(receipt["result_tokens"].as_array().map(Vec::len), Some(50));
}

/// The newest revision has no handshake: what a client shows stands in each of its requests.
#[tokio::test]
async fn a_stateless_host_says_in_each_request_that_it_shows_pages() {
    let test = TestDaemon::builder().start().await;
    let (near, far) = tokio::io::duplex(1 << 20);
    tokio::spawn(mcp::serve(test.daemon.clone(), tokio::io::split(far)));
    let (answers, mut requests) = tokio::io::split(near);
    let mut answers = BufReader::new(answers).lines();
    let mut ask = async |id: u32, method: &str, params: Value, capabilities: Value| -> Value {
        let mut params = params;
        params["_meta"] = json!({
            "io.modelcontextprotocol/protocolVersion": "2026-07-28",
            "io.modelcontextprotocol/clientInfo": {"name": "host", "version": "1"},
            "io.modelcontextprotocol/clientCapabilities": capabilities,
        });
        let request = json!({"jsonrpc": "2.0", "id": id, "method": method, "params": params});
        requests.write_all(format!("{request}\n").as_bytes()).await.expect("sent");
        let line = answers.next_line().await.expect("UTF-8").expect("an answer");
        serde_json::from_str::<Value>(&line).expect("JSON")
    };
    let discovered = ask(1, "server/discover", json!({}), shows_pages()).await;
    assert!(discovered["result"]["capabilities"]["extensions"][EXTENSION].is_object(), "{discovered}");
    let run = json!({"name": "run_code", "arguments": {"code": "1", "language": "python"}});
    let shown = ask(2, "tools/call", run.clone(), shows_pages()).await;
    assert_eq!(shown["result"]["_meta"]["tta/run"]["status"], "ok", "{shown}");
    let plain = ask(3, "tools/call", run, json!({})).await;
    assert_eq!(plain["result"]["content"][0]["text"], "1", "{plain}");
    assert!(plain["result"]["_meta"]["tta/run"].is_null(), "{plain}");
    let page = ask(4, "resources/read", json!({"uri": PAGE}), shows_pages()).await;
    assert_eq!(page["result"]["contents"][0]["uri"], PAGE, "{page}");
}
