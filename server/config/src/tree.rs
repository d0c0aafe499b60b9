//! JSON with comments and TOML as one kind of tree whose every key and value knows its place in the text.
//!
//! The readers of the shapes work on this tree and so never ask in which language a file is written. Bounded by the
//! size of the file and by the parsers' own nesting limits.

use jsonc_parser::ast;
use toml::de::{DeTable, DeValue};

/// A value and the byte offset at which it starts.
#[derive(Debug)]
pub(crate) struct Node {
    pub(crate) at: usize,
    pub(crate) value: Value,
}

/// What a value can be. Numbers keep their spelling: they only ever become text again, or a limit.
#[derive(Debug)]
pub(crate) enum Value {
    Null,
    Bool(bool),
    Number(String),
    Text(String),
    List(Vec<Node>),
    Table(Vec<Entry>),
}

/// A key of a table with its value.
#[derive(Debug)]
pub(crate) struct Entry {
    pub(crate) key: String,
    pub(crate) key_at: usize,
    pub(crate) node: Node,
}

/// A file that does not parse: where, and why.
#[derive(Debug)]
pub(crate) struct SyntaxError {
    pub(crate) at: usize,
    pub(crate) message: String,
}

impl Node {
    pub(crate) fn entries(&self) -> Option<&[Entry]> {
        match &self.value {
            Value::Table(entries) => Some(entries),
            _ => None,
        }
    }

    /// The entry of `key`; the last one where it is there twice, as editors do.
    pub(crate) fn get(&self, key: &str) -> Option<&Entry> {
        self.entries()?.iter().rev().find(|entry| entry.key == key)
    }

    /// A text, number or bool as text; `None` for everything else.
    pub(crate) fn scalar(&self) -> Option<String> {
        match &self.value {
            Value::Text(text) | Value::Number(text) => Some(text.clone()),
            Value::Bool(value) => Some(value.to_string()),
            Value::Null | Value::List(_) | Value::Table(_) => None,
        }
    }

    /// What it is, for messages.
    pub(crate) fn kind(&self) -> &'static str {
        match self.value {
            Value::Null => "null",
            Value::Bool(_) => "a boolean",
            Value::Number(_) => "a number",
            Value::Text(_) => "a text",
            Value::List(_) => "a list",
            Value::Table(_) => "an object",
        }
    }
}

/// Comments and trailing commas, and nothing else that is not JSON.
pub(crate) fn json_options() -> jsonc_parser::ParseOptions {
    jsonc_parser::ParseOptions {
        allow_loose_object_property_names: false,
        allow_missing_commas: false,
        allow_single_quoted_strings: false,
        allow_hexadecimal_numbers: false,
        allow_unary_plus_numbers: false,
        allow_bare_decimal_point_numbers: false,
        allow_non_finite_numbers: false,
        allow_extended_string_escapes: false,
        ..Default::default()
    }
}

/// Reads JSON with comments and trailing commas. An empty file is an empty object.
pub(crate) fn json(text: &str) -> Result<Node, SyntaxError> {
    match jsonc_parser::parse_to_ast(text, &jsonc_parser::CollectOptions::default(), &json_options()) {
        Ok(parsed) => Ok(parsed.value.map_or(Node { at: 0, value: Value::Table(Vec::new()) }, from_json)),
        Err(error) => Err(SyntaxError { at: error.range().start, message: error.kind().to_string() }),
    }
}

fn from_json(value: ast::Value<'_>) -> Node {
    use jsonc_parser::common::Ranged;
    let at = value.start();
    let value = match value {
        ast::Value::StringLit(text) => Value::Text(text.value.into_owned()),
        ast::Value::NumberLit(number) => Value::Number(number.value.to_owned()),
        ast::Value::BooleanLit(boolean) => Value::Bool(boolean.value),
        ast::Value::NullKeyword(_) => Value::Null,
        ast::Value::Array(array) => Value::List(array.elements.into_iter().map(from_json).collect()),
        ast::Value::Object(object) => Value::Table(object.properties.into_iter().map(property).collect()),
    };
    Node { at, value }
}

fn property(property: ast::ObjectProp<'_>) -> Entry {
    Entry { key_at: property.range.start, key: property.name.into_string(), node: from_json(property.value) }
}

/// Reads TOML.
pub(crate) fn toml(text: &str) -> Result<Node, SyntaxError> {
    match DeTable::parse(text) {
        Ok(table) => Ok(Node { at: 0, value: from_table(table.into_inner()) }),
        Err(error) => {
            Err(SyntaxError { at: error.span().map_or(0, |span| span.start), message: error.message().to_owned() })
        }
    }
}

fn from_table(table: DeTable<'_>) -> Value {
    let mut entries: Vec<Entry> = table
        .into_iter()
        .map(|(key, value)| Entry {
            key_at: key.span().start,
            key: key.into_inner().into_owned(),
            node: Node { at: value.span().start, value: from_toml(value.into_inner()) },
        })
        .collect();
    entries.sort_by_key(|entry| entry.key_at);
    Value::Table(entries)
}

fn from_toml(value: DeValue<'_>) -> Value {
    match value {
        DeValue::String(text) => Value::Text(text.into_owned()),
        DeValue::Integer(number) => Value::Number(number.to_string()),
        DeValue::Float(number) => Value::Number(number.to_string()),
        DeValue::Boolean(value) => Value::Bool(value),
        DeValue::Datetime(time) => Value::Text(time.to_string()),
        DeValue::Array(items) => Value::List(
            items.into_iter().map(|item| Node { at: item.span().start, value: from_toml(item.into_inner()) }).collect(),
        ),
        DeValue::Table(table) => from_table(table),
    }
}
