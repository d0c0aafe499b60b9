//! Reports against the runs that they are over.

#![expect(clippy::cast_possible_truncation, clippy::cast_precision_loss, reason = "there are some hundred runs")]

use crate::support::{call, open, run, tokens};
use ledger::{CallFacts, Ledger, RunFacts};
use model::render::RenderRequest;
use model::report::{ReportFilter, ReportRequest, SavingsReport};
use model::{CacheOutcome, CallStatus, Language, RunStatus};
use std::cmp::Reverse;

pub(crate) const HOUR: u64 = 3_600_000;
pub(crate) const DAY: u64 = 24 * HOUR;
/// A day's begin.
const START: u64 = 19_000 * DAY;

/// A run of each kind: language, end, tag, servers and time vary with `n`.
pub(crate) fn nth(n: u64) -> RunFacts {
    let servers = ["fs", "git", "web"];
    let calls = (0..n % 4).map(|position| nth_call(servers[(n as usize + position as usize) % 3], n + position));
    let status = if n % 7 == 3 { RunStatus::Error } else { RunStatus::Ok };
    RunFacts {
        at_ms: START + n * 7 * HOUR + n * 1_000,
        language: if n.is_multiple_of(3) { Language::TypeScript } else { Language::Python },
        wall_ms: n as f64,
        tags: [format!("person={}", if n.is_multiple_of(2) { "ann" } else { "bob" })].into(),
        direct_tools: [].into(),
        ..run(status, calls.collect())
    }
}

