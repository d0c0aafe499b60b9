//! The database: `SQLite` in WAL mode, written by one thread of each process in short transactions.
//!
//! Where counting takes longer than a moment, a run's row is written before, so that a killed process loses no such run; its
//! counts, calls, discoveries and the running totals are written in one transaction afterwards, so that what was counted
//! once is there whole or not at all, and a run is never added twice. `synchronous = NORMAL` keeps every commit through the
//! death of the process; only a power cut may take the last ones. A run whose row was written but not its counts stays
//! listed, without a receipt.

use crate::count::Count;
use crate::definitions::ServerTokens;
use crate::error::Error;
use crate::facts::{CallFacts, RunFacts};
use crate::integrity::{FileId, file_id};
use crate::keys::Keys;
use crate::queue::Job;
use crate::receipt::{Basis, CountedCall, CountedRun, Exchange, Settled, Sides};
use crate::retention::{self, Keep, Progress};
use crate::rollup::Batch;
use crate::rows::{
    StoredCall, charge_discoveries, insert_call, insert_discovery, insert_run, insert_sides, is_counted, update_run,
};
use crate::schema;
use crate::sums::{CallKey, CallSums, DIRECT, OneCall, RunKey, RunSums};
use crate::text::name_of;
use crate::totals::{Totals, totals};
use model::ConversationId;
use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags, Transaction, TransactionBehavior, params};
use std::collections::HashMap;
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
    /// The file that is open; `None` of one in memory.
    pub(crate) file: Option<FileId>,
    /// Changes when another connection commits.
    version: i64,
    keys: Keys,
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
    connection.set_prepared_statement_cache_capacity(64);
    // A plan does not depend on what is bound: else some statements are planned anew for each value.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    Ok(connection)
}

impl Store {
    /// Opens the database, made where it is absent, and brings it to the current schema.
    pub(crate) fn open(path: &Path) -> Result<(Self, Totals), Error> {
        let mut connection = connect(path, true)?;
        schema::migrate(&mut connection, path)?;
        let version = data_version(&connection)?;
        let totals = totals(&connection)?;
        Ok((Self { connection, file: file_id(path), version, keys: Keys::default() }, totals))
    }

    /// The sums.
    pub(crate) fn totals(&self) -> rusqlite::Result<Totals> {
        totals(&self.connection)
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
    pub(crate) fn announce<'a>(&mut self, jobs: impl Iterator<Item = &'a Job>) -> rusqlite::Result<()> {
        let mut runs = jobs.filter(|job| matches!(job, Job::Run { .. })).peekable();
        if runs.peek().is_none() {
            return Ok(());
        }
        let transaction = self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        for job in runs {
            if let Job::Run { facts, code_bytes, reply_bytes } = job {
                insert_run(&transaction, facts, *code_bytes, *reply_bytes)?;
            }
        }
        transaction.commit()
    }

    /// Writes what was counted, in one transaction. `settle` makes the receipt of a run from it and the discovery
    /// exchanges it pays for. Of `beyond` runs and calls only the number is known. Returns the receipts in order of the runs;
    /// `None` for a run that was settled before.
    pub(crate) fn settle(
        &mut self,
        rows: &[Row],
        beyond: (u64, u64),
        settle: impl FnMut(&RunRow, &[Exchange]) -> Settled,
    ) -> rusqlite::Result<(Vec<Option<Settled>>, Totals)> {
        let settled = self.try_settle(rows, beyond, settle);
        if settled.is_err() {
            self.keys = Keys::default();
        }
        settled
    }

