//! Results that were too large for a reply: kept as files of the workspace's own folder, read back in parts.
//!
//! Invariants: a file's name is made of a run's id alone, and what could name anything else names nothing; a part is
//! bounded and whole characters; what is kept is bounded in number and bytes, and the oldest go first.

use crate::error::Error;
use crate::options::{private_folder, write_private};
use model::RunId;
use model::reply::ResultPart;
use std::fs::File;
use std::io::{Read as _, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};

/// Bytes of a part at most, and at least: a character needs up to four.
const PART_BYTES_MAX: usize = 1 << 20;
const PART_BYTES_MIN: usize = 4;
/// Results of a workspace, and bytes of all of them.
const KEPT_MAX: usize = 1_000;
const KEPT_BYTES_MAX: u64 = 1 << 30;
const ENDING: &str = "-result.json";

/// Keeps a whole result. Returns where it lies; nothing where it could not be written.
pub(crate) async fn keep(data: &Path, run_id: &RunId, json: String) -> Option<String> {
    let file = path(data, run_id)?;
    let written = tokio::task::spawn_blocking(move || {
        let folder = file.parent()?;
        private_folder(folder).ok()?;
        match write_private(&file, json.as_bytes()) {
            Ok(()) => {
                forget_oldest(folder, KEPT_MAX, KEPT_BYTES_MAX);
                Some(file.display().to_string())
            }
            Err(e) => {
                tracing::warn!("{} could not be written: {e}", file.display());
                None
            }
        }
    });
    written.await.ok().flatten()
}

/// At most `bytes` bytes of a kept result, from `offset` on.
pub(crate) async fn read(data: &Path, run_id: &RunId, offset: u64, bytes: usize) -> Result<ResultPart, Error> {
    let unknown =
        || Error::Usage(format!("no whole result is kept of a run {}", crate::question::name(run_id.as_str())));
    let file = path(data, run_id).ok_or_else(unknown)?;
    let part = tokio::task::spawn_blocking(move || part(&file, offset, bytes.clamp(PART_BYTES_MIN, PART_BYTES_MAX)));
    match part.await.map_err(|e| Error::Fault(e.to_string()))? {
        Ok(part) if offset <= part.total_bytes => Ok(part),
        Ok(part) => {
            Err(Error::Usage(format!("the result of run {run_id} has {} bytes, none at {offset}", part.total_bytes)))
        }
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => Err(unknown()),
        Err(e) => Err(Error::Fault(format!("the result of run {run_id} cannot be read: {e}"))),
    }
}

/// The newest result stays, however large. Whoever cannot remove a file tries again at the next.
fn forget_oldest(folder: &Path, most: usize, most_bytes: u64) {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let results = entries.filter(|entry| entry.file_name().to_string_lossy().ends_with(ENDING));
    // By name: ids are ordered by time.
    let mut newest_first: Vec<_> = results.map(|entry| entry.path()).collect();
    newest_first.sort_by(|a, b| b.cmp(a));
    let mut bytes = 0;
    for (place, file) in newest_first.iter().enumerate() {
        bytes += file.metadata().map_or(0, |metadata| metadata.len());
        if place > 0 && (place >= most || bytes > most_bytes) {
            let _ = std::fs::remove_file(file);
        }
    }
}

fn path(data: &Path, run_id: &RunId) -> Option<PathBuf> {
    let id = run_id.as_str();
    let ours = !id.is_empty() && id.len() <= 64 && id.bytes().all(|b| b.is_ascii_alphanumeric());
    ours.then(|| data.join("artifacts").join(format!("{id}{ENDING}")))
}

/// An `offset` within a character means the next one.
fn part(file: &Path, offset: u64, bytes: usize) -> std::io::Result<ResultPart> {
    let mut file = File::open(file)?;
    let total_bytes = file.metadata()?.len();
    file.seek(SeekFrom::Start(offset))?;
    let mut read = Vec::with_capacity(bytes.min(usize::try_from(total_bytes).unwrap_or(bytes)));
    file.take(bytes as u64).read_to_end(&mut read)?;
    let inside = read.iter().take_while(|byte| **byte & 0xC0 == 0x80).count();
    let whole = read[inside..].utf8_chunks().next().map_or("", |chunk| chunk.valid());
    Ok(ResultPart { json: whole.to_owned(), offset: offset + inside as u64, total_bytes })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn parts_of_any_size_make_up_the_whole() {
        let data = tempfile::tempdir().expect("a folder");
        let (run_id, whole) = (RunId::new(), r#"["aäb","€","😀😀"]"#.repeat(20));
        keep(data.path(), &run_id, whole.clone()).await.expect("kept");
        for bytes in [0, 4, 5, 7, 64, usize::MAX] {
            let (mut read, mut at) = (String::new(), 0);
            while at < whole.len() as u64 {
                let part = self::read(data.path(), &run_id, at, bytes).await.expect("a part");
                assert_eq!((part.offset, part.total_bytes), (at, whole.len() as u64));
                assert!(!part.json.is_empty() && part.json.len() <= bytes.max(PART_BYTES_MIN));
                at += part.json.len() as u64;
                read += &part.json;
            }
            assert_eq!(read, whole, "{bytes}");
        }
        let inside = self::read(data.path(), &run_id, 4, 4).await.expect("a part");
        assert_eq!((inside.offset, inside.json.as_str()), (5, "b\","));
        let end = self::read(data.path(), &run_id, whole.len() as u64, 9).await.expect("the end");
        assert_eq!(end.json, "");
        assert!(self::read(data.path(), &run_id, whole.len() as u64 + 1, 9).await.is_err());
    }

    #[test]
    fn the_oldest_go_by_number_and_by_bytes_and_nothing_else_goes() {
        let folder = tempfile::tempdir().expect("a folder");
        let names = || {
            let entries = std::fs::read_dir(folder.path()).expect("a folder").flatten();
            let mut names: Vec<_> = entries.map(|e| e.file_name().to_string_lossy().into_owned()).collect();
            names.sort();
            names
        };
        for (name, bytes) in [("1-result.json", 10), ("2-result.json", 10), ("3-result.json", 10), ("notes.txt", 99)] {
            std::fs::write(folder.path().join(name), vec![0; bytes]).expect("written");
        }
        forget_oldest(folder.path(), 3, 30);
        assert_eq!(names().len(), 4);
        forget_oldest(folder.path(), 2, 30);
        assert_eq!(names(), ["2-result.json", "3-result.json", "notes.txt"]);
        forget_oldest(folder.path(), 2, 5);
        assert_eq!(names(), ["3-result.json", "notes.txt"], "the newest stays, though it is too large");
    }

    #[tokio::test]
    async fn an_id_that_is_none_names_nothing() {
        let data = tempfile::tempdir().expect("a folder");
        std::fs::write(data.path().join("x-result.json"), "secret").expect("written");
        std::fs::create_dir(data.path().join("artifacts")).expect("made");
        for id in ["../x", "", "x", "a/b", "a\0b", "..", &"a".repeat(65)] {
            let read = read(data.path(), &RunId::from(id), 0, 100).await;
            assert!(matches!(read, Err(Error::Usage(_))), "{id:?}: {read:?}");
            if id != "x" {
                assert_eq!(keep(data.path(), &RunId::from(id), String::new()).await, None, "{id:?}");
            }
        }
    }
}
