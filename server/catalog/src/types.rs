//! What a schema means as a type, before any language: small, finite, and good enough to call a tool by.
//!
//! Invariant: reading always ends and its result is bounded (depth, nodes visited, fields), whatever the schema. What is
//! cut becomes `Any`. Left out on purpose: everything a type cannot say (ranges, patterns, conditions); validation has it.

use crate::schema::{self, Schema};
use serde_json::Value;

/// Most schema nodes one reading visits: an `anyOf` of `anyOf`s must not grow without end.
const NODES_MAX: usize = 2_000;
/// Most fields of one object.
const FIELDS_MAX: usize = 100;
/// Most values of one enumeration.
const LITERALS_MAX: usize = 40;

/// A type.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Type {
    Any,
    Null,
    Bool,
    Int,
    Float,
    Str,
    /// One of these scalars; `true` where there were more.
    Literals(Vec<Value>, bool),
    List(Box<Type>),
    Tuple(Vec<Type>),
    Map(Box<Type>),
    Object(Vec<Field>),
    Union(Vec<Type>),
}

/// A property of an object, or a parameter of a tool.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Field {
    pub(crate) name: String,
    pub(crate) of: Type,
    pub(crate) required: bool,
    pub(crate) default: Option<Value>,
    pub(crate) doc: Option<String>,
}

/// Reads `root` as a type in which objects and lists nest at most `depth_max` deep.
pub(crate) fn read(root: &Schema, depth_max: usize) -> Type {
    read_part(root, root, depth_max)
}

/// Reads `part` of `root`, whose references are relative to `root`.
pub(crate) fn read_part(root: &Schema, part: &Schema, depth_max: usize) -> Type {
    Reader { root, open: Vec::new(), nodes_left: NODES_MAX }.schema(part, depth_max)
}

/// Whether values of this type can be `null`.
pub(crate) fn accepts_null(of: &Type) -> bool {
    match of {
        Type::Any | Type::Null => true,
        Type::Literals(values, _) => values.contains(&Value::Null),
        Type::Union(all) => all.iter().any(accepts_null),
        _ => false,
    }
}

struct Reader<'a> {
    root: &'a Schema,
    /// The references being followed, so that a cycle is seen.
    open: Vec<&'a str>,
    nodes_left: usize,
}

impl<'a> Reader<'a> {
    fn value(&mut self, schema: &'a Value, depth: usize) -> Type {
        match schema {
            Value::Object(schema) => self.schema(schema, depth),
            _ => Type::Any,
        }
    }

    fn schema(&mut self, schema: &'a Schema, depth: usize) -> Type {
        if self.nodes_left == 0 {
            return Type::Any;
        }
        self.nodes_left -= 1;
        if let Some(reference) = schema::reference(schema) {
            return self.reference(reference, depth);
        }
        if let Some(value) = schema.get("const") {
            return literals(std::slice::from_ref(value));
        }
        if let Some(Value::Array(values)) = schema.get("enum") {
            return literals(values);
        }
        let of = self.shape(schema, depth);
        if schema.get("nullable") == Some(&Value::Bool(true)) { union(vec![of, Type::Null]) } else { of }
    }

    fn reference(&mut self, reference: &'a str, depth: usize) -> Type {
        if self.open.contains(&reference) {
            return Type::Any;
        }
        let Some(target) = schema::resolve(self.root, reference) else { return Type::Any };
        self.open.push(reference);
        let of = self.schema(target, depth);
        self.open.pop();
        of
    }

    fn shape(&mut self, schema: &'a Schema, depth: usize) -> Type {
        let alternatives = ["anyOf", "oneOf"].iter().find_map(|k| schema.get(*k).and_then(Value::as_array));
        match (schema.get("type"), alternatives, schema.get("allOf")) {
            (_, Some(all), _) if schema::properties(schema).is_none() && !all.is_empty() => {
                union(all.iter().map(|one| self.value(one, depth)).collect())
            }
            (_, _, Some(Value::Array(parts))) => self.intersection(schema, parts, depth),
            (Some(Value::Array(names)), ..) => {
                union(names.iter().filter_map(Value::as_str).map(|n| self.named(n, schema, depth)).collect())
            }
            (Some(Value::String(name)), ..) => self.named(name, schema, depth),
            _ if schema.contains_key("properties") => self.named("object", schema, depth),
            _ if schema.contains_key("items") => self.named("array", schema, depth),
            _ => Type::Any,
        }
    }

    fn named(&mut self, name: &str, schema: &'a Schema, depth: usize) -> Type {
        match name {
            "string" => Type::Str,
            "integer" => Type::Int,
            "number" => Type::Float,
            "boolean" => Type::Bool,
            "null" => Type::Null,
            "array" => self.list(schema, depth),
            "object" => self.object(schema, depth),
            _ => Type::Any,
        }
    }

