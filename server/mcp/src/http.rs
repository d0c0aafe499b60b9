//! The loopback HTTP endpoint: streamable HTTP at `/mcp`, the dashboard (`dashboard.rs`), and metrics (`metrics.rs`).
//!
//! Bounded here: connections, sessions, the body of a request, the time to send its head, how long a session may be idle,
//! and how long a request waits for a seat. Checked here: the address, the token, Host and Origin. Not bounded here: how many runs there are at once, which
//! is the daemon's business.

use crate::Error;
use crate::auth::{Auth, require_token};
use crate::dashboard;
use crate::front::Front;
use crate::metrics;
use crate::run::Sitting;
use axum::Router;
use axum::extract::{Request, State};
use axum::http::{Method, StatusCode, header};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse as _, Response};
use daemon::Daemon;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use hyper_util::service::TowerToHyperService;
use rmcp::ServerHandler;
use rmcp::transport::streamable_http_server::session::local::LocalSessionManager;
use rmcp::transport::streamable_http_server::{StreamableHttpServerConfig, StreamableHttpService};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::sync::{CancellationToken, DropGuard};
use tokio_util::task::TaskTracker;

/// Connections open at once; further ones wait in the system's queue.
const CONNECTIONS_MAX: usize = 256;

/// Sessions at once, and requests without one; what comes beyond waits.
const SESSIONS_MAX: usize = 64;

/// How long it waits; then it is refused, and told to come again.
const SEAT_WAIT: Duration = Duration::from_secs(10);
/// When, in seconds.
const RETRY_AFTER: &str = "5";

/// A session nobody used for this long ends; its client starts a new one.
const SESSION_IDLE: Duration = Duration::from_hours(1);

/// A program, its input, and their JSON escapes.
const BODY_BYTES_MAX: usize = 32 << 20;

/// Time to send a request's head, and to leave a connection unused.
const HEAD_TIMEOUT: Duration = Duration::from_secs(30);

/// Dashboards that are told of changes at once; further ones are refused and ask again.
const FOLLOWERS_MAX: usize = 32;

/// Time for connections to end when the endpoint does.
const STOP_TIMEOUT: Duration = Duration::from_secs(2);

/// What one endpoint bounds. `default()` is what is served; tests reach the bounds sooner.
#[derive(Clone, Debug)]
pub struct HttpLimits {
    /// Connections open at once.
    pub connections: usize,
    /// Sessions at once, and requests without one.
    pub sessions: usize,
    /// How long a request waits for its place among those.
    pub seat_wait: Duration,
    /// How long a session may be idle.
    pub session_idle: Duration,
    /// How long a connection may take for a request's head.
    pub head_timeout: Duration,
    /// Dashboards that are told of changes at once.
    pub followers: usize,
}

impl Default for HttpLimits {
    fn default() -> Self {
        Self {
            connections: CONNECTIONS_MAX,
            sessions: SESSIONS_MAX,
            seat_wait: SEAT_WAIT,
            session_idle: SESSION_IDLE,
            head_timeout: HEAD_TIMEOUT,
            followers: FOLLOWERS_MAX,
        }
    }
}

/// A running endpoint; dropping it stops it.
#[derive(Debug)]
pub struct HttpServer {
    addr: SocketAddr,
    auth: Arc<Auth>,
    tasks: TaskTracker,
    stop: DropGuard,
}

impl HttpServer {
    /// What a client connects to.
    pub fn url(&self) -> String {
        format!("http://{}/mcp", self.addr)
    }

    /// Where a browser finds the dashboard; the token, where there is one, in the fragment, which is sent to nobody.
    pub fn dashboard_url(&self) -> String {
        match self.auth.token() {
            Some(token) => {
                let key =
                    url::form_urlencoded::Serializer::new(String::new()).append_pair("token", token.expose()).finish();
                format!("http://{}/#{key}", self.addr)
            }
            None => format!("http://{}/", self.addr),
        }
    }

