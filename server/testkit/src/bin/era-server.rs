//! A scripted MCP server over stdio that speaks one era of the protocol or the other: `era-server MANNER`.
//!
//! Hand-written like `faulty-server`. Its tool `seen` gives the methods that this process was asked for, in order.

use serde_json::{Value, json};
use std::io::{BufRead, Write};

const STATELESS: &str = "2026-07-28";

/// What a server has heard, and what it keeps for later.
#[derive(Default)]
struct Server {
    manner: String,
    seen: Vec<String>,
    /// The `server/discover` that has no answer yet.
    discover: Option<Value>,
    subscription: Option<Value>,
    /// Who listens for changes of which resources.
    listening: Vec<(Value, Vec<Value>)>,
    extra_tools: usize,
}

fn main() {
    let mut server = Server { manner: std::env::args().nth(1).unwrap_or_default(), ..Server::default() };
    for line in std::io::stdin().lock().lines() {
        let Ok(line) = line else { break };
        server.receive(&serde_json::from_str(&line).expect("clients send JSON"));
    }
}

impl Server {
    fn receive(&mut self, message: &Value) {
        let (id, params) = (&message["id"], &message["params"]);
        let method = message["method"].as_str().unwrap_or_default();
        self.seen.push(method.to_owned());
        match method {
            "server/discover" => self.discover(id),
            "initialize" => self.initialize(id, params),
            "notifications/cancelled" => self.listening.retain(|(listener, _)| *listener != params["requestId"]),
            _ if id.is_null() => {}
            _ if self.is_stateless() && params["_meta"]["io.modelcontextprotocol/protocolVersion"] != STATELESS => {
                error(id, -32_602, "the request does not say which revision it is of");
            }
            "tools/list" => answer(id, self.tools()),
            "subscriptions/listen" => self.listen(id, &params["notifications"]),
            "resources/list" => {
                let one = json!({"uri": format!("text:{}", self.extra_tools), "name": "one"});
                answer(id, json!({"resultType": "complete", "ttlMs": 0, "cacheScope": "private", "resources": [one]}));
            }
            "tools/call" => self.call(id, params),
            _ => error(id, -32_601, &format!("no method {method}")),
        }
    }

    fn is_stateless(&self) -> bool {
        matches!(self.manner.as_str(), "stateless" | "late" | "last" | "tells-nobody" | "hangs-up")
    }

    /// Acknowledges a subscription. One to resources is taken, or by manner not, or ended at once.
    fn listen(&mut self, id: &Value, wanted: &Value) {
        let uris = wanted["resourceSubscriptions"].as_array().cloned();
        let taken = if self.manner == "tells-nobody" { &json!({}) } else { wanted };
        let meta = json!({"io.modelcontextprotocol/subscriptionId": id});
        let params = json!({"notifications": taken, "_meta": meta});
        send(&json!({"jsonrpc": "2.0", "method": "notifications/subscriptions/acknowledged", "params": params}));
        match uris {
            None => self.subscription = Some(id.clone()),
            Some(_) if self.manner == "hangs-up" => answer(id, json!({"resultType": "complete", "_meta": meta})),
            Some(uris) => self.listening.push((id.clone(), uris)),
        }
    }

    /// Tells who listens that a resource changed.
    fn update(&self, uri: &Value) {
        for (id, _) in self.listening.iter().filter(|(_, uris)| uris.contains(uri)) {
            let params = json!({"uri": uri, "_meta": {"io.modelcontextprotocol/subscriptionId": id}});
            send(&json!({"jsonrpc": "2.0", "method": "notifications/resources/updated", "params": params}));
        }
    }

    /// Ends every subscription to resources.
    fn hang_up(&mut self) {
        for (id, _) in self.listening.drain(..) {
            let meta = json!({"io.modelcontextprotocol/subscriptionId": id});
            answer(&id, json!({"resultType": "complete", "_meta": meta}));
        }
    }

    fn discover(&mut self, id: &Value) {
        let yes = json!({
            "resultType": "complete", "ttlMs": 0, "cacheScope": "private",
            "supportedVersions": [if self.manner == "older" { "2025-11-25" } else { STATELESS }],
            "capabilities": {"tools": {"listChanged": true}, "resources": {"subscribe": true}},
        });
        match self.manner.as_str() {
            "dies" => std::process::exit(9),
            "deaf" => {}
            "hangs" => loop {
                std::thread::park();
            },
            "late" | "last" => self.discover = Some(json!({"id": id, "yes": yes})),
            "odd" => answer(id, json!({"hello": "world"})),
            "elsewhere" => error(&json!("who knows"), -32_600, "not initialized"),
            "nobody" => error(&Value::Null, -32_600, "not initialized"),
            "initialize" | "refuses" => error(id, -32_601, "no such method"),
            _ => answer(id, yes),
        }
    }

