//! Pages that a server wants a person to visit: by a question of its own (`host`), or, since 2025-11-25, by an error in place
//! of an answer, which says that the request was not carried out and may be made again once they were visited.
//!
//! Invariants: a page is shown only with the person's consent, by whoever asks them; a request waits for the person's word
//! that it is done or for the server's, whichever is first, and is made once more. While somebody is asked about the
//! pages of one request, others that need some wait, and are first made again without asking; a no holds for them too.
//! Bounded: pages of one answer, and those of a connection that are remembered. What is told of any other is ignored.
//!
//! Both are taken from the transport, in their order, as rmcp has no name for either and a task for each notification.

use crate::connection::Connection;
use crate::error::Error;
use crate::form;
use crate::host::Questions;
use crate::progress::Progress;
use crate::redact::Redactor;
use crate::server::Asked;
use model::{PageId, ToolResult};
use rmcp::ErrorData;
use rmcp::model::{ElicitRequestParams, ErrorCode, JsonRpcMessage, ServerRequest};
use rmcp::service::{RoleClient, RxJsonRpcMessage};
use serde_json::{Map, Value};
use std::collections::VecDeque;
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use tokio_util::sync::CancellationToken;

/// The code of the error that asks for pages.
pub(crate) const WANTED: ErrorCode = ErrorCode(-32_042);
/// The notification that what was to be done on a page is done.
pub(crate) const DONE: &str = "notifications/elicitation/complete";

/// Pages of one answer.
const WANTED_MAX: usize = 8;
/// Pages of one connection that are remembered, the newest.
const KNOWN_MAX: usize = 64;
/// Bytes of a server's name for one.
const ID_BYTES: usize = 1 << 10;

/// A page that is wanted before a request is carried out.
#[derive(Clone, PartialEq, Eq)]
pub struct WantedPage {
    /// The server's name for it.
    pub(crate) id: String,
    /// It belongs in no log.
    pub(crate) url: String,
    pub(crate) message: String,
}

impl WantedPage {
    /// Where it leads, as far as people need to know in order to judge it: scheme, host and port.
    pub fn origin(&self) -> String {
        form::page(&self.url).map(|url| url.origin().ascii_serialization()).unwrap_or_default()
    }
}

impl fmt::Debug for WantedPage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("WantedPage").field(&self.origin()).finish()
    }
}

/// The pages that an error asks for, which may not be what they should; `None` where it names none.
pub(crate) fn wanted(error: &ErrorData, redactor: &Redactor) -> Option<Result<Vec<WantedPage>, String>> {
    let all = error.data.as_ref()?.get("elicitations")?.as_array().filter(|all| !all.is_empty())?;
    if all.len() > WANTED_MAX {
        return Some(Err(format!("it wants {} pages visited at once; {WANTED_MAX} are taken", all.len())));
    }
    let page = |page: &Value| {
        let text = |key: &str| page.get(key).and_then(Value::as_str).unwrap_or_default();
        let url = form::page(text("url")).map_err(|why| format!("it wants a page visited that cannot be: {why}"))?;
        Ok(WantedPage {
            id: text("elicitationId").to_owned(),
            url: url.into(),
            message: redactor.clean(text("message")),
        })
    };
    Some(all.iter().map(page).collect())
}

/// One page that a person was or is to be asked to open.
#[derive(Clone, Debug)]
pub(crate) struct Page {
    pub(crate) id: PageId,
    /// Cancelled when what was to be done there is done.
    pub(crate) done: CancellationToken,
}

/// The pages of one connection.
#[derive(Default)]
pub(crate) struct Pages {
    /// By the server's names, the newest last.
    known: Mutex<VecDeque<(String, Page)>>,
    /// How often somebody was asked for the sake of a request, however it ended.
    count: AtomicU64,
    /// Held while somebody is; how the last time ended, where it was not well.
    visits: tokio::sync::Mutex<Option<Error>>,
}

impl Pages {
    /// How often somebody was asked to visit pages before a request.
    pub(crate) fn visits(&self) -> u64 {
        self.count.load(Ordering::SeqCst)
    }

    /// The page of a server's name. One that is done is another page when it is asked for again.
    pub(crate) fn announce(&self, name: &str) -> Page {
        let fresh = || Page { id: PageId::new(), done: CancellationToken::new() };
        if name.is_empty() || name.len() > ID_BYTES {
            return fresh();
        }
        let mut known = self.known();
        let found = known.iter().position(|(other, _)| other == name).and_then(|at| known.remove(at));
        let page = found.map(|(_, page)| page).filter(|page| !page.done.is_cancelled()).unwrap_or_else(fresh);
        if known.len() == KNOWN_MAX {
            known.pop_front();
        }
        known.push_back((name.to_owned(), page.clone()));
        page
    }

    /// The same as it was announced, done or not.
    pub(crate) fn of(&self, name: &str) -> Page {
        let known = self.known().iter().find(|(other, _)| other == name).map(|(_, page)| page.clone());
        known.unwrap_or_else(|| self.announce(name))
    }

    /// What was to be done on a page is done. `None` where no such page is known, or it was done already.
    pub(crate) fn complete(&self, params: Option<&Value>) -> Option<PageId> {
        let name = params?.get("elicitationId")?.as_str()?;
        let known = self.known();
        let (_, page) = known.iter().find(|(other, page)| other == name && !page.done.is_cancelled())?;
        page.done.cancel();
        Some(page.id.clone())
    }

