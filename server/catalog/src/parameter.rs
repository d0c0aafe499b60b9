//! A tool's parameters one by one, for editors: what may be written, and what is wrong with what is written already.
//!
//! Invariant: texts are safe to show and bounded, as everywhere in this crate.

use crate::printer::Printer;
use crate::text::one_line;
use crate::types::{self, Type};
use model::{Language, ToolDefinition};
use serde_json::Value;

/// Characters of a parameter's type, and of its documentation.
const TYPE_CHARS: usize = 120;
const DOC_CHARS: usize = 600;
/// How deep a type is shown: a list of objects with their fields.
const DEPTH: usize = 3;
/// Values that are offered for one parameter.
const VALUES_MAX: usize = 40;

/// One parameter of a tool.
#[derive(Clone, Debug, PartialEq)]
pub struct Parameter {
    /// Its name, which may be no identifier.
    pub name: String,
    /// Its type, in the words of the language.
    pub type_text: String,
    /// Whether a call must give it.
    pub is_required: bool,
    /// What it is, in the server's words, on one line.
    pub doc: Option<String>,
    /// What it is where a call does not give it.
    pub default: Option<Value>,
    /// All values it can have, where they can be listed.
    pub values: Vec<Value>,
}

/// The parameters that a tool declares, those that are required first.
pub(crate) fn parameters(tool: &ToolDefinition, language: Language) -> Vec<Parameter> {
    let printer = Printer { python: language == Language::Python, literals_max: VALUES_MAX };
    let Type::Object(mut fields) = types::read(&tool.input_schema, DEPTH) else { return Vec::new() };
    fields.sort_by_key(|field| !field.required);
    let parameters = fields.into_iter().map(|field| Parameter {
        type_text: one_line(&printer.print(&field.of), TYPE_CHARS),
        is_required: field.required,
        doc: field.doc.as_deref().map(|doc| one_line(doc, DOC_CHARS)).filter(|doc| !doc.is_empty()),
        values: values(&field.of),
        default: field.default,
        name: field.name,
    });
    parameters.collect()
}

fn values(of: &Type) -> Vec<Value> {
    match of {
        Type::Bool => vec![Value::Bool(true), Value::Bool(false)],
        Type::Literals(values, _) => values.iter().take(VALUES_MAX).cloned().collect(),
        Type::Union(all) => all.iter().map(values).find(|values| !values.is_empty()).unwrap_or_default(),
        _ => Vec::new(),
    }
}
