//! An MCP client and the front, over pipes in memory: what a model's host sees.

use model::{Notice, RunEvent, RunStatus};
use rmcp::model::{
    CallToolRequest, CallToolRequestParams, CallToolResult, ClientRequest, ErrorCode, ProgressNotificationParam,
};
use rmcp::service::{NotificationContext, PeerRequestOptions, RunningService, ServiceError};
use rmcp::{ClientHandler, RoleClient, ServiceExt as _};
use serde_json::{Value, json};
use std::time::Duration;
use testkit::TestDaemon;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

/// Longest that anything here may take; the first run may compile a guest.
const PATIENCE: Duration = Duration::from_mins(2);

/// A client that passes progress on.
struct Client(mpsc::UnboundedSender<ProgressNotificationParam>);

impl ClientHandler for Client {
    async fn on_progress(&self, params: ProgressNotificationParam, _: NotificationContext<RoleClient>) {
        let _ = self.0.send(params);
    }
}

struct Session {
    client: RunningService<RoleClient, Client>,
    progress: mpsc::UnboundedReceiver<ProgressNotificationParam>,
    served: JoinHandle<Result<(), mcp::Error>>,
}

async fn connect(test: &TestDaemon) -> Session {
    let (near, far) = tokio::io::duplex(1 << 20);
    let served = tokio::spawn(mcp::serve(test.daemon.clone(), tokio::io::split(far)));
    let (tx, progress) = mpsc::unbounded_channel();
    Session { client: Client(tx).serve(near).await.expect("a session"), progress, served }
}

fn params(tool: &'static str, arguments: Value) -> CallToolRequestParams {
    let Value::Object(arguments) = arguments else { panic!("arguments are an object") };
    CallToolRequestParams::new(tool).with_arguments(arguments)
}

async fn call(session: &Session, tool: &'static str, arguments: Value) -> Result<CallToolResult, ServiceError> {
    session.client.call_tool(params(tool, arguments)).await
}

fn text(result: &CallToolResult) -> &str {
    result.content.first().and_then(|block| block.as_text()).map(|text| text.text.as_str()).expect("a text block")
}

#[tokio::test]
async fn a_session_offers_two_tools_and_names_the_servers() {
    let test = TestDaemon::builder().scripted("good-server", &["ok"]).start().await;
    let session = connect(&test).await;
    let info = session.client.peer_info().expect("initialized");
    assert_eq!(info.server_info.as_ref().map(|i| i.name.as_str()), Some("tta"));
    assert!(info.instructions.as_ref().is_some_and(|text| text.ends_with("Servers: good_server.")), "{info:?}");
    let tools = session.client.list_all_tools().await.expect("listed");
    assert_eq!(tools.iter().map(|t| t.name.as_ref()).collect::<Vec<_>>(), ["run_code", "search_tools"]);
}

#[tokio::test]
async fn a_program_answers_with_its_result_and_its_printing() {
    let test = TestDaemon::builder().scripted("good", &["ok"]).start().await;
    let session = connect(&test).await;
    let code = "from servers import good\nprint('hello')\nawait good.echo(a=1)";
    let result = call(&session, "run_code", json!({"code": code, "language": "python"})).await.expect("an answer");
    assert_eq!((text(&result), result.is_error), ("{\"a\":1}\n--- stdout\nhello", Some(false)));
}

#[tokio::test]
async fn a_failure_is_an_answer_with_kind_line_and_hint() {
    let test = TestDaemon::builder().start().await;
    let session = connect(&test).await;
    let result = call(&session, "run_code", json!({"code": "x = 1\nx / 0"})).await.expect("an answer");
    assert_eq!(result.is_error, Some(true));
    assert!(text(&result).starts_with("error[exception] at line 2: ZeroDivisionError"), "{}", text(&result));
}

#[tokio::test]
async fn wrong_arguments_are_answered_with_what_would_be_right() {
    let test = TestDaemon::builder().start().await;
    let session = connect(&test).await;
    for (tool, arguments, says) in [
        ("run_code", json!({"cod": "1"}), "unknown field `cod`"),
        ("run_code", json!({"code": 1}), "invalid type: integer"),
        ("run_code", json!({}), "missing field `code`"),
        ("search_tools", json!({"query": "x", "server": "none"}), "no server `none`"),
    ] {
        let result = call(&session, tool, arguments).await.expect("an answer");
        assert_eq!(result.is_error, Some(true));
        assert!(text(&result).contains(says), "{says}: {}", text(&result));
    }
    match call(&session, "frobnicate", json!({})).await {
        Err(ServiceError::McpError(e)) => assert_eq!(e.code, ErrorCode::INVALID_PARAMS),
        other => panic!("an unknown tool is a protocol error, not {other:?}"),
    }
}

#[tokio::test]
async fn a_search_answers_with_stubs() {
    let test = TestDaemon::builder().scripted("good", &["ok"]).start().await;
    let session = connect(&test).await;
    let result = call(&session, "search_tools", json!({"query": "echo"})).await.expect("an answer");
    assert!(text(&result).contains("echo"), "{}", text(&result));
    assert_eq!(result.is_error, Some(false));
}

#[tokio::test]
async fn progress_is_told_and_a_cancelled_call_stops_its_program() {
    let test = TestDaemon::builder().start().await;
    let mut session = connect(&test).await;
    let mut notices = test.daemon.notices();
    let code = "import tta\nwhile True: tta.progress('round')";
    let request = CallToolRequest::new(params("run_code", json!({"code": code, "language": "python"})));
    let request = ClientRequest::CallToolRequest(request);
    // rmcp gives every cancellable request a progress token.
    let handle =
        session.client.send_cancellable_request(request, PeerRequestOptions::no_options()).await.expect("sent");
    let first = tokio::time::timeout(PATIENCE, session.progress.recv()).await.expect("in time").expect("told");
    assert_eq!((first.message.as_deref(), first.progress_token), (Some("round"), handle.progress_token.clone()));
    handle.cancel(None).await.expect("told");
    let status = tokio::time::timeout(PATIENCE, async {
        loop {
            match notices.recv().await {
                Ok(Notice::Run(RunEvent::Finished { status, .. })) => return status,
                Ok(_) | Err(tokio::sync::broadcast::error::RecvError::Lagged(_)) => {}
                Err(e) => panic!("the daemon ended: {e}"),
            }
        }
    });
    assert_eq!(status.await.expect("in time"), RunStatus::Cancelled);
    let next = call(&session, "run_code", json!({"code": "1 + 1"})).await.expect("the session lives");
    assert_eq!(text(&next), "2");
}

#[tokio::test]
async fn the_last_progress_of_a_run_sums_it_up() {
    let test = TestDaemon::builder().scripted("good", &["ok"]).start().await;
    let mut session = connect(&test).await;
    let code = "from servers import good\nawait good.echo(message='x')";
    call(&session, "run_code", json!({"code": code})).await.expect("an answer");
    session.client.cancel().await.expect("left");
    let mut last = None;
    while let Some(progress) = session.progress.recv().await {
        last = progress.message;
    }
    let last = last.expect("told");
    assert!(last.starts_with("1 tool call, ") && last.ends_with(" ms"), "{last}");
}

#[tokio::test]
async fn a_client_that_leaves_ends_the_session() {
    let test = TestDaemon::builder().start().await;
    let Session { client, served, .. } = connect(&test).await;
    client.cancel().await.expect("left");
    let ended = tokio::time::timeout(PATIENCE, served).await.expect("in time").expect("no panic");
    assert!(ended.is_ok(), "{ended:?}");
}
