//! The engine: guests loaded once, a bounded number of live runs, threads of its own for programs.
//!
//! Invariants: a run has a store and an instance of its own, used once; a program never runs on the host's threads; there
//! are never more live runs than slots, nor more waiting ones than may wait. Leaves out: what a call does (`ToolHost`),
//! and what becomes of a large result (the embedder).

use crate::artifact;
use crate::ending;
use crate::error::Error;
use crate::guests::GuestFile;
use crate::host::ToolHost;
use crate::json;
use crate::outcome::{Outcome, Program};
use crate::platform::{self, Clock, ClockHold};
use crate::run::{Instance, Job, milliseconds};
use crate::sandbox::{self, Ended, Sandbox, bindings};
use crate::script;
use model::{ErrorKind, Language, Limits, ProgramError};
use serde_json::value::RawValue;
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Instant;
use tokio::sync::{OnceCell, OwnedSemaphorePermit, Semaphore, oneshot};
use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;

/// Instances of each guest kept ready, so that a run does not wait for one to be made.
const READY: usize = 2;

/// How an engine is set up.
#[derive(Clone, Debug)]
pub struct Options {
    /// The folder of the built guests; looked for beside the executable where absent.
    pub guests_dir: Option<PathBuf>,
    /// Where compiled guests are kept, in a private folder of its own.
    pub cache_dir: PathBuf,
    /// Runs that may be live at once.
    pub slots: usize,
    /// Runs that may wait for a slot; one more is refused as busy.
    pub waiting: usize,
    /// Threads that programs run on.
    pub threads: usize,
    /// The runtime that drives tool calls.
    pub host_runtime: tokio::runtime::Handle,
}

impl Options {
    /// 64 live runs, 256 waiting ones, a thread for each core.
    pub fn new(cache_dir: PathBuf, host_runtime: tokio::runtime::Handle) -> Self {
        let threads = std::thread::available_parallelism().map_or(2, usize::from);
        Self { guests_dir: None, cache_dir, slots: 64, waiting: 256, threads, host_runtime }
    }
}

type Progress = Box<dyn Fn(&str) + Send + Sync>;

/// Runs programs. Clones share everything.
#[derive(Clone)]
pub struct Engine {
    shared: Arc<Shared>,
}

struct Shared {
    options: Options,
    wasm: wasmtime::Engine,
    clock: Clock,
    /// The programs' own threads. Taken out when the engine is dropped, which may happen on any thread.
    runtime: Option<tokio::runtime::Runtime>,
    python: OnceCell<Arc<Guest>>,
    javascript: OnceCell<Arc<Guest>>,
    slots: Arc<Semaphore>,
    waiting: AtomicUsize,
    progress: OnceLock<Progress>,
}

/// A loaded guest.
struct Guest {
    pre: bindings::GuestPre<Sandbox>,
    ready: Mutex<Vec<Instance>>,
}

impl Engine {
    /// An engine that has loaded no guest yet.
    pub fn new(options: Options) -> Result<Self, Error> {
        let slots = options.slots.clamp(1, 4096);
        let instances = u32::try_from(slots + 2 * (READY + slots.min(8))).expect("at most a few thousand");
        let wasm = platform::engine(instances)?;
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(options.threads.max(1))
            .thread_name("tta-guest")
            // A program holds its thread for a whole epoch; looking for timers and for programs that just arrived only
            // every 61st time, as is usual, would delay both by most of a second.
            .event_interval(1)
            .global_queue_interval(1)
            .enable_time()
            .build()
            .map_err(|e| Error::Platform(e.to_string()))?;
        let clock = Clock::start(&wasm)?;
        Ok(Self {
            shared: Arc::new(Shared {
                wasm,
                clock,
                runtime: Some(runtime),
                python: OnceCell::new(),
                javascript: OnceCell::new(),
                slots: Arc::new(Semaphore::new(slots)),
                waiting: AtomicUsize::new(0),
                progress: OnceLock::new(),
                options,
            }),
        })
    }

    /// Has `report` told before anything that takes seconds: the first compilation of a guest. The first one set stays.
    pub fn on_progress(&self, report: impl Fn(&str) + Send + Sync + 'static) {
        let _ = self.shared.progress.set(Box::new(report));
    }

