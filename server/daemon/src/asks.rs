//! What servers ask in the middle of a call: whom of those in front of a call at that server to ask, and for how long.
//!
//! Invariants: a server asks only while somebody calls it, from a workspace that is trusted; the question goes with the
//! last of those calls; the runs that make them stand still meanwhile. Nobody to ask is a no, no answer in time is none.
//! A server does not say which of several calls its question belongs to: the newest caller is asked.
//!
//! Left out on purpose: bounds of what is asked, and whether an answer fits, which are the bridge's.

use crate::call::bounded;
use crate::editor::{Asker, Editor};
use bridge::Host;
use engine::RunClock;
use futures::FutureExt as _;
use futures::future::BoxFuture;
use model::PageId;
use model::ask::{ElicitReply, ElicitRequest, Offers, SampleReply, SampleRequest};
use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tokio_util::sync::CancellationToken;

/// Longest time for a person, and for a model with the person's leave.
const PATIENCE: Duration = Duration::from_mins(5);
/// Bytes of another's words that are quoted.
const CAUSE_BYTES: usize = 512;
/// Pages of which it is remembered who shows them.
const PAGES_MAX: usize = 64;

/// One per daemon.
#[derive(Debug)]
pub(crate) struct Asks {
    editor: Option<Arc<dyn Editor>>,
    /// What whoever was in front so far can be asked. A server is told at its start, and not again.
    offers: Mutex<Offers>,
    servers: Mutex<HashMap<String, Called>>,
    /// Who was last asked to show a page, the newest page last.
    pages: Mutex<VecDeque<(PageId, Arc<dyn Asker>)>>,
}

/// A server that is being called.
#[derive(Debug, Default)]
struct Called {
    /// The newest last.
    calls: Vec<Arc<Call>>,
    /// Cancelled when there are no calls any more.
    over: CancellationToken,
}

#[derive(Debug)]
struct Call {
    asker: Option<Arc<dyn Asker>>,
    clock: RunClock,
    trusted: bool,
    /// How long questions of the server were open during the call.
    asked: Mutex<Duration>,
}

/// A call under way, until it is dropped.
pub(crate) struct UnderWay<'a> {
    asks: &'a Asks,
    server: String,
    call: Arc<Call>,
}

impl Asks {
    pub(crate) fn new(editor: Option<Arc<dyn Editor>>) -> Self {
        let offers = editor.as_ref().map(|editor| editor.offers()).unwrap_or_default();
        Self { editor, offers: Mutex::new(offers), servers: Mutex::default(), pages: Mutex::default() }
    }

    /// Somebody is in front who can be asked.
    pub(crate) fn note(&self, offers: Offers) {
        let mut all = lock(&self.offers);
        *all = all.or(offers);
    }

    /// A call of `server` begins; while it is under way the server may ask, where the workspace is `trusted`.
    pub(crate) fn enter(
        &self,
        server: &str,
        asker: Option<&Arc<dyn Asker>>,
        clock: &RunClock,
        trusted: bool,
    ) -> UnderWay<'_> {
        let call = Arc::new(Call { asker: asker.cloned(), clock: clock.clone(), trusted, asked: Mutex::default() });
        lock(&self.servers).entry(server.to_owned()).or_default().calls.push(Arc::clone(&call));
        UnderWay { asks: self, server: server.to_owned(), call }
    }

    /// Remembers who shows a page.
    fn shown(&self, page: &PageId, asker: &Arc<dyn Asker>) {
        let mut pages = lock(&self.pages);
        pages.retain(|(other, _)| other != page);
        if pages.len() == PAGES_MAX {
            pages.pop_front();
        }
        pages.push_back((page.clone(), Arc::clone(asker)));
    }

    /// Tells whoever shows a page that it is done.
    fn completed(&self, page: &PageId) {
        let mut pages = lock(&self.pages);
        let shown = pages.iter().position(|(other, _)| other == page).and_then(|at| pages.remove(at));
        drop(pages);
        if let Some((page, asker)) = shown {
            asker.completed(&page);
        }
    }

    /// Puts a question of `server` to the first that takes it; `None` where nobody does.
    async fn put<T>(
        self: Arc<Self>,
        server: String,
        ask: impl Fn(&Arc<dyn Asker>) -> BoxFuture<'static, Option<T>>,
    ) -> Result<T, Unasked> {
        let (calls, over) = match lock(&self.servers).get(&server) {
            Some(called) => (called.calls.clone(), called.over.clone()),
            None => return Err(Unasked::Nobody("no call of it is under way")),
        };
        if !calls.iter().all(|call| call.trusted) {
            return Err(Unasked::Nobody("the workspace is not trusted"));
        }
        let _still = Still::new(calls.clone());
        let asked = async {
            let editor = self.editor.clone().map(|editor| editor as Arc<dyn Asker>);
            let newest = calls.iter().rev().find_map(|call| call.asker.clone());
            for asker in newest.into_iter().chain(editor) {
                if let Some(answer) = ask(&asker).await {
                    return Ok(answer);
                }
            }
            Err(Unasked::Nobody("nobody in front can answer it"))
        };
        tokio::select! {
            answer = tokio::time::timeout(PATIENCE, asked) => answer.unwrap_or(Err(Unasked::Silence)),
            () = over.cancelled() => Err(Unasked::Silence),
        }
    }
}

