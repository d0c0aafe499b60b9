//! `${input:…}`: asked for once, given to the server that needs it, and found nowhere else.

use model::editor::InputRequest;
use model::reply::CallReply;
use model::{CallRequest, Language, Notice, Reply, Request, RunStatus, Secret, ServerState};
use serde_json::{Value, json};
use std::fmt::Write as _;
use std::path::Path;
use std::time::Duration;
use testkit::{Answer, Asked, TestDaemon, faulty_server};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::broadcast;
use tokio::sync::mpsc::UnboundedReceiver;

/// Never reached when a test passes.
const BOUND: Duration = Duration::from_mins(5);
const VALUE: &str = "t0p \"s3cret/ü";

type Inquiry = (InputRequest, Answer<Result<Option<Secret>, String>>);

struct Bench {
    test: TestDaemon,
    asked: UnboundedReceiver<Asked>,
    notices: broadcast::Receiver<Notice>,
    /// Everything the daemon has told.
    told: String,
}

/// The scripted server with the value in its environment and in an argument.
fn api(fault: &str) -> Value {
    json!({"command": faulty_server(), "args": [fault, "--key=${input:key}"], "env": {"TOKEN": "${input:key}"}})
}

/// The next question for a value. The editor has no tools.
async fn inquiry(asked: &mut UnboundedReceiver<Asked>) -> Inquiry {
    let next = async {
        loop {
            match asked.recv().await.expect("the daemon lives") {
                Asked::Tools(answer) => answer.give(Ok(Vec::new())),
                Asked::Input(request, answer) => return (request, answer),
                other => panic!("nothing else is asked: {other:?}"),
            }
        }
    };
    tokio::time::timeout(BOUND, next).await.expect("asked in time")
}

impl Bench {
    async fn start(servers: &Value, inputs: &Value) -> Self {
        let (editor, asked) = testkit::editor();
        let options = daemon::Options { editor: Some(editor), ..daemon::Options::default() };
        let test = TestDaemon::builder().options(options).start().await;
        let notices = test.daemon.notices();
        let mut bench = Self { test, asked, notices, told: String::new() };
        bench.configure(servers, inputs).await;
        bench
    }

    /// Writes the configuration and waits until it is known.
    async fn configure(&mut self, servers: &Value, inputs: &Value) {
        let text = json!({"servers": servers, "inputs": inputs}).to_string();
        std::fs::write(self.test.workspace().join(".vscode/mcp.json"), text).expect("written");
        let names: Vec<String> = servers.as_object().expect("an object").keys().cloned().collect();
        self.until(|servers| servers.iter().map(|s| &s.name).eq(&names)).await;
    }

    /// Waits until the servers are so.
    async fn until(&mut self, so: impl Fn(&[model::ServerStatus]) -> bool) {
        let seen = async {
            while !so(&status(&self.test).await) {
                let notice = self.notices.recv().await.expect("nothing is lost");
                write!(self.told, "{notice:?}").expect("writes to a String");
            }
        };
        tokio::time::timeout(BOUND, seen).await.expect("in time");
    }

    /// Whatever anybody can see of the daemon: nothing of it may hold one of these.
    async fn is_nowhere(&mut self, values: &[&str]) {
        while let Ok(notice) = self.notices.try_recv() {
            write!(self.told, "{notice:?}").expect("writes to a String");
        }
        let mut seen = std::mem::take(&mut self.told).into_bytes();
        seen.extend(format!("{:?}", (status(&self.test).await, self.test.daemon.problems())).bytes());
        seen.extend(format!("{:?} {:?}", self.test.daemon, self.test.daemon.trust_question()).bytes());
        self.test.daemon.shutdown().await;
        read_all(&self.test.workspace().join("data/workspaces"), &mut seen);
        assert!(contains(&seen, b"SQLite format 3"), "the ledger is among it");
        for value in values {
            assert!(!contains(&seen, value.as_bytes()), "a value is seen");
        }
    }
}

async fn status(test: &TestDaemon) -> Vec<model::ServerStatus> {
    let Ok(Reply::Servers(servers)) = test.ask(Request::Servers { list: false }).await else {
        panic!("servers answer")
    };
    servers
}

