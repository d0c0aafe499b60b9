//! A scripted host with two servers, and the engine that tests share.

use engine::{CallError, Engine, GuestCall, Options, Outcome, Program, RunClock, ToolHost};
use futures::FutureExt;
use futures::future::BoxFuture;
use model::{ErrorKind, Language, Limits, ProgramError};
use serde_json::{Value, json};
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// `echo` and `files`, as `tests/specs/guest` expects them. Remembers every call, and counts those that were dropped
/// before they ended.
#[derive(Default)]
pub(crate) struct Scripted {
    pub(crate) calls: Mutex<Vec<GuestCall>>,
    pub(crate) dropped: Arc<AtomicUsize>,
}

impl ToolHost for Scripted {
    fn servers(&self) -> Vec<String> {
        vec!["echo".to_owned(), "files".to_owned()]
    }

    fn describe(&self, server: &str, _: &RunClock) -> BoxFuture<'static, Result<String, ProgramError>> {
        let tools: &[&str] = match server {
            "echo" => &["echo", "fail", "sleep", "timed", "get-sum", "hang"],
            "files" => &["read_text_file", "prompts"],
            other => {
                let error = ProgramError::new(ErrorKind::UnknownTool, format!("there is no server {other:?}"));
                return std::future::ready(Err(error)).boxed();
            }
        };
        let identifiers = model::names::identifiers(tools);
        let aliases: serde_json::Map<_, _> =
            identifiers.iter().filter_map(|name| Some((model::names::camel_case(name)?, json!(name)))).collect();
        let map: serde_json::Map<_, _> =
            identifiers.iter().zip(tools).map(|(id, tool)| (id.clone(), json!(tool))).collect();
        let text = json!({"server": server, "tools": map, "aliases": aliases}).to_string();
        std::future::ready(Ok(text)).boxed()
    }

    fn call(&self, call: GuestCall) -> BoxFuture<'static, Result<String, CallError>> {
        self.calls.lock().expect("no test panics while it holds the calls").push(call.clone());
        let guard = Guard { dropped: Arc::clone(&self.dropped), ended: false };
        async move {
            let mut guard = guard;
            let answer = answer(&call).await;
            guard.ended = true;
            answer
        }
        .boxed()
    }
}

async fn answer(call: &GuestCall) -> Result<String, CallError> {
    let arguments: Value =
        serde_json::from_str(&call.arguments_json).map_err(|e| error(call, ErrorKind::Arguments, &e.to_string()))?;
    match (call.server.as_str(), call.tool.as_str()) {
        ("echo", "echo") => Ok(call.arguments_json.clone()),
        ("echo", "fail") => Err(error(call, ErrorKind::Tool, "nope")),
        ("echo", "sleep") => {
            tokio::time::sleep(Duration::from_millis(arguments["ms"].as_u64().unwrap_or(0))).await;
            Ok(call.arguments_json.clone())
        }
        ("echo", "timed") => {
            let started = std::time::Instant::now();
            tokio::time::sleep(Duration::from_millis(arguments["ms"].as_u64().unwrap_or(0))).await;
            Ok(started.elapsed().as_millis().to_string())
        }
        ("echo", "ask") => {
            let _pause = call.clock.pause();
            tokio::time::sleep(Duration::from_millis(arguments["ms"].as_u64().unwrap_or(0))).await;
            Ok(call.arguments_json.clone())
        }
        ("echo", "get-sum") => {
            let sum = arguments["a"].as_f64().unwrap_or(0.0) + arguments["b"].as_f64().unwrap_or(0.0);
            Ok(if sum.fract() == 0.0 { format!("{sum:.0}") } else { sum.to_string() })
        }
        ("echo", "hang") => std::future::pending().await,
        ("echo", "panic") => panic!("a scripted panic"),
        ("files", "read_text_file") => {
            let path = arguments["path"].as_str().unwrap_or("?");
            Ok(json!(format!("text of {path}")).to_string())
        }
        ("files", "resources/subscribe") => match arguments["uri"].as_str() {
            Some("dies") => {
                tokio::time::sleep(Duration::from_millis(20)).await;
                Err(error(call, ErrorKind::Tool, "it died"))
            }
            _ => std::future::pending().await,
        },
        ("files", method) if method.contains('/') => beside_tools(call, &arguments),
        ("files", "prompts") => Ok(json!("a tool").to_string()),
        ("echo", "tools/call") => Ok(json!({"content": [], "_meta": {"of": arguments}}).to_string()),
        ("tta", "progress") => Ok("null".to_owned()),
        ("tta", "progress/since") => updates(&arguments).await,
        ("tta", "updates/since") => changes(&arguments).await,
        _ => Err(error(call, ErrorKind::UnknownTool, &format!("{} has no tool {}", call.server, call.tool))),
    }
}

