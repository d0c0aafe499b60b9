//! Calls that are carried out as tasks, in both forms of the protocol.

use crate::kit::{BOUND, Kit, object};
use bridge::{Error, Patience, Progress};
use futures::future::{BoxFuture, FutureExt as _};
use model::ask::{ElicitReply, ElicitRequest, Offers};
use model::{ServerSpec, ToolResult, Transport};
use serde_json::{Value, json};
use std::future::IntoFuture as _;
use std::path::PathBuf;
use std::process::Stdio;
use std::sync::{Arc, OnceLock};
use std::time::Duration;
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};

const MANNERS: [&str; 2] = ["initialize", "stateless"];

fn spec(manner: &str) -> ServerSpec {
    static PROGRAM: OnceLock<PathBuf> = OnceLock::new();
    let program = PROGRAM.get_or_init(|| crate::faulty::built("task-server")).to_string_lossy().into_owned();
    let mut spec = crate::faulty::faulty_spec("s", manner);
    if let Transport::Stdio { command, .. } = &mut spec.transport {
        *command = program;
    }
    spec
}

/// A person who always says yes, and writes the same name.
#[derive(Debug)]
struct Person;

impl bridge::Host for Person {
    fn offers(&self) -> Offers {
        Offers { form: true, ..Offers::default() }
    }

    fn elicit(&self, _request: ElicitRequest) -> BoxFuture<'static, Result<ElicitReply, String>> {
        async { Ok(ElicitReply::Accept { content: object(json!({"name": "Ada"})) }) }.boxed()
    }
}

fn kit(manner: &str) -> Kit {
    Kit::with(vec![spec(manner)], |options| options.host = Some(Arc::new(Person)))
}

async fn work(
    kit: &Kit,
    arguments: Value,
    patience: impl Into<Patience>,
    progress: &Progress,
) -> Result<ToolResult, Error> {
    kit.bridge.watched_call("s", "work", object(arguments), patience, progress).await
}