/// Why there is no answer.
enum Unasked {
    Nobody(&'static str),
    Silence,
}

/// The host of the bridge's servers.
#[derive(Debug)]
pub(crate) struct Person(pub(crate) Arc<Asks>);

impl Host for Person {
    fn offers(&self) -> Offers {
        *lock(&self.0.offers)
    }

    fn elicit(&self, request: ElicitRequest) -> BoxFuture<'static, Result<ElicitReply, String>> {
        let (asks, server) = (Arc::clone(&self.0), request.server().to_owned());
        let shows = Arc::clone(&self.0);
        async move {
            let ask = move |asker: &Arc<dyn Asker>| {
                if let ElicitRequest::Url { id, .. } = &request {
                    shows.shown(id, asker);
                }
                asker.elicit(request.clone())
            };
            match asks.put(server.clone(), ask).await {
                Ok(reply) => Ok(reply),
                Err(Unasked::Silence) => Ok(ElicitReply::Cancel),
                Err(Unasked::Nobody(why)) => {
                    tracing::warn!(target: "progress", "a question of the server `{server}` was declined: {why}");
                    Err(why.to_owned())
                }
            }
        }
        .boxed()
    }

    fn completed(&self, page: &PageId) {
        self.0.completed(page);
    }

    fn sample(&self, request: SampleRequest) -> BoxFuture<'static, Result<SampleReply, String>> {
        let (asks, server) = (Arc::clone(&self.0), request.server.clone());
        async move {
            let answer = asks.put(server.clone(), move |asker| asker.sample(request.clone())).await;
            answer
                .unwrap_or_else(|unasked| {
                    Err(match unasked {
                        Unasked::Silence => "nobody answered in time".to_owned(),
                        Unasked::Nobody(why) => {
                            tracing::warn!(target: "progress", "no model was asked for the server `{server}`: {why}");
                            format!("no model can be asked: {why}")
                        }
                    })
                })
                .map_err(|why| bounded(&why, CAUSE_BYTES).to_owned())
        }
        .boxed()
    }
}

impl UnderWay<'_> {
    /// How long questions of the server were open meanwhile: no part of what the call took.
    pub(crate) fn asked(&self) -> Duration {
        *lock(&self.call.asked)
    }
}

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        let mut servers = lock(&self.asks.servers);
        let Some(called) = servers.get_mut(&self.server) else { return };
        called.calls.retain(|call| !Arc::ptr_eq(call, &self.call));
        if called.calls.is_empty() {
            called.over.cancel();
            servers.remove(&self.server);
        }
    }
}

/// Runs that stand still for a question.
struct Still {
    calls: Vec<Arc<Call>>,
    since: Instant,
    _pauses: Vec<engine::Pause>,
}

impl Still {
    fn new(calls: Vec<Arc<Call>>) -> Self {
        let pauses = calls.iter().map(|call| call.clock.pause()).collect();
        Self { calls, since: Instant::now(), _pauses: pauses }
    }
}

impl Drop for Still {
    fn drop(&mut self) {
        for call in &self.calls {
            *lock(&call.asked) += self.since.elapsed();
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
