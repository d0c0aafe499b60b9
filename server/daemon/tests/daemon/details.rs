//! What people can see of runs, live and ended, and how they stop one.

use model::reply::{LiveRun, RunDetail};
use model::{CallStatus, Language, Notice, Reply, Request, RunEvent, RunId, RunReply, RunRequest, RunStatus};
use serde_json::json;
use testkit::TestDaemon;

async fn detail(test: &TestDaemon, run_id: &RunId) -> Option<RunDetail> {
    match test.ask(Request::RunDetail { run_id: run_id.clone() }).await {
        Ok(Reply::RunDetail(detail)) => detail.map(|d| *d),
        other => panic!("details were asked for: {other:?}"),
    }
}

async fn stop(test: &TestDaemon, run_id: &RunId) -> bool {
    match test.ask(Request::StopRun { run_id: run_id.clone() }).await {
        Ok(Reply::Done(stopped)) => stopped,
        other => panic!("a run was to be stopped: {other:?}"),
    }
}

async fn live_runs(test: &TestDaemon) -> Vec<LiveRun> {
    match test.ask(Request::LiveRuns).await {
        Ok(Reply::LiveRuns(runs)) => runs,
        other => panic!("the live runs were asked for: {other:?}"),
    }
}

#[tokio::test]
async fn an_ended_run_shows_its_program_calls_and_answers() {
    let test = TestDaemon::builder().scripted("good", &["ok"]).start().await;
    let code = "import tta\nfrom servers import good\nprint('out')\nawait good.echo(a=tta.inputs['a'])\nawait good.text(text='x' * 9000)\n[1, 2]";
    let request = RunRequest {
        code: code.into(),
        language: Some(Language::Python),
        input: Some(json!({"a": 1})),
        name: Some("best.py".into()),
        ..RunRequest::default()
    };
    let Ok(Reply::Run(reply)) = test.ask(Request::Run(request)).await else { panic!("a run answers") };
    let Ok(Reply::Receipt(_, tokens)) = test.ask(Request::Receipt { run_id: reply.run_id.clone() }).await else {
        panic!("a receipt was asked for")
    };
    let detail = detail(&test, &reply.run_id).await.expect("it is remembered");
    assert_eq!((detail.label.as_str(), detail.code.as_str(), detail.input), ("best.py", code, Some(json!({"a": 1}))));
    assert_eq!(
        (detail.status, detail.result.as_str(), detail.stdout.as_str()),
        (Some(RunStatus::Ok), "[1,2]", "out\n")
    );
    let [echo, large] = &detail.calls[..] else { panic!("two calls: {:?}", detail.calls) };
    assert_eq!((echo.arguments.as_str(), echo.result.as_str()), (r#"{"a":1}"#, r#"{"a":1}"#));
    assert_eq!((large.record.result_bytes, large.result.len(), large.arguments.len()), (9_000, 4_096, 4_096));
    assert_eq!([echo, large].map(|call| call.record.result_tokens), [Some(tokens[0]), Some(tokens[1])]);
    assert!(!stop(&test, &reply.run_id).await, "it has ended");
}

#[tokio::test]
async fn a_live_run_shows_its_calls_and_is_stopped_from_anywhere() {
    let test = TestDaemon::builder().scripted("good", &["ok"]).start().await;
    let code = "import tta\nfrom servers import good\nawait good.echo(a=1)\nawait tta.progress('here')\nawait good.slow(ms=600000)";
    let mut notices = test.daemon.notices();
    let request = RunRequest { code: code.into(), language: Some(Language::Python), ..RunRequest::default() };
    let ticket = test.daemon.submit(Request::Run(request), "other", &test.conversation);
    let run_id = ticket.run_id().clone();
    let half_way = |n: &Notice| matches!(n, Notice::Run(RunEvent::Progress { run_id: id, .. }) if *id == run_id);
    while !half_way(&notices.recv().await.expect("nothing is lost")) {}
    let live = loop {
        let live = detail(&test, &run_id).await.expect("it runs");
        if live.calls.len() == 2 {
            break live;
        }
        tokio::task::yield_now().await;
    };
    assert_eq!((live.status, live.calls[0].result.as_str()), (None, r#"{"a":1}"#));
    assert_eq!(live.calls[1].record.status, CallStatus::Cancelled, "what it would be if the run ended now");
    let listed = live_runs(&test).await;
    assert_eq!(listed.iter().map(|run| (&run.run_id, run.calls)).collect::<Vec<_>>(), [(&run_id, 2)]);
    assert!(stop(&test, &run_id).await);
    let Ok(Reply::Run(reply)) = ticket.reply().await else { panic!("a stopped run answers") };
    let RunReply { status, .. } = *reply;
    assert_eq!(status, RunStatus::Cancelled);
    assert_eq!(detail(&test, &run_id).await.expect("it is remembered").status, Some(RunStatus::Cancelled));
}

#[tokio::test]
async fn live_runs_are_listed_newest_first_until_they_end() {
    let test = TestDaemon::builder().start().await;
    let mut notices = test.daemon.notices();
    let mut tickets = Vec::new();
    for name in ["older", "newer"] {
        let (code, name) =
            ("import tta\nawait tta.progress('here')\nwhile True: pass".to_owned(), Some(name.to_owned()));
        let request = RunRequest { code, language: Some(Language::Python), name, ..RunRequest::default() };
        tickets.push(test.daemon.submit(Request::Run(request), "other", &test.conversation));
        while !matches!(notices.recv().await, Ok(Notice::Run(RunEvent::Progress { .. }))) {}
    }
    let names = async || live_runs(&test).await.into_iter().map(|run| run.label).collect::<Vec<_>>();
    assert_eq!(names().await, ["newer", "older"]);
    for (ticket, left) in tickets.into_iter().zip([vec!["newer"], vec![]]) {
        assert!(stop(&test, ticket.run_id()).await);
        ticket.reply().await.expect("a stopped run answers");
        assert_eq!(names().await, left);
    }
}

#[tokio::test]
async fn a_run_that_never_was_is_nothing() {
    let test = TestDaemon::builder().start().await;
    assert_eq!(detail(&test, &RunId::from("nope")).await, None);
    assert!(!stop(&test, &RunId::from("nope")).await);
}