    fn try_settle(
        &mut self,
        rows: &[Row],
        beyond: (u64, u64),
        mut settle: impl FnMut(&RunRow, &[Exchange]) -> Settled,
    ) -> rusqlite::Result<(Vec<Option<Settled>>, Totals)> {
        let transaction = self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let (mut receipts, mut sums) = (Vec::new(), Batch::default());
        for row in rows {
            match row {
                Row::Run(run) => receipts.push(settle_run(&transaction, run, &mut settle, &mut sums)?),
                Row::Direct { at_ms, facts, counted } => {
                    let sum = add_call(&transaction, None, (*at_ms, 0), facts, counted)?;
                    sums.add_direct(*at_ms, call_key(facts, "", DIRECT), &sum);
                }
                Row::Discovery { conversation, at_ms, exchange } => {
                    insert_discovery(&transaction, conversation, *at_ms, *exchange)?;
                }
            }
        }
        sums.write(&transaction, &mut self.keys)?;
        if beyond.0 > 0 {
            let tally = "UPDATE tally SET runs = runs + ?1, calls = calls + ?2, estimated = estimated + ?1";
            transaction.execute(tally, params![beyond.0, beyond.1])?;
        }
        let totals = totals(&transaction)?;
        transaction.commit()?;
        Ok((receipts, totals))
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

fn settle_run(
    transaction: &Transaction<'_>,
    run: &RunRow,
    settle: &mut impl FnMut(&RunRow, &[Exchange]) -> Settled,
    sums: &mut Batch,
) -> rusqlite::Result<Option<Settled>> {
    let facts = &*run.facts;
    let id = facts.run_id.as_str();
    let is_new = insert_run(transaction, facts, run.code_bytes, run.reply_bytes)?;
    if !is_new && is_counted(transaction, facts)? {
        return Ok(None);
    }
    let exchanges = charge_discoveries(transaction, facts)?;
    let (sides, basis) = settle(run, &exchanges);
    let search_tokens: u64 = exchanges.iter().map(|it| it.arguments.tokens + it.result.tokens).sum();
    update_run(transaction, id, &basis, search_tokens)?;
    insert_sides(transaction, id, &sides)?;
    let (language, status) = (facts.language.as_str(), facts.status.as_str());
    let mut calls = Vec::with_capacity(facts.calls.len());
    for (position, (call, counted)) in facts.calls.iter().zip(&run.counted.calls).enumerate() {
        let sum = add_call(transaction, Some(id), (facts.at_ms, position), call, counted)?;
        calls.push((call_key(call, language, status), sum));
    }
    add_sums(facts, (&sides, &basis), search_tokens, &calls, sums);
    Ok(Some((sides, basis)))
}

/// Adds a run and its calls to the sums.
fn add_sums(
    facts: &RunFacts,
    (sides, basis): (&Sides, &Basis),
    search_tokens: u64,
    calls: &[(CallKey, CallSums)],
    sums: &mut Batch,
) {
    let key = RunKey {
        language: facts.language.as_str().to_owned(),
        front: facts.front.clone(),
        status: facts.status.as_str().to_owned(),
        encoding: basis.encoding.name().to_owned(),
    };
    let one = RunSums::of_one(sides, basis.estimated, facts.calls.len() as u64, facts.wall_ms);
    let one = RunSums { searches: u64::from(basis.discoveries), search_tokens, ..one };
    sums.add_run(facts.at_ms, &key, &facts.kept_tags(), &one, calls);
    sums.count(&one);
}

fn call_key(facts: &CallFacts, language: &str, run_status: &str) -> CallKey {
    CallKey {
        server: facts.record.server.clone(),
        tool: facts.record.tool.clone(),
        language: language.to_owned(),
        run_status: run_status.to_owned(),
    }
}

/// Writes a call, and gives what it adds to sums.
fn add_call(
    transaction: &Transaction<'_>,
    run: Option<&str>,
    (at_ms, position): (u64, usize),
    facts: &CallFacts,
    counted: &CountedCall,
) -> rusqlite::Result<CallSums> {
    let record = &facts.record;
    let (status, cache) = (name_of(&record.status), name_of(&record.cache));
    let (output_tokens, result_tokens) = (counted.output.tokens, counted.result.tokens);
    let call = StoredCall {
        server: &record.server,
        tool: &record.tool,
        status: &status,
        cache: &cache,
        wave: record.wave,
        ms: record.ms,
        argument_bytes: record.argument_bytes,
        result_bytes: record.result_bytes,
        media: facts.media,
        output_tokens,
        result_tokens,
        exact: counted.output.exact && counted.result.exact,
        repeated: Some(counted.repeated),
    };
    insert_call(transaction, run, at_ms, position, call)?;
    let (result_bytes, ms) = (record.result_bytes, record.ms);
    let (status, cache) = (status.as_str(), cache.as_str());
    Ok(CallSums::of_one(OneCall { status, cache, output_tokens, result_tokens, result_bytes, ms }))
}

fn data_version(connection: &Connection) -> rusqlite::Result<i64> {
    connection.prepare_cached("PRAGMA data_version")?.query_row([], |row| row.get(0))
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
