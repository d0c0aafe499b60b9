//! The file that servers are written to: what stays, what is asked there, and what cannot be done.

use crate::place::{Place, from};
use expect_test::expect;
use model::import::{ImportRequest, SecretHandling};
use std::fs;

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
