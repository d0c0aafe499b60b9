//! The stdio transport: one JSON message a line, in both directions.
//!
//! Bounded here: the length of a line, the lines of garbage in a row, and the bytes waiting to be written to a server
//! that does not read. Each bound, once passed, gives the callers a typed error: `Observed` says what it was.
//!
//! Messages leave in the order in which `send` was called, although their futures run in any order: `send` itself puts
//! the bytes into the outbox, and whichever future comes first writes all that is there, in one go.
//!
//! `receive` is dropped and called again whenever the client has something else to do, so that every partial state lives
//! in the struct.

use crate::decode::{ID_WINDOW, Line, TOO_LARGE, decode, salvage_id, substitute};
use rmcp::model::ServerJsonRpcMessage;
use rmcp::service::{RoleClient, RxJsonRpcMessage, TxJsonRpcMessage};
use rmcp::transport::Transport;
use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncWrite, AsyncWriteExt, BufReader};
use tokio::sync::watch;
use tokio::time::Instant;

/// Lines of garbage in a row after which the server is given up.
const GARBAGE_LINES_MAX: u64 = 1_000;
/// Bytes of one garbage line that are kept to be quoted.
const GARBAGE_SAMPLE_BYTES: usize = 160;
/// An overlong line is read to its end, to find out whose answer it is, up to this many times the bound.
const OVERLONG_FACTOR: usize = 8;
/// Bytes that may wait for a server to read its stdin.
const BACKLOG_BYTES_MAX: usize = 64 << 20;
/// As much as a pipe holds on Linux.
const READ_BUFFER_BYTES: usize = 64 << 10;

/// What the transport saw that explains a failure.
#[derive(Debug, Default)]
pub(crate) struct Observed {
    garbage: Mutex<Garbage>,
    /// Until when it asked not to be asked, and with which HTTP status.
    pause: Mutex<Option<(Instant, u16)>>,
    fatal: OnceLock<Fatal>,
    /// How many sessions were begun over HTTP.
    sessions: watch::Sender<u64>,
}

/// Why the transport gave the server up.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Fatal {
    /// A line without an end, or an overlong one that is no known call's answer.
    Overlong,
    /// Nothing but garbage.
    Garbage,
}

#[derive(Debug, Default)]
struct Garbage {
    lines: u64,
    in_a_row: u64,
    sample: String,
}

impl Observed {
    /// Why the transport ended itself, if it did.
    pub(crate) fn fatal(&self) -> Option<Fatal> {
        self.fatal.get().copied()
    }

    /// A sentence on the garbage seen so far; empty where there was none.
    pub(crate) fn garbage_note(&self) -> String {
        let garbage = self.garbage.lock().unwrap_or_else(PoisonError::into_inner);
        match garbage.lines {
            0 => String::new(),
            lines => format!("its stdout carries {lines} line(s) that are not JSON-RPC, such as {:?}", garbage.sample),
        }
    }

    /// What is known of why it does not answer; empty where nothing is.
    pub(crate) fn note(&self) -> String {
        let paused = *self.pause.lock().unwrap_or_else(PoisonError::into_inner);
        match paused.filter(|(until, _)| *until > Instant::now()) {
            Some((_, status)) => format!("it has too much to do, and asked to be left alone for now (HTTP {status})"),
            None => self.garbage_note(),
        }
    }

    /// A session is begun.
    pub(crate) fn begin_session(&self) {
        self.sessions.send_modify(|count| *count += 1);
    }

    /// How many sessions were begun.
    pub(crate) fn sessions(&self) -> watch::Receiver<u64> {
        self.sessions.subscribe()
    }

    /// It asks not to be asked before then.
    pub(crate) fn pause(&self, until: Instant, status: u16) {
        let mut pause = self.pause.lock().unwrap_or_else(PoisonError::into_inner);
        if pause.is_none_or(|(before, _)| before < until) {
            *pause = Some((until, status));
        }
    }

    pub(crate) fn pause_until(&self) -> Option<Instant> {
        self.pause.lock().unwrap_or_else(PoisonError::into_inner).map(|(until, _)| until)
    }

    /// The transport gives the server up.
    pub(crate) fn give_up(&self, fatal: Fatal) {
        let _ = self.fatal.set(fatal);
    }

    /// Counts one line of garbage; false once there have been too many.
    pub(crate) fn garbage(&self, line: &[u8]) -> bool {
        let mut garbage = self.garbage.lock().unwrap_or_else(PoisonError::into_inner);
        garbage.lines += 1;
        garbage.in_a_row += 1;
        if garbage.sample.is_empty() {
            garbage.sample = String::from_utf8_lossy(&line[..line.len().min(GARBAGE_SAMPLE_BYTES)]).into_owned();
        }
        garbage.in_a_row < GARBAGE_LINES_MAX
    }

    pub(crate) fn sane(&self) {
        self.garbage.lock().unwrap_or_else(PoisonError::into_inner).in_a_row = 0;
    }
}

/// The transport over a child's stdout and stdin.
pub(crate) struct Lines<R, W> {
    read: BufReader<R>,
    line: Vec<u8>,
    overlong: Option<Overlong>,
    line_bytes_max: usize,
    outbox: Arc<Outbox<W>>,
    observed: Arc<Observed>,
}

/// The two ends of a line that is too long to keep.
struct Overlong {
    head: Vec<u8>,
    tail: Vec<u8>,
    bytes: usize,
}

impl Overlong {
    fn push(&mut self, chunk: &[u8]) {
        self.bytes += chunk.len();
        self.tail.extend_from_slice(&chunk[chunk.len().saturating_sub(ID_WINDOW)..]);
        let surplus = self.tail.len().saturating_sub(ID_WINDOW);
        self.tail.drain(..surplus);
    }
}

