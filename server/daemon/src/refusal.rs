//! What a program asks of the door, read and refused: arguments that are none, servers and tools that do not exist or may not
//! be used. Each refusal tells the program's writer how to mend it.

use crate::call::bounded;
use crate::facts::NAME_BYTES;
use crate::snapshot::{Entry, Snapshot};
use catalog::ServerTools;
use engine::GuestCall;
use model::{CallStatus, ErrorKind, Method, ProgramError, Severity};
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Map, Value};

/// Why a call failed, before it is handed to the program.
pub(crate) struct Failure {
    pub(crate) status: CallStatus,
    pub(crate) error: ProgramError,
}

impl Failure {
    pub(crate) fn new(
        status: CallStatus,
        kind: ErrorKind,
        message: impl Into<String>,
        hint: impl Into<String>,
    ) -> Self {
        Self { status, error: ProgramError::new(kind, message).with_hint(hint) }
    }

    pub(crate) fn denied(error: ProgramError) -> Self {
        Self { status: CallStatus::Denied, error }
    }
}

/// Turns `tools/call` into the call of its tool; true where all that the server says is wanted.
pub(crate) fn unwrap_whole(call: &mut GuestCall) -> bool {
    #[derive(Deserialize)]
    struct Whole {
        name: String,
        #[serde(default)]
        arguments: Option<Box<RawValue>>,
    }
    if Method::of(&call.tool) != Some(Method::CallTool) {
        return false;
    }
    // Anything else is no tool's name, and told so.
    let Ok(Whole { name, arguments }) = serde_json::from_str(&call.arguments_json) else { return false };
    call.tool = name;
    call.arguments_json = arguments.map_or_else(|| "{}".to_owned(), |json| json.get().to_owned());
    true
}

/// The object that a tool takes.
pub(crate) fn parse_arguments(json: &str) -> Result<Value, Failure> {
    match serde_json::from_str::<Value>(json) {
        Ok(Value::Null) => Ok(Value::Object(Map::new())),
        Ok(value @ Value::Object(_)) => Ok(value),
        Ok(_) => Err(Failure::new(
            CallStatus::Error,
            ErrorKind::Arguments,
            "the arguments of a tool are one object",
            "pass keyword arguments, or one dict or object",
        )),
        Err(e) => Err(Failure::new(
            CallStatus::Error,
            ErrorKind::Arguments,
            format!("the arguments are not JSON: {e}"),
            "pass only JSON values: strings, numbers, booleans, null, lists and objects",
        )),
    }
}

/// A server of a workspace that nobody trusts. `file` is the one that configures it.
pub(crate) fn untrusted(server: &str, file: &str) -> Failure {
    let message = format!(
        "server `{server}` is configured by this workspace ({file}), which is not trusted, so it was not started"
    );
    let hint = "a person must trust the workspace: `--trust` on the command line, or Workspace Trust in the editor";
    Failure::new(CallStatus::Denied, ErrorKind::Denied, message, hint)
}

/// A server that is switched off.
pub(crate) fn disabled(server: &str) -> Failure {
    let message = format!("server `{server}` is disabled in its configuration");
    Failure::new(CallStatus::Denied, ErrorKind::Denied, message, "use another server, or ask for it to be enabled")
}

/// With the nearest name, and why a server may be missing.
pub(crate) fn unknown_server(snapshot: &Snapshot, server: &str) -> Failure {
    let server = bounded(server, NAME_BYTES);
    let names: Vec<&str> = snapshot.servers.iter().map(|e| &*e.identifier).collect();
    let mut hint = match catalog::nearest(server, names.iter().copied()).first() {
        _ if names.is_empty() => "no server is configured: add one to .vscode/mcp.json or .mcp.json".to_owned(),
        Some(near) => format!("did you mean `{near}`? Configured: {}", names.join(", ")),
        None => format!("configured: {}", names.join(", ")),
    };
    if let Some(problem) = snapshot.stray_problems().find(|p| p.severity == Severity::Error) {
        let file = problem.file.file_name().unwrap_or_default().to_string_lossy();
        hint = format!("{file}, line {}: {}; {hint}", problem.line, problem.message);
    }
    Failure::new(CallStatus::Error, ErrorKind::UnknownTool, format!("there is no server \"{server}\""), hint)
}

/// With the nearest names.
pub(crate) fn unknown_tool(tools: &ServerTools, entry: &Entry, tool: &str) -> Failure {
    let tool = bounded(tool, NAME_BYTES);
    let near = tools.nearest(tool);
    let hint = if near.is_empty() {
        format!("search_tools lists the tools of {}", entry.identifier)
    } else {
        format!("did you mean {}?", near.join(", "))
    };
    let message = format!("server `{}` has no tool `{tool}`", entry.spec.name);
    Failure::new(CallStatus::Error, ErrorKind::UnknownTool, message, hint)
}
