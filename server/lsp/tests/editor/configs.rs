//! Configuration files in an editor: what is said of each server, over the real protocol and scripted servers.

use crate::kit::Editor;
use serde_json::{Value, json};
use std::path::Path;
use testkit::{TestDaemon, faulty_server};

const REFRESHES: &str =
    r#"{"workspace": {"inlayHint": {"refreshSupport": true}, "codeLens": {"refreshSupport": true}}}"#;

/// The client that asks again when it is told to.
async fn window(test: &TestDaemon, options: Value) -> Editor {
    Editor::start_with(test, serde_json::from_str(REFRESHES).expect("JSON"), options).await
}

fn uri(folder: &Path, file: &str) -> String {
    format!("file://{}/{file}", folder.display())
}

/// A server's entry on three lines.
fn entry(name: &str) -> String {
    format!("    \"{name}\": {{\n      \"command\": {}, \"args\": [\"ok\"]\n    }}", json!(faulty_server()))
}

async fn hints(editor: &mut Editor, uri: &str) -> Vec<(u64, u64, String)> {
    let range = json!({"start": {"line": 0, "character": 0}, "end": {"line": 99_999, "character": 0}});
    let answer = editor.ask("textDocument/inlayHint", json!({"textDocument": {"uri": uri}, "range": range})).await;
    let hint = |hint: &Value| {
        let (line, character) = (&hint["position"]["line"], &hint["position"]["character"]);
        let label = hint["label"].as_str().expect("a label");
        (line.as_u64().expect("a line"), character.as_u64().expect("a character"), label.to_owned())
    };
    answer["result"].as_array().unwrap_or_else(|| panic!("{answer}")).iter().map(hint).collect()
}

async fn lenses(editor: &mut Editor, uri: &str) -> Vec<String> {
    let answer = editor.ask("textDocument/codeLens", json!({"textDocument": {"uri": uri}})).await;
    let lens = |lens: &Value| {
        let command = &lens["command"];
        format!("{} {} {}", command["title"], command["command"], command["arguments"]).replace('"', "")
    };
    answer["result"].as_array().unwrap_or_else(|| panic!("{answer}")).iter().map(lens).collect()
}

/// What is published of a file next.
async fn problems(editor: &mut Editor, uri: &str) -> Value {
    let told = editor.find(|m| m["method"] == "textDocument/publishDiagnostics" && m["params"]["uri"] == uri).await;
    told["params"].clone()
}

#[tokio::test]
async fn hints_and_lenses_follow_the_text_and_the_servers() {
    let test = TestDaemon::builder().scripted("good", &["ok"]).start().await;
    let mut editor = window(&test, json!({})).await;
    let uri = uri(test.workspace(), ".vscode/mcp.json");
    editor.open(&uri, "jsonc", &format!("{{\n  \"servers\": {{\n{}\n  }}\n}}\n", entry("good"))).await;
    assert_eq!(hints(&mut editor, &uri).await, [(2, 13, "starts when needed".to_owned())]);
    assert_eq!(lenses(&mut editor, &uri).await[0], "$(zap) Start tta.startServer [good]");

    let servers = editor.ask("tta/servers", json!({"list": true})).await["result"].clone();
    let (id, _) = editor.asked("workspace/inlayHint/refresh").await;
    editor.reply(&id, Value::Null).await;
    let tokens = servers[0]["definition_tokens"].as_u64().expect("counted");
    let ready = format!("{} tools · ready · {tokens} tokens deferred", servers[0]["tools"]);
    assert_eq!(hints(&mut editor, &uri).await, [(2, 13, ready.clone())]);
    let all =
        ["$(zap) Restart tta.restartServer", "Stop tta.stopServer", "Show Tools tta.showTools", "Show Log tta.showLog"];
    assert_eq!(lenses(&mut editor, &uri).await, all.map(|lens| format!("{lens} [good]")));

    // Above it a server that is not saved, then a text that does not parse.
    editor.edit(&uri, 2, (2, 0), (2, 0), &format!("{},\n", entry("näw 🐝"))).await;
    let both = [(2, 15, "used once saved".to_owned()), (5, 13, ready.clone())];
    assert_eq!(hints(&mut editor, &uri).await, both);
    editor.edit(&uri, 3, (4, 0), (4, 5), "").await;
    editor.edit(&uri, 4, (4, 0), (4, 0), "    \"cwd\": },").await;
    assert_eq!(hints(&mut editor, &uri).await, both);
    editor.notify("textDocument/didClose", json!({"textDocument": {"uri": uri}})).await;
    let params = json!({"textDocument": {"uri": uri}, "position": {"line": 2, "character": 6}});
    assert!(editor.ask("textDocument/hover", params).await["result"].is_null());
}

