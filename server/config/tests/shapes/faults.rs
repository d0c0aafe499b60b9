//! Files and entries that make no sense: each is named with its place, and the rest goes on.

use crate::place::Place;
use expect_test::expect;
use std::fs;

#[test]
fn a_bad_entry_never_stops_the_rest() {
    Place::new(&[(
        "app/.mcp.json",
        r#"{"mcpServers": {
  "text": "x",
  "ü": {"args": []},
  "sse": {"type": "sse", "url": "http://h/sse"},
  "kind": {"type": "carrier-pigeon"},
  "args": {"command": "x", "args": "y"},
  "env": {"command": "x", "env": ["K=v"]},
  "name": {"command": "x", "env": {"A=B": "v"}},
  "url": {"url": "file:///etc/passwd"},
  "empty": {"command": ""},
  "nul": {"command": "a\u0000b"},
  "envfile": {"command": "x", "envFile": "nowhere.env"},
  "late": {"command": "x", "startup_timeout_ms": "soon"},
  "": {"command": "x"},
  "tta-itself": {"command": "/usr/bin/tta", "args": ["--workspace", ".", "mcp"]},
  "tta-by-npx": {"command": "npx", "args": ["tta", "mcp"]},
  "good": {"command": "x"}
}}"#,
    )])
    .check(&expect![[r#"
        sse = sse http://h/sse [] (Workspace …/app/.mcp.json:4)
        envfile = x [] [] (Workspace …/app/.mcp.json:12)
        late = x [] [] (Workspace …/app/.mcp.json:13)
        good = x [] [] (Workspace …/app/.mcp.json:17)
        ERROR …/app/.mcp.json:2:11 the entry of server `text` is a text, not an object [Write an object with `command` or `url`.]
        ERROR …/app/.mcp.json:3:3 server `ü` has neither `command` nor `url` [Add `command` (and `args`) for a program, or `url` for HTTP.]
        ERROR …/app/.mcp.json:5:20 server `kind` has the unknown type `carrier-pigeon` [Use `stdio`, `http` or `sse`.]
        ERROR …/app/.mcp.json:6:36 `args` is a text, not a list of texts [Write it as a list.]
        ERROR …/app/.mcp.json:7:34 `env` is a list, not an object [Write names with their values.]
        ERROR …/app/.mcp.json:8:36 `env` has a name that no variable can have [Correct the name.]
        ERROR …/app/.mcp.json:9:18 the URL must start with `https://` or `http://` [Correct the URL.]
        ERROR …/app/.mcp.json:10:12 `command` is empty [Write the program that starts the server.]
        ERROR …/app/.mcp.json:11:22 `command` contains a NUL character [Remove it.]
        WARNING …/app/.mcp.json:12:42 the env file …/app/nowhere.env cannot be read: No such file or directory (os error 2) [Create it, or remove `envFile`.]
        ERROR …/app/.mcp.json:13:50 `startup_timeout_ms` must be a positive number [It stays at 30000 ms.]
        ERROR …/app/.mcp.json:14:3 a server needs a name [Give the entry a name that is not empty.]
        INFO …/app/.mcp.json:15:3 server `tta-itself` is this program itself and is left out [Nothing to do: it would only call itself.]
        INFO …/app/.mcp.json:16:3 server `tta-by-npx` is this program itself and is left out [Nothing to do: it would only call itself.]
    "#]]);
}

#[test]
fn files_that_make_no_sense_are_named_and_left_out() {
    let place = Place::new(&[
        ("app/tta.toml", "[servers\n"),
        ("app/.vscode/mcp.json", "{\n  \"servers\": {\n    \"ü\": nonsense\n"),
        ("app/.vscode/settings.json", "[1]"),
        ("app/.mcp.json", r#"{"mcpServers": []}"#),
        ("app/.cursor/mcp.json", ""),
        ("app/.gemini/settings.json", r#"{"mcpServers": {"last": {"command": "x"}}}"#),
    ]);
    place.write("app/.mcp/config.json", b"\xff\xfe{}");
    place.write("app/.zed/settings.json", &vec![b' '; (1 << 20) + 1]);
    fs::create_dir_all(place.folder.path().join("app/.codex/config.toml")).expect("made");
    place.check(&expect![[r#"
        last = x [] [] (Workspace …/app/.gemini/settings.json:1)
        ERROR …/app/tta.toml:1:9 this is not valid TOML: unclosed table, expected `]` [Nothing in this file is used until it is mended.]
        ERROR …/app/.vscode/mcp.json:3:10 this is not valid JSON: Unexpected word [Nothing in this file is used until it is mended.]
        ERROR …/app/.vscode/settings.json:1:1 the file holds a list, not an object [Write an object.]
        ERROR …/app/.mcp.json:1:16 the servers are a list, not an object [Write names with their entries.]
        ERROR …/app/.mcp/config.json:1:1 the file cannot be read: it is not UTF-8 [Correct it, or remove it.]
        ERROR …/app/.codex/config.toml:1:1 the file cannot be read: it is not a regular file [Correct it, or remove it.]
        ERROR …/app/.zed/settings.json:1:1 the file cannot be read: it is larger than 1048576 bytes [Correct it, or remove it.]
    "#]]);
}

#[test]
fn an_explicit_file_must_be_there_and_hold_servers() {
    let place = Place::new(&[("empty.json", "{}")]);
    for (file, expected) in [
        (
            "nowhere.json",
            expect![[r#"
        ERROR …/nowhere.json:1:1 the file cannot be read: No such file or directory (os error 2) [Correct it, or remove it.]
    "#]],
        ),
        (
            "empty.json",
            expect![[r#"
        ERROR …/empty.json:1:1 there are no servers in this file [Put them under `servers` or `mcpServers`.]
    "#]],
        ),
    ] {
        let (config, problems) = place.load_with(Some(&place.folder.path().join(file)));
        place.compare(&config, &problems, &expected);
    }
}

/// Every prefix of a valid file, and the file with each byte replaced: nothing may panic.
#[test]
fn no_input_makes_it_panic() {
    let json = r#"{"mcpServers": {"ü": {"command": ["x"], "env": {"A": "${X:-\ud83d\ude00}"}, "cwd": "~/"}, "b": {"url": "http://h"}}}"#;
    let toml = "[limits]\ncalls = 1_0\n[servers.'ü']\ncommand = \"\"\"x\"\"\"\nargs = [1.5, {a = 1}, 1979-05-27]\n";
    let place = Place::new(&[]);
    for (file, text) in [("app/.mcp.json", json), ("app/tta.toml", toml)] {
        for at in 0..text.len() {
            place.write(file, &text.as_bytes()[..at]);
            place.load();
            let mut bytes = text.as_bytes().to_vec();
            bytes[at] = b"{}[]\",=\n\xff\\"[at % 10];
            place.write(file, &bytes);
            place.load();
        }
        place.write(file, b"");
    }
    for deep in ["[".repeat(100_000), "{\"a\":".repeat(100_000)] {
        place.write("app/.mcp.json", deep.as_bytes());
        assert_eq!(place.load().1.len(), 1);
    }
    place.write("app/tta.toml", format!("a = {}", "[".repeat(100_000)).as_bytes());
    assert!(!place.load().1.is_empty());
}

/// The same fault in the words of every shape: a program that is a number stands in line 2, column 17 of each.
#[test]
fn a_command_that_is_no_text_is_told_at_its_place_in_every_shape() {
    let json = |keys: &str, close: &str| format!("{keys}{{\n\"a\": {{\"command\":5}}{close}");
    let (servers, mcp) = (json("{\"servers\": ", "}}"), json("{\"mcpServers\": ", "}}"));
    let (nested, zed) = (json("{\"mcp\": {\"servers\": ", "}}}"), json("{\"context_servers\": ", "}}"));
    let toml = |table: &str| format!("[{table}.a]\ncommand       = 5\n");
    for (file, text) in [
        ("app/tta.toml", toml("servers")),
        ("app/.vscode/mcp.json", servers.clone()),
        ("app/.vscode/settings.json", nested),
        ("app/.mcp.json", mcp.clone()),
        ("app/.mcp/config.json", mcp.clone()),
        ("app/.cursor/mcp.json", mcp.clone()),
        ("app/.codex/config.toml", toml("mcp_servers")),
        ("app/.gemini/settings.json", mcp.clone()),
        ("app/.windsurf/mcp_config.json", mcp.clone()),
        ("app/.zed/settings.json", zed),
        ("home/.config/tta/mcp.json", servers.clone()),
        ("home/.config/Code/User/mcp.json", servers),
        ("home/.claude.json", mcp.clone()),
        ("home/.config/Claude/claude_desktop_config.json", mcp),
    ] {
        let (config, problems) = Place::new(&[(file, &text)]).load();
        assert_eq!(config.servers, [], "{file}");
        let [problem] = &problems[..] else { panic!("{file}: {problems:?}") };
        assert!(problem.file.ends_with(file), "{problem:?}");
        assert_eq!((problem.line, problem.column), (2, 17), "{file}: {text}");
        assert_eq!(problem.message, "`command` is a number, not a text");
    }
}

#[test]
fn the_program_is_a_text_and_its_arguments_may_be_numbers() {
    Place::new(&[(
        "app/.mcp.json",
        "{\"mcpServers\": {\n\"a\": {\"command\": true},\n\"b\": {\"command\": [7, \"x\"]},\n\"c\": {\"command\": {\"path\": 8}},\n\"d\": {\"command\": [\"x\", 9], \"args\": [1]}}}",
    )])
    .check(&expect![[r#"
        d = x ["9", "1"] [] (Workspace …/app/.mcp.json:5)
        ERROR …/app/.mcp.json:2:18 `command` is a boolean, not a text [Write the program that starts the server as a text.]
        ERROR …/app/.mcp.json:3:19 `command` is a number, not a text [Write the program that starts the server as a text.]
        ERROR …/app/.mcp.json:4:27 `command` is a number, not a text [Write the program that starts the server as a text.]
    "#]]);
}
