//! The editor's own tools as modules of programs: what is offered, called, and left out.

use model::editor::{EditorContent, EditorTool, EditorToolCall, EditorToolReply};
use model::reply::CallReply;
use model::server::Scope;
use model::{CallRequest, CallStatus, ErrorKind, Language, Notice, Reply, Request, RunStatus, ServerState};
use serde_json::{Value, json};
use std::time::Duration;
use testkit::{Answer, Asked, TestDaemon};
use tokio::sync::mpsc::UnboundedReceiver;

/// Never reached when a test passes.
const BOUND: Duration = Duration::from_mins(5);

type Called = (EditorToolCall, Answer<Result<EditorToolReply, String>>);

struct Bench {
    test: TestDaemon,
    asked: UnboundedReceiver<Asked>,
}

fn tool(name: &str, server: &str, tool: &str) -> EditorTool {
    let schema = json!({"type": "object", "properties": {"path": {"type": "string"}}, "required": ["path"]});
    EditorTool {
        name: name.into(),
        server: server.into(),
        tool: tool.into(),
        description: Some(format!("Does {tool}.")),
        input_schema: schema.as_object().cloned(),
        url: None,
    }
}

fn pylance() -> Vec<EditorTool> {
    vec![tool("mcp_pylance_check", "pylance", "check"), tool("mcp_pylance_fix", "pylance", "fix")]
}

impl Bench {
    /// A daemon with the scripted server `good`, and an editor that offers these tools.
    async fn start(tools: Vec<EditorTool>) -> Self {
        let (editor, asked) = testkit::editor();
        let options = daemon::Options { editor: Some(editor), ..daemon::Options::default() };
        let test = TestDaemon::builder().scripted("good", &["ok"]).options(options).start().await;
        let mut bench = Self { test, asked };
        bench.list().await.give(Ok(tools));
        bench
    }

    async fn next(&mut self) -> Asked {
        tokio::time::timeout(BOUND, self.asked.recv()).await.expect("asked in time").expect("the daemon lives")
    }

    async fn list(&mut self) -> Answer<Result<Vec<EditorTool>, String>> {
        match self.next().await {
            Asked::Tools(answer) => answer,
            other => panic!("the tools are asked for, not {other:?}"),
        }
    }

    async fn called(&mut self) -> Called {
        match self.next().await {
            Asked::Call(call, answer) => (call, answer),
            other => panic!("a tool is called, not {other:?}"),
        }
    }

    /// The editor says that its tools changed, and offers these.
    async fn change(&mut self, tools: Result<Vec<EditorTool>, String>) {
        assert!(matches!(self.test.ask(Request::EditorToolsChanged).await, Ok(Reply::Done(true))));
        self.list().await.give(tools);
    }

    /// Waits until the servers with these names are known, in this order.
    async fn servers(&self, names: &[&str]) -> Vec<model::ServerStatus> {
        let mut notices = self.test.daemon.notices();
        let seen = async {
            loop {
                let Ok(Reply::Servers(now)) = self.test.ask(Request::Servers { list: false }).await else {
                    panic!("servers answer")
                };
                if now.iter().map(|s| s.name.as_str()).eq(names.iter().copied()) {
                    return now;
                }
                while !matches!(notices.recv().await, Ok(Notice::Servers(_))) {}
            }
        };
        tokio::time::timeout(BOUND, seen).await.expect("the servers change in time")
    }

    fn direct(&self, tool: &str, arguments: Value, timeout_ms: Option<u64>) -> daemon::Ticket {
        let request =
            CallRequest { server: "pylance".into(), tool: tool.into(), arguments: Some(arguments), timeout_ms };
        self.test.daemon.submit(Request::Call(request), "test", &self.test.conversation)
    }
}

async fn answer(ticket: daemon::Ticket) -> CallReply {
    match ticket.reply().await {
        Ok(Reply::Call(reply)) => *reply,
        other => panic!("a call answers with a call, not {other:?}"),
    }
}

fn text(text: &str) -> EditorToolReply {
    EditorToolReply { content: vec![EditorContent::Text { text: text.into() }], error: None }
}

