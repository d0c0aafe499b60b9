//! Whether a database is sound, and what to do with one that is not: set aside under another name, never deleted.

use crate::error::Error;
use crate::store::connect;
use rusqlite::{Connection, ErrorCode};
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::mpsc;
use std::time::Duration;

/// Faults that a check names.
const FAULTS: i64 = 10;

/// Whether an error means that the file itself is not a sound database.
pub(crate) fn is_damaged(error: &rusqlite::Error) -> bool {
    matches!(error.sqlite_error_code(), Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase))
}

/// Whether an error means that the file cannot be used where it is, or not now, though it may be sound.
pub(crate) fn is_out_of_reach(error: &rusqlite::Error) -> bool {
    let code = error.sqlite_error_code();
    matches!(
        code,
        Some(
            ErrorCode::ReadOnly
                | ErrorCode::CannotOpen
                | ErrorCode::DiskFull
                | ErrorCode::SystemIoFailure
                | ErrorCode::PermissionDenied
                | ErrorCode::DatabaseBusy
                | ErrorCode::DatabaseLocked
        )
    )
}

/// Looks at the pages of a database for a bounded time. `Some` says what is wrong; a look that was not finished found
/// nothing.
pub(crate) fn quick_check(path: &Path, time: Duration) -> Option<String> {
    let connection = match connect(path, false) {
        Ok(connection) => connection,
        Err(error) => return is_damaged(&error).then(|| error.to_string()),
    };
    let handle = connection.get_interrupt_handle();
    let (done, wait) = mpsc::channel::<()>();
    let timer = std::thread::spawn(move || {
        if wait.recv_timeout(time) == Err(mpsc::RecvTimeoutError::Timeout) {
            handle.interrupt();
        }
    });
    let found = faults(&connection, "quick_check");
    drop(done);
    // The timer ends at once, and holds nothing of the connection.
    let _ = timer.join();
    match found {
        Ok(faults) => (!faults.is_empty()).then(|| faults.join("; ")),
        Err(error) => is_damaged(&error).then(|| error.to_string()),
    }
}

/// Every check there is, however long it takes: the faults found, ten at most.
pub(crate) fn full_check(path: &Path) -> Result<Vec<String>, Error> {
    let connection = connect(path, false)?;
    match faults(&connection, "integrity_check") {
        Err(error) if is_damaged(&error) => Ok(vec![error.to_string()]),
        found => Ok(found?),
    }
}

fn faults(connection: &Connection, check: &str) -> rusqlite::Result<Vec<String>> {
    let mut statement = connection.prepare(&format!("PRAGMA {check}({FAULTS})"))?;
    let lines: Vec<String> = statement.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?;
    Ok(lines.into_iter().filter(|line| line != "ok").collect())
}

/// Which file it is, whatever its name; always the same where the system has no numbers for files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct FileId(u64, u64);

/// The file at a path; `None` where there is none.
pub(crate) fn file_id(path: &Path) -> Option<FileId> {
    let metadata = std::fs::metadata(path).ok()?;
    #[cfg(unix)]
    let numbers = (std::os::unix::fs::MetadataExt::dev(&metadata), std::os::unix::fs::MetadataExt::ino(&metadata));
    #[cfg(not(unix))]
    let numbers = (0, u64::from(metadata.is_dir()));
    Some(FileId(numbers.0, numbers.1))
}

/// Keeps other processes from setting the same database aside, for as long as it lives.
pub(crate) fn alone(path: &Path) -> Result<File, Error> {
    let locked = File::create(with(path, ".lock")).and_then(|file| file.lock().map(|()| file));
    locked.map_err(|source| Error::Folder { path: path.to_owned(), source })
}

/// What stands between the name of a database and the time at which it was set aside, and what does in the name of the note
/// that says it is still to be taken over.
const ASIDE: &str = ".corrupt-";
const NOTE: &str = ".salvage-";

/// Renames a damaged database and what belongs to it, and leaves a note that it is to be taken over.
pub(crate) fn set_aside(path: &Path) -> Result<PathBuf, Error> {
    let now = crate::now_ms();
    let aside = with(path, &format!("{ASIDE}{now}"));
    let renamed = File::create(with(path, &format!("{NOTE}{now}"))).and_then(|_| {
        // The log first: a new database beside the old one's log would be taken for the old one. An absent one is the normal
        // case.
        for companion in ["-wal", "-shm"] {
            let _ = std::fs::rename(with(path, companion), with(&aside, companion));
        }
        std::fs::rename(path, &aside)
    });
    renamed.map_err(|source| Error::Folder { path: path.to_owned(), source })?;
    Ok(aside)
}

/// The databases that were set aside and not yet taken over to the end.
pub(crate) fn unsalvaged(path: &Path) -> Vec<PathBuf> {
    let (Some(folder), Some(name)) = (path.parent(), path.file_name().and_then(|name| name.to_str())) else {
        return Vec::new();
    };
    let prefix = format!("{name}{NOTE}");
    let names = std::fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.file_name());
    let times = names.filter_map(|name| Some(name.to_str()?.strip_prefix(&prefix)?.to_owned()));
    times.map(|time| with(path, &format!("{ASIDE}{time}"))).filter(|aside| aside.exists()).collect()
}

/// Takes the note of a database that was set aside away.
pub(crate) fn salvaged(aside: &Path) {
    if let Some(name) = aside.file_name().and_then(|name| name.to_str()) {
        // Where another process was faster, it is gone.
        let _ = std::fs::remove_file(aside.with_file_name(name.replacen(ASIDE, NOTE, 1)));
    }
}

fn with(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}
