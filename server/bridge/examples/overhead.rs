//! What a call costs through the bridge and through a bare rmcp client, against the same program, in one run.
//!
//! `cargo run --release -p bridge --example overhead [COMMAND ARGS… TOOL JSON]`; without arguments the scripted server's `echo`.

use bridge::{Bridge, Options};
use model::{ServerSpec, Transport};
use rmcp::ServiceExt;
use rmcp::model::CallToolRequestParams;
use rmcp::transport::TokioChildProcess;
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

#[expect(unreachable_pub, reason = "it is public in testkit")]
#[path = "../../testkit/src/faulty.rs"]
mod faulty;

const ROUNDS: usize = 5;
const SEQUENTIAL: usize = 500;
const PARALLEL: usize = 1_000;
const LIMIT: Duration = Duration::from_mins(1);

#[tokio::main]
async fn main() {
    let mut words: Vec<String> = std::env::args().skip(1).collect();
    if words.is_empty() {
        let server = faulty::faulty_server().to_string_lossy().into_owned();
        words = vec![server, "ok".into(), "echo".into(), r#"{"text":"hello","n":[1,2,3]}"#.into()];
    }
    let arguments: Map<String, Value> = serde_json::from_str(&words.pop().expect("arguments")).expect("a JSON object");
    let tool = words.pop().expect("a tool");
    let (command, args) = words.split_first().expect("a command");

    let mut child = tokio::process::Command::new(command);
    child.args(args);
    let bare = ().serve(TokioChildProcess::new(child).expect("starts")).await.expect("connects");
    let bridge = Bridge::new(Options::default(), |_event| {});
    bridge.apply(vec![spec(command, args)]);
    bridge.tools("s").await.expect("lists");

    let call_bare = || async {
        let params = CallToolRequestParams::new(tool.clone()).with_arguments(arguments.clone());
        drop(bare.peer().call_tool_once(params).await.expect("answers"));
    };
    let call_bridge = || async { drop(bridge.call("s", &tool, arguments.clone(), LIMIT).await.expect("answers")) };
    for round in 0..ROUNDS {
        // Alternating, so that a busy moment of the machine hits both.
        let (bare_one, bridge_one) = (sequential(&call_bare).await, sequential(&call_bridge).await);
        let (bare_many, bridge_many) = (parallel(&call_bare).await, parallel(&call_bridge).await);
        println!(
            "round {round}: one after the other {bare_one:6.1} us bare, {bridge_one:6.1} us bridge; \
             {PARALLEL} at once {bare_many:6.2} ms bare, {bridge_many:6.2} ms bridge"
        );
    }
    bridge.shutdown().await;
}

/// Microseconds of one call, the median.
async fn sequential<F: Future>(call: &impl Fn() -> F) -> f64 {
    let mut times = Vec::with_capacity(SEQUENTIAL);
    for _ in 0..SEQUENTIAL {
        let start = Instant::now();
        call().await;
        times.push(start.elapsed());
    }
    times.sort();
    times[SEQUENTIAL / 2].as_secs_f64() * 1e6
}

/// Milliseconds of all calls together.
async fn parallel<F: Future>(call: &impl Fn() -> F) -> f64 {
    let start = Instant::now();
    futures::future::join_all((0..PARALLEL).map(|_| call())).await;
    start.elapsed().as_secs_f64() * 1e3
}

fn spec(command: &str, args: &[String]) -> ServerSpec {
    let transport = Transport::Stdio { command: command.into(), args: args.to_vec(), env: BTreeMap::new(), cwd: None };
    ServerSpec { transport, ..faulty::faulty_spec("s", "ok") }
}
