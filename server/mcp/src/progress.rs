//! A run's events as MCP progress, for a client that asked for it.
//!
//! Best effort and bounded: at most one notification in [`INTERVAL`]; what comes faster is folded into the next one.

use model::{Notice, RunEvent, RunId};
use rmcp::model::{ProgressNotificationParam, ProgressToken};
use rmcp::{Peer, RoleServer};
use std::time::Duration;
use tokio::sync::broadcast::{Receiver, error::RecvError};
use tokio::time::Instant;

/// The least time between two notifications.
const INTERVAL: Duration = Duration::from_millis(100);

/// Forwards the events of one run until nobody listens any more; returns at once where nobody asked.
pub(crate) async fn forward(asked: Option<(ProgressToken, Receiver<Notice>)>, run_id: RunId, peer: Peer<RoleServer>) {
    let Some((token, mut notices)) = asked else { return };
    let mut steps = 0_u32;
    let mut next_at = Instant::now();
    loop {
        let event = match notices.recv().await {
            Ok(Notice::Run(event)) => event,
            Ok(_) | Err(RecvError::Lagged(_)) => continue,
            Err(RecvError::Closed) => return,
        };
        let Some(message) = message(&event, &run_id) else { continue };
        steps += 1;
        if Instant::now() < next_at {
            continue;
        }
        next_at = Instant::now() + INTERVAL;
        let progress = ProgressNotificationParam::new(token.clone(), f64::from(steps)).with_message(message);
        if peer.notify_progress(progress).await.is_err() {
            return;
        }
    }
}

/// What to say of an event; `None` for another run's, and for the end, which the reply tells.
fn message(event: &RunEvent, of: &RunId) -> Option<String> {
    match event {
        RunEvent::Call { run_id, call } if run_id == of => {
            Some(format!("{}.{} {:.0} ms", call.server, call.tool, call.ms))
        }
        RunEvent::Progress { run_id, message } if run_id == of => Some(message.clone()),
        _ => None,
    }
}
