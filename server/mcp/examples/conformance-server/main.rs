//! What the official conformance suite calls, behind the very endpoint that serves `tta mcp --http`.
//!
//! Prints the endpoint's URL, and serves until its stdin is closed. What never changes stands in `fixtures.json`; what asks
//! its client in the revision without sessions, in `rounds.rs`. Leaves out: the token, which the suite does not know.

#![expect(deprecated, reason = "the suites ask for logging, sampling and subscriptions of one resource too")]

mod rounds;

use mcp::{Auth, HttpLimits, Seat, serve_handler};
use rmcp::model::{
    CallToolRequestParams, CallToolResponse, CallToolResult, ClientCapabilities, ClientResult, CompleteRequestParams,
    CompleteResult, CompletionInfo, ContentBlock, CreateMessageRequest, CreateMessageRequestParams, ElicitRequest,
    GetPromptRequestParams, GetPromptResponse, GetPromptResult, ListPromptsResult, ListResourceTemplatesResult,
    ListResourcesResult, ListToolsResult, LoggingLevel, LoggingMessageNotificationParam, PaginatedRequestParams,
    ProgressNotificationParam, Prompt, PromptMessage, ReadResourceRequestParams, ReadResourceResponse,
    ReadResourceResult, Resource, ResourceContents, ResourceTemplate, SamplingMessage, ServerCapabilities,
    ServerConfig, ServerRequest, SetLevelRequestParams, SubscribeRequestParams, SubscriptionFilter, Tool,
    UnsubscribeRequestParams,
};
use rmcp::service::{RequestContext, SubscriptionContext};
use rmcp::{ErrorData, RoleServer, ServerHandler};
use rounds::Rounds;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use std::collections::HashMap;
use std::sync::{Arc, LazyLock};
use tokio::io::AsyncReadExt as _;
use tokio::sync::broadcast;

/// `fixtures.json`.
#[derive(Deserialize)]
struct Fixtures {
    tools: Vec<Tool>,
    /// What tools that need no code answer.
    results: HashMap<String, CallToolResult>,
    /// What tools that ask a person ask.
    forms: HashMap<String, Value>,
    resources: Vec<Resource>,
    contents: HashMap<String, Map<String, Value>>,
    templates: Vec<ResourceTemplate>,
    prompts: Vec<Prompt>,
    /// What prompts say, with `{name}` for an argument.
    messages: HashMap<String, Value>,
}

static FIXTURES: LazyLock<Fixtures> =
    LazyLock::new(|| serde_json::from_str(include_str!("fixtures.json")).expect("fixtures.json holds MCP types"));

/// What changed, for those who subscribe to it.
#[derive(Clone, Copy)]
enum Change {
    Tools,
    Prompts,
}

/// One session, or one request without any.
struct Fixture {
    rounds: Arc<Rounds>,
    changes: broadcast::Sender<Change>,
    _seat: Seat,
}

type Context = RequestContext<RoleServer>;

impl Fixture {
    /// Sends the client a request of ours.
    async fn request(request: impl Into<ServerRequest> + Send, context: &Context) -> Result<ClientResult, ErrorData> {
        let sent = context.peer.send_request(request.into()).await;
        sent.map_err(|e| ErrorData::internal_error(format!("the client did not answer: {e}"), None))
    }

    async fn elicit(name: &str, message: &str, context: &Context) -> Result<CallToolResult, ErrorData> {
        let form = rounds::form(message, &FIXTURES.forms[name]);
        match Self::request(ElicitRequest::new(form), context).await? {
            ClientResult::ElicitResult(answer) => Ok(text(format!("User response: {}", json!(answer)))),
            _ => Err(ErrorData::internal_error("that is no answer to a question", None)),
        }
    }

    async fn sample(prompt: &str, context: &Context) -> Result<CallToolResult, ErrorData> {
        let params = CreateMessageRequestParams::new(vec![SamplingMessage::user_text(prompt)], 100);
        match Self::request(CreateMessageRequest::new(params), context).await? {
            ClientResult::CreateMessageResult(said) => {
                Ok(text(format!("LLM response: {}", json!(said.message.content))))
            }
            _ => Err(ErrorData::internal_error("that is no answer to a prompt", None)),
        }
    }

