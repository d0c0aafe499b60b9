//! What is added up over runs and over calls, and by what it is kept apart.

use crate::formula::add;
use crate::histogram::Histogram;
use crate::receipt::Sides;

/// By what sums over runs are kept apart. Wire names throughout.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct RunKey {
    pub(crate) language: String,
    pub(crate) front: String,
    pub(crate) status: String,
    pub(crate) encoding: String,
}

/// Sums over counted runs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct RunSums {
    pub(crate) runs: u64,
    /// Of these, those with a count that is an estimate.
    pub(crate) estimated: u64,
    pub(crate) calls: u64,
    /// Searches of the tools that they paid for, and the tokens of both their directions.
    pub(crate) searches: u64,
    pub(crate) search_tokens: u64,
    /// Every figure adds, those that dollars are computed from too (`prices.rs`); peaks are the largest.
    pub(crate) sides: Sides,
    pub(crate) wall: Histogram,
}

impl RunSums {
    pub(crate) fn add(&mut self, other: &Self) {
        self.runs += other.runs;
        self.estimated += other.estimated;
        self.calls += other.calls;
        self.searches += other.searches;
        self.search_tokens += other.search_tokens;
        for (sum, side) in self.sides.iter_mut().zip(&other.sides) {
            add(sum, side);
        }
        self.wall.add(&other.wall);
    }

    /// The sums over one run.
    pub(crate) fn of_one(sides: &Sides, estimated: bool, calls: u64, wall_ms: f64) -> Self {
        let mut wall = Histogram::default();
        wall.record(wall_ms);
        Self { runs: 1, estimated: u64::from(estimated), calls, sides: sides.clone(), wall, ..Self::default() }
    }
}

/// By what sums over calls are kept apart. Wire names throughout; a call that a front made by itself has no language and
/// the run status [`DIRECT`].
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct CallKey {
    pub(crate) server: String,
    pub(crate) tool: String,
    pub(crate) status: String,
    pub(crate) cache: String,
    pub(crate) language: String,
    pub(crate) run_status: String,
}

/// In place of a run's status, of a call that belongs to no run.
pub(crate) const DIRECT: &str = "direct";

impl CallKey {
    pub(crate) fn is_direct(&self) -> bool {
        self.run_status == DIRECT
    }
}

/// Sums over calls.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct CallSums {
    pub(crate) calls: u64,
    pub(crate) output_tokens: u64,
    pub(crate) result_tokens: u64,
    pub(crate) result_bytes: u64,
    pub(crate) took: Histogram,
}

impl CallSums {
    pub(crate) fn add(&mut self, other: &Self) {
        self.calls += other.calls;
        self.output_tokens += other.output_tokens;
        self.result_tokens += other.result_tokens;
        self.result_bytes += other.result_bytes;
        self.took.add(&other.took);
    }
}
