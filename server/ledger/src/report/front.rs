//! Sums over the calls of one front's runs with one tag, read from the rows: sums are kept for each front and for each tag, but
//! not for both together, which few ask for.
//!
//! It costs what its period has in calls. Calls that were given up in time are no longer in it.

use crate::rebuild::call_from;
use crate::report::Period;
use crate::report::narrow::{Conditions, Narrowing};
use crate::sums::{CallKey, CallSums};
use rusqlite::{Connection, params_from_iter};
use std::collections::HashMap;

/// The sums of a period's calls, narrowed by the front and a tag.
pub(crate) fn call_sums(
    connection: &Connection,
    period: Period,
    narrowing: &Narrowing,
) -> rusqlite::Result<Vec<(CallKey, CallSums)>> {
    let mut conditions = Conditions::default();
    narrowing.of_runs(period, &mut conditions);
    if narrowing.tag.is_some() {
        conditions.and("r.run_id IN (SELECT t.run_id FROM run_tags t WHERE t.at_ms = r.at_ms");
        narrowing.of_tags(period, &mut conditions);
        conditions.text(")");
    }
    let mut statement = connection.prepare(&format!(
        "SELECT c.server, c.tool, c.status, c.cache, c.output_tokens, c.result_tokens, c.result_bytes, c.ms, r.language,
                r.status
         FROM runs r INDEXED BY runs_by_time CROSS JOIN calls c INDEXED BY calls_by_run ON c.run_id = r.run_id
         WHERE r.counted = 1{}",
        conditions.sql
    ))?;
    let mut rows = statement.query(params_from_iter(conditions.values))?;
    let mut sums: HashMap<CallKey, CallSums> = HashMap::new();
    while let Some(row) = rows.next()? {
        let (language, status): (String, String) = (row.get(8)?, row.get(9)?);
        let (key, one) = call_from(row, &language, &status)?;
        if narrowing.calls(&key.server, &key.tool) {
            sums.entry(key).or_default().add(&one);
        }
    }
    Ok(sums.into_iter().collect())
}
