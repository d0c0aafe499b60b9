//! Keeps the store usable: a damaged database is set aside under another name, never deleted, and a new one started, into
//! which what can still be read of it is taken over (`salvage.rs`); any other fault is said once, and the caller goes on in
//! memory until it is gone.

use crate::error::Error;
use crate::integrity::{self, FileId, is_damaged, is_out_of_reach, quick_check, set_aside};
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
    pub(crate) fn run<T>(&mut self, work: impl FnMut(&mut Store) -> rusqlite::Result<T>) -> Option<T> {
        let done = self.attempt(work);
        done.inspect_err(|error| tracing::debug!(%error, "the ledger's database refused what can be done later")).ok()
    }

    /// Writes what was counted, after which nothing is wrong with writing any more.
    pub(crate) fn write<T>(&mut self, work: impl FnMut(&mut Store) -> rusqlite::Result<T>) -> Option<T> {
        match self.attempt(work) {
            Ok(done) => {
                if self.shared.view().failure.take().is_some() {
                    tracing::info!("the ledger {} can be written again", self.path.display());
                }
                Some(done)
            }
            Err(error) => {
                let path = self.path.display();
                let failure = format!("the ledger {path} cannot be written ({error}): what is counted waits in memory");
                if self.shared.view().failure.replace(failure.clone()).is_none() {
                    tracing::error!("{failure}");
                }
                None
            }
        }
    }

    fn attempt<T>(&mut self, mut work: impl FnMut(&mut Store) -> rusqlite::Result<T>) -> rusqlite::Result<T> {
        match work(&mut self.store) {
            Err(error) if is_damaged(&error) && self.replace(&error.to_string()) => work(&mut self.store),
            done => done,
        }
    }

    /// Acts on damage that was found in a file, if that is still the one in use; whether a new database is now.
    pub(crate) fn act_on(&mut self, (file, why): &(Option<FileId>, String)) -> bool {
        *file == self.store.file && self.replace(why)
    }

    /// Starts a new database in place of the damaged one; whether that was possible.
    fn replace(&mut self, why: &str) -> bool {
        match replace(&self.path, self.store.file, why) {
            Ok(opened) => {
                self.use_now(opened);
                true
            }
            Err(error) => {
                tracing::error!(%error, "the damaged ledger could not be replaced");
                false
            }
        }
    }

    fn use_now(&mut self, opened: Opened) {
        let Opened { store, totals, path, problem, asides, wanted } = opened;
        (self.store, self.path, self.wanted) = (store, path, wanted);
        let mut view = self.shared.view();
        (view.path, view.workspace, view.problem, view.failure) = (self.path.clone(), totals, problem, None);
        drop(view);
        self.salvage(asides);
    }

    /// Takes over what can be read of databases that were set aside, on a thread of its own. What a killed process left
    /// undone the next one does again: what is there already stays as it is.
    pub(crate) fn salvage(&self, asides: Vec<PathBuf>) {
        if asides.is_empty() {
            return;
        }
        let (path, shared) = (self.path.clone(), self.shared.clone());
        let take_over = move || {
            for aside in asides {
                let says = salvage::salvage(&aside, &path).to_string();
                integrity::salvaged(&aside);
                tracing::warn!(from = %aside.display(), "{says}");
                if let Some(problem) = &mut shared.view().problem {
                    problem.push_str("; ");
                    problem.push_str(&says);
                }
            }
            shared.queue.look();
        };
        spawn("ledger-salvage", take_over);
    }

    /// Before something is written: opens a database anew that could not be written, or that is no longer the one at its
    /// path; leaves one in memory for the real one, where that can be had by now, and takes along what was counted
    /// meanwhile. Whether another database is in use now.
    pub(crate) fn come_back(&mut self) -> bool {
        let Some(wanted) = &self.wanted else { return self.follow() };
        if Store::open(wanted).is_err_and(|error| is_unusable(&error)) {
            return false;
        }
        let Ok(mut opened) = open(wanted) else { return false };
        if opened.wanted.is_some() {
            return false;
        }
        let saved = salvage::salvage(&self.path, &opened.path);
        if !saved.is_whole() {
            // A second copy of what was copied does no harm.
            tracing::warn!("the ledger {} does not take what was counted in memory: {saved}", opened.path.display());
            return false;
        }
        tracing::info!("the ledger {} can be used again; {saved}", opened.path.display());
        opened.totals = opened.store.totals().unwrap_or(opened.totals);
        self.use_now(opened);
        true
    }

    /// Opens the database at the path where it is not the one that is open, or where that cannot be written. Whether it is
    /// another one.
    fn follow(&mut self) -> bool {
        if integrity::file_id(&self.path) == self.store.file {
            let fails = self.shared.view().failure.is_some();
            if fails && let Ok((store, _)) = Store::open(&self.path) {
                self.store = store;
            }
            return false;
        }
        let path = self.path.display();
        match open(&self.path) {
            Ok(mut opened) => {
                let moved = format!(
                    "the ledger {path} was moved, or replaced by another process: what is counted from now on is in the new one"
                );
                tracing::error!("{moved}");
                opened.problem.get_or_insert(moved);
                self.use_now(opened);
                true
            }
            Err(error) => {
                tracing::error!(%error, "the ledger {path} was moved, and no new one can be had");
                false
            }
        }
    }

    /// Looks at the pages on a thread of its own; a fault found is for the worker to act on.
    pub(crate) fn check(&self) {
        let (path, file, shared) = (self.path.clone(), self.store.file, self.shared.clone());
        let look = move || {
            if let Some(why) = quick_check(&path, CHECK) {
                shared.view().fault = Some((file, why));
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
    /// The damaged databases that are still to be taken over.
    pub(crate) asides: Vec<PathBuf>,
    /// Where it should be, if it is in memory instead.
    pub(crate) wanted: Option<PathBuf>,
}

impl Opened {
    fn new(path: &Path, problem: Option<String>) -> Result<Self, Error> {
        let (store, totals) = Store::open(path)?;
        let asides = integrity::unsalvaged(path);
        let goes_on =
            || format!("the ledger {} was damaged earlier; saving what can be read of it goes on", path.display());
        let problem = problem.or_else(|| (!asides.is_empty()).then(goes_on));
        Ok(Self { store, totals, path: path.to_owned(), problem, asides, wanted: None })
    }
}

/// Opens a store. A damaged one is replaced; where none can be had, one in memory stands in. Either is said.
pub(crate) fn open(path: &Path) -> Result<Opened, Error> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).map_err(|source| Error::Folder { path: path.to_owned(), source })?;
    }
    let file = integrity::file_id(path);
    match Opened::new(path, None) {
        Err(Error::Database(error)) if is_damaged(&error) => replace(path, file, &error.to_string()),
        Err(error) if is_unusable(&error) => {
            // Some errors name the file by themselves.
            let (path_text, error) = (path.display().to_string(), error.to_string());
            let why = error.replace(&format!(": {path_text}"), "");
            let problem = format!(
                "the ledger {path_text} cannot be used ({why}): what this process counts is kept in memory only, until it can"
            );
            tracing::error!("{problem}");
            Ok(Opened { wanted: Some(path.to_owned()), ..Opened::new(&in_memory(), Some(problem))? })
        }
        opened => opened,
    }
}

/// Whether a database cannot be used, or not now, though nothing is wrong with it.
fn is_unusable(error: &Error) -> bool {
    match error {
        Error::Database(error) => is_out_of_reach(error),
        Error::Newer { .. } => true,
        _ => false,
    }
}

/// The name of a database in memory that this process alone can open, and all its connections.
fn in_memory() -> PathBuf {
    static NUMBER: AtomicU64 = AtomicU64::new(0);
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    PathBuf::from(format!("{IN_MEMORY}/ledger-{}-{number}?vfs=memdb", std::process::id()))
}

/// Starts a new database in place of a damaged file, unless another process has done so already.
fn replace(path: &Path, damaged: Option<FileId>, why: &str) -> Result<Opened, Error> {
    let _others_wait = integrity::alone(path)?;
    let problem = if integrity::file_id(path) == damaged {
        let aside = set_aside(path)?.display().to_string();
        format!("the ledger {} was damaged ({why}); it is kept as {aside} and a new one was started", path.display())
    } else {
        format!("the ledger {} was damaged ({why}); another process has started a new one", path.display())
    };
    tracing::error!("{problem}");
    Opened::new(path, Some(problem))
}
