//! Putting a daemon together. Nothing that takes time happens here: no guest is loaded, no server started, no tokenizer
//! read.

use crate::admit::Access;
use crate::approve::Approvals;
use crate::asks::{Asks, Person};
use crate::core::Core;
use crate::details::Details;
use crate::editor_tools::{self, EditorTools};
use crate::error::Error;
use crate::event::{Inbox, inbox};
use crate::inputs::Inputs;
use crate::keyring::Platform;
use crate::login::EditorKeeper;
use crate::options::{Options, Paths};
use crate::snapshot::Snapshot;
use crate::{Daemon, main_loop};
use ::telemetry::Telemetry;
use arc_swap::ArcSwap;
use bridge::Bridge;
use config::Config;
use engine::Engine;
use ledger::Ledger;
use model::Notice;
use std::sync::{Arc, OnceLock};
use std::time::Duration;
use tokio::sync::broadcast;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// Notices a slow front may fall behind.
const NOTICES_KEPT: usize = 1_024;
/// Configuration files are read again this long after the last change to them.
const SETTLE: Duration = Duration::from_millis(100);
/// Live runs at once, and runs that may wait for one to end.
const RUNS_LIVE: usize = 64;
const RUNS_WAITING: usize = 1_024;
/// The texts of our own tools, in the form in which a host puts them into a prompt.
const TOOLS: &str = include_str!("../../../toolsets/tools.json");

#[expect(clippy::unused_async, reason = "what it starts needs the runtime that it is awaited on")]
pub(crate) async fn start(options: Options) -> Result<Daemon, Error> {
    let paths = Paths::new(&options)?;
    let (config, problems) = paths.load_config(&options);
    let (inbox, outbox) = inbox();
    let (notices, _) = broadcast::channel(NOTICES_KEPT);
    let asks = Arc::new(Asks::new(options.editor.clone()));
    let core = Arc::new(Core {
        bridge: bridge(&paths, &options, &inbox, &asks),
        engine: engine(&paths)?,
        ledger: ledger(&paths, &config, &notices, &inbox)?,
        telemetry: Telemetry::new(),
        approvals: Approvals::new(&options, &paths),
        asks,
        details: Details::default(),
        inputs: Inputs::new(options.editor.clone()),
        editor_tools: EditorTools::default(),
        snapshot: ArcSwap::from_pointee(Snapshot::new(
            Arc::new(Config::default()),
            Arc::default(),
            Access::default(),
            Arc::default(),
            None,
        )),
        notices,
        inbox: inbox.clone(),
        watcher: OnceLock::new(),
        stopping: CancellationToken::new(),
        tasks: TaskTracker::new(),
        options,
        paths,
    });
    crate::telemetry::observe(&core);
    let files = config.files.clone();
    main_loop::adopt(&core, config, problems, None);
    tokio::spawn(main_loop::run(Arc::clone(&core), outbox));
    let watcher = watcher(files, &inbox);
    if let Some(watcher) = &watcher {
        core.watcher.get_or_init(|| Arc::downgrade(watcher));
    }
    editor_tools::follow(&core);
    let ledger_watcher = ledger_watcher(&core);
    Ok(Daemon { core, _watchers: [watcher, ledger_watcher] })
}

fn bridge(paths: &Paths, options: &Options, inbox: &Inbox, asks: &Arc<Asks>) -> Bridge {
    let inbox = inbox.clone();
    let keeper: Arc<dyn bridge::Keeper> = match &options.editor {
        Some(editor) => Arc::new(EditorKeeper(Arc::clone(editor))),
        None => Arc::new(Platform::new(paths.logins.clone())),
    };
    let options = bridge::Options {
        client_name: "tta".to_owned(),
        client_version: env!("CARGO_PKG_VERSION").to_owned(),
        log_dir: Some(paths.data.join("logs")),
        quarantine_dir: Some(paths.data.join("quarantine")),
        roots: paths.folders.clone(),
        keeper: Some(keeper),
        host: Some(Arc::new(Person(Arc::clone(asks)))),
        ..bridge::Options::default()
    };
    Bridge::new(options, move |event| inbox.bridge(event))
}

fn engine(paths: &Paths) -> Result<Engine, Error> {
    let options = engine::Options {
        slots: RUNS_LIVE,
        waiting: RUNS_WAITING,
        ..engine::Options::new(paths.cache.clone(), tokio::runtime::Handle::current())
    };
    let engine = Engine::new(options).map_err(|e| Error::Fault(e.to_string()))?;
    engine.on_progress(|step| tracing::info!(target: "progress", "{step}"));
    Ok(engine)
}

fn ledger(paths: &Paths, config: &Config, notices: &broadcast::Sender<Notice>, inbox: &Inbox) -> Result<Ledger, Error> {
    let (notices, inbox) = (notices.clone(), inbox.clone());
    let options = ledger::Options {
        path: paths.data.join("ledger.db"),
        host_result_cap_tokens: config.ledger.host_result_cap_tokens,
        context_tokens: {
            let config::LedgerSettings { context_tokens, model, prices, .. } = &config.ledger;
            ledger::context_tokens(*context_tokens, model.as_deref(), prices, crate::run::now_ms())
        },
        keep: Duration::from_hours(24 * config.ledger.keep_days),
        keep_bytes: config.ledger.keep_mb << 20,
        encoding: encoding(config),
        own_definitions: TOOLS.into(),
        ..ledger::Options::default()
    };
    Ledger::open(options, move |savings| {
        let _ = notices.send(Notice::Savings(Box::new(savings)));
        inbox.change(|changes| changes.counted = true);
    })
    .map_err(|e| Error::Fault(e.to_string()))
}

/// The configured encoding, else the model's.
fn encoding(config: &Config) -> ledger::Encoding {
    let named = config.ledger.encoding.as_deref().and_then(ledger::Encoding::named);
    named.unwrap_or_else(|| ledger::Encoding::of_model(config.ledger.model.as_deref()))
}

/// Other windows and terminals count into the same database: the sums follow them.
fn ledger_watcher(core: &Core) -> Option<Arc<watch::Watcher>> {
    let ledger = core.ledger.clone();
    let log = core.paths.data.join("ledger.db-wal");
    let watcher = watch::watch(vec![log], SETTLE, move |_| ledger.look());
    watcher.map(Arc::new).inspect_err(|e| tracing::warn!("what other windows save is seen late: {e}")).ok()
}

/// Without a watch a change needs a restart: worth a warning, not worth refusing to start.
fn watcher(files: Vec<std::path::PathBuf>, inbox: &Inbox) -> Option<Arc<watch::Watcher>> {
    let inbox = inbox.clone();
    match watch::watch(files, SETTLE, move |_| inbox.change(|changes| changes.config = true)) {
        Ok(watcher) => Some(Arc::new(watcher)),
        Err(e) => {
            tracing::warn!("configuration files are not watched, changes need a restart: {e}");
            None
        }
    }
}
