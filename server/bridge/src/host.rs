//! What a server asks in the middle of a call, of a person or of a model, and who answers it.
//!
//! Invariants: one question of a server is open at a time, few wait, and each has its time; a question goes with the
//! server's own interest in it, and with its connection. While one is open no call's time runs at that server. What is
//! asked is bounded and without the server's secrets; what is answered fits what was asked.
//!
//! Left out on purpose: whom to ask, and whether anybody may be, which the daemon knows.

#![expect(deprecated, reason = "the newest protocol drops sampling; today's servers ask for it")]

use crate::form;
use crate::pages::{Page, Pages, WantedPage};
use crate::redact::Redactor;
use futures::future::BoxFuture;
use model::ask::{ElicitReply, ElicitRequest, Offers, SampleReply, SampleRequest};
use model::{PageId, ServerSpec};
use rmcp::ErrorData;
use rmcp::model::{
    ClientCapabilities, CreateMessageRequestParams, CreateMessageResult, ElicitRequestParams, ElicitResult,
    ElicitationAction, ElicitationCapability, ErrorCode, FormElicitationCapability, SamplingCapability,
    SamplingMessage, UrlElicitationCapability,
};
use serde_json::{Map, Value};
use std::fmt::Debug;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Mutex, Semaphore, watch};

/// Questions of one server that wait for the one that is open.
const WAITING_MAX: usize = 8;
/// Longest time for an answer; the host's own may be shorter.
const PATIENCE: Duration = Duration::from_mins(6);
/// MCP's code for a question that a person refused.
const REFUSED: ErrorCode = ErrorCode(-1);

/// Who answers servers. What it does not implement is refused.
pub trait Host: Debug + Send + Sync + 'static {
    /// What can be asked; a server is told at its start.
    fn offers(&self) -> Offers {
        Offers::default()
    }

    /// A person's answer, or why nobody can be asked. Dropping the future withdraws the question.
    fn elicit(&self, _request: ElicitRequest) -> BoxFuture<'static, Result<ElicitReply, String>> {
        Box::pin(async { Err("nobody can be asked here".to_owned()) })
    }

    /// What was to be done on a page is done; it may be shown still, or have been long ago.
    fn completed(&self, _page: &PageId) {}

    /// A model's answer, or why there is none.
    fn sample(&self, _request: SampleRequest) -> BoxFuture<'static, Result<SampleReply, String>> {
        Box::pin(async { Err("no model can be asked here".to_owned()) })
    }
}

/// The questions of one connection.
pub(crate) struct Questions {
    server: String,
    content_hash: String,
    host: Option<Arc<dyn Host>>,
    redactor: Redactor,
    offers: Offers,
    pub(crate) pages: Pages,
    turn: Mutex<()>,
    waiting: Semaphore,
    /// How many are open or wait.
    asking: watch::Sender<usize>,
}

impl Questions {
    /// What the host offers now is what this connection offers.
    pub(crate) fn new(spec: &ServerSpec, host: Option<&Arc<dyn Host>>, redactor: &Redactor) -> Self {
        Self {
            server: spec.name.clone(),
            content_hash: spec.content_hash.clone(),
            host: host.cloned(),
            redactor: redactor.clone(),
            offers: host.map(|host| host.offers()).unwrap_or_default(),
            pages: Pages::default(),
            turn: Mutex::default(),
            waiting: Semaphore::new(WAITING_MAX),
            asking: watch::Sender::new(0),
        }
    }

    /// How many questions are open or wait: while there is one, the server waits for a person, and nobody for the server.
    pub(crate) fn asking(&self) -> watch::Receiver<usize> {
        self.asking.subscribe()
    }

    /// Whether more can be asked by now than the server was told.
    pub(crate) fn offers_too_little(&self) -> bool {
        self.host.as_ref().is_some_and(|host| self.offers.or(host.offers()) != self.offers)
    }

    /// Declares what can be asked.
    pub(crate) fn declare(&self, capabilities: &mut ClientCapabilities) {
        if self.offers.form || self.offers.url {
            let mut elicitation = ElicitationCapability::new();
            elicitation.form = self.offers.form.then(FormElicitationCapability::new);
            elicitation.url = self.offers.url.then(UrlElicitationCapability::new);
            capabilities.elicitation = Some(elicitation);
        }
        if self.offers.sampling {
            capabilities.sampling = Some(SamplingCapability::default());
        }
    }

