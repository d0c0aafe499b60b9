//! One configured server over its life: idle, starting, connected, failed, and back.
//!
//! Invariant: at most one start is under way; whoever needs the server meanwhile waits for that one. A start does not
//! belong to its first caller: it goes on when that caller gives up, so that a slow cold start is paid once.

use crate::connection::Connection;
use crate::error::Error;
use crate::open::open;
use crate::progress::Progress;
use crate::redact::Redactor;
use crate::stderr::{Ring, log_path, log_tail};
use crate::{BridgeEvent, Shared};
use futures::future::{BoxFuture, FutureExt, Shared as SharedFuture};
use model::{Method, ServerSpec, ServerState, ToolResult};
use serde_json::{Map, Value};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

/// After a failed start the next one waits this long, doubled with each further failure, up to the second figure.
/// Callers meanwhile get the last error, so that a program that calls in a loop does not start processes in a loop.
const BACKOFF_FIRST: Duration = Duration::from_millis(250);
const BACKOFF_MAX: Duration = Duration::from_secs(30);

type Start = SharedFuture<BoxFuture<'static, Result<Arc<Connection>, Error>>>;

/// What a server is asked for.
#[derive(Clone, Copy)]
pub(crate) enum Asked<'a> {
    Tool(&'a str),
    Method(Method),
}

impl std::fmt::Display for Asked<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Tool(tool) => write!(f, "the call of `{tool}`"),
            Self::Method(method) => write!(f, "`{}`", method.name()),
        }
    }
}

/// One configured server.
pub(crate) struct Server {
    pub(crate) spec: ServerSpec,
    shared: Arc<Shared>,
    slot: Mutex<Slot>,
    ring: Ring,
    /// Removed from the configuration, or the bridge is shutting down: never starts again.
    retired: CancellationToken,
}

enum Slot {
    Idle,
    Starting { start: Start, failures: u32 },
    Ready(Arc<Connection>),
    Failed { error: Error, until: Instant, failures: u32 },
}

impl Server {
    pub(crate) fn new(spec: ServerSpec, shared: Arc<Shared>) -> Arc<Self> {
        Self::with(spec, shared, Ring::default())
    }

    fn with(spec: ServerSpec, shared: Arc<Shared>, ring: Ring) -> Arc<Self> {
        Arc::new(Self { spec, shared, slot: Mutex::new(Slot::Idle), ring, retired: CancellationToken::new() })
    }

    /// The same server before its first start, as `spec` says; what it said is still known.
    pub(crate) fn successor(&self, spec: ServerSpec) -> Arc<Self> {
        Self::with(spec, self.shared.clone(), self.ring.clone())
    }

    /// Whether `spec` would start the very same thing.
    pub(crate) fn is_same(&self, spec: &ServerSpec) -> bool {
        let ServerSpec { name, transport, disabled, unresolved, inputs, oauth, startup_timeout_ms, .. } = spec;
        let own = &self.spec;
        (&own.name, &own.transport, own.disabled, &own.unresolved, &own.inputs, &own.oauth, own.startup_timeout_ms)
            == (name, transport, *disabled, unresolved, inputs, oauth, *startup_timeout_ms)
    }

    /// Its state, and why it failed.
    pub(crate) fn state(&self) -> (ServerState, Option<Error>) {
        if self.spec.disabled {
            return (ServerState::Disabled, None);
        }
        match &*self.slot() {
            Slot::Idle => (ServerState::Stopped, None),
            Slot::Starting { .. } => (ServerState::Starting, None),
            Slot::Failed { error, .. } => (ServerState::Failed, Some(error.clone())),
            Slot::Ready(connection) => match connection.ended.get() {
                None => (ServerState::Ready, None),
                Some(Error::Stopped { .. }) => (ServerState::Stopped, None),
                Some(error) => (ServerState::Failed, Some(error.clone())),
            },
        }
    }

    /// The live connection; starts the server where there is none.
    pub(crate) async fn connection(self: &Arc<Self>) -> Result<Arc<Connection>, Error> {
        let start = {
            let mut slot = self.slot();
            let failures = match &*slot {
                Slot::Ready(connection) if connection.is_open() => return Ok(connection.clone()),
                Slot::Failed { error, until, .. } if Instant::now() < *until => return Err(error.clone()),
                Slot::Failed { failures, .. } => *failures,
                _ => 0,
            };
            if let Slot::Starting { start, .. } = &*slot {
                start.clone()
            } else {
                self.may_start()?;
                let start = self.clone().start();
                *slot = Slot::Starting { start: start.clone(), failures };
                start
            }
        };
        start.await
    }

    /// One call, with everything it takes, in `limit`.
    pub(crate) async fn call(
        self: &Arc<Self>,
        asked: Asked<'_>,
        arguments: Map<String, Value>,
        limit: Duration,
        progress: &Progress,
    ) -> Result<ToolResult, Error> {
        let call = async {
            let connection = self.connection().await?;
            match asked {
                Asked::Tool(tool) => connection.call(tool, arguments, progress, false).await,
                Asked::Method(method) => connection.ask(method, arguments, progress).await,
            }
        };
        match tokio::time::timeout(limit, call).await {
            Ok(result) => result,
            Err(_elapsed) => Err(self.too_slow(asked, limit)),
        }
    }

