//! What a server has beside its tools, and all of what it says: resources, prompts, whole answers, progress.

use crate::kit::{BOUND, Kit, object};
use bridge::{Error, Progress};
use model::{Beside, Content, Method, ToolResult};
use serde_json::{Value, json};
use std::sync::Arc;

async fn ask(kit: &Kit, method: Method, arguments: Value) -> Result<ToolResult, Error> {
    kit.bridge.ask("s", method, object(arguments), BOUND, &Progress::default()).await
}

fn value(answer: ToolResult) -> Value {
    serde_json::from_str(&answer.into_program_json()).expect("JSON")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_has_all_its_pages() {
    let kit = Kit::faulty("ok");
    for (method, key) in [
        (Method::ListResources, "resources"),
        (Method::ListTemplates, "resourceTemplates"),
        (Method::ListPrompts, "prompts"),
    ] {
        let all = ask(&kit, method, json!({})).await.expect("listed");
        assert!(all.prompt_text().contains(key), "a model would have seen the list");
        let all = value(all);
        assert_eq!(all[key].as_array().expect("a list").len(), 2, "{all}");
        assert_eq!(all[key][1]["name"], format!("{key}1"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_without_an_end_is_an_error_and_not_half_a_list() {
    for (fault, says) in [("endless-lists", "more than 200 pages"), ("repeating-lists", "the same page")] {
        let kit = Kit::faulty(fault);
        let error = ask(&kit, Method::ListResources, json!({})).await.expect_err("no end");
        assert!(error.to_string().contains(says), "{error}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_resource_comes_as_it_is_and_counts_as_what_a_model_would_have_seen() {
    let kit = Kit::faulty("ok");
    let text = ask(&kit, Method::ReadResource, json!({"uri": "text:ü"})).await.expect("read");
    assert_eq!((text.prompt_text().as_str(), text.media_count()), ("text:ü", 0));
    let part = json!({"uri": "text:ü", "mimeType": "image/png", "_meta": {"a": 1}, "text": "text:ü"});
    assert_eq!(value(text)["contents"][0], part);
    let image = ask(&kit, Method::ReadResource, json!({"uri": "blob:x"})).await.expect("read");
    assert_eq!((image.prompt_text().as_str(), image.media_count()), ("", 1), "the bytes are no text");
    assert_eq!(value(image)["contents"][0]["blob"], "AP8=");
    let error = ask(&kit, Method::ReadResource, json!({"uri": "none:"})).await.expect_err("there is none");
    assert!(matches!(&error, Error::Rpc { code: -32_002, .. }), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_prompt_takes_texts_and_gives_its_messages() {
    let kit = Kit::faulty("ok");
    let arguments = json!({"name": "p", "arguments": {"tone": 7}});
    let answer = ask(&kit, Method::GetPrompt, arguments).await.expect("given");
    assert_eq!(answer.prompt_text(), "7");
    let text = json!({"type": "text", "text": "7"});
    assert_eq!(value(answer), json!({"description": "d", "messages": [{"role": "user", "content": text}]}));
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_of_an_answer_is_lost() {
    let kit = Kit::faulty("ok");
    let blocks = kit.call("blocks", json!({})).await.expect("a block of an unknown kind is no reason to fail");
    assert_eq!(blocks.media_count(), 1);
    assert!(matches!(&blocks.content[2], Content::Other(block) if block["depth"] == 3));
    let all = json!([
        {"type": "text", "text": "a", "annotations": {"priority": 0.5}},
        {"type": "image", "mimeType": "image/png", "data": "AP8=", "_meta": {"b": 2}},
        {"type": "hologram", "depth": 3},
    ]);
    assert_eq!(value(blocks), all);
    let whole = ask(&kit, Method::CallTool, json!({"name": "blocks", "arguments": {}})).await.expect("answered");
    assert_eq!((whole.media_count(), value(whole)), (1, json!({"_meta": {"trace": 1}, "content": all})));
    let plain = ask(&kit, Method::CallTool, json!({"name": "text", "arguments": {"text": "t"}})).await;
    assert_eq!(value(plain.expect("answered")), json!({"content": [{"type": "text", "text": "t"}]}));
}

#[tokio::test(flavor = "multi_thread")]
async fn progress_reaches_its_own_call_in_order_before_the_answer() {
    let kit = Kit::faulty("ok");
    let (one, other) = (Progress::default(), Progress::default());
    let arguments = |times: u32| object(json!({"times": times, "ms": 1}));
    let (first, second) = tokio::join!(
        kit.bridge.watched_call("s", "progress", arguments(20), BOUND, &one),
        kit.bridge.watched_call("s", "progress", arguments(3), BOUND, &other),
    );
    assert_eq!((first.expect("answered").text(), second.expect("answered").text()), ("done".into(), "done".into()));
    let order = |progress: &Progress| progress.since(0).1.into_iter().map(|update| update.progress).collect::<Vec<_>>();
    assert_eq!(order(&one), (0..20).map(f64::from).collect::<Vec<_>>());
    assert_eq!(order(&other), [0.0, 1.0, 2.0]);
}

async fn listed(kit: &Kit) -> Arc<Beside> {
    kit.bridge.beside("s").await.expect("it runs")
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_listed_for_search_is_kept_until_the_server_says_that_it_changed() {
    let kit = Kit::faulty("ok");
    assert!(kit.bridge.beside("s").await.is_none(), "a look starts nothing");
    kit.call("text", json!({"text": "t"})).await.expect("answered");
    let first = listed(&kit).await;
    let names: Vec<&str> = first.prompts.iter().map(|prompt| prompt.name.as_str()).collect();
    assert_eq!(names, ["prompts0", "prompts1"]);
    let argument = &first.prompts[0].arguments[0];
    assert_eq!((argument.name.as_str(), argument.required), ("tone", true));
    assert_eq!(first.templates[1].uri, "text:{x}/1");
    assert_eq!((first.resources.len(), first.resource_count, first.has_more), (2, 2, false));
    assert!(Arc::ptr_eq(&first, &listed(&kit).await), "it is not asked again");
    kit.call("grow", json!({})).await.expect("answered");
    // The notice stands before the answer, but is handled by a task of its own.
    let changed = async {
        loop {
            let now = listed(&kit).await;
            if now.prompts[0].name == "prompts0grown1" {
                return now;
            }
            tokio::task::yield_now().await;
        }
    };
    let changed = tokio::time::timeout(BOUND, changed).await.expect("it is listed anew");
    assert_eq!(changed.templates[0].uri, first.templates[0].uri);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_fails_to_list_resources_and_prompts_is_none_the_worse_for_it() {
    for fault in ["no-lists", "repeating-lists"] {
        let kit = Kit::faulty(fault);
        kit.call("text", json!({"text": "t"})).await.expect("answered");
        assert_eq!(*listed(&kit).await, Beside::default(), "{fault}");
        let status = kit.bridge.state("s").expect("configured");
        assert_eq!(status.state, model::ServerState::Ready);
        kit.call("text", json!({"text": "t"})).await.expect("answered as before");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_without_an_end_is_cut_for_search() {
    let kit = Kit::faulty("endless-lists");
    kit.call("text", json!({"text": "t"})).await.expect("answered");
    let all = listed(&kit).await;
    assert_eq!((all.prompts.len(), all.resource_count, all.has_more), (20, 20, true));
}
