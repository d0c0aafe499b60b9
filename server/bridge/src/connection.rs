//! One live connection: handshake, listing, calls, and why it ended.
//!
//! The path of a call is one semaphore permit and rmcp's own request; nothing here adds a task or a queue to it.
//!
//! Invariant: once a connection has ended, `ended` says why, and every caller that was waiting gets that very reason.

use crate::error::Error;
use crate::handler::Handler;
use crate::lines::{Fatal, Observed};
use crate::redact::Redactor;
use crate::{Options, convert, decode};
use model::{ToolDefinition, ToolResult};
use rmcp::model::{CallToolRequestParams, CallToolResponse, PaginatedRequestParams};
use rmcp::service::{ClientInitializeError, Peer, RoleClient, RunningService, ServiceError};
use rmcp::transport::Transport;
use serde_json::{Map, Value};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::{Notify, Semaphore, SetOnce};
use tokio_util::sync::CancellationToken;

/// Pages of `tools/list` that are read.
const PAGES_MAX: usize = 200;
/// A stream that closed is explained by its process's end, which is noticed a moment later.
const EXPLANATION_WAIT: Duration = Duration::from_secs(3);
/// Likewise, for a message that could not be written; over HTTP there is no process, and the caller waits in vain.
const SEND_WAIT: Duration = Duration::from_millis(100);

/// rmcp's running client.
pub(crate) type Client = RunningService<RoleClient, Handler>;

/// One live connection.
pub(crate) struct Connection {
    server: String,
    peer: Peer<RoleClient>,
    permits: Semaphore,
    message_bytes: usize,
    tools_max: usize,
    /// As last listed; absent until the first listing.
    tools: Mutex<Option<Arc<[ToolDefinition]>>>,
    pub(crate) tools_changed: Arc<Notify>,
    /// Why it ended.
    pub(crate) ended: SetOnce<Error>,
    /// Its process is gone.
    pub(crate) gone: CancellationToken,
    /// Asks it to end.
    pub(crate) stop: CancellationToken,
    pub(crate) observed: Arc<Observed>,
    redactor: Redactor,
}

/// Shakes hands over `transport`.
pub(crate) async fn handshake<T: Transport<RoleClient> + 'static>(
    options: &Options,
    tools_changed: &Arc<Notify>,
    transport: T,
) -> Result<Client, ClientInitializeError> {
    rmcp::serve_client(Handler::new(options, tools_changed.clone()), transport).await
}

impl Connection {
    pub(crate) fn new(
        server: &str,
        client: &Client,
        options: &Options,
        tools_changed: Arc<Notify>,
        observed: Arc<Observed>,
        redactor: Redactor,
    ) -> Self {
        Self {
            server: server.to_owned(),
            peer: client.peer().clone(),
            permits: Semaphore::new(options.calls_in_flight),
            message_bytes: options.message_bytes,
            tools_max: options.tools,
            tools: Mutex::default(),
            tools_changed,
            ended: SetOnce::new(),
            gone: CancellationToken::new(),
            stop: CancellationToken::new(),
            observed,
            redactor,
        }
    }

    pub(crate) fn server(&self) -> &str {
        &self.server
    }

    pub(crate) fn is_open(&self) -> bool {
        self.ended.get().is_none() && !self.peer.is_transport_closed() && !self.stop.is_cancelled()
    }

    /// The tools as last listed.
    pub(crate) fn tools(&self) -> Arc<[ToolDefinition]> {
        self.tools.lock().unwrap_or_else(PoisonError::into_inner).clone().unwrap_or_else(|| Arc::new([]))
    }

    /// Whether the start is over: the tools have been listed once.
    pub(crate) fn is_listed(&self) -> bool {
        self.tools.lock().unwrap_or_else(PoisonError::into_inner).is_some()
    }

    /// One call. Dropping the future tells the server that nobody waits any more.
    pub(crate) async fn call(&self, tool: &str, arguments: Map<String, Value>) -> Result<ToolResult, Error> {
        let _permit = self.permits.acquire().await.map_err(|_| self.stopped())?;
        let params = CallToolRequestParams::new(tool.to_owned()).with_arguments(arguments);
        match self.peer.call_tool_once(params).await {
            Ok(CallToolResponse::Complete(result)) => Ok(convert::result(result)),
            Ok(CallToolResponse::InputRequired(_)) => {
                Err(self.protocol("it asks the user for input in the middle of a call"))
            }
            Ok(_) => Err(self.protocol("it answered a call with a task, which was not offered")),
            Err(error) => Err(self.explain(error).await),
        }
    }

