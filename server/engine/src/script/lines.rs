//! From positions in what the guest ran back to positions in the program as it was written.
//!
//! Two steps, each the identity where it did not happen: the code generator's source map, then the edits. No edit
//! contains a line break, except at the very end, so edits move columns only.

use model::ProgramError;
use std::borrow::Cow;
use std::fmt::Write;

/// Longest source line that is quoted.
const QUOTED_CHARS: usize = 160;

/// A replacement in the source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Edit {
    pub(super) start: usize,
    pub(super) end: usize,
    pub(super) text: &'static str,
}

impl Edit {
    pub(super) fn insert(at: usize, text: &'static str) -> Self {
        Self { start: at, end: at, text }
    }
}

/// One entry of a source map; lines and columns from 0.
#[derive(Clone, Copy, Debug)]
pub(super) struct Token {
    pub(super) generated: (u32, u32),
    pub(super) source: (u32, u32),
}

/// How positions move.
#[derive(Clone, Debug, Default)]
pub(crate) struct Lines {
    /// The program's name as it stands before positions in tracebacks.
    name: String,
    shifts: Vec<Shift>,
    /// In the order of what was generated.
    map: Vec<Token>,
}

/// An edit as the columns of one edited line see it, counted from 1.
#[derive(Clone, Copy, Debug)]
struct Shift {
    line: u32,
    column: u32,
    inserted: u32,
    removed: u32,
}

impl Lines {
    pub(super) fn unchanged(name: &str) -> Self {
        Self { name: name.to_owned(), ..Self::default() }
    }

    pub(super) fn edited(name: &str, code: &str, edits: &[Edit]) -> Self {
        Self { shifts: shifts(code, edits), ..Self::unchanged(name) }
    }

    pub(super) fn mapped(name: &str, code: &str, edits: &[Edit], map: Vec<Token>) -> Self {
        Self { map, ..Self::edited(name, code, edits) }
    }

    /// The error with every position put back.
    pub(crate) fn error(&self, mut error: ProgramError) -> ProgramError {
        if self.is_identity() {
            return error;
        }
        let traceback = error.traceback.as_deref().unwrap_or_default();
        error.line = error.line.map(|line| self.original(line, self.column_of(line, traceback)).0);
        error.message = self.text(&error.message).into_owned();
        error.traceback = error.traceback.as_deref().map(|text| self.text(text).into_owned());
        error
    }

    /// The line of the program behind a line of what the guest runs.
    pub(crate) fn line(&self, line: u32) -> u32 {
        if self.is_identity() { line } else { self.original(line, None).0 }
    }

    /// A text with every `name:LINE:COLUMN` put back.
    pub(crate) fn text<'t>(&self, text: &'t str) -> Cow<'t, str> {
        let mark = self.mark();
        if self.is_identity() || !text.contains(&mark) {
            return Cow::Borrowed(text);
        }
        let mut parts = text.split(mark.as_str());
        let mut out = parts.next().unwrap_or_default().to_owned();
        for part in parts {
            out.push_str(&mark);
            match position(part) {
                Some((line, column, rest)) => {
                    let (line, column) = self.original(line, Some(column));
                    let _ = write!(out, "{line}:{column}{rest}");
                }
                None => out.push_str(part),
            }
        }
        Cow::Owned(out)
    }

    fn is_identity(&self) -> bool {
        self.map.is_empty() && self.shifts.is_empty()
    }

    /// What stands before a position.
    fn mark(&self) -> String {
        format!("{}:", self.name)
    }

    /// The column of the innermost frame on a line: generated code may hold several lines of the program in one.
    fn column_of(&self, line: u32, traceback: &str) -> Option<u32> {
        traceback.split(&self.mark()).skip(1).filter_map(position).find(|at| at.0 == line).map(|at| at.1)
    }

    /// Both counted from 1. Without a column, that of the line's first token.
    fn original(&self, line: u32, column: Option<u32>) -> (u32, u32) {
        let (line, column) =
            if self.map.is_empty() { (line, column.unwrap_or(1)) } else { self.unmapped(line, column) };
        // From left to right: an edit before the position moves it back by what the edit added.
        let (mut added, mut removed) = (0, 0);
        for shift in self.shifts.iter().filter(|shift| shift.line == line) {
            let start = shift.column + added - removed;
            if column < start {
                break;
            }
            if column < start + shift.inserted {
                return (line, shift.column);
            }
            added += shift.inserted;
            removed += shift.removed;
        }
        (line, column + removed - added)
    }

    fn unmapped(&self, line: u32, column: Option<u32>) -> (u32, u32) {
        let wanted = (line.saturating_sub(1), column.map_or(0, |c| c.saturating_sub(1)));
        let after = self.map.partition_point(|token| token.generated <= wanted);
        // A line whose first token stands further right than the position belongs to that token.
        let on_line = |token: &&Token| token.generated.0 == wanted.0;
        let nearest = after
            .checked_sub(1)
            .map(|i| &self.map[i])
            .filter(on_line)
            .or_else(|| self.map.get(after).filter(on_line))
            .or_else(|| self.map.get(after.saturating_sub(1)));
        nearest.map_or((line, column.unwrap_or(1)), |token| (token.source.0 + 1, token.source.1 + 1))
    }
}

