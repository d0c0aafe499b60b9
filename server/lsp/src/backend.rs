//! The protocol's own methods: one window's life, and its documents. None awaits the client.

use crate::documents::Documents;
use crate::editor::LspEditor;
use crate::features::{Workers, capabilities};
use crate::forward::forward;
use crate::publish::{Changes, Publisher, Refreshes, refresh};
use crate::wire::{Endpoint, options};
use daemon::{Daemon, Options, Ticket};
use model::{ConversationId, Request};
use std::borrow::Cow;
use std::fmt::{self, Debug, Display};
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, OnceLock};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tower_lsp::jsonrpc::{Error, ErrorCode, Result};
use tower_lsp::ls_types::{
    ClientCapabilities, CodeLens, CodeLensParams, CompletionParams, CompletionResponse, DidChangeTextDocumentParams,
    DidCloseTextDocumentParams, DidOpenTextDocumentParams, Hover, HoverParams, InitializeParams, InitializeResult,
    InitializedParams, InlayHint, InlayHintParams, ServerCapabilities, ServerInfo, SignatureHelp, SignatureHelpParams,
};
use tower_lsp::{Client, LanguageServer};

/// The name this front files its runs under.
pub(crate) const FRONT: &str = "lsp";

/// The daemon, once `initialize` has started it.
pub(crate) type Slot = Arc<OnceLock<Daemon>>;

type Serve =
    Box<dyn FnOnce(Daemon) -> Pin<Box<dyn Future<Output = std::result::Result<Endpoint, String>> + Send>> + Send>;

/// One editor's window.
pub(crate) struct Backend {
    client: Client,
    /// What `initialize` needs, and takes: the options of the command line, and how MCP is served.
    start: Mutex<Option<(Options, Serve)>>,
    pub(crate) daemon: Slot,
    conversation: ConversationId,
    pub(crate) documents: Arc<Documents>,
    pub(crate) changes: Arc<Changes>,
    pub(crate) workers: Workers,
    refreshes: OnceLock<Refreshes>,
    /// Whether the client is initialised, and so can be asked.
    ready: watch::Sender<bool>,
    /// What is told unasked; ends with the window.
    tasks: Mutex<JoinSet<()>>,
}

impl Debug for Backend {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Backend").field("daemon", &self.daemon).finish_non_exhaustive()
    }
}

impl Backend {
    pub(crate) fn new<F, Fut, E>(client: Client, options: Options, endpoint: F, daemon: Slot) -> Self
    where
        F: FnOnce(Daemon) -> Fut + Send + 'static,
        Fut: Future<Output = std::result::Result<Endpoint, E>> + Send + 'static,
        E: Display,
    {
        let serve: Serve = Box::new(|daemon| {
            let serving = endpoint(daemon);
            Box::pin(async { serving.await.map_err(|e| e.to_string()) })
        });
        Self {
            client,
            start: Mutex::new(Some((options, serve))),
            daemon,
            conversation: ConversationId::new(),
            documents: Arc::default(),
            changes: Arc::default(),
            workers: Workers::default(),
            refreshes: OnceLock::new(),
            ready: watch::Sender::new(false),
            tasks: Mutex::default(),
        }
    }

    /// Submits at once.
    pub(crate) fn submit(&self, request: Request) -> Result<Ticket> {
        let daemon = self.daemon.get().ok_or_else(|| fault("the daemon was not started"))?;
        Ok(daemon.submit(request, FRONT, &self.conversation))
    }
}

impl LanguageServer for Backend {
    async fn initialize(&self, params: InitializeParams) -> Result<InitializeResult> {
        let start = self.start.lock().expect("nothing panics while it is held").take();
        let (given, serve) = start.ok_or_else(|| fault("a failed start is final: start `tta lsp` again"))?;
        let options = options(given, params.initialization_options, || {
            Arc::new(LspEditor::new(self.client.clone(), self.ready.subscribe()))
        })?;
        let daemon = Daemon::start(options).await.map_err(|e| refused(&e))?;
        let daemon = self.daemon.get_or_init(|| daemon).clone();
        let endpoint = serve(daemon).await.map_err(fault)?;
        let _ = self.refreshes.set(refreshes(&params.capabilities));
        let version = Some(env!("CARGO_PKG_VERSION").to_owned());
        Ok(InitializeResult {
            capabilities: ServerCapabilities { experimental: Some(endpoint.experimental()), ..capabilities() },
            server_info: Some(ServerInfo { name: "tta".to_owned(), version }),
            ..Default::default()
        })
    }

    async fn initialized(&self, _: InitializedParams) {
        self.ready.send_replace(true);
        let Some(daemon) = self.daemon.get().cloned() else { return };
        let (client, changes) = (self.client.clone(), Arc::clone(&self.changes));
        let mut tasks = self.tasks.lock().expect("nothing panics while it is held");
        let told = forward(client.clone(), daemon.clone(), self.conversation.clone(), Arc::clone(&changes));
        tasks.spawn(told);
        tasks.spawn(refresh(client.clone(), Arc::clone(&changes), self.refreshes.get().copied().unwrap_or_default()));
        let documents = Arc::clone(&self.documents);
        tasks.spawn(Publisher { client, daemon, documents, changes, workers: self.workers.clone() }.run());
    }

    async fn did_open(&self, params: DidOpenTextDocumentParams) {
        self.documents.open(params.text_document);
        self.changes.opened();
    }

    async fn did_change(&self, params: DidChangeTextDocumentParams) {
        let document = params.text_document;
        self.documents.edit(&document.uri, document.version, params.content_changes);
        self.changes.edited(&document.uri);
    }

    async fn did_close(&self, params: DidCloseTextDocumentParams) {
        self.documents.close(&params.text_document.uri);
        self.changes.opened();
    }

    async fn inlay_hint(&self, params: InlayHintParams) -> Result<Option<Vec<InlayHint>>> {
        self.hints_of(params).await
    }

    async fn code_lens(&self, params: CodeLensParams) -> Result<Option<Vec<CodeLens>>> {
        self.lenses_of(params).await
    }

    async fn hover(&self, params: HoverParams) -> Result<Option<Hover>> {
        self.hover_of(params).await
    }

    async fn completion(&self, params: CompletionParams) -> Result<Option<CompletionResponse>> {
        self.completion_of(params).await
    }

    async fn signature_help(&self, params: SignatureHelpParams) -> Result<Option<SignatureHelp>> {
        self.signature_of(params).await
    }

    async fn shutdown(&self) -> Result<()> {
        if let Some(daemon) = self.daemon.get() {
            daemon.shutdown().await;
        }
        Ok(())
    }
}

/// Which refreshes a client takes.
fn refreshes(client: &ClientCapabilities) -> Refreshes {
    let workspace = client.workspace.as_ref();
    Refreshes {
        hints: workspace.and_then(|w| w.inlay_hint.as_ref()?.refresh_support).unwrap_or_default(),
        lenses: workspace.and_then(|w| w.code_lens.as_ref()?.refresh_support).unwrap_or_default(),
    }
}

/// The daemon's own error under its own code.
pub(crate) fn refused(error: &daemon::Error) -> Error {
    let message = Cow::Owned(error.to_string());
    Error { code: ErrorCode::from(i64::from(error.rpc_code())), message, data: None }
}

pub(crate) fn fault(message: impl Into<String>) -> Error {
    Error { code: ErrorCode::InternalError, message: Cow::Owned(message.into()), data: None }
}
