//! One line of a server's stdout as one message.
//!
//! Invariant: an answer whose id can be made out always reaches the caller that waits for it, as the answer or as an
//! error; a bad line never leaves it waiting for its timeout. Answers to `tools/call` and `tools/list` are decoded by
//! their own types first, which saves the detour over a union of every result the protocol knows; log messages are cut
//! before they become values (`said`).

use crate::said;
use crate::tasks;
use rmcp::model::{
    CallToolResult, ErrorCode, ErrorData, JsonRpcMessage, ListToolsResult, RequestId, ServerJsonRpcMessage,
    ServerResult,
};
use serde::Deserialize;
use serde_json::value::RawValue;
use std::borrow::Cow;

/// Code of the error that stands in for an answer which was too large. Outside every range that a server may use.
pub(crate) const TOO_LARGE: ErrorCode = ErrorCode(i32::MIN);
/// Code of the error that stands in for an answer which could not be read.
pub(crate) const UNREADABLE: ErrorCode = ErrorCode(i32::MIN + 1);

/// How far from either end of a line its id is looked for.
pub(crate) const ID_WINDOW: usize = 256;

/// What a line is.
#[derive(Debug)]
pub(crate) enum Line {
    /// A message for the client.
    Message(Box<ServerJsonRpcMessage>),
    /// A log message that says nothing, or a blank line.
    Ignored,
    /// Not JSON-RPC.
    Garbage,
}

#[derive(Deserialize)]
struct Envelope<'a> {
    #[serde(default)]
    id: Option<RequestId>,
    #[serde(default, borrow)]
    method: Option<Cow<'a, str>>,
    #[serde(default, borrow)]
    result: Option<&'a RawValue>,
    #[serde(default, borrow)]
    error: Option<&'a RawValue>,
}

/// Decodes one line, without its line feed.
pub(crate) fn decode(line: &[u8]) -> Line {
    let line = line.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(line).trim_ascii();
    if line.is_empty() {
        return Line::Ignored;
    }
    // Invalid UTF-8 inside a string costs the characters, not the message.
    let text = String::from_utf8_lossy(line);
    let Ok(envelope) = serde_json::from_str::<Envelope<'_>>(&text) else { return unreadable(line) };
    match envelope {
        Envelope { id: Some(id), result: Some(result), .. } => response(ours(id), result.get()),
        Envelope { id, error: Some(error), .. } => {
            message(JsonRpcMessage::error(error_data(error.get()), id.map(ours)))
        }
        Envelope { method: Some(method), .. } => request_or_notification(&method, &text),
        Envelope { .. } => Line::Garbage,
    }
}

/// The error that stands in for the answer to `id`.
pub(crate) fn substitute(id: RequestId, code: ErrorCode, text: impl Into<Cow<'static, str>>) -> ServerJsonRpcMessage {
    JsonRpcMessage::error(ErrorData::new(code, text, None), Some(id))
}

/// The id that we sent: a number, also where a server gives it back as a text.
fn ours(id: RequestId) -> RequestId {
    match &id {
        RequestId::String(text) => text.parse().map_or(id, RequestId::Number),
        RequestId::Number(_) => id,
    }
}

fn message(message: ServerJsonRpcMessage) -> Line {
    Line::Message(Box::new(message))
}

fn unreadable(line: &[u8]) -> Line {
    match salvage_id(line, line) {
        Some(id) => message(substitute(id, UNREADABLE, "the answer is not valid JSON")),
        None => Line::Garbage,
    }
}

fn response(id: RequestId, text: &str) -> Line {
    let result = server_result(text).or_else(|error| match repair_surrogates(text) {
        Some(repaired) => server_result(&repaired),
        None => Err(error),
    });
    match result {
        Ok(result) => message(JsonRpcMessage::response(result, id)),
        Err(error) => message(substitute(id, UNREADABLE, format!("the answer cannot be read: {error}"))),
    }
}

fn server_result(text: &str) -> Result<ServerResult, serde_json::Error> {
    if let Ok(result) = serde_json::from_str::<CallToolResult>(text) {
        return Ok(ServerResult::CallToolResult(result));
    }
    let kept = tasks::kept(text);
    let text = kept.as_deref().unwrap_or(text);
    if let Ok(result) = serde_json::from_str::<ListToolsResult>(text) {
        return Ok(ServerResult::ListToolsResult(result));
    }
    serde_json::from_str(text)
}

fn error_data(text: &str) -> ErrorData {
    serde_json::from_str(text)
        .unwrap_or_else(|_| ErrorData::new(ErrorCode::INTERNAL_ERROR, format!("malformed error object {text}"), None))
}

fn request_or_notification(method: &str, text: &str) -> Line {
    if method == said::METHOD {
        let said = said::read(text).map(JsonRpcMessage::notification);
        return said.map_or(Line::Ignored, message);
    }
    serde_json::from_str(text).map_or(Line::Garbage, message)
}

/// `text` with every lone surrogate escape as U+FFFD; `None` where there is none. A JavaScript server that cuts a string
/// inside an emoji sends one, and JSON's grammar allows it, but no Unicode string can hold it.
fn repair_surrogates(text: &str) -> Option<String> {
    let unit = |at: usize| {
        let hex = text.get(at..at + 6)?.strip_prefix("\\u")?;
        u16::from_str_radix(hex, 16).ok()
    };
    let (mut out, mut kept, mut at) = (String::new(), 0, 0);
    while let Some(found) = text[at..].find('\\') {
        at += found;
        let paired = |low: u16| (0xDC00..=0xDFFF).contains(&low);
        at += match unit(at) {
            Some(0xD800..=0xDBFF) if unit(at + 6).is_some_and(paired) => 12,
            Some(0xD800..=0xDFFF) => {
                out.push_str(&text[kept..at]);
                out.push('\u{FFFD}');
                kept = at + 6;
                6
            }
            // Any other escape: the character after the backslash cannot start one.
            _ => 1 + text[at + 1..].chars().next().map_or(0, char::len_utf8),
        };
    }
    (kept > 0).then(|| out + &text[kept..])
}

