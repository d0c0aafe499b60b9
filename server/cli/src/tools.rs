//! `tta tools` and `tta call`: the catalog, and one call through the same door as a program's.

use crate::args::{CallArgs, Common, Shape, ToolsCommand};
use crate::failure::{Failure, Outcome};
use crate::output::{self, describe, for_stdout, note, say};
use crate::program::json_or_file;
use crate::session::Session;
use comfy_table::{ContentArrangement, Table, presets};
use model::reply::{CallReply, SearchReply};
use model::{CallRequest, Detail, Language, Reply, Request, SearchRequest, reply_text};
use std::io::IsTerminal as _;

/// Every tool that a list can show.
const ALL: usize = 1_000;

/// `tta tools search`, `list` and `show`.
pub(crate) async fn tools(command: ToolsCommand, common: &Common) -> Outcome {
    Session::with_servers(common, async |session| match command {
        ToolsCommand::Search { query, shape } => {
            let found = search(&session, request(query.join(" "), shape, None)).await?;
            Ok(list(&found, common))
        }
        ToolsCommand::List { shape } => {
            let found = search(&session, request(String::new(), shape, Some(ALL))).await?;
            Ok(list(&found, common))
        }
        ToolsCommand::Show { tool, lang } => show(&session, &tool, lang.map(Language::from), common).await,
    })
    .await
}

/// `tta call`.
pub(crate) async fn call(args: CallArgs, common: &Common) -> Outcome {
    let arguments = args.arguments.as_deref().map(|text| json_or_file(text, "the arguments")).transpose()?;
    let request = CallRequest { server: args.server, tool: args.tool, arguments, timeout_ms: common.timeout_ms };
    let reply = Session::with_servers(common, async |session| match session.ask(Request::Call(request)).await? {
        Reply::Call(reply) => Ok(reply),
        _ => Err(Failure::fault("the daemon answered another question than the call")),
    })
    .await?;
    Ok(report(&reply, common.json))
}

fn request(query: String, shape: Shape, limit: Option<usize>) -> SearchRequest {
    SearchRequest {
        query,
        server: shape.server,
        detail: Some(shape.detail.into()),
        limit: shape.limit.or(limit),
        language: shape.lang.map(Language::from),
    }
}

async fn search(session: &Session, request: SearchRequest) -> Result<SearchReply, Failure> {
    match session.ask(Request::Search(request)).await? {
        Reply::Search(found) => Ok(found),
        _ => Err(Failure::fault("the daemon answered another question than the search")),
    }
}

fn list(found: &SearchReply, common: &Common) -> u8 {
    if common.json {
        output::json(found);
        return 0;
    }
    if found.detail == Detail::Name && !found.hits.is_empty() {
        let mut table = table(&["TOOL", "WHAT IT DOES"]);
        table.add_rows(found.hits.iter().map(|hit| [for_stdout(&hit.path), for_stdout(&hit.summary)]));
        output::out(&table.to_string());
    } else if !found.hits.is_empty() {
        output::out(&for_stdout(&reply_text::search_text(&SearchReply { unavailable: Vec::new(), ..found.clone() })));
    }
    for why in &found.unavailable {
        note(&format!("not searched: {why}"), false);
    }
    note(
        &format!("{} of {} matching tools, {} searched", found.hits.len(), found.matched, found.searched),
        common.quiet,
    );
    0
}

/// The stub of one tool. Server and tool names may hold dots themselves, so every one may be the divider.
async fn show(session: &Session, path: &str, language: Option<Language>, common: &Common) -> Outcome {
    let mut why =
        Failure::usage(format!("`{path}` names no tool"), "write SERVER.TOOL; `tta tools list` shows them all");
    for (at, _) in path.match_indices('.') {
        let (server, tool) = (&path[..at], &path[at + 1..]);
        let request = SearchRequest {
            query: String::new(),
            server: Some(server.to_owned()),
            detail: Some(Detail::Full),
            limit: Some(ALL),
            language,
        };
        let found = match search(session, request).await {
            Ok(found) => found,
            Err(failure) => {
                why = failure;
                continue;
            }
        };
        let hit =
            found.hits.iter().find(|hit| hit.tool == tool || hit.path.split_once('.').is_some_and(|p| p.1 == tool));
        if let Some(hit) = hit {
            if common.json {
                output::json(hit);
            } else {
                output::out(&for_stdout(hit.stub.trim_end()));
            }
            return Ok(0);
        }
        why = match found.unavailable.first() {
            Some(unavailable) => Failure::usage(format!("`{path}`: {unavailable}"), "`tta servers` says more"),
            None => Failure::usage(
                format!("{server} has no tool `{tool}`"),
                format!("see `tta tools list --server {server}`"),
            ),
        };
    }
    Err(why)
}

/// A call's value or error; with `--json` under the names that a run's reply has.
fn report(reply: &CallReply, json: bool) -> u8 {
    let (status, code) = match &reply.error {
        Some(error) => (error.kind.status(), error.kind.exit_code()),
        None => (model::RunStatus::Ok, 0),
    };
    if json {
        output::json(&serde_json::json!({
            "status": status, "result": reply.value, "error": reply.error, "calls": [reply.record],
        }));
        return code;
    }
    let shown = reply.value.as_ref().and_then(|v| output::value(v.get(), std::io::stdout().is_terminal()));
    if let Some(value) = shown {
        output::out(&value);
    }
    if let Some(error) = &reply.error {
        say(&describe(error, None));
    }
    code
}

/// A table without lines, as wide as the terminal.
pub(crate) fn table(head: &[&str]) -> Table {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Dynamic).set_header(head);
    table
}
