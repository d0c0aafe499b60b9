//! How long a call is waited for: so long without a word, and so long in all.

use crate::progress::Progress;
use std::time::Duration;
use tokio::time::Instant;

/// The times of one call, from the moment it is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Patience {
    /// Without an answer or progress. Each report of progress begins it anew.
    pub silence: Duration,
    /// In all, whatever is reported. A call also waits so long for its turn, and for the server's start.
    pub total: Duration,
}

/// Which time ran out.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Late {
    Silent(Duration),
    /// It reported until the end.
    Endless(Duration),
}

impl From<Duration> for Patience {
    fn from(total: Duration) -> Self {
        Self { silence: total, total }
    }
}

impl Patience {
    pub(crate) async fn wait<T>(self, call: impl Future<Output = T>, progress: &Progress) -> Result<T, Late> {
        let began = Instant::now();
        let end = began + self.total;
        let (mut silent, mut seen) = (began + self.silence, progress.since(u64::MAX).0);
        let mut call = std::pin::pin!(call);
        loop {
            tokio::select! {
                biased;
                answer = &mut call => return Ok(answer),
                () = tokio::time::sleep_until(silent.min(end)) => {
                    return Err(if silent <= end { Late::Silent(self.silence) } else { Late::Endless(self.total) });
                }
                () = progress.after(seen) => {
                    seen = progress.since(u64::MAX).0;
                    silent = Instant::now() + self.silence;
                }
            }
        }
    }
}
