//! Whom the daemon asks before a call, what becomes of the answers, and what becomes of the run meanwhile.

use daemon::{AskCalls, Asker, Daemon, Options, Ticket};
use model::editor::{Approval, ApprovalReply, ApprovalRequest};
use model::reply::CallReply;
use model::{
    CallRequest, CallStatus, ErrorKind, Language, Notice, Reply, Request, RunReply, RunRequest, RunStatus,
    SearchRequest, ServerState,
};
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;
use testkit::{Question, Questions, TestDaemon, person};
use tokio::time::timeout;

const WHILE: Duration = Duration::from_mins(5);

async fn start(ask_calls: AskCalls) -> TestDaemon {
    let options = Options { ask_calls, ..Options::default() };
    TestDaemon::builder().scripted("fs", &["claims"]).options(options).start().await
}

fn submit(test: &TestDaemon, request: Request, asker: Option<&Arc<dyn Asker>>) -> Ticket {
    test.daemon.submit_asking(request, "test", &test.conversation, asker.cloned())
}

fn program(code: &str) -> Request {
    Request::Run(RunRequest { code: code.to_owned(), language: Some(Language::Python), ..RunRequest::default() })
}

fn call(tool: &str, arguments: Value) -> Request {
    Request::Call(CallRequest {
        server: "fs".to_owned(),
        tool: tool.to_owned(),
        arguments: Some(arguments),
        timeout_ms: None,
    })
}

async fn called(ticket: Ticket) -> CallReply {
    match ticket.reply().await {
        Ok(Reply::Call(reply)) => *reply,
        other => panic!("a call answers with a call: {other:?}"),
    }
}

async fn ran(ticket: Ticket) -> RunReply {
    match ticket.reply().await {
        Ok(Reply::Run(reply)) => *reply,
        other => panic!("a run answers with a run: {other:?}"),
    }
}

async fn next(questions: &mut Questions) -> Question {
    timeout(WHILE, questions.recv()).await.expect("a question comes").expect("the asker lives")
}

/// Answers the one question that the request raises, and sees to it that there is no other.
async fn call_answered(test: &TestDaemon, request: Request, reply: ApprovalReply) -> CallReply {
    let (asker, mut questions) = person();
    let ticket = submit(test, request, Some(&asker));
    next(&mut questions).await.answer(reply);
    let reply = called(ticket).await;
    assert!(questions.try_recv().is_err(), "it was asked once");
    reply
}

/// The reply to a request that must raise no question.
async fn call_unasked(test: &TestDaemon, request: Request) -> CallReply {
    let (asker, mut questions) = person();
    let reply = called(submit(test, request, Some(&asker))).await;
    assert!(questions.try_recv().is_err(), "nobody was asked");
    reply
}

async fn approvals(test: &TestDaemon) -> Vec<Approval> {
    match test.ask(Request::Approvals).await {
        Ok(Reply::Approvals(approvals)) => approvals,
        other => panic!("approvals were asked for: {other:?}"),
    }
}

