//! A run's events as MCP progress, for a client that asked for it.
//!
//! Best effort and bounded: at most one notification in [`INTERVAL`]; what comes faster is folded into the next one. The
//! last one sums the run up, because clients leave it standing.

use model::{Notice, RunEvent, RunId, RunReply};
use rmcp::model::{ProgressNotificationParam, ProgressToken};
use rmcp::service::RequestContext;
use rmcp::{Peer, RoleServer};
use std::time::Duration;
use tokio::sync::broadcast::{Receiver, error::RecvError};
use tokio::time::Instant;

/// The least time between two notifications.
const INTERVAL: Duration = Duration::from_millis(100);

/// What a client hears of one run: nothing where it did not ask.
pub(crate) struct Narrator {
    asked: Option<(ProgressToken, Receiver<Notice>)>,
    peer: Peer<RoleServer>,
    steps: u32,
}

impl Narrator {
    /// Listens from now on, so that nothing of a run that is submitted afterwards is missed.
    pub(crate) fn new(context: &RequestContext<RoleServer>, notices: impl FnOnce() -> Receiver<Notice>) -> Self {
        let asked = context.meta.get_progress_token().map(|token| (token, notices()));
        Self { asked, peer: context.peer.clone(), steps: 0 }
    }

    /// Forwards the events of one run until nobody listens any more; returns at once where nobody asked.
    pub(crate) async fn forward(&mut self, run_id: RunId) {
        let mut next_at = Instant::now();
        loop {
            let Some((_, notices)) = &mut self.asked else { return };
            let event = match notices.recv().await {
                Ok(Notice::Run(event)) => event,
                Ok(_) | Err(RecvError::Lagged(_)) => continue,
                Err(RecvError::Closed) => return,
            };
            let Some(message) = message(&event, &run_id) else { continue };
            self.steps += 1;
            if Instant::now() < next_at {
                continue;
            }
            next_at = Instant::now() + INTERVAL;
            self.say(message).await;
        }
    }

    /// The last word, before the reply.
    pub(crate) async fn close(mut self, reply: &RunReply) {
        self.steps += 1;
        let calls = match reply.calls.len() {
            0 => "no tool calls".to_owned(),
            1 => "1 tool call".to_owned(),
            n => format!("{n} tool calls"),
        };
        self.say(format!("{calls}, {:.0} ms", reply.usage.wall_ms)).await;
    }

    async fn say(&mut self, message: String) {
        let Some((token, _)) = &self.asked else { return };
        let progress = ProgressNotificationParam::new(token.clone(), f64::from(self.steps)).with_message(message);
        if self.peer.notify_progress(progress).await.is_err() {
            self.asked = None;
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
