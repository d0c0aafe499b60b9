//! The tool calls of one run: counted, bounded, started at once, delivered in the order in which they finish.
//!
//! A call's future is polled once right where the guest made the call, so that a request is on its way (or an answer
//! there) without a change of threads. If it is not done by then and is the only one under way, the guest's own thread
//! drives it while the guest waits: an answer then wakes that thread and no other, or finds it looking out ([`Spin`]). The host's runtime takes it over as
//! soon as the guest does anything else for long (another call, an epoch of computing, a wait that ended without it),
//! and drives all others from their start. Calls over `calls_in_flight` wait their turn in order, but for questions to the
//! sandbox and subscriptions, which stand open and hold none. Dropping [`Calls`] drops
//! every future, which cancels the calls.
//!
//! Bounded: number, arguments and answer of each, arguments waiting and answers waiting in all. Not bounded here: how
//! long a call may take (the host's own timeout, and the run's deadline).

use crate::clock::RunClock;
use crate::host::{CallError, GuestCall, ToolHost};
use crate::json;
use crate::sandbox::Ended;
use crate::spin::Spin;
use futures::FutureExt;
use futures::future::BoxFuture;
use model::{ErrorKind, Limits, Method, ProgramError};
use std::collections::{HashMap, VecDeque};
use std::future::poll_fn;
use std::panic::AssertUnwindSafe;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};
use tokio::runtime::Handle;
use tokio::sync::Semaphore;
use tokio::task::{AbortHandle, JoinSet};

/// Arguments of calls that have not ended, in all.
const WAITING_ARGUMENTS_BYTES: usize = 128 << 20;
/// Answers that the program has not taken yet, in all.
const WAITING_ANSWERS_BYTES: usize = 256 << 20;
/// The sandbox's own functions: no server's, so they belong to no wave.
const SANDBOX: &str = "tta";

/// Whether a call stands open until it is given up: it holds neither its wave open nor a turn, of which others are in need.
fn stands_open(tool: &str) -> bool {
    Method::of(tool) == Some(Method::Subscribe)
}

/// A finished call.
#[derive(Debug)]
pub(crate) struct Done {
    pub(crate) handle: u64,
    /// The value as JSON, or the error as JSON.
    pub(crate) answer: Result<String, String>,
}

/// A call as it came from the guest.
pub(crate) struct Asked {
    pub(crate) server: String,
    pub(crate) tool: String,
    pub(crate) arguments_json: String,
    pub(crate) line: Option<u32>,
}

/// Every call of one run.
pub(crate) struct Calls {
    host: Arc<dyn ToolHost>,
    runtime: Handle,
    clock: RunClock,
    made: u32,
    ready: VecDeque<Done>,
    /// The only call under way, driven by whoever waits.
    held: Option<Held>,
    spin: Spin,
    tasks: JoinSet<Done>,
    pending: HashMap<u64, Pending>,
    turns: Arc<Semaphore>,
    waiting: Arc<Waiting>,
    waves: Waves,
}

struct Held {
    handle: u64,
    future: BoxFuture<'static, Done>,
}

struct Pending {
    /// Absent where the call was done at once, or is held.
    task: Option<AbortHandle>,
    in_wave: bool,
}

/// Bytes held on behalf of the program.
#[derive(Debug, Default)]
struct Waiting {
    arguments: AtomicUsize,
    answers: AtomicUsize,
}

/// Which calls were under way together.
#[derive(Debug, Default)]
struct Waves {
    opened: u32,
    undelivered: u32,
}

impl Waves {
    /// The wave of a new call. Calls of the sandbox itself neither open one nor hold one open; what stands open opens one.
    fn join(&mut self, is_servers: bool, holds: bool) -> u32 {
        if is_servers && self.undelivered == 0 {
            self.opened += 1;
        }
        self.undelivered += u32::from(holds);
        self.opened.saturating_sub(1)
    }
}

impl Calls {
    pub(crate) fn new(host: Arc<dyn ToolHost>, runtime: Handle, clock: RunClock, limits: &Limits) -> Self {
        Self {
            host,
            runtime,
            clock,
            made: 0,
            ready: VecDeque::new(),
            held: None,
            spin: Spin::default(),
            tasks: JoinSet::new(),
            pending: HashMap::new(),
            turns: Arc::new(Semaphore::new(limits.calls_in_flight.clamp(1, Semaphore::MAX_PERMITS))),
            waiting: Arc::default(),
            waves: Waves::default(),
        }
    }

    pub(crate) fn host(&self) -> &Arc<dyn ToolHost> {
        &self.host
    }

    /// How long the guest's thread looked out for answers instead of sleeping.
    pub(crate) fn spun(&self) -> Duration {
        self.spin.spent()
    }

    pub(crate) fn clock(&self) -> &RunClock {
        &self.clock
    }

