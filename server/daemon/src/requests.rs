//! What each request does. A request has a task of its own and the snapshot of its moment.

use crate::approve::Session;
use crate::call::Door;
use crate::core::Core;
use crate::editor::Asker;
use crate::error::Error;
use crate::servers::Hand;
use crate::snapshot::Snapshot;
use crate::{artifacts, direct, doctor, editor_tools, import, report, run, search, servers};
use engine::{GuestCall, RunClock, ToolHost as _};
use model::direct::WITHOUT_PROGRAM;
use model::reply::{CallReply, RunDetail};
use model::{CallRequest, Language, Method, Origin, Reply, Request, RunId, SearchRequest};
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// How long the details of a run wait for its tokens.
const COUNTED_SOON: Duration = Duration::from_secs(1);
/// Why a call by hand subscribes to nothing: it has one answer, and there would be none.
const ONLY_PROGRAMS: &str =
    "only a program can subscribe to a resource: `async for update in SERVER.resources.subscribe(uri)`";
/// Runs in the list at most.
const RUNS_MAX: usize = 1_000;

/// Who asks, for what run, and how to stop it.
#[derive(Debug)]
pub(crate) struct Caller {
    pub(crate) run_id: RunId,
    pub(crate) origin: Origin,
    /// Who can ask a person on behalf of it; the editor, where absent.
    pub(crate) asker: Option<Arc<dyn Asker>>,
    pub(crate) cancel: CancellationToken,
}

/// Answers a request. A run that is cancelled still replies and says so; anything else ends at once.
pub(crate) async fn answer(
    core: Arc<Core>,
    snapshot: Arc<Snapshot>,
    request: Request,
    caller: Caller,
) -> Result<Reply, Error> {
    if let Request::Run(request) = request {
        return Ok(Reply::Run(Box::new(run::run(core, snapshot, request, caller).await)));
    }
    let cancel = caller.cancel.clone();
    tokio::select! {
        biased;
        () = cancel.cancelled() => Err(Error::Cancelled),
        answer = other(core, snapshot, request, caller) => answer,
    }
}

async fn other(core: Arc<Core>, snapshot: Arc<Snapshot>, request: Request, caller: Caller) -> Result<Reply, Error> {
    let hand = Hand { core: &core, snapshot: &snapshot, asker: caller.asker.as_ref() };
    match request {
        Request::Run(_) => unreachable!("answered above"),
        Request::Search(request) => discover(&core, &snapshot, &request, &caller.origin).await,
        Request::Call(request) => call(core, snapshot, caller, request).await,
        Request::DirectTools => Ok(Reply::DirectTools(Arc::clone(&direct::listed(&core, &snapshot).await.tools))),
        Request::Servers { list } => Ok(Reply::Servers(servers::all(&core, &snapshot, list).await)),
        Request::RestartServer { server } => servers::restart(hand, &server).await,
        Request::StopServer { server } => servers::stop(&core, &snapshot, &server).await,
        Request::Login { server } => servers::login(hand, &server).await,
        Request::Logout { server } => servers::logout(&core, &snapshot, &server).await,
        Request::ImportServers(request) => import::servers(core, request).await,
        Request::ServerLog { server } => servers::log(&core, &snapshot, &server).await,
        Request::ServerTools { server } => servers::tools(hand, &server).await,
        Request::Savings => Ok(Reply::Savings(Box::new(core.savings()))),
        Request::Runs { limit } => {
            core.ledger.runs(limit.min(RUNS_MAX)).await.map(Reply::Runs).map_err(|e| Error::Fault(e.to_string()))
        }
        Request::Report(request) => {
            report::savings(&core, &snapshot, request).await.map(|it| Reply::Report(Box::new(it)))
        }
        Request::RenderReport(request) => report::render(&core, &snapshot, request).await.map(Reply::Rendered),
        Request::Explain(request) => {
            report::explain(&core, &snapshot, &request).await.map(|it| Reply::Explain(Box::new(it)))
        }
        Request::RunCalls { run_id } => {
            core.ledger.run_calls(&run_id).await.map(Reply::RunCalls).map_err(|e| Error::Fault(e.to_string()))
        }
        Request::ExportLedger { format, since_ms, after } => {
            core.ledger.export(format, since_ms, after).await.map(Reply::LedgerPart).map_err(report::refused)
        }
        Request::ImportLedger { file } => core.ledger.import(file).await.map(Reply::Imported).map_err(report::refused),
        Request::LiveRuns => Ok(Reply::LiveRuns(core.details.live())),
        Request::Conversation { conversation } => {
            report::conversation(&core, &snapshot, &conversation).await.map(|it| Reply::Conversation(Box::new(it)))
        }
        Request::Receipt { run_id } => {
            let receipt = core.ledger.receipt(&run_id).await;
            let (report, calls) = receipt.ok_or_else(|| Error::Usage(format!("there is no run {run_id}")))?;
            Ok(Reply::Receipt(Box::new(report), calls))
        }
        Request::RunDetail { run_id } => Ok(Reply::RunDetail(detail(&core, &run_id).await)),
        Request::RunResult { run_id, offset, bytes } => {
            artifacts::read(&core.paths.data, &run_id, offset, bytes).await.map(Reply::RunResult)
        }
        Request::StopRun { run_id } => Ok(Reply::Done(core.details.stop(&run_id))),
        Request::Approvals => Ok(Reply::Approvals(core.approvals.list())),
        Request::ForgetApproval { id } => forget(&core, id).await,
        Request::EditorToolsChanged => Ok(Reply::Done(editor_tools::changed(&core))),
        Request::Doctor => Ok(Reply::Doctor(doctor::check(&core, &snapshot).await)),
    }
}

