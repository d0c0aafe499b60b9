//! The lists of a report, which lead from a sum to the runs and calls in it.

use crate::reader::{BASIS, summary};
use crate::report::narrow::{Conditions, Narrowing};
use crate::report::read::run_counts;
use crate::report::{Period, PeriodSums};
use model::RunId;
use model::reply::RunSummary;
use model::report::CallRow;
use rusqlite::types::Value;
use rusqlite::{Connection, Row, params_from_iter};
use std::collections::BTreeSet;

/// Calls of a run that are given at most.
const CALLS_MAX: i64 = 10_000;
/// Failed runs, and calls with the largest answers, that are given at most, however long the other lists are.
const SHORT_MAX: usize = 100;

const CALL_COLUMNS: &str = "c.run_id, c.at_ms, c.server, c.tool, c.status, c.cache, c.wave, c.ms, c.output_tokens,
    c.result_tokens, c.result_bytes";

/// How the lists of one period are best read: which index leads to what is asked for in the fewest steps.
pub(crate) struct Plan<'a> {
    connection: &'a Connection,
    period: Period,
    narrowing: &'a Narrowing,
    /// Counted runs that are asked for, and of these, those that failed; and the same of all runs of the period, whatever
    /// they called.
    runs: (u64, u64),
    whatever: (u64, u64),
    /// Calls that are asked for, and calls ever counted.
    calls: u64,
    all_calls: u64,
    /// Calls of the period that are walked by their tools, and by the runs that are asked for, whatever they called.
    by_tool: u64,
    by_run: u64,
    /// Servers and tools that a call may be of, where one of them is asked for: all pairs of both are looked for.
    servers: Vec<String>,
    tools: Vec<String>,
}

impl<'a> Plan<'a> {
    pub(crate) fn new(
        connection: &'a Connection,
        period: Period,
        narrowing: &'a Narrowing,
        sums: &PeriodSums,
    ) -> rusqlite::Result<Self> {
        let (all_runs, all_calls): (u64, u64) =
            connection.query_row("SELECT runs, calls FROM tally", [], |row| Ok((row.get(0)?, row.get(1)?)))?;
        let (mut servers, mut tools) = (BTreeSet::new(), BTreeSet::new());
        for (key, _) in sums.calls.iter().filter(|(key, _)| narrowing.is_of_calls() && !key.is_direct()) {
            servers.insert(key.server.clone());
            tools.insert(key.tool.clone());
        }
        let runs = sums.runs.iter().map(|(_, sums)| sums.runs).sum();
        let failed = sums.runs.iter().filter(|(key, _)| key.status != "ok").map(|(_, sums)| sums.runs).sum();
        let whatever =
            if narrowing.is_of_calls() { run_counts(connection, period, narrowing)? } else { (runs, failed) };
        let calls = sums.calls.iter().filter(|(key, _)| !key.is_direct()).map(|(_, sums)| sums.calls).sum();
        let by_tool = if narrowing.is_of_calls() && narrowing.is_of_runs() {
            calls * run_counts(connection, period, &Narrowing::default())?.0 / whatever.0.max(1)
        } else {
            calls
        };
        Ok(Self {
            connection,
            period,
            narrowing,
            runs: (runs, failed),
            whatever,
            calls,
            all_calls,
            by_tool,
            by_run: whatever.0 * all_calls / all_runs.max(1),
            servers: servers.into_iter().collect(),
            tools: tools.into_iter().collect(),
        })
    }

