//! MCP clients: starts, supervises, lists and calls the configured servers. The only crate that names rmcp's client.
//!
//! A server starts when it is first needed and stays until it is stopped, dies, rests (`usage`) or leaves the
//! configuration; the next use of a dead one starts it again, unless it dies too often (`health`). Everything has a total
//! timeout, every message, list and queue (`turns`) a bound, and no child process outlives us (`guardian`, `sweep`).
//!
//! Left out on purpose: who may call what (`daemon`), caching, retries of calls (a call may have had its effect).

#[cfg(not(unix))]
compile_error!("process groups and the guardian are written for Unix");

mod ask;
mod auth;
mod beside;
mod bodies;
mod child;
mod connection;
mod convert;
mod decode;
mod eras;
mod error;
mod feed;
mod form;
mod forward;
mod fresh;
mod guardian;
mod handler;
mod health;
mod host;
mod http;
mod inputs;
mod lines;
mod listen;
mod open;
mod pages;
mod patience;
mod patient;
mod progress;
mod redact;
mod remote;
mod said;
mod server;
mod sse;
mod stderr;
mod subscribe;
mod supervise;
mod sweep;
mod tasks;
mod turns;
mod usage;

pub use auth::{Keeper, LoginPage, Show};
pub use error::Error;
pub use feed::{Change, Feed};
pub use host::Host;
pub use pages::WantedPage;
pub use patience::Patience;
pub use progress::{Progress, Update};
pub use redact::public_url;
pub use subscribe::Subscription;

use guardian::Guardian;
use model::{Beside, Method, ServerSpec, ServerState, ToolDefinition, ToolResult};
use serde_json::{Map, Value};
use server::{Asked, Server};
use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;
use tokio_util::task::TaskTracker;

/// Longest time a shutdown takes; what has not ended by then is killed without asking.
const SHUTDOWN: Duration = Duration::from_secs(5);

/// How a bridge is set up.
#[derive(Clone, Debug)]
pub struct Options {
    /// Our name in the handshake.
    pub client_name: String,
    /// Our version in the handshake.
    pub client_version: String,
    /// Where the servers' stderr is logged, a file each; nowhere if absent.
    pub log_dir: Option<PathBuf>,
    /// What servers are told when they ask for roots; the first one is the default working directory.
    pub roots: Vec<PathBuf>,
    /// Bytes of one message from a server.
    pub message_bytes: usize,
    /// Crashes within three minutes after which a server is put into quarantine.
    pub crashes: usize,
    /// Where other processes are told of that, a file each; nobody is if absent.
    pub quarantine_dir: Option<PathBuf>,
    /// Tools of one server.
    pub tools: usize,
    /// However soon a server says that its lists are out of date, they are not asked for more often than so.
    pub listing_interval: Duration,
    /// How often a server that is spoken to over HTTP is pinged while somebody is subscribed to a resource of it.
    pub pulse: Duration,
    /// Where logins are kept; without one they end with the process.
    pub keeper: Option<Arc<dyn Keeper>>,
    /// Who answers what servers ask in the middle of a call; without one they are refused.
    pub host: Option<Arc<dyn Host>>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            client_name: "tta-mcp-code-execution".into(),
            client_version: env!("CARGO_PKG_VERSION").into(),
            log_dir: None,
            roots: Vec::new(),
            message_bytes: 32 << 20,
            crashes: 5,
            quarantine_dir: None,
            tools: 20_000,
            listing_interval: Duration::from_mins(1),
            pulse: Duration::from_secs(15),
            keeper: None,
            host: None,
        }
    }
}

/// What the bridge tells without being asked. Sent from the tasks that notice it: the receiver must not block.
#[derive(Clone, Debug)]
pub enum BridgeEvent {
    /// A server's state changed.
    State {
        /// Which server.
        server: String,
        /// Its new state.
        state: ServerState,
        /// Why it failed.
        error: Option<String>,
    },
    /// A server's tools were listed, at its start or because they changed.
    Tools {
        /// Which server.
        server: String,
        /// All of them, in the server's order.
        tools: Arc<[ToolDefinition]>,
    },
}

/// One server's state.
#[derive(Clone, Debug)]
pub struct Status {
    /// Which server.
    pub server: String,
    /// What it is doing.
    pub state: ServerState,
    /// Why it failed, where it did.
    pub error: Option<Error>,
    /// The revision of the protocol that is spoken with it, where it is connected.
    pub protocol: Option<String>,
}