    /// `elicitation/create`, as a request of the server's or within its answer to a call.
    pub(crate) async fn elicit(&self, params: ElicitRequestParams) -> Result<ElicitResult, ErrorData> {
        let page = match &params {
            ElicitRequestParams::UrlElicitationParams { elicitation_id, .. } => Some(self.pages.of(elicitation_id)),
            _ => None,
        };
        let mut request = form::question(&self.server, params, &self.redactor).map_err(invalid)?;
        if let (ElicitRequest::Url { id, .. }, Some(page)) = (&mut request, &page) {
            *id = page.id.clone();
        }
        let (offered, what) = match request {
            ElicitRequest::Form { .. } => (self.offers.form, "elicitation"),
            ElicitRequest::Url { .. } => (self.offers.url, "elicitation by a page"),
        };
        let Some(host) = self.host.as_ref().filter(|_| offered) else { return Err(not_offered(what)) };
        let answer = self.unless_done(page.as_ref(), || host.elicit(request.clone())).await?;
        let reply = answer.unwrap_or(Ok(ElicitReply::Cancel)).unwrap_or(ElicitReply::Decline);
        Ok(match request.check(reply) {
            Ok(ElicitReply::Accept { content }) => {
                let accepted = ElicitResult::new(ElicitationAction::Accept);
                let is_form = matches!(request, ElicitRequest::Form { .. });
                if is_form { accepted.with_content(Value::Object(content)) } else { accepted }
            }
            Ok(ElicitReply::Decline) => ElicitResult::new(ElicitationAction::Decline),
            Ok(ElicitReply::Cancel) => ElicitResult::new(ElicitationAction::Cancel),
            Err(why) => {
                tracing::warn!(server = self.server, "an answer does not fit its question: {why}");
                ElicitResult::new(ElicitationAction::Cancel)
            }
        })
    }

    /// Whether pages can be shown.
    pub(crate) fn shows_pages(&self) -> bool {
        self.offers.url
    }

    /// Has a person visit a page that a request needs, and do there what is wanted; or why that was not done.
    pub(crate) async fn visit(&self, wanted: &WantedPage) -> Result<(), String> {
        let Some(host) = self.host.as_ref().filter(|_| self.offers.url) else {
            return Err("and nobody can be asked here".to_owned());
        };
        let page = self.pages.of(&wanted.id);
        let request = ElicitRequest::Url {
            server: self.server.clone(),
            message: wanted.message.clone(),
            url: wanted.url.clone(),
            id: page.id.clone(),
            awaited: true,
        };
        let answer =
            self.unless_done(Some(&page), || host.elicit(request)).await.map_err(|e| e.message.into_owned())?;
        match answer {
            Some(Ok(ElicitReply::Accept { .. })) => Ok(()),
            Some(Ok(ElicitReply::Decline)) => Err("and a person said no".to_owned()),
            Some(Ok(ElicitReply::Cancel)) | None => Err("and that was not done in time, or left".to_owned()),
            Some(Err(why)) => Err(format!("and nobody could be asked: {why}")),
        }
    }

    pub(crate) fn tell_host(&self, page: &PageId) {
        if let Some(host) = &self.host {
            host.completed(page);
        }
    }

    /// The answer to a question; a yes where it is about a page and what was to be done there is done by itself.
    async fn unless_done(
        &self,
        page: Option<&Page>,
        question: impl FnOnce() -> BoxFuture<'static, Result<ElicitReply, String>>,
    ) -> Result<Option<Result<ElicitReply, String>>, ErrorData> {
        let done = async {
            match page {
                Some(page) => page.done.cancelled().await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            biased;
            () = done => Ok(Some(Ok(ElicitReply::Accept { content: Map::new() }))),
            answer = self.ask(question) => answer,
        }
    }

    /// `sampling/createMessage`, likewise.
    pub(crate) async fn sample(&self, params: CreateMessageRequestParams) -> Result<CreateMessageResult, ErrorData> {
        let Some(host) = self.host.as_ref().filter(|_| self.offers.sampling) else {
            return Err(not_offered("sampling: there is no editor in front whose model could be asked"));
        };
        let request = form::prompt(&self.server, &self.content_hash, params, &self.redactor).map_err(invalid)?;
        match self.ask(|| host.sample(request)).await? {
            Some(Ok(SampleReply { model, text, stop_reason })) => {
                let mut result = CreateMessageResult::new(SamplingMessage::assistant_text(text), model);
                result.stop_reason = stop_reason;
                Ok(result)
            }
            Some(Err(why)) => Err(ErrorData::new(REFUSED, why, None)),
            None => Err(ErrorData::new(REFUSED, "nobody answered in time", None)),
        }
    }

    /// Asks when it is its turn; none where no answer comes in time.
    async fn ask<T, F: Future<Output = T>>(&self, question: impl FnOnce() -> F) -> Result<Option<T>, ErrorData> {
        let place = self.waiting.try_acquire();
        let _place = place.map_err(|_| {
            let why = format!("{WAITING_MAX} questions of this server wait already");
            ErrorData::new(ErrorCode::INTERNAL_ERROR, why, None)
        })?;
        let _open = Open::new(&self.asking);
        let asked = async {
            let _turn = self.turn.lock().await;
            question().await
        };
        Ok(tokio::time::timeout(PATIENCE, asked).await.ok())
    }
}

/// One more question that is open or waits.
struct Open<'a>(&'a watch::Sender<usize>);

impl<'a> Open<'a> {
    fn new(asking: &'a watch::Sender<usize>) -> Self {
        asking.send_modify(|open| *open += 1);
        Self(asking)
    }
}

impl Drop for Open<'_> {
    fn drop(&mut self) {
        self.0.send_modify(|open| *open -= 1);
    }
}

fn not_offered(what: &str) -> ErrorData {
    ErrorData::new(ErrorCode::METHOD_NOT_FOUND, format!("this client does not offer {what}"), None)
}

fn invalid(why: String) -> ErrorData {
    ErrorData::invalid_params(why, None)
}
