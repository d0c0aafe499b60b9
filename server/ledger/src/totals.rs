//! Sums over all runs ever counted, kept up to date with them, so that opening reads five rows whatever the age of the ledger.

use crate::formula::add;
use crate::receipt::{Basis, Sides, sum};
use crate::sums::RunSums;
use model::tokens::{Savings, SideTokens};
use rusqlite::{Connection, Row, params};
use std::collections::BTreeSet;

/// A sum over runs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Totals {
    pub(crate) sides: Sides,
    pub(crate) runs: u64,
    pub(crate) calls: u64,
    /// Runs with a count that is an estimate.
    pub(crate) estimated: u64,
    /// In what they were counted.
    pub(crate) encodings: BTreeSet<String>,
}

impl Totals {
    pub(crate) fn add(&mut self, sides: &Sides, basis: &Basis, calls: usize) {
        for (sum, side) in self.sides.iter_mut().zip(sides) {
            add(sum, side);
        }
        self.encodings.insert(basis.encoding.name().to_owned());
        self.runs += 1;
        self.calls += calls as u64;
        self.estimated += u64::from(basis.estimated);
    }

    /// Runs and calls of which only the number is known.
    pub(crate) fn tally(&mut self, runs: u64, calls: u64) {
        self.runs += runs;
        self.calls += calls;
        self.estimated += runs;
    }

    pub(crate) fn savings(&self) -> Savings {
        let mut tokens = sum(self.sides.clone(), self.runs, self.estimated);
        let encodings: Vec<&str> = self.encodings.iter().map(String::as_str).collect();
        if let [one] = encodings[..] {
            one.clone_into(&mut tokens.encoding);
        } else if encodings.len() > 1 {
            "mixed".clone_into(&mut tokens.encoding);
            let text = format!("runs in {}: the sums add tokens of different sizes", encodings.join(" and in "));
            tokens.labels.insert("encoding".to_owned(), text);
        }
        Savings { runs: self.runs, calls: self.calls, tokens }
    }
}

/// The stored totals.
pub(crate) fn totals(connection: &Connection) -> rusqlite::Result<Totals> {
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

/// Adds to the stored totals.
pub(crate) fn add_to_totals(connection: &Connection, add: &RunSums) -> rusqlite::Result<()> {
    for (number, side) in add.sides.iter().enumerate() {
        let SideTokens { definitions, output, results, turns, total, peak_context, cacheable } = side;
        connection
            .prepare_cached(
                "UPDATE totals SET definitions = definitions + ?2, output = output + ?3, results = results + ?4,
                 turns = MIN(turns + ?5, ?9), total = total + ?6, peak_context = MAX(peak_context, ?7),
                 cacheable = cacheable + ?8 WHERE side = ?1",
            )?
            .execute(params![number, definitions, output, results, turns, total, peak_context, cacheable, u32::MAX])?;
    }
    connection
        .prepare_cached("UPDATE tally SET runs = runs + ?, calls = calls + ?, estimated = estimated + ?")?
        .execute(params![add.runs, add.calls, add.estimated])
        .map(drop)
}

/// A side from seven columns, of which `first` is the first.
pub(crate) fn side_from(row: &Row<'_>, first: usize) -> rusqlite::Result<SideTokens> {
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
