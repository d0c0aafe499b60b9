//! A scripted MCP server over stdio that wants pages visited (2025-11-25), hand-written like `faulty-server`.
//!
//! `locked` answers with the error that asks for `pages`, until somebody calls `open`, or only the first time where it is
//! told `once`; its result, and that of `seen`, says how often it was called. `open` unlocks it and tells that the pages of `ids` are done.
//! `page` asks for the page of its arguments, and answers with what it was told.

use serde_json::{Value, json};
use std::io::{BufRead, Write};

#[derive(Default)]
struct Server {
    is_open: bool,
    calls: u64,
    /// The call that waits for an answer to a question.
    asking: Value,
}

fn main() {
    let mut server = Server::default();
    for line in std::io::stdin().lock().lines() {
        let Ok(line) = line else { break };
        server.receive(&serde_json::from_str(&line).expect("clients send JSON"));
    }
}

impl Server {
    fn receive(&mut self, message: &Value) {
        let (id, params) = (&message["id"], &message["params"]);
        match message["method"].as_str() {
            Some("initialize") => {
                let (version, server) = (&params["protocolVersion"], json!({"name": "pages", "version": "1"}));
                let result = json!({"protocolVersion": version, "capabilities": {"tools": {}}, "serverInfo": server});
                send(&json!({"id": id, "result": result}));
            }
            Some("tools/list") => {
                let tools: Vec<Value> = ["locked", "open", "page", "seen"]
                    .map(|name| json!({"name": name, "inputSchema": {"type": "object"}}))
                    .into();
                send(&json!({"id": id, "result": {"tools": tools}}));
            }
            Some("tools/call") => self.call(id, params),
            Some(method) if !id.is_null() => {
                send(&json!({"id": id, "error": {"code": -32_601, "message": format!("no method {method}")}}));
            }
            Some(_) => {}
            None => answer(&self.asking.take(), &message["result"]),
        }
    }

    fn call(&mut self, id: &Value, params: &Value) {
        let arguments = &params["arguments"];
        match params["name"].as_str().unwrap_or_default() {
            "locked" => {
                self.calls += 1;
                if self.is_open {
                    return answer(id, &json!({"calls": self.calls}));
                }
                self.is_open = arguments["once"] == true;
                let data = json!({"elicitations": arguments["pages"]});
                send(&json!({"id": id, "error": {"code": -32_042, "message": "not yet", "data": data}}));
            }
            "open" => {
                self.is_open = true;
                for id in arguments["ids"].as_array().into_iter().flatten() {
                    let params = json!({"elicitationId": id});
                    send(&json!({"method": "notifications/elicitation/complete", "params": params}));
                }
                answer(id, &json!({}));
            }
            "seen" => answer(id, &json!({"calls": self.calls})),
            _ => {
                self.asking = id.clone();
                send(&json!({"id": "q", "method": "elicitation/create", "params": arguments}));
            }
        }
    }
}

fn answer(id: &Value, what: &Value) {
    send(&json!({"id": id, "result": {"content": [], "structuredContent": what}}));
}

fn send(message: &Value) {
    let mut message = message.clone();
    message["jsonrpc"] = "2.0".into();
    let mut stdout = std::io::stdout().lock();
    if stdout.write_all(format!("{message}\n").as_bytes()).and_then(|()| stdout.flush()).is_err() {
        std::process::exit(0);
    }
}
