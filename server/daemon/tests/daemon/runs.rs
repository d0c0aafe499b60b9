//! Whole runs over scripted servers: what the reply, the receipt and the list of runs say.

use model::reply::RunSummary;
use model::report::{AdviceKind, ReportRequest};
use model::{
    CallStatus, ErrorKind, Language, Notice, Reply, Request, RunEvent, RunId, RunReply, RunRequest, RunStatus,
    TokenReport,
};
use serde_json::{Value, json};
use testkit::TestDaemon;

fn value(reply: &RunReply) -> Value {
    assert_eq!(reply.status, RunStatus::Ok, "{:?}", reply.error);
    serde_json::from_str(reply.result.as_ref().expect("a result").get()).expect("JSON")
}

async fn receipt(test: &TestDaemon, run_id: &RunId) -> (TokenReport, Vec<u64>) {
    match test.ask(Request::Receipt { run_id: run_id.clone() }).await {
        Ok(Reply::Receipt(report, calls)) => (*report, calls),
        other => panic!("a receipt was asked for: {other:?}"),
    }
}

const PYTHON: &str = "
import asyncio
from servers import good
first = await asyncio.gather(*[good.echo(n=n) for n in range(3)])
last = await good.echo(n=sum(one['n'] for one in first))
last
";

const TYPESCRIPT: &str = "
import * as good from 'servers/good';
const first: { n: number }[] = await Promise.all([0, 1, 2].map((n) => good.echo({ n })));
const last = await good.echo({ n: first.reduce((sum, one) => sum + one.n, 0) });
last
";

#[tokio::test]
async fn both_languages_call_in_parallel_and_the_waves_are_counted() {
    let test = TestDaemon::builder().scripted("good", &["ok"]).start().await;
    for (language, code) in [(Language::Python, PYTHON), (Language::TypeScript, TYPESCRIPT)] {
        let reply = test.run(language, code).await;
        assert_eq!(value(&reply), json!({"n": 3}));
        assert_eq!(reply.calls.iter().map(|c| c.wave).collect::<Vec<_>>(), [0, 0, 0, 1], "{language:?}");
        assert!(reply.calls.iter().all(|c| c.status == CallStatus::Ok && c.server == "good" && c.tool == "echo"));
        let (report, tokens) = receipt(&test, &reply.run_id).await;
        assert_eq!(tokens.len(), 4);
        assert_eq!(report.direct.needed_servers.turns, 3, "a turn a wave, and the answer");
        assert_eq!(report.saved, report.direct.deferred.total.cast_signed() - report.code_mode.total.cast_signed());
        assert!(!report.labels.is_empty());
    }
    let Ok(Reply::Runs(runs)) = test.ask(Request::Runs { limit: 10 }).await else { panic!("runs answer") };
    assert_eq!(runs.iter().map(|r: &RunSummary| (r.calls, r.status)).collect::<Vec<_>>(), [(4, RunStatus::Ok); 2]);
}

#[tokio::test]
async fn a_failed_run_credits_nothing_and_costs_its_code() {
    let test = TestDaemon::builder().scripted("good", &["ok"]).start().await;
    let reply = test.run(Language::Python, "from servers import good\nawait good.echo(a=1)\n1/0").await;
    assert_eq!((reply.status, reply.calls.len()), (RunStatus::Error, 1));
    let error = reply.error.as_ref().expect("it failed");
    assert_eq!((error.kind, error.line), (ErrorKind::Exception, Some(3)));
    let (report, _) = receipt(&test, &reply.run_id).await;
    assert_eq!(report.direct.deferred.total, 0);
    assert!(report.saved < 0, "{report:?}");
}

#[tokio::test]
async fn a_tools_own_error_has_the_programs_line_and_can_be_caught() {
    let test = TestDaemon::builder().scripted("good", &["ok"]).start().await;
    let reply = test.run(Language::Python, "from servers import good\n\nawait good.fail()").await;
    let error = reply.error.as_ref().expect("it failed");
    assert_eq!((error.kind, error.line), (ErrorKind::Tool, Some(3)), "{error:?}");
    assert!(error.message.contains("as you wished"), "{error:?}");
    let caught = "import * as good from 'servers/good';\nlet said = '';\ntry { await good.fail({}) } catch (e) { said = e.message }\nsaid";
    assert!(value(&test.run(Language::TypeScript, caught).await).as_str().expect("text").contains("as you wished"));
}

#[tokio::test]
async fn an_untrusted_workspace_denies_the_program_and_says_who_can_help() {
    let test = TestDaemon::builder().scripted("good", &["ok"]).trusted(Some(false)).start().await;
    let reply = test.run(Language::Python, "from servers import good\nawait good.echo()").await;
    assert_eq!(reply.status, RunStatus::Denied, "{:?}", reply.error);
    assert!(reply.error.expect("denied").hint.expect("a way out").contains("--trust"));
    assert_eq!(value(&test.run(Language::Python, "1 + 1").await), json!(2), "what needs no server still runs");
}

#[tokio::test]
async fn a_large_result_is_cut_and_kept_whole_beside() {
    let test = TestDaemon::builder().start().await;
    let reply = test.run(Language::Python, "'x' * 1_000_000").await;
    let cut = &reply.truncated[0];
    assert_eq!((cut.what.as_str(), cut.total_bytes), ("result", 1_000_002));
    assert!(reply.result.expect("a preview").get().len() < 100_000);
    let whole = std::fs::read_to_string(cut.artifact.as_ref().expect("kept")).expect("readable");
    assert_eq!(whole.len(), 1_000_002);
}

