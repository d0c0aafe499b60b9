//! One MCP session: decodes a tool call, submits it, encodes the reply.

use crate::card::{self, Wanted};
use crate::elicit::questions;
use crate::progress::Narrator;
use crate::tools::{TOOL_SET, tool};
use daemon::{Asker, Daemon, Ticket};
use model::{ConversationId, ErrorKind, ProgramError, Reply, Request, RunId, RunStatus, reply_text, search_text};
use rmcp::model::{
    CallToolRequestParams, CallToolResponse, CallToolResult, CompleteRequestMethod, CompleteRequestParams,
    CompleteResult, ContentBlock, DiscoverResult, Implementation, InitializeRequestParams, InitializeResult,
    ListPromptsRequestMethod, ListPromptsResult, ListResourceTemplatesRequestMethod, ListResourceTemplatesResult,
    ListResourcesRequestMethod, ListResourcesResult, ListToolsResult, PaginatedRequestParams, ProtocolVersion,
    ReadResourceRequestMethod, ReadResourceRequestParams, ReadResourceResponse, ServerCapabilities, ServerConfig, Tool,
};
use rmcp::service::RequestContext;
use rmcp::{ErrorData, RoleServer, ServerHandler};
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::sync::Arc;
use tokio::sync::OwnedSemaphorePermit;

/// The name this front files its runs under.
const FRONT: &str = "mcp";

/// Servers that the instructions name; the search finds the others.
const SERVERS_NAMED_MAX: usize = 40;

/// A session's view of the daemon.
pub(crate) struct Front {
    daemon: Daemon,
    /// The sitting. The protocol's newest revision has no sessions: its requests share the endpoint's.
    conversation: ConversationId,
    endpoint: Option<ConversationId>,
    /// Held as long as the session lives: there are only so many.
    _seat: Option<OwnedSemaphorePermit>,
}

impl Front {
    pub(crate) fn new(daemon: Daemon) -> Self {
        Self { daemon, conversation: ConversationId::new(), endpoint: None, _seat: None }
    }

    /// A session among others on one HTTP endpoint.
    pub(crate) fn seated(daemon: Daemon, endpoint: ConversationId, seat: OwnedSemaphorePermit) -> Self {
        Self { endpoint: Some(endpoint), _seat: Some(seat), ..Self::new(daemon) }
    }

    fn submit(&self, request: Request, context: &RequestContext<RoleServer>) -> Ticket {
        self.daemon.submit(request, FRONT, self.conversation(context))
    }

    fn conversation(&self, context: &RequestContext<RoleServer>) -> &ConversationId {
        let stateless = context.protocol_version().is_some_and(|v| v >= ProtocolVersion::V_2026_07_28);
        self.endpoint.as_ref().filter(|_| stateless).unwrap_or(&self.conversation)
    }

    /// Where the client cannot ask its person, the editor is asked, if one is in front.
    fn submit_asking(
        &self,
        request: Request,
        asker: Option<Arc<dyn Asker>>,
        context: &RequestContext<RoleServer>,
    ) -> Ticket {
        match asker {
            Some(asker) => self.daemon.submit_asking(request, FRONT, self.conversation(context), Some(asker)),
            None => self.submit(request, context),
        }
    }

    async fn run_code(&self, arguments: Value, context: RequestContext<RoleServer>) -> CallToolResult {
        let request = match decode("run_code", arguments) {
            Ok(request) => request,
            Err(refusal) => return *refusal,
        };
        let mut narrator = Narrator::new(&context, || self.daemon.notices());
        let (asker, mut questions) = questions(&context);
        let ticket = self.submit_asking(Request::Run(request), asker, &context);
        let run_id = ticket.run_id().clone();
        let reply = answer(ticket, &context);
        tokio::pin!(reply);
        let reply = tokio::select! {
            reply = &mut reply => reply,
            _ = async { tokio::join!(narrator.forward(run_id), questions.serve()) } => reply.await,
        };
        questions.withdraw().await;
        match reply {
            Ok(Reply::Run(reply)) => {
                narrator.close(&reply).await;
                let result = text(reply_text(&reply), reply.status != RunStatus::Ok);
                if shows_card(&context) { result.with_meta(Some(card::data(&reply))) } else { result }
            }
            other => refused(other),
        }
    }

