//! The one thread that counts and writes. Everything slow happens here, off the path of calls and replies.
//!
//! It takes what came in, counts for a moment, and settles what it counted in one transaction; then it looks at the queue
//! again. Rows of runs that must wait longer than that are written before. A fault of the database is said and the sums go
//! on in memory.

use crate::count::{Count, Counter};
use crate::definitions::{OwnDefinitions, ServerTokens, prompt_form};
use crate::facts::{CallFacts, RunFacts};
use crate::keeper::Keeper;
use crate::queue::{Arrived, Job, Queued, Text};
use crate::receipt::{CountedCall, CountedRun, Exchange, Terms, host_search_call, settle};
use crate::retention::{Keep, Progress};
use crate::shared::Shared;
use crate::store::{Row, RunRow};
use crate::unwritten::Unwritten;
use model::{CacheOutcome, RunStatus, SavingsSummary, ToolDefinition};
use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

/// How long and how much is counted between two transactions: what a killed process can lose.
const BATCH_TIME: Duration = Duration::from_millis(50);
const BATCH_JOBS: usize = 512;
/// Bytes of text that need no rows beforehand: the worst of them are counted in little more than a nap, most in 10 ms.
const SOON_BYTES: usize = 1 << 20;
/// How soon what could not be stored is tried again, where nothing else comes.
const RETRY: Duration = Duration::from_secs(3);
/// Listeners are told at most this often while more is waiting.
const NOTICE_INTERVAL: Duration = Duration::from_millis(200);
/// How long the worker drops what is too old before it looks at the queue again for good.
const TIDY_TIME: Duration = Duration::from_millis(500);
/// Bytes of the JSON around a call's name and arguments.
const CALL_FRAME_BYTES: u64 = 24;

/// What is still to be counted.
#[derive(Default)]
struct Backlog {
    jobs: VecDeque<Queued>,
    /// Of these, from the first on, those whose rows were written.
    announced: usize,
}

impl Backlog {
    fn pop(&mut self) -> Option<Queued> {
        self.announced = self.announced.saturating_sub(1);
        self.jobs.pop_front()
    }

    fn text_bytes(&self) -> usize {
        self.jobs.iter().map(|queued| queued.job.text_bytes()).sum()
    }
}

pub(crate) struct Worker {
    pub(crate) shared: Arc<Shared>,
    pub(crate) keeper: Keeper,
    pub(crate) own: OwnDefinitions,
    pub(crate) cap_tokens: u64,
    pub(crate) window_tokens: u64,
    pub(crate) on_change: Box<dyn Fn(SavingsSummary) + Send>,
    pub(crate) counter: Counter,
    pub(crate) unwritten: Unwritten,
    /// Definitions that nobody has needed yet.
    pub(crate) uncounted: HashMap<String, Arc<[ToolDefinition]>>,
    pub(crate) servers: HashMap<String, Arc<ServerTokens>>,
    pub(crate) keep: Keep,
    pub(crate) tidied: Progress,
}

impl Worker {
    /// Works until the queue is closed and empty.
    pub(crate) fn run(mut self) {
        lower_priority();
        let _release = ReleaseWaiters(self.shared.clone());
        self.keeper.check();
        let mut backlog = Backlog::default();
        let mut told = None::<Instant>;
        while let Some(arrived) = self.next(&backlog) {
            let idle = arrived.is_idle() && backlog.jobs.is_empty();
            let news = self.admit(arrived, &mut backlog);
            self.shared.queue.admitted();
            if idle && !news && !self.catch_up() {
                continue;
            }
            self.work(&mut backlog);
            self.shared.settled.send_modify(|times| *times += 1);
            if backlog.jobs.is_empty() || told.is_none_or(|at| at.elapsed() >= NOTICE_INTERVAL) {
                (self.on_change)(self.shared.savings());
                told = Some(Instant::now());
            }
            self.tidy(&backlog);
        }
        self.catch_up();
    }

    /// What came in; where something waits to be stored, nothing after a while.
    fn next(&self, backlog: &Backlog) -> Option<Arrived> {
        self.shared.queue.take(backlog.jobs.is_empty(), self.waits().then_some(RETRY))
    }

    /// Whether something is counted and could not be stored where it should be.
    fn waits(&self) -> bool {
        !self.unwritten.is_empty() || self.keeper.wanted.is_some() || self.shared.view().failure.is_some()
    }

    /// Tries again to store what could not be stored before; whether that is done now.
    fn catch_up(&mut self) -> bool {
        if !self.waits() {
            return false;
        }
        self.settle(Vec::new());
        self.shared.settled.send_modify(|times| *times += 1);
        !self.waits()
    }

    /// Drops what is too old, as long as nothing else is to be done, and for a moment at most.
    fn tidy(&mut self, backlog: &Backlog) {
        let started = Instant::now();
        while backlog.jobs.is_empty() && self.shared.queue.is_empty() && started.elapsed() < TIDY_TIME {
            let (keep, tidied) = (self.keep, &mut self.tidied);
            if self.keeper.run(|store| store.tidy(keep, tidied)) != Some(true) {
                return;
            }
        }
    }

