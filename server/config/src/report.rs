//! Collects what is wrong in one file, with exact places.

use model::server::{Scope, Source};
use model::{Problem, Severity};
use std::path::Path;

/// Where one file's problems go.
pub(crate) struct Report<'a> {
    file: &'a Path,
    text: &'a str,
    problems: &'a mut Vec<Problem>,
    server: Option<String>,
}

impl<'a> Report<'a> {
    pub(crate) fn new(file: &'a Path, text: &'a str, problems: &'a mut Vec<Problem>) -> Self {
        Self { file, text, problems, server: None }
    }

    /// What follows is about this server.
    pub(crate) fn about(&mut self, server: &str) {
        self.server = Some(server.to_owned());
    }

    pub(crate) fn error(&mut self, at: usize, message: impl Into<String>, hint: impl Into<String>) {
        self.push(at, Severity::Error, message.into(), hint.into());
    }

    pub(crate) fn warning(&mut self, at: usize, message: impl Into<String>, hint: impl Into<String>) {
        self.push(at, Severity::Warning, message.into(), hint.into());
    }

    pub(crate) fn info(&mut self, at: usize, message: impl Into<String>, hint: impl Into<String>) {
        self.push(at, Severity::Info, message.into(), hint.into());
    }

    /// An offset as a place of this file.
    pub(crate) fn source(&self, at: usize, scope: Scope) -> Source {
        Source { file: self.file.to_owned(), line: self.line(at), scope }
    }

    /// The line of an offset.
    pub(crate) fn line(&self, at: usize) -> u32 {
        position(self.text, at).0
    }

    /// An error that only counts where something else is not so.
    pub(crate) fn problem(&self, at: usize, message: impl Into<String>, hint: impl Into<String>) -> Problem {
        self.at(at, Severity::Error, message.into(), hint.into())
    }

    fn push(&mut self, at: usize, severity: Severity, message: String, hint: String) {
        let problem = self.at(at, severity, message, hint);
        self.problems.push(problem);
    }

    fn at(&self, at: usize, severity: Severity, message: String, hint: String) -> Problem {
        let (line, column) = position(self.text, at);
        Problem { file: self.file.to_owned(), line, column, severity, message, hint, server: self.server.clone() }
    }
}

/// Line and column of a byte offset, both from 1, the column in UTF-16 units as editors count.
pub(crate) fn position(text: &str, at: usize) -> (u32, u32) {
    let mut at = at.min(text.len());
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    let before = &text[..at];
    let line_start = memchr::memrchr(b'\n', before.as_bytes()).map_or(0, |newline| newline + 1);
    let line = memchr::memchr_iter(b'\n', before.as_bytes()).count();
    let column = before[line_start..].encode_utf16().count();
    (u32::try_from(line + 1).unwrap_or(u32::MAX), u32::try_from(column + 1).unwrap_or(u32::MAX))
}

#[cfg(test)]
mod tests {
    use super::position;

    #[test]
    fn columns_are_counted_in_utf16_units() {
        let text = "a\n\u{1F600}ü\"x\"";
        let at = text.find('"').expect("there is a quote");
        assert_eq!(position(text, at), (2, 4));
        assert_eq!(position(text, 0), (1, 1));
        assert_eq!(position(text, 999), (2, 7));
    }
}
