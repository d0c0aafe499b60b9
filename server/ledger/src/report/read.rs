//! Reads the sums of a period from the rolled-up ones: whole blocks of 32 days, days at the edges of these, hours at the
//! edges of those.

use crate::report::front;
use crate::report::groups::add_to_group;
use crate::report::narrow::Narrowing;
use crate::report::{DAY_MS, Period, PeriodSums};
use crate::rollup::{Scope, Step, call_sums_from, find_scope, run_sums_from};
use crate::sums::{CallKey, CallSums, RunKey, RunSums};
use model::report::RunGroup;
use rusqlite::{Connection, params};
use std::cmp::Reverse;
use std::collections::HashMap;

/// When the sums by the hour begin: those from before were given up.
pub(crate) fn hours_since(connection: &Connection) -> rusqlite::Result<u64> {
    connection.query_row("SELECT hours_since_ms FROM kept", [], |row| row.get(0))
}

/// The begin of the oldest hour with a run, or of its day, where the hours were given up.
pub(crate) fn oldest(connection: &Connection, hours_since: u64) -> rusqlite::Result<Option<u64>> {
    let Some(scope) = find_scope(connection, &Scope::default())? else { return Ok(None) };
    let first = |step: Step| -> rusqlite::Result<Option<u64>> {
        connection.query_row(
            "SELECT MIN(at_ms) FROM run_sums WHERE scope = ? AND step = ?",
            params![scope, step as i64],
            |row| row.get(0),
        )
    };
    let day = first(Step::Day)?;
    if day.is_some_and(|day| day < hours_since) { Ok(day) } else { first(Step::Hour) }
}

/// The sums of a period. Those of runs are in steps of `step`.
pub(crate) fn sums(
    connection: &Connection,
    period: Period,
    step: Step,
    narrowing: &Narrowing,
) -> rusqlite::Result<PeriodSums> {
    let scope = Scope {
        tag: narrowing.tag.clone().unwrap_or_default(),
        server: narrowing.server.clone().unwrap_or_default(),
        tool: narrowing.tool.clone().unwrap_or_default(),
    };
    let runs = match find_scope(connection, &scope)? {
        Some(scope) => run_sums(connection, scope, period, step, narrowing)?,
        None => Vec::new(),
    };
    if narrowing.front.is_some() {
        return Ok(PeriodSums { runs, calls: front::call_sums(connection, period, narrowing)? });
    }
    let scope = Scope { tag: scope.tag, ..Scope::default() };
    let calls = match find_scope(connection, &scope)? {
        Some(scope) => call_sums(connection, scope, period, narrowing)?,
        None => Vec::new(),
    };
    Ok(PeriodSums { runs, calls })
}

fn run_sums(
    connection: &Connection,
    scope: i64,
    period: Period,
    step: Step,
    narrowing: &Narrowing,
) -> rusqlite::Result<Vec<(u64, RunKey, RunSums)>> {
    let mut keys: HashMap<i64, RunKey> = HashMap::new();
    let mut statement = connection.prepare_cached("SELECT id, language, front, status, encoding FROM run_keys")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let key = RunKey { language: row.get(1)?, front: row.get(2)?, status: row.get(3)?, encoding: row.get(4)? };
        if narrowing.takes(&key.language, &key.status) && narrowing.takes_front(&key.front) {
            keys.insert(row.get(0)?, key);
        }
    }
    let mut sums: HashMap<(u64, i64), RunSums> = HashMap::new();
    let mut statement = connection.prepare_cached(
        "SELECT at_ms, key, runs, estimated, calls, searches, search_tokens, sides, wall FROM run_sums
         WHERE scope = ? AND step = ? AND at_ms >= ? AND at_ms < ?",
    )?;
    for (part, within) in parts(period, step) {
        let mut rows = statement.query(params![scope, part as i64, within.since_ms, within.until_ms])?;
        while let Some(row) = rows.next()? {
            let (at_ms, key): (u64, i64) = (row.get(0)?, row.get(1)?);
            if keys.contains_key(&key) {
                sums.entry((at_ms - at_ms % step.length_ms(), key)).or_default().add(&run_sums_from(row, 2)?);
            }
        }
    }
    Ok(sums.into_iter().map(|((at_ms, key), sums)| (at_ms, keys[&key].clone(), sums)).collect())
}

