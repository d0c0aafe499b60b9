//! Types in the words of a program's language.
//!
//! Invariant: names, literals and defaults are quoted or cut so that they stay inside the expression they stand in. In
//! Python an object is shown as the dict it is, `{"path": str, "limit"?: int}`, the `?` marking a key that may be absent.

use crate::text::{in_comment, quoted};
use crate::types::{Field, Type, accepts_null};
use serde_json::Value;

/// Longest default that is shown as it is.
const DEFAULT_CHARS: usize = 40;
/// Longest literal of an enumeration; a longer one counts as cut.
const LITERAL_CHARS: usize = 80;

const PYTHON_KEYWORDS: &str = "False None True and as assert async await break class continue def del elif else except \
    finally for from global if import in is lambda nonlocal not or pass raise return try while with yield";

/// How types are written.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Printer {
    pub(crate) python: bool,
    /// Most values of an enumeration; the rest is an ellipsis.
    pub(crate) literals_max: usize,
}

impl Printer {
    /// `of` as an expression of the language.
    pub(crate) fn print(self, of: &Type) -> String {
        let word =
            |python: &'static str, typescript: &'static str| if self.python { python } else { typescript }.to_owned();
        match of {
            Type::Any => word("Any", "any"),
            Type::Null => word("None", "null"),
            Type::Bool => word("bool", "boolean"),
            Type::Int => word("int", "number"),
            Type::Float => word("float", "number"),
            Type::Str => word("str", "string"),
            Type::Literals(values, cut) => self.literals(values, *cut),
            Type::List(item) if **item == Type::Any => word("list", "any[]"),
            Type::List(item) => self.list(item),
            Type::Tuple(items) => {
                let items = items.iter().map(|item| self.print(item)).collect::<Vec<_>>().join(", ");
                if self.python { format!("tuple[{items}]") } else { format!("[{items}]") }
            }
            Type::Map(values) if **values == Type::Any => word("dict", "object"),
            Type::Map(values) if self.python => format!("dict[str, {}]", self.print(values)),
            Type::Map(values) => format!("Record<string, {}>", self.print(values)),
            Type::Object(fields) => self.object(fields),
            Type::Union(all) => Self::alternatives(all.iter().map(|one| self.print(one))),
        }
    }

    /// An object with its keys.
    pub(crate) fn object(self, fields: &[Field]) -> String {
        let fields = fields.iter().map(|field| {
            let of = self.print(&field.of);
            let mark = if field.required { "" } else { "?" };
            if self.python {
                format!("{}{mark}: {of}", quoted(&field.name))
            } else {
                let default = field.default.as_ref().and_then(|value| self.scalar(value));
                let default = default.map_or_else(String::new, |value| format!(" /*={}*/", in_comment(&value)));
                let name = if is_word(&field.name) { field.name.clone() } else { quoted(&field.name) };
                format!("{name}{mark}: {of}{default}")
            }
        });
        let fields: Vec<String> = fields.collect();
        match (fields.is_empty(), self.python) {
            (true, _) => "{}".to_owned(),
            (_, true) => format!("{{{}}}", fields.join(", ")),
            (_, false) => format!("{{ {} }}", fields.join("; ")),
        }
    }

    /// A keyword parameter of a Python function. `= ...` says that it may be left out.
    pub(crate) fn keyword(self, field: &Field) -> String {
        let of = self.print(&field.of);
        let default = match &field.default {
            _ if field.required => return format!("{}: {of}", field.name),
            Some(Value::Null) if !accepts_null(&field.of) => None,
            default => default.as_ref().and_then(|value| self.scalar(value)),
        };
        format!("{}: {of} = {}", field.name, default.as_deref().unwrap_or("..."))
    }

    fn list(self, item: &Type) -> String {
        let of = self.print(item);
        match item {
            _ if self.python => format!("list[{of}]"),
            Type::Union(_) | Type::Literals(..) => format!("({of})[]"),
            _ => format!("{of}[]"),
        }
    }

    fn literals(self, values: &[Value], cut: bool) -> String {
        let short = |value: &&Value| value.as_str().is_none_or(|text| text.chars().count() <= LITERAL_CHARS);
        let mut shown: Vec<String> =
            values.iter().filter(short).take(self.literals_max).filter_map(|value| self.literal(value)).collect();
        let cut = cut || shown.len() < values.len();
        if self.python {
            if cut {
                shown.push("...".to_owned());
            }
            return format!("Literal[{}]", shown.join(", "));
        }
        if cut {
            shown.push("string".to_owned());
        }
        Self::alternatives(shown.into_iter())
    }

    /// Alternatives, each once.
    fn alternatives(all: impl Iterator<Item = String>) -> String {
        let mut distinct: Vec<String> = Vec::new();
        for one in all {
            if !distinct.contains(&one) {
                distinct.push(one);
            }
        }
        distinct.join(" | ")
    }

    fn literal(self, value: &Value) -> Option<String> {
        Some(match (value, self.python) {
            (Value::Null, true) => "None".to_owned(),
            (Value::Bool(true), true) => "True".to_owned(),
            (Value::Bool(false), true) => "False".to_owned(),
            (Value::String(text), _) => quoted(text),
            (Value::Array(all), _) if all.is_empty() => "[]".to_owned(),
            (Value::Object(all), _) if all.is_empty() => "{}".to_owned(),
            (Value::Array(_) | Value::Object(_), _) => return None,
            (other, _) => other.to_string(),
        })
    }

    /// A default that is short enough to show.
    fn scalar(self, value: &Value) -> Option<String> {
        self.literal(value).filter(|text| text.chars().count() <= DEFAULT_CHARS)
    }
}

/// Whether `name` can be a keyword argument in Python.
pub(crate) fn is_python_parameter(name: &str) -> bool {
    is_word(name) && !name.starts_with("__") && !PYTHON_KEYWORDS.split(' ').any(|keyword| keyword == name)
}

/// Whether `name` is an identifier that nobody can mistake.
fn is_word(name: &str) -> bool {
    !name.is_empty()
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
        && !name.starts_with(|c: char| c.is_ascii_digit())
}
