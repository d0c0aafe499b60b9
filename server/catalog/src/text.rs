//! Untrusted text made fit to be read: names and descriptions come from servers and end in front of a model.
//!
//! Invariant: nothing that leaves this module holds a line break, a control character, or a character that is invisible or
//! changes the order of others. Prose loses them; quoted text keeps them as escapes, so that it stays exact.
//! Left out: judging what the text *says*. A description that gives orders is still a description.

/// Whether a reader could not see `c`, or would see something else than what is there.
fn is_deceptive(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{3164}' | '\u{ffa0}'
            | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
            | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{fff0}'..='\u{fffb}' | '\u{e0000}'..='\u{e0fff}')
}

/// `text` on one line of at most `chars_max` characters, cut at a word where it is cut.
pub(crate) fn one_line(text: &str, chars_max: usize) -> String {
    let mut out = String::with_capacity(text.len().min(chars_max * 4));
    let mut count = 0;
    for word in text.split(|c: char| c.is_whitespace()) {
        let start = out.len();
        let gap = usize::from(!out.is_empty());
        let mut length = 0;
        for c in word.chars().filter(|c| !is_deceptive(*c)) {
            if length == 0 && gap == 1 {
                out.push(' ');
            }
            out.push(c);
            length += 1;
            if count + gap + length >= chars_max {
                return cut(out, start);
            }
        }
        if length > 0 {
            count += gap + length;
        }
    }
    out
}

/// Ends a text that is too long: at the word that began at `word_start`, or inside it where it is the first.
fn cut(mut text: String, word_start: usize) -> String {
    if word_start > 0 {
        text.truncate(word_start);
    } else {
        text.pop();
    }
    text.push('…');
    text
}

/// The first sentence of `text`, on one line of at most `chars_max` characters.
pub(crate) fn first_sentence(text: &str, chars_max: usize) -> String {
    let text = text.trim_start();
    let paragraph = text.find("\n\n").map_or(text, |end| &text[..end]);
    let line = one_line(paragraph, chars_max);
    let end = line.match_indices(". ").map(|(at, _)| at + 1).find(|at| !is_abbreviation(&line[..*at]));
    end.map_or(line.clone(), |at| line[..at].to_owned())
}

/// Whether a dot at the end of `text` does not end its sentence.
fn is_abbreviation(text: &str) -> bool {
    ["e.g.", "i.e.", "etc.", "vs.", "approx.", "incl."].iter().any(|a| text.ends_with(a))
}

/// `text` as a string literal that is right in JSON, Python and TypeScript alike. What cannot be seen is escaped.
pub(crate) fn quoted(text: &str) -> String {
    use std::fmt::Write as _;
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if is_deceptive(c) => {
                for unit in c.encode_utf16(&mut [0; 2]) {
                    write!(out, "\\u{unit:04x}").expect("a String takes every write");
                }
            }
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

/// A line of prose that can stand inside a Python docstring.
pub(crate) fn in_docstring(line: &str) -> String {
    let mut out = line.replace('\\', "\\\\").replace("\"\"\"", "'''");
    if out.ends_with('"') {
        out.pop();
        out.push('\'');
    }
    out
}

/// A line of prose that can stand inside a `/* … */` comment. Escaped as everybody does it, so that a glob like `**\/*.md`
/// is still read as one; a look-alike of the slash would be copied into programs.
pub(crate) fn in_comment(line: &str) -> String {
    line.replace("*/", r"*\/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prose_becomes_one_visible_line() {
        assert_eq!(one_line("  a\n\tb \u{202e}c\u{200b}d\u{7}  ", 80), "a b cd");
        assert_eq!(one_line("tag\u{e0041}\u{e0042}ged \u{fe0f}", 80), "tagged");
        assert_eq!(one_line("", 80), "");
    }

    #[test]
    fn long_prose_is_cut_at_a_word() {
        assert_eq!(one_line("alpha beta gamma", 12), "alpha beta…");
        assert_eq!(one_line(&"x".repeat(500), 10), format!("{}…", "x".repeat(9)));
        assert!(one_line(&"word ".repeat(500), 120).chars().count() <= 120);
    }

    #[test]
    fn a_sentence_ends_at_its_dot_and_not_at_an_abbreviation() {
        assert_eq!(first_sentence("\n Reads files, e.g. text. Then more.", 120), "Reads files, e.g. text.");
        assert_eq!(first_sentence("Fetch a page\n\n## Usage\nlong", 120), "Fetch a page");
    }

    #[test]
    fn quoted_text_stays_exact() {
        let hostile = "a\"b\\c\n\u{202e}\u{e0041}\u{0}é";
        let quoted = quoted(hostile);
        assert_eq!(serde_json::from_str::<String>(&quoted).expect("JSON"), hostile);
        assert!(!quoted.chars().any(is_deceptive));
    }

    #[test]
    fn prose_cannot_end_what_it_stands_in() {
        assert!(!in_docstring("x \"\"\" y").contains("\"\"\""));
        assert!(!in_docstring("say \"hi\"").ends_with('"'));
        assert!(in_docstring("end\\").ends_with("\\\\"));
        assert!(!in_comment("x */ y /*/").contains("*/"));
    }
}
