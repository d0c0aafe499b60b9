//! The loop: it alone changes the snapshot, and it never awaits work. Requests are handed to tasks with the snapshot of
//! their moment; changes arrive merged (`event.rs`) and are applied in one step each.

use crate::admit::Access;
use crate::core::Core;
use crate::definitions;
use crate::event::{Changes, Event, Job, Outbox};
use crate::options::Paths;
use crate::requests::{self, Caller};
use crate::snapshot::{Entry, Snapshot};
use catalog::ServerTools;
use config::Config;
use model::server::Scope;
use model::{Notice, Problem, ServerSpec, ServerState};
use std::sync::{Arc, Weak};
use std::time::Duration;

/// Runs until the daemon is told to stop or nobody can reach it any more.
pub(crate) async fn run(core: Arc<Core>, mut outbox: Outbox) {
    while let Some(event) = outbox.next().await {
        match event {
            Event::Submit(job) => dispatch(&core, *job),
            Event::Trust { trusted, done } => {
                reload(&core, Some(trusted));
                let _ = done.send(());
            }
            Event::Approvals { done } => {
                readmit(&core);
                let _ = done.send(());
            }
            Event::Changed(changes) => apply(&core, &changes),
            Event::Stop => break,
        }
    }
    core.stopping.cancel();
}

/// Gives a request a task of its own. A panic in it ends that request, never the daemon.
fn dispatch(core: &Arc<Core>, job: Job) {
    let snapshot = core.snapshot.load_full();
    let Job { request, run_id, origin, asker, reply, cancel } = job;
    let work = requests::answer(Arc::clone(core), snapshot, request, Caller { run_id, origin, asker, cancel });
    let task = core.tasks.spawn(work);
    core.tasks.spawn(async move {
        let answer = match task.await {
            Ok(answer) => answer,
            Err(e) if e.is_panic() => {
                tracing::error!("a request panicked: {e}");
                Err(crate::Error::Fault("a fault inside the daemon ended this request; the log says more".to_owned()))
            }
            Err(_) => Err(crate::Error::ShuttingDown),
        };
        let _ = reply.send(answer);
    });
}

fn apply(core: &Arc<Core>, changes: &Changes) {
    if changes.config {
        reload(core, None);
    }
    if let Some(offers) = &changes.offers {
        let now = core.snapshot.load_full();
        let (config, problems) = (Arc::clone(&now.config), Arc::clone(&now.problems));
        let next = Snapshot::new(config, problems, now.access.clone(), Arc::clone(offers), Some(&now));
        count_offers(core, &now, &next);
        hand_over(core, &next);
        core.snapshot.store(Arc::new(next));
    }
    let before = core.snapshot.load_full();
    let mut next = before.fork();
    let mut tools_changed = false;
    for entry in &mut next.servers {
        let name = entry.spec.name.as_str();
        // The life of what the editor offers is the editor's, whatever the bridge tells by that name.
        if let Some((state, error)) = changes.states.get(name).filter(|_| entry.offer.is_none()) {
            // A server that was just switched off may still report its own end.
            if before.access.idle_state(&entry.spec) == ServerState::Stopped {
                entry.state = *state;
                entry.last_error.clone_from(error);
            }
        }
        if let Some(tools) = changes.tools.get(name).filter(|tools| entry.takes(tools)) {
            let same = entry.tools.as_ref().is_some_and(|known| **known.definitions() == **tools);
            entry.remembered = false;
            if !same {
                let beside = entry.tools.as_ref().map(|known| Arc::clone(known.beside())).unwrap_or_default();
                entry.tools = Some(Arc::new(ServerTools::with(name, &entry.identifier, Arc::clone(tools), beside)));
                tools_changed = true;
                core.ledger.definitions(name, Arc::clone(tools));
                if entry.offer.is_none() {
                    keep(core, entry, Arc::clone(tools), definitions::store);
                }
            }
        }
        if let Some(beside) = changes.beside.get(name).filter(|_| entry.offer.is_none())
            && let Some(known) = entry.tools.as_ref().filter(|known| **known.beside() != **beside)
        {
            entry.tools = Some(Arc::new(known.with_beside(Arc::clone(beside))));
            tools_changed = true;
            keep(core, entry, Arc::clone(beside), definitions::store_beside);
        }
    }
    publish(core, if tools_changed { next.with_catalog() } else { next });
}