    /// Stops what runs and starts anew, without regard to earlier failures. A start under way is new enough.
    pub(crate) async fn restart(self: &Arc<Self>) -> Result<(), Error> {
        let old = {
            let mut slot = self.slot();
            match &*slot {
                Slot::Starting { .. } => None,
                _ => Some(std::mem::replace(&mut *slot, Slot::Idle)),
            }
        };
        if let Some(Slot::Ready(connection)) = old {
            connection.stop.cancel();
            self.emit(ServerState::Stopped, None);
            // Two of them at once might fight over a port or a lock.
            connection.gone.cancelled().await;
        }
        self.connection().await.map(drop)
    }

    /// Stops it for good, whatever it does; the token is cancelled when its process is gone.
    pub(crate) fn end(&self) -> Option<CancellationToken> {
        let (failed, gone) = match &*self.slot() {
            Slot::Failed { .. } => (true, None),
            Slot::Ready(connection) => (false, Some(connection.gone.clone())),
            _ => (false, None),
        };
        self.retire();
        if failed {
            self.emit(ServerState::Stopped, None);
        }
        gone
    }

    /// The last it wrote to its stderr, in this process or else in an earlier one.
    pub(crate) async fn log(&self) -> String {
        let kept = self.ring.log();
        match log_path(&self.shared.options, &self.spec.name) {
            Some(path) if kept.is_empty() => Redactor::of(&self.spec).clean(&log_tail(&path).await),
            _ => kept,
        }
    }

    /// Stops it for good, and tells so at once: what follows under this name is another server.
    pub(crate) fn retire(&self) {
        let ran = {
            // Under the lock, or else a start under way might settle before it is looked at.
            let slot = self.slot();
            self.retired.cancel();
            if let Slot::Ready(connection) = &*slot {
                connection.stop.cancel();
            }
            matches!(&*slot, Slot::Ready(_) | Slot::Starting { .. })
        };
        if ran {
            self.emit(ServerState::Stopped, None);
        }
    }

    fn may_start(&self) -> Result<(), Error> {
        let server = self.spec.name.clone();
        if self.retired.is_cancelled() {
            Err(Error::Stopped { server })
        } else if self.spec.disabled {
            Err(Error::Disabled { server })
        } else {
            let asked =
                self.spec.inputs.iter().map(|input| format!("`${{input:{}}}` is asked for at its first use", input.id));
            let missing: Vec<String> = self.spec.unresolved.iter().cloned().chain(asked).collect();
            if missing.is_empty() { Ok(()) } else { Err(Error::Unresolved { server, missing }) }
        }
    }

    fn start(self: Arc<Self>) -> Start {
        let task = self.shared.tasks.spawn_on(self.clone().run_start(), &self.shared.runtime);
        let server = self.spec.name.clone();
        task.map(move |ended| ended.unwrap_or(Err(Error::Stopped { server }))).boxed().shared()
    }

    async fn run_start(self: Arc<Self>) -> Result<Arc<Connection>, Error> {
        self.emit(ServerState::Starting, None);
        let opened = tokio::select! {
            biased;
            () = self.retired.cancelled() => Err(Error::Stopped { server: self.spec.name.clone() }),
            opened = open(&self.spec, &self.shared, self.ring.begin()) => opened,
        };
        self.settle(&opened);
        match &opened {
            Ok(connection) => {
                self.emit(ServerState::Ready, None);
                (self.shared.events)(BridgeEvent::Tools { server: self.spec.name.clone(), tools: connection.tools() });
            }
            // Whoever stopped it has told so.
            Err(Error::Stopped { .. }) => {}
            Err(error) => self.emit(ServerState::Failed, Some(error)),
        }
        opened
    }

    fn settle(&self, opened: &Result<Arc<Connection>, Error>) {
        let mut slot = self.slot();
        let failures = if let Slot::Starting { failures, .. } = &*slot { failures + 1 } else { 1 };
        *slot = match opened {
            Ok(connection) => {
                if self.retired.is_cancelled() {
                    connection.stop.cancel();
                }
                Slot::Ready(connection.clone())
            }
            Err(error) => {
                let wait = BACKOFF_FIRST.saturating_mul(1 << (failures - 1).min(16)).min(BACKOFF_MAX);
                Slot::Failed { error: error.clone(), until: Instant::now() + wait, failures }
            }
        };
    }

    fn too_slow(&self, asked: Asked<'_>, limit: Duration) -> Error {
        let (what, note) = match &*self.slot() {
            Slot::Starting { .. } => ("its start".to_owned(), "it goes on starting in the background".to_owned()),
            Slot::Ready(connection) => {
                let note = Redactor::of(&self.spec).clean(&connection.observed.garbage_note());
                (asked.to_string(), note)
            }
            _ => (asked.to_string(), String::new()),
        };
        let ms = u64::try_from(limit.as_millis()).unwrap_or(u64::MAX);
        Error::Timeout { server: self.spec.name.clone(), what, ms, note }
    }

    fn emit(&self, state: ServerState, error: Option<&Error>) {
        let error = error.map(ToString::to_string);
        (self.shared.events)(BridgeEvent::State { server: self.spec.name.clone(), state, error });
    }

    fn slot(&self) -> MutexGuard<'_, Slot> {
        self.slot.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.retire();
    }
}
