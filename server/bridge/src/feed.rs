//! What one subscriber has not taken yet of the changes that a server tells of.
//!
//! Invariants: changes of one resource that nobody took are one change with their number; nothing is lost for a question
//! that was given up, as what was handed out is kept until the next question says that it was seen. Bounded: the changes that
//! wait, which become one of the whole where there are too many, the bytes of a URI, and the bytes that are kept of what was told.

use serde::Serialize;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::Notify;

/// Resources whose changes wait to be taken.
const WAITING_MAX: usize = 128;
/// Bytes of a URI; what has a longer one is told as a change of the whole.
const URI_BYTES: usize = 2_048;
/// Bytes kept of all that was told.
const TOLD_BYTES: usize = 64 << 10;

/// A resource changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Change {
    /// Which one: that which was subscribed to, or a part of it.
    pub uri: String,
    /// How often, since it was last taken.
    pub times: u64,
}

/// The changes for one subscriber; clones share them.
#[derive(Clone, Debug, Default)]
pub struct Feed(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    kept: Mutex<Kept>,
    news: Notify,
}

#[derive(Debug, Default)]
struct Kept {
    /// Grows with each change, and with the beginning of the subscription.
    count: u64,
    waiting: VecDeque<Waiting>,
    /// What was handed out, a line each.
    told: String,
}

#[derive(Debug)]
struct Waiting {
    /// What `count` was after its last change.
    at: u64,
    change: Change,
    /// It was handed out, and becomes no more than it was.
    is_given: bool,
}

impl Feed {
    /// How far it is, and the changes after `seen`. 0 is before the subscription stands.
    pub fn since(&self, seen: u64) -> (u64, Vec<Change>) {
        let mut kept = self.kept();
        let Kept { count, waiting, told } = &mut *kept;
        waiting.retain(|waiting| waiting.at > seen);
        for fresh in waiting.iter_mut().filter(|waiting| !waiting.is_given) {
            fresh.is_given = true;
            let line = serde_json::to_string(&fresh.change).unwrap_or_default();
            if told.len() + line.len() < TOLD_BYTES {
                told.push_str(&line);
                told.push('\n');
            }
        }
        (*count, waiting.iter().map(|waiting| waiting.change.clone()).collect())
    }

    /// Waits until it is further than `seen`.
    pub async fn after(&self, seen: u64) {
        loop {
            let mut news = std::pin::pin!(self.0.news.notified());
            news.as_mut().enable();
            if self.kept().count > seen {
                return;
            }
            news.await;
        }
    }

    /// All that was handed out, as a model would have read it, as far as it is kept.
    pub fn told(&self) -> String {
        self.kept().told.clone()
    }

    /// The subscription stands.
    pub(crate) fn begin(&self) {
        self.kept().count += 1;
        self.0.news.notify_waiters();
    }

    /// `uri`, which is `whole` or a part of it, changed.
    pub(crate) fn push(&self, whole: &str, uri: &str) {
        let uri = if uri.len() > URI_BYTES { whole } else { uri };
        let mut kept = self.kept();
        kept.count += 1;
        let at = kept.count;
        let same = kept.waiting.iter().position(|waiting| !waiting.is_given && waiting.change.uri == uri);
        let times = same.and_then(|same| kept.waiting.remove(same)).map_or(0, |same| same.change.times) + 1;
        let change = if kept.waiting.len() < WAITING_MAX {
            Change { uri: uri.to_owned(), times }
        } else {
            let before: u64 = kept.waiting.drain(..).map(|waiting| waiting.change.times).sum();
            Change { uri: whole.to_owned(), times: before + times }
        };
        kept.waiting.push_back(Waiting { at, change, is_given: false });
        drop(kept);
        self.0.news.notify_waiters();
    }

    /// Whether the other is a clone of it.
    pub(crate) fn is(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.0.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures::FutureExt as _;

    fn seen(feed: &Feed, seen: u64) -> Vec<(String, u64)> {
        feed.since(seen).1.into_iter().map(|change| (change.uri, change.times)).collect()
    }

    fn changes(all: &[(&str, u64)]) -> Vec<(String, u64)> {
        all.iter().map(|(uri, times)| ((*uri).to_owned(), *times)).collect()
    }

    #[test]
    fn changes_that_nobody_took_are_one_for_each_resource_in_the_order_of_their_last() {
        let feed = Feed::default();
        assert!(feed.after(0).now_or_never().is_none());
        feed.begin();
        assert!(feed.after(0).now_or_never().is_some() && feed.after(1).now_or_never().is_none());
        for uri in ["d/a", "d/b", "d/a", "d/a"] {
            feed.push("d", uri);
        }
        assert_eq!(seen(&feed, 1), changes(&[("d/b", 1), ("d/a", 3)]));
        assert_eq!(feed.told(), "{\"uri\":\"d/b\",\"times\":1}\n{\"uri\":\"d/a\",\"times\":3}\n");
    }

    #[test]
    fn what_was_handed_out_is_kept_until_it_was_seen_and_counted_once() {
        let feed = Feed::default();
        feed.push("d", "d");
        assert_eq!(seen(&feed, 0), changes(&[("d", 1)]));
        feed.push("d", "d");
        assert_eq!(seen(&feed, 0), changes(&[("d", 1), ("d", 1)]), "the first question was given up");
        assert_eq!(seen(&feed, 1), changes(&[("d", 1)]));
        assert_eq!(seen(&feed, 2), changes(&[]));
        assert_eq!(feed.told().lines().count(), 2);
    }

    #[test]
    fn too_many_that_wait_become_one_change_of_the_whole() {
        let feed = Feed::default();
        for n in 0..=WAITING_MAX {
            feed.push("d", &format!("d/{n}"));
        }
        let all = u64::try_from(WAITING_MAX).expect("small") + 1;
        assert_eq!(seen(&feed, 0), changes(&[("d", all)]));
        feed.push("d", &format!("d/{}", "x".repeat(URI_BYTES)));
        assert_eq!(seen(&feed, all), changes(&[("d", 1)]));
        for n in 0..10_000 {
            feed.push("d", &format!("d/{n}"));
            feed.since(0);
        }
        assert!(feed.told().len() < TOLD_BYTES);
    }
}
