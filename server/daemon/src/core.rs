//! What the loop and the requests share: the siblings below, the current snapshot, and the way to the fronts.

use crate::approve::Approvals;
use crate::asks::Asks;
use crate::details::Details;
use crate::editor_tools::EditorTools;
use crate::event::Inbox;
use crate::inputs::Inputs;
use crate::options::{Options, Paths};
use crate::snapshot::Snapshot;
use ::telemetry::Telemetry;
use arc_swap::ArcSwap;
use bridge::Bridge;
use engine::Engine;
use ledger::Ledger;
use model::{Limits, Notice, RunEvent, SavingsSummary, ServerStatus};
use std::sync::{Arc, OnceLock, Weak};
use tokio::sync::broadcast;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// One per daemon.
pub(crate) struct Core {
    pub(crate) options: Options,
    pub(crate) paths: Paths,
    pub(crate) bridge: Bridge,
    pub(crate) engine: Engine,
    pub(crate) ledger: Ledger,
    pub(crate) telemetry: Telemetry,
    pub(crate) approvals: Approvals,
    pub(crate) asks: Arc<Asks>,
    pub(crate) inputs: Inputs,
    pub(crate) editor_tools: EditorTools,
    pub(crate) details: Details,
    pub(crate) snapshot: ArcSwap<Snapshot>,
    pub(crate) notices: broadcast::Sender<Notice>,
    pub(crate) inbox: Inbox,
    /// Held by the daemon's handles: it ends with the last of them.
    pub(crate) watcher: OnceLock<Weak<watch::Watcher>>,
    /// Cancelled when the daemon ends; every job's token is its child.
    pub(crate) stopping: CancellationToken,
    /// Every task of a request, so that shutting down can wait for them.
    pub(crate) tasks: TaskTracker,
}

impl Core {
    /// Tells the fronts. Nobody listening is fine.
    pub(crate) fn notify(&self, notice: Notice) {
        let _ = self.notices.send(notice);
    }

    /// Tells the fronts of something in a run.
    pub(crate) fn notify_run(&self, event: RunEvent) {
        if self.notices.receiver_count() > 0 {
            self.notify(Notice::Run(event));
        }
    }

    /// Every server as the fronts show it, now.
    pub(crate) fn status(&self) -> Vec<ServerStatus> {
        self.snapshot.load().status(|name| self.ledger.definition_tokens(name))
    }

    /// What was saved so far, and what is under way.
    pub(crate) fn savings(&self) -> SavingsSummary {
        let running = u32::try_from(self.engine.live()).unwrap_or(u32::MAX);
        SavingsSummary { running, ..self.ledger.savings() }
    }

    /// The configured limits, narrowed by what the user gave on the command line and what the request asks for. A request
    /// can narrow the configured deadline and memory, never widen them.
    pub(crate) fn limits(&self, snapshot: &Snapshot, timeout_ms: Option<u64>, memory_mb: Option<u64>) -> Limits {
        let mut limits = snapshot.config.limits.clone();
        if let Some(ms) = self.options.timeout_ms {
            limits.deadline_ms = ms;
        }
        if let Some(mb) = self.options.memory_mb {
            limits.memory_bytes = bytes(mb);
        }
        limits.deadline_ms = timeout_ms.map_or(limits.deadline_ms, |ms| ms.min(limits.deadline_ms));
        limits.memory_bytes = memory_mb.map_or(limits.memory_bytes, |mb| bytes(mb).min(limits.memory_bytes));
        limits
    }
}

fn bytes(mb: u64) -> usize {
    usize::try_from(mb).unwrap_or(usize::MAX).saturating_mul(1 << 20)
}
