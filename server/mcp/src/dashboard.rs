//! The dashboard on the loopback endpoint: a page without data at `/`, and what it asks for under `/api`.
//!
//! Invariants: everything but the page needs the token, and everything an allowed Host and no foreign Origin; only GET and
//! HEAD are answered, and nothing is changed by any of them. Nothing is kept by a browser, framed by another page, or
//! taken for another type. The page's policy stands in the page itself, made with it by `extension/page.mjs`.

use crate::auth::require_token;
use crate::http::Door;
use axum::extract::{Query, Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, Uri, header};
use axum::middleware::{Next, from_fn, from_fn_with_state};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use daemon::Daemon;
use futures::StreamExt as _;
use futures::stream::{Stream, unfold};
use model::explain::ExplainRequest;
use model::report::{ReportFilter, ReportRequest};
use model::{ConversationId, Notice, Reply, Request as Ask, RunId, RunStatus};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use std::convert::Infallible;
use std::sync::Arc;
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::sync::CancellationToken;

const PAGE: &str = include_str!("../assets/dashboard.html");

/// The place in it for data.
const DATA: &str = r#"<script type="application/json" id="data">"#;

/// What precedes the page's policy in the page.
const POLICY: &str = r#"http-equiv="Content-Security-Policy" content=""#;

/// The policy of everything that is no page.
const NOTHING: &str = "default-src 'none'; frame-ancestors 'none'";

/// The name that questions are filed under; none of them is a run.
const FRONT: &str = "mcp";

/// The page with a report in it: a file that asks nobody, and shows what it holds. `data` is what the daemon renders a report
/// to for it, as JSON.
pub fn report_page(data: &str) -> String {
    // No text of the data ends its element.
    PAGE.replacen(DATA, &format!("{DATA}{}", data.replace('<', "\\u003c")), 1)
}

#[derive(Clone)]
struct Dashboard {
    daemon: Daemon,
    conversation: ConversationId,
    followers: Arc<Semaphore>,
    stop: CancellationToken,
}

/// Who may ask at all.
#[derive(Clone)]
struct Allowed {
    hosts: Arc<[String]>,
    origins: Arc<[String]>,
}

/// The dashboard's routes.
pub(crate) fn router(daemon: Daemon, door: &Door) -> Router {
    let dashboard = Dashboard {
        daemon,
        conversation: ConversationId::new(),
        followers: Arc::new(Semaphore::new(door.limits.followers)),
        stop: door.stop.clone(),
    };
    let allowed = Allowed { hosts: door.hosts.iter().cloned().collect(), origins: door.origins().collect() };
    Router::new()
        .route("/api/report", get(report))
        .route("/api/run/calls", get(calls))
        .route("/api/run/explain", get(explain))
        .route("/api/events", get(events))
        .with_state(dashboard)
        .layer(from_fn_with_state(Arc::clone(&door.auth), require_token))
        .route("/", get(page))
        .layer(from_fn_with_state(allowed, known_asker))
        .layer(from_fn(headers))
}

async fn page() -> impl IntoResponse {
    ([(header::CONTENT_SECURITY_POLICY, format!("{}; frame-ancestors 'none'", policy()))], Html(PAGE))
}

/// The page's own policy.
fn policy() -> &'static str {
    let rest = PAGE.split_once(POLICY).map_or("", |(_, rest)| rest);
    rest.split_once('"').map_or("default-src 'none'", |(policy, _)| policy)
}

/// A report's request as a query: the narrowing's fields stand beside the others.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct ReportQuery {
    since_ms: Option<u64>,
    until_ms: Option<u64>,
    compare: bool,
    server: Option<String>,
    tool: Option<String>,
    language: Option<String>,
    front: Option<String>,
    status: Option<RunStatus>,
    tag: Option<String>,
    model: Option<String>,
    top: Option<u32>,
}

