//! What a person reads before something happens, and why they are asked at all.
//!
//! Which calls ask: `Destructive` those whose server says that they may destroy (`destructiveHint`, unless it also says
//! `readOnlyHint`); `Writes` those whose server does not say that they change nothing; `Always` all. A hint is a claim:
//! it can spare a question only where the person chose to go by hints. A call in the editor's place counts as `Writes` where
//! the choice is `Destructive`: so the editor would have asked.
//!
//! Invariant: it says what would happen, cut where it is long, with nothing in it that a terminal or an editor would obey.

use crate::approve::{Session, Wanted};
use crate::call::bounded;
use crate::options::AskCalls;
use crate::patterns::Pattern;
use crate::snapshot::describe;
use model::editor::ApprovalRequest;
use model::tool::Annotations;
use model::{ServerSpec, Transport};
use std::fmt::Write as _;

/// Bytes that are shown of a command line or URL, of the arguments of a call, and of a name.
const TARGET_BYTES: usize = 8 << 10;
const ARGUMENTS_BYTES: usize = 4 << 10;
const NAME_BYTES: usize = 512;

/// Why a person is asked; nothing where nobody needs to be.
pub(crate) fn reason(ask: AskCalls, claims: Option<&Annotations>) -> Option<&'static str> {
    let read_only = claims.is_some_and(|c| c.read_only_hint == Some(true));
    let destructive = !read_only && claims.is_some_and(|c| c.destructive_hint == Some(true));
    let asks = match ask {
        AskCalls::Never => false,
        AskCalls::Destructive => destructive,
        AskCalls::Writes => !read_only,
        AskCalls::Always => true,
    };
    asks.then_some(match (destructive, read_only) {
        (true, _) => "its server says that it may destroy or overwrite",
        (_, true) => "every call is asked about, although its server says that it changes nothing",
        _ => "its server does not say that it changes nothing",
    })
}

/// Whether a call may be made.
pub(crate) fn call(session: &Session, wanted: &Wanted<'_>, reason: &str, offers: &[Pattern]) -> ApprovalRequest {
    let tool = name(&wanted.tool.name);
    let arguments = serde_json::to_string(wanted.arguments).expect("a map of values is JSON");
    let patterns = offers.iter().map(|offer| {
        let mut wire = offer.to_wire(&tool);
        wire.label = name(&wire.label);
        wire
    });
    ApprovalRequest::Call {
        run_id: session.run_id.clone(),
        label: session.label.clone(),
        line: wanted.line,
        server: name(&wanted.server.name),
        reason: reason.to_owned(),
        arguments: shown(&arguments, ARGUMENTS_BYTES),
        patterns: patterns.collect(),
        tool,
    }
}

/// Whether a server may be started.
pub(crate) fn server(spec: &ServerSpec) -> ApprovalRequest {
    ApprovalRequest::Server {
        server: name(&spec.name),
        source: spec.source.clone(),
        transport: describe(&spec.transport).0.to_owned(),
        target: target(&spec.transport),
        content_hash: spec.content_hash.clone(),
    }
}

/// What would be started or opened.
pub(crate) fn target(transport: &Transport) -> String {
    shown(&describe(transport).1, TARGET_BYTES)
}

/// A name or a label.
pub(crate) fn name(text: &str) -> String {
    shown(text, NAME_BYTES)
}

/// A text as a person is shown it: its first `bytes` bytes, with whatever would be obeyed or not be seen written out.
fn shown(text: &str, bytes: usize) -> String {
    let kept = bounded(text, bytes);
    let mut out = String::with_capacity(kept.len());
    for c in kept.chars() {
        if c.is_control() || is_unseen(c) {
            out.extend(c.escape_unicode());
        } else {
            out.push(c);
        }
    }
    if kept.len() < text.len() {
        let _ = write!(out, "… ({} bytes in all)", text.len());
    }
    out
}

/// Characters that change how others are read without being seen: directions, joiners, tags, line separators.
fn is_unseen(c: char) -> bool {
    matches!(u32::from(c), 0xAD | 0x61C | 0x180E | 0x200B..=0x200F | 0x2028..=0x202E | 0x2060..=0x206F | 0xFEFF | 0xE0000..=0xE0FFF)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn which_calls_ask() {
        let claims = |read_only, destructive| {
            Some(Annotations { read_only_hint: read_only, destructive_hint: destructive, ..Annotations::default() })
        };
        let asks = |claims: Option<Annotations>| {
            [AskCalls::Never, AskCalls::Destructive, AskCalls::Writes, AskCalls::Always]
                .map(|ask| reason(ask, claims.as_ref()).is_some())
        };
        assert_eq!(asks(None), [false, false, true, true]);
        assert_eq!(asks(claims(Some(true), None)), [false, false, false, true]);
        assert_eq!(asks(claims(Some(true), Some(true))), [false, false, false, true]);
        assert_eq!(asks(claims(None, Some(true))), [false, true, true, true]);
        assert_eq!(asks(claims(Some(false), Some(false))), [false, false, true, true]);
    }

    #[test]
    fn what_is_shown_is_cut_and_obeyed_by_nobody() {
        assert_eq!(shown("a\u{1b}[2Jb\u{202e}c\nd", 100), r"a\u{1b}[2Jb\u{202e}c\u{a}d");
        assert_eq!(shown("äöü", 3), "ä… (6 bytes in all)");
    }
}
