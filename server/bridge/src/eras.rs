//! Which era of the protocol a server speaks: the stateless one of 2026-07-28, or one that begins with `initialize`.
//!
//! rmcp asks `server/discover` first and falls back to `initialize`, but it waits ten seconds for a server that says nothing
//! to the unknown, and gives up one that says something odd. [`Greeting`] stands between it and the transport, so that the
//! asking costs no server its start: after a moment `initialize` goes out as well, an answer that is none is a no, and where
//! `initialize` is refused a late yes still counts. Left out on purpose: servers that die of the question (`open` starts them
//! again and does not ask), and those that hang of it altogether.

use crate::connection::Client;
use rmcp::model::{
    ClientRequest, DiscoverResult, ErrorCode, ErrorData, InitializeResult, JsonRpcMessage, ProtocolVersion, RequestId,
    ServerResult,
};
use rmcp::service::{ClientInitializeError, ClientLifecycleMode, RoleClient, RxJsonRpcMessage, TxJsonRpcMessage};
use rmcp::transport::Transport;
use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::time::Instant;

/// So long `server/discover` alone is waited for. No slow start loses anything by it, see above.
pub(crate) const PATIENCE: Duration = Duration::from_secs(1);

/// How a server is spoken to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Era {
    /// Every request says all that it needs: 2026-07-28.
    Stateless,
    /// From `initialize` on: up to 2025-11-25.
    Initialize,
    /// The same over HTTP+SSE.
    EventStream,
}

impl Era {
    /// What was agreed on over stdio or streamable HTTP.
    pub(crate) fn of(client: &Client) -> Self {
        match client.peer().peer_info() {
            Some(server) if !server.protocol_version.has_initialize() => Self::Stateless,
            _ => Self::Initialize,
        }
    }

    /// What to try.
    pub(crate) fn lifecycle(known: Option<Self>) -> ClientLifecycleMode {
        match known {
            Some(Self::Initialize | Self::EventStream) => ClientLifecycleMode::Initialize,
            Some(Self::Stateless) | None => {
                ClientLifecycleMode::Auto { preferred_versions: vec![ProtocolVersion::LATEST], legacy_version: None }
            }
        }
    }
}

/// What was agreed on with each configuration, by its hash: a restart does not ask again.
#[derive(Default)]
pub(crate) struct Eras(Mutex<HashMap<String, Era>>);

impl Eras {
    pub(crate) fn of(&self, hash: &str) -> Option<Era> {
        self.all().get(hash).copied()
    }

    pub(crate) fn agreed(&self, hash: &str, era: Era) {
        self.all().insert(hash.to_owned(), era);
    }

    /// A start failed; the server may have become another one.
    pub(crate) fn forget(&self, hash: &str) {
        self.all().remove(hash);
    }

    /// Forgets what is not configured any more.
    pub(crate) fn retain(&self, kept: impl Fn(&str) -> bool) {
        self.all().retain(|hash, _| kept(hash));
    }

    fn all(&self) -> MutexGuard<'_, HashMap<String, Era>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A transport over which rmcp finds out the era.
pub(crate) struct Greeting<T> {
    transport: T,
    stage: Stage,
    patience: Option<Duration>,
}

enum Stage {
    Fresh,
    /// `server/discover` is out, and waited for until then.
    Discovering {
        id: RequestId,
        until: Option<Instant>,
    },
    /// It was waited for long enough.
    Overdue,
    /// `initialize` is out as well.
    Both(Box<Both>),
    /// rmcp was told that `initialize` brought the stateless revision; what it says next is for the other eras.
    Converted,
    Settled,
}

struct Both {
    initialize: RequestId,
    /// The late yes.
    found: Option<DiscoverResult>,
    /// `initialize` was refused: what is left is a late yes, until then.
    refused: Option<(ErrorData, Instant)>,
}

impl<T> Greeting<T> {
    /// `patience` is how long `server/discover` is waited for alone, where other messages can go out meanwhile.
    pub(crate) fn new(transport: T, patience: Option<Duration>) -> Self {
        Self { transport, stage: Stage::Fresh, patience }
    }

