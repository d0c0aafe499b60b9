//! Configuration changes, restarts and shutdown.

use crate::kit::{BOUND, Kit, gone, is_alive, object};
use bridge::Error;
use model::ServerState;
use serde_json::json;
use std::time::{Duration, Instant};

async fn pid(kit: &Kit, server: &str) -> u64 {
    let answer = kit.bridge.call(server, "grandchild", object(json!({})), BOUND).await.expect("answered");
    answer.structured.expect("structured")["server"].as_u64().expect("a process id")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_configuration_stops_what_changed_and_leaves_the_rest() {
    let specs = ["stays", "changes", "goes"].map(|name| crate::faulty::faulty_spec(name, "ok"));
    let kit = Kit::new(specs.to_vec());
    let (stays, changes, goes) = (pid(&kit, "stays").await, pid(&kit, "changes").await, pid(&kit, "goes").await);
    // A server that only moved to another line is the same server.
    let mut moved = crate::faulty::faulty_spec("stays", "ok");
    moved.source.line = 99;
    kit.bridge.apply(vec![
        moved,
        crate::faulty::faulty_spec("changes", "double-answers"),
        crate::faulty::faulty_spec("new", "ok"),
    ]);
    gone(&[changes, goes]).await;
    assert!(is_alive(stays));
    assert_eq!(pid(&kit, "stays").await, stays);
    assert_ne!(pid(&kit, "changes").await, changes);
    assert_eq!(kit.bridge.state("new").expect("configured").state, ServerState::Stopped);
    assert!(kit.bridge.state("goes").is_none());
    kit.bridge.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn calls_under_way_hear_that_their_server_was_stopped() {
    let kit = Kit::faulty("ok");
    kit.bridge.tools("s").await.expect("started");
    let call = kit.call("slow", json!({"ms": 600_000}));
    let stop = async {
        // The call is on its way once a later one is answered.
        kit.call("echo", json!({})).await.expect("answered");
        kit.bridge.apply(Vec::new());
    };
    let (answer, ()) = tokio::join!(call, stop);
    assert_eq!(answer.expect_err("stopped"), Error::Stopped { server: "s".into() });
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restart_ends_the_old_process_first_and_forgives_failures() {
    let mut kit = Kit::faulty("ok");
    let old = pid(&kit, "s").await;
    kit.bridge.restart("s").await.expect("restarted");
    assert!(!is_alive(old));
    assert_ne!(pid(&kit, "s").await, old);
    kit.bridge.shutdown().await;

    kit = Kit::faulty("die-at-start");
    kit.bridge.tools("s").await.expect_err("it ends");
    kit.state(ServerState::Failed).await;
    kit.bridge.restart("s").await.expect_err("it ends again");
    // Told twice: this time it was started indeed, not answered from memory.
    kit.state(ServerState::Failed).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_removed_during_its_first_listing_does_not_stay() {
    let mut kit = Kit::faulty("hang-listing");
    let (listed, ()) = tokio::join!(kit.bridge.tools("s"), async {
        // Its log has a line once it was asked for its tools.
        let log = kit.folder.path().join("logs/s.log");
        let mut look = tokio::time::interval(Duration::from_millis(5));
        while !std::fs::read_to_string(&log).unwrap_or_default().contains("asked for tools") {
            look.tick().await;
        }
        kit.bridge.apply(Vec::new());
    });
    assert_eq!(listed.expect_err("removed"), Error::Stopped { server: "s".into() });
    kit.state(ServerState::Stopped).await;
    let log = std::fs::read_to_string(kit.folder.path().join("logs/s.log")).expect("there is a log");
    let pid = log.trim().rsplit(' ').next().and_then(|pid| pid.parse().ok()).expect("the process id");
    gone(&[pid]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shutdown_is_bounded_even_for_a_server_that_ignores_it() {
    let kit = Kit::faulty("ignore-eof");
    let server = pid(&kit, "s").await;
    let start = Instant::now();
    kit.bridge.shutdown().await;
    assert!(start.elapsed() < Duration::from_secs(30), "{:?}", start.elapsed());
    gone(&[server]).await;
    let error = kit.call("echo", json!({})).await.expect_err("nothing starts any more");
    assert_eq!(error, Error::Stopped { server: "s".into() });
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stopped_server_starts_at_its_next_use_and_its_log_stays() {
    let mut kit = Kit::faulty("ok");
    let old = pid(&kit, "s").await;
    kit.state(ServerState::Ready).await;
    kit.bridge.stop("s").await.expect("stopped");
    assert!(!is_alive(old));
    kit.state(ServerState::Stopped).await;
    assert_eq!(kit.bridge.state("s").expect("configured").state, ServerState::Stopped);
    assert_ne!(pid(&kit, "s").await, old);
    assert_eq!(kit.bridge.stop("x").await.expect_err("not configured"), Error::UnknownServer { server: "x".into() });
    kit.bridge.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stop_ends_a_start_that_is_under_way_and_forgives_failures() {
    let mut kit = Kit::faulty("hang-handshake");
    let (started, ()) = tokio::join!(kit.bridge.tools("s"), async {
        kit.bridge.stop("s").await.expect("stopped");
    });
    assert_eq!(started.expect_err("stopped"), Error::Stopped { server: "s".into() });

    kit = Kit::faulty("die-at-start");
    for round in 1..=2 {
        kit.bridge.tools("s").await.expect_err("it ends");
        kit.state(ServerState::Failed).await;
        kit.bridge.stop("s").await.expect("stopped");
        kit.state(ServerState::Stopped).await;
        let log = kit.bridge.log("s").await.expect("a log");
        assert_eq!(log, "fatal: no database, token\n".repeat(round), "both lives, without colours");
    }
    // Another process knows it from the file.
    let later = Kit::with(vec![crate::faulty::faulty_spec("s", "ok")], |options| {
        options.log_dir = Some(kit.folder.path().join("logs"));
    });
    assert_eq!(later.bridge.log("s").await.expect("a log"), kit.bridge.log("s").await.expect("a log"));
}
