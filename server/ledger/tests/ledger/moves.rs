//! Runs and calls taken out of one ledger and into another.

use crate::reports::{nth, nth_call, of};
use crate::support::{call, open, run};
use ledger::{Error, Ledger, Options, RunFacts};
use model::RunStatus;
use model::ledger::{ExportFormat, Imported};
use model::report::{ReportRequest, SavingsReport};
use std::path::Path;

async fn exported(ledger: &Ledger, format: ExportFormat, since_ms: u64) -> String {
    let (mut text, mut after) = (String::new(), None);
    loop {
        let part = ledger.export(format, since_ms, after).await.expect("a part");
        text.push_str(&part.text);
        after = part.next;
        if after.is_none() {
            return text;
        }
    }
}

/// A report without what depends on when and where it was made.
async fn comparable(ledger: &Ledger) -> SavingsReport {
    let request = ReportRequest { until_ms: Some(1 << 42), top: Some(1_000), ..ReportRequest::default() };
    SavingsReport { at_ms: 0, definitions: Vec::new(), ..of(ledger, request).await }
}

async fn import(ledger: &Ledger, folder: &Path, text: &str) -> Result<Imported, Error> {
    let file = folder.join("lines.jsonl");
    std::fs::write(&file, text).expect("written");
    ledger.import(file).await
}