fn read_all(folder: &Path, into: &mut Vec<u8>) {
    for entry in std::fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path()) {
        into.extend(entry.to_string_lossy().bytes());
        if entry.is_dir() {
            read_all(&entry, into);
        } else {
            into.extend(std::fs::read(&entry).expect("a file"));
        }
    }
}

fn contains(all: &[u8], part: &[u8]) -> bool {
    all.windows(part.len()).any(|window| window == part)
}

fn key() -> Value {
    json!([{"id": "key", "type": "promptString", "description": "The API key", "password": true}])
}

async fn call(test: &TestDaemon, server: &str) -> CallReply {
    let request = CallRequest { server: server.into(), tool: "echo".into(), arguments: None, timeout_ms: None };
    match test.ask(Request::Call(request)).await {
        Ok(Reply::Call(reply)) => *reply,
        other => panic!("a call answers with a call, not {other:?}"),
    }
}

#[tokio::test]
async fn the_first_use_asks_once_and_the_value_is_seen_by_the_server_alone() {
    let mut bench = Bench::start(&json!({"api": api("ok")}), &key()).await;
    let before = &status(&bench.test).await[0];
    assert_eq!((before.state, before.last_error.as_deref()), (ServerState::Stopped, None));
    assert!(before.target.contains("--key=${input:key}") && before.problems.is_empty(), "{before:?}");
    let code = "import asyncio\nfrom servers import api\n\
                async def one():\n    return [v for v in (await api.env())['env'] if v.startswith('TOKEN=')][0][6:9]\n\
                await asyncio.gather(one(), one(), one())";
    let (run, ()) = tokio::join!(bench.test.run(Language::Python, code), async {
        let (request, answer) = inquiry(&mut bench.asked).await;
        assert_eq!((request.id.as_str(), request.server.as_str(), request.again), ("key", "api", false));
        assert_eq!((request.description.as_deref(), request.password), (Some("The API key"), true));
        assert!(request.file.ends_with(".vscode/mcp.json"));
        answer.give(Ok(Some(Secret::new(VALUE))));
    });
    assert_eq!(run.result.expect("it ends well").get(), r#"["t0p","t0p","t0p"]"#);
    // A configuration that is read again keeps what is known.
    bench.configure(&json!({"api": api("ok"), "more": api("ok")}), &key()).await;
    assert!(call(&bench.test, "api").await.error.is_none());
    assert!(call(&bench.test, "more").await.error.is_none(), "the same input of the same file is asked for once");
    bench.asked.close();
    bench.is_nowhere(&[VALUE, "s3cret"]).await;
}

#[tokio::test]
async fn a_server_that_tells_the_value_is_not_quoted() {
    let mut bench = Bench::start(&json!({"api": api("die-at-start")}), &key()).await;
    let value = "q7";
    let (reply, ()) = tokio::join!(call(&bench.test, "api"), async {
        inquiry(&mut bench.asked).await.1.give(Ok(Some(Secret::new(value))));
    });
    let error = reply.error.expect("it ends at once");
    assert!(error.message.contains("no database, token ***"), "{error:?}");
    bench.until(|servers| servers[0].state == ServerState::Failed).await;
    let Ok(Reply::ServerLog(log)) = bench.test.ask(Request::ServerLog { server: "api".into() }).await else {
        panic!("a log answers")
    };
    assert_eq!(log, "fatal: no database, token ***\n");
    write!(bench.told, "{error:?}").expect("writes to a String");
    // Short as it is, it may stand in a hash or a number; with what stands around it, it may not.
    bench.is_nowhere(&["token q7", "--key=q7"]).await;
}

#[tokio::test]
async fn a_person_who_gives_none_is_not_asked_again_in_the_same_run() {
    let mut bench = Bench::start(&json!({"api": api("ok")}), &key()).await;
    let code = "import tta\nerrors = []\nfor n in range(3):\n    try:\n        await tta.call('api', 'echo', {})\n    \
                except Exception as e:\n        errors.append(str(e))\nerrors";
    for _run in 0..2 {
        let (run, ()) = tokio::join!(bench.test.run(Language::Python, code), async {
            inquiry(&mut bench.asked).await.1.give(Ok(None));
        });
        let errors: Vec<String> = serde_json::from_str(run.result.expect("it ends well").get()).expect("texts");
        assert!(
            errors.len() == 3 && errors.iter().all(|e| e.contains("`${input:key}`") && e.contains("gave no value"))
        );
        assert!(bench.asked.try_recv().is_err(), "asked once a run");
    }
    // What can be picked is what stands in the file.
    let pick = json!([{"id": "key", "type": "pickString", "options": ["eu", "us"]}]);
    bench.configure(&json!({"other": api("ok")}), &pick).await;
    let (reply, ()) = tokio::join!(call(&bench.test, "other"), async {
        let (request, answer) = inquiry(&mut bench.asked).await;
        assert_eq!(request.options, ["eu", "us"]);
        answer.give(Ok(Some(Secret::new("mars"))));
    });
    let error = reply.error.expect("refused").message;
    assert!(error.contains("none of those to pick from") && !error.contains("mars"), "{error}");
    // A call that is cancelled withdraws its question.
    let request = CallRequest { server: "other".into(), tool: "echo".into(), arguments: None, timeout_ms: None };
    let ticket = bench.test.daemon.submit(Request::Call(request), "test", &bench.test.conversation);
    let (_, mut answer) = inquiry(&mut bench.asked).await;
    drop(ticket);
    tokio::time::timeout(BOUND, answer.withdrawn()).await.expect("withdrawn");
}

#[tokio::test]
async fn without_an_editor_it_is_said_what_to_do() {
    let test = TestDaemon::builder().start().await;
    let mut notices = test.daemon.notices();
    test.configure(&json!({"api": api("ok")}));
    while status(&test).await.is_empty() {
        notices.recv().await.expect("nothing is lost");
    }
    let error = call(&test, "api").await.error.expect("it cannot start");
    assert!(error.message.contains("`${input:key}` is asked for by the editor"), "{error:?}");
    assert!(error.hint.is_some_and(|hint| hint.contains("${env:NAME}")));
    let status = &status(&test).await[0];
    assert!(status.problems[0].hint.contains("${env:NAME}"), "{status:?}");
}

#[tokio::test]
async fn a_value_that_is_refused_is_asked_for_again_at_a_restart() {
    let url = guarded("Bearer good key").await;
    let servers =
        json!({"web": {"url": format!("{url}?k=${{input:key}}"), "headers": {"Authorization": "Bearer ${input:key}"}}});
    let mut bench = Bench::start(&servers, &key()).await;
    let (reply, ()) = tokio::join!(call(&bench.test, "web"), async {
        inquiry(&mut bench.asked).await.1.give(Ok(Some(Secret::new("bad key"))));
    });
    let error = reply.error.expect("refused");
    assert!(error.message.contains("asks for authorization"), "{error:?}");
    write!(bench.told, "{error:?}").expect("writes to a String");
    for (again, value) in [(true, "good key"), (false, "good key")] {
        let restart = Request::RestartServer { server: "web".into() };
        let (restarted, ()) = tokio::join!(bench.test.ask(restart), async {
            let (request, answer) = inquiry(&mut bench.asked).await;
            assert_eq!(request.again, again);
            answer.give(Ok(Some(Secret::new(value))));
        });
        let Ok(Reply::Servers(servers)) = restarted else { panic!("a restart answers with servers: {restarted:?}") };
        assert_eq!(servers[0].state, ServerState::Ready);
    }
    assert!(call(&bench.test, "web").await.error.is_none());
    bench.is_nowhere(&["bad key", "good key", "bad%20key", "good%20key", "good+key"]).await;
}

#[tokio::test]
async fn a_file_that_becomes_one_of_the_configuration_is_watched() {
    let mut bench = Bench::start(&json!({}), &json!([])).await;
    let server = json!({"api": {"command": "x", "envFile": "later/new.env"}});
    bench.configure(&server, &json!([])).await;
    assert_eq!(status(&bench.test).await[0].problems.len(), 1);
    std::fs::create_dir(bench.test.workspace().join("later")).expect("made");
    std::fs::write(bench.test.workspace().join("later/new.env"), "A=1\n").expect("written");
    bench.until(|servers| servers[0].problems.is_empty()).await;
}

#[tokio::test]
async fn the_servers_of_further_folders_start_where_they_are_configured() {
    let further = tempfile::tempdir().expect("a folder");
    let entry = json!({"mcpServers": {"lib": {"command": faulty_server(), "args": ["ok"]}}});
    std::fs::write(further.path().join(".mcp.json"), entry.to_string()).expect("written");
    let options = || daemon::Options { folders: vec![further.path().to_owned()], ..daemon::Options::default() };
    let test = TestDaemon::builder().scripted("good", &["ok"]).options(options()).start().await;
    let code = "from servers import good, lib\n\
                [(await good.env())['cwd'], (await lib.env())['cwd'], await lib.ask(method='roots/list')]";
    let run = test.run(Language::Python, code).await;
    assert_eq!(run.status, RunStatus::Ok, "{run:?}");
    let result: Value = serde_json::from_str(run.result.expect("a result").get()).expect("JSON");
    let folders = [test.workspace().to_owned(), further.path().canonicalize().expect("it exists")];
    assert_eq!([&result[0], &result[1]], [&json!(folders[0]), &json!(folders[1])]);
    let roots = result[2]["result"]["roots"].as_array().expect("roots");
    let uris: Vec<_> = roots.iter().filter_map(|root| root["uri"].as_str()).collect();
    assert_eq!(uris.len(), 2);
    assert!(uris.iter().zip(&folders).all(|(uri, folder)| uri.ends_with(&*folder.to_string_lossy())), "{uris:?}");

    // Trust covers every folder.
    let test = TestDaemon::builder().trusted(Some(false)).options(options()).start().await;
    let would_start = test.daemon.trust_question().expect("it waits for trust").would_start;
    assert!(would_start.len() == 1 && would_start[0].starts_with("lib: "), "{would_start:?}");
    let error = call(&test, "lib").await.error.expect("denied").message;
    let name = further.path().file_name().expect("a name").to_string_lossy();
    assert!(error.contains(&format!("({name}/.mcp.json)")), "{error}");
}

/// An MCP server over HTTP that wants exactly this header. Its URL.
async fn guarded(authorization: &'static str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let url = format!("http://{}/mcp", listener.local_addr().expect("an address"));
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(serve(BufReader::new(stream), authorization));
        }
    });
    url
}

