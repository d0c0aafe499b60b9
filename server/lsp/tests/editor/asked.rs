//! What the server asks of the editor: approvals, its tools, its secrets; and that a question can be withdrawn.

use crate::kit::Editor;
use serde_json::{Value, json};
use testkit::{Authority, Manner, TestDaemon, faulty_server, log_in};

const CALL: &str = "from servers import good\nawait good.echo(a=1)";

async fn window(test: &TestDaemon, further: Value) -> Editor {
    let mut options = json!({"editor": true});
    options.as_object_mut().expect("an object").extend(further.as_object().expect("an object").clone());
    Editor::start_with(test, json!({}), options).await
}

#[tokio::test]
async fn a_call_is_made_once_the_person_has_said_yes_and_not_before() {
    let test = TestDaemon::builder().scripted("good", &["ok"]).start().await;
    let mut editor = window(&test, json!({"askCalls": "always"})).await;
    let run = editor.run(CALL).await;
    let (id, question) = editor.asked("tta/approve").await;
    assert_eq!((&question["kind"], &question["tool"], &question["line"]), (&json!("call"), &json!("echo"), &json!(2)));
    assert!(!editor.unread.iter().any(|m| m["id"] == run && m["method"].is_null()));
    editor.reply(&id, json!({"decision": "once"})).await;
    assert_eq!(editor.answer(run).await["result"]["result"], json!({"a": 1}));

    let run = editor.run(CALL).await;
    let (id, _) = editor.asked("tta/approve").await;
    editor.reply(&id, json!({"decision": "deny"})).await;
    let denied = editor.answer(run).await["result"].clone();
    assert_eq!(denied["calls"][0]["status"], "denied", "{denied}");

    // A client that cannot answer has not approved.
    let run = editor.run(CALL).await;
    let (id, _) = editor.asked("tta/approve").await;
    editor.send(&json!({"jsonrpc": "2.0", "id": id, "error": {"code": -32601, "message": "no such method"}})).await;
    assert_eq!(editor.answer(run).await["result"]["calls"][0]["status"], "denied");
}

#[tokio::test]
async fn a_question_is_withdrawn_when_its_run_is_cancelled_and_others_are_answered_meanwhile() {
    let test = TestDaemon::builder().scripted("good", &["ok"]).start().await;
    let mut editor = window(&test, json!({"askCalls": "always"})).await;
    let run = editor.run(CALL).await;
    let (id, _) = editor.asked("tta/approve").await;
    let plain = editor.run("1 + 1").await;
    assert_eq!(editor.answer(plain).await["result"]["result"], 2);
    editor.cancel(run).await;
    assert_eq!(editor.answer(run).await["error"]["code"], -32800);
    let withdrawn = editor.event("$/cancelRequest", "").await;
    assert_eq!(withdrawn["params"]["id"], id);
}

#[tokio::test]
async fn the_editors_tools_are_servers_and_are_asked_for_again_when_they_change() {
    let test = TestDaemon::builder().start().await;
    let mut editor = window(&test, json!({})).await;
    let (id, _) = editor.asked("tta/editorTools/list").await;
    editor.reply(&id, json!([])).await;
    editor.notify("tta/editorTools/changed", json!({})).await;
    let (id, _) = editor.asked("tta/editorTools/list").await;
    editor.reply(&id, json!([{"name": "lens_count", "server": "lens", "tool": "count"}])).await;
    editor.find(|m| m["method"] == "tta/serversChanged" && m["params"].to_string().contains("lens")).await;

    let run = editor.run("from servers import lens\nawait lens.count(n=2)").await;
    let (id, call) = editor.asked("tta/editorTools/call").await;
    assert_eq!((&call["name"], &call["arguments"]), (&json!("lens_count"), &json!({"n": 2})));
    editor.reply(&id, json!({"content": [{"type": "text", "text": "{\"found\": 5}"}]})).await;
    let reply = editor.answer(run).await["result"].clone();
    assert_eq!(reply["status"], "ok", "{reply}");
    assert!(reply["result"].to_string().contains("found"), "{reply}");
}

