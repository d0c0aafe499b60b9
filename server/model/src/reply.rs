//! What the daemon answers. A program that fails is a normal reply, not an error of the daemon.

use crate::editor::Approval;
use crate::error::ProgramError;
use crate::ids::RunId;
use crate::request::Language;
use crate::server::ServerStatus;
use crate::tokens::{SavingsSummary, TokenReport};
use crate::tool::ToolHit;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use ts_rs::TS;

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, TS)]
#[serde(rename_all = "lowercase")]
pub enum RunStatus {
    /// The program ended and returned a value.
    Ok,
    /// The program failed.
    Error,
    /// A limit ended it.
    Limit,
    /// Trust or policy refused it.
    Denied,
    /// The user or the client stopped it.
    Cancelled,
    /// The daemon failed, not the program.
    Fault,
}

impl RunStatus {
    /// The exit code of `tta run`.
    pub fn exit_code(self) -> u8 {
        match self {
            Self::Ok => 0,
            Self::Error => 1,
            Self::Limit => 3,
            Self::Denied => 4,
            Self::Fault => 5,
            Self::Cancelled => 130,
        }
    }

    /// The name used on the wire, in metrics and in the ledger.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Error => "error",
            Self::Limit => "limit",
            Self::Denied => "denied",
            Self::Cancelled => "cancelled",
            Self::Fault => "fault",
        }
    }
}

/// How one call ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, TS)]
#[serde(rename_all = "lowercase")]
pub enum CallStatus {
    /// The tool answered.
    Ok,
    /// The tool answered with an error, or could not be reached.
    Error,
    /// Trust or policy refused it.
    Denied,
    /// It took longer than it may.
    Timeout,
    /// The run ended before the call did.
    Cancelled,
}

/// Whether an answer came from the call cache.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, TS)]
#[serde(rename_all = "lowercase")]
pub enum CacheOutcome {
    /// The server answered.
    #[default]
    Miss,
    /// The cache answered.
    Hit,
    /// An equal call already on its way answered.
    Joined,
}

/// One tool call of a run, as the receipt shows it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
pub struct CallRecord {
    /// The server's configured name.
    pub server: String,
    /// The tool's own name.
    pub tool: String,
    /// How it ended.
    pub status: CallStatus,
    /// From the program's call to its answer, without the time in which a person was asked.
    pub ms: f64,
    /// Whether the cache answered.
    pub cache: CacheOutcome,
    /// Calls that were in flight together share a wave; a direct-calling agent would need a turn for each wave.
    pub wave: u32,
    /// Bytes of the arguments as JSON.
    pub argument_bytes: u64,
    /// Bytes of the answer as a host would put it into the context.
    pub result_bytes: u64,
    /// Tokens of the same; absent until the ledger has counted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub result_tokens: Option<u64>,
    /// The program's line that made the call, where known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub line: Option<u32>,
    /// Why it failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub error: Option<String>,
}

/// What a run used.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, TS)]
pub struct Usage {
    /// From submission to the end of the program.
    pub wall_ms: f64,
    /// Time the guest itself ran, measured around its polls.
    pub cpu_ms: f64,
    /// The most linear memory it had.
    pub peak_memory_bytes: u64,
    /// Bytes printed and returned, before truncation.
    pub output_bytes: u64,
}

/// Something that was cut, and where the whole lies.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct Truncation {
    /// `result`, `stdout` or `stderr`.
    pub what: String,
    /// Bytes that were kept.
    pub kept_bytes: u64,
    /// Bytes there were.
    pub total_bytes: u64,
    /// The file with the whole, where it was kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub artifact: Option<String>,
}

/// The answer to a run.
#[derive(Clone, Debug, Serialize, Deserialize, TS)]
pub struct RunReply {
    /// Which run.
    pub run_id: RunId,
    /// How it ended.
    pub status: RunStatus,
    /// Its language, and whether that was a guess.
    pub language: Language,
    /// Whether the language was guessed from the source.
    #[serde(default)]
    pub language_guessed: bool,
    /// The program's value; absent where it failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional, type = "unknown")]
    pub result: Option<Box<RawValue>>,
    /// What it printed.
    pub stdout: String,
    /// What it printed to stderr, and what the sandbox says of it.
    pub stderr: String,
    /// Why it failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub error: Option<ProgramError>,
    /// Its tool calls, in the order in which they were made.
    pub calls: Vec<CallRecord>,
    /// What it used.
    pub usage: Usage,
    /// What it saved; absent until the ledger has counted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub tokens: Option<TokenReport>,
    /// What was cut.
    pub truncated: Vec<Truncation>,
}

/// The answer to a search.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, TS)]
pub struct SearchReply {
    /// Best first.
    pub hits: Vec<ToolHit>,
    /// How many tools matched in all.
    pub matched: usize,
    /// How many tools were searched, and prompts and templates with them.
    pub searched: usize,
    /// The detail actually given: everything small is given in full.
    pub detail: crate::request::Detail,
    /// Servers whose tools could not be searched, and why.
    pub unavailable: Vec<String>,
}

/// The answer to a direct call.
#[derive(Clone, Debug, Serialize, Deserialize, TS)]
pub struct CallReply {
    /// The call as the ledger has it.
    pub record: CallRecord,
    /// The value a program would have got; absent where it failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional, type = "unknown")]
    pub value: Option<Box<RawValue>>,
    /// Why it failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub error: Option<ProgramError>,
}