    /// Starts a call and returns its handle. What is wrong with it comes back as its answer, except for one call too
    /// many, which ends the run.
    pub(crate) fn start(&mut self, asked: Asked, limits: &Limits) -> Result<u64, Ended> {
        if self.made >= limits.calls {
            return Err(Ended::Calls);
        }
        let index = self.made;
        self.made += 1;
        let handle = u64::from(self.made);
        let is_servers = asked.server != SANDBOX;
        let in_wave = is_servers && !stands_open(&asked.tool);
        let wave = self.waves.join(is_servers, in_wave);
        let Asked { server, tool, arguments_json, line } = asked;
        self.pending.insert(handle, Pending { task: None, in_wave });
        if let Err(error) = check(&arguments_json, limits, &self.waiting) {
            self.ready.push_back(Done { handle, answer: Err(error_json(error, &server, &tool)) });
        } else {
            let clock = self.clock.clone();
            self.launch(handle, GuestCall { index, server, tool, arguments_json, line, wave, clock }, limits);
        }
        Ok(handle)
    }

    fn launch(&mut self, handle: u64, call: GuestCall, limits: &Limits) {
        let answer_bytes = limits.call_result_bytes;
        // A question to the sandbox may wait for what only another call brings about.
        let waits = call.server == SANDBOX || stands_open(&call.tool);
        let turns = (!waits).then(|| Arc::clone(&self.turns));
        let mut future = drive(Arc::clone(&self.host), call, turns, Arc::clone(&self.waiting), answer_bytes)
            .map(move |answer| Done { handle, answer })
            .boxed();
        match poll_on(&self.runtime, &mut future, &mut Context::from_waker(Waker::noop())) {
            Poll::Ready(done) => self.ready.push_back(done),
            Poll::Pending => {
                let alone = self.held.is_none() && self.tasks.is_empty();
                self.hand_over();
                self.held = Some(Held { handle, future });
                if !alone {
                    self.hand_over();
                }
            }
        }
    }

    /// Has the runtime drive the held call: the guest does not wait for it now.
    pub(crate) fn hand_over(&mut self) {
        let Some(Held { handle, future }) = self.held.take() else { return };
        let task = self.tasks.spawn_on(future, &self.runtime);
        if let Some(pending) = self.pending.get_mut(&handle) {
            pending.task = Some(task);
        }
    }

    /// Gives up on a call. Its answer is never delivered.
    pub(crate) fn cancel(&mut self, handle: u64) {
        let Some(pending) = self.pending.remove(&handle) else { return };
        self.held.take_if(|held| held.handle == handle);
        if let Some(task) = pending.task {
            task.abort();
        }
        self.waves.undelivered -= u32::from(pending.in_wave);
    }

    /// Everything that is done; waits for the first where nothing is. Empty when the time is over.
    pub(crate) async fn wait(&mut self, timeout: Option<Duration>) -> Result<Vec<Done>, Ended> {
        let deadline = timeout.map(|t| tokio::time::Instant::now() + t);
        loop {
            while let Some(joined) = self.tasks.try_join_next() {
                self.ready.extend(joined.ok());
            }
            let done = self.take_ready();
            if !done.is_empty() || timeout == Some(Duration::ZERO) {
                return Ok(done);
            }
            let idle = self.held.is_none() && self.tasks.is_empty();
            match deadline {
                None if idle => return Err(Ended::Deadlock),
                None => self.next().await,
                Some(deadline) if idle => {
                    tokio::time::sleep_until(deadline).await;
                    return Ok(Vec::new());
                }
                Some(deadline) => {
                    if tokio::time::timeout_at(deadline, self.next()).await.is_err() {
                        self.hand_over();
                        return Ok(Vec::new());
                    }
                }
            }
        }
    }

    /// Until one more call is done; there must be one under way.
    async fn next(&mut self) {
        let began = Instant::now();
        let until = self.spin.until(began);
        let done = poll_fn(|context| {
            while let Some(held) = &mut self.held {
                if let Poll::Ready(done) = poll_on(&self.runtime, &mut held.future, context) {
                    self.held = None;
                    self.spin.learn(began.elapsed());
                    return Poll::Ready(Some(done));
                }
                if !self.spin.goes_on(until) {
                    break;
                }
            }
            match self.tasks.poll_join_next(context) {
                Poll::Ready(Some(joined)) => Poll::Ready(joined.ok()),
                Poll::Ready(None) | Poll::Pending => Poll::Pending,
            }
        });
        let done = done.await;
        self.ready.extend(done);
    }

    /// Takes what is done, leaving out what was cancelled meanwhile.
    fn take_ready(&mut self) -> Vec<Done> {
        let mut taken = Vec::with_capacity(self.ready.len());
        for done in self.ready.drain(..) {
            if let Ok(answer) = &done.answer {
                self.waiting.answers.fetch_sub(answer.len(), Ordering::Relaxed);
            }
            if let Some(pending) = self.pending.remove(&done.handle) {
                self.waves.undelivered -= u32::from(pending.in_wave);
                taken.push(done);
            }
        }
        taken
    }

