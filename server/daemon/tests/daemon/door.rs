//! The one door: what every call meets on its way, whoever makes it.

use model::reply::{CallReply, RunSummary};
use model::{CallRequest, CallStatus, ErrorKind, Reply, Request, SearchRequest, ServerState};
use serde_json::{Value, json};
use std::time::Duration;
use testkit::TestDaemon;

async fn call(test: &TestDaemon, server: &str, tool: &str, arguments: Value) -> CallReply {
    call_within(test, server, tool, arguments, None).await
}

async fn call_within(
    test: &TestDaemon,
    server: &str,
    tool: &str,
    arguments: Value,
    timeout_ms: Option<u64>,
) -> CallReply {
    let request = CallRequest { server: server.into(), tool: tool.into(), arguments: Some(arguments), timeout_ms };
    match test.ask(Request::Call(request)).await {
        Ok(Reply::Call(reply)) => *reply,
        other => panic!("a call answers with a call, not {other:?}"),
    }
}

fn kind(reply: &CallReply) -> ErrorKind {
    reply.error.as_ref().expect("it failed").kind
}

fn hint(reply: &CallReply) -> &str {
    reply.error.as_ref().and_then(|e| e.hint.as_deref()).expect("it says what to do")
}

#[tokio::test]
async fn a_call_starts_its_server_and_answers_with_the_structured_value() {
    let test = TestDaemon::builder().scripted("good", &["ok"]).start().await;
    let reply = call(&test, "good", "echo", json!({"a": [1, 2]})).await;
    assert_eq!(reply.value.expect("a value").get(), r#"{"a":[1,2]}"#);
    assert_eq!((reply.record.status, reply.record.wave), (CallStatus::Ok, 0));
}

#[tokio::test]
async fn an_unknown_server_and_an_unknown_tool_name_the_nearest() {
    let test = TestDaemon::builder().scripted("good", &["ok"]).start().await;
    let reply = call(&test, "goo", "echo", json!({})).await;
    assert_eq!(kind(&reply), ErrorKind::UnknownTool);
    assert!(hint(&reply).contains("good"), "{}", hint(&reply));
    let reply = call(&test, "good", "ecko", json!({})).await;
    assert_eq!(kind(&reply), ErrorKind::UnknownTool);
    assert!(hint(&reply).contains("echo"), "{}", hint(&reply));
}

#[tokio::test]
async fn wrong_arguments_never_reach_the_server_and_the_error_shows_the_stub() {
    let test = TestDaemon::builder().scripted("many", &["many-tools"]).start().await;
    let reply = call(&test, "many", "read_file_1", json!({"name": "x", "limit": "ten"})).await;
    assert_eq!(kind(&reply), ErrorKind::Arguments);
    let error = reply.error.as_ref().expect("it failed");
    assert!(error.message.contains("limit") && error.message.contains("integer"), "{}", error.message);
    assert!(hint(&reply).contains("read_file_1"), "{}", hint(&reply));
    let reply = call(&test, "many", "read_file_1", json!([1])).await;
    assert_eq!(kind(&reply), ErrorKind::Arguments);
}

#[tokio::test]
async fn a_server_that_dies_hangs_or_is_missing_fails_alone() {
    let test = TestDaemon::builder()
        .scripted("good", &["ok"])
        .scripted("dies", &["die-on-call"])
        .scripted("hangs", &["hang-call"])
        .scripted("babbles", &["garbage-stdout"])
        .start()
        .await;
    let (dead, hung, garbage, fine) = tokio::join!(
        call(&test, "dies", "echo", json!({})),
        call_within(&test, "hangs", "echo", json!({}), Some(300)),
        call(&test, "babbles", "echo", json!({})),
        call(&test, "good", "echo", json!({"a": 1})),
    );
    for reply in [&dead, &hung, &garbage] {
        assert_eq!(kind(reply), ErrorKind::Tool);
        assert!(!hint(reply).is_empty());
    }
    assert!(dead.error.expect("it failed").message.contains("panicked at the call"), "its last words are quoted");
    assert_eq!(hung.record.status, CallStatus::Timeout);
    assert_eq!(fine.record.status, CallStatus::Ok);
}

#[tokio::test]
async fn nothing_of_an_untrusted_workspace_starts_until_the_user_says_so() {
    let test = TestDaemon::builder().scripted("good", &["ok"]).trusted(None).start().await;
    let question = test.daemon.trust_question().expect("there is something to trust");
    assert!(question.would_start[0].contains("faulty-server"), "the exact command is shown: {question:?}");
    let reply = call(&test, "good", "echo", json!({})).await;
    assert_eq!((kind(&reply), reply.record.status), (ErrorKind::Denied, CallStatus::Denied));
    assert_eq!(status(&test).await, ServerState::Untrusted);

    test.daemon.set_trusted(true, true).await.expect("stored");
    assert!(test.daemon.trust_question().is_none());
    assert_eq!(call(&test, "good", "echo", json!({})).await.record.status, CallStatus::Ok);
    assert_eq!(status(&test).await, ServerState::Ready);
}

#[tokio::test]
async fn a_changed_command_asks_for_trust_again() {
    let test = TestDaemon::builder().scripted("good", &["ok"]).trusted(None).start().await;
    test.daemon.set_trusted(true, true).await.expect("stored");
    let mut notices = test.daemon.notices();
    test.configure(&json!({"good": {"command": testkit::faulty_server(), "args": ["ok", "--and-more"]}}));
    while test.daemon.trust_question().is_none() {
        tokio::time::timeout(Duration::from_mins(5), notices.recv())
            .await
            .expect("the change is seen")
            .expect("a notice");
    }
    let reply = call(&test, "good", "echo", json!({})).await;
    assert_eq!(kind(&reply), ErrorKind::Denied);
}

#[tokio::test]
async fn search_lists_servers_that_never_ran_and_names_those_that_cannot() {
    let test = TestDaemon::builder().scripted("good", &["ok"]).scripted("broken", &["die-at-start"]).start().await;
    let request = SearchRequest { query: "echo".into(), ..SearchRequest::default() };
    let Ok(Reply::Search(found)) = test.ask(Request::Search(request)).await else { panic!("a search answers") };
    assert_eq!(found.hits[0].path, "good.echo");
    assert_eq!(found.unavailable.len(), 1);
    assert!(found.unavailable[0].contains("broken"), "{:?}", found.unavailable);
    let request = SearchRequest { server: Some("nope".into()), ..SearchRequest::default() };
    let Err(error) = test.ask(Request::Search(request)).await else { panic!("there is no such server") };
    assert!(error.to_string().contains("good"), "{error}");
}

#[tokio::test]
async fn definitions_are_remembered_by_the_next_daemon() {
    let test = TestDaemon::builder().scripted("good", &["ok"]).start().await;
    let Ok(Reply::Servers(servers)) = test.ask(Request::Servers { list: true }).await else { panic!("servers answer") };
    assert!(servers[0].tools.expect("listed") > 5);
    assert!(servers[0].definition_tokens.expect("counted") > 10);
    test.daemon.shutdown().await;
    let options = daemon::Options {
        workspace: Some(test.workspace().to_owned()),
        trusted: Some(true),
        data_dir: Some(test.workspace().join("data")),
        ..daemon::Options::default()
    };
    let next = daemon::Daemon::start(options).await.expect("it starts again");
    let reply = next.submit(Request::Servers { list: false }, "test", &test.conversation).reply().await;
    let Ok(Reply::Servers(again)) = reply else { panic!("servers answer") };
    assert_eq!((again[0].tools, again[0].state), (servers[0].tools, ServerState::Stopped));
    next.shutdown().await;
}

#[tokio::test]
async fn a_direct_call_is_no_run_and_saves_nothing() {
    let test = TestDaemon::builder().scripted("good", &["ok"]).start().await;
    call(&test, "good", "echo", json!({"a": 1})).await;
    let Ok(Reply::Runs(runs)) = test.ask(Request::Runs { limit: 10 }).await else { panic!("runs answer") };
    assert_eq!(runs, Vec::<RunSummary>::new());
}

async fn status(test: &TestDaemon) -> ServerState {
    let Ok(Reply::Servers(servers)) = test.ask(Request::Servers { list: true }).await else { panic!("servers answer") };
    servers[0].state
}
