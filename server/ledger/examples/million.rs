//! What a ledger with a million calls costs: `cargo run --release -p ledger --example million [CALLS [FOLDER]]`.
//!
//! Fills a ledger through its own door with a year of runs of 12 servers with 5 tools each, in three languages, with
//! failures, cache hits and tags, then prints how long opening takes, how long reports of several periods and narrowings
//! take, and every other question that a page or a terminal asks, and last one line of JSON with the slowest of each. A
//! folder that is named is kept and used again.

#![expect(clippy::cast_precision_loss, reason = "what is measured is far below 2^52")]

use ledger::{CallFacts, Found, Ledger, Options, RunFacts};
use model::ledger::ExportFormat;
use model::report::{ReportFilter, ReportRequest};
use model::{CacheOutcome, CallRecord, CallStatus, ConversationId, Language, RunId, RunStatus};
use std::path::Path;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

const OWN: &str = r#"[{"name":"run_code","input_schema":{}},{"name":"search_tools","input_schema":{}}]"#;
/// The entries of each list on the dashboard's page.
const PAGE_TOP: u32 = 20;
const DAY_MS: u64 = 86_400_000;
const YEAR_MS: u64 = 365 * DAY_MS;

#[tokio::main]
async fn main() {
    let mut arguments = std::env::args().skip(1);
    let calls: u64 = arguments.next().map_or(1_000_000, |text| text.parse().expect("a number of calls"));
    let temporary = tempfile::tempdir().expect("a folder");
    let folder = arguments.next().map_or_else(|| temporary.path().to_owned(), Into::into);
    let path = folder.join("ledger.db");
    if !path.exists() {
        fill(&path, calls).await;
    }
    let size = std::fs::metadata(&path).expect("a database").len();
    println!("{calls} calls stored             {:>8.0} MiB", size as f64 / 1_048_576.0);
    // One that an older program filled is brought up to date before.
    drop(open(&path));
    let started = Instant::now();
    let ledger = open(&path);
    let open_ms = ms(started.elapsed());
    println!("open                             {open_ms:>8.2} ms");
    let (slowest_ms, first_ms) = reports(&ledger).await;
    let other_ms = others(&ledger).await;
    println!(
        r#"{{"calls":{calls},"open_ms":{open_ms:.2},"slowest_report_ms":{slowest_ms:.1},"slowest_first_report_ms":{first_ms:.1},"slowest_other_ms":{other_ms:.1}}}"#
    );
}

async fn fill(path: &Path, calls: u64) {
    let ledger = open(path);
    let (started, begin) = (Instant::now(), now_ms() - YEAR_MS);
    let mut noise = Noise(0x9e37_79b9_7f4a_7c15);
    let (mut made, mut runs) = (0, 0_u64);
    while made < calls {
        let mut run = run(&mut noise, begin + YEAR_MS * made / calls);
        // Fifty runs to a sitting.
        run.conversation = format!("example {}", runs / 50).as_str().into();
        made += run.calls.len() as u64;
        runs += 1;
        ledger.record(run);
        if runs % 512 == 0 {
            ledger.settled().await;
        }
    }
    ledger.settled().await;
    let seconds = started.elapsed().as_secs_f64();
    println!("{runs} runs counted and stored    {:>8.0} calls/s", made as f64 / seconds);
}

/// The slowest of the best, and of the first times of each.
async fn reports(ledger: &Ledger) -> (f64, f64) {
    let now = ledger.runs(1).await.expect("the last run")[0].at_ms;
    let text = |text: &str| Some(text.to_owned());
    let filters = [
        ("all", ReportFilter::default()),
        ("a server", ReportFilter { server: text("server-0"), ..ReportFilter::default() }),
        ("a rare tool", ReportFilter { server: text("server-11"), tool: text("tool-4"), ..ReportFilter::default() }),
        ("a tool's name", ReportFilter { tool: text("tool-2"), ..ReportFilter::default() }),
        ("a language", ReportFilter { language: text("javascript"), ..ReportFilter::default() }),
        ("failed", ReportFilter { status: Some(RunStatus::Limit), ..ReportFilter::default() }),
        ("a tag", ReportFilter { tag: text("person=3"), ..ReportFilter::default() }),
        ("a front", ReportFilter { front: text("lsp"), ..ReportFilter::default() }),
        (
            "a tag's tool",
            ReportFilter {
                tag: text("project=1"),
                server: text("server-2"),
                tool: text("tool-1"),
                ..ReportFilter::default()
            },
        ),
        (
            "a server, failed",
            ReportFilter { server: text("server-1"), status: Some(RunStatus::Error), ..ReportFilter::default() },
        ),
    ];
    // What a page asks for, and a terminal for a spreadsheet.
    let tops = [("", PAGE_TOP), (", 1,000 each", 1_000)];
    let (mut slowest, mut slowest_first) = (0.0_f64, 0.0_f64);
    for (days, period) in [(1, "a day"), (7, "a week"), (30, "30 days"), (90, "90 days"), (400, "all")] {
        for ((name, only), (long, top)) in filters.iter().flat_map(|filter| tops.map(|top| (filter, top))) {
            let request = ReportRequest {
                since_ms: Some(now - days * DAY_MS),
                compare: true,
                only: only.clone(),
                top: Some(top),
                ..ReportRequest::default()
            };
            let mut best = f64::INFINITY;
            let mut first = 0.0;
            let mut runs = 0;
            for turn in 0..3 {
                let started = Instant::now();
                let report = ledger.report(request.clone(), Vec::new()).await.expect("a report");
                let took = ms(started.elapsed());
                (best, runs) = (best.min(took), report.total.runs);
                first = if turn == 0 { took } else { first };
            }
            println!(
                "report of {period:<8} {:<28} {best:>7.1} ms, at first {first:>7.1}, {runs} runs",
                format!("{name}{long}")
            );
            (slowest, slowest_first) = (slowest.max(best), slowest_first.max(first));
        }
    }
    (slowest, slowest_first)
}

