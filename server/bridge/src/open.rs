//! From a configured server to a live connection: process or URL, handshake, first listing.
//!
//! Bounded by the server's `startup_timeout_ms` in all. Whatever goes wrong, nothing stays behind: the process is
//! stopped, and the error quotes what the server itself had to say.

use crate::Shared;
use crate::auth::Auth;
use crate::child::{Launch, Process, Spawned};
use crate::connection::{Client, Connection, describe, handshake};
use crate::error::Error;
use crate::health::Health;
use crate::host::Questions;
use crate::lines::{Lines, Observed};
use crate::redact::Redactor;
use crate::stderr::{Ring, drain, log_path};
use crate::supervise::{Remains, follow_tools, supervise};
use model::{ServerSpec, Transport};
use rmcp::service::ClientInitializeError;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Notify;
use tokio::task::JoinHandle;

/// A process that exits instead of answering is noticed a moment after its stdout closed.
const EXIT_NOTICE: Duration = Duration::from_millis(500);

const STDIO_HINT: &str = "Run its command in a terminal: it must start without questions and speak MCP on its stdout.";
const HTTP_HINT: &str = "Check that the URL is its MCP endpoint (often `/mcp`) and that the server is running.";

/// Connects to one server.
pub(crate) async fn open(
    spec: &ServerSpec,
    shared: &Arc<Shared>,
    ring: Ring,
    health: &Arc<Health>,
) -> Result<Arc<Connection>, Error> {
    let auth = shared.logins.of(spec, shared.options.keeper.as_ref());
    let redactor = Redactor::of(spec).with_login(auth.as_ref().map(|auth| Arc::clone(&auth.wallet)));
    let opening = Opening {
        spec,
        shared,
        tools_changed: Arc::default(),
        observed: Arc::default(),
        questions: Arc::new(Questions::new(spec, shared.options.host.as_ref(), &redactor)),
        redactor,
        auth,
        ring,
        health,
    };
    let limit = Duration::from_millis(spec.startup_timeout_ms);
    match &spec.transport {
        Transport::Stdio { .. } => opening.stdio(limit).await,
        Transport::Http { .. } => opening.http(limit).await,
        Transport::Editor => unreachable!("the daemon calls the editor's tools itself"),
    }
}

struct Opening<'a> {
    spec: &'a ServerSpec,
    shared: &'a Arc<Shared>,
    tools_changed: Arc<Notify>,
    observed: Arc<Observed>,
    questions: Arc<Questions>,
    redactor: Redactor,
    auth: Option<Arc<Auth>>,
    ring: Ring,
    health: &'a Arc<Health>,
}

