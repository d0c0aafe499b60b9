//! Folders: which is the workspace, several in one window, and what trust is bound to.

use crate::place::Place;
use expect_test::expect;

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
