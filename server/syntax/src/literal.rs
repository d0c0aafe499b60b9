//! Values that are written out in the text, in either language.

use serde_json::{Map, Number, Value};
use tree_sitter::Node;

/// Nested containers of a literal that is read.
const DEPTH_MAX: usize = 32;

/// The value of an expression; `None` where it is computed, or not certain.
pub(crate) fn literal(node: Node<'_>, text: &str) -> Option<Value> {
    read(node, text, DEPTH_MAX)
}

fn read(node: Node<'_>, text: &str, depth: usize) -> Option<Value> {
    let depth = depth.checked_sub(1)?;
    if node.has_error() {
        return None;
    }
    match node.kind() {
        "string" | "template_string" | "concatenated_string" => string(node, text, depth).map(Value::String),
        "integer" | "float" | "number" => number(&text[node.byte_range()]).map(Value::Number),
        "true" => Some(Value::Bool(true)),
        "false" => Some(Value::Bool(false)),
        "none" | "null" => Some(Value::Null),
        "unary_operator" | "unary_expression" => negative(node, text),
        "parenthesized_expression" => read(only_child(node)?, text, depth),
        "list" | "tuple" | "array" => {
            children(node).into_iter().map(|item| read(item, text, depth)).collect::<Option<_>>().map(Value::Array)
        }
        "dictionary" | "object" => {
            let pairs = children(node).into_iter().map(|pair| {
                let value = pair.child_by_field_name("value")?;
                Some((key(pair, text)?, read(value, text, depth)?))
            });
            pairs.collect::<Option<Map<_, _>>>().map(Value::Object)
        }
        _ => None,
    }
}

/// The key of a pair, where it is written out.
pub(crate) fn key(pair: Node<'_>, text: &str) -> Option<String> {
    if pair.kind() != "pair" {
        return None;
    }
    let key = pair.child_by_field_name("key")?;
    match key.kind() {
        "property_identifier" => Some(text[key.byte_range()].to_owned()),
        _ => string(key, text, 2),
    }
}

/// Named children without comments.
pub(crate) fn children(node: Node<'_>) -> Vec<Node<'_>> {
    let mut cursor = node.walk();
    node.named_children(&mut cursor).filter(|child| child.kind() != "comment").collect()
}

fn only_child(node: Node<'_>) -> Option<Node<'_>> {
    match children(node).as_slice() {
        [one] => Some(*one),
        _ => None,
    }
}

fn string(node: Node<'_>, text: &str, depth: usize) -> Option<String> {
    if node.kind() == "concatenated_string" {
        let depth = depth.checked_sub(1)?;
        return children(node).into_iter().map(|part| string(part, text, depth)).collect();
    }
    if !matches!(node.kind(), "string" | "template_string") {
        return None;
    }
    let literal = &text[node.byte_range()];
    let content = crate::tokens::content(literal)?;
    let prefix = literal[..content.start].trim_end_matches(['"', '\'', '`']).to_ascii_lowercase();
    let content = &literal[content];
    match prefix.as_str() {
        "r" => Some(content.to_owned()),
        "" | "u" if !content.contains("${") || node.kind() == "string" => unescaped(content),
        _ => None,
    }
}

/// Only the escapes that every language knows alike.
fn unescaped(content: &str) -> Option<String> {
    let mut out = String::with_capacity(content.len());
    let mut chars = content.chars();
    while let Some(c) = chars.next() {
        out.push(match c {
            '\\' => match chars.next()? {
                'n' => '\n',
                't' => '\t',
                'r' => '\r',
                same @ ('\\' | '\'' | '"' | '`') => same,
                _ => return None,
            },
            c => c,
        });
    }
    Some(out)
}

fn number(text: &str) -> Option<Number> {
    let plain = text.replace('_', "");
    // What the languages write in other bases, or as other types, does not parse here.
    plain.parse::<i64>().map(Number::from).ok().or_else(|| Number::from_f64(plain.parse().ok()?))
}

fn negative(node: Node<'_>, text: &str) -> Option<Value> {
    let operand = node.child_by_field_name("argument")?;
    let sign = text[node.start_byte()..operand.start_byte()].trim();
    let Value::Number(number) = read(operand, text, 1)? else { return None };
    match sign {
        "-" => match number.as_i64() {
            Some(whole) => Some(whole.checked_neg()?.into()),
            None => Number::from_f64(-number.as_f64()?).map(Value::Number),
        },
        "+" => Some(Value::Number(number)),
        _ => None,
    }
}
