//! The keys of a configuration file with their places, and what stands at the cursor, from a text that need not parse:
//! people are typing it.
//!
//! Reads words, not a grammar: a missing comma, value or bracket costs nothing but itself. Left out: TOML tables written
//! on one line (`servers = { … }`), whose keys it does not see.

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
    if format == Format::Json { Json::new(text, at).scan() } else { toml(text, at) }
}

/// One open bracket.
struct Frame {
    list: bool,
    key: Option<String>,
    /// What comes next is a value.
    valued: bool,
}

struct Json<'a> {
    text: &'a str,
    at: usize,
    frames: Vec<Frame>,
    keys: Vec<Key>,
    cursor: Option<Cursor>,
}

impl<'a> Json<'a> {
    fn new(text: &'a str, at: usize) -> Self {
        Self { text, at, frames: Vec::new(), keys: Vec::new(), cursor: None }
    }

    fn scan(mut self) -> (Vec<Key>, Option<Cursor>) {
        let (bytes, mut here) = (self.text.as_bytes(), 0);
        while here < bytes.len() {
            // Between two words, the cursor stands where the next one would be written.
            if here == self.at {
                self.stand(here..here);
            }
            let end = match bytes[here] {
                b'{' | b'[' => {
                    self.frames.push(Frame { list: bytes[here] == b'[', key: None, valued: bytes[here] == b'[' });
                    here + 1
                }
                b'}' | b']' => {
                    self.frames.pop();
                    self.after_value();
                    here + 1
                }
                b':' => {
                    self.set_valued(true);
                    here + 1
                }
                b',' => {
                    self.after_value();
                    here + 1
                }
                b'/' if matches!(bytes.get(here + 1), Some(b'/' | b'*')) => comment_end(bytes, here),
                b'"' => self.word(here, string_end(bytes, here), true),
                byte if byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.') => {
                    let length = bytes[here..].iter().take_while(|b| b.is_ascii_alphanumeric() || b"_-.+".contains(b));
                    self.word(here, here + length.count(), false)
                }
                _ => here + 1,
            };
            here = end;
        }
        if self.at == bytes.len() && self.cursor.is_none() {
            self.stand(self.at..self.at);
        }
        (self.keys, self.cursor)
    }

    fn word(&mut self, start: usize, end: usize, quoted: bool) -> usize {
        let closed = quoted && end > start + 1 && self.text.as_bytes()[end - 1] == b'"';
        if self.at > start && if closed { self.at < end } else { self.at <= end } {
            self.cursor = None;
            self.stand(start..end);
        }
        let Some(frame) = self.frames.last_mut() else { return end };
        if frame.list || frame.valued {
            self.after_value();
            return end;
        }
        let spelled = &self.text[start..end];
        let name = serde_json::from_str(spelled).unwrap_or_else(|_| spelled.trim_matches('"').to_owned());
        frame.key = Some(name);
        let path = self.path();
        self.keys.push(Key { path, range: start..end });
        end
    }

    /// The first place wins: between words, the offset is at the end of one and before the next.
    fn stand(&mut self, word: Range<usize>) {
        let Some(frame) = self.frames.last() else { return };
        if self.cursor.is_some() || frame.list {
            return;
        }
        let part = if frame.valued { Part::Value } else { Part::Key };
        let mut path = self.path();
        if part == Part::Key && frame.key.is_some() {
            path.pop();
        }
        self.cursor = Some(Cursor { path, part, word });
    }

    /// Also where the comma is missing: what follows a value is a key.
    fn after_value(&mut self) {
        self.set_valued(false);
        if let Some(frame) = self.frames.last_mut() {
            frame.key = None;
        }
    }

    fn set_valued(&mut self, valued: bool) {
        if let Some(frame) = self.frames.last_mut() {
            frame.valued = valued || frame.list;
        }
    }

    fn path(&self) -> Vec<String> {
        let name = |frame: &Frame| if frame.list { Some("[]".to_owned()) } else { frame.key.clone() };
        self.frames.iter().filter_map(name).collect()
    }
}

/// Where a string ends, or the line where it is not closed.
fn string_end(bytes: &[u8], start: usize) -> usize {
    let mut escaped = false;
    for (n, byte) in bytes.iter().enumerate().skip(start + 1) {
        match byte {
            b'\n' | b'\r' => return n,
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'"' => return n + 1,
            _ => {}
        }
    }
    bytes.len()
}

fn comment_end(bytes: &[u8], start: usize) -> usize {
    let rest = &bytes[start..];
    let length = if rest[1] == b'/' {
        rest.iter().position(|&byte| byte == b'\n')
    } else {
        rest.windows(2).skip(2).position(|two| two == b"*/").map(|n| n + 4)
    };
    length.map_or(bytes.len(), |length| start + length)
}

