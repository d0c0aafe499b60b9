//! Sums by the hour, the day and 32 days, written in the transaction that writes the rows they are over: a report of any
//! period reads a few thousand of them, however many calls there are.
//!
//! Sums over runs are kept for all runs, for each tag, and for the runs that called a server or a tool: a *scope*. A run
//! counts once in each scope that it belongs to. Sums over calls are kept for all and for each tag. Each is kept apart by
//! a key, whose text stands once in a table of its own. What is derivable is derived: [`rebuild`] makes them from the rows.

use crate::histogram::{Histogram, read_number, write_number};
use crate::report::{DAY_MS, HOUR_MS};
use crate::sums::{CallKey, CallSums, RunKey, RunSums};
use model::tokens::SideTokens;
use rusqlite::{Connection, OptionalExtension, Transaction, params};
use std::collections::{BTreeMap, BTreeSet};

/// The steps in which sums are kept, by their number in the database.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Step {
    Hour = 0,
    Day = 1,
    /// 32 days; of calls alone.
    Block = 2,
}

impl Step {
    pub(crate) const fn length_ms(self) -> u64 {
        match self {
            Self::Hour => HOUR_MS,
            Self::Day => DAY_MS,
            Self::Block => 32 * DAY_MS,
        }
    }

    fn begin_ms(self, at_ms: u64) -> u64 {
        at_ms - at_ms % self.length_ms()
    }
}

/// Which runs a sum is over: an empty part means any.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Scope {
    /// `key=value`.
    pub(crate) tag: String,
    pub(crate) server: String,
    pub(crate) tool: String,
}

/// What is to be added to the sums, added up beforehand.
#[derive(Debug, Default)]
pub(crate) struct Batch {
    runs: BTreeMap<(Scope, RunKey, u64), RunSums>,
    calls: BTreeMap<(String, CallKey, u64), CallSums>,
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
    }

    /// Adds a call that belongs to no run.
    pub(crate) fn add_direct(&mut self, at_ms: u64, key: CallKey, sums: &CallSums) {
        self.calls.entry((String::new(), key, Step::Hour.begin_ms(at_ms))).or_default().add(sums);
    }

    /// Writes it all, and forgets it.
    pub(crate) fn write(&mut self, transaction: &Transaction<'_>) -> rusqlite::Result<()> {
        for step in [Step::Hour, Step::Day] {
            let mut sums: BTreeMap<(&Scope, &RunKey, u64), RunSums> = BTreeMap::new();
            for ((scope, key, hour), add) in &self.runs {
                sums.entry((scope, key, step.begin_ms(*hour))).or_default().add(add);
            }
            for ((scope, key, at_ms), add) in &sums {
                add_runs(transaction, step, *at_ms, scope_id(transaction, scope)?, run_key_id(transaction, key)?, add)?;
            }
        }
        for step in [Step::Hour, Step::Day, Step::Block] {
            let mut sums: BTreeMap<(&str, &CallKey, u64), CallSums> = BTreeMap::new();
            for ((tag, key, hour), add) in &self.calls {
                sums.entry((tag, key, step.begin_ms(*hour))).or_default().add(add);
            }
            for ((tag, key, at_ms), add) in &sums {
                let scope = Scope { tag: (*tag).to_owned(), ..Scope::default() };
                let (scope, key) = (scope_id(transaction, &scope)?, call_key_id(transaction, key)?);
                add_calls(transaction, step, *at_ms, scope, key, add)?;
            }
        }
        *self = Self::default();
        Ok(())
    }
}

/// All runs, those of each server called, of each tool, and of each tool's name on whatever server.
fn touched(calls: &[(CallKey, CallSums)]) -> BTreeSet<(&str, &str)> {
    let mut called = BTreeSet::from([("", "")]);
    for (key, _) in calls {
        called.extend([(&*key.server, ""), (&*key.server, &*key.tool), ("", &*key.tool)]);
    }
    called
}

fn add_runs(
    transaction: &Transaction<'_>,
    step: Step,
    at_ms: u64,
    scope: i64,
    key: i64,
    add: &RunSums,
) -> rusqlite::Result<()> {
    let found = transaction
        .prepare_cached(
            "SELECT runs, estimated, calls, searches, search_tokens, sides, wall FROM run_sums
             WHERE scope = ? AND step = ? AND at_ms = ? AND key = ?",
        )?
        .query_row(params![scope, step as i64, at_ms, key], |row| run_sums_from(row, 0))
        .optional()?;
    let mut sums = found.unwrap_or_default();
    sums.add(add);
    transaction
        .prepare_cached("INSERT OR REPLACE INTO run_sums VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)")?
        .execute(params![
            scope,
            step as i64,
            at_ms,
            key,
            sums.runs,
            sums.estimated,
            sums.calls,
            sums.searches,
            sums.search_tokens,
            sides_to_bytes(&sums),
            sums.wall.to_bytes(),
        ])
        .map(drop)
}

fn add_calls(
    transaction: &Transaction<'_>,
    step: Step,
    at_ms: u64,
    scope: i64,
    key: i64,
    add: &CallSums,
) -> rusqlite::Result<()> {
    let found = transaction
        .prepare_cached(
            "SELECT calls, output_tokens, result_tokens, result_bytes, took FROM call_sums
             WHERE scope = ? AND step = ? AND at_ms = ? AND key = ?",
        )?
        .query_row(params![scope, step as i64, at_ms, key], |row| call_sums_from(row, 0))
        .optional()?;
    let mut sums = found.unwrap_or_default();
    sums.add(add);
    transaction
        .prepare_cached("INSERT OR REPLACE INTO call_sums VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)")?
        .execute(params![
            scope,
            step as i64,
            at_ms,
            key,
            sums.calls,
            sums.output_tokens,
            sums.result_tokens,
            sums.result_bytes,
            sums.took.to_bytes(),
        ])
        .map(drop)
}

