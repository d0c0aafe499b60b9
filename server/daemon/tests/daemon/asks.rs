//! Whom the daemon asks on behalf of servers, and what becomes of the runs meanwhile.

use daemon::{Asker, Options, Ticket};
use futures::FutureExt as _;
use futures::future::BoxFuture;
use model::ask::{ElicitReply, ElicitRequest, Offers, SampleReply, SampleRequest};
use model::editor::{ApprovalReply, ApprovalRequest};
use model::{Language, Reply, Request, RunReply, RunRequest, RunStatus};
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;
use testkit::{Answer, Asked, TestDaemon, editor};
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::time::timeout;

/// Never reached when a test passes.
const BOUND: Duration = Duration::from_mins(5);

const FORM: &str = r#"
from servers import s
params = {"message": "Who?", "requestedSchema": {"type": "object", "properties": {"name": {"type": "string"}}}}
await s.ask(method="elicitation/create", params=params)
"#;
const PROMPT: &str = r#"
from servers import s
params = {"messages": [{"role": "user", "content": {"type": "text", "text": "hi"}}], "maxTokens": 5}
await s.ask(method="sampling/createMessage", params=params)
"#;

struct Bench {
    test: TestDaemon,
    asked: UnboundedReceiver<Asked>,
}

impl Bench {
    async fn start(options: Options) -> Self {
        let (editor, asked) = editor();
        let options = Options { editor: Some(editor), ..options };
        let pages = json!({"command": testkit::built("page-server")});
        let builder = TestDaemon::builder().scripted("s", &["asks"]).server("p", pages);
        Self { test: builder.options(options).start().await, asked }
    }

    fn submit(&self, code: &str) -> Ticket {
        submit(&self.test, code, None)
    }

    /// The next that the editor is asked. It has no tools.
    async fn next(&mut self) -> Asked {
        let next = async {
            loop {
                match self.asked.recv().await.expect("the daemon lives") {
                    Asked::Tools(answer) => answer.give(Ok(Vec::new())),
                    other => return other,
                }
            }
        };
        timeout(BOUND, next).await.expect("asked in time")
    }

    async fn form(&mut self) -> Answer<Option<ElicitReply>> {
        match self.next().await {
            Asked::Elicit(ElicitRequest::Form { server, message, .. }, answer)
                if server == "s" && message == "Who?" =>
            {
                answer
            }
            other => panic!("a form, not {other:?}"),
        }
    }
}

fn submit(test: &TestDaemon, code: &str, asker: Option<Arc<dyn Asker>>) -> Ticket {
    let request = RunRequest { code: code.to_owned(), language: Some(Language::Python), ..RunRequest::default() };
    test.daemon.submit_asking(Request::Run(request), "test", &test.conversation, asker)
}

async fn ran(ticket: Ticket) -> RunReply {
    match timeout(BOUND, ticket.reply()).await.expect("it ends") {
        Ok(Reply::Run(reply)) => *reply,
        other => panic!("a run answers with a run: {other:?}"),
    }
}

/// What the server was told, as the program returned it.
fn told(reply: &RunReply) -> Value {
    assert_eq!(reply.status, RunStatus::Ok, "{reply:?}");
    serde_json::from_str(reply.result.as_ref().expect("a result").get()).expect("JSON")
}

#[tokio::test]
async fn the_editor_answers_a_form_and_its_model_a_prompt() {
    let mut bench = Bench::start(Options::default()).await;
    let run = bench.submit(FORM);
    let content = json!({"name": "Ada"}).as_object().expect("an object").clone();
    bench.form().await.give(Some(ElicitReply::Accept { content: content.clone() }));
    assert_eq!(told(&ran(run).await)["result"], json!({"action": "accept", "content": content}));

    let run = bench.submit(PROMPT);
    let Asked::Sample(request, answer) = bench.next().await else { panic!("a prompt") };
    assert_eq!((request.server.as_str(), request.max_tokens), ("s", 5));
    answer.give(Ok(SampleReply { model: "m".into(), text: "yes".into(), stop_reason: None }));
    assert_eq!(told(&ran(run).await)["result"]["content"]["text"], "yes");
}

