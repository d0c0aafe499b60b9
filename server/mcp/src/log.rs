//! A run's calls as log messages, for a client that asks for them.
//!
//! Invariant: a message has what the client sees of a call anyway: its names, its end, its time; never arguments or answers.

#![expect(deprecated, reason = "the newest protocol drops logging; today's hosts show it")]

use model::{CallRecord, CallStatus};
use rmcp::model::{LoggingLevel, LoggingMessageNotificationParam};
use rmcp::service::RequestContext;
use rmcp::{Peer, RoleServer};
use serde_json::json;
use std::sync::atomic::{AtomicU8, Ordering};

/// The least level that a session's client wants to hear of: failed calls, until it says otherwise.
#[derive(Debug)]
pub(crate) struct Threshold(AtomicU8);

impl Default for Threshold {
    fn default() -> Self {
        Self(AtomicU8::new(LoggingLevel::Warning as u8))
    }
}

impl Threshold {
    pub(crate) fn set(&self, level: LoggingLevel) {
        self.0.store(level as u8, Ordering::Relaxed);
    }

    /// What is told of a request: what itself asks for, or else its session, where there is one.
    pub(crate) fn of(&self, context: &RequestContext<RoleServer>) -> Log {
        let stateless = crate::elicit::is_stateless(context);
        let own = context.meta.log_level().map(|level| level as u8);
        Log { least: own.or_else(|| (!stateless).then(|| self.0.load(Ordering::Relaxed))) }
    }
}

/// What is told of one request; nothing where no level was asked for.
pub(crate) struct Log {
    least: Option<u8>,
}

impl Log {
    /// Whether anything could be told.
    pub(crate) fn is_wanted(&self) -> bool {
        self.least.is_some()
    }

    /// Tells of a call that ended.
    pub(crate) async fn call(&self, call: &CallRecord, peer: &Peer<RoleServer>) {
        let level = if call.status == CallStatus::Ok { LoggingLevel::Debug } else { LoggingLevel::Warning };
        if self.least.is_none_or(|least| (level as u8) < least) {
            return;
        }
        let data = json!({
            "server": call.server,
            "tool": call.tool,
            "status": call.status,
            "cache": call.cache,
            "ms": call.ms,
        });
        let message = LoggingMessageNotificationParam::new(level, data).with_logger("tta.calls");
        // Best effort, as logs are.
        let _ = peer.notify_logging_message(message).await;
    }
}
