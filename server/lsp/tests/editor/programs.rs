//! Programs in an editor: what is said of them, over the real protocol and a scripted server.

use crate::kit::Editor;
use expect_test::{Expect, expect};
use serde_json::{Value, json};
use std::fmt::Write as _;
use testkit::TestDaemon;

/// A window on a workspace with the server `notes`, whose tools are listed.
async fn window() -> (TestDaemon, Editor) {
    let test = TestDaemon::builder().scripted("notes", &["typed-tools"]).start().await;
    let mut editor = Editor::start(&test).await;
    let id = editor.request("tta/servers", json!({"list": true})).await;
    editor.answer(id).await;
    (test, editor)
}

async fn open(editor: &mut Editor, uri: &str, language: &str, text: &str) {
    let document = json!({"uri": uri, "languageId": language, "version": 1, "text": text});
    editor
        .send(&json!({"jsonrpc": "2.0", "method": "textDocument/didOpen", "params": {"textDocument": document}}))
        .await;
}

/// Opens `text` without its `|` and asks there.
async fn at_cursor(editor: &mut Editor, method: &str, uri: &str, text: &str) -> Value {
    let cursor = text.find('|').expect("a cursor");
    let language = if uri.contains(".py") { "python" } else { "typescript" };
    open(editor, uri, language, &text.replacen('|', "", 1)).await;
    let before = &text[..cursor];
    let line = before.matches('\n').count();
    let character = before.rsplit('\n').next().unwrap_or_default().encode_utf16().count();
    let params = json!({"textDocument": {"uri": uri}, "position": {"line": line, "character": character}});
    let id = editor.request(method, params).await;
    let answer = editor.answer(id).await;
    assert!(answer["error"].is_null(), "{answer}");
    answer["result"].clone()
}

fn place(range: &Value) -> String {
    let (start, end) = (&range["start"], &range["end"]);
    format!("{}:{}-{}", start["line"], start["character"], end["character"])
}

/// What is published of a program.
async fn check(uri: &str, language: &str, text: &str, want: Expect) {
    let (_test, mut editor) = window().await;
    open(&mut editor, uri, language, text).await;
    let told = editor.find(|m| m["method"] == "textDocument/publishDiagnostics" && m["params"]["uri"] == uri).await;
    let mut out = String::new();
    for problem in told["params"]["diagnostics"].as_array().expect("a list") {
        let severity = if problem["severity"] == 1 { "error" } else { "warning" };
        let (code, message) = (problem["code"].as_str(), problem["message"].as_str());
        writeln!(out, "{} {severity} {}: {}", place(&problem["range"]), code.unwrap_or("-"), message.unwrap_or("-"))
            .expect("text");
    }
    want.assert_eq(&out);
}

