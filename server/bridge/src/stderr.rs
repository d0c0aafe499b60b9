//! What a server writes to its stderr: the end of it for error messages, more of it in a log file.
//!
//! Bounded: the part kept in memory, and the log, which starts anew at its limit and keeps one predecessor. Secrets are
//! taken out before anything is kept.

use crate::Options;
use crate::redact::Redactor;
use model::names;
use std::io::SeekFrom;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::fs::{File, OpenOptions};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncSeekExt, AsyncWriteExt};

/// Kept in memory.
const RING_BYTES: usize = 64 << 10;
/// Size at which the log starts anew.
const LOG_BYTES_MAX: u64 = 1 << 20;
/// A line is cut here, so that a line without an end still shows up.
const LINE_BYTES_MAX: usize = 8 << 10;
/// Lines quoted in an error, and characters of each.
const TAIL_LINES: usize = 6;
const TAIL_LINE_CHARS: usize = 200;

/// The end of what a server wrote to its stderr, over all its lives in this process.
#[derive(Clone, Debug, Default)]
pub(crate) struct Ring(Arc<Mutex<Kept>>);

#[derive(Debug, Default)]
struct Kept {
    text: String,
    /// Where in it the words of the present life begin.
    life: usize,
}

impl Ring {
    /// A new life: what was said before is no reason for what happens now.
    pub(crate) fn begin(&self) -> Self {
        let mut kept = self.kept();
        kept.life = kept.text.len();
        self.clone()
    }

    /// The last lines of this life, as one line for an error message.
    pub(crate) fn tail(&self) -> String {
        let kept = self.kept();
        let lines = kept.text[kept.life..].lines().rev().map(plain).filter(|line| !line.is_empty());
        let mut lines: Vec<String> = lines.take(TAIL_LINES).map(|line| cut(&line)).collect();
        lines.reverse();
        lines.join(" | ")
    }

    /// Everything that is kept, for people to read.
    pub(crate) fn log(&self) -> String {
        lines_of(&self.kept().text)
    }

