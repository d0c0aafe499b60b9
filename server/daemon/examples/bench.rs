//! Measures the whole daemon from submission to reply, ledger on, and prints one JSON object of figures.
//!
//! `npm run bench` runs it beside the things it is compared with (`python3 -c`, `node -e`, pyodide, a bare MCP client) in
//! the same run and prints the table. Arguments: the scripted server's path, then the command of a real stdio server.

use model::{ConversationId, Language, Reply, Request, RunReply, RunRequest, RunStatus, SearchRequest};
use serde_json::{Map, Value, json};
use std::path::Path;
use std::time::{Duration, Instant};

const THIRTY_LINES_PY: &str = include_str!("../../../tests/bench/thirty.py");
const THIRTY_LINES_TS: &str = include_str!("../../../tests/bench/thirty.ts");
const CPU_PY: &str = include_str!("../../../tests/bench/cpu.py");
const CPU_JS: &str = include_str!("../../../tests/bench/cpu.js");

struct Bench {
    daemon: daemon::Daemon,
    conversation: ConversationId,
    figures: Map<String, Value>,
}

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [scripted, real @ ..] = args.as_slice() else { panic!("usage: bench SCRIPTED_SERVER [REAL_SERVER ARGS…]") };
    let folder = tempfile::tempdir().expect("a scratch folder");
    write_config(folder.path(), scripted, real);
    let data = std::env::var_os("TTA_BENCH_DATA").map_or_else(|| folder.path().join("data"), Into::into);
    let options = daemon::Options {
        workspace: Some(folder.path().to_owned()),
        trusted: Some(true),
        data_dir: Some(data),
        ..daemon::Options::default()
    };
    let daemon = daemon::Daemon::start(options).await.expect("the daemon starts");
    let mut bench = Bench { daemon, conversation: ConversationId::new(), figures: Map::new() };
    bench.figure("rss_before_any_run_mib", json!(rss_mib()));
    bench.warm().await;
    bench.live().await;
    bench.latency().await;
    bench.throughput().await;
    bench.cpu().await;
    bench.calls().await;
    if !real.is_empty() {
        bench.real_calls().await;
    }
    bench.search().await;
    bench.cold(scripted).await;
    bench.daemon.shutdown().await;
    println!("{}", Value::Object(bench.figures));
}

fn write_config(folder: &Path, scripted: &str, real: &[String]) {
    let mut servers = json!({
        "fast": {"command": scripted, "args": ["ok"]},
        "big": {"command": scripted, "args": ["many-tools"]},
    });
    if let [command, args @ ..] = real {
        servers["real"] = json!({"command": command, "args": args});
    }
    std::fs::create_dir_all(folder.join(".vscode")).expect("a folder");
    std::fs::write(folder.join(".vscode/mcp.json"), json!({"servers": servers}).to_string()).expect("written");
}

impl Bench {
    fn figure(&mut self, name: &str, value: Value) {
        eprintln!("  {name}: {value}");
        self.figures.insert(name.to_owned(), value);
    }

    async fn run(&self, language: Language, code: &str) -> (RunReply, Duration) {
        run(&self.daemon, &self.conversation, language, code).await
    }

    /// One run in each language and the tokenizer read, so that what follows is not about loading anything.
    async fn warm(&mut self) {
        self.run(Language::Python, "1+1").await;
        let (reply, _) = self.run(Language::JavaScript, "1+1").await;
        self.figure("rss_idle_after_a_run_mib", json!(rss_mib()));
        let receipt = Request::Receipt { run_id: reply.run_id };
        self.daemon.submit(receipt, "bench", &self.conversation).reply().await.expect("it is counted");
    }

    /// Warm latency from submission to reply.
    async fn latency(&mut self) {
        let lines: Vec<String> = (0..200).map(|i| format!("const v{i}: number = {i} as number;\n")).collect();
        let typed = lines.concat() + "1+1";
        for (name, language, code, count) in [
            ("warm_python", Language::Python, "1+1", 400),
            ("warm_javascript", Language::JavaScript, "1+1", 1_000),
            ("warm_typescript_200_lines", Language::TypeScript, typed.as_str(), 400),
            (
                "warm_javascript_200_lines",
                Language::JavaScript,
                &typed.replace(": number", "").replace(" as number", ""),
                400,
            ),
            ("thirty_lines_python", Language::Python, THIRTY_LINES_PY, 300),
            ("thirty_lines_typescript", Language::TypeScript, THIRTY_LINES_TS, 300),
        ] {
            for _ in 0..20 {
                self.run(language, code).await;
            }
            let mut times = Vec::with_capacity(count);
            for _ in 0..count {
                times.push(self.run(language, code).await.1);
            }
            self.figure(name, percentiles(times));
        }
    }

