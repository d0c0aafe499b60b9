//! The pieces of a text that `o200k_base` encodes each by itself, found without its regular expression, and a memory of how
//! many tokens each is. Most of a tokenizer's time goes into that expression; words and punctuation repeat.
//!
//! [`piece`] is the expression for text in ASCII, written out. Where a piece could reach something that is not, it gives
//! nothing, and the text up to the next place where a piece must end (`split.rs`) is left to the tokenizer itself, as is
//! every piece that is not remembered. So each count is the tokenizer's own, and the sum is that of the whole: a piece
//! alone is split like a piece in its text, for no alternative of the expression looks beyond what it takes, except the one
//! for blanks, which takes a run of them as a whole where nothing follows. A test holds the sums against whole counts.

use crate::split::is_boundary;

/// Slots of the memory, a power of two, and the longest piece that one holds.
const SLOTS: usize = 1 << 15;
const KEY_BYTES: usize = 27;
/// Pieces that were not remembered, beyond those that were, from which on the rest of a text is left to the tokenizer.
const STRANGE: usize = 512;

/// A remembered piece: its bytes with zeros behind, its length, its tokens.
#[derive(Clone, Copy)]
struct Slot {
    key: [u8; KEY_BYTES],
    length: u8,
    tokens: u32,
}

/// Counts of pieces, each at the one place where it can be; newer ones replace older ones. About a mebibyte.
pub(crate) struct Pieces(Box<[Slot]>);

impl std::fmt::Debug for Pieces {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Pieces").finish_non_exhaustive()
    }
}

impl Default for Pieces {
    fn default() -> Self {
        Self(vec![Slot { key: [0; KEY_BYTES], length: 0, tokens: 0 }; SLOTS].into_boxed_slice())
    }
}

impl Pieces {
    /// The tokens of a text, where `count` counts some of it.
    pub(crate) fn count(&mut self, text: &str, count: impl Fn(&str) -> usize) -> usize {
        let (mut at, mut tokens, mut strange) = (0, 0, 0_usize);
        while at < text.len() {
            if strange > STRANGE {
                return tokens + count(&text[at..]);
            }
            let end = piece(text.as_bytes(), at).unwrap_or_else(|| boundary(text, at));
            let part = &text[at..end];
            at = end;
            let Some(slot) = Slot::of(part.as_bytes()) else {
                tokens += count(part);
                strange += 1;
                continue;
            };
            let known = &mut self.0[slot.place()];
            if known.length != slot.length || known.key != slot.key {
                let tokens = u32::try_from(count(part)).expect("a piece has few bytes");
                *known = Slot { tokens, ..slot };
                strange += 1;
            } else {
                strange = strange.saturating_sub(1);
            }
            tokens += known.tokens as usize;
        }
        tokens
    }
}

impl Slot {
    /// Of a piece that is short enough.
    fn of(piece: &[u8]) -> Option<Self> {
        let mut key = [0; KEY_BYTES];
        key.get_mut(..piece.len())?.copy_from_slice(piece);
        Some(Self { key, length: u8::try_from(piece.len()).ok()?, tokens: 0 })
    }

    #[expect(clippy::cast_possible_truncation, reason = "the upper bits are taken, of which there are a few")]
    fn place(&self) -> usize {
        const FACTOR: u64 = 0x9e37_79b9_7f4a_7c15;
        let word = |at: usize| u64::from_le_bytes(self.key[at..at + 8].try_into().expect("eight bytes"));
        let mixed = [word(0), word(8), word(16), word(KEY_BYTES - 8)]
            .into_iter()
            .fold(u64::from(self.length), |mixed, word| (mixed.rotate_left(23) ^ word).wrapping_mul(FACTOR));
        (mixed >> (u64::BITS - SLOTS.trailing_zeros())) as usize
    }
}

/// The first place behind `at` where a piece must end.
fn boundary(text: &str, at: usize) -> usize {
    let mut chars = text[at..].char_indices();
    let mut left = chars.next().map_or('\0', |(_, first)| first);
    for (offset, right) in chars {
        if is_boundary(left, right) {
            return at + offset;
        }
        left = right;
    }
    text.len()
}

/// What an ASCII character is to the expression.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Upper,
    Lower,
    Digit,
    /// Space, tab, vertical tab, form feed.
    Blank,
    /// Carriage return, line feed.
    Line,
    Other,
    /// Not ASCII: anything.
    Foreign,
    /// Behind the last character.
    End,
}

fn kind(text: &[u8], at: usize) -> Kind {
    match text.get(at) {
        None => Kind::End,
        Some(b'a'..=b'z') => Kind::Lower,
        Some(b'A'..=b'Z') => Kind::Upper,
        Some(b'0'..=b'9') => Kind::Digit,
        Some(b' ' | b'\t' | 0x0b | 0x0c) => Kind::Blank,
        Some(b'\r' | b'\n') => Kind::Line,
        Some(0x80..) => Kind::Foreign,
        Some(_) => Kind::Other,
    }
}

/// The first place from `at` on whose kind is another.
fn skip(text: &[u8], mut at: usize, is: impl Fn(Kind) -> bool) -> usize {
    while is(kind(text, at)) {
        at += 1;
    }
    at
}

