//! Real files of other tools in a temporary home; what becomes of them is compared as a table and as the file's new text.

#![expect(clippy::needless_raw_string_hashes, reason = "expect-test writes them")]

use config::{ImportError, Sources, UserDirs};
use expect_test::{Expect, expect};
use model::import::{ImportReply, ImportRequest, SecretHandling};
use std::fmt::Write;
use std::fs;
use std::path::PathBuf;

struct Place {
    folder: tempfile::TempDir,
    /// Where the platform keeps configurations, below the home folder.
    config: &'static str,
}

impl Place {
    fn new(files: &[(&str, &str)]) -> Self {
        let place = Self { folder: tempfile::tempdir().expect("a temporary folder"), config: ".config" };
        fs::create_dir(place.at("app")).expect("made");
        for (path, text) in files {
            let path = place.at(path);
            fs::create_dir_all(path.parent().expect("a file has a folder")).expect("made");
            fs::write(&path, text).expect("written");
        }
        place
    }

    fn at(&self, path: &str) -> PathBuf {
        self.folder.path().join(path)
    }

    fn read(&self, path: &str) -> String {
        fs::read_to_string(self.at(path)).expect("a file")
    }

    fn import(&self, request: &ImportRequest) -> Result<ImportReply, ImportError> {
        let home = self.at("home");
        let user = UserDirs { config: Some(home.join(self.config)), home: Some(home) };
        let folders = [self.at("app")];
        config::import(
            request,
            &Sources { folders: &folders, explicit: None, env: &|_| None, user: &user, asks: false },
        )
    }

    fn check(&self, request: &ImportRequest, expected: &Expect) {
        let mut out = String::new();
        match self.import(request) {
            Ok(reply) => {
                writeln!(out, "{} {}", if reply.written { "wrote" } else { "did not write" }, reply.to.display())
                    .expect("writes to a String");
                for server in reply.servers {
                    let (file, line) = (server.source.file.display(), server.source.line);
                    writeln!(out, "{:?} {} from {file}:{line} {}", server.outcome, server.name, server.entry)
                        .expect("writes to a String");
                    for secret in server.secrets {
                        let becomes = secret.becomes.as_deref().unwrap_or("copied");
                        writeln!(out, "  secret {}: {becomes}", secret.place).expect("writes to a String");
                    }
                }
                for p in reply.problems {
                    let place = format!("{}:{}:{}", p.file.display(), p.line, p.column);
                    writeln!(out, "{:?} {place} {} [{}]", p.severity, p.message, p.hint).expect("writes to a String");
                }
            }
            Err(error) => writeln!(out, "{error}").expect("writes to a String"),
        }
        expected.assert_eq(&out.replace(&*self.folder.path().to_string_lossy(), "…"));
    }
}

