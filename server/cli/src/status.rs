//! `tta servers` and `tta doctor`: what is there, what is wrong, and how to mend it.

use crate::args::Common;
use crate::failure::{Failure, Outcome};
use crate::output::{self, for_stderr, for_stdout};
use crate::receipt::grouped;
use crate::session::Session;
use crate::tools::table;
use model::reply::Check;
use model::server::Source;
use model::{Problem, Reply, Request, ServerState, ServerStatus, Severity};
use std::collections::BTreeMap;

/// `tta servers`: asks those that were never listed, so that their tools and tokens are known.
pub(crate) async fn servers(common: &Common) -> Outcome {
    let (servers, shadowed, problems) =
        Session::with(common, async |session| match session.ask(Request::Servers { list: true }).await? {
            Reply::Servers(servers) => Ok((servers, session.shadowed(), session.problems())),
            _ => Err(Failure::fault("the daemon answered another question than the servers")),
        })
        .await?;
    if common.json {
        let mut servers = serde_json::json!(servers);
        for server in servers.as_array_mut().into_iter().flatten() {
            let others = server["name"].as_str().and_then(|name| shadowed.get(name));
            server["shadowed"] = serde_json::json!(others.map(Vec::as_slice).unwrap_or_default());
        }
        output::json(&serde_json::json!({ "servers": servers, "problems": problems }));
        return Ok(0);
    }
    for problem in &problems {
        output::out(&for_stdout(&problem_line(problem)));
    }
    if servers.is_empty() {
        output::note("no MCP server is configured: add one to .vscode/mcp.json or .mcp.json, or give --config", false);
        return Ok(0);
    }
    let mut overview = table(&["SERVER", "STATE", "TRANSPORT", "TOOLS", "TOKENS", "SOURCE"]);
    for server in &servers {
        overview.add_row([
            for_stdout(&server.name).into_owned(),
            state(server.state).to_owned(),
            server.transport.clone(),
            server.tools.map_or_else(|| "-".to_owned(), |n| n.to_string()),
            server.definition_tokens.map_or_else(|| "-".to_owned(), grouped),
            format!("{}:{}", server.source.file.display(), server.source.line),
        ]);
    }
    output::out(&overview.to_string());
    for line in precedence(&servers, &shadowed) {
        output::out(&for_stdout(&line));
    }
    for server in &servers {
        for line in troubles(server) {
            output::out(&for_stdout(&line));
        }
    }
    Ok(0)
}

/// `tta servers restart`: starts it in this process and ends it with it; what stays is that it is let out of quarantine.
pub(crate) async fn restart(name: &str, common: &Common) -> Outcome {
    let request = Request::RestartServer { server: name.to_owned() };
    let servers = Session::with_servers(common, async |session| match session.ask(request).await? {
        Reply::Servers(servers) => Ok(servers),
        _ => Err(Failure::fault("the daemon answered another question than the restart")),
    })
    .await?;
    let server = servers.iter().find(|s| s.name == name || s.identifier == name);
    if common.json {
        output::json(&serde_json::json!({ "server": server }));
    } else if let Some(server) = server {
        output::out(&for_stdout(&format!("{}: {}", server.name, state(server.state))));
    }
    Ok(0)
}

/// `tta servers log`: starts nothing.
pub(crate) async fn log(name: &str, common: &Common) -> Outcome {
    let request = Request::ServerLog { server: name.to_owned() };
    let log = Session::with(common, async |session| match session.ask(request).await? {
        Reply::ServerLog(log) => Ok(log),
        _ => Err(Failure::fault("the daemon answered another question than for the log")),
    })
    .await?;
    if common.json {
        output::json(&serde_json::json!({ "log": log }));
    } else if log.is_empty() {
        output::say(&format!("nothing is known that {} said", for_stderr(name)));
    } else {
        output::out(&for_stdout(log.trim_end()));
    }
    Ok(0)
}

/// `tta doctor`: 0 where every check holds, else 1.
pub(crate) async fn doctor(common: &Common) -> Outcome {
    let checks = Session::with(common, async |session| match session.ask(Request::Doctor).await? {
        Reply::Doctor(checks) => Ok(checks),
        _ => Err(Failure::fault("the daemon answered another question than the doctor's")),
    })
    .await?;
    let sound = checks.iter().all(|check| check.ok);
    if common.json {
        output::json(&serde_json::json!({ "ok": sound, "checks": checks }));
    } else {
        for check in &checks {
            output::out(&for_stdout(&diagnosis(check)));
        }
    }
    Ok(u8::from(!sound))
}

fn state(state: ServerState) -> &'static str {
    match state {
        ServerState::Untrusted => "untrusted",
        ServerState::Unapproved => "unapproved",
        ServerState::Disabled => "disabled",
        ServerState::Stopped => "stopped",
        ServerState::Starting => "starting",
        ServerState::Ready => "ready",
        ServerState::Degraded => "degraded",
        ServerState::Failed => "failed",
        ServerState::Quarantined => "quarantined",
    }
}

/// Which file won where several have a server of one name.
fn precedence(servers: &[ServerStatus], shadowed: &BTreeMap<String, Vec<Source>>) -> Vec<String> {
    let place = |source: &Source| format!("{}:{}", source.file.display(), source.line);
    let mut lines: Vec<String> = servers
        .iter()
        .filter_map(|server| {
            let others: Vec<String> = shadowed.get(&server.name)?.iter().map(place).collect();
            Some(format!("{}: {} is used, not {}", server.name, place(&server.source), others.join(", ")))
        })
        .collect();
    if !lines.is_empty() {
        lines.insert(0, String::new());
        lines.push("The first file counts, in this order: --config, tta.toml, the workspace's, the user's.".to_owned());
    }
    lines
}

/// What is wrong with a server, a line each.
fn troubles(server: &ServerStatus) -> Vec<String> {
    let mut lines = Vec::new();
    if server.state == ServerState::Untrusted {
        let target = &server.target;
        lines.push(format!("\n{}: the workspace is not trusted; --trust starts `{target}`", server.name));
    }
    if let Some(error) = &server.last_error {
        lines.push(format!("\n{}: {error}", server.name));
    }
    lines.extend(server.problems.iter().map(|problem| format!("\n{}", problem_line(problem))));
    lines
}

/// Where a problem is, what it is, and how to mend it.
pub(crate) fn problem_line(problem: &Problem) -> String {
    let severity = match problem.severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Info => "info",
    };
    let place = format!("{}:{}:{}", problem.file.display(), problem.line, problem.column);
    format!("{place}: {severity}: {}\n  {}", problem.message, problem.hint)
}

fn diagnosis(check: &Check) -> String {
    let mark = if check.ok { "ok  " } else { "FAIL" };
    let mend = if check.mend.is_empty() { String::new() } else { format!("\n       mend: {}", check.mend) };
    format!("{mark}  {}: {}{mend}", check.name, check.detail)
}
