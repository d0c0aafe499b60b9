//! The lists of a report, which lead from a sum to the runs and calls in it.

use crate::reader::{BASIS, summary};
use crate::report::Period;
use crate::report::narrow::Narrowing;
use model::RunId;
use model::reply::RunSummary;
use model::report::CallRow;
use rusqlite::types::Value;
use rusqlite::{Connection, Row, params_from_iter};

/// Calls of a run that are given at most.
const CALLS_MAX: i64 = 10_000;

const CALL_COLUMNS: &str = "c.run_id, c.at_ms, c.server, c.tool, c.status, c.cache, c.wave, c.ms, c.output_tokens,
    c.result_tokens, c.result_bytes";

/// The runs of a period, newest first; with `failed`, those that did not end well.
pub(crate) fn runs(
    connection: &Connection,
    period: Period,
    narrowing: &Narrowing,
    failed: bool,
    limit: usize,
) -> rusqlite::Result<Vec<RunSummary>> {
    let mut conditions = narrowing.of_runs(period);
    if failed {
        conditions.sql.push_str(" AND r.status <> 'ok'");
    }
    let mut statement = connection.prepare(&format!(
        "SELECT r.run_id, r.at_ms, r.language, r.status, r.front, r.label, r.calls, r.wall_ms, r.counted, {BASIS}
         FROM runs r WHERE {} ORDER BY r.at_ms DESC, r.run_id DESC LIMIT {limit}",
        conditions.sql
    ))?;
    statement.query_map(params_from_iter(conditions.values), |row| summary(connection, row))?.collect()
}

/// The calls of a period with the largest answers.
pub(crate) fn largest(
    connection: &Connection,
    period: Period,
    narrowing: &Narrowing,
    limit: usize,
) -> rusqlite::Result<Vec<CallRow>> {
    let conditions = narrowing.of_calls(period);
    let mut statement = connection.prepare(&format!(
        "SELECT {CALL_COLUMNS} FROM calls c JOIN runs r ON r.run_id = c.run_id WHERE {}
         ORDER BY c.result_tokens DESC LIMIT {limit}",
        conditions.sql
    ))?;
    statement.query_map(params_from_iter(conditions.values), call_row)?.collect()
}

/// The calls of one run in their order, 10,000 at most.
pub(crate) fn calls_of(connection: &Connection, run: &RunId) -> rusqlite::Result<Vec<CallRow>> {
    let mut statement = connection
        .prepare(&format!("SELECT {CALL_COLUMNS} FROM calls c WHERE c.run_id = ? ORDER BY c.position LIMIT ?"))?;
    let values = [Value::Text(run.as_str().to_owned()), Value::Integer(CALLS_MAX)];
    statement.query_map(params_from_iter(values), call_row)?.collect()
}

fn call_row(row: &Row<'_>) -> rusqlite::Result<CallRow> {
    Ok(CallRow {
        run_id: row.get::<_, Option<String>>(0)?.map(|id| RunId::from(id.as_str())),
        at_ms: row.get(1)?,
        server: row.get(2)?,
        tool: row.get(3)?,
        status: row.get(4)?,
        cache: row.get(5)?,
        wave: row.get(6)?,
        ms: row.get(7)?,
        output_tokens: row.get(8)?,
        result_tokens: row.get(9)?,
        result_bytes: row.get(10)?,
    })
}
