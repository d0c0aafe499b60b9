//! What the ledger costs and holds under load: `cargo run --release -p ledger --example load [SECONDS]`.
//!
//! First 1,000 calls a second, in runs of ten calls and in runs of one: how much of a core its thread takes, and what handing
//! a call in costs its caller. Then 100 MB of results a second: how many are counted and how many estimated, whether any is
//! lost or estimated without a word, and the most memory held. No two results are equal. The last line is JSON.

#![expect(clippy::cast_precision_loss, reason = "what is measured is far below 2^52")]

use ledger::{CallFacts, Found, Ledger, Options, RunFacts};
use model::report::ReportRequest;
use model::{CacheOutcome, CallRecord, CallStatus, Language, RunId, RunStatus};
use std::fmt::Write as _;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

const OWN: &str = r#"[{"name":"run_code","input_schema":{}},{"name":"search_tools","input_schema":{}}]"#;
const CALLS_PER_SECOND: usize = 1_000;
const MEGABYTES_PER_SECOND: usize = 100;
/// Bytes of a result: of those under the steady load, and of those in the flood.
const SMALL: usize = 1_000;
const LARGE: usize = 100_000;
/// Calls of a run in the flood: a megabyte.
const LARGE_CALLS: usize = 10;

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let seconds: u64 = std::env::args().nth(1).map_or(10, |text| text.parse().expect("a number of seconds"));
    let mut noise = Noise(0x9e37_79b9_7f4a_7c15);
    let texts = Texts::new(&mut noise);
    let (ten, record_us) = steady(&texts, 10, seconds).await;
    let (one, _) = steady(&texts, 1, seconds).await;
    let flood = flood(&texts, seconds).await;
    println!(
        r#"{{"cpu_percent_runs_of_ten":{ten:.2},"cpu_percent_runs_of_one":{one:.2},"record_us_per_call":{record_us:.2},{flood}}}"#
    );
}

/// So many calls a second in runs of `calls`: the ledger's part of a core in percent, and microseconds of handing in a call.
async fn steady(texts: &Texts, calls: usize, seconds: u64) -> (f64, f64) {
    let folder = tempfile::tempdir().expect("a folder");
    let ledger = open(folder.path());
    // The tokenizer is loaded once in a process's life, and is not what is measured.
    ledger.record(run(texts, 0, 1, SMALL));
    ledger.settled().await;
    let runs = CALLS_PER_SECOND / calls * usize::try_from(seconds).expect("a few");
    let pause = Duration::from_secs(seconds) / u32::try_from(runs).expect("some thousands");
    let (mut handing_in, before, started) = (Duration::ZERO, thread_seconds(), Instant::now());
    for n in 0..runs {
        let facts = run(texts, n * calls, calls, SMALL);
        wait_until(started + pause * u32::try_from(n).expect("some thousands"));
        let begun = Instant::now();
        ledger.record(facts);
        handing_in += begun.elapsed();
    }
    ledger.settled().await;
    let took = started.elapsed().as_secs_f64();
    let cpu = 100.0 * (thread_seconds() - before) / took;
    let record_us = handing_in.as_secs_f64() * 1e6 / (runs * calls) as f64;
    let rate = (runs * calls) as f64 / took;
    println!("{rate:>6.0} calls/s in runs of {calls:>2}: {cpu:>5.2} % of a core, {record_us:.2} us a call to hand in");
    assert_eq!(ledger.savings().workspace.calls, (runs * calls + 1) as u64, "none is lost");
    (cpu, record_us)
}

/// So many bytes a second.
async fn flood(texts: &Texts, seconds: u64) -> String {
    let folder = tempfile::tempdir().expect("a folder");
    let ledger = open(folder.path());
    ledger.record(run(texts, 0, 1, SMALL));
    ledger.settled().await;
    let runs = MEGABYTES_PER_SECOND * 1_000_000 / (LARGE * LARGE_CALLS) * usize::try_from(seconds).expect("a few");
    let pause = Duration::from_secs(seconds) / u32::try_from(runs).expect("some thousands");
    let (before, started) = (thread_seconds(), Instant::now());
    let mut bytes = 0;
    for n in 0..runs {
        let facts = run(texts, n * LARGE_CALLS, LARGE_CALLS, LARGE);
        bytes += facts.calls.iter().map(|call| call.result_text.len()).sum::<usize>();
        wait_until(started + pause * u32::try_from(n).expect("some thousands"));
        ledger.record(facts);
    }
    let accepted = bytes as f64 / started.elapsed().as_secs_f64() / 1e6;
    ledger.settled().await;
    let took = started.elapsed().as_secs_f64();
    let cpu = thread_seconds() - before;
    let total = ledger.report(ReportRequest::default(), Vec::new()).await.expect("a report").total;
    let dropped = (runs + 1) as u64 - total.runs;
    let listed = ledger.runs(10_000).await.expect("the runs");
    let marked = listed
        .iter()
        .filter_map(|run| run.tokens.as_ref())
        .filter(|it| it.labels["code_mode.output"].starts_with("estimated"));
    let unmarked = total.estimated_runs - marked.count() as u64;
    let estimated = 100.0 * total.estimated_runs as f64 / total.runs as f64;
    let (rate, peak) = (bytes as f64 / cpu / 1e6, peak_mib());
    println!(
        "{accepted:>6.0} MB/s of results for {seconds} s: {:.1} % counted, {estimated:.1} % estimated, {unmarked} of these unmarked, \
         {dropped} dropped; all settled after {took:.1} s, {rate:.0} MB/s of a core; at most {peak:.0} MiB held",
        100.0 - estimated
    );
    format!(
        r#""flood_mb_per_s":{accepted:.1},"flood_counted_percent":{:.2},"flood_estimated_percent":{estimated:.2},"flood_unmarked":{unmarked},"flood_dropped":{dropped},"counting_mb_per_s":{rate:.1},"flood_peak_mib":{peak:.0}"#,
        100.0 - estimated
    )
}