    /// Compiles a guest where that was never done, loads it, and makes instances ready.
    pub async fn warm(&self, language: Language) -> Result<(), Error> {
        let guest = self.shared.guest(language).await?;
        let shared = Arc::clone(&self.shared);
        let filled = self.shared.runtime().spawn(async move { shared.fill(&guest).await });
        filled.await.map_err(|e| Error::Platform(e.to_string()))
    }

    /// Runs being executed now.
    pub fn live(&self) -> usize {
        self.shared.clock.live()
    }

    /// Runs that wait for a slot now.
    pub fn waiting(&self) -> usize {
        self.shared.waiting.load(Ordering::Relaxed).min(self.shared.options.waiting)
    }

    /// Runs a program to its end. Whatever happens to it is an outcome. Dropping the future cancels the run.
    pub async fn run(
        &self,
        program: Program,
        limits: Limits,
        host: Arc<dyn ToolHost>,
        cancel: CancellationToken,
    ) -> Outcome {
        let submitted = Instant::now();
        let mut outcome = match self.shared.run(program, limits, host, cancel).await {
            Ok(outcome) => outcome,
            Err(error) => Outcome::refused(error),
        };
        outcome.usage.wall_ms = milliseconds(submitted.elapsed());
        outcome
    }
}

impl std::fmt::Debug for Engine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Engine")
            .field("options", &self.shared.options)
            .field("live", &self.live())
            .finish_non_exhaustive()
    }
}

impl Shared {
    /// The error is of a run that never started.
    async fn run(
        self: &Arc<Self>,
        program: Program,
        limits: Limits,
        host: Arc<dyn ToolHost>,
        cancel: CancellationToken,
    ) -> Result<Outcome, ProgramError> {
        let context_json = context(&program, &limits)?;
        let admitted = cancel.run_until_cancelled(async {
            let lease = self.admit().await?;
            let guest = self.guest(program.language).await.map_err(|e| unusable(&e))?;
            Ok((lease, guest))
        });
        let (lease, guest) = admitted.await.unwrap_or_else(|| Err(ending::ended(Ended::Cancelled, &limits)))?;
        let (send, receive) = oneshot::channel();
        let shared = Arc::clone(self);
        let task = AbortOnDropHandle::new(self.runtime().spawn(async move {
            let host_runtime = shared.options.host_runtime.clone();
            let job = |prepared| Job { prepared, context_json, limits, host, host_runtime, cancel };
            let (outcome, instance) = match script::prepare(&program.code, program.language, &program.name) {
                Ok(prepared) => guest.run(job(prepared)).await,
                Err(error) => (Err(error), None),
            };
            drop(lease.live);
            // Whoever waits need not wait for the instance's memory to be given back. One that is gone wants no outcome.
            let _ = send.send(outcome);
            drop(instance);
            drop(lease.slot);
            shared.fill(&guest).await;
        }));
        match receive.await {
            Ok(outcome) => {
                task.detach();
                outcome
            }
            Err(_panicked) => Err(ProgramError::new(ErrorKind::Fault, "the engine failed while it ran this program")),
        }
    }

    /// Waits for a slot, if there is room to wait.
    async fn admit(self: &Arc<Self>) -> Result<Lease, ProgramError> {
        let slots = Arc::clone(&self.slots);
        let permit = match Arc::clone(&slots).try_acquire_owned() {
            Ok(permit) => permit,
            Err(_all_taken) => {
                let _place = self.queue()?;
                slots.acquire_owned().await.expect("the slots are never closed")
            }
        };
        Ok(Lease { live: self.clock.hold(), slot: permit })
    }

