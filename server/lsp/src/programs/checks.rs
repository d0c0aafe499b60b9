//! Diagnostics of a program: what its run would fail at, said while it is typed.
//!
//! Invariant: errors are what the daemon would refuse, in its own words; what it would let through is a warning at most.

use super::Program;
use daemon::{ArgumentProblem, ServerTools, Tool};
use model::Language;
use serde_json::{Map, Value};
use std::collections::HashSet;
use std::ops::Range;
use syntax::{Call, Symbol, Usage};
use tower_lsp::ls_types::{Diagnostic, DiagnosticSeverity, NumberOrString};

/// Diagnostics of one program. More help nobody.
const DIAGNOSTICS_MAX: usize = 200;
/// Names listed in a message.
const NAMES_MAX: usize = 12;

/// Everything that is certainly wrong.
pub(super) fn all(program: &Program<'_>) -> Vec<Diagnostic> {
    let names = names(program);
    let calls = program.outline.calls.iter().flat_map(|call| of_call(program, call));
    names.into_iter().chain(calls).take(DIAGNOSTICS_MAX).collect()
}

fn diagnostic(
    program: &Program<'_>,
    range: Range<usize>,
    severity: DiagnosticSeverity,
    code: &str,
    message: String,
) -> Diagnostic {
    Diagnostic {
        range: program.document.range(range),
        severity: Some(severity),
        code: Some(NumberOrString::String(code.to_owned())),
        source: Some("tta".to_owned()),
        message,
        ..Diagnostic::default()
    }
}

/// Servers and tools that there are not. Each is told where it is imported, and at each `server.tool`.
fn names(program: &Program<'_>) -> Vec<Diagnostic> {
    let configured = program.daemon.server_names();
    let (mut told, mut out) = (HashSet::new(), Vec::new());
    for mention in program.outline.mentions.iter().filter(|mention| mention.is_original) {
        let (server, range) = (mention.symbol.server(), mention.range.clone());
        let is_member = program.document.text()[..range.start].ends_with('.');
        let is_first = told.insert(&mention.symbol);
        if !configured.iter().any(|name| name == server) {
            if matches!(mention.symbol, Symbol::Server(_)) && is_first {
                let message = format!("there is no server `{server}`{}", instead(server, &configured, "the servers"));
                out.push(diagnostic(program, range, DiagnosticSeverity::ERROR, "unknown-server", message));
            }
            continue;
        }
        let (Symbol::Tool { tool, .. }, Some(tools)) = (&mention.symbol, program.server(server)) else { continue };
        if (is_first || is_member) && !tools.has(tool) {
            let message = unknown_tool(&tools, tool);
            out.push(diagnostic(program, range, DiagnosticSeverity::ERROR, "unknown-tool", message));
        }
    }
    out
}

fn unknown_tool(tools: &ServerTools, tool: &str) -> String {
    let names: Vec<String> = tools.tools().iter().map(|tool| tool.identifier.clone()).collect();
    format!("`{}` has no tool `{tool}`{}", tools.identifier(), instead(tool, &names, "its tools"))
}

/// What may have been meant, or what there is.
fn instead(name: &str, known: &[String], what: &str) -> String {
    let near: Vec<String> =
        daemon::nearest(name, known.iter().map(String::as_str)).into_iter().take(3).map(|n| format!("`{n}`")).collect();
    if !near.is_empty() {
        return format!("; did you mean {}?", near.join(" or "));
    }
    let more = if known.len() > NAMES_MAX { ", …" } else { "" };
    let shown: Vec<&str> = known.iter().take(NAMES_MAX).map(String::as_str).collect();
    if shown.is_empty() { "; there are none".to_owned() } else { format!("; {what} are {}{more}", shown.join(", ")) }
}

fn of_call(program: &Program<'_>, call: &Call) -> Vec<Diagnostic> {
    let mut out = Vec::new();
    if program.server(&call.server).is_some_and(|server| server.called(&call.tool).is_none()) {
        return out;
    }
    let path = format!("{}.{}", call.server, call.tool);
    // What stands beside the tools takes its arguments in more ways than tools do.
    let is_tool = !call.tool.contains('.');
    if is_tool {
        out.extend(program.tool(&call.server, &call.tool, |tool| arguments(program, call, tool)).unwrap_or_default());
    }
    let form = if program.language() == Language::Python { "keyword arguments or one dict" } else { "one object" };
    let misplaced = call.arguments.misplaced.iter().filter(|_| is_tool).map(|range| {
        let message = format!("`{path}` takes {form}: give this value a name");
        diagnostic(program, range.clone(), DiagnosticSeverity::ERROR, "positional-argument", message)
    });
    out.extend(misplaced);
    if call.tool == "resources.subscribe" && call.usage == Usage::Misused {
        // It is what a loop goes over.
        return out;
    }
    let (severity, message) = match call.usage {
        Usage::Dropped => (
            DiagnosticSeverity::WARNING,
            format!("the call `{path}(…)` is never awaited: its result or error is lost; write `await {path}(…)`"),
        ),
        Usage::Misused => (
            DiagnosticSeverity::ERROR,
            format!("the call `{path}(…)` is used as if it were its result; write `(await {path}(…))`"),
        ),
        Usage::Awaited | Usage::Kept => return out,
    };
    out.push(diagnostic(program, call.callee.clone(), severity, "forgotten-await", message));
    out
}

/// What is wrong with the arguments, in the words of who will check them; and names that the server does not declare.
fn arguments(program: &Program<'_>, call: &Call, tool: &Tool) -> Vec<Diagnostic> {
    let given = &call.arguments.named;
    let known: Map<String, Value> =
        given.iter().filter_map(|argument| Some((argument.name.text.clone(), argument.value.clone()?))).collect();
    let hidden: Vec<&str> =
        given.iter().filter(|argument| argument.value.is_none()).map(|argument| argument.name.text.as_str()).collect();
    let is_open = call.arguments.is_open || !call.arguments.misplaced.is_empty();
    let problems = tool.problems(&known, &hidden, is_open);
    let declared: Vec<String> = tool.parameters(program.language()).into_iter().map(|p| p.name).collect();
    let undeclared = given.iter().filter(|argument| {
        let is_told = problems.iter().any(|problem| problem.field == argument.name.text);
        let takes_more = tool.definition.input_schema.get("additionalProperties").is_some();
        !declared.is_empty() && !takes_more && !is_told && !declared.contains(&argument.name.text)
    });
    let undeclared = undeclared.map(|argument| {
        let name = &argument.name.text;
        let message =
            format!("`{}` declares no parameter `{name}`{}", tool.path, instead(name, &declared, "its parameters"));
        diagnostic(program, argument.name.range.clone(), DiagnosticSeverity::WARNING, "undeclared-argument", message)
    });
    let problems = problems.iter().map(|problem| {
        let range = place(call, problem, &declared);
        diagnostic(program, range, DiagnosticSeverity::ERROR, "arguments", problem.message.clone())
    });
    problems.chain(undeclared).collect()
}

/// Where a problem stands: at the value of its argument, at the name where that is the problem, else at what is called.
fn place(call: &Call, problem: &ArgumentProblem, declared: &[String]) -> Range<usize> {
    let is_of = |name: &str| {
        let rest = problem.field.strip_prefix(name);
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
    };
    match call.arguments.named.iter().find(|argument| is_of(&argument.name.text)) {
        Some(argument) if declared.contains(&argument.name.text) => argument.value_range.clone(),
        Some(argument) => argument.name.range.clone(),
        None => call.callee.clone(),
    }
}
