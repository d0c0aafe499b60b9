//! Each fault gives a typed error in time, says what the server said, and leaves its neighbour alone.

use crate::kit::{BOUND, Kit};
use bridge::{Error, Patience};
use model::{Secret, ServerSpec, Transport};
use serde_json::json;
use std::time::{Duration, Instant};

const SHORT: Duration = Duration::from_millis(300);

fn with_neighbour(fault: &str) -> Vec<ServerSpec> {
    vec![crate::faulty::faulty_spec("s", fault), crate::faulty::faulty_spec("neighbour", "ok")]
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hanging_handshake_ends_at_the_start_timeout() {
    let mut specs = with_neighbour("hang-handshake");
    specs[0].startup_timeout_ms = 300;
    let kit = Kit::new(specs);
    let error = kit.bridge.tools("s").await.expect_err("it hangs");
    assert!(matches!(&error, Error::Timeout { what, ms: 300, .. } if what == "start and handshake"), "{error}");
    kit.neighbour_answers().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_start_goes_on_when_its_caller_gives_up() {
    let mut spec = crate::faulty::faulty_spec("s", "hang-handshake");
    spec.startup_timeout_ms = 60_000;
    let kit = Kit::new(vec![spec]);
    let error = kit.call_within("echo", json!({}), SHORT).await.expect_err("it hangs");
    assert!(matches!(&error, Error::Timeout { what, .. } if what == "its start"), "{error}");
    assert_eq!(kit.bridge.state("s").expect("configured").state, model::ServerState::Starting);
    let start = Instant::now();
    kit.bridge.shutdown().await;
    assert!(start.elapsed() < Duration::from_secs(30), "a shutdown does not wait for a start");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hanging_call_ends_at_its_timeout_and_the_server_goes_on() {
    let kit = Kit::new(with_neighbour("hang-call"));
    kit.bridge.tools("s").await.expect("it starts");
    let error = kit.call_within("echo", json!({}), SHORT).await.expect_err("it hangs");
    assert!(error.is_timeout(), "{error}");
    assert_eq!(kit.bridge.state("s").expect("configured").state, model::ServerState::Ready);
    kit.neighbour_answers().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_death_reaches_every_caller_at_once_and_the_next_use_starts_again() {
    let mut kit = Kit::new(with_neighbour("die-on-call"));
    kit.bridge.tools("s").await.expect("it starts");
    for _ in 0..2 {
        let start = Instant::now();
        let calls = (0..20).map(|_| kit.call("echo", json!({})));
        for answer in futures::future::join_all(calls).await {
            let error = answer.expect_err("it dies");
            let Error::Died { exit, stderr_tail, .. } = &error else { panic!("{error}") };
            assert!(exit.contains('7'), "{exit}");
            assert!(stderr_tail.contains("panicked at the call of \"echo\""), "{stderr_tail}");
        }
        assert!(start.elapsed() < BOUND / 2, "nobody waited for a timeout");
        let told = kit.state(model::ServerState::Failed).await.expect("the reason is told");
        assert!(told.contains("died"), "{told}");
    }
    kit.neighbour_answers().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn half_an_answer_and_an_end_is_a_death() {
    let kit = Kit::faulty("half-answer");
    let error = kit.call("echo", json!({})).await.expect_err("it ends");
    assert!(matches!(error, Error::Died { .. }), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn half_an_answer_without_an_end_leaves_its_caller_to_its_time() {
    for fault in ["half-then-hang", "endless-progress"] {
        let kit = Kit::new(with_neighbour(fault));
        kit.bridge.tools("s").await.expect("it starts");
        // Reports come each 20 ms: who is silent for so long reports nothing.
        let endless = fault == "endless-progress";
        let silence = if endless { Duration::from_secs(5) } else { SHORT };
        let patience = Patience { silence, total: silence + SHORT };
        let (error, ()) = tokio::join!(kit.call_within("echo", json!({}), patience), kit.neighbour_answers());
        let error = error.expect_err("no whole answer");
        let Error::Timeout { server, what, ms, .. } = &error else { panic!("{error}") };
        assert_eq!((server.as_str(), *ms), ("s", if endless { 5_300 } else { 300 }), "{error}");
        assert_eq!(what.contains("reports progress without an end"), endless, "{error}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn progress_keeps_a_call_alive_beyond_its_silence() {
    let kit = Kit::faulty("ok");
    kit.bridge.tools("s").await.expect("it starts");
    let patience = Patience { silence: Duration::from_secs(4), total: BOUND };
    let began = Instant::now();
    let answer = kit.call_within("progress", json!({"times": 50, "ms": 100}), patience).await;
    assert_eq!(answer.expect("answered").text(), "done");
    assert!(began.elapsed() > patience.silence);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_late_answer_is_nobodys_and_does_no_harm() {
    let kit = Kit::faulty("ok");
    kit.bridge.tools("s").await.expect("it starts");
    let error = kit.call_within("slow", json!({"ms": 400}), Duration::from_millis(50)).await.expect_err("late");
    assert!(error.is_timeout(), "{error}");
    // It comes while this one waits.
    assert_eq!(kit.call("slow", json!({"ms": 600})).await.expect("answered").text(), "slept");
}

#[tokio::test(flavor = "multi_thread")]
async fn ids_of_other_types_are_understood_or_said_to_be_wrong() {
    let kit = Kit::new(with_neighbour("text-ids"));
    assert_eq!(kit.structured("echo", json!({"a": 1})).await, json!({"a": 1}));
    let kit = Kit::new(with_neighbour("null-ids"));
    kit.bridge.tools("s").await.expect("it starts");
    let told = async {
        loop {
            let error = kit.call_within("echo", json!({}), SHORT).await.expect_err("an answer to nobody");
            assert!(error.is_timeout(), "{error}");
            if error.to_string().contains("not JSON-RPC") {
                return;
            }
        }
    };
    tokio::time::timeout(BOUND, told).await.expect("what came is told");
    let kit = Kit::new(with_neighbour("fractional-ids"));
    let error = kit.call("echo", json!({})).await.expect_err("no such id");
    assert!(matches!(&error, Error::Protocol { server, .. } if server == "s"), "{error}");
    kit.neighbour_answers().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn bytes_that_are_no_text_and_bytes_that_trickle_cost_only_what_they_must() {
    let kit = Kit::new(with_neighbour("ok"));
    assert_eq!(kit.structured("big", json!({"shape": "bad-utf8"})).await, json!({"a": "\u{FFFD}"}));
    let slow = kit.call_within("big", json!({"shape": "dribble", "bytes": 1_000}), SHORT);
    let (slow, ()) = tokio::join!(slow, kit.neighbour_answers());
    assert!(slow.expect_err("a byte at a time").is_timeout());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_line_of_a_hundred_megabytes_fails_its_own_call_only() {
    let kit = Kit::new(with_neighbour("ok"));
    let sleeper = kit.call("slow", json!({"ms": 100}));
    let (slept, big) = tokio::join!(sleeper, kit.call("big", json!({"bytes": 100_000_000})));
    assert!(matches!(&big, Err(Error::TooLarge { server, limit_bytes: 33_554_432, .. }) if server == "s"), "{big:?}");
    assert_eq!(slept.expect("answered").text(), "slept");
    kit.neighbour_answers().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn ten_thousand_tools_are_listed() {
    let kit = Kit::faulty("many-tools");
    assert_eq!(kit.bridge.tools("s").await.expect("listed").len(), 10_000);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_ends_at_its_start_is_quoted_without_colours_and_secrets() {
    let mut specs = with_neighbour("die-at-start");
    if let Transport::Stdio { env, .. } = &mut specs[0].transport {
        env.insert("TOKEN".into(), Secret::new("t0ps3cret"));
    }
    let kit = Kit::new(specs);
    let error = kit.bridge.tools("s").await.expect_err("it ends");
    let Error::Handshake { why, stderr_tail, .. } = &error else { panic!("{error}") };
    assert!(why.contains("exit status: 3"), "{why}");
    assert_eq!(stderr_tail, "fatal: no database, token ***");
    let log = std::fs::read_to_string(kit.folder.path().join("logs/s.log")).expect("there is a log");
    assert!(log.contains("no database") && !log.contains("t0ps3cret"), "{log}");
    // A second caller at once gets the same answer without a second process.
    assert_eq!(kit.bridge.tools("s").await.expect_err("it ended"), error);
    kit.neighbour_answers().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_program_that_does_not_exist_says_what_to_install() {
    let mut specs = with_neighbour("ok");
    for (command, hint) in
        [("no-such-program-here", "Install it"), ("/nowhere/npx", "Node.js"), ("/etc/passwd", "Install it")]
    {
        if let Transport::Stdio { command: configured, .. } = &mut specs[0].transport {
            command.clone_into(configured);
        }
        let kit = Kit::new(specs.clone());
        let error = kit.bridge.tools("s").await.expect_err("it does not exist");
        assert!(matches!(&error, Error::Spawn { command: named, .. } if named == command), "{error}");
        assert!(error.hint().contains(hint), "{}", error.hint());
        kit.neighbour_answers().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_working_directory_that_does_not_exist_is_named() {
    let mut spec = crate::faulty::faulty_spec("s", "ok");
    if let Transport::Stdio { cwd, .. } = &mut spec.transport {
        *cwd = Some("/nowhere/at/all".into());
    }
    let error = Kit::new(vec![spec]).bridge.tools("s").await.expect_err("it cannot start");
    assert!(error.to_string().contains("/nowhere/at/all does not exist"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_but_garbage_is_given_up_and_quoted() {
    let kit = Kit::new(with_neighbour("garbage-stdout"));
    let error = kit.bridge.tools("s").await.expect_err("no protocol");
    let Error::Handshake { why, .. } = &error else { panic!("{error}") };
    assert!(why.contains("not JSON-RPC, such as \"Listening on port 3000\""), "{why}");
    kit.neighbour_answers().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn some_garbage_does_no_harm() {
    let kit = Kit::faulty("garbage-then-ok");
    assert_eq!(kit.structured("echo", json!({"a": 1})).await, json!({"a": 1}));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_is_too_large_fails_its_own_call_only() {
    for shape in ["", "id-last"] {
        let kit = Kit::with(with_neighbour("ok"), |options| options.message_bytes = 100_000);
        let sleeper = kit.call("slow", json!({"ms": 500}));
        let big = kit.call("big", json!({"bytes": 200_000, "shape": shape}));
        let (slept, big) = tokio::join!(sleeper, big);
        assert!(matches!(big, Err(Error::TooLarge { limit_bytes: 100_000, .. })), "{big:?}");
        assert_eq!(slept.expect("the other call is answered").text(), "slept");
        let fits = kit.call("big", json!({"bytes": 99_000, "shape": shape})).await.expect("it fits");
        assert_eq!(fits.text().len(), 99_000);
        kit.neighbour_answers().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_large_answer_of_nobody_or_without_end_ends_the_server() {
    for shape in ["no-id", "endless"] {
        let kit = Kit::with(with_neighbour("ok"), |options| options.message_bytes = 100_000);
        let error = kit.call("big", json!({"bytes": 200_000, "shape": shape})).await.expect_err("too large");
        assert!(matches!(error, Error::TooLarge { .. }), "{shape}: {error}");
        assert_eq!(kit.structured("echo", json!({"again": 1})).await, json!({"again": 1}));
        kit.neighbour_answers().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_is_not_json_fails_its_call() {
    let kit = Kit::faulty("ok");
    let error = kit.call("big", json!({"shape": "nan"})).await.expect_err("not JSON");
    assert!(matches!(&error, Error::Protocol { what, .. } if what.contains("not valid JSON")), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn lists_without_end_are_cut_off() {
    for (fault, expected) in [("endless-paging", "more than 200 pages"), ("repeating-page", "repeats the same page")] {
        let kit = Kit::new(with_neighbour(fault));
        let error = kit.bridge.tools("s").await.expect_err("endless");
        assert!(matches!(&error, Error::Protocol { what, .. } if what.contains(expected)), "{error}");
        kit.neighbour_answers().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn too_many_tools_are_refused() {
    let kit = Kit::with(with_neighbour("two-pages"), |options| options.tools = 1);
    let error = kit.bridge.tools("s").await.expect_err("two tools");
    assert!(error.to_string().contains("lists more than 1 tools"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_to_nobody_and_double_answers_do_no_harm() {
    let kit = Kit::new(with_neighbour("wrong-ids"));
    kit.bridge.tools("s").await.expect("it starts");
    assert!(kit.call_within("echo", json!({}), SHORT).await.expect_err("no answer of its own").is_timeout());
    kit.neighbour_answers().await;
    let kit = Kit::faulty("double-answers");
    for n in 0..20 {
        assert_eq!(kit.structured("echo", json!({"n": n})).await, json!({"n": n}));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_http_server_that_is_not_there_says_so_without_its_key() {
    let mut spec = crate::faulty::faulty_spec("s", "");
    // Port 9 (discard) has no listener; the query is where some services want their key.
    let url = "http://127.0.0.1:9/mcp?key=t0ps3cret".to_owned();
    spec.transport = Transport::Http { url, headers: [("X-Key".into(), Secret::new("h3ads3cret"))].into(), sse: false };
    let kit = Kit::new(vec![spec, crate::faulty::faulty_spec("neighbour", "ok")]);
    let error = kit.bridge.tools("s").await.expect_err("nobody listens");
    let text = format!("{error} {error:?}");
    assert!(matches!(error, Error::Handshake { .. }) && !text.contains("s3cret"), "{text}");
    kit.neighbour_answers().await;
}
