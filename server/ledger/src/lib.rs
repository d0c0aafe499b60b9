//! The ledger: what every run cost in tokens, what calling its tools directly would have cost, and the difference.
//!
//! A run is handed in with its texts and costs the caller microseconds; one thread counts and stores it afterwards
//! (`worker.rs`). `formula.rs` is the formula, `receipt.rs` what is put into it and why, `count.rs` and `split.rs` the
//! guarded tokenizer, `queue.rs` the bounds, `store.rs` what survives a killed process.
//!
//! Invariants: each call of a run is charged once, each discovery exchange to one run; a run that failed costs and
//! credits nothing; a figure says whether it is measured, computed or estimated; no content is stored.

#![forbid(unsafe_code)]

mod advice;
mod band;
mod cells;
mod conversation;
mod count;
mod csv;
mod definitions;
mod error;
mod explain;
mod export;
mod facts;
mod formula;
mod histogram;
mod import;
mod integrity;
mod keeper;
mod keys;
mod labels;
mod lines;
mod pieces;
mod prices;
mod queue;
mod reader;
mod rebuild;
mod receipt;
mod render;
mod report;
mod retention;
mod rollup;
mod rows;
mod salvage;
mod schema;
mod shared;
mod sheet;
mod split;
mod store;
mod sums;
mod table;
mod text;
mod totals;
mod unwritten;
mod why;
mod worker;

pub use count::Encoding;
pub use error::Error;
pub use facts::{CallFacts, Found, LABEL_CHARS, RunFacts, TAG_CHARS, TAGS_MAX, UNKNOWN};
pub use formula::TURNS_MAX;
pub use prices::{CONTEXT_TOKENS, DEFAULT_MODEL, context_tokens, dollars, price, prices};
pub use receipt::MEDIA_TOKENS;
pub use render::{render, shared};

use crate::queue::{Job, Queue};
use crate::shared::{Receipt, Shared};
use model::explain::Explanation;
use model::ledger::{ExportFormat, Imported, LedgerPart};
use model::reply::RunSummary;
use model::report::{CallRow, ConversationReport, Price, ReportRequest, SavingsReport};
use model::{ConversationId, RunId, SavingsSummary, ToolDefinition};
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// How long [`Ledger::flush`] counts before it estimates the rest, and how long it then waits for the database.
const FLUSH: Duration = Duration::from_secs(2);

/// How a ledger is set up.
#[derive(Clone, Debug)]
pub struct Options {
    /// The database; made, with its folder, where it is absent.
    pub path: PathBuf,
    /// The most tokens of one tool's answer that a host lets into the context; `u64::MAX` for no cap.
    pub host_result_cap_tokens: u64,
    /// The model's context window: no prompt of either side is counted larger.
    pub context_tokens: u64,
    /// What to count in.
    pub encoding: Encoding,
    /// The sandbox's own tool definitions as they stand in a prompt: a JSON array with `run_code` and `search_tools`.
    pub own_definitions: Arc<str>,
    /// How long runs and calls are kept; sums stay.
    pub keep: Duration,
    /// How long sums by the hour are kept; those by the day stay.
    pub keep_hours: Duration,
    /// Bytes of the database above which the oldest runs and calls go; the newest 1,000 stay.
    pub keep_bytes: u64,
    /// Runs, calls and searches that may wait with their texts; of those over it only the sizes are kept.
    pub queue_runs: usize,
    /// Bytes of text that may wait; of what is over it only the sizes are kept.
    pub queue_bytes: usize,
}

impl Default for Options {
    /// Bounds for one workspace; the path and the own definitions must be given.
    fn default() -> Self {
        Self {
            path: PathBuf::new(),
            host_result_cap_tokens: 25_000,
            context_tokens: CONTEXT_TOKENS,
            encoding: Encoding::default(),
            own_definitions: "[]".into(),
            keep: Duration::from_hours(365 * 24),
            keep_hours: Duration::from_hours(35 * 24),
            keep_bytes: 1 << 30,
            queue_runs: 1_024,
            queue_bytes: 64 << 20,
        }
    }
}

/// A ledger; clones share it. When the last one is dropped, what waits is counted and the thread ends.
#[derive(Clone, Debug)]
pub struct Ledger {
    handle: Arc<Handle>,
}

#[derive(Debug)]
struct Handle {
    shared: Arc<Shared>,
}

impl Drop for Handle {
    fn drop(&mut self) {
        self.shared.queue.close();
    }
}

