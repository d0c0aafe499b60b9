//! The numbers of scopes and keys, whose texts stand once in tables of their own.
//!
//! A number never changes and is never given up, so that those that were read or given in a transaction hold for the next one
//! too, unless it was rolled back: then they are forgotten.

use crate::sums::{CallKey, RunKey};
use rusqlite::{Connection, OptionalExtension, Transaction, params};
use std::collections::BTreeMap;

/// Numbers of each kind that are remembered; beyond that all are looked up anew.
const REMEMBERED: usize = 20_000;

/// Which runs a sum is over: an empty part means any.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Scope {
    /// `key=value`.
    pub(crate) tag: String,
    pub(crate) server: String,
    pub(crate) tool: String,
}

/// In place of a tag, the calls of a front's runs. No tag has a control character.
pub(crate) fn of_front(front: &str) -> String {
    format!("\u{1}{front}")
}

/// The numbers that are known.
#[derive(Debug, Default)]
pub(crate) struct Keys {
    scopes: BTreeMap<Scope, i64>,
    runs: BTreeMap<RunKey, i64>,
    calls: BTreeMap<CallKey, i64>,
}

impl Keys {
    /// The number of a scope, which it gets where it has none.
    pub(crate) fn scope(&mut self, transaction: &Transaction<'_>, scope: &Scope) -> rusqlite::Result<i64> {
        remembered(&mut self.scopes, scope, || {
            if let Some(id) = find_scope(transaction, scope)? {
                return Ok(id);
            }
            let parts = params![scope.tag, scope.server, scope.tool];
            transaction.prepare_cached("INSERT INTO scopes (tag, server, tool) VALUES (?, ?, ?)")?.insert(parts)
        })
    }

    /// Likewise of a key of runs.
    pub(crate) fn run(&mut self, transaction: &Transaction<'_>, key: &RunKey) -> rusqlite::Result<i64> {
        remembered(&mut self.runs, key, || {
            let parts = params![key.language, key.front, key.status, key.encoding];
            let found = transaction
                .prepare_cached(
                    "SELECT id FROM run_keys WHERE language = ? AND front = ? AND status = ? AND encoding = ?",
                )?
                .query_row(parts, |row| row.get(0))
                .optional()?;
            if let Some(id) = found {
                return Ok(id);
            }
            transaction
                .prepare_cached("INSERT INTO run_keys (language, front, status, encoding) VALUES (?, ?, ?, ?)")?
                .insert(parts)
        })
    }

    /// Likewise of a key of calls.
    pub(crate) fn call(&mut self, transaction: &Transaction<'_>, key: &CallKey) -> rusqlite::Result<i64> {
        remembered(&mut self.calls, key, || {
            let parts = params![key.server, key.tool, key.language, key.run_status];
            let found = transaction
                .prepare_cached(
                    "SELECT id FROM call_keys WHERE server = ? AND tool = ? AND language = ? AND run_status = ?",
                )?
                .query_row(parts, |row| row.get(0))
                .optional()?;
            if let Some(id) = found {
                return Ok(id);
            }
            transaction
                .prepare_cached("INSERT INTO call_keys (server, tool, language, run_status) VALUES (?, ?, ?, ?)")?
                .insert(parts)
        })
    }
}

fn remembered<K: Clone + Ord>(
    known: &mut BTreeMap<K, i64>,
    key: &K,
    find: impl FnOnce() -> rusqlite::Result<i64>,
) -> rusqlite::Result<i64> {
    if let Some(id) = known.get(key) {
        return Ok(*id);
    }
    let id = find()?;
    if known.len() >= REMEMBERED {
        known.clear();
    }
    known.insert(key.clone(), id);
    Ok(id)
}

/// The number of a scope; `None` where nothing was ever counted in it.
pub(crate) fn find_scope(connection: &Connection, scope: &Scope) -> rusqlite::Result<Option<i64>> {
    connection
        .prepare_cached("SELECT id FROM scopes WHERE tag = ? AND server = ? AND tool = ?")?
        .query_row(params![scope.tag, scope.server, scope.tool], |row| row.get(0))
        .optional()
}