fn toml(text: &str, at: usize) -> (Vec<Key>, Option<Cursor>) {
    let (mut keys, mut cursor, mut table): (Vec<Key>, _, Vec<String>) = (Vec::new(), None, Vec::new());
    let (mut start, mut depth, mut quote) = (0, 0_usize, None);
    for line in text.split_inclusive('\n') {
        let body = line.trim_end_matches(['\n', '\r']);
        let indent = body.len() - body.trim_start().len();
        let here = (start..=start + body.len()).contains(&at).then(|| at - start);
        let within = depth > 0 || quote.is_some();
        if within {
            balance(body, &mut depth, &mut quote);
        } else if body[indent..].starts_with('[') {
            let brackets = body[indent..].bytes().take_while(|&byte| byte == b'[').count();
            let names = dotted(body, indent + brackets, "]");
            table = names.iter().map(|(name, _)| name.clone()).collect();
            if brackets > 1 {
                table.push("[]".to_owned());
            }
            if let Some((_, range)) = names.last() {
                keys.push(Key { path: table.clone(), range: start + range.start..start + range.end });
            }
            if here.is_some_and(|column| column >= indent + brackets) {
                let end = body[indent..].find(']').map_or(body.len(), |n| indent + n);
                let word = start + indent + brackets..start + end;
                cursor = Some(Cursor { path: Vec::new(), part: Part::Section, word });
            }
        } else {
            let names = dotted(body, indent, "=");
            let equals = body.find('=').filter(|_| !body[indent..].starts_with('#'));
            let path: Vec<String> = table.iter().cloned().chain(names.iter().map(|(name, _)| name.clone())).collect();
            if let (Some((_, range)), Some(_)) = (names.last(), equals) {
                keys.push(Key { path: path.clone(), range: start + range.start..start + range.end });
            }
            let comment = body.find('#').unwrap_or(usize::MAX);
            match (here, equals) {
                (Some(column), _) if column > comment => {}
                (Some(column), Some(equals)) if column > equals => {
                    let value = &body[equals + 1..];
                    let value_start = equals + 1 + (value.len() - value.trim_start().len());
                    let word = start + value_start.min(column)..start + body.trim_end().len().max(column);
                    cursor = Some(Cursor { path, part: Part::Value, word });
                }
                (Some(column), _) if names.len() <= 1 => {
                    let end = names.last().map_or(column, |(_, range)| range.end.max(column));
                    let word = start + indent.min(column)..start + end;
                    cursor = Some(Cursor { path: table.clone(), part: Part::Key, word });
                }
                _ => {}
            }
            if let Some(equals) = equals {
                balance(&body[equals + 1..], &mut depth, &mut quote);
            }
        }
        start += line.len();
    }
    if cursor.is_none() && at == text.len() && (text.is_empty() || text.ends_with('\n')) && depth == 0 {
        cursor = Some(Cursor { path: table, part: Part::Key, word: at..at });
    }
    (keys, cursor)
}

/// The names of a dotted key from `from` up to `stop`, with their places in the line.
fn dotted(line: &str, from: usize, stop: &str) -> Vec<(String, Range<usize>)> {
    let (mut names, mut here) = (Vec::new(), from);
    loop {
        here += line[here..].len() - line[here..].trim_start().len();
        let rest = &line[here..];
        let length = match rest.chars().next() {
            Some(quote @ ('"' | '\'')) => rest[1..].find(quote).map_or(rest.len(), |n| n + 2),
            Some(c) if c.is_alphanumeric() || "_-".contains(c) => {
                rest.find(|c: char| !c.is_alphanumeric() && !"_-".contains(c)).unwrap_or(rest.len())
            }
            _ => return names,
        };
        names.push((rest[..length].trim_matches(['"', '\'']).to_owned(), here..here + length));
        here += length;
        let gap = line[here..].trim_start();
        if !gap.starts_with('.') || gap.starts_with(stop) {
            return names;
        }
        here = line.len() - gap.len() + 1;
    }
}

/// Follows brackets and long strings over the lines of a value.
fn balance(value: &str, depth: &mut usize, quote: &mut Option<&'static str>) {
    let mut rest = value;
    while !rest.is_empty() {
        if let Some(open) = *quote {
            let Some(end) = rest.find(open) else { return };
            rest = &rest[end + 3..];
            *quote = None;
            continue;
        }
        let skip = match rest.as_bytes()[0] {
            b'#' => return,
            _ if rest.starts_with("\"\"\"") => {
                *quote = Some("\"\"\"");
                3
            }
            _ if rest.starts_with("'''") => {
                *quote = Some("'''");
                3
            }
            b'"' => string_end(rest.as_bytes(), 0),
            b'\'' => rest[1..].find('\'').map_or(rest.len(), |n| n + 2),
            b'[' | b'{' => {
                *depth += 1;
                1
            }
            b']' | b'}' => {
                *depth = depth.saturating_sub(1);
                1
            }
            _ => rest.chars().next().map_or(1, char::len_utf8),
        };
        rest = &rest[skip..];
    }
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
