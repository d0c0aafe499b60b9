//! How long a list holds: as long as its server says (`ttlMs`, 2026-07-28), or until the server says that it changed.
//!
//! Invariant: a list that is out of date is found so by its next use, which goes on with it; one of those who use it is told
//! to have it listed anew. A server that says "at once" is asked no more often than a floor allows. `cacheScope` makes no
//! difference: what is kept of a list is kept for one person, by a connection with that person's login.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use tokio::time::Instant;

/// Until when one list holds.
#[derive(Debug)]
pub(crate) struct Fresh {
    /// Absent where nothing but a change ends it, or somebody lists it anew.
    until: Mutex<Option<Instant>>,
    floor: Duration,
}

impl Fresh {
    /// Holds until it is listed.
    pub(crate) fn new(floor: Duration) -> Self {
        Self { until: Mutex::default(), floor }
    }

    /// It was listed just now, and holds so many milliseconds, where the server says.
    pub(crate) fn listed(&self, ttl_ms: Option<u64>) {
        self.listed_at(Instant::now(), ttl_ms);
    }

    /// It could not be listed anew, and is tried again after a while.
    pub(crate) fn failed(&self) {
        self.listed(Some(0));
    }

    /// Whether it is out of date. True once: who is told so has it listed anew.
    pub(crate) fn is_stale(&self) -> bool {
        self.is_stale_at(Instant::now())
    }

    fn listed_at(&self, now: Instant, ttl_ms: Option<u64>) {
        let holds = ttl_ms.map(|ms| Duration::from_millis(ms).max(self.floor));
        *self.until() = holds.and_then(|holds| now.checked_add(holds));
    }

    fn is_stale_at(&self, now: Instant) -> bool {
        self.until().take_if(|until| *until <= now).is_some()
    }

    fn until(&self) -> std::sync::MutexGuard<'_, Option<Instant>> {
        self.until.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What holds for several pages, or lists, together: the shortest that any of them says.
pub(crate) fn shortest(one: Option<u64>, other: Option<u64>) -> Option<u64> {
    one.into_iter().chain(other).min()
}

#[cfg(test)]
mod tests {
    use super::*;

    const FLOOR: Duration = Duration::from_mins(1);

    #[test]
    fn a_list_holds_as_long_as_its_server_says_and_one_user_lists_it_anew() {
        let (fresh, start) = (Fresh::new(FLOOR), Instant::now());
        let after = |seconds: u64| start + Duration::from_secs(seconds);
        assert!(!fresh.is_stale_at(after(1_000)), "it was never listed");
        fresh.listed_at(start, Some(300_000));
        assert!(!fresh.is_stale_at(after(299)) && fresh.is_stale_at(after(300)));
        assert!(!fresh.is_stale_at(after(300)), "somebody lists it already");
        fresh.listed_at(after(300), Some(0));
        assert!(!fresh.is_stale_at(after(359)) && fresh.is_stale_at(after(360)), "no sooner than the floor");
    }

    #[test]
    fn however_short_it_holds_it_is_not_listed_at_each_use() {
        let (fresh, start, mut listings) = (Fresh::new(FLOOR), Instant::now(), 0);
        for use_of_it in 0..6_000 {
            let now = start + Duration::from_millis(use_of_it * 100);
            if listings == 0 || fresh.is_stale_at(now) {
                fresh.listed_at(now, Some(0));
                listings += 1;
            }
        }
        assert_eq!(listings, 10);
    }

    #[test]
    fn what_says_nothing_or_for_ever_holds_until_it_changes() {
        let (fresh, start) = (Fresh::new(FLOOR), Instant::now());
        for ttl_ms in [None, Some(u64::MAX)] {
            fresh.listed_at(start, ttl_ms);
            assert!(!fresh.is_stale_at(start + Duration::from_secs(1_000_000_000)), "{ttl_ms:?}");
        }
        assert_eq!(
            (shortest(None, None), shortest(Some(2), None), shortest(Some(2), Some(1))),
            (None, Some(2), Some(1))
        );
    }
}