    /// The runs, newest first; with `failed`, those that did not end well. Those not yet counted are among them, unless a
    /// call is asked for.
    pub(crate) fn runs(&self, failed: bool, limit: usize) -> rusqlite::Result<Vec<RunSummary>> {
        let (wanted, whatever) = if failed { (self.runs.1, self.whatever.1) } else { (self.runs.0, self.whatever.0) };
        if self.narrowing.is_of_calls() && wanted == 0 {
            return Ok(Vec::new());
        }
        let limit = if failed { limit.min(SHORT_MAX) } else { limit };
        // From the newest run back, until so many are found; or from the calls, all of which must then be sorted.
        let walked = limit as u64 * whatever / wanted.max(1);
        let by_calls = self.narrowing.is_of_calls() && walked.min(whatever) > self.by_tool;
        let (mut conditions, mut order) = (Conditions::default(), "r.at_ms DESC, r.run_id DESC");
        let from = if self.narrowing.tag.is_some() {
            self.narrowing.of_tags(self.period, &mut conditions);
            order = "t.at_ms DESC, t.run_id DESC";
            "run_tags t CROSS JOIN runs r ON r.run_id = t.run_id"
        } else if by_calls {
            "runs r"
        } else if failed {
            "runs r INDEXED BY runs_failed"
        } else {
            "runs r"
        };
        self.narrowing.of_runs(self.period, &mut conditions);
        if failed {
            conditions.and("r.status <> 'ok'");
        }
        if by_calls {
            conditions.and("r.run_id IN (SELECT c.run_id FROM calls c INDEXED BY calls_by_tool WHERE 1");
            self.narrowing.of_calls(self.period, (&self.servers, &self.tools), &mut conditions);
            conditions.text(")");
        } else if self.narrowing.is_of_calls() {
            conditions.and("EXISTS (SELECT 1 FROM calls c INDEXED BY calls_by_run WHERE c.run_id = r.run_id");
            self.narrowing.of_calls(self.period, (&self.servers, &self.tools), &mut conditions);
            conditions.text(")");
        }
        let mut statement = self.connection.prepare(&format!(
            "SELECT r.run_id, r.at_ms, r.language, r.status, r.front, r.label, r.calls, r.wall_ms, r.counted, {BASIS}
             FROM {from} WHERE 1{} ORDER BY {order} LIMIT {limit}",
            conditions.sql
        ))?;
        statement.query_map(params_from_iter(conditions.values), |row| summary(self.connection, row))?.collect()
    }

    /// The runs' calls with the largest answers.
    pub(crate) fn largest(&self, limit: usize) -> rusqlite::Result<Vec<CallRow>> {
        if self.calls == 0 {
            return Ok(Vec::new());
        }
        let limit = limit.min(SHORT_MAX);
        let walked = limit as u64 * self.all_calls / self.calls;
        let mut conditions = Conditions::default();
        let (from, with_runs) = if walked <= self.by_run.min(self.by_tool).max(1_000) {
            ("calls c INDEXED BY calls_by_size", false)
        } else if self.narrowing.is_of_calls() && self.by_tool <= self.by_run {
            ("calls c INDEXED BY calls_by_tool", false)
        } else if self.narrowing.tag.is_some() {
            self.narrowing.of_tags(self.period, &mut conditions);
            (
                "run_tags t CROSS JOIN runs r ON r.run_id = t.run_id CROSS JOIN calls c INDEXED BY calls_by_run ON c.run_id = r.run_id",
                true,
            )
        } else {
            ("runs r CROSS JOIN calls c INDEXED BY calls_by_run ON c.run_id = r.run_id", true)
        };
        self.narrowing.of_calls(self.period, (&self.servers, &self.tools), &mut conditions);
        let join =
            if with_runs || !self.narrowing.is_of_runs() { "" } else { " CROSS JOIN runs r ON r.run_id = c.run_id" };
        if with_runs || self.narrowing.is_of_runs() {
            self.narrowing.of_runs(self.period, &mut conditions);
        }
        if self.narrowing.tag.is_some() && !from.starts_with("run_tags") {
            conditions.and("c.run_id IN (SELECT t.run_id FROM run_tags t WHERE t.at_ms = c.at_ms");
            self.narrowing.of_tags(self.period, &mut conditions);
            conditions.text(")");
        }
        let mut statement = self.connection.prepare(&format!(
            "SELECT {CALL_COLUMNS} FROM {from}{join} WHERE 1{} ORDER BY c.result_tokens DESC LIMIT {limit}",
            conditions.sql
        ))?;
        statement.query_map(params_from_iter(conditions.values), call_row)?.collect()
    }
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