#[tokio::test]
async fn a_python_program_is_checked_as_its_run_would_be() {
    check(
        "file:///w/.tta/check.py",
        "python",
        r#"from servers import notes, nots
from servers.notes import read_notes, write_note as put
emoji = "🐝"; await notes.read_note(path=1, mode="slow", head="3")
await notes.read_note(pth="a")
await notes.read_note("a")
await notes.rite_note(path="a", text="b")
await put(path="a", text=emoji, apend=True)
await notes.read_note({"path": "a"}, **emoji)
notes.echo(anything=1)
notes.read_note(path="a")["content"]
x = notes.read_note(path=emoji)
await notes.read_note(pa
"#,
        expect![[r#"
            0:27-31 error unknown-server: there is no server `nots`; did you mean `notes`?
            1:26-36 error unknown-tool: `notes` has no tool `read_notes`; did you mean `read_note`?
            5:12-21 error unknown-tool: `notes` has no tool `rite_note`; did you mean `write_note` or `read_note`?
            2:41-42 error arguments: read_note: path: expected string, got number 1
            2:49-55 error arguments: read_note: mode: expected one of "fast", "safe", got string "slow"
            2:62-65 error arguments: read_note: head: expected integer, got string "3"
            3:22-25 error arguments: read_note: "pth" is not a parameter, did you mean "path"? There are path, mode, head
            3:6-21 error arguments: read_note: "path" is required (string); "pth" is not a parameter, did you mean "path"?
            4:22-25 error positional-argument: `notes.read_note` takes keyword arguments or one dict: give this value a name
            6:32-37 warning undeclared-argument: `notes.write_note` declares no parameter `apend`; did you mean `append`?
            8:0-10 warning forgotten-await: the call `notes.echo(…)` is never awaited: its result or error is lost; write `await notes.echo(…)`
            9:0-15 error forgotten-await: the call `notes.read_note(…)` is used as if it were its result; write `(await notes.read_note(…))`
        "#]],
    )
    .await;
}

#[tokio::test]
async fn a_typescript_program_is_checked_as_its_run_would_be() {
    check(
        "file:///w/anywhere.ts",
        "typescript",
        r#"import * as notes from "servers/notes";
import { readNote, wrongNote } from "servers/notes";
import { gone } from "servers/gone";
await notes.readNote({ path: "a", mode: "slow" });
await readNote({ head: 1 });
await notes.write_note("a");
notes.echo({});
const [a, b] = await Promise.all([readNote({ path: "a" }), notes.nothing()]);
gone();
"#,
        expect![[r#"
            1:19-28 error unknown-tool: `notes` has no tool `wrongNote`; did you mean `write_note`?
            2:30-34 error unknown-server: there is no server `gone`; the servers are notes
            7:65-72 error unknown-tool: `notes` has no tool `nothing`; its tools are read_note, write_note, echo
            3:40-46 error arguments: read_note: mode: expected one of "fast", "safe", got string "slow"
            4:6-14 error arguments: read_note: "path" is required (string)
            5:23-26 error positional-argument: `notes.write_note` takes one object: give this value a name
            6:0-10 warning forgotten-await: the call `notes.echo(…)` is never awaited: its result or error is lost; write `await notes.echo(…)`
        "#]],
    )
    .await;
}

#[tokio::test]
async fn other_code_is_left_alone() {
    let (_test, mut editor) = window().await;
    let django = "from servers import models\nmodels.Server.objects()\nfrom servers.fs import x\n";
    for (uri, language, text) in [
        ("file:///w/views.py", "python", django),
        ("file:///w/notes.md", "markdown", "from servers import notes"),
        ("file:///w/plain.ts", "typescript", "import { a } from \"./servers\";\na.b();\n"),
    ] {
        open(&mut editor, uri, language, text).await;
        let id = editor.request("textDocument/codeLens", json!({"textDocument": {"uri": uri}})).await;
        let lenses = editor.answer(id).await["result"].clone();
        assert!(lenses.is_null() || lenses == json!([]), "{uri}: {lenses}");
    }
    let hover =
        at_cursor(&mut editor, "textDocument/hover", "file:///w/views2.py", &django.replacen("mod", "mo|d", 1)).await;
    assert!(hover.is_null(), "{hover}");
    let told = editor.unread.iter().find(|m| m["method"] == "textDocument/publishDiagnostics");
    assert!(told.is_none(), "{told:?}");
}

#[tokio::test]
async fn hover_tells_of_servers_tools_and_arguments() {
    let (_test, mut editor) = window().await;
    let mut out = String::new();
    for (name, text) in [
        ("server.py", "from servers import no|tes\n"),
        ("tool.py", "from servers import notes\nawait notes.read_n|ote(path='a')\n"),
        ("tool.ts", "import { writeNote as put } from \"servers/notes\";\nawait pu|t({ path: 'a', text: 'b' });\n"),
        ("argument.py", "from servers import notes\nawait notes.read_note(pa|th='a')\n"),
        (
            "argument.ts",
            "import * as notes from \"servers/notes\";\nawait notes.read_note({ path: 'a', mo|de: 'fast' });\n",
        ),
        ("other.py", "from servers import notes\npri|nt(1)\n"),
    ] {
        let hover = at_cursor(&mut editor, "textDocument/hover", &format!("file:///w/{name}"), text).await;
        let range = if hover.is_null() { String::new() } else { place(&hover["range"]) };
        writeln!(out, "== {name} {range}\n{}", hover["contents"]["value"].as_str().unwrap_or("-")).expect("text");
    }
    let server = testkit::faulty_server().display().to_string();
    expect![[r#"
        == server.py 0:20-25
        **notes** · MCP server · ready · 3 tools · 133 tokens of definitions, none of them in a prompt

        `faulty-server typed-tools`
        == tool.py 1:12-21
        ```python
        async def notes.read_note(*, path: str, mode: Literal["fast", "safe"] = "safe", head: int = ...) -> Any:
        ```

        Reads a note\.

        - `path` Which note\; \*\*not\*\* a folder
        - `head` At most this many lines

        Changes nothing, its server says.
        == tool.ts 1:6-9
        ```typescript
        function notes.write_note(args: { path: string; text: string; append?: boolean }): Promise<any>
        ```

        May destroy, its server says.
        == argument.py 1:22-26
        ```python
        path: str
        ```

        Required. Which note\; \*\*not\*\* a folder
        == argument.ts 1:35-39
        ```typescript
        mode?: "fast" | "safe"
        ```

        Optional. Default `"safe"`.
        == other.py 
        -
    "#]]
    .assert_eq(&out.replace(&server, "faulty-server"));
}

#[tokio::test]
async fn completion_offers_what_fits_the_place() {
    let (_test, mut editor) = window().await;
    let mut out = String::new();
    for (at, (ending, text)) in [
        ("py", "from servers import |"),
        ("py", "from servers import notes\nx = await notes.|\n"),
        ("py", "from servers import notes\nx = await notes.re|(path=1)\n"),
        ("py", "from servers.notes import echo, |\n"),
        ("py", "from servers import notes\nx = await notes.read_note(|"),
        ("py", "from servers import notes\nx = await notes.read_note(path='a', mo|)"),
        ("py", "from servers import notes\nx = await notes.read_note(mode=|)"),
        ("py", "from servers import notes\nx = await notes.read_note(mode=\"|\")"),
        ("py", "from servers import notes\nx = await notes.read_note({\"|\"})"),
        ("py", "from servers import notes\nx = await notes.write_note(append=|)"),
        ("py", "from servers import notes\npri|"),
        ("ts", "import * as notes from \"servers/|\";"),
        ("ts", "import * as notes from \"servers/notes\";\nawait notes.|"),
        ("ts", "import * as notes from \"servers/notes\";\nawait notes.read_note({ | });"),
        ("ts", "import * as notes from \"servers/notes\";\nawait notes.read_note({ mode: '|' });"),
    ]
    .into_iter()
    .enumerate()
    {
        let uri = format!("file:///w/completion{at}.{ending}");
        let items = at_cursor(&mut editor, "textDocument/completion", &uri, text).await;
        let items = items.as_array().cloned().unwrap_or_default();
        let items = items.iter().map(|item| {
            let edit = &item["textEdit"];
            format!(
                "{} «{}» {}",
                item["label"].as_str().unwrap_or("-"),
                edit["newText"].as_str().unwrap_or("-"),
                place(&edit["range"])
            )
        });
        let mut items: Vec<String> = items.collect();
        if items.is_empty() {
            items.push("nothing".to_owned());
        }
        writeln!(out, "{}\n    {}", text.replace('\n', "⏎"), items.join("\n    ")).expect("text");
    }
    expect![[r#"
        from servers import |
            notes «notes» 0:20-20
        from servers import notes⏎x = await notes.|⏎
            read_note «read_note(path=$1)» 1:16-16
            write_note «write_note(path=$1, text=$2)» 1:16-16
            echo «echo($1)» 1:16-16
        from servers import notes⏎x = await notes.re|(path=1)⏎
            read_note «read_note» 1:16-18
            write_note «write_note» 1:16-18
        from servers.notes import echo, |⏎
            read_note «read_note» 0:32-32
            write_note «write_note» 0:32-32
        from servers import notes⏎x = await notes.read_note(|
            path «path=» 1:26-26
            mode «mode=» 1:26-26
            head «head=» 1:26-26
        from servers import notes⏎x = await notes.read_note(path='a', mo|)
            mode «mode=» 1:36-38
            head «head=» 1:36-38
        from servers import notes⏎x = await notes.read_note(mode=|)
            "fast" «"fast"» 1:31-31
            "safe" «"safe"» 1:31-31
        from servers import notes⏎x = await notes.read_note(mode="|")
            fast «fast» 1:32-32
            safe «safe» 1:32-32
        from servers import notes⏎x = await notes.read_note({"|"})
            path «path» 1:28-28
            mode «mode» 1:28-28
            head «head» 1:28-28
        from servers import notes⏎x = await notes.write_note(append=|)
            True «True» 1:34-34
            False «False» 1:34-34
        from servers import notes⏎pri|
            nothing
        import * as notes from "servers/|";
            notes «notes» 0:32-32
        import * as notes from "servers/notes";⏎await notes.|
            read_note «read_note({ path: $1 \})» 1:12-12
            readNote «readNote({ path: $1 \})» 1:12-12
            write_note «write_note({ path: $1, text: $2 \})» 1:12-12
            writeNote «writeNote({ path: $1, text: $2 \})» 1:12-12
            echo «echo($1)» 1:12-12
        import * as notes from "servers/notes";⏎await notes.read_note({ | });
            path «path: » 1:24-24
            mode «mode: » 1:24-24
            head «head: » 1:24-24
        import * as notes from "servers/notes";⏎await notes.read_note({ mode: '|' });
            fast «fast» 1:31-31
            safe «safe» 1:31-31
    "#]]
    .assert_eq(&out);
}

#[tokio::test]
async fn signature_help_marks_the_parameter_that_is_written() {
    let (_test, mut editor) = window().await;
    let mut out = String::new();
    for (at, (ending, text)) in [
        ("py", "from servers import notes\nx = await notes.read_note(|"),
        ("py", "from servers import notes\nx = await notes.read_note(path='a', |)"),
        ("py", "from servers import notes\nx = await notes.read_note(head=|1, path='a')"),
        ("py", "from servers import notes\nx = await notes.read_note(head=[1, |])"),
        ("ts", "import * as notes from \"servers/notes\";\nawait notes.readNote({ path: 'a', | });"),
        ("py", "from servers import notes\nx = await notes.read_note(path=len(|))"),
    ]
    .into_iter()
    .enumerate()
    {
        let uri = format!("file:///w/signature{at}.{ending}");
        let help = at_cursor(&mut editor, "textDocument/signatureHelp", &uri, text).await;
        let signature = &help["signatures"][0];
        let active =
            help["activeParameter"].as_u64().and_then(|at| signature["parameters"].get(usize::try_from(at).ok()?));
        let active = active.map_or("-".to_owned(), |parameter| {
            let offset = |at: usize| usize::try_from(parameter["label"][at].as_u64().expect("offsets")).expect("small");
            signature["label"].as_str().expect("a label")[offset(0)..offset(1)].to_owned()
        });
        writeln!(out, "{} => {active}", signature["label"].as_str().unwrap_or("nothing")).expect("text");
    }
    expect![[r#"
        notes.read_note(path: str, mode?: Literal["fast", "safe"], head?: int) => path: str
        notes.read_note(path: str, mode?: Literal["fast", "safe"], head?: int) => mode?: Literal["fast", "safe"]
        notes.read_note(path: str, mode?: Literal["fast", "safe"], head?: int) => head?: int
        notes.read_note(path: str, mode?: Literal["fast", "safe"], head?: int) => head?: int
        notes.readNote({ path: string, mode?: "fast" | "safe", head?: number }) => mode?: "fast" | "safe"
        nothing => -
    "#]]
    .assert_eq(&out);
}

#[tokio::test]
async fn a_server_that_was_never_listed_is_listed_for_an_open_program_and_then_told_of() {
    let test = TestDaemon::builder().scripted("notes", &["typed-tools"]).start().await;
    let mut editor = Editor::start(&test).await;
    open(&mut editor, "file:///w/a.py", "python", "from servers import notes\nawait notes.reed_note(path='a')\n").await;
    let told = editor.event("textDocument/publishDiagnostics", "").await;
    let problems = &told["params"]["diagnostics"];
    assert_eq!(problems[0]["code"], "unknown-tool", "{problems}");
    assert_eq!(problems[0]["message"], "`notes` has no tool `reed_note`; did you mean `read_note`?");
}

#[tokio::test]
async fn after_a_run_each_line_says_what_its_calls_kept_out_until_the_text_changes() {
    let (_test, mut editor) = window().await;
    let uri = "file:///w/.tta/run.py";
    let code = "from servers import notes\nfor n in range(3):\n    await notes.read_note(path='a')\nx = await notes.read_note(path='b')  # 🐝\nlen(x)\n";
    open(&mut editor, uri, "python", code).await;
    let document = json!({"uri": uri});
    let id = editor.request("textDocument/codeLens", json!({"textDocument": document})).await;
    let lenses = editor.answer(id).await["result"].clone();
    assert_eq!(lenses.as_array().map(Vec::len), Some(1), "{lenses}");
    assert_eq!(
        (&lenses[0]["command"]["command"], &lenses[0]["command"]["arguments"]),
        (&json!("tta.runFile"), &json!([uri]))
    );

    let run = json!({"code": code, "language": "python", "wait_receipt": true, "uri": uri});
    let id = editor.request("tta/run", run).await;
    let reply = editor.answer(id).await["result"].clone();
    let tokens: Vec<u64> = reply["calls"]
        .as_array()
        .expect("calls")
        .iter()
        .map(|call| call["result_tokens"].as_u64().expect("counted"))
        .collect();
    assert_eq!(tokens.len(), 4);
    let range = json!({"start": {"line": 0, "character": 0}, "end": {"line": 9, "character": 0}});
    let ask = json!({"textDocument": document, "range": range});
    let id = editor.request("textDocument/inlayHint", ask.clone()).await;
    let hints = editor.answer(id).await["result"].clone();
    assert_eq!(hints.as_array().map(Vec::len), Some(2), "{hints}");
    assert_eq!(hints[0]["position"], json!({"line": 2, "character": 35}));
    assert_eq!(hints[1]["position"], json!({"line": 3, "character": 41}), "in UTF-16 units");
    let looped = hints[0]["label"].as_str().expect("a label");
    let sum = format!(
        "⚡ 3 calls · {},{:03} tokens kept out · ",
        tokens[..3].iter().sum::<u64>() / 1000,
        tokens[..3].iter().sum::<u64>() % 1000
    );
    assert!(looped.starts_with(&sum), "{looped} against {sum}");
    let single = hints[1]["label"].as_str().expect("a label");
    assert!(single.starts_with(&format!("⚡ {} tokens kept out · ", tokens[3])), "{single}");
    let id = editor.request("textDocument/codeLens", json!({"textDocument": document})).await;
    let lenses = editor.answer(id).await["result"].clone();
    let summary = lenses[1]["command"]["title"].as_str().expect("a title");
    assert!(summary.starts_with("4 calls · ") && summary.ends_with(" tokens kept out"), "{summary}");

    let change = json!({"textDocument": {"uri": uri, "version": 2}, "contentChanges": [{"range": {"start": {"line": 0, "character": 0}, "end": {"line": 0, "character": 0}}, "text": "\n"}]});
    editor.send(&json!({"jsonrpc": "2.0", "method": "textDocument/didChange", "params": change})).await;
    let id = editor.request("textDocument/inlayHint", ask).await;
    let hints = editor.answer(id).await["result"].clone();
    assert!(hints.is_null() || hints == json!([]), "{hints}");
}
