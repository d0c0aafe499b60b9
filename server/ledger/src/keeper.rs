//! Keeps the store usable: a damaged database is set aside under another name, never deleted, and a new one started; any
//! other fault is said and leaves the caller to go on in memory.

use crate::error::Error;
use crate::integrity::{is_damaged, is_out_of_reach, quick_check, set_aside};
use crate::shared::Shared;
use crate::store::{IN_MEMORY, Store};
use crate::totals::Totals;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// How long the check at the start may take; of a larger file a part is looked at, and all of it by the doctor.
const CHECK: Duration = Duration::from_millis(500);

/// The store and what to do when it fails.
#[derive(Debug)]
pub(crate) struct Keeper {
    pub(crate) store: Store,
    pub(crate) path: PathBuf,
    pub(crate) shared: Arc<Shared>,
}

impl Keeper {
    /// Does something with the store, once more where the database had to be replaced; `None` where it failed.
    pub(crate) fn run<T>(&mut self, mut work: impl FnMut(&mut Store) -> rusqlite::Result<T>) -> Option<T> {
        let mut done = work(&mut self.store);
        if let Err(error) = &done
            && is_damaged(error)
            && self.replace(&error.to_string())
        {
            done = work(&mut self.store);
        }
        done.inspect_err(|error| {
            tracing::error!(%error, path = %self.path.display(), "the ledger could not be written; counting in memory");
            let text =
                format!("the ledger {} cannot be written ({error}): sums are kept in memory only", self.path.display());
            self.shared.view().problem = Some(text);
        })
        .ok()
    }

    /// Starts a new database in place of the damaged one; whether that was possible.
    pub(crate) fn replace(&mut self, why: &str) -> bool {
        match replace(&self.path, why) {
            Ok((store, totals, problem)) => {
                self.store = store;
                let mut view = self.shared.view();
                (view.workspace, view.problem) = (totals, Some(problem));
                true
            }
            Err(error) => {
                tracing::error!(%error, "the damaged ledger could not be replaced");
                false
            }
        }
    }

    /// Looks at the pages on a thread of its own; a fault found is for the worker to act on.
    pub(crate) fn check(&self) {
        let (path, shared) = (self.path.clone(), self.shared.clone());
        let look = move || {
            if let Some(why) = quick_check(&path, CHECK) {
                shared.view().fault = Some(why);
                shared.queue.look();
            }
        };
        if let Err(error) = std::thread::Builder::new().name("ledger-check".to_owned()).spawn(look) {
            tracing::warn!(%error, "the ledger is not checked");
        }
    }
}

/// An opened store, with where it is and what is wrong, if anything.
pub(crate) struct Opened {
    pub(crate) store: Store,
    pub(crate) totals: Totals,
    pub(crate) path: PathBuf,
    pub(crate) problem: Option<String>,
}

/// Opens a store. A damaged one is replaced; where none can be had, one in memory stands in. Either is said.
pub(crate) fn open(path: &Path) -> Result<Opened, Error> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).map_err(|source| Error::Folder { path: path.to_owned(), source })?;
    }
    match Store::open(path) {
        Err(Error::Database(error)) if is_damaged(&error) => {
            let (store, totals, problem) = replace(path, &error.to_string())?;
            Ok(Opened { store, totals, path: path.to_owned(), problem: Some(problem) })
        }
        Err(Error::Database(error)) if is_out_of_reach(&error) => {
            let problem = format!(
                "the ledger {} cannot be used ({error}): what this process counts is kept in memory only",
                path.display()
            );
            tracing::error!("{problem}");
            let path = in_memory();
            let (store, totals) = Store::open(&path)?;
            Ok(Opened { store, totals, path, problem: Some(problem) })
        }
        opened => opened.map(|(store, totals)| Opened { store, totals, path: path.to_owned(), problem: None }),
    }
}

/// The name of a database in memory that this process alone can open, and all its connections.
fn in_memory() -> PathBuf {
    static NUMBER: AtomicU64 = AtomicU64::new(0);
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    PathBuf::from(format!("{IN_MEMORY}/ledger-{}-{number}?vfs=memdb", std::process::id()))
}

/// Starts a new database in place of a damaged one, unless another process has done so already.
fn replace(path: &Path, why: &str) -> Result<(Store, Totals, String), Error> {
    if let Ok((store, totals)) = Store::open(path)
        && quick_check(path, CHECK).is_none()
    {
        let problem =
            format!("the ledger {} was damaged ({why}); another process has started a new one", path.display());
        tracing::error!("{problem}");
        return Ok((store, totals, problem));
    }
    let aside = set_aside(path)?;
    let problem = format!(
        "the ledger {} was damaged ({why}); it is kept as {} and a new one was started",
        path.display(),
        aside.display()
    );
    tracing::error!("{problem}");
    let (store, totals) = Store::open(path)?;
    Ok((store, totals, problem))
}