    /// A run's receipt, as soon as it is counted.
    async fn receipt(
        &self,
        uri: &str,
        run_id: &str,
        context: &RequestContext<RoleServer>,
    ) -> Result<ReadResourceResponse, ErrorData> {
        let request = Request::Receipt { run_id: RunId::from(run_id) };
        match answer(self.submit(request, context), context).await {
            Ok(Reply::Receipt(report, result_tokens)) => Ok(card::receipt(uri, &report, &result_tokens).into()),
            Err(daemon::Error::Usage(_)) => Err(card::not_found(uri)),
            Err(e) => Err(ErrorData::internal_error(e.to_string(), None)),
            Ok(_) => Err(ErrorData::internal_error("the daemon answered another question", None)),
        }
    }

    async fn search_tools(&self, arguments: Value, context: RequestContext<RoleServer>) -> CallToolResult {
        let request = match decode("search_tools", arguments) {
            Ok(request) => request,
            Err(refusal) => return *refusal,
        };
        match answer(self.submit(Request::Search(request), &context), &context).await {
            Ok(Reply::Search(reply)) => text(search_text(&reply), false),
            other => refused(other),
        }
    }
}

impl ServerHandler for Front {
    fn get_info(&self) -> ServerConfig {
        let info = ServerConfig::new(ServerCapabilities::builder().enable_tools().build())
            .with_server_info(Implementation::new("tta", env!("CARGO_PKG_VERSION")));
        info.with_instructions(instructions(&self.daemon.server_identifiers()))
    }

    // What a client is offered depends on what it says of itself, here and in every request.

