//! Keeps the store usable: a damaged database is set aside under another name, never deleted, and a new one started; any
//! other fault is said and leaves the caller to go on in memory.

use crate::error::Error;
use crate::shared::Shared;
use crate::store::Store;
use crate::totals::Totals;
use rusqlite::ErrorCode;
use std::path::{Path, PathBuf};
use std::sync::Arc;

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
        {
            match replace(&self.path, error) {
                Ok((store, totals, problem)) => {
                    self.store = store;
                    let mut view = self.shared.view();
                    (view.workspace, view.problem) = (totals, Some(problem));
                    drop(view);
                    done = work(&mut self.store);
                }
                Err(error) => tracing::error!(%error, "the damaged ledger could not be replaced"),
            }
        }
        done.inspect_err(|error| {
            tracing::error!(%error, path = %self.path.display(), "the ledger could not be written; counting in memory");
            let text =
                format!("the ledger {} cannot be written ({error}): sums are kept in memory only", self.path.display());
            self.shared.view().problem = Some(text);
        })
        .ok()
    }
}

/// Opens a store. A damaged one is replaced, and the last part says so.
pub(crate) fn open(path: &Path) -> Result<(Store, Totals, Option<String>), Error> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).map_err(|source| Error::Folder { path: path.to_owned(), source })?;
    }
    match Store::open(path) {
        Err(Error::Database(error)) if is_damaged(&error) => {
            let (store, totals, problem) = replace(path, &error)?;
            Ok((store, totals, Some(problem)))
        }
        opened => opened.map(|(store, totals)| (store, totals, None)),
    }
}

/// Whether an error means that the file itself is not a sound database.
fn is_damaged(error: &rusqlite::Error) -> bool {
    matches!(error.sqlite_error_code(), Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase))
}

fn replace(path: &Path, error: &rusqlite::Error) -> Result<(Store, Totals, String), Error> {
    let aside = set_aside(path)?;
    let problem = format!(
        "the ledger {} was damaged ({error}); it is kept as {} and a new one was started",
        path.display(),
        aside.display()
    );
    tracing::error!("{problem}");
    let (store, totals) = Store::open(path)?;
    Ok((store, totals, problem))
}

/// Renames a damaged database and what belongs to it.
fn set_aside(path: &Path) -> Result<PathBuf, Error> {
    let with = |suffix: &str| {
        let mut name = path.as_os_str().to_owned();
        name.push(suffix);
        PathBuf::from(name)
    };
    let aside = format!(".damaged-{}", crate::now_ms());
    for companion in ["-wal", "-shm"] {
        // An absent companion is the normal case.
        let _ = std::fs::rename(with(companion), with(&format!("{aside}{companion}")));
    }
    let aside = with(&aside);
    std::fs::rename(path, &aside).map_err(|source| Error::Folder { path: path.to_owned(), source })?;
    Ok(aside)
}