/// A search by a model costs tokens, so the ledger learns of it; one by a person does not.
async fn discover(core: &Core, snapshot: &Snapshot, request: &SearchRequest, origin: &Origin) -> Result<Reply, Error> {
    let found = search::search(core, snapshot, request).await.map_err(Error::Usage)?;
    if origin.front == "mcp" {
        let arguments = serde_json::to_string(request).unwrap_or_default();
        core.ledger.discovery(&origin.conversation, arguments.into(), model::reply_text::search_text(&found).into());
    }
    Ok(Reply::Search(found))
}

/// One run for people, with its calls' tokens where they are counted soon.
async fn detail(core: &Core, run_id: &RunId) -> Option<Box<RunDetail>> {
    let mut detail = Box::new(core.details.get(run_id)?);
    if detail.status.is_some()
        && let Ok(Some((_, tokens))) = tokio::time::timeout(COUNTED_SOON, core.ledger.receipt(run_id)).await
    {
        for (call, tokens) in detail.calls.iter_mut().zip(tokens) {
            call.record.result_tokens = Some(tokens);
        }
    }
    Some(detail)
}

/// Takes approvals back, and sees to it that a server without one stops.
async fn forget(core: &Arc<Core>, id: Option<String>) -> Result<Reply, Error> {
    let of = Arc::clone(core);
    let forgotten = tokio::task::spawn_blocking(move || of.approvals.forget(id.as_deref())).await;
    forgotten
        .map_err(|e| Error::Fault(e.to_string()))?
        .map_err(|e| Error::Fault(format!("the approvals cannot be written: {e}")))?;
    core.inbox.approvals().await?;
    Ok(Reply::Approvals(core.approvals.list()))
}

/// A front's call of one tool, through the same door as a program's.
async fn call(core: Arc<Core>, snapshot: Arc<Snapshot>, caller: Caller, request: CallRequest) -> Result<Reply, Error> {
    if Method::of(&request.tool) == Some(Method::Subscribe) {
        return Err(Error::Usage(ONLY_PROGRAMS.to_owned()));
    }
    let mut limits = core.limits(&snapshot, None, None);
    if let Some(ms) = request.timeout_ms.or(core.options.timeout_ms) {
        limits.call_timeout_ms = ms.min(limits.deadline_ms);
        limits.call_total_ms = limits.call_timeout_ms;
    }
    let milliseconds = Duration::from_millis;
    let (deadline, pause_limit) = (milliseconds(limits.deadline_ms), milliseconds(limits.pause_ms));
    let what = if caller.origin.front == "mcp" { WITHOUT_PROGRAM } else { "a call by hand" };
    let session = Session::new(caller.run_id, what, caller.asker);
    let span = core.telemetry.direct(&caller.origin);
    let door = Door::new(Arc::clone(&core), snapshot, session, Language::Python, limits, span);
    let call = GuestCall {
        index: 0,
        server: request.server,
        tool: request.tool,
        arguments_json: request.arguments.map_or_else(|| "{}".to_owned(), |value| value.to_string()),
        line: None,
        wave: 0,
        clock: RunClock::new(deadline, pause_limit),
    };
    let answer = door.call(call).await;
    let fact = door.take_facts().pop();
    let fact = fact.ok_or_else(|| Error::Usage("`tta` is the sandbox itself, not a server".to_owned()))?;
    let record = fact.record.clone();
    core.ledger.direct_call(run::now_ms(), fact);
    let (value, error) = match answer {
        Ok(json) => (serde_json::value::RawValue::from_string(json).ok(), None),
        Err(failed) => (None, Some(failed.error)),
    };
    Ok(Reply::Call(Box::new(CallReply { record, value, error })))
}
