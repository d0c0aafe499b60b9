//! Taking runs and calls out of the ledger and into it. Names, counts, sizes and times; no content of any call.

use serde::{Deserialize, Serialize};

/// What exported text looks like.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ExportFormat {
    /// A JSON object a line, with all that is stored; can be taken in again.
    #[default]
    Jsonl,
    /// A row for each run, for spreadsheets.
    Csv,
}

/// A part of an export.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LedgerPart {
    /// Whole lines.
    pub text: String,
    /// From where to go on; absent at the end.
    pub next: Option<String>,
}

/// What was taken in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Imported {
    /// Runs that were not there yet.
    pub runs: u64,
    /// Their calls, and calls that belong to no run.
    pub calls: u64,
    /// Lines left out: runs and calls that were there already, or are older than what the ledger still keeps.
    pub skipped: u64,
}