#[tokio::test]
async fn configured_limits_bound_what_a_request_asks_for() {
    let test = TestDaemon::builder().toml("[limits]\ntimeout_ms = 300\n").start().await;
    let request = RunRequest {
        code: "while True: pass".into(),
        language: Some(Language::Python),
        timeout_ms: Some(60_000),
        ..RunRequest::default()
    };
    let Ok(Reply::Run(reply)) = test.ask(Request::Run(request)).await else { panic!("a run answers") };
    assert_eq!((reply.status, reply.error.expect("ended").kind), (RunStatus::Limit, ErrorKind::Deadline));
    assert!(reply.usage.wall_ms < 5_000.0, "{:?}", reply.usage);
}

#[tokio::test]
async fn cancelling_reaches_the_program_and_its_call() {
    let test = TestDaemon::builder().scripted("slow", &["hang-call"]).start().await;
    let request = RunRequest {
        code: "from servers import slow\nawait slow.echo()".into(),
        language: Some(Language::Python),
        ..RunRequest::default()
    };
    let mut notices = test.daemon.notices();
    let ticket = test.daemon.submit(Request::Run(request), "test", &test.conversation);
    let cancel = ticket.cancellation();
    // The server is ready once its tools were listed: then the call is on its way.
    let started = async {
        loop {
            if let Ok(Notice::Servers(servers)) = notices.recv().await
                && servers.iter().any(|s| s.state == model::ServerState::Ready)
            {
                break cancel.cancel();
            }
        }
    };
    let (reply, ()) = tokio::join!(ticket.reply(), started);
    let Ok(Reply::Run(reply)) = reply else { panic!("a cancelled run still answers") };
    assert_eq!((reply.status, reply.error.expect("cancelled").kind), (RunStatus::Cancelled, ErrorKind::Cancelled));
}

#[tokio::test]
async fn fronts_hear_of_a_run_as_it_goes() {
    let test = TestDaemon::builder().scripted("good", &["ok"]).start().await;
    let mut notices = test.daemon.notices();
    let reply = test
        .run(Language::Python, "import tta\nfrom servers import good\nawait tta.progress('half')\nawait good.echo()")
        .await;
    value(&reply);
    let mut seen = Vec::new();
    while !seen.contains(&"finished") {
        match notices.recv().await.expect("nothing is lost") {
            Notice::Run(RunEvent::Started { run_id, .. }) if run_id == reply.run_id => seen.push("started"),
            Notice::Run(RunEvent::Progress { message, .. }) if message == "half" => seen.push("progress"),
            Notice::Run(RunEvent::Call { call, .. }) if call.tool == "echo" => seen.push("call"),
            Notice::Run(RunEvent::Finished { status: RunStatus::Ok, .. }) => seen.push("finished"),
            _ => {}
        }
    }
    assert_eq!(seen, ["started", "progress", "call", "finished"]);
}

#[tokio::test]
async fn programs_search_the_catalog_themselves() {
    let test = TestDaemon::builder().scripted("good", &["ok"]).start().await;
    let code = "import tta\n[hit['path'] for hit in await tta.search_tools('echo', limit=1)]";
    assert_eq!(value(&test.run(Language::Python, code).await), json!(["good.echo"]));
}

#[tokio::test]
async fn what_another_window_saves_is_seen_without_a_run_of_ones_own() {
    let test = TestDaemon::builder().scripted("good", &["ok"]).start().await;
    let options = daemon::Options {
        workspace: Some(test.workspace().to_owned()),
        data_dir: Some(test.workspace().join("data")),
        ..daemon::Options::default()
    };
    let other = daemon::Daemon::start(options).await.expect("a second daemon starts");
    let mut notices = other.notices();
    test.run(Language::JavaScript, "import * as good from 'servers/good'; await good.echo({})").await;
    let seen = async {
        loop {
            if let Ok(Notice::Savings(savings)) = notices.recv().await
                && savings.workspace.runs == 1
            {
                return savings.session.runs;
            }
        }
    };
    let own = tokio::time::timeout(std::time::Duration::from_mins(5), seen).await.expect("it is seen");
    assert_eq!(own, 0, "the other window's run is not this session's");
    other.shutdown().await;
}

#[tokio::test]
async fn a_program_that_runs_with_other_inputs_is_the_same_program() {
    let test = TestDaemon::builder().scripted("good", &["ok"]).start().await;
    for n in 0..3 {
        let request = RunRequest {
            code: "import tta\nfrom servers import good\nawait good.echo(n=tta.inputs['n'])".to_owned(),
            language: Some(Language::Python),
            input: Some(json!({"n": n})),
            ..RunRequest::default()
        };
        let Ok(Reply::Run(reply)) = test.ask(Request::Run(request)).await else { panic!("a run answers") };
        receipt(&test, &reply.run_id).await;
    }
    let Ok(Reply::Report(report)) = test.ask(Request::Report(ReportRequest::default())).await else {
        panic!("a report")
    };
    let skill = report.advice.iter().find(|advice| advice.kind == AdviceKind::SaveAsSkill).expect("it ran three times");
    assert_eq!(skill.times, 3);
    assert!(skill.text.starts_with("The program `good.echo` ran 3 times"), "{}", skill.text);
}
