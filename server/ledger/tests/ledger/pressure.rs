//! The failing side of every bound: more than the queue holds, and no time left.

use crate::support::{call, open, options, run};
use ledger::{Ledger, Options, RunFacts};
use model::RunStatus;
use std::sync::Mutex;
use std::sync::mpsc;
use std::time::Duration;

fn one_call() -> RunFacts {
    run(RunStatus::Ok, vec![call("fs", "read", 0, r#"{"path":"a"}"#, &"x".repeat(400))])
}

#[tokio::test]
async fn a_run_over_the_bound_on_bytes_is_estimated_and_says_so() {
    let folder = tempfile::tempdir().expect("a folder");
    let ledger = Ledger::open(Options { queue_bytes: 100, ..options(folder.path()) }, |_| ()).expect("it opens");
    let facts = one_call();
    ledger.record(facts.clone());
    let (report, results) = ledger.receipt(&facts.run_id).await.expect("it is not lost");
    assert_eq!(results, [100], "400 bytes at four a token");
    assert!(report.labels["direct.results"].starts_with("estimated"), "{:?}", report.labels);
    assert!(ledger.savings().session.tokens.labels["total"].contains("1 with estimated counts"));
}

/// A ledger whose worker stands still after the first run until the returned sender is dropped.
fn held_back(options: Options) -> (Ledger, mpsc::Receiver<()>, mpsc::Sender<()>) {
    let (standing, stands) = mpsc::channel();
    let (release, released) = mpsc::channel::<()>();
    let released = Mutex::new(Some(released));
    let ledger = Ledger::open(options, move |_| {
        if let Some(released) = released.lock().expect("no panic inside").take() {
            standing.send(()).expect("the test listens");
            released.recv().expect_err("it is only ever dropped");
        }
    });
    (ledger.expect("it opens"), stands, release)
}

#[tokio::test]
async fn of_a_flood_the_first_runs_are_measured_the_next_estimated_and_the_rest_numbered() {
    let folder = tempfile::tempdir().expect("a folder");
    let (ledger, stands, release) = held_back(Options { queue_runs: 2, ..options(folder.path()) });
    ledger.record(one_call());
    stands.recv().expect("the worker stands");
    // 2 with texts, 16 x 2 without, 6 only numbered.
    let flood: Vec<RunFacts> = (0..40).map(|_| one_call()).collect();
    for facts in &flood {
        ledger.record(facts.clone());
    }
    assert_eq!(ledger.savings().pending, 34);
    drop(release);
    ledger.flush().await;
    let savings = ledger.savings();
    assert_eq!(savings.session, savings.workspace);
    assert_eq!((savings.session.runs, savings.session.calls, savings.pending), (41, 41, 0));
    let mut kinds = [0, 0, 0];
    for facts in &flood {
        let kind = match ledger.receipt(&facts.run_id).await {
            Some((report, _)) if report.labels["code_mode.output"].starts_with("measured") => 0,
            Some(_) => 1,
            None => 2,
        };
        kinds[kind] += 1;
    }
    assert_eq!(kinds, [2, 32, 6]);
}

#[tokio::test]
async fn room_is_given_back_once_runs_are_counted() {
    let folder = tempfile::tempdir().expect("a folder");
    let ledger = Ledger::open(Options { queue_runs: 1, ..options(folder.path()) }, |_| ()).expect("it opens");
    for _ in 0..5 {
        let facts = one_call();
        ledger.record(facts.clone());
        let (report, _) = ledger.receipt(&facts.run_id).await.expect("counted");
        assert!(report.labels["code_mode.output"].starts_with("measured"));
    }
}

#[tokio::test]
async fn pathological_answers_do_not_stop_the_ledger() {
    let folder = tempfile::tempdir().expect("a folder");
    let ledger = open(folder.path());
    let blanks = " ".repeat(1_200_000);
    let facts = run(RunStatus::Ok, vec![call("fs", "read", 0, "{}", &blanks), call("fs", "read", 1, "not json", "\0")]);
    ledger.record(facts.clone());
    let (report, results) = ledger.receipt(&facts.run_id).await.expect("counted");
    assert!(results[0] > 1_000 && results[1] == 1, "{results:?}");
    assert!(report.labels["direct.results"].starts_with("estimated"));
}

#[tokio::test]
async fn a_flush_without_time_estimates_what_waits() {
    let folder = tempfile::tempdir().expect("a folder");
    let (ledger, stands, release) = held_back(options(folder.path()));
    ledger.record(one_call());
    stands.recv().expect("the worker stands");
    let facts = one_call();
    ledger.record(facts.clone());
    let mut flush = std::pin::pin!(ledger.flush_within(Duration::ZERO));
    tokio::select! {
        biased;
        () = &mut flush => panic!("the worker stands still"),
        () = async {} => drop(release),
    }
    flush.await;
    let (report, _) = ledger.receipt(&facts.run_id).await.expect("nothing is lost");
    assert!(report.labels["code_mode.output"].starts_with("estimated"), "{:?}", report.labels);
}
