//! Takes over from one database what can still be read of it into another: runs with all their calls, and calls of fronts.
//!
//! Rows are read from both ends of a table, so that one bad page costs what stands around it and not all behind it. A run
//! is taken whole or not at all, for sums must be those of their rows. Left out: runs that were not counted, searches that no
//! run has paid for, and sums over rows that retention gave up.

use crate::export::{CALL, RUN, call_line, run_line};
use crate::import::{add_direct, add_run};
use crate::keys::Keys;
use crate::lines::{CallLine, RunLine};
use crate::rollup::Batch;
use crate::rows::CALLS_AT_ONCE;
use crate::store::connect;
use crate::text::plural;
use rusqlite::config::DbConfig;
use rusqlite::{Connection, Row, TransactionBehavior};
use std::collections::HashSet;
use std::fmt;
use std::path::Path;

/// Runs, and calls of fronts, written in one transaction at most.
const ROWS_AT_ONCE: usize = 100;

/// What was taken over.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Salvaged {
    /// Runs, with the calls in them.
    runs: u64,
    calls: u64,
    /// Calls of fronts.
    direct: u64,
    /// Runs that were found but not whole, or could not be written.
    lost: u64,
    /// A table could not be read to its end.
    torn: bool,
}

impl Salvaged {
    /// Whether nothing was left behind.
    pub(crate) fn is_whole(&self) -> bool {
        self.lost == 0 && !self.torn
    }
}

impl fmt::Display for Salvaged {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.runs + self.calls + self.direct + self.lost == 0 && self.torn {
            return write!(f, "nothing of it could be read");
        }
        let (runs, calls) = (plural(self.runs, "run", "runs"), plural(self.calls + self.direct, "call", "calls"));
        write!(f, "{runs} and {calls} of it were taken over")?;
        if self.lost > 0 {
            write!(f, ", {} could not be", plural(self.lost, "run", "runs"))?;
        }
        if self.torn {
            write!(f, ", and some of it cannot be read")?;
        }
        Ok(())
    }
}

/// Takes over what can be read of `from`, which is not written to, into `to`.
pub(crate) fn salvage(from: &Path, to: &Path) -> Salvaged {
    let mut salvaged = Salvaged::default();
    let opened = || -> rusqlite::Result<_> {
        let from = connect(from, false)?;
        // What is in its log stays there.
        from.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
        Ok((from, connect(to, false)?))
    };
    let (from, mut to) = match opened() {
        Ok(opened) => opened,
        Err(error) => {
            tracing::warn!(%error, "nothing of a damaged ledger can be read");
            salvaged.torn = true;
            return salvaged;
        }
    };
    let mut writer = Writer { to: &mut to, keys: Keys::default(), waiting: Vec::new(), calls: 0 };
    let mut seen = HashSet::new();
    let sql = format!("SELECT {} FROM runs r WHERE counted = 1 ORDER BY r.run_id", *RUN);
    salvaged.torn |= !from_both_ends(&from, &sql, |row| {
        let id: String = row.get(0)?;
        if !seen.insert(id) {
            return Ok(false);
        }
        match run_line(&from, row) {
            Ok(run) if run.check().is_ok() => writer.write(Saved::Run(Box::new(run)), &mut salvaged),
            _ => salvaged.lost += 1,
        }
        Ok(true)
    });
    let mut seen = HashSet::new();
    // By the table itself: an index would have all rows sorted before the first is given.
    let sql = format!("SELECT {CALL} FROM calls NOT INDEXED WHERE run_id IS NULL ORDER BY id");
    salvaged.torn |= !from_both_ends(&from, &sql, |row| {
        let id: i64 = row.get(14)?;
        if !seen.insert(id) {
            return Ok(false);
        }
        let call = call_line(row)?;
        if call.check().is_ok() {
            writer.write(Saved::Direct(call), &mut salvaged);
        }
        Ok(true)
    });
    writer.flush(&mut salvaged);
    salvaged
}