pub(crate) fn nth_call(server: &str, n: u64) -> CallFacts {
    let tool = if n.is_multiple_of(2) { "read" } else { "list" };
    let mut call = call(server, tool, 0, &format!(r#"{{"n":{n}}}"#), &"word ".repeat(n as usize));
    call.record.ms = n as f64;
    if n.is_multiple_of(5) {
        call.record.status = CallStatus::Error;
    }
    if n.is_multiple_of(6) {
        call.record.cache = CacheOutcome::Hit;
    }
    call
}

fn configured() -> Vec<String> {
    ["fs", "git", "web", "idle"].map(str::to_owned).into()
}

pub(crate) async fn of(ledger: &Ledger, request: ReportRequest) -> SavingsReport {
    ledger.report(request, configured()).await.expect("a report")
}

async fn filled(ledger: &Ledger, runs: u64) -> Vec<RunFacts> {
    let runs: Vec<RunFacts> = (0..runs).map(nth).collect();
    runs.iter().cloned().for_each(|run| ledger.record(run));
    ledger.settled().await;
    runs
}

/// Whether a run is like that.
fn is_like(run: &RunFacts, only: &ReportFilter) -> bool {
    let called = |call: &CallFacts| {
        only.server.as_ref().is_none_or(|server| *server == call.record.server)
            && only.tool.as_ref().is_none_or(|tool| *tool == call.record.tool)
    };
    only.language.as_ref().is_none_or(|language| language == run.language.as_str())
        && only.front.as_ref().is_none_or(|front| *front == run.front)
        && only.status.is_none_or(|status| status == run.status)
        && only.tag.as_ref().is_none_or(|tag| run.tags.contains(tag))
        && (only.server.is_none() && only.tool.is_none() || run.calls.iter().any(called))
}

#[tokio::test]
async fn every_period_and_narrowing_agrees_with_its_runs() {
    let folder = tempfile::tempdir().expect("a folder");
    let ledger = open(folder.path());
    let runs = filled(&ledger, 300).await;
    let filters = [
        ReportFilter::default(),
        ReportFilter { server: Some("git".to_owned()), ..ReportFilter::default() },
        ReportFilter { tool: Some("read".to_owned()), ..ReportFilter::default() },
        ReportFilter { server: Some("fs".to_owned()), tool: Some("list".to_owned()), ..ReportFilter::default() },
        ReportFilter { language: Some("typescript".to_owned()), ..ReportFilter::default() },
        ReportFilter { status: Some(RunStatus::Error), ..ReportFilter::default() },
        ReportFilter { tag: Some("person=bob".to_owned()), server: Some("web".to_owned()), ..ReportFilter::default() },
        ReportFilter { front: Some("mcp".to_owned()), ..ReportFilter::default() },
        ReportFilter {
            front: Some("lsp".to_owned()),
            tag: Some("person=ann".to_owned()),
            tool: Some("read".to_owned()),
            ..ReportFilter::default()
        },
        ReportFilter { tag: Some("person=nobody".to_owned()), ..ReportFilter::default() },
    ];
    let periods = [(0, 90 * 24), (5, 30), (26, 24 * 33 + 7), (24 * 40, 24 * 60), (24 * 200, 24 * 201)];
    for only in filters {
        for (since, until) in periods {
            let (since_ms, until_ms) = (START + since * HOUR, START + until * HOUR);
            let request = ReportRequest {
                since_ms: Some(since_ms),
                until_ms: Some(until_ms),
                only: only.clone(),
                top: Some(1_000),
                ..ReportRequest::default()
            };
            let report = of(&ledger, request).await;
            let within = |run: &&RunFacts| (since_ms..until_ms).contains(&run.at_ms) && is_like(run, &only);
            let expected: Vec<&RunFacts> = runs.iter().filter(within).collect();
            assert_agrees(&report, &expected, &only);
        }
    }
}

fn assert_agrees(report: &SavingsReport, expected: &[&RunFacts], only: &ReportFilter) {
    let total = &report.total;
    assert_eq!(total.runs, expected.len() as u64, "{only:?}");
    let mut listed: Vec<&str> = report.runs.iter().map(|run| run.run_id.as_str()).collect();
    let mut ids: Vec<&str> = expected.iter().rev().map(|run| run.run_id.as_str()).collect();
    assert_eq!(listed, ids, "the newest first, {only:?}");
    listed.sort_unstable();
    ids.sort_unstable();
    let failed = expected.iter().filter(|run| run.status != RunStatus::Ok).count();
    assert_eq!((total.failed_runs, report.failed.len()), (failed as u64, failed));
    let saved: i64 = report.runs.iter().map(|run| run.tokens.as_ref().expect("counted").saved).sum();
    assert_eq!(total.tokens.saved, saved, "{only:?}");
    let taken = |call: &&CallFacts| {
        only.server.as_ref().is_none_or(|server| *server == call.record.server)
            && only.tool.as_ref().is_none_or(|tool| *tool == call.record.tool)
    };
    let calls: Vec<&CallFacts> = expected.iter().flat_map(|run| &run.calls).filter(taken).collect();
    assert_eq!(total.calls, calls.len() as u64, "{only:?}");
    let of_status = |status| calls.iter().filter(|call| call.record.status == status).count() as u64;
    assert_eq!(total.failed_calls, of_status(CallStatus::Error));
    let cached = calls.iter().filter(|call| call.record.cache != CacheOutcome::Miss).count() as u64;
    assert_eq!(total.cached_calls, cached);
    assert_eq!(report.servers.iter().map(|group| group.calls).sum::<u64>(), total.calls);
    assert_eq!(report.tools.iter().map(|group| group.result_tokens).sum::<u64>(), total.result_tokens);
    let mut largest: Vec<u64> = calls.iter().map(|call| tokens(&call.result_text)).collect();
    largest.sort_unstable_by_key(|tokens| Reverse(*tokens));
    assert_eq!(largest.iter().sum::<u64>(), total.result_tokens);
    largest.truncate(100);
    assert_eq!(report.results.iter().map(|call| call.result_tokens).collect::<Vec<_>>(), largest, "{only:?}");
    assert_eq!(report.series.iter().map(|step| step.runs).sum::<u64>(), total.runs);
    for groups in [&report.languages, &report.fronts, &report.statuses] {
        assert_eq!(groups.iter().map(|group| group.runs).sum::<u64>(), total.runs);
    }
    let tagged = report.tags.iter().map(|group| group.runs).sum::<u64>();
    assert_eq!(tagged, total.runs, "each run has one tag");
}

#[tokio::test]
async fn an_open_period_is_made_definite_and_compared_with_the_one_before() {
    let folder = tempfile::tempdir().expect("a folder");
    let ledger = open(folder.path());
    assert_eq!(of(&ledger, ReportRequest::default()).await.total.runs, 0);
    filled(&ledger, 60).await;
    let all = of(&ledger, ReportRequest::default()).await;
    assert_eq!((all.total.runs, all.total.since_ms, all.step_ms), (60, START, DAY));
    assert_eq!(all.runs.len(), 20, "the default length of a list");
    let (since_ms, until_ms) = (Some(START + 7 * DAY + 5), Some(START + 14 * DAY));
    let week = of(&ledger, ReportRequest { since_ms, until_ms, compare: true, ..ReportRequest::default() }).await;
    let before = week.before.expect("asked for");
    assert_eq!((week.total.since_ms, week.step_ms), (START + 7 * DAY, HOUR));
    assert_eq!((before.since_ms, before.until_ms, before.runs), (START, START + 7 * DAY, 24));
    let wrong = ReportRequest { since_ms: until_ms, until_ms: since_ms, ..ReportRequest::default() };
    assert!(
        ledger.report(wrong, configured()).await.expect_err("it ends before it begins").to_string().contains("before")
    );
    let tag = ReportFilter { tag: Some("ann".to_owned()), ..ReportFilter::default() };
    let wrong = ledger.report(ReportRequest { only: tag, ..ReportRequest::default() }, configured()).await;
    assert!(wrong.expect_err("no tag").to_string().contains("key=value"));
}

#[tokio::test]
async fn a_call_of_a_front_is_in_no_sum_of_runs_and_a_runs_calls_are_listed() {
    let folder = tempfile::tempdir().expect("a folder");
    let ledger = open(folder.path());
    ledger.direct_call(START, nth_call("fs", 4));
    let runs = filled(&ledger, 8).await;
    let report = of(&ledger, ReportRequest { since_ms: Some(START), ..ReportRequest::default() }).await;
    assert_eq!(report.total.calls, runs.iter().map(|run| run.calls.len() as u64).sum::<u64>());
    let asides = report.total.asides.expect("always given");
    let call =
        &ledger.export(model::ledger::ExportFormat::Jsonl, 0, Some("direct:0".to_owned())).await.expect("a part");
    assert_eq!((asides.direct_calls, call.text.lines().count()), (1, 1));
    let lost = report.failed.iter().map(|run| run.tokens.as_ref().expect("counted").code_mode.total).sum::<u64>();
    assert_eq!((asides.failed_tokens, asides.searches), (lost, 0));
    assert!(lost > 0 && asides.direct_tokens > 0);
    let calls = ledger.run_calls(&runs[7].run_id).await.expect("calls");
    let tools: Vec<&str> = calls.iter().map(|call| call.tool.as_str()).collect();
    assert_eq!((tools, calls[0].ms), (vec!["list", "read", "list"], 7.0));
    assert!(ledger.run_calls(&"nobody".into()).await.expect("none").is_empty());
}

#[tokio::test]
async fn calls_without_a_program_are_in_the_report_over_all_time_though_no_run_is_as_old() {
    let folder = tempfile::tempdir().expect("a folder");
    let ledger = open(folder.path());
    ledger.direct_call(START + HOUR, nth_call("fs", 4));
    ledger.settled().await;
    let report = of(&ledger, ReportRequest::default()).await;
    assert_eq!((report.total.since_ms, report.total.runs), (START + HOUR, 0));
    assert_eq!(report.total.asides.as_ref().expect("always given").direct_calls, 1);
    let text = ledger::render(&report, &RenderRequest::default());
    assert!(text.contains("No program of this period is counted. 1 call was made without one"), "{text}");
    ledger.record(RunFacts { at_ms: START + DAY, ..nth(1) });
    ledger.settled().await;
    let report = of(&ledger, ReportRequest::default()).await;
    assert_eq!((report.total.since_ms, report.total.runs), (START + HOUR, 1));
    assert_eq!(report.total.asides.expect("always given").direct_calls, 1);
}

#[tokio::test]
async fn tags_are_bounded() {
    let folder = tempfile::tempdir().expect("a folder");
    let ledger = open(folder.path());
    let tags: Vec<String> = (0..20).map(|n| format!("k{n}={}", "v".repeat(200))).collect();
    ledger.record(RunFacts { tags: tags.into(), ..nth(0) });
    ledger.record(RunFacts { tags: ["no value".to_owned(), "a=b\nc".to_owned()].into(), ..nth(1) });
    ledger.settled().await;
    let report = of(&ledger, ReportRequest::default()).await;
    assert_eq!(report.tags.len(), ledger::TAGS_MAX + 1);
    assert!(report.tags.iter().all(|group| group.key.chars().count() <= ledger::TAG_CHARS));
    assert!(report.tags.iter().any(|group| group.key == "a=bc"), "{:?}", report.tags);
}

#[tokio::test]
async fn labels_are_bounded_and_say_that_there_is_more() {
    let folder = tempfile::tempdir().expect("a folder");
    let ledger = open(folder.path());
    let calls = (0..40).map(|n| call("fs", &format!("read_{n}"), 0, "{}", "")).collect();
    ledger.record(run(RunStatus::Ok, calls));
    ledger.record(RunFacts { name: Some("é".repeat(500)), ..nth(0) });
    ledger.record(RunFacts { name: Some("\n1 + 1".to_owned()), ..nth(4) });
    ledger.settled().await;
    let mut labels = Vec::new();
    for run in ledger.runs(10).await.expect("they can be read") {
        assert!(run.label.chars().count() <= ledger::LABEL_CHARS, "{}", run.label);
        labels.push(run.label);
    }
    labels.sort_unstable();
    assert!(labels[0].starts_with("fs.read_0, fs.read_1, ") && labels[0].ends_with(", …"), "{}", labels[0]);
    assert_eq!(labels[1..], ["no calls".to_owned(), "é".repeat(ledger::LABEL_CHARS)]);
}
