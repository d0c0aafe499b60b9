//! Real files of every shape in a temporary workspace and home; what is read is compared as a table.

#![expect(clippy::needless_raw_string_hashes, reason = "expect-test writes them")]

use config::{Config, Sources, UserDirs, load};
use expect_test::{Expect, expect};
use model::{Problem, ServerLimits, ServerSpec, Severity, Transport};
use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};

/// A workspace, a home folder, and an environment.
struct Place {
    folder: tempfile::TempDir,
    folders: Vec<&'static str>,
    env: Vec<(&'static str, &'static str)>,
    asks: bool,
}

impl Place {
    fn new(files: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let place = Self { folder, folders: vec!["app"], env: Vec::new(), asks: false };
        for (path, text) in files {
            place.write(path, text.as_bytes());
        }
        place
    }

    fn write(&self, path: &str, bytes: &[u8]) -> PathBuf {
        let path = self.folder.path().join(path);
        fs::create_dir_all(path.parent().expect("a file has a folder")).expect("made");
        fs::write(&path, bytes).expect("written");
        path
    }

    fn load(&self) -> (Config, Vec<Problem>) {
        self.load_with(None)
    }

    fn load_with(&self, explicit: Option<&Path>) -> (Config, Vec<Problem>) {
        let home = self.folder.path().join("home");
        let user = UserDirs { config: Some(home.join(".config")), home: Some(home) };
        let env = |name: &str| self.env.iter().find(|(own, _)| *own == name).map(|(_, value)| (*value).to_owned());
        let folders: Vec<PathBuf> = self.folders.iter().map(|name| self.folder.path().join(name)).collect();
        load(&Sources { folders: &folders, explicit, env: &env, user: &user, asks: self.asks })
    }

    /// The servers and problems as lines, the temporary folder as `…`.
    fn check(&self, expected: &Expect) {
        let (config, problems) = self.load();
        self.compare(&config, &problems, expected);
    }

    fn compare(&self, config: &Config, problems: &[Problem], expected: &Expect) {
        let mut out = String::new();
        for server in &config.servers {
            writeln!(out, "{}", describe(server)).expect("writes to a String");
        }
        for problem in problems {
            let severity = match problem.severity {
                Severity::Error => "ERROR",
                Severity::Warning => "WARNING",
                Severity::Info => "INFO",
            };
            let (file, line, column) = (problem.file.display(), problem.line, problem.column);
            writeln!(out, "{severity} {file}:{line}:{column} {} [{}]", problem.message, problem.hint).expect("writes");
        }
        expected.assert_eq(&out.replace(&*self.folder.path().to_string_lossy(), "…"));
    }
}