/// How often the server was asked for each method, of those that it was asked for.
async fn count(kit: &Kit, method: &str) -> usize {
    let seen = kit.structured("seen", json!({})).await;
    seen["methods"].as_array().expect("a list").iter().filter(|seen| *seen == method).count()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_task_is_asked_how_it_goes_until_its_result_is_there() {
    for manner in MANNERS {
        let (kit, progress) = (kit(manner), Progress::default());
        let statuses = json!({"statuses": ["working", "working", "completed"]});
        let answer = work(&kit, statuses, BOUND, &progress).await.expect("answered");
        assert_eq!(answer.structured, Some(json!({"told": null})), "{manner}");
        assert_eq!((answer.text().as_str(), answer.is_error), ("done", false));
        let messages = progress.since(0).1.into_iter().filter_map(|update| update.message).collect::<Vec<_>>();
        assert_eq!(messages, ["step 1", "step 2"], "{manner}");
        assert_eq!((count(&kit, "tasks/get").await, count(&kit, "tasks/cancel").await), (2, 0), "{manner}");
        assert_eq!(count(&kit, "tasks/result").await, usize::from(manner == "initialize"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_server_itself_reports_of_the_call_is_heard_until_the_task_is_over() {
    let (kit, progress) = (kit("initialize"), Progress::default());
    let statuses = json!({"statuses": ["working", "working", "completed"], "progress": 3});
    work(&kit, statuses, BOUND, &progress).await.expect("answered");
    let figures: Vec<_> =
        progress.since(0).1.iter().map(|update| (update.progress.to_string(), update.total)).collect();
    let own = ("3".to_owned(), Some(10.0));
    assert_eq!(figures, [own.clone(), own.clone(), own], "no change of the status has figures of its own");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tool_that_need_not_be_called_as_a_task_is_not() {
    let kit = kit("initialize");
    assert_eq!(kit.call("plain", json!({})).await.expect("answered").text(), "plain");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_task_asks_is_answered() {
    for manner in MANNERS {
        let kit = kit(manner);
        let statuses = json!({"statuses": ["working", "input_required", "completed"]});
        let answer = work(&kit, statuses, BOUND, &Progress::default()).await.expect("answered");
        let told = json!({"told": {"name": {"action": "accept", "content": {"name": "Ada"}}}});
        assert_eq!(answer.structured, Some(told), "{manner}");
        assert_eq!(count(&kit, "tasks/update").await, usize::from(manner == "stateless"));
        assert_eq!(count(&kit, "tasks/cancel").await, 0, "{manner}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_task_that_came_to_nothing_is_an_error_that_says_so() {
    for manner in MANNERS {
        let kit = kit(manner);
        for (arguments, wanted) in [
            (json!({"statuses": ["working", "failed"]}), "failed: step 1: it broke"),
            (json!({"statuses": ["working", "cancelled"]}), "was cancelled: step 1"),
            (json!({"statuses": ["working"], "forgets": true}), "is not known any more: no such task"),
        ] {
            let error = work(&kit, arguments, BOUND, &Progress::default()).await.expect_err(wanted);
            assert_eq!(error, Error::Task { server: "s".into(), what: wanted.into() }, "{manner}");
        }
        let odd = json!({"statuses": ["working", "upside_down"]});
        let error = work(&kit, odd, BOUND, &Progress::default()).await.expect_err("no status");
        assert!(matches!(&error, Error::Protocol { what, .. } if what.contains("upside_down")), "{error}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_error_of_the_tool_is_its_result() {
    let arguments = json!({"statuses": ["working", "failed"], "isError": true});
    let answer = work(&kit("initialize"), arguments, BOUND, &Progress::default()).await.expect("answered");
    assert_eq!((answer.text().as_str(), answer.is_error), ("done", true));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_task_that_nobody_waits_for_is_cancelled_at_its_server() {
    for manner in MANNERS {
        let (kit, progress) = (kit(manner), Progress::default());
        {
            let mut call = std::pin::pin!(work(&kit, json!({"statuses": ["working"]}), BOUND, &progress));
            tokio::select! {
                answer = &mut call => panic!("{answer:?}"),
                () = progress.after(1) => {}
            }
        }
        assert_eq!(count(&kit, "tasks/cancel").await, 1, "{manner}");
        // One whose status stands still.
        let patience = Patience { silence: Duration::from_secs(3), total: BOUND };
        let stands = json!({"statuses": ["working"], "stands": true});
        let error = work(&kit, stands, patience, &progress).await.expect_err("silent");
        assert!(error.is_timeout(), "{error}");
        assert_eq!(count(&kit, "tasks/cancel").await, 2, "{manner}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_status_that_changes_is_a_sign_of_life() {
    let patience = Patience { silence: Duration::from_secs(3), total: BOUND };
    let mut statuses = vec!["working"; 40];
    statuses.push("completed");
    // At a tenth of a second each they take longer than a silence may.
    let arguments = json!({"statuses": statuses});
    work(&kit("initialize"), arguments, patience, &Progress::default()).await.expect("answered");
}

/// The server's own process, whose answers an HTTP server gives on as single JSON bodies.
struct Behind {
    _process: Child,
    input: ChildStdin,
    output: Lines<BufReader<ChildStdout>>,
}

impl Behind {
    fn new(manner: &str) -> Self {
        let Transport::Stdio { command, args, .. } = spec(manner).transport else { unreachable!("it is a program") };
        let mut started = Command::new(command);
        started.args(args).stdin(Stdio::piped()).stdout(Stdio::piped()).kill_on_drop(true);
        let mut process = started.spawn().expect("it starts");
        let (input, output) = (process.stdin.take().expect("piped"), process.stdout.take().expect("piped"));
        Self { _process: process, input, output: BufReader::new(output).lines() }
    }

    /// The answer to a request; nothing to what is none.
    async fn answer(&mut self, message: String) -> Option<Value> {
        let id = serde_json::from_str::<Value>(&message).expect("JSON")["id"].take();
        self.input.write_all(format!("{message}\n").as_bytes()).await.expect("it reads");
        while !id.is_null() {
            let line = self.output.next_line().await.expect("it writes").expect("it lives");
            let said: Value = serde_json::from_str(&line).expect("JSON");
            if said["id"] == id {
                return Some(said);
            }
        }
        None
    }
}

async fn over_http(manner: &str) -> ServerSpec {
    use axum::response::IntoResponse as _;
    let behind = Arc::new(tokio::sync::Mutex::new(Behind::new(manner)));
    let post = move |message: String| async move {
        match behind.lock().await.answer(message).await {
            Some(answer) => axum::Json(answer).into_response(),
            None => axum::http::StatusCode::ACCEPTED.into_response(),
        }
    };
    let app = axum::Router::new().route("/mcp", axum::routing::post(post));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let url = format!("http://{}/mcp", listener.local_addr().expect("an address"));
    tokio::spawn(axum::serve(listener, app).into_future());
    let transport = Transport::Http { url, headers: [].into(), sse: false };
    ServerSpec { transport, ..spec(manner) }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_answers_in_single_bodies_is_asked_for_tasks_as_well() {
    for manner in MANNERS {
        let kit = Kit::new(vec![over_http(manner).await]);
        let statuses = json!({"statuses": ["working", "completed"]});
        let answer = work(&kit, statuses, BOUND, &Progress::default()).await.expect("answered");
        assert_eq!(answer.structured, Some(json!({"told": null})), "{manner}");
        assert_eq!(kit.call("plain", json!({})).await.expect("answered").text(), "plain", "{manner}");
        assert_eq!(count(&kit, "tasks/get").await, 1, "{manner}");
    }
}
