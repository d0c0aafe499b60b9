//! What is under way, on stderr: what a program says of itself at once, and servers that take over a second to start.

use crate::output::note;
use model::{Notice, RunEvent, RunId, ServerState};
use std::collections::BTreeMap;
use std::convert::Infallible;
use std::time::Duration;
use tokio::sync::broadcast::{Receiver, error::RecvError};
use tokio::time::Instant;

/// Whatever takes less is not worth a line.
const QUIET_FOR: Duration = Duration::from_secs(1);

/// Shows the progress of one run, for as long as it is polled.
pub(crate) async fn show(mut notices: Receiver<Notice>, run_id: RunId, quiet: bool) -> Infallible {
    let mut starting: BTreeMap<String, Option<Instant>> = BTreeMap::new();
    loop {
        let due = starting.values().filter_map(|due| *due).min();
        let waited = async {
            match due {
                Some(due) => tokio::time::sleep_until(due).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            notice = notices.recv() => match notice {
                Ok(Notice::Run(RunEvent::Progress { run_id: of, message })) if of == run_id => note(&message, quiet),
                Ok(Notice::Servers(servers)) => {
                    let now: Vec<_> = servers.into_iter().filter(|s| s.state == ServerState::Starting).collect();
                    starting.retain(|name, _| now.iter().any(|s| s.name == *name));
                    for server in now {
                        starting.entry(server.name).or_insert_with(|| Some(Instant::now() + QUIET_FOR));
                    }
                }
                Ok(_) | Err(RecvError::Lagged(_)) => {}
                Err(RecvError::Closed) => std::future::pending().await,
            },
            () = waited => {
                let now = Instant::now();
                for (name, due) in starting.iter_mut().filter(|(_, due)| due.is_some_and(|due| due <= now)) {
                    note(&format!("starting {name} …"), quiet);
                    *due = None;
                }
            }
        }
    }
}