/// Sums over runs from seven columns, of which `first` is the first.
pub(crate) fn run_sums_from(row: &rusqlite::Row<'_>, first: usize) -> rusqlite::Result<RunSums> {
    let mut sums = RunSums {
        runs: row.get(first)?,
        estimated: row.get(first + 1)?,
        calls: row.get(first + 2)?,
        searches: row.get(first + 3)?,
        search_tokens: row.get(first + 4)?,
        ..RunSums::default()
    };
    sides_from_bytes(&mut sums, row.get_ref(first + 5)?.as_blob()?);
    sums.wall.add_bytes(row.get_ref(first + 6)?.as_blob()?);
    Ok(sums)
}

/// Sums over calls from five columns, of which `first` is the first.
pub(crate) fn call_sums_from(row: &rusqlite::Row<'_>, first: usize) -> rusqlite::Result<CallSums> {
    let mut took = Histogram::default();
    took.add_bytes(row.get_ref(first + 4)?.as_blob()?);
    Ok(CallSums {
        calls: row.get(first)?,
        output_tokens: row.get(first + 1)?,
        result_tokens: row.get(first + 2)?,
        result_bytes: row.get(first + 3)?,
        took,
    })
}

/// The four sides, each as definitions, output, results, turns, total, the largest peak, and what is cacheable.
fn sides_to_bytes(sums: &RunSums) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(64);
    for side in &sums.sides {
        let SideTokens { definitions, output, results, turns, total, peak_context, cacheable } = *side;
        for number in [definitions, output, results, u64::from(turns), total, peak_context, cacheable] {
            write_number(&mut bytes, number);
        }
    }
    bytes
}

fn sides_from_bytes(sums: &mut RunSums, mut bytes: &[u8]) {
    let mut next = || read_number(&mut bytes).unwrap_or_default();
    for side in &mut sums.sides {
        (side.definitions, side.output, side.results) = (next(), next(), next());
        side.turns = u32::try_from(next()).unwrap_or(u32::MAX);
        (side.total, side.peak_context, side.cacheable) = (next(), next(), next());
    }
}

fn scope_id(transaction: &Transaction<'_>, scope: &Scope) -> rusqlite::Result<i64> {
    if let Some(id) = find_scope(transaction, scope)? {
        return Ok(id);
    }
    transaction.execute(
        "INSERT INTO scopes (tag, server, tool) VALUES (?, ?, ?)",
        params![scope.tag, scope.server, scope.tool],
    )?;
    Ok(transaction.last_insert_rowid())
}

/// The number of a scope; `None` where nothing was ever counted in it.
pub(crate) fn find_scope(connection: &Connection, scope: &Scope) -> rusqlite::Result<Option<i64>> {
    connection
        .prepare_cached("SELECT id FROM scopes WHERE tag = ? AND server = ? AND tool = ?")?
        .query_row(params![scope.tag, scope.server, scope.tool], |row| row.get(0))
        .optional()
}

fn run_key_id(transaction: &Transaction<'_>, key: &RunKey) -> rusqlite::Result<i64> {
    let parts = params![key.language, key.front, key.status, key.encoding];
    let found = transaction
        .prepare_cached("SELECT id FROM run_keys WHERE language = ? AND front = ? AND status = ? AND encoding = ?")?
        .query_row(parts, |row| row.get(0))
        .optional()?;
    if let Some(id) = found {
        return Ok(id);
    }
    transaction.execute("INSERT INTO run_keys (language, front, status, encoding) VALUES (?, ?, ?, ?)", parts)?;
    Ok(transaction.last_insert_rowid())
}

fn call_key_id(transaction: &Transaction<'_>, key: &CallKey) -> rusqlite::Result<i64> {
    let parts = params![key.server, key.tool, key.status, key.cache, key.language, key.run_status];
    let found = transaction
        .prepare_cached(
            "SELECT id FROM call_keys WHERE server = ? AND tool = ? AND status = ? AND cache = ? AND language = ?
             AND run_status = ?",
        )?
        .query_row(parts, |row| row.get(0))
        .optional()?;
    if let Some(id) = found {
        return Ok(id);
    }
    transaction.execute(
        "INSERT INTO call_keys (server, tool, status, cache, language, run_status) VALUES (?, ?, ?, ?, ?, ?)",
        parts,
    )?;
    Ok(transaction.last_insert_rowid())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sides_keep_every_figure_as_bytes() {
        let mut sums = RunSums::default();
        sums.sides[0] = SideTokens {
            definitions: 1,
            output: 200,
            results: 30_000,
            turns: 4,
            total: u64::MAX,
            peak_context: 1 << 40,
            cacheable: 300,
        };
        sums.sides[3].turns = u32::MAX;
        let mut read = RunSums::default();
        sides_from_bytes(&mut read, &sides_to_bytes(&sums));
        assert_eq!(read, sums);
    }

    #[test]
    fn a_run_counts_once_in_each_scope_that_it_touches() {
        let call = |server: &str, tool: &str| {
            (CallKey { server: server.to_owned(), tool: tool.to_owned(), ..CallKey::default() }, CallSums::default())
        };
        let calls = [call("fs", "read"), call("fs", "read"), call("git", "read")];
        let touched: Vec<_> = touched(&calls).into_iter().collect();
        assert_eq!(touched, [("", ""), ("", "read"), ("fs", ""), ("fs", "read"), ("git", ""), ("git", "read")]);
    }
}