/// `LINE:COLUMN` at the start of a text, and the rest.
fn position(text: &str) -> Option<(u32, u32, &str)> {
    let (line, rest) = number(text)?;
    let (column, rest) = number(rest.strip_prefix(':')?)?;
    Some((line, column, rest))
}

fn number(text: &str) -> Option<(u32, &str)> {
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    Some((text[..end].parse().ok()?, &text[end..]))
}

/// The text with its edits, which are in order and do not overlap.
pub(super) fn apply(code: &str, edits: &[Edit]) -> String {
    let mut out = String::with_capacity(code.len() + 128);
    let mut from = 0;
    for edit in edits {
        out.push_str(&code[from..edit.start]);
        out.push_str(edit.text);
        from = edit.end;
    }
    out.push_str(&code[from..]);
    out
}

fn shifts(code: &str, edits: &[Edit]) -> Vec<Shift> {
    let count = |text: &str| u32::try_from(text.chars().count()).unwrap_or(u32::MAX);
    edits
        .iter()
        .filter(|edit| !edit.text.starts_with('\n'))
        .map(|edit| {
            let (line, column, _) = locate(code, edit.start);
            Shift { line, column, inserted: count(edit.text), removed: count(&code[edit.start..edit.end]) }
        })
        .collect()
}

/// The line and column of an offset, counted from 1, and the line's text, shortened.
pub(super) fn locate(code: &str, offset: usize) -> (u32, u32, String) {
    let offset = code.floor_char_boundary(offset);
    let before = &code[..offset];
    let start = before.rfind('\n').map_or(0, |i| i + 1);
    let line = before.matches('\n').count() + 1;
    let column = before[start..].chars().count() + 1;
    let text: String = code[start..].lines().next().unwrap_or_default().trim().chars().take(QUOTED_CHARS).collect();
    (u32::try_from(line).unwrap_or(u32::MAX), u32::try_from(column).unwrap_or(u32::MAX), text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn edits_move_columns_back_on_their_own_line_only() {
        let code = "a()\nb(x)";
        let edits = vec![Edit::insert(4, "export default ("), Edit::insert(8, ");")];
        assert_eq!(apply(code, &edits), "a()\nexport default (b(x));");
        let lines = Lines::edited("p.js", code, &edits);
        assert_eq!(lines.text("    at f (p.js:2:19)\n    at p.js:1:2"), "    at f (p.js:2:3)\n    at p.js:1:2");
        assert_eq!(lines.text("p.js: no position"), "p.js: no position");
    }

    #[test]
    fn a_replacement_moves_columns_by_the_difference() {
        let code = "return f(1)";
        let edits = vec![Edit { start: 0, end: 6, text: "export default (" }, Edit::insert(11, ");")];
        assert_eq!(apply(code, &edits), "export default ( f(1));");
        let lines = Lines::edited("p.js", code, &edits);
        assert_eq!(lines.text("p.js:1:18"), "p.js:1:8");
    }
}
