//! No process is left behind: neither when the bridge shuts down, nor when it is dropped, nor when we are killed.

use crate::kit::{Kit, gone, is_alive, signal};
use serde_json::{Value, json};
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

/// Set in the helper process: it starts a server with a grandchild, tells their ids, and waits to be killed.
const HELPER: &str = "BRIDGE_TEST_HELPER";

async fn family(kit: &Kit) -> [u64; 2] {
    let ids = kit.structured("grandchild", json!({})).await;
    let ids = ["server", "grandchild"].map(|key| ids[key].as_u64().expect("a process id"));
    assert!(ids.iter().all(|&id| is_alive(id)));
    ids
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shutdown_leaves_neither_child_nor_grandchild() {
    let kit = Kit::faulty("ok");
    let ids = family(&kit).await;
    kit.bridge.shutdown().await;
    assert!(!ids.iter().any(|&id| is_alive(id)), "the shutdown waits for the whole group");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dying_server_takes_its_grandchild_along() {
    let kit = Kit::faulty("ok");
    let ids = family(&kit).await;
    Command::new("kill").args(["-KILL", &ids[0].to_string()]).status().expect("kill runs");
    gone(&ids).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bridge_that_is_dropped_leaves_nothing() {
    let kit = Kit::faulty("ok");
    let ids = family(&kit).await;
    drop(kit);
    gone(&ids).await;
}

#[test]
fn a_runtime_that_is_dropped_leaves_nothing() {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let ids = runtime.block_on(async { family(&Kit::faulty("ok")).await });
    drop(runtime);
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    runtime.block_on(gone(&ids));
}

/// Not a test of its own: the body of the helper process below.
#[tokio::test(flavor = "multi_thread")]
async fn helper_process() {
    if std::env::var_os(HELPER).is_none() {
        return;
    }
    let kit = Kit::faulty("ok");
    let ids = family(&kit).await;
    println!("\nIDS {}", json!(ids));
    std::future::pending::<()>().await;
}

/// A helper process with a server and a grandchild, and the ids of those two.
fn helper() -> (Child, Vec<u64>) {
    let mut helper = Command::new(std::env::current_exe().expect("a path"))
        .args(["--exact", "orphans::helper_process", "--nocapture"])
        .env(HELPER, "1")
        .stdout(Stdio::piped())
        .spawn()
        .expect("the helper starts");
    let stdout = BufReader::new(helper.stdout.take().expect("piped"));
    let line = stdout.lines().map_while(Result::ok).find(|line| line.starts_with("IDS ")).expect("the helper tells");
    let ids: Vec<u64> = serde_json::from_str::<Value>(&line[4..])
        .expect("JSON")
        .as_array()
        .map(|ids| ids.iter().filter_map(Value::as_u64).collect())
        .expect("a list");
    assert_eq!(ids.len(), 2);
    (helper, ids)
}

#[test]
fn a_kill_nine_leaves_nothing() {
    let (mut helper, ids) = helper();
    helper.kill().expect("killed");
    helper.wait().expect("reaped");
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    runtime.block_on(gone(&ids));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_left_where_the_guardian_was_killed_too_is_swept_away_at_the_next_start() {
    let (mut helper, ids) = helper();
    let own = Kit::faulty("ok");
    let spared = family(&own).await;
    for guardian in children(helper.id()).into_iter().filter(|id| !ids.contains(id)) {
        signal("KILL", &guardian.to_string());
    }
    helper.kill().expect("killed");
    helper.wait().expect("reaped");
    let _next = Kit::faulty("ok");
    gone(&ids).await;
    assert!(spared.iter().all(|&id| is_alive(id)), "what has a living owner stays");
}

/// The processes that a process has started.
fn children(parent: u32) -> Vec<u64> {
    let tasks = std::fs::read_dir(format!("/proc/{parent}/task")).expect("it lives");
    let lists = tasks.filter_map(|task| std::fs::read_to_string(task.ok()?.path().join("children")).ok());
    lists.flat_map(|list| list.split(' ').filter_map(|id| id.parse().ok()).collect::<Vec<_>>()).collect()
}
