//! A client's run, or its call of one tool, from its request to its reply, over as many requests as its questions take.
//!
//! Invariant: a run belongs to one sitting, one tool and one set of arguments; while its client is away it goes on as far as it can
//! without an answer, and ends if it is no longer kept. Not bounded here: its time, which the daemon bounds, also while a
//! question is open.

use crate::elicit::Questions;
use crate::parked::Parked;
use crate::progress::Narrator;
use crate::results::Shelf;
use daemon::Ticket;
use model::{ConversationId, Reply, RunId};
use rmcp::ErrorData;
use rmcp::model::{InputRequiredResult, InputResponses, JsonObject};
use std::pin::Pin;
use tokio_util::sync::CancellationToken;

/// Runs of a sitting that wait for their clients to come back.
const PARKED_MAX: usize = 32;

/// What the requests of one sitting share.
#[derive(Debug)]
pub(crate) struct Sitting {
    pub(crate) conversation: ConversationId,
    pub(crate) shelf: Shelf,
    pub(crate) parked: Parked<Run>,
}

impl Default for Sitting {
    fn default() -> Self {
        Self { conversation: ConversationId::new(), shelf: Shelf::default(), parked: Parked::new(PARKED_MAX) }
    }
}

/// A run under way. Dropping it ends it.
pub(crate) struct Run {
    reply: Pin<Box<dyn Future<Output = Result<Reply, daemon::Error>> + Send>>,
    cancel: CancellationToken,
    id: RunId,
    questions: Questions,
    /// Those of its request, which the request that answers a question repeats.
    tool: String,
    arguments: JsonObject,
}

impl std::fmt::Debug for Run {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Run").field("id", &self.id).finish_non_exhaustive()
    }
}

/// Why a run is no longer driven.
pub(crate) enum Pause {
    /// It has ended.
    Ended(Result<Reply, daemon::Error>),
    /// It goes on when its client answers.
    Asks,
}

impl Run {
    pub(crate) fn new(ticket: Ticket, questions: Questions, tool: &str, arguments: JsonObject) -> Self {
        let (id, cancel) = (ticket.run_id().clone(), ticket.cancellation());
        Self { reply: Box::pin(ticket.reply()), cancel, id, questions, tool: tool.to_owned(), arguments }
    }

    /// The run that a client comes back for, with what it answers.
    pub(crate) fn resume(
        sitting: &Sitting,
        handle: &str,
        tool: &str,
        arguments: &JsonObject,
        responses: Option<InputResponses>,
    ) -> Result<Self, ErrorData> {
        let mut run =
            sitting.parked.take(handle, |run| run.tool == tool && run.arguments == *arguments).ok_or_else(|| {
                let why = "nothing waits under this requestState: it was answered already, its arguments differ, or it \
                       has waited too long; without requestState it is run anew";
                ErrorData::invalid_params(why, None)
            })?;
        run.questions.answered(responses);
        Ok(run)
    }

    /// Goes on until it ends, or asks what only the next request can answer. A client that gives up ends it.
    pub(crate) async fn drive(&mut self, narrator: &mut Narrator, given_up: &CancellationToken) -> Pause {
        let reply = tokio::select! {
            reply = &mut self.reply => reply,
            () = self.questions.serve() => return Pause::Asks,
            never = narrator.forward(&self.id) => match never {},
            () = given_up.cancelled() => {
                self.cancel.cancel();
                (&mut self.reply).await
            }
        };
        self.questions.withdraw().await;
        Pause::Ended(reply)
    }

    /// Leaves it until its client has answered its question.
    pub(crate) fn park(self, sitting: &Sitting) -> Result<InputRequiredResult, ErrorData> {
        let question = self.questions.put();
        let handle = sitting.parked.put(self).map_err(|e| ErrorData::internal_error(e.to_string(), None))?;
        Ok(InputRequiredResult::new(Some(question), Some(handle)))
    }
}
