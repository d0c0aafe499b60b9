//! Work that a client of the stateless revision comes back for: it is given a handle, and brings it with its next request.
//!
//! Invariants: a handle is random, good once, and all that a client ever holds of the work; only so much waits, and the
//! work that has waited longest gives way. Leaves out: how long work may wait, which is the work's own business.

use crate::Error;
use crate::auth::random_token;
use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

/// Work by its handle.
#[derive(Debug)]
pub struct Parked<T> {
    waiting: Mutex<VecDeque<(String, T)>>,
    most: usize,
}

impl<T> Parked<T> {
    /// Room for `most` of it.
    pub fn new(most: usize) -> Self {
        Self { waiting: Mutex::default(), most }
    }

    /// Keeps `work`, and says by what handle.
    pub fn put(&self, work: T) -> Result<String, Error> {
        let handle = random_token()?;
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        let gives_way = if waiting.len() >= self.most { waiting.pop_front() } else { None };
        waiting.push_back((handle.clone(), work));
        drop(waiting);
        drop(gives_way);
        Ok(handle)
    }

    /// The work of this handle, if it is the work that is `meant`; it waits no longer.
    pub fn take(&self, handle: &str, meant: impl FnOnce(&T) -> bool) -> Option<T> {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        let at = waiting.iter().position(|(other, _)| other == handle)?;
        if !meant(&waiting[at].1) {
            return None;
        }
        waiting.remove(at).map(|(_, work)| work)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_handle_is_good_once_and_only_for_what_is_meant() {
        let parked = Parked::new(2);
        let handle = parked.put("a").expect("randomness");
        assert_eq!(parked.take(&handle, |work| *work == "b"), None);
        assert_eq!(parked.take(&handle.replace(&handle[..1], "x"), |_| true), None);
        assert_eq!(parked.take(&handle, |work| *work == "a"), Some("a"));
        assert_eq!(parked.take(&handle, |_| true), None);
    }

    #[test]
    fn what_has_waited_longest_gives_way() {
        let parked = Parked::new(2);
        let handles: Vec<String> = (0..3).map(|n| parked.put(n).expect("randomness")).collect();
        let taken: Vec<_> = handles.iter().map(|handle| parked.take(handle, |_| true)).collect();
        assert_eq!(taken, [None, Some(1), Some(2)]);
    }
}
