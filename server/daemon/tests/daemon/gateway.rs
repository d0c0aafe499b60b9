//! Servers that the editor serves itself: what a program gets from them, who is asked, and what becomes of the address.

use daemon::AskCalls;
use model::editor::{ApprovalReply, ApprovalRequest, EditorContent, EditorTool, EditorToolReply};
use model::server::Scope;
use model::{Language, Notice, Reply, Request, RunReply, Secret, ServerState};
use serde_json::{Value, json};
use std::path::Path;
use std::time::Duration;
use testkit::{Asked, TestDaemon};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::task::JoinSet;

/// Never reached when a test passes.
const BOUND: Duration = Duration::from_mins(5);
/// What makes an address a secret.
const KEY: &str = "0b5e3c1e-route-of-notes";

/// An endpoint as the editor's gateway is one. Dropping it ends it, with every connection to it.
struct Endpoint {
    url: String,
    _tasks: JoinSet<()>,
}

async fn endpoint() -> Endpoint {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let url = format!("http://{}/gateway/{KEY}", listener.local_addr().expect("an address"));
    let mut tasks = JoinSet::new();
    tasks.spawn(async move {
        let mut connections = JoinSet::new();
        while let Ok((stream, _)) = listener.accept().await {
            connections.spawn(converse(stream));
        }
    });
    Endpoint { url, _tasks: tasks }
}

async fn converse(stream: TcpStream) -> Option<()> {
    let mut stream = BufReader::new(stream);
    loop {
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            if stream.read_line(&mut head).await.ok()? == 0 {
                return None;
            }
        }
        let length = head.lines().find_map(|line| line.to_lowercase().strip_prefix("content-length: ")?.parse().ok());
        let mut body = vec![0; length.unwrap_or(0)];
        stream.read_exact(&mut body).await.ok()?;
        let reply = if head.starts_with(&format!("POST /gateway/{KEY} ")) { answer(&body) } else { empty("405 No") };
        stream.write_all(reply.as_bytes()).await.ok()?;
    }
}

/// The server behind it: its tools answer in the three ways in which tools do.
fn answer(body: &[u8]) -> String {
    let message: Value = serde_json::from_slice(body).expect("clients send JSON");
    let object = json!({"type": "object"});
    let reply = match message["method"].as_str() {
        Some("initialize") => json!({"result": {
            "protocolVersion": message["params"]["protocolVersion"],
            "capabilities": {"tools": {"listChanged": true}},
            "serverInfo": {"name": "gateway", "version": "1"},
        }}),
        Some("tools/list") => json!({"result": {"tools": [
            {"name": "count", "inputSchema": object, "annotations": {"readOnlyHint": true}, "outputSchema":
                {"type": "object", "properties": {"counted": {"type": "integer"}}, "required": ["counted"]}},
            {"name": "fail", "inputSchema": object, "annotations": {"readOnlyHint": true}},
            {"name": "write", "inputSchema": object},
        ]}}),
        Some("tools/call") => match message["params"]["name"].as_str() {
            Some("count") => json!({"result": {
                "content": [{"type": "text", "text": "forty-two in all"}],
                "structuredContent": {"counted": 42, "of": [{"deep": null}]},
            }}),
            Some("fail") => {
                json!({"result": {"content": [{"type": "text", "text": "no such note"}], "isError": true}})
            }
            _ => json!({"error": {"code": -32602, "message": format!("nobody writes to /gateway/{KEY}")}}),
        },
        _ => return empty("202 Accepted"),
    };
    let mut body = json!({"jsonrpc": "2.0", "id": message["id"]});
    body.as_object_mut().expect("an object").extend(reply.as_object().expect("an object").clone());
    let body = body.to_string();
    format!("HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}", body.len())
}

fn empty(status: &str) -> String {
    format!("HTTP/1.1 {status}\r\ncontent-length: 0\r\n\r\n")
}

