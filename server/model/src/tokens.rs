//! What a run cost in tokens, and what calling the same tools directly would have cost.
//!
//! Every figure carries a label: *measured* (counted on bytes that existed), *computed* (from measured ones by the
//! formula in `ledger`), or *estimated*.

use crate::ids::RunId;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use ts_rs::TS;

/// One side of the comparison.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct SideTokens {
    /// Tool definitions in the first prompt.
    pub definitions: u64,
    /// What the model writes: code, call arguments, discovery arguments.
    pub output: u64,
    /// What comes back into the context: results, logs, discovery results, after the host's cap.
    pub results: u64,
    /// Model turns: one for each time the model writes, and one for its answer.
    pub turns: u32,
    /// Tokens billed without caching: the sum of all prompts and all outputs.
    pub total: u64,
    /// The largest context.
    pub peak_context: u64,
    /// Of all prompts together, what an earlier prompt has sent already: what a prompt cache can answer.
    #[serde(default)]
    pub cacheable: u64,
}

/// The three ways a host could have offered the tools directly.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct Baselines {
    /// C, the headline: definitions deferred behind the host's tool search.
    pub deferred: SideTokens,
    /// B: the definitions of every configured server up front.
    pub all_servers: SideTokens,
    /// A: only the definitions of the servers that were used.
    pub needed_servers: SideTokens,
}

/// The receipt of one run, or the sum of many.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, TS)]
pub struct TokenReport {
    /// The tokenizer.
    pub encoding: String,
    /// What was used.
    pub code_mode: SideTokens,
    /// What direct calling would have used.
    pub direct: Baselines,
    /// `direct.deferred.total - code_mode.total`; negative where direct calling would have been cheaper.
    pub saved: i64,
    /// The same in percent of `direct.deferred.total`; absent where that is zero.
    #[ts(optional)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub saved_percent: Option<f64>,
    /// Figure -> `measured`, `computed` or `estimated`, with what that rests on.
    pub labels: BTreeMap<String, String>,
}

/// Savings over many runs.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, TS)]
pub struct SavingsSummary {
    /// Runs since the daemon started.
    pub session: Savings,
    /// Runs ever recorded in this workspace.
    pub workspace: Savings,
    /// Runs being executed now.
    pub running: u32,
    /// Runs recorded but not yet counted.
    pub pending: u32,
    /// What is wrong with the ledger, if anything, and what was done about it: the sums may be too small.
    #[ts(optional)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub problem: Option<String>,
    /// The newest counted run.
    #[ts(optional)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_run: Option<(RunId, TokenReport)>,
}

/// Totals.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, TS)]
pub struct Savings {
    /// Runs counted.
    pub runs: u64,
    /// Tool calls in them.
    pub calls: u64,
    /// Their reports summed: every token figure adds, turns add, `peak_context` is the largest.
    pub tokens: TokenReport,
}
