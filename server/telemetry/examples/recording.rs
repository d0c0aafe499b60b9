//! What recording costs a call, in nanoseconds: with nothing sent, and with everything on its way to a collector
//! that is not there. `cargo run --release --example recording` in this crate's folder.

use model::{CacheOutcome, CallRecord, CallStatus, ConversationId, Origin, RunId, TelemetrySettings};
use std::time::Instant;
use telemetry::Telemetry;

const CALLS: u32 = 200_000;

#[tokio::main]
async fn main() {
    for (what, on) in [("nothing sent", false), ("traces, metrics and logs sent", true)] {
        let telemetry = Telemetry::new();
        let otlp_endpoint = Some("http://127.0.0.1:1".to_owned());
        let settings =
            TelemetrySettings { otlp_endpoint, traces: on, metrics: on, logs: on, ..TelemetrySettings::default() };
        telemetry.configure(&settings).expect("an address");
        let origin = Origin { front: "mcp", conversation: ConversationId::new(), trace: None };
        let run = telemetry.run(&RunId::new(), &origin);
        let record = CallRecord {
            server: "fs".to_owned(),
            tool: "read".to_owned(),
            status: CallStatus::Ok,
            ms: 1.0,
            cache: CacheOutcome::Miss,
            wave: 0,
            argument_bytes: 10,
            result_bytes: 100,
            result_tokens: None,
            line: None,
            error: None,
        };
        let started = Instant::now();
        for _ in 0..CALLS {
            let mut call = run.call();
            call.server("fs");
            call.tool("fs", "read", None);
            std::hint::black_box(call.trace());
            call.end(&record, None);
        }
        println!("{what}: {} ns a call", started.elapsed().as_nanos() / u128::from(CALLS));
        telemetry.shutdown().await;
    }
}
