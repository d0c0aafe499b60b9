//! Which file has the last word on a server.

use crate::place::Place;
use config::{Sources, UserDirs, load};
use expect_test::expect;
use model::Transport;

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
