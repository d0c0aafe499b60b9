//! The database: `SQLite` in WAL mode, written by one thread of each process in short transactions.
//!
//! A run's row is written before it is counted, so that a killed process loses no run; its counts, calls, discoveries and
//! the running totals are written in one transaction afterwards, so that what was counted once is there whole or not at
//! all, and a run is never added twice. `synchronous = NORMAL` keeps every commit through the death of the process; only
//! a power cut may take the last ones. A run whose row was written but not its counts stays listed, without a receipt.

use crate::count::Count;
use crate::definitions::ServerTokens;
use crate::error::Error;
use crate::facts::{CallFacts, RunFacts};
use crate::histogram::Histogram;
use crate::queue::{Job, Queued};
use crate::receipt::{Basis, CountedCall, CountedRun, Exchange, Settled, Sides};
use crate::retention::{self, Keep, Progress};
use crate::rollup::Batch;
use crate::schema;
use crate::sums::{CallKey, CallSums, DIRECT, RunKey, RunSums};
use crate::text::name_of;
use crate::totals::Totals;
use model::ConversationId;
use model::tokens::SideTokens;
use rusqlite::{Connection, OpenFlags, Transaction, TransactionBehavior, params};
use std::collections::{HashMap, VecDeque};
use std::path::Path;
use std::time::Duration;

/// How long a writer waits for another process's transaction.
const BUSY: Duration = Duration::from_secs(5);
/// Counts of definitions kept; older ones make room.
const DEFINITIONS_KEPT: i64 = 50_000;

/// Bytes that the write-ahead log keeps after it was carried over.
const LOG_BYTES: i64 = 16 << 20;
/// What the path of a database in memory begins with.
pub(crate) const IN_MEMORY: &str = "file:";

/// The writing connection.
#[derive(Debug)]
pub(crate) struct Store {
    connection: Connection,
    /// Changes when another connection commits.
    version: i64,
}

/// A counted run with what is stored of it.
#[derive(Debug)]
pub(crate) struct RunRow {
    pub(crate) facts: Box<RunFacts>,
    pub(crate) code_bytes: u64,
    pub(crate) reply_bytes: u64,
    pub(crate) counted: CountedRun,
    /// The definitions on our side of it.
    pub(crate) own: Count,
    /// The call by which a host's tool search would find the run's tools.
    pub(crate) host_search: Count,
}

/// Something counted, to be stored.
#[derive(Debug)]
pub(crate) enum Row {
    Run(Box<RunRow>),
    Direct { at_ms: u64, facts: Box<CallFacts>, counted: CountedCall },
    Discovery { conversation: ConversationId, at_ms: u64, exchange: Exchange },
}

/// Opens a connection to the database; with `create`, makes it where it is absent.
pub(crate) fn connect(path: &Path, create: bool) -> rusqlite::Result<Connection> {
    let mut flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    flags.set(OpenFlags::SQLITE_OPEN_CREATE, create);
    if path.to_string_lossy().starts_with(IN_MEMORY) {
        flags |= OpenFlags::SQLITE_OPEN_URI | OpenFlags::SQLITE_OPEN_CREATE;
    }
    let connection = Connection::open_with_flags(path, flags)?;
    connection.busy_timeout(BUSY)?;
    // Of use for a file that is still empty; `retention.rs` gives the pages back. On any other it would be a write, which every
    // process that watches the log takes for news: a reader that is told of its own look looks again.
    if connection.pragma_query_value(None, "page_count", |row| row.get::<_, u32>(0))? == 0 {
        connection.pragma_update(None, "auto_vacuum", "INCREMENTAL")?;
    }
    connection.pragma_update(None, "journal_size_limit", LOG_BYTES)?;
    // The change to WAL is made once in a file's life, while it is empty: there is nothing yet to sync for.
    connection.pragma_update(None, "synchronous", "OFF")?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "synchronous", "NORMAL")?;
    connection.set_prepared_statement_cache_capacity(32);
    Ok(connection)
}

impl Store {
    /// Opens the database, made where it is absent, and brings it to the current schema.
    pub(crate) fn open(path: &Path) -> Result<(Self, Totals), Error> {
        let mut connection = connect(path, true)?;
        schema::migrate(&mut connection, path)?;
        let version = data_version(&connection)?;
        let totals = totals(&connection)?;
        Ok((Self { connection, version }, totals))
    }

