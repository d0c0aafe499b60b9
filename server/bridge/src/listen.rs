//! What a stateless server says without being asked: that its lists changed. It says so to who listens
//! (`subscriptions/listen`); servers of the other eras say it to everybody (`handler`).
//!
//! Nothing waits for it: a server that cannot be listened to is as good as any, and its lists stay as they are.

use crate::connection::Connection;
use crate::eras::Era;
use rmcp::model::{ServerNotification, SubscriptionFilter};
use rmcp::service::ServiceError;
use std::sync::Arc;
use std::time::Duration;

/// Between the end of one subscription and the next; doubled with each that came to nothing.
const PAUSE: Duration = Duration::from_secs(1);
/// Subscriptions in a row that came to nothing, after which the server is left alone.
const ATTEMPTS_MAX: u32 = 6;

/// Listens for as long as the connection lives.
pub(crate) async fn listen(connection: Arc<Connection>) {
    let filter = filter(&connection);
    if connection.era != Era::Stateless || filter == SubscriptionFilter::default() {
        return;
    }
    tokio::select! {
        () = connection.stop.cancelled() => {}
        _ = connection.ended.wait() => {}
        () = follow(&connection, filter) => {}
    }
}

/// The lists that it says may change.
fn filter(connection: &Connection) -> SubscriptionFilter {
    let mut filter = SubscriptionFilter::default();
    connection.offers(|all| {
        let wanted = |changes: Option<Option<bool>>| changes.flatten().filter(|changes| *changes);
        filter.tools_list_changed = wanted(all.tools.as_ref().map(|tools| tools.list_changed));
        filter.prompts_list_changed = wanted(all.prompts.as_ref().map(|prompts| prompts.list_changed));
        filter.resources_list_changed = wanted(all.resources.as_ref().map(|resources| resources.list_changed));
        true
    });
    filter
}

async fn follow(connection: &Connection, filter: SubscriptionFilter) {
    let server = connection.server();
    let mut failed = 0;
    while failed < ATTEMPTS_MAX {
        match connection.peer.listen(filter.clone()).await {
            Ok(mut subscription) => {
                failed = 0;
                // What changed before anybody listened.
                connection.tools_changed.notify_one();
                connection.listings.changed();
                while let Ok(Some(told)) = subscription.next().await {
                    hear(connection, &told);
                }
            }
            Err(ServiceError::McpError(error)) => {
                tracing::debug!(server, %error.message, "it cannot be listened to");
                return;
            }
            Err(error) => {
                tracing::debug!(server, %error, "it cannot be listened to now");
                failed += 1;
            }
        }
        tokio::time::sleep(PAUSE * 2_u32.pow(failed)).await;
    }
}

fn hear(connection: &Connection, told: &ServerNotification) {
    match told {
        ServerNotification::ToolListChangedNotification(_) => connection.tools_changed.notify_one(),
        ServerNotification::PromptListChangedNotification(_)
        | ServerNotification::ResourceListChangedNotification(_) => connection.listings.changed(),
        _ => {}
    }
}