#[tokio::test]
async fn an_editor_that_is_gone_is_a_no() {
    let mut bench = Bench::start(Options::default()).await;
    let run = bench.submit(FORM);
    drop(bench.form().await);
    assert_eq!(told(&ran(run).await)["result"], json!({"action": "decline"}));
}

#[tokio::test]
async fn the_run_stands_still_while_a_person_thinks_and_its_end_withdraws_the_question() {
    let mut bench = Bench::start(Options { timeout_ms: Some(3_000), ..Options::default() }).await;
    // Guest and server are there already: what is measured is the question alone.
    let run = bench.submit(FORM);
    bench.form().await.give(Some(ElicitReply::Decline));
    ran(run).await;

    let run = bench.submit(FORM);
    let answer = bench.form().await;
    let other = bench.test.daemon.submit(
        Request::Call(model::CallRequest {
            server: "s".to_owned(),
            tool: "slow".to_owned(),
            arguments: Some(json!({"ms": 4_000})),
            timeout_ms: None,
        }),
        "test",
        &bench.test.conversation,
    );
    // Longer than the run may take.
    timeout(BOUND, other.reply()).await.expect("it ends").expect("slept");
    answer.give(Some(ElicitReply::Decline));
    let reply = ran(run).await;
    assert_eq!(told(&reply)["result"], json!({"action": "decline"}));
    assert!(reply.calls[0].ms < 3_000.0, "a person's time is no part of the call's: {} ms", reply.calls[0].ms);

    let run = bench.submit(FORM);
    let mut answer = bench.form().await;
    run.cancellation().cancel();
    timeout(BOUND, answer.withdrawn()).await.expect("nobody waits for it");
    assert_eq!(ran(run).await.status, RunStatus::Cancelled);
}

#[tokio::test]
async fn a_server_that_nobody_calls_asks_nobody() {
    let mut bench = Bench::start(Options::default()).await;
    let late =
        FORM.replace("s.ask(", "s.ask_later(") + "\nwhile not (found := (await s.told())[\"told\"]): pass\nfound[0]";
    // The call that lists what was told may still be under way when it asks: then there is somebody to ask, until it ends.
    let run = bench.submit(&late);
    let reply = ran(run);
    tokio::pin!(reply);
    let mut may_be_withdrawn = false;
    let answered = loop {
        tokio::select! {
            biased;
            asked = bench.next() => match asked {
                Asked::Elicit(_, answer) => {
                    may_be_withdrawn = true;
                    answer.give(Some(ElicitReply::Decline));
                }
                other => panic!("a form, not {other:?}"),
            },
            reply = &mut reply => break told(&reply),
        }
    };
    let action = answered["result"]["action"].as_str().expect("an action");
    assert!(action == "decline" || (may_be_withdrawn && action == "cancel"), "{answered}");
}

#[tokio::test]
async fn in_a_workspace_that_is_not_trusted_not_even_the_users_own_servers_ask() {
    let (editor, mut asked) = editor();
    let options = Options { editor: Some(editor), ..Options::default() };
    let config = tempfile::tempdir().expect("a folder");
    let file = config.path().join("mcp.json");
    let own = json!({"servers": {"s": {"command": testkit::faulty_server(), "args": ["asks"]}}});
    std::fs::write(&file, own.to_string()).expect("written");
    let options = Options { config: Some(file), ..options };
    let test = TestDaemon::builder().trusted(Some(false)).options(options).start().await;
    let reply = ran(submit(&test, FORM, None));
    tokio::pin!(reply);
    let reply = loop {
        tokio::select! {
            reply = &mut reply => break reply,
            asked = asked.recv() => match asked.expect("the daemon lives") {
                Asked::Tools(answer) => answer.give(Ok(Vec::new())),
                other => panic!("nobody is asked: {other:?}"),
            },
        }
    };
    assert_eq!(told(&reply)["result"], json!({"action": "decline"}));
}