    /// The sums, where another process changed the database since the last look.
    pub(crate) fn look(&mut self) -> rusqlite::Result<Option<Totals>> {
        let version = data_version(&self.connection)?;
        if std::mem::replace(&mut self.version, version) == version {
            return Ok(None);
        }
        totals(&self.connection).map(Some)
    }

    /// Writes the rows of the runs among `jobs`, which are about to be counted.
    pub(crate) fn announce(&mut self, jobs: &VecDeque<Queued>) -> rusqlite::Result<()> {
        if !jobs.iter().any(|queued| matches!(queued.job, Job::Run { .. })) {
            return Ok(());
        }
        let transaction = self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        for queued in jobs {
            if let Job::Run { facts, code_bytes, reply_bytes } = &queued.job {
                insert_run(&transaction, facts, *code_bytes, *reply_bytes)?;
            }
        }
        transaction.commit()
    }

    /// Writes what was counted, in one transaction. `settle` makes the receipt of a run from it and the discovery
    /// exchanges it pays for. Returns the receipts in order of the runs; `None` for a run that was settled before.
    pub(crate) fn settle(
        &mut self,
        rows: &[Row],
        mut settle: impl FnMut(&RunRow, &[Exchange]) -> Settled,
    ) -> rusqlite::Result<(Vec<Option<Settled>>, Totals)> {
        let transaction = self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let (mut receipts, mut sums) = (Vec::new(), Batch::default());
        for row in rows {
            match row {
                Row::Run(run) => receipts.push(settle_run(&transaction, run, &mut settle, &mut sums)?),
                Row::Direct { at_ms, facts, counted } => {
                    insert_call(&transaction, None, *at_ms, 0, facts, counted)?;
                    let (key, one) = call_sums(facts, counted, "", DIRECT);
                    sums.add_direct(*at_ms, key, &one);
                }
                Row::Discovery { conversation, at_ms, exchange } => {
                    insert_discovery(&transaction, conversation, *at_ms, *exchange)?;
                }
            }
        }
        sums.write(&transaction)?;
        let totals = totals(&transaction)?;
        transaction.commit()?;
        Ok((receipts, totals))
    }

    /// Adds runs and calls of which only the number is known.
    pub(crate) fn tally(&mut self, runs: u64, calls: u64) -> rusqlite::Result<Totals> {
        self.connection.execute(
            "UPDATE tally SET runs = runs + ?1, calls = calls + ?2, estimated = estimated + ?1",
            params![runs, calls],
        )?;
        totals(&self.connection)
    }

    /// Does one step of what `retention.rs` has to do. Whether there may be more.
    pub(crate) fn tidy(&mut self, keep: Keep, progress: &mut Progress) -> rusqlite::Result<bool> {
        retention::step(&mut self.connection, keep, crate::now_ms(), progress)
    }

    /// Remembers what a server offers.
    pub(crate) fn offer(&mut self, server: &str, tokens: &ServerTokens) -> rusqlite::Result<()> {
        let known: HashMap<String, u64> = self
            .connection
            .prepare_cached("SELECT tool, tokens FROM offered WHERE server = ?")?
            .query_map([server], |row| Ok((row.get(0)?, row.get(1)?)))?
            .collect::<Result<_, _>>()?;
        if known == tokens.tools {
            return Ok(());
        }
        let transaction = self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        transaction.execute("DELETE FROM offered WHERE server = ?", [server])?;
        for (tool, tokens) in &tokens.tools {
            transaction
                .prepare_cached("INSERT INTO offered VALUES (?, ?, ?)")?
                .execute(params![server, tool, tokens])?;
        }
        transaction.commit()
    }

    /// The stored count of a definition.
    pub(crate) fn definition(&self, hash: &blake3::Hash) -> Option<Count> {
        let mut statement =
            self.connection.prepare_cached("SELECT tokens, exact FROM definitions WHERE hash = ?").ok()?;
        statement.query_row([hash.as_bytes()], |row| Ok(Count { tokens: row.get(0)?, exact: row.get(1)? })).ok()
    }

