//! One editor's session: the order of requests, cancelling, notifications, and every way to end.

use crate::kit::{Editor, PATIENCE};
use model::{ConversationId, Language, Notice, Request, RunEvent, RunRequest};
use serde_json::{Value, json};
use testkit::TestDaemon;
use tokio::sync::broadcast;

const ENDLESS: &str = "while True: pass";

#[tokio::test]
async fn the_editor_learns_where_mcp_is_served() {
    let test = TestDaemon::builder().start().await;
    let mut editor = Editor::connect(&test);
    let answer = editor.initialize(json!({"workspace": test.workspace(), "trusted": true})).await;
    let mcp = &answer["result"]["capabilities"]["experimental"]["tta"]["mcp"];
    assert_eq!((&mcp["url"], &mcp["token"]), (&json!("http://127.0.0.1:1/mcp"), &json!("t0ken")));
}

#[tokio::test]
async fn wrong_options_and_wrong_parameters_say_what_is_wrong() {
    let test = TestDaemon::builder().start().await;
    let answer = Editor::connect(&test).initialize(json!({"trusted": 1})).await;
    assert_eq!(answer["error"]["code"], -32602, "{answer}");
    assert!(answer["error"]["message"].as_str().is_some_and(|m| m.contains("initializationOptions")), "{answer}");
    let mut editor = Editor::start(&test).await;
    let id = editor.request("tta/run", json!({"code": "1", "langauge": "python"})).await;
    let answer = editor.answer(id).await;
    assert_eq!(answer["error"]["code"], -32602);
    assert!(answer["error"]["message"].as_str().is_some_and(|m| m.contains("langauge")), "{answer}");
    let id = editor.request("tta/restartServer", json!({"server": "none"})).await;
    assert_eq!(editor.answer(id).await["error"]["code"], -32602);
}

#[tokio::test]
async fn a_run_answers_with_its_receipt_and_the_window_hears_of_it() {
    let test = TestDaemon::builder().scripted("good", &["ok"]).start().await;
    let mut editor = Editor::start(&test).await;
    let code = "from servers import good\nawait good.echo(a=1)";
    let params = json!({"code": code, "language": "python", "wait_receipt": true});
    let id = editor.request("tta/run", params).await;
    let reply = editor.answer(id).await["result"].clone();
    assert_eq!((&reply["status"], &reply["result"]), (&json!("ok"), &json!({"a": 1})), "{reply}");
    assert!(reply["tokens"]["code_mode"]["total"].as_u64().is_some_and(|n| n > 0), "{reply}");
    assert!(reply["calls"][0]["result_tokens"].is_u64(), "{reply}");
    for event in ["started", "call", "finished"] {
        let told = editor.event("tta/runEvent", event).await;
        assert_eq!(
            told["params"]["run_id"].as_str().or(told["params"]["call"]["run_id"].as_str()),
            reply["run_id"].as_str()
        );
    }
    let savings = editor.find(|m| m["method"] == "tta/savingsChanged" && m["params"]["session"]["runs"] == 1).await;
    assert_eq!(savings["params"]["session"]["calls"], 1);
    let servers = editor.event("tta/serversChanged", "").await;
    assert_eq!(servers["params"][0]["name"], "good");
    let id = editor.request("tta/receipt", json!({"run_id": reply["run_id"]})).await;
    assert_eq!(editor.answer(id).await["result"]["tokens"]["saved"], reply["tokens"]["saved"]);
    let id = editor.request("tta/runs", json!({"limit": 5})).await;
    assert_eq!(editor.answer(id).await["result"][0]["front"], "lsp");
}

#[tokio::test]
async fn an_editor_too_slow_for_the_notices_gets_the_newest_state_and_goes_on() {
    let test = TestDaemon::builder().start().await;
    let (editor, daemon) = Editor::connect_by(&test, 4 << 10);
    let mut editor = editor.ready(&test).await;
    let (daemon, conversation) = (daemon.await.expect("a daemon"), ConversationId::new());
    editor.find(|m| m["method"] == "tta/serversChanged").await;

    // From here on nothing is read. The first run fills the pipe, so that its end waits in the daemon's queue of notices;
    // the second, which goes on, pushes it out of there.
    let mut notices = daemon.notices();
    let run = |lines: u32, then: &str| {
        let code = format!("import tta\nfor n in range({lines}): tta.progress(f'{{n:0100}}')\n{then}");
        let request = RunRequest { code, language: Some(Language::Python), ..RunRequest::default() };
        daemon.submit(Request::Run(request), "test", &conversation)
    };
    let first = run(1_000, "");
    let first_id = first.run_id().clone();
    first.reply().await.expect("a run");
    wait_for(&mut notices, |n| matches!(n, Notice::Savings(savings) if savings.session.runs == 1)).await;
    let second = run(1_500, "tta.progress('said')\nwhile True: pass");
    let said = |n: &Notice| matches!(n, Notice::Run(RunEvent::Progress { message, .. }) if message == "said");
    wait_for(&mut notices, said).await;

    // Then it reads: the end of the first run is lost, and what came of it is told nevertheless.
    let state = editor.find(|m| m["method"] == "tta/savingsChanged" && m["params"]["session"]["runs"] == 1).await;
    assert_eq!(state["params"]["running"], 1, "told after the second run began: {state}");
    editor.find(|m| m["method"] == "tta/serversChanged").await;
    editor.find(|m| m["params"]["message"] == "said").await;
    let ended = |m: &Value| m["params"]["event"] == "finished" && m["params"]["run_id"] == first_id.as_str();
    assert!(!editor.unread.iter().any(ended), "nothing was missed: this test shows nothing");
    drop(second);
    let finished = editor.event("tta/runEvent", "finished").await;
    assert_eq!(finished["params"]["status"], "cancelled");
}

