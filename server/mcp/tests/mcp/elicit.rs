//! Approvals of calls, asked of the person at the client: a scripted client answers for the person.

use daemon::{AskCalls, Asker, Editor, Options};
use model::Secret;
use model::editor::{ApprovalReply, ApprovalRequest, EditorTool, EditorToolCall, EditorToolReply, InputRequest};
use rmcp::model::{
    CallToolRequest, CallToolRequestParams, CallToolResult, CancelledNotificationParam, ClientCapabilities,
    ClientConfig, ClientRequest, ElicitRequestParams, ElicitResult, ElicitationAction, ElicitationCapability,
    FormElicitationCapability, Implementation,
};
use rmcp::service::{NotificationContext, PeerRequestOptions, RequestContext, RunningService, ServiceError};
use rmcp::{ClientHandler, ErrorData, RoleClient, ServiceExt as _};
use serde_json::{Value, json};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use testkit::TestDaemon;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;

/// An answer that comes at once.
type Ready<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// An editor whose person says yes, and counts how often.
#[derive(Debug, Default)]
struct Agreeable(AtomicUsize);

impl Asker for Agreeable {
    fn approve(&self, _: ApprovalRequest) -> Ready<Option<ApprovalReply>> {
        self.0.fetch_add(1, Ordering::Relaxed);
        Box::pin(std::future::ready(Some(ApprovalReply::Once)))
    }
}

impl Editor for Agreeable {
    fn tools(&self) -> Ready<Result<Vec<EditorTool>, String>> {
        Box::pin(std::future::ready(Ok(Vec::new())))
    }

    fn call_tool(&self, _: EditorToolCall) -> Ready<Result<EditorToolReply, String>> {
        Box::pin(std::future::ready(Err("this editor has no tools".to_owned())))
    }

    fn input(&self, _: InputRequest) -> Ready<Result<Option<Secret>, String>> {
        Box::pin(std::future::ready(Ok(None)))
    }

    fn kept(&self, _: String) -> Ready<Result<Option<Secret>, String>> {
        Box::pin(std::future::ready(Ok(None)))
    }

    fn keep(&self, _: String, _: Option<Secret>) -> Ready<Result<(), String>> {
        Box::pin(std::future::ready(Err("this editor keeps nothing".to_owned())))
    }
}

/// Longest that anything here may take; the first run may compile a guest.
const PATIENCE: Duration = Duration::from_mins(2);

/// What the client heard.
#[derive(Debug)]
enum Heard {
    /// A question: its message, its choices, and where the answer goes.
    Asked(String, Vec<String>, oneshot::Sender<ElicitResult>),
    /// A question was taken back.
    Withdrawn,
}

struct Person {
    heard: mpsc::UnboundedSender<Heard>,
    can_be_asked: bool,
}

impl ClientHandler for Person {
    fn get_info(&self) -> ClientConfig {
        let mut capabilities = ClientCapabilities::default();
        if self.can_be_asked {
            let form = FormElicitationCapability::default();
            capabilities.elicitation = Some(ElicitationCapability::new().with_form(form));
        }
        ClientConfig::new(capabilities, Implementation::new("host", "1"))
    }

    async fn create_elicitation(
        &self,
        request: ElicitRequestParams,
        _: RequestContext<RoleClient>,
    ) -> Result<ElicitResult, ErrorData> {
        let form = serde_json::to_value(&request).expect("JSON");
        let field = &form["requestedSchema"]["properties"]["decision"];
        let choices = serde_json::from_value(field["enum"].clone()).expect("choices");
        assert_eq!(field["title"], "Allow good.echo?", "{form}");
        assert_eq!(form["requestedSchema"]["required"], json!(["decision"]), "{form}");
        let (answer, answered) = oneshot::channel();
        let message = form["message"].as_str().expect("a message").to_owned();
        let _ = self.heard.send(Heard::Asked(message, choices, answer));
        answered.await.map_err(|_| ErrorData::internal_error("nobody answers", None))
    }

