//! What each call of a run was, for the ledger and for people: entered before anything can go wrong, settled whatever happens.

use crate::call::{bounded, lock};
use engine::GuestCall;
use ledger::{CallFacts, Found};
use model::{CacheOutcome, CallRecord, CallStatus, ProgramError};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// Bytes of an error that its call's record keeps.
const ERROR_BYTES: usize = 200;
/// Bytes of a name that a program wrote which are shown.
pub(crate) const NAME_BYTES: usize = 200;

/// The calls of one run, in the order in which they were made.
#[derive(Default)]
pub(crate) struct Facts(Mutex<Vec<CallFacts>>);

impl Facts {
    /// Enters a call as cancelled: that is what it is if its future is dropped before it is settled. Returns its place.
    pub(crate) fn enter(&self, call: &GuestCall, arguments: &Arc<str>) -> usize {
        let record = CallRecord {
            server: bounded(&call.server, NAME_BYTES).to_owned(),
            tool: bounded(&call.tool, NAME_BYTES).to_owned(),
            status: CallStatus::Cancelled,
            ms: 0.0,
            cache: CacheOutcome::Miss,
            wave: call.wave,
            argument_bytes: arguments.len() as u64,
            result_bytes: 0,
            result_tokens: None,
            line: call.line,
            error: None,
        };
        let mut facts = lock(&self.0);
        let (arguments_json, result_text) = (Arc::clone(arguments), "".into());
        facts.push(CallFacts { record, arguments_json, result_text, media: 0, found: Found::Nothing });
        facts.len() - 1
    }

    /// Gives a call its server's configured name, whatever alias the program used.
    pub(crate) fn server(&self, slot: usize, server: &str) {
        if let Some(fact) = lock(&self.0).get_mut(slot) {
            server.clone_into(&mut fact.record.server);
            fact.found = Found::Server;
        }
    }

    /// Likewise its tool's.
    pub(crate) fn tool(&self, slot: usize, tool: &str) {
        if let Some(fact) = lock(&self.0).get_mut(slot) {
            tool.clone_into(&mut fact.record.tool);
            fact.found = Found::Tool;
        }
    }

    /// What a host would have put into a context, and how many images and the like beside it.
    pub(crate) fn answered(&self, slot: usize, seen: &Arc<str>, media: u32) {
        if let Some(fact) = lock(&self.0).get_mut(slot) {
            fact.record.result_bytes = seen.len() as u64;
            fact.result_text = Arc::clone(seen);
            fact.media = media;
        }
    }

    /// How a call ended.
    pub(crate) fn settle(
        &self,
        slot: usize,
        took: Duration,
        status: CallStatus,
        error: Option<&ProgramError>,
    ) -> CallRecord {
        let mut facts = lock(&self.0);
        let fact = facts.get_mut(slot).expect("facts are taken only when every call has ended");
        fact.record.status = status;
        fact.record.ms = took.as_secs_f64() * 1e3;
        fact.record.error = error.map(|e| bounded(&e.message, ERROR_BYTES).to_owned());
        fact.record.clone()
    }

    /// All of them, when the run has ended.
    pub(crate) fn take(&self) -> Vec<CallFacts> {
        std::mem::take(&mut *lock(&self.0))
    }

    /// The same while the run goes on.
    pub(crate) fn so_far(&self) -> Vec<CallFacts> {
        lock(&self.0).clone()
    }

    /// How many calls were made.
    pub(crate) fn count(&self) -> usize {
        lock(&self.0).len()
    }
}
