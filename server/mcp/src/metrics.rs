//! `/metrics` on the loopback endpoint: what Prometheus scrapes, behind the same token as everything else.
//!
//! Invariant: only GET (and HEAD), only an allowed Host and no foreign Origin. A scrape is no session and takes no seat.

use crate::auth::require_token;
use crate::http::Door;
use axum::Router;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use daemon::Daemon;
use std::sync::Arc;

/// The route.
pub(crate) fn router(daemon: Daemon, door: &Door) -> Router {
    let names: Arc<[String]> = door.hosts.iter().cloned().collect();
    let router = Router::new().route("/metrics", get(metrics)).with_state(daemon);
    router.layer(from_fn_with_state(names, allowed)).layer(from_fn_with_state(Arc::clone(&door.auth), require_token))
}

async fn metrics(State(daemon): State<Daemon>) -> Response {
    let (kind, text) = daemon.metrics();
    ([(header::CONTENT_TYPE, kind), (header::CACHE_CONTROL, "no-store")], text).into_response()
}

async fn allowed(State(names): State<Arc<[String]>>, request: Request, next: Next) -> Response {
    if is_allowed(request.headers(), &names) {
        return next.run(request).await;
    }
    (StatusCode::FORBIDDEN, "Forbidden: this endpoint is for programs of this machine\n").into_response()
}

fn is_allowed(headers: &HeaderMap, names: &[String]) -> bool {
    let of = |name| headers.get(name).map(|value| value.to_str().unwrap_or("?"));
    let known = |host: &str| names.iter().any(|name| name.eq_ignore_ascii_case(host));
    of(header::HOST).is_some_and(known)
        && of(header::ORIGIN).is_none_or(|origin| origin.strip_prefix("http://").is_some_and(known))
}