    /// Notes what rmcp sends; false where it is not to be sent.
    fn note(&mut self, item: &TxJsonRpcMessage<RoleClient>) -> bool {
        let (stage, goes) = match (item, std::mem::replace(&mut self.stage, Stage::Settled)) {
            (JsonRpcMessage::Request(asked), stage) => match (&asked.request, stage) {
                (ClientRequest::DiscoverRequest(_), _) => {
                    let until = self.patience.map(|patience| Instant::now() + patience);
                    (Stage::Discovering { id: asked.id.clone(), until }, true)
                }
                (ClientRequest::InitializeRequest(_), Stage::Overdue) => {
                    let both = Both { initialize: asked.id.clone(), found: None, refused: None };
                    (Stage::Both(Box::new(both)), true)
                }
                _ => (Stage::Settled, true),
            },
            // The notification that follows `initialize`.
            (JsonRpcMessage::Notification(_), Stage::Converted) => (Stage::Settled, false),
            (_, stage) => (stage, true),
        };
        self.stage = stage;
        goes
    }

    /// What rmcp hears of a message that arrived, if anything.
    fn heard(&mut self, message: RxJsonRpcMessage<RoleClient>) -> Option<RxJsonRpcMessage<RoleClient>> {
        match &mut self.stage {
            // There is nothing else that could be answered.
            Stage::Discovering { id, .. } if is_answer(&message) => {
                let id = id.clone();
                let (stage, told) = discovered(id, message);
                self.stage = stage;
                Some(told)
            }
            Stage::Both(both) if answers(&message, &both.initialize) => match message {
                JsonRpcMessage::Error(refusal) => {
                    both.refused = Some((refusal.error, Instant::now() + PATIENCE));
                    if both.found.is_some() { self.conclude() } else { None }
                }
                message => {
                    self.stage = Stage::Settled;
                    Some(message)
                }
            },
            // The other one's, also where it is an error without an id.
            Stage::Both(both) if is_answer(&message) => {
                let is_refused = both.refused.is_some();
                both.found = supported(message).ok();
                match both.found {
                    None if !is_refused => {
                        self.stage = Stage::Settled;
                        None
                    }
                    Some(_) if !is_refused => None,
                    _ => self.conclude(),
                }
            }
            _ => Some(message),
        }
    }

    /// What rmcp hears where `initialize` was refused: a late yes takes its place.
    fn conclude(&mut self) -> Option<RxJsonRpcMessage<RoleClient>> {
        let Stage::Both(both) = std::mem::replace(&mut self.stage, Stage::Settled) else { return None };
        let (refusal, _) = both.refused?;
        let Some(found) = both.found else { return Some(JsonRpcMessage::error(refusal, Some(both.initialize))) };
        self.stage = Stage::Converted;
        let mut result = InitializeResult::new(found.capabilities).with_protocol_version(ProtocolVersion::LATEST);
        result.instructions = found.instructions;
        Some(JsonRpcMessage::response(ServerResult::InitializeResult(result), both.initialize))
    }

    /// When something is too late.
    fn until(&self) -> Option<Instant> {
        match &self.stage {
            Stage::Discovering { until, .. } => *until,
            Stage::Both(both) => both.refused.as_ref().map(|(_, until)| *until),
            _ => None,
        }
    }

    fn too_late(&mut self) -> Option<RxJsonRpcMessage<RoleClient>> {
        let Stage::Discovering { id, .. } = &self.stage else { return self.conclude() };
        let id = id.clone();
        self.stage = Stage::Overdue;
        Some(no(id, "it did not answer in time"))
    }
}

impl<T: Transport<RoleClient>> Transport<RoleClient> for Greeting<T> {
    type Error = T::Error;

