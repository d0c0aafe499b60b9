//! The sandbox's own functions, which programs reach through `import tta`: not calls of a server, so not in the facts.

use crate::core::Core;
use crate::search;
use crate::snapshot::Snapshot;
use engine::GuestCall;
use engine::host::CallError;
use model::{ErrorKind, Language, ProgramError, RunEvent, RunId, SearchRequest};
use serde::Deserialize;
use std::sync::Arc;

/// The reserved server name.
pub(crate) const SERVER: &str = "tta";

/// Bytes of one progress message.
const MESSAGE_BYTES: usize = 1_000;

#[derive(Deserialize)]
struct Progress {
    message: String,
}

/// Answers one function of the sandbox.
pub(crate) async fn call(
    core: Arc<Core>,
    snapshot: Arc<Snapshot>,
    run_id: RunId,
    language: Language,
    call: GuestCall,
) -> Result<String, CallError> {
    let fail = |kind, message: String| CallError {
        error: ProgramError::new(kind, message),
        server: SERVER.to_owned(),
        tool: call.tool.clone(),
    };
    let arguments = |e: serde_json::Error| fail(ErrorKind::Arguments, format!("tta.{}: {e}", call.tool));
    match call.tool.as_str() {
        "progress" => {
            let Progress { message } = serde_json::from_str(&call.arguments_json).map_err(arguments)?;
            let message = crate::call::bounded(&message, MESSAGE_BYTES).to_owned();
            core.notify_run(RunEvent::Progress { run_id, message });
            Ok("null".to_owned())
        }
        "search_tools" => {
            let mut request: SearchRequest = serde_json::from_str(&call.arguments_json).map_err(arguments)?;
            request.language.get_or_insert(language);
            let found = search::search(&core, &snapshot, &request).await;
            let found = found.map_err(|message| fail(ErrorKind::UnknownTool, message))?;
            serde_json::to_string(&found.hits).map_err(|e| fail(ErrorKind::Fault, e.to_string()))
        }
        other => Err(fail(ErrorKind::UnknownTool, format!("tta has no function `{other}`"))),
    }
}
