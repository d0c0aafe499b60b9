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

/// The function that gives what a server told of a call.
pub(crate) const PROGRESS: &str = "progress/since";

/// Bytes of one progress message.
const MESSAGE_BYTES: usize = 1_000;

/// The function that gives what a subscription has told.
pub(crate) const CHANGES: &str = "updates/since";

#[derive(Deserialize)]
struct Progress {
    message: String,
}

/// What a program asks of the progress of one of its calls, or of one of its subscriptions.
#[derive(Deserialize)]
pub(crate) struct Updates {
    /// The call's handle, its place in the run counted from 1.
    pub(crate) call: u32,
    /// How many updates the program has.
    pub(crate) seen: u64,
    /// Not to wait for a further one.
    pub(crate) now: bool,
}

impl Updates {
    /// What `call` asks, in a run of at most `calls` calls.
    pub(crate) fn of(call: &GuestCall, calls: u32) -> Result<Self, ProgramError> {
        let asked = serde_json::from_str::<Self>(&call.arguments_json).ok();
        asked
            .filter(|asked| (1..=calls).contains(&asked.call))
            .ok_or_else(|| ProgramError::new(ErrorKind::Arguments, "there is no such call"))
    }
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
