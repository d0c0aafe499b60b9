//! How long things took, in few numbers: counts in steps that are a tenth apart, from a hundredth of a millisecond to hours.
//!
//! Histograms add up, so that any period's percentiles come from its parts'. A percentile is off by a twentieth at most.

use model::report::Percentiles;

/// The upper end of the first step, in milliseconds.
const FIRST_MS: f64 = 0.01;
/// How much longer each step is than the one before.
const GROWTH: f64 = 1.1;
/// The last step: everything from about 25 hours.
const LAST: usize = 240;

/// Counts by step, up to the last one with a count.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Histogram(Vec<u64>);

impl Histogram {
    /// Takes in one time.
    pub(crate) fn record(&mut self, ms: f64) {
        self.count(step(ms), 1);
    }

    /// Takes in all of another.
    pub(crate) fn add(&mut self, other: &Self) {
        if self.0.len() < other.0.len() {
            self.0.resize(other.0.len(), 0);
        }
        for (sum, count) in self.0.iter_mut().zip(&other.0) {
            *sum += count;
        }
    }

    fn count(&mut self, step: usize, count: u64) {
        if count == 0 {
            return;
        }
        if self.0.len() <= step {
            self.0.resize(step + 1, 0);
        }
        self.0[step] = self.0[step].saturating_add(count);
    }

    pub(crate) fn percentiles(&self) -> Percentiles {
        let all = self.0.iter().sum();
        Percentiles { p50: self.at(all, 50), p90: self.at(all, 90), p99: self.at(all, 99) }
    }

    fn at(&self, all: u64, percent: u64) -> f64 {
        if all == 0 {
            return 0.0;
        }
        let rank = (all * percent).div_ceil(100);
        let mut seen = 0;
        let found = self.0.iter().position(|count| {
            seen += count;
            seen >= rank
        });
        found.map_or(0.0, middle)
    }

    /// As bytes: for each step with a count, its distance from the one before and the count, each in as many bytes as it
    /// needs.
    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        let (mut bytes, mut before) = (Vec::new(), 0);
        for (step, count) in self.0.iter().enumerate().filter(|(_, count)| **count > 0) {
            write_number(&mut bytes, (step - before) as u64);
            write_number(&mut bytes, *count);
            before = step;
        }
        bytes
    }

    /// Adds what [`Histogram::to_bytes`] wrote. Bytes that it did not write add what can be read of them.
    pub(crate) fn add_bytes(&mut self, mut bytes: &[u8]) {
        let mut step = 0_usize;
        while let (Some(distance), Some(count)) = (read_number(&mut bytes), read_number(&mut bytes)) {
            step = step.saturating_add(usize::try_from(distance).unwrap_or(LAST)).min(LAST);
            self.count(step, count);
        }
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    reason = "it is between 0 and LAST"
)]
fn step(ms: f64) -> usize {
    if ms.is_nan() || ms <= FIRST_MS {
        0
    } else {
        ((ms / FIRST_MS).ln() / GROWTH.ln()).ceil().min(LAST as f64) as usize
    }
}

/// The geometric middle of a step.
#[expect(clippy::cast_precision_loss, reason = "there are a few hundred")]
fn middle(step: usize) -> f64 {
    FIRST_MS * GROWTH.powf(step as f64 - 0.5)
}

/// Writes a number in as many bytes as it needs, seven bits each.
pub(crate) fn write_number(bytes: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        bytes.push((number & 0x7f) as u8 | 0x80);
        number >>= 7;
    }
    bytes.push((number & 0x7f) as u8);
}

/// Reads what [`write_number`] wrote, and moves on; `None` at the end.
pub(crate) fn read_number(bytes: &mut &[u8]) -> Option<u64> {
    let mut number = 0_u64;
    for shift in (0..64).step_by(7) {
        let (first, rest) = bytes.split_first()?;
        *bytes = rest;
        number |= u64::from(first & 0x7f) << shift;
        if first & 0x80 == 0 {
            return Some(number);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_within_a_twentieth() {
        let mut histogram = Histogram::default();
        (1..=1_000).for_each(|ms| histogram.record(f64::from(ms)));
        let Percentiles { p50, p90, p99 } = histogram.percentiles();
        for (found, exact) in [(p50, 500.0_f64), (p90, 900.0), (p99, 990.0)] {
            assert!((found / exact - 1.0).abs() < 0.06, "{found} for {exact}");
        }
        assert_eq!(Histogram::default().percentiles(), Percentiles::default());
    }

    #[test]
    fn bytes_keep_every_count_and_halves_add_up() {
        let (mut whole, mut one, mut other) = (Histogram::default(), Histogram::default(), Histogram::default());
        for (n, ms) in [0.0, -1.0, f64::NAN, 0.011, 3.0, 3.1, 1e4, 1e300, f64::INFINITY].into_iter().enumerate() {
            for _ in 0..=(n * 150) {
                whole.record(ms);
                if n % 2 == 0 { one.record(ms) } else { other.record(ms) }
            }
        }
        one.add_bytes(&other.to_bytes());
        assert_eq!(one, whole);
        let mut read = Histogram::default();
        read.add_bytes(&whole.to_bytes());
        assert_eq!(read, whole);
    }

    #[test]
    fn damaged_bytes_do_no_harm() {
        let mut histogram = Histogram::default();
        histogram.add_bytes(&[0xff; 40]);
        histogram.add_bytes(&[0x85]);
        histogram.add_bytes(&[0xff, 0xff, 0x7f, 1]);
        assert!(histogram.0.len() <= LAST + 1);
    }
}
