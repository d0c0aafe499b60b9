//! Logins to remote servers, against a scripted server and its authorization server: a person's browser is a plain HTTP
//! client, everything else is as in an editor's window.

use model::editor::OpenUrlRequest;
use model::reply::CallReply;
use model::{CallRequest, CallStatus, Language, Reply, Request, RunStatus, ServerState};
use serde_json::{Value, json};
use std::fmt::Write as _;
use std::path::Path;
use std::time::Duration;
use testkit::{Answer, Asked, Authority, Kept, Manner, TestDaemon, editor_keeping, log_in, open_page};
use tokio::sync::mpsc::UnboundedReceiver;

/// Never reached when a test passes.
const BOUND: Duration = Duration::from_mins(5);

struct Bench {
    test: TestDaemon,
    asked: UnboundedReceiver<Asked>,
    kept: Kept,
    remote: Authority,
    /// Everything that was answered.
    told: String,
}

impl Bench {
    async fn start(manner: Manner) -> Self {
        let remote = Authority::start(manner).await;
        Self::window(remote, Kept::default(), json!({})).await
    }

    /// A window with what earlier ones kept, and more in the server's entry.
    async fn window(remote: Authority, kept: Kept, further: Value) -> Self {
        let (editor, asked) = editor_keeping(kept.clone());
        let options = daemon::Options { editor: Some(editor), ..daemon::Options::default() };
        let mut entry = json!({"url": remote.url});
        entry.as_object_mut().expect("an object").extend(further.as_object().expect("an object").clone());
        let test = TestDaemon::builder().server("remote", entry).options(options).start().await;
        Self { test, asked, kept, remote, told: String::new() }
    }

    /// The next page that is to be opened. The editor has no tools.
    async fn page(&mut self) -> (OpenUrlRequest, Answer<Result<(), String>>) {
        let asked = &mut self.asked;
        let next = async {
            loop {
                match asked.recv().await.expect("the daemon lives") {
                    Asked::Tools(answer) => answer.give(Ok(Vec::new())),
                    Asked::Open(page, answer) => return (page, answer),
                    other => panic!("nothing else is asked: {other:?}"),
                }
            }
        };
        tokio::time::timeout(BOUND, next).await.expect("asked in time")
    }

    /// A call during which a person logs in.
    async fn call_with_login(&mut self) -> CallReply {
        let test = self.test.daemon.clone();
        let conversation = self.test.conversation.clone();
        let call = tokio::spawn(async move { answer(test.submit(echo(), "test", &conversation)).await });
        let (page, opened) = self.page().await;
        opened.give(Ok(()));
        let shown = log_in(&page.url).await;
        let reply = call.await.expect("it ends");
        write!(self.told, "{shown:?} {reply:?}").expect("writes to a String");
        assert_eq!(shown.status == 200, reply.error.is_none(), "{shown:?} {reply:?}");
        reply
    }

    async fn call(&mut self) -> CallReply {
        let reply = answer(self.test.daemon.submit(echo(), "test", &self.test.conversation)).await;
        write!(self.told, "{reply:?}").expect("writes to a String");
        reply
    }

    /// Nothing that anybody can see holds anything that was given out, and the authorization server found no fault.
    async fn shows_nothing(self) {
        let Ok(Reply::Servers(servers)) = self.test.ask(Request::Servers { list: false }).await else {
            panic!("servers answer")
        };
        let mut seen = format!("{} {servers:?} {:?}", self.told, self.test.daemon).into_bytes();
        self.test.daemon.shutdown().await;
        read_all(&self.test.workspace().join("data/workspaces"), &mut seen);
        let secrets = self.remote.secrets();
        for secret in &secrets {
            assert!(!seen.windows(secret.len()).any(|part| part == secret.as_bytes()), "{secret} is seen");
        }
        assert!(!secrets.is_empty() && self.remote.wrong().is_empty(), "{:?}", self.remote.wrong());
    }
}

async fn answer(ticket: daemon::Ticket) -> CallReply {
    match tokio::time::timeout(BOUND, ticket.reply()).await.expect("in time") {
        Ok(Reply::Call(reply)) => *reply,
        other => panic!("a call answers with a call, not {other:?}"),
    }
}

