//! An editor in front of a daemon, which answers what is asked when the test says so.

use daemon::{Asker, Editor};
use futures::FutureExt as _;
use futures::future::BoxFuture;
use model::Secret;
use model::ask::{ElicitReply, ElicitRequest, Offers, SampleReply, SampleRequest};
use model::editor::{
    ApprovalReply, ApprovalRequest, EditorTool, EditorToolCall, EditorToolReply, InputRequest, OpenUrlRequest,
};
use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use tokio::sync::{mpsc, oneshot};

/// What an editor is asked. Dropping one says that the editor is gone.
#[derive(Debug)]
pub enum Asked {
    /// For a person's word.
    Approve(ApprovalRequest, Answer<Option<ApprovalReply>>),
    /// For its tools.
    Tools(Answer<Result<Vec<EditorTool>, String>>),
    /// To call one of them.
    Call(EditorToolCall, Answer<Result<EditorToolReply, String>>),
    /// For the value of an input.
    Input(InputRequest, Answer<Result<Option<Secret>, String>>),
    /// For a person's answer to a server.
    Elicit(ElicitRequest, Answer<Option<ElicitReply>>),
    /// For its model's answer to a server.
    Sample(SampleRequest, Answer<Result<SampleReply, String>>),
    /// To open the page of a login.
    Open(OpenUrlRequest, Answer<Result<(), String>>),
}

/// Where an answer goes.
#[derive(Debug)]
pub struct Answer<T>(oneshot::Sender<T>);

impl<T> Answer<T> {
    /// Gives it.
    pub fn give(self, answer: T) {
        // Who was not there any more did not hear it.
        let _ = self.0.send(answer);
    }

    /// Resolves when the daemon does not want to know any more.
    pub async fn withdrawn(&mut self) {
        self.0.closed().await;
    }
}

/// Passes questions on, and keeps what it is to keep.
#[derive(Debug)]
struct Scripted(mpsc::UnboundedSender<Asked>, Kept);

/// What an editor keeps.
pub type Kept = Arc<Mutex<HashMap<String, Secret>>>;

/// An editor, and what it is asked, in order.
pub fn editor() -> (Arc<dyn Editor>, mpsc::UnboundedReceiver<Asked>) {
    editor_keeping(Kept::default())
}

/// The same with what earlier ones kept.
pub fn editor_keeping(kept: Kept) -> (Arc<dyn Editor>, mpsc::UnboundedReceiver<Asked>) {
    let (asks, asked) = mpsc::unbounded_channel();
    (Arc::new(Scripted(asks, kept)), asked)
}

impl Scripted {
    fn ask<T: Send + 'static>(&self, asked: impl FnOnce(Answer<T>) -> Asked) -> BoxFuture<'static, Option<T>> {
        let (answer, answered) = oneshot::channel();
        let _ = self.0.send(asked(Answer(answer)));
        async move { answered.await.ok() }.boxed()
    }
}

fn or_gone<T: 'static>(answer: BoxFuture<'static, Option<Result<T, String>>>) -> BoxFuture<'static, Result<T, String>> {
    answer.map(|answer| answer.unwrap_or_else(|| Err("the editor is gone".to_owned()))).boxed()
}

impl Asker for Scripted {
    fn approve(&self, request: ApprovalRequest) -> BoxFuture<'static, Option<ApprovalReply>> {
        self.ask(|answer| Asked::Approve(request, answer)).map(Option::flatten).boxed()
    }

    fn offers(&self) -> Offers {
        Offers { form: true, url: true, sampling: true }
    }

    fn elicit(&self, request: ElicitRequest) -> BoxFuture<'static, Option<ElicitReply>> {
        self.ask(|answer| Asked::Elicit(request, answer)).map(Option::flatten).boxed()
    }

    fn sample(&self, request: SampleRequest) -> BoxFuture<'static, Option<Result<SampleReply, String>>> {
        self.ask(|answer| Asked::Sample(request, answer)).boxed()
    }

    fn open_url(&self, page: OpenUrlRequest) -> BoxFuture<'static, Result<(), String>> {
        or_gone(self.ask(|answer| Asked::Open(page, answer)))
    }
}

impl Editor for Scripted {
    fn tools(&self) -> BoxFuture<'static, Result<Vec<EditorTool>, String>> {
        or_gone(self.ask(Asked::Tools))
    }

    fn call_tool(&self, call: EditorToolCall) -> BoxFuture<'static, Result<EditorToolReply, String>> {
        or_gone(self.ask(|answer| Asked::Call(call, answer)))
    }

    fn input(&self, request: InputRequest) -> BoxFuture<'static, Result<Option<Secret>, String>> {
        or_gone(self.ask(|answer| Asked::Input(request, answer)))
    }

    fn kept(&self, key: String) -> BoxFuture<'static, Result<Option<Secret>, String>> {
        let kept = self.1.lock().expect("not poisoned").get(&key).cloned();
        async { Ok(kept) }.boxed()
    }

    fn keep(&self, key: String, value: Option<Secret>) -> BoxFuture<'static, Result<(), String>> {
        let mut kept = self.1.lock().expect("not poisoned");
        match value {
            Some(value) => kept.insert(key, value),
            None => kept.remove(&key),
        };
        async { Ok(()) }.boxed()
    }
}