    /// Lists the tools anew, keeps them, and says whether they changed.
    pub(crate) async fn list(&self) -> Result<Option<Arc<[ToolDefinition]>>, Error> {
        let offers_tools = self.peer.peer_info().is_some_and(|info| info.capabilities.tools.is_some());
        let listed: Arc<[ToolDefinition]> = if offers_tools { self.pages().await?.into() } else { Arc::new([]) };
        let mut tools = self.tools.lock().unwrap_or_else(PoisonError::into_inner);
        let changed = tools.as_ref() != Some(&listed);
        *tools = Some(listed.clone());
        Ok(changed.then_some(listed))
    }

    /// Every page of `tools/list`. A server that pages in circles or without end is cut off with an error: a catalog
    /// that is silently incomplete would send programs after tools that "do not exist".
    async fn pages(&self) -> Result<Vec<ToolDefinition>, Error> {
        let mut tools = Vec::new();
        let mut cursor: Option<String> = None;
        for _page in 0..PAGES_MAX {
            let params = PaginatedRequestParams::default().with_cursor(cursor.clone());
            let page = match self.peer.list_tools(Some(params)).await {
                Ok(page) => page,
                Err(error) => return Err(self.explain(error).await),
            };
            tools.extend(page.tools.into_iter().map(convert::tool));
            if tools.len() > self.tools_max {
                return Err(self.protocol(&format!("it lists more than {} tools", self.tools_max)));
            }
            match page.next_cursor.filter(|next| !next.is_empty()) {
                None => return Ok(tools),
                next if next == cursor => return Err(self.protocol("its list of tools repeats the same page for ever")),
                next => cursor = next,
            }
        }
        Err(self.protocol(&format!("its list of tools has more than {PAGES_MAX} pages")))
    }

    async fn explain(&self, error: ServiceError) -> Error {
        match error {
            ServiceError::McpError(error) if error.code == decode::TOO_LARGE => self.too_large(self.message_bytes),
            ServiceError::McpError(error) if error.code == decode::UNREADABLE => self.protocol(&error.message),
            ServiceError::McpError(error) => Error::Rpc {
                server: self.server.clone(),
                code: error.code.0,
                message: self.redactor.clean(&error.message),
            },
            ServiceError::TransportClosed => self.explain_end().await,
            // A broken pipe comes from a process that ended, which says more.
            ServiceError::TransportSend(error) => match tokio::time::timeout(SEND_WAIT, self.ended.wait()).await {
                Ok(ended) => ended.clone(),
                Err(_) if crate::http::is_unauthorized(error.error.as_ref()) => {
                    Error::Unauthorized { server: self.server.clone() }
                }
                Err(_) => match describe(error.error.as_ref()) {
                    why if why.contains(crate::http::TOO_LARGE) => self.too_large(crate::http::BODY_BYTES_MAX),
                    why => self.unreachable(&why),
                },
            },
            ServiceError::UnexpectedResponse => self.protocol("its answer is of another kind than was asked for"),
            other => self.protocol(&other.to_string()),
        }
    }

    async fn explain_end(&self) -> Error {
        match tokio::time::timeout(EXPLANATION_WAIT, self.ended.wait()).await {
            Ok(ended) => ended.clone(),
            Err(_) => self.protocol("it closed the connection"),
        }
    }

    /// Why the connection closed, as far as the transport saw it.
    pub(crate) fn fatal(&self) -> Option<Error> {
        Some(match self.observed.fatal()? {
            Fatal::Overlong => self.too_large(self.message_bytes),
            Fatal::Garbage => self.protocol(&self.observed.garbage_note()),
        })
    }

    pub(crate) fn stopped(&self) -> Error {
        Error::Stopped { server: self.server.clone() }
    }

    pub(crate) fn protocol(&self, what: &str) -> Error {
        Error::Protocol { server: self.server.clone(), what: self.redactor.clean(what) }
    }

    fn unreachable(&self, why: &str) -> Error {
        Error::Unreachable { server: self.server.clone(), why: self.redactor.clean(why) }
    }

    fn too_large(&self, limit_bytes: usize) -> Error {
        Error::TooLarge { server: self.server.clone(), what: "its answer".into(), limit_bytes }
    }
}

/// An error and its causes, outermost first, without repeating what the outer one already says.
pub(crate) fn describe(error: &(dyn std::error::Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let inner = error.to_string();
        if !text.contains(&inner) {
            text.push_str(": ");
            text.push_str(&inner);
        }
        cause = error.source();
    }
    text
}
