//! The card under a run in a chat: an MCP App (`io.modelcontextprotocol/ui`), one page of ours and the data it shows.
//!
//! Invariant: the card costs the model nothing. What it shows travels in the result's `_meta` and in a resource that only
//! the page asks for: the receipt, which is counted after the reply. No tool is added, since a host that does not know of
//! tools for pages alone would offer it to its model. A client that does not declare the extension sees none of this.

use crate::results::Wanted;
use model::{CallRecord, CallStatus, RunReply, RunStatus, TokenReport};
use rmcp::model::{
    ClientCapabilities, JsonObject, MetaObject, ReadResourceResult, Resource, ResourceContents, ServerCapabilities,
    Tool,
};
use serde::Serialize;
use serde_json::{Value, json};

/// The extension by which client and server agree on pages.
const EXTENSION: &str = "io.modelcontextprotocol/ui";
const MIME_TYPE: &str = "text/html;profile=mcp-app";

/// The page.
const URI: &str = "ui://tta/savings.html";
const PAGE: &str = include_str!("../assets/savings.html");

/// What precedes a run's id in the address of its receipt.
const RECEIPT: &str = "ui://tta/receipt/";

/// The key of a run's data in the `_meta` of its result.
const RUN: &str = "tta/run";

/// Calls that the card lists; of the others it only says how many there are.
const CALLS_MAX: usize = 50;
/// Bytes of a server's or a tool's name.
const NAME_BYTES: usize = 60;

/// Whether this client shows pages.
pub(crate) fn shown_by(client: &ClientCapabilities) -> bool {
    let settings = client.extensions.as_ref().and_then(|extensions| extensions.get(EXTENSION));
    // A client that does not say which types it shows knows the only one there is.
    settings.is_some_and(|settings| match settings.get("mimeTypes") {
        Some(Value::Array(types)) => types.iter().any(|mime_type| mime_type == MIME_TYPE),
        _ => true,
    })
}

/// Declares the card to a client that shows it.
pub(crate) fn offer(server: &mut ServerCapabilities) {
    server.extensions.get_or_insert_default().insert(EXTENSION.to_owned(), JsonObject::new());
}

/// The tool as such a client is told of it.
pub(crate) fn on(mut tool: Tool) -> Tool {
    if tool.name == "run_code" {
        tool.meta.get_or_insert_default().insert("ui".to_owned(), json!({ "resourceUri": URI }));
    }
    tool
}

/// The page, where resources are listed.
pub(crate) fn resource() -> Resource {
    Resource::new(URI, "savings").with_title("What a run did and saved").with_mime_type(MIME_TYPE)
}

/// What of the card is read at `uri`.
pub(crate) fn wanted(uri: &str) -> Option<Wanted<'_>> {
    if uri == URI { Some(Wanted::Page) } else { uri.strip_prefix(RECEIPT).map(Wanted::Receipt) }
}

pub(crate) fn page() -> ReadResourceResult {
    // Nothing from elsewhere is loaded, nobody is connected to.
    let meta = MetaObject(JsonObject::from_iter([("ui".to_owned(), json!({ "csp": {}, "prefersBorder": false }))]));
    let page = ResourceContents::text(PAGE, URI).with_mime_type(MIME_TYPE).with_meta(meta);
    ReadResourceResult::new(vec![page])
}

/// A counted run: its report, and the tokens of its first calls' answers.
pub(crate) fn receipt(uri: &str, report: &TokenReport, result_tokens: &[u64]) -> ReadResourceResult {
    let result_tokens = &result_tokens[..result_tokens.len().min(CALLS_MAX)];
    let json = json!({ "tokens": report, "result_tokens": result_tokens });
    let contents = ResourceContents::text(json.to_string(), uri).with_mime_type("application/json");
    ReadResourceResult::new(vec![contents])
}

/// What the card shows of a run before its receipt is there.
pub(crate) fn data(reply: &RunReply) -> MetaObject {
    let run = Run {
        id: reply.run_id.as_str(),
        status: reply.status,
        wall_ms: reply.usage.wall_ms,
        total: reply.calls.len(),
        failed: reply.calls.iter().filter(|call| call.status != CallStatus::Ok).count(),
        waves: reply.calls.iter().map(|call| call.wave + 1).max().unwrap_or(0),
        calls: reply.calls.iter().take(CALLS_MAX).map(Call::from).collect(),
    };
    let run = serde_json::to_value(run).expect("numbers and short texts are JSON");
    MetaObject(JsonObject::from_iter([(RUN.to_owned(), run)]))
}

#[derive(Serialize)]
struct Run<'a> {
    #[serde(rename = "run_id")]
    id: &'a str,
    status: RunStatus,
    wall_ms: f64,
    /// Calls in all, those that failed, and the waves that they came in.
    total: usize,
    failed: usize,
    waves: u32,
    calls: Vec<Call<'a>>,
}

#[derive(Serialize)]
struct Call<'a> {
    server: &'a str,
    tool: &'a str,
    status: CallStatus,
    cache: model::CacheOutcome,
    ms: f64,
    wave: u32,
}

impl<'a> From<&'a CallRecord> for Call<'a> {
    fn from(call: &'a CallRecord) -> Self {
        let cut = |name: &'a str| &name[..name.floor_char_boundary(NAME_BYTES)];
        let (server, tool) = (cut(&call.server), cut(&call.tool));
        Self { server, tool, status: call.status, cache: call.cache, ms: call.ms, wave: call.wave }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_is_small_and_fetches_nothing() {
        assert!(PAGE.len() < 20_000, "{} bytes", PAGE.len());
        for from_elsewhere in ["http:", "https:", "src=", "href=", "@import", "url(", "fetch(", "eval("] {
            assert!(!PAGE.contains(from_elsewhere), "{from_elsewhere}");
        }
        // A host writes its own policy into the head.
        assert!(PAGE.starts_with("<!doctype html>") && PAGE.contains("<head>"));
    }

    #[test]
    fn the_page_and_its_data_use_the_same_words() {
        for word in [RUN, RECEIPT] {
            assert!(PAGE.contains(&format!("'{word}'")), "{word}");
        }
    }

    #[test]
    fn only_a_client_that_shows_this_type_is_offered_it() {
        for (extensions, shown) in [
            (json!({EXTENSION: {"mimeTypes": [MIME_TYPE]}}), true),
            (json!({EXTENSION: {"mimeTypes": ["text/x-other", MIME_TYPE]}}), true),
            (json!({EXTENSION: {}}), true),
            (json!({EXTENSION: {"mimeTypes": ["text/x-other"]}}), false),
            (json!({"io.modelcontextprotocol/tasks": {}}), false),
        ] {
            let client = serde_json::from_value(json!({ "extensions": extensions })).expect("capabilities");
            assert_eq!(shown_by(&client), shown, "{extensions}");
        }
        assert!(!shown_by(&ClientCapabilities::default()));
    }
}
