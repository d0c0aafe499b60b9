//! What a server asks in the middle of a call: forms, pages and prompts, answered by the test.

use crate::faulty::faulty_spec;
use crate::kit::{BOUND, Kit};
use bridge::{Host, Patience};
use futures::FutureExt as _;
use futures::future::BoxFuture;
use model::ask::{ElicitReply, ElicitRequest, FieldKind, Offers, SampleReply, SampleRequest};
use serde_json::{Map, Value, json};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::sync::{mpsc, oneshot};

/// An open question; dropping it answers nothing.
struct Put<Q, A> {
    question: Q,
    answer: oneshot::Sender<A>,
}

/// Passes questions on to the test.
#[derive(Debug)]
struct Passing {
    offers: Arc<Mutex<Offers>>,
    forms: mpsc::UnboundedSender<Put<ElicitRequest, ElicitReply>>,
    prompts: mpsc::UnboundedSender<Put<SampleRequest, Result<SampleReply, String>>>,
}

impl<Q, A> std::fmt::Debug for Put<Q, A> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Put")
    }
}

fn put<Q, A: Send + 'static>(to: &mpsc::UnboundedSender<Put<Q, A>>, question: Q) -> BoxFuture<'static, A> {
    let (answer, answered) = oneshot::channel();
    let _ = to.send(Put { question, answer });
    async move {
        match answered.await {
            Ok(answer) => answer,
            Err(_) => std::future::pending().await,
        }
    }
    .boxed()
}

impl Host for Passing {
    fn offers(&self) -> Offers {
        *self.offers.lock().expect("no thread panics")
    }

    fn elicit(&self, request: ElicitRequest) -> BoxFuture<'static, Result<ElicitReply, String>> {
        put(&self.forms, request).map(Ok).boxed()
    }

    fn sample(&self, request: SampleRequest) -> BoxFuture<'static, Result<SampleReply, String>> {
        put(&self.prompts, request)
    }
}

struct Bench {
    kit: Arc<Kit>,
    offers: Arc<Mutex<Offers>>,
    forms: mpsc::UnboundedReceiver<Put<ElicitRequest, ElicitReply>>,
    prompts: mpsc::UnboundedReceiver<Put<SampleRequest, Result<SampleReply, String>>>,
}

const ALL: Offers = Offers { form: true, url: true, sampling: true };

fn bench(offers: Offers) -> Bench {
    let ((forms, asked), (prompts, prompted)) = (mpsc::unbounded_channel(), mpsc::unbounded_channel());
    let offers = Arc::new(Mutex::new(offers));
    let host: Arc<dyn Host> = Arc::new(Passing { offers: offers.clone(), forms, prompts });
    let kit = Kit::with(vec![faulty_spec("s", "ok")], |options| options.host = Some(host));
    Bench { kit: Arc::new(kit), offers, forms: asked, prompts: prompted }
}

impl Bench {
    /// A call in which the server asks.
    fn ask(&self, method: &str, params: &Value, count: u64) -> tokio::task::JoinHandle<Value> {
        let kit = Arc::clone(&self.kit);
        let arguments = json!({"method": method, "params": params, "count": count});
        tokio::spawn(async move {
            let told = kit.call("ask", arguments).await.expect("answered").text();
            serde_json::from_str(&told).expect("JSON")
        })
    }

    async fn form(&mut self) -> Put<ElicitRequest, ElicitReply> {
        tokio::time::timeout(BOUND, self.forms.recv()).await.expect("asked in time").expect("the host lives")
    }
}

const FORM: &str = "elicitation/create";

fn form() -> Value {
    json!({"message": "Who?", "requestedSchema": {"type": "object", "required": ["name"], "properties": {
        "name": {"type": "string", "title": "Name", "minLength": 2},
        "age": {"type": "integer", "minimum": 0, "default": 7},
        "kind": {"type": "string", "enum": ["a", "b"], "enumNames": ["A", "B"]},
        "many": {"type": "array", "items": {"anyOf": [{"const": "x", "title": "X"}]}, "default": ["x"]},
    }}})
}

