//! What callers and the worker share: the queue, the sums, the last receipts.

use crate::definitions::ServerTokens;
use crate::integrity::FileId;
use crate::queue::Queue;
use crate::receipt::{Basis, Sides, receipt};
use crate::store::RunRow;
use crate::totals::Totals;
use hashlink::LruCache;
use model::{RunId, SavingsSummary, TokenReport};
use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::watch;

/// Receipts kept in memory; older ones are read from the database.
const RECEIPTS: usize = 256;

/// A receipt with each call's result tokens.
pub(crate) type Receipt = (TokenReport, Vec<u64>);

#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) queue: Queue,
    /// Counts up whenever jobs were settled.
    pub(crate) settled: watch::Sender<u64>,
    /// What is left is to be estimated, so that shutdown ends.
    pub(crate) hurry: AtomicBool,
    view: Mutex<View>,
}

/// What readers see without waiting.
#[derive(Debug)]
pub(crate) struct View {
    pub(crate) session: Totals,
    pub(crate) workspace: Totals,
    pub(crate) last_run: Option<(RunId, TokenReport)>,
    pub(crate) receipts: LruCache<RunId, Receipt>,
    /// Each listed server's definitions; absent until counted.
    pub(crate) definitions: HashMap<String, Option<Arc<ServerTokens>>>,
    /// Where the database is.
    pub(crate) path: PathBuf,
    /// What was wrong with the database, and stays to be said.
    pub(crate) problem: Option<String>,
    /// Why it cannot be written at the moment.
    pub(crate) failure: Option<String>,
    /// Something counted is not stored yet, though it was tried.
    pub(crate) unstored: bool,
    /// Damage that was found in a file and not yet dealt with.
    pub(crate) fault: Option<(Option<FileId>, String)>,
}

impl View {
    /// What is wrong with the database, if anything.
    pub(crate) fn says(&self) -> Option<String> {
        let all: Vec<&str> = [&self.failure, &self.problem].into_iter().flatten().map(String::as_str).collect();
        (!all.is_empty()).then(|| all.join("; "))
    }

    /// Takes in a settled run. `unstored` where the database could not take it: then its sum is kept here.
    pub(crate) fn show(&mut self, run: &RunRow, sides: Sides, basis: &Basis, unstored: bool) {
        let calls = run.facts.calls.len();
        self.session.add(&sides, basis, calls);
        if unstored {
            self.workspace.add(&sides, basis, calls);
        }
        let report = receipt(sides, basis);
        let tokens = run.counted.calls.iter().map(|call| call.result.tokens).collect();
        self.last_run = Some((run.facts.run_id.clone(), report.clone()));
        self.receipts.insert(run.facts.run_id.clone(), (report, tokens));
    }
}

impl Shared {
    pub(crate) fn new(queue: Queue, workspace: Totals, path: PathBuf, problem: Option<String>) -> Self {
        let view = View {
            session: Totals::default(),
            workspace,
            last_run: None,
            receipts: LruCache::new(RECEIPTS),
            definitions: HashMap::new(),
            path,
            problem,
            failure: None,
            unstored: false,
            fault: None,
        };
        Self { queue, settled: watch::Sender::new(0), hurry: AtomicBool::new(false), view: Mutex::new(view) }
    }

    pub(crate) fn view(&self) -> MutexGuard<'_, View> {
        self.view.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn savings(&self) -> SavingsSummary {
        let pending = u32::try_from(self.queue.pending()).unwrap_or(u32::MAX);
        let view = self.view();
        SavingsSummary {
            session: view.session.savings(),
            workspace: view.workspace.savings(),
            running: 0,
            pending,
            problem: view.says(),
            last_run: view.last_run.clone(),
        }
    }
}

/// While it lives, what waits is estimated instead of counted.
#[derive(Debug)]
pub(crate) struct Hurry(Arc<Shared>);

impl Hurry {
    pub(crate) fn start(shared: &Arc<Shared>) -> Self {
        shared.hurry.store(true, Ordering::Relaxed);
        Self(shared.clone())
    }
}

impl Drop for Hurry {
    fn drop(&mut self) {
        self.0.hurry.store(false, Ordering::Relaxed);
    }
}
