//! What the ledger itself costs: `cargo run --release -p ledger --example cost`.
//!
//! Prints the time of opening, of `record` on the caller's side (runs without calls and with up to 100; and after a pause,
//! when the worker sleeps and must be woken), of the first count (which loads the tokenizer), of counting in bulk, and the
//! memory held after each.

use ledger::{CallFacts, Found, Ledger, Options, RunFacts};
use model::{CacheOutcome, CallRecord, CallStatus, Language, RunId, RunStatus};
use std::time::{Duration, Instant};

const OWN: &str = r#"[{"name":"run_code","input_schema":{}},{"name":"search_tools","input_schema":{}}]"#;

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let folder = tempfile::tempdir().expect("a folder");
    let started = Instant::now();
    let ledger = open(folder.path().join("ledger.db"));
    println!("open, new database      {:>10.2} ms   RSS {:>5.1} MiB", ms(started.elapsed()), resident_mib());

    let started = Instant::now();
    count(&ledger, run(0, "")).await;
    println!("first count             {:>10.2} ms   RSS {:>5.1} MiB", ms(started.elapsed()), resident_mib());

    for (calls, count, pause) in [(0, 500, 0), (1, 500, 0), (100, 500, 0), (1, 100, 40)] {
        let mut times = Vec::new();
        for _ in 0..count {
            std::thread::sleep(Duration::from_millis(pause));
            let facts = run(calls, "a short answer");
            let id = facts.run_id.clone();
            let started = Instant::now();
            ledger.record(facts);
            times.push(started.elapsed());
            ledger.receipt(&id).await.expect("counted");
        }
        times.sort_unstable();
        let (p50, p99) = (times[times.len() / 2], times[times.len() * 99 / 100]);
        let after = if pause == 0 { "      " } else { "rested" };
        println!("record, {calls:>3} calls {after} p50 {:>6.2} us, p99 {:>6.2} us", ms(p50) * 1e3, ms(p99) * 1e3);
    }

    let answer =
        r#"{"id":12345,"title":"A bug in the parser","labels":["bug","parser"],"body":"It fails on line 3."},"#;
    let megabytes = 32;
    let started = Instant::now();
    count(&ledger, run_with_answers((0..megabytes).map(|n| format!("{n}{}", answer.repeat(1_000_000 / answer.len())))))
        .await;
    let seconds = started.elapsed().as_secs_f64();
    println!("counting JSON           {:>10.1} MB/s", f64::from(megabytes) / seconds);

    let started = Instant::now();
    for _ in 0..900 {
        ledger.record(run(1, "a short answer"));
    }
    ledger.flush().await;
    println!(
        "runs counted and stored {:>10.0} runs/s   RSS {:>5.1} MiB",
        900.0 / started.elapsed().as_secs_f64(),
        resident_mib()
    );

    drop(ledger);
    let started = Instant::now();
    let again = open(folder.path().join("ledger.db"));
    println!("open, {} runs         {:>10.2} ms", again.savings().workspace.runs, ms(started.elapsed()));
}

fn open(path: std::path::PathBuf) -> Ledger {
    let options = Options {
        path,
        host_result_cap_tokens: 25_000,
        context_tokens: 200_000,
        own_definitions: OWN.into(),
        ..Options::default()
    };
    Ledger::open(options, |_| ()).expect("it opens")
}

async fn count(ledger: &Ledger, facts: RunFacts) {
    let id = facts.run_id.clone();
    ledger.record(facts);
    ledger.receipt(&id).await.expect("counted");
}

fn run(calls: usize, answer: &str) -> RunFacts {
    run_with_answers(std::iter::repeat_n(answer.to_owned(), calls))
}

fn run_with_answers(answers: impl Iterator<Item = String>) -> RunFacts {
    RunFacts {
        run_id: RunId::new(),
        conversation: "bench".into(),
        front: "bench".to_owned(),
        language: Language::Python,
        status: RunStatus::Ok,
        name: Some("bench".to_owned()),
        at_ms: 0,
        wall_ms: 1.0,
        code_arguments: r#"{"code":"1+1"}"#.into(),
        program: blake3::hash(b"1+1"),
        reply_text: "2".into(),
        calls: answers.enumerate().map(call).collect(),
        servers_all: [].into(),
        servers_used: Vec::new(),
        tags: [].into(),
        direct_tools: [].into(),
    }
}

fn call((position, answer): (usize, String)) -> CallFacts {
    let record = CallRecord {
        server: "fs".to_owned(),
        tool: "read".to_owned(),
        status: CallStatus::Ok,
        ms: 1.0,
        cache: CacheOutcome::Miss,
        wave: 0,
        argument_bytes: 2,
        result_bytes: answer.len() as u64,
        result_tokens: None,
        line: None,
        error: None,
    };
    let arguments_json = format!(r#"{{"path":"{position}.txt"}}"#).into();
    CallFacts { record, arguments_json, result_text: answer.into(), media: 0, found: Found::Tool }
}

fn ms(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}

/// Resident memory in MiB; 0 where the system does not say.
fn resident_mib() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with("VmRSS:"));
    let kib = line.and_then(|line| line.split_whitespace().nth(1)?.parse::<f64>().ok());
    kib.unwrap_or_default() / 1024.0
}
