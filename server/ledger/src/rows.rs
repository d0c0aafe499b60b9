//! Writes the rows of runs, calls and searches. Shared by what is counted here and by what is taken in from elsewhere.

use crate::count::Count;
use crate::facts::RunFacts;
use crate::receipt::{Basis, Exchange, Sides};
use model::ConversationId;
use model::tokens::SideTokens;
use rusqlite::{Transaction, params};

/// Calls that are written or dropped in one transaction, but for a run with more of them: some tens of milliseconds, while
/// others wait for the database.
pub(crate) const CALLS_AT_ONCE: usize = 2_000;

/// A call as it is stored. Wire names.
#[derive(Clone, Copy, Debug)]
pub(crate) struct StoredCall<'a> {
    pub(crate) server: &'a str,
    pub(crate) tool: &'a str,
    pub(crate) status: &'a str,
    pub(crate) cache: &'a str,
    pub(crate) wave: u32,
    pub(crate) ms: f64,
    pub(crate) argument_bytes: u64,
    pub(crate) result_bytes: u64,
    pub(crate) media: u32,
    pub(crate) output_tokens: u64,
    pub(crate) result_tokens: u64,
    pub(crate) exact: bool,
    /// Unknown of calls that were counted before it was kept.
    pub(crate) repeated: Option<bool>,
}

/// Writes a run that is about to be counted; whether it was not there yet.
pub(crate) fn insert_run(
    transaction: &Transaction<'_>,
    facts: &RunFacts,
    code_bytes: u64,
    reply_bytes: u64,
) -> rusqlite::Result<bool> {
    let tags = facts.kept_tags();
    let added = transaction
        .prepare_cached(
            "INSERT OR IGNORE INTO runs (run_id, conversation, at_ms, front, language, status, label, wall_ms, calls,
             code_bytes, reply_bytes, tags, program) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        )?
        .execute(params![
            facts.run_id.as_str(),
            facts.conversation.as_str(),
            facts.at_ms,
            facts.front,
            facts.language.as_str(),
            facts.status.as_str(),
            facts.label(),
            facts.wall_ms,
            facts.calls.len(),
            code_bytes,
            reply_bytes,
            tags.join("\n"),
            facts.program.as_bytes(),
        ])?;
    if added == 0 {
        return Ok(false);
    }
    for tag in &tags {
        transaction.prepare_cached("INSERT OR IGNORE INTO run_tags VALUES (?, ?, ?)")?.execute(params![
            tag,
            facts.at_ms,
            facts.run_id.as_str()
        ])?;
    }
    Ok(true)
}

/// Whether a run that is there was counted.
pub(crate) fn is_counted(transaction: &Transaction<'_>, facts: &RunFacts) -> rusqlite::Result<bool> {
    transaction
        .prepare_cached("SELECT counted FROM runs WHERE run_id = ?")?
        .query_row([facts.run_id.as_str()], |row| row.get(0))
}

/// The exchanges of the conversation that no run has paid for; from now on this one has. Most runs find none, so that is
/// looked up before anything is written.
pub(crate) fn charge_discoveries(transaction: &Transaction<'_>, facts: &RunFacts) -> rusqlite::Result<Vec<Exchange>> {
    let conversation = facts.conversation.as_str();
    let exchanges: Vec<Exchange> = transaction
        .prepare_cached(
            "SELECT argument_tokens, result_tokens, exact FROM discoveries WHERE conversation = ? AND run_id IS NULL
             ORDER BY id",
        )?
        .query_map([conversation], |row| {
            let exact = row.get(2)?;
            let count = |tokens| Count { tokens, exact };
            Ok(Exchange { arguments: count(row.get(0)?), result: count(row.get(1)?) })
        })?
        .collect::<rusqlite::Result<_>>()?;
    if !exchanges.is_empty() {
        transaction
            .prepare_cached("UPDATE discoveries SET run_id = ? WHERE conversation = ? AND run_id IS NULL")?
            .execute([facts.run_id.as_str(), conversation])?;
    }
    Ok(exchanges)
}

