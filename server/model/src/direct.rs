//! A server's tool that stands in a model's prompt beside our own, because a person said so.

use crate::tool::ToolDefinition;

/// The display name, in place of a program's, of what a model calls without one.
pub const WITHOUT_PROGRAM: &str = "a call without a program";

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
