//! rmcp's types as the project's own. Moves what it can; the only copies are of what rmcp keeps as its own struct.

use model::{Annotations, Content, ToolDefinition, ToolResult};
use rmcp::model::{CallToolResult, ContentBlock, Tool, ToolAnnotations};
use serde_json::Value;

/// An answer.
pub(crate) fn result(result: CallToolResult) -> ToolResult {
    ToolResult {
        content: result.content.into_iter().map(content).collect(),
        structured: result.structured_content,
        is_error: result.is_error.unwrap_or(false),
    }
}

fn content(block: ContentBlock) -> Content {
    match block {
        ContentBlock::Text(text) => Content::Text(text.text),
        ContentBlock::Image(image) => Content::Media { kind: "image", mime_type: image.mime_type, data: image.data },
        ContentBlock::Audio(audio) => Content::Media { kind: "audio", mime_type: audio.mime_type, data: audio.data },
        other => Content::Other(serde_json::to_value(other).unwrap_or(Value::Null)),
    }
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
