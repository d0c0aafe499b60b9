//! Makes the sums anew from the rows: for a database of an older schema, which had none.

use crate::histogram::Histogram;
use crate::reader::sides;
use crate::rollup::Batch;
use crate::sums::{CallKey, CallSums, DIRECT, RunKey, RunSums};
use rusqlite::{Row, Transaction};

/// Runs added up between two writes.
const RUNS_AT_ONCE: usize = 2_000;

/// Adds every counted run and every direct call to sums that are empty.
pub(crate) fn rebuild(transaction: &Transaction<'_>) -> rusqlite::Result<()> {
    let mut batch = Batch::default();
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
            batch.write(transaction)?;
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
    batch.write(transaction)
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
        status: row.get(2)?,
        cache: row.get(3)?,
        language: language.to_owned(),
        run_status: run_status.to_owned(),
    };
    let mut took = Histogram::default();
    took.record(row.get(7)?);
    let sums =
        CallSums { calls: 1, output_tokens: row.get(4)?, result_tokens: row.get(5)?, result_bytes: row.get(6)?, took };
    Ok((key, sums))
}
