//! A tool as a function of the program's language: what the model reads before it calls.
//!
//! Invariant: a stub is bounded in size, holds only text that `text` has made safe, and never ends its own comment or
//! docstring early. It is compact rather than complete: types are cut where they nest too deep to fit.

use crate::printer::{Printer, is_python_parameter};
use crate::text::{in_comment, in_docstring, one_line, quoted};
use crate::types::{self, Field, Type};
use model::{Detail, Language, ToolDefinition};
use serde_json::Value;

/// What a stub may hold.
struct Budget {
    /// Characters of the parameters, and of the result's type: nesting is cut until they fit.
    parameters: usize,
    result: usize,
    /// Characters of the description.
    description: usize,
    /// Values of one enumeration.
    literals: usize,
    /// Parameters that are documented one by one.
    documented: usize,
}

const SIGNATURE: Budget = Budget { parameters: 900, result: 450, description: 120, literals: 16, documented: 0 };
const FULL: Budget = Budget { parameters: 4_000, result: 2_500, description: 1_000, literals: 40, documented: 60 };

/// Depths of nesting to try, deepest first.
const DEPTHS: [usize; 5] = [7, 4, 3, 2, 1];
/// Characters of one parameter's documentation, and how deep inside an argument parameters are documented.
const PARAMETER_DOC_CHARS: usize = 200;
const PARAMETER_DOC_DEPTH: usize = 3;

/// What a tool takes.
enum Parameters {
    Nothing,
    Named(Vec<Field>),
    /// An object that is not described by a list of properties.
    Object(Type),
}

/// The stub of `tool` as the function `path` (`server.tool`, so that a list of stubs needs no headings). `summary` is its line at `Detail::Signature`.
pub(crate) fn render(tool: &ToolDefinition, path: &str, summary: &str, language: Language, detail: Detail) -> String {
    let full = detail == Detail::Full;
    let budget = if full { FULL } else { SIGNATURE };
    let printer = Printer { python: language == Language::Python, literals_max: budget.literals };
    let (parameters, left_out) = parameters(tool, printer, budget.parameters);
    let result = fit(budget.result, |depth| {
        tool.output_schema.as_deref().map_or(printer.print(&Type::Any), |s| printer.print(&types::read(s, depth)))
    });
    let result = if result.len() > budget.result * 4 { printer.print(&Type::Any) } else { result };
    let description = if full { tool.description.as_deref().unwrap_or(summary) } else { summary };
    let mut lines = vec![one_line(description, budget.description)];
    if left_out > 0 {
        lines.push(format!("{left_out} more optional parameters; detail \"full\" shows them."));
    }
    if let (true, Parameters::Named(fields)) = (full, read(tool, DEPTHS[0])) {
        document(&fields, "", PARAMETER_DOC_DEPTH, budget.documented, &mut lines);
    }
    lines.retain(|line| !line.is_empty());
    if printer.python {
        python(path, &parameters, &result, &lines)
    } else {
        typescript(path, &parameters, &result, &lines)
    }
}

fn python(path: &str, parameters: &str, result: &str, lines: &[String]) -> String {
    let head = format!("async def {path}({parameters}) -> {result}:");
    let lines: Vec<String> = lines.iter().map(|line| in_docstring(line)).collect();
    match lines.as_slice() {
        [] => format!("{head} ..."),
        [line] => format!("{head}\n    \"\"\"{line}\"\"\""),
        lines => format!("{head}\n    \"\"\"{}\n    \"\"\"", lines.join("\n    ")),
    }
}

fn typescript(path: &str, parameters: &str, result: &str, lines: &[String]) -> String {
    let head = format!("function {path}({parameters}): Promise<{result}>");
    let lines: Vec<String> = lines.iter().map(|line| in_comment(line)).collect();
    match lines.as_slice() {
        [] => head,
        [line] => format!("/** {line} */\n{head}"),
        lines => format!("/** {}\n */\n{head}", lines.join("\n * ")),
    }
}

/// The deepest rendering that fits, or the shallowest.
fn fit(chars_max: usize, mut render: impl FnMut(usize) -> String) -> String {
    let mut out = String::new();
    for depth in DEPTHS {
        out = render(depth);
        if out.chars().count() <= chars_max {
            break;
        }
    }
    out
}

fn read(tool: &ToolDefinition, depth: usize) -> Parameters {
    match types::read(&tool.input_schema, depth) {
        Type::Object(mut fields) if !fields.is_empty() => {
            fields.sort_by_key(|field| !field.required);
            Parameters::Named(fields)
        }
        of @ Type::Union(_) => Parameters::Object(of),
        Type::Map(of) if tool.input_schema.get("additionalProperties").is_some_and(|a| *a != Value::Bool(false)) => {
            Parameters::Object(Type::Map(of))
        }
        _ => Parameters::Nothing,
    }
}

/// The text between the parentheses, and how many optional parameters it leaves out.
fn parameters(tool: &ToolDefinition, printer: Printer, chars_max: usize) -> (String, usize) {
    let text = fit(chars_max, |depth| list(&read(tool, depth), printer));
    let Parameters::Named(mut fields) = read(tool, 1) else { return (text, 0) };
    if text.chars().count() <= chars_max {
        return (text, 0);
    }
    let mut left_out = 0;
    let mut shorter = text;
    while shorter.chars().count() > chars_max && fields.last().is_some_and(|field| !field.required) {
        fields.pop();
        left_out += 1;
        shorter = list(&Parameters::Named(fields.clone()), printer);
    }
    (shorter, left_out)
}

fn list(parameters: &Parameters, printer: Printer) -> String {
    match parameters {
        Parameters::Nothing => String::new(),
        Parameters::Object(of) if printer.python => format!("args: {}, /", printer.print(of)),
        Parameters::Object(of) => format!("args: {}", printer.print(of)),
        Parameters::Named(fields) if printer.python => {
            if fields.iter().all(|field| is_python_parameter(&field.name)) {
                let fields: Vec<String> = fields.iter().map(|field| printer.keyword(field)).collect();
                format!("*, {}", fields.join(", "))
            } else {
                format!("args: {}, /", printer.object(fields))
            }
        }
        Parameters::Named(fields) => {
            let mark = if fields.iter().any(|field| field.required) { "" } else { "?" };
            format!("args{mark}: {}", printer.object(fields))
        }
    }
}

/// A line for each parameter that says something, fields inside arguments by their path (`edits[].oldText`).
fn document(fields: &[Field], prefix: &str, depth: usize, lines_max: usize, lines: &mut Vec<String>) {
    for field in fields {
        if lines.len() >= lines_max {
            return;
        }
        let name = if is_python_parameter(&field.name) { field.name.clone() } else { quoted(&field.name) };
        let path = format!("{prefix}{name}");
        let doc = field.doc.as_deref().map(|doc| one_line(doc, PARAMETER_DOC_CHARS)).unwrap_or_default();
        if !doc.is_empty() {
            lines.push(format!("{path}: {doc}"));
        }
        if depth > 1 {
            let (inside, mark) = inside(&field.of);
            document(inside, &format!("{path}{mark}."), depth - 1, lines_max, lines);
        }
    }
}

/// The fields of an object, or of the objects of a list.
fn inside(of: &Type) -> (&[Field], &'static str) {
    match of {
        Type::Object(fields) => (fields, ""),
        Type::List(item) => match item.as_ref() {
            Type::Object(fields) => (fields, "[]"),
            _ => (&[], ""),
        },
        Type::Union(all) => all.iter().map(inside).find(|(fields, _)| !fields.is_empty()).unwrap_or((&[], "")),
        _ => (&[], ""),
    }
}
