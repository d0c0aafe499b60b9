//! A scripted MCP server over stdio that carries calls out as tasks: `task-server initialize|stateless`.
//!
//! Hand-written like `faulty-server`. The tool `work` is given the statuses of its task, one for each time that it is
//! asked about; `plain` may be called as a task and need not; `seen` gives the methods that this process was asked for.

use serde_json::{Value, json};
use std::io::{BufRead, Write};

const STATELESS: &str = "2026-07-28";

#[derive(Default)]
struct Server {
    is_stateless: bool,
    seen: Vec<Value>,
    /// The arguments of the task's call, and which of its statuses it has.
    task: Value,
    at: usize,
    /// The `tasks/result` that waits for the end, and what questions were answered.
    waiting: Option<Value>,
    told: Value,
}

fn main() {
    let is_stateless = std::env::args().nth(1).is_some_and(|manner| manner == "stateless");
    let mut server = Server { is_stateless, ..Server::default() };
    for line in std::io::stdin().lock().lines() {
        let Ok(line) = line else { break };
        server.receive(&serde_json::from_str(&line).expect("clients send JSON"));
    }
}

impl Server {
    fn receive(&mut self, message: &Value) {
        let (id, params) = (&message["id"], &message["params"]);
        let Some(method) = message["method"].as_str() else { return self.answered(&message["result"]) };
        self.seen.push(method.into());
        match method {
            "server/discover" if self.is_stateless => answer(id, discovered()),
            "initialize" if !self.is_stateless => answer(id, initialized(params)),
            _ if id.is_null() => {}
            "tools/list" => answer(id, tools()),
            "tools/call" => self.call(id, params),
            _ if params["taskId"] != "t1" => error(id, &format!("no method {method} of {params}")),
            "tasks/get" => self.get(id),
            "tasks/result" => self.result(id),
            "tasks/update" => {
                self.told = params["inputResponses"].clone();
                answer(id, json!({"resultType": "complete"}));
            }
            "tasks/cancel" => answer(id, json!({"resultType": "complete"})),
            _ => error(id, &format!("no method {method}")),
        }
    }

    fn call(&mut self, id: &Value, params: &Value) {
        let is_offered = params["_meta"]["io.modelcontextprotocol/clientCapabilities"]["extensions"]
            .get("io.modelcontextprotocol/tasks")
            .is_some();
        let is_task = params["task"]["ttl"].is_u64() || self.is_stateless && is_offered;
        match params["name"].as_str().unwrap_or_default() {
            "seen" => answer(
                id,
                json!({"resultType": "complete", "content": [], "structuredContent": {"methods": self.seen}}),
            ),
            "plain" => answer(id, text(if params.get("task").is_some() { "a task" } else { "plain" })),
            "work" if is_task => {
                self.task = params["arguments"].clone();
                (self.at, self.told) = (0, Value::Null);
                let mut made = self.state();
                if self.is_stateless {
                    made["resultType"] = "task".into();
                    answer(id, made);
                } else {
                    answer(id, json!({"task": made}));
                }
                if self.task["progress"].is_number() {
                    let token = &params["_meta"]["progressToken"];
                    let params = json!({"progressToken": token, "progress": self.task["progress"], "total": 10});
                    send(&json!({"jsonrpc": "2.0", "method": "notifications/progress", "params": params}));
                }
            }
            "work" => error(id, "`work` has to be called as a task"),
            name => error(id, &format!("unknown tool {name}")),
        }
    }

    fn status(&self) -> &str {
        let all = self.task["statuses"].as_array().map_or(&[][..], Vec::as_slice);
        all.get(self.at).or(all.last()).and_then(Value::as_str).unwrap_or("completed")
    }