    /// Stores counts of definitions.
    pub(crate) fn remember_definitions(&mut self, counts: &[(blake3::Hash, Count)]) -> rusqlite::Result<()> {
        let transaction = self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        for (hash, count) in counts {
            transaction
                .prepare_cached("INSERT OR IGNORE INTO definitions (hash, tokens, exact) VALUES (?, ?, ?)")?
                .execute(params![hash.as_bytes(), count.tokens, count.exact])?;
        }
        transaction
            .execute("DELETE FROM definitions WHERE id <= (SELECT MAX(id) FROM definitions) - ?", [DEFINITIONS_KEPT])?;
        transaction.commit()
    }
}

fn insert_run(
    transaction: &Transaction<'_>,
    facts: &RunFacts,
    code_bytes: u64,
    reply_bytes: u64,
) -> rusqlite::Result<()> {
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
            facts.short_label(),
            facts.wall_ms,
            facts.calls.len(),
            code_bytes,
            reply_bytes,
            tags.join("\n"),
            facts.program().as_ref().map(blake3::Hash::as_bytes),
        ])?;
    if added == 0 {
        return Ok(());
    }
    for tag in &tags {
        transaction.prepare_cached("INSERT OR IGNORE INTO run_tags VALUES (?, ?, ?)")?.execute(params![
            tag,
            facts.at_ms,
            facts.run_id.as_str()
        ])?;
    }
    Ok(())
}

fn settle_run(
    transaction: &Transaction<'_>,
    run: &RunRow,
    settle: &mut impl FnMut(&RunRow, &[Exchange]) -> Settled,
    sums: &mut Batch,
) -> rusqlite::Result<Option<Settled>> {
    let facts = &*run.facts;
    insert_run(transaction, facts, run.code_bytes, run.reply_bytes)?;
    if is_counted(transaction, facts)? {
        return Ok(None);
    }
    let exchanges = charge_discoveries(transaction, facts)?;
    let (sides, basis) = settle(run, &exchanges);
    let search_tokens: u64 = exchanges.iter().map(|it| it.arguments.tokens + it.result.tokens).sum();
    update_run(transaction, facts.run_id.as_str(), &basis, search_tokens)?;
    add_sums(run, (&sides, &basis), search_tokens, sums);
    for (number, side) in sides.iter().enumerate() {
        insert_side(transaction, facts.run_id.as_str(), number, side)?;
    }
    for (position, (call, counted)) in facts.calls.iter().zip(&run.counted.calls).enumerate() {
        insert_call(transaction, Some(facts.run_id.as_str()), facts.at_ms, position, call, counted)?;
    }
    transaction
        .prepare_cached("UPDATE tally SET runs = runs + 1, calls = calls + ?, estimated = estimated + ?")?
        .execute(params![facts.calls.len(), basis.estimated])?;
    Ok(Some((sides, basis)))
}

/// The exchanges of the conversation that no run has paid for; from now on this one has.
fn charge_discoveries(transaction: &Transaction<'_>, facts: &RunFacts) -> rusqlite::Result<Vec<Exchange>> {
    transaction
        .prepare_cached(
            "UPDATE discoveries SET run_id = ? WHERE conversation = ? AND run_id IS NULL
             RETURNING argument_tokens, result_tokens, exact",
        )?
        .query_map([facts.run_id.as_str(), facts.conversation.as_str()], |row| {
            let exact = row.get(2)?;
            let count = |tokens| Count { tokens, exact };
            Ok(Exchange { arguments: count(row.get(0)?), result: count(row.get(1)?) })
        })?
        .collect()
}

fn is_counted(transaction: &Transaction<'_>, facts: &RunFacts) -> rusqlite::Result<bool> {
    transaction
        .prepare_cached("SELECT counted FROM runs WHERE run_id = ?")?
        .query_row([facts.run_id.as_str()], |row| row.get(0))
}

/// Adds a run and its calls to the sums by the hour.
fn add_sums(run: &RunRow, (sides, basis): (&Sides, &Basis), search_tokens: u64, sums: &mut Batch) {
    let facts = &*run.facts;
    let key = RunKey {
        language: facts.language.as_str().to_owned(),
        front: facts.front.clone(),
        status: facts.status.as_str().to_owned(),
        encoding: basis.encoding.name().to_owned(),
    };
    let one = RunSums::of_one(sides, basis.estimated, facts.calls.len() as u64, facts.wall_ms);
    let one = RunSums { searches: u64::from(basis.discoveries), search_tokens, ..one };
    let calls = facts.calls.iter().zip(&run.counted.calls);
    let calls: Vec<_> = calls.map(|(call, counted)| call_sums(call, counted, &key.language, &key.status)).collect();
    sums.add_run(facts.at_ms, &key, &facts.kept_tags(), &one, &calls);
}