#[tokio::test]
async fn an_input_is_asked_for_once_and_no_word_of_it_is_told() {
    let test = TestDaemon::builder().start().await;
    let server = json!({"command": faulty_server(), "args": ["ok"], "env": {"TOKEN": "${input:key}"}});
    let config =
        json!({"servers": {"good": server}, "inputs": [{"id": "key", "type": "promptString", "password": true}]});
    std::fs::write(test.workspace().join(".vscode/mcp.json"), config.to_string()).expect("written");
    let mut editor = window(&test, json!({})).await;
    let run = editor.run(CALL).await;
    let (id, question) = editor.asked("tta/secret/get").await;
    assert_eq!((&question["id"], &question["password"]), (&json!("key"), &json!(true)));
    // No text, but a secret nevertheless.
    editor.reply(&id, json!({"value": {"nested": "s3cret"}})).await;
    let refused = editor.answer(run).await;
    assert!(!refused.to_string().contains("s3cret"), "{refused}");
    assert_ne!(refused["result"]["status"], "ok", "{refused}");

    let run = editor.run(CALL).await;
    let (id, _) = editor.asked("tta/secret/get").await;
    editor.reply(&id, json!({"value": "s3cret"})).await;
    assert_eq!(editor.answer(run).await["result"]["result"], json!({"a": 1}));
    let again = editor.run(CALL).await;
    assert_eq!(editor.answer(again).await["result"]["status"], "ok");
    assert!(!editor.unread.iter().any(|m| m["method"] == "tta/secret/get" || m.to_string().contains("s3cret")));
}

#[tokio::test]
async fn a_server_asks_the_person_and_the_model_through_the_editor() {
    let test = TestDaemon::builder().scripted("good", &["asks"]).start().await;
    let mut editor = window(&test, json!({})).await;
    let ask = |method: &str, params: Value| {
        format!(
            "import json\nfrom servers import good\nawait good.ask(method='{method}', params=json.loads('{params}'))"
        )
    };
    let schema = json!({"type": "object", "properties": {"n": {"type": "integer", "minimum": 1}}, "required": ["n"]});
    let run = editor.run(&ask("elicitation/create", json!({"message": "How many?", "requestedSchema": schema}))).await;
    let (id, question) = editor.asked("tta/elicit").await;
    assert_eq!((&question["mode"], &question["server"]), (&json!("form"), &json!("good")));
    assert_eq!(question["fields"][0]["kind"], json!({"type": "number", "whole": true, "least": 1.0}));
    editor.reply(&id, json!({"action": "accept", "content": {"n": 2}})).await;
    let told = editor.answer(run).await["result"]["result"].clone();
    assert_eq!(told["result"], json!({"action": "accept", "content": {"n": 2}}));

    let prompt = json!({"messages": [{"role": "user", "content": {"type": "text", "text": "hi"}}], "maxTokens": 3});
    let run = editor.run(&ask("sampling/createMessage", prompt)).await;
    let (id, prompt) = editor.asked("tta/sample").await;
    assert_eq!((&prompt["server"], &prompt["max_tokens"]), (&json!("good"), &json!(3)));
    editor.reply(&id, json!({"model": "m", "text": "yes", "stop_reason": "endTurn"})).await;
    let told = editor.answer(run).await["result"]["result"].clone();
    assert_eq!((&told["result"]["content"]["text"], &told["result"]["stopReason"]), (&json!("yes"), &json!("endTurn")));
}

#[tokio::test]
async fn a_login_opens_its_page_and_is_kept_by_the_editor() {
    let remote = Authority::start(Manner::default()).await;
    let test = TestDaemon::builder().server("good", json!({"url": remote.url})).start().await;
    let mut editor = window(&test, json!({})).await;
    let run = editor.run(CALL).await;
    let (id, kept) = editor.asked("tta/secret/get").await;
    let key = kept["key"].clone();
    assert!(key.as_str().is_some_and(|key| key.starts_with("oauth-") && !key.contains("127.0.0.1")), "{kept}");
    editor.reply(&id, json!({})).await;
    // Another window may have logged in meanwhile.
    let (id, _) = editor.asked("tta/secret/get").await;
    editor.reply(&id, json!({})).await;
    let (id, page) = editor.asked("tta/openUrl").await;
    assert_eq!(page["server"], "good");
    editor.reply(&id, json!(true)).await;
    let url = page["url"].as_str().expect("a text").to_owned();
    let shown = tokio::spawn(async move { log_in(&url).await });
    let (id, set) = editor.asked("tta/secret/set").await;
    assert_eq!(set["key"], key);
    assert!(set["value"].as_str().is_some_and(|value| value.contains("access-s3cret")), "the editor alone is told");
    editor.reply(&id, Value::Null).await;
    assert_eq!(editor.answer(run).await["result"]["result"], json!({"scope": "read"}));
    assert_eq!(shown.await.expect("it ends").status, 200);
    assert!(!editor.unread.iter().any(|m| m.to_string().contains("s3cret")));
}
