//! The end of a login: the browser comes back to a port of this machine.
//!
//! Invariants: only 127.0.0.1 listens, for one login, and takes one answer: the first with the state of that login. Whatever
//! else comes (another page that guesses the port, a browser that looks for an icon) is turned away and changes nothing. The
//! answer's text stays in this process; the page says nothing of it.

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, Uri, header};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::get;
use reqwest::Url;
use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio_util::task::AbortOnDropHandle;

const PATH: &str = "/callback";

/// A bound port.
pub(super) struct Listener {
    listener: TcpListener,
    /// Where the browser is to be sent.
    pub(super) redirect: String,
}

/// A browser that has come back, and waits for its page.
pub(super) struct Arrived {
    /// The redirect URI with what the authorization server added to it.
    pub(super) url: String,
    page: oneshot::Sender<bool>,
    server: AbortOnDropHandle<()>,
}

/// The page that came, and where to say how it is answered.
type Came = oneshot::Sender<(String, oneshot::Sender<bool>)>;

struct Seat {
    redirect: String,
    host: String,
    state: String,
    came: Mutex<Option<Came>>,
    seen: tokio_util::sync::CancellationToken,
}

impl Listener {
    /// The first of `ports` that is free; 0 is any.
    pub(super) async fn bind(ports: &[u16]) -> std::io::Result<Self> {
        let mut bound = Err(std::io::ErrorKind::AddrNotAvailable.into());
        for port in ports {
            bound = TcpListener::bind((Ipv4Addr::LOCALHOST, *port)).await;
            if bound.is_ok() {
                break;
            }
        }
        let listener = bound?;
        let redirect = format!("http://{}{PATH}", listener.local_addr()?);
        Ok(Self { listener, redirect })
    }

    /// Waits for the browser that brings `state`, for as long as the future is polled.
    pub(super) async fn answer(self, state: String) -> Option<Arrived> {
        let (arrived, arrival) = oneshot::channel();
        let seen = tokio_util::sync::CancellationToken::new();
        let host = self.redirect.trim_start_matches("http://").trim_end_matches(PATH).to_owned();
        let seat = Seat { redirect: self.redirect, host, state, came: Mutex::new(Some(arrived)), seen: seen.clone() };
        let router = Router::new().route(PATH, get(callback)).with_state(Arc::new(seat));
        let served = axum::serve(self.listener, router).with_graceful_shutdown(seen.cancelled_owned());
        let listening = AbortOnDropHandle::new(tokio::spawn(async {
            if let Err(error) = served.await {
                tracing::warn!("the end of a login is not listened for any more: {error}");
            }
        }));
        let (url, page) = arrival.await.ok()?;
        Some(Arrived { url, page, server: listening })
    }
}

impl Arrived {
    /// Shows the page, and waits for it to be sent.
    pub(super) async fn show(self, logged_in: bool) {
        let _ = self.page.send(logged_in);
        let _ = tokio::time::timeout(std::time::Duration::from_secs(2), self.server).await;
    }
}

async fn callback(State(seat): State<Arc<Seat>>, headers: HeaderMap, uri: Uri) -> Response {
    // A name that was made to point here is not ours.
    if headers.get(header::HOST).is_none_or(|host| host.as_bytes() != seat.host.as_bytes()) {
        return page(StatusCode::MISDIRECTED_REQUEST, "This address is for logins that were started here.");
    }
    let url = format!("{}?{}", seat.redirect, uri.query().unwrap_or_default());
    if parameter(&url, "state").as_deref() != Some(&seat.state) {
        return page(StatusCode::BAD_REQUEST, "This is not the answer to the login that is open here.");
    }
    let Some(came) = seat.came.lock().unwrap_or_else(PoisonError::into_inner).take() else {
        return page(StatusCode::GONE, "This login is over.");
    };
    let (shown, outcome) = oneshot::channel();
    let _ = came.send((url, shown));
    let outcome = outcome.await;
    seat.seen.cancel();
    match outcome {
        Ok(true) => page(StatusCode::OK, "You are logged in. You can close this page."),
        _ => {
            page(StatusCode::FORBIDDEN, "The login failed. Where you started it, it says why. You can close this page.")
        }
    }
}

/// The value of a parameter that is there once.
pub(super) fn parameter(url: &str, name: &str) -> Option<String> {
    let url = Url::parse(url).ok()?;
    let mut values = url.query_pairs().filter(|(key, _)| key == name).map(|(_, value)| value.into_owned());
    values.next().filter(|_| values.next().is_none())
}

fn page(status: StatusCode, text: &'static str) -> Response {
    let body = format!(
        "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>TTA</title>\
         <style>body{{font:1.2rem system-ui;margin:20vh auto;max-width:32rem;text-align:center}}</style><p>{text}</p>"
    );
    let headers = [
        (header::CACHE_CONTROL, "no-store"),
        (header::CONTENT_SECURITY_POLICY, "default-src 'none'; style-src 'unsafe-inline'"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::CONNECTION, "close"),
    ];
    (status, headers, Html(body)).into_response()
}
