//! The daemon's notices to the editor, by one task, in their order.
//!
//! A slow editor slows this task alone. What it misses then is made up for by the newest state.

use crate::backend::FRONT;
use crate::publish::Changes;
use crate::wire::{RunEvents, SavingsChanged, ServersChanged};
use daemon::Daemon;
use model::{ConversationId, Notice, Reply, Request};
use std::sync::Arc;
use tokio::sync::broadcast::{Receiver, error::RecvError};
use tower_lsp::Client;

/// Forwards until the daemon has ended or the task is aborted.
pub(crate) async fn forward(client: Client, daemon: Daemon, conversation: ConversationId, changes: Arc<Changes>) {
    let mut notices = daemon.notices();
    changes.servers();
    // What happened before the editor was ready to listen.
    send_state(&client, &daemon, &conversation).await;
    loop {
        match next(&mut notices).await {
            Some(Ok(notice)) => {
                if matches!(notice, Notice::Servers(_)) {
                    changes.servers();
                }
                send(&client, notice).await;
            }
            Some(Err(missed)) => {
                tracing::debug!("the editor is slow: {missed} notices left out");
                changes.servers();
                send_state(&client, &daemon, &conversation).await;
            }
            None => return,
        }
    }
}

/// The next notice; the number of those missed; `None` at the end.
async fn next(notices: &mut Receiver<Notice>) -> Option<Result<Notice, u64>> {
    match notices.recv().await {
        Ok(notice) => Some(Ok(notice)),
        Err(RecvError::Lagged(missed)) => Some(Err(missed)),
        Err(RecvError::Closed) => None,
    }
}

async fn send(client: &Client, notice: Notice) {
    match notice {
        Notice::Savings(savings) => client.send_notification::<SavingsChanged>(*savings).await,
        Notice::Servers(servers) => client.send_notification::<ServersChanged>(servers).await,
        Notice::Run(event) => client.send_notification::<RunEvents>(event).await,
    }
}

async fn send_state(client: &Client, daemon: &Daemon, conversation: &ConversationId) {
    for request in [Request::Savings, Request::Servers { list: false }] {
        match daemon.submit(request, FRONT, conversation).reply().await {
            Ok(Reply::Savings(savings)) => send(client, Notice::Savings(savings)).await,
            Ok(Reply::Servers(servers)) => send(client, Notice::Servers(servers)).await,
            Ok(_) => {}
            Err(e) => tracing::debug!("the newest state cannot be sent: {e}"),
        }
    }
}
