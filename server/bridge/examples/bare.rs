//! A bare rmcp client: what a call costs without us. `bare COUNT COMMAND ARGS…` calls `echo` COUNT times in a row, a few
//! times over, and prints `{"best_ms", "p50_ms"}` of the whole rows. `npm run bench` compares the daemon with it.

use rmcp::ServiceExt as _;
use rmcp::model::CallToolRequestParams;
use rmcp::transport::TokioChildProcess;
use std::time::Instant;

const ROUNDS: usize = 41;

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [count, command, rest @ ..] = args.as_slice() else { panic!("usage: bare COUNT COMMAND ARGS…") };
    let count: usize = count.parse().expect("COUNT is a number");
    let mut child = tokio::process::Command::new(command);
    child.args(rest);
    let transport = TokioChildProcess::new(child).expect("the server starts");
    let client = ().serve(transport).await.expect("the handshake");
    let arguments = serde_json::json!({"message": "x"}).as_object().cloned().expect("an object");
    let mut rounds = Vec::with_capacity(ROUNDS);
    for _ in 0..ROUNDS {
        let started = Instant::now();
        for _ in 0..count {
            let params = CallToolRequestParams::new("echo").with_arguments(arguments.clone());
            client.call_tool(params).await.expect("an answer");
        }
        rounds.push(started.elapsed().as_secs_f64() * 1e3);
    }
    rounds.sort_by(f64::total_cmp);
    println!("{}", serde_json::json!({"best_ms": rounds[0], "p50_ms": rounds[ROUNDS / 2]}));
    let _ = client.cancel().await;
}
