//! How long what is kept: runs and calls for days and up to a size, the newest whatever the size, sums by the hour for weeks,
//! sums by the day for good.
//!
//! Done by the worker when it has nothing else to do, in steps of a few milliseconds, so that nobody waits for a lock. What
//! a user sees as a total never falls: it comes from the sums, and `kept` says from when on the rows behind them are there.
//! A file gives its free pages back to the system step by step; one made before that could be done uses them again itself.

use crate::report::{DAY_MS, HOUR_MS};
use crate::rollup::Step;
use crate::rows::CALLS_AT_ONCE;
use rusqlite::{Connection, OptionalExtension, Transaction, TransactionBehavior, params};

/// Runs dropped at most, and scopes whose hours are dropped, in one step.
const RUNS_AT_ONCE: i64 = 100;
const SCOPES_AT_ONCE: i64 = 50;
/// Runs, and calls of fronts, that stay whatever the size: sums may be larger by themselves than what is to be kept.
pub(crate) const NEWEST_KEPT: u32 = 1_000;
/// Free pages from which on they are given back, and how many in one step.
const FREE_PAGES: i64 = 256;
const PAGES_AT_ONCE: i64 = 128;

/// What to keep.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Keep {
    /// How long runs and calls are kept.
    pub(crate) rows_ms: u64,
    /// How long sums by the hour are kept.
    pub(crate) hours_ms: u64,
    /// Bytes of the database, its free pages not counted, above which the oldest runs go, all but [`NEWEST_KEPT`].
    pub(crate) bytes: u64,
}

/// How far the dropping of hours has come: the last scope done with.
#[derive(Debug, Default)]
pub(crate) struct Progress {
    scope: i64,
}

/// Does one step. Whether there may be more to do.
pub(crate) fn step(
    connection: &mut Connection,
    keep: Keep,
    now_ms: u64,
    progress: &mut Progress,
) -> rusqlite::Result<bool> {
    if drop_rows(connection, keep, now_ms)? || drop_hours(connection, now_ms.saturating_sub(keep.hours_ms), progress)? {
        return Ok(true);
    }
    give_back(connection)
}

/// Before when runs, and calls of fronts, are given up.
#[derive(Clone, Copy)]
struct Before {
    runs: u64,
    calls: u64,
}

/// What is too old goes; where the database is too large, all but the newest.
fn before(connection: &Connection, keep: Keep, now_ms: u64) -> rusqlite::Result<Before> {
    let old = now_ms.saturating_sub(keep.rows_ms);
    if used_bytes(connection)? <= keep.bytes {
        return Ok(Before { runs: old, calls: old });
    }
    let newest = |sql: &str| -> rusqlite::Result<u64> {
        let first = connection.prepare_cached(sql)?.query_row([NEWEST_KEPT - 1], |row| row.get::<_, u64>(0));
        Ok(first.optional()?.unwrap_or_default().max(old))
    };
    Ok(Before {
        runs: newest("SELECT at_ms FROM runs ORDER BY at_ms DESC LIMIT 1 OFFSET ?")?,
        calls: newest(
            "SELECT at_ms FROM calls INDEXED BY calls_direct WHERE run_id IS NULL ORDER BY at_ms DESC LIMIT 1 OFFSET ?",
        )?,
    })
}

/// Drops the oldest runs where they are too old, or too many for the size.
fn drop_rows(connection: &mut Connection, keep: Keep, now_ms: u64) -> rusqlite::Result<bool> {
    let before = before(connection, keep, now_ms)?;
    let oldest = |sql: &str| -> rusqlite::Result<u64> {
        let oldest: Option<u64> = connection.prepare_cached(sql)?.query_row([], |row| row.get(0))?;
        Ok(oldest.unwrap_or(u64::MAX))
    };
    let run = oldest("SELECT MIN(at_ms) FROM runs")?;
    let call = oldest("SELECT MIN(at_ms) FROM calls INDEXED BY calls_direct WHERE run_id IS NULL")?;
    if run >= before.runs && call >= before.calls {
        return Ok(false);
    }
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let found: Vec<(String, u64, usize)> = transaction
        .prepare_cached("SELECT run_id, at_ms, calls FROM runs WHERE at_ms < ? ORDER BY at_ms LIMIT ?")?
        .query_map(params![before.runs, RUNS_AT_ONCE], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?
        .collect::<Result<_, _>>()?;
    let runs = &found[..few(found.iter().map(|run| run.2))];
    for (run, at_ms, _) in runs {
        drop_run(&transaction, run, *at_ms)?;
    }
    let last = runs.last().map(|run| run.1);
    // As long as there are more runs, what is not of a run is given up beside them.
    let more = runs.len() < found.len() || i64::try_from(found.len()).is_ok_and(|count| count == RUNS_AT_ONCE);
    let until = last.filter(|_| more).unwrap_or(u64::MAX >> 1);
    let calls: Vec<u64> = transaction
        .prepare_cached(
            "DELETE FROM calls WHERE id IN (SELECT id FROM calls INDEXED BY calls_direct WHERE run_id IS NULL
             AND at_ms < ? ORDER BY at_ms LIMIT ?) RETURNING at_ms",
        )?
        .query_map(params![until.min(before.calls), RUNS_AT_ONCE], |row| row.get(0))?
        .collect::<Result<_, _>>()?;
    transaction.execute(
        "DELETE FROM discoveries WHERE id IN (SELECT id FROM discoveries WHERE run_id IS NULL AND at_ms < ? LIMIT ?)",
        params![until.min(before.runs), RUNS_AT_ONCE],
    )?;
    if let Some(newest) = last.max(calls.into_iter().max()) {
        let since = newest.saturating_add(1).next_multiple_of(HOUR_MS);
        transaction.execute("UPDATE kept SET rows_since_ms = MAX(rows_since_ms, ?)", [since])?;
    }
    transaction.commit()?;
    Ok(true)
}

