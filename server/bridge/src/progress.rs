//! What a server tells of calls that are under way.
//!
//! Updates are taken from the transport itself, in their order, before the answer that follows them: rmcp handles each
//! notification in a task of its own, which would lose both. Only those of calls under way are kept.
//!
//! Bounded: updates kept of one call, the oldest go first; and each one's text.

use crate::host::Questions;
use crate::pages;
use crate::said::Mouth;
use crate::subscribe::Topics;
use model::TraceContext;
use rmcp::model::{JsonRpcMessage, RequestMetaObject, ServerNotification};
use rmcp::model::{NumberOrString, ProgressNotificationParam, ProgressToken};
use rmcp::service::{RoleClient, RxJsonRpcMessage, TxJsonRpcMessage};
use rmcp::transport::Transport;
use serde::Serialize;
use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use tokio::sync::Notify;

/// Updates of one call that wait to be read.
const KEPT_MAX: usize = 128;
/// Bytes of an update's text.
const MESSAGE_BYTES: usize = 1_000;

/// One update.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Update {
    /// How far the call is; no update's is less than the one's before.
    pub progress: f64,
    /// What `progress` will be at the end, where the server knows.
    pub total: Option<f64>,
    /// In words.
    pub message: Option<String>,
}

/// The updates of one call; clones share them.
#[derive(Clone, Debug, Default)]
pub struct Progress(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    kept: Mutex<Kept>,
    told: Notify,
    /// What the server is told of the trace that the call belongs to.
    trace: OnceLock<TraceContext>,
}

#[derive(Debug, Default)]
struct Kept {
    /// How many there ever were.
    count: u64,
    last: VecDeque<Update>,
}

impl Progress {
    /// How many updates there have been, and those after the first `seen` that are still kept.
    pub fn since(&self, seen: u64) -> (u64, Vec<Update>) {
        let kept = self.kept();
        let unseen = usize::try_from(kept.count.saturating_sub(seen)).unwrap_or(usize::MAX);
        let skipped = kept.last.len().saturating_sub(unseen);
        (kept.count, kept.last.iter().skip(skipped).cloned().collect())
    }

    /// Waits for an update after the first `seen`.
    pub async fn after(&self, seen: u64) {
        loop {
            let mut told = std::pin::pin!(self.0.told.notified());
            told.as_mut().enable();
            if self.kept().count > seen {
                return;
            }
            told.await;
        }
    }

    /// The call belongs to this trace, and its server is told so. Only the first one counts.
    pub fn trace(&self, trace: TraceContext) {
        let _ = self.0.trace.set(trace);
    }

    /// `meta` with what the server is told of the trace, by the names that MCP has for it (SEP-414).
    pub(crate) fn with_trace(&self, meta: Option<&RequestMetaObject>) -> Option<RequestMetaObject> {
        let Some(TraceContext { parent, state }) = self.0.trace.get() else { return meta.cloned() };
        let mut meta = meta.cloned().unwrap_or_default();
        meta.set_traceparent(parent);
        if !state.is_empty() {
            meta.set_tracestate(state);
        }
        Some(meta)
    }

    /// Something changed that the server puts no number on.
    pub(crate) fn note(&self, message: Option<&str>) {
        let last = self.kept().last.back().map(|last| (last.progress, last.total));
        let progress = match last {
            // Of the server's own figures nothing is known to have changed.
            Some((progress, Some(_))) => progress,
            Some((progress, None)) => progress + 1.0,
            None => 1.0,
        };
        let mut said = ProgressNotificationParam::new(ProgressToken(NumberOrString::Number(0)), progress);
        said.total = last.and_then(|(_, total)| total);
        said.message = message.map(str::to_owned);
        self.push(&said);
    }

    fn push(&self, said: &ProgressNotificationParam) {
        let message = said.message.as_deref().map(|text| text[..text.floor_char_boundary(MESSAGE_BYTES)].to_owned());
        let mut kept = self.kept();
        if kept.last.len() == KEPT_MAX {
            kept.last.pop_front();
        }
        kept.last.push_back(Update { progress: said.progress, total: said.total, message });
        kept.count += 1;
        drop(kept);
        self.0.told.notify_waiters();
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.0.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The calls of one connection that are under way.
#[derive(Debug, Default)]
pub(crate) struct Watched(Mutex<Calls>);

#[derive(Debug, Default)]
struct Calls {
    by_token: HashMap<i64, Progress>,
    /// The last update of a call that was sent and is not in the map yet.
    early: Option<ProgressNotificationParam>,
}

/// One call in the map, as long as it lives.
pub(crate) struct Watch<'a> {
    watched: &'a Watched,
    token: i64,
}

impl Watched {
    /// Follows the request of `token`.
    pub(crate) fn follow(&self, token: &ProgressToken, progress: &Progress) -> Option<Watch<'_>> {
        let token = number(token)?;
        let mut calls = self.calls();
        calls.by_token.insert(token, progress.clone());
        if let Some(early) = calls.early.take_if(|early| number(&early.progress_token) == Some(token)) {
            progress.push(&early);
        }
        Some(Watch { watched: self, token })
    }