    async fn log(level: LoggingLevel, message: &str, context: &Context) {
        let _ = context.peer.notify_logging_message(LoggingMessageNotificationParam::new(level, json!(message))).await;
    }

    async fn progress(context: &Context) {
        let Some(token) = context.meta.get_progress_token() else { return };
        for step in [0.0, 50.0, 100.0] {
            let progress = ProgressNotificationParam::new(token.clone(), step).with_total(100.0);
            let _ = context.peer.notify_progress(progress).await;
        }
    }

    async fn act(
        &self,
        name: &str,
        arguments: &Map<String, Value>,
        context: &Context,
    ) -> Result<CallToolResult, ErrorData> {
        let argument = |name: &str| arguments.get(name).and_then(Value::as_str).unwrap_or("Hello");
        match name {
            "test_tool_with_logging" => {
                for message in ["Tool execution started", "Tool processing data", "Tool execution completed"] {
                    Self::log(LoggingLevel::Info, message, context).await;
                }
            }
            "test_logging_tool" => {
                if let Some(level) = context.meta.log_level() {
                    Self::log(level, "asked for", context).await;
                }
            }
            "test_tool_with_progress" => Self::progress(context).await,
            "test_sampling" => return Self::sample(argument("prompt"), context).await,
            "test_missing_capability" => {
                if context.client_capabilities().is_none_or(|client| client.sampling.is_none()) {
                    let needed = ClientCapabilities::builder().enable_sampling().build();
                    return Err(ErrorData::missing_required_client_capability(needed));
                }
            }
            // Nobody may have subscribed.
            "test_trigger_tool_change" => drop(self.changes.send(Change::Tools)),
            "test_trigger_prompt_change" => drop(self.changes.send(Change::Prompts)),
            name if FIXTURES.forms.contains_key(name) => {
                return Self::elicit(name, argument("message"), context).await;
            }
            _ => return Err(ErrorData::invalid_params(format!("no tool {name}"), None)),
        }
        Ok(text(format!("{name} is done")))
    }
}

impl ServerHandler for Fixture {
    fn get_info(&self) -> ServerConfig {
        let offers = ServerCapabilities::builder().enable_tools().enable_tool_list_changed();
        let offers = offers.enable_prompts().enable_prompts_list_changed().enable_completions().enable_logging();
        let offers = offers.enable_resources().enable_resources_list_changed().enable_resources_subscribe();
        ServerConfig::new(offers.build())
    }

    fn get_tool(&self, name: &str) -> Option<Tool> {
        FIXTURES.tools.iter().find(|tool| tool.name == name).cloned()
    }

    async fn list_tools(&self, _: Option<PaginatedRequestParams>, _: Context) -> Result<ListToolsResult, ErrorData> {
        Ok(ListToolsResult::with_all_items(FIXTURES.tools.clone()))
    }

    async fn call_tool(&self, request: CallToolRequestParams, context: Context) -> Result<CallToolResponse, ErrorData> {
        let name = request.name.as_ref();
        if let Some(result) = FIXTURES.results.get(name) {
            return Ok(result.clone().into());
        }
        if name.starts_with("test_input_required_result_") || name == "test_streaming_elicitation" {
            return self.rounds.call(&request, &context.client_capabilities().unwrap_or_default());
        }
        let arguments = request.arguments.clone().unwrap_or_default();
        self.act(name, &arguments, &context).await.map(Into::into)
    }

    async fn list_resources(
        &self,
        _: Option<PaginatedRequestParams>,
        _: Context,
    ) -> Result<ListResourcesResult, ErrorData> {
        Ok(ListResourcesResult::with_all_items(FIXTURES.resources.clone()))
    }

    async fn list_resource_templates(
        &self,
        _: Option<PaginatedRequestParams>,
        _: Context,
    ) -> Result<ListResourceTemplatesResult, ErrorData> {
        Ok(ListResourceTemplatesResult::with_all_items(FIXTURES.templates.clone()))
    }

