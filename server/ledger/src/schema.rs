//! The database's schema, as steps from one version to the next. No table holds content: names, sizes, counts, statuses
//! and times only, and of a run the first line of its label.

use crate::error::Error;
use crate::rebuild::{rebuild, refold};
use rusqlite::{Connection, TransactionBehavior};
use std::path::Path;

/// Step n leads from version n to n + 1. A step that was released is never edited; what changes is a new step.
const STEPS: &[&str] = &[
    "
    CREATE TABLE runs (
        run_id TEXT PRIMARY KEY, conversation TEXT NOT NULL, at_ms INTEGER NOT NULL, front TEXT NOT NULL,
        language TEXT NOT NULL, status TEXT NOT NULL, label TEXT NOT NULL, wall_ms REAL NOT NULL,
        calls INTEGER NOT NULL, code_bytes INTEGER NOT NULL, reply_bytes INTEGER NOT NULL,
        counted INTEGER NOT NULL DEFAULT 0, credited INTEGER, estimated INTEGER, discoveries INTEGER,
        servers_known INTEGER, servers_all INTEGER, needed_known INTEGER, needed_all INTEGER,
        tools_known INTEGER, tools_all INTEGER, media INTEGER, repeated INTEGER, cap_tokens INTEGER
    ) WITHOUT ROWID;
    CREATE INDEX runs_by_time ON runs (at_ms);
    CREATE TABLE sides (
        run_id TEXT NOT NULL, side INTEGER NOT NULL, definitions INTEGER NOT NULL, output INTEGER NOT NULL,
        results INTEGER NOT NULL, turns INTEGER NOT NULL, total INTEGER NOT NULL, peak_context INTEGER NOT NULL,
        PRIMARY KEY (run_id, side)
    ) WITHOUT ROWID;
    CREATE TABLE calls (
        id INTEGER PRIMARY KEY, run_id TEXT, at_ms INTEGER NOT NULL, position INTEGER NOT NULL, server TEXT NOT NULL,
        tool TEXT NOT NULL, status TEXT NOT NULL, cache TEXT NOT NULL, wave INTEGER NOT NULL, ms REAL NOT NULL,
        argument_bytes INTEGER NOT NULL, result_bytes INTEGER NOT NULL, media INTEGER NOT NULL,
        output_tokens INTEGER NOT NULL, result_tokens INTEGER NOT NULL, exact INTEGER NOT NULL
    );
    CREATE INDEX calls_by_run ON calls (run_id, position);
    CREATE TABLE discoveries (
        id INTEGER PRIMARY KEY, conversation TEXT NOT NULL, at_ms INTEGER NOT NULL,
        argument_tokens INTEGER NOT NULL, result_tokens INTEGER NOT NULL, exact INTEGER NOT NULL, run_id TEXT
    );
    CREATE INDEX discoveries_uncharged ON discoveries (conversation) WHERE run_id IS NULL;
    CREATE TABLE definitions (
        id INTEGER PRIMARY KEY, hash BLOB NOT NULL UNIQUE, tokens INTEGER NOT NULL, exact INTEGER NOT NULL
    );
    ",
    // Running totals, so that opening reads five rows whatever the age of the ledger.
    "
    CREATE TABLE totals (
        side INTEGER PRIMARY KEY, definitions INTEGER NOT NULL, output INTEGER NOT NULL, results INTEGER NOT NULL,
        turns INTEGER NOT NULL, total INTEGER NOT NULL, peak_context INTEGER NOT NULL
    );
    INSERT INTO totals
        SELECT n.side, IFNULL(SUM(s.definitions), 0), IFNULL(SUM(s.output), 0), IFNULL(SUM(s.results), 0),
               IFNULL(SUM(s.turns), 0), IFNULL(SUM(s.total), 0), IFNULL(MAX(s.peak_context), 0)
        FROM (SELECT 0 AS side UNION SELECT 1 UNION SELECT 2 UNION SELECT 3) n
        LEFT JOIN sides s ON s.side = n.side GROUP BY n.side;
    CREATE TABLE tally (
        id INTEGER PRIMARY KEY CHECK (id = 0), runs INTEGER NOT NULL, calls INTEGER NOT NULL, estimated INTEGER NOT NULL
    );
    INSERT INTO tally
        SELECT 0, COUNT(*), IFNULL(SUM(calls), 0), IFNULL(SUM(estimated), 0) FROM runs WHERE counted = 1;
    ",
    // The window and the turns of direct calling. What was counted before keeps its counts, and says that it had neither
    // (0); its last prompt was its largest, which makes its cacheable tokens known. Which calls repeat was not kept (NULL).
    "
    ALTER TABLE sides ADD COLUMN cacheable INTEGER NOT NULL DEFAULT 0;
    UPDATE sides SET cacheable = definitions + total - output - peak_context WHERE turns > 0;
    ALTER TABLE totals ADD COLUMN cacheable INTEGER NOT NULL DEFAULT 0;
    UPDATE totals SET cacheable = (SELECT IFNULL(SUM(s.cacheable), 0) FROM sides s WHERE s.side = totals.side);
    ALTER TABLE runs ADD COLUMN window_tokens INTEGER NOT NULL DEFAULT 0;
    ALTER TABLE runs ADD COLUMN waves INTEGER NOT NULL DEFAULT 0;
    ALTER TABLE runs ADD COLUMN folded INTEGER NOT NULL DEFAULT 0;
    ALTER TABLE runs ADD COLUMN compacted_code_mode INTEGER NOT NULL DEFAULT 0;
    ALTER TABLE runs ADD COLUMN compacted_deferred INTEGER NOT NULL DEFAULT 0;
    ALTER TABLE runs ADD COLUMN compacted_all INTEGER NOT NULL DEFAULT 0;
    ALTER TABLE runs ADD COLUMN compacted_needed INTEGER NOT NULL DEFAULT 0;
    ALTER TABLE calls ADD COLUMN repeated INTEGER;
    ",
    // Sums by hour, day and 32 days (`rollup.rs`), filled by `rebuild.rs`; tags, the encoding and a program's hash of
    // each run; what each server offers; and indexes for the lists of a report.
    "
    ALTER TABLE runs ADD COLUMN encoding TEXT NOT NULL DEFAULT 'o200k_base';
    ALTER TABLE runs ADD COLUMN tags TEXT NOT NULL DEFAULT '';
    ALTER TABLE runs ADD COLUMN program BLOB;
    ALTER TABLE runs ADD COLUMN search_tokens INTEGER NOT NULL DEFAULT 0;
    CREATE TABLE run_tags (
        tag TEXT NOT NULL, at_ms INTEGER NOT NULL, run_id TEXT NOT NULL, PRIMARY KEY (tag, at_ms, run_id)
    ) WITHOUT ROWID;
    CREATE TABLE scopes (
        id INTEGER PRIMARY KEY, tag TEXT NOT NULL, server TEXT NOT NULL, tool TEXT NOT NULL, UNIQUE (tag, server, tool)
    );
    CREATE TABLE run_keys (
        id INTEGER PRIMARY KEY, language TEXT NOT NULL, front TEXT NOT NULL, status TEXT NOT NULL,
        encoding TEXT NOT NULL, UNIQUE (language, front, status, encoding)
    );
    CREATE TABLE run_sums (
        scope INTEGER NOT NULL, step INTEGER NOT NULL, at_ms INTEGER NOT NULL, key INTEGER NOT NULL,
        runs INTEGER NOT NULL, estimated INTEGER NOT NULL, calls INTEGER NOT NULL, searches INTEGER NOT NULL,
        search_tokens INTEGER NOT NULL, sides BLOB NOT NULL, wall BLOB NOT NULL, PRIMARY KEY (scope, step, at_ms, key)
    ) WITHOUT ROWID;
    CREATE TABLE call_keys (
        id INTEGER PRIMARY KEY, server TEXT NOT NULL, tool TEXT NOT NULL, status TEXT NOT NULL, cache TEXT NOT NULL,
        language TEXT NOT NULL, run_status TEXT NOT NULL, UNIQUE (server, tool, status, cache, language, run_status)
    );
    CREATE TABLE call_sums (
        scope INTEGER NOT NULL, step INTEGER NOT NULL, at_ms INTEGER NOT NULL, key INTEGER NOT NULL,
        calls INTEGER NOT NULL, output_tokens INTEGER NOT NULL, result_tokens INTEGER NOT NULL,
        result_bytes INTEGER NOT NULL, took BLOB NOT NULL, PRIMARY KEY (scope, step, at_ms, key)
    ) WITHOUT ROWID;
    CREATE TABLE kept (
        id INTEGER PRIMARY KEY CHECK (id = 0), hours_since_ms INTEGER NOT NULL, rows_since_ms INTEGER NOT NULL
    );
    INSERT INTO kept VALUES (0, 0, 0);
    CREATE TABLE offered (
        server TEXT NOT NULL, tool TEXT NOT NULL, tokens INTEGER NOT NULL, PRIMARY KEY (server, tool)
    ) WITHOUT ROWID;
    CREATE INDEX runs_by_language ON runs (language, at_ms);
    CREATE INDEX runs_by_status ON runs (status, at_ms);
    CREATE INDEX runs_by_program ON runs (program, at_ms) WHERE program IS NOT NULL;
    CREATE INDEX runs_failed ON runs (at_ms) WHERE status <> 'ok';
    CREATE INDEX calls_by_tool ON calls (server, tool, at_ms, result_tokens);
    CREATE INDEX calls_by_size ON calls (result_tokens);
    CREATE INDEX calls_direct ON calls (at_ms) WHERE run_id IS NULL;
    ",
    // How a call ended and what the cache did are figures of a sum, not parts of its key: a quarter of the sums to read.
    // What a run searched for, and the runs of a conversation, are found by an index.
    "
    ALTER TABLE call_keys RENAME TO old_call_keys;
    ALTER TABLE call_sums RENAME TO old_call_sums;
    CREATE TABLE call_keys (
        id INTEGER PRIMARY KEY, server TEXT NOT NULL, tool TEXT NOT NULL, language TEXT NOT NULL,
        run_status TEXT NOT NULL, UNIQUE (server, tool, language, run_status)
    );
    CREATE TABLE call_sums (
        scope INTEGER NOT NULL, step INTEGER NOT NULL, at_ms INTEGER NOT NULL, key INTEGER NOT NULL,
        calls INTEGER NOT NULL, failed INTEGER NOT NULL, cached INTEGER NOT NULL, cached_tokens INTEGER NOT NULL,
        output_tokens INTEGER NOT NULL, result_tokens INTEGER NOT NULL, result_bytes INTEGER NOT NULL,
        took BLOB NOT NULL, PRIMARY KEY (scope, step, at_ms, key)
    ) WITHOUT ROWID;
    CREATE INDEX discoveries_charged ON discoveries (run_id) WHERE run_id IS NOT NULL;
    CREATE INDEX runs_by_conversation ON runs (conversation, at_ms);
    ",
];

