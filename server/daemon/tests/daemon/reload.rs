//! The configuration changes on disk while programs run: they go on.

use model::{Language, Notice, RunEvent, RunStatus};
use serde_json::json;
use std::time::Duration;
use testkit::{TestDaemon, faulty_server};

/// Never waited for when the test passes.
const BOUND: Duration = Duration::from_mins(5);

/// Calls one server until that is no longer configured, and then another.
const PROGRAM: &str = "
from servers import stays, goes
calls, said = 0, ''
while not said:
    try:
        await goes.echo(n=calls)
        calls += 1
    except Exception as e:
        said = str(e)
[(await stays.echo(n=7))['n'], calls > 0, said]
";

#[tokio::test]
async fn a_run_goes_on_while_its_servers_are_configured_anew() {
    let test = TestDaemon::builder().toml("[limits]\ncalls = 1_000_000\n");
    let test = test.scripted("stays", &["ok"]).scripted("goes", &["ok"]).start().await;
    let mut notices = test.daemon.notices();
    let change = async {
        while !matches!(notices.recv().await, Ok(Notice::Run(RunEvent::Call { .. }))) {}
        let entry = json!({"command": faulty_server(), "args": ["ok"]});
        let anew = json!({"servers": {"stays": entry, "comes": entry}}).to_string();
        let file = test.workspace().join(".vscode/mcp.json");
        std::fs::write(file.with_extension("new"), anew).expect("written");
        std::fs::rename(file.with_extension("new"), &file).expect("renamed");
    };
    let both = async { tokio::join!(test.run(Language::Python, PROGRAM), change) };
    let (reply, ()) = tokio::time::timeout(BOUND, both).await.expect("in time");
    assert_eq!(reply.status, RunStatus::Ok, "{:?}", reply.error);
    let result: serde_json::Value = serde_json::from_str(reply.result.expect("a result").get()).expect("JSON");
    assert_eq!((&result[0], &result[1]), (&json!(7), &json!(true)), "{result}");
    assert!(result[2].as_str().is_some_and(|said| said.contains("goes")), "{result}");
    let next = test.run(Language::Python, "from servers import comes\n(await comes.echo(n=1))['n']").await;
    assert_eq!(next.status, RunStatus::Ok, "{:?}", next.error);
}
