//! What could be done better, from what was counted: tools to call directly, programs to keep as skills, servers that only
//! cost. Each with the numbers that say so.
//!
//! Thresholds: [`LONE_CALLS`] runs of one call that lost against direct calling; [`REPEATS`] runs of one program, by the
//! hash of its code; a server that no run used among [`RUNS_MIN`] at least. Looked at are the last [`LOOKED_AT`] runs of
//! the period at most, so that advice costs the same in a large ledger. Every token figure is computed.

use crate::report::{Period, PeriodSums};
use crate::text::grouped;
use model::RunId;
use model::report::{Advice, AdviceKind, DefinitionCost};
use rusqlite::{Connection, params};
use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap};
use std::fmt::Write as _;

/// Lone calls of a tool that lost, from which on it is worth a word.
const LONE_CALLS: u64 = 3;
/// Runs of one program from which on it is worth keeping.
const REPEATS: u64 = 3;
/// Runs without a use of a server, from which on that says something.
const RUNS_MIN: u64 = 10;
/// The last runs of a period that are looked at.
const LOOKED_AT: i64 = 2_000;

/// All advice on a period, most tokens first.
pub(crate) fn advice(
    connection: &Connection,
    period: Period,
    sums: &PeriodSums,
    definitions: &[DefinitionCost],
) -> rusqlite::Result<Vec<Advice>> {
    let mut all = call_directly(connection, period)?;
    for advice in &mut all {
        offered(advice, sums, definitions);
    }
    all.extend(save_as_skill(connection, period)?);
    all.extend(unused_servers(sums, definitions));
    all.sort_by_key(|advice| Reverse(advice.tokens));
    Ok(all)
}

/// Tools that programs called alone, where direct calling would have cost less.
fn call_directly(connection: &Connection, period: Period) -> rusqlite::Result<Vec<Advice>> {
    let mut statement = connection.prepare_cached(
        "SELECT c.server, c.tool, COUNT(*), SUM(code.total - direct.total), MAX(r.run_id)
         FROM (SELECT run_id, counted, calls, status, credited FROM runs INDEXED BY runs_by_time
               WHERE at_ms >= ?1 AND at_ms < ?2 ORDER BY at_ms DESC LIMIT ?3) r
         CROSS JOIN sides code ON code.run_id = r.run_id AND code.side = 0
         CROSS JOIN sides direct ON direct.run_id = r.run_id AND direct.side = 1
         CROSS JOIN calls c INDEXED BY calls_by_run ON c.run_id = r.run_id
         WHERE r.counted = 1 AND r.calls = 1 AND r.status = 'ok' AND r.credited = 1 AND code.total > direct.total
         GROUP BY 1, 2 HAVING COUNT(*) >= ?4",
    )?;
    let found = params![period.since_ms, period.until_ms, LOOKED_AT, LONE_CALLS];
    let rows = statement.query_map(found, |row| {
        let (server, tool): (String, String) = (row.get(0)?, row.get(1)?);
        let (times, tokens): (u64, u64) = (row.get(2)?, row.get(3)?);
        let run: String = row.get(4)?;
        let text = format!(
            "{times} programs did nothing but call {server}.{tool} once, which cost {} tokens more than calling it directly.",
            grouped(tokens)
        );
        Ok(Advice {
            kind: AdviceKind::CallDirectly,
            server: Some(server),
            tool: Some(tool),
            run_id: Some(RunId::from(run.as_str())),
            times,
            tokens,
            cost_tokens: None,
            text,
            setting: None,
        })
    })?;
    rows.collect()
}

/// What it would have cost to offer the tool beside our own, in every prompt of our side.
fn offered(advice: &mut Advice, sums: &PeriodSums, definitions: &[DefinitionCost]) {
    let is_it = |it: &&DefinitionCost| {
        advice.server.as_ref() == Some(&it.server) && advice.tool.as_ref() == Some(&it.tool) && it.tokens > 0
    };
    let Some(definition) = definitions.iter().find(is_it) else { return };
    let prompts: u64 = sums.runs.iter().map(|(_, sums)| u64::from(sums.sides[0].turns)).sum();
    let cost = definition.tokens * prompts;
    let more = if cost < advice.tokens { "" } else { ", more than it saves" };
    let _ = write!(
        advice.text,
        " Offered beside run_code, its definition of {} tokens would have cost {} in {} prompts{more}.",
        grouped(definition.tokens),
        grouped(cost),
        grouped(prompts)
    );
    advice.cost_tokens = Some(cost);
}