/// Reads the configuration again.
fn reload(core: &Arc<Core>, trusted: Option<bool>) {
    let (config, problems) = core.paths.load_config(&core.options);
    adopt(core, config, problems, trusted);
}

/// Applies the approvals as they are now to the configuration as it is known.
fn readmit(core: &Arc<Core>) {
    let now = core.snapshot.load_full();
    adopt(core, (*now.config).clone(), now.problems.to_vec(), Some(now.access.trusted));
}

/// Applies a configuration: servers that stayed the same are left alone, running programs keep their snapshot.
pub(crate) fn adopt(core: &Arc<Core>, config: Config, problems: Vec<Problem>, trusted: Option<bool>) {
    let before = core.snapshot.load_full();
    let trusted = trusted.unwrap_or_else(|| is_trusted(core, &config, before.access.trusted));
    let access = Access { trusted, approved: core.approvals.approved() };
    core.inputs.retain(&config);
    if let Some(watcher) = core.watcher.get().and_then(Weak::upgrade) {
        watcher.follow(&config.files);
        watcher.poll(config.watch_poll_ms.map(Duration::from_millis));
    }
    let offers = Arc::clone(&before.offers);
    let mut next = Snapshot::new(Arc::new(config), problems.into(), access, offers, Some(&before));
    remember_definitions(core, &mut next);
    count_offers(core, &before, &next);
    hand_over(core, &next);
    crate::telemetry::configure(core, &next);
    publish(core, next.with_catalog());
}

/// What the bridge may start or reach from now on.
fn hand_over(core: &Core, next: &Snapshot) {
    core.bridge.apply(next.startable().map(|spec| core.inputs.fill(spec)).chain(next.served()).collect());
}

/// Trust is not carried over to a configuration that asks for something else.
fn is_trusted(core: &Core, config: &Config, before: bool) -> bool {
    let workspace_servers = config.servers.iter().any(|s| s.source.scope == Scope::Workspace);
    match core.options.trusted {
        Some(trusted) => trusted,
        None if !workspace_servers && !config.telemetry.as_ref().is_some_and(config::Telemetry::needs_trust) => before,
        None => crate::trust::remembered(&core.paths.trust, &core.paths.workspace, &config.trust_hash),
    }
}

/// Gives servers that were listed by an earlier process their definitions, so that search needs no start.
fn remember_definitions(core: &Core, snapshot: &mut Snapshot) {
    for entry in &mut snapshot.servers {
        if !entry.may_start() || entry.tools.is_some() {
            continue;
        }
        if let Some(tools) = definitions::load(&core.paths, &entry.spec) {
            core.ledger.definitions(&entry.spec.name, Arc::clone(&tools));
            let beside = definitions::load_beside(&core.paths, &entry.spec);
            entry.tools = Some(Arc::new(ServerTools::with(&entry.spec.name, &entry.identifier, tools, beside)));
            entry.remembered = true;
        }
    }
}

/// The ledger counts what the editor offers like any server's definitions, where that is something else than before.
fn count_offers(core: &Core, before: &Snapshot, next: &Snapshot) {
    for entry in next.servers.iter().filter(|e| e.offer.is_some()) {
        let known = before.servers.iter().find(|e| e.spec.name == entry.spec.name).and_then(|e| e.tools.as_ref());
        if let Some(tools) = entry.tools.as_ref().filter(|tools| !known.is_some_and(|known| Arc::ptr_eq(known, tools)))
        {
            core.ledger.definitions(tools.name(), Arc::clone(tools.definitions()));
        }
    }
}

/// Writing to disk is not the loop's work.
fn keep<T: Send + Sync + ?Sized + 'static>(
    core: &Arc<Core>,
    entry: &Entry,
    what: Arc<T>,
    store: fn(&Paths, &ServerSpec, &T),
) {
    let (core, spec) = (Arc::clone(core), Arc::clone(&entry.spec));
    tokio::task::spawn_blocking(move || store(&core.paths, &spec, &what));
}

fn publish(core: &Arc<Core>, next: Snapshot) {
    crate::telemetry::states(core, &core.snapshot.load(), &next);
    core.snapshot.store(Arc::new(next));
    core.notify(Notice::Servers(core.status()));
}
