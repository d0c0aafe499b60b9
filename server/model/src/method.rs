//! What a program may ask of a server beside its tools.
//!
//! The names are MCP's own. Where a tool has the very same name, the name means the method, and the tool is called by its
//! identifier.

/// A method of MCP that a program reaches by its name, as if it were a tool.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Method {
    /// All resources.
    ListResources,
    /// All templates of resources.
    ListTemplates,
    /// The contents of one resource.
    ReadResource,
    /// The changes of one resource, for as long as somebody takes them.
    Subscribe,
    /// All prompts.
    ListPrompts,
    /// The messages of one prompt.
    GetPrompt,
    /// A tool, answered with all that its server said instead of the value alone.
    CallTool,
}

impl Method {
    /// All that a server may offer beside its tools.
    pub const OFFERED: [Self; 6] = [
        Self::ListResources,
        Self::ListTemplates,
        Self::ReadResource,
        Self::Subscribe,
        Self::ListPrompts,
        Self::GetPrompt,
    ];

    /// The method of this name.
    pub fn of(name: &str) -> Option<Self> {
        Self::OFFERED.into_iter().chain([Self::CallTool]).find(|method| method.name() == name)
    }

    /// Its name on the wire and in programs.
    pub fn name(self) -> &'static str {
        match self {
            Self::ListResources => "resources/list",
            Self::ListTemplates => "resources/templates/list",
            Self::ReadResource => "resources/read",
            Self::Subscribe => "resources/subscribe",
            Self::ListPrompts => "prompts/list",
            Self::GetPrompt => "prompts/get",
            Self::CallTool => "tools/call",
        }
    }
}
