//! What a person asks about servers: their states, their tools, what they wrote to stderr; and stopping and starting them.

use crate::admit::{Use, admit};
use crate::core::Core;
use crate::editor::Asker;
use crate::error::Error;
use crate::login;
use crate::search;
use crate::snapshot::{Entry, Snapshot};
use catalog::Tool;
use model::reply::ToolInfo;
use model::server::Scope;
use model::{Detail, Language, Reply, RunId, ServerState, ServerStatus};
use std::sync::Arc;

/// What a person does with a server by hand, and how that person is asked on the way.
#[derive(Clone, Copy)]
pub(crate) struct Hand<'a> {
    pub(crate) core: &'a Arc<Core>,
    pub(crate) snapshot: &'a Snapshot,
    pub(crate) asker: Option<&'a Arc<dyn Asker>>,
}

impl<'a> Hand<'a> {
    /// One that was not approved yet asks, whatever was answered before.
    async fn approved(self, server: &str) -> Result<&'a Entry, Error> {
        let entry = find(self.snapshot, server)?;
        if entry.state != ServerState::Unapproved {
            return usable(self.snapshot, server);
        }
        admit(self.core, entry, self.used()).await.map_err(|e| Error::Denied(e.message))?;
        Ok(entry)
    }

    /// The same, where its life is in our hands.
    async fn ours(self, server: &str) -> Result<&'a Entry, Error> {
        let entry = self.approved(server).await?;
        is_ours(entry).map(|()| entry)
    }

    /// Where `refused` is about a login, the person is shown its page.
    async fn logged_in(self, entry: &Entry, refused: bridge::Error) -> Result<(), Error> {
        if !refused.needs_login() {
            return Err(fault(&refused));
        }
        login::after(self.core, &entry.spec, self.used(), &refused).await.map_err(|e| fault(&e))
    }

    fn used(self) -> Use<'a> {
        Use { asker: self.asker, clock: None, by_hand: true }
    }
}

/// Every server; with `list`, those never listed are asked first, and one that fails says so in its state.
pub(crate) async fn all(core: &Core, snapshot: &Snapshot, list: bool) -> Vec<ServerStatus> {
    if !list {
        return core.status();
    }
    let (catalog, _) = search::listed(core, snapshot, None).await;
    for server in catalog.servers() {
        core.ledger.definitions(server.name(), Arc::clone(server.definitions()));
        core.ledger.definition_tokens(server.name());
    }
    core.ledger.settled().await;
    let mut all = now(core);
    for status in &mut all {
        if let Some(tools) = catalog.server(&status.name) {
            status.tools.get_or_insert(u32::try_from(tools.definitions().len()).unwrap_or(u32::MAX));
            status.definition_tokens = status.definition_tokens.or_else(|| core.ledger.definition_tokens(&status.name));
        }
    }
    all
}

/// Stops a server and starts it again.
pub(crate) async fn restart(hand: Hand<'_>, server: &str) -> Result<Reply, Error> {
    let (core, entry) = (hand.core, hand.ours(server).await?);
    core.inputs.renew(&entry.spec);
    give_inputs(core, entry).await?;
    if let Err(e) = core.bridge.restart(&entry.spec.name).await {
        core.inputs.judge(&entry.spec, &e);
        hand.logged_in(entry, e).await?;
    }
    Ok(Reply::Servers(now(core)))
}

/// Has a person log in, whatever an earlier login left, and lists the server's tools with it.
pub(crate) async fn login(hand: Hand<'_>, server: &str) -> Result<Reply, Error> {
    let (core, entry) = (hand.core, hand.ours(server).await?);
    give_inputs(core, entry).await?;
    let wanted = bridge::Error::LoginNeeded { server: entry.spec.name.clone(), scope: String::new() };
    hand.logged_in(entry, wanted).await?;
    core.bridge.tools(&entry.spec.name).await.map_err(|e| fault(&e))?;
    Ok(Reply::Servers(now(core)))
}

/// Forgets a login; whether there was one.
pub(crate) async fn logout(core: &Core, snapshot: &Snapshot, server: &str) -> Result<Reply, Error> {
    let entry = usable(snapshot, server)?;
    is_ours(entry)?;
    core.bridge.logout(&entry.spec.name).await.map(Reply::Done).map_err(|e| fault(&e))
}