    fn queue(&self) -> Result<Place<'_>, ProgramError> {
        let place = Place(&self.waiting);
        if self.waiting.fetch_add(1, Ordering::Relaxed) < self.options.waiting {
            return Ok(place);
        }
        let message = format!("{} programs are running and {} wait", self.options.slots, self.options.waiting);
        Err(ProgramError::new(ErrorKind::Busy, message).with_hint("Try again when some of them have ended."))
    }

    /// The guest of a language, loaded on first use.
    async fn guest(self: &Arc<Self>, language: Language) -> Result<Arc<Guest>, Error> {
        let cell = match language {
            Language::Python => &self.python,
            Language::TypeScript | Language::JavaScript => &self.javascript,
        };
        let load = async || {
            let shared = Arc::clone(self);
            let loading = self.options.host_runtime.spawn_blocking(move || shared.load(language));
            loading.await.unwrap_or_else(|e| Err(Error::Platform(e.to_string())))
        };
        cell.get_or_try_init(load).await.cloned()
    }

    fn load(&self, language: Language) -> Result<Arc<Guest>, Error> {
        let file = GuestFile::find(language, self.options.guests_dir.as_deref())?;
        let progress = |text: &str| {
            tracing::info!("{text}");
            if let Some(report) = self.progress.get() {
                report(text);
            }
        };
        let component = artifact::load(&self.wasm, &file, &self.options.cache_dir, &progress)?;
        let link = || bindings::GuestPre::new(sandbox::linker(&self.wasm)?.instantiate_pre(&component)?);
        let pre = link().map_err(|e| Error::GuestRefused { language, problem: format!("{e:#}") })?;
        Ok(Arc::new(Guest { pre, ready: Mutex::default() }))
    }

    /// Makes instances ready for the next runs. Two fills at once make one instance too many, which is dropped.
    async fn fill(&self, guest: &Guest) {
        while guest.shelf().len() < READY {
            match Instance::new(&guest.pre).await {
                Ok(instance) => guest.put(instance),
                // The next run meets the same error, and reports it.
                Err(error) => return tracing::debug!("no instance made ready: {error:#}"),
            }
        }
    }

    fn runtime(&self) -> &tokio::runtime::Runtime {
        self.runtime.as_ref().expect("it is taken out only when the engine is dropped")
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

impl Guest {
    /// Runs the job in an instance made ready, or in one made now.
    async fn run(&self, job: Job) -> (Result<Outcome, ProgramError>, Option<Instance>) {
        let ready = self.shelf().pop();
        let instance = match ready {
            Some(instance) => Ok(instance),
            None => Instance::new(&self.pre).await,
        };
        match instance {
            Ok(mut instance) => (Ok(instance.run(job).await), Some(instance)),
            Err(error) => {
                (Err(ProgramError::new(ErrorKind::Fault, format!("no instance could be made: {error:#}"))), None)
            }
        }
    }

    fn put(&self, instance: Instance) {
        let mut ready = self.shelf();
        if ready.len() < READY {
            ready.push(instance);
        }
    }

    fn shelf(&self) -> std::sync::MutexGuard<'_, Vec<Instance>> {
        self.ready.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What a live run holds: the clock until it ends, its slot until its memory is given back.
struct Lease {
    live: ClockHold,
    slot: OwnedSemaphorePermit,
}

/// A place in the queue for a slot.
struct Place<'a>(&'a AtomicUsize);

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// The guest's second argument, once source and input are within the limits.
fn context(program: &Program, limits: &Limits) -> Result<String, ProgramError> {
    let bytes = program.code.len();
    if bytes > limits.code_bytes {
        let message = format!("the program is {bytes} bytes long; at most {} are run", limits.code_bytes);
        return Err(
            ProgramError::new(ErrorKind::Syntax, message).with_hint("Pass data as `input`, not inside the program.")
        );
    }
    let bytes = program.input_json.len();
    if bytes > limits.input_bytes {
        let message = format!("the input is {bytes} bytes of JSON; a program may have {}", limits.input_bytes);
        return Err(
            ProgramError::new(ErrorKind::Arguments, message).with_hint("Let the program fetch the data with a tool.")
        );
    }
    if json::nesting(&program.input_json) > limits.nesting {
        let message = format!("the input nests deeper than {} levels", limits.nesting);
        return Err(ProgramError::new(ErrorKind::Arguments, message).with_hint("Flatten the input."));
    }
    let input: &RawValue = serde_json::from_str(&program.input_json)
        .map_err(|e| ProgramError::new(ErrorKind::Arguments, format!("the input is not JSON: {e}")))?;
    let name = serde_json::Value::from(program.name.as_str());
    Ok(format!(r#"{{"name":{name},"input":{input}}}"#))
}

fn unusable(error: &Error) -> ProgramError {
    tracing::error!("{error}");
    ProgramError::new(ErrorKind::Fault, error.to_string())
}
