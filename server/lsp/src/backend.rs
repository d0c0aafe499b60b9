//! The protocol's own methods: one window's life, and its documents. None awaits the client.

use crate::documents::Documents;
use crate::editor::LspEditor;
use crate::forward::forward;
use crate::wire::{Endpoint, options};
use daemon::{Daemon, Options, Ticket};
use model::{ConversationId, Request};
use std::borrow::Cow;
use std::fmt::{self, Debug, Display};
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, OnceLock};
use tokio::sync::watch;
use tokio::task::AbortHandle;
use tower_lsp::jsonrpc::{Error, ErrorCode, Result};
use tower_lsp::ls_types::{
    DidChangeTextDocumentParams, DidCloseTextDocumentParams, DidOpenTextDocumentParams, InitializeParams,
    InitializeResult, InitializedParams, ServerCapabilities, ServerInfo, TextDocumentSyncCapability,
    TextDocumentSyncKind,
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
    daemon: Slot,
    conversation: ConversationId,
    pub(crate) documents: Arc<Documents>,
    /// Whether the client is initialised, and so can be asked.
    ready: watch::Sender<bool>,
    forwarding: OnceLock<AbortHandle>,
}

impl Debug for Backend {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Backend").field("daemon", &self.daemon).finish_non_exhaustive()
    }
}

impl Drop for Backend {
    fn drop(&mut self) {
        if let Some(task) = self.forwarding.get() {
            task.abort();
        }
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
            ready: watch::Sender::new(false),
            forwarding: OnceLock::new(),
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
        let version = Some(env!("CARGO_PKG_VERSION").to_owned());
        Ok(InitializeResult {
            capabilities: ServerCapabilities {
                text_document_sync: Some(TextDocumentSyncCapability::Kind(TextDocumentSyncKind::INCREMENTAL)),
                experimental: Some(endpoint.experimental()),
                ..Default::default()
            },
            server_info: Some(ServerInfo { name: "tta".to_owned(), version }),
            ..Default::default()
        })
    }

    async fn initialized(&self, _: InitializedParams) {
        self.ready.send_replace(true);
        if let Some(daemon) = self.daemon.get() {
            let task = tokio::spawn(forward(self.client.clone(), daemon.clone(), self.conversation.clone()));
            let _ = self.forwarding.set(task.abort_handle());
        }
    }

    async fn did_open(&self, params: DidOpenTextDocumentParams) {
        self.documents.open(params.text_document);
    }

    async fn did_change(&self, params: DidChangeTextDocumentParams) {
        let document = params.text_document;
        self.documents.edit(&document.uri, document.version, params.content_changes);
    }

    async fn did_close(&self, params: DidCloseTextDocumentParams) {
        self.documents.close(&params.text_document.uri);
    }

    async fn shutdown(&self) -> Result<()> {
        if let Some(daemon) = self.daemon.get() {
            daemon.shutdown().await;
        }
        Ok(())
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