/// How many runs one step drops, by their calls: until these are many, and one run at least.
fn few(calls: impl Iterator<Item = usize>) -> usize {
    let mut dropped: usize = 0;
    let begun = |calls: &usize| {
        let before = dropped;
        dropped = dropped.saturating_add(*calls);
        before < CALLS_AT_ONCE
    };
    calls.take_while(begun).count()
}

fn drop_run(transaction: &Transaction<'_>, run: &str, at_ms: u64) -> rusqlite::Result<()> {
    let tags: String =
        transaction.prepare_cached("SELECT tags FROM runs WHERE run_id = ?")?.query_row([run], |row| row.get(0))?;
    for tag in tags.lines() {
        transaction
            .prepare_cached("DELETE FROM run_tags WHERE tag = ? AND at_ms = ? AND run_id = ?")?
            .execute(params![tag, at_ms, run])?;
    }
    for sql in [
        "DELETE FROM calls WHERE run_id = ?",
        "DELETE FROM sides WHERE run_id = ?",
        "DELETE FROM discoveries WHERE run_id = ?",
        "DELETE FROM runs WHERE run_id = ?",
    ] {
        transaction.prepare_cached(sql)?.execute([run])?;
    }
    Ok(())
}

/// Drops sums by the hour that are too old. Readers learn first that they cannot rest on them.
fn drop_hours(connection: &mut Connection, since: u64, progress: &mut Progress) -> rusqlite::Result<bool> {
    let since = since - since % DAY_MS;
    let kept: u64 = connection.prepare_cached("SELECT hours_since_ms FROM kept")?.query_row([], |row| row.get(0))?;
    if kept < since {
        connection.execute("UPDATE kept SET hours_since_ms = ?", [since])?;
        progress.scope = 0;
        return Ok(true);
    }
    if progress.scope == i64::MAX {
        return Ok(false);
    }
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let scopes: Vec<i64> = transaction
        .prepare_cached("SELECT id FROM scopes WHERE id > ? ORDER BY id LIMIT ?")?
        .query_map(params![progress.scope, SCOPES_AT_ONCE], |row| row.get(0))?
        .collect::<Result<_, _>>()?;
    for scope in &scopes {
        for sql in [
            "DELETE FROM run_sums WHERE scope = ? AND step = ? AND at_ms < ?",
            "DELETE FROM call_sums WHERE scope = ? AND step = ? AND at_ms < ?",
        ] {
            transaction.prepare_cached(sql)?.execute(params![scope, Step::Hour as i64, since])?;
        }
    }
    transaction.commit()?;
    progress.scope = scopes.last().copied().unwrap_or(i64::MAX);
    Ok(!scopes.is_empty())
}

/// Gives free pages back to the system.
fn give_back(connection: &Connection) -> rusqlite::Result<bool> {
    const INCREMENTAL: i64 = 2;
    let free: i64 = connection.pragma_query_value(None, "freelist_count", |row| row.get(0))?;
    let vacuum: i64 = connection.pragma_query_value(None, "auto_vacuum", |row| row.get(0))?;
    if free < FREE_PAGES || vacuum != INCREMENTAL {
        return Ok(false);
    }
    let mut statement = connection.prepare(&format!("PRAGMA incremental_vacuum({PAGES_AT_ONCE})"))?;
    let mut rows = statement.query([])?;
    while rows.next()?.is_some() {}
    Ok(true)
}

fn used_bytes(connection: &Connection) -> rusqlite::Result<u64> {
    let pragma = |name: &str| connection.pragma_query_value(None, name, |row| row.get::<_, u64>(0));
    Ok((pragma("page_count")?.saturating_sub(pragma("freelist_count")?)) * pragma("page_size")?)
}

/// From when on the runs and calls behind the sums are there; `None` where none were dropped.
pub(crate) fn rows_since(connection: &Connection) -> rusqlite::Result<Option<u64>> {
    let since = connection.query_row("SELECT rows_since_ms FROM kept", [], |row| row.get::<_, u64>(0)).optional()?;
    Ok(since.filter(|since| *since > 0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_ends_when_its_calls_are_many() {
        let runs = |calls: &[usize]| few(calls.iter().copied());
        assert_eq!(runs(&[]), 0);
        assert_eq!(runs(&[0; 100]), 100);
        assert_eq!(runs(&[10_000; 100]), 1);
        assert_eq!(runs(&[999, 1_000, 500, 1]), 3);
        assert_eq!(runs(&[usize::MAX, usize::MAX]), 1);
    }
}
