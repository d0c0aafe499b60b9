//! What a person approved for good: one JSON file of the workspace's data, newest last.
//!
//! Invariants: an approval is bound to a hash of what was approved, so that a change of it asks again; there are never
//! more than a thousand, the oldest go. Several daemons may share the file: it is read again whenever it changed. One that
//! cannot be read approves nothing.

use crate::options::write_private;
use crate::patterns::Pattern;
use model::editor::Approval;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::fs::File;
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

/// Approvals at most.
const KEPT_MAX: usize = 1_000;
/// A larger file was not written by us.
const FILE_BYTES_MAX: u64 = 16 << 20;

/// One approval.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Kept {
    /// The server's configured name.
    pub(crate) server: String,
    /// Of what would be started; for calls, of the tool's definition too.
    pub(crate) hash: String,
    /// Which calls; absent where it is about starting the server.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) calls: Option<Calls>,
    pub(crate) label: String,
    pub(crate) at_ms: u64,
}

/// Calls of one tool.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Calls {
    pub(crate) tool: String,
    pub(crate) pattern: Pattern,
}

impl Kept {
    /// The same approval given twice has one identifier.
    fn id(&self) -> String {
        let what = serde_json::to_vec(&(&self.server, &self.hash, &self.calls)).expect("texts and values are JSON");
        blake3::hash(&what).to_hex()[..16].to_owned()
    }

    fn to_wire(&self) -> Approval {
        Approval {
            id: self.id(),
            server: self.server.clone(),
            tool: self.calls.as_ref().map(|calls| calls.tool.clone()),
            label: self.label.clone(),
            at_ms: self.at_ms,
        }
    }
}

/// The file, and what it held when it was last looked at.
#[derive(Debug)]
pub(crate) struct Store {
    file: PathBuf,
    cache: Mutex<Cache>,
    writing: Mutex<()>,
}

#[derive(Debug, Default)]
struct Cache {
    stamp: Option<Stamp>,
    kept: Arc<[Kept]>,
}

/// What tells one state of the file from another: it is replaced as a whole.
type Stamp = (u64, i64, i64, u64);

impl Store {
    pub(crate) fn new(file: PathBuf) -> Self {
        Self { file, cache: Mutex::default(), writing: Mutex::default() }
    }

    /// Whether starting what this hash stands for was approved.
    pub(crate) fn server(&self, hash: &str) -> bool {
        self.kept().iter().any(|kept| kept.calls.is_none() && kept.hash == hash)
    }

    /// The hashes of all servers that were approved.
    pub(crate) fn servers(&self) -> Vec<String> {
        self.kept().iter().filter(|kept| kept.calls.is_none()).map(|kept| kept.hash.clone()).collect()
    }

    /// Whether a call with these arguments, from a server that works in `base`, was approved.
    pub(crate) fn call(
        &self,
        server: &str,
        hash: &str,
        tool: &str,
        arguments: &Map<String, Value>,
        base: &Path,
    ) -> bool {
        let covers = |calls: &Calls| calls.tool == tool && calls.pattern.covers(arguments, base);
        let about = |kept: &&Kept| kept.server == server && kept.hash == hash;
        self.kept().iter().filter(about).any(|kept| kept.calls.as_ref().is_some_and(covers))
    }

    /// All, oldest first.
    pub(crate) fn list(&self) -> Vec<Approval> {
        self.kept().iter().map(Kept::to_wire).collect()
    }

    /// Adds one. Where it cannot be written it holds until the daemon ends.
    pub(crate) fn add(&self, approved: Kept) -> io::Result<()> {
        let id = approved.id();
        self.change(|kept| {
            kept.retain(|known| known.id() != id);
            kept.push(approved);
            kept.drain(..kept.len().saturating_sub(KEPT_MAX));
        })
    }

    /// Takes one back, or all.
    pub(crate) fn forget(&self, id: Option<&str>) -> io::Result<()> {
        self.change(|kept| kept.retain(|known| id.is_some_and(|id| known.id() != id)))
    }

    fn change(&self, edit: impl FnOnce(&mut Vec<Kept>)) -> io::Result<()> {
        let _alone = self.writing.lock().unwrap_or_else(PoisonError::into_inner);
        let _among_daemons = self.lock();
        let mut kept = self.kept().to_vec();
        edit(&mut kept);
        let written = write_private(&self.file, &serde_json::to_vec_pretty(&kept).expect("texts and values are JSON"));
        let stamp = self.stamp();
        *self.cache() = Cache { stamp, kept: kept.into() };
        written
    }

