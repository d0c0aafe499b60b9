//! The trace that a client says its request belongs to goes on to the servers, through programs and direct calls.

use rmcp::RoleClient;
use rmcp::ServiceExt as _;
use rmcp::model::{CallToolRequestParams, CallToolResult, RequestMetaObject};
use rmcp::service::RunningService;
use serde_json::{Value, json};
use testkit::TestDaemon;

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";

/// Traces are on; that nobody takes them changes nothing for the servers.
const TOML: &str =
    "[telemetry]\notlp_endpoint = \"http://127.0.0.1:1\"\ntraces = true\n[mcp]\ndirect_tools = [\"fs.meta\"]\n";

async fn call(client: &RunningService<RoleClient, ()>, tool: &'static str, arguments: Value, parent: &str) -> Value {
    let Value::Object(arguments) = arguments else { panic!("arguments are an object") };
    let meta = json!({"traceparent": parent, "tracestate": "vendor=1"});
    let mut params = CallToolRequestParams::new(tool).with_arguments(arguments);
    params.meta = Some(serde_json::from_value::<RequestMetaObject>(meta).expect("a meta object"));
    let result: CallToolResult = client.call_tool(params).await.expect("an answer");
    let text = result.content.first().and_then(|block| block.as_text()).map(|text| text.text.clone());
    result.structured_content.or_else(|| serde_json::from_str(&text?).ok()).expect("what the server was told")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clients_trace_is_continued_to_the_server_and_nonsense_is_not() {
    let test = TestDaemon::builder().scripted("fs", &["tells-meta"]).toml(TOML).start().await;
    let (near, far) = tokio::io::duplex(1 << 20);
    tokio::spawn(mcp::serve(test.daemon.clone(), tokio::io::split(far)));
    let client = ().serve(near).await.expect("a session");
    let program = json!({"code": "from servers import fs\nawait fs.meta()", "language": "python"});
    let parent = format!("00-{TRACE}-00f067aa0ba902b7-01");
    for (tool, arguments) in [("run_code", program.clone()), ("fs__meta", json!({}))] {
        let told = call(&client, tool, arguments, &parent).await;
        let traceparent = told["traceparent"].as_str().expect("a trace");
        assert_eq!(&traceparent[3..35], TRACE, "{tool}");
        assert_ne!(traceparent, parent, "{tool}: the call is a span of its own");
        assert_eq!(told["tracestate"], "vendor=1", "{tool}");
    }
    for nonsense in ["nonsense", &format!("00-{}-00f067aa0ba902b7-01", "0".repeat(32)), &"0".repeat(5_000)] {
        let told = call(&client, "run_code", program.clone(), nonsense).await;
        let traceparent = told["traceparent"].as_str().expect("a trace of our own");
        assert!(!nonsense.contains(&traceparent[3..35]), "{traceparent}");
    }
}
