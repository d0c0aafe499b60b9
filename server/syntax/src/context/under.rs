//! What the cursor stands in: a word, a text, or nothing yet.

use super::{Cursor, TOKENS_MAX};
use crate::tokens::Kind;
use std::ops::Range;

/// The word or text that the cursor stands in.
pub(super) struct Under {
    /// Tokens before it.
    pub(super) before: usize,
    /// Tokens up to its end.
    pub(super) after: usize,
    pub(super) replace: Range<usize>,
    pub(super) is_quoted: bool,
}

impl Cursor<'_> {
    /// What the cursor stands in; `None` in a comment and in the middle of a sign.
    pub(super) fn under(&self) -> Option<Under> {
        let count = self.tokens.before(self.offset);
        let bare = Under { before: count, after: count, replace: self.offset..self.offset, is_quoted: false };
        let Some(at) = count.checked_sub(1) else { return Some(bare) };
        let range = self.tokens.all[at].range.clone();
        match self.tokens.all[at].kind {
            Kind::Comment => {
                let is_open =
                    self.tokens.is_one_line(range.start..self.offset) && !self.tokens.word(at).ends_with("*/");
                (range.end < self.offset && !is_open).then_some(bare)
            }
            Kind::Text if self.offset < range.end => {
                let (_, content) = self.tokens.content(at)?;
                let is_inside = content.start <= self.offset && self.offset <= content.end;
                is_inside.then_some(Under { before: at, after: count, replace: content, is_quoted: true })
            }
            _ if let Some(under) = self.unclosed(count) => Some(under),
            Kind::Word if self.offset <= range.end => {
                Some(Under { before: at, after: count, replace: range, is_quoted: false })
            }
            _ if self.offset < range.end => None,
            _ => Some(bare),
        }
    }

    /// A text that began on this line and has no end.
    fn unclosed(&self, count: usize) -> Option<Under> {
        let (mut quote, mut depth) = (None, 0_usize);
        let line = (0..count).rev().take(TOKENS_MAX);
        let line = line.take_while(|at| self.tokens.is_one_line(self.tokens.all[*at].range.end..self.offset));
        for at in line.collect::<Vec<_>>().into_iter().rev() {
            match (self.tokens.kind(at), self.tokens.word(at)) {
                // A second one closes the first, except inside of what a text computes.
                (Some(Kind::Quote), _) if depth == 0 => quote = if quote.is_none() { Some(at) } else { None },
                (_, "{" | "${") if quote.is_some() => depth += 1,
                (_, "}") => depth = depth.saturating_sub(1),
                _ => {}
            }
        }
        let before = quote.filter(|_| depth == 0)?;
        let replace = self.tokens.all[before].range.end..self.offset;
        Some(Under { before, after: count, replace, is_quoted: true })
    }
}
