//! Arguments against a tool's input schema, before anything is sent.
//!
//! Invariants: nothing is fetched; patterns run in linear time; a check visits at most `VISITS_MAX` schemas. What cannot be
//! checked within that passes, and the server decides: an odd schema must not make its tool unusable.
//! Left out on purpose: `format`, and patterns that need backtracking.

use crate::cost::Cost;
use crate::explain;
use crate::schema::Schema;
use jsonschema::{PatternOptions, Validator};
use serde_json::{Map, Value};

/// Most schema visits of one check, by the upper bound of `cost`.
const VISITS_MAX: u64 = 1 << 25;
/// Most visits where a failed check is explained in detail: explaining copies values.
const EXPLAINED_VISITS_MAX: u64 = 1 << 22;
/// Bytes of a compiled pattern.
const PATTERN_BYTES_MAX: usize = 1 << 20;
/// Bytes of text that count as one value.
const TEXT_UNIT_BYTES: usize = 64;

/// Why arguments do not fit: for the program, and for the model that reads its error.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct ArgumentProblem {
    /// Where: `limit`, `edits[0].oldText`; empty for the arguments as a whole.
    pub field: String,
    /// What the schema wants there.
    pub expected: String,
    /// What was given, shortened.
    pub got: String,
    /// All of it in one sentence that begins with the tool's name.
    pub message: String,
}

/// A compiled input schema.
#[derive(Debug)]
pub(crate) enum Check {
    /// Arguments are checked.
    Compiled(Box<(Validator, Cost)>),
    /// They are not, and why.
    Unchecked(String),
}

impl Check {
    pub(crate) fn new(schema: &Schema) -> Self {
        let cost = match Cost::of(schema) {
            Ok(cost) => cost,
            Err(why) => return Self::Unchecked(why.to_string()),
        };
        let built = build(schema.clone()).or_else(|_| build(without_patterns(schema)));
        match built {
            Ok(validator) => Self::Compiled(Box::new((validator, cost))),
            Err(why) => Self::Unchecked(crate::text::one_line(&format!("the schema is not valid: {why}"), 300)),
        }
    }

    /// Checks `arguments` of `tool`.
    pub(crate) fn validate(&self, tool: &str, schema: &Schema, arguments: &Value) -> Result<(), ArgumentProblem> {
        let Self::Compiled(compiled) = self else { return Ok(()) };
        let (validator, cost) = compiled.as_ref();
        let extent = Extent::of(arguments);
        let visits = cost.at(extent.depth).saturating_mul(extent.values);
        if visits > VISITS_MAX || validator.is_valid(arguments) {
            return Ok(());
        }
        if visits > EXPLAINED_VISITS_MAX {
            return Err(explain::in_general(tool, arguments));
        }
        explain::first_problem(tool, schema, validator, arguments).map_or(Ok(()), Err)
    }

    /// Every problem of arguments that are only certain where `is_certain` says so by name, and may be more with `is_open`.
    pub(crate) fn problems(
        &self,
        tool: &str,
        schema: &Schema,
        arguments: &Value,
        is_certain: impl Fn(&str) -> bool,
        is_open: bool,
    ) -> Vec<ArgumentProblem> {
        let Self::Compiled(compiled) = self else { return Vec::new() };
        let (validator, cost) = compiled.as_ref();
        let extent = Extent::of(arguments);
        if cost.at(extent.depth).saturating_mul(extent.values) > EXPLAINED_VISITS_MAX {
            return Vec::new();
        }
        explain::certain_problems(tool, schema, validator, arguments, is_certain, is_open)
    }
}

fn build(schema: Schema) -> Result<Validator, jsonschema::ValidationError<'static>> {
    jsonschema::options()
        .offline()
        .should_validate_formats(false)
        .with_pattern_options(PatternOptions::regex().size_limit(PATTERN_BYTES_MAX).dfa_size_limit(PATTERN_BYTES_MAX))
        .build(&Value::Object(schema))
}

/// How large a value is.
struct Extent {
    /// Nested containers; 0 for a scalar.
    depth: usize,
    /// Values in it, long texts counted by their length.
    values: u64,
}

impl Extent {
    fn of(value: &Value) -> Self {
        let mut extent = Self { depth: 0, values: 0 };
        let mut open = vec![(value, 0)];
        while let Some((value, depth)) = open.pop() {
            extent.depth = extent.depth.max(depth);
            extent.values += 1;
            match value {
                Value::String(text) => extent.values += (text.len() / TEXT_UNIT_BYTES) as u64,
                Value::Array(items) => open.extend(items.iter().map(|item| (item, depth + 1))),
                Value::Object(map) => open.extend(map.values().map(|item| (item, depth + 1))),
                _ => {}
            }
        }
        extent
    }
}

/// The schema without what the linear-time engine may refuse: `pattern`, and `patternProperties` with the keywords that
/// would then judge the properties those would have matched.
fn without_patterns(schema: &Schema) -> Schema {
    let by_pattern = schema.contains_key("patternProperties");
    let mut out = Map::new();
    for (keyword, value) in schema {
        let value = match (keyword.as_str(), value) {
            ("pattern", Value::String(_)) | ("patternProperties", _) => continue,
            ("additionalProperties" | "unevaluatedProperties", _) if by_pattern => continue,
            ("const" | "enum" | "default" | "examples", data) => data.clone(),
            ("properties" | "$defs" | "definitions" | "dependentSchemas", Value::Object(by_name)) => {
                let stripped = by_name.iter().map(|(name, sub)| (name.clone(), strip(sub)));
                Value::Object(stripped.collect())
            }
            (_, value) => strip(value),
        };
        out.insert(keyword.clone(), value);
    }
    out
}

fn strip(value: &Value) -> Value {
    match value {
        Value::Object(schema) => Value::Object(without_patterns(schema)),
        Value::Array(all) => Value::Array(all.iter().map(strip).collect()),
        scalar => scalar.clone(),
    }
}
