//! Counts tokens in one of two encodings, whatever the text.
//!
//! The vocabulary is loaded by the first count, not before. Every chunk is counted by itself and a panic in one costs
//! only that chunk's exactness. Counts are remembered by content hash, and those of words by themselves (`pieces.rs`),
//! boundedly. `o200k_base` is exact for gpt-4o and later
//! models of its maker and stands in for those with no public tokenizer, which count up to 47 % more.

use crate::pieces::Pieces;
use crate::split::chunks;
use hashlink::LruCache;
use serde::{Deserialize, Serialize};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Instant;

/// What tokens are counted in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Encoding {
    /// `OpenAI`'s since gpt-4o; what models without a public tokenizer are counted in too.
    #[default]
    #[serde(rename = "o200k_base")]
    O200k,
    /// `OpenAI`'s of gpt-4 and gpt-3.5.
    #[serde(rename = "cl100k_base")]
    Cl100k,
}

impl Encoding {
    /// Its name, as the tokenizer's maker has it.
    pub fn name(self) -> &'static str {
        match self {
            Self::O200k => "o200k_base",
            Self::Cl100k => "cl100k_base",
        }
    }

    /// The encoding of a name; `None` for one that is not counted in.
    pub fn named(name: &str) -> Option<Self> {
        [Self::O200k, Self::Cl100k].into_iter().find(|encoding| encoding.name() == name)
    }

    /// The encoding of a model: its own where it is known, else `o200k_base`.
    pub fn of_model(model: Option<&str>) -> Self {
        let model = model.unwrap_or_default();
        let older = ["gpt-4-", "gpt-3.5", "text-embedding-"].iter().any(|prefix| model.starts_with(prefix));
        if older || model == "gpt-4" { Self::Cl100k } else { Self::O200k }
    }
}
/// Longest text given to the tokenizer at once.
const CHUNK_BYTES: usize = 64 << 10;
/// Longest text counted whole; a longer one is sampled.
pub(crate) const WHOLE_BYTES: usize = 8 << 20;
/// Windows of [`CHUNK_BYTES`] taken from a longer text, evenly spread.
const SAMPLE_WINDOWS: usize = 16;
/// Counts remembered in memory, about 100 bytes each.
const REMEMBERED: usize = 8_192;
/// What a token is taken to be where a text could not be counted. English and JSON have 3.5 to 4.5.
const ESTIMATED_BYTES_PER_TOKEN: u64 = 4;

/// How many tokens a text is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Count {
    pub(crate) tokens: u64,
    /// Counted whole; otherwise an estimate.
    pub(crate) exact: bool,
}

impl Count {
    /// An estimate from the length alone.
    pub(crate) fn estimate(bytes: u64) -> Self {
        Self { tokens: bytes.div_ceil(ESTIMATED_BYTES_PER_TOKEN), exact: bytes == 0 }
    }
}

/// A tokenizer with a memory. One thread owns it.
#[derive(Debug)]
pub(crate) struct Counter {
    encoding: Encoding,
    remembered: LruCache<blake3::Hash, Count>,
    /// Made by the first count in `o200k_base`.
    pieces: Option<Pieces>,
}

impl Counter {
    pub(crate) fn new(encoding: Encoding) -> Self {
        Self { encoding, remembered: LruCache::new(REMEMBERED), pieces: None }
    }

    pub(crate) fn encoding(&self) -> Encoding {
        self.encoding
    }

    /// By what a text's count is remembered over restarts: one of its own for each encoding.
    pub(crate) fn hash(&self, text: &str) -> blake3::Hash {
        match self.encoding {
            Encoding::O200k => blake3::hash(text.as_bytes()),
            other @ Encoding::Cl100k => {
                blake3::Hasher::new().update(other.name().as_bytes()).update(text.as_bytes()).finalize()
            }
        }
    }

    /// The count of `text`, from memory where it was counted before.
    pub(crate) fn count(&mut self, text: &str) -> Count {
        if text.is_empty() {
            return Count { tokens: 0, exact: true };
        }
        let hash = blake3::hash(text.as_bytes());
        if let Some(count) = self.remembered.get(&hash) {
            return *count;
        }
        let count =
            if text.len() <= WHOLE_BYTES { self.count_whole(text, CHUNK_BYTES) } else { self.count_sample(text) };
        self.remembered.insert(hash, count);
        count
    }

    fn count_whole(&mut self, text: &str, chunk_bytes: usize) -> Count {
        let mut whole = Count { tokens: 0, exact: true };
        for chunk in chunks(text, chunk_bytes) {
            let part = self.count_chunk(chunk.text);
            whole.tokens += part.tokens;
            whole.exact &= part.exact && !chunk.forced;
        }
        whole
    }