/// Stops a server until its next use.
pub(crate) async fn stop(core: &Core, snapshot: &Snapshot, server: &str) -> Result<Reply, Error> {
    let entry = usable(snapshot, server)?;
    is_ours(entry)?;
    core.bridge.stop(&entry.spec.name).await.map_err(|e| fault(&e))?;
    Ok(Reply::Servers(now(core)))
}

/// The last of what a server wrote to stderr. One that may not start has written nothing.
pub(crate) async fn log(core: &Core, snapshot: &Snapshot, server: &str) -> Result<Reply, Error> {
    let entry = find(snapshot, server)?;
    is_ours(entry)?;
    Ok(Reply::ServerLog(core.bridge.log(&entry.spec.name).await.unwrap_or_default()))
}

/// A server's tools with their schemas and stubs; starts it where it was never listed.
pub(crate) async fn tools(hand: Hand<'_>, server: &str) -> Result<Reply, Error> {
    let (core, entry) = (hand.core, hand.approved(server).await?);
    if entry.tools.is_none() {
        give_inputs(core, entry).await?;
    }
    // An approval is in the newest snapshot only.
    let snapshot = &core.snapshot.load_full();
    let (catalog, mut unavailable) = search::listed(core, snapshot, Some(&entry.spec.name)).await;
    match catalog.server(&entry.spec.name) {
        Some(tools) => Ok(Reply::ServerTools(tools.tools().iter().map(info).collect())),
        None => Err(Error::Fault(unavailable.pop().unwrap_or_else(|| format!("{} lists no tools", entry.spec.name)))),
    }
}

fn info(tool: &Tool) -> ToolInfo {
    let definition = &tool.definition;
    let claims = definition.annotations.clone().unwrap_or_default();
    ToolInfo {
        name: definition.name.clone(),
        identifier: tool.identifier.clone(),
        title: definition.title.clone().or(claims.title),
        description: definition.description.clone(),
        input_schema: (*definition.input_schema).clone(),
        read_only: claims.read_only_hint == Some(true),
        destructive: claims.destructive_hint == Some(true),
        python: tool.stub(Language::Python, Detail::Full),
        typescript: tool.stub(Language::TypeScript, Detail::Full),
    }
}

/// Every server's status. The bridge's word of a server may still be on its way through the loop, so it is asked.
fn now(core: &Core) -> Vec<ServerStatus> {
    let mut all = core.status();
    // Neither what may not start nor what the editor offers has its state from the bridge.
    let held = |s: &ServerStatus| {
        s.source.scope == Scope::Editor
            || matches!(s.state, ServerState::Untrusted | ServerState::Unapproved | ServerState::Disabled)
    };
    for status in all.iter_mut().filter(|s| !held(s)) {
        if let Some(now) = core.bridge.state(&status.name) {
            status.state = now.state;
            status.last_error = now.error.map(|e| e.to_string());
            status.protocol = now.protocol;
        }
    }
    all
}

/// The error is for a server that the editor offers: it has a life of its own.
fn is_ours(entry: &Entry) -> Result<(), Error> {
    match &entry.offer {
        None => Ok(()),
        Some(offer) => Err(Error::Usage(format!(
            "`{}` is offered by the editor, which starts and stops it and keeps its log; look for it there",
            offer.label
        ))),
    }
}

fn fault(error: &bridge::Error) -> Error {
    Error::Fault(format!("{error}. {}", error.hint()))
}

fn find<'a>(snapshot: &'a Snapshot, server: &str) -> Result<&'a Entry, Error> {
    snapshot.server(server).ok_or_else(|| {
        let names: Vec<&str> = snapshot.servers.iter().map(|e| e.spec.name.as_str()).collect();
        Error::Usage(format!("there is no server `{server}`; configured: {}", names.join(", ")))
    })
}

fn usable<'a>(snapshot: &'a Snapshot, server: &str) -> Result<&'a Entry, Error> {
    let entry = find(snapshot, server)?;
    if snapshot.usable().any(|e| e.spec.name == entry.spec.name) {
        Ok(entry)
    } else {
        Err(Error::Denied(format!("{} is disabled, or its workspace is not trusted", entry.spec.name)))
    }
}

/// What a server's configuration leaves to a person is asked for, where it is not known.
async fn give_inputs(core: &Core, entry: &Entry) -> Result<(), Error> {
    core.inputs.give(&core.bridge, &entry.spec, &RunId::new(), None).await.map_err(|e| fault(&e))
}