    async fn on_cancelled(&self, _: CancelledNotificationParam, _: NotificationContext<RoleClient>) {
        let _ = self.heard.send(Heard::Withdrawn);
    }
}

struct Session {
    client: RunningService<RoleClient, Person>,
    heard: mpsc::UnboundedReceiver<Heard>,
}

impl Session {
    async fn start(test: &TestDaemon, can_be_asked: bool) -> Self {
        let (near, far) = tokio::io::duplex(1 << 20);
        tokio::spawn(mcp::serve(test.daemon.clone(), tokio::io::split(far)));
        let (tx, heard) = mpsc::unbounded_channel();
        let client = Person { heard: tx, can_be_asked }.serve(near).await.expect("a session");
        Self { client, heard }
    }

    async fn next(&mut self) -> Heard {
        tokio::time::timeout(PATIENCE, self.heard.recv()).await.expect("in time").expect("the session lives")
    }

    async fn asked(&mut self) -> (String, Vec<String>, oneshot::Sender<ElicitResult>) {
        match self.next().await {
            Heard::Asked(message, choices, answer) => (message, choices, answer),
            Heard::Withdrawn => panic!("a question, not a withdrawal"),
        }
    }

    /// Has a program run.
    fn begin(&self, code: &str) -> JoinHandle<Result<CallToolResult, ServiceError>> {
        let (peer, params) = (self.client.peer().clone(), program(code));
        tokio::spawn(async move { peer.call_tool(params).await })
    }

    /// Runs a program and answers its questions in turn. Returns what the model saw.
    async fn run(&mut self, code: &str, answers: &[ElicitResult]) -> String {
        let running = self.begin(code);
        for answer in answers {
            self.asked().await.2.send(answer.clone()).expect("the client waits for it");
        }
        ended(running).await
    }
}

/// What the model saw of a run.
async fn ended(running: JoinHandle<Result<CallToolResult, ServiceError>>) -> String {
    let result = tokio::time::timeout(PATIENCE, running).await.expect("in time").expect("no panic");
    let result = result.expect("an answer");
    result.content.first().and_then(|block| block.as_text()).expect("a text").text.clone()
}

fn program(code: &str) -> CallToolRequestParams {
    let Value::Object(arguments) = json!({"code": code, "language": "python"}) else { unreachable!() };
    CallToolRequestParams::new("run_code").with_arguments(arguments)
}

async fn asking() -> TestDaemon {
    asking_before(None).await
}

/// With an editor in front, which serves the client's session.
async fn asking_before(editor: Option<Arc<dyn Editor>>) -> TestDaemon {
    let options = Options { ask_calls: AskCalls::Always, editor, ..Options::default() };
    TestDaemon::builder().scripted("good", &["ok"]).options(options).start().await
}

fn accept(choice: &str) -> ElicitResult {
    ElicitResult::new(ElicitationAction::Accept).with_content(json!({"decision": choice}))
}

const ONE: &str = "from servers import good\nawait good.echo(n=1)";
const TWO: &str = "from servers import good\nawait good.echo(n=1)\nawait good.echo(n=2)";