impl Ledger {
    /// Opens the database and starts the worker. Loads no tokenizer. `on_change` is called on the worker's thread
    /// whenever something was counted, at most every 200 ms while more is waiting; it must not block.
    #[expect(clippy::needless_pass_by_value, reason = "the settings are the ledger's")]
    pub fn open(options: Options, on_change: impl Fn(SavingsSummary) + Send + Sync + 'static) -> Result<Self, Error> {
        let own = definitions::OwnDefinitions::parse(&options.own_definitions)?;
        let keeper::Opened { store, totals, path, problem, asides, wanted } = keeper::open(&options.path)?;
        let queue = Queue::new(options.queue_runs, options.queue_bytes);
        let shared = Arc::new(Shared::new(queue, totals, path.clone(), problem));
        let keeper = keeper::Keeper { store, path, wanted, shared: shared.clone() };
        keeper.salvage(asides);
        let worker = worker::Worker {
            shared: shared.clone(),
            keeper,
            own,
            cap_tokens: options.host_result_cap_tokens.min(receipt::NO_CAP),
            window_tokens: options.context_tokens.clamp(1, formula::NO_WINDOW),
            on_change: Box::new(on_change),
            counter: count::Counter::new(options.encoding),
            unwritten: unwritten::Unwritten::default(),
            uncounted: HashMap::new(),
            servers: HashMap::new(),
            keep: retention::Keep {
                rows_ms: u64::try_from(options.keep.as_millis()).unwrap_or(u64::MAX),
                hours_ms: u64::try_from(options.keep_hours.as_millis()).unwrap_or(u64::MAX),
                bytes: options.keep_bytes,
            },
            tidied: retention::Progress::default(),
        };
        let thread = std::thread::Builder::new().name("ledger".to_owned());
        thread.spawn(move || worker.run()).map_err(|error| Error::Thread(error.to_string()))?;
        Ok(Self { handle: Arc::new(Handle { shared }) })
    }

    /// Hands a run in. Never blocks.
    pub fn record(&self, mut run: RunFacts) {
        run.calls.iter_mut().for_each(CallFacts::forget_names);
        let (code_bytes, reply_bytes) = (run.code_arguments.len() as u64, run.reply_text.len() as u64);
        self.shared().queue.push(Job::Run { facts: Box::new(run), code_bytes, reply_bytes });
    }

    /// Hands in a call that a front asked for by itself: it is recorded, and saves nothing. Never blocks.
    pub fn direct_call(&self, at_ms: u64, mut call: CallFacts) {
        call.forget_names();
        self.shared().queue.push(Job::Direct { at_ms, call: Box::new(call) });
    }

    /// Hands in an exchange with the sandbox's tool search: the next run of the conversation pays for it, once. Never
    /// blocks. `arguments` is what the model wrote, as JSON; `result` what it saw.
    pub fn discovery(&self, conversation: &ConversationId, arguments: Arc<str>, result: Arc<str>) {
        let (arguments, result) = (arguments.into(), result.into());
        let conversation = conversation.clone();
        self.shared().queue.push(Job::Discovery { conversation, at_ms: now_ms(), arguments, result });
    }

    /// Says what tools a server has; replaces what was said before. They are counted when a run or
    /// [`Ledger::definition_tokens`] needs them.
    pub fn definitions(&self, server: &str, tools: Arc<[ToolDefinition]>) {
        self.shared().view().definitions.entry(server.to_owned()).or_default();
        self.shared().queue.define(server, tools);
    }

    /// Another process may have written to the database: where one did, the sums follow and `on_change` is called. Never
    /// blocks.
    pub fn look(&self) {
        self.shared().queue.look();
    }

    /// What a server's definitions cost in a prompt. `None` where they were never listed or are not counted yet; asking
    /// has them counted, and `on_change` is called when they are.
    pub fn definition_tokens(&self, server: &str) -> Option<u64> {
        let known = self.shared().view().definitions.get(server).cloned();
        if !matches!(known, Some(None)) {
            return known.flatten().map(|tokens| tokens.total);
        }
        self.shared().queue.want(server);
        None
    }

    /// A run's receipt and its calls' result tokens, uncapped, in call order. Waits until the run is counted; `None` where
    /// it was never handed in or could not be counted.
    pub async fn receipt(&self, run: &RunId) -> Option<Receipt> {
        let mut settled = self.shared().settled.subscribe();
        while self.shared().queue.is_pending(run) {
            self.shared().queue.hurry();
            settled.changed().await.ok()?;
        }
        if let Some(receipt) = self.shared().view().receipts.get(run) {
            return Some(receipt.clone());
        }
        let run = run.clone();
        let read = self.read(move |path| reader::stored_receipt(path, &run)).await;
        read.inspect_err(|error| tracing::warn!(%error, "a receipt could not be read")).ok()?
    }

    /// What a conversation cost as one growing context, and what direct calling would have cost it. Waits until all that
    /// was handed in is counted. Without dollars.
    pub async fn conversation(&self, id: &ConversationId) -> Result<ConversationReport, Error> {
        self.settled().await;
        let definitions = self.shared().view().definitions.clone();
        let known = definitions.into_iter().filter_map(|(server, tokens)| Some((server, tokens?))).collect();
        let id = id.clone();
        self.read(move |path| conversation::conversation(path, &id, &known)).await
    }

    /// Savings so far, from memory. `running` is the daemon's to fill in. Another process on the same database is seen
    /// with this process's next run, or by [`Ledger::look`].
    pub fn savings(&self) -> SavingsSummary {
        self.shared().savings()
    }

    /// The last runs, newest first, 10,000 at most; those not yet counted have no receipt.
    pub async fn runs(&self, limit: usize) -> Result<Vec<RunSummary>, Error> {
        self.read(move |path| reader::runs(path, limit)).await
    }

