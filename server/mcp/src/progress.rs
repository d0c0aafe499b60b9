//! A run's events as MCP progress and log messages, for a client that asked for them.
//!
//! Best effort and bounded: at most one progress notification in [`INTERVAL`]; what comes faster is folded into the next
//! one. The last one sums the run up, because clients leave it standing.

use crate::log::Log;
use model::{Notice, RunEvent, RunId, RunReply};
use rmcp::model::{ProgressNotificationParam, ProgressToken};
use rmcp::service::RequestContext;
use rmcp::{Peer, RoleServer};
use std::convert::Infallible;
use std::time::Duration;
use tokio::sync::broadcast::{Receiver, error::RecvError};
use tokio::time::Instant;

/// The least time between two notifications.
const INTERVAL: Duration = Duration::from_millis(100);

/// What a client hears of one run: nothing where it did not ask.
pub(crate) struct Narrator {
    token: Option<ProgressToken>,
    log: Log,
    notices: Option<Receiver<Notice>>,
    peer: Peer<RoleServer>,
    steps: u32,
    next_at: Instant,
}

impl Narrator {
    /// Listens from now on, so that nothing of a run that is submitted afterwards is missed.
    pub(crate) fn new(
        context: &RequestContext<RoleServer>,
        log: Log,
        notices: impl FnOnce() -> Receiver<Notice>,
    ) -> Self {
        let token = context.meta.get_progress_token();
        let notices = (token.is_some() || log.is_wanted()).then(notices);
        Self { token, log, notices, peer: context.peer.clone(), steps: 0, next_at: Instant::now() }
    }

    /// Forwards the events of one run until nobody listens any more.
    pub(crate) async fn forward(&mut self, run_id: &RunId) -> Infallible {
        while let Some(notices) = &mut self.notices {
            match notices.recv().await {
                Ok(Notice::Run(event)) => self.tell(&event, run_id).await,
                Ok(_) | Err(RecvError::Lagged(_)) => {}
                Err(RecvError::Closed) => self.notices = None,
            }
        }
        std::future::pending().await
    }

    async fn tell(&mut self, event: &RunEvent, of: &RunId) {
        if let RunEvent::Call { run_id, call } = event
            && run_id == of
        {
            self.log.call(call, &self.peer).await;
        }
        let Some(message) = message(event, of) else { return };
        self.steps += 1;
        if Instant::now() >= self.next_at {
            self.next_at = Instant::now() + INTERVAL;
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
        let Some(token) = &self.token else { return };
        let progress = ProgressNotificationParam::new(token.clone(), f64::from(self.steps)).with_message(message);
        if self.peer.notify_progress(progress).await.is_err() {
            self.token = None;
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
