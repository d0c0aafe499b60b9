//! What a query's words are worth to each tool.
//!
//! A word that no tool holds is taken for the start of one (`repo`), else for a misspelt one (`serach`), at a discount.

use crate::index::{Index, Posting};
use crate::words::Words;

/// Most words of a query that count.
const WORDS_MAX: usize = 32;
/// What a guessed word is worth against one that was given.
const GUESSED: f32 = 0.5;
/// Shortest word that is guessed about.
const GUESSED_CHARS_MIN: usize = 3;
/// What a tool keeps of its score for each share of the query's words that it does not hold.
const COVERAGE: f32 = 0.5;

/// The words of a query, each once.
pub(crate) struct Query(Vec<String>);

/// Where a word occurs: the server's place, its postings, what they are worth.
type Occurrences<'a> = Vec<(usize, &'a [Posting], f32)>;

impl Query {
    pub(crate) fn new(text: &str) -> Self {
        let mut words: Vec<String> = Vec::new();
        Words::new().of_prose(text, |word| {
            if words.len() < WORDS_MAX && !words.iter().any(|known| known == word) {
                words.push(word.to_owned());
            }
        });
        Self(words)
    }

    /// The score of every tool of every index, in order.
    pub(crate) fn scores(&self, indices: &[(&Index, usize)]) -> Vec<f32> {
        let mut starts = Vec::with_capacity(indices.len());
        let mut count = 0;
        for (_, tools) in indices {
            starts.push(count);
            count += tools;
        }
        let mut scores = vec![0.0_f32; count];
        let mut held = vec![0_u8; count];
        for word in &self.0 {
            let found = occurrences(word, indices);
            let with_word: usize = found.iter().map(|(_, postings, _)| postings.len()).sum();
            let rarity = rarity(count, with_word);
            for (index, postings, worth) in found {
                for posting in postings {
                    let at = starts[index] + posting.tool as usize;
                    scores[at] += rarity * posting.weight * worth;
                    held[at] = held[at].saturating_add(1);
                }
            }
        }
        let words = self.0.len().max(1) as f32;
        for (score, held) in scores.iter_mut().zip(held) {
            *score *= COVERAGE + (1.0 - COVERAGE) * f32::from(held) / words;
        }
        scores
    }
}

/// The inverse document frequency of BM25, never negative.
fn rarity(tools: usize, with_word: usize) -> f32 {
    let (tools, with_word) = (tools as f32, (with_word as f32).min(tools as f32));
    (1.0 + (tools - with_word + 0.5) / (with_word + 0.5)).ln()
}

fn occurrences<'a>(word: &'a str, indices: &[(&'a Index, usize)]) -> Occurrences<'a> {
    let exact = |worth: f32| {
        let found = indices.iter().enumerate().map(move |(at, (index, _))| (at, index.exactly(word), worth));
        found.filter(|(_, postings, _)| !postings.is_empty()).collect::<Vec<_>>()
    };
    let found = exact(1.0);
    if !found.is_empty() || word.chars().count() < GUESSED_CHARS_MIN {
        return found;
    }
    let begun = matching(indices, word, |_| true);
    if !begun.is_empty() {
        return begun;
    }
    // A slip seldom hits the first letter.
    let first = &word[..word.chars().next().map_or(0, char::len_utf8)];
    let slips = 1 + usize::from(word.chars().count() >= 8);
    matching(indices, first, |known| {
        known.len().abs_diff(word.len()) <= slips && strsim::osa_distance(word, known) <= slips
    })
}

/// The words with this beginning that `fits` accepts.
fn matching<'a>(indices: &[(&'a Index, usize)], prefix: &'a str, fits: impl Fn(&str) -> bool) -> Occurrences<'a> {
    let mut found = Vec::new();
    for (at, (index, _)) in indices.iter().enumerate() {
        let words = index.beginning(prefix).filter(|(known, _)| fits(known));
        found.extend(words.map(|(_, postings)| (at, postings, GUESSED)));
    }
    found
}