fn from(from: &[&str]) -> ImportRequest {
    ImportRequest { from: from.iter().map(|&from| from.to_owned()).collect(), ..ImportRequest::default() }
}

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
fn comments_and_formatting_stay_and_nothing_is_overwritten_unasked() {
    let before = "{\r\n\t// ours\r\n\t\"servers\": {\r\n\t\t\"a\": { \"command\": \"mine\" }, // keep\r\n\t},\r\n\t\"inputs\": [],\r\n}\r\n";
    let before = format!("\u{feff}{before}");
    let theirs = r#"{"mcpServers": {"a": {"command": "theirs"}, "b": {"command": "x", "env": {"API_KEY": "k"}}}}"#;
    let place = Place::new(&[("app/.vscode/mcp.json", &before), ("home/.cursor/mcp.json", theirs)]);
    place.check(
        &ImportRequest::default(),
        &expect![[r#"
        wrote …/app/.vscode/mcp.json
        Exists a from …/home/.cursor/mcp.json:1 {"type":"stdio","command":"theirs"}
        Added b from …/home/.cursor/mcp.json:1 {"type":"stdio","command":"x","env":{"API_KEY":"${input:b-api-key}"}}
          secret env.API_KEY: ${input:b-api-key}
    "#]],
    );
    expect![[r#"
        ﻿{␍
        	// ours␍
        	"servers": {␍
        		"a": { "command": "mine" }, // keep␍
        		"b": {␍
        			"type": "stdio",␍
        			"command": "x",␍
        			"env": {␍
        				"API_KEY": "${input:b-api-key}",␍
        			},␍
        		},␍
        	},␍
        	"inputs": [␍
        		{␍
        			"type": "promptString",␍
        			"id": "b-api-key",␍
        			"description": "env.API_KEY of the MCP server b",␍
        			"password": true␍
        		}␍
        	],␍
        }␍
    "#]]
    .assert_eq(&place.read("app/.vscode/mcp.json").replace('\r', "␍"));
    place.check(
        &ImportRequest { force: true, names: vec!["a".to_owned()], ..ImportRequest::default() },
        &expect![[r#"
        wrote …/app/.vscode/mcp.json
        Replaced a from …/home/.cursor/mcp.json:1 {"type":"stdio","command":"theirs"}
    "#]],
    );
    let text = place.read("app/.vscode/mcp.json");
    assert!(text.contains("theirs") && text.contains("// keep") && text.contains("// ours"), "{text}");
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

#[test]
fn questions_come_along_and_other_files_get_their_own_spelling() {
    let place = Place::new(&[(
        "mcp.json",
        r#"{"servers": {"a": {"command": "x", "args": ["${input:region}", "${input:other}", "${env:X}", "${workspaceFolder}"]}},
 "inputs": [{"id": "region", "type": "pickString", "options": ["eu", "us"]}]}"#,
    )]);
    let file = place.at("mcp.json").display().to_string();
    place.check(&from(&[&file]), &expect![[r#"
        wrote …/app/.vscode/mcp.json
        Added a from …/mcp.json:1 {"type":"stdio","command":"x","args":["${input:region}","${input:other}","${env:X}","${workspaceFolder}"]}
    "#]]);
    expect![[r#"
        {
          "inputs": [
            {
              "id": "region",
              "type": "pickString",
              "options": ["eu", "us"]
            },
            {
              "type": "promptString",
              "id": "other",
              "description": "other",
              "password": true
            }
          ],
          "servers": {
            "a": {
              "type": "stdio",
              "command": "x",
              "args": ["${input:region}", "${input:other}", "${env:X}", "${workspaceFolder}"]
            }
          }
        }
    "#]]
    .assert_eq(&place.read("app/.vscode/mcp.json"));
    place.check(&ImportRequest { to: Some(".mcp.json".into()), ..from(&[&file]) }, &expect![[r#"
        wrote …/app/.mcp.json
        Added a from …/mcp.json:1 {"type":"stdio","command":"x","args":["${REGION}","${OTHER}","${X}","${workspaceFolder}"]}
        Info …/mcp.json:1:45 `${input:region}` is asked for by an editor; …/app/.mcp.json cannot ask [Set the environment variable `REGION`.]
        Info …/mcp.json:1:64 `${input:other}` is asked for by an editor; …/app/.mcp.json cannot ask [Set the environment variable `OTHER`.]
        Info …/mcp.json:1:94 `${workspaceFolder}` means nothing to the readers of …/app/.mcp.json but us [Write what it stands for.]
    "#]]);
}

#[test]
fn what_cannot_be_done_is_said_and_changes_nothing() {
    let place = Place::new(&[
        ("app/.vscode/mcp.json", "{\n  \"servers\": {\n    nonsense\n"),
        ("app/list.json", "[]"),
        ("app/odd.json", r#"{"servers": []}"#),
        ("home/.cursor/mcp.json", "{\"mcpServers\": {\"a\": {\"command\": \"x\"}}}"),
        ("home/.gemini/settings.json", "{\"mcpServers\": {\n\"b\": {]}"),
    ]);
    let to = |to: &str| ImportRequest { to: Some(to.into()), ..ImportRequest::default() };
    for (request, expected) in [
        (
            ImportRequest::default(),
            expect![[r#"
            …/app/.vscode/mcp.json: line 3, column 5: this is not valid JSON: Expected string for object property; mend it first
        "#]],
        ),
        (
            to("list.json"),
            expect![[r#"
            …/app/list.json: it does not hold an object
        "#]],
        ),
        (
            to("odd.json"),
            expect![[r#"
            …/app/odd.json: its `servers` is not an object; mend it first
        "#]],
        ),
        (
            to("tta.toml"),
            expect![[r#"
            …/app/tta.toml: servers are taken over to JSON files that are there for `servers` or `mcpServers`, such as .vscode/mcp.json, .mcp.json and .cursor/mcp.json
        "#]],
        ),
        (
            to(".zed/settings.json"),
            expect![[r#"
            …/app/.zed/settings.json: servers are taken over to JSON files that are there for `servers` or `mcpServers`, such as .vscode/mcp.json, .mcp.json and .cursor/mcp.json
        "#]],
        ),
        (
            ImportRequest { secrets: Some(SecretHandling::Input), ..to(".mcp.json") },
            expect![[r#"
            …/app/.mcp.json: it has no place for `${input:…}`; take `env` for secrets
        "#]],
        ),
        (
            ImportRequest { names: vec!["nobody".to_owned()], ..to("new.json") },
            expect![[r#"
            there is no server `nobody` in the files that were looked at: …/home/.cursor/mcp.json, …/home/.gemini/settings.json
        "#]],
        ),
        (
            ImportRequest { from: vec!["emacs".to_owned()], ..to("new.json") },
            expect![[r#"
            `emacs` is neither a file nor one of the tools claude, cursor, codex, gemini, windsurf, zed, vscode
        "#]],
        ),
    ] {
        place.check(&request, &expected);
    }
    assert!(place.read("app/.vscode/mcp.json").contains("nonsense"));
    assert_eq!(
        (place.read("app/list.json").as_str(), place.read("app/odd.json").as_str()),
        ("[]", r#"{"servers": []}"#)
    );
    place.check(
        &to("new.json"),
        &expect![[r#"
        wrote …/app/new.json
        Added a from …/home/.cursor/mcp.json:1 {"type":"stdio","command":"x"}
        Error …/home/.gemini/settings.json:2:7 the file does not parse: Unexpected token in object [Mend it first.]
    "#]],
    );
    let left: Vec<_> = fs::read_dir(place.at("app"))
        .expect("a folder")
        .filter_map(|e| e.ok()?.file_name().into_string().ok())
        .collect();
    assert!(left.iter().all(|name| !name.contains(".part")), "{left:?}");
}

#[cfg(unix)]
#[test]
fn the_mode_and_a_link_are_kept() {
    use std::os::unix::fs::{PermissionsExt as _, symlink};
    let place = Place::new(&[
        ("dotfiles/mcp.json", "{}\n"),
        ("home/.cursor/mcp.json", r#"{"mcpServers": {"a": {"command": "x"}}}"#),
    ]);
    fs::set_permissions(place.at("dotfiles/mcp.json"), fs::Permissions::from_mode(0o640)).expect("set");
    fs::create_dir(place.at("app/.vscode")).expect("made");
    symlink("../../dotfiles/mcp.json", place.at("app/.vscode/mcp.json")).expect("linked");
    assert!(place.import(&ImportRequest::default()).expect("imported").written);
    assert!(place.at("app/.vscode/mcp.json").is_symlink());
    let mode = fs::metadata(place.at("dotfiles/mcp.json")).expect("there").permissions().mode();
    assert_eq!((mode & 0o777, place.read("dotfiles/mcp.json").contains("\"a\"")), (0o640, true));
}