    fn initialize(&mut self, id: &Value, params: &Value) {
        let refuse = || error(id, -32_022, "the initialize handshake is not accepted");
        let late = self.discover.take();
        match (self.manner.as_str(), late) {
            ("late", Some(late)) => {
                answer(&late["id"], late["yes"].clone());
                refuse();
            }
            ("last", Some(late)) => {
                refuse();
                answer(&late["id"], late["yes"].clone());
            }
            ("stateless" | "refuses", _) => refuse(),
            _ => answer(
                id,
                json!({
                    "protocolVersion": params["protocolVersion"],
                    "capabilities": {"tools": {"listChanged": true}},
                    "serverInfo": {"name": "era", "version": "1"},
                }),
            ),
        }
    }

    fn tools(&self) -> Value {
        let names = ["seen", "ask", "patience", "insist", "grow"].map(str::to_owned);
        let extra = (0..self.extra_tools).map(|n| format!("extra{n}"));
        let tools = names.into_iter().chain(extra).map(|name| json!({"name": name, "inputSchema": {"type": "object"}}));
        json!({"resultType": "complete", "ttlMs": 0, "cacheScope": "private", "tools": tools.collect::<Vec<_>>()})
    }

    fn call(&mut self, id: &Value, params: &Value) {
        let (arguments, state) = (&params["arguments"], params["requestState"].as_str());
        match params["name"].as_str().unwrap_or_default() {
            "seen" => structured(id, &json!({"methods": self.seen})),
            // Its questions are given as arguments; what it was answered is the answer.
            "ask" => match state {
                None => answer(
                    id,
                    json!({"resultType": "input_required", "inputRequests": arguments["questions"], "requestState": "s"}),
                ),
                Some(state) => structured(id, &json!({"state": state, "answers": params["inputResponses"]})),
            },
            "patience" => {
                let rounds = state.map_or(0, str::len);
                if rounds == 3 {
                    structured(id, &json!({"rounds": rounds}));
                } else {
                    answer(id, json!({"resultType": "input_required", "requestState": "x".repeat(rounds + 1)}));
                }
            }
            "insist" => {
                let roots = json!({"a": {"method": "roots/list"}});
                answer(id, json!({"resultType": "input_required", "inputRequests": roots, "requestState": "again"}));
            }
            "grow" => {
                self.extra_tools += 1;
                if arguments["quietly"] != true {
                    self.tell("notifications/tools/list_changed", json!({}));
                }
                structured(id, &json!({}));
            }
            "update" => {
                self.update(&arguments["uri"]);
                structured(id, &json!({}));
            }
            "hang_up" => {
                self.hang_up();
                structured(id, &json!({}));
            }
            "listening" => {
                let uris: Vec<&Value> = self.listening.iter().flat_map(|(_, uris)| uris).collect();
                structured(id, &json!({"uris": uris}));
            }
            name => error(id, -32_602, &format!("unknown tool {name}")),
        }
    }

    /// A notification: to who listens, or in the older era to everybody.
    fn tell(&self, method: &str, mut params: Value) {
        if let Some(subscription) = &self.subscription {
            params["_meta"] = json!({"io.modelcontextprotocol/subscriptionId": subscription});
        } else if self.is_stateless() {
            return;
        }
        send(&json!({"jsonrpc": "2.0", "method": method, "params": params}));
    }
}

fn structured(id: &Value, content: &Value) {
    answer(id, json!({"resultType": "complete", "content": [], "structuredContent": content}));
}

fn answer(id: &Value, result: Value) {
    let mut message = json!({"jsonrpc": "2.0", "id": id});
    message["result"] = result;
    send(&message);
}

fn error(id: &Value, code: i32, message: &str) {
    send(&json!({"jsonrpc": "2.0", "id": id, "error": {"code": code, "message": message}}));
}

/// Ends the process when nobody reads any more.
fn send(message: &Value) {
    let mut stdout = std::io::stdout().lock();
    if writeln!(stdout, "{message}").and_then(|()| stdout.flush()).is_err() {
        std::process::exit(0);
    }
}