    /// What a period cost and saved. `configured` are the servers that advice is given on. The workspace's name and
    /// dollars are the caller's to fill in.
    pub async fn report(&self, request: ReportRequest, configured: Vec<String>) -> Result<SavingsReport, Error> {
        let mut report = self.read(move |path| report::report(path, &request, &configured, now_ms())).await?;
        report.pending = self.shared().queue.pending() as u64;
        report.problem = self.problem();
        Ok(report)
    }

    /// How a run's figures came about, once it is counted; without one, those of the newest counted run. `None` where there
    /// is no such run.
    pub async fn explain(&self, run: Option<&RunId>, price: &Price) -> Result<Option<Explanation>, Error> {
        match run {
            Some(run) => drop(self.receipt(run).await),
            None => self.settled().await,
        }
        let (run, price) = (run.cloned(), price.clone());
        self.read(move |path| explain::explain(path, run.as_ref(), &price)).await
    }

    /// The calls of a run in their order, 10,000 at most; none where the run is unknown or was not counted.
    pub async fn run_calls(&self, run: &RunId) -> Result<Vec<CallRow>, Error> {
        let run = run.clone();
        self.read(move |path| Ok(report::lists::calls_of(&store::connect(path, false)?, &run)?)).await
    }

    /// Waits until all that was handed in is counted and stored, definitions that were asked for included.
    pub async fn settled(&self) {
        let mut settled = self.shared().settled.subscribe();
        while self.shared().queue.outstanding() > 0 {
            self.shared().queue.hurry();
            if settled.changed().await.is_err() {
                return;
            }
        }
    }

    /// For shutdown: [`Ledger::settled`] for two seconds; what then still waits is estimated, so that this ends soon and
    /// nothing is lost. What could not be stored before is tried once more.
    pub async fn flush(&self) {
        self.flush_within(FLUSH).await;
    }

    /// [`Ledger::flush`] with another bound on counting; with none, everything that waits is estimated.
    pub async fn flush_within(&self, time: Duration) {
        if time.is_zero() || tokio::time::timeout(time, self.settled()).await.is_err() {
            let _hurry = shared::Hurry::start(&self.handle.shared);
            if tokio::time::timeout(FLUSH, self.settled()).await.is_err() {
                tracing::warn!("the ledger's database does not answer; some runs stay uncounted");
            }
        }
        if self.shared().view().unstored && tokio::time::timeout(FLUSH, self.tried_again()).await.is_err() {
            tracing::warn!("what could not be stored is lost with this process");
        }
    }

    /// Waits until the worker has tried to store what it could not store before.
    async fn tried_again(&self) {
        let mut settled = self.shared().settled.subscribe();
        self.shared().queue.look();
        self.shared().queue.hurry();
        // Nobody answers any more where the worker is gone.
        let _ = settled.changed().await;
    }

    /// A part of the runs and calls since a time, as text. `after` is the `next` of the part before.
    pub async fn export(
        &self,
        format: ExportFormat,
        since_ms: u64,
        after: Option<String>,
    ) -> Result<LedgerPart, Error> {
        self.read(move |path| export::part(path, format, since_ms, after.as_deref())).await
    }

    /// Takes in a file of exported JSON lines. Runs that are there already are left as they are; a line that is wrong is
    /// an error, and then nothing is taken in.
    pub async fn import(&self, file: PathBuf) -> Result<Imported, Error> {
        let imported = self.read(move |path| import::import(path, &file)).await;
        self.look();
        imported
    }

    /// Checks every page and index of the database, however long it takes: the faults found, ten at most. Where there are
    /// any, the database is set aside.
    pub async fn check(&self) -> Result<Vec<String>, Error> {
        let file = integrity::file_id(&self.path());
        let faults = self.read(integrity::full_check).await?;
        if !faults.is_empty() {
            self.is_damaged(file, faults.join("; "));
        }
        Ok(faults)
    }

    /// What is wrong with the database, if anything, and what was done about it.
    pub fn problem(&self) -> Option<String> {
        self.shared().view().says()
    }

    /// Does something with the database off the callers' threads. Damage that is met is for the worker to act on.
    async fn read<T: Send + 'static>(
        &self,
        read: impl FnOnce(&Path) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        let path = self.path();
        let file = integrity::file_id(&path);
        let done = tokio::task::spawn_blocking(move || read(&path)).await;
        let done = done.map_err(|error| Error::Thread(error.to_string()))?;
        if let Err(Error::Database(error)) = &done
            && integrity::is_damaged(error)
        {
            self.is_damaged(file, error.to_string());
        }
        done
    }

    fn is_damaged(&self, file: Option<integrity::FileId>, why: String) {
        self.shared().view().fault = Some((file, why));
        self.look();
    }

    fn path(&self) -> PathBuf {
        self.shared().view().path.clone()
    }

    fn shared(&self) -> &Shared {
        &self.handle.shared
    }
}

/// Milliseconds since 1970.
fn now_ms() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}
