//! How the figures of one run came about, with its actual numbers. Names and counts; no content of any call.
//!
//! The formula is `ledger`'s: a turn t is prompted with P(t), writes A(t), and R(t) enters the context.

use crate::ids::RunId;
use crate::reply::RunSummary;
use crate::report::Dollars;
use crate::tokens::SideTokens;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// What to explain.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(deny_unknown_fields, default)]
pub struct ExplainRequest {
    /// Which run; the newest that was counted where absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub run_id: Option<RunId>,
    /// Dollars at this model's prices; the configured one where absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub model: Option<String>,
}

/// One run's figures, taken apart.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
pub struct Explanation {
    /// The run, with its receipt and the label of each figure.
    pub run: RunSummary,
    /// Why it saved or cost, in a sentence or two.
    pub why: String,
    /// The program's side.
    pub code_mode: SideExplanation,
    /// Direct calling, definitions deferred: the headline.
    pub deferred: SideExplanation,
    /// Direct calling, the definitions of every server up front.
    pub all_servers: SideExplanation,
    /// Direct calling, the definitions of the servers that were used.
    pub needed_servers: SideExplanation,
    /// Its calls in their order, 1,000 at most.
    pub calls: Vec<ExplainedCall>,
    /// Calls beyond these.
    pub calls_left_out: u64,
    /// The most tokens of one answer that a host lets into the context; absent for no cap.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub cap_tokens: Option<u64>,
    /// The model's window; absent where the run was counted without one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub window_tokens: Option<u64>,
    /// Both sides in money.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub dollars: Option<Dollars>,
    /// What cannot be taken apart, and why.
    pub notes: Vec<String>,
    /// All of it for people, as Markdown.
    pub text: String,
}

/// One side's turns.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct SideExplanation {
    /// Their sums, as they are stored.
    pub tokens: SideTokens,
    /// The turns in their order, 250 at most; none where they cannot be taken apart.
    pub turns: Vec<TurnTokens>,
    /// Turns beyond these.
    pub turns_left_out: u32,
}

/// One model turn.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct TurnTokens {
    /// Counted from 1.
    pub turn: u32,
    /// What the model does in it.
    pub what: String,
    /// P: what it is prompted with.
    pub prompt: u64,
    /// Of P, what an earlier prompt has sent already.
    pub cached: u64,
    /// A: what it writes.
    pub output: u64,
    /// R: what enters the context for the next turn.
    pub results: u64,
    /// P was brought down to fit the window.
    pub compacted: bool,
}

/// One call, as it is counted.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct ExplainedCall {
    /// The server's configured name.
    pub server: String,
    /// The tool's own name.
    pub tool: String,
    /// Its wave within the run.
    pub wave: u32,
    /// Tokens a model would have written to make it.
    pub output_tokens: u64,
    /// Tokens of its answer, uncapped.
    pub result_tokens: u64,
    /// Of these, what would have entered the context, images and sounds by their rule included.
    pub entered_tokens: u64,
    /// Images and sounds in the answer.
    pub media: u32,
    /// It repeats an equal call of the run, and is credited nothing.
    pub repeated: bool,
    /// Both were counted whole; else they are estimated.
    pub exact: bool,
}
