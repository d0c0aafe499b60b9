//! Servers killed at random while calls are under way: `TTA_KILLS` of them. The figures are printed.
//!
//! Each victim has a grandchild that is deaf to SIGTERM. Counted are callers that hang, processes that are still there five
//! seconds later, and how long a server takes from its death to its next answer. The two times are asserted where a number
//! is asked for; in a run beside other tests they say more of the machine than of us.

use crate::faulty::faulty_spec;
use crate::kit::{BOUND, Kit, is_alive, object, outlive};
use bridge::{Bridge, Error};
use futures::future::join_all;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};
use std::hash::{BuildHasher, RandomState};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

const SERVERS: usize = 6;
const CALLERS: usize = 8;
/// A call of these servers takes milliseconds; who waits so long waits for ever.
const HUNG: Duration = Duration::from_secs(40);
const ORPHANED: Duration = Duration::from_secs(5);
/// Longest time for the next answer, of 99 in a hundred.
const RESTART_P99: Duration = Duration::from_secs(2);

#[derive(Default)]
struct Tally {
    over: AtomicBool,
    answered: AtomicUsize,
    failed: AtomicUsize,
    hung: AtomicUsize,
    restarts: Mutex<Vec<Duration>>,
    victims: Mutex<Vec<u64>>,
}

#[tokio::test(flavor = "multi_thread")]
async fn servers_killed_at_random_leave_no_caller_waiting_and_no_process_behind() {
    let wanted: Option<usize> = std::env::var("TTA_KILLS").ok().and_then(|n| n.parse().ok());
    let kills = wanted.unwrap_or(60);
    let names: Vec<String> = (0..SERVERS).map(|n| format!("s{n}")).collect();
    let specs = names.iter().map(|name| faulty_spec(name, "ok")).collect();
    let kit = Kit::with(specs, |options| options.crashes = usize::MAX);
    let tally = Tally::default();
    let killers = async {
        join_all(names.iter().map(|name| kill_often(&kit.bridge, name, kills.div_ceil(SERVERS), &tally))).await;
        tally.over.store(true, Ordering::Relaxed);
    };
    let callers = names.iter().flat_map(|name| (0..CALLERS).map(move |_| name));
    let callers = join_all(callers.map(|name| call_often(&kit.bridge, name, &tally)));
    tokio::join!(killers, callers);
    let victims = tally.victims.into_inner().expect("not poisoned");
    let orphaned = if wanted.is_some() { ORPHANED } else { BOUND };
    let _ = tokio::time::timeout(orphaned, outlive(&victims)).await;
    let orphans = victims.iter().filter(|&&id| is_alive(id)).count();
    let mut restarts = tally.restarts.into_inner().expect("not poisoned");
    restarts.sort();
    let at = |share: usize| restarts[(restarts.len() * share / 100).min(restarts.len() - 1)];
    let [answered, failed, hung] =
        [tally.answered, tally.failed, tally.hung].map(|count| count.load(Ordering::Relaxed));
    println!(
        "{} servers killed: {answered} calls answered, {failed} failed, {hung} hung; {orphans} processes left after \
         {orphaned:?}; restart p50 {:?}, p99 {:?}, at most {:?}",
        restarts.len(),
        at(50),
        at(99),
        at(100)
    );
    assert_eq!((hung, orphans), (0, 0));
    assert!(restarts.len() >= kills && answered > kills && failed > 0);
    assert!(wanted.is_none() || at(99) <= RESTART_P99);
}

/// Has a server start a grandchild, kills it at some later call, and waits until it answers again.
async fn kill_often(bridge: &Bridge, server: &str, times: usize, tally: &Tally) {
    for _ in 0..times {
        let family = call(bridge, server, "grandchild", json!({})).await.expect("nobody else kills it");
        let ids = ["server", "grandchild"].map(|key| family[key].as_u64().expect("a process id"));
        tally.victims.lock().expect("not poisoned").extend(ids);
        for _ in 0..random() % 8 {
            call(bridge, server, "echo", json!({})).await.expect("it lives");
        }
        let id = i32::try_from(ids[0]).ok().and_then(Pid::from_raw).expect("a process id");
        kill_process(id, Signal::KILL).expect("it lives");
        let killed = Instant::now();
        while let Err(error) = call(bridge, server, "echo", json!({})).await {
            assert!(matches!(&error, Error::Died { server: named, .. } if named == server), "{error}");
        }
        tally.restarts.lock().expect("not poisoned").push(killed.elapsed());
    }
}

/// Calls until the killing is over. A call may fail, but with its reason, and soon.
async fn call_often(bridge: &Bridge, server: &str, tally: &Tally) {
    while !tally.over.load(Ordering::Relaxed) {
        let waited = tokio::time::timeout(HUNG, call(bridge, server, "slow", json!({"ms": random() % 5}))).await;
        let count = match waited {
            Ok(Ok(_)) => &tally.answered,
            Ok(Err(Error::Died { .. })) => &tally.failed,
            Ok(Err(other)) => panic!("{other}"),
            Err(_elapsed) => &tally.hung,
        };
        count.fetch_add(1, Ordering::Relaxed);
    }
}

async fn call(bridge: &Bridge, server: &str, tool: &str, arguments: Value) -> Result<Value, Error> {
    let answer = bridge.call(server, tool, object(arguments), HUNG * 2).await?;
    Ok(answer.structured.unwrap_or_default())
}

/// Every hasher has keys of its own.
fn random() -> u64 {
    RandomState::new().hash_one(0)
}
