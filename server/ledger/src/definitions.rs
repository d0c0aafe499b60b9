//! What tool definitions cost in a prompt: the minified `{name, description, input_schema}` that providers send, not the
//! wire form with its output schema, annotations and icons.
//!
//! Servers' definitions are kept until they are counted and counted only when a run or a reader needs them; their counts
//! are kept by content hash in the database, so that a second start needs no tokenizer for them.

use crate::count::Count;
use crate::error::Error;
use model::ToolDefinition;
use serde::Serialize;
use serde_json::{Map, Value};
use std::collections::HashMap;

#[derive(Serialize)]
struct PromptForm<'a> {
    name: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<&'a str>,
    input_schema: &'a Map<String, Value>,
}

/// A definition as it stands in a prompt.
pub(crate) fn prompt_form(tool: &ToolDefinition) -> String {
    let form =
        PromptForm { name: &tool.name, description: tool.description.as_deref(), input_schema: &tool.input_schema };
    serde_json::to_string(&form).expect("maps with string keys serialise")
}

/// The sandbox's own definitions.
#[derive(Debug)]
pub(crate) struct OwnDefinitions {
    /// All of them, as they stand in a prompt.
    pub(crate) all: String,
    /// `search_tools` alone: the measure for the host's own tool search in baseline C.
    pub(crate) search: String,
}

impl OwnDefinitions {
    pub(crate) fn parse(json: &str) -> Result<Self, Error> {
        let tools: Vec<Value> = serde_json::from_str(json).map_err(|error| Error::OwnDefinitions(error.to_string()))?;
        let search = tools.iter().find(|tool| tool["name"] == "search_tools");
        let search = search.ok_or_else(|| Error::OwnDefinitions("search_tools is missing".to_owned()))?.to_string();
        Ok(Self { search, all: Value::Array(tools).to_string() })
    }
}

/// The counted definitions of one server.
#[derive(Clone, Debug, Default)]
pub(crate) struct ServerTokens {
    /// Each tool's tokens.
    pub(crate) tools: HashMap<String, u64>,
    /// Their sum.
    pub(crate) total: u64,
    /// Whether all were counted whole.
    pub(crate) exact: bool,
}

impl ServerTokens {
    pub(crate) fn add(&mut self, tool: &str, count: Count) {
        self.tools.insert(tool.to_owned(), count.tokens);
        self.total += count.tokens;
        self.exact &= count.exact;
    }
}