fn describe(server: &ServerSpec) -> String {
    let target = match &server.transport {
        Transport::Stdio { command, args, env, cwd } => {
            let env: Vec<String> = env.iter().map(|(name, value)| format!("{name}={}", value.expose())).collect();
            let cwd = cwd.as_ref().map(|cwd| format!(" in {}", cwd.display())).unwrap_or_default();
            format!("{command} {args:?} {env:?}{cwd}")
        }
        Transport::Http { url, headers, sse } => {
            let over = if *sse { "sse " } else { "" };
            let headers: Vec<String> =
                headers.iter().map(|(name, value)| format!("{name}: {}", value.expose())).collect();
            format!("{over}{url} {headers:?}")
        }
        Transport::Editor => unreachable!("no file configures it"),
    };
    let mut flags = String::new();
    if server.disabled {
        flags.push_str(" disabled");
    }
    for input in &server.inputs {
        write!(flags, " asks {input:?}").expect("writes to a String");
    }
    if !server.unresolved.is_empty() {
        write!(flags, " unresolved {:?}", server.unresolved).expect("writes to a String");
    }
    if server.startup_timeout_ms != 30_000 {
        write!(flags, " start within {} ms", server.startup_timeout_ms).expect("writes to a String");
    }
    let file = server.source.file.display();
    format!("{} = {target}{flags} ({:?} {file}:{})", server.name, server.source.scope, server.source.line)
}

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
fn precedence_is_explicit_then_tta_then_workspace_then_user_and_duplicates_are_told() {
    let place = Place::new(&[
        ("app/tta.toml", "[servers.a]\ncommand = 'tta'\nargs = ['run']\n"),
        (
            "app/.mcp.json",
            "{\"mcpServers\": {\n\"a\": {\"command\": \"workspace\"},\n\"b\": {\"command\": \"workspace\"}}}",
        ),
        ("home/.cursor/mcp.json", r#"{"mcpServers": {"b": {"command": "user"}, "c": {"command": "user"}}}"#),
    ]);
    place.check(&expect![[r#"
        a = tta ["run"] [] (Workspace …/app/tta.toml:1)
        b = workspace [] [] (Workspace …/app/.mcp.json:3)
        c = user [] [] (User …/home/.cursor/mcp.json:1)
        INFO …/app/.mcp.json:2:1 server `a` is configured in …/app/tta.toml, line 1, already, which is used [Rename or remove one of the two.]
        INFO …/home/.cursor/mcp.json:1:17 server `b` is configured in …/app/.mcp.json, line 3, already, which is used [Rename or remove one of the two.]
    "#]]);
    let explicit = place.write("some/where.json", br#"{"context_servers": {"a": {"command": "explicit"}}}"#);
    let (config, problems) = place.load_with(Some(&explicit));
    place.compare(&config, &problems, &expect![[r#"
        a = explicit [] [] (Explicit …/some/where.json:1)
        b = workspace [] [] (Workspace …/app/.mcp.json:3)
        c = user [] [] (User …/home/.cursor/mcp.json:1)
        INFO …/app/tta.toml:1:10 server `a` is configured in …/some/where.json, line 1, already, which is used [Rename or remove one of the two.]
        INFO …/app/.mcp.json:2:1 server `a` is configured in …/some/where.json, line 1, already, which is used [Rename or remove one of the two.]
        INFO …/home/.cursor/mcp.json:1:17 server `b` is configured in …/app/.mcp.json, line 3, already, which is used [Rename or remove one of the two.]
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

#[test]
fn limits_are_read_and_bad_ones_keep_their_default() {
    let place = Place::new(&[(
        "app/tta.toml",
        "[limits]\ntimeout_ms = 5_000\nmemory_mb = 64\ncalls = -1\ncal_timeout_ms = 3\nnesting = 'deep'\n\
         [ledger]\nhost_result_cap_tokens = 9000\ncolour = 1\n[cache]\nanything = 1\n[polcy]\n[servers.a]\ncomand = 'x'\ncommand = 'y'\n",
    )]);
    let (config, problems) = place.load();
    assert_eq!((config.limits.deadline_ms, config.limits.memory_bytes), (5_000, 64 << 20));
    assert_eq!((config.limits.calls, config.limits.nesting), (10_000, 128));
    assert_eq!(config.ledger.host_result_cap_tokens, 9_000);
    place.compare(&config, &problems, &expect![[r#"
        a = y [] [] (Workspace …/app/tta.toml:13)
        ERROR …/app/tta.toml:4:9 `calls` must be a whole number from 0 to 1000000 [The default is used until it is mended.]
        WARNING …/app/tta.toml:5:1 `cal_timeout_ms` is no limit that is known [Did you mean `call_timeout_ms`?]
        ERROR …/app/tta.toml:6:11 `nesting` must be a whole number from 8 to 512 [The default is used until it is mended.]
        WARNING …/app/tta.toml:9:1 `colour` is no setting that is known [Remove it.]
        WARNING …/app/tta.toml:12:2 `polcy` is no section that is known [Did you mean `policy`?]
        WARNING …/app/tta.toml:14:1 `comand` is no key of a server that is known [Did you mean `command`?]
    "#]]);
}

#[test]
fn limits_of_a_server_stand_with_it_or_apart_from_it() {
    let place = Place::new(&[
        (
            "app/tta.toml",
            "[servers.a]\ncommand = 'x'\ncalls_per_minute = 60\n[servers.b]\ncalls_in_flight = 2\nidle_stop_ms = 'soon'\n\
             [servers.c]\nidle_stop_ms = 0\n",
        ),
        ("app/.mcp.json", r#"{"mcpServers": {"b": {"command": "y", "calls_in_flight": 9, "calls_waiting": 5}}}"#),
    ]);
    let (config, problems) = place.load();
    let usual = ServerLimits::default();
    assert_eq!(config.servers[0].limits, ServerLimits { calls_per_minute: 60, ..usual.clone() });
    assert_eq!(config.servers[1].limits, ServerLimits { calls_in_flight: 2, calls_waiting: 5, ..usual });
    place.compare(&config, &problems, &expect![[r#"
        a = x [] [] (Workspace …/app/tta.toml:1)
        b = y [] [] (Workspace …/app/.mcp.json:1)
        ERROR …/app/tta.toml:6:16 `idle_stop_ms` must be a whole number from 0 to 86400000 [The default is used until it is mended.]
        ERROR …/app/tta.toml:7:10 no file configures a server `c` [Correct the name, or add `command` or `url`.]
    "#]]);
}

#[test]
fn trust_is_bound_to_what_the_workspace_would_start() {
    let hash = |mcp: &str, env_file: &str, token: &'static str| {
        let place = Place::new(&[("app/.mcp.json", mcp), ("app/e.env", env_file)]).with_env(&[("TOKEN", token)]);
        // The folders differ from place to place; what is written in them does not.
        place.load().0.trust_hash
    };
    let base = r#"{"mcpServers": {"a": {"command": "x", "args": ["1", "2"], "envFile": "e.env", "env": {"K": "${env:TOKEN}"}}}}"#;
    let same = hash(base, "A=1", "t");
    assert_eq!(same.len(), 64);
    // A new token of the user's, a comment, and what decides nothing leave it alone.
    assert_eq!(hash(base, "A=1", "another"), same);
    assert_eq!(hash(&base.replace("{\"a\"", "/* c */ {\"a\""), "A=1", "t"), same);
    assert_eq!(hash(&base.replace("\"envFile\"", "\"autoApprove\": [], \"envFile\""), "A=1", "t"), same);
    for (mcp, env_file) in [
        (base.replace("\"x\"", "\"y\""), "A=1"),
        (base.replace("\"1\", \"2\"", "\"12\""), "A=1"),
        (base.replace("\"K\"", "\"L\""), "A=1"),
        (base.to_owned(), "A=2"),
    ] {
        assert_ne!(hash(&mcp, env_file, "t"), same, "{mcp} {env_file}");
    }
    assert_eq!(hash("{}", "", "t"), "");
    assert_eq!(hash(&base.replace("\"command\"", "\"disabled\": true, \"command\""), "A=1", "t"), "");
}

#[test]
fn a_projects_own_servers_in_the_users_file_outrank_the_general_ones() {
    let place = Place::new(&[]);
    let app = place.folder.path().join("app");
    let text = format!(
        r#"{{"mcpServers": {{"a": {{"command": "general"}}}}, "projects": {{"/else": {{"mcpServers": {{"b": {{"command": "x"}}}}}}, {app:?}: {{"mcpServers": {{"a": {{"command": "own"}}}}}}}}}}"#
    );
    place.write("home/.claude.json", text.as_bytes());
    let (config, _problems) = place.load();
    let names: Vec<_> = config.servers.iter().map(|server| (server.name.as_str(), &server.transport)).collect();
    assert!(matches!(names[..], [("a", Transport::Stdio { command, .. })] if command == "own"), "{names:?}");
}

#[test]
fn a_home_folder_as_workspace_is_the_users_own() {
    let place = Place::new(&[("home/.cursor/mcp.json", r#"{"mcpServers": {"a": {"command": "x"}}}"#)]);
    let home = place.folder.path().join("home");
    let user = UserDirs { home: Some(home.clone()), config: None };
    let folders = [home];
    let (config, problems) =
        load(&Sources { folders: &folders, explicit: None, env: &|_| None, user: &user, asks: false });
    assert_eq!(config.servers[0].source.scope, model::server::Scope::User);
    assert_eq!((config.servers.len(), problems.len(), config.trust_hash.as_str()), (1, 0, ""));
}

#[test]
fn the_nearest_parent_with_a_project_file_is_the_workspace() {
    let place = Place::new(&[("a/.vscode/mcp.json", "{}"), ("a/b/c/.zed/settings.json", "{}")]);
    let at = |path: &str| place.folder.path().join(path);
    assert_eq!(config::find_workspace(&at("a/b/c")), at("a"));
    assert_eq!(config::find_workspace(&at("a")), at("a"));
}

#[test]
fn every_file_that_matters_is_listed_for_watching() {
    let place = Place::new(&[("app/.mcp.json", r#"{"mcpServers": {"a": {"command": "x", "envFile": "e.env"}}}"#)]);
    let (config, _problems) = place.load();
    for file in ["app/tta.toml", "app/.vscode/mcp.json", "app/e.env", "home/.config/tta/mcp.json"] {
        assert!(config.files.contains(&place.folder.path().join(file)), "{file}");
    }
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
fn the_folders_of_a_window_are_read_one_after_the_other() {
    let mut place = Place::new(&[
        ("app/.mcp.json", r#"{"mcpServers": {"a": {"command": "one", "args": ["${workspaceFolder}"]}}}"#),
        (
            "lib/.vscode/mcp.json",
            r#"{"servers": {
  "a": {"command": "two"},
  "b": {"command": "run", "args": ["${workspaceFolder}", "${workspaceFolder:app}", "${workspaceFolder:nowhere}"], "envFile": ".env"},
  "c": {"command": "run", "cwd": "sub"}
}}"#,
        ),
        ("lib/.env", "A=1\n"),
        ("lib/tta.toml", "[limits]\ncalls = 1\n[servers.d]\nurl = 'https://h'\n"),
        ("home/.config/tta/mcp.json", r#"{"servers": {"c": {"command": "x"}, "e": {"command": "x"}}}"#),
    ]);
    let alone = place.load().0;
    place.folders = vec!["app", "lib"];
    let (config, problems) = place.load();
    assert_eq!(config.limits.calls, alone.limits.calls);
    assert_ne!(config.trust_hash, alone.trust_hash, "trust covers the servers of all folders");
    for file in ["app/tta.toml", "lib/.zed/settings.json", "lib/.env"] {
        assert!(config.files.contains(&place.folder.path().join(file)), "{file}");
    }
    place.compare(&config, &problems, &expect![[r#"
        a = one ["…/app"] [] (Workspace …/app/.mcp.json:1)
        d = https://h [] (Workspace …/lib/tta.toml:3)
        b = run ["…/lib", "…/app", "${workspaceFolder:nowhere}"] ["A=1"] in …/lib unresolved ["`${workspaceFolder:nowhere}`: no folder is called `nowhere`"] (Workspace …/lib/.vscode/mcp.json:3)
        c = run [] [] in …/lib/sub (Workspace …/lib/.vscode/mcp.json:4)
        e = x [] [] (User …/home/.config/tta/mcp.json:1)
        INFO …/lib/tta.toml:1:2 `[limits]` of a further folder is not used [Write it into the first folder's tta.toml.]
        INFO …/lib/.vscode/mcp.json:2:3 server `a` is configured in …/app/.mcp.json, line 1, already, which is used [Rename or remove one of the two.]
        WARNING …/lib/.vscode/mcp.json:3:3 server `b` cannot start: `${workspaceFolder:nowhere}`: no folder is called `nowhere` [Set it, or write the value here.]
        INFO …/home/.config/tta/mcp.json:1:14 server `c` is configured in …/lib/.vscode/mcp.json, line 4, already, which is used [Rename or remove one of the two.]
    "#]]);
}

#[test]
fn a_server_that_starts_in_another_folder_is_another_server() {
    let entry = r#"{"mcpServers": {"a": {"command": "./run"}}}"#;
    let mut place = Place::new(&[("one/.mcp.json", entry), ("two/.mcp.json", entry)]);
    place.folders = vec!["app", "one"];
    let one = place.load().0.trust_hash;
    place.folders = vec!["app", "two"];
    assert_ne!(place.load().0.trust_hash, one);
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

impl Place {
    fn with_env(mut self, env: &[(&'static str, &'static str)]) -> Self {
        self.env = env.to_vec();
        self
    }
}