/// One line of the list of runs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
pub struct RunSummary {
    /// Which run.
    pub run_id: RunId,
    /// When it was submitted, milliseconds since 1970.
    pub at_ms: u64,
    /// Its language.
    pub language: Language,
    /// How it ended.
    pub status: RunStatus,
    /// The front that asked.
    pub front: String,
    /// Its display name, or the tools that it called: the ledger keeps no line of a program.
    pub label: String,
    /// Tool calls made.
    pub calls: u32,
    /// Wall time.
    pub wall_ms: f64,
    /// What it saved; absent where the ledger has not counted it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub tokens: Option<TokenReport>,
}

/// A run that goes on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct LiveRun {
    /// Which run.
    pub run_id: RunId,
    /// When it was submitted, milliseconds since 1970.
    pub at_ms: u64,
    /// Its language.
    pub language: Language,
    /// Its display name, or its first line.
    pub label: String,
    /// Tool calls made so far.
    pub calls: usize,
}

/// A call of a remembered run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
pub struct CallDetail {
    /// The call as the ledger has it.
    pub record: CallRecord,
    /// Its arguments as JSON, cut.
    pub arguments: String,
    /// Its answer as a host would have put it into the context, cut.
    pub result: String,
}

/// A run of this process, with what the ledger does not keep. Kept in memory only, and only the last ones.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
pub struct RunDetail {
    /// Which run.
    pub run_id: RunId,
    /// Its display name, or its first line.
    pub label: String,
    /// The name it was given, cut; absent where it had none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub name: Option<String>,
    /// Its language.
    pub language: Language,
    /// The program.
    pub code: String,
    /// What the program saw as `tta.inputs`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional, type = "unknown")]
    pub input: Option<serde_json::Value>,
    /// How it ended; absent while it runs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub status: Option<RunStatus>,
    /// Its value as JSON, cut; empty where there is none.
    pub result: String,
    /// What it printed, cut.
    pub stdout: String,
    /// Likewise to stderr.
    pub stderr: String,
    /// Why it failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub error: Option<ProgramError>,
    /// Its tool calls so far, in the order in which they were made.
    pub calls: Vec<CallDetail>,
    /// What was cut, and where the whole lies.
    pub truncated: Vec<Truncation>,
}

/// A part of a kept result.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResultPart {
    /// Some of its JSON text, cut at characters.
    pub json: String,
    /// Where that begins, in bytes.
    pub offset: u64,
    /// Bytes of the whole.
    pub total_bytes: u64,
}

/// One tool with its schema and stubs, for people and forms.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
pub struct ToolInfo {
    /// The tool's own name.
    pub name: String,
    /// Its name in programs.
    pub identifier: String,
    /// A display name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub title: Option<String>,
    /// What it does, in the server's words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub description: Option<String>,
    /// JSON Schema of its arguments.
    #[ts(type = "Record<string, unknown>")]
    pub input_schema: serde_json::Map<String, serde_json::Value>,
    /// The server says that it changes nothing.
    pub read_only: bool,
    /// The server says that it may destroy.
    pub destructive: bool,
    /// The full stub in Python.
    pub python: String,
    /// The full stub in TypeScript.
    pub typescript: String,
}

/// One check of the doctor.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct Check {
    /// What was checked.
    pub name: String,
    /// Whether it holds.
    pub ok: bool,
    /// What was seen.
    pub detail: String,
    /// How to mend it; empty where it holds.
    pub mend: String,
}

/// The daemon's answers, by the name of the request.
#[derive(Clone, Debug)]
pub enum Reply {
    /// To `Run`.
    Run(Box<RunReply>),
    /// To `Search`.
    Search(SearchReply),
    /// To `Call`.
    Call(Box<CallReply>),
    /// To `DirectTools`, in the order in which they are configured.
    DirectTools(std::sync::Arc<[crate::direct::DirectTool]>),
    /// To `Servers`, `RestartServer`, `StopServer` and `Login`.
    Servers(Vec<ServerStatus>),
    /// To `Savings`.
    Savings(Box<SavingsSummary>),
    /// To `Runs`.
    Runs(Vec<RunSummary>),
    /// To `Report`.
    Report(Box<crate::report::SavingsReport>),
    /// To `RenderReport`.
    Rendered(String),
    /// To `Explain`.
    Explain(Box<crate::explain::Explanation>),
    /// To `RunCalls`, in the order in which they were made.
    RunCalls(Vec<crate::report::CallRow>),
    /// To `ExportLedger`.
    LedgerPart(crate::ledger::LedgerPart),
    /// To `ImportLedger`.
    Imported(crate::ledger::Imported),
    /// The runs that go on, newest first.
    LiveRuns(Vec<LiveRun>),
    /// To `Receipt`: the report, and each call's result tokens in call order.
    Receipt(Box<TokenReport>, Vec<u64>),
    /// To `Conversation`.
    Conversation(Box<crate::report::ConversationReport>),
    /// To `RunDetail`; nothing where this process does not remember the run.
    RunDetail(Option<Box<RunDetail>>),
    /// To `RunResult`.
    RunResult(ResultPart),
    /// To `ImportServers`.
    Import(Box<crate::import::ImportReply>),
    /// To `ServerLog`.
    ServerLog(String),
    /// To `ServerTools`.
    ServerTools(Vec<ToolInfo>),
    /// To `Approvals` and `ForgetApproval`.
    Approvals(Vec<Approval>),
    /// To `StopRun` (whether there was such a run) and `EditorToolsChanged`.
    Done(bool),
    /// To `Doctor`.
    Doctor(Vec<Check>),
}