fn accept(content: Value) -> ElicitReply {
    let Value::Object(content) = content else { panic!("an object") };
    ElicitReply::Accept { content }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_form_reaches_the_host_with_its_fields_in_their_order_and_its_answer_the_server() {
    let mut bench = bench(ALL);
    let told = bench.ask(FORM, &form(), 1);
    let Put { question, answer } = bench.form().await;
    let ElicitRequest::Form { server, message, fields } = question else { panic!("a form") };
    assert_eq!((server.as_str(), message.as_str()), ("s", "Who?"));
    let names: Vec<&str> = fields.iter().map(|field| field.name.as_str()).collect();
    assert_eq!(names, ["name", "age", "kind", "many"]);
    assert_eq!(fields.iter().map(|field| field.required).collect::<Vec<_>>(), [true, false, false, false]);
    assert!(matches!(&fields[2].kind, FieldKind::Choice { options, .. } if options[1].title == "B"));
    let defaults: Vec<Option<Value>> = fields.iter().map(model::ask::Field::default_value).collect();
    assert_eq!(defaults, [None, Some(json!(7)), None, Some(json!(["x"]))]);
    answer.send(accept(json!({"name": "Ada", "age": 8, "more": 1}))).expect("waited for");
    let told = told.await.expect("it ends");
    assert_eq!(told["result"], json!({"action": "accept", "content": {"name": "Ada", "age": 8}}), "nothing unasked");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_no_is_one_and_an_answer_that_does_not_fit_is_none() {
    let mut bench = bench(ALL);
    for (reply, action) in [
        (ElicitReply::Decline, "decline"),
        (ElicitReply::Cancel, "cancel"),
        (accept(json!({"name": "A"})), "cancel"),
        (accept(json!({"age": 1})), "cancel"),
        (accept(json!({"name": "Ada", "kind": "c"})), "cancel"),
    ] {
        let told = bench.ask(FORM, &form(), 1);
        bench.form().await.answer.send(reply).expect("waited for");
        assert_eq!(told.await.expect("it ends")["result"], json!({"action": action}));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_is_a_web_page_or_is_not_asked_for() {
    let mut bench = bench(ALL);
    let page = |url: &str| json!({"mode": "url", "message": "Log in", "url": url, "elicitationId": "1"});
    let told = bench.ask(FORM, &page("https://HOST.example/a?b=c"), 1);
    let Put { question, answer } = bench.form().await;
    assert!(matches!(question, ElicitRequest::Url { url, .. } if url == "https://host.example/a?b=c"));
    answer.send(ElicitReply::Accept { content: Map::new() }).expect("waited for");
    assert_eq!(told.await.expect("it ends")["result"], json!({"action": "accept"}));
    for bad in ["file:///etc/passwd", "vscode://x/y", "https://good.example@evil.example/", "no url"] {
        let told = bench.ask(FORM, &page(bad), 1).await.expect("it ends");
        assert_eq!(told["error"]["code"], -32_602, "{bad}: {told}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_too_large_or_no_form_is_refused() {
    let bench = bench(ALL);
    let properties: Map<String, Value> = (0..41).map(|n| (n.to_string(), json!({"type": "boolean"}))).collect();
    let schema =
        |properties: Value| json!({"message": "?", "requestedSchema": {"type": "object", "properties": properties}});
    for (params, says) in [
        (schema(Value::Object(properties)), "41 fields"),
        (schema(json!({"a": {"type": "string", "description": "x".repeat(70_000)}})), "65536 are taken"),
        (schema(json!({"a": {"type": "object"}})), "no parameters of elicitation/create"),
    ] {
        let told = bench.ask(FORM, &params, 1).await.expect("it ends");
        assert_eq!(told["error"]["code"], -32_602, "{told}");
        assert!(told["error"]["message"].as_str().expect("a text").contains(says), "{told}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_is_told_what_can_be_asked_and_is_refused_the_rest() {
    for offers in [ALL, Offers { form: true, ..Offers::default() }, Offers::default()] {
        let bench = bench(offers);
        let told = bench.kit.structured("client", json!({})).await;
        let declared = &told["capabilities"];
        assert_eq!(declared["elicitation"]["form"].is_object(), offers.form, "{declared}");
        assert_eq!(declared["elicitation"]["url"].is_object(), offers.url, "{declared}");
        assert_eq!(declared["sampling"].is_object(), offers.sampling, "{declared}");
        if !offers.form {
            let told = bench.ask(FORM, &form(), 1).await.expect("it ends");
            assert_eq!(told["error"]["code"], -32_601, "{told}");
        }
        if !offers.sampling {
            let prompt = json!({"messages": [], "maxTokens": 1});
            let told = bench.ask("sampling/createMessage", &prompt, 1).await.expect("it ends");
            assert_eq!(told["error"]["code"], -32_601, "{told}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_prompt_reaches_the_host_and_what_the_model_said_the_server() {
    let mut bench = bench(ALL);
    let prompt = json!({
        "messages": [
            {"role": "user", "content": {"type": "text", "text": "hi"}},
            {"role": "assistant", "content": [{"type": "image", "data": "AP8=", "mimeType": "image/png"}]},
        ],
        "modelPreferences": {"hints": [{"name": "claude"}, {}]},
        "systemPrompt": "Be brief", "maxTokens": 9, "stopSequences": ["."],
    });
    for (reply, told_as) in [
        (
            Ok(SampleReply { model: "m".into(), text: "yes".into(), stop_reason: Some("endTurn".into()) }),
            json!({"role": "assistant", "content": {"type": "text", "text": "yes"}, "model": "m", "stopReason": "endTurn"}),
        ),
        (Err("no".to_owned()), json!({"code": -1, "message": "no"})),
    ] {
        let told = bench.ask("sampling/createMessage", &prompt, 1);
        let put = tokio::time::timeout(BOUND, bench.prompts.recv()).await.expect("asked").expect("the host lives");
        let SampleRequest { server, content_hash, messages, system, hints, max_tokens, stop, .. } = &put.question;
        assert_eq!((server.as_str(), content_hash.as_str(), *max_tokens), ("s", "ok", 9));
        assert_eq!(
            (system.as_deref(), &hints[..], &stop[..]),
            (Some("Be brief"), &["claude".into()][..], &[".".into()][..])
        );
        assert_eq!(messages.iter().map(|m| m.assistant).collect::<Vec<_>>(), [false, true]);
        put.answer.send(reply).expect("waited for");
        let told = told.await.expect("it ends");
        let (result, error) = (&told["result"], &told["error"]);
        assert_eq!(*if error.is_null() { result } else { error }, told_as);
    }
    for (content, says) in [
        (json!({"type": "audio", "data": "AP8=", "mimeType": "audio/wav"}), "no audio"),
        (json!({"type": "text", "text": "x".repeat(5 << 20)}), "4194304 are taken"),
    ] {
        let prompt = json!({"messages": [{"role": "user", "content": content}], "maxTokens": 1});
        let told = bench.ask("sampling/createMessage", &prompt, 1).await.expect("it ends");
        assert!(told["error"]["message"].as_str().expect("refused").contains(says), "{}", told["error"]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_question_is_open_at_a_time_and_only_so_many_wait() {
    let mut bench = bench(ALL);
    let told = bench.ask(FORM, &form(), 12);
    let mut open = Some(bench.form().await);
    // Until one is answered no place is free.
    while bench.kit.structured("told", json!({})).await["told"].as_array().expect("a list").len() < 4 {}
    for n in 1..=8 {
        assert!(bench.forms.try_recv().is_err(), "one at a time");
        let Put { answer, .. } = open.take().expect("one is open");
        answer.send(accept(json!({"name": format!("n{n}")}))).expect("waited for");
        if n < 8 {
            open = Some(bench.form().await);
        }
    }
    let told = told.await.expect("it ends");
    let told = told.as_array().expect("a list");
    let says = |told: &Value| told["error"]["message"].as_str().is_some_and(|m| m.contains("wait already"));
    assert!(told[..4].iter().all(says) && !told[4..].iter().any(says), "{told:?}");
    assert_eq!(told.len(), 12);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_question_is_not_on_the_calls_time() {
    let mut bench = bench(ALL);
    let short = Duration::from_millis(400);
    let kit = Arc::clone(&bench.kit);
    let arguments = json!({"method": FORM, "params": form()});
    // The server is there already, so that its start is not on the call's time either.
    bench.kit.structured("client", json!({})).await;
    let patience = Patience { silence: short, total: short };
    let call = tokio::spawn(async move { kit.call_within("ask", arguments, patience).await });
    let put = bench.form().await;
    // Longer than the call may take.
    bench.kit.call("slow", json!({"ms": 1_500})).await.expect("slept");
    put.answer.send(ElicitReply::Decline).expect("still waited for");
    assert!(call.await.expect("it ends").expect("in time").text().contains("decline"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_question_goes_when_the_server_withdraws_it_or_ends() {
    let mut bench = bench(ALL);
    for way in ["withdraw", "stop"] {
        let asking = bench.ask(FORM, &form(), 1);
        let mut put = bench.form().await;
        if way == "withdraw" {
            bench.kit.call("withdraw", json!({})).await.expect("withdrawn");
        } else {
            bench.kit.bridge.stop("s").await.expect("stopped");
        }
        tokio::time::timeout(BOUND, put.answer.closed()).await.expect("nobody waits any more");
        asking.abort();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_was_never_called_learns_of_who_can_be_asked_since_its_start() {
    for is_called in [false, true] {
        let mut bench = bench(Offers::default());
        bench.kit.bridge.tools("s").await.expect("it starts");
        if is_called {
            bench.kit.structured("client", json!({})).await;
        }
        *bench.offers.lock().expect("no thread panics") = ALL;
        // Several at once: none of them may be lost to the new start.
        let calls = (0..8).map(|_| bench.kit.structured("client", json!({})));
        for told in futures::future::join_all(calls).await {
            assert_eq!(told["capabilities"]["elicitation"]["form"].is_object(), !is_called, "{told}");
        }
        if !is_called {
            let told = bench.ask(FORM, &form(), 1);
            bench.form().await.answer.send(ElicitReply::Decline).expect("waited for");
            assert_eq!(told.await.expect("it ends")["result"], json!({"action": "decline"}));
        }
    }
}