/// Marks a run as counted.
pub(crate) fn update_run(
    transaction: &Transaction<'_>,
    run: &str,
    basis: &Basis,
    search_tokens: u64,
) -> rusqlite::Result<()> {
    transaction
        .prepare_cached(
            "UPDATE runs SET counted = 1, credited = ?2, estimated = ?3, discoveries = ?4, servers_known = ?5,
             servers_all = ?6, needed_known = ?7, needed_all = ?8, tools_known = ?9, tools_all = ?10, media = ?11,
             repeated = ?12, cap_tokens = ?13, window_tokens = ?14, waves = ?15, folded = ?16, compacted_code_mode = ?17,
             compacted_deferred = ?18, compacted_all = ?19, compacted_needed = ?20, search_tokens = ?21, encoding = ?22 WHERE run_id = ?1",
        )?
        .execute(params![
            run,
            basis.credited,
            basis.estimated,
            basis.discoveries,
            basis.servers_known,
            basis.servers_all,
            basis.needed_known,
            basis.needed_all,
            basis.tools_known,
            basis.tools_all,
            basis.media,
            basis.repeated,
            basis.cap_tokens,
            basis.window_tokens,
            basis.waves,
            basis.folded,
            basis.compacted[0],
            basis.compacted[1],
            basis.compacted[2],
            basis.compacted[3],
            search_tokens,
            basis.encoding.name(),
        ])
        .map(drop)
}

/// Writes the sides of a run.
pub(crate) fn insert_sides(transaction: &Transaction<'_>, run: &str, sides: &Sides) -> rusqlite::Result<()> {
    let mut insert = transaction.prepare_cached(
        "INSERT INTO sides VALUES (?1, 0, ?2, ?3, ?4, ?5, ?6, ?7, ?8), (?1, 1, ?9, ?10, ?11, ?12, ?13, ?14, ?15),
         (?1, 2, ?16, ?17, ?18, ?19, ?20, ?21, ?22), (?1, 3, ?23, ?24, ?25, ?26, ?27, ?28, ?29)",
    )?;
    let figures = sides.iter().flat_map(|side| {
        let SideTokens { definitions, output, results, turns, total, peak_context, cacheable } = *side;
        [definitions, output, results, turns.into(), total, peak_context, cacheable]
    });
    insert.raw_bind_parameter(1, run)?;
    for (number, figure) in (2..).zip(figures) {
        insert.raw_bind_parameter(number, figure)?;
    }
    insert.raw_execute().map(drop)
}

/// Writes a call; without a run, one that a front made by itself.
pub(crate) fn insert_call(
    transaction: &Transaction<'_>,
    run: Option<&str>,
    at_ms: u64,
    position: usize,
    call: StoredCall<'_>,
) -> rusqlite::Result<()> {
    transaction
        .prepare_cached(
            "INSERT INTO calls (run_id, at_ms, position, server, tool, status, cache, wave, ms, argument_bytes,
             result_bytes, media, output_tokens, result_tokens, exact, repeated)
             VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        )?
        .execute(params![
            run,
            at_ms,
            position,
            call.server,
            call.tool,
            call.status,
            call.cache,
            call.wave,
            call.ms,
            call.argument_bytes,
            call.result_bytes,
            call.media,
            call.output_tokens,
            call.result_tokens,
            call.exact,
            call.repeated,
        ])
        .map(drop)
}

/// Writes a search of the tools.
pub(crate) fn insert_discovery(
    transaction: &Transaction<'_>,
    conversation: &ConversationId,
    at_ms: u64,
    exchange: Exchange,
) -> rusqlite::Result<()> {
    transaction
        .prepare_cached(
            "INSERT INTO discoveries (conversation, at_ms, argument_tokens, result_tokens, exact)
             VALUES (?, ?, ?, ?, ?)",
        )?
        .execute(params![
            conversation.as_str(),
            at_ms,
            exchange.arguments.tokens,
            exchange.result.tokens,
            exchange.arguments.exact && exchange.result.exact,
        ])
        .map(drop)
}
