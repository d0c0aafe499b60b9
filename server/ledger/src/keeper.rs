//! Keeps the store usable: a damaged database is set aside under another name, never deleted, and a new one started, into
//! which what can still be read of it is taken over (`salvage.rs`); any other fault is said once, and the caller goes on in
//! memory until it is gone.

use crate::error::Error;
use crate::integrity::{is_damaged, is_out_of_reach, quick_check, set_aside};
use crate::salvage;
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
    /// Where the store is.
    pub(crate) path: PathBuf,
    /// Where it should be, if it is in memory instead.
    pub(crate) wanted: Option<PathBuf>,
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
        if let Err(error) = &done {
            let failure = format!(
                "the ledger {} cannot be written ({error}): what is counted waits in memory",
                self.path.display()
            );
            if self.shared.view().failure.replace(failure.clone()).is_none() {
                tracing::error!("{failure}");
            }
        }
        done.ok()
    }

    /// Writes something, after which nothing is wrong with writing any more.
    pub(crate) fn write<T>(&mut self, work: impl FnMut(&mut Store) -> rusqlite::Result<T>) -> Option<T> {
        let done = self.run(work)?;
        if self.shared.view().failure.take().is_some() {
            tracing::info!("the ledger {} can be written again", self.path.display());
        }
        Some(done)
    }

    /// Starts a new database in place of the damaged one; whether that was possible.
    pub(crate) fn replace(&mut self, why: &str) -> bool {
        match replace(&self.path, why) {
            Ok(Opened { store, totals, problem, aside, .. }) => {
                self.store = store;
                let mut view = self.shared.view();
                (view.workspace, view.problem) = (totals, problem);
                drop(view);
                self.salvage(aside);
                true
            }
            Err(error) => {
                tracing::error!(%error, "the damaged ledger could not be replaced");
                false
            }
        }
    }

    /// Takes over what can be read of a database that was set aside, on a thread of its own.
    pub(crate) fn salvage(&self, aside: Option<PathBuf>) {
        let Some(aside) = aside else { return };
        let (path, shared) = (self.path.clone(), self.shared.clone());
        let take_over = move || {
            let says = salvage::salvage(&aside, &path).to_string();
            tracing::warn!(from = %aside.display(), "{says}");
            if let Some(problem) = &mut shared.view().problem {
                problem.push_str("; ");
                problem.push_str(&says);
            }
            shared.queue.look();
        };
        spawn("ledger-salvage", take_over);
    }

    /// Opens a database anew that could not be written; leaves one in memory for the real one, where that can be had by now,
    /// and takes along what was counted meanwhile.
    pub(crate) fn come_back(&mut self) {
        let Some(wanted) = &self.wanted else {
            let fails = self.shared.view().failure.is_some();
            if fails && let Ok((store, _)) = Store::open(&self.path) {
                self.store = store;
            }
            return;
        };
        if matches!(Store::open(wanted), Err(Error::Database(error)) if is_out_of_reach(&error)) {
            return;
        }
        let Ok(opened) = open(wanted) else { return };
        if opened.wanted.is_some() {
            return;
        }
        let saved = salvage::salvage(&self.path, &opened.path);
        tracing::info!("the ledger {} can be used again; {saved}", opened.path.display());
        let totals = opened.store.totals().unwrap_or(opened.totals);
        (self.store, self.path, self.wanted) = (opened.store, opened.path, None);
        let mut view = self.shared.view();
        (view.path, view.workspace) = (self.path.clone(), totals);
        (view.problem, view.failure) = (opened.problem, None);
        drop(view);
        self.salvage(opened.aside);
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
        spawn("ledger-check", look);
    }
}

fn spawn(name: &str, work: impl FnOnce() + Send + 'static) {
    if let Err(error) = std::thread::Builder::new().name(name.to_owned()).spawn(work) {
        tracing::warn!(%error, "the thread {name} could not be started");
    }
}

/// An opened store, with where it is and what is wrong, if anything.
pub(crate) struct Opened {
    pub(crate) store: Store,
    pub(crate) totals: Totals,
    pub(crate) path: PathBuf,
    pub(crate) problem: Option<String>,
    /// The damaged database that it took the place of.
    pub(crate) aside: Option<PathBuf>,
    /// Where it should be, if it is in memory instead.
    pub(crate) wanted: Option<PathBuf>,
}

impl Opened {
    fn new(path: &Path, problem: Option<String>) -> Result<Self, Error> {
        let (store, totals) = Store::open(path)?;
        Ok(Self { store, totals, path: path.to_owned(), problem, aside: None, wanted: None })
    }
}

/// Opens a store. A damaged one is replaced; where none can be had, one in memory stands in. Either is said.
pub(crate) fn open(path: &Path) -> Result<Opened, Error> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).map_err(|source| Error::Folder { path: path.to_owned(), source })?;
    }
    match Opened::new(path, None) {
        Err(Error::Database(error)) if is_damaged(&error) => replace(path, &error.to_string()),
        Err(Error::Database(error)) if is_out_of_reach(&error) => {
            let problem = format!(
                "the ledger {} cannot be used ({error}): what this process counts is kept in memory only, until it can",
                path.display()
            );
            tracing::error!("{problem}");
            Ok(Opened { wanted: Some(path.to_owned()), ..Opened::new(&in_memory(), Some(problem))? })
        }
        opened => opened,
    }
}

/// The name of a database in memory that this process alone can open, and all its connections.
fn in_memory() -> PathBuf {
    static NUMBER: AtomicU64 = AtomicU64::new(0);
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    PathBuf::from(format!("{IN_MEMORY}/ledger-{}-{number}?vfs=memdb", std::process::id()))
}

/// Starts a new database in place of a damaged one, unless another process has done so already.
fn replace(path: &Path, why: &str) -> Result<Opened, Error> {
    if let Ok(opened) = Opened::new(path, None)
        && quick_check(path, CHECK).is_none()
    {
        let problem =
            format!("the ledger {} was damaged ({why}); another process has started a new one", path.display());
        tracing::error!("{problem}");
        return Ok(Opened { problem: Some(problem), ..opened });
    }
    let aside = set_aside(path)?;
    let problem = format!(
        "the ledger {} was damaged ({why}); it is kept as {} and a new one was started",
        path.display(),
        aside.display()
    );
    tracing::error!("{problem}");
    Ok(Opened { aside: Some(aside), ..Opened::new(path, Some(problem))? })
}