#[tokio::test]
async fn a_hover_tells_of_the_server_and_its_tools_and_runs_nothing_of_theirs() {
    let test = TestDaemon::builder().scripted("good", &["ok"]).start().await;
    let mut editor = window(&test, json!({})).await;
    editor.ask("tta/servers", json!({"list": true})).await;
    let uri = uri(test.workspace(), ".vscode/mcp.json");
    editor.open(&uri, "jsonc", &format!("{{\"servers\": {{\n{}}}}}", entry("good"))).await;
    let place = json!({"textDocument": {"uri": uri}, "position": {"line": 1, "character": 6}});
    let hover = editor.ask("textDocument/hover", place).await["result"].clone();
    assert_eq!(hover["range"]["end"], json!({"line": 1, "character": 10}));
    let told = hover["contents"]["value"].as_str().expect("markdown");
    for part in ["**good** — ready", "stdio `", "- `echo` ", "`from servers import good`", "Measured"] {
        assert!(told.contains(part), "{part} is not in {told}");
    }
    let aside = json!({"textDocument": {"uri": uri}, "position": {"line": 2, "character": 6}});
    assert!(editor.ask("textDocument/hover", aside).await["result"].is_null());
}

#[tokio::test]
async fn problems_are_those_of_the_text_and_of_files_that_are_not_open() {
    let test = TestDaemon::builder().toml("[limits]\ncals = 3\n").start().await;
    let mut editor = window(&test, json!({})).await;
    let uri = uri(test.workspace(), "tta.toml");
    let told = problems(&mut editor, &uri).await;
    assert_eq!(told["diagnostics"][0]["message"], "`cals` is no limit that is known\nDid you mean `calls`?");
    assert!(told["version"].is_null());

    editor.open(&uri, "plaintext", "[limits]\ncals = 3\n").await;
    assert_eq!(problems(&mut editor, &uri).await["diagnostics"], json!([]), "taken back before it is told anew");
    let told = problems(&mut editor, &uri).await;
    let range = json!({"start": {"line": 1, "character": 0}, "end": {"line": 1, "character": 4}});
    assert_eq!((&told["version"], &told["diagnostics"][0]["range"]), (&json!(1), &range));
    assert_eq!(told["diagnostics"][0]["severity"], 2);
    editor.edit(&uri, 2, (1, 3), (1, 3), "l").await;
    assert_eq!(problems(&mut editor, &uri).await, json!({"uri": uri, "version": 2, "diagnostics": []}));
    editor.edit(&uri, 3, (1, 8), (1, 9), "-1").await;
    let told = problems(&mut editor, &uri).await;
    assert_eq!(told["diagnostics"][0]["range"]["end"], json!({"line": 1, "character": 10}));
    editor.notify("textDocument/didClose", json!({"textDocument": {"uri": uri}})).await;
    assert_eq!(problems(&mut editor, &uri).await["diagnostics"], json!([]));
    let told = problems(&mut editor, &uri).await;
    assert_eq!(told["diagnostics"][0]["message"], "`cals` is no limit that is known\nDid you mean `calls`?");
}

#[tokio::test]
async fn keys_and_values_are_completed_where_the_editor_does_not_do_it_itself() {
    let test = TestDaemon::builder().start().await;
    let mut editor = window(&test, json!({})).await;
    for (file, text, first, count) in [
        ("tta.toml", "[limits]\ntime|", "timeout_ms = ${0:60000}", 16),
        ("tta.toml", "[|]", "limits", 7),
        ("tta.toml", "[servers.a]\ntype = |", "\"stdio\"", 2),
        (".cursor/mcp.json", "{\"mcpServers\": {\"a\": {\"|\"}}}", "\"type\": $0", 20),
        (".cursor/mcp.json", "{\"mcpServers\": {\"a\": {| \"type\": \"http\"}}}", "\"command\": \"$0\",", 19),
        (".cursor/mcp.json", "{|}", "", 0),
        (".vscode/mcp.json", "{\"servers\": {\"a\": {|}}}", "", 0),
    ] {
        let (at, uri) = (text.find('|').expect("a cursor"), uri(test.workspace(), file));
        editor.open(&uri, "jsonc", &text.replacen('|', "", 1)).await;
        let line = text[..at].matches('\n').count();
        let character = text[..at].rsplit('\n').next().unwrap_or_default().len();
        let place = json!({"textDocument": {"uri": uri}, "position": {"line": line, "character": character}});
        let items = editor.ask("textDocument/completion", place).await["result"].clone();
        let items = items.as_array().cloned().unwrap_or_default();
        assert_eq!(items.len(), count, "{text}: {items:?}");
        assert_eq!(items.first().map_or("", |item| item["textEdit"]["newText"].as_str().expect("an edit")), first);
    }
}

#[tokio::test]
async fn every_folder_of_a_window_has_its_files_and_a_name_that_is_taken_says_where() {
    let test = TestDaemon::builder().scripted("good", &["ok"]).start().await;
    let second = tempfile::tempdir().expect("a folder");
    let config = format!("{{\n  \"mcpServers\": {{\n{},\n{}\n  }}\n}}\n", entry("good"), entry("other"));
    std::fs::write(second.path().join(".mcp.json"), &config).expect("written");
    let mut editor = window(&test, json!({"folders": [second.path()]})).await;
    let uri = uri(&second.path().canonicalize().expect("there"), ".mcp.json");
    editor.open(&uri, "json", &config).await;
    let taken = "not used: mcp.json, line 1, has this name".to_owned();
    assert_eq!(hints(&mut editor, &uri).await, [(2, 13, taken), (5, 14, "starts when needed".to_owned())]);
}
