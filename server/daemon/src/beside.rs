//! What servers list beside their tools, on its way into the catalog: asked for by a search and by an editor, never by a start.
//!
//! Invariant: looking starts nothing but what a search of tools starts, and a search waits only a moment: what a server
//! lists later is there at the next look.

use crate::Daemon;
use crate::core::Core;
use crate::snapshot::Snapshot;
use catalog::{Catalog, ServerTools};
use futures::future::join_all;
use model::{ServerState, Transport};
use std::sync::Arc;
use std::time::Duration;

/// How long a search waits for all servers together.
const PATIENCE: Duration = Duration::from_secs(2);

/// The catalog with what those servers list that run. The loop is told of what is new.
pub(crate) async fn fresh(core: &Core, snapshot: &Snapshot, catalog: Arc<Catalog>, only: Option<&str>) -> Arc<Catalog> {
    let looks = catalog.servers().iter().map(async |known| {
        let is_wanted = only.is_none_or(|only| only == known.name() || only == known.identifier());
        if !is_wanted || snapshot.server(known.name()).is_none_or(|entry| entry.offer.is_some()) {
            return None;
        }
        let look = look(core, known);
        tokio::time::timeout(PATIENCE, look).await.ok().flatten()
    });
    let fresh = join_all(looks).await;
    if fresh.iter().all(Option::is_none) {
        return catalog;
    }
    let parts = catalog.servers().iter().zip(fresh).map(|(known, fresh)| fresh.unwrap_or_else(|| Arc::clone(known)));
    Arc::new(Catalog::new(parts.collect()))
}

/// A server that runs, with what it lists now, where that is something else than was known.
async fn look(core: &Core, known: &Arc<ServerTools>) -> Option<Arc<ServerTools>> {
    let now = core.bridge.beside(known.name()).await.filter(|now| **now != **known.beside())?;
    core.inbox.change(|changes| {
        changes.beside.insert(known.name().to_owned(), Arc::clone(&now));
    });
    Some(Arc::new(known.with_beside(now)))
}

impl Daemon {
    /// Asks a server in the background for what it lists beside its tools, starting it where that needs nobody's word and
    /// nothing is known of it. The answer comes as a notice.
    pub fn look_beside(&self, identifier: &str) {
        let snapshot = self.core.snapshot.load_full();
        let Some(entry) = snapshot.server(identifier).filter(|entry| entry.offer.is_none()) else { return };
        let Some(known) = entry.tools.clone() else { return self.list_quietly(identifier) };
        // One that failed waits for its next use, or every key would start it again.
        let is_due = entry.state == ServerState::Stopped && known.extras().is_empty();
        let starts = is_due && entry.spec.transport != Transport::Editor;
        let core = Arc::clone(&self.core);
        self.core.tasks.spawn(async move {
            if starts && let Err(e) = core.bridge.tools(known.name()).await {
                tracing::debug!("{} could not be asked for an open program: {e}", known.name());
            }
            look(&core, &known).await;
        });
    }
}