/// What results are made of: records in JSON, prose, and lines of a log.
struct Texts(Vec<String>);

impl Texts {
    fn new(noise: &mut Noise) -> Self {
        Self((0..48).map(|n| text(noise, n % 3, LARGE)).collect())
    }

    /// The `n`th result, which no other is equal to.
    fn result(&self, n: usize, bytes: usize) -> String {
        let from = &self.0[n % self.0.len()];
        let start = from.floor_char_boundary(n * 97 % (LARGE - bytes + 1));
        let end = from.floor_char_boundary(start + bytes);
        format!("{n} {}", &from[start..end])
    }
}

fn text(noise: &mut Noise, kind: usize, bytes: usize) -> String {
    const WORDS: [&str; 24] = [
        "the",
        "parser",
        "fails",
        "when",
        "a",
        "line",
        "ends",
        "early",
        "of",
        "Größe",
        "and",
        "request",
        "timeout",
        "user's",
        "naïve",
        "connection",
        "was",
        "closed",
        "before",
        "reply",
        "configuration",
        "should",
        "be",
        "read",
    ];
    let mut text = String::with_capacity(bytes + 200);
    while text.len() < bytes {
        let (id, hash) = (noise.below(1_000_000), noise.next());
        let (one, other) = (WORDS[noise.index(24)], WORDS[noise.index(24)]);
        match kind {
            0 => write!(
                text,
                r#"{{"id":{id},"title":"{one} {other}","sha":"{hash:016x}","labels":["bug","{one}"],"open":{}}},"#,
                id % 2 == 0
            ),
            1 => write!(text, "{one} {other}{}", if id % 9 == 0 { ".\n" } else { " " }),
            _ => writeln!(
                text,
                "2026-11-28T12:{:02}:{:02}.{:03}Z INFO worker-{}: {one} {other} id={id:x}",
                id % 60,
                id % 59,
                id % 1_000,
                id % 8
            ),
        }
        .expect("a text can be written to");
    }
    text
}

fn open(folder: &std::path::Path) -> Ledger {
    let options = Options { path: folder.join("ledger.db"), own_definitions: OWN.into(), ..Options::default() };
    Ledger::open(options, |_| ()).expect("it opens")
}

/// A run whose first call has the number `first`.
fn run(texts: &Texts, first: usize, calls: usize, bytes: usize) -> RunFacts {
    let calls: Vec<CallFacts> = (first..first + calls).map(|n| call(n, texts.result(n, bytes))).collect();
    let mut servers_used: Vec<String> = calls.iter().map(|call| call.record.server.clone()).collect();
    servers_used.sort_unstable();
    servers_used.dedup();
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    RunFacts {
        run_id: RunId::new(),
        conversation: "load".into(),
        front: "mcp".to_owned(),
        language: [Language::Python, Language::TypeScript][first % 2],
        status: RunStatus::Ok,
        name: Some("load".to_owned()),
        at_ms: u64::try_from(since.as_millis()).unwrap_or(u64::MAX),
        wall_ms: 5.0,
        code_arguments: format!(r#"{{"code":"from servers import fs\nawait fs.read(path='notes/{first}.txt')"}}"#)
            .into(),
        program: blake3::hash(&first.to_le_bytes()),
        reply_text: format!("read {first}").into(),
        calls,
        servers_all: [].into(),
        servers_used,
        tags: [].into(),
        direct_tools: [].into(),
    }
}

fn call(n: usize, result: String) -> CallFacts {
    let record = CallRecord {
        server: ["fs", "git", "web"][n % 3].to_owned(),
        tool: ["read", "list", "search", "stat"][n / 3 % 4].to_owned(),
        status: CallStatus::Ok,
        ms: 1.0 + (n % 50) as f64,
        cache: CacheOutcome::Miss,
        wave: 0,
        argument_bytes: 20,
        result_bytes: result.len() as u64,
        result_tokens: None,
        line: None,
        error: None,
    };
    CallFacts {
        record,
        arguments_json: format!(r#"{{"path":"{n}.txt"}}"#).into(),
        result_text: result.into(),
        media: 0,
        found: Found::Tool,
    }
}

fn wait_until(moment: Instant) {
    std::thread::sleep(moment.saturating_duration_since(Instant::now()));
}

/// Seconds that the ledgers' threads have run; those that ended are forgotten by the system.
fn thread_seconds() -> f64 {
    let tasks = std::fs::read_dir("/proc/self/task").into_iter().flatten().flatten();
    let of_ledger = tasks
        .filter(|task| std::fs::read_to_string(task.path().join("comm")).is_ok_and(|name| name.trim() == "ledger"));
    let nanoseconds = of_ledger.filter_map(|task| {
        let times = std::fs::read_to_string(task.path().join("schedstat")).ok()?;
        times.split_whitespace().next()?.parse::<f64>().ok()
    });
    nanoseconds.sum::<f64>() / 1e9
}

/// The most memory ever held, in MiB; 0 where the system does not say.
fn peak_mib() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with("VmHWM:"));
    let kib = line.and_then(|line| line.split_whitespace().nth(1)?.parse::<f64>().ok());
    kib.unwrap_or_default() / 1024.0
}

/// A small generator of reproducible noise.
struct Noise(u64);

impl Noise {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn below(&mut self, limit: u64) -> u64 {
        self.next() % limit
    }

    fn index(&mut self, limit: u64) -> usize {
        usize::try_from(self.below(limit)).unwrap_or_default()
    }
}
