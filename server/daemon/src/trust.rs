//! Which workspaces the user trusts. Trust is bound to a hash of what would be started, not to a name: a changed command,
//! argument, variable or URL asks again.
//!
//! The store is one JSON file of the user's: `{workspace: hash}`. A store that cannot be read trusts nothing.

use crate::options::write_private;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// What a front must show before it asks the user to trust a workspace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrustQuestion {
    /// The workspace.
    pub workspace: PathBuf,
    /// What would be started: one line a server, with its exact command or URL.
    pub would_start: Vec<String>,
}

/// Whether the store holds exactly this hash for the workspace.
pub(crate) fn remembered(store: &Path, workspace: &Path, hash: &str) -> bool {
    read(store).get(&*workspace.to_string_lossy()).is_some_and(|known| known == hash)
}

/// Stores or takes back the user's answer.
pub(crate) fn remember(store: &Path, workspace: &Path, hash: Option<&str>) -> std::io::Result<()> {
    let mut known = read(store);
    let key = workspace.to_string_lossy().into_owned();
    match hash {
        Some(hash) => known.insert(key, hash.to_owned()),
        None => known.remove(&key),
    };
    let bytes = serde_json::to_vec_pretty(&known).expect("a map of strings is JSON");
    write_private(store, &bytes)
}

fn read(store: &Path) -> BTreeMap<String, String> {
    std::fs::read(store).ok().and_then(|bytes| serde_json::from_slice(&bytes).ok()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn trust_is_bound_to_the_hash_and_can_be_taken_back() {
        let folder = tempfile::tempdir().expect("a folder");
        let (store, workspace) = (folder.path().join("trust.json"), Path::new("/w"));
        assert!(!remembered(&store, workspace, "a"));
        remember(&store, workspace, Some("a")).expect("stored");
        assert!(remembered(&store, workspace, "a"));
        assert!(!remembered(&store, workspace, "b"), "a changed command asks again");
        remember(&store, workspace, None).expect("taken back");
        assert!(!remembered(&store, workspace, "a"));
    }

    #[test]
    fn an_unreadable_store_trusts_nothing() {
        let folder = tempfile::tempdir().expect("a folder");
        let store = folder.path().join("trust.json");
        std::fs::write(&store, "{").expect("written");
        assert!(!remembered(&store, Path::new("/w"), ""));
    }
}
