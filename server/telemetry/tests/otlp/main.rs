//! What reaches a collector, what never does, and what becomes of runs where there is none.

mod collector;

use collector::{Answer, Collector, attributes, hex, texts};
use model::{
    CacheOutcome, CallRecord, CallStatus, ConversationId, ErrorKind, Origin, ProgramError, RunId, RunReply, RunStatus,
    Secret, TelemetrySettings, TraceContext,
};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use telemetry::Telemetry;

/// Longest that anything here may take, far above its bounds.
const PATIENCE: Duration = Duration::from_mins(1);
const CANARY: &str = "canary-7f3a";
const CLIENT: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

fn settings(url: &str) -> TelemetrySettings {
    let headers = BTreeMap::from([("x-key".to_owned(), Secret::new("k-123"))]);
    let otlp_endpoint = Some(url.to_owned());
    TelemetrySettings { otlp_endpoint, headers, traces: true, metrics: true, logs: true }
}

fn origin(trace: Option<&str>) -> Origin {
    let trace = trace.map(|parent| TraceContext { parent: parent.to_owned(), state: "vendor=1".to_owned() });
    Origin { front: "mcp", conversation: ConversationId::new(), trace }
}

fn record(status: CallStatus) -> CallRecord {
    CallRecord {
        server: CANARY.to_owned(),
        tool: CANARY.to_owned(),
        status,
        ms: 12.5,
        cache: CacheOutcome::Miss,
        wave: 3,
        argument_bytes: 10,
        result_bytes: 20,
        result_tokens: None,
        line: Some(1),
        error: Some(CANARY.to_owned()),
    }
}

