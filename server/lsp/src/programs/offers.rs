//! Completion: servers in imports, tools of a server, names and values of arguments.
//!
//! Invariant: an item replaces what is there of its word and nothing else. What a server calls its parameters is inserted
//! only where it is a name of the language, or quoted.

use super::hover::{head, language_name, parameter_doc, signature};
use super::signature::markdown;
use super::{Program, beside};
use crate::markdown::block;
use daemon::{Parameter, Tool};
use model::{Detail, Language};
use serde_json::Value;
use std::ops::Range;
use syntax::{CallPlace, Context, Place};
use tower_lsp::ls_types::{
    CompletionItem, CompletionItemKind, CompletionItemLabelDetails, CompletionTextEdit, InsertTextFormat, TextEdit,
};

/// Items of one answer; those with stubs, which take longest, come first.
const ITEMS_MAX: usize = 1_000;
const STUBS_MAX: usize = 200;

/// What can be written in `context`.
pub(super) fn all(program: &Program<'_>, context: &Context) -> Vec<CompletionItem> {
    let mut items = match context {
        Context::Nothing => Vec::new(),
        Context::Server { replace, taken } => servers(program, replace, taken),
        Context::Tool { server, replace, taken, is_import } => tools(program, server, replace, taken, *is_import),
        Context::Member { server, group, replace } => beside::members(program, server, group, replace),
        Context::Call(place) => beside::arguments(program, place).unwrap_or_else(|| arguments(program, place)),
    };
    items.truncate(ITEMS_MAX);
    // Their own order, which is the server's: not the alphabet's.
    for (at, item) in items.iter_mut().enumerate() {
        item.sort_text = Some(format!("{at:04}"));
    }
    items
}

pub(super) fn item(
    program: &Program<'_>,
    replace: &Range<usize>,
    label: &str,
    kind: CompletionItemKind,
) -> CompletionItem {
    let edit = TextEdit::new(program.document.range(replace.clone()), label.to_owned());
    CompletionItem {
        label: label.to_owned(),
        kind: Some(kind),
        text_edit: Some(CompletionTextEdit::Edit(edit)),
        ..CompletionItem::default()
    }
}

/// Makes an item insert something else than its label.
pub(super) fn insert(item: &mut CompletionItem, text: String, format: InsertTextFormat) {
    if let Some(CompletionTextEdit::Edit(edit)) = &mut item.text_edit {
        item.filter_text = Some(item.label.clone());
        item.insert_text_format = Some(format);
        edit.new_text = text;
    }
}

pub(super) fn describe(item: &mut CompletionItem, text: &str) {
    if !text.is_empty() {
        item.label_details = Some(CompletionItemLabelDetails { detail: None, description: Some(text.to_owned()) });
    }
}

fn servers(program: &Program<'_>, replace: &Range<usize>, taken: &[String]) -> Vec<CompletionItem> {
    let names = program.daemon.server_names().into_iter().filter(|name| !taken.contains(name));
    let items = names.map(|name| {
        let mut item = item(program, replace, &name, CompletionItemKind::MODULE);
        let tools = program.daemon.server_tools(&name).map(|server| server.tools().len());
        describe(&mut item, &tools.map_or_else(|| "MCP server".to_owned(), |n| format!("MCP server · {n} tools")));
        item
    });
    items.collect()
}

fn tools(
    program: &Program<'_>,
    server: &str,
    replace: &Range<usize>,
    taken: &[String],
    is_import: bool,
) -> Vec<CompletionItem> {
    let Some(server) = program.server(server) else { return Vec::new() };
    let typed = &program.document.text()[replace.clone()];
    let is_called = program.document.text()[replace.end..].starts_with('(');
    // In TypeScript both spellings are somebody's habit.
    let aliases = program.language() != Language::Python || typed.contains(char::is_uppercase);
    let names = server.tools().iter().flat_map(|tool| {
        let alias = tool.alias.as_deref().filter(|_| aliases);
        std::iter::once(tool.identifier.as_str()).chain(alias).map(move |name| (name, tool))
    });
    let wanted = names.filter(|(name, _)| is_like(typed, name) && !taken.iter().any(|taken| taken == name));
    let items = wanted.take(ITEMS_MAX).enumerate().map(|(at, (name, tool))| {
        let mut item = item(program, replace, name, CompletionItemKind::FUNCTION);
        item.detail = (!tool.summary().is_empty()).then(|| tool.summary().to_owned());
        if at < STUBS_MAX {
            let stub = tool.stub(program.language(), Detail::Signature);
            item.documentation = Some(markdown(block(language_name(program.language()), head(&stub))));
        }
        if !is_import && !is_called {
            insert(&mut item, call(tool, name, program.language()), InsertTextFormat::SNIPPET);
        }
        item
    });
    items.collect()
}

