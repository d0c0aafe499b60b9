//! What is dropped in time, what stays, and what becomes of a file that cannot be used.

use crate::reports::{DAY, HOUR, nth, of};
use crate::support::{open, options};
use ledger::{Ledger, Options, RunFacts};
use model::report::{AdviceKind, ReportRequest};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

fn now_ms() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970");
    u64::try_from(since.as_millis()).expect("before the end of time")
}

/// Runs of the last hundred days, one a day.
async fn fill(ledger: &Ledger) {
    for n in 0..100 {
        ledger.record(RunFacts { at_ms: now_ms() - (100 - n) * DAY + 5 * HOUR, ..nth(n) });
    }
    ledger.settled().await;
}

/// Waits until the ledger lists so many runs.
async fn listed(ledger: &Ledger, runs: impl Fn(usize) -> bool) {
    while !runs(ledger.runs(10_000).await.expect("they can be read").len()) {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn old_runs_are_dropped_and_no_total_falls() {
    let folder = tempfile::tempdir().expect("a folder");
    let keep = Duration::from_hours(24 * 50);
    let options = Options { keep, keep_hours: Duration::from_hours(24 * 20), ..options(folder.path()) };
    let ledger = Ledger::open(options.clone(), |_| ()).expect("it opens");
    fill(&ledger).await;
    let before = ledger.savings().workspace;
    listed(&ledger, |runs| runs == 50).await;
    assert_eq!(ledger.savings().workspace, before);
    let report = of(&ledger, ReportRequest { top: Some(1_000), ..ReportRequest::default() }).await;
    assert_eq!((report.total.runs, report.runs.len()), (100, 50));
    assert_eq!(report.total.tokens.saved, before.tokens.saved);
    assert!(report.total.tokens.labels["kept"].contains("given up"), "{:?}", report.total.tokens.labels);
    drop(ledger);
    let again = Ledger::open(options, |_| ()).expect("it opens");
    assert_eq!(again.savings().workspace, before);
    assert!(again.check().await.expect("it can be checked").is_empty());
}

#[tokio::test]
async fn a_ledger_over_its_size_drops_its_oldest_runs_and_keeps_the_newest() {
    let folder = tempfile::tempdir().expect("a folder");
    let ledger = Ledger::open(Options { keep_bytes: 1, ..options(folder.path()) }, |_| ()).expect("it opens");
    let nth_hour = |n: u64| RunFacts { at_ms: now_ms() - (2_000 - n) * HOUR, ..nth(n) };
    for n in 0..1_020 {
        ledger.record(nth_hour(n));
        ledger.direct_call(nth_hour(n).at_ms, crate::reports::nth_call("fs", 1));
    }
    ledger.settled().await;
    listed(&ledger, |runs| runs == 1_000).await;
    // The sums alone are larger: what is counted next makes room for itself and no more.
    ledger.record(nth_hour(1_500));
    ledger.settled().await;
    listed(&ledger, |runs| runs == 1_000).await;
    let report = of(&ledger, ReportRequest::default()).await;
    assert_eq!((report.total.runs, ledger.savings().workspace.runs), (1_021, 1_021));
    assert_eq!(report.total.asides.expect("always given").direct_calls, 1_020);
    assert!(report.total.tokens.labels["kept"].contains("the newest 1,000 never for their size"));
    let database = rusqlite::Connection::open(options(folder.path()).path).expect("it opens");
    let direct = "SELECT COUNT(*) FROM calls WHERE run_id IS NULL";
    while database.query_row(direct, [], |row| row.get::<_, u64>(0)).expect("a number") != 1_000 {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn where_hours_were_given_up_a_period_is_of_whole_days() {
    let folder = tempfile::tempdir().expect("a folder");
    let keep_hours = Duration::from_hours(24 * 20);
    let ledger = Ledger::open(Options { keep_hours, ..options(folder.path()) }, |_| ()).expect("it opens");
    fill(&ledger).await;
    let (since_ms, until_ms) = (Some(now_ms() - 60 * DAY), Some(now_ms() - 58 * DAY));
    let request = ReportRequest { since_ms, until_ms, ..ReportRequest::default() };
    loop {
        let total = of(&ledger, request.clone()).await.total;
        if total.since_ms % DAY == 0 && total.until_ms % DAY == 0 {
            assert_eq!(total.runs, 3);
            break;
        }
    }
    // What comes late is in the days, and in no hour that nobody would drop.
    ledger.record(RunFacts { at_ms: now_ms() - 59 * DAY, ..nth(1) });
    ledger.settled().await;
    assert_eq!(of(&ledger, request).await.total.runs, 4);
    let database = rusqlite::Connection::open(crate::support::options(folder.path()).path).expect("it opens");
    for table in ["run_sums", "call_sums"] {
        let sql = format!("SELECT COUNT(*) FROM {table} WHERE step = 0 AND at_ms < (SELECT hours_since_ms FROM kept)");
        while database.query_row(&sql, [], |row| row.get::<_, u64>(0)).expect("a number") > 0 {
            tokio::task::yield_now().await;
        }
    }
}

#[tokio::test]
async fn a_ledger_that_cannot_be_written_counts_in_memory_and_says_so() {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::create_dir(options(folder.path()).path).expect("a folder in the way");
    let ledger = open(folder.path());
    assert!(ledger.problem().is_some_and(|problem| problem.contains("in memory only")), "{:?}", ledger.problem());
    fill(&ledger).await;
    let report = of(&ledger, ReportRequest::default()).await;
    assert_eq!((report.total.runs, report.runs.len()), (100, 20));
    assert!(report.problem.is_some());
}

#[tokio::test]
async fn damage_between_the_pages_is_found_after_the_start() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = options(folder.path()).path;
    let ledger = open(folder.path());
    fill(&ledger).await;
    assert!(ledger.check().await.expect("it can be checked").is_empty());
    ledger.flush().await;
    drop(ledger);
    while std::fs::exists(folder.path().join("ledger.db-wal")).expect("a folder") {
        std::thread::yield_now();
    }
    let mut bytes = std::fs::read(&path).expect("a database");
    let last = bytes.len() - 20 * 4_096;
    bytes[last..].fill(0x55);
    std::fs::write(&path, bytes).expect("written");
    let ledger = open(folder.path());
    let said = loop {
        match ledger.problem().filter(|problem| problem.contains("taken over")) {
            Some(said) => break said,
            None => tokio::task::yield_now().await,
        }
    };
    let saved =
        said.split("; ").find_map(|part| part.split_once(" run").and_then(|(runs, _)| runs.parse::<u64>().ok()));
    let saved = saved.expect("it says how many");
    fill(&ledger).await;
    assert_eq!(of(&ledger, ReportRequest::default()).await.total.runs, saved + 100);
    let kept = std::fs::read_dir(folder.path())
        .expect("a folder")
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    assert_eq!(
        kept.filter(|name| name.starts_with("ledger.db.corrupt-")
            && !name.ends_with("-wal")
            && !name.ends_with("-shm"))
            .count(),
        1
    );
}

#[tokio::test]
async fn advice_names_lone_calls_repeated_programs_and_idle_servers() {
    let folder = tempfile::tempdir().expect("a folder");
    let ledger = open(folder.path());
    ledger.definitions("idle", [crate::support::tool("wait", "Waits.")].into());
    ledger.definition_tokens("idle");
    ledger.definitions("fs", [crate::support::tool("read", "Reads.")].into());
    ledger.definition_tokens("fs");
    for n in 0..12 {
        let lone = crate::support::call("fs", "read", 0, r#"{"path":"a"}"#, &format!("short {n}"));
        let run = crate::support::run(model::RunStatus::Ok, vec![lone]);
        let at_ms = now_ms() - HOUR;
        let code = "a program longer than the call itself ".repeat(n / 4 + 8);
        let code_arguments = format!(r#"{{"code":"{code}","input":{n}}}"#).into();
        let program = blake3::hash(code.as_bytes());
        ledger.record(RunFacts { front: "mcp".to_owned(), at_ms, code_arguments, program, ..run });
    }
    ledger.settled().await;
    let report = of(&ledger, ReportRequest::default()).await;
    let of_kind = |kind| report.advice.iter().filter(move |advice| advice.kind == kind);
    let directly = of_kind(AdviceKind::CallDirectly).next().expect("twelve lone calls that lost");
    assert_eq!((directly.tool.as_deref(), directly.times), (Some("read"), 12));
    assert_eq!(directly.tokens, u64::try_from(-report.total.tokens.saved).expect("a loss"));
    // Twelve runs of two prompts each, every one with the definition.
    let read = report.definitions.iter().find(|it| it.tool == "read").expect("it is offered");
    assert_eq!(directly.cost_tokens, Some(24 * read.tokens));
    assert!(directly.text.contains("in 24 prompts"), "{}", directly.text);
    assert_eq!(of_kind(AdviceKind::SaveAsSkill).map(|advice| advice.times).collect::<Vec<_>>(), [4, 4, 4]);
    let idle = of_kind(AdviceKind::UnusedServer).next().expect("nobody used it");
    let definition = report.definitions.iter().find(|it| it.server == "idle").expect("it is offered");
    assert_eq!((definition.server.as_str(), definition.tool.as_str(), definition.calls), ("idle", "wait", 0));
    assert_eq!(idle.tokens, definition.tokens * u64::from(report.total.tokens.direct.all_servers.turns));
    assert!(report.advice.iter().all(|advice| advice.text.ends_with('.')), "{:?}", report.advice);
}
