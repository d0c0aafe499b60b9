//! What works: listing, calling, many at once, changes, roots, environment.

use crate::kit::{BOUND, Kit, object};
use bridge::{BridgeEvent, Error};
use model::{Annotations, Secret, ServerState, Transport};
use serde_json::{Value, json};
use std::time::Duration;

#[tokio::test(flavor = "multi_thread")]
async fn a_server_starts_at_its_first_use_and_lists_its_tools() {
    let mut kit = Kit::faulty("ok");
    assert_eq!(kit.bridge.state("s").expect("configured").state, ServerState::Stopped);
    let tools = kit.bridge.tools("s").await.expect("listed");
    assert_eq!(tools[0].name, "echo");
    assert_eq!(tools[0].annotations, Some(Annotations { read_only_hint: Some(true), ..Annotations::default() }));
    assert_eq!(kit.bridge.state("s").expect("configured").state, ServerState::Ready);
    kit.state(ServerState::Starting).await;
    kit.state(ServerState::Ready).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn structured_text_and_errors_come_back_as_what_they_are() {
    let kit = Kit::faulty("ok");
    assert_eq!(kit.structured("echo", json!({"a": [1, "ü", null]})).await, json!({"a": [1, "ü", null]}));
    assert_eq!(kit.call("text", json!({"text": "a\u{0}\n\"b"})).await.expect("answered").text(), "a\u{0}\n\"b");
    let error = kit.call("fail", json!({})).await.expect_err("the server refuses");
    assert_eq!(error, Error::Rpc { server: "s".into(), code: -32_000, message: "as you wished".into() });
}

#[tokio::test(flavor = "multi_thread")]
async fn callers_share_one_start() {
    let kit = Kit::faulty("ok");
    let pids = futures::future::join_all((0..50).map(|_| kit.structured("env", json!({})))).await;
    assert!(pids.windows(2).all(|pair| pair[0] == pair[1]));
    // One log line per start would be two files or more; the process itself is the better witness.
    let starts = futures::future::join_all((0..2).map(|_| kit.structured("grandchild", json!({})))).await;
    assert_eq!(starts[0]["server"], starts[1]["server"]);
    kit.bridge.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn calls_of_one_server_run_side_by_side() {
    let kit = Kit::faulty("ok");
    kit.bridge.tools("s").await.expect("started");
    let start = std::time::Instant::now();
    let calls = (0..100).map(|_| kit.call("slow", json!({"ms": 1_000})));
    for answer in futures::future::join_all(calls).await {
        assert_eq!(answer.expect("answered").text(), "slept");
    }
    assert!(start.elapsed() < Duration::from_secs(50), "one after the other they take 100 s: {:?}", start.elapsed());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_calls_at_once_each_get_their_own_answer() {
    let kit = Kit::faulty("ok");
    let calls = (0..1_000).map(|n| kit.structured("echo", json!({"n": n})));
    let answers = futures::future::join_all(calls).await;
    assert!(answers.iter().enumerate().all(|(n, answer)| *answer == json!({"n": n})));
}

#[tokio::test(flavor = "multi_thread")]
async fn every_page_is_listed() {
    let kit = Kit::faulty("two-pages");
    let tools = kit.bridge.tools("s").await.expect("listed");
    assert_eq!(tools.iter().map(|tool| tool.name.as_str()).collect::<Vec<_>>(), ["first", "second"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn changed_tools_are_listed_again_and_told() {
    let mut kit = Kit::faulty("ok");
    kit.call("grow", json!({})).await.expect("answered");
    let has_extra = |event| match event {
        BridgeEvent::Tools { tools, .. } => tools.iter().any(|tool| tool.name == "extra0").then_some(tools.len()),
        BridgeEvent::State { .. } => None,
    };
    let told = kit.event(has_extra).await;
    assert_eq!(kit.bridge.tools("s").await.expect("listed").len(), told);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dropped_call_is_cancelled_at_the_server() {
    let kit = Kit::faulty("ok");
    kit.bridge.tools("s").await.expect("started");
    let limit = Duration::from_millis(50);
    let error = kit.call_within("slow", json!({"ms": 600_000}), limit).await.expect_err("too slow");
    assert!(matches!(&error, Error::Timeout { what, ms: 50, .. } if what == "the call of `slow`"), "{error}");
    let cancelled = kit.structured("cancelled", json!({})).await;
    assert_eq!(cancelled["ids"].as_array().expect("a list").len(), 1, "{cancelled}");
}

#[tokio::test(flavor = "multi_thread")]
async fn roots_are_answered_and_everything_else_is_refused() {
    let kit = Kit::faulty("ok");
    let roots = kit.call("ask", json!({"method": "roots/list", "params": {}})).await.expect("answered").text();
    let roots: Value = serde_json::from_str(&roots).expect("JSON");
    let uri = roots["result"]["roots"][0]["uri"].as_str().expect("a URI");
    assert_eq!(uri, format!("file://{}", kit.folder.path().display()));
    for (method, params) in [
        ("sampling/createMessage", json!({"messages": [], "maxTokens": 1})),
        ("elicitation/create", json!({"message": "?", "requestedSchema": {"type": "object", "properties": {}}})),
    ] {
        let answer = kit.call("ask", json!({"method": method, "params": params})).await.expect("answered").text();
        assert!(answer.contains("-32601") && answer.contains("this client does not offer"), "{method}: {answer}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_child_sees_its_own_variables_and_none_of_our_secrets() {
    // Cargo and nextest set these for the test; they stand for whatever else an environment may hold.
    assert!(std::env::vars().any(|(name, _)| name.starts_with("CARGO_PKG_")), "the test needs something to leak");
    let mut spec = crate::faulty::faulty_spec("s", "ok");
    if let Transport::Stdio { env, .. } = &mut spec.transport {
        env.insert("TOKEN".into(), Secret::new("t0ps3cret"));
    }
    let kit = Kit::new(vec![spec]);
    let answer = kit.structured("env", json!({})).await;
    let names: Vec<&str> = answer["env"].as_array().expect("a list").iter().filter_map(Value::as_str).collect();
    assert!(
        names.contains(&"TOKEN=t0ps3cret") && names.iter().any(|name| name.starts_with("TTA_SERVER=")),
        "{names:?}"
    );
    assert!(names.iter().any(|name| name.starts_with("PATH=")), "{names:?}");
    assert!(!names.iter().any(|name| name.starts_with("CARGO_PKG_")), "{names:?}");
    let cwd = kit.folder.path().canonicalize().expect("exists");
    assert_eq!(answer["cwd"], cwd.to_str().expect("UTF-8"));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_configured_or_switched_off_says_so() {
    let mut disabled = crate::faulty::faulty_spec("off", "ok");
    disabled.disabled = true;
    let mut unresolved = crate::faulty::faulty_spec("open", "ok");
    unresolved.unresolved = vec!["the environment variable `X` is not set".into()];
    let kit = Kit::new(vec![disabled, unresolved]);
    for (server, expected) in [
        ("nobody", "no server called `nobody` is configured"),
        ("off", "server `off` is switched off in its configuration"),
        ("open", "server `open` cannot start: the environment variable `X` is not set"),
    ] {
        let error = kit.bridge.call(server, "echo", object(json!({})), BOUND).await.expect_err("refused");
        assert_eq!(error.to_string(), expected);
        assert!(!error.hint().is_empty());
    }
}
