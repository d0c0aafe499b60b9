//! What is known of one server, as a hover and as the tooltip of its hint.

use super::ConfigFile;
use super::hints::state;
use crate::figures::{count, grouped};
use crate::markdown::{code, escape};
use daemon::{Daemon, ServerKey, ServerTools};
use model::ServerStatus;
use std::fmt::Write as _;
use tower_lsp::ls_types::{Hover, HoverContents, MarkupContent, MarkupKind, Position};

/// Tools that are named; the rest is counted.
const TOOLS_MAX: usize = 20;

/// The server whose key is under the cursor.
pub(crate) fn hover(file: &ConfigFile<'_>, position: Position, daemon: &Daemon) -> Option<Hover> {
    let at = file.document.offset(position);
    let server = file.inspection.servers.iter().find(|server| server.key.contains(&at))?;
    let value = story(file, server, daemon)?;
    let range = Some(file.document.range(server.key.clone()));
    Some(Hover { contents: HoverContents::Markup(MarkupContent { kind: MarkupKind::Markdown, value }), range })
}

/// All of it, in markdown.
pub(super) fn story(file: &ConfigFile<'_>, server: &ServerKey, daemon: &Daemon) -> Option<String> {
    let (own, other) = file.status(server);
    let Some(status) = own else {
        let other = other?;
        let place = code(&format!("{}:{}", other.source.file.display(), other.source.line));
        return Some(format!("**{}** is configured in {place} already, which is used.", escape(&server.name)));
    };
    let mut out = format!("**{}** — {}\n\n", escape(&status.name), escape(&state(status)));
    let _ = writeln!(out, "{} {}\n", status.transport, code(&status.target));
    if let Some(error) = &status.last_error {
        let _ = writeln!(out, "Last error: {}\n", escape(error));
    }
    if let Some(line) = cost(status) {
        let _ = writeln!(out, "{line}\n");
    }
    if let Some(tools) = daemon.server_tools(&status.name) {
        list(&mut out, &tools);
    }
    let _ = write!(out, "In programs: {}", code(&format!("from servers import {}", status.identifier)));
    Some(out)
}

fn cost(status: &ServerStatus) -> Option<String> {
    let (tools, tokens) = (status.tools?, status.definition_tokens?);
    Some(format!(
        "{}, whose definitions are {} tokens. A host that puts them into every prompt pays that each turn; programs \
         find tools by a search instead. *Measured (o200k\\_base).*",
        count(u64::from(tools), "tool"),
        grouped(tokens)
    ))
}

fn list(out: &mut String, tools: &ServerTools) {
    for tool in tools.tools().iter().take(TOOLS_MAX) {
        let _ = writeln!(out, "- {} {}", code(&tool.identifier), escape(tool.summary()));
    }
    let more = tools.tools().len().saturating_sub(TOOLS_MAX);
    let _ = if more > 0 { writeln!(out, "- … and {more} more\n") } else { writeln!(out) };
}