    async fn read_resource(
        &self,
        request: ReadResourceRequestParams,
        _: Context,
    ) -> Result<ReadResourceResponse, ErrorData> {
        let uri = request.uri.as_str();
        let id = uri.strip_prefix("test://template/").and_then(|rest| rest.strip_suffix("/data"));
        let contents = if let Some(contents) = FIXTURES.contents.get(uri) {
            let mut contents = contents.clone();
            contents.insert("uri".to_owned(), json!(uri));
            serde_json::from_value(Value::Object(contents)).expect("fixtures.json holds contents")
        } else if let Some(id) = id {
            let data = json!({ "id": id, "templateTest": true, "data": format!("Data for ID: {id}") });
            ResourceContents::text(data.to_string(), uri).with_mime_type("application/json")
        } else {
            return Err(ErrorData::resource_not_found(format!("no resource {uri}"), Some(json!({ "uri": uri }))));
        };
        Ok(ReadResourceResult::new(vec![contents]).into())
    }

    async fn subscribe(&self, _: SubscribeRequestParams, _: Context) -> Result<(), ErrorData> {
        Ok(())
    }

    async fn unsubscribe(&self, _: UnsubscribeRequestParams, _: Context) -> Result<(), ErrorData> {
        Ok(())
    }

    async fn list_prompts(
        &self,
        _: Option<PaginatedRequestParams>,
        _: Context,
    ) -> Result<ListPromptsResult, ErrorData> {
        Ok(ListPromptsResult::with_all_items(FIXTURES.prompts.clone()))
    }

    async fn get_prompt(&self, request: GetPromptRequestParams, _: Context) -> Result<GetPromptResponse, ErrorData> {
        if request.name == "test_input_required_result_prompt" {
            return Ok(Rounds::prompt(&request));
        }
        let Some(messages) = FIXTURES.messages.get(&request.name) else {
            return Err(ErrorData::invalid_params(format!("no prompt {}", request.name), None));
        };
        let mut json = messages.to_string();
        for (name, value) in request.arguments.iter().flatten() {
            let quoted = json!(value.as_str().unwrap_or_default()).to_string();
            json = json.replace(&format!("{{{name}}}"), &quoted[1..quoted.len() - 1]);
        }
        let messages: Vec<PromptMessage> = serde_json::from_str(&json).expect("fixtures.json holds messages");
        Ok(GetPromptResult::new(messages).into())
    }

    async fn complete(&self, request: CompleteRequestParams, _: Context) -> Result<CompleteResult, ErrorData> {
        let known = ["paris", "park", "party"];
        let begins = known.iter().filter(|value| value.starts_with(request.argument.value.as_str()));
        let values = begins.map(|value| (*value).to_owned()).collect();
        let completion = CompletionInfo::with_all_values(values).expect("three are few");
        Ok(CompleteResult::new(completion))
    }

    async fn set_level(&self, _: SetLevelRequestParams, _: Context) -> Result<(), ErrorData> {
        Ok(())
    }

    fn accepted_subscription_filter(&self, requested: &SubscriptionFilter) -> Option<SubscriptionFilter> {
        Some(requested.clone())
    }

    async fn listen(&self, subscription: SubscriptionContext) -> Result<(), ErrorData> {
        let mut changes = self.changes.subscribe();
        loop {
            let change = tokio::select! {
                () = subscription.cancelled() => return Ok(()),
                change = changes.recv() => change,
            };
            // One that was not subscribed to is refused.
            let _ = match change {
                Ok(Change::Tools) => subscription.sink().notify_tool_list_changed().await,
                Ok(Change::Prompts) => subscription.sink().notify_prompt_list_changed().await,
                Err(_) => return Ok(()),
            };
        }
    }
}

fn text(text: String) -> CallToolResult {
    CallToolResult::success(vec![ContentBlock::text(text)])
}

#[tokio::main]
async fn main() -> Result<(), mcp::Error> {
    let (rounds, changes) = (Arc::<Rounds>::default(), broadcast::Sender::new(16));
    let fixture = move |seat| Fixture { rounds: Arc::clone(&rounds), changes: changes.clone(), _seat: seat };
    let any = ([127, 0, 0, 1], 0).into();
    let server = serve_handler(fixture, any, Auth::Open, HttpLimits::default()).await?;
    println!("{}", server.url());
    let _ = tokio::io::stdin().read(&mut [0]).await;
    server.stop().await;
    Ok(())
}
