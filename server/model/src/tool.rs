//! A tool, what it answers, and how an answer reaches a program or would have reached a model.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::borrow::Cow;
use std::sync::Arc;
use ts_rs::TS;

/// A tool as its server defines it. Untrusted text throughout.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ToolDefinition {
    /// The server's own name of it.
    pub name: String,
    /// A display name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// What it does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// JSON Schema of its arguments.
    pub input_schema: Arc<Map<String, Value>>,
    /// JSON Schema of `structuredContent`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub output_schema: Option<Arc<Map<String, Value>>>,
    /// What the server claims of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub annotations: Option<Annotations>,
}

/// What a server claims of a tool. Claims, not facts: absent means the worst.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Annotations {
    /// A display name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// Changes nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub read_only_hint: Option<bool>,
    /// May destroy.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub destructive_hint: Option<bool>,
    /// A second equal call changes nothing more.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub idempotent_hint: Option<bool>,
    /// Reaches beyond its own closed world.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub open_world_hint: Option<bool>,
}

/// One block of an answer.
#[derive(Clone, Debug, PartialEq)]
pub enum Content {
    /// Text.
    Text(String),
    /// An image or a sound, base64.
    Media {
        /// `image` or `audio`.
        kind: &'static str,
        /// Its MIME type.
        mime_type: String,
        /// Base64 data.
        data: String,
        /// What else its wire object holds, such as `annotations`.
        more: Map<String, Value>,
    },
    /// Anything else (resource links, embedded resources, blocks of a kind that nobody knows) as its wire object.
    Other(Value),
}

/// What a tool answered.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ToolResult {
    /// The blocks.
    pub content: Vec<Content>,
    /// `structuredContent`.
    pub structured: Option<Value>,
    /// The tool says that it failed.
    pub is_error: bool,
    /// What a program gets, where that is not to be made of the rest.
    pub value: Option<Value>,
}

impl ToolResult {
    /// The value a program gets: `structuredContent` if there is any, else the parsed JSON of a single JSON text block,
    /// else the text, else the list of blocks.
    pub fn into_program_json(self) -> String {
        if let Some(value) = self.value.as_ref().or(self.structured.as_ref()) {
            return value.to_string();
        }
        match self.content.as_slice() {
            [] => "null".to_owned(),
            [Content::Text(text)] if is_json_container(text) => text.clone(),
            blocks if blocks.iter().all(|b| matches!(b, Content::Text(_))) => Value::String(self.text()).to_string(),
            blocks => Value::Array(blocks.iter().map(Content::to_json).collect()).to_string(),
        }
    }

    /// The same with all of it as the program's value.
    #[must_use]
    pub fn whole(mut self) -> Self {
        let content: Vec<Value> = self.content.iter().map(Content::to_json).collect();
        let mut whole = serde_json::json!({"content": content, "isError": self.is_error});
        if let Some(structured) = &self.structured {
            whole["structuredContent"] = structured.clone();
        }
        self.value = Some(whole);
        self
    }

    /// The text blocks, one under the other.
    pub fn text(&self) -> String {
        let mut texts = self.content.iter().filter_map(|b| match b {
            Content::Text(text) => Some(text.as_str()),
            _ => None,
        });
        let Some(first) = texts.next() else { return String::new() };
        texts.fold(first.to_owned(), |mut all, text| {
            all.push('\n');
            all.push_str(text);
            all
        })
    }

    /// What a host would put into the model's context: one representation, the text blocks if there are any, else the
    /// structured value. Media are counted by rule, not as text, and left out, as are the bytes of embedded resources.
    pub fn prompt_text(&self) -> String {
        let mut text = self.text();
        for block in &self.content {
            if let Content::Other(value) = block {
                if !text.is_empty() {
                    text.push('\n');
                }
                match value.get("text").and_then(Value::as_str) {
                    Some(said) => text.push_str(said),
                    None => text.push_str(&without_blob(value).to_string()),
                }
            }
        }
        match &self.structured {
            Some(value) if text.is_empty() => value.to_string(),
            _ => text,
        }
    }

    /// How many images and sounds the answer holds.
    pub fn media_count(&self) -> u32 {
        let count = self.content.iter().filter(|b| matches!(b, Content::Media { .. })).count();
        u32::try_from(count).unwrap_or(u32::MAX)
    }
}

