//! One configured server over its life: idle, starting, connected, failed, and back. `health` says when it is degraded or
//! in quarantine.
//!
//! Invariant: at most one start is under way; whoever needs the server meanwhile waits for that one. A start does not
//! belong to its first caller: it goes on when that caller gives up, so that a slow cold start is paid once. What it is asked
//! for is in `call`.

mod call;

pub(crate) use call::Asked;

use crate::connection::Connection;
use crate::error::Error;
use crate::health::{Health, Quarantined};
use crate::open::open;
use crate::redact::Redactor;
use crate::stderr::{Ring, log_path, log_tail};
use crate::turns::Turns;
use crate::usage::{InUse, Usage};
use crate::{BridgeEvent, Shared};
use futures::future::{BoxFuture, FutureExt, Shared as SharedFuture};
use model::{ServerSpec, ServerState, Transport};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

/// After a failed start the next one waits this long, doubled with each further failure, up to the second figure.
/// Callers meanwhile get the last error, so that a program that calls in a loop does not start processes in a loop.
const BACKOFF_FIRST: Duration = Duration::from_millis(250);
const BACKOFF_MAX: Duration = Duration::from_secs(30);

type Start = SharedFuture<BoxFuture<'static, Result<Arc<Connection>, Error>>>;

/// One configured server.
pub(crate) struct Server {
    pub(crate) spec: ServerSpec,
    shared: Arc<Shared>,
    slot: Mutex<Slot>,
    ring: Ring,
    health: Arc<Health>,
    turns: Turns,
    usage: Arc<Usage>,
    /// Removed from the configuration, or the bridge is shutting down: never starts again.
    retired: CancellationToken,
}

enum Slot {
    /// Not running. A start waits for `after`: the end of a process that was told to go.
    Idle {
        after: Option<CancellationToken>,
    },
    Starting {
        start: Start,
        failures: u32,
    },
    Ready(Arc<Connection>),
    Failed {
        error: Error,
        until: Instant,
        failures: u32,
    },
}

impl Server {
    pub(crate) fn new(spec: ServerSpec, shared: Arc<Shared>) -> Arc<Self> {
        Self::with(spec, shared, Ring::default())
    }

    fn with(spec: ServerSpec, shared: Arc<Shared>, ring: Ring) -> Arc<Self> {
        Arc::new(Self {
            health: Arc::new(Health::new(&spec, &shared)),
            turns: Turns::new(&spec.name, &spec.limits),
            usage: Arc::default(),
            spec,
            shared,
            slot: Mutex::new(Slot::Idle { after: None }),
            ring,
            retired: CancellationToken::new(),
        })
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
        let idle = match &*self.slot() {
            Slot::Starting { .. } => return (ServerState::Starting, None),
            Slot::Ready(connection) => match connection.ended.get() {
                None => match self.health.trouble() {
                    None => return (ServerState::Ready, None),
                    trouble => return (ServerState::Degraded, trouble),
                },
                Some(Error::Stopped { .. }) => None,
                Some(error) => Some(error.clone()),
            },
            Slot::Idle { .. } => None,
            Slot::Failed { error, .. } => Some(error.clone()),
        };
        let state = if idle.is_some() { ServerState::Failed } else { ServerState::Stopped };
        match self.health.quarantine() {
            Quarantined::Held(error) => return (ServerState::Quarantined, Some(error)),
            Quarantined::LetOut => self.emit(state, idle.as_ref()),
            Quarantined::Not => {}
        }
        (state, idle)
    }

    /// The live connection; starts the server where there is none.
    pub(crate) async fn connection(self: &Arc<Self>) -> Result<Arc<Connection>, Error> {
        let start = {
            let mut slot = self.slot();
            let (failures, after) = match &*slot {
                Slot::Ready(connection) if connection.is_open() => {
                    connection.touch();
                    return Ok(connection.clone());
                }
                Slot::Failed { error, until, .. } if Instant::now() < *until => return Err(error.clone()),
                Slot::Failed { failures, .. } => (*failures, None),
                Slot::Idle { after } => (0, after.clone()),
                Slot::Ready(_) | Slot::Starting { .. } => (0, None),
            };
            if let Slot::Starting { start, .. } = &*slot {
                start.clone()
            } else {
                self.may_start()?;
                let start = self.clone().start(after);
                *slot = Slot::Starting { start: start.clone(), failures };
                start
            }
        };
        start.await
    }

    /// The live connection for a call. A server that was told at its start of less than can be asked by now, and was never
    /// called, is started anew: it has nothing to lose.
    pub(crate) async fn connection_to_call(self: &Arc<Self>) -> Result<Arc<Connection>, Error> {
        loop {
            let connection = self.connection().await?;
            if connection.was_called() || self.begin_calls(&connection) {
                return Ok(connection);
            }
            self.emit(ServerState::Stopped, None);
        }
    }

    /// From now on it was called; false where it was stopped instead, as it knows too little.
    fn begin_calls(&self, connection: &Arc<Connection>) -> bool {
        // Under the lock, or else another call might begin meanwhile.
        let mut slot = self.slot();
        let is_live = matches!(&*slot, Slot::Ready(live) if Arc::ptr_eq(live, connection) && live.is_open());
        if is_live && !connection.was_called() && connection.questions.offers_too_little() {
            connection.stop.cancel();
            *slot = Slot::Idle { after: Some(connection.gone.clone()) };
            return false;
        }
        connection.begin_calls();
        true
    }

    /// The live connection; nothing is started.
    pub(crate) fn live(&self) -> Option<Arc<Connection>> {
        match &*self.slot() {
            Slot::Ready(connection) if connection.is_open() => Some(connection.clone()),
            _ => None,
        }
    }

