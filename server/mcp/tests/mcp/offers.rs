//! What a session offers beside its tools: whole results, the prompt, completions, logs.

#![expect(deprecated, reason = "the newest protocol drops logging; today's hosts show it")]

use rmcp::model::{
    CallToolRequestParams, CallToolResult, ErrorCode, GetPromptRequestParams, LoggingLevel,
    LoggingMessageNotificationParam, ReadResourceRequestParams, ResourceContents, SetLevelRequestParams,
};
use rmcp::service::{NotificationContext, RunningService, ServiceError};
use rmcp::{ClientHandler, RoleClient, ServiceExt as _};
use serde_json::{Value, json};
use std::time::Duration;
use testkit::TestDaemon;
use tokio::sync::mpsc;

/// Longest that anything here may take; the first run may compile a guest.
const PATIENCE: Duration = Duration::from_mins(2);

/// What the client hears between answers.
#[derive(Debug)]
enum Heard {
    Log(LoggingMessageNotificationParam),
    NewResult,
}

struct Client(mpsc::UnboundedSender<Heard>);

impl ClientHandler for Client {
    async fn on_logging_message(&self, log: LoggingMessageNotificationParam, _: NotificationContext<RoleClient>) {
        let _ = self.0.send(Heard::Log(log));
    }

    async fn on_resource_list_changed(&self, _: NotificationContext<RoleClient>) {
        let _ = self.0.send(Heard::NewResult);
    }
}

struct Session {
    client: RunningService<RoleClient, Client>,
    heard: mpsc::UnboundedReceiver<Heard>,
}

impl Session {
    async fn start(test: &TestDaemon) -> Self {
        let (near, far) = tokio::io::duplex(1 << 20);
        tokio::spawn(mcp::serve(test.daemon.clone(), tokio::io::split(far)));
        let (tx, heard) = mpsc::unbounded_channel();
        Self { client: Client(tx).serve(near).await.expect("a session"), heard }
    }

    async fn run(&self, code: &str) -> CallToolResult {
        let Value::Object(arguments) = json!({"code": code, "language": "python"}) else { unreachable!() };
        let params = CallToolRequestParams::new("run_code").with_arguments(arguments);
        self.client.call_tool(params).await.expect("an answer")
    }

    async fn next(&mut self) -> Heard {
        tokio::time::timeout(PATIENCE, self.heard.recv()).await.expect("in time").expect("the session lives")
    }

    /// The texts at an address and their addresses.
    async fn read(&self, uri: &str) -> Result<Vec<(String, String)>, ServiceError> {
        let read = self.client.read_resource(ReadResourceRequestParams::new(uri)).await?;
        let text = |contents| match contents {
            ResourceContents::TextResourceContents { uri, text, .. } => (uri, text),
            other => panic!("a text, not {other:?}"),
        };
        Ok(read.contents.into_iter().map(text).collect())
    }

    async fn prompt(&self, arguments: Value) -> Result<String, ServiceError> {
        let request = json!({"name": "code-or-call", "arguments": arguments});
        let request: GetPromptRequestParams = serde_json::from_value(request).expect("a request");
        let prompt = self.client.get_prompt(request).await?;
        Ok(prompt.messages[0].content.as_text().expect("a text").text.clone())
    }
}

#[tokio::test]
async fn a_result_that_was_cut_is_listed_and_read_in_parts() {
    let test = TestDaemon::builder().start().await;
    let mut session = Session::start(&test).await;
    session.run("'é' * 300_000").await;
    assert!(matches!(session.next().await, Heard::NewResult));
    let [listed] = &session.client.list_all_resources().await.expect("listed")[..] else { panic!("one result") };
    assert_eq!(listed.size, Some(600_002));
    let (mut whole, mut next) = (String::new(), Some(listed.uri.clone()));
    while let Some(uri) = next {
        let parts = session.read(&uri).await.expect("a part");
        whole += &parts[0].1;
        next = parts.get(1).map(|(uri, _)| uri.clone());
    }
    assert_eq!(whole, format!("\"{}\"", "é".repeat(300_000)));
    let some = session.read(&format!("{}?offset=1&bytes=5", listed.uri)).await.expect("a part");
    assert_eq!(some[0].1, "éé");
    session.run("'short'").await;
    assert_eq!(session.client.list_all_resources().await.expect("listed").len(), 1);
}

