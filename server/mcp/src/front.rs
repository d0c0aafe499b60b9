//! One MCP session: decodes a request, submits it, encodes the reply.

use crate::answer::{answer, decode, failed, refused, text};
use crate::elicit::{is_stateless, offers, questions};
use crate::http::Seat;
use crate::log::Threshold;
use crate::progress::Narrator;
use crate::results::{self, Wanted, wanted};
use crate::run::{Pause, Run, Sitting};
use crate::tools::{TOOL_SET, tool};
use crate::{card, direct, prompts};
use daemon::{Asker, Daemon, Ticket};
use model::{
    DirectTool, Origin, Reply, Request, RunId, RunStatus, SearchRequest, TraceContext, reply_text, search_text,
};
#[expect(deprecated, reason = "the newest protocol drops logging; today's hosts set its level")]
use rmcp::model::SetLevelRequestParams;
use rmcp::model::{
    CallToolRequestParams, CallToolResponse, CallToolResult, CompleteRequestParams, CompleteResult, CompletionInfo,
    DiscoverResult, GetPromptRequestParams, GetPromptResponse, Implementation, InitializeRequestParams,
    InitializeResult, JsonObject, ListPromptsResult, ListResourceTemplatesResult, ListResourcesResult, ListToolsResult,
    PaginatedRequestParams, ReadResourceRequestParams, ReadResourceResponse, Reference, ServerCapabilities,
    ServerConfig, SubscriptionFilter, Tool,
};
use rmcp::service::{NotificationContext, RequestContext, SubscriptionContext};
use rmcp::{ErrorData, RoleServer, ServerHandler};
use serde_json::Value;
use std::sync::{Arc, OnceLock};
use tokio_util::sync::DropGuard;

/// The tool that runs programs.
const RUN_CODE: &str = "run_code";

/// The name this front files its runs under.
const FRONT: &str = "mcp";

/// Servers that the instructions name; the search finds the others.
const SERVERS_NAMED_MAX: usize = 40;

/// Stubs of a server's tools in a prompt.
const STUBS_MAX: usize = 100;

/// Bytes of either half of a trace context: as many as every participant passes on.
const TRACE_BYTES_MAX: usize = 512;

/// How long a list that never changes may be kept.
const LIST_TTL_MS: u64 = 3_600_000;

/// A session's view of the daemon.
pub(crate) struct Front {
    daemon: Daemon,
    sitting: Arc<Sitting>,
    /// The protocol's newest revision has no sessions: its requests share the endpoint's sitting.
    endpoint: Option<Arc<Sitting>>,
    log: Threshold,
    /// Ends with the session: its client is told of other tools.
    followed: OnceLock<DropGuard>,
    /// Held as long as the session lives: there are only so many.
    _seat: Option<Seat>,
}

impl Front {
    pub(crate) fn new(daemon: Daemon) -> Self {
        let (sitting, log, followed) = (Arc::default(), Threshold::default(), OnceLock::new());
        Self { daemon, sitting, endpoint: None, log, followed, _seat: None }
    }

    /// A session among others on one HTTP endpoint.
    pub(crate) fn seated(daemon: Daemon, endpoint: Arc<Sitting>, seat: Seat) -> Self {
        Self { endpoint: Some(endpoint), _seat: Some(seat), ..Self::new(daemon) }
    }

    fn sitting(&self, context: &RequestContext<RoleServer>) -> &Arc<Sitting> {
        self.endpoint.as_ref().filter(|_| is_stateless(context)).unwrap_or(&self.sitting)
    }

    /// Where the client cannot ask its person, the editor is asked, if one is in front.
    fn submit(&self, request: Request, asker: Option<Arc<dyn Asker>>, context: &RequestContext<RoleServer>) -> Ticket {
        let conversation = self.sitting(context).conversation.clone();
        self.daemon.submit_for(request, Origin { front: FRONT, conversation, trace: trace(context) }, asker)
    }

    /// The answer to what asks nobody.
    async fn ask(&self, request: Request, context: &RequestContext<RoleServer>) -> Result<Reply, daemon::Error> {
        answer(self.submit(request, None, context), context).await
    }

