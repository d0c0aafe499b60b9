//! The spine: every front submits here, and nowhere else.

use model::{ConversationId, Notice, Reply, Request};
use std::path::PathBuf;
use tokio::sync::{broadcast, oneshot};
use tokio_util::sync::CancellationToken;

/// How a daemon is set up. Every front fills this in from its own flags or settings.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// The workspace's folder; the nearest parent of the working directory with a configuration, else that directory.
    pub workspace: Option<PathBuf>,
    /// One more configuration file, whose servers the user has named and so trusts.
    pub config: Option<PathBuf>,
    /// `Some` says whether the workspace is trusted (the editor knows, or `--trust`); `None` asks the trust store.
    pub trusted: Option<bool>,
    /// User data; the platform's data folder where absent.
    pub data_dir: Option<PathBuf>,
    /// Hosts and limits given on the command line.
    pub timeout_ms: Option<u64>,
    /// Likewise, MiB.
    pub memory_mb: Option<u64>,
}

/// Why the daemon itself could not do what was asked. A program that fails is a normal reply.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The request is not well formed; the message says where and what to do.
    #[error("{0}")]
    Usage(String),
    /// The queue is full.
    #[error("busy: {0}")]
    Busy(String),
    /// Trust or policy refused it.
    #[error("{0}")]
    Denied(String),
    /// The daemon is stopping.
    #[error("the daemon is shutting down")]
    ShuttingDown,
    /// A fault of the daemon.
    #[error("{0}")]
    Fault(String),
}

/// A submitted request. Dropping it cancels the work.
#[derive(Debug)]
pub struct Ticket {
    pub(crate) reply: oneshot::Receiver<Result<Reply, Error>>,
    pub(crate) cancel: CancellationToken,
}

/// What `tta run` must know before it asks the user to trust a workspace.
#[derive(Clone, Debug)]
pub struct TrustQuestion {
    /// The workspace.
    pub workspace: PathBuf,
    /// What would be started: one line a server, with its exact command or URL.
    pub would_start: Vec<String>,
}

/// A running daemon; clones share it.
#[derive(Clone, Debug)]
pub struct Daemon {}

impl Daemon {
    /// Starts a daemon on the current tokio runtime. Starts no server: they start when they are needed.
    pub async fn start(options: Options) -> Result<Self, Error> {
        let _ = options;
        Err(Error::ShuttingDown)
    }

    /// Hands a request in and returns at once, without awaiting anything, so that a front that calls it in order keeps
    /// its order.
    pub fn submit(&self, request: Request, front: &'static str, conversation: &ConversationId) -> Ticket {
        let _ = (request, front, conversation);
        let (_tx, reply) = oneshot::channel();
        Ticket { reply, cancel: CancellationToken::new() }
    }

    /// Notifications from now on.
    pub fn notices(&self) -> broadcast::Receiver<Notice> {
        broadcast::channel(1).1
    }

    /// Whether servers of the workspace wait for the user's trust, and what they would start.
    pub fn trust_question(&self) -> Option<TrustQuestion> {
        None
    }

    /// The user's answer. `remember` stores it with the hash of what was shown.
    pub async fn set_trusted(&self, trusted: bool, remember: bool) -> Result<(), Error> {
        let _ = (trusted, remember);
        Ok(())
    }

    /// The workspace this daemon serves.
    pub fn workspace(&self) -> &std::path::Path {
        std::path::Path::new(".")
    }

    /// Counts what is pending, stops the servers and their process groups, and ends every run.
    pub async fn shutdown(&self) {}
}

impl Ticket {
    /// The answer.
    pub async fn reply(mut self) -> Result<Reply, Error> {
        (&mut self.reply).await.unwrap_or(Err(Error::ShuttingDown))
    }

    /// Cancels the work; the answer still comes and says so.
    pub fn cancellation(&self) -> CancellationToken {
        self.cancel.clone()
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        self.cancel.cancel();
    }
}