#[tokio::test]
async fn a_later_session_reads_by_the_id_what_it_does_not_list() {
    let test = TestDaemon::builder().start().await;
    let first = Session::start(&test).await;
    first.run("'x' * 1_000_000").await;
    let uri = first.client.list_all_resources().await.expect("listed")[0].uri.clone();
    let second = Session::start(&test).await;
    assert_eq!(second.client.list_all_resources().await.expect("listed"), []);
    assert_eq!(second.read(&format!("{uri}?bytes=4")).await.expect("a part")[0].1, "\"xxx");
    for wrong in [
        "tta://runs/0/result",
        "tta://runs/../result",
        "ui://tta/savings.html",
        "file:///etc/passwd",
        &format!("{uri}?offset=2000000"),
    ] {
        match second.read(wrong).await {
            Err(ServiceError::McpError(error)) => assert_eq!(error.code, ErrorCode::RESOURCE_NOT_FOUND, "{wrong}"),
            other => panic!("{wrong} is not there: {other:?}"),
        }
    }
}

#[tokio::test]
async fn the_prompt_says_when_to_use_code_and_how_a_server_is_called() {
    let test = TestDaemon::builder().scripted("good", &["ok"]).start().await;
    let session = Session::start(&test).await;
    let prompts = session.client.list_all_prompts().await.expect("listed");
    assert_eq!(prompts.iter().map(|prompt| prompt.name.as_str()).collect::<Vec<_>>(), ["code-or-call"]);
    let plain = session.prompt(json!({})).await.expect("a prompt");
    assert!(plain.starts_with("# Code or a direct call?") && plain.ends_with("\n\nServers: good."), "{plain}");
    let stubs = session.prompt(json!({"server": "good"})).await.expect("a prompt");
    assert!(stubs.starts_with(&plain) && stubs.contains("echo("), "{stubs}");
    for wrong in [json!({"server": "nobody"}), json!({"tool": "echo"})] {
        match session.prompt(wrong.clone()).await {
            Err(ServiceError::McpError(error)) => assert_eq!(error.code, ErrorCode::INVALID_PARAMS, "{wrong}"),
            other => panic!("{wrong} is refused: {other:?}"),
        }
    }
}

#[tokio::test]
async fn servers_and_runs_are_completed() {
    let test = TestDaemon::builder().scripted("good", &["ok"]).scripted("great", &["ok"]).start().await;
    let session = Session::start(&test).await;
    let client = &session.client;
    let servers = |prefix| client.complete_prompt_simple("code-or-call", "server", prefix);
    assert_eq!(servers("go").await.expect("completed"), ["good"]);
    assert_eq!(servers("").await.expect("completed").len(), 2);
    session.run("'x' * 1_000_000").await;
    let template = client.list_all_resource_templates().await.expect("listed")[0].uri_template.clone();
    let runs = client.complete_resource_simple(template.as_str(), "run_id", "").await.expect("completed");
    assert!(client.list_all_resources().await.expect("listed")[0].uri.contains(&runs[0]), "{runs:?}");
    assert_eq!(client.complete_prompt_simple("other", "server", "").await.expect("completed"), [""; 0]);
}

#[tokio::test]
async fn failed_calls_are_logged_and_others_where_they_are_asked_for() {
    let test = TestDaemon::builder().scripted("good", &["ok"]).start().await;
    let mut session = Session::start(&test).await;
    let calls = "from servers import good\nawait good.echo(n=1)\ntry: await good.fail()\nexcept Exception: pass";
    session.run(calls).await;
    let Heard::Log(log) = session.next().await else { panic!("a log") };
    assert_eq!(
        (log.level, &log.data["tool"], &log.data["status"]),
        (LoggingLevel::Warning, &json!("fail"), &json!("error"))
    );
    session.client.set_level(SetLevelRequestParams::new(LoggingLevel::Debug)).await.expect("set");
    session.run(calls).await;
    let Heard::Log(log) = session.next().await else { panic!("a log") };
    assert_eq!((log.level, &log.data["tool"], log.data.get("arguments")), (LoggingLevel::Debug, &json!("echo"), None));
}
