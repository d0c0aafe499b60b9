//! Turns: how many calls at once and in a minute, in order, within bounds, and not on the call's own time.

use crate::faulty::faulty_spec;
use crate::kit::{BOUND, Kit};
use bridge::{Error, Patience};
use futures::future::join_all;
use model::{ServerLimits, ServerSpec};
use serde_json::json;
use std::time::{Duration, Instant};

fn limited(limits: ServerLimits) -> Vec<ServerSpec> {
    vec![ServerSpec { limits, ..faulty_spec("s", "ok") }, faulty_spec("neighbour", "ok")]
}

#[tokio::test(flavor = "multi_thread")]
async fn waiting_for_a_turn_is_not_on_the_calls_own_time() {
    let kit = Kit::new(limited(ServerLimits { calls_in_flight: 1, ..ServerLimits::default() }));
    kit.bridge.tools("s").await.expect("started");
    // One of them is far below that, all of them are above.
    let patience = Patience { silence: Duration::from_secs(4), total: BOUND };
    let began = Instant::now();
    let calls = (0..25).map(|_| kit.call_within("slow", json!({"ms": 200}), patience));
    for answer in join_all(calls).await {
        assert_eq!(answer.expect("answered").text(), "slept");
    }
    assert!(began.elapsed() > patience.silence, "one after the other");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_queue_that_is_full_or_too_slow_says_so() {
    let limits = ServerLimits { calls_in_flight: 1, calls_waiting: 1, ..ServerLimits::default() };
    let kit = Kit::new(limited(limits));
    kit.bridge.tools("s").await.expect("started");
    let long = kit.call("slow", json!({"ms": 600_000}));
    let late = kit.call_within("echo", json!({}), Duration::from_millis(200));
    let full = async {
        // The two before it are polled first.
        kit.call("echo", json!({})).await
    };
    let (late, full, ()) = tokio::select! {
        biased;
        _ = long => panic!("it takes ten minutes"),
        answers = async { tokio::join!(biased; late, full, kit.neighbour_answers()) } => answers,
    };
    let (late, full) = (late.expect_err("no turn in time"), full.expect_err("no place"));
    assert_eq!(late.to_string(), "server `s` is busy: it has had 1 calls at once for 200 ms");
    assert_eq!(full.to_string(), "server `s` is busy: 1 calls wait for it already");
    assert!(matches!(full, Error::Busy { limit: "calls_waiting", .. }));
    assert!(full.hint().contains("`calls_waiting` under `[servers.s]`"), "{}", full.hint());
}

#[tokio::test(flavor = "multi_thread")]
async fn calls_beyond_the_minutes_number_are_spread_over_it() {
    // A hundred and twenty at once, then two a second.
    let kit = Kit::new(limited(ServerLimits { calls_per_minute: 120, ..ServerLimits::default() }));
    kit.bridge.tools("s").await.expect("started");
    let began = Instant::now();
    for answer in join_all((0..124).map(|n| kit.structured("echo", json!({"n": n})))).await {
        assert!(answer["n"].is_u64());
    }
    let took = began.elapsed();
    assert!(took >= Duration::from_millis(1_900), "four more take half a second each: {took:?}");
    // Meanwhile some may have a turn, but not so many.
    let hasty = join_all((0..200).map(|_| kit.call_within("echo", json!({}), Duration::from_millis(100)))).await;
    let told = |error: &Error| error.to_string().contains("no turn came within 100 ms at 120 calls a minute");
    assert!(hasty.iter().filter_map(|answer| answer.as_ref().err()).any(told), "{hasty:?}");
    kit.neighbour_answers().await;
}
