//! One sitting of the command line: its daemon, its conversation, the question of trust, and the end of both.

use crate::args::Common;
use crate::failure::Failure;
use crate::login::Terminal;
use crate::output::{self, visible};
use crate::progress;
use daemon::{Asker, Daemon, Options, Ticket};
use model::server::Source;
use model::{ConversationId, Problem, Reply, Request};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::future::Future;
use std::io::{IsTerminal as _, Write as _};
use std::process;
use std::sync::Arc;
use tracing_subscriber::EnvFilter;

/// The name this front files its runs under.
const FRONT: &str = "cli";

/// The exit code of a second Ctrl-C.
const CANCELLED: i32 = 130;

/// A daemon in this process, for one command.
pub(crate) struct Session {
    daemon: Daemon,
    conversation: ConversationId,
    quiet: bool,
}

/// What the flags say about a daemon.
pub(crate) fn options(common: &Common) -> Options {
    Options {
        workspace: common.workspace.clone(),
        config: common.config.clone(),
        trusted: common.trust.then_some(true),
        data_dir: common.data_dir.clone(),
        timeout_ms: common.timeout_ms,
        memory_mb: common.memory_mb,
        ..Options::default()
    }
}

/// Logs go to stderr: warnings, and what takes long; with `-v` what happens; with `-vv` everything of ours.
pub(crate) fn init_logging(verbose: u8) {
    let filter = match verbose {
        0 => "error,progress=info",
        1 => "info",
        // A code that still waits to be exchanged, and a token's further fields, stand in what rmcp logs of a login.
        _ => "debug,rmcp::transport::auth=warn,cranelift_codegen=info,regalloc2=info,wasmtime=info,hyper=info",
    };
    // It prints an address as it is, secrets and all, of a failure that the bridge reports.
    let filter = format!("{filter},rmcp::transport::worker=off");
    let log =
        tracing_subscriber::fmt().with_writer(std::io::stderr).with_ansi(false).with_env_filter(EnvFilter::new(filter));
    if verbose == 0 { log.without_time().with_level(false).with_target(false).init() } else { log.init() }
}

impl Session {
    /// Starts a daemon, hands it to `command`, and ends it whatever comes of that.
    pub(crate) async fn with<T, F>(common: &Common, command: impl FnOnce(Self) -> F) -> Result<T, Failure>
    where
        F: Future<Output = Result<T, Failure>>,
    {
        let daemon = Daemon::start(options(common)).await?;
        let session = Self { daemon: daemon.clone(), conversation: ConversationId::new(), quiet: common.quiet };
        let outcome = command(session).await;
        // Servers may take seconds to end, and end with this process anyway: Ctrl-C does not wait for them.
        tokio::select! {
            () = daemon.shutdown() => {}
            Ok(()) = tokio::signal::ctrl_c() => {}
        }
        outcome
    }

    /// The same, for a command that starts servers: on a terminal the user is asked once whether to trust an unknown
    /// workspace. Elsewhere its servers stay stopped, and the error of whatever needs them says how to start them.
    pub(crate) async fn with_servers<T, F>(common: &Common, command: impl FnOnce(Self) -> F) -> Result<T, Failure>
    where
        F: Future<Output = Result<T, Failure>>,
    {
        Self::with(common, async |session| {
            session.ask_for_trust().await?;
            command(session).await
        })
        .await
    }

    /// Where else the servers' names stand.
    pub(crate) fn shadowed(&self) -> BTreeMap<String, Vec<Source>> {
        self.daemon.shadowed()
    }

    /// What is wrong with configuration files and entries that gave no server.
    pub(crate) fn problems(&self) -> Vec<Problem> {
        self.daemon.problems()
    }

    /// Submits a request and waits for its answer. Ctrl-C cancels it; a second one ends the process. Whoever sits at the
    /// terminal can log in to a server that asks for it, and answer one that asks.
    pub(crate) async fn ask(&self, request: Request) -> Result<Reply, Failure> {
        if on_terminal() {
            return self.ask_shown(request).await;
        }
        self.answered(request, None).await
    }

    /// The same where a login is what was asked for: its page is printed wherever stderr goes.
    pub(crate) async fn ask_shown(&self, request: Request) -> Result<Reply, Failure> {
        self.answered(request, Some(Arc::new(Terminal { answers: on_terminal() }))).await
    }

    /// The same as part of another conversation than this sitting's; nobody is asked anything.
    pub(crate) async fn ask_in(&self, request: Request, conversation: &ConversationId) -> Result<Reply, Failure> {
        self.answered_in(request, conversation, None).await
    }

    async fn answered(&self, request: Request, asker: Option<Arc<dyn Asker>>) -> Result<Reply, Failure> {
        self.answered_in(request, &self.conversation, asker).await
    }

    async fn answered_in(
        &self,
        request: Request,
        conversation: &ConversationId,
        asker: Option<Arc<dyn Asker>>,
    ) -> Result<Reply, Failure> {
        let notices = self.daemon.notices();
        let ticket = self.daemon.submit_asking(request, FRONT, conversation, asker);
        let shown = progress::show(notices, ticket.run_id().clone(), self.quiet);
        tokio::select! {
            reply = answer(ticket) => Ok(reply?),
            never = shown => match never {},
        }
    }

    async fn ask_for_trust(&self) -> Result<(), Failure> {
        let Some(question) = self.daemon.trust_question().filter(|_| on_terminal()) else { return Ok(()) };
        let mut text = format!("The workspace {} would start:\n", question.workspace.display());
        for line in &question.would_start {
            let _ = writeln!(text, "  {}", visible(line));
        }
        text.push_str("Start them, now and whenever they are the same? [y/N] ");
        if std::io::stderr().write_all(text.as_bytes()).is_err() {
            return Ok(());
        }
        let answer = tokio::task::spawn_blocking(|| {
            let mut line = String::new();
            std::io::stdin().read_line(&mut line).map(|_| line)
        });
        let yes = matches!(answer.await, Ok(Ok(line)) if matches!(line.trim(), "y" | "Y" | "yes"));
        if yes {
            self.daemon.set_trusted(true, true).await?;
        } else {
            output::note("they stay stopped", self.quiet);
        }
        Ok(())
    }
}

/// Whether somebody sits in front of it.
fn on_terminal() -> bool {
    std::io::stdin().is_terminal() && std::io::stderr().is_terminal()
}

async fn answer(ticket: Ticket) -> Result<Reply, daemon::Error> {
    let cancel = ticket.cancellation();
    let reply = ticket.reply();
    tokio::pin!(reply);
    tokio::select! {
        reply = &mut reply => return reply,
        Ok(()) = tokio::signal::ctrl_c() => cancel.cancel(),
    }
    if std::io::stderr().is_terminal() {
        // It has just shown `^C`.
        output::say("");
    }
    output::note("cancelling; Ctrl-C again to quit at once", false);
    tokio::spawn(async {
        if tokio::signal::ctrl_c().await.is_ok() {
            process::exit(CANCELLED);
        }
    });
    reply.await
}
