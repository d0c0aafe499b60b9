//! Makers of runs, and a second, slower account of what they cost.

use ledger::{CallFacts, Found, Ledger, Options, RunFacts};
use model::tokens::SideTokens;
use model::{CacheOutcome, CallRecord, CallStatus, ConversationId, Language, RunId, RunStatus, ToolDefinition};
use serde_json::json;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

pub(crate) const OWN: &str = r#"[{"name":"run_code","description":"Run one program.","input_schema":{"type":"object"}},
    {"name":"search_tools","description":"Find tools.","input_schema":{"type":"object"}}]"#;
pub(crate) const CAP: u64 = 50;
const FOREVER: Duration = Duration::from_hours(24 * 36_500);

pub(crate) fn options(folder: &Path) -> Options {
    Options {
        path: folder.join("ledger.db"),
        host_result_cap_tokens: CAP,
        context_tokens: 200_000,
        own_definitions: OWN.into(),
        encoding: ledger::Encoding::O200k,
        keep: FOREVER,
        keep_hours: FOREVER,
        keep_bytes: 1 << 40,
        queue_runs: 1_000,
        queue_bytes: 64 << 20,
    }
}

pub(crate) fn open(folder: &Path) -> Ledger {
    Ledger::open(options(folder), |_| ()).expect("a ledger in a writable folder opens")
}

pub(crate) fn run(status: RunStatus, calls: Vec<CallFacts>) -> RunFacts {
    let mut servers_used: Vec<String> = calls.iter().map(|call| call.record.server.clone()).collect();
    servers_used.sort_unstable();
    servers_used.dedup();
    RunFacts {
        run_id: RunId::new(),
        conversation: "one".into(),
        front: "cli".to_owned(),
        language: Language::Python,
        status,
        name: None,
        at_ms: 1_700_000_000_000,
        wall_ms: 12.5,
        code_arguments: r#"{"code":"from servers import fs\nawait fs.read(path='a')"}"#.into(),
        program: blake3::hash(b"from servers import fs\nawait fs.read(path='a')"),
        reply_text: "result: 42".into(),
        calls,
        servers_all: ["fs".to_owned(), "git".to_owned()].into(),
        servers_used,
        tags: [].into(),
        direct_tools: [].into(),
    }
}

pub(crate) fn call(server: &str, tool: &str, wave: u32, arguments: &str, result: &str) -> CallFacts {
    CallFacts {
        record: CallRecord {
            server: server.to_owned(),
            tool: tool.to_owned(),
            status: CallStatus::Ok,
            ms: 1.0,
            cache: CacheOutcome::Miss,
            wave,
            argument_bytes: arguments.len() as u64,
            result_bytes: result.len() as u64,
            result_tokens: None,
            line: None,
            error: None,
        },
        arguments_json: arguments.into(),
        result_text: result.into(),
        media: 0,
        found: Found::Tool,
    }
}

pub(crate) fn tool(name: &str, description: &str) -> ToolDefinition {
    let schema = json!({"type": "object", "properties": {"path": {"type": "string"}}});
    ToolDefinition {
        name: name.to_owned(),
        title: Some("left out of the prompt".to_owned()),
        description: Some(description.to_owned()),
        input_schema: Arc::new(schema.as_object().expect("an object").clone()),
        output_schema: Some(Arc::new(json!({"type": "object", "left": "out"}).as_object().expect("an object").clone())),
        annotations: None,
    }
}

pub(crate) fn conversation() -> ConversationId {
    "one".into()
}

/// What a text costs, by the tokenizer itself.
pub(crate) fn tokens(text: &str) -> u64 {
    tiktoken_rs::o200k_base_singleton().count_ordinary(text) as u64
}

/// A definition's cost, its prompt form written out.
pub(crate) fn definition_tokens(tool: &ToolDefinition) -> u64 {
    let schema = serde_json::Value::Object((*tool.input_schema).clone());
    tokens(&json!({"name": tool.name, "description": tool.description, "input_schema": schema}).to_string())
}

/// A call's cost as the model writes it.
pub(crate) fn written_tokens(tool: &str, arguments: &str) -> u64 {
    tokens(&format!(r#"{{"name":"{tool}","arguments":{arguments}}}"#))
}

/// Plays a dialogue turn by turn and bills each. Turns are (written, returned); the answer's turn writes nothing.
pub(crate) fn play(definitions: u64, turns: &[(u64, u64)]) -> SideTokens {
    let mut context = vec![definitions];
    let (mut billed, mut sent_before) = (0, definitions);
    let mut last = 0;
    let answer = [(0, 0)];
    for (written, returned) in turns.iter().chain(&answer) {
        let prompt = context.iter().sum::<u64>();
        billed += prompt + written;
        sent_before += last;
        last = prompt;
        context.extend([*written, *returned]);
    }
    SideTokens {
        definitions,
        output: turns.iter().map(|turn| turn.0).sum(),
        results: turns.iter().map(|turn| turn.1).sum(),
        turns: u32::try_from(turns.len()).expect("few") + 1,
        total: billed,
        peak_context: context.iter().sum(),
        cacheable: sent_before,
    }
}