/// Where the piece that begins at `at` ends; `None` where that rests on something that is not ASCII. The alternatives stand
/// in the expression's order.
fn piece(text: &[u8], at: usize) -> Option<usize> {
    let (first, second) = (kind(text, at), kind(text, at + 1));
    // [^\r\n\p{L}\p{N}]? then upper and lower case letters, one at least, then a contraction.
    let is_letter = |kind| matches!(kind, Kind::Upper | Kind::Lower);
    if is_letter(first) {
        return word(text, at);
    }
    if matches!(first, Kind::Blank | Kind::Other) {
        match second {
            Kind::Foreign => return None,
            second if is_letter(second) => return word(text, at + 1),
            _ => {}
        }
    }
    match first {
        // \p{N}{1,3}
        Kind::Digit => {
            let end = (at + 1..at + 3).find(|&next| kind(text, next) != Kind::Digit).unwrap_or(at + 3);
            (end == at + 3 || kind(text, end) != Kind::Foreign).then_some(end)
        }
        //  ?[^\s\p{L}\p{N}]+[\r\n/]*
        Kind::Other => punctuation(text, at),
        Kind::Blank if text[at] == b' ' && second == Kind::Other => punctuation(text, at + 1),
        Kind::Blank | Kind::Line => blanks(text, at),
        Kind::Upper | Kind::Lower | Kind::Foreign | Kind::End => None,
    }
}

/// A word whose letters begin at `at`.
fn word(text: &[u8], at: usize) -> Option<usize> {
    let end = skip(text, at, |kind| kind == Kind::Upper);
    let end = skip(text, end, |kind| kind == Kind::Lower);
    match kind(text, end) {
        Kind::Foreign => None,
        Kind::Other if text[end] == b'\'' => contraction(text, end),
        _ => Some(end),
    }
}

/// (?i:'s|'t|'re|'ve|'m|'ll|'d)? from an apostrophe on. A long s is an s, and not ASCII.
fn contraction(text: &[u8], at: usize) -> Option<usize> {
    let lower = |at: usize| text.get(at).map(u8::to_ascii_lowercase);
    match (lower(at + 1), lower(at + 2)) {
        (Some(0x80..), _) => None,
        (Some(b's' | b't' | b'm' | b'd'), _) => Some(at + 2),
        (Some(b'r' | b'v'), Some(b'e')) | (Some(b'l'), Some(b'l')) => Some(at + 3),
        _ => Some(at),
    }
}

/// What is neither blank nor letter nor digit, from `at` on, then ends of lines and slashes.
fn punctuation(text: &[u8], at: usize) -> Option<usize> {
    let end = skip(text, at, |kind| kind == Kind::Other);
    if kind(text, end) == Kind::Foreign {
        return None;
    }
    let rest = text[end..].iter().take_while(|byte| matches!(byte, b'\r' | b'\n' | b'/')).count();
    Some(end + rest)
}

/// \s*[\r\n]+, then \s+(?!\S), then \s+.
fn blanks(text: &[u8], at: usize) -> Option<usize> {
    let end = skip(text, at, |kind| matches!(kind, Kind::Blank | Kind::Line));
    let after = kind(text, end);
    if after == Kind::Foreign {
        return None;
    }
    if let Some(line) = text[at..end].iter().rposition(|byte| matches!(byte, b'\r' | b'\n')) {
        return Some(at + line + 1);
    }
    Some(if after == Kind::End || end == at + 1 { end } else { end - 1 })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The pieces of a text in ASCII.
    fn pieces(text: &str) -> Vec<&str> {
        let (mut all, mut at) = (Vec::new(), 0);
        while at < text.len() {
            let end = piece(text.as_bytes(), at).expect("ASCII");
            all.push(&text[at..end]);
            at = end;
        }
        all
    }

    #[test]
    fn pieces_are_those_of_the_expression() {
        for (text, expected) in [
            ("It's what THEY'LL say", vec!["It's", " what", " THEY'LL", " say"]),
            ("fooBar HTMLParser x", vec!["foo", "Bar", " HTMLParser", " x"]),
            ("12345.6", vec!["123", "45", ".", "6"]),
            ("{\"a\": [1]}\n", vec!["{\"", "a", "\":", " [", "1", "]}\n"]),
            ("  \n  x   y ", vec!["  \n", " ", " x", "  ", " y", " "]),
            ("http://a/b//\n/c", vec!["http", "://", "a", "/b", "//\n/", "c"]),
            ("don'x 'tis 'RE", vec!["don", "'x", " '", "tis", " '", "RE"]),
            ("\tif  5", vec!["\tif", " ", " ", "5"]),
        ] {
            assert_eq!(pieces(text), expected, "{text:?}");
        }
    }

    #[test]
    fn what_reaches_something_foreign_is_left_to_the_tokenizer() {
        for text in ["naïve", " é", "a'ſ", "1٣", "-界", "  \u{a0}", "\n\u{2028}"] {
            assert_eq!(piece(text.as_bytes(), 0), None, "{text:?}");
        }
        assert_eq!(boundary("naïve text", 0), "naïve".len());
        assert_eq!(boundary("界", 0), "界".len());
    }

    #[test]
    fn a_piece_is_counted_once_and_a_text_of_strange_ones_is_left_alone() {
        let mut pieces = Pieces::default();
        let asked = std::cell::RefCell::new(Vec::new());
        let count = |part: &str| {
            asked.borrow_mut().push(part.len());
            part.len()
        };
        assert_eq!(pieces.count(&"word ".repeat(1_000), count), 5_000);
        assert_eq!(*asked.borrow(), [4, 5, 1]);
        asked.borrow_mut().clear();
        let strange: String = (0..2_000).map(|n| format!("{}x", "ab".repeat(20 + n % 7))).collect::<Vec<_>>().join(",");
        assert_eq!(pieces.count(&strange, count), strange.len());
        assert_eq!(asked.borrow().len(), STRANGE + 2);
    }
}
