//! Slips of the pen, other tools' words, and names that stand twice: each is told with its place.

#![expect(clippy::needless_raw_string_hashes, reason = "expect-test writes them")]

use config::{Config, Sources, UserDirs, load};
use expect_test::{Expect, expect};
use model::{Problem, Transport};
use std::fmt::Write;
use std::fs;
use tempfile::TempDir;

fn read(files: &[(&str, &str)]) -> (TempDir, Config, Vec<Problem>) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    for (path, text) in files {
        let path = folder.path().join(path);
        fs::create_dir_all(path.parent().expect("a file has a folder")).expect("made");
        fs::write(&path, text).expect("written");
    }
    let home = folder.path().join("home");
    let user = UserDirs { config: Some(home.join(".config")), home: Some(home) };
    let env = |name: &str| (name == "X").then(|| "x".to_owned());
    let folders = [folder.path().join("app")];
    let (config, problems) = load(&Sources { folders: &folders, explicit: None, env: &env, user: &user, asks: true });
    (folder, config, problems)
}

fn check(files: &[(&str, &str)], expected: &Expect) {
    let (folder, config, problems) = read(files);
    let mut out = String::new();
    for (name, sources) in &config.shadowed {
        let places =
            sources.iter().map(|source| format!("{}:{} {:?}", source.file.display(), source.line, source.scope));
        writeln!(out, "{name} not from {}", places.collect::<Vec<_>>().join(", ")).expect("writes to a String");
    }
    for p in problems {
        let place = format!("{}:{}:{}", p.file.display(), p.line, p.column);
        writeln!(out, "{:?} {place} {} [{}]", p.severity, p.message, p.hint).expect("writes to a String");
    }
    expected.assert_eq(&out.replace(&*folder.path().to_string_lossy(), "…"));
}

#[test]
fn unknown_keys_are_told_with_the_nearest_that_is_known() {
    check(
        &[
            (
                "app/.vscode/mcp.json",
                r#"{"sandbox": {}, "input": [], "servers": {
  "a": {"command": "x", "arg": [], "enviroment": {}, "Headers": {}, "flavour": 1, "sandboxEnabled": true},
  "b": {"command": "x", "dev": {}, "gallery": true, "autoApprove": ["t"], "alwaysAllow": [], "disabledTools": []}
}, "inputs": [{"id": "k", "type": "promptString", "pasword": true}]}"#,
            ),
            (
                "home/.codex/config.toml",
                "[mcp_servers.c]\ncommand = 'x'\nenabled_tools = ['t']\ntool_timeout_sec = 5\nstartup_timout_sec = 3\n",
            ),
        ],
        &expect![[r#"
            Warning …/app/.vscode/mcp.json:1:17 `input` is no key of this file that is known [Did you mean `inputs`?]
            Warning …/app/.vscode/mcp.json:4:51 `pasword` is no key of an input that is known [Did you mean `password`?]
            Warning …/app/.vscode/mcp.json:2:25 `arg` is no key of a server that is known [Did you mean `args`?]
            Warning …/app/.vscode/mcp.json:2:36 `enviroment` is no key of a server that is known [Did you mean `environment`?]
            Warning …/app/.vscode/mcp.json:2:54 `Headers` is no key of a server that is known [Did you mean `headers`?]
            Info …/app/.vscode/mcp.json:2:69 `flavour` is no key of a server that is known [Nothing to do where another tool knows it.]
            Info …/app/.vscode/mcp.json:2:83 `sandboxEnabled` of server `a` is another tool's and is not obeyed here [Programs reach all that the server offers.]
            Info …/home/.codex/config.toml:3:1 `enabled_tools` of server `c` is another tool's and is not obeyed here [Programs reach all that the server offers.]
            Warning …/home/.codex/config.toml:5:1 `startup_timout_sec` is no key of a server that is known [Did you mean `startup_timeout_sec`?]
        "#]],
    );
}