    /// Counts evenly spread windows and takes the rest to be like them.
    fn count_sample(&mut self, text: &str) -> Count {
        let stride = text.len() / SAMPLE_WINDOWS;
        let (mut bytes, mut tokens) = (0_u128, 0_u128);
        for window in 0..SAMPLE_WINDOWS {
            let start = text.ceil_char_boundary(window * stride);
            let end = text.floor_char_boundary(start + CHUNK_BYTES);
            bytes += (end - start) as u128;
            tokens += u128::from(self.count_chunk(&text[start..end]).tokens);
        }
        let scaled = tokens * text.len() as u128 / bytes.max(1);
        Count { tokens: u64::try_from(scaled).unwrap_or(u64::MAX), exact: false }
    }

    fn count_chunk(&mut self, text: &str) -> Count {
        let encoding = self.encoding;
        // The tokenizer unwraps errors of its regular expressions. Neither it nor the memory of pieces is left half changed
        // by a panic.
        let counted = catch_unwind(AssertUnwindSafe(|| match encoding {
            Encoding::O200k => {
                let tokenizer = tokenizer(encoding);
                self.pieces.get_or_insert_default().count(text, |part| tokenizer.count_ordinary(part))
            }
            Encoding::Cl100k => tokenizer(encoding).count_ordinary(text),
        }));
        counted.map_or_else(
            |_| {
                tracing::warn!(bytes = text.len(), "the tokenizer gave up on a text; its tokens are estimated");
                Count::estimate(text.len() as u64)
            },
            |tokens| Count { tokens: tokens as u64, exact: true },
        )
    }
}

fn tokenizer(encoding: Encoding) -> &'static tiktoken_rs::CoreBPE {
    static LOADED: std::sync::Once = std::sync::Once::new();
    let started = Instant::now();
    let tokenizer = match encoding {
        Encoding::O200k => tiktoken_rs::o200k_base_singleton(),
        Encoding::Cl100k => tiktoken_rs::cl100k_base_singleton(),
    };
    LOADED.call_once(|| tracing::debug!(ms = started.elapsed().as_secs_f64() * 1e3, "loaded the tokenizer"));
    tokenizer
}

#[cfg(test)]
mod tests {
    use super::*;

    fn direct(text: &str) -> u64 {
        tokenizer(Encoding::O200k).count_ordinary(text) as u64
    }

    fn exact(tokens: u64) -> Count {
        Count { tokens, exact: true }
    }

    /// A small generator of reproducible noise.
    struct Noise(u64);

    impl Noise {
        fn next(&mut self, below: usize) -> usize {
            self.0 ^= self.0 << 13;
            self.0 ^= self.0 >> 7;
            self.0 ^= self.0 << 17;
            usize::try_from(self.0 % below as u64).expect("below a usize")
        }

        fn text(&mut self, parts: &[&str], length: usize) -> String {
            (0..length).map(|_| parts[self.next(parts.len())]).collect()
        }
    }