#[tokio::test]
async fn the_person_is_told_who_wants_what_where_and_why() {
    let test = asking().await;
    let mut session = Session::start(&test, true).await;
    let running = session.begin(ONE);
    let (message, choices, answer) = session.asked().await;
    for part in ["Call `good.echo` with `n: 1`?", "line 2 of the program `from servers import good`", "its server says"]
    {
        assert!(message.contains(part), "{part}: {message}");
    }
    assert_eq!(choices[..3], ["Allow once", "Allow for this run", "Deny"]);
    assert!(choices.iter().any(|choice| choice.starts_with("Always allow ")), "{choices:?}");
    answer.send(accept("Allow once")).expect("the client waits for it");
    assert_eq!(ended(running).await, r#"{"n":1}"#);
}

#[tokio::test]
async fn once_is_one_call_a_run_is_this_run_and_always_is_from_now_on() {
    let test = asking().await;
    let mut session = Session::start(&test, true).await;
    assert_eq!(session.run(TWO, &[accept("Allow once"), accept("Allow once")]).await, r#"{"n":2}"#);
    assert_eq!(session.run(TWO, &[accept("Allow for this run")]).await, r#"{"n":2}"#);
    let running = session.begin(ONE);
    let (_, choices, answer) = session.asked().await;
    let always = choices.iter().rfind(|choice| choice.starts_with("Always allow ")).expect("a pattern").clone();
    answer.send(accept(&always)).expect("the client waits for it");
    assert_eq!(ended(running).await, r#"{"n":1}"#);
    assert_eq!(session.run(ONE, &[]).await, r#"{"n":1}"#, "nobody is asked again");
}

#[tokio::test]
async fn whatever_is_no_clear_yes_is_a_no() {
    let test = asking().await;
    let mut session = Session::start(&test, true).await;
    for answer in [
        accept("Deny"),
        accept("Allow everything"),
        ElicitResult::new(ElicitationAction::Accept),
        ElicitResult::new(ElicitationAction::Decline),
        ElicitResult::new(ElicitationAction::Cancel).with_content(json!({"decision": "Allow once"})),
    ] {
        let saw = session.run(ONE, std::slice::from_ref(&answer)).await;
        assert!(saw.starts_with("error[denied] at line 2"), "{answer:?}: {saw}");
    }
}

#[tokio::test]
async fn a_client_that_cannot_be_asked_is_not_asked_and_nothing_is_called() {
    let test = asking().await;
    let mut session = Session::start(&test, false).await;
    let saw = session.run(ONE, &[]).await;
    assert!(saw.starts_with("error[denied] at line 2"), "{saw}");
}

#[tokio::test]
async fn the_editor_in_front_is_asked_where_the_client_cannot_be_and_only_there() {
    let editor = Arc::new(Agreeable::default());
    let test = asking_before(Some(Arc::clone(&editor) as Arc<dyn Editor>)).await;
    let mut client = Session::start(&test, true).await;
    assert_eq!(client.run(ONE, &[accept("Allow once")]).await, r#"{"n":1}"#);
    assert_eq!(editor.0.load(Ordering::Relaxed), 0, "who sent the request was asked");
    let mut mute = Session::start(&test, false).await;
    assert_eq!(mute.run(ONE, &[]).await, r#"{"n":1}"#);
    assert_eq!(editor.0.load(Ordering::Relaxed), 1);
    // A client that says it can be asked and then fails at it: the question is not lost, and no yes by itself.
    let running = client.begin(ONE);
    let (_, _, answer) = client.asked().await;
    drop(answer);
    assert_eq!(ended(running).await, r#"{"n":1}"#);
    assert_eq!(editor.0.load(Ordering::Relaxed), 2);
}

#[tokio::test]
async fn a_question_is_taken_back_when_its_run_is_cancelled() {
    let test = asking().await;
    let mut session = Session::start(&test, true).await;
    let request = ClientRequest::CallToolRequest(CallToolRequest::new(program(ONE)));
    let options = PeerRequestOptions::no_options();
    let handle = session.client.send_cancellable_request(request, options).await.expect("sent");
    let (_, _, answer) = session.asked().await;
    handle.cancel(None).await.expect("told");
    assert!(matches!(session.next().await, Heard::Withdrawn));
    drop(answer);
    assert_eq!(session.run("1 + 1", &[]).await, "2", "the session lives");
}

#[tokio::test]
async fn questions_asked_at_once_come_one_after_the_other() {
    let test = asking().await;
    let mut session = Session::start(&test, true).await;
    let code = "import asyncio\nfrom servers import good\n\
                len(await asyncio.gather(*[good.echo(n=n) for n in range(20)]))";
    let running = session.begin(code);
    for _ in 0..20 {
        let (_, _, answer) = session.asked().await;
        assert!(session.heard.is_empty(), "one question is open at a time");
        answer.send(accept("Allow once")).expect("the client waits for it");
    }
    assert_eq!(ended(running).await, "20");
}
