//! rmcp's types as the project's own. Moves what it can; the only copies are of what rmcp keeps as its own struct.

use model::{Annotations, Content, ToolDefinition, ToolResult};
use rmcp::model::{CallToolResult, ContentBlock, MetaObject, Tool, ToolAnnotations};
use serde::Deserialize as _;
use serde_json::{Map, Value};

/// An answer. With `whole` the program's value is all that the server said.
pub(crate) fn result(answer: CallToolResult, whole: bool) -> ToolResult {
    let value = whole.then(|| serde_json::to_value(&answer).unwrap_or_default());
    // Texts alone are one text for a program; beside other blocks each stays what it is.
    let only_texts = answer.content.iter().all(|block| matches!(block, ContentBlock::Text(_)));
    ToolResult {
        content: answer.content.into_iter().map(|block| content(block, only_texts)).collect(),
        structured: answer.structured_content,
        is_error: answer.is_error.unwrap_or(false),
        value,
    }
}

/// An answer with blocks of a kind that rmcp does not know; `None` for what is no answer of a tool.
pub(crate) fn unknown(answer: Value, whole: bool) -> Option<ToolResult> {
    let blocks = answer.get("content")?.as_array()?;
    Some(ToolResult {
        content: blocks.iter().map(any_content).collect(),
        structured: answer.get("structuredContent").cloned(),
        is_error: answer.get("isError").and_then(Value::as_bool).unwrap_or(false),
        value: whole.then_some(answer),
    })
}

/// One block, whatever it is.
pub(crate) fn any_content(block: &Value) -> Content {
    ContentBlock::deserialize(block)
        .map_or_else(|_unknown| Content::Other(block.clone()), |known| content(known, false))
}

/// One block. `plain_text` drops what a text says of itself.
fn content(block: ContentBlock, plain_text: bool) -> Content {
    match block {
        ContentBlock::Text(text) if plain_text || (text.annotations.is_none() && text.meta.is_none()) => {
            Content::Text(text.text)
        }
        ContentBlock::Image(image) => {
            let more = more(image.annotations, image.meta);
            Content::Media { kind: "image", mime_type: image.mime_type, data: image.data, more }
        }
        ContentBlock::Audio(audio) => {
            let more = more(audio.annotations, audio.meta);
            Content::Media { kind: "audio", mime_type: audio.mime_type, data: audio.data, more }
        }
        other => Content::Other(serde_json::to_value(other).unwrap_or(Value::Null)),
    }
}

/// What a block says of itself, as it stands on the wire.
fn more(annotations: Option<rmcp::model::Annotations>, meta: Option<MetaObject>) -> Map<String, Value> {
    let annotations = annotations.and_then(|said| Some(("annotations".to_owned(), serde_json::to_value(said).ok()?)));
    let meta = meta.and_then(|said| Some(("_meta".to_owned(), serde_json::to_value(said).ok()?)));
    annotations.into_iter().chain(meta).collect()
}

/// A definition.
pub(crate) fn tool(tool: Tool) -> ToolDefinition {
    ToolDefinition {
        name: tool.name.into_owned(),
        title: tool.title,
        description: tool.description.map(std::borrow::Cow::into_owned),
        input_schema: tool.input_schema,
        output_schema: tool.output_schema,
        annotations: tool.annotations.map(annotations),
    }
}

fn annotations(claims: ToolAnnotations) -> Annotations {
    Annotations {
        title: claims.title,
        read_only_hint: claims.read_only_hint,
        destructive_hint: claims.destructive_hint,
        idempotent_hint: claims.idempotent_hint,
        open_world_hint: claims.open_world_hint,
    }
}
