//! From a configured server to a live connection: process or URL (`remote`), handshake, first listing.
//!
//! Bounded by the server's `startup_timeout_ms` in all. Whatever goes wrong, nothing stays behind: the process is
//! stopped, and the error quotes what the server itself had to say.

use crate::Shared;
use crate::auth::Auth;
use crate::child::{Launch, Process, Spawned};
use crate::connection::{Client, Connection, describe, handshake};
use crate::eras::{self, Era};
use crate::error::Error;
use crate::health::Health;
use crate::host::Questions;
use crate::lines::{Lines, Observed};
use crate::listen::listen;
use crate::redact::Redactor;
use crate::said::{Mouth, Said, set_level};
use crate::stderr::{Ring, Sink, drain};
use crate::supervise::{Remains, follow_tools, supervise};
use model::{ServerSpec, Transport};
use rmcp::service::{ClientInitializeError, RoleClient};
use std::os::fd::AsFd as _;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::AsyncRead;
use tokio::sync::Notify;
use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout, timeout_at};

/// A process that exits instead of answering is noticed a moment after its stdout closed.
const EXIT_NOTICE: Duration = Duration::from_millis(500);

const STDIO_HINT: &str = "Run its command in a terminal: it must start without questions and speak MCP on its stdout.";

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
    let (eras, hash) = (&shared.eras, &spec.content_hash);
    let known = eras.of(hash);
    let opened = match &spec.transport {
        Transport::Stdio { .. } => opening.stdio(known, limit).await,
        Transport::Http { .. } => opening.http(known, limit).await,
        Transport::Editor => unreachable!("the daemon calls the editor's tools itself"),
    };
    match &opened {
        Ok(connection) => eras.agreed(hash, connection.era),
        // One that hangs of the question is not asked the next time.
        Err(Error::Timeout { .. }) if known.is_none() => eras.agreed(hash, Era::Initialize),
        Err(_) => eras.forget(hash),
    }
    opened
}

pub(crate) struct Opening<'a> {
    pub(crate) spec: &'a ServerSpec,
    pub(crate) shared: &'a Arc<Shared>,
    tools_changed: Arc<Notify>,
    pub(crate) observed: Arc<Observed>,
    questions: Arc<Questions>,
    redactor: Redactor,
    pub(crate) auth: Option<Arc<Auth>>,
    pub(crate) ring: Ring,
    pub(crate) health: &'a Arc<Health>,
}

/// A start that came to nothing.
struct Failed {
    error: Error,
    /// The process ended by itself, after it read what it was asked first.
    of_question: bool,
}