/// The tools of the server `notes`, as the editor tells them.
fn notes(url: &str) -> Vec<EditorTool> {
    let tool = |tool: &str| EditorTool {
        name: format!("mcp_notes_{tool}"),
        server: "notes".into(),
        tool: tool.into(),
        description: Some(format!("Does {tool}.")),
        input_schema: None,
        url: Some(Secret::new(url)),
    };
    ["count", "fail", "write"].map(tool).into()
}

struct Bench {
    test: TestDaemon,
    asked: UnboundedReceiver<Asked>,
}

impl Bench {
    /// A daemon whose editor offers these tools.
    async fn start(tools: Vec<EditorTool>, ask_calls: AskCalls) -> Self {
        let (editor, asked) = testkit::editor();
        let options = daemon::Options { editor: Some(editor), ask_calls, ..daemon::Options::default() };
        let test = TestDaemon::builder().options(options).start().await;
        let mut notices = test.daemon.notices();
        let mut bench = Self { test, asked };
        bench.offer(tools).await;
        let known = async { while !matches!(notices.recv().await, Ok(Notice::Servers(all)) if all.len() == 1) {} };
        tokio::time::timeout(BOUND, known).await.expect("the server is known in time");
        bench
    }

    async fn next(&mut self) -> Asked {
        tokio::time::timeout(BOUND, self.asked.recv()).await.expect("asked in time").expect("the daemon lives")
    }

    async fn offer(&mut self, tools: Vec<EditorTool>) {
        match self.next().await {
            Asked::Tools(answer) => answer.give(Ok(tools)),
            other => panic!("the tools are asked for, not {other:?}"),
        }
    }

    async fn run(&self, code: &str) -> RunReply {
        self.test.run(Language::Python, &format!("from servers import notes\n{code}")).await
    }

    /// A run whose one call the editor makes, with a text for an answer.
    async fn run_by_editor(&mut self, code: &str, text: &str) -> RunReply {
        let code = format!("from servers import notes\n{code}");
        let (run, ()) = tokio::join!(self.test.run(Language::Python, &code), async {
            match self.asked.recv().await {
                Some(Asked::Call(_, answer)) => {
                    let content = vec![EditorContent::Text { text: text.into() }];
                    answer.give(Ok(EditorToolReply { content, error: None }));
                }
                other => panic!("the editor is to call, not {other:?}"),
            }
        });
        run
    }

    async fn servers(&self, list: bool) -> Vec<model::ServerStatus> {
        match self.test.ask(Request::Servers { list }).await {
            Ok(Reply::Servers(servers)) => servers,
            other => panic!("servers answer, not {other:?}"),
        }
    }
}

fn result(run: &RunReply) -> Value {
    let result = run.result.as_ref().unwrap_or_else(|| panic!("it ends well: {run:?}"));
    serde_json::from_str(result.get()).expect("JSON")
}

const WRONG: &str = "try:\n    await notes.fail()\nexcept Exception as e:\n    wrong = str(e)\n";

#[tokio::test]
async fn nothing_of_an_answer_is_lost() {
    let endpoint = endpoint().await;
    let mut bench = Bench::start(notes(&endpoint.url), AskCalls::Destructive).await;
    let run = bench.run(&format!("counted = await notes.count()\n{WRONG}[counted, wrong]")).await;
    let value = result(&run);
    assert_eq!(value[0], json!({"counted": 42, "of": [{"deep": null}]}));
    assert!(value[1].as_str().is_some_and(|wrong| wrong.contains("no such note")), "{value}");
    assert!(bench.asked.try_recv().is_err(), "neither for a call nor for a person's word");
    // The tools are its own words now: what it returns is in their stubs.
    let tools = Request::ServerTools { server: "notes".into() };
    let Ok(Reply::ServerTools(tools)) = bench.test.ask(tools).await else { panic!("tools answer") };
    assert!(tools[0].python.contains("counted") && tools[0].read_only, "{}", tools[0].python);
    let shown = &bench.servers(true).await[0];
    assert_eq!(
        (shown.transport.as_str(), shown.source.scope, shown.state),
        ("editor", Scope::Editor, ServerState::Ready)
    );
    assert_eq!((shown.tools, shown.target.as_str()), (Some(3), "offered by the editor"));
}

