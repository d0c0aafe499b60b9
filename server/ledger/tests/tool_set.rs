//! The tool set's own cost: every conversation pays it, so it is held to a budget.

use serde_json::{Value, json};

/// What both definitions may cost in a prompt.
const TOKENS_MAX: usize = 400;

#[test]
fn both_definitions_cost_at_most_400_tokens() {
    let set: Value = serde_json::from_str(include_str!("../../../toolsets/tools.json")).expect("JSON");
    let in_prompt = |tool: &Value| json!({"name": tool["name"], "description": tool["description"], "input_schema": tool["inputSchema"]});
    let tools: Vec<Value> = set["tools"].as_array().expect("a list of tools").iter().map(in_prompt).collect();
    assert_eq!(tools.len(), 2);
    let tokens = tiktoken_rs::o200k_base_singleton().count_ordinary(&json!(tools).to_string());
    assert!(tokens <= TOKENS_MAX, "{tokens} tokens; every word costs every conversation");
}
