//! Runs programs in the engine over scripted servers.
use engine::{CallError, Engine, GuestCall, Options, Program, ToolHost};
use futures::FutureExt;
use futures::future::BoxFuture;
use model::{ErrorKind, Language, Limits, ProgramError};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio_util::sync::CancellationToken;

struct Host;
impl ToolHost for Host {
    fn servers(&self) -> Vec<String> {
        vec!["echo".into(), "files".into()]
    }
    fn describe(&self, server: &str) -> BoxFuture<'static, Result<String, ProgramError>> {
        let r = match server {
            "echo" => Ok(r#"{"server":"echo","tools":{"echo":"echo","fail":"fail","sleep":"sleep","get_sum":"get-sum","hang":"hang"},"aliases":{"getSum":"get_sum"}}"#.to_owned()),
            "files" => Ok(r#"{"server":"files","tools":{"read_text_file":"read_text_file"},"aliases":{"readTextFile":"read_text_file"}}"#.to_owned()),
            s => Err(ProgramError::new(ErrorKind::UnknownTool, format!("there is no server {s:?}"))),
        };
        futures::future::ready(r).boxed()
    }
    fn call(&self, call: GuestCall) -> BoxFuture<'static, Result<String, CallError>> {
        async move {
            let v: serde_json::Value = serde_json::from_str(&call.arguments_json).unwrap_or_default();
            match call.tool.as_str() {
                "fail" => Err(CallError {
                    error: ProgramError::new(ErrorKind::Tool, "nope"),
                    server: call.server,
                    tool: call.tool,
                }),
                "sleep" => {
                    tokio::time::sleep(Duration::from_millis(v["ms"].as_u64().unwrap_or(0))).await;
                    Ok(call.arguments_json)
                }
                "hang" => futures::future::pending().await,
                "get-sum" => Ok((v["a"].as_f64().unwrap_or(0.0) + v["b"].as_f64().unwrap_or(0.0)).to_string()),
                "read_text_file" => {
                    Ok(serde_json::json!(format!("text of {}", v["path"].as_str().unwrap_or(""))).to_string())
                }
                _ => Ok(call.arguments_json),
            }
        }
        .boxed()
    }
}
fn program(file: &str) -> Program {
    let code = std::fs::read_to_string(file).unwrap();
    let (language, name) = if file.ends_with(".py") {
        (Language::Python, "program.py")
    } else if file.ends_with(".js") {
        (Language::JavaScript, "program.js")
    } else {
        (Language::TypeScript, "program.ts")
    };
    Program { code, language, name: name.into(), input_json: r#"{"a":1}"#.into() }
}
fn main() {
    let rt = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let args: Vec<String> = std::env::args().skip(1).collect();
    rt.block_on(async {
        let mut o = Options::new("/tmp/guestlab-cache".into(), rt.handle().clone());
        o.guests_dir = Some(std::env::var("GUESTS").unwrap_or("/work/main/target/guests".into()).into());
        let engine = Engine::new(o).unwrap();
        engine.on_progress(|s| eprintln!("{s}"));
        let n: usize = std::env::var("N").ok().and_then(|s| s.parse().ok()).unwrap_or(0);
        for file in &args {
            let p = program(file);
            let t = Instant::now();
            engine.warm(p.language).await.unwrap();
            let warm = t.elapsed();
            let one = || engine.run(p.clone(), Limits::default(), Arc::new(Host), CancellationToken::new());
            let t = Instant::now();
            let r = one().await;
            println!(
                "=== {file} warm {warm:?} run {:?} cpu {:.2} ms peak {} MiB",
                t.elapsed(),
                r.usage.cpu_ms,
                r.usage.peak_memory_bytes >> 20
            );
            println!(
                "{:?} {}",
                r.status,
                r.result.map_or(String::new(), |r| {
                    let mut s = r.get().to_owned();
                    s.truncate(s.floor_char_boundary(1500));
                    s
                })
            );
            if let Some(e) = r.error {
                println!(
                    "kind {:?} line {:?}\nmessage {}\nhint {:?}\n{}",
                    e.kind,
                    e.line,
                    e.message,
                    e.hint,
                    e.traceback.unwrap_or_default()
                );
            }
            if !r.stdout.is_empty() {
                println!("out: {}", r.stdout.chars().take(600).collect::<String>());
            }
            if !r.stderr.is_empty() {
                println!("err: {}", r.stderr.chars().take(1500).collect::<String>());
            }
            if n > 0 {
                let (mut v, mut c) = (vec![], vec![]);
                for _ in 0..n {
                    let t = Instant::now();
                    let r = one().await;
                    v.push(t.elapsed().as_secs_f64() * 1e3);
                    c.push(r.usage.cpu_ms);
                }
                v.sort_by(f64::total_cmp);
                c.sort_by(f64::total_cmp);
                println!(
                    "BENCH {n}: total p50 {:.3} p99 {:.3} ms | cpu p50 {:.3} p99 {:.3} ms",
                    v[n / 2],
                    v[n * 99 / 100],
                    c[n / 2],
                    c[n * 99 / 100]
                );
            }
        }
    });
}
