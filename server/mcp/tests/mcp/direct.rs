//! Tools of servers that a host calls without a program: which are offered, what they answer, and who is asked and told.

use daemon::{AskCalls, Options};
use model::report::ReportRequest;
use model::{Reply, Request};
use rmcp::model::{
    CallToolRequestParams, CallToolResponse, CallToolResult, ClientCapabilities, ClientConfig, ContentBlock,
    ElicitationCapability, ErrorCode, FormElicitationCapability, Implementation, InputRequiredResult, ProtocolVersion,
    ServerNotification, SubscriptionFilter, Tool,
};
use rmcp::service::{ClientLifecycleMode, ClientServiceExt as _, NotificationContext, RunningService, ServiceError};
use rmcp::{ClientHandler, RoleClient, ServiceExt as _};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::time::Duration;
use testkit::TestDaemon;
use tokio::sync::mpsc;

/// Longest that anything here may take.
const PATIENCE: Duration = Duration::from_mins(2);

/// A client that hears that the list is another.
struct Client(mpsc::UnboundedSender<()>);

impl ClientHandler for Client {
    async fn on_tool_list_changed(&self, _: NotificationContext<RoleClient>) {
        let _ = self.0.send(());
    }
}

struct Session {
    client: RunningService<RoleClient, Client>,
    other_list: mpsc::UnboundedReceiver<()>,
}

impl Session {
    async fn start(test: &TestDaemon) -> Self {
        let (near, far) = tokio::io::duplex(1 << 20);
        tokio::spawn(mcp::serve(test.daemon.clone(), tokio::io::split(far)));
        let (tx, other_list) = mpsc::unbounded_channel();
        Self { client: Client(tx).serve(near).await.expect("a session"), other_list }
    }

    async fn tools(&self) -> Vec<Tool> {
        self.client.list_all_tools().await.expect("listed")
    }

    async fn names(&self) -> Vec<String> {
        self.tools().await.into_iter().map(|tool| tool.name.into_owned()).collect()
    }

    async fn call(&self, tool: &'static str, arguments: Value) -> Result<CallToolResult, ServiceError> {
        self.client.call_tool(params(tool, arguments)).await
    }

    /// Waits until the list is this one, told of each change.
    async fn has(&mut self, expected: &[&str]) {
        while self.names().await != expected {
            tokio::time::timeout(PATIENCE, self.other_list.recv()).await.expect("told in time").expect("it lives");
        }
    }
}

fn params(tool: &'static str, arguments: Value) -> CallToolRequestParams {
    let Value::Object(arguments) = arguments else { panic!("arguments are an object") };
    CallToolRequestParams::new(tool).with_arguments(arguments)
}

fn text(result: &CallToolResult) -> &str {
    result.content.first().and_then(|block| block.as_text()).map(|text| text.text.as_str()).expect("a text block")
}

fn offering(tools: &str) -> String {
    format!("[mcp]\ndirect_tools = [{tools}]\n")
}

#[tokio::test]
async fn nothing_is_offered_beside_ours_unless_it_is_named() {
    let test = TestDaemon::builder().scripted("good", &["ok"]).start().await;
    let session = Session::start(&test).await;
    assert_eq!(session.names().await, ["run_code", "search_tools"]);
    match session.call("good__echo", json!({})).await {
        Err(ServiceError::McpError(error)) => assert_eq!(error.code, ErrorCode::INVALID_PARAMS),
        other => panic!("no such tool, not {other:?}"),
    }
}

#[tokio::test]
async fn a_named_tool_is_listed_as_its_server_describes_it_and_answers_whole() {
    let toml = offering("\"good.echo\", \"notes.read_note\", \"meta.blocks\"");
    let builder = TestDaemon::builder().scripted("good", &["ok"]).scripted("notes", &["typed-tools"]);
    let test = builder.scripted("meta", &["blocks"]).toml(&toml).start().await;
    let session = Session::start(&test).await;
    let tools = session.tools().await;
    let names: Vec<&str> = tools.iter().map(|tool| tool.name.as_ref()).collect();
    assert_eq!(names, ["run_code", "search_tools", "good__echo", "notes__read_note"], "`blocks` is not listed there");
    let note = &tools[3];
    assert_eq!(note.description.as_deref(), Some("Reads a note."));
    assert_eq!(note.input_schema["required"], json!(["path"]));
    assert_eq!(note.annotations.as_ref().and_then(|claims| claims.read_only_hint), Some(true));
    assert_eq!(note.output_schema, None);
    let echoed = session.call("good__echo", json!({"a": [1, 2]})).await.expect("an answer");
    assert_eq!((echoed.structured_content, echoed.is_error), (Some(json!({"a": [1, 2]})), Some(false)));
    let wrong = session.call("notes__read_note", json!({"path": 1})).await.expect("an answer for the model");
    assert_eq!(wrong.is_error, Some(true));
    assert!(text(&wrong).starts_with("error[arguments]") && text(&wrong).contains("path"), "{}", text(&wrong));
    match session.call("good__ecko", json!({})).await {
        Err(ServiceError::McpError(error)) => assert!(error.message.contains("good__echo"), "{}", error.message),
        other => panic!("no such tool, not {other:?}"),
    }
}

