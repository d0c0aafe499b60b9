//! How a run's figures came about: turns that add up to the receipt, and why.

use crate::support::{OWN, call, conversation, open, options, run, tool};
use ledger::{CallFacts, Ledger, RunFacts, TURNS_MAX};
use model::RunStatus;
use model::explain::{Explanation, SideExplanation};
use model::report::Price;

fn define(ledger: &Ledger) {
    ledger.definitions("fs", [tool("read", "Reads a file."), tool("list", "Lists a folder.")].into());
    ledger.definitions("git", [tool("log", "Shows the history.")].into());
}

fn price() -> Price {
    Price { model: "house-1".into(), input: 2.0, output: 10.0, cache_read: 0.2, cache_write: 2.5, ..Price::default() }
}

async fn explained(ledger: &Ledger, facts: RunFacts) -> Explanation {
    let id = facts.run_id.clone();
    ledger.record(facts);
    ledger.explain(Some(&id), &price()).await.expect("it is read").expect("there is such a run")
}

fn reads(number: u32, answer: &str) -> Vec<CallFacts> {
    (0..number).map(|wave| call("fs", "read", wave, r#"{"path":"a.txt"}"#, answer)).collect()
}

/// The turns by themselves give the side's sums, and each prompt follows from the one before it.
fn assert_adds_up(side: &SideExplanation) {
    let sum = |of: fn(&model::explain::TurnTokens) -> u64| side.turns.iter().map(of).sum::<u64>();
    assert_eq!(side.turns.len(), side.tokens.turns as usize);
    assert_eq!(sum(|turn| turn.prompt) + sum(|turn| turn.output), side.tokens.total);
    assert_eq!(sum(|turn| turn.cached), side.tokens.cacheable);
    for pair in side.turns.windows(2).filter(|pair| !pair[1].compacted) {
        assert_eq!(pair[1].prompt, pair[0].prompt + pair[0].output + pair[0].results);
    }
}

#[tokio::test]
async fn every_turn_of_every_side_adds_up_to_the_receipt() {
    let folder = tempfile::tempdir().expect("a folder");
    let ledger = open(folder.path());
    define(&ledger);
    ledger.discovery(&conversation(), r#"{"query":"read"}"#.into(), "fs.read(path)".into());
    let long = "a line of the file\n".repeat(100);
    let mut calls = reads(2, &long);
    calls.push(call("git", "log", 1, "{}", "one commit"));
    let it = explained(&ledger, run(RunStatus::Ok, calls)).await;
    let receipt = it.run.tokens.clone().expect("counted");
    assert_eq!((&it.code_mode.tokens, &it.deferred.tokens), (&receipt.code_mode, &receipt.direct.deferred));
    [&it.code_mode, &it.deferred, &it.all_servers, &it.needed_servers].into_iter().for_each(assert_adds_up);
    let what = |side: &SideExplanation| side.turns.iter().map(|turn| turn.what.clone()).collect::<Vec<_>>();
    assert_eq!(what(&it.code_mode), ["search_tools", "run_code: the program", "the answer"]);
    assert_eq!(what(&it.deferred), ["the host's tool search", "fs.read", "fs.read, git.log", "the answer"]);
    assert_eq!((it.calls.len(), it.calls[0].entered_tokens, it.cap_tokens), (3, 50, Some(50)));
    assert!(it.calls[0].result_tokens > 50 && it.notes.is_empty(), "{:?}", it.notes);
    for part in
        ["# How the tokens of run", "## Direct, definitions deferred: sum P", "## In dollars, estimated", "house-1"]
    {
        assert!(it.text.contains(part), "{part} is not in {}", it.text);
    }
    // The same again from the database alone, and without a name: it is the newest.
    drop(ledger);
    let again = open(folder.path()).explain(None, &price()).await.expect("it is read");
    assert_eq!(again, Some(it));
}

#[tokio::test]
async fn a_loss_says_what_it_comes_from() {
    let folder = tempfile::tempdir().expect("a folder");
    // Own tools of some 300 tokens, as the real ones: a small call does not pay for them.
    let own = OWN.replace("Run one program.", &"Run one program over all tools. ".repeat(50));
    let ledger = Ledger::open(ledger::Options { own_definitions: own.into(), ..options(folder.path()) }, |_| ());
    let ledger = ledger.expect("it opens");
    define(&ledger);
    let small = explained(&ledger, run(RunStatus::Ok, reads(1, "42"))).await;
    assert!(small.run.tokens.as_ref().is_some_and(|tokens| tokens.saved < 0), "{small:?}");
    assert!(small.why.starts_with("One call: calling directly would have cost "), "{}", small.why);
    assert!(small.why.contains(" tokens less, because our two tools' definitions ("), "{}", small.why);
    let failed = explained(&ledger, run(RunStatus::Error, reads(1, "42"))).await;
    assert!(failed.why.starts_with("The run ended with `error`: nothing is credited"), "{}", failed.why);
    assert!(failed.deferred.turns.is_empty() && failed.notes.is_empty());
    let idle = explained(&ledger, run(RunStatus::Ok, Vec::new())).await;
    assert!(idle.why.starts_with("The program called no tool"), "{}", idle.why);
    let large = explained(&ledger, run(RunStatus::Ok, reads(40, &"word ".repeat(60)))).await;
    assert!(
        large.why.starts_with("Calling directly would have cost ") && large.why.contains("42 turns in place of 2"),
        "{}",
        large.why
    );
}

#[tokio::test]
async fn a_program_that_returns_more_than_it_was_answered_is_told() {
    let folder = tempfile::tempdir().expect("a folder");
    let ledger = open(folder.path());
    define(&ledger);
    let mut parrot = run(RunStatus::Ok, reads(1, "42"));
    parrot.reply_text = "42 and much more than was asked for ".repeat(20).into();
    let parrot = explained(&ledger, parrot).await;
    assert!(parrot.why.contains("the program returned 50 tokens of 1 token of answers"), "{}", parrot.why);
}

#[tokio::test]
async fn thousands_of_calls_in_a_row_are_bounded_by_turns_and_the_window() {
    let folder = tempfile::tempdir().expect("a folder");
    let small_window = ledger::Options { context_tokens: 2_000, ..options(folder.path()) };
    let ledger = Ledger::open(small_window, |_| ()).expect("it opens");
    define(&ledger);
    let it = explained(&ledger, run(RunStatus::Ok, reads(1_500, "nine small words that a tool may well answer"))).await;
    assert_eq!(it.all_servers.turns.len(), TURNS_MAX + 1);
    [&it.deferred, &it.all_servers].into_iter().for_each(assert_adds_up);
    assert!(
        it.all_servers.turns.iter().all(|turn| turn.prompt <= 2_000)
            && it.all_servers.turns[30].what.contains("15 × fs.read (15 waves)")
    );
    assert!(it.all_servers.turns.iter().any(|turn| turn.compacted));
    let labels = &it.run.tokens.as_ref().expect("counted").labels;
    let label = &labels["direct.all_servers"];
    assert!(
        label.contains("1,500 waves counted as 100 turns") && label.contains("compacted at the window of 2,000"),
        "{label}"
    );
    assert_eq!((it.calls.len(), it.calls_left_out, it.window_tokens), (1_000, 500, Some(2_000)));
    assert!(it.text.contains("1,490 calls more") && it.text.lines().count() < 200, "{}", it.text);
}

#[tokio::test]
async fn without_a_run_there_is_nothing_to_explain() {
    let folder = tempfile::tempdir().expect("a folder");
    let ledger = open(folder.path());
    assert_eq!(ledger.explain(None, &price()).await.expect("it is read"), None);
    assert_eq!(ledger.explain(Some(&model::RunId::new()), &price()).await.expect("it is read"), None);
}