fn echo() -> Request {
    let (server, tool) = ("remote".to_owned(), "echo".to_owned());
    Request::Call(CallRequest { server, tool, arguments: None, timeout_ms: None })
}

fn read_all(folder: &Path, into: &mut Vec<u8>) {
    for entry in std::fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path()) {
        if entry.is_dir() {
            read_all(&entry, into);
        } else {
            into.extend(std::fs::read(&entry).expect("a file"));
        }
    }
}

fn value(reply: &CallReply) -> Value {
    let value = reply.value.as_ref().unwrap_or_else(|| panic!("it succeeds: {reply:?}"));
    serde_json::from_str(value.get()).expect("JSON")
}

fn message(reply: &CallReply) -> String {
    let error = reply.error.as_ref().expect("it fails");
    format!("{} {}", error.message, error.hint.as_deref().unwrap_or_default())
}

#[tokio::test]
async fn the_first_call_logs_in_and_later_windows_find_the_login_where_the_editor_keeps_it() {
    let mut bench = Bench::start(Manner::default()).await;
    let reply = bench.call_with_login().await;
    assert_eq!((value(&reply), reply.record.status), (json!({"scope": "read"}), CallStatus::Ok));
    assert_eq!(value(&bench.call().await), json!({"scope": "read"}));
    assert_eq!(bench.kept.lock().expect("not poisoned").len(), 1);
    assert_eq!(bench.remote.count("POST /register"), 1);

    let Bench { test, kept, remote, .. } = bench;
    test.daemon.shutdown().await;
    let found = remote.count("GET /authorize");
    let mut bench = Bench::window(remote, kept, json!({})).await;
    let run = bench.test.run(Language::Python, "from servers import remote\nawait remote.echo()").await;
    assert_eq!(run.result.expect("it ends well").get(), r#"{"scope":"read"}"#);
    assert_eq!(bench.remote.count("GET /authorize"), found, "nobody was asked");
    write!(bench.told, "{:?}", run.calls).expect("a string takes it");

    let Ok(Reply::Done(true)) = bench.test.ask(Request::Logout { server: "remote".into() }).await else {
        panic!("there was a login")
    };
    assert!(bench.kept.lock().expect("not poisoned").is_empty());
    bench.call_with_login().await;
    bench.shows_nothing().await;
}

#[tokio::test]
async fn a_logout_gives_the_login_back_and_says_where_that_came_to_nothing() {
    for (revokes, told) in [(200, None), (503, Some("did not take it back: HTTP 503"))] {
        let mut bench = Bench::start(Manner { revokes: Some(revokes), ..Manner::default() }).await;
        bench.call_with_login().await;
        match (bench.test.ask(Request::Logout { server: "remote".into() }).await, told) {
            (Ok(Reply::Done(true)), None) => {}
            (Err(error), Some(told)) if error.to_string().contains(told) => {}
            (other, _) => panic!("{revokes}: {other:?}"),
        }
        assert_eq!(bench.remote.count("POST /revoke"), 1);
        assert!(bench.kept.lock().expect("not poisoned").is_empty(), "it is forgotten here");
        bench.call_with_login().await;
        bench.shows_nothing().await;
    }
}

#[tokio::test]
async fn a_token_that_ran_out_is_refreshed_and_a_spent_refresh_logs_in_anew() {
    let mut bench = Bench::start(Manner::default()).await;
    bench.call_with_login().await;
    bench.remote.revoke(false);
    assert_eq!(value(&bench.call().await), json!({"scope": "read"}));
    assert_eq!((bench.remote.count("GET /authorize"), bench.remote.count("POST /token")), (1, 2));
    // Said to be over soon, it is refreshed before it is refused.
    bench.remote.change(|manner| manner.expires_in = 1);
    bench.remote.revoke(false);
    bench.call().await;
    let refused = bench.remote.count("POST /token");
    bench.call().await;
    assert_eq!(bench.remote.count("POST /token"), refused + 1);

    bench.remote.change(|manner| manner.expires_in = 3_600);
    bench.remote.revoke(true);
    assert_eq!(value(&bench.call_with_login().await), json!({"scope": "read"}));
    assert_eq!((bench.remote.count("GET /authorize"), bench.remote.count("POST /register")), (2, 1));
    bench.shows_nothing().await;
}

#[tokio::test]
async fn more_rights_are_asked_for_when_a_call_needs_them_and_the_call_is_made_once_more() {
    let mut bench = Bench::start(Manner::default()).await;
    bench.call_with_login().await;
    bench.remote.change(|manner| manner.call_scope = "write");
    let reply = bench.call_with_login().await;
    assert_eq!(value(&reply), json!({"scope": "read write"}));
    assert_eq!(bench.remote.count("POST /register"), 1, "it is the client that is known already");
    bench.shows_nothing().await;
}

#[tokio::test]
async fn a_login_that_does_not_help_is_not_asked_for_in_a_loop() {
    let mut bench = Bench::window(
        Authority::start(Manner { call_scope: "write", ..Manner::default() }).await,
        Kept::default(),
        json!({"oauth": {"scopes": ["read"]}}),
    )
    .await;
    bench.remote.change(|manner| manner.refuses = true);
    let error = message(&bench.call_with_login().await);
    assert!(error.contains("`access_denied`"), "{error}");
    let again = message(&bench.call().await);
    assert!(again.contains("`access_denied`"), "{again}");
    assert_eq!(bench.remote.count("GET /authorize"), 1);
}

#[tokio::test]
async fn the_browser_must_bring_the_state_of_this_login_to_this_port() {
    let mut bench = Bench::start(Manner::default()).await;
    let (test, conversation) = (bench.test.daemon.clone(), bench.test.conversation.clone());
    let call = tokio::spawn(async move { answer(test.submit(echo(), "test", &conversation)).await });
    let (page, opened) = bench.page().await;
    opened.give(Ok(()));
    assert!(page.redirect.starts_with("http://127.0.0.1:") && page.redirect.ends_with("/callback"));
    let forged = format!("{}?code=code-of-somebody-else&state=guessed", page.redirect);
    assert_eq!(open_page(&forged, &[]).await.status, 400);
    assert_eq!(open_page(&page.redirect.replace("callback", "favicon.ico"), &[]).await.status, 404);
    let back = open_page(&page.url, &[]).await.location.expect("it leads back");
    assert_eq!(open_page(&back, &[("host", "evil.example:80")]).await.status, 421);
    assert_eq!(bench.remote.count("POST /token"), 0, "none of these was taken for the answer");
    let shown = open_page(&back, &[]).await;
    assert!(shown.status == 200 && shown.body.contains("You are logged in"), "{shown:?}");
    assert!(!shown.body.contains("s3cret"), "{shown:?}");
    let reply = call.await.expect("it ends");
    assert_eq!(value(&reply), json!({"scope": "read"}));
    bench.shows_nothing().await;
}

#[expect(clippy::single_match_else, reason = "two ways of one length")]
#[tokio::test]
async fn an_answer_of_another_issuer_is_refused_before_its_code_is_sent_anywhere() {
    for iss in [Some("https://evil.example"), None] {
        let mut bench = Bench::start(Manner::default()).await;
        match iss {
            Some(iss) => bench.remote.change(|manner| manner.iss = Some(iss.to_owned())),
            None => {
                // Announced, and then left out.
                bench.remote.change(|manner| manner.sends_iss = true);
                let (test, conversation) = (bench.test.daemon.clone(), bench.test.conversation.clone());
                let call = tokio::spawn(async move { answer(test.submit(echo(), "test", &conversation)).await });
                let (page, opened) = bench.page().await;
                opened.give(Ok(()));
                let back = open_page(&page.url, &[]).await.location.expect("it leads back");
                let (without, _) = back.split_once("&iss=").expect("it says who it is");
                assert_eq!(open_page(without, &[]).await.status, 403);
                assert!(message(&call.await.expect("it ends")).contains("missing required issuer"));
                assert_eq!(bench.remote.count("POST /token"), 0);
                continue;
            }
        }
        let error = message(&bench.call_with_login().await);
        assert!(error.contains("issuer mismatch") && error.contains("evil.example"), "{error}");
        assert_eq!(bench.remote.count("POST /token"), 0);
    }
}

#[tokio::test]
async fn metadata_that_leads_astray_is_refused_before_anybody_is_shown_a_page() {
    let elsewhere = Authority::start(Manner::default()).await;
    let evil =
        |name: &'static str, value: &str| Manner { metadata: [(name, value.to_owned())].into(), ..Manner::default() };
    let lying = |name: &'static str, value: Value| Manner { resource: [(name, value)].into(), ..Manner::default() };
    for (manner, expected) in [
        (evil("issuer", "https://evil.example"), "issuer mismatch"),
        (evil("token_endpoint", "http://10.0.0.1/token"), "not a safe address"),
        (evil("token_endpoint", "http://169.254.169.254/token"), "not a safe address"),
        (evil("authorization_endpoint", "javascript:alert(1)"), "not a safe address"),
        (evil("code_challenge_methods_supported", "no list"), "none published usable metadata"),
        (lying("resource", json!(elsewhere.url)), "resource mismatch"),
        (lying("authorization_servers", json!(["http://169.254.169.254"])), "none published usable metadata"),
        (lying("authorization_servers", json!(["file:///etc/passwd"])), "none published usable metadata"),
    ] {
        let mut bench = Bench::start(manner.clone()).await;
        let error = message(&bench.call().await);
        assert!(
            error.contains("the login to server `remote` failed") && error.contains(expected),
            "{manner:?}: {error}"
        );
        assert_eq!((bench.remote.count("POST /token"), bench.remote.count("GET /authorize")), (0, 0));
    }
    assert_eq!(elsewhere.count("POST /mcp"), 0);
}

#[tokio::test]
async fn a_client_that_may_not_register_says_how_to_configure_one_which_then_is_used() {
    let closed = Manner { registers: false, client: Some("known".to_owned()), ..Manner::default() };
    let mut bench = Bench::start(closed).await;
    let error = message(&bench.call().await);
    assert!(error.contains("registration not supported") && error.contains("\"clientId\""), "{error}");
    let Bench { test, kept, remote, .. } = bench;
    test.daemon.shutdown().await;
    let mut bench = Bench::window(remote, kept, json!({"oauth": {"clientId": "known"}})).await;
    assert_eq!(value(&bench.call_with_login().await), json!({"scope": "read"}));
    bench.shows_nothing().await;
}

#[tokio::test]
async fn a_metadata_documents_url_is_the_client_where_such_documents_are_read() {
    let document = json!({"oauth": {"clientId": "https://client.example/tta.json"}});
    for documents in [true, false] {
        let remote = Authority::start(Manner { documents, ..Manner::default() }).await;
        let mut bench = Bench::window(remote, Kept::default(), document.clone()).await;
        bench.call_with_login().await;
        assert_eq!(bench.remote.count("POST /register"), usize::from(!documents));
        bench.shows_nothing().await;
    }
}

#[tokio::test]
async fn looking_asks_nobody_and_without_anybody_to_ask_the_error_says_what_to_do() {
    let remote = Authority::start(Manner::default()).await;
    let entry = json!({"url": remote.url});
    let test = TestDaemon::builder().server("remote", entry).start().await;
    let Ok(Reply::Servers(servers)) = test.ask(Request::Servers { list: true }).await else { panic!("servers answer") };
    assert_eq!(servers[0].state, ServerState::Failed);
    let run = test.run(Language::Python, "from servers import remote\nawait remote.echo()").await;
    assert_eq!(run.status, RunStatus::Error);
    let error = run.error.expect("it fails");
    let shown = format!("{} {}", error.message, error.hint.unwrap_or_default());
    assert!(shown.contains("asks for a login") && shown.contains("tta servers login remote"), "{shown}");
    assert_eq!(remote.count("GET /authorize"), 0);
}

#[tokio::test]
async fn a_server_with_a_header_of_its_own_is_never_logged_in_to() {
    let remote = Authority::start(Manner::default()).await;
    let mut bench = Bench::window(remote, Kept::default(), json!({"headers": {"authorization": "Bearer stale"}})).await;
    let error = message(&bench.call().await);
    assert!(error.contains("HTTP 401") && error.contains("Authorization"), "{error}");
    assert_eq!(bench.remote.count("GET /authorize"), 0);
}
