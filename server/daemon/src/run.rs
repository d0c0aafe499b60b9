//! One run, from the request to the reply: limits, engine, receipt facts. Everything that can go wrong in a program ends
//! as a normal reply.

use crate::approve::Session;
use crate::artifacts;
use crate::call::{Door, bounded};
use crate::core::Core;
use crate::details::Begun;
use crate::requests::Caller;
use crate::snapshot::{Entry, Snapshot};
use engine::{Outcome, Program};
use ledger::{CallFacts, Found, RunFacts};
use model::server::Scope;
use model::{Language, Limits, Origin, RunEvent, RunId, RunReply, RunRequest, ServerState, Truncation, Usage};
use serde_json::value::RawValue;
use std::sync::Arc;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

/// Bytes of a run's label while it is in memory. The ledger, which keeps no content, makes its own.
const LABEL_BYTES: usize = 80;

/// What is known of a run before it starts.
struct Plan {
    run_id: RunId,
    language: Language,
    guessed: bool,
    label: String,
    limits: Limits,
    at_ms: u64,
    started: Instant,
}

/// Runs one program.
pub(crate) async fn run(core: Arc<Core>, snapshot: Arc<Snapshot>, request: RunRequest, caller: Caller) -> RunReply {
    let Caller { run_id, origin, asker, cancel } = caller;
    let plan = plan(&core, &snapshot, run_id, &request);
    let (run_id, language) = (plan.run_id.clone(), plan.language);
    core.notify_run(RunEvent::Started { run_id: run_id.clone(), language, label: plan.label.clone() });
    let session = Session::new(run_id.clone(), &plan.label, asker);
    let span = core.telemetry.run(&run_id, &origin);
    let limits = plan.limits.clone();
    let door = Door::new(Arc::clone(&core), Arc::clone(&snapshot), session, language, limits, span.clone());
    start_mentioned(&core, &snapshot, &request.code);
    let program = Program {
        code: request.code.clone(),
        language,
        name: request.name.clone().unwrap_or_else(|| format!("program.{}", language.extension())),
        input_json: request.input.as_ref().map_or_else(|| "null".to_owned(), ToString::to_string),
    };
    let begun = Begun {
        run_id: &run_id,
        at_ms: plan.at_ms,
        label: &plan.label,
        name: request.name.as_deref(),
        language,
        code: &request.code,
        input: request.input.as_ref(),
        input_bytes: program.input_json.len(),
    };
    let entered = core.details.enter(&begun, door.clone(), cancel.clone());
    let outcome = core.engine.run(program, plan.limits.clone(), Arc::new(door.clone()), cancel).await;
    let facts = door.take_facts();
    let reply = reply(&core, &plan, outcome, &facts).await;
    entered.end(&reply, &facts);
    span.end(&reply);
    core.notify_run(RunEvent::Finished { run_id, status: reply.status, wall_ms: reply.usage.wall_ms });
    record(&core, &snapshot, &plan, &request, &origin, &reply, facts);
    reply
}

fn plan(core: &Core, snapshot: &Snapshot, run_id: RunId, request: &RunRequest) -> Plan {
    let language = request.language.unwrap_or_else(|| engine::guess_language(&request.code));
    let first_line = || request.code.lines().map(str::trim).find(|line| !line.is_empty()).unwrap_or("(empty)");
    let label = bounded(request.name.as_deref().unwrap_or_else(first_line), LABEL_BYTES).to_owned();
    Plan {
        run_id,
        language,
        guessed: request.language.is_none(),
        label,
        limits: core.limits(snapshot, request.timeout_ms, request.memory_mb),
        at_ms: now_ms(),
        started: Instant::now(),
    }
}

/// Starts the servers that the program mentions, all at once, so that its imports need not wait for one after the other.
/// Only a head start: a name in a comment starts a server too early, nothing else.
fn start_mentioned(core: &Arc<Core>, snapshot: &Snapshot, program: &str) {
    if !program.contains("servers") && !program.contains("tta") {
        return;
    }
    for entry in
        snapshot.usable().filter(|e| e.is_unlisted() || matches!(e.state, ServerState::Stopped | ServerState::Failed))
    {
        if program.contains(&*entry.identifier) || program.contains(&entry.spec.name) {
            let (bridge, name) = (core.bridge.clone(), entry.spec.name.clone());
            core.tasks.spawn(async move {
                if let Err(e) = bridge.tools(&name).await {
                    tracing::debug!("{name} did not start ahead of its use: {e}");
                }
            });
        }
    }
}

