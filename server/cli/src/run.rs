//! `tta run`: one program, its result on stdout, everything else on stderr.

use crate::args::{Common, RunArgs};
use crate::failure::Failure;
use crate::output::{self, describe, for_stderr, note, say};
use crate::session::Session;
use crate::{program, receipt};
use model::{Reply, Request, RunReply, RunRequest};
use std::io::IsTerminal as _;

/// Runs the program and reports it. With `--json` exactly one object is printed, whatever happens.
pub(crate) async fn run(args: &RunArgs, common: &Common) -> u8 {
    let request = match program::request(args) {
        Ok(request) => request,
        Err(failure) => return refused(failure, None, common.json),
    };
    let language = request.language;
    match Session::with_servers(common, async |session| execute(&session, request, common).await).await {
        Ok(code) => code,
        Err(failure) => refused(failure, language, common.json),
    }
}

async fn execute(session: &Session, request: RunRequest, common: &Common) -> Result<u8, Failure> {
    let code = request.code.clone();
    let Reply::Run(mut reply) = session.ask(Request::Run(request)).await? else {
        return Err(Failure::fault("the daemon answered another question than the run"));
    };
    if !common.json {
        show(&reply, &code, common.quiet);
    }
    if common.json || !common.quiet {
        add_receipt(session, &mut reply).await;
    }
    if common.json {
        output::json(&reply);
    } else if !common.quiet {
        for line in receipt::text(&reply).lines() {
            note(line, false);
        }
    }
    Ok(reply.exit_code())
}

/// The ledger counts after the program has its answer; a receipt that cannot be had is left out.
async fn add_receipt(session: &Session, reply: &mut RunReply) {
    match session.ask(Request::Receipt { run_id: reply.run_id.clone() }).await {
        Ok(Reply::Receipt(report, result_tokens)) => reply.add_receipt(*report, &result_tokens),
        Ok(_) => {}
        Err(failure) => tracing::warn!("no receipt: {}", failure.0.message),
    }
}

fn show(reply: &RunReply, code: &str, quiet: bool) {
    if reply.language_guessed && reply.status != model::RunStatus::Ok {
        note(&format!("the language was guessed to be {}; --lang says it", reply.language.as_str()), false);
    } else if reply.language_guessed {
        note(&format!("language: {} (guessed)", reply.language.as_str()), quiet);
    }
    for printed in [&reply.stdout, &reply.stderr] {
        let printed = printed.trim_end_matches('\n');
        if !printed.is_empty() {
            say(&for_stderr(printed));
        }
    }
    let shown = reply.result.as_ref().and_then(|r| output::value(r.get(), std::io::stdout().is_terminal()));
    if let Some(value) = shown {
        output::out(&value);
    }
    for cut in &reply.truncated {
        let whole = cut.artifact.as_ref().map(|file| format!("; all of it: {file}")).unwrap_or_default();
        note(&format!("{} cut to {} of {} bytes{whole}", cut.what, cut.kept_bytes, cut.total_bytes), false);
    }
    if let Some(error) = &reply.error {
        say(&describe(error, Some(code)));
    }
}

/// The report of a program that never started.
fn refused(failure: Failure, language: Option<model::Language>, json: bool) -> u8 {
    if !json {
        return output::failure(&failure, false);
    }
    let reply = RunReply::refused(failure.0, language);
    output::json(&reply);
    reply.exit_code()
}
