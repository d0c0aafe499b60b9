//! A period's report, put together from sums and lists (`read.rs` has them read, `groups.rs` sorts them into groups).
//!
//! Invariants: the period is made definite and whole hours before anything is read, and every part is over that same
//! period and that same narrowing. Left out: dollars, which the caller adds at the price it knows, and the workspace's name, which the caller knows.

pub(crate) mod front;
pub(crate) mod groups;
pub(crate) mod lists;
pub(crate) mod narrow;
pub(crate) mod read;

use crate::advice::{advice, definitions};
use crate::error::Error;
use crate::receipt::sum;
use crate::retention::{NEWEST_KEPT, rows_since};
use crate::rollup::Step;
use crate::store::connect;
use crate::sums::{CallKey, CallSums, RunKey, RunSums};
use crate::text::{grouped, minute};
use groups::{call_groups, run_groups};
use model::TokenReport;
use model::report::{Asides, PeriodTotals, ReportFilter, ReportRequest, SavingsReport, SeriesStep};
use narrow::Narrowing;
use rusqlite::Connection;
use std::collections::BTreeMap;
use std::path::Path;

/// An hour and a day in milliseconds: the steps of a series.
pub(crate) const HOUR_MS: u64 = 3_600_000;
pub(crate) const DAY_MS: u64 = 24 * HOUR_MS;
/// Periods up to this long are shown by the hour.
const BY_HOUR_MAX_MS: u64 = 8 * DAY_MS;
/// Entries of a list where none are asked for, and at most.
const TOP: u32 = 20;
const TOP_MAX: u32 = 1_000;

/// `since_ms <= t < until_ms`, in whole hours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Period {
    pub(crate) since_ms: u64,
    pub(crate) until_ms: u64,
}

/// The sums of one period.
#[derive(Debug, Default)]
pub(crate) struct PeriodSums {
    pub(crate) runs: Vec<(RunKey, RunSums)>,
    /// The runs by steps with one at least, oldest first, where these were asked for.
    pub(crate) series: Vec<SeriesStep>,
    pub(crate) calls: Vec<(CallKey, CallSums)>,
}

/// Reads a report; `pending`, `problem` and the workspace's name are the caller's to fill in.
pub(crate) fn report(
    path: &Path,
    request: &ReportRequest,
    configured: &[String],
    now_ms: u64,
) -> Result<SavingsReport, Error> {
    let mut connection = connect(path, false)?;
    // One transaction: every part sees the same runs.
    let connection = connection.transaction()?;
    let narrowing = Narrowing::new(&request.only)?;
    let hours_since = read::hours_since(&connection)?;
    let period = period(&connection, request, now_ms, hours_since)?;
    let length = period.until_ms - period.since_ms;
    let step = if length <= BY_HOUR_MAX_MS && period.since_ms >= hours_since { Step::Hour } else { Step::Day };
    let sums = read::sums(&connection, period, Some(step), &narrowing)?;
    let plan = lists::Plan::new(&connection, period, &narrowing, &sums)?;
    let top = request.top.unwrap_or(TOP).clamp(1, TOP_MAX);
    let limit = top as usize;
    let mut report = SavingsReport {
        at_ms: now_ms,
        request: ReportRequest {
            since_ms: Some(period.since_ms),
            until_ms: Some(period.until_ms),
            top: Some(top),
            ..request.clone()
        },
        total: totals(period, &sums),
        step_ms: step.length_ms(),
        series: sums.series.clone(),
        servers: call_groups(&sums.calls, false, limit),
        tools: call_groups(&sums.calls, true, limit),
        languages: run_groups(&sums.runs, |key| &key.language),
        fronts: run_groups(&sums.runs, |key| &key.front),
        statuses: run_groups(&sums.runs, |key| &key.status),
        tags: read::tags(&connection, period, &narrowing, limit)?,
        results: plan.largest(limit)?,
        runs: plan.runs(false, limit)?,
        failed: plan.runs(true, limit)?,
        ..SavingsReport::default()
    };
    let mut definitions = definitions(&connection, &sums, configured)?;
    if request.only == ReportFilter::default() {
        report.advice = advice(&connection, period, &sums, &definitions)?;
        report.advice.truncate(limit);
    } else {
        definitions.retain(|definition| narrowing.calls(&definition.server, &definition.tool));
    }
    definitions.truncate(limit);
    report.definitions = definitions;
    if let Some(since_ms) = rows_since(&connection)?.filter(|since| *since > period.since_ms) {
        let by_both = narrowing.front.is_some() && narrowing.tag.is_some();
        let sums = if by_both { "every sum over runs" } else { "every sum" };
        let text = format!(
            "runs and calls from before {} were given up, the newest {} never for their size; {sums} still has them",
            minute(since_ms),
            grouped(NEWEST_KEPT.into())
        );
        report.total.tokens.labels.insert("kept".to_owned(), text);
    }
    if request.compare {
        let before = Period { since_ms: period.since_ms.saturating_sub(length), until_ms: period.since_ms };
        let before = read::widened(before, hours_since);
        report.before = Some(totals(before, &read::sums(&connection, before, None, &narrowing)?));
    }
    Ok(report)
}

