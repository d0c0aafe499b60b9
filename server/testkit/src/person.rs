//! A person in front of a client, who answers what is asked when the test says so.

use daemon::Asker;
use futures::FutureExt as _;
use futures::future::BoxFuture;
use model::editor::{ApprovalReply, ApprovalRequest};
use std::sync::Arc;
use tokio::sync::{mpsc, oneshot};

/// Passes questions on to the test.
#[derive(Debug)]
struct Person(mpsc::UnboundedSender<Question>);

/// What the person is asked, in order.
pub type Questions = mpsc::UnboundedReceiver<Question>;

/// An open question. Dropping it says that nobody can be asked.
#[derive(Debug)]
pub struct Question {
    /// What is asked.
    pub request: ApprovalRequest,
    answer: oneshot::Sender<ApprovalReply>,
}

/// Somebody to ask, and the questions they are asked.
pub fn person() -> (Arc<dyn Asker>, Questions) {
    let (questions, asked) = mpsc::unbounded_channel();
    (Arc::new(Person(questions)), asked)
}

impl Asker for Person {
    fn approve(&self, request: ApprovalRequest) -> BoxFuture<'static, Option<ApprovalReply>> {
        let (answer, answered) = oneshot::channel();
        let told = self.0.send(Question { request, answer }).is_ok();
        async move { if told { answered.await.ok() } else { None } }.boxed()
    }
}

impl Question {
    /// Answers it.
    pub fn answer(self, reply: ApprovalReply) {
        // Who was not there any more did not hear it.
        let _ = self.answer.send(reply);
    }

    /// Resolves when the daemon does not want to know any more.
    pub async fn withdrawn(&mut self) {
        self.answer.closed().await;
    }
}
