//! What a run costs in the engine alone: `cargo run --release -p engine --example latency [LANGUAGE [throughput]]`.
//!
//! Prints one line a figure. The daemon's bench measures the same through every layer.

use engine::{CallError, Engine, GuestCall, Options, Outcome, Program, RunClock, ToolHost};
use futures::FutureExt;
use futures::future::BoxFuture;
use model::{Language, Limits, ProgramError};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio_util::sync::CancellationToken;

#[tokio::main]
async fn main() -> Result<(), engine::Error> {
    let only = std::env::args().nth(1);
    let figure = std::env::args().nth(2).unwrap_or_default();
    let cache = std::env::temp_dir().join("tta-latency");
    let started = Instant::now();
    let engine = Engine::new(Options::new(cache, tokio::runtime::Handle::current()))?;
    engine.on_progress(|text| eprintln!("{text}"));
    println!("engine                      {:>9.2?}   rss {}", started.elapsed(), rss());
    for language in [Language::Python, Language::JavaScript] {
        if only.as_deref().is_none_or(|only| only == language.as_str()) {
            measure(&engine, language, &figure).await?;
        }
    }
    Ok(())
}

async fn measure(engine: &Engine, language: Language, figure: &str) -> Result<(), engine::Error> {
    let python = language == Language::Python;
    let pick = |py: &'static str, js: &'static str| if python { py } else { js };
    println!("--- {}", language.as_str());
    let started = Instant::now();
    engine.warm(language).await?;
    println!("warm                        {:>9.2?}   rss {}", started.elapsed(), rss());
    let hello = pick("print('hello')\n1+1", "console.log('hello'); 1+1");
    let started = Instant::now();
    run(engine, language, hello).await;
    println!("first run                   {:>9.2?}   rss {}", started.elapsed(), rss());

    if figure == "throughput" {
        throughput(engine, language, hello).await;
        return Ok(());
    }
    latency(engine, language, "hello", hello).await;
    latency(engine, language, "1+1", "1+1").await;
    let one = pick(
        "from servers import echo\nawait echo.echo(x=1)",
        "import * as echo from 'servers/echo'; await echo.echo({ x: 1 })",
    );
    latency(engine, language, "one call", one).await;
    if !python {
        let lines = (0..200).fold(String::new(), |lines, i| lines + &format!("const v{i}: number = {i} as number;\n"));
        latency(engine, Language::TypeScript, "200 lines of TypeScript", &format!("{lines}v199")).await;
        latency(
            engine,
            Language::JavaScript,
            "200 lines of JavaScript",
            &format!("{}v199", lines.replace(": number", "").replace(" as number", "")),
        )
        .await;
    }

    let sequential = pick(
        "from servers import echo\nfor i in range(2000): await echo.echo(x=i)\n1",
        "import * as echo from 'servers/echo'; for (let i = 0; i < 2000; i++) await echo.echo({ x: i }); 1",
    );
    let later = sequential.replace("echo.echo(", "echo.later(");
    for (name, code) in [("call, answered at once", sequential), ("call, answered by another task", &later)] {
        let started = Instant::now();
        run(engine, language, code).await;
        println!("{name:27} {:>9.2?} each", started.elapsed() / 2000);
    }
    let gather = pick(
        "import asyncio\nfrom servers import echo\nlen(await asyncio.gather(*[echo.echo(x=i) for i in range(1000)]))",
        "import * as echo from 'servers/echo'; (await Promise.all(Array.from({ length: 1000 }, (_, x) => echo.echo({ x })))).length",
    );
    let sleeps = gather.replace("1000", "100").replace("echo.echo", "echo.sleep100");
    best(engine, language, "1,000 calls gathered", gather).await;
    best(engine, language, "100 calls of 100 ms", &sleeps).await;

    throughput(engine, language, hello).await;
    side_by_side(
        engine,
        language,
        pick("sum(i * i for i in range(3_000_000))", "let s = 0; for (let i = 0; i < 1e7; i++) s += i; s"),
    )
    .await;
    live(
        engine,
        language,
        pick(
            "from servers import echo\nawait echo.hang()",
            "import * as echo from 'servers/echo'; await echo.hang({})",
        ),
    )
    .await;
    Ok(())
}

