//! One server's tools: named, indexed and ready to be imported by programs. Made once, never changed.

use crate::beside;
use crate::explain::nearest;
use crate::extras::extras;
use crate::index::Index;
use crate::tool::Tool;
use crate::words::key;
use model::tool::HitKind;
use model::{Beside, Method, ToolDefinition, names};
use serde_json::{Map, Value, json};
use std::collections::HashMap;
use std::sync::Arc;

/// Names offered for one that does not exist.
const NEAREST_MAX: usize = 3;

/// One server's tools.
#[derive(Debug)]
pub struct ServerTools {
    name: String,
    identifier: String,
    definitions: Arc<[ToolDefinition]>,
    tools: Vec<Tool>,
    /// How a program reaches what it may have beside them.
    functions: Vec<Tool>,
    /// What it lists beside them, and that as entries of a search.
    beside: Arc<Beside>,
    extras: Vec<Tool>,
    /// Every name a tool answers to: its own, its identifier, its alias, in this precedence.
    by_name: HashMap<String, usize>,
    module_json: String,
    pub(crate) index: Index,
    /// `words::key` of each tool's and entry's name, for queries that name one.
    pub(crate) keys: Vec<String>,
}

impl ServerTools {
    /// Names and indexes a server's tools. Of tools with the same name only the first can be found by it.
    pub fn new(server_name: &str, server_identifier: &str, tools: Arc<[ToolDefinition]>) -> Self {
        Self::with(server_name, server_identifier, tools, Arc::default())
    }

    /// The same with what the server lists beside its tools.
    pub fn with(name: &str, identifier: &str, definitions: Arc<[ToolDefinition]>, beside: Arc<Beside>) -> Self {
        let names: Vec<&str> = definitions.iter().map(|tool| tool.name.as_str()).collect();
        let identifiers = names::identifiers(&names);
        let aliases = names::aliases(&identifiers);
        let tools: Vec<Tool> = identifiers
            .into_iter()
            .zip(aliases)
            .enumerate()
            .map(|(at, (tool, alias))| Tool::new(&definitions, at, identifier, tool, alias))
            .collect();
        let extras = extras(&beside, identifier);
        let found = || tools.iter().chain(&extras);
        Self {
            name: name.to_owned(),
            identifier: identifier.to_owned(),
            by_name: by_name(&tools),
            module_json: module_json(name, &tools),
            index: Index::new(name, found().map(|tool| (&*tool.definition, tool.summary()))),
            keys: found().map(|tool| key(&tool.definition.name)).collect(),
            functions: beside::functions(identifier),
            definitions,
            beside,
            extras,
            tools,
        }
    }

    /// The same server with something else beside its tools.
    #[must_use]
    pub fn with_beside(&self, beside: Arc<Beside>) -> Self {
        Self::with(&self.name, &self.identifier, Arc::clone(&self.definitions), beside)
    }

    /// The server's configured name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The name of its module in programs.
    pub fn identifier(&self) -> &str {
        &self.identifier
    }

    /// The tools as the server listed them.
    pub fn definitions(&self) -> &Arc<[ToolDefinition]> {
        &self.definitions
    }

    /// The tools, in the server's order.
    pub fn tools(&self) -> &[Tool] {
        &self.tools
    }

    /// What it lists beside its tools, as far as that was asked for.
    pub fn beside(&self) -> &Arc<Beside> {
        &self.beside
    }

    /// What a search finds beside the tools: its prompts, templates and resources.
    pub fn extras(&self) -> &[Tool] {
        &self.extras
    }

    /// A prompt that it lists.
    pub fn prompt(&self, name: &str) -> Option<&Tool> {
        self.extras.iter().find(|entry| entry.kind == HitKind::Prompt && entry.definition.name == name)
    }

    /// Everything a search can find, in order.
    pub(crate) fn entry(&self, at: usize) -> Option<&Tool> {
        self.tools.get(at).or_else(|| self.extras.get(at - self.tools.len()))
    }

    /// How many entries that is.
    pub(crate) fn entry_count(&self) -> usize {
        self.tools.len() + self.extras.len()
    }

    /// What the guest's `describe` answers: `{"server": NAME, "tools": {IDENTIFIER: NAME}, "aliases": {CAMEL: IDENTIFIER}}`.
    pub fn module_json(&self) -> &str {
        &self.module_json
    }

    /// A tool by its own name, its identifier or its alias; what stands beside the tools by MCP's name of the method.
    pub fn find(&self, name: &str) -> Option<&Tool> {
        match Method::of(name) {
            Some(method) => self.functions.iter().find(|function| function.method == Some(method)),
            None => self.by_name.get(name).map(|at| &self.tools[*at]),
        }
    }

    /// What a program writes behind the server's name, as an editor sees it: a tool's identifier or alias, or one of the
    /// functions beside the tools, such as `prompts.get`.
    pub fn called(&self, written: &str) -> Option<&Tool> {
        let Some((group, _)) = written.split_once('.') else {
            return self.by_name.get(written).map(|at| &self.tools[*at]);
        };
        let written = if written == "resources.contents" { "resources.read" } else { written };
        let is_free = !self.by_name.contains_key(group);
        self.functions.iter().find(|function| is_free && function.identifier == written)
    }

    /// What can be asked of every server beside its tools, as functions.
    pub fn functions(&self) -> &[Tool] {
        &self.functions
    }

    /// Those of them that it is worth to ask of this server, as far as is known: not all tell of changes.
    pub fn offered(&self) -> impl Iterator<Item = &Tool> {
        let tells = self.beside.tells_changes;
        self.functions.iter().filter(move |function| tells || function.method != Some(Method::Subscribe))
    }

    /// Whether a program finds something under this name in the server's module.
    pub fn has(&self, name: &str) -> bool {
        self.by_name.contains_key(name) || beside::GROUPS.contains(&name)
    }

    /// The identifiers of the tools whose names are most like `name`, best first.
    pub fn nearest(&self, name: &str) -> Vec<&str> {
        let mut found = nearest(name, self.tools.iter().map(|tool| tool.identifier.as_str()));
        found.truncate(NEAREST_MAX);
        found
    }
}

fn by_name(tools: &[Tool]) -> HashMap<String, usize> {
    let mut out = HashMap::with_capacity(tools.len() * 2);
    let names = tools.iter().map(|tool| Some(tool.definition.name.as_str()));
    let identifiers = tools.iter().map(|tool| Some(tool.identifier.as_str()));
    let aliases = tools.iter().map(|tool| tool.alias.as_deref());
    for (at, name) in names.enumerate().chain(identifiers.enumerate()).chain(aliases.enumerate()) {
        if let Some(name) = name {
            out.entry(name.to_owned()).or_insert(at);
        }
    }
    out
}

fn module_json(server_name: &str, tools: &[Tool]) -> String {
    // A tool with the name of a method is called by its identifier, as the name means the method.
    let own =
        |tool: &Tool| Method::of(&tool.definition.name).map_or(&tool.definition.name, |_| &tool.identifier).clone();
    let names = tools.iter().map(|tool| (tool.identifier.clone(), Value::from(own(tool))));
    let aliases = tools.iter().filter_map(|tool| Some((tool.alias.clone()?, Value::from(tool.identifier.as_str()))));
    let (names, aliases): (Map<_, _>, Map<_, _>) = (names.collect(), aliases.collect());
    json!({"server": server_name, "tools": names, "aliases": aliases}).to_string()
}
