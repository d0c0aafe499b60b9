//! The clock of one run: its deadline, and the pauses that move it.
//!
//! Invariants: pauses that overlap count once; together they move the deadline by no more than the limit, from which on
//! the clock runs although a pause is held. Leaves out: the program's own clock, which goes on.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::Notify;

/// How long a run may still take. Clones share it.
#[derive(Clone, Debug)]
pub struct RunClock(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    /// Without any pause.
    deadline: Instant,
    pause_limit: Duration,
    pauses: Mutex<Pauses>,
    resumed: Notify,
}

#[derive(Debug, Default)]
struct Pauses {
    held: u32,
    /// When the first of those held began; present where any is held.
    since: Option<Instant>,
    /// All that ended before.
    before: Duration,
}

/// Keeps a clock still until it is dropped, within the clock's limit.
#[derive(Debug)]
pub struct Pause(Arc<Shared>);

/// What a clock shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Shown {
    Over,
    Runs { until: Instant },
    Still { until: Instant },
}

impl RunClock {
    /// A clock that starts now. `pause_limit` is what all its pauses together can add to `deadline`.
    pub fn new(deadline: Duration, pause_limit: Duration) -> Self {
        let deadline = Instant::now() + deadline;
        Self(Arc::new(Shared { deadline, pause_limit, pauses: Mutex::default(), resumed: Notify::new() }))
    }

    /// Holds the clock.
    pub fn pause(&self) -> Pause {
        let mut pauses = self.0.pauses();
        pauses.held += 1;
        pauses.since.get_or_insert_with(Instant::now);
        Pause(Arc::clone(&self.0))
    }

    /// Whether the deadline has passed.
    pub(crate) fn is_over(&self) -> bool {
        self.0.show(Instant::now()) == Shown::Over
    }

    /// Resolves when the deadline has passed. For one waiter.
    pub(crate) async fn over(&self) {
        loop {
            match self.0.show(Instant::now()) {
                Shown::Over => return,
                Shown::Runs { until } => tokio::time::sleep_until(until.into()).await,
                Shown::Still { until } => {
                    let _ = tokio::time::timeout_at(until.into(), self.0.resumed.notified()).await;
                }
            }
        }
    }
}

impl Shared {
    fn show(&self, now: Instant) -> Shown {
        let pauses = self.pauses();
        let held = pauses.since.map_or(Duration::ZERO, |since| now.saturating_duration_since(since));
        let moved = (pauses.before + held).min(self.pause_limit);
        match pauses.since {
            _ if now >= self.deadline + moved => Shown::Over,
            Some(since) if moved < self.pause_limit => {
                Shown::Still { until: since + self.pause_limit.saturating_sub(pauses.before) }
            }
            _ => Shown::Runs { until: self.deadline + moved },
        }
    }

    fn pauses(&self) -> MutexGuard<'_, Pauses> {
        self.pauses.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Pause {
    fn drop(&mut self) {
        let mut pauses = self.0.pauses();
        pauses.held -= 1;
        if pauses.held == 0
            && let Some(since) = pauses.since.take()
        {
            pauses.before = (pauses.before + since.elapsed()).min(self.0.pause_limit);
            self.0.resumed.notify_one();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn start(clock: &RunClock) -> Instant {
        clock.0.deadline.checked_sub(10 * SECOND).expect("it started then")
    }

    /// What a clock of ten seconds shows this long after its start.
    fn after(clock: &RunClock, seconds: u32) -> Shown {
        clock.0.show(start(clock) + seconds * SECOND)
    }

    fn paused_since(clock: &RunClock, seconds: u32) {
        let since = start(clock) + seconds * SECOND;
        clock.0.pauses().since = Some(since);
    }

    #[test]
    fn a_clock_that_never_pauses_ends_at_its_deadline() {
        let clock = RunClock::new(10 * SECOND, 60 * SECOND);
        assert_eq!(after(&clock, 9), Shown::Runs { until: clock.0.deadline });
        assert_eq!(after(&clock, 10), Shown::Over);
    }

    #[test]
    fn a_pause_moves_the_deadline_and_the_rest_of_it_holds() {
        let clock = RunClock::new(10 * SECOND, 60 * SECOND);
        let pause = clock.pause();
        paused_since(&clock, 4);
        assert_eq!(after(&clock, 40), Shown::Still { until: clock.0.deadline + 54 * SECOND });
        drop(pause);
        clock.0.pauses().before = 36 * SECOND;
        assert_eq!(after(&clock, 45), Shown::Runs { until: clock.0.deadline + 36 * SECOND });
        assert_eq!(after(&clock, 46), Shown::Over);
    }

    #[test]
    fn pauses_that_overlap_count_once() {
        let clock = RunClock::new(10 * SECOND, 60 * SECOND);
        let (first, second) = (clock.pause(), clock.pause());
        paused_since(&clock, 1);
        drop(first);
        assert_eq!(clock.0.pauses().before, Duration::ZERO);
        assert_eq!(after(&clock, 31), Shown::Still { until: clock.0.deadline + 51 * SECOND });
        drop(second);
        let pauses = clock.0.pauses();
        assert_eq!((pauses.held, pauses.since), (0, None));
    }

    #[test]
    fn pauses_have_an_end_although_they_are_held() {
        let clock = RunClock::new(10 * SECOND, 20 * SECOND);
        clock.0.pauses().before = 15 * SECOND;
        let _held = clock.pause();
        paused_since(&clock, 20);
        assert_eq!(after(&clock, 24), Shown::Still { until: clock.0.deadline + 15 * SECOND });
        assert_eq!(after(&clock, 25), Shown::Runs { until: clock.0.deadline + 20 * SECOND });
        assert_eq!(after(&clock, 30), Shown::Over);
    }

    #[tokio::test]
    async fn whoever_waits_for_the_end_is_told_of_it() {
        let clock = RunClock::new(Duration::from_millis(30), Duration::from_millis(60));
        let started = Instant::now();
        let _held = clock.pause();
        clock.over().await;
        assert!(started.elapsed() >= Duration::from_millis(90) && clock.is_over());
    }
}
