//! An honest scripted MCP server over stdio, one of many: `crowd-server TOOLS [START_MS [REFERENCE]]`. It takes so long to
//! start, and has so many tools, whose schemas name `REFERENCE` wherever a schema can name another.
//!
//! Hand-written like `faulty-server`. Its tool `meet` answers nobody before `of` calls have come: proof that so many are under
//! way at once, without a look at a clock.

use serde_json::{Value, json};
use std::io::{BufRead, Write};
use std::time::Duration;

fn main() {
    let mut args = std::env::args().skip(1);
    let mut number = || args.next().and_then(|text| text.parse::<u64>().ok()).unwrap_or(0);
    let (tools, start_ms) = (number(), number());
    let reference = args.next();
    std::thread::sleep(Duration::from_millis(start_ms));
    let mut met: Vec<(Value, Value)> = Vec::new();
    for line in std::io::stdin().lock().lines() {
        let Ok(line) = line else { break };
        let message: Value = serde_json::from_str(&line).expect("clients send JSON");
        let (id, params) = (&message["id"], &message["params"]);
        match message["method"].as_str().unwrap_or_default() {
            "initialize" => answer(
                id,
                &json!({
                    "protocolVersion": params["protocolVersion"],
                    "capabilities": {"tools": {}},
                    "serverInfo": {"name": "crowd", "version": "1"},
                }),
            ),
            "tools/list" => answer(id, &list(tools, reference.as_deref())),
            "tools/call" if params["name"] == "meet" => {
                met.push((id.clone(), params["arguments"].clone()));
                if met.len() as u64 >= params["arguments"]["of"].as_u64().unwrap_or(0) {
                    // The last that came is the first to go.
                    while let Some((id, arguments)) = met.pop() {
                        answer(&id, &json!({"content": [], "structuredContent": arguments}));
                    }
                }
            }
            "tools/call" => answer(id, &json!({"content": [], "structuredContent": params["arguments"]})),
            _ if id.is_null() => {}
            _ => send(&json!({"jsonrpc": "2.0", "id": id, "error": {"code": -32_601, "message": "unknown"}})),
        }
    }
}

fn list(tools: u64, reference: Option<&str>) -> Value {
    let schema = match reference {
        None => json!({"type": "object", "properties": {"n": {"type": "integer"}, "of": {"type": "integer"}}}),
        Some(uri) => json!({
            "$schema": uri, "$id": uri, "type": "object",
            "properties": {"n": {"$ref": uri}, "of": {"$dynamicRef": format!("{uri}#a")}},
            "allOf": [{"$ref": format!("{uri}#/$defs/a")}],
        }),
    };
    let tool = |name: String| {
        let description = format!("Reads record {name} of the archive.");
        json!({"name": name, "description": description, "inputSchema": schema, "annotations": {"readOnlyHint": true}})
    };
    let names = ["meet".to_owned()].into_iter().chain((1..tools).map(|n| format!("read_record_{n}")));
    json!({"tools": names.map(tool).collect::<Vec<_>>()})
}

fn answer(id: &Value, result: &Value) {
    send(&json!({"jsonrpc": "2.0", "id": id, "result": result}));
}

/// Ends the process when nobody reads any more.
fn send(message: &Value) {
    let mut stdout = std::io::stdout().lock();
    if writeln!(stdout, "{message}").and_then(|()| stdout.flush()).is_err() {
        std::process::exit(0);
    }
}
