//! The last runs of this process with what the ledger does not keep: programs, arguments, answers. And the way to stop one.
//!
//! For people, in memory only, bounded in number and bytes. A live run costs its calls nothing: who asks reads what its
//! door holds. What is kept of a run is copied, cut, when it ends.

use crate::call::{Door, bounded};
use ledger::CallFacts;
use model::reply::{CallDetail, LiveRun, RunDetail};
use model::{Language, RunId, RunReply, Truncation};
use serde_json::Value;
use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};
use tokio_util::sync::CancellationToken;

/// Ended runs, and bytes of all of them.
const RUNS_MAX: usize = 50;
const BYTES_MAX: usize = 32 << 20;
/// Bytes of a program; what is longer never runs.
const CODE_BYTES: usize = 1 << 20;
/// Bytes of each of input, value, stdout and stderr.
const TEXT_BYTES: usize = 256 << 10;
/// Bytes of a call's arguments, and of its answer.
const CALL_BYTES: usize = 4 << 10;
/// Bytes of all calls of one run; later ones are left out.
const CALLS_BYTES: usize = 8 << 20;
/// What a call takes besides its texts.
const RECORD_BYTES: usize = 256;

/// What is known of runs.
#[derive(Debug, Default)]
pub(crate) struct Details(Mutex<Known>);

#[derive(Debug, Default)]
struct Known {
    live: HashMap<RunId, Live>,
    /// Newest last, each with its bytes.
    ended: VecDeque<(RunDetail, usize)>,
    bytes: usize,
}

/// A run that has not ended.
#[derive(Debug)]
struct Live {
    at_ms: u64,
    about: RunDetail,
    door: Door,
    cancel: CancellationToken,
}

/// What is known of a run when it starts.
pub(crate) struct Begun<'a> {
    pub(crate) run_id: &'a RunId,
    pub(crate) at_ms: u64,
    pub(crate) label: &'a str,
    pub(crate) name: Option<&'a str>,
    pub(crate) language: Language,
    pub(crate) code: &'a str,
    pub(crate) input: Option<&'a Value>,
    pub(crate) input_bytes: usize,
}

/// A live run's entry; dropping it ends it.
#[derive(Debug)]
pub(crate) struct Entered<'a> {
    details: &'a Details,
    run_id: RunId,
}