    fn take(&self, said: ProgressNotificationParam) {
        let mut calls = self.calls();
        let call = number(&said.progress_token).and_then(|token| calls.by_token.get(&token));
        match call {
            Some(call) => call.push(&said),
            None => calls.early = Some(said),
        }
    }

    fn calls(&self) -> MutexGuard<'_, Calls> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Watch<'_> {
    fn drop(&mut self) {
        self.watched.calls().by_token.remove(&self.token);
    }
}

/// rmcp's tokens are numbers; one that is none is nobody's.
fn number(token: &ProgressToken) -> Option<i64> {
    match token.0 {
        NumberOrString::Number(number) => Some(number),
        NumberOrString::String(_) => None,
    }
}

/// A transport whose progress goes to `watched`, changes of resources to `topics` and log messages to `mouth`, and not to rmcp;
/// what is said of pages is noted.
pub(crate) struct Tapped<T> {
    pub(crate) transport: T,
    pub(crate) watched: Arc<Watched>,
    pub(crate) topics: Arc<Topics>,
    pub(crate) mouth: Mouth,
    pub(crate) questions: Arc<Questions>,
}

impl<T: Transport<RoleClient>> Transport<RoleClient> for Tapped<T> {
    type Error = T::Error;

    fn send(
        &mut self,
        item: TxJsonRpcMessage<RoleClient>,
    ) -> impl Future<Output = Result<(), Self::Error>> + Send + 'static {
        self.transport.send(item)
    }

    async fn receive(&mut self) -> Option<RxJsonRpcMessage<RoleClient>> {
        loop {
            match self.transport.receive().await? {
                JsonRpcMessage::Notification(said) => match said.notification {
                    ServerNotification::ProgressNotification(said) => self.watched.take(said.params),
                    ServerNotification::CustomNotification(told) if told.method == pages::DONE => {
                        self.questions.complete(told.params.as_ref());
                    }
                    ServerNotification::ResourceUpdatedNotification(said) => self.topics.changed(&said.params.uri),
                    other => {
                        if let Some(other) = self.mouth.take(other) {
                            return Some(JsonRpcMessage::notification(other));
                        }
                    }
                },
                message => {
                    self.questions.pages.note(&message);
                    return Some(message);
                }
            }
        }
    }

    fn close(&mut self) -> impl Future<Output = Result<(), Self::Error>> + Send {
        self.transport.close()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures::FutureExt;

    fn said(token: i64, progress: f64, message: Option<&str>) -> ProgressNotificationParam {
        let mut said = ProgressNotificationParam::new(ProgressToken(NumberOrString::Number(token)), progress);
        said.message = message.map(str::to_owned);
        said
    }

    #[test]
    fn only_what_was_not_seen_is_given_and_the_oldest_go_first() {
        let progress = Progress::default();
        assert!(progress.after(0).now_or_never().is_none());
        for n in 0..200 {
            progress.push(&said(1, f64::from(n), None));
        }
        let (count, kept) = progress.since(0);
        let number = |update: &Update| update.progress.to_string();
        assert_eq!((count, kept.len(), number(&kept[0])), (200, KEPT_MAX, "72".to_owned()));
        assert_eq!(number(&progress.since(199).1[0]), "199");
        assert!(progress.since(200).1.is_empty() && progress.since(999).1.is_empty());
        assert!(progress.after(199).now_or_never().is_some() && progress.after(200).now_or_never().is_none());
    }

    #[test]
    fn each_update_reaches_its_own_call_while_that_is_under_way() {
        let (watched, [a, b]) = (Watched::default(), [Progress::default(), Progress::default()]);
        watched.take(said(1, 0.5, None));
        let first = watched.follow(&ProgressToken(NumberOrString::Number(1)), &a);
        let _second = watched.follow(&ProgressToken(NumberOrString::Number(2)), &b);
        watched.take(said(2, 1.0, Some(&"ü".repeat(MESSAGE_BYTES))));
        drop(first);
        watched.take(said(1, 2.0, None));
        assert_eq!((a.since(0).0, b.since(0).0), (1, 1), "one came before its call was known");
        assert!(b.since(0).1[0].message.as_ref().expect("a text").len() <= MESSAGE_BYTES);
    }
}
