//! What a server lists beside its tools: prompts, resources, and templates of resources. Untrusted text throughout; who
//! fills it in bounds it.

use serde::{Deserialize, Serialize};

/// Everything one server lists beside its tools, as far as it is kept.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Beside {
    /// Its prompts.
    pub prompts: Vec<Prompt>,
    /// Its templates, each with its URI template for a URI.
    pub templates: Vec<Resource>,
    /// The first of its resources.
    pub resources: Vec<Resource>,
    /// How many resources were seen in its list.
    pub resource_count: usize,
    /// There may be more than that.
    pub has_more: bool,
    /// Whether it tells of changes of a resource to who subscribes to it.
    pub tells_changes: bool,
}

/// A prompt.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Prompt {
    /// What it is asked for by.
    pub name: String,
    /// What it is for.
    pub description: Option<String>,
    /// What it takes; all of it is text.
    pub arguments: Vec<PromptArgument>,
}

/// An argument of a prompt.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PromptArgument {
    /// Its name.
    pub name: String,
    /// What it is.
    pub description: Option<String>,
    /// Whether the prompt needs it.
    pub required: bool,
}

/// A resource, or a template of resources.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Resource {
    /// Its URI, or its URI template.
    pub uri: String,
    /// What people call it.
    pub name: String,
    /// What it is.
    pub description: Option<String>,
}