async fn serve(mut stream: BufReader<TcpStream>, authorization: &str) -> Option<()> {
    loop {
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            if stream.read_line(&mut head).await.ok()? == 0 {
                return None;
            }
        }
        let header = |name: &str| {
            let mut lines = head.lines().filter_map(|line| line.split_once(": "));
            lines.find(|(own, _)| own.eq_ignore_ascii_case(name)).map(|(_, value)| value)
        };
        let mut body = vec![0; header("content-length").map_or(0, |length| length.parse().expect("a length"))];
        stream.read_exact(&mut body).await.ok()?;
        let message: Value = serde_json::from_slice(&body).unwrap_or_default();
        let result = match message["method"].as_str() {
            Some("initialize") => json!({
                "protocolVersion": message["params"]["protocolVersion"],
                "capabilities": {"tools": {}},
                "serverInfo": {"name": "guarded", "version": "1"},
            }),
            Some("tools/list") => json!({"tools": [{"name": "echo", "inputSchema": {"type": "object"}}]}),
            _ => json!({"content": []}),
        };
        let (status, body) = match (header("authorization") == Some(authorization), message.get("id")) {
            (false, _) => ("401 Unauthorized", String::new()),
            (true, None) => ("202 Accepted", String::new()),
            (true, Some(id)) => ("200 OK", json!({"jsonrpc": "2.0", "id": id, "result": result}).to_string()),
        };
        let length = body.len();
        let reply =
            format!("HTTP/1.1 {status}\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n\r\n{body}");
        stream.write_all(reply.as_bytes()).await.ok()?;
    }
}
