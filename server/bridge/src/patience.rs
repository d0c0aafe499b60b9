//! How long a call is waited for: so long without a word, and so long in all.

use crate::progress::Progress;
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::Instant;

/// A server that asks keeps its calls waiting no longer than this, in all.
const ASKING_MAX: Duration = Duration::from_mins(20);

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
    /// Waits for `call`. While the server has a question open, by `asking`, its time stands still: a person's is not its own.
    pub(crate) async fn wait<T>(
        self,
        call: impl Future<Output = T>,
        progress: &Progress,
        mut asking: watch::Receiver<usize>,
    ) -> Result<T, Late> {
        let began = Instant::now();
        let mut end = began + self.total;
        let last = end + ASKING_MAX;
        let (mut silent, mut seen) = (began + self.silence, progress.since(u64::MAX).0);
        let mut call = std::pin::pin!(call);
        loop {
            if *asking.borrow_and_update() > 0 && end < last {
                let since = Instant::now();
                tokio::select! {
                    biased;
                    answer = &mut call => return Ok(answer),
                    _ = asking.wait_for(|open| *open == 0) => {}
                    () = tokio::time::sleep_until(since + (last - end)) => {}
                }
                end = (end + since.elapsed()).min(last);
                silent = Instant::now() + self.silence;
            }
            tokio::select! {
                biased;
                answer = &mut call => return Ok(answer),
                Ok(()) = asking.changed() => {}
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