#[tokio::test]
async fn what_is_taken_out_and_in_reports_the_same_and_twice_changes_nothing() {
    let (one, other) = (tempfile::tempdir().expect("a folder"), tempfile::tempdir().expect("a folder"));
    let ledger = open(one.path());
    for n in 0..450 {
        ledger.record(nth(n));
    }
    ledger.record(RunFacts { name: Some("=a \"label\", with commas".to_owned()), ..nth(450) });
    ledger.direct_call(nth(3).at_ms, nth_call("fs", 4));
    ledger.settled().await;
    let text = exported(&ledger, ExportFormat::Jsonl, 0).await;
    assert_eq!(text.lines().count(), 1 + 451 + 1);
    let copy = open(other.path());
    let calls = (0..451).map(|n| nth(n).calls.len() as u64).sum::<u64>() + 1;
    let all = Imported { runs: 451, calls, skipped: 0 };
    assert_eq!(import(&copy, other.path(), &text).await.expect("sound lines"), all);
    let expected = comparable(&ledger).await;
    assert_eq!(comparable(&copy).await, expected);
    let again = import(&copy, other.path(), &text).await.expect("sound lines");
    assert_eq!(again, Imported { runs: 0, calls: 0, skipped: 452 });
    assert_eq!(comparable(&copy).await, expected);
    assert_eq!(exported(&copy, ExportFormat::Jsonl, 0).await, text);
    copy.settled().await;
    assert_eq!(open(other.path()).savings().workspace, ledger.savings().workspace);
    let later = exported(&ledger, ExportFormat::Jsonl, nth(440).at_ms).await;
    assert_eq!(later.lines().count(), 1 + 11);
    let csv = exported(&ledger, ExportFormat::Csv, 0).await;
    assert_eq!(csv.lines().count(), 1 + 451);
    assert!(csv.contains(r#""'=a ""label"", with commas""#), "no formula, and one field");
}

#[tokio::test]
async fn a_wrong_line_is_named_and_nothing_is_taken_in() {
    let folder = tempfile::tempdir().expect("a folder");
    let ledger = open(folder.path());
    ledger.record(run(RunStatus::Ok, vec![call("fs", "read", 0, "{}", "some text")]));
    ledger.settled().await;
    let text = exported(&ledger, ExportFormat::Jsonl, 0).await;
    let other = tempfile::tempdir().expect("a folder");
    let copy = open(other.path());
    let line = text.lines().nth(1).expect("a run");
    let changed = |from: &str, to: &str| {
        assert!(line.contains(from), "{line} has no {from}");
        format!("{{\"ledger\":1}}\n{line}\n{}\n", line.replace(from, to))
    };
    for (text, number, says) in [
        (String::new(), 1, "empty"),
        ("run_id,at_ms\n".to_owned(), 1, "expected"),
        (format!("{line}\n"), 1, "first line"),
        ("{\"ledger\":9}\n".to_owned(), 1, "form is 9"),
        (format!("{text}{{\"ledger\":1}}\n"), 3, "only the first line"),
        (changed("\"python\"", "\"cobol\""), 3, "no language"),
        (changed("\"miss\"", "\"lost\""), 3, "nothing that a cache does"),
        (changed("\"o200k_base\",\"tags\"", "\"gpt2\",\"tags\""), 3, "no encoding"),
        (changed("\"tags\":[]", "\"tags\":[\"lonely\"]"), 3, "key=value"),
        (changed("\"wall_ms\":12.5", "\"wall_ms\":-1.0"), 3, "no time"),
        (changed("\"label\":", "\"password\":"), 3, "password"),
        (changed("\"search_tokens\":0", "\"search_tokens\":274877906945"), 3, "more than any number"),
        (changed("\"result_bytes\":9", "\"result_bytes\":9007199254740992"), 3, "more than any number"),
        (changed("\"turns\":2", "\"turns\":3000000000"), 3, "turns"),
        (changed("\"calls_made\":1", "\"calls_made\":2"), 3, "made 2 calls and lists 1"),
        (changed("\"at_ms\":1700000000000", "\"at_ms\":1700000000000000"), 3, "year 9999"),
        (changed("\"window_tokens\":200000", "\"window_tokens\":18446744073709551615"), 3, "window"),
    ] {
        let refused = import(&copy, other.path(), &text).await.expect_err("a wrong line").to_string();
        assert!(refused.contains(&format!("line {number}:")) && refused.contains(says), "{refused}");
        assert_eq!(copy.savings().workspace.runs, 0);
        assert!(copy.runs(10).await.expect("they can be read").is_empty(), "{says}");
    }
    let absent = copy.import(other.path().join("absent")).await.expect_err("no file").to_string();
    assert!(absent.contains("absent"), "{absent}");
}

#[tokio::test]
async fn figures_of_two_encodings_are_said_to_be_mixed() {
    let folder = tempfile::tempdir().expect("a folder");
    let text = "Zwei Boxkämpfer jagen Eva quer über den großen Sylter Deich.";
    let mut results = Vec::new();
    for encoding in [ledger::Encoding::O200k, ledger::Encoding::Cl100k] {
        let options = ledger::Options { encoding, ..crate::support::options(folder.path()) };
        let ledger = Ledger::open(options, |_| ()).expect("it opens");
        let facts = run(RunStatus::Ok, vec![call("fs", "read", 0, "{}", text)]);
        ledger.record(facts.clone());
        let (report, tokens) = ledger.receipt(&facts.run_id).await.expect("counted");
        assert_eq!(report.encoding, encoding.name());
        assert!(report.labels["encoding"].contains(encoding.name()));
        results.push(tokens[0]);
    }
    assert_eq!(results[0], crate::support::tokens(text));
    assert_eq!(results[1], tiktoken_rs::cl100k_base_singleton().count_ordinary(text) as u64);
    let total = of(&open(folder.path()), ReportRequest::default()).await.total.tokens;
    assert_eq!(total.encoding, "mixed");
    assert!(total.labels["encoding"].contains("1 run in cl100k_base, 1 run in o200k_base"), "{:?}", total.labels);
}

#[tokio::test]
async fn calls_of_fronts_that_were_given_up_are_not_taken_in_again() {
    let (one, other) = (tempfile::tempdir().expect("a folder"), tempfile::tempdir().expect("a folder"));
    let whole = open(one.path());
    let keep = std::time::Duration::from_hours(24);
    let short = Options { keep, ..crate::support::options(other.path()) };
    let short = Ledger::open(short, |_| ()).expect("it opens");
    for ledger in [&whole, &short] {
        ledger.direct_call(nth(3).at_ms, nth_call("fs", 4));
        ledger.settled().await;
    }
    let text = exported(&whole, ExportFormat::Jsonl, 0).await;
    while exported(&short, ExportFormat::Jsonl, 0).await.lines().count() > 1 {
        tokio::task::yield_now().await;
    }
    let again = import(&short, other.path(), &text).await.expect("sound lines");
    assert_eq!(again, Imported { runs: 0, calls: 0, skipped: 1 });
    let request = ReportRequest { since_ms: Some(0), ..ReportRequest::default() };
    assert_eq!(of(&short, request).await.total.asides.expect("always given").direct_calls, 1);
}

#[tokio::test]
async fn no_lines_that_are_taken_in_make_sums_that_cannot_be_read() {
    let folder = tempfile::tempdir().expect("a folder");
    let ledger = open(folder.path());
    let facts = run(RunStatus::Ok, vec![call("fs", "read", 0, "{}", "some text")]);
    ledger.record(facts.clone());
    ledger.settled().await;
    let text = exported(&ledger, ExportFormat::Jsonl, 0).await;
    let (form, line) = text.trim_end().split_once('\n').expect("a form and a run");
    let large = line
        .replace("\"turns\":2", "\"turns\":1000000")
        .replace("\"search_tokens\":0", "\"search_tokens\":274877906944");
    let runs = 4_300;
    let lines = (0..runs).map(|n| large.replace(facts.run_id.as_str(), &n.to_string()) + "\n").collect::<String>();
    let imported = import(&ledger, folder.path(), &format!("{form}\n{lines}")).await.expect("sound lines");
    assert_eq!(imported.runs, runs);
    ledger.settled().await;
    drop(ledger);
    let again = open(folder.path());
    let all = again.savings().workspace;
    assert_eq!((all.runs, all.tokens.code_mode.turns), (runs + 1, u32::MAX));
    let report = of(&again, ReportRequest::default()).await;
    assert_eq!((report.total.runs, report.total.tokens.code_mode.turns), (runs + 1, u32::MAX));
}