#[tokio::test]
async fn a_tool_that_fails_says_so_and_blocks_come_as_they_are() {
    let test = TestDaemon::builder().scripted("good", &["ok"]).toml(&offering("\"good.fail\", \"good.text\"")).start();
    let test = test.await;
    let session = Session::start(&test).await;
    let failed = session.call("good__fail", json!({})).await.expect("an answer for the model");
    assert_eq!(failed.is_error, Some(true));
    assert!(text(&failed).contains("as you wished"), "{}", text(&failed));
    let said = session.call("good__text", json!({"text": "{\"n\": 007}"})).await.expect("an answer");
    assert_eq!(said.content, [ContentBlock::text("{\"n\": 007}")], "no text is read as anything else");
}

#[tokio::test]
async fn a_name_that_does_not_exist_is_a_problem_with_its_line_and_the_others_are_offered() {
    let settings =
        "[limits]\ncalls = 5\n[mcp]\ndirect_tools = [\n  \"good.ecko\",\n  \"goood.echo\",\n  \"good.echo\",\n]\n";
    let test = TestDaemon::builder().scripted("good", &["ok"]).toml(settings).start().await;
    let session = Session::start(&test).await;
    assert_eq!(session.names().await, ["run_code", "search_tools", "good__echo"]);
    let Ok(Reply::Doctor(checks)) = test.ask(Request::Doctor).await else { panic!("checks") };
    let named = |name: &str| checks.iter().find(|check| check.name == name).unwrap_or_else(|| panic!("{checks:?}"));
    let (tool, server) = (named("tta.toml:5"), named("tta.toml:6"));
    assert!(!tool.ok && tool.detail.contains("no tool `ecko`") && tool.mend.contains("echo"), "{tool:?}");
    assert!(!server.ok && server.detail.contains("no server `goood`") && server.mend.contains("good"), "{server:?}");
    assert!(named("direct tool good.echo").ok);
    let Ok(Reply::Servers(servers)) = test.ask(Request::Servers { list: true }).await else { panic!("servers") };
    assert!(servers[0].problems.iter().any(|it| it.line == 5 && it.message.contains("ecko")), "{:?}", servers[0]);
    assert!(test.daemon.problems().iter().any(|it| it.line == 6), "{:?}", test.daemon.problems());
}

#[tokio::test]
async fn no_more_than_twenty_are_offered() {
    let names: Vec<String> = (0..25).map(|n| format!("\"many.read_file_{}\"", 100 * n + 1)).collect();
    let test = TestDaemon::builder().scripted("many", &["many-tools"]).toml(&offering(&names.join(", "))).start();
    let test = test.await;
    assert_eq!(Session::start(&test).await.names().await.len(), 2 + 20);
    let said = test.daemon.problems();
    assert!(said.iter().any(|problem| problem.message.contains("more than 20")), "{said:?}");
}

#[tokio::test]
async fn clients_are_told_when_a_server_has_other_tools_or_the_setting_changes() {
    let toml = offering("\"good.grow\", \"good.extra0\"");
    let test = TestDaemon::builder().scripted("good", &["ok"]).toml(&toml).start().await;
    let mut session = Session::start(&test).await;
    session.has(&["run_code", "search_tools", "good__grow"]).await;
    session.call("good__grow", json!({})).await.expect("an answer");
    session.has(&["run_code", "search_tools", "good__grow", "good__extra0"]).await;
    std::fs::write(test.workspace().join("tta.toml"), offering("\"good.echo\"")).expect("written");
    session.has(&["run_code", "search_tools", "good__echo"]).await;
}