/// The id of an answer that cannot be parsed, from its first or last bytes. Servers write it first or last; only a place
/// that must be the message's own id counts, because a wrong guess would answer somebody else's call.
pub(crate) fn salvage_id(head: &[u8], tail: &[u8]) -> Option<RequestId> {
    let head = String::from_utf8_lossy(&head[..head.len().min(ID_WINDOW)]);
    let tail = String::from_utf8_lossy(&tail[tail.len().saturating_sub(ID_WINDOW)..]);
    if head.contains("\"method\"") {
        return None;
    }
    id_at_start(&head).or_else(|| id_at_end(&tail))
}

fn id_at_start(head: &str) -> Option<RequestId> {
    let body = head.trim_start().strip_prefix('{')?.trim_start();
    let version =
        body.strip_prefix("\"jsonrpc\"").map_or(body, |rest| rest.split_once(',').map_or("", |(_, rest)| rest));
    Some(id_value(version.trim_start().strip_prefix("\"id\"")?)?.0)
}

fn id_at_end(tail: &str) -> Option<RequestId> {
    let (_, after) = tail.rsplit_once("\"id\"")?;
    let (id, rest) = id_value(after)?;
    let rest: String = rest.chars().filter(|c| !c.is_whitespace()).collect();
    matches!(rest.as_str(), "}" | ",\"jsonrpc\":\"2.0\"}").then_some(id)
}

/// The number or plain string after the key, and what follows it.
fn id_value(after_key: &str) -> Option<(RequestId, &str)> {
    let value = after_key.trim_start().strip_prefix(':')?.trim_start();
    if let Some(quoted) = value.strip_prefix('"') {
        let (id, rest) = quoted.split_once('"')?;
        return Some((RequestId::String(id.into()), rest));
    }
    let end = value.find(|c: char| !c.is_ascii_digit())?;
    Some((RequestId::Number(value[..end].parse().ok()?), &value[end..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decoded(line: &str) -> String {
        match decode(line.as_bytes()) {
            Line::Message(message) => serde_json::to_string(&message).expect("messages serialise"),
            other => format!("{other:?}"),
        }
    }

    #[test]
    fn answers_errors_and_requests_are_told_apart() {
        for (line, expected) in [
            (
                r#"{"jsonrpc":"2.0","id":1,"result":{"content":[]}}"#,
                r#"{"jsonrpc":"2.0","id":1,"result":{"content":[]}}"#,
            ),
            (r#"{"result":{"tools":[]},"id":"7"}"#, r#"{"jsonrpc":"2.0","id":7,"result":{"tools":[]}}"#),
            (r#"{"result":{"tools":[]},"id":"a"}"#, r#"{"jsonrpc":"2.0","id":"a","result":{"tools":[]}}"#),
            (
                r#"{"id":2,"error":{"code":-1,"message":"no"}}"#,
                r#"{"jsonrpc":"2.0","id":2,"error":{"code":-1,"message":"no"}}"#,
            ),
            (r#"{"jsonrpc":"2.0","id":3,"method":"ping"}"#, r#"{"jsonrpc":"2.0","id":3,"method":"ping"}"#),
            (r#"{"jsonrpc":"2.0","method":"notifications/message","params":{}}"#, "Ignored"),
            ("", "Ignored"),
            ("Server running on stdio", "Garbage"),
            ("[1,2]", "Garbage"),
            ("{}", "Garbage"),
        ] {
            assert_eq!(decoded(line), expected, "{line}");
        }
    }

    #[test]
    fn a_lone_surrogate_costs_one_character_not_the_answer() {
        let answer =
            decoded(r#"{"id":1,"result":{"content":[{"type":"text","text":"a\ud83d b\\ud800 \ud83d\ude00"}]}}"#);
        assert!(answer.contains("a\u{FFFD} b\\\\ud800 \u{1F600}"), "{answer}");
    }

    #[test]
    fn invalid_utf8_costs_one_character_not_the_answer() {
        let line = b"{\"id\":1,\"result\":{\"content\":[{\"type\":\"text\",\"text\":\"\xFF\"}]}}";
        let Line::Message(message) = decode(line) else { panic!("must be a message") };
        assert!(serde_json::to_string(&message).expect("serialises").contains('\u{FFFD}'));
    }

    #[test]
    fn an_answer_that_is_not_json_still_reaches_its_caller() {
        let answer = decoded(r#"{"jsonrpc":"2.0","id":4,"result":{"structuredContent":{"x":NaN}}}"#);
        assert!(answer.contains(r#""id":4,"error""#), "{answer}");
    }

    #[test]
    fn only_the_messages_own_id_is_salvaged() {
        let id = |text: &str| salvage_id(text.as_bytes(), text.as_bytes()).map(|id| id.to_string());
        assert_eq!(id(r#"{"jsonrpc":"2.0","id":12,"result":"…"#), Some("12".into()));
        assert_eq!(id(r#"{"id":"a","result":"…"#), Some("a".into()));
        assert_eq!(id(r#"{"result":{"id":5},"jsonrpc":"2.0","id":9}"#), Some("9".into()));
        assert_eq!(id(r#"{"result":{"list":[{"id":5}]}}"#), None);
        assert_eq!(id(r#"{"jsonrpc":"2.0","result":{"id":5"#), None);
        assert_eq!(id(r#"{"jsonrpc":"2.0","id":1,"method":"x""#), None);
    }
}