    async fn initialize(
        &self,
        request: InitializeRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<InitializeResult, ErrorData> {
        let mut result = self.negotiate_initialize(&request)?;
        if card::shown_by(&request.capabilities) {
            card::offer(&mut result.capabilities);
        }
        context.peer.set_peer_info(request);
        Ok(result)
    }

    async fn discover(&self, context: RequestContext<RoleServer>) -> Result<DiscoverResult, ErrorData> {
        let versions = self.supported_protocol_versions().into_owned();
        let mut result = DiscoverResult::from_server_info(versions, self.get_info());
        if shows_card(&context) {
            card::offer(&mut result.capabilities);
        }
        Ok(result)
    }

    // What is not declared is not there. The defaults answer with empty lists instead.

    async fn list_prompts(
        &self,
        _: Option<PaginatedRequestParams>,
        _: RequestContext<RoleServer>,
    ) -> Result<ListPromptsResult, ErrorData> {
        Err(ErrorData::method_not_found::<ListPromptsRequestMethod>())
    }

    async fn list_resources(
        &self,
        _: Option<PaginatedRequestParams>,
        context: RequestContext<RoleServer>,
    ) -> Result<ListResourcesResult, ErrorData> {
        if shows_card(&context) {
            return Ok(card::resources());
        }
        Err(ErrorData::method_not_found::<ListResourcesRequestMethod>())
    }

    async fn list_resource_templates(
        &self,
        _: Option<PaginatedRequestParams>,
        context: RequestContext<RoleServer>,
    ) -> Result<ListResourceTemplatesResult, ErrorData> {
        if shows_card(&context) {
            return Ok(ListResourceTemplatesResult::default());
        }
        Err(ErrorData::method_not_found::<ListResourceTemplatesRequestMethod>())
    }

    async fn read_resource(
        &self,
        request: ReadResourceRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<ReadResourceResponse, ErrorData> {
        if !shows_card(&context) {
            return Err(ErrorData::method_not_found::<ReadResourceRequestMethod>());
        }
        match card::wanted(&request.uri)? {
            Wanted::Page => Ok(card::page().into()),
            Wanted::Receipt(run_id) => self.receipt(&request.uri, run_id, &context).await,
        }
    }

    async fn complete(
        &self,
        _: CompleteRequestParams,
        _: RequestContext<RoleServer>,
    ) -> Result<CompleteResult, ErrorData> {
        Err(ErrorData::method_not_found::<CompleteRequestMethod>())
    }

    fn get_tool(&self, name: &str) -> Option<Tool> {
        tool(name).cloned()
    }

    async fn list_tools(
        &self,
        _: Option<PaginatedRequestParams>,
        context: RequestContext<RoleServer>,
    ) -> Result<ListToolsResult, ErrorData> {
        let tools = TOOL_SET.tools.iter().cloned();
        let tools = if shows_card(&context) { tools.map(card::on).collect() } else { tools.collect() };
        Ok(ListToolsResult::with_all_items(tools))
    }

    async fn call_tool(
        &self,
        request: CallToolRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<CallToolResponse, ErrorData> {
        let arguments = Value::Object(request.arguments.unwrap_or_default());
        let result = match request.name.as_ref() {
            "run_code" => self.run_code(arguments, context).await,
            "search_tools" => self.search_tools(arguments, context).await,
            other => {
                let why = format!("no tool `{other}`: there are run_code and search_tools; programs reach the rest");
                return Err(ErrorData::invalid_params(why, None));
            }
        };
        Ok(result.into())
    }
}

fn shows_card(context: &RequestContext<RoleServer>) -> bool {
    context.client_capabilities().is_some_and(|client| card::shown_by(&client))
}

/// What a host may tell its model of the whole set, with the servers that a program can import.
fn instructions(servers: &[String]) -> String {
    let text = TOOL_SET.instructions.as_str();
    if servers.is_empty() {
        return text.to_owned();
    }
    let named = servers.iter().take(SERVERS_NAMED_MAX).map(String::as_str).collect::<Vec<_>>().join(", ");
    let more = if servers.len() > SERVERS_NAMED_MAX { ", …" } else { "" };
    format!("{text} Servers: {named}{more}.").trim_start().to_owned()
}

/// The daemon's answer. A cancelled request stops its work; the answer still comes, and says so.
async fn answer(ticket: Ticket, context: &RequestContext<RoleServer>) -> Result<Reply, daemon::Error> {
    let cancel = ticket.cancellation();
    let reply = ticket.reply();
    tokio::pin!(reply);
    tokio::select! {
        reply = &mut reply => return reply,
        () = context.ct.cancelled() => cancel.cancel(),
    }
    reply.await
}

/// A tool's arguments; where they do not fit, what is wrong and what would fit, for the model to read.
fn decode<T: DeserializeOwned>(name: &str, arguments: Value) -> Result<T, Box<CallToolResult>> {
    serde_json::from_value(arguments).map_err(|e| {
        let known: Vec<&str> = tool(name)
            .and_then(|t| t.input_schema.get("properties")?.as_object())
            .map(|properties| properties.keys().map(String::as_str).collect())
            .unwrap_or_default();
        let error = ProgramError::new(ErrorKind::Usage, format!("{name}: {e}"))
            .with_hint(format!("{name} takes {{{}}}", known.join(", ")));
        Box::new(text(model::reply_text::error_text(&error), true))
    })
}

/// Whatever is not the answer that was asked for: the daemon's own error.
fn refused(reply: Result<Reply, daemon::Error>) -> CallToolResult {
    let error = match reply {
        Err(e) => ProgramError::new(e.kind(), e.to_string()),
        Ok(_) => ProgramError::new(ErrorKind::Fault, "the daemon answered another question"),
    };
    text(model::reply_text::error_text(&error), true)
}

fn text(text: String, is_error: bool) -> CallToolResult {
    let content = vec![ContentBlock::text(text)];
    if is_error { CallToolResult::error(content) } else { CallToolResult::success(content) }
}
