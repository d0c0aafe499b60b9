//! What an editor asks of a configuration file that is open in it, saved or not.
//!
//! Invariant: nothing here changes anything, starts a server or waits; figures are the snapshot's of the moment.

use crate::Daemon;
use config::{Inspection, Suggestion};
use model::ServerStatus;
use model::server::Source;
use std::collections::BTreeMap;
use std::path::Path;

impl Daemon {
    /// What there is to say of `text` as the content of `file`; `None` where no servers are read from that file.
    pub fn inspect(&self, file: &Path, text: &str) -> Option<Inspection> {
        let core = &self.core;
        core.paths.with_sources(&core.options, |sources| config::inspect(file, text, sources))
    }

    /// What can be written at a byte offset of it.
    pub fn suggest(&self, file: &Path, text: &str, at: usize) -> Vec<Suggestion> {
        let core = &self.core;
        core.paths.with_sources(&core.options, |sources| config::suggest(file, text, at, sources))
    }

    /// Where else the servers' names stand, by name, highest precedence first: what is there is not used.
    pub fn shadowed(&self) -> BTreeMap<String, Vec<Source>> {
        self.core.snapshot.load().config.shadowed.clone()
    }

    /// Every configured server as the fronts show it, now.
    pub fn servers(&self) -> Vec<ServerStatus> {
        self.core.status()
    }
}