    /// Drops every future and waits until they are gone, so that the host has seen each call end when the run ends.
    pub(crate) async fn shutdown(&mut self) {
        self.held = None;
        self.tasks.shutdown().await;
    }
}

/// What must hold before a call is worth making.
fn check(arguments_json: &str, limits: &Limits, waiting: &Waiting) -> Result<(), ProgramError> {
    let bytes = arguments_json.len();
    if bytes > limits.arguments_bytes {
        let message = format!("the arguments are {bytes} bytes of JSON; a call may have {}", limits.arguments_bytes);
        return Err(ProgramError::new(ErrorKind::Arguments, message)
            .with_hint("Send the data in several calls, or let the tool read it from where it is."));
    }
    if json::nesting(arguments_json) > limits.nesting {
        let message = format!("the arguments nest deeper than {} levels", limits.nesting);
        return Err(ProgramError::new(ErrorKind::Arguments, message).with_hint("Flatten the arguments."));
    }
    if waiting.arguments.load(Ordering::Relaxed) + bytes > WAITING_ARGUMENTS_BYTES {
        let message = format!("calls under way already hold {} MiB of arguments", WAITING_ARGUMENTS_BYTES >> 20);
        return Err(ProgramError::new(ErrorKind::Arguments, message)
            .with_hint("Await the earlier calls before starting more, for instance in batches of 50."));
    }
    Ok(())
}

/// One call from waiting for its turn to its answer.
async fn drive(
    host: Arc<dyn ToolHost>,
    call: GuestCall,
    turns: Option<Arc<Semaphore>>,
    waiting: Arc<Waiting>,
    answer_bytes: usize,
) -> Result<String, String> {
    let bytes = call.arguments_json.len();
    waiting.arguments.fetch_add(bytes, Ordering::Relaxed);
    let _kept = KeptArguments { waiting: Arc::clone(&waiting), bytes };
    let _turn = match &turns {
        Some(turns) => Some(turns.acquire().await.expect("the semaphore of a run is never closed")),
        None => None,
    };
    let (server, tool) = (call.server.clone(), call.tool.clone());
    // `host.call` itself runs inside the future, so that its panics are caught too.
    let answered = AssertUnwindSafe(async move { host.call(call).await }).catch_unwind().await;
    match answered {
        Ok(Ok(value)) => match admit(&waiting, value.len(), answer_bytes) {
            Ok(()) => Ok(value),
            Err(error) => Err(error_json(error, &server, &tool)),
        },
        Ok(Err(error)) => Err(to_json(&error)),
        Err(_panic) => Err(error_json(panicked(), &server, &tool)),
    }
}

/// Counts an answer in, or says why it cannot be kept.
fn admit(waiting: &Waiting, bytes: usize, answer_bytes: usize) -> Result<(), ProgramError> {
    if bytes > answer_bytes {
        let message = format!("the answer is {bytes} bytes; a program can take {answer_bytes}");
        return Err(
            ProgramError::new(ErrorKind::Output, message).with_hint("Ask the tool for less, or for a part at a time.")
        );
    }
    if waiting.answers.fetch_add(bytes, Ordering::Relaxed) + bytes > WAITING_ANSWERS_BYTES {
        waiting.answers.fetch_sub(bytes, Ordering::Relaxed);
        let message = format!("answers that wait for the program exceed {} MiB", WAITING_ANSWERS_BYTES >> 20);
        return Err(ProgramError::new(ErrorKind::Output, message)
            .with_hint("Start fewer calls at once and use each answer before asking for more."));
    }
    Ok(())
}

/// Argument bytes held until the call is over or dropped.
struct KeptArguments {
    waiting: Arc<Waiting>,
    bytes: usize,
}

impl Drop for KeptArguments {
    fn drop(&mut self) {
        self.waiting.arguments.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}

/// Polls as if on the host's runtime: what the future spawns, or waits for with a timer, lives there.
fn poll_on(runtime: &Handle, future: &mut BoxFuture<'static, Done>, context: &mut Context<'_>) -> Poll<Done> {
    let _entered = runtime.enter();
    // Without the exemption a burst of calls would use up the budget of the guest's task and every later one would
    // report to be pending.
    pin!(tokio::task::unconstrained(future)).poll(context)
}

fn panicked() -> ProgramError {
    ProgramError::new(ErrorKind::Fault, "the sandbox failed while it made this call")
        .with_hint("This is a fault of the daemon, not of the program; its log has the details.")
}

fn error_json(error: ProgramError, server: &str, tool: &str) -> String {
    to_json(&CallError { error, server: server.to_owned(), tool: tool.to_owned() })
}

fn to_json(error: &CallError) -> String {
    serde_json::to_string(error).expect("strings and numbers are always JSON")
}
