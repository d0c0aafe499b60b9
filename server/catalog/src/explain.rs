//! A failed check in words for a model: which field, what was expected, what was given, and what was probably meant.
//!
//! Invariant: bounded text, safe to show; the validator has already decided, this only describes.

use crate::printer::Printer;
use crate::schema::{self, Schema};
use crate::text::{one_line, quoted};
use crate::types;
use crate::validate::ArgumentProblem;
use jsonschema::error::{TypeKind, ValidationErrorKind as Kind};
use jsonschema::{ValidationError, Validator};
use serde_json::Value;
use std::fmt::Write as _;

/// Errors looked at; the one nearest to the surface is told.
const ERRORS_MAX: usize = 16;
/// Names in a list of names; characters of a name, of a type and of a value.
const NAMES_MAX: usize = 12;
const NAME_CHARS: usize = 80;
const EXPECTED_CHARS: usize = 160;
const GOT_CHARS: usize = 48;
/// How alike two names must be for one to be offered for the other (Jaro-Winkler, 0 to 1).
const ALIKE: f64 = 0.75;
/// How alike a name is to one that holds it whole: `path` to `file_path`.
const CONTAINED: f64 = 0.85;

/// A problem that is too expensive to describe in detail.
pub(crate) fn in_general(tool: &str, arguments: &Value) -> ArgumentProblem {
    let message = format!("{}: the arguments do not fit the input schema", one_line(tool, NAME_CHARS));
    ArgumentProblem { field: String::new(), expected: "the input schema".into(), got: got(arguments), message }
}

/// The most telling of the errors that `validator` finds.
pub(crate) fn first_problem(
    tool: &str,
    root: &Schema,
    validator: &Validator,
    arguments: &Value,
) -> Option<ArgumentProblem> {
    let errors = validator.iter_errors(arguments).take(ERRORS_MAX);
    let error = errors.min_by_key(|error| (error.instance_path().as_str().matches('/').count(), rank(error.kind())))?;
    Some(describe(tool, root, &error))
}

/// Every error that does not rest on a value which is not certain.
pub(crate) fn certain_problems(
    tool: &str,
    root: &Schema,
    validator: &Validator,
    arguments: &Value,
    is_certain: impl Fn(&str) -> bool,
    is_open: bool,
) -> Vec<ArgumentProblem> {
    let all_certain = !is_open && arguments.as_object().is_some_and(|all| all.keys().all(|name| is_certain(name)));
    let counts = |error: &ValidationError<'_>| match error.instance_path().as_str().split('/').nth(1) {
        Some(name) => is_certain(&name.replace("~1", "/").replace("~0", "~")),
        None => match error.kind() {
            Kind::Required { .. } => !is_open,
            Kind::AdditionalProperties { .. } | Kind::UnevaluatedProperties { .. } => true,
            _ => all_certain,
        },
    };
    let errors = validator.iter_errors(arguments).take(ERRORS_MAX).filter(counts);
    errors.map(|error| describe(tool, root, &error)).collect()
}

fn describe(tool: &str, root: &Schema, error: &ValidationError<'_>) -> ArgumentProblem {
    let told = tell(error, root);
    let within = field_path(error.instance_path().as_str());
    let field = match (&told.name, within.as_str()) {
        (None, _) => within.clone(),
        (Some(name), "") => name.clone(),
        (Some(name), _) => format!("{within}.{name}"),
    };
    let place = if within.is_empty() { String::new() } else { format!("{within}: ") };
    let message = format!("{}: {place}{}", one_line(tool, NAME_CHARS), told.message);
    ArgumentProblem { field, expected: told.expected, got: told.got, message }
}

/// What is told first of errors at the same depth.
fn rank(kind: &Kind) -> u8 {
    match kind {
        Kind::Required { .. } => 0,
        Kind::AdditionalProperties { .. } | Kind::UnevaluatedProperties { .. } => 1,
        Kind::Type { .. } => 2,
        _ => 3,
    }
}

struct Told {
    /// The property, where the problem is one of a property and not of the value.
    name: Option<String>,
    expected: String,
    got: String,
    message: String,
}

fn tell(error: &ValidationError<'_>, root: &Schema) -> Told {
    let parent = parent_schema(error.schema_path().as_str(), root);
    let value = error.instance().as_ref();
    match error.kind() {
        Kind::Required { property } => required(property.as_str().unwrap_or_default(), value, parent, root),
        Kind::AdditionalProperties { unexpected } | Kind::UnevaluatedProperties { unexpected } => {
            unknown(unexpected, parent)
        }
        Kind::Type { kind } => expected(type_names(kind), value),
        Kind::Enum { options } => expected(one_of(options), value),
        Kind::Constant { expected_value } => expected(shown(expected_value), value),
        Kind::AnyOf { .. } | Kind::OneOfNotValid { .. } => {
            expected(parent.map_or_else(String::new, |schema| type_text(schema, root)), value)
        }
        _ => {
            let rule = one_line(&error.masked().to_string(), EXPECTED_CHARS);
            let got = got(value);
            Told { name: None, message: format!("{rule}, got {got}"), expected: rule, got }
        }
    }
}

fn expected(expected: String, value: &Value) -> Told {
    let got = got(value);
    // Programs like to pass `None` for what they don't want to say.
    let instead = if value.is_null() { " (leave out what is optional)" } else { "" };
    Told { name: None, message: format!("expected {expected}, got {got}{instead}"), expected, got }
}

/// Another's name, quoted and bounded.
fn name_of(name: &str) -> String {
    quoted(&one_line(name, NAME_CHARS))
}