/// Programs that a model wrote again and again. What a person runs from a file is written once.
fn save_as_skill(connection: &Connection, period: Period) -> rusqlite::Result<Vec<Advice>> {
    let mut statement = connection.prepare_cached(
        "SELECT COUNT(*), SUM(code.output) - MAX(code.output), MAX(r.run_id), MAX(r.label)
         FROM (SELECT run_id, program, label, counted, status, front FROM runs INDEXED BY runs_by_time
               WHERE at_ms >= ?1 AND at_ms < ?2 ORDER BY at_ms DESC LIMIT ?3) r
         CROSS JOIN sides code ON code.run_id = r.run_id AND code.side = 0
         WHERE r.counted = 1 AND r.status = 'ok' AND r.program IS NOT NULL AND r.front <> 'cli'
         GROUP BY r.program HAVING COUNT(*) >= ?4 ORDER BY 2 DESC LIMIT 20",
    )?;
    let found = params![period.since_ms, period.until_ms, LOOKED_AT, REPEATS];
    let rows = statement.query_map(found, |row| {
        let (times, tokens): (u64, u64) = (row.get(0)?, row.get(1)?);
        let (run, label): (String, String) = (row.get(2)?, row.get(3)?);
        let text = format!(
            "The program `{label}` ran {times} times: kept as a skill, {} tokens need not have been written again.",
            grouped(tokens)
        );
        let run_id = Some(RunId::from(run.as_str()));
        let (kind, server, tool) = (AdviceKind::SaveAsSkill, None, None);
        Ok(Advice { kind, server, tool, run_id, times, tokens, cost_tokens: None, text, setting: None })
    })?;
    rows.collect()
}

/// Servers that no run used, though their definitions stood in every prompt of a host that loads all.
fn unused_servers(sums: &PeriodSums, definitions: &[DefinitionCost]) -> Vec<Advice> {
    let runs: u64 = sums.runs.iter().map(|(_, sums)| sums.runs).sum();
    let prompts: u64 = sums.runs.iter().map(|(_, sums)| u64::from(sums.sides[2].turns)).sum();
    if runs < RUNS_MIN || prompts == 0 {
        return Vec::new();
    }
    let mut servers: BTreeMap<&str, (u64, u64)> = BTreeMap::new();
    for tool in definitions {
        let (tokens, calls) = servers.entry(&tool.server).or_default();
        *tokens += tool.tokens;
        *calls += tool.calls;
    }
    let unused = servers.into_iter().filter(|(_, (tokens, calls))| *calls == 0 && *tokens > 0);
    let advice = |(server, (definitions, _)): (&str, (u64, u64))| {
        let tokens = definitions * prompts;
        let text = format!(
            "None of {runs} runs used {server}, whose definitions have {} tokens: in {} prompts of a host that loads all, {} tokens.",
            grouped(definitions),
            grouped(prompts),
            grouped(tokens)
        );
        let (kind, server, times) = (AdviceKind::UnusedServer, Some(server.to_owned()), prompts);
        Advice { kind, server, tool: None, run_id: None, times, tokens, cost_tokens: None, text, setting: None }
    };
    unused.map(advice).collect()
}

/// What the definitions of each tool cost that a configured server offers, largest first, with its calls in the period.
pub(crate) fn definitions(
    connection: &Connection,
    sums: &PeriodSums,
    configured: &[String],
) -> rusqlite::Result<Vec<DefinitionCost>> {
    let mut calls: HashMap<(&str, &str), u64> = HashMap::new();
    for (key, sums) in &sums.calls {
        *calls.entry((&key.server, &key.tool)).or_default() += sums.calls;
    }
    let mut all = Vec::new();
    let mut statement = connection.prepare_cached("SELECT tool, tokens FROM offered WHERE server = ?")?;
    for server in configured {
        let mut rows = statement.query([server])?;
        while let Some(row) = rows.next()? {
            let tool: String = row.get(0)?;
            let calls = calls.get(&(server.as_str(), tool.as_str())).copied().unwrap_or_default();
            all.push(DefinitionCost { server: server.clone(), tool, tokens: row.get(1)?, calls });
        }
    }
    all.sort_by_key(|definition| Reverse(definition.tokens));
    Ok(all)
}