    /// The task, as `tasks/get` is answered.
    fn state(&self) -> Value {
        let status = self.status();
        let mut state = json!({
            "taskId": "t1", "status": status, "statusMessage": format!("step {}", self.at),
            "createdAt": "2026-01-01T00:00:00Z", "lastUpdatedAt": "2026-01-01T00:00:00Z",
        });
        let [ttl, interval] = if self.is_stateless { ["ttlMs", "pollIntervalMs"] } else { ["ttl", "pollInterval"] };
        state[ttl] = json!(60_000);
        state[interval] = json!(1);
        match status {
            "input_required" if self.is_stateless => {
                state["inputRequests"] = json!({"name": {"method": "elicitation/create", "params": form()}});
            }
            "completed" if self.is_stateless => state["result"] = self.outcome(),
            "failed" if self.is_stateless => state["error"] = json!({"code": -32_000, "message": "it broke"}),
            _ => {}
        }
        state
    }

    fn get(&mut self, id: &Value) {
        if self.task["forgets"] == true {
            return error(id, "no such task");
        }
        // Nothing goes on before a question is answered, and a task that is silent says nothing new.
        if (self.status() != "input_required" || !self.told.is_null()) && self.task["stands"] != true {
            self.at += 1;
        }
        let mut state = self.state();
        if self.is_stateless {
            state["resultType"] = "complete".into();
        }
        answer(id, state);
    }

    fn outcome(&self) -> Value {
        let mut outcome = text("done");
        outcome["structuredContent"] = json!({"told": self.told});
        outcome["isError"] = self.task["isError"].clone();
        if outcome["isError"].is_null() {
            outcome["isError"] = false.into();
        }
        outcome
    }

    fn result(&mut self, id: &Value) {
        match self.status() {
            "failed" if self.task["isError"] != true => error(id, "it broke"),
            "input_required" => {
                self.waiting = Some(id.clone());
                let mut params = form();
                params["_meta"] = json!({"io.modelcontextprotocol/related-task": {"taskId": "t1"}});
                send(&json!({"jsonrpc": "2.0", "id": "q", "method": "elicitation/create", "params": params}));
            }
            _ => answer(id, self.outcome()),
        }
    }

    /// The client's answer to our question ends the task.
    fn answered(&mut self, told: &Value) {
        self.told = json!({"name": told});
        if let Some(id) = self.waiting.take() {
            answer(&id, self.outcome());
        }
    }
}

fn discovered() -> Value {
    json!({
        "resultType": "complete", "ttlMs": 0, "cacheScope": "private", "supportedVersions": [STATELESS],
        "capabilities": {"tools": {}, "extensions": {"io.modelcontextprotocol/tasks": {}}},
    })
}

fn initialized(params: &Value) -> Value {
    json!({
        "protocolVersion": params["protocolVersion"],
        "capabilities": {"tools": {}, "tasks": {"cancel": {}, "requests": {"tools": {"call": {}}}}},
        "serverInfo": {"name": "tasks", "version": "1"},
    })
}

fn tools() -> Value {
    let tool = |name: &str, support: &str| json!({"name": name, "inputSchema": {"type": "object"}, "execution": {"taskSupport": support}});
    let tools = [tool("work", "required"), tool("plain", "optional"), tool("seen", "forbidden")];
    json!({"resultType": "complete", "ttlMs": 0, "cacheScope": "private", "tools": tools})
}

fn form() -> Value {
    json!({"mode": "form", "message": "Who?", "requestedSchema": {"type": "object", "properties": {"name": {"type": "string"}}}})
}

fn text(text: &str) -> Value {
    json!({"resultType": "complete", "content": [{"type": "text", "text": text}]})
}

fn answer(id: &Value, result: Value) {
    let mut message = json!({"jsonrpc": "2.0", "id": id});
    message["result"] = result;
    send(&message);
}

fn error(id: &Value, message: &str) {
    send(&json!({"jsonrpc": "2.0", "id": id, "error": {"code": -32_602, "message": message}}));
}

/// Ends the process when nobody reads any more.
fn send(message: &Value) {
    let mut stdout = std::io::stdout().lock();
    if writeln!(stdout, "{message}").and_then(|()| stdout.flush()).is_err() {
        std::process::exit(0);
    }
}
