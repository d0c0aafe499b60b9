//! Reads the sums of a period.

use crate::histogram::Histogram;
use crate::reader::sides;
use crate::report::narrow::Narrowing;
use crate::report::{Period, PeriodSums};
use crate::sums::{CallKey, CallSums, RunKey, RunSums};
use model::report::RunGroup;
use rusqlite::{Connection, OptionalExtension, params_from_iter};
use std::collections::BTreeMap;

/// The oldest run's time.
pub(crate) fn oldest(connection: &Connection) -> rusqlite::Result<Option<u64>> {
    connection.query_row("SELECT at_ms FROM runs ORDER BY at_ms LIMIT 1", [], |row| row.get(0)).optional()
}

/// The sums of a period, in steps.
pub(crate) fn sums(
    connection: &Connection,
    period: Period,
    step_ms: u64,
    narrowing: &Narrowing,
) -> rusqlite::Result<PeriodSums> {
    Ok(PeriodSums {
        runs: run_sums(connection, period, step_ms, narrowing)?,
        calls: call_sums(connection, period, narrowing)?,
    })
}

fn run_sums(
    connection: &Connection,
    period: Period,
    step_ms: u64,
    narrowing: &Narrowing,
) -> rusqlite::Result<Vec<(u64, RunKey, RunSums)>> {
    let conditions = narrowing.of_runs(period);
    let mut statement = connection.prepare(&format!(
        "SELECT r.run_id, r.at_ms, r.language, r.front, r.status, r.estimated, r.calls, r.wall_ms FROM runs r
         WHERE r.counted = 1 AND {}",
        conditions.sql
    ))?;
    let mut rows = statement.query(params_from_iter(conditions.values))?;
    let mut sums: BTreeMap<(u64, RunKey), RunSums> = BTreeMap::new();
    while let Some(row) = rows.next()? {
        let (run_id, at_ms): (String, u64) = (row.get(0)?, row.get(1)?);
        let key = RunKey {
            language: row.get(2)?,
            front: row.get(3)?,
            status: row.get(4)?,
            encoding: crate::ENCODING.to_owned(),
        };
        let one = RunSums::of_one(&sides(connection, &run_id)?, row.get(5)?, row.get(6)?, row.get(7)?);
        sums.entry((at_ms - at_ms % step_ms, key)).or_default().add(&one);
    }
    Ok(sums.into_iter().map(|((at_ms, key), sums)| (at_ms, key, sums)).collect())
}

fn call_sums(
    connection: &Connection,
    period: Period,
    narrowing: &Narrowing,
) -> rusqlite::Result<Vec<(CallKey, CallSums)>> {
    let conditions = narrowing.of_calls(period);
    let mut statement = connection.prepare(&format!(
        "SELECT c.server, c.tool, c.status, c.cache, r.language, r.status, c.output_tokens, c.result_tokens,
                c.result_bytes, c.ms
         FROM calls c JOIN runs r ON r.run_id = c.run_id WHERE {}",
        conditions.sql
    ))?;
    let mut rows = statement.query(params_from_iter(conditions.values))?;
    let mut sums: BTreeMap<CallKey, CallSums> = BTreeMap::new();
    while let Some(row) = rows.next()? {
        let key = CallKey {
            server: row.get(0)?,
            tool: row.get(1)?,
            status: row.get(2)?,
            cache: row.get(3)?,
            language: row.get(4)?,
            run_status: row.get(5)?,
        };
        let mut took = Histogram::default();
        took.record(row.get(9)?);
        sums.entry(key).or_default().add(&CallSums {
            calls: 1,
            output_tokens: row.get(6)?,
            result_tokens: row.get(7)?,
            result_bytes: row.get(8)?,
            took,
        });
    }
    Ok(sums.into_iter().collect())
}

/// Runs by tag. No run has one yet.
pub(crate) fn tags(_: &Connection, _: Period, _: &Narrowing, _: usize) -> rusqlite::Result<Vec<RunGroup>> {
    Ok(Vec::new())
}
