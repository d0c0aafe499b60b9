//! Whether a database is sound, and what to do with one that is not: set aside under another name, never deleted.

use crate::error::Error;
use crate::store::connect;
use rusqlite::{Connection, ErrorCode};
use std::path::{Path, PathBuf};
use std::sync::mpsc;
use std::time::Duration;

/// Faults that a check names.
const FAULTS: i64 = 10;

/// Whether an error means that the file itself is not a sound database.
pub(crate) fn is_damaged(error: &rusqlite::Error) -> bool {
    matches!(error.sqlite_error_code(), Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase))
}

/// Whether an error means that the file cannot be used where it is, though it may be sound.
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

/// Renames a damaged database and what belongs to it.
pub(crate) fn set_aside(path: &Path) -> Result<PathBuf, Error> {
    let with = |suffix: &str| {
        let mut name = path.as_os_str().to_owned();
        name.push(suffix);
        PathBuf::from(name)
    };
    let aside = format!(".corrupt-{}", crate::now_ms());
    for companion in ["-wal", "-shm"] {
        // An absent companion is the normal case.
        let _ = std::fs::rename(with(companion), with(&format!("{aside}{companion}")));
    }
    let aside = with(&aside);
    std::fs::rename(path, &aside).map_err(|source| Error::Folder { path: path.to_owned(), source })?;
    Ok(aside)
}
