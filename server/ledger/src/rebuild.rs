//! Makes the sums anew from the rows, for a database of an older schema, which had none; or from sums of an older form.

use crate::cells::{Cell, add_calls, add_run_row, add_runs};
use crate::histogram::Histogram;
use crate::keys::Keys;
use crate::reader::sides;
use crate::rollup::{Batch, Step};
use crate::sums::{CallKey, CallSums, DIRECT, OneCall, RunKey, RunSums};
use rusqlite::{Row, Transaction, params};
use std::collections::BTreeMap;

/// Runs added up between two writes.
const RUNS_AT_ONCE: usize = 2_000;

/// Adds every counted run and every direct call to sums that are empty.
pub(crate) fn rebuild(transaction: &Transaction<'_>) -> rusqlite::Result<()> {
    let (mut batch, mut keys) = (Batch::default(), Keys::default());
    let mut runs = transaction.prepare(
        "SELECT run_id, at_ms, language, front, status, encoding, IFNULL(estimated, 0), calls, wall_ms, tags,
                IFNULL(discoveries, 0), search_tokens
         FROM runs WHERE counted = 1 ORDER BY at_ms",
    )?;
    let mut rows = runs.query([])?;
    let mut waiting = 0;
    while let Some(row) = rows.next()? {
        let run_id: String = row.get(0)?;
        let key = RunKey { language: row.get(2)?, front: row.get(3)?, status: row.get(4)?, encoding: row.get(5)? };
        let one = RunSums::of_one(&sides(transaction, &run_id)?, row.get(6)?, row.get(7)?, row.get(8)?);
        let sums = RunSums { searches: row.get(10)?, search_tokens: row.get(11)?, ..one };
        let tags: String = row.get(9)?;
        let tags: Vec<String> = tags.lines().map(str::to_owned).collect();
        batch.add_run(row.get(1)?, &key, &tags, &sums, &calls_of(transaction, &run_id, &key)?);
        waiting += 1;
        if waiting % RUNS_AT_ONCE == 0 {
            batch.write(transaction, &mut keys)?;
        }
    }
    let mut direct = transaction.prepare(
        "SELECT server, tool, status, cache, output_tokens, result_tokens, result_bytes, ms, at_ms FROM calls
         WHERE run_id IS NULL",
    )?;
    let mut rows = direct.query([])?;
    while let Some(row) = rows.next()? {
        let (key, sums) = call_from(row, "", DIRECT)?;
        batch.add_direct(row.get(8)?, key, &sums);
    }
    batch.write(transaction, &mut keys)
}

fn calls_of(transaction: &Transaction<'_>, run: &str, key: &RunKey) -> rusqlite::Result<Vec<(CallKey, CallSums)>> {
    transaction
        .prepare_cached(
            "SELECT server, tool, status, cache, output_tokens, result_tokens, result_bytes, ms FROM calls
             WHERE run_id = ?",
        )?
        .query_map([run], |row| call_from(row, &key.language, &key.status))?
        .collect()
}

/// One call from the eight columns that its sums are made of.
pub(crate) fn call_from(row: &Row<'_>, language: &str, run_status: &str) -> rusqlite::Result<(CallKey, CallSums)> {
    let key = CallKey {
        server: row.get(0)?,
        tool: row.get(1)?,
        language: language.to_owned(),
        run_status: run_status.to_owned(),
    };
    let sums = CallSums::of_one(OneCall {
        status: row.get_ref(2)?.as_str()?,
        cache: row.get_ref(3)?.as_str()?,
        output_tokens: row.get(4)?,
        result_tokens: row.get(5)?,
        result_bytes: row.get(6)?,
        ms: row.get(7)?,
    });
    Ok((key, sums))
}

