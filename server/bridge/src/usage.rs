//! Whether a server is in use, and since when it is not: what an idle stop goes by. Who only listens to it keeps it from
//! resting, and is no reason to think it busy.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::time::Instant;

/// The uses of one server.
#[derive(Debug)]
pub(crate) struct Usage(Mutex<Uses>);

#[derive(Debug)]
struct Uses {
    now: usize,
    listening: usize,
    last: Instant,
}

impl Default for Usage {
    fn default() -> Self {
        Self(Mutex::new(Uses { now: 0, listening: 0, last: Instant::now() }))
    }
}

impl Usage {
    /// The server is in use until the guard is dropped.
    pub(crate) fn enter(self: &Arc<Self>) -> InUse {
        self.uses().now += 1;
        InUse(self.clone())
    }

    /// Somebody listens to the server until the guard is dropped.
    pub(crate) fn listen(self: &Arc<Self>) -> Listening {
        self.uses().listening += 1;
        Listening(self.clone())
    }

    /// When the last use ended; `None` while there is one.
    pub(crate) fn idle_since(&self) -> Option<Instant> {
        let uses = self.uses();
        (uses.now + uses.listening == 0).then_some(uses.last)
    }

    /// Whether something of it is waited for.
    pub(crate) fn is_busy(&self) -> bool {
        self.uses().now > 0
    }

    fn uses(&self) -> MutexGuard<'_, Uses> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One use of a server.
#[derive(Debug)]
pub(crate) struct InUse(Arc<Usage>);

impl Drop for InUse {
    fn drop(&mut self) {
        let mut uses = self.0.uses();
        uses.now -= 1;
        uses.last = Instant::now();
    }
}

/// One who listens.
#[derive(Debug)]
pub(crate) struct Listening(Arc<Usage>);

impl Drop for Listening {
    fn drop(&mut self) {
        let mut uses = self.0.uses();
        uses.listening -= 1;
        uses.last = Instant::now();
    }
}