/// The first version with sums by the hour, and the first with those of today.
const SUMS_SINCE: u32 = 4;
const FOLDED_SINCE: u32 = 5;

/// The schema this program writes.
#[expect(clippy::cast_possible_truncation, reason = "there are a few steps")]
pub(crate) const VERSION: u32 = STEPS.len() as u32;

/// Brings a database to [`VERSION`]. Two processes may do so at once: the second finds nothing left to do.
pub(crate) fn migrate(connection: &mut Connection, path: &Path) -> Result<(), Error> {
    if version(connection)? == VERSION {
        return Ok(());
    }
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let found = version(&transaction)?;
    if found > VERSION {
        return Err(Error::Newer { path: path.to_owned(), found, known: VERSION });
    }
    for step in &STEPS[found as usize..] {
        transaction.execute_batch(step)?;
    }
    if (1..SUMS_SINCE).contains(&found) {
        rebuild(&transaction)?;
    } else if (SUMS_SINCE..FOLDED_SINCE).contains(&found) {
        refold(&transaction)?;
    }
    transaction.execute_batch("DROP TABLE IF EXISTS old_call_sums; DROP TABLE IF EXISTS old_call_keys;")?;
    transaction.pragma_update(None, "user_version", VERSION)?;
    Ok(transaction.commit()?)
}

