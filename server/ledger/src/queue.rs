//! The way from the callers to the worker: bounded, and never a wait for a caller.
//!
//! Three steps of giving way, none of which loses a run. Within the bounds a job keeps its texts. Over them its texts are
//! dropped and it keeps their sizes, from which the worker estimates. Over [`SHED_FACTOR`] times the bound on runs only
//! the number of runs and calls is kept, and nothing of searches and direct calls. What the worker has taken still counts
//! against the bounds until it is settled.
//!
//! Waking a sleeping thread costs its waker more than all else here, and a transaction more than the few rows in it. So the
//! worker naps after its work, and again after something woke it: while it does, callers leave their jobs without a word, and
//! only one who waits for a count wakes it ([`Queue::hurry`]), or a queue that fills.

use crate::facts::{CallFacts, RunFacts};
use model::{ConversationId, RunId, ToolDefinition};
use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Jobs without texts that may wait, as a multiple of those with texts.
const SHED_FACTOR: usize = 16;
/// How long the worker naps: the least time between two transactions where nobody waits for a count, when little comes and
/// when much does.
const NAP: Duration = Duration::from_millis(40);
const LONG_NAP: Duration = Duration::from_millis(250);
/// Runs and calls since the last nap from which on that is much.
const MUCH: usize = 16;

/// Something to count. A text that is empty though its size is not was dropped, and is estimated.
#[derive(Debug)]
pub(crate) enum Job {
    Run { facts: Box<RunFacts>, code_bytes: u64, reply_bytes: u64 },
    Direct { at_ms: u64, call: Box<CallFacts> },
    Discovery { conversation: ConversationId, at_ms: u64, arguments: Text, result: Text },
}

/// A text with its size.
#[derive(Debug)]
pub(crate) struct Text {
    pub(crate) text: Arc<str>,
    pub(crate) bytes: u64,
}

impl From<Arc<str>> for Text {
    fn from(text: Arc<str>) -> Self {
        Self { bytes: text.len() as u64, text }
    }
}

/// A job and its place in the bounds.
#[derive(Debug)]
pub(crate) struct Queued {
    pub(crate) job: Job,
    pub(crate) ticket: Ticket,
}

/// What is given back when a job is settled.
#[derive(Debug)]
pub(crate) struct Ticket {
    weight: Weight,
    run: Option<RunId>,
}

#[derive(Clone, Copy, Debug)]
enum Weight {
    Texts(usize),
    Shed,
}

/// What came in since the worker last asked.
#[derive(Debug, Default)]
pub(crate) struct Arrived {
    pub(crate) jobs: VecDeque<Queued>,
    pub(crate) definitions: HashMap<String, Arc<[ToolDefinition]>>,
    /// Servers whose definitions someone asked the cost of.
    pub(crate) wanted: HashSet<String>,
    /// Runs and calls of which only the number was kept.
    pub(crate) beyond: (u64, u64),
    /// Another process may have written to the database.
    pub(crate) look: bool,
}

impl Arrived {
    fn is_empty(&self) -> bool {
        self.is_idle() && !self.look
    }

    /// Nothing came but, perhaps, a look.
    pub(crate) fn is_idle(&self) -> bool {
        self.jobs.is_empty() && self.definitions.is_empty() && self.wanted.is_empty() && self.beyond.0 == 0
    }
}

#[expect(clippy::struct_excessive_bools, reason = "each is true and false by itself")]
#[derive(Debug, Default)]
struct State {
    arrived: Arrived,
    pending: HashSet<RunId>,
    outstanding: usize,
    /// Definitions that the worker has taken but not yet dealt with.
    admitting: usize,
    with_texts: usize,
    text_bytes: usize,
    napping: bool,
    /// Someone waits for what was handed in.
    hurried: bool,
    /// Runs and calls that came since the last nap.
    lately: usize,
    closed: bool,
    abandoned: bool,
}

/// The queue; shared by the callers and the worker.
#[derive(Debug)]
pub(crate) struct Queue {
    state: Mutex<State>,
    wake: Condvar,
    max_jobs: usize,
    max_bytes: usize,
    nothing: Arc<str>,
}

