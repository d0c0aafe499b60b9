//! A server's prompts and resources in programs: offered where they are asked for, and told what they are.

use crate::kit::Editor;
use serde_json::{Value, json};
use std::time::Duration;
use testkit::TestDaemon;

/// Never reached when a test passes: the machine may be slow and busy.
const BOUND: Duration = Duration::from_mins(1);

struct Window {
    _test: TestDaemon,
    editor: Editor,
    opened: usize,
}

impl Window {
    async fn new() -> Self {
        let test = TestDaemon::builder().scripted("hub", &["typed-tools"]).start().await;
        let mut editor = Editor::start(&test).await;
        let id = editor.request("tta/servers", json!({"list": true})).await;
        editor.answer(id).await;
        Self { _test: test, editor, opened: 0 }
    }

    /// Asks at the `|` of a program until the answer is there: a server is asked in the background.
    async fn ask(&mut self, method: &str, language: &str, program: &str) -> Value {
        self.opened += 1;
        let uri = format!("file:///w/.tta/{}.{}", self.opened, if language == "python" { "py" } else { "ts" });
        let import =
            if language == "python" { "from servers import hub" } else { "import * as hub from \"servers/hub\";" };
        let character = program.find('|').expect("a cursor");
        let text = format!("{import}\n{}", program.replacen('|', "", 1));
        let document = json!({"uri": uri, "languageId": language, "version": 1, "text": text});
        let opened = json!({"jsonrpc": "2.0", "method": "textDocument/didOpen", "params": {"textDocument": document}});
        self.editor.send(&opened).await;
        let asking = async {
            loop {
                let at = json!({"textDocument": {"uri": uri}, "position": {"line": 1, "character": character}});
                let id = self.editor.request(method, at).await;
                let answer = self.editor.answer(id).await;
                assert!(answer["error"].is_null(), "{answer}");
                if answer["result"].as_array().is_none_or(|items| !items.is_empty()) && !answer["result"].is_null() {
                    return answer["result"].clone();
                }
            }
        };
        tokio::time::timeout(BOUND, asking).await.expect("an answer")
    }

    /// The labels of what is offered, and what the first would insert.
    async fn offered(&mut self, language: &str, program: &str) -> (Vec<String>, String) {
        let items = self.ask("textDocument/completion", language, program).await;
        let items = items.as_array().expect("a list");
        let labels = items.iter().map(|item| item["label"].as_str().expect("a label").to_owned()).collect();
        (labels, items[0]["textEdit"]["newText"].as_str().expect("a text").to_owned())
    }
}

#[tokio::test]
async fn names_of_prompts_and_uris_are_offered_between_the_quotes() {
    let mut window = Window::new().await;
    for language in ["python", "typescript"] {
        let (labels, inserted) = window.offered(language, "await hub.prompts.get(\"|\")").await;
        assert_eq!((labels, inserted.as_str()), (vec!["prompts0".to_owned(), "prompts1".to_owned()], "prompts0"));
        let (labels, _) = window.offered(language, "await hub.resources.read(\"text:|\")").await;
        assert_eq!(labels, ["text:0", "text:1", "text:{x}/0", "text:{x}/1"]);
    }
    let (labels, _) = window.offered("python", "await hub.prompts.get(name='1|')").await;
    assert_eq!(labels, ["prompts1"]);
    let (labels, inserted) = window.offered("python", "await hub.resources.|").await;
    assert_eq!((labels, inserted.as_str()), (["list", "templates", "read"].map(str::to_owned).to_vec(), "list()"));
}

#[tokio::test]
async fn the_arguments_of_the_named_prompt_are_offered() {
    let mut window = Window::new().await;
    // Until the prompts are known nothing is offered but what every call of it takes.
    window.offered("python", "await hub.prompts.get(\"|\")").await;
    for (language, program, text) in [
        ("python", "await hub.prompts.get(\"prompts0\", {|})", "\"tone\": "),
        ("python", "await hub.prompts.get(\"prompts0\", {\"|\"})", "tone"),
        ("python", "await hub.prompts.get(\"prompts0\", |)", "tone="),
        ("typescript", "await hub.prompts.get(\"prompts0\", { | })", "tone: "),
    ] {
        let (labels, inserted) = window.offered(language, program).await;
        assert_eq!((labels, inserted.as_str()), (vec!["tone".to_owned()], text), "{program}");
    }
}

#[tokio::test]
async fn a_prompt_and_a_resource_are_told_where_the_program_names_them() {
    let mut window = Window::new().await;
    let said = |hover: Value| hover["contents"]["value"].as_str().expect("markdown").to_owned();
    let prompt = said(window.ask("textDocument/hover", "python", "await hub.prompts.get(\"promp|ts1\")").await);
    let stub =
        "await hub.prompts.get(\"prompts1\", {\"tone\": str})  # Number 1 of the prompts.\n# tone: How it sounds";
    assert!(prompt.contains(stub), "{prompt}");
    let resource = said(window.ask("textDocument/hover", "typescript", "await hub.resources.read(\"text:|0\")").await);
    assert!(resource.contains("Number 0 of the resources"), "{resource}");
    let all = said(window.ask("textDocument/hover", "python", "await hub.pro|mpts.list()").await);
    assert!(all.contains("2 listed") && all.contains("prompts1"), "{all}");
    let get = said(window.ask("textDocument/hover", "python", "await hub.prompts.ge|t(\"prompts1\")").await);
    assert!(get.contains("The messages of a prompt"), "{get}");
}

#[tokio::test]
async fn they_are_called_in_more_ways_than_tools_and_must_be_awaited() {
    let mut window = Window::new().await;
    let uri = "file:///w/.tta/calls.py";
    let text =
        "from servers import hub\nawait hub.prompts.get(\"prompts0\", tone=\"warm\")\nhub.resources.read(\"text:0\")\n";
    let document = json!({"uri": uri, "languageId": "python", "version": 1, "text": text});
    let opened = json!({"jsonrpc": "2.0", "method": "textDocument/didOpen", "params": {"textDocument": document}});
    window.editor.send(&opened).await;
    let of_calls = |m: &Value| m["method"] == "textDocument/publishDiagnostics" && m["params"]["uri"] == uri;
    let told = window.editor.find(of_calls).await;
    let problems = told["params"]["diagnostics"].as_array().expect("a list");
    assert_eq!(problems.len(), 1, "{told}");
    assert_eq!((&problems[0]["code"], &problems[0]["range"]["start"]["line"]), (&json!("forgotten-await"), &json!(2)));
}
