//! Real files of other tools in a temporary home; what becomes of them is compared as a table and as the file's new text.

#![expect(clippy::needless_raw_string_hashes, reason = "expect-test writes them")]

mod place;
mod target;

use expect_test::expect;
use model::import::{ImportReply, ImportRequest, SecretHandling};
use place::{Place, from};
use std::fs;

/// One file of each tool, in the tool's own words.
const TOOLS: &[(&str, &str)] = &[
    (
        "home/.claude.json",
        r#"{"numStartups": 9, "mcpServers": {
  "memory": {"type": "stdio", "command": "npx", "args": ["-y", "mem"], "env": {"FILE": "${HOME}/m.json", "LEVEL": "${LEVEL:-info}"}},
  "old": {"type": "sse", "url": "https://h/sse"}
}}"#,
    ),
    (
        "home/.cursor/mcp.json",
        r#"{"mcpServers": {"notes": {"command": "~/bin/notes", "args": ["--root", "${workspaceFolder}"], "envFile": "${userHome}/.env"}}}"#,
    ),
    (
        "home/.codex/config.toml",
        "model = 'm'\n[mcp_servers.gh]\ncommand = 'gh-mcp'\nenv_vars = ['GH', {name = 'GH2', source = 'local'}]\nstartup_timeout_sec = 20\n\
         [mcp_servers.web]\nurl = 'https://x/mcp'\nbearer_token_env_var = 'TOK'\nhttp_headers = { A = 'b' }\nenv_http_headers = { C = 'D' }\n\
         [mcp_servers.off]\ncommand = 'x'\nenabled = false\n",
    ),
    (
        "home/.gemini/settings.json",
        r#"{"mcpServers": {"search": {"httpUrl": "https://s/mcp", "headers": {"Authorization": "Bearer $SEARCH"}, "timeout": 5, "trust": true}}}"#,
    ),
    (
        "home/.codeium/windsurf/mcp_config.json",
        r#"{"mcpServers": {"docs": {"serverUrl": "https://d/mcp", "disabledTools": ["x"]}, "memory": {"command": "other"}}}"#,
    ),
    (
        "home/.config/zed/settings.json",
        "// Zed\n{\"context_servers\": {\"pg\": {\"source\": \"custom\", \"command\": {\"path\": \"pg-mcp\", \"args\": [\"a\"], \"env\": {\"K\": \"v\"}}},\n\
         \"ext\": {\"settings\": {}},}}",
    ),
    ("home/.config/Code/User/mcp.json", r#"{"servers": {"mine": {"command": "x"}}}"#),
];

