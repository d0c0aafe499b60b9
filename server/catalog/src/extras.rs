//! What a server lists beside its tools, as entries of a search: each prompt, each template, and each resource that was
//! listed, written as a program asks for it; and all resources as one line with their number and the first few.
//!
//! Invariant: entries are bounded like the stubs of tools, and their texts are as safe; where they are found is the index that
//! tools are found in.

use crate::printer::Printer;
use crate::text::{one_line, quoted};
use crate::tool::Tool;
use crate::types::{self, Type};
use model::beside::{Beside, Prompt, Resource};
use model::tool::HitKind;
use model::{Annotations, Detail, Language, Method, ToolDefinition};
use serde_json::{Map, Value, json};
use std::fmt::Write as _;
use std::sync::Arc;

/// Resources that stand for all of them, and characters of each one's URI.
const FIRST: usize = 3;
const FIRST_CHARS: usize = 60;
/// Characters of a prompt's arguments, of a line of documentation, and how many arguments have one.
const ARGUMENTS_CHARS: usize = 600;
const DOC_CHARS: usize = 200;
const DOCUMENTED: usize = 16;

/// The entries, in the order in which they are listed.
pub(crate) fn extras(beside: &Beside, server_identifier: &str) -> Vec<Tool> {
    let templates = beside.templates.iter().map(|template| (HitKind::Template, resource(template, Some("template"))));
    let resources = beside.resources.iter().map(|one| (HitKind::Resource, resource(one, None)));
    let parts = beside.prompts.iter().map(|one| (HitKind::Prompt, prompt(one))).chain(templates).chain(all(beside));
    let (kinds, definitions): (Vec<HitKind>, Vec<ToolDefinition>) = parts.chain(resources).unzip();
    let definitions: Arc<[ToolDefinition]> = definitions.into();
    let entries = kinds.into_iter().enumerate().map(|(at, kind)| {
        let name = quoted(&definitions[at].name);
        let (method, written) = match kind {
            HitKind::Prompt => (Method::GetPrompt, format!("prompts.get({name})")),
            HitKind::Resources => (Method::ListResources, "resources.list()".to_owned()),
            HitKind::Template | HitKind::Resource | HitKind::Tool => {
                (Method::ReadResource, format!("resources.read({name})"))
            }
        };
        let mut entry = Tool::new(&definitions, at, server_identifier, written, None);
        (entry.method, entry.kind) = (Some(method), kind);
        entry
    });
    entries.collect()
}

fn prompt(prompt: &Prompt) -> ToolDefinition {
    let properties = prompt.arguments.iter().map(|argument| {
        let mut of = json!({"type": "string"});
        if let Some(description) = &argument.description {
            of["description"] = description.as_str().into();
        }
        (argument.name.clone(), of)
    });
    let properties: Map<String, Value> = properties.collect();
    let required: Vec<&str> =
        prompt.arguments.iter().filter(|argument| argument.required).map(|argument| argument.name.as_str()).collect();
    let schema = json!({"type": "object", "properties": properties, "required": required});
    definition(&prompt.name, Some("prompt"), prompt.description.clone(), schema)
}

fn resource(resource: &Resource, title: Option<&str>) -> ToolDefinition {
    let name = Some(&resource.name).filter(|name| !name.is_empty() && **name != resource.uri);
    // A description alone may say less than the name: a page of a handbook.
    let description = match (name, &resource.description) {
        (Some(name), Some(description)) => Some(format!("{name}: {description}")),
        (Some(text), None) | (None, Some(text)) => Some(text.clone()),
        (None, None) => None,
    };
    definition(&resource.uri, title, description, json!({"type": "object"}))
}

/// The line that stands for all resources.
fn all(beside: &Beside) -> Option<(HitKind, ToolDefinition)> {
    let count = beside.resource_count;
    let changes = if beside.tells_changes { " (resources.subscribe(uri) tells of changes)" } else { "" };
    if count == 0 && (changes.is_empty() || beside.templates.is_empty()) {
        return None;
    }
    let first: Vec<String> =
        beside.resources.iter().take(FIRST).map(|resource| one_line(&resource.uri, FIRST_CHARS)).collect();
    let more = if count > first.len() || beside.has_more { ", …" } else { "" };
    let (plus, s) = (if beside.has_more { "+" } else { "" }, if count == 1 { "" } else { "s" });
    let colon = if first.is_empty() { "" } else { ": " };
    let description = format!("{count}{plus} resource{s}{changes}{colon}{}{more}", first.join(", "));
    Some((HitKind::Resources, definition("resources", None, Some(description), json!({"type": "object"}))))
}

fn definition(name: &str, title: Option<&str>, description: Option<String>, schema: Value) -> ToolDefinition {
    let Value::Object(schema) = schema else { unreachable!("only objects are written above") };
    ToolDefinition {
        name: name.to_owned(),
        title: title.map(str::to_owned),
        description,
        input_schema: Arc::new(schema),
        output_schema: None,
        annotations: Some(Annotations { read_only_hint: Some(true), ..Annotations::default() }),
    }
}

/// The entry as a program writes it, with what it is in a comment.
pub(crate) fn stub(entry: &Tool, language: Language, detail: Detail) -> String {
    let python = language == Language::Python;
    let (mark, end) = if python { ("#", "") } else { ("//", ";") };
    let mut call = format!("await {}", entry.path);
    let arguments = types::read(&entry.definition.input_schema, 1);
    let Type::Object(fields) = &arguments else { return commented(&(call + end), mark, entry.summary()) };
    let printer = Printer { python, literals_max: 0 };
    let mut shown = printer.object(fields);
    if shown.len() > ARGUMENTS_CHARS {
        shown = printer.print(&Type::Map(Box::new(Type::Str)));
    }
    call.truncate(call.len() - 1);
    let mut out = commented(&format!("{call}, {shown}){end}"), mark, entry.summary());
    if detail == Detail::Full {
        let documented = fields.iter().filter_map(|field| Some((field, one_line(field.doc.as_deref()?, DOC_CHARS))));
        for (field, doc) in documented.filter(|(_, doc)| !doc.is_empty()).take(DOCUMENTED) {
            write!(out, "\n{mark} {}: {doc}", one_line(&field.name, DOC_CHARS)).expect("a String takes every write");
        }
    }
    out
}

fn commented(code: &str, mark: &str, comment: &str) -> String {
    if comment.is_empty() { code.to_owned() } else { format!("{code}  {mark} {comment}") }
}
