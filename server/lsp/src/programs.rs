//! Features on programs: what is known of the servers' tools, at the place where a program calls them.

use crate::documents::Document;
use daemon::Daemon;
use tower_lsp::ls_types::{CodeLens, CompletionItem, Diagnostic, Hover, InlayHint, Position, Range, SignatureHelp};

pub(crate) fn diagnostics(_document: &Document, _daemon: &Daemon) -> Vec<Diagnostic> {
    Vec::new()
}

pub(crate) fn hover(_document: &Document, _position: Position, _daemon: &Daemon) -> Option<Hover> {
    None
}

pub(crate) fn completion(_document: &Document, _position: Position, _daemon: &Daemon) -> Vec<CompletionItem> {
    Vec::new()
}

pub(crate) fn signature_help(_document: &Document, _position: Position, _daemon: &Daemon) -> Option<SignatureHelp> {
    None
}

pub(crate) fn code_lenses(_document: &Document, _daemon: &Daemon) -> Vec<CodeLens> {
    Vec::new()
}

/// The calls of the last run of this very text are in `document.calls()`.
pub(crate) fn inlay_hints(_document: &Document, _range: Range, _daemon: &Daemon) -> Vec<InlayHint> {
    Vec::new()
}