    #[test]
    fn known_texts_have_their_known_counts() {
        let table = [
            ("", 0),
            ("hello world", 2),
            ("\0", 1),
            ("1234567", 3),
            ("<|endoftext|>", 7),
            (r#"{"path":"/tmp/a.txt"}"#, 8),
        ];
        for (text, tokens) in table {
            assert_eq!(Counter::new(Encoding::O200k).count(text), exact(tokens), "{text:?}");
        }
    }

    #[test]
    fn chunks_add_up_to_the_whole_wherever_a_boundary_was_found() {
        let parts = [
            "a",
            "Z",
            "word",
            "HTML",
            "é",
            "ſ",
            "\u{212a}",
            "界",
            "の",
            "\u{301}",
            "ǅ",
            "1",
            "23",
            "٣",
            "½",
            " ",
            "  ",
            "\t",
            "\u{a0}",
            "\u{2028}",
            "\n",
            "\r",
            "\r\n",
            "\n\n",
            "'",
            "'s",
            "'ll",
            "'LL",
            "'t",
            "\"",
            ",",
            "{",
            "}",
            ":",
            "/",
            "//",
            "-",
            "_",
            "=",
            "\u{1f600}",
            "\u{200d}",
            "\0",
        ];
        let mut noise = Noise(0x9e37_79b9_7f4a_7c15);
        let mut counter = Counter::new(Encoding::O200k);
        let (mut compared, mut forced) = (0, 0);
        for _ in 0..20_000 {
            let length = 20 + noise.next(120);
            let text = noise.text(&parts, length);
            let whole = counter.count_whole(&text, 16 + noise.next(48));
            if whole.exact {
                assert_eq!(whole.tokens, direct(&text), "{text:?}");
                compared += 1;
            } else {
                forced += 1;
            }
        }
        assert!(compared > 10_000 && forced > 100, "both kinds must occur: {compared} exact, {forced} forced");
    }

    #[test]
    fn remembered_pieces_add_up_to_the_whole() {
        let plain = [
            "a", "Z", "word", " The", "HTML", "isn't", "'ll", "'LL", "'D", "'x", "1", "23", " ", "   ", "\t", "\n",
            "\r\n",
        ];
        let signs = ["\"", ",", "{", "}:", "/", "//", "-", "_", "\0", "\u{b}", "\u{7f}", ".", "<|", " (", "):"];
        let foreign = [
            "é",
            "ſ",
            "'ſ",
            "\u{212a}",
            "界",
            "\u{301}",
            "ǅ",
            "٣",
            "½",
            "\u{a0}",
            "\u{2028}",
            "\u{85}",
            "\u{1f600}\u{200d}",
        ];
        let (mixed, mut noise) = ([&plain[..], &signs, &foreign].concat(), Noise(0x2545_f491_4f6c_dd1d));
        let ascii = [&plain[..], &signs].concat();
        let mut counter = Counter::new(Encoding::O200k);
        for round in 0..30_000 {
            let length = 1 + noise.next(60);
            let text = noise.text(if round % 2 == 0 { &ascii } else { &mixed }, length);
            assert_eq!(counter.count_chunk(&text), exact(direct(&text)), "{text:?}");
        }
        for _ in 0..5_000 {
            let text: String =
                (0..=noise.next(40)).map(|_| char::from(u8::try_from(noise.next(128)).expect("below 128"))).collect();
            assert_eq!(counter.count_chunk(&text), exact(direct(&text)), "{text:?}");
        }
    }

    #[test]
    fn long_ordinary_texts_are_counted_exactly() {
        let line =
            r#"{"id":12345,"name":"Ünïcode, don't","tags":["a","b"],"hash":"9f86d081884c7d659a2feaa0c55ad015"},"#;
        let minified = line.repeat(4_000);
        let prose =
            "It's what they'd have said: 3,141 words, naïvely counted.\n\n  - and a list /path/to\n".repeat(4_000);
        let chinese = "計數不能改變，因為切開的地方是安全的。\n".repeat(8_000);
        for text in [minified, prose, chinese] {
            assert!(text.len() > 4 * CHUNK_BYTES);
            assert_eq!(Counter::new(Encoding::O200k).count(&text), exact(direct(&text)));
        }
    }

    #[test]
    fn runs_that_break_the_tokenizer_are_counted_to_within_a_thousandth() {
        // Whole, a million blanks make it panic; 999,000 still pass and are the measure.
        for blank in [" ", "\t"] {
            let measure = direct(&blank.repeat(999_000));
            let counted = Counter::new(Encoding::O200k).count(&blank.repeat(1_998_000));
            assert!(!counted.exact, "forced cuts must be said");
            assert!(counted.tokens.abs_diff(2 * measure) <= measure / 500, "{} against {measure}", counted.tokens);
        }
        let letters = "a".repeat(1 << 20);
        let (counted, whole) = (Counter::new(Encoding::O200k).count(&letters), direct(&letters));
        assert!(!counted.exact && counted.tokens.abs_diff(whole) <= whole / 1_000, "{} for {whole}", counted.tokens);
    }

    #[test]
    fn random_unicode_is_counted() {
        let mut noise = Noise(7);
        let text: String =
            (0..200_000).filter_map(|_| char::from_u32(u32::try_from(noise.next(0x11_0000)).ok()?)).collect();
        let (counted, whole) = (Counter::new(Encoding::O200k).count(&text), direct(&text));
        assert!(counted.tokens.abs_diff(whole) <= whole / 1_000, "{} for {whole}", counted.tokens);
    }

    #[test]
    fn a_text_too_long_to_count_is_sampled_and_said() {
        let text = "The quick brown fox jumps over the lazy dog, 123 times.\n".repeat(WHOLE_BYTES / 56 + 1);
        assert!(text.len() > WHOLE_BYTES);
        let counted = Counter::new(Encoding::O200k).count(&text);
        let line = direct("The quick brown fox jumps over the lazy dog, 123 times.\n");
        let whole = line * (WHOLE_BYTES as u64 / 56 + 1);
        assert!(!counted.exact && counted.tokens.abs_diff(whole) <= whole / 100, "{} for {whole}", counted.tokens);
    }

    #[test]
    fn memory_of_counts_is_bounded() {
        let mut counter = Counter::new(Encoding::O200k);
        for number in 0..REMEMBERED + 100 {
            counter.count(&number.to_string());
        }
        assert_eq!(counter.remembered.len(), REMEMBERED);
    }

    #[test]
    fn each_encoding_counts_by_itself_and_a_model_has_its_own() {
        let text = "Zwei Boxkämpfer jagen Eva quer über den großen Sylter Deich. 界界界";
        let count = |encoding| Counter::new(encoding).count(text);
        assert_eq!(count(Encoding::O200k), exact(direct(text)));
        let other = tiktoken_rs::cl100k_base_singleton().count_ordinary(text) as u64;
        assert_eq!(count(Encoding::Cl100k), exact(other));
        assert_ne!(other, direct(text));
        for (model, encoding) in [
            (Some("gpt-4"), Encoding::Cl100k),
            (Some("gpt-4-turbo"), Encoding::Cl100k),
            (Some("gpt-4o"), Encoding::O200k),
            (Some("gpt-4.1"), Encoding::O200k),
            (Some("claude-sonnet-5-5"), Encoding::O200k),
            (None, Encoding::O200k),
        ] {
            assert_eq!(Encoding::of_model(model), encoding, "{model:?}");
            assert_eq!(Encoding::named(encoding.name()), Some(encoding));
        }
    }
}
