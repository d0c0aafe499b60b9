//! The words and signs of a text in their order: what is left to go by where the text is broken.

use std::ops::Range;

/// What a token is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A name or keyword.
    Word,
    /// A text literal without anything computed in it, quotes and all.
    Text,
    /// A quote that begins or ends a text that is not such a literal: one that never ends, for instance.
    Quote,
    /// A comment.
    Comment,
    /// Anything else.
    Sign,
}

#[derive(Clone, Debug)]
pub(crate) struct Token {
    pub(crate) kind: Kind,
    pub(crate) range: Range<usize>,
}

/// All tokens, and the text they stand in.
#[derive(Debug)]
pub(crate) struct Tokens {
    pub(crate) text: String,
    pub(crate) all: Vec<Token>,
}

impl Tokens {
    /// The text of token `at`; empty where there is none.
    pub(crate) fn word(&self, at: usize) -> &str {
        self.all.get(at).map_or("", |token| &self.text[token.range.clone()])
    }

    pub(crate) fn kind(&self, at: usize) -> Option<Kind> {
        self.all.get(at).map(|token| token.kind)
    }

    /// What stands between the quotes of a text literal, and where.
    pub(crate) fn content(&self, at: usize) -> Option<(&str, Range<usize>)> {
        let token = self.all.get(at).filter(|token| token.kind == Kind::Text)?;
        let range = content(&self.text[token.range.clone()])?;
        let range = token.range.start + range.start..token.range.start + range.end;
        Some((&self.text[range.clone()], range))
    }

    /// The name that token `at` gives: a word, or what a text literal holds.
    pub(crate) fn name(&self, at: usize) -> Option<&str> {
        match self.kind(at)? {
            Kind::Word => Some(self.word(at)),
            Kind::Text => self.content(at).map(|(text, _)| text),
            _ => None,
        }
    }

    /// How many tokens begin before `offset`.
    pub(crate) fn before(&self, offset: usize) -> usize {
        self.all.partition_point(|token| token.range.start < offset)
    }

    /// Whether no line ends in `range`, which may be empty or turned around.
    pub(crate) fn is_one_line(&self, range: Range<usize>) -> bool {
        self.text.get(range).is_none_or(|between| !between.contains('\n'))
    }
}

/// What stands between the quotes of `literal`.
pub(crate) fn content(literal: &str) -> Option<Range<usize>> {
    let open = literal.find(['"', '\'', '`'])?;
    let quote = &literal[open..];
    let triple = ["\"\"\"", "'''"].iter().any(|mark| quote.starts_with(mark) && quote.len() >= 6);
    let length = if triple { 3 } else { 1 };
    let (start, end) = (open + length, literal.len().checked_sub(length)?);
    (start <= end && literal.is_char_boundary(end)).then_some(start..end)
}

/// What a leaf of the tree is.
pub(crate) fn kind_of(kind: &str, text: &str) -> Kind {
    match kind {
        "comment" => Kind::Comment,
        "string_start" | "string_end" | "\"" | "'" | "`" => Kind::Quote,
        _ if text.starts_with(|c: char| c.is_alphabetic() || c == '_' || c == '$') => Kind::Word,
        _ => Kind::Sign,
    }
}
