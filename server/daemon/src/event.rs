//! Everything that can happen to the daemon, as one closed enum, and the inbox it arrives in.
//!
//! Requests queue in a bounded channel: a full one answers Busy. Changes are not queued but merged: however often a file
//! or a server changes before the loop looks, it sees the newest state once. So nothing here grows without bound.

use crate::editor::Asker;
use crate::editor_tools::Offers;
use crate::error::Error;
use bridge::BridgeEvent;
use model::{Beside, Origin, Reply, Request, RunId, ServerState, ToolDefinition};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::{Notify, mpsc, oneshot};
use tokio_util::sync::CancellationToken;

/// Requests that may wait for the loop.
const QUEUE_LENGTH: usize = 1_024;

/// A request on its way to its answer.
#[derive(Debug)]
pub(crate) struct Job {
    pub(crate) request: Request,
    pub(crate) run_id: RunId,
    pub(crate) origin: Origin,
    /// Who can be asked on behalf of it.
    pub(crate) asker: Option<Arc<dyn Asker>>,
    pub(crate) reply: oneshot::Sender<Result<Reply, Error>>,
    pub(crate) cancel: CancellationToken,
}

/// What the loop handles.
#[derive(Debug)]
pub(crate) enum Event {
    /// A front submitted a request.
    Submit(Box<Job>),
    /// The user trusts the workspace, or no longer does.
    Trust { trusted: bool, done: oneshot::Sender<()> },
    /// Servers were approved, or no longer are.
    Approvals { done: oneshot::Sender<()> },
    /// Configuration or servers changed.
    Changed(Changes),
    /// The daemon is to end.
    Stop,
}

/// Changes since the loop last looked, merged.
#[derive(Debug, Default)]
pub(crate) struct Changes {
    /// A configuration file changed.
    pub(crate) config: bool,
    /// Newest state by server.
    pub(crate) states: BTreeMap<String, (ServerState, Option<String>)>,
    /// Newest tools by server.
    pub(crate) tools: BTreeMap<String, Arc<[ToolDefinition]>>,
    /// Newest of what servers list beside their tools.
    pub(crate) beside: BTreeMap<String, Arc<Beside>>,
    /// What the editor offers now, where that is something else.
    pub(crate) offers: Option<Offers>,
    /// The ledger counted something: only what depends on it is sent anew.
    pub(crate) counted: bool,
}

impl Changes {
    fn is_empty(&self) -> bool {
        let listed =
            !self.states.is_empty() || !self.tools.is_empty() || !self.beside.is_empty() || self.offers.is_some();
        !(self.config || self.counted || listed)
    }
}

/// The sending side, shared by fronts, watcher, bridge and ledger.
#[derive(Clone, Debug)]
pub(crate) struct Inbox {
    requests: mpsc::Sender<Event>,
    changes: Arc<Mutex<Changes>>,
    changed: Arc<Notify>,
}

/// The loop's side.
#[derive(Debug)]
pub(crate) struct Outbox {
    requests: mpsc::Receiver<Event>,
    changes: Arc<Mutex<Changes>>,
    changed: Arc<Notify>,
}

/// A fresh pair.
pub(crate) fn inbox() -> (Inbox, Outbox) {
    let (tx, rx) = mpsc::channel(QUEUE_LENGTH);
    let changes = Arc::new(Mutex::new(Changes::default()));
    let signal = Arc::new(Notify::new());
    (
        Inbox { requests: tx, changes: Arc::clone(&changes), changed: Arc::clone(&signal) },
        Outbox { requests: rx, changes, changed: signal },
    )
}

impl Inbox {
    /// Queues a request, or answers it at once with why not.
    pub(crate) fn submit(&self, job: Job) {
        let refused = match self.requests.try_send(Event::Submit(Box::new(job))) {
            Ok(()) => return,
            Err(mpsc::error::TrySendError::Full(event)) => {
                (event, Error::Busy(format!("{QUEUE_LENGTH} requests wait already")))
            }
            Err(mpsc::error::TrySendError::Closed(event)) => (event, Error::ShuttingDown),
        };
        if let (Event::Submit(job), error) = refused {
            let _ = job.reply.send(Err(error));
        }
    }

    /// Queues the user's answer on trust.
    pub(crate) async fn trust(&self, trusted: bool) -> Result<(), Error> {
        let (done, answered) = oneshot::channel();
        self.requests.send(Event::Trust { trusted, done }).await.map_err(|_| Error::ShuttingDown)?;
        answered.await.map_err(|_| Error::ShuttingDown)
    }

    /// Has the approvals of servers applied, and waits until they are.
    pub(crate) async fn approvals(&self) -> Result<(), Error> {
        let (done, applied) = oneshot::channel();
        self.requests.send(Event::Approvals { done }).await.map_err(|_| Error::ShuttingDown)?;
        applied.await.map_err(|_| Error::ShuttingDown)
    }

    /// Asks the loop to end.
    pub(crate) async fn stop(&self) {
        let _ = self.requests.send(Event::Stop).await;
    }

    /// Merges a change.
    pub(crate) fn change(&self, merge: impl FnOnce(&mut Changes)) {
        merge(&mut self.changes.lock().unwrap_or_else(PoisonError::into_inner));
        self.changed.notify_one();
    }

    /// Merges what the bridge says.
    pub(crate) fn bridge(&self, event: BridgeEvent) {
        self.change(|changes| match event {
            BridgeEvent::State { server, state, error } => {
                changes.states.insert(server, (state, error));
            }
            BridgeEvent::Tools { server, tools } => {
                changes.tools.insert(server, tools);
            }
        });
    }

    /// Resolves when the loop has ended.
    pub(crate) async fn closed(&self) {
        self.requests.closed().await;
    }
}

impl Outbox {
    /// The next event; `None` when every sender is gone. Changes go first, so that a request sees them.
    pub(crate) async fn next(&mut self) -> Option<Event> {
        loop {
            let changes = std::mem::take(&mut *self.changes.lock().unwrap_or_else(PoisonError::into_inner));
            if !changes.is_empty() {
                return Some(Event::Changed(changes));
            }
            tokio::select! {
                biased;
                () = self.changed.notified() => {}
                event = self.requests.recv() => return event,
            }
        }
    }
}