fn required(name: &str, value: &Value, parent: Option<&Schema>, root: &Schema) -> Told {
    let declared = parent.and_then(schema::properties);
    let of = declared.and_then(|d| d.get(name)).and_then(Value::as_object);
    let of = of.map_or_else(|| "any".to_owned(), |of| type_text(of, root));
    let name = one_line(name, NAME_CHARS);
    let mut message = format!("{} is required ({of})", quoted(&name));
    let given = value.as_object().into_iter().flat_map(|map| map.keys());
    let stray = given.filter(|key| declared.is_some_and(|d| !d.contains_key(key.as_str())));
    if let Some(stray) = nearest(&name, stray.map(String::as_str)).first() {
        let _ = write!(message, "; {} is not a parameter, did you mean {}?", name_of(stray), quoted(&name));
    }
    Told { name: Some(name), expected: of, got: "nothing".into(), message }
}

fn unknown(unexpected: &[String], parent: Option<&Schema>) -> Told {
    let first = unexpected.first().map(|name| one_line(name, NAME_CHARS)).unwrap_or_default();
    let declared: Vec<&str> =
        parent.and_then(schema::properties).into_iter().flat_map(|d| d.keys()).map(String::as_str).collect();
    let takes = declared.iter().take(NAMES_MAX).map(|name| one_line(name, NAME_CHARS)).collect::<Vec<_>>().join(", ");
    let takes = if declared.len() > NAMES_MAX { format!("{takes}, …") } else { takes };
    let meant = nearest(&first, declared.iter().copied()).first().map(|meant| name_of(meant));
    let message = match (meant, declared.is_empty()) {
        (_, true) => format!("{} is not a parameter; there are none", quoted(&first)),
        (None, _) => format!("{} is not a parameter; there are {takes}", quoted(&first)),
        (Some(meant), _) => format!("{} is not a parameter, did you mean {meant}? There are {takes}", quoted(&first)),
    };
    Told { name: Some(first), expected: takes, got: "an unknown name".into(), message }
}

/// The schema that holds the keyword at `path`.
fn parent_schema<'a>(path: &str, root: &'a Schema) -> Option<&'a Schema> {
    let (parent, _keyword) = path.rsplit_once('/')?;
    schema::resolve(root, &format!("#{parent}"))
}

/// `schema` as a type; its references are relative to `root`.
fn type_text(schema: &Schema, root: &Schema) -> String {
    let printer = Printer { python: false, literals_max: NAMES_MAX };
    let text = |depth| printer.print(&types::read_part(root, schema, depth));
    let full = text(2);
    let text = if full.chars().count() <= EXPECTED_CHARS { full } else { text(0) };
    one_line(&text, EXPECTED_CHARS)
}

fn type_names(kind: &TypeKind) -> String {
    match kind {
        TypeKind::Single(one) => one.to_string(),
        TypeKind::Multiple(all) => all.iter().map(|one| one.to_string()).collect::<Vec<_>>().join(" or "),
    }
}

fn one_of(options: &Value) -> String {
    let all = options.as_array().map(Vec::as_slice).unwrap_or_default();
    let mut names: Vec<String> = all.iter().take(NAMES_MAX).map(shown).collect();
    if all.len() > NAMES_MAX {
        names.push("…".to_owned());
    }
    format!("one of {}", names.join(", "))
}

fn shown(value: &Value) -> String {
    match value {
        Value::String(text) if text.chars().count() > GOT_CHARS => {
            quoted(&(text.chars().take(GOT_CHARS).collect::<String>() + "…"))
        }
        Value::String(text) => quoted(text),
        other => one_line(&other.to_string(), GOT_CHARS),
    }
}

/// A value in a few words.
fn got(value: &Value) -> String {
    match value {
        Value::Null => "null".to_owned(),
        Value::Bool(_) => format!("boolean {value}"),
        Value::Number(_) => format!("number {value}"),
        Value::String(_) => format!("string {}", shown(value)),
        Value::Array(items) => format!("array of {}", items.len()),
        Value::Object(map) => {
            let keys: Vec<String> = map.keys().take(5).map(|key| one_line(key, 24)).collect();
            let more = if map.len() > keys.len() { ", …" } else { "" };
            format!("object {{{}{more}}}", keys.join(", "))
        }
    }
}

/// A JSON pointer as a program would write it: `/edits/0/oldText` is `edits[0].oldText`.
fn field_path(pointer: &str) -> String {
    let mut out = String::new();
    for segment in pointer.split('/').skip(1) {
        let segment = segment.replace("~1", "/").replace("~0", "~");
        if !segment.is_empty() && segment.bytes().all(|b| b.is_ascii_digit()) {
            let _ = write!(out, "[{segment}]");
        } else {
            if !out.is_empty() {
                out.push('.');
            }
            out.push_str(&one_line(&segment, NAME_CHARS));
        }
    }
    out
}

/// The names most like `name`, best first, those that are not alike left out.
pub fn nearest<'a>(name: &str, names: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    let name = crate::words::key(name);
    let mut alike: Vec<(f64, &str)> = names.map(|other| (likeness(&name, &crate::words::key(other)), other)).collect();
    alike.retain(|(likeness, _)| *likeness >= ALIKE);
    alike.sort_by(|a, b| b.0.total_cmp(&a.0));
    alike.into_iter().map(|(_, other)| other).collect()
}

/// 0 to 1.
fn likeness(a: &str, b: &str) -> f64 {
    let (short, long) = if a.len() <= b.len() { (a, b) } else { (b, a) };
    let contained = if short.len() >= 3 && long.contains(short) { CONTAINED } else { 0.0 };
    strsim::jaro_winkler(a, b).max(contained)
}
