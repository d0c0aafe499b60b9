//! Open documents under fast typing: the order of edits and requests, cancelling, and the bounds.

use crate::kit::Editor;
use serde_json::{Value, json};
use std::fmt::Write as _;
use testkit::TestDaemon;

const EDITS: i32 = 1_000;

fn everywhere(uri: &str) -> Value {
    let range = json!({"start": {"line": 0, "character": 0}, "end": {"line": 999_999, "character": 0}});
    json!({"textDocument": {"uri": uri}, "range": range})
}

#[tokio::test]
async fn a_request_sees_every_edit_before_it_and_none_after_it() {
    let test = TestDaemon::builder().start().await;
    let mut editor = Editor::start(&test).await;
    let uri = format!("file://{}/.mcp.json", test.workspace().display());
    editor.open(&uri, "json", "{\"mcpServers\": {\"a\": {\"command\": \"x\"}, \"broken\": {}}}").await;
    // Each edit puts the server a line lower, each tenth is followed by a request; nothing is read meanwhile.
    let mut asked = Vec::new();
    for edit in 1..=EDITS {
        editor.edit(&uri, edit + 1, (0, 0), (0, 0), "\n").await;
        if edit % 10 == 0 {
            asked.push((edit, editor.request("textDocument/inlayHint", everywhere(&uri)).await));
        }
    }
    for (edit, id) in asked {
        let answer = editor.answer(id).await;
        assert_eq!(answer["result"][0]["position"]["line"], edit, "{answer}");
    }
    let is_problem = |m: &Value| m["method"] == "textDocument/publishDiagnostics";
    let mut newest = 0;
    while newest <= EDITS {
        let told = editor.find(is_problem).await["params"].clone();
        let version = i32::try_from(told["version"].as_i64().expect("a version")).expect("small");
        assert!(version > newest, "version {version} was told after {newest}");
        assert_eq!(told["diagnostics"][0]["range"]["start"]["line"], version - 1, "of the text of its version");
        newest = version;
    }
}

#[tokio::test]
async fn a_request_that_is_cancelled_before_its_turn_is_not_worked_on() {
    let test = TestDaemon::builder().start().await;
    let mut editor = Editor::start(&test).await;
    let uri = format!("file://{}/.mcp.json", test.workspace().display());
    let mut config = "{\"mcpServers\": {\n".to_owned();
    for n in 0..2_000 {
        writeln!(config, "\"s{n}\": {{\"command\": \"x\"}},").expect("text");
    }
    editor.open(&uri, "json", &(config + "}}")).await;
    let mut ids = Vec::new();
    for _ in 0..50 {
        ids.push(editor.request("textDocument/inlayHint", everywhere(&uri)).await);
    }
    for id in ids.iter().rev() {
        editor.cancel(*id).await;
    }
    assert_eq!(editor.answer(ids[49]).await["error"]["code"], -32800);
    let answer = editor.ask("textDocument/inlayHint", everywhere(&uri)).await;
    assert_eq!(
        answer["result"].as_array().map(Vec::len),
        Some(1_000),
        "what is over the bound of servers has no place"
    );
}

#[tokio::test]
async fn a_document_that_is_too_large_is_left_alone_and_the_others_are_not() {
    let test = TestDaemon::builder().start().await;
    let mut editor = Editor::start(&test).await;
    let uri = |file: &str| format!("file://{}/{file}", test.workspace().display());
    let (large, small) = (uri(".mcp.json"), uri("tta.toml"));
    let config = "{\"mcpServers\": {\"a\": {\"command\": \"x\"}, \"broken\": {}}}";
    editor.open(&large, "json", config).await;
    editor.open(&small, "toml", "[servers.a]\ncommand = \"x\"\n").await;
    assert_eq!(editor.ask("textDocument/inlayHint", everywhere(&large)).await["result"][0]["label"], "used once saved");
    editor.find(|m| m["params"]["uri"] == large.as_str() && m["params"]["diagnostics"][0]["severity"] == 1).await;
    editor.edit(&large, 2, (0, 0), (0, 0), &" ".repeat(4 << 20)).await;
    assert!(editor.ask("textDocument/inlayHint", everywhere(&large)).await["result"].is_null());
    // What was said of it is taken back.
    editor.find(|m| m["params"]["uri"] == large.as_str() && m["params"]["diagnostics"] == json!([])).await;
    assert_eq!(editor.ask("textDocument/inlayHint", everywhere(&small)).await["result"][0]["label"], "used once saved");
    // Opened anew with a small text, it is followed again.
    editor.open(&large, "json", config).await;
    assert_eq!(editor.ask("textDocument/inlayHint", everywhere(&large)).await["result"][0]["label"], "used once saved");
}