fn version(connection: &Connection) -> rusqlite::Result<u32> {
    connection.pragma_query_value(None, "user_version", |row| row.get(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at_version(version: u32) -> Connection {
        let connection = Connection::open_in_memory().expect("memory is there");
        for step in &STEPS[..version as usize] {
            connection.execute_batch(step).expect("a step is valid SQL");
        }
        connection.pragma_update(None, "user_version", version).expect("the version can be set");
        connection
    }

    /// What version 4 had added up of those rows: runs by the hour and the day, calls by 32 days too.
    fn add_sums_of_version_4(old: &Connection) {
        old.execute_batch(
            "INSERT INTO scopes VALUES (1, '', '', ''); INSERT INTO run_keys VALUES (1, 'python', 'cli', 'ok', 'o200k_base');
             INSERT INTO run_sums SELECT 1, value, 0, 1, 2, 1, 5, 0, 0, x'', x'' FROM json_each('[0, 1]');
             INSERT INTO call_keys VALUES (1, 'fs', 'read', 'ok', 'miss', 'python', 'ok'),
                (2, 'fs', 'read', 'ok', 'hit', '', 'direct');
             INSERT INTO call_sums SELECT 1, value, 0, 1, 1, 3, 4, 2, x'' FROM json_each('[0, 1, 2]');
             INSERT INTO call_sums SELECT 1, value, 0, 2, 1, 30, 40, 2, x'' FROM json_each('[0, 1, 2]');",
        )
        .expect("tables of that version");
    }

    fn row(connection: &Connection, sql: &str) -> Vec<i64> {
        connection
            .query_row(sql, [], |row| (0..row.as_ref().column_count()).map(|n| row.get(n)).collect())
            .expect("one row")
    }

    #[test]
    fn an_older_ledger_keeps_its_runs_and_gets_its_totals_and_sums() {
        for from in 1..VERSION {
            let mut old = at_version(from);
            old.execute_batch(
                "INSERT INTO runs (run_id, conversation, at_ms, front, language, status, label, wall_ms, calls,
                    code_bytes, reply_bytes, counted, estimated) VALUES
                    ('a', 'c', 1, 'cli', 'python', 'ok', '', 1.0, 3, 10, 10, 1, 0),
                    ('b', 'c', 2, 'cli', 'python', 'ok', '', 1.0, 2, 10, 10, 1, 1),
                    ('killed', 'c', 3, 'cli', 'python', 'ok', '', 1.0, 9, 10, 10, 0, NULL);
                 INSERT INTO sides (run_id, side, definitions, output, results, turns, total, peak_context) VALUES
                    ('a', 0, 1, 2, 3, 4, 95, 60), ('b', 0, 10, 20, 30, 40, 50, 6), ('a', 1, 7, 7, 7, 7, 14, 7),
                    ('b', 1, 0, 0, 0, 0, 0, 0);
                 INSERT INTO calls (run_id, at_ms, position, server, tool, status, cache, wave, ms, argument_bytes,
                    result_bytes, media, output_tokens, result_tokens, exact) VALUES
                    ('a', 1, 0, 'fs', 'read', 'ok', 'miss', 0, 1.5, 1, 2, 0, 3, 4, 1),
                    (NULL, 1, 0, 'fs', 'read', 'ok', 'hit', 0, 1.5, 1, 2, 0, 30, 40, 1);",
            )
            .expect("rows of that version");
            if from > 1 {
                old.execute_batch(
                    "UPDATE totals SET definitions = 11, output = 22, results = 33, turns = 44, total = 145,
                        peak_context = 60 WHERE side = 0;
                     UPDATE tally SET runs = 2, calls = 5, estimated = 1;",
                )
                .expect("what that version kept beside");
            }
            if from > 2 {
                // Cacheable: 1 + 95 - 2 - 60 = 34 and 10 + 50 - 20 - 6 = 34; 7 + 14 - 7 - 7 = 7.
                old.execute_batch(
                    "UPDATE sides SET cacheable = 34 WHERE side = 0;
                     UPDATE sides SET cacheable = 7 WHERE side = 1 AND turns > 0;
                     UPDATE totals SET cacheable = 68 WHERE side = 0;",
                )
                .expect("what that version kept beside");
            }
            if from >= SUMS_SINCE {
                add_sums_of_version_4(&old);
            }
            migrate(&mut old, Path::new("ledger.db")).expect("it migrates");
            assert_eq!(version(&old).expect("a version"), VERSION);
            assert_eq!(row(&old, "SELECT runs, calls, estimated FROM tally"), [2, 5, 1]);
            assert_eq!(row(&old, "SELECT * FROM totals WHERE side = 0"), [0, 11, 22, 33, 44, 145, 60, 68]);
            assert_eq!(row(&old, "SELECT * FROM totals WHERE side = 3"), [3, 0, 0, 0, 0, 0, 0, 0]);
            assert_eq!(row(&old, "SELECT SUM(cacheable) FROM sides WHERE side = 1"), [7]);
            assert_eq!(row(&old, "SELECT MAX(window_tokens), MAX(folded) FROM runs"), [0, 0]);
            assert_eq!(row(&old, "SELECT COUNT(*) FROM runs"), [3]);
            let all = "WHERE scope = (SELECT id FROM scopes WHERE tag = '' AND server = '' AND tool = '')";
            for step in [0, 1, 2] {
                let runs =
                    format!("SELECT SUM(runs), SUM(calls), SUM(estimated) FROM run_sums {all} AND step = {step}");
                assert_eq!(row(&old, &runs), [2, 5, 1], "from {from}, step {step}");
                let calls = format!(
                    "SELECT SUM(calls), SUM(failed), SUM(cached), SUM(cached_tokens), SUM(output_tokens) FROM call_sums
                     {all} AND step = {step}"
                );
                assert_eq!(row(&old, &calls), [2, 0, 1, 40, 33], "from {from}, step {step}");
            }
            assert_eq!(row(&old, "SELECT COUNT(*) FROM sqlite_schema WHERE name LIKE 'old_%'"), [0]);
        }
    }

    #[test]
    fn a_later_schema_is_left_alone() {
        let mut later = at_version(VERSION);
        later.pragma_update(None, "user_version", VERSION + 1).expect("the version can be set");
        let refused = migrate(&mut later, Path::new("ledger.db")).expect_err("it must not be touched");
        assert!(matches!(refused, Error::Newer { found, known: VERSION, .. } if found == VERSION + 1), "{refused}");
    }
}
