//! What tool definitions cost in a prompt: the minified `{name, description, input_schema}` that providers send, not the
//! wire form with its output schema, annotations and icons.
//!
//! Servers' definitions are kept until they are counted and counted only when a run or a reader needs them; their counts
//! are kept by content hash in the database, so that a second start needs no tokenizer for them.

use crate::count::Count;
use crate::error::Error;
use model::ToolDefinition;
use serde::{Deserialize, Serialize};
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
    /// From a JSON array of tools, or an object that has one as `tools`, in prompt form or wire form.
    pub(crate) fn parse(json: &str) -> Result<Self, Error> {
        let refused = |error: serde_json::Error| Error::OwnDefinitions(error.to_string());
        let mut json: Value = serde_json::from_str(json).map_err(refused)?;
        let tools = if json.is_array() { json } else { json["tools"].take() };
        let tools: Vec<OwnTool> = serde_json::from_value(tools).map_err(refused)?;
        let form = |tool: &OwnTool| serde_json::to_string(tool).expect("maps with string keys serialise");
        let search = tools.iter().find(|tool| tool.name == "search_tools").map(form);
        let search = search.ok_or_else(|| Error::OwnDefinitions("search_tools is missing".to_owned()))?;
        Ok(Self { all: format!("[{}]", tools.iter().map(form).collect::<Vec<_>>().join(",")), search })
    }

    /// All of them with servers' tools beside them, as they stand in a prompt.
    pub(crate) fn beside(&self, tools: &[ToolDefinition]) -> String {
        let own = self.all.strip_suffix(']').expect("it is made as a list");
        let all: Vec<_> = std::iter::once(own.to_owned()).chain(tools.iter().map(prompt_form)).collect();
        format!("{}]", all.join(","))
    }
}

/// One of the sandbox's own tools; what else its wire form has does not reach a prompt.
#[derive(Deserialize, Serialize)]
struct OwnTool {
    name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<String>,
    #[serde(alias = "inputSchema")]
    input_schema: Map<String, Value>,
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn own_definitions_are_taken_in_every_form_and_kept_in_prompt_form() {
        let wire = r#"{"instructions": "left out", "tools": [
            {"name": "run_code", "title": "left out", "description": "Run.", "inputSchema": {"type": "object"}},
            {"name": "search_tools", "description": "Find.", "inputSchema": {}, "annotations": {"readOnlyHint": true}}]}"#;
        let own = OwnDefinitions::parse(wire).expect("the wire form");
        let search = r#"{"name":"search_tools","description":"Find.","input_schema":{}}"#;
        assert_eq!(own.search, search);
        let run = r#"{"name":"run_code","description":"Run.","input_schema":{"type":"object"}}"#;
        assert_eq!(own.all, format!("[{run},{search}]"));
        let direct = r#"{"name":"fs__read","description":"Reads.","inputSchema":{},"annotations":{}}"#;
        let direct = serde_json::from_str(direct).expect("a tool");
        let more = r#"{"name":"fs__read","description":"Reads.","input_schema":{}}"#;
        assert_eq!(own.beside(&[direct]), format!("[{run},{search},{more}]"));
        assert_eq!(own.beside(&[]), own.all);
        assert_eq!(OwnDefinitions::parse(&own.all).expect("the prompt form").all, own.all);
    }

    #[test]
    fn own_definitions_without_a_search_tool_are_refused() {
        for wrong in ["[]", "{", "{}", r#"[{"name":"run_code","description":"","input_schema":{}}]"#] {
            let refused = OwnDefinitions::parse(wrong).expect_err("the formula needs it");
            assert!(refused.to_string().contains("search_tools"), "{refused}");
        }
    }
}
