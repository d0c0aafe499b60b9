//! One live connection: handshake, listing, calls, and why it ended.
//!
//! The path of a call is rmcp's own request; nothing here adds a task or a queue to it.
//!
//! Invariant: once a connection has ended, `ended` says why, and every caller that was waiting gets that very reason.

use crate::auth::Auth;
use crate::beside::Listings;
use crate::eras::{Era, Greeting};
use crate::error::Error;
use crate::fresh::{self, Fresh};
use crate::handler::Handler;
use crate::host::Questions;
use crate::lines::{Fatal, Observed};
use crate::progress::{Progress, Tapped, Watch, Watched};
use crate::redact::Redactor;
use crate::said::Mouth;
use crate::subscribe::Topics;
use crate::tasks::{self, TaskTools};
use crate::{Options, convert, decode, said};
use futures::FutureExt as _;
use model::{ToolDefinition, ToolResult};
use rmcp::model::{
    CallToolRequest, CallToolRequestParams, CancelledNotificationParam, ClientRequest, ListToolsRequest,
    PaginatedRequestParams, PingRequest, RequestId, RequestMetaObject, ServerCapabilities, ServerResult,
};
use rmcp::service::{ClientInitializeError, Peer, PeerRequestOptions, RoleClient, RunningService, ServiceError};
use rmcp::transport::{DynamicTransportError, Transport};
use serde_json::{Map, Value};
use std::collections::HashSet;
use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::{Notify, SetOnce};
use tokio_util::sync::CancellationToken;

/// Pages of one list that are read.
pub(crate) const PAGES_MAX: usize = 200;
/// A stream that closed is explained by its process's end, which is noticed a moment later.
const EXPLANATION_WAIT: Duration = Duration::from_secs(3);
/// Likewise, for a message that could not be written; over HTTP there is no process, and the caller waits in vain.
const SEND_WAIT: Duration = Duration::from_millis(100);

/// rmcp's running client.
pub(crate) type Client = RunningService<RoleClient, Handler>;

/// One live connection.
pub(crate) struct Connection {
    server: String,
    pub(crate) peer: Peer<RoleClient>,
    pub(crate) era: Era,
    /// What every request says beside itself, where there is something.
    meta: Option<RequestMetaObject>,
    watched: Arc<Watched>,
    /// What it lists beside its tools.
    pub(crate) listings: Arc<Listings>,
    /// The resources that somebody is subscribed to.
    pub(crate) topics: Arc<Topics>,
    /// What it is told where it asks for roots.
    pub(crate) roots: Value,
    /// What the server asks of us.
    pub(crate) questions: Arc<Questions>,
    message_bytes: usize,
    tools_max: usize,
    /// As last listed; absent until the first listing.
    tools: Mutex<Option<Arc<[ToolDefinition]>>>,
    /// How long they hold.
    pub(crate) fresh: Fresh,
    task_tools: TaskTools,
    /// Whether anything but its lists was asked of it.
    called: AtomicBool,
    pub(crate) tools_changed: Arc<Notify>,
    /// Why it ended.
    pub(crate) ended: SetOnce<Error>,
    /// It does not answer any more, and is to be ended for that.
    pub(crate) hangs: SetOnce<Error>,
    /// Its process is gone.
    pub(crate) gone: CancellationToken,
    /// Asks it to end.
    pub(crate) stop: CancellationToken,
    pub(crate) observed: Arc<Observed>,
    pub(crate) redactor: Redactor,
    /// Its login, where it may have one.
    auth: Option<Arc<Auth>>,
}

/// Shakes hands over `transport`, in the way that is known to work, or else in each in turn. `patience` is [`Greeting`]'s.
pub(crate) async fn handshake<T: Transport<RoleClient> + 'static>(
    options: &Options,
    tools_changed: &Arc<Notify>,
    questions: &Arc<Questions>,
    transport: T,
    mouth: Mouth,
    known: Option<Era>,
    patience: Option<Duration>,
) -> Result<Client, ClientInitializeError> {
    let watched = Arc::<Watched>::default();
    let handler = Handler::new(options, tools_changed.clone(), watched.clone(), questions.clone());
    let (topics, questions) = (handler.topics.clone(), questions.clone());
    let transport = Tapped { transport: Greeting::new(transport, patience), watched, topics, mouth, questions };
    rmcp::service::serve_client_with_lifecycle(handler, transport, Era::lifecycle(known)).await
}

