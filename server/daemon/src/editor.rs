//! Who can be asked: the person in front of a client, and the editor. Implemented by the fronts.
//!
//! No answer is ever taken for granted: an [`Asker`] that cannot ask says so, and an answer that does not come in time
//! is a no (`approve.rs`).

use futures::future::BoxFuture;
use model::ask::{ElicitReply, ElicitRequest, Offers, SampleReply, SampleRequest};
use model::editor::{
    ApprovalReply, ApprovalRequest, EditorTool, EditorToolCall, EditorToolReply, InputRequest, OpenUrlRequest,
};
use model::{PageId, Secret};
use std::fmt::Debug;

/// Puts a question to a person.
pub trait Asker: Debug + Send + Sync + 'static {
    /// The person's answer; `None` where nobody can be asked. Dropping the future withdraws the question.
    fn approve(&self, request: ApprovalRequest) -> BoxFuture<'static, Option<ApprovalReply>>;

    /// What else can be asked here, on behalf of servers.
    fn offers(&self) -> Offers {
        Offers::default()
    }

    /// A person's answer to a server; `None` where nobody can be asked. Dropping the future withdraws the question. Of a page
    /// that is awaited a yes says that what was to be done there is done.
    fn elicit(&self, _request: ElicitRequest) -> BoxFuture<'static, Option<ElicitReply>> {
        Box::pin(async { None })
    }

    /// What was to be done on a page that was shown here is done, as its server says, perhaps long afterwards.
    fn completed(&self, _page: &PageId) {}

    /// A model's answer to a server, or why there is none; `None` where there is no model to ask.
    fn sample(&self, _request: SampleRequest) -> BoxFuture<'static, Option<Result<SampleReply, String>>> {
        Box::pin(async { None })
    }

    /// Shows a person the page of a login. Whoever has no way to says so, and the editor is asked instead.
    fn open_url(&self, _page: OpenUrlRequest) -> BoxFuture<'static, Result<(), String>> {
        Box::pin(async { Err("this client opens no pages".to_owned()) })
    }
}

/// An editor: it asks, offers tools of its own, and keeps secrets.
pub trait Editor: Asker {
    /// The tools that the editor offers, ours left out.
    fn tools(&self) -> BoxFuture<'static, Result<Vec<EditorTool>, String>>;

    /// One call of such a tool.
    fn call_tool(&self, call: EditorToolCall) -> BoxFuture<'static, Result<EditorToolReply, String>>;

    /// The value of an input; `None` where the person gave none.
    fn input(&self, request: InputRequest) -> BoxFuture<'static, Result<Option<Secret>, String>>;

    /// What is kept under a key.
    fn kept(&self, key: String) -> BoxFuture<'static, Result<Option<Secret>, String>>;

    /// Keeps a value under a key, or forgets what is there.
    fn keep(&self, key: String, value: Option<Secret>) -> BoxFuture<'static, Result<(), String>>;
}
