//! What the daemon tells its fronts without being asked.

use crate::ids::RunId;
use crate::reply::{CallRecord, RunStatus};
use crate::request::Language;
use crate::server::ServerStatus;
use crate::tokens::SavingsSummary;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// Something that happened in a run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
#[serde(tag = "event", rename_all = "camelCase")]
pub enum RunEvent {
    /// It was accepted.
    Started {
        /// Which run.
        run_id: RunId,
        /// Its language.
        language: Language,
        /// Its display name, or its first line.
        label: String,
    },
    /// A tool call ended.
    Call {
        /// Which run.
        run_id: RunId,
        /// The call.
        call: CallRecord,
    },
    /// The program reported progress with `tta.progress`.
    Progress {
        /// Which run.
        run_id: RunId,
        /// What it says.
        message: String,
    },
    /// It ended.
    Finished {
        /// Which run.
        run_id: RunId,
        /// How.
        status: RunStatus,
        /// After how long.
        wall_ms: f64,
    },
}

/// A notification to every front. A front that falls behind loses old ones, never the newest state.
#[derive(Clone, Debug)]
pub enum Notice {
    /// The ledger counted something.
    Savings(Box<SavingsSummary>),
    /// A server's state, tools or configuration changed.
    Servers(Vec<ServerStatus>),
    /// Something happened in a run.
    Run(RunEvent),
}