async fn latency(engine: &Engine, language: Language, name: &str, code: &str) {
    for _ in 0..20 {
        run(engine, language, code).await;
    }
    let faults = minor_faults();
    let count = 400;
    let mut times = Vec::with_capacity(count);
    let mut cpu_ms = 0.0;
    for _ in 0..count {
        let started = Instant::now();
        cpu_ms += run(engine, language, code).await.usage.cpu_ms;
        times.push(started.elapsed());
        // A real client pauses between requests; without a pause the next instance is not made ready yet.
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    times.sort();
    println!(
        "{name:27} {:>9.2?} p50 {:>9.2?} p99   guest {:.2} ms, {} faults a run",
        times[count / 2],
        times[count * 99 / 100],
        cpu_ms / 400.0,
        (minor_faults() - faults) / 400
    );
}

async fn best(engine: &Engine, language: Language, name: &str, code: &str) {
    let mut times = Vec::new();
    for _ in 0..5 {
        let started = Instant::now();
        run(engine, language, code).await;
        times.push(started.elapsed());
    }
    times.sort();
    println!("{name:27} {:>9.2?} median of 5", times[2]);
}

async fn throughput(engine: &Engine, language: Language, code: &'static str) {
    let started = Instant::now();
    let loops: Vec<_> = (0..4)
        .map(|_| {
            let engine = engine.clone();
            tokio::spawn(async move {
                let mut runs = 0;
                while started.elapsed() < Duration::from_secs(3) {
                    run(&engine, language, code).await;
                    runs += 1;
                }
                runs
            })
        })
        .collect();
    let mut runs = 0;
    for counted in loops {
        runs += counted.await.unwrap_or(0);
    }
    println!("throughput                  {:>9.0} runs/s", f64::from(runs) / started.elapsed().as_secs_f64());
}

async fn side_by_side(engine: &Engine, language: Language, code: &str) {
    run(engine, language, code).await;
    let started = Instant::now();
    run(engine, language, code).await;
    let alone = started.elapsed();
    let started = Instant::now();
    tokio::join!(run(engine, language, code), run(engine, language, code));
    let both = started.elapsed();
    println!(
        "two CPU-bound at once       {:>9.2}x of one alone ({alone:.0?})",
        both.as_secs_f64() / alone.as_secs_f64()
    );
}

async fn live(engine: &Engine, language: Language, code: &'static str) {
    let before = memory();
    let cancel = CancellationToken::new();
    let runs: Vec<_> = (0..50)
        .map(|_| {
            let (engine, cancel) = (engine.clone(), cancel.clone());
            tokio::spawn(
                async move { engine.run(program(language, code), Limits::default(), Arc::new(Host), cancel).await },
            )
        })
        .collect();
    tokio::time::sleep(Duration::from_secs(2)).await;
    let after = memory();
    cancel.cancel();
    for run in runs {
        let _ = run.await;
    }
    let each = |before: u64, after: u64| {
        let kib = u32::try_from(after.saturating_sub(before)).unwrap_or(u32::MAX);
        f64::from(kib) / 50.0 / 1024.0
    };
    println!(
        "a live run                  {:>9.2} MiB rss, {:.2} MiB dirty (50 live); rss then {}",
        each(before.0, after.0),
        each(before.1, after.1),
        rss()
    );
}

async fn run(engine: &Engine, language: Language, code: &str) -> Outcome {
    let outcome =
        engine.run(program(language, code), Limits::default(), Arc::new(Host), CancellationToken::new()).await;
    assert!(outcome.error.is_none(), "{code}: {:?}", outcome.error);
    outcome
}

fn program(language: Language, code: &str) -> Program {
    Program {
        code: code.to_owned(),
        language,
        name: format!("bench.{}", language.extension()),
        input_json: "null".to_owned(),
    }
}

/// RSS and private dirty memory, KiB.
fn memory() -> (u64, u64) {
    let text = std::fs::read_to_string("/proc/self/smaps_rollup").unwrap_or_default();
    let field = |name: &str| {
        let line = text.lines().find(|line| line.starts_with(name))?;
        line.split_whitespace().nth(1)?.parse().ok()
    };
    (field("Rss:").unwrap_or(0), field("Private_Dirty:").unwrap_or(0))
}

fn rss() -> String {
    let (rss, dirty) = memory();
    format!("{} MiB ({} dirty)", rss / 1024, dirty / 1024)
}

fn minor_faults() -> u64 {
    let text = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    text.rsplit(')').next().and_then(|rest| rest.split_whitespace().nth(7)?.parse().ok()).unwrap_or(0)
}

/// A server `echo` that answers at once, later, after 100 ms, or never.
struct Host;

impl ToolHost for Host {
    fn servers(&self) -> Vec<String> {
        vec!["echo".to_owned()]
    }

    fn describe(&self, _server: &str, _: &RunClock) -> BoxFuture<'static, Result<String, ProgramError>> {
        let tools = r#"{"server":"echo","tools":{"echo":"echo","later":"later","sleep100":"sleep100","hang":"hang"},"aliases":{}}"#;
        std::future::ready(Ok(tools.to_owned())).boxed()
    }

    fn call(&self, call: GuestCall) -> BoxFuture<'static, Result<String, CallError>> {
        async move {
            match call.tool.as_str() {
                "sleep100" => tokio::time::sleep(Duration::from_millis(100)).await,
                "later" => tokio::task::yield_now().await,
                "hang" => std::future::pending().await,
                _ => {}
            }
            Ok(call.arguments_json)
        }
        .boxed()
    }
}
