//! What is put to the client on behalf of a run: an approval of ours, or what a server asks, passed on in its own kind.
//!
//! Invariants: a server is named before its words; whatever comes back is handed on as it is, since the bridge checks it.

#![expect(deprecated, reason = "the newest protocol drops sampling; today's servers and hosts speak it")]

use crate::elicit::{approval, decided};
use model::ask::{ElicitReply, ElicitRequest, Field, SampleReply, SampleRequest};
use model::editor::{ApprovalReply, ApprovalRequest, EditorContent};
use rmcp::ErrorData;
use rmcp::model::{
    ClientResult, CreateMessageRequest, CreateMessageResult, ElicitRequestParams, ElicitResult, ElicitationAction,
    ElicitationSchema, InputRequest, SamplingMessageContentBlock, ServerRequest,
};
use rmcp::service::ServiceError;
use serde_json::{Map, Value, json};
use std::fmt::Write as _;
use tokio::sync::oneshot::Sender;

/// Characters of a name, and of a text.
pub(crate) const NAME_CHARS: usize = 80;
pub(crate) const TEXT_CHARS: usize = 1_000;

/// A question on its way to its answer.
#[derive(Debug)]
pub(crate) enum Question {
    Approve(ApprovalRequest, Sender<Option<ApprovalReply>>),
    Elicit(ElicitRequest, Sender<Option<ElicitReply>>),
    Sample(SampleRequest, Sender<Option<Result<SampleReply, String>>>),
}

impl Question {
    /// Whether nobody waits for the answer any more.
    pub(crate) fn is_closed(&self) -> bool {
        match self {
            Self::Approve(_, answer) => answer.is_closed(),
            Self::Elicit(_, answer) => answer.is_closed(),
            Self::Sample(_, answer) => answer.is_closed(),
        }
    }

    /// Resolves when nobody does.
    pub(crate) async fn closed(&mut self) {
        match self {
            Self::Approve(_, answer) => answer.closed().await,
            Self::Elicit(_, answer) => answer.closed().await,
            Self::Sample(_, answer) => answer.closed().await,
        }
    }

    /// As the client is asked.
    pub(crate) fn request(&self) -> Result<InputRequest, serde_json::Error> {
        Ok(match self {
            Self::Approve(request, _) => elicitation(approval(request)),
            Self::Elicit(request, _) => elicitation(passed_on(request)?),
            Self::Sample(request, _) => {
                InputRequest::CreateMessage(CreateMessageRequest::new(serde_json::from_value(prompt(request))?))
            }
        })
    }

    /// Hands over what the client answered. Who asked may have just left.
    pub(crate) fn answer(self, answered: Result<ClientResult, ServiceError>) {
        match self {
            Self::Approve(request, answer) => drop(answer.send(decided(&request, answered))),
            Self::Elicit(_, answer) => drop(answer.send(filled_in(answered))),
            Self::Sample(_, answer) => drop(answer.send(said(answered))),
        }
    }

    /// The same where the answer comes with the client's next request. One that is none leaves the question as it is.
    pub(crate) fn answer_with(self, answer: Value) -> Option<Self> {
        let result = match &self {
            Self::Approve(..) | Self::Elicit(..) => {
                serde_json::from_value::<ElicitResult>(answer).map(ClientResult::ElicitResult)
            }
            Self::Sample(..) => serde_json::from_value::<CreateMessageResult>(answer)
                .map(|result| ClientResult::CreateMessageResult(Box::new(result))),
        };
        match result {
            Ok(result) => {
                self.answer(Ok(result));
                None
            }
            Err(_) => Some(self),
        }
    }
}

/// The same as a request of ours.
pub(crate) fn as_request(input: InputRequest) -> Option<ServerRequest> {
    match input {
        InputRequest::Elicitation(request) => Some(request.into()),
        InputRequest::CreateMessage(request) => Some(request.into()),
        _ => None,
    }
}

fn elicitation(params: ElicitRequestParams) -> InputRequest {
    InputRequest::Elicitation(rmcp::model::ElicitRequest::new(params))
}

