//! One stored sum: of the runs or calls of one scope, one key and one step in time. Read, added to, and written back.

use crate::histogram::{read_number, write_number};
use crate::rollup::Step;
use crate::sums::{CallSums, RunSums};
use model::tokens::SideTokens;
use rusqlite::{OptionalExtension, Row, Transaction, params};

/// Where a sum stands: the numbers of its scope and its key, its step, and the begin of that.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Cell {
    pub(crate) scope: i64,
    pub(crate) step: Step,
    pub(crate) at_ms: u64,
    pub(crate) key: i64,
}

/// The columns of a sum over runs, in the order in which [`add_run_row`] reads them.
pub(crate) const RUN_COLUMNS: &str = "runs, estimated, calls, searches, search_tokens, sides, wall";
/// The columns of a sum over calls, in the order in which [`add_call_row`] reads them.
pub(crate) const CALL_COLUMNS: &str =
    "calls, failed, cached, cached_tokens, output_tokens, result_tokens, result_bytes, took";

/// Adds to a sum over runs.
pub(crate) fn add_runs(transaction: &Transaction<'_>, cell: Cell, add: &RunSums) -> rusqlite::Result<()> {
    let Cell { scope, step, at_ms, key } = cell;
    let mut sums = add.clone();
    transaction
        .prepare_cached(&format!(
            "SELECT {RUN_COLUMNS} FROM run_sums WHERE scope = ? AND step = ? AND at_ms = ? AND key = ?"
        ))?
        .query_row(params![scope, step as i64, at_ms, key], |row| add_run_row(&mut sums, row, 0))
        .optional()?;
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

/// Adds to a sum over calls.
pub(crate) fn add_calls(transaction: &Transaction<'_>, cell: Cell, add: &CallSums) -> rusqlite::Result<()> {
    let Cell { scope, step, at_ms, key } = cell;
    let mut sums = add.clone();
    transaction
        .prepare_cached(&format!(
            "SELECT {CALL_COLUMNS} FROM call_sums WHERE scope = ? AND step = ? AND at_ms = ? AND key = ?"
        ))?
        .query_row(params![scope, step as i64, at_ms, key], |row| add_call_row(&mut sums, row, 0))
        .optional()?;
    transaction
        .prepare_cached("INSERT OR REPLACE INTO call_sums VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)")?
        .execute(params![
            scope,
            step as i64,
            at_ms,
            key,
            sums.calls,
            sums.failed,
            sums.cached,
            sums.cached_tokens,
            sums.output_tokens,
            sums.result_tokens,
            sums.result_bytes,
            sums.took.to_bytes(),
        ])
        .map(drop)
}

/// Adds the sum over runs in [`RUN_COLUMNS`], of which `first` is the first.
pub(crate) fn add_run_row(sums: &mut RunSums, row: &Row<'_>, first: usize) -> rusqlite::Result<()> {
    sums.runs += row.get::<_, u64>(first)?;
    sums.estimated += row.get::<_, u64>(first + 1)?;
    sums.calls += row.get::<_, u64>(first + 2)?;
    sums.searches += row.get::<_, u64>(first + 3)?;
    sums.search_tokens += row.get::<_, u64>(first + 4)?;
    for (sum, side) in sums.sides.iter_mut().zip(&sides_from_bytes(row.get_ref(first + 5)?.as_blob()?)) {
        crate::formula::add(sum, side);
    }
    sums.wall.add_bytes(row.get_ref(first + 6)?.as_blob()?);
    Ok(())
}

/// Adds the sum over calls in [`CALL_COLUMNS`], of which `first` is the first.
pub(crate) fn add_call_row(sums: &mut CallSums, row: &Row<'_>, first: usize) -> rusqlite::Result<()> {
    sums.calls += row.get::<_, u64>(first)?;
    sums.failed += row.get::<_, u64>(first + 1)?;
    sums.cached += row.get::<_, u64>(first + 2)?;
    sums.cached_tokens += row.get::<_, u64>(first + 3)?;
    sums.output_tokens += row.get::<_, u64>(first + 4)?;
    sums.result_tokens += row.get::<_, u64>(first + 5)?;
    sums.result_bytes += row.get::<_, u64>(first + 6)?;
    sums.took.add_bytes(row.get_ref(first + 7)?.as_blob()?);
    Ok(())
}

/// The four sides, each as definitions, output, results, turns, total, the largest peak, and what is cacheable.
pub(crate) fn sides_to_bytes(sums: &RunSums) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(64);
    for side in &sums.sides {
        let SideTokens { definitions, output, results, turns, total, peak_context, cacheable } = *side;
        for number in [definitions, output, results, u64::from(turns), total, peak_context, cacheable] {
            write_number(&mut bytes, number);
        }
    }
    bytes
}

/// What [`sides_to_bytes`] wrote; what is missing is nothing.
pub(crate) fn sides_from_bytes(mut bytes: &[u8]) -> [SideTokens; 4] {
    let mut next = || read_number(&mut bytes).unwrap_or_default();
    std::array::from_fn(|_| SideTokens {
        definitions: next(),
        output: next(),
        results: next(),
        turns: u32::try_from(next()).unwrap_or(u32::MAX),
        total: next(),
        peak_context: next(),
        cacheable: next(),
    })
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
        assert_eq!(sides_from_bytes(&sides_to_bytes(&sums)), sums.sides);
    }
}
