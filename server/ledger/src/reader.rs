//! Reads what was stored, on a connection of its own, so that a reader never waits for the worker's counting.

use crate::count::{Count, Encoding};
use crate::error::Error;
use crate::receipt::{Basis, CountedCall, Sides, receipt};
use crate::store::connect;
use crate::text::named;
use crate::totals::side_from;
use model::reply::RunSummary;
use model::{Language, RunId, RunStatus, TokenReport};
use rusqlite::{Connection, OptionalExtension, Row, params};
use std::path::Path;

/// Most runs given at once.
pub(crate) const MAX_RUNS: usize = 10_000;

pub(crate) const BASIS: &str =
    "r.credited, r.estimated, r.discoveries, r.servers_known, r.servers_all, r.needed_known, r.needed_all,
    r.tools_known, r.tools_all, r.media, r.repeated, r.cap_tokens, r.window_tokens, r.waves, r.folded,
    r.compacted_code_mode, r.compacted_deferred, r.compacted_all, r.compacted_needed, r.encoding";

/// The last runs, newest first.
pub(crate) fn runs(path: &Path, limit: usize) -> Result<Vec<RunSummary>, Error> {
    let connection = connect(path, false)?;
    let mut statement = connection.prepare(&format!(
        "SELECT r.run_id, r.at_ms, r.language, r.status, r.front, r.label, r.calls, r.wall_ms, r.counted, {BASIS}
         FROM runs r ORDER BY r.at_ms DESC, r.run_id DESC LIMIT ?"
    ))?;
    let rows = statement.query_map([limit.min(MAX_RUNS)], |row| summary(&connection, row))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

pub(crate) fn summary(connection: &Connection, row: &Row<'_>) -> rusqlite::Result<RunSummary> {
    let run_id: String = row.get(0)?;
    let counted: bool = row.get(8)?;
    let tokens = if counted { Some(receipt(sides(connection, &run_id)?, &basis_from(row, 9)?)) } else { None };
    Ok(RunSummary {
        run_id: RunId::from(run_id.as_str()),
        at_ms: row.get(1)?,
        // A later program may have added variants; its rows stay readable.
        language: named(row.get(2)?).unwrap_or(Language::JavaScript),
        status: named(row.get(3)?).unwrap_or(RunStatus::Fault),
        front: row.get(4)?,
        label: row.get(5)?,
        calls: row.get(6)?,
        wall_ms: row.get(7)?,
        tokens,
    })
}

/// A run's receipt and its calls' result tokens; `None` where it is unknown or was never counted.
pub(crate) fn stored_receipt(path: &Path, run: &RunId) -> Result<Option<(TokenReport, Vec<u64>)>, Error> {
    let connection = connect(path, false)?;
    let basis = connection
        .query_row(&format!("SELECT {BASIS} FROM runs r WHERE r.run_id = ? AND r.counted = 1"), [run.as_str()], |row| {
            basis_from(row, 0)
        })
        .optional()?;
    let Some(basis) = basis else { return Ok(None) };
    let mut statement = connection.prepare("SELECT result_tokens FROM calls WHERE run_id = ? ORDER BY position")?;
    let tokens = statement.query_map([run.as_str()], |row| row.get(0))?.collect::<Result<_, _>>()?;
    Ok(Some((receipt(sides(&connection, run.as_str())?, &basis), tokens)))
}

/// A run's calls in their order; with `sent`, those alone that the cache did not answer.
pub(crate) fn counted_calls(connection: &Connection, run: &str, sent: bool) -> rusqlite::Result<Vec<CountedCall>> {
    let mut statement = connection.prepare_cached(
        "SELECT server, tool, wave, output_tokens, result_tokens, exact, media, IFNULL(repeated, 0) FROM calls
         WHERE run_id = ?1 AND (cache = 'miss' OR NOT ?2) ORDER BY position",
    )?;
    let rows = statement.query_map(params![run, sent], |row| {
        let exact = row.get(5)?;
        let count = |tokens| Count { tokens, exact };
        Ok(CountedCall {
            server: row.get(0)?,
            tool: row.get(1)?,
            wave: row.get(2)?,
            output: count(row.get(3)?),
            result: count(row.get(4)?),
            media: row.get(6)?,
            repeated: row.get(7)?,
        })
    })?;
    rows.collect()
}

pub(crate) fn sides(connection: &Connection, run: &str) -> rusqlite::Result<Sides> {
    let mut sides = Sides::default();
    let mut statement = connection.prepare_cached(
        "SELECT side, definitions, output, results, turns, total, peak_context, cacheable FROM sides WHERE run_id = ?",
    )?;
    let mut rows = statement.query([run])?;
    while let Some(row) = rows.next()? {
        if let Some(side) = sides.get_mut(row.get::<_, usize>(0)?) {
            *side = side_from(row, 1)?;
        }
    }
    Ok(sides)
}

pub(crate) fn basis_from(row: &Row<'_>, first: usize) -> rusqlite::Result<Basis> {
    Ok(Basis {
        // A later program may count in more.
        encoding: Encoding::named(row.get_ref(first + 19)?.as_str()?).unwrap_or_default(),
        credited: row.get(first)?,
        estimated: row.get(first + 1)?,
        discoveries: row.get(first + 2)?,
        servers_known: row.get(first + 3)?,
        servers_all: row.get(first + 4)?,
        needed_known: row.get(first + 5)?,
        needed_all: row.get(first + 6)?,
        tools_known: row.get(first + 7)?,
        tools_all: row.get(first + 8)?,
        media: row.get(first + 9)?,
        repeated: row.get(first + 10)?,
        cap_tokens: row.get(first + 11)?,
        window_tokens: row.get(first + 12)?,
        waves: row.get(first + 13)?,
        folded: row.get(first + 14)?,
        compacted: [row.get(first + 15)?, row.get(first + 16)?, row.get(first + 17)?, row.get(first + 18)?],
    })
}