impl Opening<'_> {
    async fn stdio(self, limit: Duration) -> Result<Arc<Connection>, Error> {
        let Transport::Stdio { command, args, env, cwd } = &self.spec.transport else {
            unreachable!("matched by open")
        };
        let options = &self.shared.options;
        let workspace = options.roots.first().map_or(Path::new("."), |root| root);
        let cwd = cwd.as_deref().unwrap_or(workspace);
        let launch = Launch { server: &self.spec.name, command, args, env, cwd };
        let spawned = launch.spawn(&self.shared.guardian);
        let Spawned { process, stdin, stdout, stderr } = spawned.map_err(|error| self.without_secrets(error))?;
        let log = log_path(options, &self.spec.name);
        let drained = tokio::spawn(drain(stderr, self.ring.clone(), log, self.redactor.clone()));

        let lines = Lines::new(stdout, stdin, options.message_bytes, self.observed.clone());
        let deadline = tokio::time::Instant::now() + limit;
        let shaken =
            tokio::time::timeout_at(deadline, handshake(options, &self.tools_changed, &self.questions, lines)).await;
        match shaken {
            Ok(Ok(client)) => {
                let (ring, health) = (self.ring.clone(), self.health.clone());
                let remains = Remains { process: Some(process), ring, drained: Some(drained), health };
                self.finish(client, remains, deadline, limit).await
            }
            Ok(Err(error)) => Err(self.refused(process, drained, error).await),
            Err(_elapsed) => {
                let error = self.too_slow("start and handshake", limit);
                self.shared.tasks.spawn(process.stop());
                Err(error)
            }
        }
    }

    async fn http(self, limit: Duration) -> Result<Arc<Connection>, Error> {
        let Transport::Http { url, headers } = &self.spec.transport else { unreachable!("matched by open") };
        let options = &self.shared.options;
        let deadline = tokio::time::Instant::now() + limit;
        let client = match &self.auth {
            Some(auth) => tokio::time::timeout_at(deadline, auth.client()).await,
            None => Ok(crate::auth::without(&self.spec.name, url).await),
        };
        let client = client.map_err(|_elapsed| self.too_slow("recalling its login", limit))??;
        let transport =
            crate::http::transport(&self.spec.name, url, headers, client, options, self.spec.limits.calls_in_flight)?;
        match tokio::time::timeout_at(deadline, handshake(options, &self.tools_changed, &self.questions, transport))
            .await
        {
            Ok(Ok(client)) => {
                let (ring, health) = (self.ring.clone(), self.health.clone());
                let remains = Remains { process: None, ring, drained: None, health };
                self.finish(client, remains, deadline, limit).await
            }
            Ok(Err(error)) => Err(crate::auth::explain_start(&self.spec.name, self.auth.as_deref(), &error)
                .unwrap_or_else(|| self.handshake_error(describe(&error), HTTP_HINT))),
            Err(_elapsed) => Err(self.too_slow("connect and handshake", limit)),
        }
    }

    /// From the handshake on the supervisor owns the process; a failing first listing ends it again.
    async fn finish(
        self,
        client: Client,
        remains: Remains,
        deadline: tokio::time::Instant,
        limit: Duration,
    ) -> Result<Arc<Connection>, Error> {
        let connection = Arc::new(Connection::new(
            &self.spec.name,
            &client,
            &self.shared.options,
            self.tools_changed.clone(),
            self.observed.clone(),
            self.redactor.clone(),
            self.auth.clone(),
        ));
        self.shared.tasks.spawn(supervise(connection.clone(), client, remains, self.shared.clone()));
        // Also where this future is dropped: the supervisor alone would keep the server for ever.
        let unless_listed = connection.stop.clone().drop_guard();
        match tokio::time::timeout_at(deadline, connection.list()).await {
            Ok(listed) => listed?,
            Err(_elapsed) => return Err(self.too_slow("tools/list", limit)),
        };
        unless_listed.disarm();
        self.shared.tasks.spawn(follow_tools(connection.clone(), self.shared.clone(), limit));
        Ok(connection)
    }

    async fn refused(&self, mut process: Process, drained: JoinHandle<()>, error: ClientInitializeError) -> Error {
        let exit = tokio::time::timeout(EXIT_NOTICE, process.exited()).await;
        if exit.is_ok() {
            // Its last words are why it ended.
            let _ = tokio::time::timeout(EXIT_NOTICE, drained).await;
        }
        self.shared.tasks.spawn(process.stop());
        let why = match exit {
            Ok(exit) => format!("it ended ({exit}) before it answered"),
            Err(_still_running) => describe(&error),
        };
        self.handshake_error(why, STDIO_HINT)
    }

    /// A person's value may stand in the command itself.
    fn without_secrets(&self, error: Error) -> Error {
        let clean = |text: String| self.redactor.clean(&text);
        match error {
            Error::Spawn { server, command, why, hint } => {
                Error::Spawn { server, command: clean(command), why: clean(why), hint }
            }
            other => other,
        }
    }

    fn handshake_error(&self, why: String, hint: &str) -> Error {
        let garbage = self.observed.garbage_note();
        let why = if garbage.is_empty() { why } else { format!("{why}; {garbage}") };
        Error::Handshake {
            server: self.spec.name.clone(),
            why: self.redactor.clean(&why),
            stderr_tail: self.ring.tail(),
            hint: hint.to_owned(),
        }
    }

    fn too_slow(&self, what: &str, limit: Duration) -> Error {
        let notes = [self.redactor.clean(&self.observed.garbage_note()), self.ring.tail()];
        Error::Timeout {
            server: self.spec.name.clone(),
            what: what.to_owned(),
            ms: u64::try_from(limit.as_millis()).unwrap_or(u64::MAX),
            note: notes.iter().filter(|note| !note.is_empty()).cloned().collect::<Vec<_>>().join("; "),
        }
    }
}