/// Hands over every row in the order of `sql`, and where one cannot be read, those behind it from the other end, until one is
/// not wanted. Whether all could be read.
fn from_both_ends(from: &Connection, sql: &str, mut row: impl FnMut(&Row<'_>) -> rusqlite::Result<bool>) -> bool {
    let whole = each(from, sql, &mut row);
    if !whole {
        each(from, &format!("{sql} DESC"), &mut row);
    }
    whole
}

/// Hands over every row, until one cannot be read or is not wanted. Whether all could be read.
fn each(from: &Connection, sql: &str, mut row: impl FnMut(&Row<'_>) -> rusqlite::Result<bool>) -> bool {
    let mut read = || -> rusqlite::Result<()> {
        let mut statement = from.prepare(sql)?;
        let mut rows = statement.query([])?;
        while let Some(next) = rows.next()? {
            if !row(next)? {
                break;
            }
        }
        Ok(())
    };
    read().inspect_err(|error| tracing::warn!(%error, "a damaged ledger is read so far")).is_ok()
}

enum Saved {
    Run(Box<RunLine>),
    Direct(CallLine),
}

/// Writes a few rows at a time, so that nobody waits long for the database.
struct Writer<'a> {
    to: &'a mut Connection,
    keys: Keys,
    waiting: Vec<Saved>,
    /// The calls among what waits.
    calls: usize,
}

impl Writer<'_> {
    fn write(&mut self, saved: Saved, salvaged: &mut Salvaged) {
        self.calls += if let Saved::Run(run) = &saved { run.calls.len() } else { 1 };
        self.waiting.push(saved);
        if self.waiting.len() >= ROWS_AT_ONCE || self.calls >= CALLS_AT_ONCE {
            self.flush(salvaged);
        }
    }

    fn flush(&mut self, salvaged: &mut Salvaged) {
        let waiting = std::mem::take(&mut self.waiting);
        self.calls = 0;
        match self.store(&waiting, *salvaged) {
            Ok(stored) => *salvaged = stored,
            Err(error) => {
                tracing::warn!(%error, "what was saved of a damaged ledger cannot be written");
                self.keys = Keys::default();
                salvaged.lost += waiting.iter().filter(|saved| matches!(saved, Saved::Run(_))).count() as u64;
            }
        }
    }

    fn store(&mut self, waiting: &[Saved], mut salvaged: Salvaged) -> rusqlite::Result<Salvaged> {
        let transaction = self.to.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let mut sums = Batch::default();
        for saved in waiting {
            match saved {
                Saved::Run(run) => {
                    if add_run(&transaction, run, &mut sums)? {
                        salvaged.runs += 1;
                        salvaged.calls += run.calls.len() as u64;
                    }
                }
                Saved::Direct(call) => salvaged.direct += u64::from(add_direct(&transaction, call, &mut sums)?),
            }
        }
        sums.write(&transaction, &mut self.keys)?;
        transaction.commit()?;
        Ok(salvaged)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rows::{StoredCall, insert_call};
    use crate::store::Store;

    #[test]
    fn calls_on_both_sides_of_a_bad_page_are_taken_over() {
        const PAGE: usize = 4_096;
        const CALLS: usize = 3_000;
        let folder = tempfile::tempdir().expect("a folder");
        let (from, to) = (folder.path().join("from.db"), folder.path().join("to.db"));
        for path in [&from, &to] {
            Store::open(path).expect("it opens");
        }
        let mut connection = connect(&from, false).expect("it opens again");
        let transaction = connection.transaction().expect("a transaction");
        for n in 0..CALLS {
            let tool = format!("tool-{n}");
            let call = StoredCall {
                server: "fs",
                tool: &tool,
                status: "ok",
                cache: "miss",
                wave: 0,
                ms: 1.0,
                argument_bytes: 2,
                result_bytes: 3,
                media: 0,
                output_tokens: 4,
                result_tokens: 5,
                exact: true,
                repeated: None,
            };
            insert_call(&transaction, None, n as u64, 0, call).expect("written");
        }
        transaction.commit().expect("committed");
        drop(connection);
        let mut bytes = std::fs::read(&from).expect("a file without a log");
        // A leaf of the table itself, not of an index.
        let is_leaf = |page: &&mut [u8]| page[0] == 0x0d && page.windows(9).any(|part| part == b"tool-1500");
        bytes.chunks_exact_mut(PAGE).find(is_leaf).expect("a page with the call in the middle").fill(0x55);
        std::fs::write(&from, bytes).expect("written");
        let salvaged = salvage(&from, &to);
        assert!(salvaged.torn);
        assert!((2_800..3_000).contains(&salvaged.direct), "{salvaged:?}");
    }
}