/// The clients of all configured servers; clones share them.
#[derive(Clone)]
pub struct Bridge {
    shared: Arc<Shared>,
    servers: Arc<RwLock<HashMap<String, Arc<Server>>>>,
}

/// What every server of a bridge shares.
pub(crate) struct Shared {
    pub(crate) options: Options,
    pub(crate) events: Box<dyn Fn(BridgeEvent) + Send + Sync>,
    pub(crate) guardian: Arc<Guardian>,
    pub(crate) logins: auth::Logins,
    pub(crate) eras: eras::Eras,
    pub(crate) tasks: TaskTracker,
    pub(crate) runtime: tokio::runtime::Handle,
}

impl Bridge {
    /// A bridge without servers, on the current tokio runtime. What servers an earlier process left behind is ended.
    pub fn new(options: Options, events: impl Fn(BridgeEvent) + Send + Sync + 'static) -> Self {
        let shared = Shared {
            options,
            events: Box::new(events),
            guardian: Arc::default(),
            logins: auth::Logins::default(),
            eras: eras::Eras::default(),
            tasks: TaskTracker::new(),
            runtime: tokio::runtime::Handle::current(),
        };
        shared.runtime.spawn_blocking(sweep::sweep);
        Self { shared: Arc::new(shared), servers: Arc::default() }
    }

    /// Takes over a configuration: what is gone or changed is stopped, the rest is left alone. Starts nothing.
    pub fn apply(&self, specs: Vec<ServerSpec>) {
        self.shared.logins.retain(|name| specs.iter().any(|spec| spec.name == name));
        self.shared.eras.retain(|hash| specs.iter().any(|spec| spec.content_hash == hash));
        let mut servers = self.servers.write().unwrap_or_else(PoisonError::into_inner);
        let mut old = std::mem::take(&mut *servers);
        for spec in specs {
            let kept = old.remove(&spec.name).filter(|server| server.is_same(&spec) || retire(server));
            let name = spec.name.clone();
            servers.insert(name, kept.unwrap_or_else(|| Server::new(spec, self.shared.clone())));
        }
        for gone in old.values() {
            gone.retire();
        }
    }

    /// Takes over the values that a person gave for one server. What was configured anew since then is left alone.
    pub fn refit(&self, spec: ServerSpec) {
        let mut servers = self.servers.write().unwrap_or_else(PoisonError::into_inner);
        let Some(slot) = servers.get_mut(&spec.name) else { return };
        let asked_for = (&slot.spec.content_hash, &slot.spec.source.file) == (&spec.content_hash, &spec.source.file);
        if asked_for && !slot.is_same(&spec) {
            let next = slot.successor(spec);
            std::mem::replace(slot, next).retire();
        }
    }

    /// A server's tools; starts it where it does not run.
    pub async fn tools(&self, server: &str) -> Result<Arc<[ToolDefinition]>, Error> {
        let server = self.server(server)?;
        let _in_use = server.enter();
        Ok(server.connection().await?.tools())
    }

    /// What a server that runs lists beside its tools, listed at the first look and again after it said that something
    /// changed, or that it is out of date: then by a look for the next one. What it fails to list counts as absent. `None` where it does not run: nothing is started. Whoever gives up
    /// waiting finds it at the next look.
    pub async fn beside(&self, server: &str) -> Option<Arc<Beside>> {
        let server = self.server(server).ok()?;
        let _in_use = server.enter();
        let connection = server.live()?;
        connection.touch();
        Some(connection.beside(&self.shared.tasks).await)
    }

    /// One call. Its turn, the server's start and the call itself each have their own time. Dropping the future cancels the
    /// call at the server.
    pub async fn call(
        &self,
        server: &str,
        tool: &str,
        arguments: Map<String, Value>,
        patience: impl Into<Patience>,
    ) -> Result<ToolResult, Error> {
        self.watched_call(server, tool, arguments, patience, &Progress::default()).await
    }

    /// The same; what the server tells of the call meanwhile goes to `progress`.
    pub async fn watched_call(
        &self,
        server: &str,
        tool: &str,
        arguments: Map<String, Value>,
        patience: impl Into<Patience>,
        progress: &Progress,
    ) -> Result<ToolResult, Error> {
        self.server(server)?.call(Asked::Tool(tool), arguments, patience.into(), progress).await
    }

    /// One question beside the tools, or a call whose value is all that the server said. `patience` is as for a call.
    pub async fn ask(
        &self,
        server: &str,
        method: Method,
        arguments: Map<String, Value>,
        patience: impl Into<Patience>,
        progress: &Progress,
    ) -> Result<ToolResult, Error> {
        self.server(server)?.call(Asked::Method(method), arguments, patience.into(), progress).await
    }