fn passed_on(request: &ElicitRequest) -> Result<ElicitRequestParams, serde_json::Error> {
    let server = quoted(request.server(), NAME_CHARS);
    Ok(match request {
        ElicitRequest::Form { message, fields, .. } => ElicitRequestParams::FormElicitationParams {
            meta: None,
            message: format!("The MCP server {server} asks: {}", plain(message, TEXT_CHARS)),
            requested_schema: schema(fields)?,
        },
        ElicitRequest::Url { message, url, id, .. } => ElicitRequestParams::UrlElicitationParams {
            meta: None,
            message: format!("The MCP server {server} wants a page opened: {}", plain(message, TEXT_CHARS)),
            url: url.clone(),
            elicitation_id: id.to_string(),
        },
    })
}

fn schema(fields: &[Field]) -> Result<ElicitationSchema, serde_json::Error> {
    let properties: Map<String, Value> = fields.iter().map(|field| (field.name.clone(), field.schema())).collect();
    let required: Vec<&str> = fields.iter().filter(|field| field.required).map(|field| field.name.as_str()).collect();
    serde_json::from_value(json!({"type": "object", "properties": properties, "required": required}))
}

fn filled_in(answered: Result<ClientResult, ServiceError>) -> Option<ElicitReply> {
    match answered {
        Ok(ClientResult::ElicitResult(result)) => Some(match (result.action, result.content) {
            (ElicitationAction::Accept, Some(Value::Object(content))) => ElicitReply::Accept { content },
            (ElicitationAction::Accept, _) => ElicitReply::Accept { content: Map::new() },
            (ElicitationAction::Decline, _) => ElicitReply::Decline,
            _ => ElicitReply::Cancel,
        }),
        Ok(_) => Some(ElicitReply::Cancel),
        Err(e) => {
            tracing::warn!("the client did not ask: {e}");
            None
        }
    }
}

fn prompt(request: &SampleRequest) -> Value {
    let SampleRequest { messages, system, hints, max_tokens, temperature, stop, .. } = request;
    let block = |content: &EditorContent| match content {
        EditorContent::Text { text } => json!({"type": "text", "text": text}),
        EditorContent::Image { mime_type, data } => json!({"type": "image", "mimeType": mime_type, "data": data}),
    };
    let messages: Vec<Value> = messages
        .iter()
        .map(|message| {
            let role = if message.assistant { "assistant" } else { "user" };
            json!({"role": role, "content": message.content.iter().map(block).collect::<Vec<_>>()})
        })
        .collect();
    let hints: Vec<Value> = hints.iter().map(|name| json!({"name": name})).collect();
    let mut params = json!({"messages": messages, "maxTokens": max_tokens, "modelPreferences": {"hints": hints}});
    if let Some(system) = system {
        params["systemPrompt"] = system.as_str().into();
    }
    if let Some(temperature) = temperature {
        params["temperature"] = json!(temperature);
    }
    if !stop.is_empty() {
        params["stopSequences"] = json!(stop);
    }
    params
}

fn said(answered: Result<ClientResult, ServiceError>) -> Option<Result<SampleReply, String>> {
    match answered {
        Ok(ClientResult::CreateMessageResult(result)) => {
            let texts = result.message.content.into_vec().into_iter().filter_map(|block| match block {
                SamplingMessageContentBlock::Text(text) => Some(text.text),
                _ => None,
            });
            let text = texts.collect::<Vec<_>>().join("\n");
            Some(Ok(SampleReply { model: result.model, text, stop_reason: result.stop_reason }))
        }
        Ok(_) => Some(Err("the client answered another question than the one for its model".to_owned())),
        Err(ServiceError::McpError(ErrorData { message, .. })) => Some(Err(message.into_owned())),
        Err(e) => {
            tracing::warn!("the client did not ask its model: {e}");
            None
        }
    }
}

/// Untrusted text as code, so that a client that renders Markdown shows it as it is.
pub(crate) fn quoted(text: &str, chars: usize) -> String {
    format!("`{}`", plain(text, chars).replace('`', "'"))
}

/// One line of at most so many characters, without those that move, hide or break what is shown.
pub(crate) fn plain(text: &str, chars: usize) -> String {
    let mut line = String::new();
    for (at, c) in text.chars().enumerate() {
        if at == chars {
            let _ = write!(line, "… ({} characters in all)", text.chars().count());
            break;
        }
        let unseen =
            matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}');
        line.push(if c.is_control() || unseen { ' ' } else { c });
    }
    line
}