#[test]
fn every_tools_words_become_the_editors() {
    let place = Place::new(TOOLS);
    place.check(&ImportRequest::default(), &expect![[r#"
        wrote …/app/.vscode/mcp.json
        Added memory from …/home/.claude.json:2 {"type":"stdio","command":"npx","args":["-y","mem"],"env":{"FILE":"${env:HOME}/m.json","LEVEL":"${env:LEVEL}"}}
        Added old from …/home/.claude.json:3 {"type":"sse","url":"https://h/sse"}
        Added notes from …/home/.cursor/mcp.json:1 {"type":"stdio","command":"${userHome}/bin/notes","args":["--root","${workspaceFolder}"],"envFile":"${userHome}/.env"}
        Added gh from …/home/.codex/config.toml:2 {"type":"stdio","command":"gh-mcp","env":{"GH":"${env:GH}","GH2":"${env:GH2}"}}
        Added web from …/home/.codex/config.toml:6 {"type":"http","url":"https://x/mcp","headers":{"A":"b","C":"${env:D}","Authorization":"Bearer ${env:TOK}"}}
        Added search from …/home/.gemini/settings.json:1 {"type":"http","url":"https://s/mcp","headers":{"Authorization":"Bearer ${env:SEARCH}"}}
        Added docs from …/home/.codeium/windsurf/mcp_config.json:1 {"type":"http","url":"https://d/mcp"}
        Added pg from …/home/.config/zed/settings.json:2 {"type":"stdio","command":"pg-mcp","args":["a"],"env":{"K":"v"}}
        Warning …/home/.claude.json:2:115 `${LEVEL:-info}` has a default, which editors do not know: it is left out [Set the environment variable `LEVEL`.]
        Info …/home/.codex/config.toml:5:1 `startup_timeout_sec` has no counterpart in …/app/.vscode/mcp.json and is left out [Nothing to do, unless the server needs it.]
        Info …/home/.codex/config.toml:11:14 server `off` is switched off there [It is left out; name it to take it over, switched on.]
        Info …/home/.gemini/settings.json:1:104 `timeout` has no counterpart in …/app/.vscode/mcp.json and is left out [Nothing to do, unless the server needs it.]
        Info …/home/.gemini/settings.json:1:118 `trust` has no counterpart in …/app/.vscode/mcp.json and is left out [Nothing to do, unless the server needs it.]
        Info …/home/.codeium/windsurf/mcp_config.json:1:56 `disabledTools` has no counterpart in …/app/.vscode/mcp.json and is left out [Nothing to do, unless the server needs it.]
        Info …/home/.codeium/windsurf/mcp_config.json:1:81 server `memory` is taken from …/home/.claude.json:2 [Take this one with `--from` and this file.]
        Warning …/home/.config/zed/settings.json:3:1 server `ext` has neither a command nor a URL and cannot be taken over [Servers of extensions come with their editor.]
    "#]]);
    expect![[r#"
        {
          "servers": {
            "memory": {
              "type": "stdio",
              "command": "npx",
              "args": ["-y", "mem"],
              "env": {
                "FILE": "${env:HOME}/m.json",
                "LEVEL": "${env:LEVEL}"
              }
            },
            "old": {
              "type": "sse",
              "url": "https://h/sse"
            },
            "notes": {
              "type": "stdio",
              "command": "${userHome}/bin/notes",
              "args": ["--root", "${workspaceFolder}"],
              "envFile": "${userHome}/.env"
            },
            "gh": {
              "type": "stdio",
              "command": "gh-mcp",
              "env": {
                "GH": "${env:GH}",
                "GH2": "${env:GH2}"
              }
            },
            "web": {
              "type": "http",
              "url": "https://x/mcp",
              "headers": {
                "A": "b",
                "C": "${env:D}",
                "Authorization": "Bearer ${env:TOK}"
              }
            },
            "search": {
              "type": "http",
              "url": "https://s/mcp",
              "headers": {
                "Authorization": "Bearer ${env:SEARCH}"
              }
            },
            "docs": {
              "type": "http",
              "url": "https://d/mcp"
            },
            "pg": {
              "type": "stdio",
              "command": "pg-mcp",
              "args": ["a"],
              "env": {
                "K": "v"
              }
            }
          }
        }
    "#]]
    .assert_eq(&place.read("app/.vscode/mcp.json"));
    // What is there, is there: nothing is written again.
    let again = place.import(&ImportRequest::default()).expect("imported");
    assert!(!again.written && !again.servers.is_empty());
}

#[test]
fn a_tool_is_asked_for_by_its_name_and_found_where_the_platform_keeps_it() {
    let claude = r#"{"mcpServers": {"desktop": {"command": "x"}}}"#;
    for config in [".config", "Library/Application Support"] {
        let mut place = Place::new(TOOLS);
        place.config = config;
        let path = place.at("home").join(config).join("Claude/claude_desktop_config.json");
        fs::create_dir_all(path.parent().expect("a folder")).expect("made");
        fs::write(path, claude).expect("written");
        let reply = place.import(&from(&["claude"])).expect("imported");
        let names: Vec<&str> = reply.servers.iter().map(|server| server.name.as_str()).collect();
        assert_eq!(names, ["memory", "old", "desktop"]);
    }
    let place = Place::new(TOOLS);
    for (tool, expected) in [("codex", "gh web"), ("gemini", "search"), ("zed", "pg"), ("vscode", "mine")] {
        let request = ImportRequest { dry_run: true, ..from(&[tool]) };
        let reply = place.import(&request).expect("imported");
        let names: Vec<&str> = reply.servers.iter().map(|server| server.name.as_str()).collect();
        assert_eq!(names.join(" "), expected);
    }
    assert!(!place.at("app/.vscode").exists(), "a dry run writes nothing");
}

#[test]
fn no_secret_is_copied_unasked() {
    let theirs = r#"{"mcpServers": {
  "a": {"command": "x", "args": ["--token", "t0ps3cret", "--header", "Authorization: Bearer t0ps3cret"],
        "env": {"API_KEY": "t0ps3cret", "DB_URL": "postgres://u:t0ps3cret@h/d", "LEVEL": "debug"}},
  "b": {"url": "https://h/mcp?key=t0ps3cret", "headers": {"Authorization": "Bearer t0ps3cret"}}
}}"#;
    let place = Place::new(&[("home/.cursor/mcp.json", theirs)]);
    place.check(&ImportRequest::default(), &expect![[r#"
        wrote …/app/.vscode/mcp.json
        Added a from …/home/.cursor/mcp.json:2 {"type":"stdio","command":"x","args":["--token","${input:a-argument-2}","--header","Authorization: Bearer ${input:a-argument-4}"],"env":{"API_KEY":"${input:a-api-key}","DB_URL":"postgres://u:${input:a-db-url}@h/d","LEVEL":"debug"}}
          secret env.API_KEY: ${input:a-api-key}
          secret env.DB_URL: ${input:a-db-url}
          secret args[1]: ${input:a-argument-2}
          secret args[3]: ${input:a-argument-4}
        Added b from …/home/.cursor/mcp.json:4 {"type":"http","url":"https://h/mcp?key=${input:b-url}","headers":{"Authorization":"Bearer ${input:b-authorization}"}}
          secret headers.Authorization: ${input:b-authorization}
          secret url: ${input:b-url}
    "#]]);
    let text = place.read("app/.vscode/mcp.json");
    assert!(!text.contains("t0ps3cret"), "{text}");
    assert_eq!(text.matches("\"promptString\"").count(), 6, "{text}");
    let env =
        ImportRequest { secrets: Some(SecretHandling::Env), to: Some("env.json".into()), ..ImportRequest::default() };
    place.check(&env, &expect![[r#"
        wrote …/app/env.json
        Added a from …/home/.cursor/mcp.json:2 {"type":"stdio","command":"x","args":["--token","${env:A_ARGUMENT_2}","--header","Authorization: Bearer ${env:A_ARGUMENT_4}"],"env":{"API_KEY":"${env:API_KEY}","DB_URL":"postgres://u:${env:A_DB_URL}@h/d","LEVEL":"debug"}}
          secret env.API_KEY: ${env:API_KEY}
          secret env.DB_URL: ${env:A_DB_URL}
          secret args[1]: ${env:A_ARGUMENT_2}
          secret args[3]: ${env:A_ARGUMENT_4}
        Added b from …/home/.cursor/mcp.json:4 {"type":"http","url":"https://h/mcp?key=${env:B_URL}","headers":{"Authorization":"Bearer ${env:B_AUTHORIZATION}"}}
          secret headers.Authorization: ${env:B_AUTHORIZATION}
          secret url: ${env:B_URL}
    "#]]);
    assert!(!place.read("app/env.json").contains("t0ps3cret"));
    // Asked for, it is copied; what is shown still tells nothing.
    let copy =
        ImportRequest { secrets: Some(SecretHandling::Copy), to: Some("copy.json".into()), ..ImportRequest::default() };
    let reply = place.import(&copy).expect("imported");
    assert!(!format!("{reply:?}").contains("t0ps3cret"), "{reply:?}");
    assert_eq!(place.read("app/copy.json").matches("t0ps3cret").count(), 6);
}

#[test]
fn no_two_servers_share_a_question() {
    let theirs = r#"{"mcpServers": {"a b": {"command": "x", "env": {"TOKEN": "1"}}, "a-b": {"command": "x", "env": {"TOKEN": "2"}}}}"#;
    let place = Place::new(&[("home/.cursor/mcp.json", theirs)]);
    let ids = |reply: ImportReply| -> Vec<Option<String>> {
        reply.servers.into_iter().map(|mut server| server.secrets.remove(0).becomes).collect()
    };
    let expected = ["${input:a-b-token}", "${input:a-b-token-2}"].map(|id| Some(id.to_owned()));
    assert_eq!(ids(place.import(&ImportRequest::default()).expect("imported")), expected);
    let again = place.import(&ImportRequest::default()).expect("imported");
    assert!(!again.written);
    assert_eq!(ids(again), expected);
}
