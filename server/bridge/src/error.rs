//! Why a server could not be used. Each message says which server it was, what happened and what to do.
//!
//! Invariant: no message holds a secret. Whatever comes from a server (its stderr, its replies' error texts, a URL) has
//! been through `redact` before it gets here. A tool that answers `isError` is a result, not an error of this kind.

use crate::pages::WantedPage;

/// What a server does not offer that tells nobody of changes.
pub(crate) const SUBSCRIPTIONS: &str = "subscriptions to resources";

/// Why a server could not be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// No such server.
    #[error("no server called `{server}` is configured")]
    UnknownServer {
        /// The name that was asked for.
        server: String,
    },
    /// Switched off.
    #[error("server `{server}` is switched off in its configuration")]
    Disabled {
        /// Which server.
        server: String,
    },
    /// Its configuration has variables without a value.
    #[error("server `{server}` cannot start: {}", missing.join("; "))]
    Unresolved {
        /// Which server.
        server: String,
        /// What is missing, one sentence each.
        missing: Vec<String>,
    },
    /// The program could not be started at all.
    #[error("server `{server}`: cannot start `{command}`: {why}")]
    Spawn {
        /// Which server.
        server: String,
        /// The configured program, without its arguments.
        command: String,
        /// What the system said.
        why: String,
        /// How to mend it.
        hint: String,
    },
    /// It did not come up as an MCP server.
    #[error("server `{server}` failed to connect: {why}{}", quote(stderr_tail))]
    Handshake {
        /// Which server.
        server: String,
        /// What went wrong.
        why: String,
        /// The last lines of its stderr.
        stderr_tail: String,
        /// How to mend it.
        hint: String,
    },
    /// It asks for authorization, or refuses the one it was given.
    #[error("server `{server}` asks for authorization: what it was given is missing or refused (HTTP 401)")]
    Unauthorized {
        /// Which server.
        server: String,
    },
    /// It wants somebody to log in, or to log in with more rights; nothing was done.
    #[error("server `{server}` asks for a login{}", more_rights(scope))]
    LoginNeeded {
        /// Which server.
        server: String,
        /// The scope that is missing; empty where it is about the login itself.
        scope: String,
    },
    /// A login to it, or the refresh of one, came to nothing.
    #[error("the login to server `{server}` failed: {why}")]
    LoginFailed {
        /// Which server.
        server: String,
        /// What went wrong.
        why: String,
        /// How to mend it.
        hint: String,
    },
    /// It took too long.
    #[error("server `{server}`: {what} took longer than {ms} ms{}", quote(note))]
    Timeout {
        /// Which server.
        server: String,
        /// What took too long.
        what: String,
        /// The time it had.
        ms: u64,
        /// What is known of the reason.
        note: String,
    },
    /// Its process ended.
    #[error("server `{server}` died ({exit}){}", quote(stderr_tail))]
    Died {
        /// Which server.
        server: String,
        /// How it ended.
        exit: String,
        /// The last lines of its stderr.
        stderr_tail: String,
    },
    /// It crashed too often and is not started again by itself.
    #[error("server `{server}` is in quarantine after {crashes} crashes in three minutes: {cause}")]
    Quarantined {
        /// Which server.
        server: String,
        /// How many there were.
        crashes: usize,
        /// The last one.
        cause: String,
    },
    /// It runs, but does not answer a ping, with no call left that it could be busy with.
    #[error("server `{server}` hangs: it did not answer a ping within {ms} ms")]
    Hangs {
        /// Which server.
        server: String,
        /// The time it had.
        ms: u64,
    },
    /// It has more calls than it may have at once, or in a minute.
    #[error("server `{server}` is busy: {what}")]
    Busy {
        /// Which server.
        server: String,
        /// What there is too much of.
        what: String,
        /// The setting that decides.
        limit: &'static str,
    },
    /// It was stopped on purpose: reconfigured, restarted, or the daemon is shutting down.
    #[error("server `{server}` was stopped while the call was under way")]
    Stopped {
        /// Which server.
        server: String,
    },
    /// A message could not be brought to it.
    #[error("server `{server}` cannot be reached: {why}")]
    Unreachable {
        /// Which server.
        server: String,
        /// What went wrong.
        why: String,
    },
    /// It answered with an HTTP status in place of an answer.
    #[error("server `{server}` refused what it was sent (HTTP {status}){}", quote(why))]
    Refused {
        /// Which server.
        server: String,
        /// The status.
        status: u16,
        /// What it said, or when it wants to be asked again.
        why: String,
    },
    /// It does not keep to the protocol.
    #[error("server `{server}` broke the protocol: {what}")]
    Protocol {
        /// Which server.
        server: String,
        /// What it did.
        what: String,
    },
    /// It answered with a JSON-RPC error.
    #[error("server `{server}` answered error {code}: {message}")]
    Rpc {
        /// Which server.
        server: String,
        /// The JSON-RPC code.
        code: i32,
        /// Its message.
        message: String,
    },
    /// It carries a request out only after a person has visited pages, and that was not done.
    #[error("server `{server}` wants a page of {} visited by a person first, {why}", origins(pages))]
    PagesWanted {
        /// Which server.
        server: String,
        /// Those that it wants, one at least.
        pages: Vec<WantedPage>,
        /// Why it was not done, as the end of the sentence.
        why: String,
    },
    /// It made a task of the call, of which nothing came.
    #[error("server `{server}`: the task that it made of the call {what}")]
    Task {
        /// Which server.
        server: String,
        /// How it ended, and why.
        what: String,
    },
    /// It does not have what was asked for.
    #[error("server `{server}` offers no {what}")]
    NotOffered {
        /// Which server.
        server: String,
        /// `resources`, `prompts` or [`SUBSCRIPTIONS`].
        what: &'static str,
    },
    /// Too much is asked of it at once.
    #[error("server `{server}`: there are {what} already")]
    TooMany {
        /// Which server.
        server: String,
        /// Of what, and how many.
        what: String,
    },
    /// It sent more than fits.
    #[error("server `{server}`: {what} is larger than {limit_bytes} bytes")]
    TooLarge {
        /// Which server.
        server: String,
        /// What is too large.
        what: String,
        /// The limit.
        limit_bytes: usize,
    },
}

