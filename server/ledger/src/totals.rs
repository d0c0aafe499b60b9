//! Sums over many runs, kept up to date run by run.

use crate::formula::add;
use crate::receipt::{Basis, Sides, sum};
use model::tokens::Savings;

/// A sum over runs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Totals {
    pub(crate) sides: Sides,
    pub(crate) runs: u64,
    pub(crate) calls: u64,
    /// Runs with a count that is an estimate.
    pub(crate) estimated: u64,
}

impl Totals {
    pub(crate) fn add(&mut self, sides: &Sides, basis: &Basis, calls: usize) {
        for (sum, side) in self.sides.iter_mut().zip(sides) {
            add(sum, side);
        }
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
        let tokens = sum(self.sides.clone(), self.runs, self.estimated);
        Savings { runs: self.runs, calls: self.calls, tokens }
    }
}
