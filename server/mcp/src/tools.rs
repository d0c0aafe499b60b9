//! The two tools as models see them, read from `toolsets/tools.json`, the one source of their texts for every front.

use rmcp::model::Tool;
use serde::Deserialize;
use std::sync::LazyLock;

/// The tool set's file.
#[derive(Deserialize)]
pub(crate) struct ToolSet {
    /// What a host may tell its model about the whole set.
    #[serde(default)]
    pub(crate) instructions: String,
    /// The tools, in the order in which they are listed.
    pub(crate) tools: Vec<Tool>,
}

/// The tool set.
pub(crate) static TOOL_SET: LazyLock<ToolSet> = LazyLock::new(|| {
    serde_json::from_str(include_str!("../../../toolsets/tools.json")).expect("toolsets/tools.json holds MCP tools")
});

/// The tool of this name.
pub(crate) fn tool(name: &str) -> Option<&'static Tool> {
    TOOL_SET.tools.iter().find(|tool| tool.name == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_set_is_the_two_tools_of_the_contract() {
        let names: Vec<&str> = TOOL_SET.tools.iter().map(|t| t.name.as_ref()).collect();
        assert_eq!(names, ["run_code", "search_tools"]);
    }

    #[test]
    fn annotations_are_honest() {
        let of = |name| tool(name).and_then(|t| t.annotations.clone()).expect("both tools are annotated");
        let (run, search) = (of("run_code"), of("search_tools"));
        assert_eq!(
            (run.read_only_hint, run.destructive_hint, run.open_world_hint),
            (Some(false), Some(true), Some(true))
        );
        assert_eq!(search.read_only_hint, Some(true));
    }

    #[test]
    fn every_parameter_named_in_a_schema_is_one_the_daemon_takes() {
        let run = tool("run_code").expect("listed").input_schema["properties"].as_object().cloned().unwrap_or_default();
        for (name, schema) in &run {
            let value = match schema["type"].as_str() {
                Some("integer" | "number") => serde_json::json!(1),
                _ => serde_json::json!("python"),
            };
            let mut arguments = serde_json::json!({"code": "1"});
            arguments[name] = value;
            let read: Result<model::RunRequest, _> = serde_json::from_value(arguments);
            assert!(read.is_ok(), "{name}: {read:?}");
        }
    }
}
