//! What a front may ask of the daemon.

use crate::ids::{ConversationId, RunId};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use ts_rs::TS;

/// The language of a program.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, TS)]
#[serde(rename_all = "lowercase")]
pub enum Language {
    /// `CPython` 3.14.
    #[serde(alias = "py")]
    Python,
    /// TypeScript: types are stripped, the rest is JavaScript.
    #[serde(alias = "ts")]
    TypeScript,
    /// JavaScript (an ECMAScript module).
    #[serde(alias = "js")]
    JavaScript,
}

impl Language {
    /// The name used on the wire, in metrics and in the ledger.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Python => "python",
            Self::TypeScript => "typescript",
            Self::JavaScript => "javascript",
        }
    }

    /// The file ending of the display name a program gets when it has none.
    pub fn extension(self) -> &'static str {
        match self {
            Self::Python => "py",
            Self::TypeScript => "ts",
            Self::JavaScript => "js",
        }
    }
}

/// Run one program.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, TS)]
#[serde(deny_unknown_fields)]
pub struct RunRequest {
    /// The program's source.
    pub code: String,
    /// Its language; guessed from the source, and the guess said, where absent.
    #[serde(default)]
    #[ts(optional)]
    pub language: Option<Language>,
    /// What the program sees as `tta.inputs`.
    #[serde(default)]
    #[ts(optional, type = "unknown")]
    pub input: Option<Value>,
    /// Deadline in milliseconds; the workspace's limit is the most it can be.
    #[serde(default)]
    #[ts(optional)]
    pub timeout_ms: Option<u64>,
    /// Memory in MiB; the workspace's limit is the most it can be.
    #[serde(default)]
    #[ts(optional)]
    pub memory_mb: Option<u64>,
    /// The name shown in tracebacks and lists, such as a file's name without its folder.
    #[serde(default)]
    #[ts(optional)]
    pub name: Option<String>,
}

/// How much of each hit a search returns.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "lowercase")]
pub enum Detail {
    /// `server.tool` and one line.
    Name,
    /// A callable stub with types and one line.
    #[default]
    Signature,
    /// The stub with every parameter documented.
    Full,
}

/// Search the catalog.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(deny_unknown_fields)]
pub struct SearchRequest {
    /// What the caller wants to do, in words. Empty lists every tool, in the servers' order.
    pub query: String,
    /// Only this server's tools.
    #[serde(default)]
    #[ts(optional)]
    pub server: Option<String>,
    /// How much of each hit.
    #[serde(default)]
    #[ts(optional)]
    pub detail: Option<Detail>,
    /// At most this many hits; 10 where absent, 1,000 at most.
    #[serde(default)]
    #[ts(optional)]
    pub limit: Option<usize>,
    /// The language of the stubs; Python where absent.
    #[serde(default)]
    #[ts(optional)]
    pub language: Option<Language>,
}

/// Call one tool directly, through the same door as a program's calls.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
#[serde(deny_unknown_fields)]
pub struct CallRequest {
    /// The server, by name or identifier.
    pub server: String,
    /// The tool, by name or identifier.
    pub tool: String,
    /// A JSON object.
    #[serde(default)]
    #[ts(optional, type = "Record<string, unknown>")]
    pub arguments: Option<Value>,
    /// Longest time the call may take.
    #[serde(default)]
    #[ts(optional)]
    pub timeout_ms: Option<u64>,
}

/// Who asks: what the ledger files a run under.
#[derive(Clone, Debug)]
pub struct Origin {
    /// The front: `cli`, `mcp` or `lsp`.
    pub front: &'static str,
    /// The sitting.
    pub conversation: ConversationId,
    /// The trace that the request is a part of, where it said so.
    pub trace: Option<crate::telemetry::TraceContext>,
}

/// Everything a front may ask. `daemon::Daemon::submit` answers each with the [`crate::Reply`] of the same name.
#[derive(Clone, Debug)]
pub enum Request {
    /// Run a program.
    Run(RunRequest),
    /// Search the catalog; starts the servers that were never listed.
    Search(SearchRequest),
    /// One direct call.
    Call(CallRequest),
    /// The tools that models may call without a program; starts those servers of them that were never listed.
    DirectTools,
    /// Every configured server. With `list`, those never listed are started and asked for their tools first.
    Servers {
        /// Ask the servers that were never listed.
        list: bool,
    },
    /// Stop a server and start it again.
    RestartServer {
        /// The server, by name or identifier.
        server: String,
    },
    /// Savings so far.
    Savings,
    /// The last runs, newest first.
    Runs {
        /// At most this many.
        limit: usize,
    },
    /// What a period cost and saved.
    Report(crate::report::ReportRequest),
    /// The same as a text or a file.
    RenderReport(crate::render::RenderRequest),
    /// How one run's figures came about.
    Explain(crate::explain::ExplainRequest),
    /// One run's calls as the ledger has them, whichever process ran it.
    RunCalls {
        /// Which run.
        run_id: RunId,
    },
    /// A part of the ledger's runs and calls, as text.
    ExportLedger {
        /// What the text looks like.
        format: crate::ledger::ExportFormat,
        /// Only what is from then or later, milliseconds since 1970.
        since_ms: u64,
        /// The `next` of the part before; the first part where absent.
        after: Option<String>,
    },
    /// Take in a file of exported lines.
    ImportLedger {
        /// The file.
        file: std::path::PathBuf,
    },
    /// The runs that go on, newest first, whichever front started them.
    LiveRuns,
    /// One run's receipt, once the ledger has counted it.
    Receipt {
        /// Which run.
        run_id: RunId,
    },
    /// What a conversation cost as one growing context, once the ledger has counted its runs.
    Conversation {
        /// Which sitting.
        conversation: ConversationId,
    },
    /// One run with its calls, as long as this process remembers it.
    RunDetail {
        /// Which run.
        run_id: RunId,
    },
    /// A part of a run's whole result, which was too large for its reply and was kept.
    RunResult {
        /// Which run.
        run_id: RunId,
        /// Where the part begins, in bytes.
        offset: u64,
        /// Its longest length in bytes.
        bytes: usize,
    },
    /// Cancel a run, whichever front started it.
    StopRun {
        /// Which run.
        run_id: RunId,
    },
    /// Stop a server; the next use starts it again.
    StopServer {
        /// The server, by name or identifier.
        server: String,
    },
    /// Take servers over from other tools' files.
    ImportServers(crate::import::ImportRequest),
    /// Have a person log in to a remote server.
    Login {
        /// The server, by name or identifier.
        server: String,
    },
    /// Forget the login to a remote server, and stop it.
    Logout {
        /// The server, by name or identifier.
        server: String,
    },
    /// The last of what a server wrote to stderr.
    ServerLog {
        /// The server, by name or identifier.
        server: String,
    },
    /// The tools of one server; starts it where it was never listed.
    ServerTools {
        /// The server, by name or identifier.
        server: String,
    },
    /// The approvals that are remembered.
    Approvals,
    /// Forget one approval, or all.
    ForgetApproval {
        /// Which; all where absent.
        id: Option<String>,
    },
    /// The editor's own tools changed: ask for them again.
    EditorToolsChanged,
    /// Check the installation: guests, limits, servers, trust.
    Doctor,
}
