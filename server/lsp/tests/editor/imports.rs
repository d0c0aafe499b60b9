//! Servers of other tools, taken over for the editor.

use crate::kit::Editor;
use serde_json::json;
use testkit::TestDaemon;

#[tokio::test]
async fn the_editor_is_told_what_would_come_and_has_it_written_without_its_secrets() {
    let test = TestDaemon::builder().start().await;
    let cursor = test.workspace().join(".cursor");
    std::fs::create_dir_all(&cursor).expect("a folder");
    let elsewhere = json!({"mcpServers": {
        "search": {"command": "/no/such/search-mcp", "env": {"SEARCH_API_KEY": "kx81-left-behind", "LEVEL": "debug"}},
        "broken": {"command": 5},
    }});
    std::fs::write(cursor.join("mcp.json"), elsewhere.to_string()).expect("written");
    let target = test.workspace().join(".vscode/mcp.json");
    let mut editor = Editor::start(&test).await;
    let from = [".cursor/mcp.json"];
    let id = editor.request("tta/importServers", json!({"from": from, "to": target, "dry_run": true})).await;
    let would = editor.answer(id).await["result"].clone();
    let search = &would["servers"][0];
    assert_eq!(
        (&would["written"], &search["name"], &search["outcome"]),
        (&json!(false), &json!("search"), &json!("added"))
    );
    assert_eq!(
        search["secrets"],
        json!([{"place": "env.SEARCH_API_KEY", "becomes": "${input:search-search-api-key}"}])
    );
    assert!(!would.to_string().contains("left-behind"), "{would}");
    let before = std::fs::read_to_string(&target).expect("it is there");
    assert!(!before.contains("search-mcp"), "nothing was written");

    let id = editor.request("tta/importServers", json!({"from": from, "to": target, "names": ["search"]})).await;
    assert_eq!(editor.answer(id).await["result"]["written"], json!(true));
    let written = std::fs::read_to_string(&target).expect("it is there");
    assert!(written.contains("${input:search-search-api-key}") && !written.contains("left-behind"), "{written}");
    let id = editor.request("tta/importServers", json!({"from": ["no-such-tool"]})).await;
    let error = editor.answer(id).await["error"]["message"].clone();
    assert!(error.as_str().is_some_and(|why| why.contains("no-such-tool")), "{error}");
}
