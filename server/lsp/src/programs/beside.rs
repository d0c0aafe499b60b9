//! A server's prompts and resources in a program: their names where they are asked for, a prompt's arguments, and what each is.
//!
//! Invariant: what a server calls them is inserted only inside quotes, and only where it cannot end them.

use super::Program;
use super::hover::language_name;
use super::offers::{self, Form, describe, is_like, item};
use super::signature::markdown;
use crate::markdown::{block, code, escape};
use daemon::{ServerTools, Tool};
use model::tool::HitKind;
use model::{Detail, Method};
use std::fmt::Write as _;
use std::ops::Range;
use std::sync::Arc;
use syntax::{CallPlace, Place};
use tower_lsp::ls_types::{CompletionItem, CompletionItemKind, InsertTextFormat};

/// Entries of one hover.
const SHOWN: usize = 20;
/// Characters of what a hover says of one entry.
const DOC_CHARS: usize = 1_500;

/// What a call of a server's prompts or resources can be given at a place; `None` where it is as with any tool.
pub(super) fn arguments(program: &Program<'_>, place: &CallPlace) -> Option<Vec<CompletionItem>> {
    let server = asked(program, &place.server)?;
    let method = server.called(&place.tool)?.method?;
    match &place.place {
        Place::First { replace } => Some(names(program, &server, method, replace)),
        Place::Value { name, replace, is_quoted: true } if !place.is_inner && matches!(&**name, "name" | "uri") => {
            Some(names(program, &server, method, replace))
        }
        Place::Name { replace, is_quoted, has_value }
            if place.first.is_some() && (place.is_inner || !place.in_braces) =>
        {
            let prompt = server.prompt(place.first.as_deref()?)?;
            let form = Form { is_quoted: *is_quoted, has_value: *has_value, in_braces: place.in_braces };
            let due = prompt.parameters(program.language()).into_iter();
            let due = due.filter(|argument| !place.given.contains(&argument.name));
            Some(due.filter_map(|argument| offers::argument(program, replace, &argument, form)).collect())
        }
        _ => None,
    }
}

/// What can be asked of `resources` or `prompts`.
pub(super) fn members(program: &Program<'_>, server: &str, group: &str, replace: &Range<usize>) -> Vec<CompletionItem> {
    let Some(server) = asked(program, server) else { return Vec::new() };
    let is_called = program.document.text()[replace.end..].starts_with('(');
    let functions = server.offered().filter_map(|function| {
        let name = function.identifier.strip_prefix(group)?.strip_prefix('.')?;
        let mut item = item(program, replace, name, CompletionItemKind::METHOD);
        item.detail = Some(function.summary().to_owned());
        if !is_called {
            let takes = matches!(function.method, Some(Method::GetPrompt | Method::ReadResource | Method::Subscribe));
            let text = if takes { format!("{name}(\"$1\")") } else { format!("{name}()") };
            offers::insert(&mut item, text, InsertTextFormat::SNIPPET);
        }
        Some(item)
    });
    functions.collect()
}

/// What the text at `offset` asks for, where it names a prompt, a resource or a template.
pub(super) fn hover(program: &Program<'_>, offset: usize) -> Option<(Range<usize>, String)> {
    let syntax::Context::Call(place) = program.outline.context_at(offset) else { return None };
    let (Place::First { replace } | Place::Value { replace, is_quoted: true, .. }) = &place.place else { return None };
    let server = asked(program, &place.server)?;
    let method = server.called(&place.tool)?.method?;
    let name = &program.document.text()[replace.clone()];
    let found = listed(&server, method).find(|entry| entry.definition.name == name)?;
    let mut text = block(language_name(program.language()), &found.stub(program.language(), Detail::Full));
    let said = found.definition.description.as_deref().unwrap_or_default();
    let _ = write!(text, "\n\n{}", escape(said[..said.floor_char_boundary(DOC_CHARS)].trim()));
    Some((replace.clone(), text))
}

/// What there is of `resources` or `prompts`, for who looks at that word.
pub(super) fn group(program: &Program<'_>, server: &str, group: &str) -> Option<String> {
    let server = asked(program, server)?;
    let method = server.functions().iter().find(|function| function.identifier.starts_with(group))?.method?;
    let all: Vec<&Tool> = listed(&server, method).collect();
    let mut out = format!("**{group}** of {} · {} listed", escape(server.name()), all.len());
    if method == Method::ListResources && server.beside().tells_changes {
        out.push_str(" · `subscribe(uri)` tells of changes");
    }
    for entry in all.iter().take(SHOWN) {
        let _ = write!(out, "\n- {} {}", code(&entry.definition.name), escape(entry.summary()));
    }
    Some(out + if all.len() > SHOWN { "\n- …" } else { "" })
}

/// A server as it is known; what it lists now is asked for, for the next time.
fn asked(program: &Program<'_>, server: &str) -> Option<Arc<ServerTools>> {
    program.daemon.look_beside(server);
    program.server(server)
}

/// What can be asked for by a method: prompts, or resources before templates.
fn listed(server: &ServerTools, method: Method) -> impl Iterator<Item = &Tool> {
    let of = |kind: HitKind| server.extras().iter().filter(move |entry| entry.kind == kind);
    let is_prompt = matches!(method, Method::GetPrompt | Method::ListPrompts);
    let kinds = if is_prompt { [HitKind::Prompt].as_slice() } else { &[HitKind::Resource, HitKind::Template] };
    kinds.iter().flat_map(move |kind| of(*kind))
}

fn names(program: &Program<'_>, server: &ServerTools, method: Method, replace: &Range<usize>) -> Vec<CompletionItem> {
    let typed = &program.document.text()[replace.clone()];
    let fitting = listed(server, method).filter(|entry| {
        let name = &entry.definition.name;
        is_like(typed, name) && !name.contains(['"', '\'', '`', '\\']) && !name.contains(char::is_control)
    });
    let items = fitting.map(|entry| {
        let kind = if entry.kind == HitKind::Prompt { CompletionItemKind::FUNCTION } else { CompletionItemKind::FILE };
        let mut item = item(program, replace, &entry.definition.name, kind);
        item.detail = (!entry.summary().is_empty()).then(|| entry.summary().to_owned());
        let stub = entry.stub(program.language(), Detail::Signature);
        item.documentation = Some(markdown(block(language_name(program.language()), &stub)));
        describe(&mut item, if entry.kind == HitKind::Template { "template" } else { "" });
        item
    });
    items.collect()
}
