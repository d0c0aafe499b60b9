//! `tta bench tokens`: replays task sets without a model, every call for real through the one door, once as programs and once
//! directly, and says what each way costs.
//!
//! A task set is a file of lines of JSON, a task each: the scenario that its servers are to play, and for each turn of the
//! user the calls that are right and one program that makes them. Servers learn the scenario from a file, which is written
//! anew before each task and each pass. A task counts only where both passes give equal answers; the others are named.

mod suite;
mod sums;

use crate::args::{BenchTokensArgs, Common};
use crate::failure::{Failure, Outcome};
use crate::output::{self, note};
use crate::session::Session;
use model::report::ConversationReport;
use model::{CallRequest, ConversationId, Language, Reply, Request, RunRequest, RunStatus};
use serde_json::Value;
use suite::{Suite, Task, Turn};
use sums::Sums;

/// `tta bench tokens`.
pub(crate) async fn tokens(args: BenchTokensArgs, common: &Common) -> Outcome {
    let suites = args.suites.iter().map(|file| Suite::open(file)).collect::<Result<Vec<_>, _>>()?;
    Session::with_servers(common, async |session| {
        // Every configured server's definitions count in one baseline: they are listed before the first run.
        session.ask(Request::Servers { list: true }).await?;
        let mut results = Vec::with_capacity(suites.len());
        for suite in suites {
            results.push(replay(&session, suite, &args, common.quiet).await?);
        }
        if common.json {
            output::json(&results);
        } else {
            output::out(&sums::table(&results));
        }
        Ok(u8::from(results.iter().any(|sums| sums.compared() == 0)))
    })
    .await
}

async fn replay(session: &Session, suite: Suite, args: &BenchTokensArgs, quiet: bool) -> Result<Sums, Failure> {
    let mut sums = Sums::new(&suite.name);
    for task in suite.take(args.limit.unwrap_or(usize::MAX)) {
        let task = task?;
        match both(session, &task, args).await? {
            Ok(report) => sums.add(&task.name, &report),
            Err(why) => {
                note(&format!("{}: left out: {why}", task.name), quiet);
                sums.leave_out(&task.name, why);
            }
        }
    }
    Ok(sums)
}

/// Plays a task both ways. The inner error says why it cannot be compared.
async fn both(
    session: &Session,
    task: &Task,
    args: &BenchTokensArgs,
) -> Result<Result<ConversationReport, String>, Failure> {
    let conversation = ConversationId::new();
    task.stage(&args.scenario, "program")?;
    let mut answers = Vec::with_capacity(task.turns.len());
    for turn in &task.turns {
        match program(session, turn, &conversation).await? {
            Ok(values) => answers.push(values),
            Err(why) => return Ok(Err(why)),
        }
    }
    task.stage(&args.scenario, "direct")?;
    for (turn, values) in task.turns.iter().zip(&answers) {
        for (call, value) in turn.calls.iter().zip(values) {
            let direct = direct(session, call).await?;
            if direct.as_ref() != Ok(value) {
                return Ok(Err(format!("`{}` answers otherwise when it is called directly", call.tool)));
            }
        }
    }
    match session.ask(Request::Conversation { conversation }).await? {
        Reply::Conversation(report) => Ok(Ok(*report)),
        _ => Err(Failure::fault("the daemon answered another question than what the conversation cost")),
    }
}

/// Runs a turn's program: the answer of each of its calls.
async fn program(
    session: &Session,
    turn: &Turn,
    conversation: &ConversationId,
) -> Result<Result<Vec<Value>, String>, Failure> {
    let request = RunRequest { code: turn.program.clone(), language: Some(Language::Python), ..RunRequest::default() };
    let Reply::Run(reply) = session.ask_in(Request::Run(request), conversation).await? else {
        return Err(Failure::fault("the daemon answered another question than the run"));
    };
    if reply.status != RunStatus::Ok {
        let why = reply.error.map(|error| error.message).unwrap_or_default();
        return Ok(Err(format!("the program ended with {}: {why}", reply.status.as_str())));
    }
    let values = reply.result.as_deref().and_then(|raw| serde_json::from_str::<Vec<Value>>(raw.get()).ok());
    Ok(match values {
        Some(values) if values.len() == turn.calls.len() => Ok(values),
        _ => Err("the program did not return one answer for each call".to_owned()),
    })
}

async fn direct(session: &Session, call: &suite::Call) -> Result<Result<Value, String>, Failure> {
    let request = CallRequest {
        server: call.server.clone(),
        tool: call.tool.clone(),
        arguments: Some(call.arguments.clone()),
        timeout_ms: None,
    };
    let Reply::Call(reply) = session.ask(Request::Call(request)).await? else {
        return Err(Failure::fault("the daemon answered another question than the call"));
    };
    let value = reply.value.as_deref().and_then(|raw| serde_json::from_str(raw.get()).ok());
    Ok(value.ok_or_else(|| reply.error.map(|error| error.message).unwrap_or_default()))
}
