//! A server's tool that stands in a model's prompt beside our own, because a person said so.

use crate::tool::ToolDefinition;

/// A tool that models may call without a program.
#[derive(Clone, Debug, PartialEq)]
pub struct DirectTool {
    /// The server's configured name.
    pub server: String,
    /// What the door calls the tool by.
    pub tool: String,
    /// As models see it: under a name that no other tool has, its description cut, without the schema of its answers.
    pub definition: ToolDefinition,
}
