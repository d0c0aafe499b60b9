//! What a query's words are worth to each tool.
//!
//! A word also stands for its synonyms, and two neighbours for the word they make together, at a discount. A word that
//! nothing holds is taken for the start of one (`repo`), else for a misspelt one (`serach`).

use crate::index::{Index, Posting, Word, float};
use crate::thesaurus::synonyms;
use crate::words::{Words, in_neighbours, in_prose};
use std::collections::HashMap;

/// Most words of a query that count.
const WORDS_MAX: usize = 32;
/// What a synonym, and a guessed word, is worth against one that was given.
const SYNONYM: f32 = 0.5;
const GUESSED: f32 = 0.5;
/// Shortest word that is guessed about.
const GUESSED_CHARS_MIN: usize = 3;
/// What a tool keeps of its score when it holds next to none of the query's words.
const COVERAGE: f32 = 0.5;

/// The words of a query, each once, and what their neighbours make.
pub(crate) struct Query {
    words: Vec<String>,
    compounds: Vec<String>,
}

/// Some servers' indices, and their number of tools.
pub(crate) type Indices<'a> = [(&'a Index, usize)];

/// The tools of one server that hold a word.
type Occurrences<'a> = Vec<(usize, &'a [Posting])>;

impl Query {
    pub(crate) fn new(text: &str) -> Self {
        let (mut words, mut compounds) = (Vec::new(), Vec::new());
        let stems = Words::new();
        in_prose(text, |run| add(&mut words, stems.stem(run)));
        in_neighbours(text, |run| add(&mut compounds, stems.stem(run)));
        Self { words, compounds }
    }

    /// The score of every tool of every index, in order.
    pub(crate) fn scores(&self, indices: &Indices<'_>) -> Vec<f32> {
        let mut tally = Tally::new(indices);
        for word in &self.words {
            let exact = exactly(word, indices);
            if exact.is_empty() {
                tally.add(guessed(word, indices), GUESSED);
            } else {
                tally.add(exact, 1.0);
            }
            for synonym in synonyms(word) {
                tally.add(exactly(synonym, indices), SYNONYM);
            }
            tally.end_word();
        }
        for compound in &self.compounds {
            tally.add(exactly(compound, indices), 1.0);
            tally.end_word();
        }
        tally.finish(self.words.len())
    }
}

fn add(words: &mut Vec<String>, stem: Option<String>) {
    words.extend(stem.filter(|stem| words.len() < WORDS_MAX && !words.contains(stem)));
}

/// Scores being added up. Of the ways in which a tool holds one word of the query, the best counts.
struct Tally {
    /// Where each index's tools begin.
    starts: Vec<usize>,
    scores: Vec<f32>,
    /// How many words each tool holds.
    held: Vec<u8>,
    /// The current word: its worth to each tool, and which tools that is.
    word: Vec<f32>,
    touched: Vec<usize>,
}

impl Tally {
    fn new(indices: &Indices<'_>) -> Self {
        let mut count = 0;
        let mut starts = Vec::with_capacity(indices.len());
        for (_, tools) in indices {
            starts.push(count);
            count += tools;
        }
        Self { starts, scores: vec![0.0; count], held: vec![0; count], word: vec![0.0; count], touched: Vec::new() }
    }

    fn add(&mut self, occurrences: Occurrences<'_>, worth: f32) {
        let with_word = occurrences.iter().map(|(_, postings)| postings.len()).sum();
        let worth = worth * rarity(self.scores.len(), with_word);
        for (index, postings) in occurrences {
            for posting in postings {
                let at = self.starts[index] + posting.tool as usize;
                if self.word[at] == 0.0 {
                    self.touched.push(at);
                }
                self.word[at] = self.word[at].max(worth * posting.weight);
            }
        }
    }

    fn end_word(&mut self) {
        for at in self.touched.drain(..) {
            self.scores[at] += std::mem::take(&mut self.word[at]);
            self.held[at] = self.held[at].saturating_add(1);
        }
    }

    fn finish(mut self, words: usize) -> Vec<f32> {
        for (score, held) in self.scores.iter_mut().zip(self.held) {
            let share = f32::from(held) / float(words.max(1));
            *score *= COVERAGE + (1.0 - COVERAGE) * share.min(1.0);
        }
        self.scores
    }
}

/// The inverse document frequency of BM25, never negative.
fn rarity(tools: usize, with_word: usize) -> f32 {
    let (tools, with_word) = (float(tools), float(with_word.min(tools)));
    (1.0 + (tools - with_word + 0.5) / (with_word + 0.5)).ln()
}

fn exactly<'a>(word: &str, indices: &Indices<'a>) -> Occurrences<'a> {
    let word = Word::new(word);
    let found = indices.iter().enumerate().map(|(at, (index, _))| (at, index.exactly(&word)));
    found.filter(|(_, postings)| !postings.is_empty()).collect()
}

fn guessed<'a>(word: &'a str, indices: &Indices<'a>) -> Occurrences<'a> {
    let chars = word.chars().count();
    if chars < GUESSED_CHARS_MIN {
        return Vec::new();
    }
    let begun = matching(indices, word, |_| true);
    if !begun.is_empty() {
        return begun;
    }
    // A slip seldom hits the first letter. Servers share most of their words, so each is compared once.
    let first = &word[..word.chars().next().map_or(0, char::len_utf8)];
    let slips = 1 + usize::from(chars >= 8);
    let mut compared: HashMap<&str, bool> = HashMap::new();
    matching(indices, first, |known| {
        known.len().abs_diff(word.len()) <= slips
            && *compared.entry(known).or_insert_with(|| strsim::osa_distance(word, known) <= slips)
    })
}

/// The words with this beginning that `fits` accepts.
fn matching<'a>(indices: &Indices<'a>, prefix: &'a str, mut fits: impl FnMut(&'a str) -> bool) -> Occurrences<'a> {
    let mut found = Vec::new();
    for (at, (index, _)) in indices.iter().enumerate() {
        found.extend(index.beginning(prefix).filter(|(known, _)| fits(known)).map(|(_, postings)| (at, postings)));
    }
    found
}
