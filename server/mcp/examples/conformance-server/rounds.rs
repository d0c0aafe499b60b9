//! Tools that ask their client by their answer, and go on with its next request: revision 2026-07-28.
//!
//! What a tool has to remember between two requests waits where the programs of `tta mcp` wait, under the same handles.

use mcp::Parked;
use rmcp::ErrorData;
use rmcp::model::{
    CallToolRequestParams, CallToolResponse, ClientCapabilities, CreateMessageRequest, CreateMessageRequestParams,
    ElicitRequest, ElicitRequestParams, GetPromptRequestParams, GetPromptResponse, GetPromptResult, InputRequest,
    InputRequiredResult, InputResponses, ListRootsRequest, PromptMessage, Role, SamplingMessage,
};
use serde_json::{Value, json};

/// The rounds that are open, by how far they are.
pub(crate) struct Rounds(Parked<u32>);

impl Default for Rounds {
    fn default() -> Self {
        Self(Parked::new(32))
    }
}

type Asked = Vec<(&'static str, InputRequest)>;

impl Rounds {
    pub(crate) fn call(
        &self,
        request: &CallToolRequestParams,
        client: &ClientCapabilities,
    ) -> Result<CallToolResponse, ErrorData> {
        let responses = request.input_responses.as_ref();
        let done = || Ok(super::text(format!("Done: {}", json!(responses))).into());
        let unless_answered =
            |asked: Asked| if answers(responses, &asked) { done() } else { Ok(ask(asked, None).into()) };
        match request.name.strip_prefix("test_input_required_result_").unwrap_or("streaming") {
            "streaming" => Ok(ask(vec![("value", question("Which value?", "value", "string"))], None).into()),
            "elicitation" => unless_answered(vec![("user_name", question("What is your name?", "name", "string"))]),
            "sampling" => unless_answered(vec![("capital_question", sample("What is the capital of France?"))]),
            "list_roots" => unless_answered(vec![("client_roots", roots())]),
            "capabilities" => {
                let can = [
                    client
                        .elicitation
                        .as_ref()
                        .map(|_| ("user_name", question("What is your name?", "name", "string"))),
                    client.sampling.as_ref().map(|_| ("greeting", sample("Generate a greeting"))),
                    client.roots.as_ref().map(|_| ("client_roots", roots())),
                ];
                unless_answered(can.into_iter().flatten().collect())
            }
            "multiple_inputs" => {
                let asked = vec![
                    ("user_name", question("What is your name?", "name", "string")),
                    ("greeting", sample("Generate a greeting")),
                    ("client_roots", roots()),
                ];
                self.rounds(request, vec![asked])
            }
            "multi_round" => {
                let first = vec![("step1", question("Step 1: What is your name?", "name", "string"))];
                let second = vec![("step2", question("Step 2: What is your favorite color?", "color", "string"))];
                self.rounds(request, vec![first, second])
            }
            "request_state" | "tampered_state" => {
                self.rounds(request, vec![vec![("confirm", question("Please confirm", "ok", "boolean"))]])
            }
            other => Err(ErrorData::invalid_params(format!("no tool {other}"), None)),
        }
    }

    /// Asks each of `rounds` in turn. What is not answered is asked again.
    fn rounds(&self, request: &CallToolRequestParams, mut rounds: Vec<Asked>) -> Result<CallToolResponse, ErrorData> {
        let at = match &request.request_state {
            None => 0,
            Some(handle) => {
                let at = self.0.take(handle, |_| true);
                let at = at.ok_or_else(|| ErrorData::invalid_params("this requestState is none of ours", None))?;
                at + u32::from(answers(request.input_responses.as_ref(), &rounds[at as usize]))
            }
        };
        if at as usize == rounds.len() {
            return Ok(super::text("Done: state-ok".to_owned()).into());
        }
        let handle = self.0.put(at).map_err(|e| ErrorData::internal_error(e.to_string(), None))?;
        Ok(ask(rounds.swap_remove(at as usize), Some(handle)).into())
    }

    pub(crate) fn prompt(request: &GetPromptRequestParams) -> GetPromptResponse {
        let asked = vec![("user_context", question("What context should the prompt use?", "context", "string"))];
        if !answers(request.input_responses.as_ref(), &asked) {
            return ask(asked, None).into();
        }
        let text = format!("Prompt with elicited context: {}", json!(request.input_responses));
        GetPromptResult::new(vec![PromptMessage::new_text(Role::User, text)]).into()
    }
}

/// Whether everything that was asked is answered, whatever else the client says.
fn answers(responses: Option<&InputResponses>, asked: &Asked) -> bool {
    asked.iter().all(|(key, _)| responses.and_then(|all| all.get(*key)).is_some_and(Value::is_object))
}

fn ask(asked: Asked, state: Option<String>) -> InputRequiredResult {
    let asked = asked.into_iter().map(|(key, request)| (key.to_owned(), request)).collect();
    InputRequiredResult::new(Some(asked), state)
}

fn question(message: &str, field: &str, kind: &str) -> InputRequest {
    let schema = json!({ "type": "object", "properties": { field: { "type": kind } }, "required": [field] });
    InputRequest::Elicitation(ElicitRequest::new(form(message, &schema)))
}

fn sample(prompt: &str) -> InputRequest {
    let params = CreateMessageRequestParams::new(vec![SamplingMessage::user_text(prompt)], 100);
    InputRequest::CreateMessage(CreateMessageRequest::new(params))
}

fn roots() -> InputRequest {
    InputRequest::ListRoots(ListRootsRequest::default())
}

/// A question of a form's schema.
pub(crate) fn form(message: &str, schema: &Value) -> ElicitRequestParams {
    ElicitRequestParams::FormElicitationParams {
        meta: None,
        message: message.to_owned(),
        requested_schema: serde_json::from_value(schema.clone()).expect("a form's schema"),
    }
}
