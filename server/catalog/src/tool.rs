//! One tool: its definition, its names in programs, its check and its stubs.

use crate::beside;
use crate::extras;
use crate::parameter::{self, Parameter};
use crate::stub;
use crate::text::{first_sentence, one_line};
use crate::validate::{ArgumentProblem, Check};
use model::tool::HitKind;
use model::{Detail, Language, Method, ToolDefinition};
use serde_json::{Map, Value};
use std::sync::{Arc, OnceLock};

/// Characters of a summary.
const SUMMARY_CHARS: usize = 120;

/// A definition, shared with the list it came in.
#[derive(Clone, Debug)]
pub struct SharedDefinition {
    all: Arc<[ToolDefinition]>,
    at: usize,
}

impl std::ops::Deref for SharedDefinition {
    type Target = ToolDefinition;

    fn deref(&self) -> &ToolDefinition {
        &self.all[self.at]
    }
}

/// A tool as programs, models and people meet it.
#[derive(Debug)]
pub struct Tool {
    /// What the server says of it.
    pub definition: SharedDefinition,
    /// Its function's name in programs.
    pub identifier: String,
    /// The same in camelCase, where that is another name and no other tool's.
    pub alias: Option<String>,
    /// What a program writes: `server.tool`, both identifiers.
    pub path: String,
    /// What it stands for, where it is no tool.
    pub method: Option<Method>,
    /// What a search finds it as.
    pub kind: HitKind,
    summary: String,
    /// Built at the first call: most tools are never called.
    check: OnceLock<Check>,
}

impl Tool {
    pub(crate) fn new(
        all: &Arc<[ToolDefinition]>,
        at: usize,
        server_identifier: &str,
        identifier: String,
        alias: Option<String>,
    ) -> Self {
        let definition = SharedDefinition { all: Arc::clone(all), at };
        let path = format!("{server_identifier}.{identifier}");
        let summary = summary(&definition);
        let (method, kind, check) = (None, HitKind::Tool, OnceLock::new());
        Self { definition, identifier, alias, path, method, kind, summary, check }
    }

    /// What it does, on one line of at most 120 characters; empty where the server does not say.
    pub fn summary(&self) -> &str {
        &self.summary
    }

    /// Checks arguments against the input schema. `null` counts as no arguments. The schema is compiled at the first call;
    /// a later check takes microseconds.
    pub fn validate(&self, arguments: &Value) -> Result<(), ArgumentProblem> {
        let none = Value::Object(Map::new());
        let arguments = if arguments.is_null() { &none } else { arguments };
        self.check().validate(&self.definition.name, &self.definition.input_schema, arguments)
    }

    /// Everything that is certainly wrong with arguments of which some are not known yet: those in `hidden` are given, with
    /// whatever value, and with `is_open` there may be more.
    pub fn problems(&self, known: &Map<String, Value>, hidden: &[&str], is_open: bool) -> Vec<ArgumentProblem> {
        let mut given = known.clone();
        given.extend(hidden.iter().map(|name| ((*name).to_owned(), Value::Null)));
        let is_certain = |name: &str| !hidden.contains(&name);
        let given = Value::Object(given);
        self.check().problems(&self.definition.name, &self.definition.input_schema, &given, is_certain, is_open)
    }

    /// The parameters it declares, those that are required first, with types in the words of `language`.
    pub fn parameters(&self, language: Language) -> Vec<Parameter> {
        parameter::parameters(&self.definition, language)
    }

    /// Why arguments cannot be checked here and are left to the server; `None` where they are checked.
    pub fn unchecked(&self) -> Option<&str> {
        match self.check() {
            Check::Unchecked(why) => Some(why),
            Check::Compiled(_) => None,
        }
    }

    /// The tool as a function of `language`; at `Detail::Name` only its path.
    pub fn stub(&self, language: Language, detail: Detail) -> String {
        match detail {
            Detail::Name => self.path.clone(),
            _ if self.method == Some(Method::Subscribe) => beside::subscription(&self.path, &self.summary, language),
            detail if self.kind != HitKind::Tool => extras::stub(self, language, detail),
            detail => stub::render(&self.definition, &self.path, &self.summary, language, detail),
        }
    }

    fn check(&self) -> &Check {
        self.check.get_or_init(|| Check::new(&self.definition.input_schema))
    }
}

fn summary(definition: &ToolDefinition) -> String {
    let described = first_sentence(definition.description.as_deref().unwrap_or_default(), SUMMARY_CHARS);
    if !described.is_empty() {
        return described;
    }
    let title = definition.title.as_deref().or_else(|| definition.annotations.as_ref()?.title.as_deref());
    one_line(title.unwrap_or_default(), SUMMARY_CHARS)
}