/// Brings the sums of version 4 into their form since: how calls ended was part of their key, and runs had no blocks. The
/// rows may be gone, so that sums are made of sums.
pub(crate) fn refold(transaction: &Transaction<'_>) -> rusqlite::Result<()> {
    let mut keys = Keys::default();
    let mut statement = transaction.prepare(
        "SELECT s.scope, s.step, s.at_ms, k.server, k.tool, k.language, k.run_status, k.status, k.cache, s.calls,
                s.output_tokens, s.result_tokens, s.result_bytes, s.took
         FROM old_call_sums s JOIN old_call_keys k ON k.id = s.key",
    )?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let step: i64 = row.get(1)?;
        let Some(step) = Step::ALL.into_iter().find(|known| *known as i64 == step) else { continue };
        let key = CallKey { server: row.get(3)?, tool: row.get(4)?, language: row.get(5)?, run_status: row.get(6)? };
        let cell = Cell { scope: row.get(0)?, step, at_ms: row.get(2)?, key: keys.call(transaction, &key)? };
        let (calls, result_tokens): (u64, u64) = (row.get(9)?, row.get(11)?);
        let (failed, cached) = (row.get_ref(7)?.as_str()? != "ok", row.get_ref(8)?.as_str()? != "miss");
        let mut took = Histogram::default();
        took.add_bytes(row.get_ref(13)?.as_blob()?);
        let sums = CallSums {
            calls,
            failed: if failed { calls } else { 0 },
            cached: if cached { calls } else { 0 },
            cached_tokens: if cached { result_tokens } else { 0 },
            output_tokens: row.get(10)?,
            result_tokens,
            result_bytes: row.get(12)?,
            took,
        };
        add_calls(transaction, cell, &sums)?;
    }
    let scopes: Vec<i64> =
        transaction.prepare("SELECT id FROM scopes")?.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?;
    scopes.into_iter().try_for_each(|scope| blocks(transaction, scope))?;
    fronts(transaction, &mut keys)
}

/// Adds up the calls of each front, of which there were no sums.
fn fronts(transaction: &Transaction<'_>, keys: &mut Keys) -> rusqlite::Result<()> {
    let mut batch = Batch::default();
    let mut statement = transaction.prepare(
        "SELECT c.server, c.tool, c.status, c.cache, c.output_tokens, c.result_tokens, c.result_bytes, c.ms, r.language,
                r.status, r.front, r.at_ms
         FROM runs r INDEXED BY runs_by_time CROSS JOIN calls c INDEXED BY calls_by_run ON c.run_id = r.run_id
         WHERE r.counted = 1 ORDER BY r.at_ms",
    )?;
    let mut rows = statement.query([])?;
    let mut waiting = 0;
    while let Some(row) = rows.next()? {
        let (language, status, front): (String, String, String) = (row.get(8)?, row.get(9)?, row.get(10)?);
        batch.add_front(row.get(11)?, &front, &[call_from(row, &language, &status)?]);
        waiting += 1;
        if waiting % (RUNS_AT_ONCE * 10) == 0 {
            batch.write(transaction, keys)?;
        }
    }
    batch.write(transaction, keys)
}

/// Adds the days of a scope's runs up to blocks.
fn blocks(transaction: &Transaction<'_>, scope: i64) -> rusqlite::Result<()> {
    let mut blocks: BTreeMap<Cell, RunSums> = BTreeMap::new();
    let mut statement = transaction.prepare_cached(&format!(
        "SELECT at_ms, key, {} FROM run_sums WHERE scope = ? AND step = ?",
        crate::cells::RUN_COLUMNS
    ))?;
    let mut rows = statement.query(params![scope, Step::Day as i64])?;
    while let Some(row) = rows.next()? {
        let at_ms = Step::Block.begin_ms(row.get(0)?);
        let cell = Cell { scope, step: Step::Block, at_ms, key: row.get(1)? };
        add_run_row(blocks.entry(cell).or_default(), row, 2)?;
    }
    drop(rows);
    blocks.iter().try_for_each(|(cell, sums)| add_runs(transaction, *cell, sums))
}