impl<R: AsyncRead + Unpin, W> Lines<R, W> {
    pub(crate) fn new(read: R, write: W, line_bytes_max: usize, observed: Arc<Observed>) -> Self {
        Self {
            read: BufReader::with_capacity(READ_BUFFER_BYTES, read),
            line: Vec::new(),
            overlong: None,
            line_bytes_max,
            outbox: Arc::new(Outbox::new(write)),
            observed,
        }
    }

    /// Reads until a whole line is in `self.line`, or an overlong one has ended. False at the end of the stream.
    async fn fill_line(&mut self) -> bool {
        loop {
            let Ok(available) = self.read.fill_buf().await else { return false };
            if available.is_empty() {
                return false;
            }
            let newline = memchr::memchr(b'\n', available);
            let taken = newline.unwrap_or(available.len());
            let chunk = &available[..taken];
            if let Some(overlong) = &mut self.overlong {
                overlong.push(chunk);
            } else if self.line.len() + taken > self.line_bytes_max {
                let head = self.line.iter().chain(chunk).take(ID_WINDOW).copied().collect();
                let tail = self.line.split_off(self.line.len().saturating_sub(ID_WINDOW));
                let mut overlong = Overlong { head, bytes: self.line.len() + tail.len(), tail };
                overlong.push(chunk);
                self.overlong = Some(overlong);
                self.line = Vec::new();
            } else {
                self.line.extend_from_slice(chunk);
            }
            self.read.consume(taken + usize::from(newline.is_some()));
            if newline.is_some() {
                return true;
            }
            if self.overlong.as_ref().is_some_and(|line| line.bytes / OVERLONG_FACTOR > self.line_bytes_max) {
                self.observed.give_up(Fatal::Overlong);
                return false;
            }
        }
    }

    /// The message in the line just read; `Err` gives the server up.
    fn take_message(&mut self) -> Result<Option<ServerJsonRpcMessage>, Fatal> {
        if let Some(line) = self.overlong.take() {
            let id = salvage_id(&line.head, &line.tail).ok_or(Fatal::Overlong)?;
            return Ok(Some(substitute(id, TOO_LARGE, format!("the answer has {} bytes", line.bytes))));
        }
        let decoded = decode(&self.line);
        let sane = !matches!(decoded, Line::Garbage) || self.observed.garbage(&self.line);
        self.line.clear();
        // One large answer must not keep its memory for the life of the connection.
        self.line.shrink_to(READ_BUFFER_BYTES);
        match decoded {
            Line::Message(message) => {
                self.observed.sane();
                Ok(Some(*message))
            }
            _ if sane => Ok(None),
            _ => Err(Fatal::Garbage),
        }
    }
}

impl<R, W> Transport<RoleClient> for Lines<R, W>
where
    R: AsyncRead + Send + Unpin,
    W: AsyncWrite + Send + Unpin + 'static,
{
    type Error = io::Error;

    fn send(&mut self, item: TxJsonRpcMessage<RoleClient>) -> impl Future<Output = io::Result<()>> + Send + 'static {
        let queued = self.outbox.push(&item);
        let outbox = self.outbox.clone();
        async move {
            queued?;
            outbox.flush().await
        }
    }

    async fn receive(&mut self) -> Option<RxJsonRpcMessage<RoleClient>> {
        while self.fill_line().await {
            match self.take_message() {
                Ok(Some(message)) => return Some(message),
                Ok(None) => {}
                Err(fatal) => {
                    self.observed.give_up(fatal);
                    return None;
                }
            }
        }
        None
    }

    async fn close(&mut self) -> io::Result<()> {
        self.outbox.close();
        Ok(())
    }
}

/// Bytes on their way to a server's stdin, and the stdin.
struct Outbox<W> {
    waiting: Mutex<Vec<u8>>,
    write: tokio::sync::Mutex<Option<W>>,
    broken: AtomicBool,
}

impl<W> Outbox<W> {
    fn new(write: W) -> Self {
        Self { waiting: Mutex::default(), write: tokio::sync::Mutex::new(Some(write)), broken: AtomicBool::new(false) }
    }

    fn push(&self, item: &impl serde::Serialize) -> io::Result<()> {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        if waiting.len() > BACKLOG_BYTES_MAX {
            return Err(io::Error::other("it does not read its stdin"));
        }
        let before = waiting.len();
        serde_json::to_writer(&mut *waiting, item).inspect_err(|_| waiting.truncate(before))?;
        waiting.push(b'\n');
        Ok(())
    }

    /// A write that a server blocks must not block the close as well: the pipe goes when the blocked future is dropped.
    fn close(&self) {
        if let Ok(mut write) = self.write.try_lock() {
            write.take();
        }
    }
}

impl<W: AsyncWrite + Unpin> Outbox<W> {
    /// Returns once everything that was waiting at the call has been written, by whomever.
    async fn flush(&self) -> io::Result<()> {
        let mut write = self.write.lock().await;
        let batch = std::mem::take(&mut *self.waiting.lock().unwrap_or_else(PoisonError::into_inner));
        if self.broken.load(Ordering::Relaxed) {
            return Err(io::ErrorKind::BrokenPipe.into());
        }
        let write = write.as_mut().ok_or(io::ErrorKind::NotConnected)?;
        let written = async {
            write.write_all(&batch).await?;
            write.flush().await
        };
        // Whoever finds its message gone with this batch must hear of it as well.
        written.await.inspect_err(|_| self.broken.store(true, Ordering::Relaxed))
    }
}