#[tokio::test]
async fn a_person_reads_what_would_happen_and_decides() {
    let test = start(AskCalls::Destructive).await;
    let (asker, mut questions) = person();
    let code = "from servers import fs\n\nawait fs.write(path='notes/a', text='\\x1b[2J\\u202e')";
    let ticket = submit(&test, program(code), Some(&asker));
    let run_id = ticket.run_id().clone();
    let question = next(&mut questions).await;
    let ApprovalRequest::Call { run_id: asks, label, line, server, tool, reason, arguments, patterns } =
        question.request.clone()
    else {
        panic!("a call was to be asked about: {question:?}")
    };
    assert_eq!((asks, label.as_str(), line), (run_id, "from servers import fs", Some(3)));
    assert_eq!((server.as_str(), tool.as_str()), ("fs", "write"));
    assert!(reason.contains("may destroy"), "{reason}");
    assert_eq!(arguments, r#"{"path":"notes/a","text":"\u001b[2J\u{202e}"}"#);
    assert_eq!(patterns[1].label, "write where path is in notes/, whatever text");
    assert_eq!(patterns[1].arguments.get("path").map(String::as_str), Some("notes/**"));
    assert!(patterns[2].arguments.is_empty());
    question.answer(ApprovalReply::Deny);
    let reply = ran(ticket).await;
    let error = reply.error.expect("it was denied");
    assert_eq!((reply.status, error.kind, error.line), (RunStatus::Denied, ErrorKind::Denied, Some(3)));
    assert!(error.message.contains("a person said no to fs.write"), "{}", error.message);
    assert!(error.hint.expect("what to do").contains("do not retry"));
    assert_eq!(reply.calls[0].status, CallStatus::Denied);

    let reply = call_answered(&test, call("write", json!({"path": "a"})), ApprovalReply::Once).await;
    assert_eq!(reply.value.expect("made").get(), r#"{"path":"a"}"#);
    call_answered(&test, call("write", json!({"path": "a"})), ApprovalReply::Once).await;
}

#[tokio::test]
async fn the_hints_of_a_tool_decide_whether_a_call_asks() {
    for (ask, asked) in [
        (AskCalls::Never, [].as_slice()),
        (AskCalls::Destructive, &["write"]),
        (AskCalls::Writes, &["write", "note"]),
        (AskCalls::Always, &["write", "note", "read"]),
    ] {
        let test = start(ask).await;
        for tool in ["write", "note", "read"] {
            let request = call(tool, json!({}));
            let reply = if asked.contains(&tool) {
                call_answered(&test, request, ApprovalReply::Once).await
            } else {
                call_unasked(&test, request).await
            };
            assert_eq!(reply.record.status, CallStatus::Ok, "{ask:?} {tool}");
        }
    }
}

#[tokio::test]
async fn where_nobody_can_be_asked_the_answer_is_no() {
    let test = start(AskCalls::Destructive).await;
    let reply = called(submit(&test, call("write", json!({})), None)).await;
    assert_eq!(reply.record.status, CallStatus::Denied);
    let error = reply.error.expect("denied");
    assert!(error.message.contains("cannot ask") && error.hint.is_some(), "{error:?}");
    let (unable, questions) = person();
    drop(questions);
    assert_eq!(called(submit(&test, call("write", json!({})), Some(&unable))).await.record.status, CallStatus::Denied);
}

#[tokio::test]
async fn wrong_arguments_are_never_asked_about() {
    let options = Options { ask_calls: AskCalls::Always, ..Options::default() };
    let test = TestDaemon::builder().scripted("fs", &["many-tools"]).options(options).start().await;
    let reply = call_unasked(&test, call("read_file_1", json!({"name": 1}))).await;
    assert_eq!(reply.error.expect("wrong").kind, ErrorKind::Arguments);
}

#[tokio::test]
async fn the_runs_clock_stands_still_while_a_question_is_open() {
    let options = Options { ask_calls: AskCalls::Destructive, ..Options::default() };
    let toml = "[limits]\ntimeout_ms = 1500\n";
    let test = TestDaemon::builder().scripted("fs", &["claims"]).options(options).toml(toml).start().await;
    test.run(Language::Python, "from servers import fs\nawait fs.read()").await;
    let (asker, mut questions) = person();
    let ticket = submit(&test, program("from servers import fs\nawait fs.write(n=7)"), Some(&asker));
    let mut question = next(&mut questions).await;
    timeout(Duration::from_secs(2), question.withdrawn()).await.expect_err("the deadline does not end the run");
    question.answer(ApprovalReply::Once);
    let reply = ran(ticket).await;
    assert_eq!(reply.result.map(|v| v.get().to_owned()).as_deref(), Some(r#"{"n":7}"#), "{:?}", reply.error);
    assert!(reply.usage.wall_ms > 2_000.0);
    assert!(reply.calls[0].ms < 2_000.0, "the question is no part of what the call took: {} ms", reply.calls[0].ms);
}

#[tokio::test]
async fn a_cancelled_run_takes_its_question_with_it() {
    let test = start(AskCalls::Destructive).await;
    let (asker, mut questions) = person();
    let ticket = submit(&test, program("from servers import fs\nawait fs.write()"), Some(&asker));
    let mut question = next(&mut questions).await;
    ticket.cancellation().cancel();
    timeout(WHILE, question.withdrawn()).await.expect("it is withdrawn");
    let reply = ran(ticket).await;
    assert_eq!((reply.status, reply.calls[0].status), (RunStatus::Cancelled, CallStatus::Cancelled));
}

#[tokio::test]
async fn one_answer_for_the_run_covers_calls_that_wait_beside_it() {
    let test = start(AskCalls::Destructive).await;
    let code = "import asyncio\nfrom servers import fs\nlen(await asyncio.gather(*[fs.write(n=n) for n in range(20)]))";
    for _ in 0..2 {
        let (asker, mut questions) = person();
        let ticket = submit(&test, program(code), Some(&asker));
        next(&mut questions).await.answer(ApprovalReply::Run);
        let reply = ran(ticket).await;
        assert_eq!(reply.result.map(|v| v.get().to_owned()).as_deref(), Some("20"), "{:?}", reply.error);
        assert!(questions.try_recv().is_err(), "it was asked once, and again for the next run");
    }
}

#[tokio::test]
async fn a_refused_call_is_not_asked_about_again_but_another_is() {
    let test = start(AskCalls::Destructive).await;
    let code = "from servers import fs\nsaid = []\nfor n in [1, 1, 2, 1]:\n    try:\n        said.append((await fs.write(n=n))['n'])\n    except Exception as e:\n        said.append(str(e)[:15])\nsaid";
    let (asker, mut questions) = person();
    let ticket = submit(&test, program(code), Some(&asker));
    next(&mut questions).await.answer(ApprovalReply::Deny);
    next(&mut questions).await.answer(ApprovalReply::Once);
    let reply = ran(ticket).await;
    let said: Value = serde_json::from_str(reply.result.expect("a value").get()).expect("JSON");
    assert_eq!((&said[2], said[0] == said[1], said[0] == said[3]), (&json!(2), true, true), "{said}");
    assert!(questions.try_recv().is_err());
}

#[tokio::test]
async fn an_approved_folder_is_remembered_and_hostile_paths_are_outside_of_it() {
    let test = start(AskCalls::Destructive).await;
    let write = |path: Value| call("write", json!({"path": path, "text": "x"}));
    let always = ApprovalReply::Always { pattern: 1 };
    call_answered(&test, write(json!("/w/notes/a")), always).await;
    call_unasked(&test, write(json!("/w/notes/deep/b"))).await;
    for outside in [json!("/w/notes/../../etc/passwd"), json!("/w/notesx/a"), json!(["/w/notes/a"]), json!(null)] {
        let reply = call_answered(&test, write(outside.clone()), ApprovalReply::Deny).await;
        assert_eq!(reply.record.status, CallStatus::Denied, "{outside}");
    }
    call_answered(&test, call("write", json!({"text": "x"})), ApprovalReply::Once).await;

    let kept = approvals(&test).await;
    assert_eq!((kept.len(), kept[0].tool.as_deref()), (1, Some("write")));
    assert_eq!(kept[0].label, "write where path is in /w/notes/, whatever text");
    let Ok(Reply::Approvals(left)) = test.ask(Request::ForgetApproval { id: Some(kept[0].id.clone()) }).await else {
        panic!("the rest is told")
    };
    assert_eq!(left, []);
    call_answered(&test, write(json!("/w/notes/deep/b")), ApprovalReply::Deny).await;
}

#[tokio::test]
async fn a_changed_server_asks_again() {
    let test = start(AskCalls::Destructive).await;
    call_answered(&test, call("write", json!({"n": 1})), ApprovalReply::Always { pattern: 1 }).await;
    call_unasked(&test, call("write", json!({"n": 2}))).await;
    let mut notices = test.daemon.notices();
    test.configure(&json!({"fs": {"command": testkit::faulty_server(), "args": ["claims", "--and-more"]}}));
    let changed = |notice: &Notice| matches!(notice, Notice::Servers(all) if all[0].target.contains("--and-more"));
    while !changed(&timeout(WHILE, notices.recv()).await.expect("the change is seen").expect("a notice")) {}
    call_answered(&test, call("write", json!({"n": 2})), ApprovalReply::Deny).await;
}

async fn guarded() -> TestDaemon {
    let options = Options { ask_servers: true, ..Options::default() };
    TestDaemon::builder().scripted("fs", &["claims"]).options(options).start().await
}

async fn state(test: &TestDaemon) -> ServerState {
    match test.ask(Request::Servers { list: true }).await {
        Ok(Reply::Servers(servers)) => servers[0].state,
        other => panic!("servers were asked for: {other:?}"),
    }
}

#[tokio::test]
async fn a_server_of_the_workspace_starts_only_when_a_person_said_so() {
    let test = guarded().await;
    let (asker, mut questions) = person();
    assert_eq!(state(&test).await, ServerState::Unapproved);
    let search = SearchRequest { query: "write".into(), ..SearchRequest::default() };
    let Ok(Reply::Search(found)) = submit(&test, Request::Search(search), Some(&asker)).reply().await else {
        panic!("a search answers")
    };
    assert!(found.hits.is_empty() && found.unavailable[0].contains("a person is asked"), "{found:?}");
    assert_eq!(test.daemon.server_identifiers(), ["fs"], "a program may try");
    assert!(questions.try_recv().is_err(), "who looks asks nobody");

    let code = "from servers import fs\n(await fs.read(n=1))['n']";
    let (first, second) = (submit(&test, program(code), Some(&asker)), submit(&test, program(code), Some(&asker)));
    let question = next(&mut questions).await;
    let ApprovalRequest::Server { server, transport, target, content_hash, .. } = &question.request else {
        panic!("a server was to be asked about: {question:?}")
    };
    assert_eq!((server.as_str(), transport.as_str(), content_hash.is_empty()), ("fs", "stdio", false));
    assert!(target.ends_with("claims"), "the exact command is shown: {target}");
    question.answer(ApprovalReply::Once);
    for reply in [ran(first).await, ran(second).await] {
        assert_eq!(reply.status, RunStatus::Ok, "{:?}", reply.error);
    }
    assert!(questions.try_recv().is_err(), "both waited for one answer");
    assert_eq!((state(&test).await, approvals(&test).await), (ServerState::Ready, Vec::new()));
}

#[tokio::test]
async fn a_refused_server_does_not_nag_and_can_be_approved_by_hand() {
    let test = guarded().await;
    let reply = call_answered(&test, call("read", json!({})), ApprovalReply::Deny).await;
    let error = reply.error.expect("denied");
    assert_eq!((error.kind, reply.record.status), (ErrorKind::Denied, CallStatus::Denied));
    assert!(error.hint.expect("what to do").contains("restart"));
    assert_eq!(call_unasked(&test, call("read", json!({}))).await.record.status, CallStatus::Denied);
    assert_eq!(state(&test).await, ServerState::Unapproved);

    let (asker, mut questions) = person();
    let restart = submit(&test, Request::RestartServer { server: "fs".into() }, Some(&asker));
    next(&mut questions).await.answer(ApprovalReply::Always { pattern: 0 });
    let Ok(Reply::Servers(servers)) = restart.reply().await else { panic!("it starts") };
    assert_eq!(servers[0].state, ServerState::Ready);
    assert_eq!(call_unasked(&test, call("read", json!({}))).await.record.status, CallStatus::Ok);

    let kept = approvals(&test).await;
    assert_eq!((kept.len(), kept[0].server.as_str(), kept[0].tool.is_none()), (1, "fs", true));
    test.ask(Request::ForgetApproval { id: None }).await.expect("forgotten");
    assert_eq!(state(&test).await, ServerState::Unapproved);
    assert_eq!(called(submit(&test, call("read", json!({})), None)).await.record.status, CallStatus::Denied);
}

#[tokio::test]
async fn a_servers_tools_are_shown_once_it_is_approved() {
    let test = guarded().await;
    let (asker, mut questions) = person();
    let tools = submit(&test, Request::ServerTools { server: "fs".into() }, Some(&asker));
    next(&mut questions).await.answer(ApprovalReply::Once);
    let Ok(Reply::ServerTools(tools)) = tools.reply().await else { panic!("its tools are shown") };
    assert_eq!(tools.len(), 3);
}

#[tokio::test]
async fn whoever_waits_asks_when_the_first_to_ask_goes_away() {
    let test = guarded().await;
    let (first_person, mut first_questions) = person();
    let (second_person, mut second_questions) = person();
    let first = submit(&test, call("read", json!({})), Some(&first_person));
    let mut question = next(&mut first_questions).await;
    let second = submit(&test, call("read", json!({})), Some(&second_person));
    first.cancellation().cancel();
    timeout(WHILE, question.withdrawn()).await.expect("it is withdrawn");
    next(&mut second_questions).await.answer(ApprovalReply::Once);
    assert_eq!(called(second).await.record.status, CallStatus::Ok);
}

#[tokio::test]
async fn an_approved_command_is_remembered_by_the_next_daemon_and_a_changed_one_is_not() {
    let test = guarded().await;
    call_answered(&test, call("read", json!({})), ApprovalReply::Always { pattern: 0 }).await;
    test.daemon.shutdown().await;
    let next_state = async || {
        let options = Options {
            workspace: Some(test.workspace().to_owned()),
            trusted: Some(true),
            ask_servers: true,
            data_dir: Some(test.workspace().join("data")),
            ..Options::default()
        };
        let next = Daemon::start(options).await.expect("it starts again");
        let reply = next.submit(Request::Servers { list: false }, "test", &test.conversation).reply().await;
        next.shutdown().await;
        let Ok(Reply::Servers(servers)) = reply else { panic!("servers answer") };
        servers[0].state
    };
    assert_eq!(next_state().await, ServerState::Stopped);
    test.configure(&json!({"fs": {"command": testkit::faulty_server(), "args": ["claims", "--and-more"]}}));
    assert_eq!(next_state().await, ServerState::Unapproved);
}
