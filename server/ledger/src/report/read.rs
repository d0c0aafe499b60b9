//! Reads the sums of a period from the rolled-up ones: whole blocks of 32 days, days at the edges of these, hours at the
//! edges of those.

use crate::cells::{CALL_COLUMNS, RUN_COLUMNS, add_call_row, add_run_row, sides_from_bytes};
use crate::keys::{Scope, find_scope, of_front};
use crate::report::front;
use crate::report::groups::{add_to_group, add_to_step};
use crate::report::narrow::Narrowing;
use crate::report::{DAY_MS, Period, PeriodSums};
use crate::rollup::Step;
use crate::sums::{CallKey, CallSums, RunKey, RunSums};
use model::report::{RunGroup, SeriesStep};
use rusqlite::{Connection, Row, params};
use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap};

/// When the sums by the hour begin: those from before were given up.
pub(crate) fn hours_since(connection: &Connection) -> rusqlite::Result<u64> {
    connection.prepare_cached("SELECT hours_since_ms FROM kept")?.query_row([], |row| row.get(0))
}

/// The begin of the oldest hour with a run or a call, or of its day, where the hours were given up.
pub(crate) fn oldest(connection: &Connection, hours_since: u64) -> rusqlite::Result<Option<u64>> {
    let Some(scope) = find_scope(connection, &Scope::default())? else { return Ok(None) };
    let first = |step: Step| -> rusqlite::Result<Option<u64>> {
        connection.query_row(
            "SELECT MIN(at_ms) FROM (SELECT MIN(at_ms) AS at_ms FROM run_sums WHERE scope = ?1 AND step = ?2
             UNION ALL SELECT MIN(at_ms) FROM call_sums WHERE scope = ?1 AND step = ?2)",
            params![scope, step as i64],
            |row| row.get(0),
        )
    };
    let day = first(Step::Day)?;
    if day.is_some_and(|day| day < hours_since) { Ok(day) } else { first(Step::Hour) }
}

/// The sums of a period. With `step`, runs in steps of that length too.
pub(crate) fn sums(
    connection: &Connection,
    period: Period,
    step: Option<Step>,
    narrowing: &Narrowing,
) -> rusqlite::Result<PeriodSums> {
    let scope = Scope {
        tag: narrowing.tag.clone().unwrap_or_default(),
        server: narrowing.server.clone().unwrap_or_default(),
        tool: narrowing.tool.clone().unwrap_or_default(),
    };
    let mut sums = PeriodSums::default();
    if let Some(scope) = find_scope(connection, &scope)? {
        run_sums(connection, scope, period, step, narrowing, &mut sums)?;
    }
    let tag = match &narrowing.front {
        Some(_) if narrowing.tag.is_some() => {
            sums.calls = front::call_sums(connection, period, narrowing)?;
            return Ok(sums);
        }
        Some(front) => of_front(front),
        None => scope.tag,
    };
    if let Some(scope) = find_scope(connection, &Scope { tag, ..Scope::default() })? {
        sums.calls = call_sums(connection, scope, period, narrowing)?;
    }
    Ok(sums)
}

/// The keys that a narrowing takes, by their numbers.
fn run_keys(connection: &Connection, narrowing: &Narrowing) -> rusqlite::Result<HashMap<i64, RunKey>> {
    let mut keys = HashMap::new();
    let mut statement = connection.prepare_cached("SELECT id, language, front, status, encoding FROM run_keys")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let key = RunKey { language: row.get(1)?, front: row.get(2)?, status: row.get(3)?, encoding: row.get(4)? };
        if narrowing.takes(&key.language, &key.status) && narrowing.takes_front(&key.front) {
            keys.insert(row.get(0)?, key);
        }
    }
    Ok(keys)
}