/// Reads until a notice fits. What it misses itself does not matter.
async fn wait_for(notices: &mut broadcast::Receiver<Notice>, fits: impl Fn(&Notice) -> bool) {
    let fitting = async {
        loop {
            match notices.recv().await {
                Ok(notice) if fits(&notice) => return,
                Ok(_) | Err(broadcast::error::RecvError::Lagged(_)) => {}
                Err(e @ broadcast::error::RecvError::Closed) => panic!("{e}"),
            }
        }
    };
    tokio::time::timeout(PATIENCE, fitting).await.expect("in time");
}

#[tokio::test]
async fn search_call_servers_and_savings_answer() {
    let test = TestDaemon::builder().scripted("good", &["ok"]).start().await;
    let mut editor = Editor::start(&test).await;
    let id = editor.request("tta/searchTools", json!({"query": "echo"})).await;
    assert_eq!(editor.answer(id).await["result"]["hits"][0]["tool"], "echo");
    let id = editor.request("tta/call", json!({"server": "good", "tool": "echo", "arguments": {"b": [2]}})).await;
    assert_eq!(editor.answer(id).await["result"]["value"], json!({"b": [2]}));
    let id = editor.request("tta/servers", json!({"list": true})).await;
    assert_eq!(editor.answer(id).await["result"][0]["state"], "ready");
    let id = editor.request("tta/savings", json!({})).await;
    assert_eq!(editor.answer(id).await["result"]["session"]["runs"], 0);
}

#[tokio::test]
async fn a_cancelled_request_stops_its_program_however_many_others_run() {
    let test = TestDaemon::builder().start().await;
    let mut editor = Editor::start(&test).await;
    // More than the transport's default of requests at once, which a cancel would have to wait behind.
    let mut ids = Vec::new();
    for _ in 0..6 {
        ids.push(editor.run(ENDLESS).await);
    }
    let started = editor.event("tta/runEvent", "started").await["params"]["run_id"].clone();
    for id in ids.iter().rev() {
        editor.cancel(*id).await;
    }
    for id in ids {
        assert_eq!(editor.answer(id).await["error"]["code"], -32800);
    }
    let finished = editor.find(|m| m["params"]["event"] == "finished" && m["params"]["run_id"] == started).await;
    assert_eq!(finished["params"]["status"], "cancelled");
    let id = editor.run("1 + 1").await;
    assert_eq!(editor.answer(id).await["result"]["result"], 2);
}

#[tokio::test]
async fn runs_reach_the_daemon_in_the_order_of_their_requests() {
    let test = TestDaemon::builder().start().await;
    let mut editor = Editor::start(&test).await;
    let mut ids = Vec::new();
    for n in 0..8 {
        ids.push(editor.run(&format!("{n}")).await);
    }
    for (n, id) in ids.into_iter().enumerate() {
        let started = editor.event("tta/runEvent", "started").await;
        assert_eq!(started["params"]["label"], n.to_string());
        assert_eq!(editor.answer(id).await["result"]["result"], n);
    }
}

#[tokio::test]
async fn shutdown_and_exit_end_the_front_while_a_program_runs() {
    let test = TestDaemon::builder().start().await;
    let mut editor = Editor::start(&test).await;
    editor.run(ENDLESS).await;
    editor.event("tta/runEvent", "started").await;
    let id = editor.request("shutdown", Value::Null).await;
    assert!(editor.answer(id).await["error"].is_null());
    editor.send(&json!({"jsonrpc": "2.0", "method": "exit"})).await;
    editor.ended().await;
}

#[tokio::test]
async fn an_editor_that_dies_ends_the_front_while_a_program_runs() {
    let test = TestDaemon::builder().start().await;
    let mut editor = Editor::start(&test).await;
    editor.run(ENDLESS).await;
    editor.event("tta/runEvent", "started").await;
    let Editor { served, input, output, .. } = editor;
    drop((input, output));
    tokio::time::timeout(PATIENCE, served).await.expect("in time").expect("no panic");
}
