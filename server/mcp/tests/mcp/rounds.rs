//! The revision without sessions: a run that asks goes on with the next request, and what changes is listened for.

use daemon::{AskCalls, Options};
use rmcp::RoleClient;
use rmcp::model::{
    CallToolRequestParams, CallToolResponse, CallToolResult, ClientCapabilities, ClientConfig, ElicitationCapability,
    ErrorCode, FormElicitationCapability, Implementation, InputRequiredResult, ProtocolVersion, ServerNotification,
    SubscriptionFilter,
};
use rmcp::service::{ClientLifecycleMode, ClientServiceExt as _, RunningService, ServiceError};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::time::Duration;
use testkit::TestDaemon;

/// Longest that anything here may take; the first run may compile a guest.
const PATIENCE: Duration = Duration::from_mins(2);

const ONE: &str = "from servers import good\nawait good.echo(n=1)";
const TWO: &str = "from servers import good\nawait good.echo(n=1)\nawait good.echo(n=2)";

type Client = RunningService<RoleClient, ClientConfig>;

async fn asking() -> TestDaemon {
    let options = Options { ask_calls: AskCalls::Always, ..Options::default() };
    TestDaemon::builder().scripted("good", &["ok"]).options(options).start().await
}

async fn connect(test: &TestDaemon, can_be_asked: bool) -> Client {
    let (near, far) = tokio::io::duplex(1 << 20);
    tokio::spawn(mcp::serve(test.daemon.clone(), tokio::io::split(far)));
    let mut capabilities = ClientCapabilities::default();
    if can_be_asked {
        let form = FormElicitationCapability::default();
        capabilities.elicitation = Some(ElicitationCapability::new().with_form(form));
    }
    let client = ClientConfig::new(capabilities, Implementation::new("host", "1"));
    let preferred_versions = vec![ProtocolVersion::V_2026_07_28];
    client.serve_with_lifecycle(near, ClientLifecycleMode::Discover { preferred_versions }).await.expect("discovered")
}

fn program(code: &str) -> CallToolRequestParams {
    let Value::Object(arguments) = json!({"code": code, "language": "python"}) else { unreachable!() };
    CallToolRequestParams::new("run_code").with_arguments(arguments)
}

async fn call(client: &Client, params: CallToolRequestParams) -> Result<CallToolResponse, ServiceError> {
    tokio::time::timeout(PATIENCE, client.peer().call_tool_once(params)).await.expect("in time")
}

/// A question of the run: its form, and what it goes on under.
fn question(response: Result<CallToolResponse, ServiceError>) -> (Value, String) {
    let InputRequiredResult { input_requests, request_state, .. } = match response {
        Ok(CallToolResponse::InputRequired(asked)) => asked,
        other => panic!("a question, not {other:?}"),
    };
    (json!(input_requests)["decision"]["params"].clone(), request_state.expect("a state"))
}

fn text(response: Result<CallToolResponse, ServiceError>) -> String {
    match response {
        Ok(CallToolResponse::Complete(CallToolResult { content, .. })) => {
            content.first().and_then(|block| block.as_text()).expect("a text").text.clone()
        }
        other => panic!("a result, not {other:?}"),
    }
}

/// The request again, with an answer.
fn answering(code: &str, choice: &str, state: &str) -> CallToolRequestParams {
    let answer = json!({"action": "accept", "content": {"decision": choice}});
    program(code)
        .with_input_responses(BTreeMap::from([("decision".to_owned(), answer)]))
        .with_request_state(state.to_owned())
}

#[tokio::test]
async fn a_run_asks_by_its_answer_and_goes_on_with_the_next_request() {
    let test = asking().await;
    let client = connect(&test, true).await;
    let (form, state) = question(call(&client, program(TWO)).await);
    let message = form["message"].as_str().expect("a message");
    assert!(message.starts_with("Call `good.echo` with `n: 1`? Asked by line 2 of the program"), "{message}");
    let (form, next) = question(call(&client, answering(TWO, "Allow once", &state)).await);
    assert!(form["message"].as_str().expect("a message").starts_with("Call `good.echo` with `n: 2`?"), "{form}");
    assert_ne!(state, next);
    assert_eq!(text(call(&client, answering(TWO, "Allow once", &next)).await), r#"{"n":2}"#);
}

#[tokio::test]
async fn no_is_no_and_who_cannot_be_asked_is_not() {
    let test = asking().await;
    let client = connect(&test, true).await;
    let (_, state) = question(call(&client, program(ONE)).await);
    let saw = text(call(&client, answering(ONE, "Deny", &state)).await);
    assert!(saw.starts_with("error[denied] at line 2"), "{saw}");
    let saw = text(call(&connect(&test, false).await, program(ONE)).await);
    assert!(saw.starts_with("error[denied] at line 2"), "{saw}");
}

#[tokio::test]
async fn without_an_answer_the_question_is_asked_again() {
    let test = asking().await;
    let client = connect(&test, true).await;
    let (first, state) = question(call(&client, program(ONE)).await);
    let (again, state) = question(call(&client, program(ONE).with_request_state(state)).await);
    assert_eq!(first, again);
    assert_eq!(text(call(&client, answering(ONE, "Allow once", &state)).await), r#"{"n":1}"#);
}

#[tokio::test]
async fn a_state_is_good_once_for_its_own_program_and_for_nobody_else() {
    let test = asking().await;
    let client = connect(&test, true).await;
    let (_, state) = question(call(&client, program(ONE)).await);
    let refused = |response: Result<CallToolResponse, ServiceError>| match response {
        Err(ServiceError::McpError(error)) => assert_eq!(error.code, ErrorCode::INVALID_PARAMS, "{error:?}"),
        other => panic!("an error, not {other:?}"),
    };
    refused(call(&client, answering(TWO, "Allow once", &state)).await);
    refused(call(&client, answering(ONE, "Allow once", &format!("{state}0"))).await);
    refused(call(&connect(&test, true).await, answering(ONE, "Allow once", &state)).await);
    assert_eq!(text(call(&client, answering(ONE, "Allow once", &state)).await), r#"{"n":1}"#);
    refused(call(&client, answering(ONE, "Allow once", &state)).await);
}

#[tokio::test]
async fn who_listens_is_told_of_a_new_result() {
    let test = TestDaemon::builder().start().await;
    let client = connect(&test, false).await;
    let filter = SubscriptionFilter::builder().resources_list_changed().prompts_list_changed().build();
    let mut changes = client.peer().listen(filter).await.expect("listening");
    assert_eq!(changes.acknowledged(), &SubscriptionFilter::builder().resources_list_changed().build());
    assert_eq!(client.list_all_resources().await.expect("listed"), []);
    assert!(text(call(&client, program("'x' * 1_000_000")).await).contains("[result cut: "));
    let told = tokio::time::timeout(PATIENCE, changes.next()).await.expect("in time").expect("told");
    assert!(matches!(told, Some(ServerNotification::ResourceListChangedNotification(_))), "{told:?}");
    assert_eq!(client.list_all_resources().await.expect("listed").len(), 1);
}
