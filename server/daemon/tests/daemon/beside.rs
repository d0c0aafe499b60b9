//! What servers list beside their tools, in searches.

use daemon::{Daemon, Options};
use model::reply::SearchReply;
use model::tool::HitKind;
use model::{CallRequest, ConversationId, Detail, Reply, Request, SearchRequest, ServerState};
use serde_json::json;
use std::time::Duration;
use testkit::TestDaemon;

/// Never reached when a test passes: the machine may be slow and busy.
const BOUND: Duration = Duration::from_mins(1);

async fn search(daemon: &Daemon, query: &str) -> SearchReply {
    let request = SearchRequest {
        query: query.into(),
        detail: Some(Detail::Signature),
        limit: Some(50),
        ..SearchRequest::default()
    };
    match daemon.submit(Request::Search(request), "test", &ConversationId::new()).reply().await {
        Ok(Reply::Search(reply)) => reply,
        other => panic!("a search answers with a search, not {other:?}"),
    }
}

fn stubs(found: &SearchReply, kind: HitKind) -> Vec<&str> {
    found.hits.iter().filter(|hit| hit.kind == kind).map(|hit| hit.stub.as_str()).collect()
}

/// Searches until the answer is as it is to be: what is new reaches a search as soon as the server has answered.
async fn until(daemon: &Daemon, query: &str, is_there: impl Fn(&SearchReply) -> bool) -> SearchReply {
    let searching = async {
        loop {
            let found = search(daemon, query).await;
            if is_there(&found) {
                return found;
            }
        }
    };
    tokio::time::timeout(BOUND, searching).await.expect("it is found")
}

#[tokio::test]
async fn a_search_finds_prompts_templates_and_resources_and_a_later_process_remembers_them() {
    let test = TestDaemon::builder().scripted("hub", &["ok"]).start().await;
    let all = until(&test.daemon, "", |all| all.hits.len() > 12).await;
    assert_eq!(
        stubs(&all, HitKind::Prompt),
        [
            r#"await hub.prompts.get("prompts0", {"tone": str})  # Number 0 of the prompts."#,
            r#"await hub.prompts.get("prompts1", {"tone": str})  # Number 1 of the prompts."#,
        ]
    );
    assert_eq!(stubs(&all, HitKind::Template).len(), 2);
    assert_eq!(stubs(&all, HitKind::Resources), ["await hub.resources.list()  # 2 resources: text:0, text:1"]);
    assert_eq!(all.searched, all.hits.len());
    let one = search(&test.daemon, "text:1").await;
    assert_eq!((one.hits[0].kind, one.hits[0].tool.as_str()), (HitKind::Resource, "text:1"));

    let kept = |name: std::fs::DirEntry| name.path().to_string_lossy().ends_with(".beside.json");
    let (data, workspace) = (test.workspace().join("data"), test.workspace().to_owned());
    let definitions = std::fs::read_dir(data.join("workspaces")).expect("there").next().expect("one").expect("read");
    let is_kept = || std::fs::read_dir(definitions.path().join("definitions")).is_ok_and(|all| all.flatten().any(kept));
    let written = async {
        while !is_kept() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(BOUND, written).await.expect("it is kept");
    test.daemon.shutdown().await;
    let options =
        Options { workspace: Some(workspace), trusted: Some(true), data_dir: Some(data), ..Options::default() };
    let later = Daemon::start(options).await.expect("it starts");
    assert_eq!(stubs(&search(&later, "").await, HitKind::Prompt), stubs(&all, HitKind::Prompt));
    assert_eq!(later.server_status("hub").expect("configured").state, ServerState::Stopped);
    later.shutdown().await;
}

#[tokio::test]
async fn what_a_server_says_that_it_changed_is_listed_again() {
    let test = TestDaemon::builder().scripted("hub", &["ok"]).start().await;
    until(&test.daemon, "prompts0", |found| !stubs(found, HitKind::Prompt).is_empty()).await;
    let call = CallRequest { server: "hub".into(), tool: "grow".into(), arguments: Some(json!({})), timeout_ms: None };
    test.ask(Request::Call(call)).await.expect("called");
    let is_new = |found: &SearchReply| stubs(found, HitKind::Prompt).iter().any(|stub| stub.contains("prompts0grown1"));
    until(&test.daemon, "prompts0grown1", is_new).await;
}

#[tokio::test]
async fn a_server_that_cannot_list_them_is_searched_and_called_all_the_same() {
    let test = TestDaemon::builder().scripted("hub", &["no-lists"]).start().await;
    let found = search(&test.daemon, "").await;
    assert!(found.hits.iter().all(|hit| hit.kind == HitKind::Tool) && !found.hits.is_empty());
    assert_eq!(found.unavailable, Vec::<String>::new());
    let call = CallRequest { server: "hub".into(), tool: "echo".into(), arguments: Some(json!({})), timeout_ms: None };
    match test.ask(Request::Call(call)).await {
        Ok(Reply::Call(reply)) => assert!(reply.error.is_none()),
        other => panic!("a call answers with a call, not {other:?}"),
    }
}