impl From<ReportQuery> for ReportRequest {
    fn from(query: ReportQuery) -> Self {
        let ReportQuery { since_ms, until_ms, compare, server, tool, language, front, status, tag, model, top } = query;
        let only = ReportFilter { server, tool, language, front, status, tag };
        Self { since_ms, until_ms, compare, only, model, top }
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RunQuery {
    run_id: RunId,
}

async fn report(State(dashboard): State<Dashboard>, uri: Uri) -> Result<Response, Refusal> {
    let request = ReportRequest::from(query::<ReportQuery>(&uri)?);
    match dashboard.ask(Ask::Report(request)).await? {
        Reply::Report(report) => Ok(Json(report).into_response()),
        _ => Err(Refusal::other_answer()),
    }
}

async fn calls(State(dashboard): State<Dashboard>, uri: Uri) -> Result<Response, Refusal> {
    let RunQuery { run_id } = query(&uri)?;
    match dashboard.ask(Ask::RunCalls { run_id }).await? {
        Reply::RunCalls(calls) => Ok(Json(calls).into_response()),
        _ => Err(Refusal::other_answer()),
    }
}

async fn explain(State(dashboard): State<Dashboard>, uri: Uri) -> Result<Response, Refusal> {
    match dashboard.ask(Ask::Explain(query::<ExplainRequest>(&uri)?)).await? {
        Reply::Explain(explanation) => Ok(Json(explanation).into_response()),
        _ => Err(Refusal::other_answer()),
    }
}

/// One event for each change of the ledger, as long as somebody listens and the endpoint lasts.
async fn events(
    State(dashboard): State<Dashboard>,
) -> Result<Sse<impl Stream<Item = Result<Event, Infallible>>>, Refusal> {
    let Ok(seat) = dashboard.followers.try_acquire_owned() else {
        let why = "too many dashboards are open: close one";
        return Err(Refusal { status: StatusCode::SERVICE_UNAVAILABLE, why: why.to_owned() });
    };
    let changes = unfold((dashboard.daemon.notices(), seat), change);
    Ok(Sse::new(changes.take_until(dashboard.stop.cancelled_owned())).keep_alive(KeepAlive::default()))
}

type Followed = (tokio::sync::broadcast::Receiver<Notice>, OwnedSemaphorePermit);

/// The next change. What was missed is a change too.
async fn change((mut notices, seat): Followed) -> Option<(Result<Event, Infallible>, Followed)> {
    loop {
        match notices.recv().await {
            Ok(Notice::Savings(_)) | Err(RecvError::Lagged(_)) => {
                return Some((Ok(Event::default().data("counted")), (notices, seat)));
            }
            Ok(_) => {}
            Err(RecvError::Closed) => return None,
        }
    }
}

impl Dashboard {
    async fn ask(&self, request: Ask) -> Result<Reply, Refusal> {
        Ok(self.daemon.submit(request, FRONT, &self.conversation).reply().await?)
    }
}

/// Why a question was not answered, in words for the page.
struct Refusal {
    status: StatusCode,
    why: String,
}

impl Refusal {
    fn other_answer() -> Self {
        let why = "the daemon answered another question than the one that was asked";
        Self { status: StatusCode::INTERNAL_SERVER_ERROR, why: why.to_owned() }
    }
}

impl From<daemon::Error> for Refusal {
    fn from(error: daemon::Error) -> Self {
        let status = match error {
            daemon::Error::Usage(_) => StatusCode::BAD_REQUEST,
            daemon::Error::Denied(_) => StatusCode::FORBIDDEN,
            daemon::Error::Busy(_) | daemon::Error::ShuttingDown | daemon::Error::Cancelled => {
                StatusCode::SERVICE_UNAVAILABLE
            }
            daemon::Error::Fault(_) => StatusCode::INTERNAL_SERVER_ERROR,
        };
        Self { status, why: error.to_string() }
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        (self.status, format!("{}\n", self.why)).into_response()
    }
}

fn query<T: DeserializeOwned>(uri: &Uri) -> Result<T, Refusal> {
    let parsed = Query::try_from_uri(uri).map(|Query(query)| query);
    parsed.map_err(|e| Refusal { status: StatusCode::BAD_REQUEST, why: e.body_text() })
}

/// Refuses whoever calls this endpoint by another name, and scripts of other pages.
async fn known_asker(State(allowed): State<Allowed>, request: Request, next: Next) -> Response {
    if allowed.admits(request.headers()) {
        return next.run(request).await;
    }
    let why = "the dashboard answers at its own address and to its own page alone";
    Refusal { status: StatusCode::FORBIDDEN, why: why.to_owned() }.into_response()
}

impl Allowed {
    fn admits(&self, headers: &HeaderMap) -> bool {
        let is_one_of = |name: &header::HeaderName, known: &[String]| {
            one(headers, name).is_some_and(|value| known.iter().any(|one| value == one.as_str()))
        };
        is_one_of(&header::HOST, &self.hosts)
            && (!headers.contains_key(header::ORIGIN) || is_one_of(&header::ORIGIN, &self.origins))
    }
}

/// A header that stands there once.
fn one<'a>(headers: &'a HeaderMap, name: &header::HeaderName) -> Option<&'a HeaderValue> {
    let mut values = headers.get_all(name).iter();
    values.next().filter(|_| values.next().is_none())
}

/// What every answer says of itself.
async fn headers(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    headers.entry(header::CONTENT_SECURITY_POLICY).or_insert(HeaderValue::from_static(NOTHING));
    for (name, value) in [
        (header::CACHE_CONTROL, "no-store"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::report::SavingsReport;

    #[test]
    fn the_page_fetches_nothing_from_elsewhere_and_names_its_own_script() {
        assert!(PAGE.len() < 150_000, "{} bytes", PAGE.len());
        assert!(policy().starts_with("default-src 'none'; script-src 'sha256-"), "{}", policy());
        for from_elsewhere in ["src=\"", "href=\"", "@import", "url(", "eval(", "unsafe-"] {
            assert!(!PAGE.contains(from_elsewhere), "{from_elsewhere}");
        }
        assert!(PAGE.contains(&format!("{DATA}</script>")));
    }

    #[test]
    fn no_name_in_a_report_is_markup_in_its_page() {
        let report = SavingsReport { workspace: "</script><img src=x>".to_owned(), ..SavingsReport::default() };
        let page = report_page(&serde_json::json!({ "report": report }).to_string());
        assert!(page.contains(r#"id="data">{"report":{"#) && !page.contains("<img"), "the name is data");
        let data = page.split(DATA).nth(1).and_then(|rest| rest.split("</script>").next()).expect("data");
        let read: serde_json::Value = serde_json::from_str(data).expect("JSON");
        assert_eq!(read["report"]["workspace"], "</script><img src=x>");
    }
}