/// Resources and prompts of `files`.
#[expect(clippy::result_large_err, reason = "it is what a host answers")]
fn beside_tools(call: &GuestCall, arguments: &Value) -> Result<String, CallError> {
    let text = json!({"uri": "a", "mimeType": "text/plain", "text": "text of a"});
    let bytes = json!({"uri": "b", "mimeType": "image/png", "blob": "AP8="});
    let answer = match (call.tool.as_str(), arguments["uri"].as_str()) {
        ("resources/list", _) => json!({"resources": [{"uri": "a", "name": "A"}]}),
        ("resources/templates/list", _) => json!({"resourceTemplates": [{"uriTemplate": "{x}", "name": "X"}]}),
        ("resources/read", Some("a")) => json!({"contents": [text]}),
        ("resources/read", Some("b")) => json!({"contents": [bytes]}),
        ("resources/read", Some("both")) => json!({"contents": [text, bytes]}),
        ("resources/read", Some("odd")) => json!({"contents": [{"uri": "odd"}]}),
        ("prompts/list", _) => json!({"prompts": [{"name": "p"}]}),
        ("prompts/get", _) => json!({"messages": [{"role": "user", "content": {"type": "text", "text": arguments}}]}),
        (name, _) => return Err(error(call, ErrorKind::Tool, &format!("no {name} of {arguments}"))),
    };
    Ok(answer.to_string())
}

/// Two updates of whichever call is meant; no further one ever comes.
async fn updates(asked: &Value) -> Result<String, CallError> {
    let all = [json!({"progress": 1, "total": 2, "message": "half"}), json!({"progress": 2})];
    let seen = usize::try_from(asked["seen"].as_u64().unwrap_or(0)).unwrap_or(0);
    if seen == all.len() && asked["now"] == false {
        std::future::pending::<()>().await;
    }
    Ok(json!({"seen": all.len(), "updates": all[seen..]}).to_string())
}

/// Three changes of whichever subscription is meant: two that were there when it began, and one after them; no further one ever
/// comes.
async fn changes(asked: &Value) -> Result<String, CallError> {
    let first = json!([{"uri": "a", "times": 1}, {"uri": "a/b", "times": 2}]);
    let (seen, updates) = match asked["seen"].as_u64() {
        Some(0) => (3, first),
        Some(3) => (6, json!([{"uri": "a", "times": 3}])),
        _ if asked["now"] == true => (6, json!([])),
        _ => std::future::pending().await,
    };
    Ok(json!({"seen": seen, "updates": updates}).to_string())
}

fn error(call: &GuestCall, kind: ErrorKind, message: &str) -> CallError {
    CallError { error: ProgramError::new(kind, message), server: call.server.clone(), tool: call.tool.clone() }
}

struct Guard {
    dropped: Arc<AtomicUsize>,
    ended: bool,
}

impl Drop for Guard {
    fn drop(&mut self) {
        if !self.ended {
            self.dropped.fetch_add(1, Ordering::SeqCst);
        }
    }
}

/// Compiled guests outlive a test run, as they do in use.
pub(crate) fn options() -> Options {
    let cache = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("guests");
    Options::new(cache, tokio::runtime::Handle::current())
}

pub(crate) fn engine() -> Engine {
    Engine::new(options()).expect("an engine")
}

pub(crate) fn program(language: Language, code: &str) -> Program {
    Program {
        code: code.to_owned(),
        language,
        name: format!("program.{}", language.extension()),
        input_json: "null".to_owned(),
    }
}

/// Runs a program over a fresh scripted host.
pub(crate) async fn run(engine: &Engine, language: Language, code: &str, limits: Limits) -> Outcome {
    engine.run(program(language, code), limits, Arc::new(Scripted::default()), CancellationToken::new()).await
}

/// The value of a program that must succeed.
pub(crate) async fn value(engine: &Engine, language: Language, code: &str) -> Value {
    let outcome = run(engine, language, code, Limits::default()).await;
    let Some(result) = &outcome.result else { panic!("{code}\n{:?}\nstderr: {}", outcome.error, outcome.stderr) };
    serde_json::from_str(result.get()).expect("a result is JSON")
}

/// The error of a program that must fail.
pub(crate) fn failure(outcome: &Outcome) -> &ProgramError {
    outcome.error.as_ref().unwrap_or_else(|| panic!("it returned {:?}", outcome.result))
}
