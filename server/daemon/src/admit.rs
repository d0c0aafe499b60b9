//! Whether a server of the workspace may start: with `ask_servers` each needs a person's yes to exactly what would be
//! started, besides the workspace's trust.
//!
//! Invariants: a server without that yes is not known to the bridge; one question at a time is open about a server, and
//! whoever else needs it waits for the same answer; only what uses a server asks, never what merely looks at it.

use crate::approve::{Answer, Approvals, denied};
use crate::approved::Kept;
use crate::core::Core;
use crate::editor::Asker;
use crate::question;
use crate::run::now_ms;
use crate::snapshot::Entry;
use engine::RunClock;
use model::editor::ApprovalReply;
use model::server::Scope;
use model::{ProgramError, ServerSpec, ServerState};
use std::collections::{HashMap, HashSet};
use std::sync::{Arc, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// A no holds this long without asking again, so that a program in a loop does not nag.
const REFUSAL: Duration = Duration::from_mins(1);

/// What is known of this process's answers, by hash.
#[derive(Debug, Default)]
pub(crate) struct Servers {
    once: HashSet<String>,
    refused: HashMap<String, Instant>,
    asking: HashMap<String, Arc<tokio::sync::Mutex<()>>>,
}

/// What may start, as the loop's newest snapshot goes by it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Access {
    pub(crate) trusted: bool,
    /// Hashes of the servers with an approval of their own; absent where none is needed.
    pub(crate) approved: Option<Arc<HashSet<String>>>,
}

impl Access {
    /// The state of a server that is not running.
    pub(crate) fn idle_state(&self, spec: &ServerSpec) -> ServerState {
        let approved = || self.approved.as_ref().is_none_or(|approved| approved.contains(&spec.content_hash));
        match spec.source.scope {
            _ if spec.disabled => ServerState::Disabled,
            Scope::Workspace if !self.trusted => ServerState::Untrusted,
            Scope::Workspace if !approved() => ServerState::Unapproved,
            _ => ServerState::Stopped,
        }
    }
}

/// Who uses a server.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Use<'a> {
    pub(crate) asker: Option<&'a Arc<dyn Asker>>,
    /// Of the run, which stands still meanwhile.
    pub(crate) clock: Option<&'a RunClock>,
    /// A person asked for it just now: an earlier no does not stand in the way.
    pub(crate) by_hand: bool,
}

/// Asks for a server that the user's snapshot has as unapproved. Afterwards the bridge knows it.
pub(crate) async fn admit(core: &Arc<Core>, entry: &Entry, used: Use<'_>) -> Result<(), ProgramError> {
    let (approvals, spec) = (&core.approvals, &entry.spec);
    if !waits(core, spec)? {
        return Ok(());
    }
    let _pause = used.clock.map(RunClock::pause);
    let turn = approvals.turn(&spec.content_hash).lock_owned().await;
    if !waits(core, spec)? {
        return Ok(());
    }
    // Another daemon of the same workspace may have asked.
    let reply =
        if approvals.store.server(&spec.content_hash) { None } else { Some(approvals.decide(spec, used).await?) };
    // What was approved takes effect also where whoever asked is gone by now.
    let (core_too, spec_too) = (Arc::clone(core), Arc::clone(spec));
    let applied = core.tasks.spawn(async move {
        let _turn = turn;
        core_too.approvals.admitted(&spec_too, reply).await;
        core_too.inbox.approvals().await
    });
    let _ = applied.await;
    if waits(core, spec)? { Err(changed(spec)) } else { Ok(()) }
}

/// Whether the server waits for its approval, now. The error is for one that meanwhile may not start at all.
fn waits(core: &Core, spec: &ServerSpec) -> Result<bool, ProgramError> {
    let snapshot = core.snapshot.load();
    let now = snapshot.servers.iter().find(|e| e.spec.name == spec.name && e.spec.content_hash == spec.content_hash);
    match now.map(|e| e.state) {
        None | Some(ServerState::Untrusted | ServerState::Disabled) => Err(changed(spec)),
        Some(state) => Ok(state == ServerState::Unapproved),
    }
}

impl Approvals {
    /// The hashes that may start; nothing where servers need no approval of their own.
    pub(crate) fn approved(&self) -> Option<Arc<HashSet<String>>> {
        let mut hashes: HashSet<String> = self.ask_servers.then(|| self.store.servers().into_iter().collect())?;
        hashes.extend(self.servers().once.iter().cloned());
        Some(Arc::new(hashes))
    }

    /// Takes an approval back, or all, with those of this process. Takes effect with the loop's next snapshot.
    pub(crate) fn forget(&self, id: Option<&str>) -> std::io::Result<()> {
        if id.is_none() {
            let mut servers = self.servers();
            servers.once.clear();
            servers.refused.clear();
        }
        self.store.forget(id)
    }

    async fn decide(&self, spec: &ServerSpec, used: Use<'_>) -> Result<ApprovalReply, ProgramError> {
        if !used.by_hand && self.was_refused(&spec.content_hash) {
            return Err(refused(spec));
        }
        match self.ask(used.asker, question::server(spec)).await {
            Answer::Nobody => Err(nobody(spec)),
            Answer::Silence | Answer::Given(ApprovalReply::Deny) => {
                self.servers().refused.insert(spec.content_hash.clone(), Instant::now());
                Err(refused(spec))
            }
            Answer::Given(reply) => Ok(reply),
        }
    }

    async fn admitted(&self, spec: &ServerSpec, reply: Option<ApprovalReply>) {
        let hash = spec.content_hash.clone();
        self.servers().refused.remove(&hash);
        match reply {
            None => {}
            Some(ApprovalReply::Always { .. }) => {
                let label = question::target(&spec.transport);
                self.keep(Kept { server: spec.name.clone(), hash, calls: None, label, at_ms: now_ms() }).await;
            }
            Some(_) => {
                self.servers().once.insert(hash);
            }
        }
    }

    /// Whose turn it is to ask about a server.
    fn turn(&self, hash: &str) -> Arc<tokio::sync::Mutex<()>> {
        let mut servers = self.servers();
        servers.asking.retain(|_, turn| Arc::strong_count(turn) > 1);
        Arc::clone(servers.asking.entry(hash.to_owned()).or_default())
    }

    fn was_refused(&self, hash: &str) -> bool {
        let mut servers = self.servers();
        servers.refused.retain(|_, at| at.elapsed() < REFUSAL);
        servers.refused.contains_key(hash)
    }

    fn servers(&self) -> MutexGuard<'_, Servers> {
        self.servers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn refused(spec: &ServerSpec) -> ProgramError {
    denied(format!("a person did not approve that server `{}` of this workspace is started", spec.name))
        .with_hint("do not retry it in another way; a person can restart the server by hand, which asks again")
}

fn nobody(spec: &ServerSpec) -> ProgramError {
    denied(format!(
        "server `{}` of this workspace waits for a person's approval, and this client cannot ask",
        spec.name
    ))
    .with_hint("a person can approve it in the editor, by starting the server there")
}

fn changed(spec: &ServerSpec) -> ProgramError {
    denied(format!("the configuration of server `{}` changed meanwhile, so it was not started", spec.name))
        .with_hint("run the program again")
}
