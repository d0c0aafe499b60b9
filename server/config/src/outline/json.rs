//! The words of JSON, with comments, whole or broken.

use super::{Cursor, Key, Part};
use std::ops::Range;

/// One open bracket.
struct Frame {
    list: bool,
    key: Option<String>,
    /// What comes next is a value.
    valued: bool,
}

pub(super) struct Json<'a> {
    text: &'a str,
    at: usize,
    frames: Vec<Frame>,
    keys: Vec<Key>,
    cursor: Option<Cursor>,
}

impl<'a> Json<'a> {
    pub(super) fn new(text: &'a str, at: usize) -> Self {
        Self { text, at, frames: Vec::new(), keys: Vec::new(), cursor: None }
    }

    pub(super) fn scan(mut self) -> (Vec<Key>, Option<Cursor>) {
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
pub(super) fn string_end(bytes: &[u8], start: usize) -> usize {
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