    fn send(
        &mut self,
        item: TxJsonRpcMessage<RoleClient>,
    ) -> impl Future<Output = Result<(), Self::Error>> + Send + 'static {
        let goes = matches!(self.stage, Stage::Settled) || self.note(&item);
        let sent = goes.then(|| self.transport.send(item));
        async move {
            match sent {
                Some(sent) => sent.await,
                None => Ok(()),
            }
        }
    }

    async fn receive(&mut self) -> Option<RxJsonRpcMessage<RoleClient>> {
        loop {
            let received = match self.until() {
                Some(until) => tokio::time::timeout_at(until, self.transport.receive()).await,
                None => Ok(self.transport.receive().await),
            };
            let told = match received {
                Ok(Some(message)) => self.heard(message),
                // A refusal says more than an end.
                Ok(None) => return self.conclude(),
                Err(_elapsed) => self.too_late(),
            };
            if told.is_some() {
                return told;
            }
        }
    }

    fn close(&mut self) -> impl Future<Output = Result<(), Self::Error>> + Send {
        self.transport.close()
    }
}

fn is_answer(message: &RxJsonRpcMessage<RoleClient>) -> bool {
    matches!(message, JsonRpcMessage::Response(_) | JsonRpcMessage::Error(_))
}

fn answers(message: &RxJsonRpcMessage<RoleClient>, id: &RequestId) -> bool {
    match message {
        JsonRpcMessage::Response(answer) => answer.id == *id,
        JsonRpcMessage::Error(error) => error.id.as_ref() == Some(id),
        _ => false,
    }
}

/// The answer to `server/discover` as rmcp is to hear it: a yes to the stateless revision, or a no.
fn discovered(id: RequestId, message: RxJsonRpcMessage<RoleClient>) -> (Stage, RxJsonRpcMessage<RoleClient>) {
    if let JsonRpcMessage::Error(error) = &message
        && is_asked_again(&error.error)
    {
        return (Stage::Fresh, message);
    }
    let told = match supported(message) {
        Ok(found) => JsonRpcMessage::response(ServerResult::DiscoverResult(found), id),
        Err(why) => no(id, why),
    };
    (Stage::Settled, told)
}

/// Whether a server that refuses the revision of the question speaks it after all: rmcp asks once more.
fn is_asked_again(error: &ErrorData) -> bool {
    let supported = error.data.as_ref().and_then(|data| data.get("supported")?.as_array());
    error.code == ErrorCode::UNSUPPORTED_PROTOCOL_VERSION
        && supported.is_some_and(|all| all.iter().any(|version| version == ProtocolVersion::LATEST.as_str()))
}

fn supported(message: RxJsonRpcMessage<RoleClient>) -> Result<DiscoverResult, String> {
    match message {
        JsonRpcMessage::Response(answer) => match answer.result {
            ServerResult::DiscoverResult(found) if found.supported_versions.contains(&ProtocolVersion::LATEST) => {
                Ok(found)
            }
            ServerResult::DiscoverResult(_) => Err(format!("it does not speak {}", ProtocolVersion::LATEST)),
            _ => Err("its answer is of another kind".to_owned()),
        },
        JsonRpcMessage::Error(error) => Err(error.error.message.into_owned()),
        _ => Err("it is no answer".to_owned()),
    }
}

/// What rmcp takes for the answer of a server that knows no `server/discover`.
fn no(id: RequestId, why: impl Into<String>) -> RxJsonRpcMessage<RoleClient> {
    JsonRpcMessage::error(ErrorData::new(ErrorCode::METHOD_NOT_FOUND, why.into(), None), Some(id))
}

/// Why a handshake failed, where both ways were tried: what `initialize` was answered.
pub(crate) fn cause(error: &ClientInitializeError) -> &ClientInitializeError {
    match error {
        ClientInitializeError::LegacyFallbackFailed { fallback, .. } => cause(fallback),
        error => error,
    }
}