    /// Two submitters side by side.
    async fn throughput(&mut self) {
        for (name, language, count) in
            [("throughput_python", Language::Python, 300), ("throughput_javascript", Language::JavaScript, 4_000)]
        {
            let started = Instant::now();
            let both = [(); 2].map(|()| {
                let (daemon, conversation) = (self.daemon.clone(), self.conversation.clone());
                tokio::spawn(async move {
                    for _ in 0..count {
                        run(&daemon, &conversation, language, "1+1").await;
                    }
                })
            });
            for one in both {
                one.await.expect("no panic");
            }
            self.figure(name, json!(f64::from(2 * count) / started.elapsed().as_secs_f64()));
        }
    }

    /// CPU-bound work, and two such programs at once against one.
    async fn cpu(&mut self) {
        for (name, language, code) in
            [("cpu_python", Language::Python, CPU_PY), ("cpu_javascript", Language::JavaScript, CPU_JS)]
        {
            let (reply, _) = self.run(language, code).await;
            self.figure(name, value(&reply));
        }
        let spin = "s = 0\nfor i in range(6_000_000):\n    s += i\ns";
        self.run(Language::Python, spin).await;
        let mut one = Duration::MAX;
        for _ in 0..3 {
            one = one.min(self.run(Language::Python, spin).await.1);
        }
        let mut two = Duration::MAX;
        for _ in 0..3 {
            let started = Instant::now();
            tokio::join!(self.run(Language::Python, spin), self.run(Language::Python, spin));
            two = two.min(started.elapsed());
        }
        self.figure("cpu_two_over_one", json!(two.as_secs_f64() / one.as_secs_f64()));
    }

    /// The cost of calls inside a program.
    async fn calls(&mut self) {
        let sequential_py = "import time\nfrom servers import fast\nawait fast.echo(message='x')\nt = time.perf_counter()\nfor i in range(1000):\n    await fast.echo(message='x')\n(time.perf_counter() - t) * 1e3";
        let sequential_js = "import * as fast from 'servers/fast';\nawait fast.echo({message: 'x'});\nconst t = performance.now();\nfor (let i = 0; i < 1000; i++) await fast.echo({message: 'x'});\nperformance.now() - t";
        for (name, language, code) in [
            ("sequential_1000_python_ms", Language::Python, sequential_py),
            ("sequential_1000_javascript_ms", Language::JavaScript, sequential_js),
        ] {
            let mut best = f64::MAX;
            for _ in 0..5 {
                let (reply, _) = self.run(language, code).await;
                best = best.min(value(&reply).as_f64().expect("milliseconds"));
            }
            self.figure(name, json!(best));
        }
        let gather = |tool: &str, arguments: [&str; 2], n: u32| {
            let [python, javascript] = arguments;
            (
                format!(
                    "import asyncio\nfrom servers import fast\nr = await asyncio.gather(*[fast.{tool}({python}) for i in range({n})])\nlen(r)"
                ),
                format!(
                    "import * as fast from 'servers/fast';\nconst r = await Promise.all(Array.from({{length: {n}}}, (_, i) => fast.{tool}({javascript})));\nr.length"
                ),
            )
        };
        for (name, calls, (python, javascript)) in [
            ("parallel_100x100ms", 100, gather("slow", ["ms=100", "{ms: 100}"], 100)),
            ("gather_1000", 1_000, gather("echo", ["message=str(i)", "{message: String(i)}"], 1_000)),
        ] {
            for (language, code) in [(Language::Python, &python), (Language::JavaScript, &javascript)] {
                let mut times = Vec::new();
                for _ in 0..6 {
                    let (reply, time) = self.run(language, code).await;
                    assert_eq!(reply.calls.len(), calls);
                    times.push(time);
                }
                times.remove(0);
                self.figure(&format!("{name}_{}", language.as_str()), percentiles(times));
            }
        }
    }

    /// 100 calls in a row over a real stdio server.
    async fn real_calls(&mut self) {
        let python = "import time\nfrom servers import real\nawait real.echo(message='x')\nt = time.perf_counter()\nfor i in range(100):\n    await real.echo(message='x')\n(time.perf_counter() - t) * 1e3";
        let mut times: Vec<f64> = Vec::new();
        for _ in 0..41 {
            times.push(value(&self.run(Language::Python, python).await.0).as_f64().expect("milliseconds"));
        }
        times.sort_by(f64::total_cmp);
        self.figure("real_100_sequential_ms", json!({"best": times[0], "p50": times[times.len() / 2]}));
    }

