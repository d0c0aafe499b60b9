//! The bridge as the official conformance suites' client: `conformance-client URL` connects, lists the tools and calls them.
//!
//! A suite gives what its scenario needs in `MCP_CONFORMANCE_CONTEXT`; all of them ask for no more than any program does.
//! Leaves out logins.

use bridge::{Bridge, Error, Options};
use model::{ServerSpec, ToolDefinition, Transport};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::time::Duration;

#[expect(unreachable_pub, reason = "it is public in testkit")]
#[path = "../../testkit/src/faulty.rs"]
mod faulty;

const SERVER: &str = "suite";
/// Less than a suite waits, so that it hears why.
const LIMIT: Duration = Duration::from_secs(20);

/// What a scenario tells its client.
#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Context {
    tool_calls: Vec<ToolCall>,
}

#[derive(Deserialize)]
struct ToolCall {
    name: String,
    #[serde(default)]
    arguments: Map<String, Value>,
}

#[tokio::main]
async fn main() -> Result<(), String> {
    let url = std::env::args().nth(1).ok_or("conformance-client URL")?;
    let context = std::env::var("MCP_CONFORMANCE_CONTEXT").unwrap_or_else(|_| "{}".to_owned());
    let context = serde_json::from_str(&context).map_err(|e| format!("MCP_CONFORMANCE_CONTEXT: {e}"))?;
    let bridge = Bridge::new(Options::default(), |_event| {});
    let transport = Transport::Http { url, headers: BTreeMap::new() };
    bridge.apply(vec![ServerSpec { transport, ..faulty::faulty_spec(SERVER, "ok") }]);
    let played = tokio::time::timeout(LIMIT, play(&bridge, context)).await;
    bridge.shutdown().await;
    played.map_err(|_| format!("it took longer than {LIMIT:?}"))?.map_err(|e| e.to_string())
}

/// Makes the scenario's calls, or else one of each tool.
async fn play(bridge: &Bridge, context: Context) -> Result<(), Error> {
    let tools = bridge.tools(SERVER).await?;
    let calls = match context.tool_calls {
        calls if calls.is_empty() => tools.iter().map(|tool| call_of(tool, &tools)).collect(),
        calls => calls,
    };
    for ToolCall { name, arguments } in calls {
        bridge.call(SERVER, &name, arguments, LIMIT).await?;
    }
    Ok(())
}

/// A call with the least that its schema asks for; one that takes a schema gets that of the first tool.
fn call_of(tool: &ToolDefinition, all: &[ToolDefinition]) -> ToolCall {
    let required = tool.input_schema.get("required").and_then(Value::as_array).into_iter().flatten();
    let value = |name: &str| match tool.input_schema["properties"][name]["type"].as_str() {
        Some("number" | "integer") => json!(7),
        Some("boolean") => json!(true),
        Some("object") if name == "schema" => json!(all[0].input_schema),
        Some("object") => json!({}),
        Some("array") => json!([]),
        _ => json!("text"),
    };
    let arguments = required.filter_map(Value::as_str).map(|name| (name.to_owned(), value(name))).collect();
    ToolCall { name: tool.name.clone(), arguments }
}
