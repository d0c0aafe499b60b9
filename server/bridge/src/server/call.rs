//! One question to a server: its turn, the server's start, its own time, and what the answer says of the server.

use super::Server;
use crate::Patience;
use crate::connection::Connection;
use crate::eras::Era;
use crate::error::Error;
use crate::feed::Feed;
use crate::patience::Late;
use crate::progress::Progress;
use crate::redact::Redactor;
use crate::subscribe::Subscription;
use model::{Method, ToolResult, Transport};
use serde_json::{Map, Value};
use std::sync::{Arc, Weak};
use std::time::Duration;

/// Longest time for the answer to a ping.
const PING: Duration = Duration::from_secs(5);

/// What a server is asked for.
#[derive(Clone, Copy)]
pub(crate) enum Asked<'a> {
    Tool(&'a str),
    Method(Method),
}

impl std::fmt::Display for Asked<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Tool(tool) => write!(f, "the call of `{tool}`"),
            Self::Method(method) => write!(f, "`{}`", method.name()),
        }
    }
}

impl Connection {
    /// One request, made once.
    pub(crate) async fn make(
        &self,
        asked: Asked<'_>,
        arguments: Map<String, Value>,
        progress: &Progress,
    ) -> Result<ToolResult, Error> {
        match asked {
            Asked::Tool(tool) => self.call(tool, arguments, progress, false).await,
            Asked::Method(method) => self.ask(method, arguments, progress).await,
        }
    }
}

impl Server {
    /// One call. Its turn, its start and the call itself each have their own time.
    pub(crate) async fn call(
        self: &Arc<Self>,
        asked: Asked<'_>,
        arguments: Map<String, Value>,
        patience: Patience,
        progress: &Progress,
    ) -> Result<ToolResult, Error> {
        let _in_use = self.enter();
        let _turn = self.turns.take(patience.total).await?;
        let connection = self.connected(patience.total).await?;
        // In its place, as waiting for it would hold it twice.
        let call = std::pin::pin!(async {
            let questions = &connection.questions;
            let spare = questions.shows_pages().then(|| (arguments.clone(), questions.pages.visits()));
            match (connection.make(asked, arguments, progress).await, spare) {
                (Err(Error::PagesWanted { pages, .. }), Some((arguments, before))) => {
                    // Boxed, as it is rare, and every call's future would have room for it.
                    Box::pin(connection.call_after_pages(asked, arguments, progress, pages, before)).await
                }
                (answer, _) => answer,
            }
        });
        let answer = match patience.wait(call, progress, connection.questions.asking()).await {
            Ok(answer) => answer,
            Err(late) => Err(self.too_slow(asked, late, &connection)),
        };
        self.judge(&answer, &connection);
        answer
    }

    /// Subscribes `feed` to a resource. Like a call until the subscription stands; from then on it takes no turn, and the server
    /// does not rest.
    pub(crate) async fn subscribe(
        self: &Arc<Self>,
        uri: &str,
        patience: Patience,
        feed: &Feed,
    ) -> Result<Subscription, Error> {
        let _in_use = self.enter();
        let listening = self.usage.listen();
        let _turn = self.turns.take(patience.total).await?;
        let connection = self.connected(patience.total).await?;
        // Over HTTP with sessions nothing else would tell that it is gone, or has forgotten us.
        let is_silent = connection.era == Era::Initialize && matches!(self.spec.transport, Transport::Http { .. });
        let pulse = is_silent.then_some(self.shared.options.pulse);
        let joining = std::pin::pin!(connection.subscribe(uri, feed, pulse, &self.shared.tasks));
        let answer = match patience.wait(joining, &Progress::default(), connection.questions.asking()).await {
            Ok(answer) => answer,
            Err(late) => Err(self.too_slow(Asked::Method(Method::Subscribe), late, &connection)),
        };
        self.judge(&answer, &connection);
        let mut subscription = answer?;
        subscription.listening = Some(listening);
        Ok(subscription)
    }

    async fn connected(self: &Arc<Self>, limit: Duration) -> Result<Arc<Connection>, Error> {
        let connection = tokio::time::timeout(limit, self.connection_to_call()).await;
        connection.unwrap_or_else(|_elapsed| Err(self.start_too_slow(limit)))
    }

    /// What an answer, or its absence, says of the server.
    fn judge<T>(self: &Arc<Self>, answer: &Result<T, Error>, connection: &Arc<Connection>) {
        match answer {
            Err(error) if error.is_unanswered() && connection.is_open() => {
                // All its answers come one way: where one is lost there, all may be.
                let one_way =
                    connection.era == Era::EventStream || matches!(self.spec.transport, Transport::Stdio { .. });
                if self.health.unanswered(error) && one_way {
                    self.shared.tasks.spawn(end_if_it_hangs(Arc::downgrade(self), connection.clone()));
                }
            }
            _ => self.health.answered(),
        }
    }

    fn start_too_slow(&self, limit: Duration) -> Error {
        let note = "it goes on starting in the background".to_owned();
        Error::Timeout { server: self.spec.name.clone(), what: "its start".to_owned(), ms: milliseconds(limit), note }
    }

    fn too_slow(&self, asked: Asked<'_>, late: Late, connection: &Connection) -> Error {
        let (what, limit) = match late {
            Late::Silent(limit) => (asked.to_string(), limit),
            Late::Endless(limit) => (format!("{asked}, which reports progress without an end,"), limit),
        };
        let note = Redactor::of(&self.spec).clean(&connection.observed.note());
        Error::Timeout { server: self.spec.name.clone(), what, ms: milliseconds(limit), note }
    }
}

/// A server whose calls go unanswered is pinged. Where even that has no answer, it is ended, unless it may be busy with
/// a call that somebody still waits for.
async fn end_if_it_hangs(server: Weak<Server>, connection: Arc<Connection>) {
    let pinged = tokio::time::timeout(PING, connection.ping()).await;
    let Some(server) = server.upgrade() else { return };
    if pinged.is_err() && !server.usage.is_busy() {
        let hangs = Error::Hangs { server: server.spec.name.clone(), ms: milliseconds(PING) };
        let _ = connection.hangs.set(hangs);
    }
}

fn milliseconds(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}
