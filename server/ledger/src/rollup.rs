//! Sums by the hour, the day and 32 days, written in the transaction that writes the rows they are over: a report of any
//! period reads a few thousand of them, however many calls there are.
//!
//! Sums over runs are kept for all runs, for each tag, and for the runs that called a server or a tool: a *scope*. A run
//! counts once in each scope that it belongs to. Sums over calls are kept for all, for each tag and for each front. Each is kept apart by
//! a key, whose text stands once in a table of its own (`keys.rs`). What is derivable is derived: [`crate::rebuild`] makes
//! them from the rows. Hours from before those that are kept are not written.

use crate::cells::{Cell, add_calls, add_runs};
use crate::keys::{Keys, Scope, of_front};
use crate::report::read::hours_since;
use crate::report::{DAY_MS, HOUR_MS};
use crate::sums::{CallKey, CallSums, RunKey, RunSums};
use crate::totals::add_to_totals;
use rusqlite::Transaction;
use std::collections::{BTreeMap, BTreeSet};

/// The steps in which sums are kept, by their number in the database.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Step {
    Hour = 0,
    Day = 1,
    /// 32 days.
    Block = 2,
}

impl Step {
    pub(crate) const ALL: [Self; 3] = [Self::Hour, Self::Day, Self::Block];

    pub(crate) const fn length_ms(self) -> u64 {
        match self {
            Self::Hour => HOUR_MS,
            Self::Day => DAY_MS,
            Self::Block => 32 * DAY_MS,
        }
    }

    pub(crate) fn begin_ms(self, at_ms: u64) -> u64 {
        at_ms - at_ms % self.length_ms()
    }
}

/// What is to be added to the sums, added up beforehand.
#[derive(Debug, Default)]
pub(crate) struct Batch {
    runs: BTreeMap<(Scope, RunKey, u64), RunSums>,
    calls: BTreeMap<(String, CallKey, u64), CallSums>,
    totals: RunSums,
}

impl Batch {
    /// Adds a counted run and its calls.
    pub(crate) fn add_run(
        &mut self,
        at_ms: u64,
        key: &RunKey,
        tags: &[String],
        sums: &RunSums,
        calls: &[(CallKey, CallSums)],
    ) {
        let hour = Step::Hour.begin_ms(at_ms);
        let called = touched(calls);
        for tag in std::iter::once("").chain(tags.iter().map(String::as_str)) {
            for (server, tool) in &called {
                let scope = Scope { tag: tag.to_owned(), server: (*server).to_owned(), tool: (*tool).to_owned() };
                self.runs.entry((scope, key.clone(), hour)).or_default().add(sums);
            }
            for (key, sums) in calls {
                self.calls.entry((tag.to_owned(), key.clone(), hour)).or_default().add(sums);
            }
        }
        self.add_front(hour, &key.front, calls);
    }

    /// Adds a run's calls to those of its front.
    pub(crate) fn add_front(&mut self, at_ms: u64, front: &str, calls: &[(CallKey, CallSums)]) {
        for (key, sums) in calls {
            let hour = Step::Hour.begin_ms(at_ms);
            self.calls.entry((of_front(front), key.clone(), hour)).or_default().add(sums);
        }
    }

    /// Adds a run to what was ever counted.
    pub(crate) fn count(&mut self, sums: &RunSums) {
        self.totals.add(sums);
    }

    /// Adds a call that belongs to no run.
    pub(crate) fn add_direct(&mut self, at_ms: u64, key: CallKey, sums: &CallSums) {
        self.calls.entry((String::new(), key, Step::Hour.begin_ms(at_ms))).or_default().add(sums);
    }

    /// Writes it all, and forgets it. Where that fails, `keys` must be forgotten too.
    pub(crate) fn write(&mut self, transaction: &Transaction<'_>, keys: &mut Keys) -> rusqlite::Result<()> {
        let hours_since = hours_since(transaction)?;
        let mut runs: BTreeMap<Cell, RunSums> = BTreeMap::new();
        for ((scope, key, hour), add) in std::mem::take(&mut self.runs) {
            let (scope, key) = (keys.scope(transaction, &scope)?, keys.run(transaction, &key)?);
            for cell in cells(scope, key, hour, hours_since) {
                runs.entry(cell).or_default().add(&add);
            }
        }
        let mut calls: BTreeMap<Cell, CallSums> = BTreeMap::new();
        for ((tag, key, hour), add) in std::mem::take(&mut self.calls) {
            let scope = keys.scope(transaction, &Scope { tag, ..Scope::default() })?;
            let key = keys.call(transaction, &key)?;
            for cell in cells(scope, key, hour, hours_since) {
                calls.entry(cell).or_default().add(&add);
            }
        }
        let totals = std::mem::take(&mut self.totals);
        if totals.runs > 0 {
            add_to_totals(transaction, &totals)?;
        }
        runs.iter().try_for_each(|(cell, add)| add_runs(transaction, *cell, add))?;
        calls.iter().try_for_each(|(cell, add)| add_calls(transaction, *cell, add))
    }
}

/// The sums that what happened in an hour is part of.
fn cells(scope: i64, key: i64, hour: u64, hours_since: u64) -> impl Iterator<Item = Cell> {
    let kept = Step::ALL.into_iter().filter(move |step| *step != Step::Hour || hour >= hours_since);
    kept.map(move |step| Cell { scope, step, at_ms: step.begin_ms(hour), key })
}

/// All runs, those of each server called, of each tool, and of each tool's name on whatever server.
fn touched(calls: &[(CallKey, CallSums)]) -> BTreeSet<(&str, &str)> {
    let mut called = BTreeSet::from([("", "")]);
    for (key, _) in calls {
        called.extend([(&*key.server, ""), (&*key.server, &*key.tool), ("", &*key.tool)]);
    }
    called
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_counts_once_in_each_scope_that_it_touches() {
        let call = |server: &str, tool: &str| {
            (CallKey { server: server.to_owned(), tool: tool.to_owned(), ..CallKey::default() }, CallSums::default())
        };
        let calls = [call("fs", "read"), call("fs", "read"), call("git", "read")];
        let touched: Vec<_> = touched(&calls).into_iter().collect();
        assert_eq!(touched, [("", ""), ("", "read"), ("fs", ""), ("fs", "read"), ("git", ""), ("git", "read")]);
    }

    #[test]
    fn hours_that_are_not_kept_are_not_written() {
        let steps = |hour| cells(1, 1, hour * HOUR_MS, 2 * HOUR_MS).map(|cell| cell.step).collect::<Vec<_>>();
        assert_eq!(steps(1), [Step::Day, Step::Block]);
        assert_eq!(steps(2), Step::ALL);
    }
}
