//! Sums over many runs, kept up to date run by run.

use crate::formula::add;
use crate::receipt::{Basis, Sides, sum};
use model::tokens::Savings;
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