impl Content {
    fn to_json(&self) -> Value {
        match self {
            Self::Text(text) => serde_json::json!({"type": "text", "text": text}),
            Self::Media { kind, mime_type, data, more } => {
                let mut block = serde_json::json!({"type": kind, "mimeType": mime_type, "data": data});
                block.as_object_mut().expect("it was made as one").extend(more.clone());
                block
            }
            Self::Other(value) => value.clone(),
        }
    }
}

/// An embedded resource without the bytes that no host would put into a context.
fn without_blob(block: &Value) -> Cow<'_, Value> {
    if block.pointer("/resource/blob").is_none() {
        return Cow::Borrowed(block);
    }
    let mut block = block.clone();
    block["resource"].as_object_mut().expect("it has a blob").remove("blob");
    Cow::Owned(block)
}

/// Whether `text` is an object or array of JSON. A bare number or word stays text: `"007"` must not become 7.
fn is_json_container(text: &str) -> bool {
    let trimmed = text.trim_start();
    trimmed.starts_with(['{', '[']) && serde_json::from_str::<serde::de::IgnoredAny>(text).is_ok()
}

/// What a search found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "lowercase")]
pub enum HitKind {
    /// A tool.
    #[default]
    Tool,
    /// A prompt.
    Prompt,
    /// A template of resources.
    Template,
    /// One resource.
    Resource,
    /// All resources of a server, as one line.
    Resources,
}

/// One tool in an answer to a search, or what else a server offers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
pub struct ToolHit {
    /// What it is.
    #[serde(default)]
    pub kind: HitKind,
    /// The server's configured name.
    pub server: String,
    /// The tool's own name, or the prompt's, or the URI.
    pub tool: String,
    /// What a program writes: `server_identifier.tool_identifier`, `server_identifier.prompts.get("name")`.
    pub path: String,
    /// One line on what it does.
    pub summary: String,
    /// A callable stub in the language asked for; empty for `detail: name`.
    pub stub: String,
    /// The relevance; only its order means anything.
    pub score: f32,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(content: Vec<Content>, structured: Option<Value>) -> String {
        ToolResult { content, structured, ..ToolResult::default() }.into_program_json()
    }

    #[test]
    fn structured_content_wins_over_text() {
        assert_eq!(of(vec![Content::Text("[9]".into())], Some(serde_json::json!({"a": 1}))), r#"{"a":1}"#);
    }

    #[test]
    fn a_single_json_text_is_parsed_and_other_text_is_not() {
        assert_eq!(of(vec![Content::Text("[1, 2]".into())], None), "[1, 2]");
        assert_eq!(of(vec![Content::Text("007".into())], None), r#""007""#);
        assert_eq!(of(vec![Content::Text("{oops".into())], None), r#""{oops""#);
        assert_eq!(of(vec![Content::Text("a".into()), Content::Text("b".into())], None), r#""a\nb""#);
        assert_eq!(of(vec![], None), "null");
    }

    #[test]
    fn numbers_go_through_to_their_last_digit() {
        // Doubles of all sizes.
        let mut bits = 1_u64;
        for _ in 0..10_000 {
            bits = bits.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let number = f64::from_bits(bits);
            if number.is_finite() {
                let text = serde_json::to_string(&number).expect("a number");
                let read: Value = serde_json::from_str(&text).expect("JSON");
                assert_eq!((read.as_f64(), of(vec![], Some(read))), (Some(number), text));
            }
        }
    }

    #[test]
    fn the_prompt_text_counts_one_representation() {
        let of = |content, structured| ToolResult { content, structured, ..ToolResult::default() }.prompt_text();
        assert_eq!(of(vec![Content::Text("x".into())], Some(Value::Null)), "x");
        assert_eq!(of(vec![], Some(serde_json::json!([1]))), "[1]");
        let embedded = |field: &str| serde_json::json!({"type": "resource", "resource": {"uri": "u", field: "Zg=="}});
        assert_eq!(of(vec![Content::Other(embedded("blob"))], None), r#"{"type":"resource","resource":{"uri":"u"}}"#);
        assert_eq!(of(vec![Content::Other(embedded("text"))], None), embedded("text").to_string());
    }

    #[test]
    fn a_block_keeps_what_it_says_of_itself() {
        let more = serde_json::json!({"annotations": {"priority": 1}}).as_object().expect("an object").clone();
        let image = Content::Media { kind: "image", mime_type: "image/png".into(), data: "Zg==".into(), more };
        let wire = r#"[{"type":"image","mimeType":"image/png","data":"Zg==","annotations":{"priority":1}}]"#;
        assert_eq!(of(vec![image], None), wire);
    }
}