impl Details {
    /// Enters a run until what is returned is dropped.
    pub(crate) fn enter(&self, begun: &Begun<'_>, door: Door, cancel: CancellationToken) -> Entered<'_> {
        let mut truncated = Vec::new();
        let code = cut("code", begun.code, CODE_BYTES, &mut truncated);
        let input = begun.input.filter(|_| begun.input_bytes <= TEXT_BYTES).cloned();
        if input.is_none() && begun.input.is_some() {
            truncated.push(truncation("input", 0, begun.input_bytes));
        }
        let about = RunDetail {
            run_id: begun.run_id.clone(),
            label: begun.label.to_owned(),
            name: begun.name.map(|_| begun.label.to_owned()),
            language: begun.language,
            code,
            input,
            status: None,
            result: String::new(),
            stdout: String::new(),
            stderr: String::new(),
            error: None,
            calls: Vec::new(),
            truncated,
        };
        self.known().live.insert(begun.run_id.clone(), Live { at_ms: begun.at_ms, about, door, cancel });
        Entered { details: self, run_id: begun.run_id.clone() }
    }

    /// One run, live or ended.
    pub(crate) fn get(&self, run_id: &RunId) -> Option<RunDetail> {
        let known = self.known();
        let Some(live) = known.live.get(run_id) else {
            return known.ended.iter().find(|(detail, _)| detail.run_id == *run_id).map(|(detail, _)| detail.clone());
        };
        let (mut detail, door) = (live.about.clone(), live.door.clone());
        drop(known);
        detail.calls = calls(&door.facts(), &mut detail.truncated);
        Some(detail)
    }

    /// Every live run, newest first.
    pub(crate) fn live(&self) -> Vec<LiveRun> {
        let mut runs: Vec<_> = self.known().live.values().map(Live::summary).collect();
        runs.sort_by(|a, b| b.run_id.cmp(&a.run_id));
        runs
    }

    /// Cancels a live run. False where there is none.
    pub(crate) fn stop(&self, run_id: &RunId) -> bool {
        self.known().live.get(run_id).map(|live| live.cancel.cancel()).is_some()
    }

    fn keep(&self, detail: RunDetail) {
        let bytes = weight(&detail);
        let mut known = self.known();
        known.bytes += bytes;
        known.ended.push_back((detail, bytes));
        while known.ended.len() > RUNS_MAX || known.bytes > BYTES_MAX {
            let Some((_, bytes)) = known.ended.pop_front() else { break };
            known.bytes -= bytes;
        }
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Live {
    fn summary(&self) -> LiveRun {
        let RunDetail { run_id, language, label, .. } = &self.about;
        let (run_id, label) = (run_id.clone(), label.clone());
        LiveRun { run_id, at_ms: self.at_ms, language: *language, label, calls: self.door.calls_made() }
    }
}

impl Entered<'_> {
    /// Keeps what came of the run.
    pub(crate) fn end(self, reply: &RunReply, facts: &[CallFacts]) {
        let Some(live) = self.details.known().live.remove(&self.run_id) else { return };
        let mut detail = live.about;
        let mut truncated = std::mem::take(&mut detail.truncated);
        truncated.extend(reply.truncated.iter().cloned());
        detail.status = Some(reply.status);
        detail.result = cut("result", reply.result.as_ref().map_or("", |v| v.get()), TEXT_BYTES, &mut truncated);
        detail.stdout = cut("stdout", &reply.stdout, TEXT_BYTES, &mut truncated);
        detail.stderr = cut("stderr", &reply.stderr, TEXT_BYTES, &mut truncated);
        detail.error.clone_from(&reply.error);
        detail.calls = calls(facts, &mut truncated);
        detail.truncated = truncated;
        self.details.keep(detail);
    }
}

impl Drop for Entered<'_> {
    fn drop(&mut self) {
        self.details.known().live.remove(&self.run_id);
    }
}

/// The calls for which there is room, from the first on.
fn calls(facts: &[CallFacts], truncated: &mut Vec<Truncation>) -> Vec<CallDetail> {
    let (mut kept_bytes, mut kept) = (0, Vec::new());
    for fact in facts {
        let arguments = bounded(&fact.arguments_json, CALL_BYTES);
        let result = bounded(&fact.result_text, CALL_BYTES);
        kept_bytes += arguments.len() + result.len() + RECORD_BYTES;
        if kept_bytes > CALLS_BYTES {
            let total = facts.iter().map(|f| f.arguments_json.len() + f.result_text.len() + RECORD_BYTES).sum();
            truncated.push(truncation("calls", CALLS_BYTES, total));
            break;
        }
        let (arguments, result) = (arguments.to_owned(), result.to_owned());
        kept.push(CallDetail { record: fact.record.clone(), arguments, result });
    }
    kept
}

/// The beginning of a text; what was cut is noted, unless an earlier cut of the same is.
fn cut(what: &str, text: &str, bytes: usize, truncated: &mut Vec<Truncation>) -> String {
    let kept = bounded(text, bytes);
    if kept.len() < text.len() && truncated.iter().all(|t| t.what != what) {
        truncated.push(truncation(what, kept.len(), text.len()));
    }
    kept.to_owned()
}

fn truncation(what: &str, kept: usize, total: usize) -> Truncation {
    Truncation { what: what.to_owned(), kept_bytes: kept as u64, total_bytes: total as u64, artifact: None }
}

fn weight(detail: &RunDetail) -> usize {
    let texts = [&detail.code, &detail.result, &detail.stdout, &detail.stderr].map(String::len);
    let calls = detail.calls.iter().map(|call| call.arguments.len() + call.result.len() + RECORD_BYTES);
    let input = detail.input.as_ref().map_or(0, |input| input.to_string().len());
    texts.iter().sum::<usize>() + calls.sum::<usize>() + input + RECORD_BYTES
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::RunStatus;

    fn ended(code_bytes: usize) -> RunDetail {
        RunDetail {
            run_id: RunId::new(),
            label: String::new(),
            name: None,
            language: Language::Python,
            code: "x".repeat(code_bytes),
            input: None,
            status: Some(RunStatus::Ok),
            result: String::new(),
            stdout: String::new(),
            stderr: String::new(),
            error: None,
            calls: Vec::new(),
            truncated: Vec::new(),
        }
    }

    #[test]
    fn the_oldest_runs_go_by_number_and_by_bytes() {
        let details = Details::default();
        let first = ended(10);
        details.keep(first.clone());
        for _ in 1..RUNS_MAX {
            details.keep(ended(10));
        }
        assert_eq!(details.get(&first.run_id), Some(first.clone()));
        details.keep(ended(10));
        assert_eq!((details.get(&first.run_id), details.known().ended.len()), (None, RUNS_MAX));
        let large = ended(BYTES_MAX / 2);
        details.keep(large.clone());
        details.keep(ended(BYTES_MAX / 2));
        assert_eq!((details.get(&large.run_id), details.known().ended.len()), (None, 1));
        assert!(details.known().bytes <= BYTES_MAX);
    }

    #[test]
    fn texts_and_calls_are_cut_and_said() {
        let mut truncated = Vec::new();
        assert_eq!(cut("stdout", "äöü", 3, &mut truncated), "ä");
        assert_eq!((truncated[0].kept_bytes, truncated[0].total_bytes), (2, 6));
        let fact = |n: u32| CallFacts {
            record: model::CallRecord {
                server: "s".to_owned(),
                tool: n.to_string(),
                status: model::CallStatus::Ok,
                ms: 0.0,
                cache: model::CacheOutcome::Miss,
                wave: 0,
                argument_bytes: 0,
                result_bytes: 0,
                result_tokens: None,
                line: None,
                error: None,
            },
            arguments_json: "a".repeat(CALL_BYTES + 1).into(),
            result_text: "r".repeat(CALL_BYTES + 1).into(),
            media: 0,
            found: ledger::Found::Tool,
        };
        let facts: Vec<CallFacts> = (0..2_000).map(fact).collect();
        let kept = calls(&facts, &mut truncated);
        assert_eq!((kept[0].arguments.len(), kept[0].result.len()), (CALL_BYTES, CALL_BYTES));
        assert_eq!(kept.len(), CALLS_BYTES / (2 * CALL_BYTES + RECORD_BYTES));
        assert_eq!(truncated[1].what, "calls");
    }
}
