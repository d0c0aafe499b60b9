//! What the daemon asks of the editor in front of it: approvals, the editor's own tools, values of `${input:…}`.
//!
//! Every answer is a person's or the editor's word, not a promise: what comes back is checked like anything else.

use crate::ids::RunId;
use crate::secret::Secret;
use crate::server::Source;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use std::path::PathBuf;
use ts_rs::TS;

/// `tta/approve`: may this happen?
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
#[serde(tag = "kind", rename_all = "lowercase")]
pub enum ApprovalRequest {
    /// A server that the workspace configures is to be started for the first time, or was changed since.
    Server {
        /// Its configured name.
        server: String,
        /// Where it is configured.
        source: Source,
        /// `stdio`, `http` or `sse`.
        transport: String,
        /// The exact command line or URL, secrets left out.
        target: String,
        /// Hash of everything that decides what is started: the answer is bound to it.
        content_hash: String,
    },
    /// A program wants to make a call.
    Call {
        /// Which run; its clock stands still while the question is open.
        run_id: RunId,
        /// The run's display name.
        label: String,
        /// The program's line that makes the call, where known.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[ts(optional)]
        line: Option<u32>,
        /// The server's configured name.
        server: String,
        /// The tool's own name.
        tool: String,
        /// Why it is asked: what the server says of the tool, or that it says nothing.
        reason: String,
        /// The arguments as JSON, cut for display.
        arguments: String,
        /// What an answer may be remembered for, narrowest first.
        patterns: Vec<ApprovalPattern>,
    },
}

/// Calls of one tool that an answer covers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct ApprovalPattern {
    /// For people, such as `write_file where path is in notes/`.
    pub label: String,
    /// What each named argument must match: its exact text, or a glob where it ends in `/**`. Empty covers every call.
    pub arguments: BTreeMap<String, String>,
}

/// The answer to `tta/approve`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(tag = "decision", rename_all = "lowercase")]
pub enum ApprovalReply {
    /// No. Also what a closed question means.
    Deny,
    /// This once: a call, or a server until its configuration changes or the daemon ends.
    Once,
    /// For the rest of this run.
    Run,
    /// From now on. A server until its configuration changes; a call by the pattern of that position.
    Always {
        /// Position in `patterns`; 0 for a server.
        #[serde(default)]
        pattern: usize,
    },
}

/// An approval that is remembered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct Approval {
    /// To forget it by.
    pub id: String,
    /// The server's configured name.
    pub server: String,
    /// The tool's own name; absent where it is about starting the server.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub tool: Option<String>,
    /// What it covers.
    pub label: String,
    /// When it was given, milliseconds since 1970.
    pub at_ms: u64,
}

/// One tool of the editor, as `tta/editorTools/list` tells it. Untrusted text.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
pub struct EditorTool {
    /// The name the editor calls it by.
    pub name: String,
    /// Who offers it: an MCP server's label, or the editor's or an extension's name.
    pub server: String,
    /// The tool's own name at that server.
    pub tool: String,
    /// What it does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub description: Option<String>,
    /// JSON Schema of its arguments.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional, type = "Record<string, unknown>")]
    pub input_schema: Option<Map<String, Value>>,
    /// Where the editor serves this tool's server itself, without loss: streamable HTTP on this machine. Whoever knows it
    /// can call there, so that it belongs in no log.
    #[serde(default, deserialize_with = "secret", skip_serializing)]
    #[ts(optional, type = "string")]
    pub url: Option<Secret>,
}

fn secret<'de, D: Deserializer<'de>>(text: D) -> Result<Option<Secret>, D::Error> {
    Option::<String>::deserialize(text).map(|text| text.map(Secret::new))
}

/// `tta/editorTools/call`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
pub struct EditorToolCall {
    /// The name the editor calls it by.
    pub name: String,
    /// The arguments, checked against the schema.
    #[ts(type = "Record<string, unknown>")]
    pub arguments: Map<String, Value>,
    /// Which run asks.
    pub run_id: RunId,
}

/// One block of an editor tool's answer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
#[serde(tag = "type", rename_all = "lowercase")]
pub enum EditorContent {
    /// Text.
    Text {
        /// The text.
        text: String,
    },
    /// An image, base64.
    Image {
        /// Its MIME type.
        mime_type: String,
        /// Base64 data.
        data: String,
    },
}

/// The answer to `tta/editorTools/call`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, TS)]
pub struct EditorToolReply {
    /// The blocks.
    pub content: Vec<EditorContent>,
    /// Why it failed, where it did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub error: Option<String>,
}

/// `tta/openUrl`: a page on which a person logs in to a server.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct OpenUrlRequest {
    /// The server that asks for the login.
    pub server: String,
    /// The page, http or https. It belongs in no log: whoever opens it can finish this login.
    pub url: String,
    /// Where the page sends the browser afterwards, a loopback address of the daemon's machine.
    pub redirect: String,
}

/// `tta/secret/get` of something that was kept by `tta/secret/set`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct KeptRequest {
    /// Under which key.
    pub key: String,
}

/// `tta/secret/get`: the value of an `${input:…}`. The answer is a text or nothing, and is kept in memory only.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct InputRequest {
    /// The input's id.
    pub id: String,
    /// The file that declares or uses it: the same id in another file is another input.
    #[ts(type = "string")]
    pub file: PathBuf,
    /// The server that needs it.
    pub server: String,
    /// What to ask the person, as the file words it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub description: Option<String>,
    /// Whether what is typed is hidden.
    pub password: bool,
    /// The values to choose from; empty for free text.
    #[serde(default)]
    pub options: Vec<String>,
    /// What stands there to begin with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub default: Option<String>,
    /// An earlier value did not work: ask again.
    #[serde(default)]
    pub again: bool,
}
