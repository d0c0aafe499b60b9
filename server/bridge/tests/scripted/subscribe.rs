//! Subscriptions to single resources: in both eras, shared, ended by whoever ends them, and begun anew.

use crate::eras::spec as era;
use crate::kit::{BOUND, Kit};
use bridge::{Change, Error, Feed, Subscription};
use serde_json::{Value, json};
use std::time::Duration;

async fn subscribe(kit: &Kit, uri: &str) -> (Subscription, Feed) {
    let feed = Feed::default();
    (kit.bridge.subscribe("s", uri, BOUND, &feed).await.expect("subscribed"), feed)
}

async fn refused(kit: &Kit, uri: &str) -> Error {
    kit.bridge.subscribe("s", uri, BOUND, &Feed::default()).await.expect_err("refused")
}

/// The next changes after `seen`.
async fn next(feed: &Feed, seen: u64) -> Vec<Change> {
    let changes = async {
        let mut last = seen;
        loop {
            feed.after(last).await;
            let (count, changes) = feed.since(seen);
            if !changes.is_empty() {
                return changes;
            }
            last = count;
        }
    };
    tokio::time::timeout(BOUND, changes).await.expect("a change is told")
}

fn change(uri: &str, times: u64) -> Change {
    Change { uri: uri.to_owned(), times }
}

async fn log(kit: &Kit) -> Value {
    kit.structured("subscribed", json!({})).await["log"].clone()
}

/// Asks the server what it knows until it is `wanted`.
async fn until(kit: &Kit, tool: &str, key: &str, wanted: Value) {
    let asking = async { while kit.structured(tool, json!({})).await[key] != wanted {} };
    tokio::time::timeout(BOUND, asking).await.unwrap_or_else(|_| panic!("{tool} becomes {wanted}"));
}

#[tokio::test(flavor = "multi_thread")]
async fn changes_reach_who_is_subscribed_before_the_answer_that_follows_them() {
    let kit = Kit::faulty("tells");
    let (one, feed) = subscribe(&kit, "text:d").await;
    let uris = ["text:d", "text:d/a", "text:e", "text:d/a", "text:d"];
    kit.call("update", json!({"uris": uris})).await.expect("answered");
    assert_eq!(feed.since(1).1, [change("text:d/a", 2), change("text:d", 2)], "what nobody took is one for each");
    drop(one);
    until(&kit, "subscribed", "log", json!(["+text:d", "-text:d"])).await;
    kit.call("update", json!({"uris": uris})).await.expect("answered");
    assert_eq!(feed.told().lines().count(), 2, "nothing is told after the end");
}

