//! Features on configuration files: what the daemon knows of each server, at the key where it is configured.
//!
//! Invariant: places come from the open text, figures from the daemon; a server shows figures only where the daemon has
//! it from this very file. What is here never starts a server. Texts of servers are untrusted and are escaped.

mod hints;
mod hover;
mod problems;

pub(crate) use hints::{code_lenses, inlay_hints};
pub(crate) use hover::hover;
pub(crate) use problems::{diagnostics, elsewhere};

use crate::documents::Document;
use daemon::{Daemon, Inspection, ServerKey, SuggestionKind};
use model::{ServerStatus, Severity};
use std::collections::{HashMap, HashSet};
use tower_lsp::ls_types::{
    CompletionItem, CompletionItemKind, CompletionTextEdit, Documentation, InsertTextFormat, Position, TextEdit,
};

/// An open configuration file.
pub(crate) struct ConfigFile<'a> {
    document: &'a Document,
    inspection: Inspection,
    /// Every configured server by its name.
    servers: HashMap<String, ServerStatus>,
    /// Names whose entries are wrong, so that they are no servers at all.
    broken: HashSet<String>,
}

impl<'a> ConfigFile<'a> {
    /// `None` where the document is no file that servers are read from.
    pub(crate) fn of(document: &'a Document, daemon: &Daemon) -> Option<Self> {
        let path = document.path().filter(|_| document.language().is_none())?;
        let inspection = daemon.inspect(&path, document.text())?;
        let errors = inspection.problems.iter().filter(|problem| problem.severity == Severity::Error);
        let broken = errors.filter_map(|problem| problem.server.clone()).collect();
        let servers = daemon.servers().into_iter().map(|status| (status.name.clone(), status)).collect();
        Some(Self { document, inspection, servers, broken })
    }

    /// What the daemon knows of a server, where it has it from this file; and where it has that name from else.
    fn status(&self, server: &ServerKey) -> (Option<&ServerStatus>, Option<&ServerStatus>) {
        let named = self.servers.get(&server.name);
        if named.is_some_and(|status| status.source.file == self.inspection.file) {
            (named, None)
        } else {
            (None, named)
        }
    }
}

/// What can be written at a place.
pub(crate) fn completion(document: &Document, position: Position, daemon: &Daemon) -> Vec<CompletionItem> {
    let Some(path) = document.path() else { return Vec::new() };
    let suggestions = daemon.suggest(&path, document.text(), document.offset(position));
    let item = |suggestion: daemon::Suggestion| {
        let is_quoted = document.text()[suggestion.replace.clone()].starts_with('"');
        let range = document.range(suggestion.replace);
        CompletionItem {
            kind: Some(match suggestion.kind {
                SuggestionKind::Key => CompletionItemKind::PROPERTY,
                SuggestionKind::Value => CompletionItemKind::VALUE,
                SuggestionKind::Section => CompletionItemKind::MODULE,
            }),
            detail: (!suggestion.detail.is_empty()).then_some(suggestion.detail),
            documentation: Some(Documentation::String(suggestion.documentation)),
            // Editors filter by what is there already, which has its quotes.
            filter_text: Some(if is_quoted { format!("\"{}\"", suggestion.label) } else { suggestion.label.clone() }),
            insert_text_format: Some(InsertTextFormat::SNIPPET),
            text_edit: Some(CompletionTextEdit::Edit(TextEdit { range, new_text: suggestion.insert })),
            label: suggestion.label,
            ..CompletionItem::default()
        }
    };
    suggestions.into_iter().map(item).collect()
}
