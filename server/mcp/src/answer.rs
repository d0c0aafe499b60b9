//! From the daemon's answers to what the protocol says: results for models to read, errors for clients.
//!
//! Invariant: what is wrong with a tool's arguments, or with its work, is an answer that a model can read and act on; only
//! what no tool was asked is an error of the protocol.

use crate::tools::tool;
use daemon::Ticket;
use model::{ErrorKind, ProgramError, Reply};
use rmcp::model::{CallToolResult, ContentBlock};
use rmcp::service::RequestContext;
use rmcp::{ErrorData, RoleServer};
use serde::de::DeserializeOwned;
use serde_json::Value;

/// The daemon's answer. A cancelled request stops its work; the answer still comes, and says so.
pub(crate) async fn answer(ticket: Ticket, context: &RequestContext<RoleServer>) -> Result<Reply, daemon::Error> {
    let cancel = ticket.cancellation();
    let reply = ticket.reply();
    tokio::pin!(reply);
    tokio::select! {
        reply = &mut reply => return reply,
        () = context.ct.cancelled() => cancel.cancel(),
    }
    reply.await
}

/// A tool's arguments; where they do not fit, what is wrong and what would fit, for the model to read.
pub(crate) fn decode<T: DeserializeOwned>(name: &str, arguments: Value) -> Result<T, Box<CallToolResult>> {
    serde_json::from_value(arguments).map_err(|e| {
        let known: Vec<&str> = tool(name)
            .and_then(|t| t.input_schema.get("properties")?.as_object())
            .map(|properties| properties.keys().map(String::as_str).collect())
            .unwrap_or_default();
        let error = ProgramError::new(ErrorKind::Usage, format!("{name}: {e}"))
            .with_hint(format!("{name} takes {{{}}}", known.join(", ")));
        Box::new(text(model::reply_text::error_text(&error), true))
    })
}

/// Whatever is not the answer that was asked for: the daemon's own error.
pub(crate) fn refused(reply: Result<Reply, daemon::Error>) -> CallToolResult {
    let error = match reply {
        Err(e) => ProgramError::new(e.kind(), e.to_string()),
        Ok(_) => ProgramError::new(ErrorKind::Fault, "the daemon answered another question"),
    };
    text(model::reply_text::error_text(&error), true)
}

/// Likewise, of a request that is no tool's.
pub(crate) fn failed(reply: Result<Reply, daemon::Error>) -> ErrorData {
    let why = match reply {
        Err(e) => e.to_string(),
        Ok(_) => "the daemon answered another question".to_owned(),
    };
    ErrorData::internal_error(why, None)
}

pub(crate) fn text(text: String, is_error: bool) -> CallToolResult {
    let content = vec![ContentBlock::text(text)];
    if is_error { CallToolResult::error(content) } else { CallToolResult::success(content) }
}