/// Hands over every sum over runs of a scope that a period is made of, in steps of `largest` at most: its begin, its key,
/// and its row with `columns` from the third on.
fn each_run_sum(
    connection: &Connection,
    (scope, period, largest): (i64, Period, Step),
    columns: &str,
    mut each: impl FnMut(u64, i64, &Row<'_>) -> rusqlite::Result<()>,
) -> rusqlite::Result<()> {
    let mut statement = connection.prepare_cached(&format!(
        "SELECT at_ms, key, {columns} FROM run_sums WHERE scope = ? AND step = ? AND at_ms >= ? AND at_ms < ?"
    ))?;
    for (step, within) in parts(period, largest) {
        let mut rows = statement.query(params![scope, step as i64, within.since_ms, within.until_ms])?;
        while let Some(row) = rows.next()? {
            each(row.get(0)?, row.get(1)?, row)?;
        }
    }
    Ok(())
}

fn run_sums(
    connection: &Connection,
    scope: i64,
    period: Period,
    step: Option<Step>,
    narrowing: &Narrowing,
    all: &mut PeriodSums,
) -> rusqlite::Result<()> {
    let keys = run_keys(connection, narrowing)?;
    let mut sums: HashMap<i64, RunSums> = HashMap::new();
    let mut series: BTreeMap<u64, SeriesStep> = BTreeMap::new();
    each_run_sum(connection, (scope, period, step.unwrap_or(Step::Block)), RUN_COLUMNS, |at_ms, key, row| {
        let Some(names) = keys.get(&key) else { return Ok(()) };
        add_run_row(sums.entry(key).or_default(), row, 2)?;
        if let Some(step) = step {
            let at_ms = step.begin_ms(at_ms);
            let of_step = series.entry(at_ms).or_insert_with(|| SeriesStep { at_ms, ..SeriesStep::default() });
            let (runs, calls) = (row.get(2)?, row.get(4)?);
            add_to_step(of_step, names, (runs, calls), row.get_ref(7)?.as_blob()?);
        }
        Ok(())
    })?;
    all.runs = sums.into_iter().map(|(key, sums)| (keys[&key].clone(), sums)).collect();
    all.runs.sort_by(|(one, _), (other, _)| one.cmp(other));
    all.series = series.into_values().collect();
    Ok(())
}

/// Counted runs of a period, whatever they called: all, and those that did not end well.
pub(crate) fn run_counts(
    connection: &Connection,
    period: Period,
    narrowing: &Narrowing,
) -> rusqlite::Result<(u64, u64)> {
    let scope = Scope { tag: narrowing.tag.clone().unwrap_or_default(), ..Scope::default() };
    let Some(scope) = find_scope(connection, &scope)? else { return Ok((0, 0)) };
    let keys = run_keys(connection, narrowing)?;
    let (mut all, mut failed) = (0, 0);
    each_run_sum(connection, (scope, period, Step::Block), "runs", |_, key, row| {
        let Some(key) = keys.get(&key) else { return Ok(()) };
        let runs: u64 = row.get(2)?;
        all += runs;
        failed += if key.status == "ok" { 0 } else { runs };
        Ok(())
    })?;
    Ok((all, failed))
}

fn call_sums(
    connection: &Connection,
    scope: i64,
    period: Period,
    narrowing: &Narrowing,
) -> rusqlite::Result<Vec<(CallKey, CallSums)>> {
    let mut sums: HashMap<i64, (CallKey, CallSums)> = HashMap::new();
    let mut statement = connection.prepare_cached("SELECT id, server, tool, language, run_status FROM call_keys")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let key = CallKey { server: row.get(1)?, tool: row.get(2)?, language: row.get(3)?, run_status: row.get(4)? };
        if narrowing.takes(&key.language, &key.run_status) && narrowing.calls(&key.server, &key.tool) {
            sums.insert(row.get(0)?, (key, CallSums::default()));
        }
    }
    let mut statement = connection.prepare_cached(&format!(
        "SELECT key, {CALL_COLUMNS} FROM call_sums WHERE scope = ? AND step = ? AND at_ms >= ? AND at_ms < ?"
    ))?;
    for (step, within) in parts(period, Step::Block) {
        let mut rows = statement.query(params![scope, step as i64, within.since_ms, within.until_ms])?;
        while let Some(row) = rows.next()? {
            if let Some((_, sum)) = sums.get_mut(&row.get(0)?) {
                add_call_row(sum, row, 1)?;
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
    let keys = run_keys(connection, narrowing)?;
    let mut groups = Vec::new();
    for (scope, tag) in scopes {
        if narrowing.tag.as_ref().is_some_and(|only| *only != tag) {
            continue;
        }
        let mut group = RunGroup { key: tag, ..RunGroup::default() };
        each_run_sum(connection, (scope, period, Step::Block), "runs, calls, sides", |_, key, row| {
            if let Some(key) = keys.get(&key) {
                let sides = sides_from_bytes(row.get_ref(4)?.as_blob()?);
                add_to_group(&mut group, key, (row.get(2)?, row.get(3)?), &sides);
            }
            Ok(())
        })?;
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
