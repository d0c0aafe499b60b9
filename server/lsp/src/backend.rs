//! The LSP methods. Each submits, awaits the daemon, and encodes; none awaits the client.

use crate::forward::forward;
use crate::wire::{
    Endpoint, NoParams, Receipt, ReceiptParams, RestartParams, RunParams, RunsParams, ServersParams, options,
};
use daemon::{Daemon, Options};
use model::reply::{CallReply, RunSummary, SearchReply};
use model::{
    CallRequest, ConversationId, Reply, Request, RunId, RunReply, SavingsSummary, SearchRequest, ServerStatus,
    TokenReport,
};
use std::borrow::Cow;
use std::fmt::{self, Debug, Display};
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, OnceLock};
use tokio::task::AbortHandle;
use tower_lsp::jsonrpc::{Error, ErrorCode, Result};
use tower_lsp::ls_types::{InitializeParams, InitializeResult, InitializedParams, ServerCapabilities, ServerInfo};
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
            forwarding: OnceLock::new(),
        }
    }

    /// `tta/run`
    pub(crate) async fn run(&self, params: RunParams) -> Result<RunReply> {
        let mut reply = match self.ask(Request::Run(params.request)).await? {
            Reply::Run(reply) => *reply,
            other => return Err(mismatch(&other)),
        };
        if params.wait_receipt {
            match self.counted(reply.run_id.clone()).await {
                Ok((report, result_tokens)) => reply.add_receipt(report, &result_tokens),
                // The run itself succeeded; its receipt is absent, which the reply can say.
                Err(e) => tracing::warn!("no receipt: {e}"),
            }
        }
        Ok(reply)
    }

    /// `tta/searchTools`
    pub(crate) async fn search_tools(&self, params: SearchRequest) -> Result<SearchReply> {
        match self.ask(Request::Search(params)).await? {
            Reply::Search(reply) => Ok(reply),
            other => Err(mismatch(&other)),
        }
    }

    /// `tta/call`
    pub(crate) async fn call(&self, params: CallRequest) -> Result<CallReply> {
        match self.ask(Request::Call(params)).await? {
            Reply::Call(reply) => Ok(*reply),
            other => Err(mismatch(&other)),
        }
    }

    /// `tta/servers`
    pub(crate) async fn servers(&self, params: ServersParams) -> Result<Vec<ServerStatus>> {
        match self.ask(Request::Servers { list: params.list }).await? {
            Reply::Servers(servers) => Ok(servers),
            other => Err(mismatch(&other)),
        }
    }

    /// `tta/restartServer`
    pub(crate) async fn restart_server(&self, params: RestartParams) -> Result<Vec<ServerStatus>> {
        match self.ask(Request::RestartServer { server: params.server }).await? {
            Reply::Servers(servers) => Ok(servers),
            other => Err(mismatch(&other)),
        }
    }

    /// `tta/savings`
    pub(crate) async fn savings(&self, _: NoParams) -> Result<SavingsSummary> {
        match self.ask(Request::Savings).await? {
            Reply::Savings(savings) => Ok(*savings),
            other => Err(mismatch(&other)),
        }
    }

    /// `tta/runs`
    pub(crate) async fn runs(&self, params: RunsParams) -> Result<Vec<RunSummary>> {
        match self.ask(Request::Runs { limit: params.limit }).await? {
            Reply::Runs(runs) => Ok(runs),
            other => Err(mismatch(&other)),
        }
    }

    /// `tta/receipt`
    pub(crate) async fn receipt(&self, params: ReceiptParams) -> Result<Receipt> {
        let (tokens, result_tokens) = self.counted(params.run_id).await?;
        Ok(Receipt { tokens, result_tokens })
    }

    async fn counted(&self, run_id: RunId) -> Result<(TokenReport, Vec<u64>)> {
        match self.ask(Request::Receipt { run_id }).await? {
            Reply::Receipt(report, result_tokens) => Ok((*report, result_tokens)),
            other => Err(mismatch(&other)),
        }
    }

    /// Submits before the first await, so that requests keep their order.
    async fn ask(&self, request: Request) -> Result<Reply> {
        let daemon = self.daemon.get().ok_or_else(|| fault("the daemon was not started"))?;
        daemon.submit(request, FRONT, &self.conversation).reply().await.map_err(|e| refused(&e))
    }
}

impl LanguageServer for Backend {
    async fn initialize(&self, params: InitializeParams) -> Result<InitializeResult> {
        let start = self.start.lock().expect("nothing panics while it is held").take();
        let (given, serve) = start.ok_or_else(|| fault("a failed start is final: start `tta lsp` again"))?;
        let options = options(given, params.initialization_options)?;
        let daemon = Daemon::start(options).await.map_err(|e| refused(&e))?;
        let daemon = self.daemon.get_or_init(|| daemon).clone();
        let endpoint = serve(daemon).await.map_err(fault)?;
        let version = Some(env!("CARGO_PKG_VERSION").to_owned());
        Ok(InitializeResult {
            capabilities: ServerCapabilities { experimental: Some(endpoint.experimental()), ..Default::default() },
            server_info: Some(ServerInfo { name: "tta".to_owned(), version }),
            ..Default::default()
        })
    }

    async fn initialized(&self, _: InitializedParams) {
        if let Some(daemon) = self.daemon.get() {
            let task = tokio::spawn(forward(self.client.clone(), daemon.clone(), self.conversation.clone()));
            let _ = self.forwarding.set(task.abort_handle());
        }
    }

    async fn shutdown(&self) -> Result<()> {
        if let Some(daemon) = self.daemon.get() {
            daemon.shutdown().await;
        }
        Ok(())
    }
}

/// The daemon's own error under its own code.
fn refused(error: &daemon::Error) -> Error {
    let message = Cow::Owned(error.to_string());
    Error { code: ErrorCode::from(i64::from(error.rpc_code())), message, data: None }
}

fn fault(message: impl Into<String>) -> Error {
    Error { code: ErrorCode::InternalError, message: Cow::Owned(message.into()), data: None }
}

fn mismatch(other: &Reply) -> Error {
    fault(format!("the daemon answered another question: {other:?}").chars().take(200).collect::<String>())
}