impl Connection {
    pub(crate) fn new(
        server: &str,
        (client, era): (&Client, Era),
        options: &Options,
        tools_changed: Arc<Notify>,
        observed: Arc<Observed>,
        redactor: Redactor,
        auth: Option<Arc<Auth>>,
    ) -> Self {
        Self {
            server: server.to_owned(),
            peer: client.peer().clone(),
            era,
            meta: said::meta(era, client.peer().peer_info().as_ref().map(|info| &info.capabilities)),
            watched: client.service().watched.clone(),
            roots: client.service().roots(),
            questions: client.service().questions.clone(),
            listings: client.service().listings.clone(),
            topics: client.service().topics.clone(),
            message_bytes: options.message_bytes,
            tools_max: options.tools,
            tools: Mutex::default(),
            fresh: Fresh::new(options.listing_interval),
            task_tools: TaskTools::default(),
            called: AtomicBool::new(false),
            tools_changed,
            ended: SetOnce::new(),
            hangs: SetOnce::new(),
            gone: CancellationToken::new(),
            stop: CancellationToken::new(),
            observed,
            redactor,
            auth,
        }
    }

    pub(crate) fn server(&self) -> &str {
        &self.server
    }

    pub(crate) fn is_open(&self) -> bool {
        self.ended.get().is_none() && !self.peer.is_transport_closed() && !self.stop.is_cancelled()
    }

    pub(crate) fn was_called(&self) -> bool {
        self.called.load(Ordering::Acquire)
    }

    pub(crate) fn begin_calls(&self) {
        self.called.store(true, Ordering::Release);
    }

    /// The tools as last listed.
    pub(crate) fn tools(&self) -> Arc<[ToolDefinition]> {
        self.tools.lock().unwrap_or_else(PoisonError::into_inner).clone().unwrap_or_else(|| Arc::new([]))
    }

    /// The tools are used: where they are out of date, they are listed anew beside that.
    pub(crate) fn touch(&self) {
        if self.fresh.is_stale() {
            self.tools_changed.notify_one();
        }
    }

    /// Whether the start is over: the tools have been listed once.
    pub(crate) fn is_listed(&self) -> bool {
        self.tools.lock().unwrap_or_else(PoisonError::into_inner).is_some()
    }

    /// One call. With `whole` its value is all that the server said. Dropping the future tells the server that nobody
    /// waits any more.
    pub(crate) async fn call(
        &self,
        tool: &str,
        arguments: Map<String, Value>,
        progress: &Progress,
        whole: bool,
    ) -> Result<ToolResult, Error> {
        let params = CallToolRequestParams::new(tool.to_owned()).with_arguments(arguments);
        // Tasks are boxed, as they are rare, and every call's future would have room for them.
        if self.task_tools.has(tool) {
            return Box::pin(self.call_as_task(params, progress, whole)).await;
        }
        match self.converse(ClientRequest::CallToolRequest(CallToolRequest::new(params)), progress).await? {
            ServerResult::CreateTaskResult(made) => Box::pin(self.follow_task(made.task, progress, whole)).await,
            answer => self.result_of(answer, whole),
        }
    }

    /// What a tool answered.
    pub(crate) fn result_of(&self, answer: ServerResult, whole: bool) -> Result<ToolResult, Error> {
        match answer {
            ServerResult::CallToolResult(result) => Ok(convert::result(result, whole)),
            ServerResult::CustomResult(result) => convert::unknown(result.0, whole).ok_or_else(|| self.unexpected()),
            _ => Err(self.unexpected()),
        }
    }