    /// How its requests are admitted.
    pub fn auth(&self) -> &Auth {
        &self.auth
    }

    /// Ends every session and connection.
    pub async fn stop(self) {
        drop(self.stop);
        let _ = tokio::time::timeout(STOP_TIMEOUT, self.tasks.wait()).await;
    }

    /// Returns when the endpoint has ended, which it does not by itself.
    pub async fn ended(&self) {
        self.tasks.wait().await;
    }
}

/// A place among those that an endpoint serves at once. Whoever has one holds it as long as its session lives.
pub type Seat = Arc<OwnedSemaphorePermit>;

tokio::task_local! {
    /// The seat of the request that is answered: rmcp makes its handlers, some of them only to ask about a tool, without
    /// waiting and without showing whom for.
    static SEAT: Seat;
}

/// The seats of an endpoint.
#[derive(Clone)]
struct Seats {
    free: Arc<Semaphore>,
    wait: Duration,
}

/// What the routes of one endpoint have in common.
pub(crate) struct Door {
    /// The hosts that requests may name.
    pub(crate) hosts: [String; 3],
    pub(crate) auth: Arc<Auth>,
    pub(crate) limits: HttpLimits,
    /// Cancelled when the endpoint ends.
    pub(crate) stop: CancellationToken,
}

impl Door {
    /// The origins that requests may come from.
    pub(crate) fn origins(&self) -> impl Iterator<Item = String> {
        self.hosts.iter().map(|host| format!("http://{host}"))
    }
}

/// Serves `daemon` on a loopback address, its tools, its dashboard and its metrics; port 0 picks a free one.
pub async fn serve_http(daemon: Daemon, addr: SocketAddr, auth: Auth, limits: HttpLimits) -> Result<HttpServer, Error> {
    let endpoint = Arc::<Sitting>::default();
    let front = {
        let daemon = daemon.clone();
        move |seat| Front::seated(daemon.clone(), Arc::clone(&endpoint), seat)
    };
    let merged = |door: &Door| {
        tools(front, door).merge(dashboard::router(daemon.clone(), door)).merge(metrics::router(daemon, door))
    };
    bind(addr, auth, limits, merged).await
}

/// Serves the dashboard of `daemon` alone: whoever has this endpoint's token can look, and run nothing.
pub async fn serve_dashboard(
    daemon: Daemon,
    addr: SocketAddr,
    auth: Auth,
    limits: HttpLimits,
) -> Result<HttpServer, Error> {
    bind(addr, auth, limits, |door| dashboard::router(daemon, door)).await
}

/// The endpoint of tools over any handler, such as that of a conformance suite. `handler` is called for each session, and
/// for each request that has none.
pub async fn serve_handler<H: ServerHandler>(
    handler: impl Fn(Seat) -> H + Send + Sync + 'static,
    addr: SocketAddr,
    auth: Auth,
    limits: HttpLimits,
) -> Result<HttpServer, Error> {
    bind(addr, auth, limits, |door| tools(handler, door)).await
}

async fn bind(
    addr: SocketAddr,
    auth: Auth,
    limits: HttpLimits,
    routes: impl FnOnce(&Door) -> Router,
) -> Result<HttpServer, Error> {
    if !addr.ip().is_loopback() {
        return Err(Error::NotLoopback(addr));
    }
    let bind = |source| Error::Bind { addr, source };
    let listener = TcpListener::bind(addr).await.map_err(bind)?;
    let addr = listener.local_addr().map_err(bind)?;
    let (stop, auth, connections) = (CancellationToken::new(), Arc::new(auth), TaskTracker::new());
    let hosts = ["127.0.0.1", "localhost", "[::1]"].map(|host| format!("{host}:{}", addr.port()));
    let door = Door { hosts, auth: Arc::clone(&auth), limits: limits.clone(), stop: stop.clone() };
    let service = routes(&door);
    connections.spawn(accept(listener, service, limits, stop.clone(), connections.clone()));
    connections.close();
    Ok(HttpServer { addr, auth, tasks: connections, stop: stop.drop_guard() })
}

