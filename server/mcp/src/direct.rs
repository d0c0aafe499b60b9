//! Servers' tools beside our own, for hosts that call them without a program: what `[mcp] direct_tools` names.
//!
//! Invariants: a tool is shown as its server describes it, within the daemon's bounds, and its call takes the way of every
//! call; what it answers reaches the client block by block, media included. Whoever follows the list is told once for each
//! change. Left out: the schema of answers, which would stand in the prompt and bind what nobody checked.

use crate::answer::{refused, text};
use daemon::Daemon;
use model::reply_text::error_text;
use model::{CallRequest, DirectTool, Notice, Reply, Request};
use rmcp::model::{CallToolResult, ContentBlock, JsonObject, Tool, ToolAnnotations};
use rmcp::{Peer, RoleServer};
use serde::Deserialize;
use serde_json::{Value, json};
use std::sync::Arc;
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;
use tokio_util::sync::{CancellationToken, DropGuard};

/// How long such a list may be kept by a client that is not told of changes.
pub(crate) const TTL_MS: u64 = 60_000;

/// The tool as models see it.
pub(crate) fn tool(direct: &DirectTool) -> Tool {
    let model::ToolDefinition { name, title, description, input_schema, annotations, .. } = direct.definition.clone();
    let mut tool = Tool::new_with_raw(name, description.map(Into::into), input_schema);
    tool.title = title;
    tool.annotations = annotations.map(|claims| {
        let mut shown = ToolAnnotations::default();
        (shown.read_only_hint, shown.destructive_hint) = (claims.read_only_hint, claims.destructive_hint);
        (shown.idempotent_hint, shown.open_world_hint) = (claims.idempotent_hint, claims.open_world_hint);
        shown.title = claims.title;
        shown
    });
    tool
}

/// A call of it, for all that its server answers.
pub(crate) fn request(direct: &DirectTool, arguments: &JsonObject) -> Request {
    Request::Call(CallRequest {
        server: direct.server.clone(),
        tool: model::Method::CallTool.name().to_owned(),
        arguments: Some(json!({"name": direct.tool, "arguments": arguments})),
        timeout_ms: None,
    })
}

/// What the server answered, or why it did not.
pub(crate) fn result(reply: Result<Reply, daemon::Error>) -> CallToolResult {
    let call = match reply {
        Ok(Reply::Call(call)) => *call,
        other => return refused(other),
    };
    if let Some(error) = call.error {
        return text(error_text(&error), true);
    }
    let whole = call.value.and_then(|value| serde_json::from_str::<Whole>(value.get()).ok()).unwrap_or_default();
    let mut result = CallToolResult::success(whole.content.iter().map(block).collect());
    result.structured_content = whole.structured_content;
    result
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Whole {
    content: Vec<Value>,
    structured_content: Option<Value>,
}

/// A block as it came; one of a kind that this protocol's types do not know is shown as it stands.
fn block(block: &Value) -> ContentBlock {
    ContentBlock::deserialize(block).unwrap_or_else(|_| ContentBlock::text(block.to_string()))
}

/// Whoever wants to know of every other list.
pub(crate) struct Changes {
    daemon: Daemon,
    notices: Receiver<Notice>,
    known: Arc<[DirectTool]>,
}

impl Changes {
    /// From now on.
    pub(crate) fn new(daemon: Daemon) -> Self {
        let (notices, known) = (daemon.notices(), daemon.direct_tools());
        Self { daemon, notices, known }
    }

    /// Waits for the next other list; for ever, once the daemon has ended.
    pub(crate) async fn next(&mut self) {
        loop {
            match self.notices.recv().await {
                Ok(Notice::Servers(_)) | Err(RecvError::Lagged(_)) => {
                    let now = self.daemon.direct_tools();
                    if now != self.known {
                        self.known = now;
                        return;
                    }
                }
                Ok(_) => {}
                Err(RecvError::Closed) => std::future::pending().await,
            }
        }
    }
}

/// Tells a session's client of every other list, until what is returned is dropped.
pub(crate) fn follow(daemon: Daemon, peer: Peer<RoleServer>) -> DropGuard {
    let stop = CancellationToken::new();
    let stopped = stop.clone();
    let mut changes = Changes::new(daemon);
    tokio::spawn(stopped.run_until_cancelled_owned(async move {
        loop {
            changes.next().await;
            if peer.notify_tool_list_changed().await.is_err() {
                return;
            }
        }
    }));
    stop.drop_guard()
}