#[tokio::test]
async fn a_program_calls_the_editors_tools_like_any_server() {
    let mut bench = Bench::start(pylance()).await;
    bench.servers(&["good", "pylance"]).await;
    let code = "from servers import pylance\nfound = await pylance.check(path='a.py')\n\
                try:\n    await pylance.check(path=1)\nexcept Exception as e:\n    wrong = str(e)\n\
                [found['problems'], wrong, await pylance.fix(path='b.py')]";
    let (run, ()) = tokio::join!(bench.test.run(Language::Python, code), async {
        for (name, path, reply) in
            [("mcp_pylance_check", "a.py", text(r#"{"problems": 3}"#)), ("mcp_pylance_fix", "b.py", text("fixed"))]
        {
            let Some(Asked::Call(call, answer)) = bench.asked.recv().await else { panic!("a tool is called") };
            assert_eq!((call.name.as_str(), &call.arguments["path"]), (name, &json!(path)));
            answer.give(Ok(reply));
        }
    });
    let result: Value = serde_json::from_str(run.result.expect("it ends well").get()).expect("JSON");
    assert_eq!((&result[0], &result[2]), (&json!(3), &json!("fixed")));
    assert!(result[1].as_str().is_some_and(|wrong| wrong.contains("path")), "{result}");
    let calls: Vec<_> = run.calls.iter().map(|c| (c.server.as_str(), c.tool.as_str(), c.status)).collect();
    let [first, wrong, last] = [("check", CallStatus::Ok), ("check", CallStatus::Error), ("fix", CallStatus::Ok)]
        .map(|(tool, status)| ("pylance", tool, status));
    assert_eq!(calls, [first, wrong, last]);
}

#[tokio::test]
async fn what_is_offered_is_shown_searched_and_counted() {
    let bench = Bench::start(pylance()).await;
    let servers = bench.servers(&["good", "pylance"]).await;
    let found = &servers[1];
    assert_eq!((found.source.scope, found.state, found.tools), (Scope::Editor, ServerState::Ready, Some(2)));
    assert_eq!((found.transport.as_str(), found.identifier.as_str()), ("editor", "pylance"));
    let Ok(Reply::Servers(counted)) = bench.test.ask(Request::Servers { list: true }).await else { panic!("servers") };
    assert!(counted[1].definition_tokens.expect("counted") > 20);
    assert_eq!(counted[1].state, ServerState::Ready);
    let search = model::SearchRequest { query: "check".into(), ..Default::default() };
    let Ok(Reply::Search(hits)) = bench.test.ask(Request::Search(search)).await else { panic!("a search answers") };
    assert_eq!(hits.hits[0].path, "pylance.check");
    let tools = Request::ServerTools { server: "pylance".into() };
    let Ok(Reply::ServerTools(tools)) = bench.test.ask(tools).await else { panic!("tools answer") };
    assert_eq!(tools.iter().map(|t| t.name.as_str()).collect::<Vec<_>>(), ["check", "fix"]);
    assert!(tools[0].python.contains("path: str"), "{}", tools[0].python);
    for request in [
        Request::RestartServer { server: "pylance".into() },
        Request::StopServer { server: "pylance".into() },
        Request::ServerLog { server: "pylance".into() },
    ] {
        let refused = bench.test.ask(request).await.expect_err("its life is the editor's");
        assert!(refused.to_string().contains("offered by the editor"), "{refused}");
    }
}

#[tokio::test]
async fn what_the_editor_offers_is_in_no_baseline_until_a_program_uses_it() {
    let bench = Bench::start(pylance()).await;
    bench.servers(&["good", "pylance"]).await;
    let run = bench.test.run(Language::Python, "from servers import good\nawait good.echo(message='x')").await;
    let Ok(Reply::Receipt(report, _)) = bench.test.ask(Request::Receipt { run_id: run.run_id }).await else {
        panic!("a receipt answers")
    };
    assert!(report.direct.needed_servers.definitions > 0);
    assert_eq!(report.direct.all_servers, report.direct.needed_servers, "`good` is all there is");
}

#[tokio::test]
async fn our_own_tools_and_configured_servers_are_left_out() {
    let mut tools = pylance();
    tools.extend([
        tool("mcp_tta_run_code", "whatever", "run_code"),
        tool("x", "tta-mcp-code-execution", "run_code"),
        tool("mcp_good_echo", "Good", "echo"),
        tool("usages", "vscode", "usages"),
    ]);
    let mut bench = Bench::start(tools.clone()).await;
    bench.servers(&["good", "pylance", "vscode"]).await;
    // A file that configures one of them takes it over, and gives it back.
    bench.test.configure(&json!({"Pylance": {"command": "nowhere", "disabled": true}}));
    bench.servers(&["Pylance", "Good", "vscode"]).await;
    bench.test.configure(&json!({}));
    bench.servers(&["Good", "pylance", "vscode"]).await;
    // The same tools in another order are no change, and an editor that cannot say is none either.
    let Ok(Reply::Servers(before)) = bench.test.ask(Request::Servers { list: true }).await else { panic!("servers") };
    let mut notices = bench.test.daemon.notices();
    tools.reverse();
    bench.change(Ok(tools)).await;
    bench.change(Err("not now".into())).await;
    // It asks again only when it is through with that.
    assert!(matches!(bench.test.ask(Request::EditorToolsChanged).await, Ok(Reply::Done(true))));
    let unanswered = bench.list().await;
    let Ok(Reply::Servers(after)) = bench.test.ask(Request::Servers { list: false }).await else { panic!("servers") };
    assert_eq!(before, after);
    while let Ok(notice) = notices.try_recv() {
        assert!(!matches!(notice, Notice::Servers(_)), "{notice:?}");
    }
    drop(unanswered);
}

#[tokio::test]
async fn what_the_editor_no_longer_offers_vanishes_and_a_run_keeps_what_it_started_with() {
    let mut bench = Bench::start(pylance()).await;
    bench.servers(&["good", "pylance"]).await;
    let code = "from servers import pylance\nawait pylance.check(path='1')\nawait pylance.check(path='2')";
    let request = model::RunRequest { code: code.into(), language: Some(Language::Python), ..Default::default() };
    let ticket = bench.test.daemon.submit(Request::Run(request), "test", &bench.test.conversation);
    let (_, first) = bench.called().await;
    bench.change(Ok(vec![])).await;
    bench.servers(&["good"]).await;
    first.give(Ok(text("1")));
    let (second, answer) = bench.called().await;
    assert_eq!(second.arguments["path"], "2");
    answer.give(Ok(text("2")));
    let Ok(Reply::Run(run)) = ticket.reply().await else { panic!("a run answers") };
    assert_eq!((run.status, run.result.expect("a result").get()), (RunStatus::Ok, r#""2""#));
    let later = bench.test.run(Language::Python, code).await;
    assert_eq!(later.status, RunStatus::Error);
}

#[tokio::test]
async fn failures_name_the_server_and_the_cause() {
    let mut bench = Bench::start(pylance()).await;
    bench.servers(&["good", "pylance"]).await;
    let path = || json!({"path": "a"});

    let ticket = bench.direct("check", path(), None);
    bench.called().await.1.give(Err("it was uninstalled".into()));
    let error = answer(ticket).await.error.expect("it failed");
    assert!(error.message.contains("`pylance`") && error.message.contains("it was uninstalled"), "{error:?}");

    let ticket = bench.direct("check", path(), None);
    let partly = EditorToolReply { error: Some("MPC -32000: no such file".into()), ..text("looked for a") };
    bench.called().await.1.give(Ok(partly));
    let error = answer(ticket).await.error.expect("it failed");
    assert_eq!((error.kind, error.message.as_str()), (ErrorKind::Tool, "looked for a\nMPC -32000: no such file"));

    let ticket = bench.direct("check", path(), Some(50));
    let (_, mut late) = bench.called().await;
    let reply = answer(ticket).await;
    assert_eq!(reply.record.status, CallStatus::Timeout);
    assert!(reply.error.expect("it failed").message.contains("no answer within 50 ms"));
    tokio::time::timeout(BOUND, late.withdrawn()).await.expect("the editor is told");

    let ticket = bench.direct("check", path(), None);
    let (_, mut open) = bench.called().await;
    drop(ticket);
    tokio::time::timeout(BOUND, open.withdrawn()).await.expect("a cancelled call is withdrawn");
}

#[tokio::test]
async fn images_reach_the_program_as_blocks() {
    let mut bench = Bench::start(pylance()).await;
    bench.servers(&["good", "pylance"]).await;
    let ticket = bench.direct("check", json!({"path": "a"}), None);
    let image = EditorContent::Image { mime_type: "image/png".into(), data: "AQID".into() };
    bench.called().await.1.give(Ok(EditorToolReply { content: vec![image], error: None }));
    let value: Value = serde_json::from_str(answer(ticket).await.value.expect("a value").get()).expect("JSON");
    assert_eq!(value, json!([{"type": "image", "mimeType": "image/png", "data": "AQID"}]));
}

#[tokio::test]
async fn the_editor_is_given_so_many_calls_at_once_and_no_more() {
    let mut bench = Bench::start(pylance()).await;
    bench.servers(&["good", "pylance"]).await;
    let path = || json!({"path": "a"});
    let under_way: Vec<_> = (0..64).map(|_| bench.direct("check", path(), None)).collect();
    let mut open = Vec::new();
    while open.len() < under_way.len() {
        open.push(bench.called().await.1);
    }
    let waiting = answer(bench.direct("check", path(), Some(50))).await;
    assert_eq!(waiting.record.status, CallStatus::Timeout);
    assert!(bench.asked.try_recv().is_err(), "its turn did not come");
    open.pop().expect("there are 64").give(Ok(text("done")));
    let next = bench.direct("check", path(), None);
    bench.called().await.1.give(Ok(text("next")));
    assert_eq!(answer(next).await.record.status, CallStatus::Ok);
}
