//! The keys of a configuration file with their places, and what stands at the cursor, from a text that need not parse:
//! people are typing it.
//!
//! Reads words, not a grammar: a missing comma, value or bracket costs nothing but itself. Left out: TOML tables written
//! on one line (`servers = { … }`), whose keys it does not see.

mod json;
mod toml;

use crate::shapes::Format;
use std::ops::Range;

/// A key, with the ways of tables that lead to it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Key {
    /// The names of the tables around it and its own.
    pub(crate) path: Vec<String>,
    /// Its bytes, with quotes.
    pub(crate) range: Range<usize>,
}

/// What the cursor stands in.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Cursor {
    /// The names of the tables around it, and of the key whose value it stands in.
    pub(crate) path: Vec<String>,
    /// Whether a key, a value or a TOML section is being written.
    pub(crate) part: Part,
    /// The bytes of what is there already.
    pub(crate) word: Range<usize>,
}

/// What is being written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    Key,
    Value,
    Section,
}

/// The keys of a text in their order.
pub(crate) fn keys(format: Format, text: &str) -> Vec<Key> {
    scan(format, text, usize::MAX).0
}

/// The keys, and what stands at a byte offset.
pub(crate) fn scan(format: Format, text: &str, at: usize) -> (Vec<Key>, Option<Cursor>) {
    if format == Format::Json { json::Json::new(text, at).scan() } else { toml::scan(text, at) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn paths(format: Format, text: &str) -> Vec<String> {
        keys(format, text).iter().map(|key| format!("{}@{}", key.path.join("/"), &text[key.range.clone()])).collect()
    }

    /// What stands at the `|`, which is taken out.
    fn at(format: Format, marked: &str) -> Option<String> {
        let offset = marked.find('|').expect("a mark");
        let text = marked.replacen('|', "", 1);
        let cursor = scan(format, &text, offset).1?;
        Some(format!("{:?} {} <{}>", cursor.part, cursor.path.join("/"), &text[cursor.word]))
    }

    #[test]
    fn keys_of_json_are_found_whole_or_broken() {
        let whole =
            "{ // servers\n \"servers\": {\"a\\u0062\": {\"args\": [\"x\", {\"y\": 1}], \"env\": {}}, \"c\": 1} }";
        let found = paths(Format::Json, whole);
        assert_eq!(
            found,
            [
                "servers@\"servers\"",
                "servers/ab@\"a\\u0062\"",
                "servers/ab/args@\"args\"",
                "servers/ab/args/[]/y@\"y\"",
                "servers/ab/env@\"env\"",
                "servers/c@\"c\"",
            ]
        );
        for broken in [
            "{\"servers\": {\"a\": {\"command\": \"x\" \"args\": [1 2], }, \"b\": {\"comm",
            "{\"servers\": {\"a\": {\"command\": , \"args\": [}, \"b\": {",
        ] {
            assert!(paths(Format::Json, broken).iter().any(|p| p.starts_with("servers/a/args@")), "{broken}");
        }
        let unclosed = "{\"servers\": {\"a\": {\"x\": \"unclosed\n}, \"b\": {}}}";
        assert!(paths(Format::Json, unclosed).contains(&"servers/b@\"b\"".to_owned()));
    }

    #[test]
    fn the_cursor_in_json_knows_its_table() {
        for (text, expected) in [
            ("{|}", Some("Key  <>")),
            ("{\"servers\": {\"a\": {|}}}", Some("Key servers/a <>")),
            ("{\"servers\": {\"a\": {\"co|\"}}}", Some("Key servers/a <\"co\">")),
            ("{\"servers\": {\"a\": {\"co|\n\"args\": []}}}", Some("Key servers/a <\"co>")),
            ("{\"servers\": {\"a\": {\"command\": \"x\", |}}}", Some("Key servers/a <>")),
            ("{\"servers\": {\"a\": {\"type\": |}}}", Some("Value servers/a/type <>")),
            ("{\"servers\": {\"a\": {\"type\": \"ht|\"}}}", Some("Value servers/a/type <\"ht\">")),
            ("{\"servers\": {\"a\": {\"disabled\": t|}}}", Some("Value servers/a/disabled <t>")),
            ("{\"servers\": {\"a\": {\"args\": [\"|\"]}}}", None),
            ("|", None),
        ] {
            assert_eq!(at(Format::Json, text).as_deref(), expected, "{text}");
        }
    }

    #[test]
    fn keys_of_toml_are_found_whole_or_broken() {
        let text = "x = 1\n[servers.\"my notes\"]\ncommand = 'a'\nargs = [\n  \"b = c\",\n]\nenv.A = \"\"\"\n[no]\n\"\"\"\n\
                    broken =\n[limits\ncalls = 1";
        assert_eq!(
            paths(Format::Tta, text),
            [
                "x@x",
                "servers/my notes@\"my notes\"",
                "servers/my notes/command@command",
                "servers/my notes/args@args",
                "servers/my notes/env/A@A",
                "servers/my notes/broken@broken",
                "limits@limits",
                "limits/calls@calls",
            ]
        );
    }

    #[test]
    fn the_cursor_in_toml_knows_its_table() {
        for (text, expected) in [
            ("|", Some("Key  <>")),
            ("[li|]", Some("Section  <li>")),
            ("[limits]\nca|", Some("Key limits <ca>")),
            ("[limits]\n|\n", Some("Key limits <>")),
            ("[limits]\ncalls = |", Some("Value limits/calls <>")),
            ("[servers.a]\ntype = \"s|\"", Some("Value servers/a/type <\"s\">")),
            ("[servers.a]\nargs = [\n |\n]", None),
            ("[limits] \ncalls = 1 # |", None),
            ("[limits]\n# |", None),
        ] {
            assert_eq!(at(Format::Tta, text).as_deref(), expected, "{text}");
        }
    }
}
