//! What a call is called with: keywords, or one dict or object, as programs may write it.

use crate::grammar::Grammar;
use crate::literal::{children, key, literal};
use crate::outline::{Argument, Arguments, Name};
use tree_sitter::Node;

/// Expressions that are certainly no dict and no object.
const NO_OBJECT: &[&str] = &[
    "string",
    "concatenated_string",
    "template_string",
    "integer",
    "float",
    "number",
    "true",
    "false",
    "none",
    "null",
    "list",
    "array",
    "tuple",
    "set",
];

/// The arguments that stand in `node`, from parenthesis to parenthesis.
pub(crate) fn read(node: Node<'_>, text: &str, grammar: &Grammar) -> Arguments {
    let mut arguments = Arguments { range: node.byte_range(), is_open: node.has_error(), ..Arguments::default() };
    // `f(x for x in y)`
    if !matches!(node.kind(), "argument_list" | "arguments") {
        arguments.is_open = true;
        return arguments;
    }
    let mut positional = 0;
    for child in children(node) {
        match child.kind() {
            "keyword_argument" if grammar.is_python => named(&mut arguments, child, "name", text),
            "dictionary_splat" | "list_splat" | "spread_element" => arguments.is_open = true,
            _ if child.is_error() => {}
            kind => {
                positional += 1;
                match kind {
                    _ if positional > 1 => arguments.misplaced.push(child.byte_range()),
                    "dictionary" | "object" => object(&mut arguments, child, text),
                    kind if NO_OBJECT.contains(&kind) => arguments.misplaced.push(child.byte_range()),
                    _ => arguments.is_open = true,
                }
            }
        }
    }
    arguments
}

fn object(arguments: &mut Arguments, object: Node<'_>, text: &str) {
    for child in children(object) {
        match child.kind() {
            "pair" => named(arguments, child, "key", text),
            "shorthand_property_identifier" => {
                let name = Name { text: text[child.byte_range()].to_owned(), range: child.byte_range() };
                arguments.named.push(Argument { name, value_range: child.byte_range(), value: None });
            }
            _ => arguments.is_open = true,
        }
    }
}

fn named(arguments: &mut Arguments, node: Node<'_>, field: &str, text: &str) {
    let (name, value) = (node.child_by_field_name(field), node.child_by_field_name("value"));
    let (Some(name), Some(value)) = (name, value) else {
        arguments.is_open = true;
        return;
    };
    let spelt = if field == "key" { key(node, text) } else { Some(text[name.byte_range()].to_owned()) };
    let Some(spelt) = spelt else {
        arguments.is_open = true;
        return;
    };
    arguments.named.push(Argument {
        name: Name { text: spelt, range: name.byte_range() },
        value_range: value.byte_range(),
        value: literal(value, text),
    });
}