#[tokio::test]
async fn what_is_not_said_to_change_nothing_asks_in_the_editors_place() {
    let endpoint = endpoint().await;
    let mut bench = Bench::start(notes(&endpoint.url), AskCalls::Destructive).await;
    let code = "from servers import notes\nawait notes.count()\nawait notes.write(to='x')";
    let (run, ()) = tokio::join!(bench.test.run(Language::Python, code), async {
        match bench.asked.recv().await {
            Some(Asked::Approve(ApprovalRequest::Call { server, tool, .. }, answer)) => {
                assert_eq!((server.as_str(), tool.as_str()), ("notes", "write"));
                answer.give(Some(ApprovalReply::Deny));
            }
            other => panic!("a person is to be asked, not {other:?}"),
        }
    });
    assert!(run.error.expect("it failed").message.contains("a person said no to notes.write"));
}

#[tokio::test]
async fn the_address_is_shown_nowhere_and_kept_nowhere() {
    let endpoint = endpoint().await;
    let bench = Bench::start(notes(&endpoint.url), AskCalls::Never).await;
    let run = bench.run("await notes.write()").await;
    let message = &run.error.as_ref().expect("it failed").message;
    assert!(message.contains("nobody writes to"), "{message}");
    let search = model::SearchRequest { query: "count".into(), ..Default::default() };
    let detail = Request::RunDetail { run_id: run.run_id.clone() };
    let shown = [
        format!("{run:?}"),
        format!("{:?}", bench.servers(true).await),
        format!("{:?}", bench.test.ask(Request::Search(search)).await),
        format!("{:?}", bench.test.ask(detail).await),
        format!("{:?}", bench.test.ask(Request::Receipt { run_id: run.run_id }).await),
    ];
    for text in shown {
        assert!(!text.contains(KEY), "{text}");
    }
    let files = files_with(&bench.test.workspace().join("data"), KEY.as_bytes());
    assert_eq!(files, 0, "it is in no file");
}

/// How many files under `folder` have `needle` in them. Links are left alone.
fn files_with(folder: &Path, needle: &[u8]) -> usize {
    let entries = std::fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry"));
    let count = |entry: std::fs::DirEntry| {
        let kind = entry.file_type().expect("a kind");
        if kind.is_dir() {
            files_with(&entry.path(), needle)
        } else {
            let has = |bytes: Vec<u8>| bytes.windows(needle.len()).any(|part| part == needle);
            usize::from(kind.is_file() && std::fs::read(entry.path()).is_ok_and(has))
        }
    };
    entries.map(count).sum()
}

#[tokio::test]
async fn where_the_address_does_not_answer_the_editor_calls() {
    let gone = endpoint().await.url;
    for url in [gone.as_str(), "http://192.0.2.1/gateway/a", "https://127.0.0.1/gateway/a"] {
        let mut bench = Bench::start(notes(url), AskCalls::Never).await;
        let run = bench.run_by_editor("await notes.count()", r#"{"counted": 7}"#).await;
        assert_eq!(result(&run), json!({"counted": 7}), "{url}");
    }
}

#[tokio::test]
async fn an_address_that_goes_fails_the_call_and_the_next_run_does_without() {
    let endpoint = endpoint().await;
    let tools = notes(&endpoint.url);
    let mut bench = Bench::start(tools.clone(), AskCalls::Never).await;
    assert_eq!(result(&bench.run("await notes.count()").await)["counted"], 42);
    drop(endpoint);
    let error = bench.run("await notes.count()").await.error.expect("it failed");
    assert!(error.message.contains("notes") && !error.message.contains(KEY), "{error:?}");
    // The editor is asked where it is now, and knows no better.
    bench.offer(tools).await;
    let run = bench.run_by_editor("await notes.count()", r#"{"counted": 7}"#).await;
    assert_eq!(result(&run), json!({"counted": 7}));
}