    /// The server is not idle until the guard is dropped.
    pub(crate) fn enter(&self) -> InUse {
        self.usage.enter()
    }

    /// Stops what runs and starts anew, without regard to earlier failures. A start under way is new enough.
    pub(crate) async fn restart(self: &Arc<Self>) -> Result<(), Error> {
        let _in_use = self.usage.enter();
        self.health.forgive();
        let old = {
            let mut slot = self.slot();
            match &*slot {
                Slot::Starting { .. } => None,
                _ => Some(std::mem::replace(&mut *slot, Slot::Idle { after: None })),
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

    /// Stops it for good, whatever it does; the token is cancelled when its process is gone. Its failures are forgotten.
    pub(crate) fn end(&self) -> Option<CancellationToken> {
        let was_quarantined = self.health.forgive();
        let (failed, gone) = match &*self.slot() {
            Slot::Failed { .. } => (true, None),
            Slot::Ready(connection) => (false, Some(connection.gone.clone())),
            _ => (was_quarantined, None),
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
        } else if let Quarantined::Held(error) = self.health.quarantine() {
            Err(error)
        } else {
            let asked =
                self.spec.inputs.iter().map(|input| format!("`${{input:{}}}` is asked for at its first use", input.id));
            let missing: Vec<String> = self.spec.unresolved.iter().cloned().chain(asked).collect();
            if missing.is_empty() { Ok(()) } else { Err(Error::Unresolved { server, missing }) }
        }
    }

    fn start(self: Arc<Self>, after: Option<CancellationToken>) -> Start {
        let task = self.shared.tasks.spawn_on(self.clone().run_start(after), &self.shared.runtime);
        let server = self.spec.name.clone();
        task.map(move |ended| ended.unwrap_or(Err(Error::Stopped { server }))).boxed().shared()
    }

    async fn run_start(self: Arc<Self>, after: Option<CancellationToken>) -> Result<Arc<Connection>, Error> {
        self.emit(ServerState::Starting, None);
        let open = async {
            if let Some(after) = after {
                after.cancelled().await;
            }
            open(&self.spec, &self.shared, self.ring.begin(), &self.health).await
        };
        let opened = tokio::select! {
            biased;
            () = self.retired.cancelled() => Err(Error::Stopped { server: self.spec.name.clone() }),
            opened = open => opened,
        };
        let (state, opened) = self.settle(opened);
        match &opened {
            Ok(connection) => {
                self.emit(ServerState::Ready, None);
                self.shared.tasks.spawn(rest_when_idle(Arc::downgrade(&self), connection.clone()));
                (self.shared.events)(BridgeEvent::Tools { server: self.spec.name.clone(), tools: connection.tools() });
            }
            // Whoever stopped it has told so.
            Err(Error::Stopped { .. }) => {}
            Err(error) => self.emit(state, Some(error)),
        }
        opened
    }

    /// Puts the outcome of a start into the slot. Returns what the server is now, and what its callers get.
    fn settle(&self, opened: Result<Arc<Connection>, Error>) -> (ServerState, Result<Arc<Connection>, Error>) {
        let (state, opened) = match opened {
            Ok(connection) => (ServerState::Ready, Ok(connection)),
            // Only what runs here can crash here.
            Err(error) if error.is_crash() && matches!(self.spec.transport, Transport::Stdio { .. }) => {
                let (state, error) = self.health.crashed(&error);
                (state, Err(error))
            }
            Err(error) => (ServerState::Failed, Err(error)),
        };
        let mut slot = self.slot();
        let failures = if let Slot::Starting { failures, .. } = &*slot { failures + 1 } else { 1 };
        *slot = match &opened {
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
        (state, opened)
    }

    /// Stops it where nobody has used it for `limit`. True where there is nothing more to watch.
    fn rest(&self, connection: &Arc<Connection>, limit: Duration) -> bool {
        {
            // Whoever begins to use it enters before looking at the slot: under the lock nobody slips in between.
            let mut slot = self.slot();
            if self.usage.idle_since().is_none_or(|since| since.elapsed() < limit) {
                return false;
            }
            if !matches!(&*slot, Slot::Ready(live) if Arc::ptr_eq(live, connection) && live.is_open()) {
                return true;
            }
            connection.stop.cancel();
            *slot = Slot::Idle { after: Some(connection.gone.clone()) };
        }
        self.emit(ServerState::Stopped, None);
        true
    }

    fn emit(&self, state: ServerState, error: Option<&Error>) {
        let error = error.map(ToString::to_string);
        (self.shared.events)(BridgeEvent::State { server: self.spec.name.clone(), state, error });
    }

    fn slot(&self) -> MutexGuard<'_, Slot> {
        self.slot.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Stops the server when nobody has used it for a while; its next use starts it.
async fn rest_when_idle(server: Weak<Server>, connection: Arc<Connection>) {
    loop {
        let wake = {
            let Some(server) = server.upgrade() else { return };
            let Some(limit) = idle_stop(&server.spec) else { return };
            if server.rest(&connection, limit) {
                return;
            }
            server.usage.idle_since().unwrap_or_else(Instant::now) + limit
        };
        tokio::select! {
            _ = connection.ended.wait() => return,
            () = tokio::time::sleep_until(wake) => {}
        }
    }
}

fn idle_stop(spec: &ServerSpec) -> Option<Duration> {
    Some(spec.limits.idle_stop_ms).filter(|&ms| ms > 0).map(Duration::from_millis)
}

impl Drop for Server {
    fn drop(&mut self) {
        self.retire();
    }
}