    /// Takes in what came. Whether another process had changed the sums.
    fn admit(&mut self, arrived: Arrived, backlog: &mut Backlog) -> bool {
        let fault = self.shared.view().fault.take();
        let replaced = fault.is_some_and(|fault| self.keeper.act_on(&fault));
        let foreign = if arrived.look { self.keeper.run(crate::store::Store::look).flatten() } else { None };
        let news = foreign.is_some() || replaced;
        // What is not stored yet is in the sums that are shown, and in those of nobody else.
        if let Some(totals) = foreign.filter(|_| self.unwritten.is_empty()) {
            self.shared.view().workspace = totals;
        }
        backlog.jobs.extend(arrived.jobs);
        if backlog.text_bytes() > SOON_BYTES {
            self.announce(backlog);
        }
        for (server, tools) in arrived.definitions {
            self.define(server, tools);
        }
        for server in arrived.wanted {
            self.count_definitions(&server);
        }
        if let (runs @ 1.., calls) = arrived.beyond {
            tracing::warn!(runs, "more runs at once than the ledger's queue holds; only their number is kept");
            self.unwritten.beyond.0 += runs;
            self.unwritten.beyond.1 += calls;
            let mut view = self.shared.view();
            view.session.tally(runs, calls);
            view.workspace.tally(runs, calls);
        }
        news
    }

    /// Writes the rows of the runs that wait and have none.
    fn announce(&mut self, backlog: &mut Backlog) {
        let unknown = || backlog.jobs.iter().skip(backlog.announced).map(|queued| &queued.job);
        self.keeper.run(|store| store.announce(unknown()));
        backlog.announced = backlog.jobs.len();
    }

    /// Counts for a moment and settles what it counted.
    fn work(&mut self, backlog: &mut Backlog) {
        let started = Instant::now();
        let (mut rows, mut tickets) = (Vec::new(), Vec::new());
        while rows.len() < BATCH_JOBS && started.elapsed() < BATCH_TIME {
            let Some(Queued { job, ticket }) = backlog.pop() else { break };
            rows.push(self.count_job(job));
            tickets.push(ticket);
        }
        if rows.is_empty() {
            return;
        }
        self.settle(rows);
        self.shared.queue.settled(&tickets);
        if !backlog.jobs.is_empty() {
            self.announce(backlog);
        }
    }

    fn count_job(&mut self, job: Job) -> Row {
        match job {
            Job::Run { facts, code_bytes, reply_bytes } => {
                Row::Run(Box::new(self.count_run(facts, code_bytes, reply_bytes)))
            }
            Job::Direct { at_ms, call } => Row::Direct { at_ms, counted: self.count_call(&call, false), facts: call },
            Job::Discovery { conversation, at_ms, arguments, result } => {
                let exchange = Exchange {
                    arguments: self.count_written("search_tools", &arguments),
                    result: self.count(&result.text, result.bytes),
                };
                Row::Discovery { conversation, at_ms, exchange }
            }
        }
    }

    fn count_run(&mut self, facts: Box<RunFacts>, code_bytes: u64, reply_bytes: u64) -> RunRow {
        let mut seen = HashSet::new();
        let mut calls = Vec::with_capacity(facts.calls.len());
        for call in &facts.calls {
            let first = seen.insert((&call.record.server, &call.record.tool, &call.arguments_json));
            calls.push(self.count_call(call, !first && call.record.cache != CacheOutcome::Miss));
        }
        drop(seen);
        let code = Text { text: facts.code_arguments.clone(), bytes: code_bytes };
        let counted = CountedRun {
            ended_well: facts.status == RunStatus::Ok,
            code: self.count_written("run_code", &code),
            reply: self.count(&facts.reply_text, reply_bytes),
            calls,
        };
        if counted.ended_well && !counted.calls.is_empty() {
            for server in facts.servers_all.iter().chain(&facts.servers_used) {
                self.count_definitions(server);
            }
        }
        let search = host_search_call(&counted.calls);
        let host_search = self.count(&search, search.len() as u64);
        let own = self.own.beside(&facts.direct_tools);
        let own = self.count(&own, 0);
        RunRow { facts, code_bytes, reply_bytes, counted, own, host_search }
    }

    fn count_call(&mut self, call: &CallFacts, repeated: bool) -> CountedCall {
        let record = &call.record;
        let arguments = Text { text: call.arguments_json.clone(), bytes: record.argument_bytes };
        CountedCall {
            server: record.server.clone(),
            tool: record.tool.clone(),
            wave: record.wave,
            output: self.count_written(&record.tool, &arguments),
            result: self.count(&call.result_text, record.result_bytes),
            media: call.media,
            repeated,
        }
    }

    /// The tokens of a call as a model writes it.
    fn count_written(&mut self, tool: &str, arguments: &Text) -> Count {
        if arguments.text.is_empty() && arguments.bytes > 0 {
            return Count::estimate(arguments.bytes + tool.len() as u64 + CALL_FRAME_BYTES);
        }
        let arguments = if arguments.text.is_empty() { "{}" } else { &*arguments.text };
        let written = written_call(tool, arguments);
        self.count(&written, written.len() as u64)
    }

