//! `tta doctor`: what is wrong with this installation, and how to mend it. Every limit is fired once and must hold.

use crate::core::Core;
use crate::direct;
use crate::snapshot::{Entry, Snapshot};
use futures::future::join_all;
use model::reply::Check;
use model::{Language, Problem, ServerState, Severity};

/// All checks, in the order in which a person would look.
pub(crate) async fn check(core: &Core, snapshot: &Snapshot) -> Vec<Check> {
    let mut checks = vec![trust(core, snapshot)];
    checks.extend(unapproved(snapshot));
    checks.extend(configuration(core, snapshot));
    let mut guests = true;
    for language in [Language::Python, Language::JavaScript] {
        let check = guest(core, language).await;
        guests &= check.ok;
        checks.push(check);
    }
    if guests {
        checks.extend(core.engine.canary().await);
    }
    checks.push(ledger(core).await);
    checks.extend(servers(core, snapshot).await);
    checks.extend(direct_tools(core, snapshot).await);
    checks
}

/// What is offered to models beside our own tools, and what was to be and is not. Its servers have been listed.
async fn direct_tools(core: &Core, snapshot: &Snapshot) -> Vec<Check> {
    let found = direct::listed(core, snapshot).await;
    let offered = found.tools.iter().map(|tool| Check {
        name: format!("direct tool {}.{}", tool.server, tool.tool),
        ok: true,
        detail: format!("offered as {}", tool.definition.name),
        mend: String::new(),
    });
    offered.chain(found.problems.iter().map(|problem| configured(core, problem))).collect()
}

fn trust(core: &Core, snapshot: &Snapshot) -> Check {
    let waiting = snapshot.servers.iter().filter(|e| e.state == ServerState::Untrusted).count();
    Check {
        name: "workspace trust".to_owned(),
        ok: waiting == 0,
        detail: match waiting {
            0 => format!("{}: nothing waits for trust", core.paths.workspace.display()),
            n => {
                format!("{}: {n} servers are not started, the workspace is not trusted", core.paths.workspace.display())
            }
        },
        mend: if waiting == 0 { String::new() } else { "read the configuration, then run with --trust".to_owned() },
    }
}

/// Nothing is wrong where a server waits for its first use, but who looks for it should know.
fn unapproved(snapshot: &Snapshot) -> Option<Check> {
    let waiting = snapshot.servers.iter().filter(|e| e.state == ServerState::Unapproved);
    let names: Vec<&str> = waiting.map(|e| e.spec.name.as_str()).collect();
    let detail = format!("{} start after a person's yes, asked at the first use", names.join(", "));
    let name = "approval of servers".to_owned();
    (!names.is_empty()).then(|| Check { name, ok: true, detail, mend: String::new() })
}

fn configuration<'a>(core: &'a Core, snapshot: &'a Snapshot) -> impl Iterator<Item = Check> + 'a {
    snapshot.problems.iter().filter(|p| p.severity != Severity::Info).map(|p| configured(core, p))
}

fn configured(core: &Core, problem: &Problem) -> Check {
    Check {
        name: format!("{}:{}", core.paths.shown(&problem.file), problem.line),
        ok: false,
        detail: problem.message.clone(),
        mend: problem.hint.clone(),
    }
}

async fn guest(core: &Core, language: Language) -> Check {
    let started = std::time::Instant::now();
    let warmed = core.engine.warm(language).await;
    let name = format!("{} guest", language.as_str());
    match warmed {
        Ok(()) => Check {
            name,
            ok: true,
            detail: format!("ready in {} ms", started.elapsed().as_millis()),
            mend: String::new(),
        },
        Err(e) => Check { name, ok: false, detail: e.to_string(), mend: "build the guests: npm start".to_owned() },
    }
}

/// Every page of the ledger, and what went wrong with it since the start.
async fn ledger(core: &Core) -> Check {
    let name = "ledger".to_owned();
    let file = core.paths.data.join("ledger.db").display().to_string();
    let faults = match core.ledger.check().await {
        Ok(faults) => faults.into_iter().chain(core.ledger.problem()).collect::<Vec<_>>(),
        Err(e) => vec![e.to_string()],
    };
    if faults.is_empty() {
        return Check { name, ok: true, detail: file, mend: String::new() };
    }
    let mend = "free disk space, or move the data folder; a damaged ledger is set aside, and what can be read of it taken over".to_owned();
    let faults = faults.join("; ");
    // Most of them name the file by themselves.
    let detail = if faults.contains(&file) { faults } else { format!("{file}: {faults}") };
    Check { name, ok: false, detail, mend }
}

async fn servers(core: &Core, snapshot: &Snapshot) -> Vec<Check> {
    let ours: Vec<&Entry> = snapshot.usable().filter(|e| e.offer.is_none()).collect();
    let answers = join_all(ours.iter().map(|e| core.bridge.tools(&e.spec.name))).await;
    ours.into_iter()
        .zip(answers)
        .map(|(entry, answer)| {
            let name = format!("server {}", entry.spec.name);
            let asks = entry.spec.unresolved.is_empty() && !entry.spec.inputs.is_empty();
            match answer {
                Ok(tools) => Check { name, ok: true, detail: format!("{} tools", tools.len()), mend: String::new() },
                // Nothing is wrong with it: nobody has needed it yet.
                Err(e @ bridge::Error::Unresolved { .. }) if asks => {
                    Check { name, ok: true, detail: e.to_string(), mend: String::new() }
                }
                Err(e) => Check { name, ok: false, detail: e.to_string(), mend: e.hint() },
            }
        })
        .collect()
}
