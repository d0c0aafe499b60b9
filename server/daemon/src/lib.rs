//! The spine: every front submits here, and nowhere else.
//!
//! A request goes straight through: front -> [`Daemon::submit`] -> the loop (`main_loop.rs`), which gives it the snapshot
//! of the moment -> a task of its own (`requests.rs`, `run.rs`) -> the engine, whose calls come back in through one door
//! (`call.rs`) -> the reply. The loop alone changes state; nothing here speaks a protocol.

mod admit;
mod approve;
mod approved;
mod artifacts;
mod asks;
mod beside;
mod call;
mod core;
mod definitions;
mod details;
mod direct;
mod doctor;
mod editor;
mod editor_tools;
mod error;
mod event;
mod facts;
mod gateway;
mod import;
mod inputs;
mod inspect;
mod keyring;
mod links;
mod login;
mod lookup;
mod main_loop;
mod options;
mod patterns;
mod question;
mod refusal;
mod report;
mod requests;
mod run;
mod sandbox;
mod search;
mod servers;
mod snapshot;
mod start;
mod telemetry;
mod trust;

pub use catalog::{ArgumentProblem, Parameter, ServerTools, Tool, nearest};
pub use config::{Inspection, ServerKey, Suggestion, SuggestionKind};
pub use editor::{Asker, Editor};
pub use error::Error;
pub use options::{AskCalls, Options};
pub use trust::TrustQuestion;

use crate::core::Core;
use crate::event::Job;
use model::ask::Offers;
use model::{ConversationId, Notice, Origin, Problem, Reply, Request, RunId, ServerState};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{broadcast, oneshot};
use tokio_util::sync::CancellationToken;

/// How long a shutdown waits for the ledger to count what is pending.
const FLUSH_MAX: Duration = Duration::from_secs(3);
/// How long it waits for requests to notice that they are cancelled.
const DRAIN_MAX: Duration = Duration::from_secs(2);

/// A running daemon; clones share it.
#[derive(Clone)]
pub struct Daemon {
    core: Arc<Core>,
    /// Held, not read: dropping them ends the watches.
    _watchers: [Option<Arc<watch::Watcher>>; 2],
}

impl std::fmt::Debug for Daemon {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Daemon").field("workspace", &self.core.paths.workspace).finish_non_exhaustive()
    }
}

/// A submitted request. Dropping it cancels the work.
#[derive(Debug)]
pub struct Ticket {
    reply: oneshot::Receiver<Result<Reply, Error>>,
    cancel: CancellationToken,
    run_id: RunId,
}

impl Daemon {
    /// Starts a daemon on the current tokio runtime. Starts no server: they start when they are needed.
    pub async fn start(options: Options) -> Result<Self, Error> {
        start::start(options).await
    }

    /// Hands a request in and returns at once, without awaiting anything, so that a front that calls it in order keeps
    /// its order.
    pub fn submit(&self, request: Request, front: &'static str, conversation: &ConversationId) -> Ticket {
        self.submit_asking(request, front, conversation, None)
    }

    /// [`Daemon::submit`], where the first to ask on behalf of this request is who sent it; the editor, where there is one,
    /// is asked if that one cannot.
    pub fn submit_asking(
        &self,
        request: Request,
        front: &'static str,
        conversation: &ConversationId,
        asker: Option<Arc<dyn Asker>>,
    ) -> Ticket {
        self.submit_for(request, Origin { front, conversation: conversation.clone(), trace: None }, asker)
    }

    /// [`Daemon::submit_asking`], for whoever says more of where the request comes from.
    pub fn submit_for(&self, request: Request, origin: Origin, asker: Option<Arc<dyn Asker>>) -> Ticket {
        if let Some(asker) = &asker {
            self.expect(asker.offers());
        }
        let (tx, reply) = oneshot::channel();
        let (cancel, run_id) = (self.core.stopping.child_token(), RunId::new());
        let job = Job { request, run_id: run_id.clone(), origin, asker, reply: tx, cancel: cancel.clone() };
        self.core.inbox.submit(job);
        Ticket { reply, cancel, run_id }
    }