#[tokio::test]
async fn without_a_session_who_listens_is_told_and_questions_go_with_the_answer() {
    let options = Options { ask_calls: AskCalls::Always, ..Options::default() };
    let builder = TestDaemon::builder().scripted("good", &["ok"]).options(options);
    let test = builder.toml(&offering("\"good.echo\", \"good.grow\", \"good.extra0\"")).start().await;
    let client = stateless(&test).await;
    let filter = SubscriptionFilter::builder().tools_list_changed().build();
    let mut changes = client.peer().listen(filter.clone()).await.expect("listening");
    assert_eq!(changes.acknowledged(), &filter);
    let arguments = json!({"n": 1});
    let state = asked(once(&client, params("good__echo", arguments.clone())).await);
    // What a person allowed for one tool is no yes to another.
    let other = answering("good__grow", arguments.clone(), &state);
    assert!(matches!(once(&client, other).await, Err(ServiceError::McpError(_))));
    match once(&client, answering("good__echo", arguments, &state)).await {
        Ok(CallToolResponse::Complete(result)) => assert_eq!(result.structured_content, Some(json!({"n": 1}))),
        other => panic!("a result, not {other:?}"),
    }
    let state = asked(once(&client, params("good__grow", json!({}))).await);
    once(&client, answering("good__grow", json!({}), &state)).await.expect("grown");
    loop {
        let told = tokio::time::timeout(PATIENCE, changes.next()).await.expect("in time").expect("told");
        assert!(matches!(told, Some(ServerNotification::ToolListChangedNotification(_))), "{told:?}");
        let tools = client.list_all_tools().await.expect("listed");
        if tools.iter().any(|tool| tool.name == "good__extra0") {
            return;
        }
    }
}

#[tokio::test]
async fn a_direct_call_is_counted_as_what_it_is_and_its_definition_on_our_side_of_every_run() {
    let run = |toml: &str| {
        let test = TestDaemon::builder().scripted("good", &["ok"]).toml(toml).start();
        async move {
            let test = test.await;
            let session = Session::start(&test).await;
            let offered = session.names().await.len() > 2;
            session
                .call("run_code", json!({"code": "from servers import good\nawait good.echo(n=1)"}))
                .await
                .expect("ran");
            if offered {
                session.call("good__echo", json!({"n": 1})).await.expect("called");
            }
            // Looking at the servers waits until everything is counted.
            test.ask(Request::Servers { list: true }).await.expect("servers");
            match test.ask(Request::Report(ReportRequest::default())).await {
                Ok(Reply::Report(report)) => *report,
                other => panic!("a report, not {other:?}"),
            }
        }
    };
    let (plain, offering) = (run("").await, run(&offering("\"good.echo\"")).await);
    let asides = offering.total.asides.expect("asides");
    assert_eq!((offering.total.runs, offering.total.calls, asides.direct_calls), (1, 1, 1));
    assert!(asides.direct_tokens > 0);
    let definitions = |report: &model::report::SavingsReport| report.total.tokens.code_mode.definitions;
    let more = definitions(&offering) - definitions(&plain);
    assert!((10..60).contains(&more), "one small definition, not {more} tokens");
    assert_eq!(offering.total.tokens.direct, plain.total.tokens.direct, "direct calling is not charged for it");
}

async fn stateless(test: &TestDaemon) -> RunningService<RoleClient, ClientConfig> {
    let (near, far) = tokio::io::duplex(1 << 20);
    tokio::spawn(mcp::serve(test.daemon.clone(), tokio::io::split(far)));
    let form = ElicitationCapability::new().with_form(FormElicitationCapability::default());
    let mut capabilities = ClientCapabilities::default();
    capabilities.elicitation = Some(form);
    let client = ClientConfig::new(capabilities, Implementation::new("host", "1"));
    let preferred_versions = vec![ProtocolVersion::V_2026_07_28];
    client.serve_with_lifecycle(near, ClientLifecycleMode::Discover { preferred_versions }).await.expect("discovered")
}

async fn once(
    client: &RunningService<RoleClient, ClientConfig>,
    params: CallToolRequestParams,
) -> Result<CallToolResponse, ServiceError> {
    tokio::time::timeout(PATIENCE, client.peer().call_tool_once(params)).await.expect("in time")
}

/// What a question goes on under.
fn asked(response: Result<CallToolResponse, ServiceError>) -> String {
    match response {
        Ok(CallToolResponse::InputRequired(InputRequiredResult { request_state, .. })) => {
            request_state.expect("a state")
        }
        other => panic!("a question, not {other:?}"),
    }
}

fn answering(tool: &'static str, arguments: Value, state: &str) -> CallToolRequestParams {
    let answer = json!({"action": "accept", "content": {"decision": "Allow once"}});
    params(tool, arguments)
        .with_input_responses(BTreeMap::from([("decision".to_owned(), answer)]))
        .with_request_state(state.to_owned())
}
