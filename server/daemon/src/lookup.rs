//! What a front may look up at once, from the snapshot of the moment: for editors, which ask at every key.
//!
//! Invariant: nothing here waits, starts a server that would need the user's word, or asks anybody anything.

use crate::Daemon;
use catalog::ServerTools;
use model::{DirectTool, ServerState, ServerStatus, Transport};
use std::sync::Arc;

impl Daemon {
    /// The identifiers of all configured servers, whether they may be used or not.
    pub fn server_names(&self) -> Vec<String> {
        self.core.snapshot.load().servers.iter().map(|entry| entry.identifier.to_string()).collect()
    }

    /// A server's tools by its identifier; `None` where it is not configured, or was never listed.
    pub fn server_tools(&self, identifier: &str) -> Option<Arc<ServerTools>> {
        self.core.snapshot.load().server(identifier)?.tools.clone()
    }

    /// The tools that models may call without a program, as far as their servers are listed.
    pub fn direct_tools(&self) -> Arc<[DirectTool]> {
        Arc::clone(&self.core.snapshot.load().direct.tools)
    }

    /// A server as the fronts show it.
    pub fn server_status(&self, identifier: &str) -> Option<ServerStatus> {
        let name = self.core.snapshot.load().server(identifier)?.spec.name.clone();
        self.core.status().into_iter().find(|status| status.name == name)
    }

    /// Asks a server for its tools in the background, once, where that needs nobody's word. The answer comes as a notice.
    pub fn list_quietly(&self, identifier: &str) {
        let snapshot = self.core.snapshot.load();
        let Some(entry) = snapshot.server(identifier) else { return };
        // One that failed waits for its next use, or every key would start it again.
        let is_due = entry.state == ServerState::Stopped && entry.tools.is_none();
        if !is_due || entry.spec.transport == Transport::Editor {
            return;
        }
        let (bridge, name) = (self.core.bridge.clone(), entry.spec.name.clone());
        self.core.tasks.spawn(async move {
            if let Err(e) = bridge.tools(&name).await {
                tracing::debug!("{name} could not be listed for an open program: {e}");
            }
        });
    }
}
