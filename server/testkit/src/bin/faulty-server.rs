//! A scripted MCP server over stdio that misbehaves on request: `faulty-server FAULT`.
//!
//! Hand-written lines over the standard library and `serde_json`, so that no protocol library stands between a test and
//! the bytes on the wire. Without a fault (`ok`) it is a small, honest server.

use serde_json::{Value, json};
use std::io::{BufRead, Write};
use std::process::{Command, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

/// Tools beyond the fixed ones, and what the client cancelled and answered: what tools report on.
static EXTRA_TOOLS: AtomicUsize = AtomicUsize::new(0);
static CANCELLED: Mutex<Vec<Value>> = Mutex::new(Vec::new());
/// The call that waits for the client's answers to requests of ours, how many it waits for, and what was answered so far.
static ASKING: Mutex<Option<(Value, u64)>> = Mutex::new(None);
static TOLD: Mutex<Vec<Value>> = Mutex::new(Vec::new());
/// What it subscribed to (`+uri`) and unsubscribed from (`-uri`), in order.
static SUBSCRIBED: Mutex<Vec<String>> = Mutex::new(Vec::new());
/// What the client said of itself.
static CLIENT: Mutex<Value> = Mutex::new(Value::Null);

fn main() {
    let fault = std::env::args().nth(1).unwrap_or_else(|| "ok".to_owned());
    match fault.as_str() {
        "die-at-start" => {
            eprintln!("\u{1b}[31mfatal:\u{1b}[0m no database, token {}", std::env::var("TOKEN").unwrap_or_default());
            std::process::exit(3);
        }
        "garbage-stdout" => loop {
            raw(b"Listening on port 3000\n");
        },
        "garbage-then-ok" => raw(b"Welcome!\n\n[1, 2]\n\xFF\xFE\n{\"hello\": \"world\"}\n"),
        _ => {}
    }
    for line in std::io::stdin().lock().lines() {
        let Ok(message) = line.map(|line| serde_json::from_str::<Value>(&line).expect("clients send JSON")) else {
            break;
        };
        receive(&fault, &message);
    }
    if fault == "ignore-eof" {
        hang();
    }
}

fn receive(fault: &str, message: &Value) {
    let id = &message["id"];
    match message["method"].as_str() {
        Some("initialize") if fault == "hang-handshake" => {}
        Some("initialize") => answer(fault, id, initialize(fault, message)),
        Some("logging/setLevel") if fault == "chatty" => {
            CLIENT.lock().expect("no thread panics")["level"] = message["params"]["level"].clone();
            answer(fault, id, json!({}));
        }
        Some("notifications/cancelled") => cancelled().push(message["params"]["requestId"].clone()),
        Some("tools/list") if fault == "hang-listing" => eprintln!("asked for tools, process {}", std::process::id()),
        Some("tools/list") => answer(fault, id, tools(fault, &message["params"]["cursor"])),
        Some("tools/call") => call(fault, id, &message["params"]),
        Some("resources/subscribe" | "resources/unsubscribe") if fault == "tells-nobody" => {}
        Some(method @ ("resources/subscribe" | "resources/unsubscribe")) if fault == "tells" => {
            let sign = if method == "resources/subscribe" { '+' } else { '-' };
            let uri = message["params"]["uri"].as_str().unwrap_or_default();
            SUBSCRIBED.lock().expect("no thread panics").push(format!("{sign}{uri}"));
            if uri == "none:" { error(id, -32_002, "there is no none:") } else { answer(fault, id, json!({})) }
        }
        Some(method) if method.starts_with("resources/") || method.starts_with("prompts/") => {
            match beside_tools(fault, method, &message["params"]) {
                Some(result) => answer(fault, id, result),
                None => error(id, -32_002, &format!("no {method} of {}", message["params"])),
            }
        }
        Some("ping") => answer(fault, id, json!({})),
        Some(method) if !id.is_null() => error(id, -32_601, &format!("no method {method}")),
        Some(_) => {}
        // An answer to a question of ours.
        None => {
            let mut told = TOLD.lock().expect("no thread panics");
            told.push(json!({"result": message["result"], "error": message["error"]}));
            let all_told = |(_, count): &mut (Value, u64)| told.len() as u64 == *count;
            if let Some((asking, count)) = ASKING.lock().expect("no thread panics").take_if(all_told) {
                let text = if count == 1 { told[0].to_string() } else { json!(*told).to_string() };
                answer(fault, &asking, text_result(&text));
            }
        }
    }
}

fn initialize(fault: &str, message: &Value) -> Value {
    CLIENT.lock().expect("no thread panics").clone_from(&message["params"]);
    let mut capabilities = json!({"tools": {"listChanged": true}, "resources": {}, "prompts": {"listChanged": true}});
    if matches!(fault, "tells" | "tells-nobody") {
        capabilities["resources"] = json!({"subscribe": true});
    }
    if matches!(fault, "chatty" | "deaf-to-levels") {
        capabilities["logging"] = json!({});
    }
    let (version, server) = (&message["params"]["protocolVersion"], json!({"name": "faulty", "version": "1"}));
    json!({"protocolVersion": version, "capabilities": capabilities, "serverInfo": server})
}

fn tools(fault: &str, cursor: &Value) -> Value {
    let tool =
        |name: &str| json!({"name": name, "inputSchema": {"type": "object"}, "annotations": {"readOnlyHint": true}});
    let page = cursor.as_str().and_then(|cursor| cursor.parse::<u64>().ok()).unwrap_or(0);
    match fault {
        "endless-paging" => return json!({"tools": [tool(&format!("t{page}"))], "nextCursor": (page + 1).to_string()}),
        "repeating-page" => return json!({"tools": [tool("t")], "nextCursor": "1"}),
        "two-pages" if page == 0 => return json!({"tools": [tool("first")], "nextCursor": "1"}),
        "two-pages" => return json!({"tools": [tool("second")], "nextCursor": ""}),
        "many-tools" => return many_tools(),
        "typed-tools" => return typed_tools(),
        "claims" => return claims(),
        "tells" => return json!({"tools": (["update", "subscribed", "die"].map(tool))}),
        "tells-meta" => return json!({"tools": (["meta", "echo", "fail"].map(tool))}),
        "pictures" => return json!({"tools": (["blocks", "echo", "fail", "big"].map(tool))}),
        "asks" => return json!({"tools": (["ask", "ask_later", "told", "slow"].map(tool))}),
        _ => {}
    }
    let fixed = ["echo", "slow", "big", "env", "grow", "cancelled", "ask", "grandchild", "text", "fail"];
    let extra = (0..EXTRA_TOOLS.load(Ordering::SeqCst)).map(|n| tool(&format!("extra{n}")));
    json!({"tools": fixed.into_iter().map(tool).chain(extra).collect::<Vec<_>>()})
}

/// Resources and prompts. Each list has two pages, or with a fault no end.
fn beside_tools(fault: &str, method: &str, params: &Value) -> Option<Value> {
    if fault == "no-lists" {
        return None;
    }
    let key = match method {
        "resources/list" => "resources",
        "resources/templates/list" => "resourceTemplates",
        "prompts/list" => "prompts",
        "prompts/get" => {
            let text = json!({"type": "text", "text": params["arguments"]["tone"]});
            return Some(json!({"description": "d", "messages": [{"role": "user", "content": text}]}));
        }
        _ => {
            let mut part = json!({"uri": params["uri"], "mimeType": "image/png", "_meta": {"a": 1}});
            let uri = params["uri"].as_str()?;
            match uri.split(':').next()? {
                "text" => part["text"] = uri.into(),
                "blob" => part["blob"] = "AP8=".into(),
                _ => return None,
            }
            return Some(json!({"contents": [part]}));
        }
    };
    let page = params["cursor"].as_str().and_then(|cursor| cursor.parse::<u64>().ok()).unwrap_or(0);
    let name = match EXTRA_TOOLS.load(Ordering::SeqCst) {
        0 => format!("{key}{page}"),
        grown => format!("{key}{page}grown{grown}"),
    };
    let tone = json!({"name": "tone", "description": "How it sounds", "required": true});
    let entry = json!({
        "name": name, "uri": format!("text:{page}"), "uriTemplate": format!("text:{{x}}/{page}"), "arguments": [tone],
        "description": format!("Number {page} of the {key}."),
    });
    let next = match fault {
        "endless-lists" => Some(page + 1),
        "repeating-lists" => Some(1),
        _ => (page == 0).then_some(1),
    };
    Some(json!({key: [entry], "nextCursor": next.map_or(Value::Null, |next| next.to_string().into())}))
}

/// An answer that says something of itself everywhere, with a block of a kind that nobody knows.
fn blocks() -> Value {
    json!({
        "_meta": {"trace": 1},
        "content": [
            {"type": "text", "text": "a", "annotations": {"priority": 0.5}},
            {"type": "image", "mimeType": "image/png", "data": "AP8=", "_meta": {"b": 2}},
            {"type": "hologram", "depth": 3},
        ],
    })
}

/// Tools that claim to read or to destroy, or claim nothing. Each answers with its arguments.
fn claims() -> Value {
    let tool = |name: &str, annotations: Value| json!({"name": name, "inputSchema": {"type": "object"}, "annotations": annotations});
    json!({"tools": [
        tool("read", json!({"readOnlyHint": true})),
        tool("write", json!({"destructiveHint": true})),
        tool("note", json!({})),
    ]})
}

/// Tools with parameters of every kind: one that takes only those, one that declares them, one that declares nothing.
fn typed_tools() -> Value {
    let read = json!({
        "name": "read_note",
        "description": "Reads a note.",
        "annotations": {"readOnlyHint": true},
        "inputSchema": {"type": "object", "required": ["path"], "additionalProperties": false, "properties": {
            "path": {"type": "string", "description": "Which note; **not** a folder"},
            "mode": {"enum": ["fast", "safe"], "default": "safe"},
            "head": {"type": "integer", "description": "At most this many lines"},
        }},
    });
    let write = json!({
        "name": "write-note",
        "annotations": {"destructiveHint": true},
        "inputSchema": {"type": "object", "required": ["path", "text"], "properties": {
            "path": {"type": "string"},
            "text": {"type": "string"},
            "append": {"type": "boolean"},
        }},
    });
    json!({"tools": [read, write, {"name": "echo", "inputSchema": {"type": "object"}}]})
}

/// 10,000 tools as large installations have them: every verb on every noun, described and with parameters.
fn many_tools() -> Value {
    let verbs = ["create", "read", "update", "delete", "list", "search", "move", "copy", "lock", "share"];
    let nouns = ["file", "issue", "pod", "dashboard", "page", "branch", "invoice", "customer", "image", "calendar"];
    let tools = (0..10_000).map(|n| {
        let (verb, noun) = (verbs[n % 10], nouns[n / 10 % 10]);
        json!({
            "name": format!("{verb}_{noun}_{n}"),
            "description": format!("Use it to {verb} a {noun} of workspace {n}, by its name or by a query. Returns what it changed."),
            "inputSchema": {"type": "object", "required": ["name"], "properties": {
                "name": {"type": "string", "description": format!("Which {noun}")},
                "limit": {"type": "integer", "description": "At most this many"},
            }},
        })
    });
    json!({"tools": tools.collect::<Vec<_>>()})
}

fn call(fault: &str, id: &Value, params: &Value) {
    let arguments = &params["arguments"];
    match fault {
        "hang-call" => return,
        "die-on-call" => {
            eprintln!("panicked at the call of {}", params["name"]);
            std::process::exit(7);
        }
        "half-answer" => {
            raw(format!("{{\"jsonrpc\":\"2.0\",\"id\":{id},\"result\":{{").as_bytes());
            std::process::exit(0);
        }
        "half-then-hang" => return raw(format!("{{\"jsonrpc\":\"2.0\",\"id\":{id},\"resu").as_bytes()),
        "endless-progress" => return report(&params["_meta"]["progressToken"], u64::MAX, 20),
        _ => {}
    }
    match params["name"].as_str().unwrap_or_default() {
        "blocks" => answer(fault, id, blocks()),
        "echo" | "read" | "write" | "note" => answer(fault, id, structured(arguments)),
        "read_note" => answer(fault, id, text_result(&"A bee makes honey. ".repeat(100))),
        "text" => answer(fault, id, text_result(arguments["text"].as_str().unwrap_or_default())),
        "fail" => error(id, -32_000, "as you wished"),
        "slow" => {
            let (fault, id) = (fault.to_owned(), id.clone());
            let pause = Duration::from_millis(arguments["ms"].as_u64().unwrap_or(0));
            std::thread::spawn(move || {
                std::thread::sleep(pause);
                answer(&fault, &id, text_result("slept"));
            });
        }
        "progress" => {
            let (fault, id, token) = (fault.to_owned(), id.clone(), params["_meta"]["progressToken"].clone());
            let [times, ms] = ["times", "ms"].map(|key| arguments[key].as_u64().unwrap_or(1));
            std::thread::spawn(move || {
                report(&token, times, ms);
                answer(&fault, &id, text_result("done"));
            });
        }
        "meta" => answer(fault, id, structured(&params["_meta"])),
        "big" => big(id, arguments),
        "env" => {
            let names: Vec<String> = std::env::vars().map(|(name, value)| format!("{name}={value}")).collect();
            answer(fault, id, structured(&json!({"env": names, "cwd": std::env::current_dir().ok()})));
        }
        "grow" => {
            // Twice, as careless servers do.
            EXTRA_TOOLS.fetch_add(1, Ordering::SeqCst);
            send(&json!({"jsonrpc": "2.0", "method": "notifications/tools/list_changed"}));
            send(&json!({"jsonrpc": "2.0", "method": "notifications/tools/list_changed"}));
            send(&json!({"jsonrpc": "2.0", "method": "notifications/prompts/list_changed"}));
            answer(fault, id, text_result("grown"));
        }
        // Tells of changes as they are given, whether somebody is subscribed or not, before the answer.
        "update" => {
            for uri in arguments["uris"].as_array().into_iter().flatten() {
                let params = json!({"uri": uri});
                send(&json!({"jsonrpc": "2.0", "method": "notifications/resources/updated", "params": params}));
            }
            answer(fault, id, text_result("told"));
        }
        "subscribed" => {
            answer(fault, id, structured(&json!({"log": &*SUBSCRIBED.lock().expect("no thread panics")})));
        }
        "die" => {
            eprintln!("asked to die");
            std::process::exit(7);
        }
        "cancelled" => answer(fault, id, structured(&json!({"ids": &*cancelled()}))),
        "ask" => {
            let count = arguments["count"].as_u64().unwrap_or(1);
            *ASKING.lock().expect("no thread panics") = Some((id.clone(), count));
            ask(arguments, count);
        }
        "ask_later" => {
            answer(fault, id, text_result("later"));
            ask(arguments, 1);
        }
        "withdraw" => {
            let params = json!({"requestId": "q0", "reason": "no longer needed"});
            send(&json!({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": params}));
            answer(fault, id, text_result("withdrawn"));
        }
        "told" => answer(fault, id, structured(&json!({"told": &*TOLD.lock().expect("no thread panics")}))),
        // Log messages as they are given, over and over, before the answer.
        "say" => {
            let times = arguments["times"].as_u64().unwrap_or(1);
            for params in (0..times).filter_map(|_| arguments["messages"].as_array()).flatten() {
                send(&json!({"jsonrpc": "2.0", "method": "notifications/message", "params": params}));
            }
            eprint!("{}", arguments["stderr"].as_str().unwrap_or_default());
            answer(fault, id, text_result("said"));
        }
        "client" => answer(fault, id, structured(&CLIENT.lock().expect("no thread panics"))),
        "grandchild" => {
            // Deaf to SIGTERM, and it keeps our stdout open.
            let child =
                Command::new("/bin/sh").args(["-c", "trap '' TERM; exec sleep 1000"]).stdin(Stdio::null()).spawn();
            let ids = json!({"server": std::process::id(), "grandchild": child.expect("sh exists").id()});
            answer(fault, id, structured(&ids));
        }
        name => error(id, -32_602, &format!("unknown tool {name}")),
    }
}

/// Asks the client so many times, without waiting for an answer.
fn ask(arguments: &Value, count: u64) {
    TOLD.lock().expect("no thread panics").clear();
    for n in 0..count {
        let (method, params) = (&arguments["method"], &arguments["params"]);
        send(&json!({"jsonrpc": "2.0", "id": format!("q{n}"), "method": method, "params": params}));
    }
}

/// Tells of progress so many times, so many milliseconds apart.
fn report(token: &Value, times: u64, ms: u64) {
    for progress in 0..times {
        std::thread::sleep(Duration::from_millis(ms));
        let params = json!({"progressToken": token, "progress": progress});
        send(&json!({"jsonrpc": "2.0", "method": "notifications/progress", "params": params}));
    }
}

/// An answer of the size asked for: an honest one, one whose id comes last, one that is no JSON, or one without an end.
fn big(id: &Value, arguments: &Value) {
    let filler = "x".repeat(usize::try_from(arguments["bytes"].as_u64().unwrap_or(0)).expect("64 bit"));
    let result = format!(r#""result":{{"content":[{{"type":"text","text":"{filler}"}}]}}"#);
    match arguments["shape"].as_str().unwrap_or_default() {
        "id-last" => raw(format!("{{{result},\"jsonrpc\":\"2.0\",\"id\":{id}}}\n").as_bytes()),
        "no-id" => raw(format!("{{{result}}}\n").as_bytes()),
        "nan" => {
            raw(format!("{{\"jsonrpc\":\"2.0\",\"id\":{id},\"result\":{{\"structuredContent\":NaN}}}}\n").as_bytes());
        }
        "endless" => loop {
            raw(filler.as_bytes());
        },
        "bad-utf8" => {
            let line =
                format!("{{\"jsonrpc\":\"2.0\",\"id\":{id},\"result\":{{\"structuredContent\":{{\"a\":\"?\"}}}}}}\n");
            raw(&line.bytes().map(|byte| if byte == b'?' { 0xFF } else { byte }).collect::<Vec<_>>());
        }
        "dribble" => {
            for byte in format!("{{\"jsonrpc\":\"2.0\",\"id\":{id},{result}}}\n").bytes() {
                std::thread::sleep(Duration::from_millis(20));
                raw(&[byte]);
            }
        }
        _ => raw(format!("{{\"jsonrpc\":\"2.0\",\"id\":{id},{result}}}\n").as_bytes()),
    }
}

fn answer(fault: &str, id: &Value, result: Value) {
    let is_call = result.get("content").is_some();
    let id = match fault {
        "wrong-ids" if is_call => json!(id.as_u64().unwrap_or(0) + 1_000),
        "text-ids" if is_call => json!(id.to_string()),
        "null-ids" if is_call => Value::Null,
        "fractional-ids" if is_call => json!(id.as_f64().unwrap_or(0.0) + 0.5),
        _ => id.clone(),
    };
    let mut message = json!({"jsonrpc": "2.0", "id": id});
    message["result"] = result;
    send(&message);
    if fault == "double-answers" {
        send(&message);
    }
}

fn error(id: &Value, code: i32, message: &str) {
    send(&json!({"jsonrpc": "2.0", "id": id, "error": {"code": code, "message": message}}));
}

fn structured(value: &Value) -> Value {
    json!({"content": [], "structuredContent": value})
}

fn text_result(text: &str) -> Value {
    json!({"content": [{"type": "text", "text": text}]})
}

fn send(message: &Value) {
    raw(format!("{message}\n").as_bytes());
}

/// Writes bytes as they are; ends the process when nobody reads any more.
fn raw(bytes: &[u8]) {
    let mut stdout = std::io::stdout().lock();
    if stdout.write_all(bytes).and_then(|()| stdout.flush()).is_err() {
        std::process::exit(0);
    }
}

fn hang() -> ! {
    loop {
        std::thread::park();
    }
}

fn cancelled() -> std::sync::MutexGuard<'static, Vec<Value>> {
    CANCELLED.lock().expect("no thread panics")
}