/// A client that answers by itself, or passes on to the editor.
#[derive(Debug)]
struct Client(Option<ElicitReply>);

impl Asker for Client {
    fn approve(&self, _: ApprovalRequest) -> BoxFuture<'static, Option<ApprovalReply>> {
        async { None }.boxed()
    }

    fn offers(&self) -> Offers {
        Offers { form: true, ..Offers::default() }
    }

    fn elicit(&self, _: ElicitRequest) -> BoxFuture<'static, Option<ElicitReply>> {
        let reply = self.0.clone();
        async { reply }.boxed()
    }

    fn sample(&self, _: SampleRequest) -> BoxFuture<'static, Option<Result<SampleReply, String>>> {
        async { None }.boxed()
    }
}

#[tokio::test]
async fn the_client_of_the_call_goes_before_the_editor() {
    let mut bench = Bench::start(Options::default()).await;
    let run = submit(&bench.test, FORM, Some(Arc::new(Client(Some(ElicitReply::Cancel)))));
    assert_eq!(told(&ran(run).await)["result"], json!({"action": "cancel"}));
    let run = submit(&bench.test, FORM, Some(Arc::new(Client(None))));
    bench.form().await.give(Some(ElicitReply::Decline));
    assert_eq!(told(&ran(run).await)["result"], json!({"action": "decline"}));
}

#[tokio::test]
async fn without_anybody_in_front_servers_are_told_so_at_their_start() {
    let test = TestDaemon::builder().scripted("s", &["asks"]).start().await;
    for code in [FORM, PROMPT] {
        let told = told(&ran(submit(&test, code, None)).await);
        assert_eq!(told["error"]["code"], -32_601, "{told}");
    }
}

const PAGES: &str = r#"
from servers import p
page = {"mode": "url", "elicitationId": "a", "url": "https://good.example/login", "message": "Log in"}
(await p.locked(pages=[page], once=ONCE))["calls"]
"#;

async fn page(bench: &mut Bench) -> Answer<Option<ElicitReply>> {
    match bench.next().await {
        Asked::Elicit(ElicitRequest::Url { server, url, awaited: true, .. }, answer)
            if server == "p" && url == "https://good.example/login" =>
        {
            answer
        }
        other => panic!("an awaited page, not {other:?}"),
    }
}

#[tokio::test]
async fn a_call_that_needs_a_page_visited_waits_for_that_and_is_made_once_more() {
    // The run has less time than the person takes.
    let mut bench = Bench::start(Options { timeout_ms: Some(5_000), ..Options::default() }).await;
    let run = bench.submit(&PAGES.replace("ONCE", "True"));
    page(&mut bench).await.give(Some(ElicitReply::Accept { content: serde_json::Map::new() }));
    assert_eq!(told(&ran(run).await), json!(2), "a person's word is enough");

    let mut bench = Bench::start(Options::default()).await;
    let run = bench.submit(&PAGES.replace("ONCE", "False"));
    let mut answer = page(&mut bench).await;
    let opened = submit(&bench.test, "from servers import p\nawait p.open(ids=['a'])", None);
    timeout(BOUND, answer.withdrawn()).await.expect("the server's word is enough too");
    assert_eq!(told(&ran(run).await), json!(2));
    ran(opened).await;
}

#[tokio::test]
async fn a_page_that_nobody_visits_is_an_error_that_says_where_and_why() {
    let mut bench = Bench::start(Options::default()).await;
    for (reply, why) in [(Some(ElicitReply::Decline), "a person said no"), (None, "nobody in front can answer it")] {
        let run = bench.submit(&PAGES.replace("ONCE", "False"));
        page(&mut bench).await.give(reply);
        let error = ran(run).await.error.expect("it fails");
        let says = ["`p`", "https://good.example visited", why];
        assert!(says.iter().all(|says| error.message.contains(says)), "{}", error.message);
        assert!(!error.message.contains("login"), "{}", error.message);
    }
}