async fn reply(core: &Arc<Core>, plan: &Plan, outcome: Outcome, facts: &[CallFacts]) -> RunReply {
    let Outcome { result, error, stdout, stderr, usage, mut truncated, .. } = outcome;
    let status = error.as_ref().map_or(outcome.status, |e| e.kind.status());
    let result = match result {
        Some(whole) if whole.get().len() > plan.limits.result_bytes => {
            let (preview, cut) = cut(core, plan, &whole).await;
            truncated.push(cut);
            Some(preview)
        }
        whole => whole,
    };
    RunReply {
        run_id: plan.run_id.clone(),
        status,
        language: plan.language,
        language_guessed: plan.guessed,
        result,
        stdout,
        stderr,
        error,
        calls: facts.iter().map(|f| f.record.clone()).collect(),
        usage: Usage { wall_ms: plan.started.elapsed().as_secs_f64() * 1e3, ..usage },
        tokens: None,
        truncated,
    }
}

/// Keeps a large result as an artifact. What is returned in its place is its beginning, as a string.
async fn cut(core: &Arc<Core>, plan: &Plan, whole: &RawValue) -> (Box<RawValue>, Truncation) {
    let text = whole.get();
    let kept = bounded(text, plan.limits.result_bytes);
    let preview = serde_json::value::to_raw_value(kept).expect("a string is JSON");
    let artifact = artifacts::keep(&core.paths.data, &plan.run_id, text.to_owned()).await;
    let cut = Truncation {
        what: "result".to_owned(),
        kept_bytes: kept.len() as u64,
        total_bytes: text.len() as u64,
        artifact,
    };
    (preview, cut)
}

/// Hands the ledger what it counts: the arguments the model wrote, the text it saw, and every call.
fn record(
    core: &Core,
    snapshot: &Snapshot,
    plan: &Plan,
    request: &RunRequest,
    origin: &Origin,
    reply: &RunReply,
    calls: Vec<CallFacts>,
) {
    let found = calls.iter().filter(|c| c.found > Found::Nothing);
    let mut servers_used: Vec<String> = found.map(|c| c.record.server.clone()).collect();
    servers_used.sort_unstable();
    servers_used.dedup();
    // What the editor offers by itself stays in its prompt whatever we do: only what a program used of it counts.
    let counts = |e: &&Entry| match e.spec.source.scope {
        Scope::Editor => servers_used.contains(&e.spec.name),
        _ => !e.spec.disabled,
    };
    let servers_all = snapshot.servers.iter().filter(counts).map(|e| e.spec.name.clone()).collect();
    core.ledger.record(RunFacts {
        run_id: plan.run_id.clone(),
        conversation: origin.conversation.clone(),
        front: origin.front.to_owned(),
        language: plan.language,
        status: reply.status,
        name: request.name.as_deref().map(|name| bounded(name, LABEL_BYTES).to_owned()),
        at_ms: plan.at_ms,
        wall_ms: reply.usage.wall_ms,
        code_arguments: arguments(request).into(),
        program: blake3::hash(request.code.as_bytes()),
        reply_text: model::reply_text::reply_text(reply).into(),
        calls,
        servers_all,
        servers_used,
        tags: snapshot.config.ledger.tags.clone(),
        direct_tools: Arc::clone(&snapshot.direct.definitions),
    });
}

/// Milliseconds since 1970.
pub(crate) fn now_ms() -> u64 {
    let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since_1970.as_millis()).unwrap_or(u64::MAX)
}

/// What a model would have written to have this program run: the arguments of `run_code`.
fn arguments(request: &RunRequest) -> String {
    let mut arguments = serde_json::Map::new();
    arguments.insert("code".to_owned(), request.code.as_str().into());
    if let Some(language) = request.language {
        arguments.insert("language".to_owned(), language.as_str().into());
    }
    if let Some(input) = &request.input {
        arguments.insert("input".to_owned(), input.clone());
    }
    if let Some(ms) = request.timeout_ms {
        arguments.insert("timeout_ms".to_owned(), ms.into());
    }
    serde_json::Value::Object(arguments).to_string()
}
