//! Reports over the ledger: what a period cost and saved, cut by what people ask for. Names, counts, sizes and times; no
//! content of any call.
//!
//! Every sum is over *counted* runs; `pending` says how many were not. Times are milliseconds since 1970, UTC; a period is
//! `since_ms <= t < until_ms`.

use crate::ids::RunId;
use crate::reply::{RunStatus, RunSummary};
use crate::tokens::{Baselines, TokenReport};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use ts_rs::TS;

/// What to report on.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(deny_unknown_fields, default)]
pub struct ReportRequest {
    /// The period's begin; the oldest run where absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub since_ms: Option<u64>,
    /// The period's end, itself left out; now where absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub until_ms: Option<u64>,
    /// Also report on the period of the same length before it.
    pub compare: bool,
    /// Only runs and calls that are like this.
    pub only: ReportFilter,
    /// Dollars at this model's prices; the configured one where absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub model: Option<String>,
    /// The longest list of each kind; 20 where absent, 1,000 at most.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub top: Option<u32>,
}

/// A narrowing: what is absent narrows nothing. With `server` or `tool`, runs are those with such a call.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(deny_unknown_fields, default)]
pub struct ReportFilter {
    /// The server's configured name.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub server: Option<String>,
    /// The tool's own name; of `server`, where that is given too.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub tool: Option<String>,
    /// `python`, `typescript` or `javascript`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub language: Option<String>,
    /// `cli`, `mcp` or `lsp`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub front: Option<String>,
    /// How the run ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub status: Option<RunStatus>,
    /// One tag with its value, as `key=value`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub tag: Option<String>,
}

/// What a period cost and saved.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, TS)]
pub struct SavingsReport {
    /// When it was made.
    pub at_ms: u64,
    /// The workspace's folder name; no path.
    pub workspace: String,
    /// What was asked for, with the period made definite.
    pub request: ReportRequest,
    /// The whole period.
    pub total: PeriodTotals,
    /// The period before, where it was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub before: Option<PeriodTotals>,
    /// The length of one step of `series`, in milliseconds: an hour or a day.
    pub step_ms: u64,
    /// The period in steps, those without a run left out.
    pub series: Vec<SeriesStep>,
    /// Calls by server, most tokens first.
    pub servers: Vec<CallGroup>,
    /// Calls by tool, most tokens first.
    pub tools: Vec<CallGroup>,
    /// Runs by language.
    pub languages: Vec<RunGroup>,
    /// Runs by front: `cli`, `mcp`, `lsp`.
    pub fronts: Vec<RunGroup>,
    /// Runs by how they ended.
    pub statuses: Vec<RunGroup>,
    /// Runs by tag, `key=value`.
    pub tags: Vec<RunGroup>,
    /// The definitions that cost most, largest first.
    pub definitions: Vec<DefinitionCost>,
    /// The calls whose answers were largest.
    pub results: Vec<CallRow>,
    /// The runs of the period, newest first.
    pub runs: Vec<RunSummary>,
    /// The runs that did not end well, newest first.
    pub failed: Vec<RunSummary>,
    /// What could be done better, most tokens first.
    pub advice: Vec<Advice>,
    /// The models whose prices are known.
    #[serde(default)]
    pub models: Vec<String>,
    /// Runs handed in and not counted yet.
    pub pending: u64,
    /// What is wrong with the ledger, if anything, and what was done about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub problem: Option<String>,
}

/// Sums over a period.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, TS)]
pub struct PeriodTotals {
    /// Its begin.
    pub since_ms: u64,
    /// Its end.
    pub until_ms: u64,
    /// Runs counted.
    pub runs: u64,
    /// Of these, those that did not end well.
    pub failed_runs: u64,
    /// Of these, those whose counts are estimated in part.
    pub estimated_runs: u64,
    /// Calls in them.
    pub calls: u64,
    /// Of these, those that did not end well.
    pub failed_calls: u64,
    /// Of these, those that the cache answered.
    pub cached_calls: u64,
    /// Tokens of the answers that the cache gave: what the servers did not have to send again.
    pub cached_tokens: u64,
    /// Tokens of all answers, uncapped, which stayed out of the model's context.
    pub result_tokens: u64,
    /// Model turns saved against the headline baseline; may be negative.
    pub turns_saved: i64,
    /// How long runs took.
    pub run_ms: Percentiles,
    /// How long calls took.
    pub call_ms: Percentiles,
    /// Both sides and every baseline.
    pub tokens: TokenReport,
    /// The same in money; absent where the model's price is not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub dollars: Option<Dollars>,
    /// What stands beside runs that went well.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub asides: Option<Asides>,
}

/// What is easily overlooked in a sum, as lines of its own.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct Asides {
    /// Searches of the tools that runs paid for; in the program's side already.
    pub searches: u64,
    /// Tokens of both directions of these, once each.
    pub search_tokens: u64,
    /// Billed tokens of runs that did not end well; in the program's side already.
    pub failed_tokens: u64,
    /// Calls that fronts made without a program; in no side.
    pub direct_calls: u64,
    /// Tokens of both directions of these, once each.
    pub direct_tokens: u64,
}

/// Latencies in milliseconds; from a histogram whose steps are at most a tenth apart.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, TS)]
pub struct Percentiles {
    /// The median.
    pub p50: f64,
    /// One in ten took longer.
    pub p90: f64,
    /// One in a hundred took longer.
    pub p99: f64,
}

