//! What is charged, to which side, and how often.

use crate::support::{
    CAP, OWN, call, conversation, definition_tokens, open, options, play, run, tokens, tool, written_tokens,
};
use ledger::{Ledger, RunFacts};
use model::tokens::Baselines;
use model::{CacheOutcome, RunStatus, TokenReport, ToolDefinition};
use std::sync::Arc;

fn tools() -> [Arc<[ToolDefinition]>; 2] {
    let fs = [tool("read", "Reads a file."), tool("list", "Lists a folder, one entry a line.")];
    [fs.into(), [tool("log", "Shows the history.")].into()]
}

fn define(ledger: &Ledger) -> [Arc<[ToolDefinition]>; 2] {
    let [fs, git] = tools();
    ledger.definitions("fs", fs.clone());
    ledger.definitions("git", git.clone());
    [fs, git]
}

fn three_calls() -> RunFacts {
    let long = "a line of the file\n".repeat(100);
    let calls = vec![
        call("fs", "list", 0, r#"{"path":"."}"#, "a.txt\nb.txt"),
        call("fs", "read", 1, r#"{"path":"a.txt"}"#, "alpha"),
        call("fs", "read", 1, r#"{"path":"b.txt"}"#, &long),
    ];
    run(RunStatus::Ok, calls)
}

async fn receipt(ledger: &Ledger, facts: RunFacts) -> (TokenReport, Vec<u64>) {
    let id = facts.run_id.clone();
    ledger.record(facts);
    ledger.receipt(&id).await.expect("a recorded run has a receipt")
}

/// The sides of `three_calls`, by the other account.
fn recount(facts: &RunFacts, [fs, git]: &[Arc<[ToolDefinition]>; 2]) -> TokenReport {
    let sum = |tools: &[ToolDefinition]| tools.iter().map(definition_tokens).sum::<u64>();
    let own: Vec<serde_json::Value> = serde_json::from_str(OWN).expect("JSON");
    let own_all = tokens(&serde_json::to_string(&own).expect("JSON"));
    let cost = |n: usize| written_tokens(&facts.calls[n].record.tool, &facts.calls[n].arguments_json);
    let answer = |n: usize| tokens(&facts.calls[n].result_text).min(CAP);
    let waves = [(cost(0), answer(0)), (cost(1) + cost(2), answer(1) + answer(2))];
    let search = (written_tokens("search_tools", r#"{"query":"list read"}"#), sum(fs));
    let code = written_tokens("run_code", &facts.code_arguments);
    TokenReport {
        code_mode: play(own_all, &[(code, tokens(&facts.reply_text))]),
        direct: Baselines {
            deferred: play(tokens(&own[1].to_string()), &[search, waves[0], waves[1]]),
            all_servers: play(sum(fs) + sum(git), &waves),
            needed_servers: play(sum(fs), &waves),
        },
        ..TokenReport::default()
    }
}

#[tokio::test]
async fn a_receipt_agrees_with_an_independent_recount() {
    let folder = tempfile::tempdir().expect("a folder");
    let ledger = open(folder.path());
    let defined = define(&ledger);
    let facts = three_calls();
    let expected = recount(&facts, &defined);
    let (report, results) = receipt(&ledger, facts.clone()).await;
    assert_eq!(report.code_mode, expected.code_mode);
    assert_eq!(report.direct, expected.direct);
    let saved = i128::from(expected.direct.deferred.total) - i128::from(expected.code_mode.total);
    assert_eq!(i128::from(report.saved), saved);
    let whole: Vec<u64> = facts.calls.iter().map(|call| tokens(&call.result_text)).collect();
    assert_eq!(results, whole, "result tokens are uncapped");
    assert!(whole[2] > CAP, "the cap must have been met");
}

#[tokio::test]
async fn a_receipt_read_after_a_restart_is_the_same() {
    let folder = tempfile::tempdir().expect("a folder");
    let facts = three_calls();
    let first = open(folder.path());
    define(&first);
    let before = receipt(&first, facts.clone()).await;
    drop(first);
    let second = open(folder.path());
    assert_eq!(second.receipt(&facts.run_id).await, Some(before.clone()));
    let listed = second.runs(10).await.expect("runs can be read");
    assert_eq!(listed.len(), 1);
    assert_eq!(listed[0].tokens, Some(before.0));
    assert_eq!((listed[0].label.as_str(), listed[0].calls), ("fs.list, fs.read × 2", 3));
    assert_eq!(second.savings().session.runs, 0);
    assert_eq!(second.savings().workspace.runs, 1);
}

#[tokio::test]
async fn totals_are_the_sum_of_the_receipts() {
    let folder = tempfile::tempdir().expect("a folder");
    let ledger = open(folder.path());
    define(&ledger);
    let failed = RunFacts { status: RunStatus::Error, ..three_calls() };
    let mut receipts = Vec::new();
    for facts in [three_calls(), failed, run(RunStatus::Ok, Vec::new()), three_calls()] {
        receipts.push(receipt(&ledger, facts).await.0);
    }
    let savings = ledger.savings();
    assert_eq!(savings.session, savings.workspace);
    assert_eq!((savings.session.runs, savings.session.calls, savings.pending), (4, 9, 0));
    let sum = &savings.session.tokens;
    assert_eq!(sum.saved, receipts.iter().map(|report| report.saved).sum::<i64>());
    assert_eq!(sum.code_mode.total, receipts.iter().map(|report| report.code_mode.total).sum::<u64>());
    let peak = receipts.iter().map(|report| report.direct.deferred.peak_context).max();
    assert_eq!(Some(sum.direct.deferred.peak_context), peak);
    assert!(receipts[1].saved < 0 && receipts[2].saved < 0, "failed and empty runs are losses");
}

#[tokio::test]
async fn a_search_is_paid_for_once_by_the_next_run_of_its_conversation() {
    let folder = tempfile::tempdir().expect("a folder");
    let ledger = open(folder.path());
    let plain = receipt(&ledger, three_calls()).await.0.code_mode;
    ledger.discovery(&conversation(), r#"{"query":"read files"}"#.into(), "fs.read(path)".into());
    let other = RunFacts { conversation: "two".into(), ..three_calls() };
    assert_eq!(receipt(&ledger, other).await.0.code_mode, plain, "another conversation's run does not pay");
    let paying = receipt(&ledger, three_calls()).await.0.code_mode;
    let written = written_tokens("search_tools", r#"{"query":"read files"}"#);
    assert_eq!((paying.turns, paying.output), (plain.turns + 1, plain.output + written));
    assert_eq!(paying.results, plain.results + tokens("fs.read(path)"));
    assert_eq!(receipt(&ledger, three_calls()).await.0.code_mode, plain, "it is not paid for twice");
}

#[tokio::test]
async fn a_search_waits_for_its_run_over_a_restart() {
    let folder = tempfile::tempdir().expect("a folder");
    let first = open(folder.path());
    first.discovery(&conversation(), r#"{"query":"x"}"#.into(), "nothing".into());
    first.flush().await;
    drop(first);
    assert_eq!(receipt(&open(folder.path()), three_calls()).await.0.code_mode.turns, 3);
}

#[tokio::test]
async fn a_direct_call_saves_nothing() {
    let folder = tempfile::tempdir().expect("a folder");
    let ledger = open(folder.path());
    ledger.direct_call(1, call("fs", "read", 0, "{}", "text"));
    ledger.flush().await;
    let savings = ledger.savings();
    assert_eq!((savings.session.runs, savings.session.tokens.saved), (0, 0));
}

#[tokio::test]
async fn a_cached_repeat_within_a_run_is_not_credited_twice() {
    let folder = tempfile::tempdir().expect("a folder");
    let ledger = open(folder.path());
    define(&ledger);
    let once = receipt(&ledger, run(RunStatus::Ok, vec![call("fs", "read", 0, "{}", "text")])).await.0;
    let mut repeat = call("fs", "read", 0, "{}", "text");
    let fresh = run(RunStatus::Ok, vec![call("fs", "read", 0, "{}", "text"), repeat.clone()]);
    assert!(receipt(&ledger, fresh).await.0.direct.deferred.output > once.direct.deferred.output);
    repeat.record.cache = CacheOutcome::Joined;
    let joined = run(RunStatus::Ok, vec![call("fs", "read", 0, "{}", "text"), repeat]);
    let (report, results) = receipt(&ledger, joined).await;
    assert_eq!(report.direct, once.direct);
    assert_eq!(results.len(), 2, "it stays visible");
}

#[tokio::test]
async fn definitions_are_counted_when_asked_for_and_remembered_over_a_restart() {
    let folder = tempfile::tempdir().expect("a folder");
    let expected = tools()[0].iter().map(definition_tokens).sum::<u64>();
    let (told, mut changes) = tokio::sync::watch::channel(0_u32);
    let ledger =
        Ledger::open(options(folder.path()), move |_| told.send_modify(|times| *times += 1)).expect("it opens");
    assert_eq!(ledger.definition_tokens("fs"), None, "never listed");
    ledger.definitions("fs", tools()[0].clone());
    let counted = loop {
        if let Some(tokens) = ledger.definition_tokens("fs") {
            break tokens;
        }
        changes.changed().await.expect("the worker tells when it has counted");
    };
    assert_eq!(counted, expected);
    drop(ledger);

    let (told, mut changes) = tokio::sync::watch::channel(0_u32);
    let again = Ledger::open(options(folder.path()), move |_| told.send_modify(|times| *times += 1)).expect("it opens");
    again.definitions("fs", tools()[0].clone());
    changes.changed().await.expect("the worker tells");
    assert_eq!(again.definition_tokens("fs"), Some(expected), "known without being asked for");
}

#[tokio::test]
async fn an_unknown_run_has_no_receipt() {
    let folder = tempfile::tempdir().expect("a folder");
    assert_eq!(open(folder.path()).receipt(&"nobody".into()).await, None);
}
