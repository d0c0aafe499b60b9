//! Pages that a server wants visited before it carries a request out, and what it tells of them.

use crate::kit::{BOUND, Kit, object};
use bridge::{Error, Host, Patience};
use futures::FutureExt as _;
use futures::future::BoxFuture;
use model::ask::{ElicitReply, ElicitRequest, Offers};
use model::{PageId, ServerSpec, ToolResult, Transport};
use serde_json::{Map, Value, json};
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};
use std::time::Duration;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;

type Reply = Result<ElicitReply, String>;

/// What the host is told: a question, or that a page is done.
#[derive(Debug)]
enum Told {
    Asked(ElicitRequest, oneshot::Sender<Reply>),
    Completed(PageId),
}

/// Passes all that it is told on to the test.
#[derive(Debug)]
struct Passing(Offers, mpsc::UnboundedSender<Told>);

impl Host for Passing {
    fn offers(&self) -> Offers {
        self.0
    }

    fn elicit(&self, request: ElicitRequest) -> BoxFuture<'static, Reply> {
        let (answer, answered) = oneshot::channel();
        let _ = self.1.send(Told::Asked(request, answer));
        async move {
            match answered.await {
                Ok(answer) => answer,
                Err(_) => std::future::pending().await,
            }
        }
        .boxed()
    }

    fn completed(&self, page: &PageId) {
        let _ = self.1.send(Told::Completed(page.clone()));
    }
}

struct Bench {
    kit: Arc<Kit>,
    told: mpsc::UnboundedReceiver<Told>,
}

/// A question for a page that is awaited.
struct Awaited {
    id: PageId,
    url: String,
    answer: oneshot::Sender<Reply>,
}

fn spec() -> ServerSpec {
    static PROGRAM: OnceLock<PathBuf> = OnceLock::new();
    let program = PROGRAM.get_or_init(|| crate::faulty::built("page-server")).to_string_lossy().into_owned();
    let mut spec = crate::faulty::faulty_spec("s", "");
    if let Transport::Stdio { command, .. } = &mut spec.transport {
        *command = program;
    }
    spec
}

fn bench(offers: Offers) -> Bench {
    let (tell, told) = mpsc::unbounded_channel();
    let host: Arc<dyn Host> = Arc::new(Passing(offers, tell));
    Bench {
        kit: Arc::new(Kit::with(vec![spec(), crate::faulty::faulty_spec("t", "ok")], |options| {
            options.host = Some(host);
        })),
        told,
    }
}

const PAGES: Offers = Offers { form: false, url: true, sampling: false };

fn page(id: &str) -> Value {
    json!({"mode": "url", "elicitationId": id, "url": format!("https://HOST.example/{id}?secret"), "message": "Log in"})
}

impl Bench {
    fn call(&self, tool: &'static str, arguments: Value) -> JoinHandle<Result<ToolResult, Error>> {
        let kit = Arc::clone(&self.kit);
        tokio::spawn(async move { kit.call(tool, arguments).await })
    }

    fn locked(&self, pages: &[&str]) -> JoinHandle<Result<ToolResult, Error>> {
        let pages: Vec<Value> = pages.iter().map(|id| page(id)).collect();
        self.call("locked", json!({"pages": pages}))
    }

    async fn open(&self, ids: &[&str]) {
        self.kit.call("open", json!({"ids": ids})).await.expect("opened");
    }

    async fn told(&mut self) -> Told {
        tokio::time::timeout(BOUND, self.told.recv()).await.expect("told in time").expect("the host lives")
    }

    async fn awaited(&mut self) -> Awaited {
        match self.told().await {
            Told::Asked(ElicitRequest::Url { server, url, message, id, awaited: true }, answer) => {
                assert_eq!((server.as_str(), message.as_str()), ("s", "Log in"));
                Awaited { id, url, answer }
            }
            other => panic!("an awaited page, not {other:?}"),
        }
    }

    async fn completed(&mut self) -> PageId {
        match self.told().await {
            Told::Completed(page) => page,
            other @ Told::Asked(..) => panic!("a page is done, not {other:?}"),
        }
    }
}

#[expect(clippy::unnecessary_wraps, reason = "it is what a host says")]
fn done() -> Reply {
    Ok(ElicitReply::Accept { content: Map::new() })
}

