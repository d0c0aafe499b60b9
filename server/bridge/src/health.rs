//! How well a server does over its lives: what makes it degraded, and what puts it into quarantine.
//!
//! A crash is the end of a process that nobody asked for, or a start that came to nothing after a process ran. Too many
//! in a short time, and the server is not started again until a person restarts it: a program that calls in a loop would
//! start processes in a loop. Other processes of the same workspace are told by a mark, a small file: they do not start it
//! either, and whoever takes the mark away frees it for all. A server that is configured anew has no past.

use crate::error::Error;
use crate::{BridgeEvent, Shared};
use model::{ServerSpec, ServerState, names};
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;
use std::fs;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::time::Instant;

/// Crashes count together for this long.
pub(crate) const WINDOW: Duration = Duration::from_mins(3);
/// After so many calls in a row without an answer a server is degraded.
const UNANSWERED_MAX: u32 = 3;
/// Characters of the last crash that a quarantine's error quotes.
const CAUSE_CHARS: usize = 300;
/// Bytes of a mark.
const MARK_BYTES_MAX: u64 = 16 << 10;

/// The health of one configured server.
pub(crate) struct Health {
    server: String,
    mark: Option<PathBuf>,
    content_hash: String,
    shared: Arc<Shared>,
    record: Mutex<Record>,
}

#[derive(Default)]
struct Record {
    crashes: VecDeque<Instant>,
    quarantine: Option<Quarantine>,
    unanswered: u32,
    trouble: Option<Error>,
}

struct Quarantine {
    error: Error,
    /// Its mark was written or found, so that its absence means something.
    is_marked: bool,
}

/// Whether a server is in quarantine.
pub(crate) enum Quarantined {
    Not,
    /// It was until now: another process has let it out.
    LetOut,
    Held(Error),
}

/// What other processes are told.
#[derive(Serialize, Deserialize)]
struct Mark {
    server: String,
    content_hash: String,
    crashes: usize,
    cause: String,
}

impl Health {
    /// The health of a server that has not been started here. It may be in quarantine all the same.
    pub(crate) fn new(spec: &ServerSpec, shared: &Arc<Shared>) -> Self {
        let folder = shared.options.quarantine_dir.as_ref();
        let this = Self {
            server: spec.name.clone(),
            mark: folder.map(|dir| dir.join(names::identifier(&spec.name)).with_extension("json")),
            content_hash: spec.content_hash.clone(),
            shared: shared.clone(),
            record: Mutex::default(),
        };
        if let Some(mark) = this.read_mark() {
            let error = this.error(mark.crashes, mark.cause);
            this.record().quarantine = Some(Quarantine { error: error.clone(), is_marked: true });
            this.tell(ServerState::Quarantined, Some(&error));
        }
        this
    }

    /// Counts a crash. Returns what the server is now, and why.
    pub(crate) fn crashed(&self, error: &Error) -> (ServerState, Error) {
        let mut record = self.record();
        let now = Instant::now();
        (record.unanswered, record.trouble) = (0, None);
        record.crashes.push_back(now);
        while record.crashes.front().is_some_and(|&first| now.duration_since(first) > WINDOW) {
            record.crashes.pop_front();
        }
        let crashes = record.crashes.len();
        if crashes < self.shared.options.crashes {
            return (ServerState::Failed, error.clone());
        }
        let cause = cut(&error.to_string());
        let is_marked = self.write_mark(crashes, &cause);
        let error = self.error(crashes, cause);
        record.quarantine = Some(Quarantine { error: error.clone(), is_marked });
        (ServerState::Quarantined, error)
    }

    /// Whether it may be started.
    pub(crate) fn quarantine(&self) -> Quarantined {
        let mut record = self.record();
        match &record.quarantine {
            None => Quarantined::Not,
            Some(held) if !held.is_marked || self.read_mark().is_some() => Quarantined::Held(held.error.clone()),
            Some(_) => {
                *record = Record::default();
                Quarantined::LetOut
            }
        }
    }

    /// A person wants it: its past is forgotten, here and elsewhere. True where it was in quarantine.
    pub(crate) fn forgive(&self) -> bool {
        let was_quarantined = std::mem::take(&mut *self.record()).quarantine.is_some();
        if let Some(mark) = self.mark.as_ref().filter(|_| was_quarantined)
            && let Err(error) = fs::remove_file(mark)
        {
            tracing::debug!(server = self.server, %error, "its mark of quarantine was gone already");
        }
        was_quarantined
    }

    /// Why it is degraded, where it is.
    pub(crate) fn trouble(&self) -> Option<Error> {
        self.record().trouble.clone()
    }

    /// A call was answered, by whatever.
    pub(crate) fn answered(&self) {
        let mut record = self.record();
        record.unanswered = 0;
        if record.trouble.take().is_some() {
            drop(record);
            self.tell(ServerState::Ready, None);
        }
    }

    /// A call was not answered. True where it is time to look whether the server lives.
    pub(crate) fn unanswered(&self, error: &Error) -> bool {
        let mut record = self.record();
        record.unanswered += 1;
        if !record.unanswered.is_multiple_of(UNANSWERED_MAX) {
            return false;
        }
        let is_new = record.trouble.replace(error.clone()).is_none();
        drop(record);
        if is_new {
            self.tell(ServerState::Degraded, Some(error));
        }
        true
    }

    fn error(&self, crashes: usize, cause: String) -> Error {
        Error::Quarantined { server: self.server.clone(), crashes, cause }
    }

    fn read_mark(&self) -> Option<Mark> {
        let path = self.mark.as_ref()?;
        let is_small = fs::metadata(path).is_ok_and(|file| file.is_file() && file.len() <= MARK_BYTES_MAX);
        let mark: Mark = serde_json::from_slice(&fs::read(path).ok().filter(|_| is_small)?).ok()?;
        (mark.server == self.server && mark.content_hash == self.content_hash).then_some(mark)
    }

    /// Without a mark the quarantine is this process's alone.
    fn write_mark(&self, crashes: usize, cause: &str) -> bool {
        let Some(path) = &self.mark else { return false };
        let (server, content_hash) = (self.server.clone(), self.content_hash.clone());
        let mark = Mark { server, content_hash, crashes, cause: cause.to_owned() };
        let write = || {
            fs::create_dir_all(path.parent().expect("it lies in a folder"))?;
            fs::write(path, serde_json::to_vec(&mark)?)
        };
        write().inspect_err(|error| tracing::warn!(server = self.server, %error, "no mark of quarantine")).is_ok()
    }

    fn tell(&self, state: ServerState, error: Option<&Error>) {
        let error = error.map(ToString::to_string);
        (self.shared.events)(BridgeEvent::State { server: self.server.clone(), state, error });
    }

    fn record(&self) -> MutexGuard<'_, Record> {
        self.record.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn cut(text: &str) -> String {
    match text.char_indices().nth(CAUSE_CHARS) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text.to_owned(),
    }
}
