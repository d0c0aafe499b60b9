//! Features on programs: what is known of the servers' tools, at the place where a program calls them.
//!
//! Invariants: code that is no program is left alone; nothing is said of a server that was never listed; nothing here asks
//! a person anything, and only servers that may start without a question are listed. Texts of servers are untrusted and
//! are escaped.

mod beside;
mod checks;
mod hover;
mod offers;
mod ran;
mod signature;

pub(crate) use ran::LastRun;

use crate::documents::Document;
use daemon::{Daemon, Parameter, ServerTools, Tool};
use model::Language;
use std::sync::Arc;
use syntax::{Context, Outline};
use tower_lsp::ls_types::{
    CodeLens, Command, CompletionItem, Diagnostic, Hover, InlayHint, InlayHintLabel, InlayHintTooltip, Position, Range,
    SignatureHelp,
};

/// The folder whose files are programs, whatever they import.
const FOLDER: &str = "/.tta/";

/// An open program that names servers.
struct Program<'a> {
    document: &'a Document,
    outline: &'a Outline,
    daemon: &'a Daemon,
}

impl<'a> Program<'a> {
    /// `None` where the document is other code: it is in no folder of ours, did not run, and imports no server of which
    /// there is one, or one of nearly that name.
    fn of(document: &'a Document, daemon: &'a Daemon) -> Option<Self> {
        let program = Self { document, outline: document.outline()?, daemon };
        let names = daemon.server_names();
        let is_near = |server: &&str| {
            names.iter().any(|name| name == server)
                || !daemon::nearest(server, names.iter().map(String::as_str)).is_empty()
        };
        (is_ours(document) || program.outline.servers().iter().any(is_near)).then_some(program)
    }

    fn language(&self) -> Language {
        self.outline.language
    }

    /// What a server is known to offer; what is not known yet is asked for, for the next time.
    fn server(&self, identifier: &str) -> Option<Arc<ServerTools>> {
        let tools = self.daemon.server_tools(identifier);
        if tools.is_none() {
            self.daemon.list_quietly(identifier);
        }
        tools
    }

    /// What `with` makes of a tool that exists.
    fn tool<T>(&self, server: &str, tool: &str, with: impl FnOnce(&Tool) -> T) -> Option<T> {
        self.server(server)?.called(tool).map(with)
    }

    fn parameters(&self, server: &str, tool: &str) -> Option<Vec<Parameter>> {
        self.tool(server, tool, |tool| tool.parameters(self.language()))
    }
}

/// Whether a document is a program by its place, or by having been run.
fn is_ours(document: &Document) -> bool {
    document.language().is_some() && (document.uri().as_str().contains(FOLDER) || document.last_run().is_some())
}

/// What is wrong, as far as that is certain.
pub(crate) fn diagnostics(document: &Document, daemon: &Daemon) -> Vec<Diagnostic> {
    Program::of(document, daemon).map(|program| checks::all(&program)).unwrap_or_default()
}

/// What a name means.
pub(crate) fn hover(document: &Document, position: Position, daemon: &Daemon) -> Option<Hover> {
    hover::at(&Program::of(document, daemon)?, document.offset(position))
}

/// What can be written at a place. In an import of servers that is their names, whatever else the document is.
pub(crate) fn completion(document: &Document, position: Position, daemon: &Daemon) -> Vec<CompletionItem> {
    let Some(outline) = document.outline() else { return Vec::new() };
    let context = outline.context_at(document.offset(position));
    if context == Context::Nothing {
        return Vec::new();
    }
    offers::all(&Program { document, outline, daemon }, &context)
}

/// The tool that is being called, and which of its parameters is being written.
pub(crate) fn signature_help(document: &Document, position: Position, daemon: &Daemon) -> Option<SignatureHelp> {
    signature::at(&Program::of(document, daemon)?, document.offset(position))
}

/// To run the program, and what its last run was.
pub(crate) fn code_lenses(document: &Document, daemon: &Daemon) -> Vec<CodeLens> {
    if !is_ours(document) && Program::of(document, daemon).is_none() {
        return Vec::new();
    }
    let lens = |command| CodeLens { range: Range::default(), command: Some(command), data: None };
    let run = Command::new("$(zap) Run".into(), "tta.runFile".into(), Some(vec![document.uri().as_str().into()]));
    let ran = document.last_run().map(|run| Command::new(run.summary(), "tta.showRuns".into(), None));
    std::iter::once(run).chain(ran).map(lens).collect()
}

/// What each line's calls of the last run kept out, at its end.
pub(crate) fn inlay_hints(document: &Document, range: Range, _daemon: &Daemon) -> Vec<InlayHint> {
    let Some(run) = document.last_run() else { return Vec::new() };
    let hints = run.hints().filter_map(|(line, label, story)| {
        let line = line.checked_sub(1).filter(|line| range.start.line <= *line && *line <= range.end.line)?;
        // Beyond the end of a line is its end.
        let position = document.position(document.offset(Position::new(line, u32::MAX)));
        Some(InlayHint {
            position,
            label: InlayHintLabel::String(label),
            kind: None,
            text_edits: None,
            tooltip: Some(InlayHintTooltip::String(story)),
            padding_left: Some(true),
            padding_right: None,
            data: None,
        })
    });
    hints.collect()
}
