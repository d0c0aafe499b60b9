//! What can be written at a place of a configuration file: keys and values from [`crate::schema`].
//!
//! Left out on purpose: the editor's own files (`.vscode`, its user folder), which it completes itself; and names, paths
//! and anything else that the schema does not list.

use crate::inspect::{candidate, is_server_table};
use crate::outline::{self, Cursor, Part};
use crate::shapes::{Candidate, Format};
use crate::{Sources, schema};
use serde_json::Value;
use std::ops::Range;
use std::path::Path;

/// One thing that can be written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Suggestion {
    /// The key or value as people read it.
    pub label: String,
    /// Which of the two.
    pub kind: SuggestionKind,
    /// What is to stand there, as an editor's snippet.
    pub insert: String,
    /// Type, range and default, in a few words.
    pub detail: String,
    /// What it means.
    pub documentation: String,
    /// The bytes that it takes the place of.
    pub replace: Range<usize>,
}

/// What a suggestion is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SuggestionKind {
    /// A key of a table.
    Key,
    /// A value of a key.
    Value,
    /// A section's name between brackets.
    Section,
}

/// What can be written at a byte offset of `text`, which is to be the content of `file`.
pub fn suggest(file: &Path, text: &str, at: usize, sources: &Sources<'_>) -> Vec<Suggestion> {
    let Some(candidate) = candidate(file, sources).filter(|candidate| !is_the_editors(&candidate.path)) else {
        return Vec::new();
    };
    let (keys, Some(cursor)) = outline::scan(candidate.format, text, at) else { return Vec::new() };
    let schema = schema();
    let Some(part) = describes(&schema, &candidate, &cursor.path, sources) else { return Vec::new() };
    let is_json = candidate.format == Format::Json;
    match cursor.part {
        Part::Value => values(part, &cursor),
        Part::Section => {
            let all = part["properties"].as_object().into_iter().flatten();
            all.map(|(name, part)| {
                let insert = if name == "servers" { "servers.${1:name}".to_owned() } else { name.clone() };
                suggestion(name, part, SuggestionKind::Section, insert, &cursor)
            })
            .collect()
        }
        Part::Key => {
            let is_there = |name: &str| {
                let same =
                    |key: &&outline::Key| key.path.split_last().is_some_and(|(n, t)| n == name && t == cursor.path);
                keys.iter().find(same).is_some_and(|key| key.range.start != cursor.word.start)
            };
            let rest = text[cursor.word.end..].trim_start();
            let all = part["properties"].as_object().into_iter().flatten();
            // At the top of a TOML file, tables are sections.
            let all = all.filter(|(name, part)| {
                !is_there(name) && (is_json || part["type"] != "object" || !cursor.path.is_empty())
            });
            all.map(|(name, part)| {
                let insert = key(name, part, rest, is_json);
                suggestion(name, part, SuggestionKind::Key, insert, &cursor)
            })
            .collect()
        }
    }
}

fn is_the_editors(path: &Path) -> bool {
    let folder = path.parent().and_then(Path::file_name).unwrap_or_default();
    folder == ".vscode" || folder == "User"
}

/// The part of the schema that describes what is at the end of a way of keys.
fn describes<'a>(
    schema: &'a Value,
    candidate: &Candidate,
    path: &[String],
    sources: &Sources<'_>,
) -> Option<&'a Value> {
    let (mut part, mut rest) = (schema, path);
    if candidate.format != Format::Tta {
        let tables = (1..=path.len()).find(|&n| is_server_table(candidate, &path[..n], sources))?;
        (part, rest) = (&schema["properties"]["servers"], &path[tables..]);
    }
    for name in rest {
        part = part["properties"].get(name).or_else(|| part.get("additionalProperties")).filter(|p| p.is_object())?;
    }
    Some(part)
}

fn values(part: &Value, cursor: &Cursor) -> Vec<Suggestion> {
    let texts = part["enum"].as_array().into_iter().flatten().map(Value::to_string);
    let flags = (part["type"] == "boolean").then_some(["true", "false"]).into_iter().flatten().map(str::to_owned);
    let default = part.get("default").filter(|value| value.is_u64()).map(Value::to_string);
    let all = texts.chain(flags).chain(default);
    all.map(|value| suggestion(value.trim_matches('"'), part, SuggestionKind::Value, value.clone(), cursor)).collect()
}

fn suggestion(label: &str, part: &Value, kind: SuggestionKind, insert: String, cursor: &Cursor) -> Suggestion {
    Suggestion {
        label: label.to_owned(),
        kind,
        insert,
        detail: detail(part),
        documentation: part["description"].as_str().unwrap_or_default().to_owned(),
        replace: cursor.word.clone(),
    }
}

fn detail(part: &Value) -> String {
    match (&part["minimum"], &part["maximum"], &part["default"]) {
        (Value::Number(least), Value::Number(most), Value::Number(default)) => {
            format!("{least} to {most}, {default} where absent")
        }
        _ => part["type"].as_str().unwrap_or_default().to_owned(),
    }
}

/// A key with the start of its value, or alone where a value follows already.
fn key(name: &str, part: &Value, rest: &str, is_json: bool) -> String {
    let (name, sign) = if is_json { (format!("\"{name}\""), ":") } else { (name.to_owned(), " =") };
    if rest.starts_with(sign.trim_start()) {
        return name;
    }
    let value = match part["type"].as_str() {
        Some("array") => "[$0]".to_owned(),
        Some("object") if is_json => "{$0}".to_owned(),
        Some("object") => "{ $0 }".to_owned(),
        Some("string") => "\"$0\"".to_owned(),
        Some("integer") => format!("${{0:{}}}", part["default"]),
        Some("boolean") => "${0:true}".to_owned(),
        _ => "$0".to_owned(),
    };
    // Where another key follows, a comma has to.
    let comma = if is_json && rest.starts_with('"') { "," } else { "" };
    format!("{name}{sign} {value}{comma}")
}