/// How often the server was called for it.
fn calls(answer: Result<ToolResult, Error>) -> u64 {
    answer.expect("carried out").structured.expect("structured")["calls"].as_u64().expect("a number")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_is_made_once_more_when_the_server_says_that_its_page_is_done() {
    let mut bench = bench(PAGES);
    let call = bench.locked(&["a"]);
    let mut asked = bench.awaited().await;
    assert_eq!(asked.url, "https://host.example/a?secret");
    bench.open(&["unknown", "a", "a"]).await;
    assert_eq!(bench.completed().await, asked.id);
    assert_eq!(calls(call.await.expect("it ends")), 2);
    tokio::time::timeout(BOUND, asked.answer.closed()).await.expect("nobody is asked any more");
    assert!(bench.told.try_recv().is_err(), "a page is done once, and unknown ones are nobody's");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_persons_word_is_enough_and_pages_come_one_after_the_other() {
    let mut bench = bench(PAGES);
    let call = bench.call("locked", json!({"pages": [page("a"), page("b")], "once": true}));
    for url in ["https://host.example/a?secret", "https://host.example/b?secret"] {
        let asked = bench.awaited().await;
        assert_eq!(asked.url, url);
        assert!(bench.told.try_recv().is_err(), "one at a time");
        asked.answer.send(done()).expect("waited for");
    }
    assert_eq!(calls(call.await.expect("it ends")), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_that_was_not_visited_is_an_error_which_names_server_and_origin() {
    let says = |error: &Error, why: &str| {
        let text = error.to_string();
        assert!(matches!(error, Error::PagesWanted { .. }), "{error:?}");
        assert!(text.contains("`s`") && text.contains("https://host.example visited") && text.ends_with(why), "{text}");
        assert!(!format!("{error:?} {text}").contains("secret"), "{error:?}");
    };
    let mut bench = bench(PAGES);
    for (reply, why) in [
        (Ok(ElicitReply::Decline), "and a person said no"),
        (Ok(ElicitReply::Cancel), "and that was not done in time, or left"),
        (Err("no editor".to_owned()), "and nobody could be asked: no editor"),
        // It is locked for all that.
        (done(), "which it wants still after they were visited"),
    ] {
        let call = bench.locked(&["a"]);
        bench.awaited().await.answer.send(reply).expect("waited for");
        says(&call.await.expect("it ends").expect_err("locked"), why);
    }
    let nobody = self::bench(Offers::default());
    says(&nobody.locked(&["a"]).await.expect("it ends").expect_err("locked"), "and nobody can be asked here");
}

#[tokio::test(flavor = "multi_thread")]
async fn calls_that_need_the_same_are_asked_about_once() {
    for is_yes in [true, false] {
        let mut bench = bench(PAGES);
        let calls: Vec<_> = (0..12).map(|n| bench.locked(&[&n.to_string()])).collect();
        let asked = bench.awaited().await;
        // Until all have been refused.
        while bench.kit.structured("seen", json!({})).await["calls"] != 12 {}
        if is_yes {
            bench.open(&[]).await;
        }
        asked.answer.send(if is_yes { done() } else { Ok(ElicitReply::Decline) }).expect("waited for");
        for call in calls {
            assert_eq!(call.await.expect("it ends").is_ok(), is_yes);
        }
        assert!(bench.told.try_recv().is_err(), "nobody else is asked");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn waiting_for_a_page_is_not_on_the_calls_time_and_goes_with_the_call() {
    let mut bench = bench(PAGES);
    // Both servers are there already, so that their starts are on no call's time.
    bench.kit.structured("seen", json!({})).await;
    bench.kit.bridge.tools("t").await.expect("it starts");
    let short = Patience { silence: Duration::from_millis(400), total: Duration::from_millis(400) };
    let kit = Arc::clone(&bench.kit);
    let call = tokio::spawn(async move { kit.call_within("locked", json!({"pages": [page("a")]}), short).await });
    bench.awaited().await;
    // Longer than the call may take.
    let slow = bench.kit.bridge.call("t", "slow", object(json!({"ms": 1_500})), BOUND);
    slow.await.expect("slept");
    bench.open(&["a"]).await;
    assert_eq!(calls(call.await.expect("it ends")), 2);
    bench.completed().await;

    let mut bench = self::bench(PAGES);
    let call = bench.locked(&["a"]);
    let mut asked = bench.awaited().await;
    call.abort();
    tokio::time::timeout(BOUND, asked.answer.closed()).await.expect("the question goes with the call");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_question_for_a_page_ends_with_a_yes_when_the_page_is_done() {
    let mut bench = bench(PAGES);
    for _ in 0..2 {
        let call = bench.call("page", page("a"));
        let Told::Asked(ElicitRequest::Url { id, awaited: false, .. }, _open) = bench.told().await else {
            panic!("a page")
        };
        bench.open(&["a"]).await;
        assert_eq!(bench.completed().await, id);
        let told = call.await.expect("it ends").expect("answered").structured;
        assert_eq!(told, Some(json!({"action": "accept"})), "and the next of that name is another one");
    }
    let call = bench.call("page", page("b"));
    let Told::Asked(ElicitRequest::Url { id, .. }, answer) = bench.told().await else { panic!("a page") };
    answer.send(done()).expect("waited for");
    call.await.expect("it ends").expect("answered");
    bench.open(&["b"]).await;
    assert_eq!(bench.completed().await, id, "also long afterwards");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_visited_is_nobodys_question() {
    let mut bench = bench(PAGES);
    let bad = |url: &str| json!({"pages": [{"mode": "url", "elicitationId": "1", "url": url, "message": "m"}]});
    let many: Vec<Value> = (0..9).map(|n| page(&n.to_string())).collect();
    for (arguments, says) in [
        (bad("file:///etc/passwd"), "no web page"),
        (bad("https://good.example@evil.example/"), "hides where it leads"),
        (json!({"pages": many}), "8 are taken"),
        (json!({"pages": []}), "error -32042: not yet"),
        (json!({}), "error -32042: not yet"),
    ] {
        let error = bench.kit.bridge.call("s", "locked", object(arguments), BOUND).await.expect_err("refused");
        assert!(error.to_string().contains(says), "{error}");
    }
    assert!(bench.told.try_recv().is_err());
}
