//! What a stateless server needs to know before it can answer: it says so instead of answering, and the request is made
//! again with the answers. Servers of the other eras ask by requests of their own (`handler`); both are answered alike.
//!
//! Bounded: rounds, and the questions of one round. A question that cannot be answered here ends the request, as there is no
//! way to tell the server.

use crate::connection::Connection;
use crate::eras::Era;
use crate::error::Error;
use crate::progress::Progress;
use rmcp::ErrorData;
use rmcp::model::{ClientRequest, InputRequest, InputRequiredResult, InputResponses, ServerResult};
use serde_json::Value;
use std::time::Duration;

/// How often one request is made.
const ROUNDS_MAX: u32 = 10;
/// Questions of one round.
const QUESTIONS_MAX: usize = 16;
/// A server that asks nothing but for patience is given this much, doubled with each further time.
const PAUSE: Duration = Duration::from_millis(50);

impl Connection {
    /// One request, and what the server asks on the way to its answer.
    pub(crate) async fn converse(&self, request: ClientRequest, progress: &Progress) -> Result<ServerResult, Error> {
        if self.era == Era::Stateless {
            // Boxed, as it is rare so far, and every call's future would have room for it.
            return Box::pin(self.rounds(request, progress)).await;
        }
        self.request(request, progress).await
    }

    async fn rounds(&self, mut request: ClientRequest, progress: &Progress) -> Result<ServerResult, Error> {
        for round in 0..ROUNDS_MAX {
            let needs = match self.request(request.clone(), progress).await? {
                ServerResult::InputRequiredResult(needs) => needs,
                answer => return Ok(answer),
            };
            let InputRequiredResult { input_requests, request_state, .. } = needs;
            let questions = input_requests.unwrap_or_default();
            if questions.len() > QUESTIONS_MAX {
                return Err(self.protocol(&format!("it asks more than {QUESTIONS_MAX} questions at once")));
            }
            if questions.is_empty() {
                tokio::time::sleep(PAUSE * 2_u32.pow(round)).await;
            }
            let mut answers = InputResponses::new();
            for (key, question) in questions {
                let answer = self.respond(question).await.map_err(|why| {
                    self.protocol(&format!("it asks in the middle of a call what has no answer here: {}", why.message))
                })?;
                answers.insert(key, answer);
            }
            if !attach(&mut request, answers, request_state) {
                return Err(self.unexpected());
            }
        }
        Err(self.protocol(&format!("it asks again and again instead of answering, {ROUNDS_MAX} times")))
    }

    /// The answer to one question.
    pub(crate) async fn respond(&self, question: InputRequest) -> Result<Value, ErrorData> {
        let answer = match question {
            InputRequest::Elicitation(asked) => serde_json::to_value(self.questions.elicit(asked.params).await?),
            InputRequest::CreateMessage(asked) => serde_json::to_value(self.questions.sample(asked.params).await?),
            InputRequest::ListRoots(_) => Ok(self.roots.clone()),
            _ => return Err(ErrorData::invalid_params("a question of an unknown kind", None)),
        };
        answer.map_err(|error| ErrorData::internal_error(error.to_string(), None))
    }
}

/// Puts the answers into the request; false where it is none that a server may answer with questions.
fn attach(request: &mut ClientRequest, answers: InputResponses, state: Option<String>) -> bool {
    let (responses, request_state) = match request {
        ClientRequest::CallToolRequest(call) => (&mut call.params.input_responses, &mut call.params.request_state),
        ClientRequest::GetPromptRequest(get) => (&mut get.params.input_responses, &mut get.params.request_state),
        ClientRequest::ReadResourceRequest(read) => (&mut read.params.input_responses, &mut read.params.request_state),
        _ => return false,
    };
    *responses = (!answers.is_empty()).then_some(answers);
    *request_state = state;
    true
}
