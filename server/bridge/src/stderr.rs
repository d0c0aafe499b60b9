//! What a server writes to its stderr, and says in log messages (`said`): the end of it for error messages, more of it in a
//! log file.
//!
//! Bounded: the part kept in memory, and the log, which starts anew at its limit and keeps one predecessor. Secrets are
//! taken out before anything is kept.

use crate::Options;
use crate::redact::Redactor;
use crate::said::Said;
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
pub(crate) struct Ring {
    kept: Arc<Mutex<Kept>>,
    /// How much had been written when the life of this handle began: the next one may begin before this one is explained.
    life: usize,
}

#[derive(Debug, Default)]
struct Kept {
    text: String,
    /// How much was written before it, and is kept no more.
    gone: usize,
}

impl Ring {
    /// A new life: what was said before is no reason for what happens now.
    pub(crate) fn begin(&self) -> Self {
        let kept = self.kept();
        Self { kept: self.kept.clone(), life: kept.gone + kept.text.len() }
    }

    /// The last lines of this life, as one line for an error message.
    pub(crate) fn tail(&self) -> String {
        let kept = self.kept();
        let lines =
            kept.text[self.life.saturating_sub(kept.gone)..].lines().rev().map(plain).filter(|line| !line.is_empty());
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
            kept.gone += cut;
        }
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Where a server is logged.
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

/// Reads `stderr` to its end, and all that is said meanwhile to its own.
pub(crate) async fn drain(mut stderr: impl AsyncRead + Unpin, said: Arc<Said>, mut sink: Sink) {
    let (mut prints, mut speaks) = (true, true);
    let mut pending = Vec::new();
    while prints || speaks {
        tokio::select! {
            read = stderr.read_buf(&mut pending), if prints => {
                prints = matches!(read, Ok(1..));
                let whole = pending.iter().rposition(|&byte| byte == b'\n').map(|at| at + 1);
                let cut = if pending.len() > LINE_BYTES_MAX { pending.len() } else { 0 };
                let taken = if prints { whole.unwrap_or(cut) } else { pending.len() };
                let text = sink.redactor.clean(&String::from_utf8_lossy(&pending[..taken]));
                pending.drain(..taken);
                sink.write(text).await;
            }
            lines = said.next(), if speaks => match lines {
                // Not into the middle of a line.
                Some(lines) if sink.in_line => sink.write(format!("\n{lines}")).await,
                Some(lines) => sink.write(lines).await,
                None => speaks = false,
            },
        }
    }
}

/// Where one life of a server is kept.
pub(crate) struct Sink {
    ring: Ring,
    redactor: Redactor,
    /// Where the log is to be opened, once there is something to write.
    path: Option<PathBuf>,
    log: Option<Log>,
    /// What was written last is no whole line.
    in_line: bool,
}

impl Sink {
    pub(crate) fn new(options: &Options, server: &str, ring: Ring, redactor: Redactor) -> Self {
        Self { ring, redactor, path: log_path(options, server), log: None, in_line: false }
    }

    async fn write(&mut self, text: String) {
        if text.is_empty() {
            return;
        }
        self.in_line = !text.ends_with('\n');
        self.ring.push(&text);
        if let Some(path) = self.path.take() {
            self.log = Log::open(path).await;
        }
        if let Some(log) = &mut self.log {
            log.write(&text).await;
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
    use crate::said::Mouth;

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
        let first = ring.clone();
        let ring = ring.begin();
        assert_eq!((first.tail().as_str(), ring.tail().as_str()), ("first life", ""));
        ring.push(&format!("{}\n", "x".repeat(TAIL_LINE_CHARS + 1)));
        assert_eq!(ring.tail(), format!("{}…", "x".repeat(TAIL_LINE_CHARS)));
        assert_eq!(ring.log(), format!("\tfirst life\n{}\n", "x".repeat(TAIL_LINE_CHARS + 1)));
        ring.push(&"ü\n".repeat(RING_BYTES));
        assert!(ring.tail().ends_with("ü | ü"), "what is cut away moves the mark");
        assert_eq!(ring.begin().tail(), "");
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
        let (said, options) = (
            Said::new(Redactor::default()),
            Options { log_dir: path.parent().map(Path::to_owned), ..Options::default() },
        );
        drop(Mouth(said.clone()));
        drain(text.as_bytes(), said, Sink::new(&options, "s", Ring::default(), Redactor::default())).await;
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