impl Opening<'_> {
    async fn stdio(self, known: Option<Era>, limit: Duration) -> Result<Arc<Connection>, Error> {
        let deadline = Instant::now() + limit;
        let started = match self.start(known, deadline, limit).await {
            // Perhaps of `server/discover`: another one is not asked.
            Err(Failed { of_question: true, .. }) if known.is_none() => {
                self.start(Some(Era::Initialize), deadline, limit).await
            }
            started => started,
        };
        let (client, remains) = started.map_err(|failed| failed.error)?;
        let era = Era::of(&client);
        self.finish(client, era, remains, deadline, limit).await
    }

    /// A process, and the handshake with it.
    async fn start(&self, known: Option<Era>, deadline: Instant, limit: Duration) -> Result<(Client, Remains), Failed> {
        let Transport::Stdio { command, args, env, cwd } = &self.spec.transport else {
            unreachable!("matched by open")
        };
        let options = &self.shared.options;
        let workspace = options.roots.first().map_or(Path::new("."), |root| root);
        let cwd = cwd.as_deref().unwrap_or(workspace);
        let launch = Launch { server: &self.spec.name, command, args, env, cwd };
        let spawned = launch.spawn(&self.shared.guardian);
        let Spawned { process, stdin, stdout, stderr } =
            spawned.map_err(|error| Failed { error: self.without_secrets(error), of_question: false })?;
        let (mouth, drained) = self.listen_to(stderr);

        // To see whether it read what it was sent; it must not outlive the handshake, or closing its stdin would not end it.
        let unread = stdin.as_fd().try_clone_to_owned();
        let lines = Lines::new(stdout, stdin, options.message_bytes, self.observed.clone());
        let shaken = timeout_at(deadline, self.handshake(lines, mouth, known, Some(eras::PATIENCE))).await;
        let was_heard = unread.is_ok_and(|pipe| rustix::io::ioctl_fionread(pipe).is_ok_and(|bytes| bytes == 0));
        match shaken {
            Ok(Ok(client)) => {
                let (ring, health) = (self.ring.clone(), self.health.clone());
                Ok((client, Remains { process: Some(process), ring, drained: Some(drained), health }))
            }
            Ok(Err(error)) => {
                let was_sent = !matches!(error, ClientInitializeError::TransportError { .. });
                let (error, ended) = self.refused(process, drained, error).await;
                Err(Failed { error, of_question: ended && was_sent && was_heard })
            }
            Err(_elapsed) => {
                let error = self.too_slow("start and handshake", limit);
                self.shared.tasks.spawn(process.stop());
                Err(Failed { error, of_question: false })
            }
        }
    }

    /// Logs what it prints, and what it says in messages.
    pub(crate) fn listen_to(&self, stderr: impl AsyncRead + Send + Unpin + 'static) -> (Mouth, JoinHandle<()>) {
        let said = Said::new(self.redactor.clone());
        let sink = Sink::new(&self.shared.options, &self.spec.name, self.ring.clone(), self.redactor.clone());
        (Mouth(said.clone()), tokio::spawn(drain(stderr, said, sink)))
    }

    pub(crate) async fn handshake<T: rmcp::transport::Transport<RoleClient> + 'static>(
        &self,
        transport: T,
        mouth: Mouth,
        known: Option<Era>,
        patience: Option<Duration>,
    ) -> Result<Client, ClientInitializeError> {
        let options = &self.shared.options;
        // Boxed: it is large, and several stand side by side.
        Box::pin(handshake(options, &self.tools_changed, &self.questions, transport, mouth, known, patience)).await
    }

    /// From the handshake on the supervisor owns the process; a failing first listing ends it again.
    pub(crate) async fn finish(
        self,
        client: Client,
        era: Era,
        remains: Remains,
        deadline: Instant,
        limit: Duration,
    ) -> Result<Arc<Connection>, Error> {
        let connection = Arc::new(Connection::new(
            &self.spec.name,
            (&client, era),
            &self.shared.options,
            self.tools_changed.clone(),
            self.observed.clone(),
            self.redactor.clone(),
            self.auth.clone(),
        ));
        self.shared.tasks.spawn(supervise(connection.clone(), client, remains, self.shared.clone()));
        // Also where this future is dropped: the supervisor alone would keep the server for ever.
        let unless_listed = connection.stop.clone().drop_guard();
        match timeout_at(deadline, connection.list()).await {
            Ok(listed) => listed?,
            Err(_elapsed) => return Err(self.too_slow("tools/list", limit)),
        };
        unless_listed.disarm();
        self.shared.tasks.spawn(follow_tools(connection.clone(), self.shared.clone(), limit));
        self.shared.tasks.spawn(listen(connection.clone()));
        self.shared.tasks.spawn(set_level(connection.clone(), limit));
        Ok(connection)
    }

    /// Why there was no handshake, and whether the process ended by itself.
    async fn refused(
        &self,
        mut process: Process,
        drained: JoinHandle<()>,
        error: ClientInitializeError,
    ) -> (Error, bool) {
        let error = eras::cause(&error);
        if let ClientInitializeError::JsonRpcError(_) = error {
            self.shared.tasks.spawn(process.stop());
            return (self.handshake_error(describe(error), STDIO_HINT), false);
        }
        let exit = timeout(EXIT_NOTICE, process.exited()).await;
        if exit.is_ok() {
            // Its last words are why it ended.
            let _ = timeout(EXIT_NOTICE, drained).await;
        }
        // Two of them at once might fight over a port or a lock.
        process.stop().await;
        match exit {
            Ok(exit) => (self.handshake_error(format!("it ended ({exit}) before it answered"), STDIO_HINT), true),
            Err(_still_running) => (self.handshake_error(describe(error), STDIO_HINT), false),
        }
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

    pub(crate) fn handshake_error(&self, why: String, hint: &str) -> Error {
        let garbage = self.observed.garbage_note();
        let why = if garbage.is_empty() { why } else { format!("{why}; {garbage}") };
        Error::Handshake {
            server: self.spec.name.clone(),
            why: self.redactor.clean(&why),
            stderr_tail: self.ring.tail(),
            hint: hint.to_owned(),
        }
    }

    pub(crate) fn too_slow(&self, what: &str, limit: Duration) -> Error {
        let notes = [self.redactor.clean(&self.observed.note()), self.ring.tail()];
        Error::Timeout {
            server: self.spec.name.clone(),
            what: what.to_owned(),
            ms: u64::try_from(limit.as_millis()).unwrap_or(u64::MAX),
            note: notes.iter().filter(|note| !note.is_empty()).cloned().collect::<Vec<_>>().join("; "),
        }
    }
}
