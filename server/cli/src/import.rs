//! `tta servers import`: what would come from other tools, or came.

use crate::args::{Common, ImportArgs};
use crate::failure::{Failure, Outcome};
use crate::output::{self, for_stdout};
use crate::session::Session;
use crate::status::problem_line;
use model::import::{ImportOutcome, ImportReply, ImportRequest, ImportedServer};
use model::{Reply, Request};
use std::path::{Path, PathBuf};

pub(crate) async fn import(args: ImportArgs, common: &Common) -> Outcome {
    let dry_run = args.dry_run;
    let request = request(args)?;
    let reply = Session::with(common, async |session| match session.ask(Request::ImportServers(request)).await? {
        Reply::Import(reply) => Ok(reply),
        _ => Err(Failure::fault("the daemon answered another question than the import")),
    })
    .await?;
    if common.json {
        output::json(&reply);
        return Ok(0);
    }
    for server in &reply.servers {
        output::out(&for_stdout(&describe(server)));
    }
    for problem in &reply.problems {
        output::out(&for_stdout(&problem_line(problem)));
    }
    output::out(&for_stdout(&outcome(&reply, dry_run)));
    Ok(0)
}

/// What was asked, paths as they are meant here.
fn request(args: ImportArgs) -> Result<ImportRequest, Failure> {
    let absolute = |path: &Path| {
        std::path::absolute(path).map_err(|e| Failure::usage(format!("{}: {e}", path.display()), "name a file"))
    };
    let mut from = args.from;
    for source in from.iter_mut().filter(|source| Path::new(source.as_str()).exists()) {
        *source = absolute(Path::new(source.as_str()))?.display().to_string();
    }
    let to: Option<PathBuf> = args.to.as_deref().map(absolute).transpose()?;
    let secrets = args.secrets.map(Into::into);
    Ok(ImportRequest { from, to, names: args.names, force: args.force, secrets, dry_run: args.dry_run })
}

/// A server, its entry, and its secrets.
fn describe(server: &ImportedServer) -> String {
    let outcome = match server.outcome {
        ImportOutcome::Added => "added",
        ImportOutcome::Replaced => "replaced",
        ImportOutcome::Same => "there already",
        ImportOutcome::Exists => "not taken, another one has its name: --force replaces it",
    };
    let entry = serde_json::to_string_pretty(&server.entry).expect("JSON is JSON").replace('\n', "\n  ");
    let mut text = format!("{} from {}:{}: {outcome}", server.name, server.source.file.display(), server.source.line);
    if server.outcome != ImportOutcome::Same {
        text = format!("{text}\n  {entry}");
    }
    for secret in &server.secrets {
        let what = match &secret.becomes {
            Some(becomes) => format!("not copied: {becomes}"),
            None => "copied as it stands".to_owned(),
        };
        text = format!("{text}\n  {} looks like a secret and is {what}", secret.place);
    }
    text
}

fn outcome(reply: &ImportReply, dry_run: bool) -> String {
    let is_change = |s: &&ImportedServer| matches!(s.outcome, ImportOutcome::Added | ImportOutcome::Replaced);
    let (changes, to) = (reply.servers.iter().filter(is_change).count(), reply.to.display());
    match (changes, dry_run) {
        (0, _) => format!("{to}: nothing to write"),
        (n, true) => format!("{to}: servers that would be written: {n}"),
        (n, false) => format!("{to}: servers written: {n}"),
    }
}
