//! What a server has beside its tools: resources and prompts.
//!
//! Nothing is kept: every question of a program goes to the server, so that a list which changed needs no notice. Answers are taken as
//! JSON, so that an entry which is not what rmcp expects reaches the program all the same.
//!
//! Bounded: pages, entries and bytes of a list. One answer is bounded by the transport.

use crate::connection::{Connection, PAGES_MAX};
use crate::convert;
use crate::error::Error;
use crate::fresh::shortest;
use crate::progress::Progress;
use model::{Content, Method, ToolResult};
use rmcp::model::{
    ClientRequest, GetPromptRequest, GetPromptRequestParams, ListPromptsRequest, ListResourceTemplatesRequest,
    ListResourcesRequest, PaginatedRequestParams, ReadResourceRequest, ReadResourceRequestParams,
};
use serde_json::{Map, Value, json};
use std::io;

/// Entries of one list.
const ENTRIES_MAX: usize = 20_000;
/// Bytes of one list as JSON.
const LIST_BYTES_MAX: usize = 32 << 20;

/// The first pages of a list.
#[derive(Default)]
pub(crate) struct Pages {
    pub(crate) entries: Vec<Value>,
    pub(crate) has_more: bool,
    /// How long they hold, where the server says.
    pub(crate) ttl_ms: Option<u64>,
}

impl Connection {
    /// One question. The value is what MCP calls the result, a list with all its pages.
    pub(crate) async fn ask(
        &self,
        method: Method,
        mut arguments: Map<String, Value>,
        progress: &Progress,
    ) -> Result<ToolResult, Error> {
        if method == Method::CallTool {
            let inner = arguments.remove("arguments").and_then(into_object).unwrap_or_default();
            return self.call(text(&arguments, "name"), inner, progress, true).await;
        }
        self.must_offer(method)?;
        match method {
            Method::ListResources | Method::ListTemplates | Method::ListPrompts => self.list_of(method).await,
            Method::ReadResource => {
                let params = ReadResourceRequestParams::new(text(&arguments, "uri"));
                let request = ClientRequest::ReadResourceRequest(ReadResourceRequest::new(params));
                self.answer(request, progress, "contents", contents).await
            }
            Method::GetPrompt => {
                let given = arguments.remove("arguments").and_then(into_object).unwrap_or_default();
                let given = given.into_iter().map(|(name, value)| (name, as_text(value))).collect();
                let params = GetPromptRequestParams::new(text(&arguments, "name")).with_arguments(given);
                let request = ClientRequest::GetPromptRequest(GetPromptRequest::new(params));
                self.answer(request, progress, "messages", message).await
            }
            Method::CallTool => unreachable!("answered above"),
            Method::Subscribe => unreachable!("it has no answer: `subscribe`"),
        }
    }

    fn must_offer(&self, method: Method) -> Result<(), Error> {
        let (what, has) = match method {
            Method::ListPrompts | Method::GetPrompt => ("prompts", self.offers(|all| all.prompts.is_some())),
            _ => ("resources", self.offers(|all| all.resources.is_some())),
        };
        if has { Ok(()) } else { Err(Error::NotOffered { server: self.server().to_owned(), what }) }
    }

    /// One answer, whose entries under `key` are each turned into what a model would have seen of it.
    async fn answer(
        &self,
        request: ClientRequest,
        progress: &Progress,
        key: &str,
        seen: fn(&Value) -> Content,
    ) -> Result<ToolResult, Error> {
        let answer = self.json(request, progress).await?;
        let entries = answer.get(key).and_then(Value::as_array).ok_or_else(|| self.unexpected())?;
        Ok(ToolResult { content: entries.iter().map(seen).collect(), value: Some(answer), ..ToolResult::default() })
    }

    /// All pages of a list.
    async fn list_of(&self, method: Method) -> Result<ToolResult, Error> {
        let key = key_of(method);
        let Pages { entries: all, has_more, .. } = self.pages_of(method, ENTRIES_MAX, PAGES_MAX).await?;
        if has_more && all.len() >= ENTRIES_MAX {
            return Err(self.protocol(&format!("it lists more than {ENTRIES_MAX} {key}")));
        }
        if has_more {
            return Err(self.protocol(&format!("its list of {key} has more than {PAGES_MAX} pages")));
        }
        let structured = Some(Value::Object(Map::from_iter([(key.to_owned(), all.into())])));
        Ok(ToolResult { structured, ..ToolResult::default() })
    }

