//! Pages that a server waits for: whether a person is done there, and that their client learns when the server says so.
//!
//! A client opens a page and says so at once; it has no word for having finished there but a form with nothing to fill in.

use crate::question::{TEXT_CHARS, plain};
use model::PageId;
use model::ask::{ElicitReply, ElicitRequest};
use rmcp::model::{CustomNotification, ServerNotification};
use rmcp::{Peer, RoleServer};
use serde_json::json;
use std::pin::Pin;

type Answer = Pin<Box<dyn Future<Output = Option<ElicitReply>> + Send>>;

/// Asks whether a person is done on a page that is waited for; nothing where it is not.
pub(crate) fn done(request: &ElicitRequest) -> Option<ElicitRequest> {
    let ElicitRequest::Url { server, url, awaited: true, .. } = request else { return None };
    let page = plain(url, TEXT_CHARS);
    let message = format!(
        "it waits until you have done what it wants on the page {page}. Accept this once you have; where the server notices \
         by itself, the question goes."
    );
    Some(ElicitRequest::Form { server: server.clone(), message, fields: Vec::new() })
}

/// A client's yes says that the page is opened; whether it is `done` its person says, or else the server, which ends this.
pub(crate) fn both(opened: Answer, done: Answer) -> Answer {
    Box::pin(async {
        match opened.await {
            Some(ElicitReply::Accept { .. }) => match done.await {
                None => std::future::pending().await,
                answer => answer,
            },
            other => other,
        }
    })
}

/// Tells a client that a page is done, by the id that it was given with it.
pub(crate) async fn tell(peer: Peer<RoleServer>, page: PageId) {
    let told = CustomNotification::new("notifications/elicitation/complete", Some(json!({"elicitationId": page})));
    // A client that has left needs no telling.
    let _ = peer.send_notification(ServerNotification::CustomNotification(told)).await;
}
