//! Which features a document has: those of a configuration file, those of a program, or none.
//!
//! Invariant: a request is answered from the document as it was when the request came. The work is done off the
//! transport's task, two at a time: reading goes on, and a cancelled request that has not begun never does.

use crate::backend::{Backend, fault};
use crate::configs::{self, ConfigFile};
use crate::documents::Document;
use crate::programs;
use daemon::Daemon;
use std::sync::Arc;
use tokio::sync::Semaphore;
use tower_lsp::jsonrpc::Result;
use tower_lsp::ls_types::{
    CodeLens, CodeLensOptions, CodeLensParams, CompletionItem, CompletionOptions, CompletionParams, CompletionResponse,
    Diagnostic, Hover, HoverParams, HoverProviderCapability, InlayHint, InlayHintParams, OneOf, Range,
    ServerCapabilities, SignatureHelp, SignatureHelpOptions, SignatureHelpParams, TextDocumentSyncCapability,
    TextDocumentSyncKind, Uri,
};

/// Documents that are looked into at once.
const WORKERS: usize = 2;

/// Permission to look into a document.
#[derive(Clone, Debug)]
pub(crate) struct Workers(Arc<Semaphore>);

impl Default for Workers {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(WORKERS)))
    }
}

impl Workers {
    /// Does `work` when it is its turn. Dropping the future before then means that it is never done.
    pub(crate) async fn run<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> Option<T> {
        let permit = Arc::clone(&self.0).acquire_owned().await.ok()?;
        let worked = tokio::task::spawn_blocking(move || {
            let worked = work();
            drop(permit);
            worked
        });
        worked.await.ok()
    }
}

/// What this front offers for documents.
pub(crate) fn capabilities() -> ServerCapabilities {
    let triggers = |marks: &[&str]| Some(marks.iter().map(|mark| (*mark).to_owned()).collect());
    ServerCapabilities {
        text_document_sync: Some(TextDocumentSyncCapability::Kind(TextDocumentSyncKind::INCREMENTAL)),
        hover_provider: Some(HoverProviderCapability::Simple(true)),
        inlay_hint_provider: Some(OneOf::Left(true)),
        code_lens_provider: Some(CodeLensOptions { resolve_provider: Some(false) }),
        completion_provider: Some(CompletionOptions {
            trigger_characters: triggers(&[".", "\"", "'", "/", "{", "(", ",", "["]),
            ..CompletionOptions::default()
        }),
        signature_help_provider: Some(SignatureHelpOptions {
            trigger_characters: triggers(&["(", ",", "{"]),
            ..SignatureHelpOptions::default()
        }),
        ..ServerCapabilities::default()
    }
}

/// What is wrong in an open document.
pub(crate) fn diagnostics(document: &Document, daemon: &Daemon) -> Vec<Diagnostic> {
    match ConfigFile::of(document, daemon) {
        Some(file) => configs::diagnostics(&file),
        None => programs::diagnostics(document, daemon),
    }
}

fn inlay_hints(document: &Document, range: Range, daemon: &Daemon) -> Vec<InlayHint> {
    match ConfigFile::of(document, daemon) {
        Some(file) => configs::inlay_hints(&file, range, daemon),
        None => programs::inlay_hints(document, range, daemon),
    }
}

fn code_lenses(document: &Document, daemon: &Daemon) -> Vec<CodeLens> {
    match ConfigFile::of(document, daemon) {
        Some(file) => configs::code_lenses(&file),
        None => programs::code_lenses(document, daemon),
    }
}

impl Backend {
    pub(crate) async fn hints_of(&self, params: InlayHintParams) -> Result<Option<Vec<InlayHint>>> {
        let range = params.range;
        self.look(&params.text_document.uri, move |document, daemon| Some(inlay_hints(document, range, daemon))).await
    }

    pub(crate) async fn lenses_of(&self, params: CodeLensParams) -> Result<Option<Vec<CodeLens>>> {
        self.look(&params.text_document.uri, |document, daemon| Some(code_lenses(document, daemon))).await
    }

    pub(crate) async fn hover_of(&self, params: HoverParams) -> Result<Option<Hover>> {
        let place = params.text_document_position_params;
        let look = move |document: &Document, daemon: &Daemon| match ConfigFile::of(document, daemon) {
            Some(file) => configs::hover(&file, place.position, daemon),
            None => programs::hover(document, place.position, daemon),
        };
        self.look(&place.text_document.uri, look).await
    }

    pub(crate) async fn completion_of(&self, params: CompletionParams) -> Result<Option<CompletionResponse>> {
        let place = params.text_document_position;
        let look = move |document: &Document, daemon: &Daemon| {
            let items: Vec<CompletionItem> = match document.language() {
                Some(_) => programs::completion(document, place.position, daemon),
                None => configs::completion(document, place.position, daemon),
            };
            (!items.is_empty()).then_some(CompletionResponse::Array(items))
        };
        self.look(&place.text_document.uri, look).await
    }

    pub(crate) async fn signature_of(&self, params: SignatureHelpParams) -> Result<Option<SignatureHelp>> {
        let place = params.text_document_position_params;
        let look =
            move |document: &Document, daemon: &Daemon| programs::signature_help(document, place.position, daemon);
        self.look(&place.text_document.uri, look).await
    }

    /// Looks into a document as it is now. The document is taken before the first await.
    async fn look<T: Send + 'static>(
        &self,
        uri: &Uri,
        look: impl FnOnce(&Document, &Daemon) -> Option<T> + Send + 'static,
    ) -> Result<Option<T>> {
        let (Some(document), Some(daemon)) = (self.documents.get(uri), self.daemon.get().cloned()) else {
            return Ok(None);
        };
        let looked = self.workers.run(move || look(&document, &daemon)).await;
        looked.ok_or_else(|| fault("this feature failed on this document; the log says why"))
    }
}
