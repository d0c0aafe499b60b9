//! What happens beside the calls of a connection: its tools change, and at some time it ends.
//!
//! Invariant: exactly one reason is recorded, then the callers are released, then the process group is ended.

use crate::BridgeEvent;
use crate::Shared;
use crate::child::Process;
use crate::connection::{Client, Connection};
use crate::error::Error;
use crate::health::Health;
use crate::stderr::Ring;
use futures::future::{FusedFuture, FutureExt};
use model::ServerState;
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinHandle;

/// Answers and stderr that are still in the pipes when a process ends are read for this long.
const AFTERGLOW: Duration = Duration::from_millis(250);
/// Listings are at least this far apart, however often a server says that its tools changed.
const LISTING_INTERVAL: Duration = Duration::from_millis(100);

/// What there is to clear away when a connection ends.
pub(crate) struct Remains {
    pub(crate) process: Option<Process>,
    pub(crate) ring: Ring,
    pub(crate) drained: Option<JoinHandle<()>>,
    pub(crate) health: Arc<Health>,
}

/// Why it is over.
enum End {
    Stopped,
    Hangs(Error),
    Closed,
    Exited(String),
}

/// Watches one connection to its end.
pub(crate) async fn supervise(connection: Arc<Connection>, client: Client, mut remains: Remains, shared: Arc<Shared>) {
    let cancel = client.cancellation_token();
    // Fused, as it is waited for more than once.
    let mut closed = std::pin::pin!(client.waiting().fuse());
    let end = tokio::select! {
        biased;
        () = connection.stop.cancelled() => End::Stopped,
        exit = remains.exited() => End::Exited(exit),
        hangs = connection.hangs.wait() => End::Hangs(hangs.clone()),
        _ = &mut closed => End::Closed,
    };
    if let End::Exited(_) = end {
        // Its last answers may still be in the pipe.
        let _ = tokio::time::timeout(AFTERGLOW, &mut closed).await;
    }
    let reason = remains.reason(&connection, end).await;
    // A stop is told by whoever asked for it, a failing start by the start.
    let is_news = connection.is_listed() && !matches!(reason, Error::Stopped { .. });
    // Counted before anybody can start it again.
    let news = is_news.then(|| match remains.process {
        Some(_) => remains.health.crashed(&reason),
        None => (ServerState::Failed, reason.clone()),
    });
    let _ = connection.ended.set(reason);
    if let Some((state, error)) = news {
        let (server, error) = (connection.server().to_owned(), Some(error.to_string()));
        (shared.events)(BridgeEvent::State { server, state, error });
    }
    cancel.cancel();
    if !closed.is_terminated() {
        // This closes its stdin and releases the callers.
        let _ = tokio::time::timeout(AFTERGLOW, closed).await;
    }
    if let Some(process) = remains.process.take() {
        process.stop().await;
    }
    if let Some(drained) = remains.drained.take() {
        // Its last words are for the log.
        let _ = tokio::time::timeout(AFTERGLOW, drained).await;
    }
    connection.gone.cancel();
}

impl Remains {
    /// The end of the process; never, where there is none.
    async fn exited(&mut self) -> String {
        match &mut self.process {
            Some(process) => process.exited().await,
            None => std::future::pending().await,
        }
    }

    async fn reason(&mut self, connection: &Connection, end: End) -> Error {
        let exit = match end {
            End::Stopped => return connection.stopped(),
            End::Hangs(error) => return error,
            End::Exited(exit) => Some(exit),
            End::Closed => None,
        };
        // A server that was given up may end of it, and its end be noticed first: what it did says more.
        if let Some(fatal) = connection.fatal() {
            return fatal;
        }
        let exit = match exit {
            // Its stdout closes a moment before its end is noticed.
            None => tokio::time::timeout(AFTERGLOW, self.exited()).await.ok(),
            known => known,
        };
        let Some(exit) = exit else {
            let closed = "it closed the connection";
            return match self.process {
                Some(_) => connection.protocol(&format!("{closed}, but did not end")),
                None => connection.unreachable(closed),
            };
        };
        if let Some(drained) = self.drained.take() {
            let _ = tokio::time::timeout(AFTERGLOW, drained).await;
        }
        Error::Died { server: connection.server().to_owned(), exit, stderr_tail: self.ring.tail() }
    }
}

/// Lists the tools anew whenever the server says that they changed, or they were used when they were out of date.
pub(crate) async fn follow_tools(connection: Arc<Connection>, shared: Arc<Shared>, limit: Duration) {
    let server = connection.server();
    loop {
        tokio::select! {
            () = connection.stop.cancelled() => return,
            _ = connection.ended.wait() => return,
            () = connection.tools_changed.notified() => {}
        }
        match tokio::time::timeout(limit, connection.list()).await {
            Ok(Ok(Some(tools))) => (shared.events)(BridgeEvent::Tools { server: server.to_owned(), tools }),
            Ok(Ok(None)) => {}
            Ok(Err(error)) => tracing::warn!(server, %error, "its changed tools cannot be listed"),
            Err(_elapsed) => {
                connection.fresh.failed();
                tracing::warn!(server, "listing its changed tools took too long");
            }
        }
        tokio::time::sleep(LISTING_INTERVAL).await;
    }
}