    /// Keeps other daemons from writing until it is dropped. Without it an approval of theirs may be lost, no more.
    fn lock(&self) -> Option<File> {
        let file =
            File::options().create(true).truncate(false).write(true).open(self.file.with_extension("lock")).ok()?;
        file.lock().ok().map(|()| file)
    }

    /// What holds now.
    fn kept(&self) -> Arc<[Kept]> {
        let stamp = self.stamp();
        let mut cache = self.cache();
        if cache.stamp != stamp {
            *cache = Cache { stamp, kept: self.read() };
        }
        Arc::clone(&cache.kept)
    }

    fn read(&self) -> Arc<[Kept]> {
        let small = std::fs::metadata(&self.file).is_ok_and(|meta| meta.len() <= FILE_BYTES_MAX);
        let bytes = if small { std::fs::read(&self.file).unwrap_or_default() } else { Vec::new() };
        let kept: Vec<Kept> = serde_json::from_slice(&bytes).unwrap_or_else(|e| {
            tracing::warn!("{} approves nothing, it cannot be read: {e}", self.file.display());
            Vec::new()
        });
        kept.into()
    }

    fn stamp(&self) -> Option<Stamp> {
        let meta = std::fs::metadata(&self.file).ok()?;
        Some((meta.ino(), meta.mtime(), meta.mtime_nsec(), meta.len()))
    }

    fn cache(&self) -> std::sync::MutexGuard<'_, Cache> {
        self.cache.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept(server: &str, hash: &str, tool: Option<&str>) -> Kept {
        let calls = tool.map(|tool| Calls { tool: tool.to_owned(), pattern: Pattern::Every });
        Kept { server: server.to_owned(), hash: hash.to_owned(), calls, label: String::new(), at_ms: 0 }
    }

    fn store(folder: &tempfile::TempDir) -> Store {
        Store::new(folder.path().join("approvals.json"))
    }

    #[test]
    fn an_approval_holds_for_its_hash_and_tool_in_every_daemon() {
        let folder = tempfile::tempdir().expect("a folder");
        let (own, other) = (store(&folder), store(&folder));
        assert!(!other.call("fs", "h", "write", &Map::new(), Path::new("/")));
        own.add(kept("fs", "h", Some("write"))).expect("written");
        for store in [&own, &other] {
            assert!(store.call("fs", "h", "write", &Map::new(), Path::new("/")));
            assert!(!store.call("fs", "h2", "write", &Map::new(), Path::new("/")), "a changed server asks again");
            assert!(!store.call("git", "h", "write", &Map::new(), Path::new("/")));
            assert!(!store.call("fs", "h", "delete", &Map::new(), Path::new("/")));
            assert!(!store.server("h"), "a call's approval starts nothing");
        }
        other.forget(Some(&own.list()[0].id)).expect("written");
        assert!(!own.call("fs", "h", "write", &Map::new(), Path::new("/")));
    }

    #[test]
    fn daemons_that_write_at_once_lose_nothing() {
        let folder = tempfile::tempdir().expect("a folder");
        std::thread::scope(|threads| {
            for daemon in 0..4 {
                let store = store(&folder);
                threads.spawn(move || {
                    for n in 0..10 {
                        store.add(kept("s", &format!("{daemon} {n}"), None)).expect("written");
                    }
                });
            }
        });
        assert_eq!(store(&folder).list().len(), 40);
    }

    #[test]
    fn the_oldest_go_and_the_same_is_kept_once() {
        let folder = tempfile::tempdir().expect("a folder");
        let store = store(&folder);
        let all: Vec<Kept> = (0..KEPT_MAX).map(|n| kept("s", &n.to_string(), None)).collect();
        std::fs::write(&store.file, serde_json::to_vec(&all).expect("JSON")).expect("written");
        store.add(kept("s", "1", None)).expect("written");
        assert_eq!((store.list().len(), store.server("0")), (KEPT_MAX, true));
        store.add(kept("s", "new", None)).expect("written");
        assert_eq!((store.list().len(), store.server("0"), store.server("1")), (KEPT_MAX, false, true));
        store.forget(None).expect("written");
        assert_eq!(store.list(), []);
    }

    #[test]
    fn a_file_that_cannot_be_read_approves_nothing() {
        let folder = tempfile::tempdir().expect("a folder");
        let store = store(&folder);
        std::fs::write(&store.file, "[{").expect("written");
        assert!(!store.server("h"));
    }
}
