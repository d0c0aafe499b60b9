//! What a server, a tool or an argument is, where a program names it.

use super::{Program, beside};
use crate::markdown::{block, code, escape};
use daemon::{Parameter, Tool};
use model::{Detail, Language, ServerState, ServerStatus};
use std::fmt::Write as _;
use std::ops::Range;
use syntax::Symbol;
use tower_lsp::ls_types::{Hover, HoverContents, MarkupContent, MarkupKind};

/// Characters of a description, and parameters that are documented.
const DESCRIPTION_CHARS: usize = 1_500;
const PARAMETERS_MAX: usize = 30;

pub(super) fn at(program: &Program<'_>, offset: usize) -> Option<Hover> {
    let (range, text) = match program.outline.mention_at(offset) {
        Some(mention) => (mention.range.clone(), symbol(program, &mention.symbol)?),
        None => argument(program, offset).or_else(|| beside::hover(program, offset))?,
    };
    let contents = HoverContents::Markup(MarkupContent { kind: MarkupKind::Markdown, value: text });
    Some(Hover { contents, range: Some(program.document.range(range)) })
}

fn symbol(program: &Program<'_>, symbol: &Symbol) -> Option<String> {
    match symbol {
        Symbol::Server(server) => program.daemon.server_status(server).map(|status| self::server(&status)),
        Symbol::Tool { server, tool } => {
            let known = program.tool(server, tool, |tool| self::tool(tool, program.language()));
            known.or_else(|| beside::group(program, server, tool))
        }
    }
}

fn server(status: &ServerStatus) -> String {
    let mut out = format!("**{}** · MCP server · {}", escape(&status.name), state(status.state));
    if let Some(tools) = status.tools {
        let _ = write!(out, " · {tools} tools");
    }
    if let Some(tokens) = status.definition_tokens {
        let _ = write!(out, " · {tokens} tokens of definitions, none of them in a prompt");
    }
    let _ = write!(out, "\n\n{}", code(&status.target));
    if let Some(error) = &status.last_error {
        let _ = write!(out, "\n\n{}", escape(error));
    }
    out
}

fn state(state: ServerState) -> &'static str {
    match state {
        ServerState::Untrusted => "its workspace is not trusted",
        ServerState::Unapproved => "not approved yet",
        ServerState::Disabled => "switched off",
        ServerState::Stopped => "starts when it is needed",
        ServerState::Starting => "starting",
        ServerState::Ready => "ready",
        ServerState::Degraded => "leaves calls without an answer",
        ServerState::Failed => "failed",
        ServerState::Quarantined => "in quarantine until it is restarted",
    }
}

/// A tool's signature, what it does, its parameters, and what its server claims of it.
fn tool(tool: &Tool, language: Language) -> String {
    let mut out = block(language_name(language), head(&tool.stub(language, Detail::Full)));
    if let Some(description) = &tool.definition.description {
        let cut = description.char_indices().nth(DESCRIPTION_CHARS);
        let shown = cut.map_or(description.as_str(), |(end, _)| &description[..end]);
        let _ = write!(out, "\n\n{}{}", escape(shown.trim()), if cut.is_some() { "…" } else { "" });
    }
    let documented = tool.parameters(language).into_iter().filter(|parameter| parameter.doc.is_some());
    for (at, parameter) in documented.take(PARAMETERS_MAX).enumerate() {
        let doc = parameter.doc.as_deref().unwrap_or_default();
        let _ = write!(out, "{}- {} {}", if at == 0 { "\n\n" } else { "\n" }, code(&parameter.name), escape(doc));
    }
    let claims = tool.definition.annotations.clone().unwrap_or_default();
    match (claims.read_only_hint, claims.destructive_hint) {
        (Some(true), _) => out += "\n\nChanges nothing, its server says.",
        (_, Some(true)) => out += "\n\nMay destroy, its server says.",
        _ => {}
    }
    out
}

/// A stub without its documentation.
pub(super) fn head(stub: &str) -> &str {
    let is_head = |line: &&str| line.starts_with("async def ") || line.starts_with("function ");
    stub.lines().find(is_head).unwrap_or(stub)
}

/// What a markdown block of this language is called.
pub(super) fn language_name(language: Language) -> &'static str {
    if language == Language::Python { "python" } else { "typescript" }
}

fn argument(program: &Program<'_>, offset: usize) -> Option<(Range<usize>, String)> {
    let call = program.outline.call_at(offset)?;
    let is_here = |range: &Range<usize>| range.start <= offset && offset <= range.end;
    let argument = call.arguments.named.iter().find(|argument| is_here(&argument.name.range))?;
    let parameters = program.parameters(&call.server, &call.tool)?;
    let parameter = parameters.iter().find(|parameter| parameter.name == argument.name.text)?;
    let text = block(language_name(program.language()), &signature(parameter)) + "\n\n" + &parameter_doc(parameter);
    Some((argument.name.range.clone(), text))
}

/// `path: str`
pub(super) fn signature(parameter: &Parameter) -> String {
    format!("{}{}: {}", parameter.name, if parameter.is_required { "" } else { "?" }, parameter.type_text)
}

/// Whether it is required, its default and its documentation, as markdown.
pub(super) fn parameter_doc(parameter: &Parameter) -> String {
    let mut out = if parameter.is_required { "Required.".to_owned() } else { "Optional.".to_owned() };
    if let Some(default) = &parameter.default {
        let _ = write!(out, " Default {}.", code(&default.to_string()));
    }
    if let Some(doc) = &parameter.doc {
        let _ = write!(out, " {}", escape(doc));
    }
    out
}
