//! Cuts a text into chunks that the tokenizer can take, at places where cutting does not change the count.
//!
//! `o200k_base` first splits a text by a regular expression and then encodes each piece by itself, so the counts of two
//! parts add up to the count of the whole wherever a piece must end between them, whatever stands further left or right.
//! [`is_boundary`] names three such places; a test holds them against whole counts. Where a chunk's length of text has
//! none (a megabyte of blanks, or of one letter) the cut is forced and said: the sum may then be off by a few tokens.
//!
//! Short chunks also bound what the tokenizer can do wrong: its expression backtracks once for each blank of a run and
//! gives up at a million, and merging one long piece takes 40 bytes of memory for each byte of it.

/// A part of a text.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Chunk<'a> {
    pub(crate) text: &'a str,
    /// Whether it ends at a cut that may change the count.
    pub(crate) forced: bool,
}

/// The parts of `text`, each at most `limit` bytes. `limit` is at least 16.
pub(crate) fn chunks(text: &str, limit: usize) -> impl Iterator<Item = Chunk<'_>> {
    debug_assert!(limit >= 16, "a chunk must hold some characters");
    let mut rest = text;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let (at, forced) = if rest.len() <= limit { (rest.len(), false) } else { cut(rest, limit) };
        let (chunk, after) = rest.split_at(at);
        rest = after;
        Some(Chunk { text: chunk, forced })
    })
}

/// Where to cut: at the last boundary in the upper half of the limit, else at the limit.
fn cut(text: &str, limit: usize) -> (usize, bool) {
    let end = text.floor_char_boundary(limit);
    let mut right = text[end..].chars().next();
    for (at, left) in text[..end].char_indices().rev() {
        let after = at + left.len_utf8();
        if after <= limit / 2 {
            break;
        }
        if right.is_some_and(|right| is_boundary(left, right)) {
            return (after, false);
        }
        right = Some(left);
    }
    (end, true)
}

/// Whether a piece ends between two characters in every text that has them side by side.
pub(crate) fn is_boundary(left: char, right: char) -> bool {
    // No piece goes from something visible on to a blank; blanks begin the next piece.
    let before_blank = !left.is_whitespace() && matches!(right, ' ' | '\t');
    // A run of line ends takes every further one, and slashes after punctuation, and nothing else.
    let after_line = matches!(left, '\n' | '\r') && !right.is_whitespace() && right != '/';
    // A word goes on with letters, marks and contractions; a number with digits. All else here is ASCII.
    let after_word = left.is_ascii_alphanumeric()
        && right.is_ascii()
        && !right.is_ascii_alphabetic()
        && right != '\''
        && !(left.is_ascii_digit() && right.is_ascii_digit());
    before_blank || after_line || after_word
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cuts(text: &str, limit: usize) -> Vec<(&str, bool)> {
        chunks(text, limit).map(|chunk| (chunk.text, chunk.forced)).collect()
    }

    #[test]
    fn chunks_end_at_the_last_boundary_within_the_limit() {
        assert_eq!(cuts("one two three four five", 16), [("one two three", false), (" four five", false)]);
        assert_eq!(cuts("alpha,beta;gamma\ndelta", 16), [("alpha,beta;gamma", false), ("\ndelta", false)]);
    }

    #[test]
    fn a_run_without_boundary_is_cut_by_force_and_said() {
        assert_eq!(cuts(&"a".repeat(40), 16).len(), 3);
        assert_eq!(cuts(&"a".repeat(40), 16)[0], ("aaaaaaaaaaaaaaaa", true));
        assert_eq!(cuts(&" ".repeat(20), 16), [("                ", true), ("    ", false)]);
        assert!(cuts(&"界".repeat(20), 16).iter().all(|(text, _)| text.len() <= 16));
    }

    #[test]
    fn nothing_is_lost_and_short_texts_stay_whole() {
        assert_eq!(cuts("", 16), []);
        assert_eq!(cuts("short", 16), [("short", false)]);
        let text = "naïve café, 1234 \u{1f600}\r\n\tend".repeat(50);
        assert_eq!(chunks(&text, 64).map(|chunk| chunk.text).collect::<String>(), text);
    }
}
