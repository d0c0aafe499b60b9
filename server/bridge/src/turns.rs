//! Whose turn it is: how many calls are on their way to one server at once, and how many begin in a minute.
//!
//! Calls go in the order in which they came. Waiting costs nothing of a call's own time, but is bounded twice: by how many
//! wait, and by how long one does. The turns are the server's, not a connection's: a restart lets nobody jump the queue.

use crate::error::Error;
use governor::clock::Clock;
use governor::{DefaultDirectRateLimiter, Quota, RateLimiter};
use model::ServerLimits;
use std::num::NonZeroU32;
use std::time::Duration;
use tokio::sync::{Mutex, Semaphore, SemaphorePermit};

/// The turns of one server.
pub(crate) struct Turns {
    server: String,
    limits: ServerLimits,
    in_flight: Semaphore,
    waiting: Semaphore,
    pace: Option<Pace>,
}

/// How many calls begin in a minute: that many at once after a rest, evenly spread from then on.
struct Pace {
    limiter: DefaultDirectRateLimiter,
    /// Held by the one that is next.
    next: Mutex<()>,
}

impl Turns {
    pub(crate) fn new(server: &str, limits: &ServerLimits) -> Self {
        let pace = NonZeroU32::new(limits.calls_per_minute)
            .map(|calls| Pace { limiter: RateLimiter::direct(Quota::per_minute(calls)), next: Mutex::default() });
        Self {
            server: server.to_owned(),
            limits: limits.clone(),
            in_flight: Semaphore::new(limits.calls_in_flight),
            waiting: Semaphore::new(limits.calls_waiting),
            pace,
        }
    }

    /// Waits for a turn, which lasts until the permit is dropped.
    pub(crate) async fn take(&self, patience: Duration) -> Result<SemaphorePermit<'_>, Error> {
        if self.pace.is_none()
            && let Ok(turn) = self.in_flight.try_acquire()
        {
            return Ok(turn);
        }
        let _place = self.waiting.try_acquire().map_err(|_| {
            self.busy(format!("{} calls wait for it already", self.limits.calls_waiting), "calls_waiting")
        })?;
        tokio::time::timeout(patience, self.turn()).await.map_err(|_| {
            let ms = patience.as_millis();
            match self.limits.calls_per_minute {
                0 => {
                    let of = format!("it has had {} calls at once for {ms} ms", self.limits.calls_in_flight);
                    self.busy(of, "calls_in_flight")
                }
                calls => {
                    self.busy(format!("no turn came within {ms} ms at {calls} calls a minute"), "calls_per_minute")
                }
            }
        })
    }

    async fn turn(&self) -> SemaphorePermit<'_> {
        let turn = self.in_flight.acquire().await.expect("nobody closes it");
        if let Some(pace) = &self.pace {
            let _next = pace.next.lock().await;
            while let Err(early) = pace.limiter.check() {
                tokio::time::sleep(early.wait_time_from(pace.limiter.clock().now())).await;
            }
        }
        turn
    }

    fn busy(&self, what: String, limit: &'static str) -> Error {
        Error::Busy { server: self.server.clone(), what, limit }
    }
}
