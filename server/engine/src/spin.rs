//! How long a guest's thread looks out for an answer before it sleeps.
//!
//! To wake a sleeping thread costs the kernel, on a virtual machine above all, more than a quick server takes to answer.
//! So the thread that waits for the only call under way asks for its answer again and again at first, and between two
//! times gives its core to whoever wants it. For how long, the calls before it tell: twice as long as the last one took,
//! and not at all after one that took long. Where more runs live than there are threads, another one has use for the
//! thread, and it sleeps at once.

use std::time::{Duration, Instant};
use tokio::runtime::Handle;

/// Before anything is known of a run's calls.
const FIRST: Duration = Duration::from_micros(200);
/// A call that takes longer is not looked out for.
const LONGEST: Duration = Duration::from_millis(1);

/// What one run knows of its calls.
#[derive(Debug)]
pub(crate) struct Spin {
    budget: Duration,
    spent: Duration,
}

impl Default for Spin {
    fn default() -> Self {
        Self { budget: FIRST, spent: Duration::ZERO }
    }
}

impl Spin {
    /// Until when a wait that begins now looks out. Asked on a thread of the guests' runtime.
    pub(crate) fn until(&self, now: Instant) -> Instant {
        let metrics = Handle::current().metrics();
        if metrics.num_alive_tasks() > metrics.num_workers() { now } else { now + self.budget }
    }

    /// Gives the core away for a moment; false when it is time to sleep.
    pub(crate) fn goes_on(&mut self, until: Instant) -> bool {
        let now = Instant::now();
        if now >= until {
            return false;
        }
        std::thread::yield_now();
        self.spent += now.elapsed();
        true
    }

    /// What the next wait goes by.
    pub(crate) fn learn(&mut self, took: Duration) {
        self.budget = if took > LONGEST { Duration::ZERO } else { (took * 2).min(LONGEST) };
    }

    /// All the time given away so far: no time that the program computed.
    pub(crate) fn spent(&self) -> Duration {
        self.spent
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_slow_call_is_not_looked_out_for_and_a_quick_one_again() {
        let mut spin = Spin::default();
        let now = Instant::now();
        assert_eq!(spin.until(now), now + FIRST);
        spin.learn(LONGEST * 2);
        assert_eq!(spin.until(now), now, "the last one took long");
        spin.learn(Duration::from_micros(70));
        assert_eq!(spin.until(now), now + Duration::from_micros(140));
        spin.learn(LONGEST);
        assert_eq!(spin.until(now), now + LONGEST, "never longer than that");
    }

    #[tokio::test]
    async fn it_ends_and_says_what_it_spent() {
        let mut spin = Spin::default();
        let began = Instant::now();
        let until = began + FIRST;
        while spin.goes_on(until) {}
        assert!(Instant::now() >= until);
        assert!(spin.spent() > Duration::ZERO && spin.spent() <= began.elapsed());
    }

    #[test]
    fn a_thread_that_another_run_wants_is_not_held() {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).build().expect("a runtime");
        let now = Instant::now();
        let asked = || runtime.block_on(runtime.spawn(async move { Spin::default().until(now) })).expect("no panic");
        assert_eq!(asked(), now + FIRST);
        let another = runtime.spawn(std::future::pending::<()>());
        assert_eq!(asked(), now);
        another.abort();
    }
}
