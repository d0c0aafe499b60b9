//! A configured MCP server, as `config` reads it, `bridge` starts it and the fronts show it.

use crate::secret::Secret;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::PathBuf;
use ts_rs::TS;

/// How a server is reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Transport {
    /// A child process that speaks over its stdin and stdout.
    Stdio {
        /// The program.
        command: String,
        /// Its arguments.
        args: Vec<String>,
        /// Variables added to the small environment that every child gets.
        env: BTreeMap<String, Secret>,
        /// Its working directory; the workspace where absent.
        cwd: Option<PathBuf>,
    },
    /// Streamable HTTP.
    Http {
        /// The endpoint.
        url: String,
        /// Headers sent with every request.
        headers: BTreeMap<String, Secret>,
        /// Over HTTP+SSE, its predecessor.
        sse: bool,
    },
    /// Tools that the editor offers and calls for us; never given to the bridge.
    Editor,
}

/// Where a server's configuration stands, and so how far it is trusted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, TS)]
#[serde(rename_all = "lowercase")]
pub enum Scope {
    /// Given on the command line by the user.
    Explicit,
    /// A file of the workspace: untrusted until the user says otherwise.
    Workspace,
    /// A file of the user's own.
    User,
    /// No file: the editor offers it.
    Editor,
}

/// A place in a configuration file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct Source {
    /// The file.
    #[ts(type = "string")]
    pub file: PathBuf,
    /// The line of the server's key, counted from 1.
    pub line: u32,
    /// Whose file it is.
    pub scope: Scope,
}

/// A value that a person gives when a server first needs it: `${input:ID}`, as its file declares it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct InputSpec {
    /// Its id, unique within the file.
    pub id: String,
    /// What to ask, in the file's words.
    pub description: Option<String>,
    /// Whether what is typed is hidden.
    pub password: bool,
    /// The values to choose from; empty for free text.
    pub options: Vec<String>,
    /// What stands there to begin with.
    pub default: Option<String>,
}

/// What a file says of logging in to a remote server. What is absent is asked of the server.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OAuth {
    /// Who we are to its authorization server: an id that was registered there, or the https URL of a client-ID metadata
    /// document, which is used where that server reads such documents.
    pub client_id: Option<String>,
    /// The secret of that id, where it has one.
    pub client_secret: Option<Secret>,
    /// What to ask for, in place of what the server says.
    pub scopes: Vec<String>,
    /// The loopback port that was registered with the id; any free one where absent.
    pub callback_port: Option<u16>,
}

/// One configured server.
#[derive(Clone, PartialEq, Eq)]
pub struct ServerSpec {
    /// The configured name.
    pub name: String,
    /// How it is reached.
    pub transport: Transport,
    /// Where it is configured.
    pub source: Source,
    /// Switched off in its configuration.
    pub disabled: bool,
    /// Variables that could not be filled in (an unset `${env:X}`): the server cannot start, and why.
    pub unresolved: Vec<String>,
    /// Values that are to be asked for before it can start. Their `${input:…}` still stand in the transport.
    pub inputs: Vec<InputSpec>,
    /// How to log in to it, where it is remote and asks for that.
    pub oauth: OAuth,
    /// What a person has given for it, wherever it stands now: taken out of everything the server says.
    pub scrub: Vec<Secret>,
    /// Longest time for start and handshake.
    pub startup_timeout_ms: u64,
    /// How much of it is used at once, and how long it is kept.
    pub limits: ServerLimits,
    /// Hash of everything that decides what would be started: trust is bound to it.
    pub content_hash: String,
}

/// What one server is asked to bear. None of it decides what is started.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServerLimits {
    /// Calls on their way to it at once; further ones wait their turn.
    pub calls_in_flight: usize,
    /// Calls that may wait for their turn; further ones are refused.
    pub calls_waiting: usize,
    /// Calls begun in a minute; 0 for any number.
    pub calls_per_minute: u32,
    /// It is stopped after this long without a use, until the next one; 0 keeps it for ever.
    pub idle_stop_ms: u64,
}

impl Default for ServerLimits {
    fn default() -> Self {
        Self { calls_in_flight: 256, calls_waiting: 4_096, calls_per_minute: 0, idle_stop_ms: 1_800_000 }
    }
}

/// A specification with a person's values in it is not printed: they may stand in its arguments and its URL.
impl std::fmt::Debug for ServerSpec {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut out = f.debug_struct("ServerSpec");
        out.field("name", &self.name).field("source", &self.source).field("unresolved", &self.unresolved);
        if self.scrub.is_empty() {
            out.field("transport", &self.transport).field("inputs", &self.inputs);
        }
        out.finish_non_exhaustive()
    }
}

/// What a server is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, TS)]
#[serde(rename_all = "lowercase")]
pub enum ServerState {
    /// Its workspace is not trusted: it will not be started.
    Untrusted,
    /// Configured by the workspace, and not approved by the user yet: its first use asks.
    Unapproved,
    /// Switched off in its configuration.
    Disabled,
    /// Not started yet, or stopped: it starts when it is needed.
    Stopped,
    /// Start or handshake under way.
    Starting,
    /// Connected.
    Ready,
    /// Connected, but its last calls were not answered.
    Degraded,
    /// The last start failed, or it died; the next use tries again.
    Failed,
    /// It crashed too often: it is not started again until a person restarts it.
    Quarantined,
}

/// How bad a problem is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, TS)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Something does not work.
    Error,
    /// Something is probably not meant so.
    Warning,
    /// Something worth knowing.
    Info,
}

/// Something wrong in a configuration file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct Problem {
    /// The file.
    #[ts(type = "string")]
    pub file: PathBuf,
    /// The line, counted from 1.
    pub line: u32,
    /// The column, counted from 1 in UTF-16 units.
    pub column: u32,
    /// How bad it is.
    pub severity: Severity,
    /// What is wrong.
    pub message: String,
    /// What to do.
    pub hint: String,
    /// The server it is about, where it is about one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub server: Option<String>,
}

/// One server as the fronts show it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
pub struct ServerStatus {
    /// The configured name.
    pub name: String,
    /// The name of its module in programs.
    pub identifier: String,
    /// Where it is configured.
    pub source: Source,
    /// `stdio`, `http` or `sse`.
    pub transport: String,
    /// The command line or URL, secrets left out.
    pub target: String,
    /// What it is doing.
    pub state: ServerState,
    /// The revision of the protocol that is spoken with it; absent while it is not connected.
    #[ts(optional)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub protocol: Option<String>,
    /// How many tools it has; absent until it was listed once.
    #[ts(optional)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tools: Option<u32>,
    /// What its definitions cost in a prompt; absent until counted.
    #[ts(optional)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub definition_tokens: Option<u64>,
    /// Why the last start failed or it died.
    #[ts(optional)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_error: Option<String>,
    /// Problems in its configuration.
    pub problems: Vec<Problem>,
}
