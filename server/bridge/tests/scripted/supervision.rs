//! Over a server's lives: quarantine and the ways out of it, rest, hangs, and what an earlier process left behind.

use crate::faulty::faulty_spec;
use crate::kit::{BOUND, Kit, gone, is_alive, signal};
use bridge::Error;
use model::{ServerSpec, ServerState};
use serde_json::json;
use std::path::Path;
use std::time::Duration;

const SHORT: Duration = Duration::from_millis(200);

fn kit(fault: &str, quarantine: &Path) -> Kit {
    Kit::with(vec![faulty_spec("s", fault), faulty_spec("neighbour", "ok")], |options| {
        options.quarantine_dir = Some(quarantine.to_owned());
    })
}

fn state(kit: &Kit) -> ServerState {
    kit.bridge.state("s").expect("configured").state
}

/// Calls until the server is in quarantine; returns how many calls that took, and what they are told from then on.
async fn crash(kit: &Kit) -> (usize, Error) {
    for calls in 0..20 {
        match kit.call("echo", json!({})).await.expect_err("it dies") {
            error @ Error::Quarantined { .. } => return (calls, error),
            Error::Died { .. } => {}
            other => panic!("{other}"),
        }
    }
    panic!("it is started for ever");
}

#[tokio::test(flavor = "multi_thread")]
async fn five_crashes_put_a_server_into_quarantine_and_a_restart_lets_it_out() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut kit = kit("die-on-call", folder.path());
    let (calls, error) = crash(&kit).await;
    assert_eq!(calls, 5);
    let told = error.to_string();
    assert!(told.starts_with("server `s` is in quarantine after 5 crashes in three minutes: "), "{told}");
    assert!(told.contains("panicked at the call") && told.len() < 500, "{told}");
    assert!(error.hint().contains("tta servers restart s"), "{}", error.hint());
    assert_eq!(kit.state(ServerState::Quarantined).await.expect("the reason is told"), told);
    assert_eq!(state(&kit), ServerState::Quarantined);
    assert_eq!(kit.bridge.tools("s").await.expect_err("it is not started"), error);
    assert_eq!(state(&kit), ServerState::Quarantined, "nothing was begun");
    kit.neighbour_answers().await;
    kit.bridge.restart("s").await.expect("it starts");
    assert_eq!(state(&kit), ServerState::Ready);
    assert_eq!(crash(&kit).await.0, 5, "its past is forgotten");
    kit.bridge.stop("s").await.expect("stopped");
    assert_eq!(state(&kit), ServerState::Stopped);
    kit.bridge.tools("s").await.expect("its next use starts it");
}

#[tokio::test(flavor = "multi_thread")]
async fn starts_that_come_to_nothing_are_crashes_but_a_missing_program_is_none() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut doomed = kit("die-at-start", folder.path());
    // Between two starts callers get the last error.
    let quarantined = async {
        let mut call = tokio::time::interval(Duration::from_millis(20));
        while !matches!(doomed.bridge.tools("s").await, Err(Error::Quarantined { .. })) {
            call.tick().await;
        }
    };
    tokio::time::timeout(BOUND, quarantined).await.expect("the starts end");
    for _ in 0..5 {
        doomed.state(ServerState::Starting).await;
    }
    let mut missing = faulty_spec("s", "ok");
    if let model::Transport::Stdio { command, .. } = &mut missing.transport {
        *command = "no-such-program-here".into();
    }
    let kit = Kit::new(vec![missing]);
    for _ in 0..10 {
        assert!(matches!(kit.bridge.restart("s").await, Err(Error::Spawn { .. })));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_quarantine_holds_in_every_process_until_one_of_them_ends_it() {
    let folder = tempfile::tempdir().expect("a folder");
    let window = kit("die-on-call", folder.path());
    let (_, error) = crash(&window).await;
    let mut terminal = kit("die-on-call", folder.path());
    assert_eq!(terminal.state(ServerState::Quarantined).await, Some(error.to_string()));
    assert_eq!(terminal.bridge.tools("s").await.expect_err("it is not started here either"), error);
    terminal.bridge.restart("s").await.expect("it starts");
    assert_eq!(state(&window), ServerState::Failed, "it was let out");
    window.bridge.tools("s").await.expect("it starts here too");
    // What is configured anew is another server.
    crash(&terminal).await;
    let mut mended = faulty_spec("s", "ok");
    mended.content_hash = "mended".into();
    terminal.bridge.apply(vec![mended]);
    terminal.bridge.tools("s").await.expect("it starts");
}

fn resting(ms: u64) -> ServerSpec {
    let mut spec = faulty_spec("s", "ok");
    spec.limits.idle_stop_ms = ms;
    spec
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_rests_when_nobody_uses_it_and_not_during_a_call() {
    let mut kit = Kit::new(vec![resting(200)]);
    let answer = kit.structured("grandchild", json!({})).await;
    let old = answer["server"].as_u64().expect("a process id");
    kit.call("slow", json!({"ms": 700})).await.expect("a call is a use, however long it takes");
    kit.state(ServerState::Ready).await;
    kit.state(ServerState::Stopped).await;
    // Its successor waits until it is gone.
    let answer = kit.structured("grandchild", json!({})).await;
    assert!(!is_alive(old));
    assert_ne!(answer["server"].as_u64(), Some(old));
    let kit = Kit::new(vec![resting(0)]);
    kit.bridge.tools("s").await.expect("started");
    assert_eq!(state(&kit), ServerState::Ready);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_leaves_calls_unanswered_is_degraded_and_one_that_hangs_is_ended() {
    let mut kit = Kit::new(vec![faulty_spec("s", "ok"), faulty_spec("neighbour", "ok")]);
    let ids = kit.structured("grandchild", json!({})).await;
    let server = ids["server"].as_u64().expect("a process id");
    let unanswered = async |tool, arguments: serde_json::Value| {
        for _ in 0..3 {
            assert!(kit.call_within(tool, arguments.clone(), SHORT).await.expect_err("no answer").is_timeout());
        }
    };
    // It is slow, but alive.
    unanswered("slow", json!({"ms": 600_000})).await;
    assert_eq!(state(&kit), ServerState::Degraded);
    kit.structured("echo", json!({})).await;
    assert_eq!(state(&kit), ServerState::Ready);
    signal("STOP", &server.to_string());
    unanswered("echo", json!({})).await;
    kit.neighbour_answers().await;
    let told = kit.state(ServerState::Failed).await.expect("the reason is told");
    assert_eq!(told, "server `s` hangs: it did not answer a ping within 5000 ms");
    gone(&[server]).await;
    kit.structured("echo", json!({})).await;
}