    /// Notes the pages that a message of the server's asks for.
    pub(crate) fn note(&self, message: &RxJsonRpcMessage<RoleClient>) {
        match message {
            JsonRpcMessage::Request(asked) => {
                if let ServerRequest::ElicitRequest(asked) = &asked.request
                    && let ElicitRequestParams::UrlElicitationParams { elicitation_id, .. } = &asked.params
                {
                    self.announce(elicitation_id);
                }
            }
            JsonRpcMessage::Error(answer) if answer.error.code == WANTED => {
                let pages = answer.error.data.as_ref().and_then(|data| data.get("elicitations")?.as_array());
                for page in pages.into_iter().flatten().take(WANTED_MAX) {
                    self.announce(page.get("elicitationId").and_then(Value::as_str).unwrap_or_default());
                }
            }
            _ => {}
        }
    }

    fn known(&self) -> MutexGuard<'_, VecDeque<(String, Page)>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Connection {
    /// The server's own error, which may ask for pages.
    pub(crate) fn refused(&self, error: &ErrorData) -> Error {
        let server = self.server().to_owned();
        match wanted(error, &self.redactor).filter(|_| error.code == WANTED) {
            Some(Ok(pages)) => {
                let asked =
                    if self.questions.shows_pages() { "which was not done" } else { "and nobody can be asked here" };
                Error::PagesWanted { server, pages, why: asked.to_owned() }
            }
            Some(Err(why)) => self.protocol(&why),
            None => Error::Rpc { server, code: error.code.0, message: self.redactor.clean(&error.message) },
        }
    }

    /// Makes a request once more that wanted pages visited, after a person visited them. `before` is [`Pages::visits`] when
    /// it was made the first time.
    pub(crate) async fn call_after_pages(
        &self,
        asked: Asked<'_>,
        arguments: Map<String, Value>,
        progress: &Progress,
        mut wanted: Vec<WantedPage>,
        before: u64,
    ) -> Result<ToolResult, Error> {
        let pages = &self.questions.pages;
        let mut last = pages.visits.lock().await;
        if pages.visits() != before {
            if let Some(refused) = &*last {
                return Err(refused.clone());
            }
            // What another request waited for may be all that this one needs.
            match self.make(asked, arguments.clone(), progress).await {
                Err(Error::PagesWanted { pages, .. }) => wanted = pages,
                answer => return answer,
            }
        }
        let visited = self.visit(wanted).await;
        pages.count.fetch_add(1, Ordering::SeqCst);
        *last = visited.clone().err();
        drop(last);
        visited?;
        match self.make(asked, arguments, progress).await {
            Err(Error::PagesWanted { server, pages, .. }) => {
                Err(Error::PagesWanted { server, pages, why: "which it wants still after they were visited".into() })
            }
            answer => answer,
        }
    }

    /// Has a person visit pages, one after the other.
    async fn visit(&self, pages: Vec<WantedPage>) -> Result<(), Error> {
        for page in pages {
            if let Err(why) = self.questions.visit(&page).await {
                return Err(Error::PagesWanted { server: self.server().to_owned(), pages: vec![page], why });
            }
        }
        Ok(())
    }
}

impl Questions {
    /// The server says that what was to be done on a page is done: whoever shows it is told.
    pub(crate) fn complete(&self, params: Option<&Value>) {
        if let Some(id) = self.pages.complete(params) {
            self.tell_host(&id);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn complete(pages: &Pages, name: &str) -> Option<PageId> {
        pages.complete(Some(&json!({"elicitationId": name})))
    }

    #[test]
    fn a_page_is_done_once_and_only_so_many_are_known() {
        let pages = Pages::default();
        let page = pages.announce("a");
        assert_eq!(pages.announce("a").id, page.id, "the same, as long as it is not done");
        assert_eq!((complete(&pages, "b"), pages.complete(None)), (None, None));
        assert_eq!(complete(&pages, "a"), Some(page.id.clone()));
        assert!(page.done.is_cancelled() && pages.of("a").done.is_cancelled());
        assert_eq!(complete(&pages, "a"), None);
        assert_ne!(pages.announce("a").id, page.id, "asked for again it is another one");
        for n in 0..KNOWN_MAX {
            pages.announce(&n.to_string());
        }
        assert_eq!(complete(&pages, "a"), None, "it was forgotten");
        assert!(complete(&pages, "0").is_some());
        let long = "x".repeat(ID_BYTES + 1);
        pages.announce(&long);
        assert_eq!((complete(&pages, &long), complete(&pages, "")), (None, None));
    }

    #[test]
    fn what_names_no_pages_is_an_error_like_others() {
        let read = |data: Value| wanted(&ErrorData::new(WANTED, "wanted", Some(data)), &Redactor::default());
        let page = |url: &str| json!({"mode": "url", "elicitationId": "1", "url": url, "message": "m"});
        for nothing in [json!(null), json!({}), json!({"elicitations": []}), json!({"elicitations": 7})] {
            assert_eq!(read(nothing), None);
        }
        let pages =
            read(json!({"elicitations": [page("https://HOST.example/a?secret")]})).expect("some").expect("good");
        assert_eq!(pages[0].origin(), "https://host.example");
        assert_eq!(format!("{pages:?}"), r#"[WantedPage("https://host.example")]"#);
        for bad in [json!([page("file:///etc/passwd")]), json!([7]), json!(vec![page("https://a.example"); 9])] {
            assert!(read(json!({"elicitations": bad})).expect("some").is_err());
        }
    }
}
