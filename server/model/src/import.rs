//! Taking servers over from other tools' files: what is asked, and what came of it.

use crate::server::{Problem, Source};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::path::PathBuf;
use ts_rs::TS;

/// What becomes of a value that looks like a secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "lowercase")]
pub enum SecretHandling {
    /// `${input:ID}`: the editor asks for it.
    Input,
    /// A variable of the environment.
    Env,
    /// It is copied as it stands.
    Copy,
}

/// Take servers over from other tools.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(deny_unknown_fields, default)]
pub struct ImportRequest {
    /// Tools by their names (`claude`, `cursor`, …) and files by their paths; every tool but the editor itself where empty.
    pub from: Vec<String>,
    /// The file to write; `.vscode/mcp.json` of the workspace's first folder where absent.
    #[ts(optional, type = "string")]
    pub to: Option<PathBuf>,
    /// Only these servers; all where empty.
    pub names: Vec<String>,
    /// Replace servers that have the same name.
    pub force: bool,
    /// What becomes of secrets; `input` where the file can ask, else `env`.
    #[ts(optional)]
    pub secrets: Option<SecretHandling>,
    /// Write nothing.
    pub dry_run: bool,
}

/// What becomes of one server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "lowercase")]
pub enum ImportOutcome {
    /// It is new.
    Added,
    /// It takes the place of another one.
    Replaced,
    /// It is there already, just so.
    Same,
    /// Another one of the same name is there, and stays.
    Exists,
}

/// A value that looks like a secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct ImportedSecret {
    /// Where it stands: `env.API_KEY`, `headers.Authorization`, `args[2]` or `url`.
    pub place: String,
    /// What stands there instead; absent where it was copied.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub becomes: Option<String>,
}

/// One server that can be taken over.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
pub struct ImportedServer {
    /// Its name.
    pub name: String,
    /// Where it comes from.
    pub source: Source,
    /// What becomes of it.
    pub outcome: ImportOutcome,
    /// Its entry as it is written, secrets that are copied left out.
    #[ts(type = "unknown")]
    pub entry: Value,
    /// What looks like a secret in it.
    pub secrets: Vec<ImportedSecret>,
}

/// What came of it, or would.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
pub struct ImportReply {
    /// The file.
    #[ts(type = "string")]
    pub to: PathBuf,
    /// Whether it was written.
    pub written: bool,
    /// The servers, in the order of their files.
    pub servers: Vec<ImportedServer>,
    /// What could not be taken over, with its place.
    pub problems: Vec<Problem>,
}
