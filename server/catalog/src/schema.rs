//! JSON Schema as a graph of objects: which keywords hold further schemas, and what a local `$ref` points to.
//!
//! Invariant: only references into the schema itself (`#`, `#/a/b`) are followed. Nothing is ever fetched.

use serde_json::{Map, Value};

/// A schema that is an object; `true` and `false` are schemas too, but hold nothing.
pub(crate) type Schema = Map<String, Value>;

/// Keywords that hold one schema for the same value.
const HERE_ONE: &[&str] = &["not", "if", "then", "else"];
/// Keywords that hold a list of schemas for the same value.
const HERE_LIST: &[&str] = &["allOf", "anyOf", "oneOf"];
/// Keywords that hold schemas by property name for the same value.
const HERE_MAP: &[&str] = &["dependentSchemas", "dependencies"];
/// Keywords that hold one schema for values inside the value.
const INSIDE_ONE: &[&str] = &[
    "items",
    "additionalItems",
    "contains",
    "additionalProperties",
    "propertyNames",
    "unevaluatedItems",
    "unevaluatedProperties",
];
/// Keywords that hold a list of schemas for values inside the value.
const INSIDE_LIST: &[&str] = &["prefixItems", "items"];
/// Keywords that hold schemas by name for values inside the value.
const INSIDE_MAP: &[&str] = &["properties", "patternProperties"];

/// Calls `each` with every schema that `schema` applies, and whether it is applied to the same value (or to one inside).
/// Definitions are not applied until a `$ref` says so.
pub(crate) fn applied<'a>(schema: &'a Schema, mut each: impl FnMut(&'a Schema, bool)) {
    for (keyword, value) in schema {
        let keyword = keyword.as_str();
        for (here, one, list, map) in
            [(true, HERE_ONE, HERE_LIST, HERE_MAP), (false, INSIDE_ONE, INSIDE_LIST, INSIDE_MAP)]
        {
            match value {
                Value::Object(object) if one.contains(&keyword) => each(object, here),
                Value::Object(by_name) if map.contains(&keyword) => {
                    by_name.values().filter_map(Value::as_object).for_each(|sub| each(sub, here));
                }
                Value::Array(all) if list.contains(&keyword) => {
                    all.iter().filter_map(Value::as_object).for_each(|sub| each(sub, here));
                }
                _ => {}
            }
        }
    }
}

/// The schema a `$ref` points to, where that is an object inside `root`.
pub(crate) fn resolve<'a>(root: &'a Schema, reference: &str) -> Option<&'a Schema> {
    let pointer = reference.strip_prefix('#')?;
    if pointer.is_empty() {
        return Some(root);
    }
    let (first, rest) = pointer.strip_prefix('/')?.split_once('/').map_or((&pointer[1..], ""), |(a, b)| (a, b));
    let top = root.get(&first.replace("~1", "/").replace("~0", "~"))?;
    let found = if rest.is_empty() { Some(top) } else { top.pointer(&format!("/{rest}")) };
    found?.as_object()
}

/// The schema's own `$ref`, where it has one.
pub(crate) fn reference(schema: &Schema) -> Option<&str> {
    schema.get("$ref").and_then(Value::as_str)
}

/// The properties an object schema declares.
pub(crate) fn properties(schema: &Schema) -> Option<&Schema> {
    schema.get("properties").and_then(Value::as_object).filter(|p| !p.is_empty())
}

/// Whether `name` is in `required`.
pub(crate) fn is_required(schema: &Schema, name: &str) -> bool {
    schema.get("required").and_then(Value::as_array).is_some_and(|all| all.iter().any(|r| r == name))
}