#[tokio::test(flavor = "multi_thread")]
async fn all_who_want_a_resource_share_one_subscription_and_the_last_ends_it() {
    let kit = Kit::faulty("tells");
    let all = futures::future::join_all((0..20).map(|_| subscribe(&kit, "text:a"))).await;
    let (other, _feed) = subscribe(&kit, "text:b").await;
    kit.call("update", json!({"uris": ["text:a"]})).await.expect("answered");
    assert!(all.iter().all(|(_, feed)| feed.since(1).1 == [change("text:a", 1)]));
    let mut all = all.into_iter();
    let last = all.next();
    drop(all);
    kit.call("update", json!({"uris": ["text:a"]})).await.expect("answered");
    assert_eq!(log(&kit).await, json!(["+text:a", "+text:b"]));
    drop((last, other));
    let ended = async { while log(&kit).await.as_array().expect("a list").len() < 4 {} };
    tokio::time::timeout(BOUND, ended).await.expect("both are ended");
    // Who comes after that, or while it is ended, begins anew.
    for _ in 0..20 {
        let (_one, feed) = subscribe(&kit, "text:a").await;
        let seen = feed.since(0).0;
        kit.call("update", json!({"uris": ["text:a"]})).await.expect("answered");
        assert_eq!(feed.since(seen).1, [change("text:a", 1)]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_tells_of_no_changes_and_a_resource_that_is_not_there_are_refused_at_once() {
    let error = refused(&Kit::faulty("ok"), "text:a").await;
    assert!(matches!(error, Error::NotOffered { .. }) && error.hint().contains("resources.read(uri)"), "{error}");
    let kit = Kit::faulty("tells");
    let error = refused(&kit, "none:").await;
    assert!(matches!(error, Error::Rpc { code: -32_002, .. }), "{error}");
    let kit = Kit::faulty("tells-nobody");
    let limit = Duration::from_millis(300);
    let error = kit.bridge.subscribe("s", "text:a", limit, &Feed::default()).await.expect_err("no answer");
    assert!(error.is_timeout() && error.to_string().contains("`resources/subscribe`"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_resources_of_a_server_that_are_subscribed_to_are_bounded() {
    let kit = Kit::faulty("tells");
    let uris: Vec<String> = (0..256).map(|n| format!("text:{n}")).collect();
    let all = futures::future::join_all(uris.iter().map(|uri| subscribe(&kit, uri))).await;
    let error = refused(&kit, "text:more").await;
    assert!(matches!(error, Error::TooMany { .. }), "{error}");
    subscribe(&kit, "text:7").await;
    drop(all);
    let again = async { while kit.bridge.subscribe("s", "text:more", BOUND, &Feed::default()).await.is_err() {} };
    tokio::time::timeout(BOUND, again).await.expect("there is room again");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_subscription_ends_with_its_server_and_says_why() {
    let kit = Kit::faulty("tells");
    let (one, _feed) = subscribe(&kit, "text:a").await;
    kit.call("die", json!({})).await.expect_err("it died");
    let error = tokio::time::timeout(BOUND, one.ended()).await.expect("it ends");
    assert!(matches!(&error, Error::Died { .. }) && error.to_string().contains("asked to die"), "{error}");
    let (other, _feed) = subscribe(&kit, "text:a").await;
    kit.bridge.stop("s").await.expect("stopped");
    let error = tokio::time::timeout(BOUND, other.ended()).await.expect("it ends");
    assert!(matches!(error, Error::Stopped { .. }), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_does_not_rest_while_somebody_listens_to_it() {
    let mut spec = crate::faulty::faulty_spec("s", "tells");
    spec.limits.idle_stop_ms = 50;
    let mut kit = Kit::new(vec![spec]);
    let (one, _feed) = subscribe(&kit, "text:a").await;
    let ended = tokio::time::timeout(Duration::from_millis(500), one.ended()).await;
    assert!(ended.is_err(), "it rested: {ended:?}");
    drop(one);
    kit.state(model::ServerState::Stopped).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stateless_server_is_listened_to_for_each_resource() {
    let kit = Kit::new(vec![era("stateless")]);
    let (one, feed) = subscribe(&kit, "text:a").await;
    let (other, _feed) = subscribe(&kit, "text:b").await;
    kit.call("update", json!({"uri": "text:a"})).await.expect("answered");
    assert_eq!(feed.since(1).1, [change("text:a", 1)]);
    drop(one);
    until(&kit, "listening", "uris", json!(["text:b"])).await;
    drop(other);
    until(&kit, "listening", "uris", json!([])).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_that_ends_is_begun_anew_which_counts_as_a_change() {
    let kit = Kit::new(vec![era("stateless")]);
    let (_one, feed) = subscribe(&kit, "text:a").await;
    let seen = feed.since(0).0;
    kit.call("hang_up", json!({})).await.expect("answered");
    assert_eq!(next(&feed, seen).await, [change("text:a", 1)]);
    let seen = feed.since(0).0;
    kit.call("update", json!({"uri": "text:a"})).await.expect("answered");
    assert_eq!(next(&feed, seen).await, [change("text:a", 1)]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stateless_server_that_does_not_take_it_or_ends_it_again_and_again_is_told_so() {
    let error = refused(&Kit::new(vec![era("tells-nobody")]), "text:a").await;
    assert!(matches!(&error, Error::Protocol { what, .. } if what.contains("`text:a`")), "{error}");
    let kit = Kit::new(vec![era("hangs-up")]);
    let (one, _feed) = subscribe(&kit, "text:a").await;
    let error = tokio::time::timeout(BOUND, one.ended()).await.expect("it ends");
    assert!(matches!(&error, Error::Unreachable { .. }) && error.to_string().contains("again and again"), "{error}");
}

mod sessions {
    //! Streamable HTTP with sessions that the server forgets, and a server that is gone.

    use super::{change, next, subscribe};
    use crate::kit::{BOUND, Kit};
    use axum::Router;
    use axum::extract::State;
    use axum::http::{HeaderMap, Method, StatusCode};
    use axum::response::{IntoResponse as _, Response};
    use bridge::Error;
    use model::Transport;
    use serde_json::{Value, json};
    use std::sync::{Arc, Mutex, PoisonError};
    use std::time::Duration;

    /// The session that it knows, how many there were, who subscribed in which, and whether it is there at all.
    #[derive(Default)]
    struct Seat {
        session: Option<String>,
        count: usize,
        log: Vec<String>,
        is_gone: bool,
    }

    type Shared = Arc<Mutex<Seat>>;

    async fn answer(State(seat): State<Shared>, method: Method, headers: HeaderMap, body: String) -> Response {
        let mut seat = seat.lock().unwrap_or_else(PoisonError::into_inner);
        if seat.is_gone {
            return StatusCode::INTERNAL_SERVER_ERROR.into_response();
        }
        if method != Method::POST {
            return StatusCode::METHOD_NOT_ALLOWED.into_response();
        }
        let message: Value = serde_json::from_str(&body).unwrap_or_default();
        let given = headers.get("mcp-session-id").and_then(|id| id.to_str().ok()).map(str::to_owned);
        let result = match message["method"].as_str().unwrap_or_default() {
            "server/discover" => {
                let error = json!({"code": -32_601, "message": "no such method"});
                return axum::Json(json!({"jsonrpc": "2.0", "id": message["id"], "error": error})).into_response();
            }
            "initialize" => {
                seat.count += 1;
                seat.session = Some(format!("s{}", seat.count));
                json!({
                    "protocolVersion": "2025-11-25",
                    "capabilities": {"resources": {"subscribe": true}},
                    "serverInfo": {"name": "scripted", "version": "1"},
                })
            }
            _ if given != seat.session => return StatusCode::NOT_FOUND.into_response(),
            "resources/subscribe" => {
                let line =
                    format!("{} {}", given.unwrap_or_default(), message["params"]["uri"].as_str().unwrap_or("?"));
                seat.log.push(line);
                json!({})
            }
            _ if message["id"].is_null() => return StatusCode::ACCEPTED.into_response(),
            _ => json!({}),
        };
        let session = [("mcp-session-id", seat.session.clone().unwrap_or_default())];
        (session, axum::Json(json!({"jsonrpc": "2.0", "id": message["id"], "result": result}))).into_response()
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_session_that_the_server_forgot_is_subscribed_anew_and_a_server_that_is_gone_ends_it() {
        let seat = Shared::default();
        let change_seat = |change: fn(&mut Seat)| change(&mut seat.lock().unwrap_or_else(PoisonError::into_inner));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("http://{}/mcp", listener.local_addr().expect("an address"));
        let app = Router::new().fallback(answer).with_state(seat.clone());
        tokio::spawn(async move { axum::serve(listener, app).await });
        let mut spec = crate::faulty::faulty_spec("s", "");
        spec.transport = Transport::Http { url, headers: std::collections::BTreeMap::new(), sse: false };
        let kit = Kit::with(vec![spec], |options| options.pulse = Duration::from_millis(20));

        let (one, feed) = subscribe(&kit, "text:a").await;
        let seen = feed.since(0).0;
        change_seat(|seat| seat.session = None);
        assert_eq!(next(&feed, seen).await, [change("text:a", 1)], "what happened meanwhile is unknown");
        let log = seat.lock().unwrap_or_else(PoisonError::into_inner).log.clone();
        assert_eq!(log, ["s1 text:a", "s2 text:a"]);
        change_seat(|seat| seat.is_gone = true);
        let error = tokio::time::timeout(BOUND, one.ended()).await.expect("it ends");
        assert!(matches!(error, Error::Refused { status: 500, .. }), "{error}");
    }
}
