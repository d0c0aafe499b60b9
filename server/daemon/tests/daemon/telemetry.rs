//! Telemetry through the whole daemon: what a program does reaches a collector as names and numbers, and nothing else does.

#[path = "../../../telemetry/tests/otlp/collector.rs"]
mod collector;

use collector::{Answer, Collector, attributes, hex, texts};
use model::{Language, RunStatus};
use testkit::TestDaemon;

const CANARY: &str = "canary-7f3a";

fn toml(url: &str) -> String {
    format!(
        "[telemetry]\notlp_endpoint = \"{url}\"\nheaders = {{ x-key = \"k-9\" }}\ntraces = true\nmetrics = true\nlogs = true\n"
    )
}

fn program() -> String {
    let lines = [
        "import * as fs from \"servers/fs\";",
        "import * as tta from \"tta\";",
        "const meta = await fs.meta({});",
        "await fs.echo({ text: \"CANARY\" });",
        "for (const call of [() => fs.fail({ text: \"CANARY\" }), () => tta.call(\"CANARY\", \"CANARY\", {})]) {",
        "  try { await call(); } catch (error) { console.log(String(error)); }",
        "}",
        "export default meta;",
    ];
    lines.join("\n").replace("CANARY", CANARY)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_programs_calls_are_spans_that_servers_know_of_and_no_content_leaves() {
    let collector = Collector::start(Answer::Status(200)).await;
    let test = TestDaemon::builder().scripted("fs", &["tells-meta"]).toml(&toml(collector.url())).start().await;
    assert!(test.daemon.problems().is_empty(), "{:?}", test.daemon.problems());
    let reply = test.run(Language::JavaScript, &program()).await;
    assert_eq!(reply.status, RunStatus::Ok, "{:?}", reply.error);
    let failed = test.run(Language::JavaScript, &format!("throw new Error(\"{CANARY}\")")).await;
    assert_eq!(failed.status, RunStatus::Error);
    test.daemon.shutdown().await;

    let spans = collector.spans();
    let run = spans.iter().find(|span| span.name == "tta.run" && attributes(span)["tta.run.status"] == "ok");
    let run = run.expect("the run's span");
    let mut calls: Vec<&str> = Vec::new();
    for span in spans.iter().filter(|span| span.parent_span_id == run.span_id) {
        assert_eq!(span.trace_id, run.trace_id);
        calls.push(&span.name);
    }
    calls.sort_unstable();
    assert_eq!(calls, ["tools/call", "tools/call echo", "tools/call fail", "tools/call meta"]);
    let meta = spans.iter().find(|span| span.name == "tools/call meta").expect("the call's span");
    let told: serde_json::Value = serde_json::from_str(reply.result.expect("a result").get()).expect("JSON");
    assert_eq!(told["traceparent"], format!("00-{}-{}-01", hex(&meta.trace_id), hex(&meta.span_id)));

    let logs = collector.logs();
    let statuses: Vec<String> =
        logs.iter().filter_map(|record| texts(&record.attributes).remove("tta.run.status")).collect();
    assert_eq!(statuses, ["ok", "error"]);
    let ready = |record: &&collector::LogRecord| {
        texts(&record.attributes).get("tta.server.state").is_some_and(|s| s == "ready")
    };
    assert!(logs.iter().any(|record| ready(&record)), "the server's start is told: {logs:?}");
    assert!(collector.has("x-key: k-9"));
    let folder = test.workspace().display().to_string();
    for content in [CANARY, "as you wished", &folder] {
        assert!(!collector.has(content), "{content}");
    }
    let (_, metrics) = test.daemon.metrics();
    assert!(!metrics.contains(CANARY), "{metrics}");
    for line in [
        "tta_runs_total{status=\"ok\",language=\"javascript\"} 1",
        "tta_tool_calls_total{server=\"fs\",tool=\"echo\",status=\"ok\",cache=\"miss\"} 1",
        "tta_tool_calls_total{server=\"unknown\",tool=\"unknown\",status=\"error\",cache=\"miss\"} 1",
        "tta_tokens_total{view=\"code_mode\",baseline=\"none\",kind=\"total\"} ",
    ] {
        assert!(metrics.contains(line), "{line}: {metrics}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_untrusted_workspace_sends_nothing_and_says_where_it_would() {
    let collector = Collector::start(Answer::Status(200)).await;
    let test = TestDaemon::builder().toml(&toml(collector.url())).trusted(None).start().await;
    let question = test.daemon.trust_question().expect("a question");
    assert_eq!(question.would_start, [format!("telemetry to {} (headers: x-key)", collector.url())]);
    test.run(Language::JavaScript, "export default 1").await;
    test.daemon.shutdown().await;
    assert!(collector.exports().is_empty());
}