    /// Somebody is in front who can be asked so much by servers: those that start from now on are told.
    pub fn expect(&self, offers: Offers) {
        self.core.asks.note(offers);
    }

    /// Notifications from now on. A receiver that falls behind loses the oldest.
    pub fn notices(&self) -> broadcast::Receiver<Notice> {
        self.core.notices.subscribe()
    }

    /// Whether servers of the workspace wait for the user's trust, and what they would start.
    pub fn trust_question(&self) -> Option<TrustQuestion> {
        let snapshot = self.core.snapshot.load();
        let waiting = snapshot.servers.iter().filter(|e| e.state == ServerState::Untrusted);
        let telemetry = snapshot.config.telemetry.iter().filter(|t| t.needs_trust() && !snapshot.access.trusted);
        let would_start = waiting.map(|e| format!("{}: {}", e.spec.name, snapshot::describe(&e.spec.transport).1));
        let would_start: Vec<String> = would_start.chain(telemetry.map(|t| t.shown.clone())).collect();
        (!would_start.is_empty()).then(|| TrustQuestion { workspace: self.core.paths.workspace.clone(), would_start })
    }

    /// The user's answer. `remember` stores it with the hash of what was shown.
    pub async fn set_trusted(&self, trusted: bool, remember: bool) -> Result<(), Error> {
        if remember {
            let hash = self.core.snapshot.load().config.trust_hash.clone();
            let hash = trusted.then_some(hash.as_str());
            trust::remember(&self.core.paths.trust, &self.core.paths.workspace, hash)
                .map_err(|e| Error::Fault(format!("{} cannot be written: {e}", self.core.paths.trust.display())))?;
        }
        self.core.inbox.trust(trusted).await
    }

    /// What is wrong with configuration files and entries that gave no server; a server's own problems stand in its
    /// status.
    pub fn problems(&self) -> Vec<Problem> {
        self.core.snapshot.load().stray_problems().cloned().collect()
    }

    /// What Prometheus scrapes: the type of the text, and the text.
    pub fn metrics(&self) -> (&'static str, String) {
        (::telemetry::METRICS_TYPE, self.core.telemetry.metrics_text())
    }

    /// The workspace this daemon serves.
    pub fn workspace(&self) -> &std::path::Path {
        &self.core.paths.workspace
    }

    /// The identifiers of the servers a program may import, for a front that names them to a model.
    pub fn server_identifiers(&self) -> Vec<String> {
        let snapshot = self.core.snapshot.load();
        let usable = |e: &&snapshot::Entry| e.may_start() || e.state == ServerState::Unapproved;
        snapshot.servers.iter().filter(usable).map(|e| e.identifier.to_string()).collect()
    }

    /// Ends every run, counts what is pending, and stops the servers with their process groups. Bounded in time.
    pub async fn shutdown(&self) {
        self.core.inbox.stop().await;
        self.core.inbox.closed().await;
        self.core.tasks.close();
        let _ = tokio::time::timeout(DRAIN_MAX, self.core.tasks.wait()).await;
        let _ = tokio::time::timeout(FLUSH_MAX, self.core.ledger.flush()).await;
        tokio::join!(self.core.bridge.shutdown(), self.core.telemetry.shutdown());
    }
}

impl Ticket {
    /// The answer.
    pub async fn reply(mut self) -> Result<Reply, Error> {
        (&mut self.reply).await.unwrap_or(Err(Error::ShuttingDown))
    }

    /// Cancels the work; the answer still comes and says so.
    pub fn cancellation(&self) -> CancellationToken {
        self.cancel.clone()
    }

    /// The run that this request is, or would be.
    pub fn run_id(&self) -> &RunId {
        &self.run_id
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        self.cancel.cancel();
    }
}