fn call_sums(facts: &CallFacts, counted: &CountedCall, language: &str, run_status: &str) -> (CallKey, CallSums) {
    let record = &facts.record;
    let key = CallKey {
        server: record.server.clone(),
        tool: record.tool.clone(),
        status: name_of(&record.status),
        cache: name_of(&record.cache),
        language: language.to_owned(),
        run_status: run_status.to_owned(),
    };
    let mut took = Histogram::default();
    took.record(record.ms);
    let sums = CallSums {
        calls: 1,
        output_tokens: counted.output.tokens,
        result_tokens: counted.result.tokens,
        result_bytes: record.result_bytes,
        took,
    };
    (key, sums)
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

/// Writes one side of a run, and adds it to the running totals.
pub(crate) fn insert_side(
    transaction: &Transaction<'_>,
    run: &str,
    number: usize,
    side: &SideTokens,
) -> rusqlite::Result<()> {
    let SideTokens { definitions, output, results, turns, total, peak_context, cacheable } = side;
    transaction.prepare_cached("INSERT INTO sides VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)")?.execute(params![
        run,
        number,
        definitions,
        output,
        results,
        turns,
        total,
        peak_context,
        cacheable
    ])?;
    transaction
        .prepare_cached(
            "UPDATE totals SET definitions = definitions + ?2, output = output + ?3, results = results + ?4,
             turns = turns + ?5, total = total + ?6, peak_context = MAX(peak_context, ?7), cacheable = cacheable + ?8
             WHERE side = ?1",
        )?
        .execute(params![number, definitions, output, results, turns, total, peak_context, cacheable])
        .map(drop)
}

fn insert_call(
    transaction: &Transaction<'_>,
    run: Option<&str>,
    at_ms: u64,
    position: usize,
    facts: &CallFacts,
    counted: &CountedCall,
) -> rusqlite::Result<()> {
    let record = &facts.record;
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
            record.server,
            record.tool,
            name_of(&record.status),
            name_of(&record.cache),
            record.wave,
            record.ms,
            record.argument_bytes,
            record.result_bytes,
            facts.media,
            counted.output.tokens,
            counted.result.tokens,
            counted.output.exact && counted.result.exact,
            counted.repeated,
        ])
        .map(drop)
}

fn insert_discovery(
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

fn data_version(connection: &Connection) -> rusqlite::Result<i64> {
    connection.prepare_cached("PRAGMA data_version")?.query_row([], |row| row.get(0))
}

fn totals(connection: &Connection) -> rusqlite::Result<Totals> {
    let mut totals = connection.prepare_cached("SELECT runs, calls, estimated FROM tally")?.query_row([], |row| {
        Ok(Totals { runs: row.get(0)?, calls: row.get(1)?, estimated: row.get(2)?, ..Totals::default() })
    })?;
    let mut names = connection.prepare_cached("SELECT DISTINCT encoding FROM run_keys")?;
    totals.encodings = names.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?;
    let mut statement = connection.prepare_cached(
        "SELECT definitions, output, results, turns, total, peak_context, cacheable FROM totals ORDER BY side",
    )?;
    for (sum, side) in totals.sides.iter_mut().zip(statement.query_map([], |row| side_from(row, 0))?) {
        *sum = side?;
    }
    Ok(totals)
}

/// A side from seven columns, of which `first` is the first.
pub(crate) fn side_from(row: &rusqlite::Row<'_>, first: usize) -> rusqlite::Result<SideTokens> {
    Ok(SideTokens {
        definitions: row.get(first)?,
        output: row.get(first + 1)?,
        results: row.get(first + 2)?,
        turns: row.get(first + 3)?,
        total: row.get(first + 4)?,
        peak_context: row.get(first + 5)?,
        cacheable: row.get(first + 6)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn to_look_is_no_news() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("ledger.db");
        let (store, _) = Store::open(&path).expect("it opens");
        let version = data_version(&store.connection).expect("a version");
        for _ in 0..3 {
            let reader = connect(&path, false).expect("it opens again");
            totals(&reader).expect("sums");
        }
        assert_eq!(data_version(&store.connection).expect("a version"), version);
    }
}