    /// Runs a program, or goes on with one whose client has answered its question.
    async fn run_code(
        &self,
        request: CallToolRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<CallToolResponse, ErrorData> {
        let sitting = self.sitting(&context);
        let mut narrator = Narrator::new(&context, self.log.of(&context), || self.daemon.notices());
        let arguments = request.arguments.unwrap_or_default();
        let mut run = match request.request_state {
            Some(handle) => Run::resume(sitting, &handle, RUN_CODE, &arguments, request.input_responses)?,
            None => match decode(RUN_CODE, Value::Object(arguments.clone())) {
                Ok(program) => self.begin(Request::Run(program), RUN_CODE, arguments, &context),
                Err(refusal) => return Ok((*refusal).into()),
            },
        };
        let reply = match run.drive(&mut narrator, &context.ct).await {
            Pause::Ended(reply) => reply,
            Pause::Asks => return run.park(sitting).map(Into::into),
        };
        let Ok(Reply::Run(reply)) = reply else { return Ok(refused(reply).into()) };
        narrator.close(&reply).await;
        if sitting.shelf.add(&reply) && !is_stateless(&context) {
            // A client that has left needs no telling.
            let _ = context.peer.notify_resource_list_changed().await;
        }
        let result = text(reply_text(&reply), reply.status != RunStatus::Ok);
        let result = if shows_card(&context) { result.with_meta(Some(card::data(&reply))) } else { result };
        Ok(result.into())
    }

    fn begin(&self, request: Request, tool: &str, arguments: JsonObject, context: &RequestContext<RoleServer>) -> Run {
        let (asker, questions) = questions(context);
        Run::new(self.submit(request, asker, context), questions, tool, arguments)
    }

    /// Calls a server's tool without a program, or goes on where its client has answered a question.
    async fn call_directly(
        &self,
        tool: &DirectTool,
        request: CallToolRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<CallToolResponse, ErrorData> {
        let (sitting, name) = (self.sitting(&context), &tool.definition.name);
        let mut narrator = Narrator::new(&context, self.log.of(&context), || self.daemon.notices());
        let arguments = request.arguments.unwrap_or_default();
        let mut run = match request.request_state {
            Some(handle) => Run::resume(sitting, &handle, name, &arguments, request.input_responses)?,
            None => self.begin(direct::request(tool, &arguments), name, arguments, &context),
        };
        match run.drive(&mut narrator, &context.ct).await {
            Pause::Ended(reply) => Ok(direct::result(reply).into()),
            Pause::Asks => run.park(sitting).map(Into::into),
        }
    }

    /// The tools that stand beside ours, after their servers were listed.
    async fn direct_tools(&self, context: &RequestContext<RoleServer>) -> Result<Arc<[DirectTool]>, ErrorData> {
        match self.ask(Request::DirectTools, context).await {
            Ok(Reply::DirectTools(tools)) => Ok(tools),
            other => Err(failed(other)),
        }
    }

    async fn search_tools(&self, arguments: Value, context: RequestContext<RoleServer>) -> CallToolResult {
        let request = match decode("search_tools", arguments) {
            Ok(request) => request,
            Err(refusal) => return *refusal,
        };
        match self.ask(Request::Search(request), &context).await {
            Ok(Reply::Search(reply)) => text(search_text(&reply), false),
            other => refused(other),
        }
    }

    /// A run's receipt, as soon as it is counted, or a part of its result.
    async fn read(
        &self,
        uri: &str,
        request: Request,
        context: &RequestContext<RoleServer>,
    ) -> Result<ReadResourceResponse, ErrorData> {
        match self.ask(request, context).await {
            Ok(Reply::Receipt(report, result_tokens)) => Ok(card::receipt(uri, &report, &result_tokens).into()),
            Ok(Reply::RunResult(part)) => Ok(results::part(uri, part).into()),
            Err(daemon::Error::Usage(_)) => Err(results::not_found(uri)),
            other => Err(failed(other)),
        }
    }

    /// The stubs of one server's tools.
    async fn stubs(&self, server: &str, context: &RequestContext<RoleServer>) -> Result<String, ErrorData> {
        let request =
            SearchRequest { server: Some(server.to_owned()), limit: Some(STUBS_MAX), ..SearchRequest::default() };
        match self.ask(Request::Search(request), context).await {
            Ok(Reply::Search(found)) => Ok(search_text(&found)),
            Err(daemon::Error::Usage(why)) => Err(ErrorData::invalid_params(why, None)),
            other => Err(failed(other)),
        }
    }
}

impl ServerHandler for Front {
    #[expect(deprecated, reason = "the newest protocol drops logging; today's hosts show it")]
    fn get_info(&self) -> ServerConfig {
        let offers = ServerCapabilities::builder().enable_tools().enable_tool_list_changed();
        let offers = offers.enable_prompts().enable_completions();
        let offers = offers.enable_resources().enable_resources_list_changed().enable_logging().build();
        let info = ServerConfig::new(offers).with_server_info(Implementation::new("tta", env!("CARGO_PKG_VERSION")));
        info.with_instructions(format!("{}{}", TOOL_SET.instructions, servers(&self.daemon.server_identifiers())))
    }

    // What a client is offered depends on what it says of itself, here and in every request.

    async fn initialize(
        &self,
        request: InitializeRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<InitializeResult, ErrorData> {
        let mut result = self.negotiate_initialize(&request)?;
        self.daemon.expect(offers(&request.capabilities));
        if card::shown_by(&request.capabilities) {
            card::offer(&mut result.capabilities);
        }
        context.peer.set_peer_info(request);
        Ok(result)
    }

    async fn on_initialized(&self, context: NotificationContext<RoleServer>) {
        self.followed.get_or_init(|| direct::follow(self.daemon.clone(), context.peer));
    }

    async fn discover(&self, context: RequestContext<RoleServer>) -> Result<DiscoverResult, ErrorData> {
        let versions = self.supported_protocol_versions().into_owned();
        let mut result = DiscoverResult::from_server_info(versions, self.get_info());
        if shows_card(&context) {
            card::offer(&mut result.capabilities);
        }
        Ok(result)
    }

    async fn list_resources(
        &self,
        _: Option<PaginatedRequestParams>,
        context: RequestContext<RoleServer>,
    ) -> Result<ListResourcesResult, ErrorData> {
        let page = shows_card(&context).then(card::resource);
        let results = self.sitting(&context).shelf.resources();
        Ok(ListResourcesResult::with_all_items(page.into_iter().chain(results).collect()))
    }

    async fn list_resource_templates(
        &self,
        _: Option<PaginatedRequestParams>,
        _: RequestContext<RoleServer>,
    ) -> Result<ListResourceTemplatesResult, ErrorData> {
        let templates = vec![results::template()];
        Ok(ListResourceTemplatesResult::with_all_items(templates).with_ttl_ms(LIST_TTL_MS))
    }

    async fn read_resource(
        &self,
        request: ReadResourceRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<ReadResourceResponse, ErrorData> {
        let asked = match wanted(&request.uri, shows_card(&context))? {
            Wanted::Page => return Ok(card::page().into()),
            Wanted::Receipt(run_id) => Request::Receipt { run_id: RunId::from(run_id) },
            Wanted::Result { run_id, offset, bytes } => {
                Request::RunResult { run_id: RunId::from(run_id), offset, bytes }
            }
        };
        self.read(&request.uri, asked, &context).await
    }

    // Two lists change: that of the results, and that of the tools.

    fn accepted_subscription_filter(&self, requested: &SubscriptionFilter) -> Option<SubscriptionFilter> {
        Some(requested.clone())
    }

    async fn listen(&self, subscription: SubscriptionContext) -> Result<(), ErrorData> {
        let mut results = self.sitting(subscription.request_context()).shelf.changes();
        let mut tools = direct::Changes::new(self.daemon.clone());
        let accepted = subscription.accepted();
        let of_results = accepted.resources_list_changed == Some(true);
        let of_tools = accepted.tools_list_changed == Some(true);
        loop {
            let told = tokio::select! {
                () = subscription.cancelled() => return Ok(()),
                kept = results.changed(), if of_results => match kept {
                    Ok(()) => subscription.sink().notify_resource_list_changed().await,
                    Err(_) => return Ok(()),
                },
                () = tools.next(), if of_tools => subscription.sink().notify_tool_list_changed().await,
            };
            if told.is_err() {
                return Ok(());
            }
        }
    }

    async fn list_prompts(
        &self,
        _: Option<PaginatedRequestParams>,
        _: RequestContext<RoleServer>,
    ) -> Result<ListPromptsResult, ErrorData> {
        Ok(ListPromptsResult::with_all_items(vec![prompts::prompt()]).with_ttl_ms(LIST_TTL_MS))
    }

    async fn get_prompt(
        &self,
        request: GetPromptRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<GetPromptResponse, ErrorData> {
        let stubs = match prompts::server(&request)? {
            Some(server) => Some(self.stubs(&server, &context).await?),
            None => None,
        };
        Ok(prompts::text(&servers(&self.daemon.server_identifiers()), stubs.as_deref()).into())
    }

    async fn complete(
        &self,
        request: CompleteRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<CompleteResult, ErrorData> {
        let prefix = request.argument.value.as_str();
        let values = match (&request.r#ref, request.argument.name.as_str()) {
            (Reference::Prompt(prompt), prompts::SERVER) if prompt.name == prompts::NAME => {
                let mut servers = self.daemon.server_identifiers();
                servers.retain(|server| server.starts_with(prefix));
                servers
            }
            (Reference::Resource(resource), "run_id") if resource.uri == results::TEMPLATE => {
                self.sitting(&context).shelf.run_ids(prefix)
            }
            _ => Vec::new(),
        };
        Ok(CompleteResult::new(completion(values)))
    }

    #[expect(deprecated, reason = "the newest protocol drops logging; today's hosts set its level")]
    async fn set_level(&self, request: SetLevelRequestParams, _: RequestContext<RoleServer>) -> Result<(), ErrorData> {
        self.log.set(request.level);
        Ok(())
    }

    fn get_tool(&self, name: &str) -> Option<Tool> {
        let beside = || self.daemon.direct_tools().iter().find(|it| it.definition.name == name).map(direct::tool);
        tool(name).cloned().or_else(beside)
    }

    async fn list_tools(
        &self,
        _: Option<PaginatedRequestParams>,
        context: RequestContext<RoleServer>,
    ) -> Result<ListToolsResult, ErrorData> {
        let tools = TOOL_SET.tools.iter().cloned();
        let mut tools: Vec<Tool> = if shows_card(&context) { tools.map(card::on).collect() } else { tools.collect() };
        let beside = self.direct_tools(&context).await?;
        tools.extend(beside.iter().map(direct::tool));
        let ttl_ms = if beside.is_empty() { LIST_TTL_MS } else { direct::TTL_MS };
        Ok(ListToolsResult::with_all_items(tools).with_ttl_ms(ttl_ms))
    }

    async fn call_tool(
        &self,
        request: CallToolRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<CallToolResponse, ErrorData> {
        match request.name.as_ref() {
            RUN_CODE => self.run_code(request, context).await,
            "search_tools" => {
                let arguments = Value::Object(request.arguments.unwrap_or_default());
                Ok(self.search_tools(arguments, context).await.into())
            }
            other => {
                let beside = self.direct_tools(&context).await?;
                if let Some(tool) = beside.iter().find(|it| it.definition.name == other) {
                    return self.call_directly(tool, request, context).await;
                }
                let own = ["run_code", "search_tools"].into_iter();
                let all: Vec<&str> = own.chain(beside.iter().map(|it| it.definition.name.as_str())).collect();
                let why = format!("no tool `{other}`: there are {}; programs reach the rest", all.join(", "));
                Err(ErrorData::invalid_params(why, None))
            }
        }
    }
}

/// The trace that a request says it is a part of (SEP-414). What is no trace is left out where it is read.
fn trace(context: &RequestContext<RoleServer>) -> Option<TraceContext> {
    let short = |text: &str| (text.len() <= TRACE_BYTES_MAX).then(|| text.to_owned());
    let parent = context.meta.get_traceparent().and_then(short)?;
    Some(TraceContext { parent, state: context.meta.get_tracestate().and_then(short).unwrap_or_default() })
}

fn shows_card(context: &RequestContext<RoleServer>) -> bool {
    context.client_capabilities().is_some_and(|client| card::shown_by(&client))
}

/// The servers that a program can import, as a sentence that follows others.
fn servers(servers: &[String]) -> String {
    let named = servers.iter().take(SERVERS_NAMED_MAX).map(String::as_str).collect::<Vec<_>>().join(", ");
    match servers.len() {
        0 => String::new(),
        1..=SERVERS_NAMED_MAX => format!(" Servers: {named}."),
        _ => format!(" Servers: {named}, …."),
    }
}

/// What may be a value, as many as a completion has room for.
fn completion(values: Vec<String>) -> CompletionInfo {
    let total = values.len();
    let shown: Vec<String> = values.into_iter().take(CompletionInfo::MAX_VALUES).collect();
    let more = total > shown.len();
    CompletionInfo::with_pagination(shown, u32::try_from(total).ok(), more).expect("as many as there may be")
}
