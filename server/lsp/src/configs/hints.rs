//! Inlay hints and code lenses at the keys of servers.

use super::ConfigFile;
use super::hover::story;
use crate::figures::{count, grouped};
use daemon::{Daemon, ServerKey};
use model::{ServerState, ServerStatus};
use serde_json::json;
use tower_lsp::ls_types::{
    CodeLens, Command, InlayHint, InlayHintLabel, InlayHintTooltip, MarkupContent, MarkupKind, Range,
};

/// Characters of an error in a hint; the hover has it whole.
const ERROR_CHARS: usize = 80;

/// `12 tools · ready · 1,834 tokens deferred` behind each server of a range; VS Code shows 43 characters of a hint.
pub(crate) fn inlay_hints(file: &ConfigFile<'_>, range: Range, daemon: &Daemon) -> Vec<InlayHint> {
    let (document, servers) = (file.document, &file.inspection.servers);
    let hint = |server: &ServerKey| {
        let key = document.range(server.key.clone());
        if key.end < range.start || range.end < key.start {
            return None;
        }
        Some(InlayHint {
            position: document.position(place(document.text(), server.key.end)),
            label: InlayHintLabel::String(label(file, server)?),
            kind: None,
            text_edits: None,
            tooltip: story(file, server, daemon)
                .map(|value| InlayHintTooltip::MarkupContent(MarkupContent { kind: MarkupKind::Markdown, value })),
            padding_left: Some(true),
            padding_right: None,
            data: None,
        })
    };
    servers.iter().filter_map(hint).collect()
}

/// The end of the key's line where only a bracket follows the key, else right behind it.
fn place(text: &str, key_end: usize) -> usize {
    let line = text[key_end..].lines().next().unwrap_or_default().trim_end();
    if line.chars().all(|c| c.is_whitespace() || ":{]".contains(c)) { key_end + line.len() } else { key_end }
}

fn label(file: &ConfigFile<'_>, server: &ServerKey) -> Option<String> {
    match file.status(server) {
        // The problem is marked at its place.
        _ if file.broken.contains(&server.name) => None,
        (Some(status), _) => Some(figures(status)),
        (None, Some(other)) => {
            let name = other.source.file.file_name().unwrap_or_default().to_string_lossy();
            Some(format!("not used: {name}, line {}, has this name", other.source.line))
        }
        (None, None) => Some("used once saved".to_owned()),
    }
}

fn figures(status: &ServerStatus) -> String {
    let mut parts = Vec::new();
    if let Some(tools) = status.tools {
        parts.push(count(u64::from(tools), "tool"));
    }
    parts.push(state(status));
    if let Some(tokens) = status.definition_tokens {
        // What a host without a tool search would put in front of every turn.
        let deferred = if tokens > 0 && may_start(status.state) { " deferred" } else { "" };
        parts.push(format!("{} tokens{deferred}", grouped(tokens)));
    }
    parts.join(" · ")
}

/// What a server is doing, in a few words.
pub(super) fn state(status: &ServerStatus) -> String {
    match status.state {
        ServerState::Untrusted => "workspace not trusted".to_owned(),
        ServerState::Unapproved => "asks before its first start".to_owned(),
        ServerState::Disabled => "disabled".to_owned(),
        ServerState::Stopped => "starts when needed".to_owned(),
        ServerState::Starting => "starting…".to_owned(),
        ServerState::Ready => "ready".to_owned(),
        ServerState::Degraded => because("degraded", status),
        ServerState::Failed => because("failed", status),
        ServerState::Quarantined => because("quarantined", status),
    }
}

fn because(what: &str, status: &ServerStatus) -> String {
    let why = status.last_error.as_deref().and_then(|error| error.lines().next()).unwrap_or("see the log");
    let cut: String = why.chars().take(ERROR_CHARS).collect();
    format!("{what}: {cut}{}", if cut.len() < why.len() { "…" } else { "" })
}

fn may_start(state: ServerState) -> bool {
    !matches!(state, ServerState::Untrusted | ServerState::Unapproved | ServerState::Disabled)
}

/// What can be done with each server, above its key.
pub(crate) fn code_lenses(file: &ConfigFile<'_>) -> Vec<CodeLens> {
    let lenses = |server: &ServerKey| {
        let range = file.document.range(server.key.clone());
        let lens = move |(title, command): &(&str, &str)| CodeLens {
            range,
            command: Some(Command {
                title: (*title).to_owned(),
                command: (*command).to_owned(),
                arguments: Some(vec![json!(server.name)]),
            }),
            data: None,
        };
        let status = file.status(server).0.filter(|_| !file.broken.contains(&server.name));
        status.map_or(&[][..], |status| commands(status.state)).iter().map(lens).collect::<Vec<_>>()
    };
    file.inspection.servers.iter().flat_map(lenses).collect()
}

fn commands(state: ServerState) -> &'static [(&'static str, &'static str)] {
    // The editor shows commands of its own beside these; the icon says whose the row is.
    const RESTART: (&str, &str) = ("$(zap) Restart", "tta.restartServer");
    const START: (&str, &str) = ("$(zap) Start", "tta.startServer");
    const STOP: (&str, &str) = ("Stop", "tta.stopServer");
    const TOOLS: (&str, &str) = ("Show Tools", "tta.showTools");
    const LOG: (&str, &str) = ("Show Log", "tta.showLog");
    match state {
        ServerState::Untrusted | ServerState::Disabled => &[],
        ServerState::Unapproved => &[START],
        ServerState::Stopped => &[START, TOOLS, LOG],
        ServerState::Starting | ServerState::Ready | ServerState::Degraded => &[RESTART, STOP, TOOLS, LOG],
        ServerState::Failed | ServerState::Quarantined => &[RESTART, TOOLS, LOG],
    }
}