    /// The first pages of a list, until there are `entries_max`.
    pub(crate) async fn pages_of(&self, method: Method, entries_max: usize, pages_max: usize) -> Result<Pages, Error> {
        let key = key_of(method);
        let (mut all, mut bytes, mut cursor, mut ttl_ms) = (Vec::new(), Bytes(0), None, None);
        for _page in 0..pages_max {
            let page = PaginatedRequestParams::default().with_cursor(cursor.clone());
            let mut page = self.json(page_of(method, page), &Progress::default()).await?;
            ttl_ms = shortest(ttl_ms, page.get("ttlMs").and_then(Value::as_u64));
            let Some(Value::Array(entries)) = page.get_mut(key).map(Value::take) else { return Err(self.unexpected()) };
            serde_json::to_writer(&mut bytes, &entries).expect("counting does not fail");
            all.extend(entries);
            if bytes.0 > LIST_BYTES_MAX {
                return Err(self.protocol(&format!("it lists more than {} MiB of {key}", LIST_BYTES_MAX >> 20)));
            }
            match page.get("nextCursor").and_then(Value::as_str).filter(|next| !next.is_empty()) {
                None => {
                    let has_more = all.len() > entries_max;
                    all.truncate(entries_max);
                    return Ok(Pages { entries: all, has_more, ttl_ms });
                }
                next if next == cursor.as_deref() => {
                    return Err(self.protocol(&format!("its list of {key} repeats the same page for ever")));
                }
                next => cursor = next.map(str::to_owned),
            }
            if all.len() >= entries_max {
                break;
            }
        }
        all.truncate(entries_max);
        Ok(Pages { entries: all, has_more: true, ttl_ms })
    }

    async fn json(&self, request: ClientRequest, progress: &Progress) -> Result<Value, Error> {
        let answer = self.converse(request, progress).await?;
        serde_json::to_value(answer).map_err(|_| self.unexpected())
    }
}

/// Where a list stands in its answer.
fn key_of(method: Method) -> &'static str {
    match method {
        Method::ListResources => "resources",
        Method::ListTemplates => "resourceTemplates",
        _ => "prompts",
    }
}

/// The request for a page of a list.
fn page_of(method: Method, page: PaginatedRequestParams) -> ClientRequest {
    match method {
        Method::ListResources => ClientRequest::ListResourcesRequest(ListResourcesRequest::with_param(page)),
        Method::ListTemplates => {
            ClientRequest::ListResourceTemplatesRequest(ListResourceTemplatesRequest::with_param(page))
        }
        _ => ClientRequest::ListPromptsRequest(ListPromptsRequest::with_param(page)),
    }
}

/// What a model would have seen of one part of a resource: its text, a picture or a sound, or that there are bytes.
fn contents(part: &Value) -> Content {
    if let Some(text) = part.get("text").and_then(Value::as_str) {
        return Content::Text(text.to_owned());
    }
    let mime_type = part.get("mimeType").and_then(Value::as_str).unwrap_or_default();
    let kind = ["image", "audio"].into_iter().find(|kind| mime_type.split('/').next() == Some(*kind));
    match kind {
        // Media are counted; the program gets the bytes with the rest.
        Some(kind) => {
            Content::Media { kind, mime_type: mime_type.to_owned(), data: String::new(), more: Map::default() }
        }
        None => Content::Other(json!({"uri": part.get("uri"), "mimeType": mime_type})),
    }
}

fn message(message: &Value) -> Content {
    convert::any_content(message.get("content").unwrap_or(&Value::Null))
}

fn text<'a>(arguments: &'a Map<String, Value>, name: &str) -> &'a str {
    arguments.get(name).and_then(Value::as_str).unwrap_or_default()
}

fn into_object(value: Value) -> Option<Map<String, Value>> {
    if let Value::Object(map) = value { Some(map) } else { None }
}

/// Arguments of prompts are texts: what is none is given as its JSON.
fn as_text(value: Value) -> Value {
    if value.is_string() { value } else { value.to_string().into() }
}

/// Counts what is written to it.
struct Bytes(usize);

impl io::Write for Bytes {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0 += bytes.len();
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