fn call_sums(
    connection: &Connection,
    scope: i64,
    period: Period,
    narrowing: &Narrowing,
) -> rusqlite::Result<Vec<(CallKey, CallSums)>> {
    let mut sums: HashMap<i64, (CallKey, CallSums)> = HashMap::new();
    let mut statement =
        connection.prepare_cached("SELECT id, server, tool, status, cache, language, run_status FROM call_keys")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let key = CallKey {
            server: row.get(1)?,
            tool: row.get(2)?,
            status: row.get(3)?,
            cache: row.get(4)?,
            language: row.get(5)?,
            run_status: row.get(6)?,
        };
        if narrowing.takes(&key.language, &key.run_status) && narrowing.calls(&key.server, &key.tool) {
            sums.insert(row.get(0)?, (key, CallSums::default()));
        }
    }
    let mut statement = connection.prepare_cached(
        "SELECT key, calls, output_tokens, result_tokens, result_bytes, took FROM call_sums
         WHERE scope = ? AND step = ? AND at_ms >= ? AND at_ms < ?",
    )?;
    for (step, within) in parts(period, Step::Block) {
        let mut rows = statement.query(params![scope, step as i64, within.since_ms, within.until_ms])?;
        while let Some(row) = rows.next()? {
            if let Some((_, sum)) = sums.get_mut(&row.get(0)?) {
                sum.add(&call_sums_from(row, 1)?);
            }
        }
    }
    Ok(sums.into_values().filter(|(_, sums)| sums.calls > 0).collect())
}

/// A period as parts in steps of `step` at most: the largest that fit, and smaller ones at both ends.
fn parts(period: Period, step: Step) -> Vec<(Step, Period)> {
    let Period { since_ms, until_ms } = period;
    let (first, last) = (since_ms.next_multiple_of(step.length_ms()), until_ms - until_ms % step.length_ms());
    let smaller = match step {
        Step::Hour => return vec![(Step::Hour, period)],
        Step::Day => Step::Hour,
        Step::Block => Step::Day,
    };
    if first >= last {
        return parts(period, smaller);
    }
    let mut all = vec![(step, Period { since_ms: first, until_ms: last })];
    for end in [Period { since_ms, until_ms: first }, Period { since_ms: last, until_ms }] {
        if end.since_ms < end.until_ms {
            all.extend(parts(end, smaller));
        }
    }
    all
}

/// Runs by tag, most runs first. Narrowed to a tag, only that one's.
pub(crate) fn tags(
    connection: &Connection,
    period: Period,
    narrowing: &Narrowing,
    limit: usize,
) -> rusqlite::Result<Vec<RunGroup>> {
    let mut statement =
        connection.prepare_cached("SELECT id, tag FROM scopes WHERE tag <> '' AND server = ? AND tool = ?")?;
    let parts = params![narrowing.server.as_deref().unwrap_or(""), narrowing.tool.as_deref().unwrap_or("")];
    let scopes: Vec<(i64, String)> =
        statement.query_map(parts, |row| Ok((row.get(0)?, row.get(1)?)))?.collect::<Result<_, _>>()?;
    let mut groups = Vec::new();
    for (scope, tag) in scopes {
        if narrowing.tag.as_ref().is_some_and(|only| *only != tag) {
            continue;
        }
        let mut group = RunGroup { key: tag, ..RunGroup::default() };
        for (_, key, sums) in run_sums(connection, scope, period, Step::Day, narrowing)? {
            add_to_group(&mut group, &key, &sums);
        }
        if group.runs > 0 {
            groups.push(group);
        }
    }
    groups.sort_by_key(|group| Reverse(group.runs));
    groups.truncate(limit);
    Ok(groups)
}

/// Widens a period to whole days where the sums by the hour were given up.
pub(crate) fn widened(period: Period, hours_since: u64) -> Period {
    let Period { mut since_ms, mut until_ms } = period;
    if since_ms < hours_since {
        since_ms -= since_ms % DAY_MS;
    }
    if until_ms < hours_since {
        until_ms = until_ms.next_multiple_of(DAY_MS);
    }
    Period { since_ms, until_ms }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_parts_of_a_period_cover_it_once() {
        let hour = Step::Hour.length_ms();
        for (since, until) in [(0, 0), (5, 7), (0, 24), (23, 49), (1, 32 * 24 * 3 + 5), (767, 769), (768, 2 * 768)] {
            let mut covered: Vec<u64> = Vec::new();
            for (step, part) in parts(Period { since_ms: since * hour, until_ms: until * hour }, Step::Block) {
                assert_eq!((part.since_ms % step.length_ms(), part.until_ms % step.length_ms()), (0, 0));
                covered.extend(part.since_ms / hour..part.until_ms / hour);
            }
            covered.sort_unstable();
            assert_eq!(covered, (since..until).collect::<Vec<_>>());
        }
    }

    #[test]
    fn a_period_from_before_the_hours_is_widened_to_days() {
        let period = Period { since_ms: DAY_MS + 5, until_ms: 9 * DAY_MS + 5 };
        assert_eq!(widened(period, 0), period);
        assert_eq!(widened(period, 3 * DAY_MS), Period { since_ms: DAY_MS, ..period });
        assert_eq!(widened(period, 20 * DAY_MS), Period { since_ms: DAY_MS, until_ms: 10 * DAY_MS });
    }
}