/// What both sides cost in US dollars, by the formula in `ledger`. Estimated, always: a price is not measured.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, TS)]
pub struct Dollars {
    /// Whose prices.
    pub price: Price,
    /// The program's side.
    pub code_mode: Cost,
    /// Direct calling, definitions deferred: the headline.
    pub deferred: Cost,
    /// Direct calling, the definitions of every server up front.
    pub all_servers: Cost,
    /// Direct calling, the definitions of the servers that were used.
    pub needed_servers: Cost,
    /// Each figure's label.
    pub labels: BTreeMap<String, String>,
}

/// One side's cost in US dollars.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, TS)]
pub struct Cost {
    /// Every prompt billed in full.
    pub uncached: f64,
    /// With prompt caching: what an earlier turn has sent already is billed as read from the cache.
    pub cached: f64,
}

/// A model's price in US dollars per million tokens.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, TS)]
pub struct Price {
    /// The model.
    pub model: String,
    /// Prompt tokens.
    pub input: f64,
    /// Tokens the model writes.
    pub output: f64,
    /// Prompt tokens read from the prompt cache.
    pub cache_read: f64,
    /// Prompt tokens written to it.
    pub cache_write: f64,
    /// The day it was taken, `YYYY-MM-DD`.
    pub date: String,
    /// Where from.
    pub source: String,
    /// The model's context window in tokens, where known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub context_tokens: Option<u64>,
    /// The longest prompt in tokens that the price holds for; a longer one costs more, which is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub prompt_tokens_max: Option<u64>,
}

/// What one conversation cost, as one context that grows from run to run, and what direct calling would have cost it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, TS)]
pub struct ConversationReport {
    /// Its runs.
    pub runs: u64,
    /// The calls in them.
    pub calls: u64,
    /// Both sides and every baseline, each call in the turn of its wave.
    pub tokens: TokenReport,
    /// Direct calling, if all calls of a run were made in a single turn: the least that it can cost.
    pub at_once: Baselines,
    /// `tokens` in money; absent where the model's price is not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub dollars: Option<Dollars>,
    /// `at_once` in money.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub dollars_at_once: Option<Dollars>,
}

/// One step of a series.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, TS)]
pub struct SeriesStep {
    /// Its begin.
    pub at_ms: u64,
    /// Runs counted.
    pub runs: u64,
    /// Of these, those that did not end well.
    pub failed_runs: u64,
    /// Calls in them.
    pub calls: u64,
    /// Billed tokens of the program's side.
    pub code_mode: u64,
    /// Of direct calling, definitions deferred.
    pub deferred: u64,
    /// Of direct calling, every server up front.
    pub all_servers: u64,
    /// Of direct calling, needed servers.
    pub needed_servers: u64,
}

/// Calls that have something in common.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, TS)]
pub struct CallGroup {
    /// The server's configured name.
    pub server: String,
    /// The tool's own name; absent in a group by server.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub tool: Option<String>,
    /// Calls.
    pub calls: u64,
    /// Of these, those that did not end well.
    pub failed: u64,
    /// Of these, those that the cache answered.
    pub cached: u64,
    /// Tokens a model would have written to make them.
    pub output_tokens: u64,
    /// Tokens of their answers, uncapped.
    pub result_tokens: u64,
    /// Bytes of their answers.
    pub result_bytes: u64,
    /// How long they took.
    pub ms: Percentiles,
}

/// Runs that have something in common.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, TS)]
pub struct RunGroup {
    /// What they have in common.
    pub key: String,
    /// Runs counted.
    pub runs: u64,
    /// Of these, those that did not end well.
    pub failed: u64,
    /// Calls in them.
    pub calls: u64,
    /// Billed tokens of the program's side.
    pub code_mode: u64,
    /// Of direct calling, definitions deferred.
    pub deferred: u64,
    /// Of direct calling, every server up front.
    pub all_servers: u64,
    /// Of direct calling, needed servers.
    pub needed_servers: u64,
}

/// What one tool's definition costs each prompt that it stands in.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct DefinitionCost {
    /// The server's configured name.
    pub server: String,
    /// The tool's own name.
    pub tool: String,
    /// Tokens of name, description and input schema.
    pub tokens: u64,
    /// Calls of it in the period.
    pub calls: u64,
}

/// One call, as a list shows it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
pub struct CallRow {
    /// Its run; absent for a direct call.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub run_id: Option<RunId>,
    /// When its run was submitted.
    pub at_ms: u64,
    /// The server's configured name.
    pub server: String,
    /// The tool's own name.
    pub tool: String,
    /// How it ended.
    pub status: String,
    /// `miss`, `hit` or `joined`.
    pub cache: String,
    /// Its wave within the run.
    pub wave: u32,
    /// How long it took.
    pub ms: f64,
    /// Tokens a model would have written to make it.
    pub output_tokens: u64,
    /// Tokens of its answer, uncapped.
    pub result_tokens: u64,
    /// Bytes of its answer.
    pub result_bytes: u64,
}

/// Something that could be done better, with the numbers that say so.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
pub struct Advice {
    /// What.
    pub kind: AdviceKind,
    /// The server that it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub server: Option<String>,
    /// The tool that it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub tool: Option<String>,
    /// A run that is an example of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub run_id: Option<RunId>,
    /// How often it was seen in the period.
    pub times: u64,
    /// Tokens that following it would have saved in the period; computed.
    pub tokens: u64,
    /// Tokens that following it would have cost in the period, such as a definition in every prompt; computed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub cost_tokens: Option<u64>,
    /// A sentence or two for a person.
    pub text: String,
    /// What to write into `tta.toml` to follow it, where that is all that it takes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub setting: Option<String>,
}

/// The kinds of advice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum AdviceKind {
    /// Programs that only call this tool once cost more than the call itself: call it directly.
    CallDirectly,
    /// The same program ran often: keep it as a skill.
    SaveAsSkill,
    /// The server's definitions are in the prompt of a host that loads all, and nothing used it.
    UnusedServer,
}