    fn push(&self, text: &str) {
        let mut kept = self.kept();
        kept.text.push_str(text);
        if kept.text.len() > RING_BYTES {
            let cut = kept.text.ceil_char_boundary(kept.text.len() - RING_BYTES);
            kept.text.drain(..cut);
            kept.life = kept.life.saturating_sub(cut);
        }
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Where a server's stderr is logged.
pub(crate) fn log_path(options: &Options, server: &str) -> Option<PathBuf> {
    options.log_dir.as_ref().map(|dir| dir.join(names::identifier(server)).with_extension("log"))
}

/// The end of a log file: what a server said in an earlier process. Empty where there is none.
pub(crate) async fn log_tail(path: &Path) -> String {
    let read = async {
        let mut file = File::open(path).await?;
        let skipped = file.metadata().await?.len().saturating_sub(RING_BYTES as u64);
        file.seek(SeekFrom::Start(skipped)).await?;
        let mut bytes = Vec::new();
        file.take(RING_BYTES as u64).read_to_end(&mut bytes).await?;
        Ok::<_, std::io::Error>((skipped > 0, bytes))
    };
    let Ok((is_cut, bytes)) = read.await else { return String::new() };
    // The first line of a part is the rest of one.
    let from = if is_cut { bytes.iter().position(|&byte| byte == b'\n').map_or(0, |at| at + 1) } else { 0 };
    lines_of(&String::from_utf8_lossy(&bytes[from..]))
}

fn lines_of(text: &str) -> String {
    text.lines().map(|line| plain(line) + "\n").collect()
}

/// Reads `stderr` to its end.
pub(crate) async fn drain(mut stderr: impl AsyncRead + Unpin, ring: Ring, log: Option<PathBuf>, redactor: Redactor) {
    let mut log = match log {
        Some(path) => Log::open(path).await,
        None => None,
    };
    let mut pending = Vec::new();
    loop {
        let ended = !matches!(stderr.read_buf(&mut pending).await, Ok(1..));
        let whole = pending.iter().rposition(|&byte| byte == b'\n').map(|at| at + 1);
        let taken = whole.unwrap_or(if ended || pending.len() > LINE_BYTES_MAX { pending.len() } else { 0 });
        let text = redactor.clean(&String::from_utf8_lossy(&pending[..if ended { pending.len() } else { taken }]));
        pending.drain(..taken);
        ring.push(&text);
        if let (Some(log), false) = (&mut log, text.is_empty()) {
            log.write(&text).await;
        }
        if ended {
            return;
        }
    }
}

struct Log {
    path: PathBuf,
    file: File,
    bytes: u64,
}

impl Log {
    async fn open(path: PathBuf) -> Option<Self> {
        match Self::try_open(&path).await {
            Ok((file, bytes)) => Some(Self { path, file, bytes }),
            Err(error) => {
                tracing::warn!(path = %path.display(), %error, "no log for this server");
                None
            }
        }
    }

    async fn try_open(path: &Path) -> std::io::Result<(File, u64)> {
        if let Some(folder) = path.parent() {
            tokio::fs::create_dir_all(folder).await?;
        }
        if tokio::fs::metadata(path).await.is_ok_and(|meta| meta.len() >= LOG_BYTES_MAX) {
            tokio::fs::rename(path, path.with_extension("log.old")).await?;
        }
        let file = OpenOptions::new().create(true).append(true).open(path).await?;
        let bytes = file.metadata().await?.len();
        Ok((file, bytes))
    }

    /// A log that cannot be written (a full disk) is not a reason to stop reading.
    async fn write(&mut self, text: &str) {
        if self.bytes + text.len() as u64 > LOG_BYTES_MAX
            && let Ok((file, bytes)) = Self::try_open(&self.path).await
        {
            (self.file, self.bytes) = (file, bytes);
        }
        if self.bytes < LOG_BYTES_MAX && self.file.write_all(text.as_bytes()).await.is_ok() {
            let _ = self.file.flush().await;
            self.bytes += text.len() as u64;
        }
    }
}

/// One line without colours and control characters.
fn plain(line: &str) -> String {
    let mut out = String::with_capacity(line.len());
    let mut chars = line.chars();
    while let Some(c) = chars.next() {
        if c == '\u{1b}' {
            // A control sequence ends at its first letter; other escapes are one character long.
            if chars.next() == Some('[') {
                let _ = chars.find(char::is_ascii_alphabetic);
            }
        } else if !c.is_control() || c == '\t' {
            out.push(c);
        }
    }
    out.truncate(out.trim_end().len());
    out
}

/// A line of bearable length for an error message.
fn cut(line: &str) -> String {
    let line = line.trim_start();
    match line.char_indices().nth(TAIL_LINE_CHARS) {
        Some((at, _)) => format!("{}…", &line[..at]),
        None => line.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tail_is_the_last_lines_without_colours() {
        let ring = Ring::default();
        for n in 0..10 {
            ring.push(&format!("line {n}\n\n"));
        }
        ring.push("\u{1b}[31mError:\u{1b}[0m no\u{7} port\n");
        assert_eq!(ring.tail(), "line 5 | line 6 | line 7 | line 8 | line 9 | Error: no port");
    }

    #[test]
    fn a_new_life_explains_itself_and_the_log_keeps_both() {
        let ring = Ring::default();
        ring.push("\tfirst life\r\n");
        ring.begin();
        assert_eq!(ring.tail(), "");
        ring.push(&format!("{}\n", "x".repeat(TAIL_LINE_CHARS + 1)));
        assert_eq!(ring.tail(), format!("{}…", "x".repeat(TAIL_LINE_CHARS)));
        assert_eq!(ring.log(), format!("\tfirst life\n{}\n", "x".repeat(TAIL_LINE_CHARS + 1)));
        ring.push(&"ü\n".repeat(RING_BYTES));
        assert_eq!(ring.kept().life, 0, "what is cut away moves the mark");
        assert!(ring.tail().ends_with("ü | ü"));
    }

    #[test]
    fn the_ring_is_bounded_and_cuts_between_characters() {
        let ring = Ring::default();
        for _ in 0..3 {
            ring.push(&"ü".repeat(RING_BYTES / 2 + 1));
        }
        assert!(ring.kept().text.len() <= RING_BYTES);
    }

    #[tokio::test]
    async fn the_log_is_bounded_and_keeps_the_newest() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("logs/s.log");
        let line = format!("{}\n", "x".repeat(1023));
        let mut text = line.repeat(2500);
        text.push_str("the end\n");
        drain(text.as_bytes(), Ring::default(), Some(path.clone()), Redactor::default()).await;
        let size = |path: &Path| std::fs::metadata(path).expect("exists").len();
        assert!(size(&path) <= LOG_BYTES_MAX + (8 << 10));
        assert!(size(&path.with_extension("log.old")) <= LOG_BYTES_MAX + (8 << 10));
        assert!(std::fs::read_to_string(&path).expect("utf-8").ends_with("the end\n"));
        let tail = log_tail(&path).await;
        assert!(tail.starts_with("xxx") && tail.ends_with("x\nthe end\n"));
        assert_eq!((tail.len() - 8) % 1024, 0, "whole lines only");
        assert_eq!(log_tail(&folder.path().join("none")).await, "");
    }
}