impl Error {
    /// What to do next, in one sentence.
    pub fn hint(&self) -> String {
        match self {
            Self::UnknownServer { .. } => "See `tta servers` for the configured names.".into(),
            Self::Disabled { .. } => "Remove `disabled` from its entry, or use another server.".into(),
            Self::Unresolved { missing, .. } if missing.iter().any(|m| m.starts_with("`${input:")) => {
                "Give the value where an editor asks for it, or write `${env:NAME}` in its place and set that variable."
                    .into()
            }
            Self::Unresolved { .. } => "Set the named variable, or write its value into the server's entry.".into(),
            Self::Unauthorized { .. } => {
                "Add an `Authorization` header with a valid token to its entry; where the token is asked for, restart it \
                 to be asked again."
                    .into()
            }
            Self::LoginNeeded { server, .. } => {
                format!("A person can log in: by restarting it in the editor, or with `tta servers login {server}`.")
            }
            Self::Spawn { hint, .. } | Self::Handshake { hint, .. } | Self::LoginFailed { hint, .. } => hint.clone(),
            Self::Timeout { .. } => {
                "Ask for less at once, or raise the timeout; `tta servers` shows its last error.".into()
            }
            Self::Died { .. } => "It is started again at its next use; its log is in the data folder.".into(),
            Self::Quarantined { server, .. } => {
                format!("Mend the cause, then restart it: in the editor, or with `tta servers restart {server}`.")
            }
            Self::Hangs { .. } => "It was ended, and is started again at its next use.".into(),
            Self::Busy { server, limit, .. } => {
                format!("Make fewer calls at once, or raise `{limit}` under `[servers.{server}]` in tta.toml.")
            }
            Self::Stopped { .. } => "Call again: it starts at its next use.".into(),
            Self::Unreachable { .. } => "Check that it is running and reads what it is sent, then call again.".into(),
            Self::Refused { status: 429 | 503, .. } => "It has too much to do: call it less often, or later.".into(),
            Self::Refused { status: 403, .. } => "Check what its token or headers are allowed to do.".into(),
            Self::Refused { status: 500.., .. } => "Something failed inside it: call again, or look at its own log.".into(),
            Self::Refused { .. } => "Check its URL and headers in its entry.".into(),
            Self::Protocol { .. } => "Update the server, or report this to its authors.".into(),
            Self::Rpc { .. } => "Compare the arguments with the tool's stub.".into(),
            Self::PagesWanted { .. } => {
                "Do not retry it in another way: tell the person what waits for them, and call again when they want it.".into()
            }
            Self::Task { .. } => "Call again, with other arguments where those are the reason.".into(),
            Self::NotOffered { what: SUBSCRIPTIONS, .. } => {
                "Read it again from time to time: resources.read(uri), with a pause between.".into()
            }
            Self::TooMany { .. } => "End those that are not needed: leave their loops.".into(),
            Self::NotOffered { .. } => "Use its tools instead; search_tools lists them.".into(),
            Self::TooLarge { .. } => "Ask for a smaller part, such as a page or a range.".into(),
        }
    }

    /// Whether the server refused who we say we are, rather than something failing.
    pub fn is_unauthorized(&self) -> bool {
        matches!(self, Self::Unauthorized { .. })
    }

    /// Whether somebody who logs in would help.
    pub fn needs_login(&self) -> bool {
        matches!(self, Self::LoginNeeded { .. })
    }

    /// Whether it was left without an answer: by a server that is slow, hangs, or is not there.
    pub(crate) fn is_unanswered(&self) -> bool {
        matches!(self, Self::Timeout { .. } | Self::Unreachable { .. } | Self::Refused { status: 429 | 500.., .. })
    }

    /// Whether a start that ended so was a crash: a process ran, and came to nothing by itself.
    pub(crate) fn is_crash(&self) -> bool {
        !matches!(
            self,
            Self::Spawn { .. }
                | Self::Unresolved { .. }
                | Self::Unauthorized { .. }
                | Self::LoginNeeded { .. }
                | Self::LoginFailed { .. }
                | Self::Stopped { .. }
        )
    }

    /// Whether time ran out, rather than something failing.
    pub fn is_timeout(&self) -> bool {
        matches!(self, Self::Timeout { .. })
    }
}

/// `text` after a colon, or nothing.
fn quote(text: &str) -> String {
    if text.is_empty() { String::new() } else { format!(": {text}") }
}

/// Where pages lead, each once.
fn origins(pages: &[WantedPage]) -> String {
    let mut all: Vec<String> = pages.iter().map(WantedPage::origin).collect();
    all.dedup();
    all.join(", ")
}

fn more_rights(scope: &str) -> String {
    if scope.is_empty() { String::new() } else { format!(" with more rights (`{scope}`)") }
}