    /// Memory of the idle daemon and of live runs.
    async fn live(&mut self) {
        for (name, language, code) in [
            ("live_javascript_mib", Language::JavaScript, "await new Promise(r => setTimeout(r, 2000))"),
            ("live_python_mib", Language::Python, "import asyncio\nawait asyncio.sleep(2)"),
        ] {
            let before = rss_mib();
            let runs: Vec<_> = (0..50)
                .map(|_| {
                    let request = Request::Run(RunRequest {
                        code: code.to_owned(),
                        language: Some(language),
                        ..RunRequest::default()
                    });
                    self.daemon.submit(request, "bench", &self.conversation)
                })
                .collect();
            tokio::time::sleep(Duration::from_millis(1_500)).await;
            let during = rss_mib();
            for ticket in runs {
                ticket.reply().await.expect("a reply");
            }
            self.figure(name, json!((during - before) / 50.0));
            self.figure(&format!("{name}_with_50"), json!(during));
        }
    }

    /// Fifty servers listed from cold, beside the slowest of them alone: the scripted server's neighbour in the build, which
    /// takes two seconds to start.
    async fn cold(&mut self, scripted: &str) {
        let program = Path::new(scripted).with_file_name("crowd-server");
        let entry = |ms: &str| json!({"command": program, "args": ["200", ms]});
        let slowest = entry("2000");
        let alone = listed(json!({"slowest": slowest})).await;
        let mut servers: Map<String, Value> = (1..50).map(|n| (format!("crowd{n}"), entry("100"))).collect();
        servers.insert("slowest".to_owned(), slowest);
        let all = listed(Value::Object(servers)).await;
        self.figure("cold_50_servers_ms", json!(all));
        self.figure("cold_slowest_alone_ms", json!(alone));
    }

    /// Search over 10,000 tools.
    async fn search(&mut self) {
        let queries = [
            "read a file",
            "create issue in repository",
            "list all pods",
            "current time in a timezone",
            "tool_4711",
            "delete",
        ];
        let mut times = Vec::new();
        for i in 0..600 {
            let request = SearchRequest { query: queries[i % queries.len()].to_owned(), ..SearchRequest::default() };
            let started = Instant::now();
            let reply = self.daemon.submit(Request::Search(request), "bench", &self.conversation).reply().await;
            let Ok(Reply::Search(found)) = reply else { panic!("search failed: {reply:?}") };
            assert!(found.searched >= 10_000, "searched {}; {:?}", found.searched, found.unavailable);
            if i >= 20 {
                times.push(started.elapsed());
            }
        }
        self.figure("search_10000_tools", percentiles(times));
    }
}

/// How long a new daemon takes to list these servers, in milliseconds.
async fn listed(servers: Value) -> f64 {
    let folder = tempfile::tempdir().expect("a scratch folder");
    std::fs::write(folder.path().join(".mcp.json"), json!({"mcpServers": servers}).to_string()).expect("written");
    let options = daemon::Options {
        workspace: Some(folder.path().to_owned()),
        trusted: Some(true),
        data_dir: Some(folder.path().join("data")),
        ..daemon::Options::default()
    };
    let daemon = daemon::Daemon::start(options).await.expect("the daemon starts");
    let started = Instant::now();
    let request = SearchRequest { query: "read a record".to_owned(), ..SearchRequest::default() };
    let reply = daemon.submit(Request::Search(request), "bench", &ConversationId::new()).reply().await;
    let took = started.elapsed().as_secs_f64() * 1e3;
    let Ok(Reply::Search(found)) = reply else { panic!("search failed: {reply:?}") };
    assert!(
        found.unavailable.is_empty() && found.searched >= 200 * servers.as_object().map_or(0, Map::len),
        "{found:?}"
    );
    daemon.shutdown().await;
    took
}

async fn run(
    daemon: &daemon::Daemon,
    conversation: &ConversationId,
    language: Language,
    code: &str,
) -> (RunReply, Duration) {
    let request = RunRequest { code: code.to_owned(), language: Some(language), ..RunRequest::default() };
    let started = Instant::now();
    let reply = daemon.submit(Request::Run(request), "bench", conversation).reply().await;
    let elapsed = started.elapsed();
    let Ok(Reply::Run(reply)) = reply else { panic!("the run failed: {reply:?}") };
    assert_eq!(reply.status, RunStatus::Ok, "{:?}", reply.error);
    (*reply, elapsed)
}

fn value(reply: &RunReply) -> Value {
    reply.result.as_ref().and_then(|raw| serde_json::from_str(raw.get()).ok()).expect("a result")
}

fn percentiles(mut times: Vec<Duration>) -> Value {
    times.sort();
    let at = |p: usize| times[(times.len() - 1) * p / 100].as_secs_f64() * 1e3;
    json!({"p50_ms": at(50), "p99_ms": at(99), "best_ms": at(0), "runs": times.len()})
}

/// Resident memory of this process in MiB.
fn rss_mib() -> f64 {
    let rollup = std::fs::read_to_string("/proc/self/smaps_rollup").unwrap_or_default();
    let kib = rollup
        .lines()
        .find_map(|l| l.strip_prefix("Rss:"))
        .and_then(|l| l.trim().trim_end_matches(" kB").parse::<f64>().ok());
    kib.unwrap_or(f64::NAN) / 1024.0
}