/// Whether `typed` is some of the letters of `name`, in their order: editors look no closer.
pub(super) fn is_like(typed: &str, name: &str) -> bool {
    let mut letters = name.chars().map(|c| c.to_ascii_lowercase());
    typed.chars().all(|c| letters.any(|letter| letter == c.to_ascii_lowercase()))
}

/// A call with the arguments that it must have.
fn call(tool: &Tool, name: &str, language: Language) -> String {
    let required = tool.parameters(language).into_iter().filter(|parameter| parameter.is_required);
    let python = language == Language::Python;
    let required: Vec<String> = required.map(|parameter| parameter.name).collect();
    let in_braces = !python || !required.iter().all(|name| is_word(name));
    let arguments: Vec<String> = required
        .iter()
        .zip(1..)
        .map(|(name, at)| match (in_braces, python) {
            (false, _) => format!("{name}=${at}"),
            (true, true) => format!("{}: ${at}", plain(&quoted(name))),
            (true, false) => format!("{}: ${at}", plain(&key(name))),
        })
        .collect();
    match (arguments.is_empty(), in_braces, python) {
        (true, ..) => format!("{name}($1)"),
        (_, false, _) => format!("{name}({})", arguments.join(", ")),
        (_, true, true) => format!("{name}({{{}\\}})", arguments.join(", ")),
        (_, true, false) => format!("{name}({{ {} \\}})", arguments.join(", ")),
    }
}

fn arguments(program: &Program<'_>, place: &CallPlace) -> Vec<CompletionItem> {
    let Some(parameters) = program.parameters(&place.server, &place.tool) else { return Vec::new() };
    match &place.place {
        Place::Name { replace, is_quoted, has_value } => {
            let due = parameters.iter().filter(|parameter| !place.given.contains(&parameter.name));
            let form = Form { is_quoted: *is_quoted, has_value: *has_value, in_braces: place.in_braces };
            due.filter_map(|parameter| argument(program, replace, parameter, form)).collect()
        }
        Place::Value { name, replace, is_quoted } => {
            let parameter = parameters.iter().find(|parameter| parameter.name == *name);
            let values = parameter.into_iter().flat_map(|parameter| &parameter.values);
            values.filter_map(|value| self::value(program, replace, value, *is_quoted)).collect()
        }
        Place::First { .. } | Place::Inside { .. } => Vec::new(),
    }
}

/// How an argument's name is to be written.
#[derive(Clone, Copy)]
pub(super) struct Form {
    pub(super) is_quoted: bool,
    pub(super) has_value: bool,
    pub(super) in_braces: bool,
}

pub(super) fn argument(
    program: &Program<'_>,
    replace: &Range<usize>,
    parameter: &Parameter,
    form: Form,
) -> Option<CompletionItem> {
    let python = program.language() == Language::Python;
    let name = &parameter.name;
    let written = match (form.is_quoted, form.in_braces, python) {
        (true, ..) if name.contains(['"', '\'', '\\', '\n']) => return None,
        (false, false, _) if !is_word(name) => return None,
        (true, ..) | (false, false, _) => name.clone(),
        (false, true, true) => quoted(name),
        (false, true, false) => key(name),
    };
    let text = match (form.has_value || form.is_quoted, form.in_braces) {
        (true, _) => written,
        (false, true) => format!("{written}: "),
        (false, false) => format!("{written}="),
    };
    let mut item = item(program, replace, name, CompletionItemKind::PROPERTY);
    item.detail = Some(signature(parameter));
    item.documentation = Some(markdown(parameter_doc(parameter)));
    describe(&mut item, if parameter.is_required { "required" } else { "" });
    insert(&mut item, text, InsertTextFormat::PLAIN_TEXT);
    Some(item)
}

fn value(program: &Program<'_>, replace: &Range<usize>, value: &Value, is_quoted: bool) -> Option<CompletionItem> {
    let text = match (value, program.language()) {
        (Value::String(text), _) if is_quoted => {
            Some(text.clone()).filter(|text| !text.contains(['"', '\'', '\\', '\n']))?
        }
        _ if is_quoted => return None,
        (Value::Bool(true), Language::Python) => "True".to_owned(),
        (Value::Bool(false), Language::Python) => "False".to_owned(),
        (Value::Null, Language::Python) => "None".to_owned(),
        (value, _) => value.to_string(),
    };
    Some(item(program, replace, &text, CompletionItemKind::ENUM_MEMBER))
}

/// A key of an object literal.
fn key(name: &str) -> String {
    if is_word(name) { name.to_owned() } else { quoted(name) }
}

fn quoted(name: &str) -> String {
    Value::from(name).to_string()
}

fn is_word(name: &str) -> bool {
    model::names::identifier(name) == name
}

/// Text that a snippet takes as it is.
fn plain(text: &str) -> String {
    text.replace('\\', "\\\\").replace('$', "\\$").replace('}', "\\}")
}