/// The slowest of everything else that is asked, each at its best of three times.
async fn others(ledger: &Ledger) -> f64 {
    let newest = ledger.runs(2_000).await.expect("the last runs");
    let run = &newest.iter().rfind(|run| run.tokens.is_some()).expect("a counted run").run_id;
    let price = ledger::price(None, &[], now_ms()).expect("the bundled price");
    let conversation = ConversationId::from("example 2000");
    let mut slowest = 0.0_f64;
    for name in
        ["the last runs", "a run's calls", "a receipt", "an explanation", "a conversation", "a part of an export"]
    {
        let mut best = f64::INFINITY;
        for _ in 0..3 {
            let started = Instant::now();
            match name {
                "the last runs" => drop(ledger.runs(200).await.expect("runs")),
                "a run's calls" => drop(ledger.run_calls(run).await.expect("calls")),
                "a receipt" => drop(ledger.receipt(run).await.expect("counted")),
                "an explanation" => drop(ledger.explain(Some(run), &price).await.expect("an explanation")),
                "a conversation" => drop(ledger.conversation(&conversation).await.expect("a conversation")),
                _ => drop(ledger.export(ExportFormat::Jsonl, now_ms() - 200 * DAY_MS, None).await.expect("a part")),
            }
            best = best.min(ms(started.elapsed()));
        }
        println!("{name:<32} {best:>7.1} ms");
        slowest = slowest.max(best);
    }
    slowest
}

fn open(path: &Path) -> Ledger {
    let options = Options {
        path: path.to_owned(),
        own_definitions: OWN.into(),
        keep: Duration::from_hours(24 * 800),
        ..Options::default()
    };
    Ledger::open(options, |_| ()).expect("it opens")
}

/// A run of one to seven calls, most of them to few servers.
fn run(noise: &mut Noise, at_ms: u64) -> RunFacts {
    let calls: Vec<CallFacts> = (0..=noise.below(7)).map(|position| call(noise, position)).collect();
    let mut servers_used: Vec<String> = calls.iter().map(|call| call.record.server.clone()).collect();
    servers_used.sort_unstable();
    servers_used.dedup();
    let number = noise.below(1_000);
    RunFacts {
        run_id: RunId::new(),
        conversation: "example".into(),
        front: ["mcp", "mcp", "cli", "lsp"][noise.index(4)].to_owned(),
        language: [Language::Python, Language::Python, Language::TypeScript, Language::JavaScript][noise.index(4)],
        status: match noise.below(20) {
            0 => RunStatus::Error,
            1 => RunStatus::Limit,
            _ => RunStatus::Ok,
        },
        name: Some("example".to_owned()),
        at_ms,
        wall_ms: 5.0 + noise.below(4_000) as f64,
        code_arguments: format!(r#"{{"code":"example {number}"}}"#).into(),
        program: blake3::hash(&number.to_le_bytes()),
        reply_text: "done".into(),
        calls,
        servers_all: [].into(),
        servers_used,
        tags: [format!("person={}", noise.below(5)), format!("project={}", noise.below(3))].into(),
        direct_tools: [].into(),
    }
}

fn call(noise: &mut Noise, position: u64) -> CallFacts {
    let server = noise.below(12) * noise.below(12) / 12;
    let result = "a line of some answer\n".repeat(noise.index(20));
    let record = CallRecord {
        server: format!("server-{server}"),
        tool: format!("tool-{}", noise.below(5)),
        status: if noise.below(25) == 0 { CallStatus::Error } else { CallStatus::Ok },
        ms: 0.5 + noise.below(900) as f64,
        cache: if noise.below(6) == 0 { CacheOutcome::Hit } else { CacheOutcome::Miss },
        wave: u32::try_from(position).unwrap_or_default(),
        argument_bytes: 20,
        result_bytes: result.len() as u64,
        result_tokens: None,
        line: None,
        error: None,
    };
    let arguments_json = format!(r#"{{"n":{}}}"#, noise.below(100)).into();
    CallFacts { record, arguments_json, result_text: result.into(), media: 0, found: Found::Tool }
}

/// A small generator of reproducible noise.
struct Noise(u64);

impl Noise {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % limit
    }

    fn index(&mut self, limit: u64) -> usize {
        usize::try_from(self.below(limit)).unwrap_or_default()
    }
}

fn ms(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}

fn now_ms() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}