impl Queue {
    pub(crate) fn new(max_jobs: usize, max_bytes: usize) -> Self {
        Self { state: Mutex::default(), wake: Condvar::new(), max_jobs, max_bytes, nothing: "".into() }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Hands a job in. The texts of a job that is over the bounds are dropped after the lock is released.
    pub(crate) fn push(&self, mut job: Job) {
        let bytes = job.text_bytes();
        let mut state = self.lock();
        if state.abandoned {
            return;
        }
        let fits = state.with_texts < self.max_jobs && state.text_bytes.saturating_add(bytes) <= self.max_bytes;
        let weight = if fits { Weight::Texts(bytes) } else { Weight::Shed };
        let dropped = match weight {
            Weight::Texts(_) => {
                state.with_texts += 1;
                state.text_bytes += bytes;
                Vec::new()
            }
            Weight::Shed if state.outstanding - state.with_texts >= SHED_FACTOR * self.max_jobs.max(1) => {
                if let Job::Run { facts, .. } = &job {
                    state.arrived.beyond.0 += 1;
                    state.arrived.beyond.1 += facts.calls.len() as u64;
                }
                self.wake(&state);
                return;
            }
            Weight::Shed => job.shed(&self.nothing),
        };
        let run = if let Job::Run { facts, .. } = &job { Some(facts.run_id.clone()) } else { None };
        state.pending.extend(run.clone());
        state.outstanding += 1;
        state.lately += 1 + job.calls();
        state.arrived.jobs.push_back(Queued { job, ticket: Ticket { weight, run } });
        self.wake(&state);
        drop(state);
        drop(dropped);
    }

    /// Wakes the worker, unless it wakes by itself in a moment.
    fn wake(&self, state: &State) {
        if !state.napping || self.is_filling(state) {
            self.wake.notify_one();
        }
    }

    /// Whether the worker must not nap on.
    fn is_filling(&self, state: &State) -> bool {
        state.text_bytes >= self.max_bytes / 8 || state.outstanding >= self.max_jobs / 2
    }

    /// Someone waits for a count: the worker's nap ends.
    pub(crate) fn hurry(&self) {
        self.lock().hurried = true;
        self.wake.notify_one();
    }

    /// The newest definitions of a server replace older ones that still wait.
    pub(crate) fn define(&self, server: &str, tools: Arc<[ToolDefinition]>) {
        let mut state = self.lock();
        state.arrived.definitions.insert(server.to_owned(), tools);
        self.wake(&state);
    }

    /// Asks for a server's definitions to be counted.
    pub(crate) fn want(&self, server: &str) {
        let mut state = self.lock();
        state.arrived.wanted.insert(server.to_owned());
        self.wake(&state);
    }

    /// Asks for a look at what other processes wrote.
    pub(crate) fn look(&self) {
        let mut state = self.lock();
        state.arrived.look = true;
        self.wake(&state);
    }

    /// The worker is gone: nobody waits for it, and nothing more is taken.
    pub(crate) fn abandon(&self) {
        let mut state = self.lock();
        *state = State { abandoned: true, closed: true, ..State::default() };
    }

    /// No more will come.
    pub(crate) fn close(&self) {
        self.lock().closed = true;
        self.wake.notify_one();
    }

    /// What came in. With `wait` it waits for something, for so long at most; `None` once closed and empty.
    pub(crate) fn take(&self, wait: bool, at_most: Option<Duration>) -> Option<Arrived> {
        let mut state = self.lock();
        if wait {
            let until = at_most.map(|time| Instant::now() + time);
            state = self.nap(state);
            while state.arrived.is_empty() && !state.closed {
                let left = until.map_or(Duration::MAX, |until| until.saturating_duration_since(Instant::now()));
                if left.is_zero() {
                    break;
                }
                state = self.wake.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
                state = self.nap(state);
            }
            if state.arrived.is_empty() && state.closed {
                return None;
            }
        }
        state.hurried = false;
        state.admitting = state.arrived.definitions.len() + state.arrived.wanted.len();
        Some(std::mem::take(&mut state.arrived))
    }

    fn nap<'a>(&'a self, mut state: MutexGuard<'a, State>) -> MutexGuard<'a, State> {
        state.napping = true;
        let rests = |state: &mut State| !state.hurried && !state.closed && !self.is_filling(state);
        let long = if std::mem::take(&mut state.lately) >= MUCH { LONG_NAP } else { NAP };
        let napped = self.wake.wait_timeout_while(state, long, rests);
        let (mut state, _) = napped.unwrap_or_else(PoisonError::into_inner);
        state.napping = false;
        state
    }

    /// The definitions of the last [`Queue::take`] are dealt with.
    pub(crate) fn admitted(&self) {
        self.lock().admitting = 0;
    }

    /// The jobs with these tickets are settled.
    pub(crate) fn settled(&self, tickets: &[Ticket]) {
        let mut state = self.lock();
        for ticket in tickets {
            state.outstanding -= 1;
            if let Weight::Texts(bytes) = ticket.weight {
                state.with_texts -= 1;
                state.text_bytes -= bytes;
            }
            if let Some(run) = &ticket.run {
                state.pending.remove(run);
            }
        }
    }

    /// Whether nothing has come in since the worker last asked.
    pub(crate) fn is_empty(&self) -> bool {
        let state = self.lock();
        state.arrived.is_empty() && !state.closed
    }

    /// Runs not yet settled.
    pub(crate) fn pending(&self) -> usize {
        self.lock().pending.len()
    }

    /// Whether a run is not yet settled.
    pub(crate) fn is_pending(&self, run: &RunId) -> bool {
        self.lock().pending.contains(run)
    }

    /// Jobs of every kind not yet settled, and definitions not yet dealt with.
    pub(crate) fn outstanding(&self) -> usize {
        let state = self.lock();
        state.outstanding + state.admitting + state.arrived.definitions.len() + state.arrived.wanted.len()
    }
}

impl Job {
    pub(crate) fn text_bytes(&self) -> usize {
        match self {
            Self::Run { facts, .. } => facts.text_bytes(),
            Self::Direct { call, .. } => call.text_bytes(),
            Self::Discovery { arguments, result, .. } => arguments.text.len() + result.text.len(),
        }
    }

    fn calls(&self) -> usize {
        if let Self::Run { facts, .. } = self { facts.calls.len() } else { 0 }
    }

    /// Drops every text and keeps its size. Returns the texts, so that the caller chooses where they are freed.
    fn shed(&mut self, nothing: &Arc<str>) -> Vec<Arc<str>> {
        let mut texts = Vec::new();
        let mut empty = |text: &mut Arc<str>| {
            let bytes = text.len() as u64;
            texts.push(std::mem::replace(text, nothing.clone()));
            bytes
        };
        let mut shed_call = |call: &mut CallFacts| {
            call.record.argument_bytes = empty(&mut call.arguments_json);
            call.record.result_bytes = empty(&mut call.result_text);
        };
        match self {
            Self::Run { facts, .. } => {
                facts.calls.iter_mut().for_each(&mut shed_call);
                empty(&mut facts.code_arguments);
                empty(&mut facts.reply_text);
            }
            Self::Direct { call, .. } => shed_call(call),
            Self::Discovery { arguments, result, .. } => {
                empty(&mut arguments.text);
                empty(&mut result.text);
            }
        }
        texts
    }
}