    /// The tokens of a text, or an estimate where only its size was kept or there is no time left.
    fn count(&mut self, text: &str, bytes: u64) -> Count {
        if text.is_empty() || self.shared.hurry.load(Ordering::Relaxed) {
            Count::estimate(bytes.max(text.len() as u64))
        } else {
            self.counter.count(text)
        }
    }

    /// Takes in a server's definitions. Where the database knows all their counts, the tokenizer is not needed.
    fn define(&mut self, server: String, tools: Arc<[ToolDefinition]>) {
        let mut tokens = ServerTokens { exact: true, ..ServerTokens::default() };
        for tool in &*tools {
            let hash = self.counter.hash(&prompt_form(tool));
            let Some(count) = self.keeper.store.definition(&hash) else {
                self.shared.view().definitions.insert(server.clone(), None);
                self.servers.remove(&server);
                self.uncounted.insert(server, tools);
                return;
            };
            tokens.add(&tool.name, count);
        }
        self.uncounted.remove(&server);
        self.publish(server, tokens);
    }

    /// Counts a server's definitions, unless they are counted or were never listed.
    fn count_definitions(&mut self, server: &str) {
        let Some(tools) = self.uncounted.remove(server) else { return };
        let mut tokens = ServerTokens { exact: true, ..ServerTokens::default() };
        let mut counts = Vec::with_capacity(tools.len());
        for tool in &*tools {
            let form = prompt_form(tool);
            let count = self.count(&form, form.len() as u64);
            tokens.add(&tool.name, count);
            if count.exact {
                counts.push((self.counter.hash(&form), count));
            }
        }
        self.keeper.run(|store| store.remember_definitions(&counts));
        self.publish(server.to_owned(), tokens);
    }

    fn publish(&mut self, server: String, tokens: ServerTokens) {
        let tokens = Arc::new(tokens);
        self.keeper.run(|store| store.offer(&server, &tokens));
        self.shared.view().definitions.insert(server.clone(), Some(Arc::clone(&tokens)));
        self.servers.insert(server, tokens);
    }

    /// Stores what was counted and shows it. What cannot be stored is still summed and shown.
    fn settle(&mut self, rows: Vec<Row>) {
        let own_search = self.count(&self.own.search.clone(), 0);
        let receipt_of = |run: &RunRow, exchanges: &[Exchange]| {
            let terms = Terms {
                own: run.own,
                own_search,
                servers: &self.servers,
                servers_all: &run.facts.servers_all,
                servers_used: &run.facts.servers_used,
                host_search: run.host_search,
                cap_tokens: self.cap_tokens,
                encoding: self.counter.encoding(),
                window_tokens: self.window_tokens,
            };
            settle(&run.counted, exchanges, &terms)
        };
        let runs = || rows.iter().filter_map(|row| if let Row::Run(run) = row { Some(&**run) } else { None });
        if self.keeper.come_back() {
            for (server, tokens) in &self.servers {
                self.keeper.run(|store| store.offer(server, tokens));
            }
        }
        // What waited comes first; it was shown already.
        let caught_up = self.unwritten.is_empty() || {
            let Unwritten { rows, beyond, .. } = &self.unwritten;
            self.keeper.write(|store| store.settle(rows, *beyond, receipt_of)).is_some()
        };
        if caught_up {
            self.unwritten = Unwritten::default();
        }
        let stored = if caught_up { self.keeper.write(|store| store.settle(&rows, (0, 0), receipt_of)) } else { None };
        let (receipts, totals) = match stored {
            Some((receipts, totals)) => (receipts, Some(totals)),
            None => (runs().map(|run| Some(receipt_of(run, &[]))).collect(), None),
        };
        let mut view = self.shared.view();
        for (run, settled) in runs().zip(receipts) {
            if let Some((sides, basis)) = settled {
                view.show(run, sides, &basis, totals.is_none());
            }
        }
        match totals {
            Some(totals) => view.workspace = totals,
            None => self.unwritten.keep(rows),
        }
        drop(view);
        let waits = self.waits();
        self.shared.view().unstored = waits;
    }
}

/// A call as a model writes it.
fn written_call(tool: &str, arguments: &str) -> String {
    format!(r#"{{"name":{},"arguments":{arguments}}}"#, serde_json::Value::from(tool))
}

/// When the worker ends, however it ends, nobody waits for it any longer.
struct ReleaseWaiters(Arc<Shared>);

impl Drop for ReleaseWaiters {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.view().problem =
                Some("the ledger's thread failed; runs are no longer counted. Restart to count on".to_owned());
        }
        self.0.queue.abandon();
        self.0.settled.send_modify(|times| *times += 1);
    }
}

/// Programs and replies come first where processors are short.
fn lower_priority() {
    // On Linux a "process" priority is a thread's; elsewhere it would slow the whole daemon.
    #[cfg(target_os = "linux")]
    if let Err(error) = rustix::process::setpriority_process(None, 10) {
        tracing::debug!(%error, "the ledger's thread keeps its priority");
    }
}