#[test]
fn a_table_under_another_tools_name_is_told() {
    check(
        &[
            ("app/.vscode/mcp.json", r#"{"mcpServers": {"a": {"command": "x"}}}"#),
            ("app/.mcp.json", r#"{"servers": {"a": {"command": "x"}}}"#),
            ("app/.cursor/mcp.json", r#"{"mcpserver": {"a": {"command": "x"}}}"#),
            // Settings have more in them than servers.
            ("app/.gemini/settings.json", r#"{"servers": {}, "mcpServer": {}}"#),
        ],
        &expect![[r#"
            Warning …/app/.vscode/mcp.json:1:2 servers are not read from `mcpServers` in this file [Call it `servers`.]
            Warning …/app/.mcp.json:1:2 servers are not read from `servers` in this file [Call it `mcpServers`.]
            Warning …/app/.cursor/mcp.json:1:2 `mcpserver` is no key of this file that is known [Did you mean `mcpServers`?]
        "#]],
    );
}

#[test]
fn names_that_stand_twice_are_told_in_the_order_of_precedence() {
    check(
        &[
            ("app/tta.toml", "[servers.a]\ncommand = 'x'\n"),
            (
                "app/.mcp.json",
                "{\"mcpServers\": {\n\"a\": {\"command\": \"x\"},\n\"b\": {\"command\": \"1\"},\n\"b\": {\"command\": \"2\"}}}",
            ),
            ("home/.cursor/mcp.json", r#"{"mcpServers": {"a": {"command": "x"}, "b": {"command": "x"}}}"#),
        ],
        &expect![[r#"
            a not from …/app/.mcp.json:2 Workspace, …/home/.cursor/mcp.json:1 User
            b not from …/app/.mcp.json:3 Workspace, …/home/.cursor/mcp.json:1 User
            Info …/app/.mcp.json:2:1 server `a` is configured in …/app/tta.toml, line 1, already, which is used [Rename or remove one of the two.]
            Warning …/app/.mcp.json:3:1 server `b` stands in this file again, and that one counts [Rename or remove one of the two.]
            Info …/home/.cursor/mcp.json:1:17 server `a` is configured in …/app/tta.toml, line 1, already, which is used [Rename or remove one of the two.]
            Info …/home/.cursor/mcp.json:1:40 server `b` is configured in …/app/.mcp.json, line 4, already, which is used [Rename or remove one of the two.]
        "#]],
    );
}

#[test]
fn a_name_that_stands_twice_in_one_file_counts_where_it_is_last() {
    let twice = r#"{"mcpServers": {"b": {"command": "1"}, "b": {"command": "2"}}}"#;
    let (_folder, config, _) = read(&[("app/.mcp.json", twice)]);
    assert!(
        matches!(&config.servers[..], [b] if matches!(&b.transport, Transport::Stdio { command, .. } if command == "2"))
    );
}

#[test]
fn headers_and_variables_are_read_in_every_tools_spelling() {
    let (_folder, config, problems) = read(&[
        (
            "app/.gemini/settings.json",
            r#"{"mcpServers": {"g": {"httpUrl": "https://h/$X", "headers": {"K": "$X${X}"}}}}"#,
        ),
        ("app/.codex/config.toml", "[mcp_servers.c]\nurl = 'https://h/$X'\nenv_http_headers = { K = 'X' }\n"),
    ]);
    assert!(problems.is_empty(), "{problems:?}");
    let read: Vec<_> = config
        .servers
        .iter()
        .map(|server| match &server.transport {
            Transport::Http { url, headers, .. } => (url.as_str(), headers["K"].expose().to_owned()),
            other => panic!("it is HTTP, not {other:?}"),
        })
        .collect();
    assert_eq!(read, [("https://h/$X", "x".to_owned()), ("https://h/x", "xx".to_owned())]);
}

#[test]
fn how_often_to_look_can_be_set() {
    let (_folder, config, problems) = read(&[("app/tta.toml", "[watch]\npoll_ms = 500\n")]);
    assert_eq!((config.watch_poll_ms, problems.len()), (Some(500), 0));
    check(
        &[("app/tta.toml", "[watch]\npoll_ms = 1\npol_ms = 500\n")],
        &expect![[r#"
        Error …/app/tta.toml:2:11 `poll_ms` must be a whole number from 100 to 3600000 [The default is used until it is mended.]
        Warning …/app/tta.toml:3:1 `pol_ms` is no setting that is known [Did you mean `poll_ms`?]
    "#]],
    );
}

#[test]
fn the_users_own_files_may_be_longer_than_a_workspaces() {
    let long =
        format!("{{\"history\": \"{}\", \"mcpServers\": {{\"a\": {{\"command\": \"x\"}}}}}}", "x".repeat(2 << 20));
    let (_folder, config, problems) = read(&[("home/.claude.json", &long), ("app/.cursor/mcp.json", &long)]);
    assert_eq!((config.servers.len(), problems.len()), (1, 1), "{problems:?}");
}