    /// Whether it answers at all.
    pub(crate) async fn ping(&self) -> Result<(), Error> {
        let ping = ClientRequest::PingRequest(PingRequest::default());
        match self.request(ping, &Progress::default()).await {
            // One that knows no such request is alive as well.
            Ok(_) | Err(Error::Rpc { .. }) => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// One request. What the server tells of it meanwhile goes to `progress`; dropping the future cancels it there.
    pub(crate) async fn request(&self, request: ClientRequest, progress: &Progress) -> Result<ServerResult, Error> {
        self.followed(request, progress).await.map(|(answer, _watch)| answer)
    }

    /// The same; `progress` is told of it until the watch is dropped.
    pub(crate) async fn followed(
        &self,
        request: ClientRequest,
        progress: &Progress,
    ) -> Result<(ServerResult, Option<Watch<'_>>), Error> {
        let mut options = PeerRequestOptions::no_options();
        options.meta = progress.with_trace(self.meta.as_ref());
        let sent = self.peer.send_request_with_option(request, options).await;
        let handle = match sent {
            Ok(handle) => handle,
            Err(error) => return Err(self.explain(error).await),
        };
        let watch = self.watched.follow(&handle.progress_token, progress);
        let mut abandoned = Abandoned { peer: &self.peer, id: Some(handle.id.clone()) };
        let answer = tokio::select! {
            biased;
            answer = handle.await_response() => answer,
            // A request that is queued in the moment in which the connection ends is answered by nobody, not even with that.
            _ = self.ended.wait() => Err(ServiceError::TransportClosed),
        };
        abandoned.id = None;
        match answer {
            Ok(answer) => Ok((answer, watch)),
            Err(error) => Err(self.explain(error).await),
        }
    }

    /// Whether the server said in the handshake that it has something.
    pub(crate) fn offers(&self, has: impl FnOnce(&ServerCapabilities) -> bool) -> bool {
        self.peer.peer_info().is_some_and(|info| has(&info.capabilities))
    }

    /// The revision that was agreed on.
    pub(crate) fn protocol_version(&self) -> Option<String> {
        self.peer.peer_info().map(|info| info.protocol_version.to_string())
    }

    /// Lists the tools anew, keeps them, and says whether they changed.
    pub(crate) async fn list(&self) -> Result<Option<Arc<[ToolDefinition]>>, Error> {
        let has_tools = self.offers(|capabilities| capabilities.tools.is_some());
        let (listed, ttl_ms) =
            if has_tools { self.pages().await.inspect_err(|_| self.fresh.failed())? } else { (Vec::new(), None) };
        self.fresh.listed(ttl_ms);
        let listed: Arc<[ToolDefinition]> = listed.into();
        let mut tools = self.tools.lock().unwrap_or_else(PoisonError::into_inner);
        let changed = tools.as_ref() != Some(&listed);
        *tools = Some(listed.clone());
        Ok(changed.then_some(listed))
    }

    /// Every page of `tools/list`, and how long they hold. A server that pages in circles or without end is cut off with an error: a catalog
    /// that is silently incomplete would send programs after tools that "do not exist".
    async fn pages(&self) -> Result<(Vec<ToolDefinition>, Option<u64>), Error> {
        let (mut tools, mut task_tools, mut ttl_ms) = (Vec::new(), HashSet::new(), None);
        let takes_tasks = self.offers(tasks::are_offered);
        let mut cursor: Option<String> = None;
        for _page in 0..PAGES_MAX {
            let params = PaginatedRequestParams::default().with_cursor(cursor.clone());
            // Not by rmcp's own function, which answers from a cache of its own.
            let request = ClientRequest::ListToolsRequest(ListToolsRequest::with_param(params));
            let ServerResult::ListToolsResult(page) = self.request(request, &Progress::default()).await? else {
                return Err(self.unexpected());
            };
            ttl_ms = fresh::shortest(ttl_ms, page.ttl_ms);
            let as_tasks = page.tools.iter().filter(|tool| takes_tasks && tasks::is_required(tool));
            task_tools.extend(as_tasks.map(|tool| tool.name.clone().into_owned()));
            tools.extend(page.tools.into_iter().map(convert::tool));
            if tools.len() > self.tools_max {
                return Err(self.protocol(&format!("it lists more than {} tools", self.tools_max)));
            }
            match page.next_cursor.filter(|next| !next.is_empty()) {
                None => {
                    self.task_tools.set(task_tools);
                    return Ok((tools, ttl_ms));
                }
                next if next == cursor => return Err(self.protocol("its list of tools repeats the same page for ever")),
                next => cursor = next,
            }
        }
        Err(self.protocol(&format!("its list of tools has more than {PAGES_MAX} pages")))
    }

    pub(crate) async fn explain(&self, error: ServiceError) -> Error {
        match error {
            ServiceError::McpError(error) if error.code == decode::TOO_LARGE => self.too_large(self.message_bytes),
            ServiceError::McpError(error) if error.code == decode::UNREADABLE => self.protocol(&error.message),
            ServiceError::McpError(error) => self.refused(&error),
            ServiceError::TransportClosed => self.explain_end().await,
            // A broken pipe comes from a process that ended, which says more.
            ServiceError::TransportSend(error) => {
                match tokio::time::timeout(send_wait(&error), self.ended.wait()).await {
                    Ok(ended) => ended.clone(),
                    Err(_) => self.explain_send(error.error.as_ref()),
                }
            }
            ServiceError::UnexpectedResponse => self.unexpected(),
            other => self.protocol(&other.to_string()),
        }
    }

    fn explain_send(&self, error: &(dyn std::error::Error + 'static)) -> Error {
        if let Some(refused) = crate::auth::explain(&self.server, self.auth.as_deref(), error) {
            return refused;
        }
        if let Some((status, why)) = crate::http::refusal(error, |why| self.redactor.clean(why)) {
            return Error::Refused { server: self.server.clone(), status, why };
        }
        match describe(error) {
            why if why.contains(crate::http::TOO_LARGE) => self.too_large(crate::http::BODY_BYTES_MAX),
            why => self.unreachable(&why),
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

    pub(crate) fn unexpected(&self) -> Error {
        self.protocol("its answer is of another kind than was asked for")
    }

    pub(crate) fn protocol(&self, what: &str) -> Error {
        Error::Protocol { server: self.server.clone(), what: self.redactor.clean(what) }
    }

    pub(crate) fn no_task(&self, what: &str) -> Error {
        Error::Task { server: self.server.clone(), what: self.redactor.clean(what) }
    }

    pub(crate) fn unreachable(&self, why: &str) -> Error {
        Error::Unreachable { server: self.server.clone(), why: self.redactor.clean(why) }
    }

    fn too_large(&self, limit_bytes: usize) -> Error {
        Error::TooLarge { server: self.server.clone(), what: "its answer".into(), limit_bytes }
    }
}

/// How long the end that explains a failed message is waited for.
fn send_wait(error: &DynamicTransportError) -> Duration {
    let kind = error.error.downcast_ref::<io::Error>().map(io::Error::kind);
    let is_pipe = matches!(kind, Some(io::ErrorKind::BrokenPipe | io::ErrorKind::NotConnected));
    if is_pipe { EXPLANATION_WAIT } else { SEND_WAIT }
}

/// A request without an answer: the server is told where nobody waits for it any more.
struct Abandoned<'a> {
    peer: &'a Peer<RoleClient>,
    id: Option<RequestId>,
}

impl Drop for Abandoned<'_> {
    fn drop(&mut self) {
        let Some(id) = self.id.take() else { return };
        let params = CancelledNotificationParam::new(Some(id), Some("the caller went away".to_owned()));
        // The first poll queues the message; nobody waits until it is written. A queue that is full belongs to a server
        // that reads nothing, and so would not read this either.
        let _ = tokio::task::unconstrained(self.peer.notify_cancelled(params)).now_or_never();
    }
}

/// An error and its causes, outermost first, without repeating what the outer one already says.
pub(crate) fn describe(error: &(dyn std::error::Error + 'static)) -> String {
    let error = crate::http::untold(error);
    let mut text = error.to_string();
    let mut cause = crate::http::cause(error);
    while let Some(error) = cause {
        let inner = error.to_string();
        if !text.contains(&inner) {
            text.push_str(": ");
            text.push_str(&inner);
        }
        cause = crate::http::cause(error);
    }
    text
}