    fn list(&mut self, schema: &'a Schema, depth: usize) -> Type {
        let Some(depth) = depth.checked_sub(1) else { return Type::List(Box::new(Type::Any)) };
        let tuple = schema.get("prefixItems").or_else(|| schema.get("items").filter(|items| items.is_array()));
        if let Some(Value::Array(items)) = tuple {
            return Type::Tuple(items.iter().take(FIELDS_MAX).map(|item| self.value(item, depth)).collect());
        }
        let item = schema.get("items").map_or(Type::Any, |items| self.value(items, depth));
        Type::List(Box::new(item))
    }

    fn object(&mut self, schema: &'a Schema, depth: usize) -> Type {
        let Some(depth) = depth.checked_sub(1) else { return Type::Map(Box::new(Type::Any)) };
        if let Some(properties) = schema::properties(schema) {
            let fields = properties.iter().take(FIELDS_MAX);
            return Type::Object(fields.map(|(name, of)| self.field(name, of, schema, depth)).collect());
        }
        let values = match schema.get("additionalProperties") {
            Some(values @ Value::Object(_)) => self.value(values, depth),
            Some(Value::Bool(false)) if schema.contains_key("properties") => return Type::Object(Vec::new()),
            _ => Type::Any,
        };
        Type::Map(Box::new(values))
    }

    fn field(&mut self, name: &str, of: &'a Value, parent: &'a Schema, depth: usize) -> Field {
        let text = |keyword: &str| of.get(keyword).and_then(Value::as_str).map(str::to_owned);
        let target = of.get("$ref").and_then(Value::as_str).and_then(|r| schema::resolve(self.root, r));
        let inherited = || target.and_then(|t| t.get("description")).and_then(Value::as_str).map(str::to_owned);
        Field {
            name: name.to_owned(),
            required: schema::is_required(parent, name),
            default: of.get("default").cloned(),
            doc: text("description").or_else(inherited),
            of: self.value(of, depth),
        }
    }

    /// `allOf`: the fields of all parts together where they are objects, else the part that says most.
    fn intersection(&mut self, schema: &'a Schema, parts: &'a [Value], depth: usize) -> Type {
        let mut types: Vec<Type> = parts.iter().map(|part| self.value(part, depth)).collect();
        if let Some(Value::String(name)) = schema.get("type") {
            types.push(self.named(name, schema, depth));
        }
        let mut fields: Vec<Field> = Vec::new();
        let mut other = Type::Any;
        for of in types {
            match of {
                Type::Object(more) => merge(&mut fields, more),
                Type::Any | Type::Map(_) if other != Type::Any => {}
                of => other = of,
            }
        }
        if fields.is_empty() { other } else { Type::Object(fields) }
    }
}

fn merge(fields: &mut Vec<Field>, more: Vec<Field>) {
    for field in more {
        if let Some(known) = fields.iter_mut().find(|f| f.name == field.name) {
            known.required |= field.required;
        } else if fields.len() < FIELDS_MAX {
            fields.push(field);
        }
    }
}

fn literals(values: &[Value]) -> Type {
    if values.is_empty() || values.iter().any(|v| v.is_object() || v.is_array()) {
        return Type::Any;
    }
    Type::Literals(values.iter().take(LITERALS_MAX).cloned().collect(), values.len() > LITERALS_MAX)
}

/// One type of many: flat, without repetition; `Any` swallows the rest and a number its integers.
fn union(types: Vec<Type>) -> Type {
    let mut out: Vec<Type> = Vec::new();
    for of in types {
        let parts = if let Type::Union(parts) = of { parts } else { vec![of] };
        for part in parts {
            match part {
                Type::Any => return Type::Any,
                Type::Literals(more, cut) => add_literals(&mut out, more, cut),
                part if out.contains(&part) => {}
                part => out.push(part),
            }
        }
    }
    if out.contains(&Type::Float) {
        out.retain(|of| *of != Type::Int);
    }
    match out.len() {
        0 => Type::Any,
        1 => out.remove(0),
        _ => Type::Union(out),
    }
}

/// Enumerations of one union become one.
fn add_literals(out: &mut Vec<Type>, more: Vec<Value>, cut: bool) {
    let known = out.iter_mut().find_map(|of| match of {
        Type::Literals(values, was_cut) => Some((values, was_cut)),
        _ => None,
    });
    let Some((values, was_cut)) = known else { return out.push(Type::Literals(more, cut)) };
    let new: Vec<Value> = more.into_iter().filter(|value| !values.contains(value)).collect();
    *was_cut |= cut || values.len() + new.len() > LITERALS_MAX;
    values.extend(new);
    values.truncate(LITERALS_MAX);
}