    /// Subscribes `feed` to a resource, until what is returned is dropped. `patience` is as for a call, until the subscription
    /// stands.
    pub async fn subscribe(
        &self,
        server: &str,
        uri: &str,
        patience: impl Into<Patience>,
        feed: &Feed,
    ) -> Result<Subscription, Error> {
        self.server(server)?.subscribe(uri, patience.into(), feed).await
    }

    /// Has a person log in to a remote server, on the page that `show` is given. Bounded by the person's patience alone.
    /// `by_hand` is for one who asked for it: nothing of an earlier login is used, and no earlier failure stands in the way.
    pub async fn login(&self, server: &str, by_hand: bool, show: Show<'_>) -> Result<(), Error> {
        let server = self.server(server)?;
        self.auth(&server)?.login(by_hand, show).await?;
        // What failed for the lack of it may be tried at once; what runs goes on with the new token.
        if server.state().0 == ServerState::Failed { server.restart().await } else { Ok(()) }
    }

    /// Forgets the login to a server, tells who gave it out, where that is possible, and stops the server; whether there was
    /// one. An error that says it was not taken back leaves nothing of it here.
    pub async fn logout(&self, server: &str) -> Result<bool, Error> {
        let had = self.auth(&*self.server(server)?)?.logout().await;
        self.stop(server).await?;
        had
    }

    fn auth(&self, server: &Server) -> Result<Arc<auth::Auth>, Error> {
        let keeper = self.shared.options.keeper.as_ref();
        self.shared.logins.of(&server.spec, keeper).ok_or_else(|| Error::LoginFailed {
            server: server.spec.name.clone(),
            why: "it is no remote server, or has an `Authorization` header of its own".to_owned(),
            hint: "Only a remote server without that header is logged in to.".to_owned(),
        })
    }

    /// A server's state; `None` where it is not configured.
    pub fn state(&self, server: &str) -> Option<Status> {
        self.server(server).ok().map(|server| status(&server))
    }

    /// Every server's state, by name.
    pub fn states(&self) -> Vec<Status> {
        let servers = self.servers.read().unwrap_or_else(PoisonError::into_inner);
        let mut all: Vec<Status> = servers.values().map(status).collect();
        all.sort_by(|a, b| a.server.cmp(&b.server));
        all
    }

    /// Stops a server and starts it anew.
    pub async fn restart(&self, server: &str) -> Result<(), Error> {
        self.server(server)?.restart().await
    }

    /// Stops a server; its next use starts it, without regard to earlier failures.
    pub async fn stop(&self, server: &str) -> Result<(), Error> {
        let gone = {
            let mut servers = self.servers.write().unwrap_or_else(PoisonError::into_inner);
            let slot = servers.get_mut(server).ok_or_else(|| Error::UnknownServer { server: server.to_owned() })?;
            // Before there is a successor, so that what they tell stays in order.
            let gone = slot.end();
            *slot = slot.successor(slot.spec.clone());
            gone
        };
        if let Some(gone) = gone {
            gone.cancelled().await;
        }
        Ok(())
    }

    /// The last of what a server wrote to its stderr: at most 64 KiB, without its secrets and without colours.
    pub async fn log(&self, server: &str) -> Result<String, Error> {
        Ok(self.server(server)?.log().await)
    }

    /// Stops every server and waits for their process groups to be gone. Nothing starts afterwards.
    pub async fn shutdown(&self) {
        let servers: Vec<_> = {
            let servers = self.servers.read().unwrap_or_else(PoisonError::into_inner);
            servers.values().cloned().collect()
        };
        for server in &servers {
            server.retire();
        }
        self.shared.tasks.close();
        if tokio::time::timeout(SHUTDOWN, self.shared.tasks.wait()).await.is_err() {
            self.shared.guardian.kill_all();
        }
    }

    fn server(&self, name: &str) -> Result<Arc<Server>, Error> {
        let servers = self.servers.read().unwrap_or_else(PoisonError::into_inner);
        servers.get(name).cloned().ok_or_else(|| Error::UnknownServer { server: name.to_owned() })
    }
}

/// Stops a server whose configuration changed; false, as it is not to be kept.
fn retire(server: &Arc<Server>) -> bool {
    server.retire();
    false
}

fn status(server: &Arc<Server>) -> Status {
    let (state, error) = server.state();
    let protocol = server.live().and_then(|connection| connection.protocol_version());
    Status { server: server.spec.name.clone(), state, error, protocol }
}