/// The period asked for, widened to whole hours, and to whole days where only these are kept; from the oldest run or call to now where it
/// is open.
fn period(connection: &Connection, request: &ReportRequest, now_ms: u64, hours_since: u64) -> Result<Period, Error> {
    let until_ms = request.until_ms.unwrap_or(now_ms + 1).min(i64::MAX as u64 - HOUR_MS).next_multiple_of(HOUR_MS);
    let since_ms = match request.since_ms {
        Some(since_ms) => since_ms,
        None => read::oldest(connection, hours_since)?.unwrap_or(until_ms),
    };
    let since_ms = since_ms - since_ms % HOUR_MS;
    if since_ms > until_ms || request.since_ms.is_some() && since_ms == until_ms {
        return Err(Error::Request(format!("the period ends ({until_ms}) before it begins ({since_ms})")));
    }
    Ok(read::widened(Period { since_ms, until_ms }, hours_since))
}

/// The sums of a whole period.
fn totals(period: Period, sums: &PeriodSums) -> PeriodTotals {
    let (mut runs, mut failed_runs) = (RunSums::default(), 0);
    for (key, sums) in &sums.runs {
        runs.add(sums);
        failed_runs += if key.status == "ok" { 0 } else { sums.runs };
    }
    let mut calls = CallSums::default();
    for (_, sums) in sums.calls.iter().filter(|(key, _)| !key.is_direct()) {
        calls.add(sums);
    }
    let turns = |side: usize| i64::from(runs.sides[side].turns);
    PeriodTotals {
        since_ms: period.since_ms,
        until_ms: period.until_ms,
        runs: runs.runs,
        failed_runs,
        estimated_runs: runs.estimated,
        calls: calls.calls,
        failed_calls: calls.failed,
        cached_calls: calls.cached,
        cached_tokens: calls.cached_tokens,
        result_tokens: calls.result_tokens,
        turns_saved: turns(1) - turns(0),
        run_ms: runs.wall.percentiles(),
        call_ms: calls.took.percentiles(),
        tokens: mixed(sum(runs.sides, runs.runs, runs.estimated), &sums.runs),
        dollars: None,
        asides: Some(asides(sums)),
    }
}

/// Searches, failed attempts and direct calls.
fn asides(sums: &PeriodSums) -> Asides {
    let mut asides = Asides::default();
    for (key, sums) in &sums.runs {
        asides.searches += sums.searches;
        asides.search_tokens += sums.search_tokens;
        asides.failed_tokens += if key.status == "ok" { 0 } else { sums.sides[0].total };
    }
    for (_, sums) in sums.calls.iter().filter(|(key, _)| key.is_direct()) {
        asides.direct_calls += sums.calls;
        asides.direct_tokens += sums.output_tokens + sums.result_tokens;
    }
    asides
}

/// Says in what was counted, and how many runs in each where that was not the same for all.
fn mixed(mut tokens: TokenReport, runs: &[(RunKey, RunSums)]) -> TokenReport {
    let mut encodings: BTreeMap<&str, u64> = BTreeMap::new();
    for (key, sums) in runs {
        *encodings.entry(&key.encoding).or_default() += sums.runs;
    }
    match encodings.len() {
        0 => {}
        1 => tokens.encoding = encodings.into_keys().collect(),
        _ => {
            let noun = |runs: u64| if runs == 1 { "run" } else { "runs" };
            let each = encodings.iter().map(|(name, runs)| format!("{runs} {} in {name}", noun(*runs)));
            let each = each.collect::<Vec<_>>().join(", ");
            "mixed".clone_into(&mut tokens.encoding);
            let text = format!("{each}: the sums add tokens of different sizes");
            tokens.labels.insert("encoding".to_owned(), text);
        }
    }
    tokens
}