fn reply(status: RunStatus) -> RunReply {
    let refused = RunReply::refused(ProgramError::new(ErrorKind::Exception, CANARY), None);
    let error = refused.error.clone().filter(|_| status != RunStatus::Ok);
    RunReply { status, error, stdout: CANARY.to_owned(), stderr: CANARY.to_owned(), ..refused }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_is_a_tree_of_spans_in_its_clients_trace_and_holds_no_content() {
    let (collector, telemetry) = (Collector::start(Answer::Status(200)).await, Telemetry::new());
    telemetry.configure(&settings(collector.url())).expect("configured");
    let run = telemetry.run(&RunId::new(), &origin(Some(CLIENT)));
    let mut good = run.call();
    good.server("fs");
    good.tool("fs", "read", None);
    let told = good.trace().expect("a trace for the server");
    good.end(&record(CallStatus::Ok), None);
    run.call().end(&record(CallStatus::Error), Some(ErrorKind::UnknownTool));
    drop(run.call());
    run.end(&reply(RunStatus::Error));
    tokio::time::timeout(PATIENCE, telemetry.shutdown()).await.expect("ended");

    let spans = collector.spans();
    assert_eq!(spans.len(), 4, "{spans:?}");
    assert!(spans.iter().all(|span| hex(&span.trace_id) == CLIENT[3..35]));
    let root = spans.iter().find(|span| span.name == "tta.run").expect("the run");
    assert_eq!((hex(&root.parent_span_id).as_str(), root.kind), (&CLIENT[36..52], 2));
    let of_run = attributes(root);
    assert_eq!((of_run["tta.run.status"].as_str(), of_run["error.type"].as_str()), ("error", "exception"));
    assert_eq!((of_run["mcp.method.name"].as_str(), of_run["gen_ai.tool.name"].as_str()), ("tools/call", "run_code"));
    let calls: Vec<_> = spans.iter().filter(|span| span.parent_span_id == root.span_id).collect();
    assert_eq!(calls.len(), 3);
    let read = calls.iter().find(|span| span.name == "tools/call read").expect("the call that was found");
    assert_eq!(told.parent, format!("00-{}-{}-01", &CLIENT[3..35], hex(&read.span_id)));
    assert_eq!(told.state, "vendor=1");
    let of_read = attributes(read);
    for (name, value) in [
        ("mcp.method.name", "tools/call"),
        ("gen_ai.operation.name", "execute_tool"),
        ("gen_ai.tool.name", "read"),
        ("tta.server", "fs"),
        ("tta.call.status", "ok"),
        ("tta.call.argument_bytes", "10"),
    ] {
        assert_eq!(of_read[name], value, "{name}");
    }
    assert_eq!(read.kind, 3);
    let others: Vec<_> = calls.iter().filter(|span| span.name == "tools/call").map(|span| attributes(span)).collect();
    let mut errors: Vec<_> =
        others.iter().map(|all| (all["error.type"].as_str(), all["tta.server"].as_str())).collect();
    errors.sort_unstable();
    assert_eq!(errors, [("cancelled", "unknown"), ("unknown_tool", "unknown")]);

    let logs = collector.logs();
    let [ended] = &logs[..] else { panic!("one record: {logs:?}") };
    assert_eq!((ended.event_name.as_str(), ended.severity_text.as_str()), ("tta.run.ended", "WARN"));
    assert_eq!((&ended.trace_id, &ended.span_id), (&root.trace_id, &root.span_id), "it names the run's span");
    let of_record = texts(&ended.attributes);
    assert_eq!((of_record["tta.run.status"].as_str(), of_record["error.type"].as_str()), ("error", "exception"));

    let names = collector.metrics();
    for name in ["tta_runs_total", "tta_run_duration_seconds", "tta_tool_calls_total", "tta_tool_call_duration_seconds"]
    {
        assert!(names.iter().any(|known| known == name), "{name}: {names:?}");
    }
    assert!(collector.has("x-key: k-123"));
    assert!(!collector.has(CANARY));
    assert!(!telemetry.metrics_text().contains(CANARY));
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_sent_unless_it_is_switched_on_and_after_it_is_switched_off() {
    let (collector, telemetry) = (Collector::start(Answer::Status(200)).await, Telemetry::new());
    let off = TelemetrySettings { traces: false, metrics: false, logs: false, ..settings(collector.url()) };
    telemetry.configure(&off).expect("configured");
    let run = telemetry.run(&RunId::new(), &origin(Some(CLIENT)));
    assert_eq!(run.call().trace(), None, "servers are told of no trace");
    run.end(&reply(RunStatus::Ok));
    tokio::time::timeout(PATIENCE, telemetry.shutdown()).await.expect("ended");
    assert!(collector.exports().is_empty());
    assert!(telemetry.metrics_text().contains(r#"tta_runs_total{status="ok",language="python"} 1"#));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_collector_that_is_down_slow_or_refuses_costs_spans_and_nothing_else() {
    let refusing = Collector::start(Answer::Status(500)).await;
    let silent = Collector::start(Answer::Never).await;
    for url in ["http://127.0.0.1:1", refusing.url(), silent.url()] {
        let telemetry = Telemetry::new();
        let settings = TelemetrySettings { metrics: false, ..settings(url) };
        telemetry.configure(&settings).expect("configured");
        let run = telemetry.run(&RunId::new(), &origin(None));
        for _ in 0..10_000 {
            run.call().end(&record(CallStatus::Ok), None);
        }
        run.end(&reply(RunStatus::Ok));
        tokio::time::timeout(PATIENCE, telemetry.shutdown()).await.expect("ended");
        let text = telemetry.metrics_text();
        let of = |result: &str| {
            let name = format!(r#"tta_telemetry_spans_total{{result="{result}"}} "#);
            text.lines().find_map(|line| line.strip_prefix(&name)?.parse::<u64>().ok()).unwrap_or_default()
        };
        assert_eq!(of("exported"), 0, "{url}");
        assert!(of("failed") + of("dropped") > 0, "{url}: {text}");
        assert!(10_001 - of("failed") - of("dropped") <= 2_048, "{url}: more waits than the queue holds");
        assert!(text.contains(r#"status="ok",cache="miss"} 10000"#), "{url}: every call is counted");
    }
}

#[tokio::test]
async fn what_is_no_address_or_no_header_is_said() {
    let telemetry = Telemetry::new();
    for wrong in ["ftp://collector", "collector:4318", "http://"] {
        let refused = telemetry.configure(&settings(wrong)).expect_err(wrong);
        assert!(refused.to_string().contains("http://127.0.0.1:4318"), "{refused}");
    }
    let headers = BTreeMap::from([("x key".to_owned(), Secret::new(CANARY))]);
    let settings = TelemetrySettings { headers, ..settings("http://127.0.0.1:1") };
    let refused = telemetry.configure(&settings).expect_err("a header with a space").to_string();
    assert!(refused.contains("x key") && !refused.contains(CANARY), "{refused}");
}

#[tokio::test(flavor = "multi_thread")]
async fn records_tell_of_runs_and_of_servers_without_traces_too() {
    let (collector, telemetry) = (Collector::start(Answer::Status(200)).await, Telemetry::new());
    let only_logs = TelemetrySettings { traces: false, metrics: false, ..settings(collector.url()) };
    telemetry.configure(&only_logs).expect("configured");
    telemetry.server_state("fs", "ready", false);
    telemetry.server_state("fs", "quarantined", true);
    telemetry.server_state(&CANARY.repeat(50), "ready", false);
    telemetry.run(&RunId::new(), &origin(None)).end(&reply(RunStatus::Ok));
    tokio::time::timeout(PATIENCE, telemetry.shutdown()).await.expect("ended");
    let mut told: Vec<_> = collector.logs();
    told.sort_by_key(|record| record.time_unix_nano);
    let short: Vec<_> = told
        .iter()
        .map(|record| {
            let of = texts(&record.attributes);
            let what = of.get("tta.server.state").or_else(|| of.get("tta.run.status")).cloned().unwrap_or_default();
            (record.severity_text.clone(), of.get("tta.server").cloned().unwrap_or_default(), what)
        })
        .collect();
    let expected =
        [("INFO", "fs", "ready"), ("WARN", "fs", "quarantined"), ("INFO", "other", "ready"), ("INFO", "", "ok")];
    assert_eq!(short, expected.map(|(a, b, c)| (a.to_owned(), b.to_owned(), c.to_owned())));
    assert!(collector.spans().is_empty() && collector.metrics().is_empty());
    assert!(!collector.has(CANARY));
}

#[tokio::test]
async fn labels_are_bounded_whatever_servers_call_their_tools() {
    let telemetry = Telemetry::new();
    let run = telemetry.run(&RunId::new(), &origin(None));
    for n in 0..2_000 {
        let (server, tool) = (format!("server-{}", n / 10), format!("tool-{n}"));
        let mut call = run.call();
        call.tool(&server, &tool, None);
        call.end(&record(CallStatus::Ok), None);
    }
    let text = telemetry.metrics_text();
    let sets = text.lines().filter(|line| line.starts_with("tta_tool_calls_total{")).count();
    assert!(sets <= 500 + 100 + 1, "{sets} label sets");
    let rest = r#"tta_tool_calls_total{server="other",tool="other",status="ok",cache="miss"} 1000"#;
    assert!(text.contains(rest), "the calls of the last hundred servers are counted as others: {text}");
}

#[tokio::test]
async fn what_was_saved_in_dollars_is_told_by_model_and_can_be_a_loss() {
    let telemetry = Telemetry::new();
    telemetry.observe(|| telemetry::Now { cost_saved: Some(("m-1".to_owned(), -0.25)), ..telemetry::Now::default() });
    let text = telemetry.metrics_text();
    assert!(text.contains("tta_cost_saved_usd_total{model=\"m-1\"} -0.25"), "{text}");
    let (collector, telemetry) = (Collector::start(Answer::Status(200)).await, telemetry);
    telemetry.configure(&settings(collector.url())).expect("configured");
    tokio::time::timeout(PATIENCE, telemetry.shutdown()).await.expect("ended");
    assert!(collector.metrics().iter().any(|name| name == "tta_cost_saved_usd_total"), "{:?}", collector.metrics());
}

/// Counts what the crate warns of.
struct Warnings(&'static AtomicUsize);

impl tracing::Subscriber for Warnings {
    fn enabled(&self, metadata: &tracing::Metadata<'_>) -> bool {
        metadata.target().starts_with("telemetry") && *metadata.level() == tracing::Level::WARN
    }

    fn new_span(&self, _: &tracing::span::Attributes<'_>) -> tracing::span::Id {
        tracing::span::Id::from_u64(1)
    }

    fn record(&self, _: &tracing::span::Id, _: &tracing::span::Record<'_>) {}

    fn record_follows_from(&self, _: &tracing::span::Id, _: &tracing::span::Id) {}

    fn event(&self, _: &tracing::Event<'_>) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }

    fn enter(&self, _: &tracing::span::Id) {}

    fn exit(&self, _: &tracing::span::Id) {}
}

#[tokio::test(flavor = "multi_thread")]
async fn a_collector_that_is_lost_is_warned_of_once() {
    static WARNED: AtomicUsize = AtomicUsize::new(0);
    // For the whole process, as exports have threads of their own; other tests warn here too where they share it.
    let alone = tracing::subscriber::set_global_default(Warnings(&WARNED)).is_ok();
    let lost = Collector::start(Answer::Status(503)).await;
    let telemetry = Telemetry::new();
    telemetry.configure(&settings(lost.url())).expect("configured");
    for _ in 0..3_000 {
        telemetry.run(&RunId::new(), &origin(None)).end(&reply(RunStatus::Ok));
    }
    tokio::time::timeout(PATIENCE, telemetry.shutdown()).await.expect("ended");
    let paths: BTreeSet<String> = lost.exports().into_iter().map(|export| export.path).collect();
    assert_eq!(paths.len(), 3, "each signal was refused: {paths:?}");
    assert!(alone && WARNED.load(Ordering::SeqCst) == 1, "{} warnings", WARNED.load(Ordering::SeqCst));
}