fn tools<H: ServerHandler>(handler: impl Fn(Seat) -> H + Send + Sync + 'static, door: &Door) -> Router {
    let config = StreamableHttpServerConfig::default()
        .with_allowed_hosts(door.hosts.iter().cloned())
        .with_allowed_origins(door.origins())
        .enforce_origin_validation()
        .with_json_response(true)
        .with_max_request_body_bytes(BODY_BYTES_MAX)
        .with_cancellation_token(door.stop.child_token());
    let mut sessions = LocalSessionManager::default();
    sessions.session_config.keep_alive = Some(door.limits.session_idle);
    let seats = Seats { free: Arc::new(Semaphore::new(door.limits.sessions)), wait: door.limits.seat_wait };
    let no_seat = |_| std::io::Error::other("only a request with a seat has a handler");
    let session = move || Ok(handler(SEAT.try_with(Arc::clone).map_err(no_seat)?));
    let service = StreamableHttpService::new(session, Arc::new(sessions), config);
    let router = Router::new().route_service("/mcp", service).layer(from_fn_with_state(seats, seat));
    router.layer(from_fn_with_state(Arc::clone(&door.auth), require_token))
}

/// Seats whoever begins a session or has none. How many wait is bounded by the connections.
async fn seat(State(seats): State<Seats>, request: Request, next: Next) -> Response {
    if request.method() != Method::POST || request.headers().contains_key("mcp-session-id") {
        return next.run(request).await;
    }
    match tokio::time::timeout(seats.wait, seats.free.acquire_owned()).await {
        Ok(seat) => SEAT.scope(Arc::new(seat.expect("the semaphore is never closed")), next.run(request)).await,
        Err(_elapsed) => {
            let why = "Too many sessions are open: end one, or wait until one is idle\n";
            (StatusCode::SERVICE_UNAVAILABLE, [(header::RETRY_AFTER, RETRY_AFTER)], why).into_response()
        }
    }
}

/// Accepts connections until told to stop, no more at once than there are seats.
async fn accept(
    listener: TcpListener,
    router: Router,
    limits: HttpLimits,
    stop: CancellationToken,
    tasks: TaskTracker,
) {
    let seats = Arc::new(Semaphore::new(limits.connections));
    loop {
        let next = async {
            let seat = Arc::clone(&seats).acquire_owned().await.expect("the semaphore is never closed");
            (listener.accept().await, seat)
        };
        let (accepted, seat) = tokio::select! {
            next = next => next,
            () = stop.cancelled() => return,
        };
        match accepted {
            Ok((stream, _)) => {
                let connection = connection(stream, router.clone(), limits.head_timeout, stop.clone());
                tasks.spawn(async move {
                    connection.await;
                    drop(seat);
                });
            }
            Err(e) => {
                tracing::warn!("a connection could not be accepted: {e}");
                // Out of file descriptors is the usual reason: give the connections that hold them time to end.
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
    }
}

async fn connection(stream: TcpStream, router: Router, head_timeout: Duration, stop: CancellationToken) {
    let _ = stream.set_nodelay(true);
    let mut builder = Builder::new(TokioExecutor::new()).http1_only();
    builder.http1().timer(TokioTimer::new()).header_read_timeout(head_timeout);
    let serving = builder.serve_connection(TokioIo::new(stream), TowerToHyperService::new(router));
    tokio::pin!(serving);
    let ended = tokio::select! {
        ended = serving.as_mut() => ended,
        () = stop.cancelled() => {
            serving.as_mut().graceful_shutdown();
            serving.await
        }
    };
    if let Err(e) = ended {
        tracing::debug!("a connection ended badly: {e}");
    }
}
