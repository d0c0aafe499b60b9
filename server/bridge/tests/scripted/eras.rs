//! Both eras of the protocol: which one a server is spoken to in, what becomes of servers that take the question badly, and
//! what only stateless servers do.

use crate::kit::{BOUND, Kit};
use bridge::{BridgeEvent, Error};
use futures::future::{BoxFuture, FutureExt as _};
use model::ask::{ElicitReply, ElicitRequest, Offers};
use model::{ServerSpec, Transport};
use serde_json::{Value, json};
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

pub(crate) fn spec(manner: &str) -> ServerSpec {
    static PROGRAM: OnceLock<PathBuf> = OnceLock::new();
    let program = PROGRAM.get_or_init(|| crate::faulty::built("era-server")).to_string_lossy().into_owned();
    let mut spec = crate::faulty::faulty_spec("s", manner);
    if let Transport::Stdio { command, .. } = &mut spec.transport {
        *command = program;
    }
    spec
}

/// What the running process of the server was asked for, up to the call that asks it.
async fn seen(kit: &Kit) -> Vec<String> {
    let seen = kit.structured("seen", json!({})).await;
    seen["methods"].as_array().expect("a list").iter().map(|m| m.as_str().expect("a text").to_owned()).collect()
}

fn begins_with(seen: &[String], expected: &[&str]) {
    assert_eq!(&seen[..expected.len().min(seen.len())], expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stateless_server_is_not_initialized() {
    let kit = Kit::new(vec![spec("stateless")]);
    let seen = seen(&kit).await;
    begins_with(&seen, &["server/discover", "tools/list"]);
    assert!(!seen.contains(&"initialize".to_owned()) && !seen.contains(&"notifications/initialized".to_owned()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_yes_that_comes_late_still_counts_where_initialize_is_refused() {
    for manner in ["late", "last"] {
        let kit = Kit::new(vec![spec(manner)]);
        let seen = seen(&kit).await;
        begins_with(&seen, &["server/discover", "initialize", "tools/list"]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_a_server_makes_of_the_question_it_starts() {
    for manner in ["initialize", "deaf", "odd", "elsewhere", "nobody", "older"] {
        let kit = Kit::new(vec![spec(manner)]);
        let methods = seen(&kit).await;
        begins_with(&methods, &["server/discover", "initialize", "notifications/initialized", "tools/list"]);
        // What was agreed on holds for the next process too.
        kit.bridge.restart("s").await.expect("restarted");
        begins_with(&seen(&kit).await, &["initialize", "notifications/initialized", "tools/list"]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_dies_of_the_question_is_started_again_and_not_asked() {
    let kit = Kit::new(vec![spec("dies")]);
    for _ in 0..2 {
        begins_with(&seen(&kit).await, &["initialize", "notifications/initialized"]);
        kit.bridge.restart("s").await.expect("restarted");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_hangs_of_the_question_is_not_asked_the_next_time() {
    let mut spec = spec("hangs");
    // More than `server/discover` alone is waited for.
    spec.startup_timeout_ms = 2_000;
    let kit = Kit::new(vec![spec.clone()]);
    let error = kit.bridge.tools("s").await.expect_err("it hangs");
    assert!(error.is_timeout(), "{error}");
    tokio::time::timeout(BOUND, async { while kit.bridge.restart("s").await.is_err() {} }).await.expect("it starts");
    begins_with(&seen(&kit).await, &["initialize"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_of_both_says_what_initialize_was_answered() {
    let error = Kit::new(vec![spec("refuses")]).bridge.tools("s").await.expect_err("refused");
    let Error::Handshake { why, .. } = &error else { panic!("{error}") };
    assert!(why.contains("the initialize handshake is not accepted"), "{why}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stateless_server_tells_who_listens_that_its_tools_changed() {
    let mut kit = Kit::new(vec![spec("stateless")]);
    // The subscription is made beside the start; whatever changed before it is found all the same.
    kit.call("grow", json!({})).await.expect("answered");
    let has = |name: &'static str| {
        move |event| match event {
            BridgeEvent::Tools { tools, .. } => tools.iter().any(|tool| tool.name == name).then_some(()),
            BridgeEvent::State { .. } => None,
        }
    };
    kit.event(has("extra0")).await;
    kit.call("grow", json!({})).await.expect("answered");
    kit.event(has("extra1")).await;
}

/// A person who always says yes, and writes the same name.
#[derive(Debug)]
struct Person;

impl bridge::Host for Person {
    fn offers(&self) -> Offers {
        Offers { form: true, ..Offers::default() }
    }

    fn elicit(&self, request: ElicitRequest) -> BoxFuture<'static, Result<ElicitReply, String>> {
        assert_eq!(request.server(), "s");
        let content = json!({"name": "Ada"});
        let Value::Object(content) = content else { unreachable!("it is an object") };
        async { Ok(ElicitReply::Accept { content }) }.boxed()
    }
}

fn form() -> Value {
    let schema = json!({"type": "object", "properties": {"name": {"type": "string"}}, "required": ["name"]});
    json!({"method": "elicitation/create", "params": {"mode": "form", "message": "Who?", "requestedSchema": schema}})
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_server_needs_to_know_is_answered_and_the_call_made_again() {
    let kit = Kit::with(vec![spec("stateless")], |options| options.host = Some(Arc::new(Person)));
    let questions = json!({"folders": {"method": "roots/list"}, "who": form()});
    let answer = kit.structured("ask", json!({"questions": questions})).await;
    assert_eq!(answer["state"], "s");
    assert_eq!(answer["answers"]["who"], json!({"action": "accept", "content": {"name": "Ada"}}));
    let root = answer["answers"]["folders"]["roots"][0]["uri"].as_str().expect("a root");
    assert!(root.starts_with("file:///"), "{root}");
    assert_eq!(kit.structured("patience", json!({})).await, json!({"rounds": 3}));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_question_without_an_answer_and_one_without_an_end_fail_the_call_and_say_so() {
    let kit = Kit::new(vec![spec("stateless")]);
    let error = kit.call("ask", json!({"questions": {"who": form()}})).await.expect_err("nobody can be asked");
    let text = error.to_string();
    assert!(
        matches!(error, Error::Protocol { .. }) && text.contains("this client does not offer elicitation"),
        "{text}"
    );
    let error = kit.call("insist", json!({})).await.expect_err("no end");
    assert!(error.to_string().contains("again and again"), "{error}");
    let many: serde_json::Map<String, Value> =
        (0..17).map(|n| (n.to_string(), json!({"method": "roots/list"}))).collect();
    let error = kit.call("ask", json!({"questions": many})).await.expect_err("too many");
    assert!(error.to_string().contains("more than 16 questions"), "{error}");
    // The server is none the worse for it.
    let patience = Duration::from_secs(30);
    kit.call_within("seen", json!({}), patience).await.expect("answered");
}
