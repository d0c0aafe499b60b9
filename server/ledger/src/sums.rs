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
    /// Of these, those that did not end well.
    pub(crate) failed: u64,
    /// Of these, those that the cache answered, and the tokens of their results.
    pub(crate) cached: u64,
    pub(crate) cached_tokens: u64,
    pub(crate) output_tokens: u64,
    pub(crate) result_tokens: u64,
    pub(crate) result_bytes: u64,
    pub(crate) took: Histogram,
}

/// What sums take of one call. Wire names.
#[derive(Clone, Copy, Debug)]
pub(crate) struct OneCall<'a> {
    pub(crate) status: &'a str,
    pub(crate) cache: &'a str,
    pub(crate) output_tokens: u64,
    pub(crate) result_tokens: u64,
    pub(crate) result_bytes: u64,
    pub(crate) ms: f64,
}

impl CallSums {
    pub(crate) fn add(&mut self, other: &Self) {
        self.calls += other.calls;
        self.failed += other.failed;
        self.cached += other.cached;
        self.cached_tokens += other.cached_tokens;
        self.output_tokens += other.output_tokens;
        self.result_tokens += other.result_tokens;
        self.result_bytes += other.result_bytes;
        self.took.add(&other.took);
    }

    /// The sums over one call.
    pub(crate) fn of_one(call: OneCall<'_>) -> Self {
        let cached = call.cache != "miss";
        let mut took = Histogram::default();
        took.record(call.ms);
        Self {
            calls: 1,
            failed: u64::from(call.status != "ok"),
            cached: u64::from(cached),
            cached_tokens: if cached { call.result_tokens } else { 0 },
            output_tokens: call.output_tokens,
            result_tokens: call.result_tokens,
            result_bytes: call.result_bytes,
            took,
        }
    }
}
