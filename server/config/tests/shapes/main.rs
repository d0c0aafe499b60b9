//! Real files of every shape in a temporary workspace and home; what is read is compared as a table.

#![expect(clippy::needless_raw_string_hashes, reason = "expect-test writes them")]

mod faults;
mod folders;
mod limits;
mod place;
mod ranks;

use config::Config;
use expect_test::expect;
use place::Place;

#[test]
fn every_shape_is_read() {
    Place::new(&[
        ("app/tta.toml", "[servers.a]\ncommand = 'x'\nargs = ['1', 2, true]\nenv = { K = 'v' }\n"),
        ("app/.vscode/mcp.json", r#"{"servers": {"b": {"type": "http", "url": "https://h/mcp", "headers": {"X-Key": "k"}}}, "inputs": []}"#),
        ("app/.vscode/settings.json", r#"{"editor.tabSize": 2, "mcp": {"servers": {"c": {"command": "x"}}}}"#),
        ("app/.mcp.json", r#"{"mcpServers": {"d": {"type": "stdio", "command": "x", "cwd": "sub", "disabled": true}}}"#),
        ("app/.mcp/config.json", r#"{"mcpServers": {"e": {"command": ["x", "y"], "args": ["z"]}}}"#),
        ("app/.cursor/mcp.json", r#"{"mcpServers": {"f": {"url": "http://h/mcp"}}}"#),
        (
            "app/.codex/config.toml",
            "model = 'm'\n[mcp_servers.g]\ncommand = 'x'\nstartup_timeout_sec = 2.5\nenv_vars = ['SEEN', 'UNSEEN']\n[mcp_servers.g2]\nurl = 'https://h'\nbearer_token_env_var = 'SEEN'\n",
        ),
        ("app/.gemini/settings.json", r#"{"theme": "x", "mcpServers": {"h": {"httpUrl": "https://h/mcp", "timeout": 5}}}"#),
        ("app/.windsurf/mcp_config.json", r#"{"mcpServers": {"i": {"serverUrl": "https://h/mcp"}}}"#),
        (
            "app/.zed/settings.json",
            r#"{"context_servers": {"j": {"source": "custom", "command": {"path": "x", "args": ["1"], "env": {"K": "v"}}}, "k": {"settings": {}}}}"#,
        ),
        ("home/.config/tta/mcp.json", r#"{"servers": {"l": {"command": "x", "env": {"A": null, "B": 1, "C": false}}}}"#),
        ("home/.config/Code/User/mcp.json", r#"{"servers": {"m": {"command": "x"}}}"#),
        ("home/.claude.json", r#"{"mcpServers": {"n": {"type": "stdio", "command": "x", "args": []}}}"#),
        ("home/.config/Claude/claude_desktop_config.json", r#"{"mcpServers": {"o": {"command": "x"}}}"#),
        ("home/.cursor/mcp.json", r#"{"mcpServers": {"p": {"command": "x"}}}"#),
        ("home/.codex/config.toml", "[mcp_servers.q]\ncommand = 'x'\nenabled = false\n"),
        ("home/.gemini/settings.json", r#"{"mcpServers": {"r": {"command": "x"}}}"#),
        ("home/.codeium/windsurf/mcp_config.json", r#"{"mcpServers": {"s": {"command": "x"}}}"#),
        ("home/.config/zed/settings.json", r#"{"context_servers": {"t": {"command": "x"}}}"#),
    ])
    .with_env(&[("SEEN", "seen")])
    .check(&expect![[r#"
        a = x ["1", "2", "true"] ["K=v"] (Workspace …/app/tta.toml:1)
        b = https://h/mcp ["X-Key: k"] (Workspace …/app/.vscode/mcp.json:1)
        c = x [] [] (Workspace …/app/.vscode/settings.json:1)
        d = x [] [] in …/app/sub disabled (Workspace …/app/.mcp.json:1)
        e = x ["y", "z"] [] (Workspace …/app/.mcp/config.json:1)
        f = http://h/mcp [] (Workspace …/app/.cursor/mcp.json:1)
        g = x [] ["SEEN=seen"] start within 2500 ms (Workspace …/app/.codex/config.toml:2)
        g2 = https://h ["Authorization: Bearer seen"] (Workspace …/app/.codex/config.toml:6)
        h = https://h/mcp [] (Workspace …/app/.gemini/settings.json:1)
        i = https://h/mcp [] (Workspace …/app/.windsurf/mcp_config.json:1)
        j = x ["1"] ["K=v"] (Workspace …/app/.zed/settings.json:1)
        l = x [] ["B=1", "C=false"] (User …/home/.config/tta/mcp.json:1)
        m = x [] [] (User …/home/.config/Code/User/mcp.json:1)
        n = x [] [] (User …/home/.claude.json:1)
        o = x [] [] (User …/home/.config/Claude/claude_desktop_config.json:1)
        p = x [] [] (User …/home/.cursor/mcp.json:1)
        q = x [] [] disabled (User …/home/.codex/config.toml:1)
        r = x [] [] (User …/home/.gemini/settings.json:1)
        s = x [] [] (User …/home/.codeium/windsurf/mcp_config.json:1)
        t = x [] [] (User …/home/.config/zed/settings.json:1)
        INFO …/app/.zed/settings.json:1:109 server `k` comes with an extension of its editor and cannot be started here [Configure it with `command` or `url` to use it here.]
    "#]]);
}

#[test]
fn comments_trailing_commas_and_a_bom_are_fine() {
    Place::new(&[(
        "app/.vscode/mcp.json",
        "\u{feff}// servers\n{\n  /* here */ \"servers\": {\n    \"a\": {\"command\": \"x\",},\n  },\n}\n",
    )])
    .check(&expect![[r#"
        a = x [] [] (Workspace …/app/.vscode/mcp.json:4)
    "#]]);
}

#[test]
fn variables_are_filled_in_and_missing_ones_named() {
    let place = Place::new(&[
        (
            "app/.vscode/mcp.json",
            r#"{"servers": {
  "a": {"command": "${workspaceFolder}/run", "args": ["${workspaceFolderBasename}", "${userHome}", "${env:X}", "${X:-d}", "${Y:-d}"],
        "cwd": "${workspaceFolder}/sub", "env": {"T": "${env:X}"}, "envFile": "${workspaceFolder}/.env"},
  "b": {"command": "~/bin/x", "env": {"K": "${input:key}"}},
  "c": {"url": "https://${HOST}/mcp", "headers": {"Authorization": "Bearer ${env:NOPE}"}}
}, "inputs": [{"id": "key", "type": "promptString"}]}"#,
        ),
        ("app/.env", "# comment\nA=1\nexport B=\"two words\"\nT=overridden\nthis is no line\n"),
    ]);
    place.with_env(&[("X", "x")]).check(&expect![[r#"
        a = …/app/run ["app", "…/home", "x", "x", "d"] ["A=1", "B=two words", "T=x"] in …/app/sub (Workspace …/app/.vscode/mcp.json:2)
        b = …/home/bin/x [] ["K=${input:key}"] unresolved ["`${input:key}` is asked for by the editor and has no value here"] (Workspace …/app/.vscode/mcp.json:4)
        c = https://${HOST}/mcp ["Authorization: Bearer ${env:NOPE}"] unresolved ["the environment variable `HOST` is not set", "the environment variable `NOPE` is not set"] (Workspace …/app/.vscode/mcp.json:5)
        WARNING …/app/.vscode/mcp.json:3:79 a line of the env file …/app/.env is not NAME=value and is left out [Correct the line.]
        WARNING …/app/.vscode/mcp.json:4:3 server `b` cannot start: `${input:key}` is asked for by the editor and has no value here [Write `${env:NAME}` in its place and set that variable, or open the workspace in an editor that asks.]
        WARNING …/app/.vscode/mcp.json:5:3 server `c` cannot start: the environment variable `HOST` is not set [Set it, or write the value here.]
        WARNING …/app/.vscode/mcp.json:5:3 server `c` cannot start: the environment variable `NOPE` is not set [Set it, or write the value here.]
    "#]]);
}

#[test]
fn inputs_are_read_where_their_servers_stand_and_asked_for_in_the_order_of_mention() {
    let mut place = Place::new(&[
        (
            "app/.vscode/mcp.json",
            r#"{"servers": {
  "a": {"command": "x", "args": ["--region=${input:region}", "${input:key}${input:key}"], "env": {"K": "${input:new}"}},
  "b": {"url": "https://${input:region}.h/mcp", "headers": {"Authorization": "Bearer ${input:key}"}},
  "c": {"command": "x", "args": ["${input:run}", "${input:none}", "${input:odd}"]},
  "d": {"command": "x", "cwd": "${input:key}"}
}, "inputs": [
  {"id": "key", "type": "promptString", "description": "The key", "password": true},
  {"id": "region", "type": "pickString", "options": ["eu", {"label": "America", "value": "us"}], "default": "eu"},
  {"id": "run", "type": "command", "command": "x.y"},
  {"id": "none", "type": "pickString"},
  {"id": "odd", "type": "telepathy"},
  {"type": "promptString"}
]}"#,
        ),
        (
            "app/.vscode/settings.json",
            r#"{"mcp": {"inputs": [{"id": "key", "type": "promptString"}], "servers": {"e": {"command": "x", "args": ["${input:key}"]}}}}"#,
        ),
        ("app/.mcp.json", r#"{"inputs": {}, "mcpServers": {"f": {"command": "x", "args": ["${input:key}"]}}}"#),
    ]);
    let said = place.load().0;
    place.asks = true;
    let hash = |config: &Config| config.servers.iter().map(|server| server.content_hash.clone()).collect::<Vec<_>>();
    assert_eq!(hash(&place.load().0), hash(&said), "who can be asked is no change of the workspace");
    place.check(&expect![[r#"
        a = x ["--region=${input:region}", "${input:key}${input:key}"] ["K=${input:new}"] asks InputSpec { id: "region", description: None, password: false, options: ["eu", "us"], default: Some("eu") } asks InputSpec { id: "key", description: Some("The key"), password: true, options: [], default: None } asks InputSpec { id: "new", description: None, password: true, options: [], default: None } (Workspace …/app/.vscode/mcp.json:2)
        b = https://${input:region}.h/mcp ["Authorization: Bearer ${input:key}"] asks InputSpec { id: "region", description: None, password: false, options: ["eu", "us"], default: Some("eu") } asks InputSpec { id: "key", description: Some("The key"), password: true, options: [], default: None } (Workspace …/app/.vscode/mcp.json:3)
        c = x ["${input:run}", "${input:none}", "${input:odd}"] [] unresolved ["`${input:run}` is the answer of a command of the editor, which is not supported", "`${input:none}` has no `options` to pick from", "`${input:odd}` is of the unknown type `telepathy`"] (Workspace …/app/.vscode/mcp.json:4)
        d = x [] [] in …/app/${input:key} unresolved ["`${input:key}` cannot stand in `cwd` or `envFile`"] (Workspace …/app/.vscode/mcp.json:5)
        e = x ["${input:key}"] [] asks InputSpec { id: "key", description: None, password: false, options: [], default: None } (Workspace …/app/.vscode/settings.json:1)
        f = x ["${input:key}"] [] asks InputSpec { id: "key", description: None, password: true, options: [], default: None } (Workspace …/app/.mcp.json:1)
        WARNING …/app/.vscode/mcp.json:12:3 an input has no `id` [Give it one, and use it as `${input:ID}`.]
        WARNING …/app/.vscode/mcp.json:4:3 server `c` cannot start: `${input:run}` is the answer of a command of the editor, which is not supported [Write `${env:NAME}` in its place and set that variable.]
        WARNING …/app/.vscode/mcp.json:4:3 server `c` cannot start: `${input:none}` has no `options` to pick from [Write `${env:NAME}` in its place and set that variable.]
        WARNING …/app/.vscode/mcp.json:4:3 server `c` cannot start: `${input:odd}` is of the unknown type `telepathy` [Write `${env:NAME}` in its place and set that variable.]
        WARNING …/app/.vscode/mcp.json:5:3 server `d` cannot start: `${input:key}` cannot stand in `cwd` or `envFile` [Write `${env:NAME}` in its place and set that variable.]
        WARNING …/app/.mcp.json:1:12 `inputs` is an object, not a list [Write a list of objects.]
    "#]]);
}

#[test]
fn no_secret_is_in_a_debug_print() {
    let place = Place::new(&[
        (
            "app/.mcp.json",
            r#"{"mcpServers": {"a": {"command": "x", "env": {"K": "t0ps3cret"}, "envFile": "e"}, "b": {"url": "https://h", "headers": {"K": "t0ps3cret"}}}}"#,
        ),
        ("app/e", "F=t0ps3cret\nbroken t0ps3cret\n"),
    ]);
    let (config, problems) = place.load();
    assert_eq!(config.servers.len(), 2);
    assert!(!format!("{config:?} {problems:?}").contains("t0ps3cret"));
}
