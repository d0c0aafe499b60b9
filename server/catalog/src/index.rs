//! One server's tools as an inverted index: BM25 over weighted fields (BM25F).
//!
//! Invariant: everything that depends on one tool alone (field weights, length, saturation) is computed here once; only
//! the rarity of a word depends on the other servers, and is found when a query asks. So one server's change touches
//! nothing of the others.
//! Lengths are compared with fixed typical ones instead of averages, for the same reason.

use crate::types::{self, Field, Type};
use crate::words::{Words, in_name, in_prose};
use model::ToolDefinition;
use std::collections::HashMap;
use std::hash::{BuildHasherDefault, DefaultHasher, Hasher};

/// How fast repetition stops mattering (`k1` of BM25).
const SATURATION: f32 = 1.5;
/// Bytes of a description that are read, and of the words of all parameters.
const DESCRIPTION_BYTES: usize = 4_096;
const PARAMETER_BYTES: usize = 8_192;
/// Depth of parameters inside parameters that are read.
const PARAMETER_DEPTH: usize = 4;

/// A part of a tool, and how much a word in it counts.
struct Part {
    weight: f32,
    /// How much length matters, 0 to 1 (`b` of BM25).
    length_matters: f32,
    /// Words that such a part usually has.
    typical_words: f32,
}

const SERVER: Part = Part { weight: 1.5, length_matters: 0.0, typical_words: 1.0 };
const NAME: Part = Part { weight: 6.0, length_matters: 0.4, typical_words: 3.0 };
const TITLE: Part = Part { weight: 1.5, length_matters: 0.4, typical_words: 3.0 };
const SUMMARY: Part = Part { weight: 2.0, length_matters: 0.5, typical_words: 8.0 };
const DESCRIPTION: Part = Part { weight: 0.5, length_matters: 0.75, typical_words: 40.0 };
const PARAMETERS: Part = Part { weight: 0.6, length_matters: 0.5, typical_words: 6.0 };
const PARAMETER_DOCS: Part = Part { weight: 0.4, length_matters: 0.75, typical_words: 40.0 };

/// A tool in which a word occurs.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Posting {
    /// Its place in the server's list.
    pub(crate) tool: u32,
    /// How much the word says about it, rarity aside.
    pub(crate) weight: f32,
}

/// A word with its hash: a query asks hundreds of indices for the same word.
#[derive(Debug)]
pub(crate) struct Word<'a> {
    pub(crate) text: &'a str,
    hash: u64,
}

impl<'a> Word<'a> {
    pub(crate) fn new(text: &'a str) -> Self {
        let mut hasher = DefaultHasher::new();
        hasher.write(text.as_bytes());
        Self { text, hash: hasher.finish() }
    }
}

/// The hasher of keys that are hashes already.
#[derive(Default)]
struct Hashed(u64);

impl Hasher for Hashed {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write_u64(&mut self, hash: u64) {
        self.0 = hash;
    }

    fn write(&mut self, _bytes: &[u8]) {
        unreachable!("keys are u64");
    }
}

/// The index of one server.
#[derive(Debug, Default)]
pub(crate) struct Index {
    /// All words in order, one after the other: a walk through them stays in the cache.
    text: String,
    /// Where each word ends in `text`, and in `postings`.
    ends: Vec<(u32, u32)>,
    /// The place of each word by its hash. Of words with the same hash only one is found, which costs a rank, no more.
    places: HashMap<u64, u32, BuildHasherDefault<Hashed>>,
    postings: Vec<Posting>,
}

impl Index {
    /// Of tools with their summaries.
    pub(crate) fn new<'a>(server_name: &str, tools: impl Iterator<Item = (&'a ToolDefinition, &'a str)>) -> Self {
        let mut builder = Builder::default();
        for (at, (tool, summary)) in tools.enumerate() {
            builder.add(small(at), server_name, tool, summary);
        }
        builder.finish()
    }

    /// The tools that hold exactly this word.
    pub(crate) fn exactly(&self, word: &Word<'_>) -> &[Posting] {
        match self.places.get(&word.hash) {
            Some(at) if self.word_at(*at as usize) == word.text => self.postings_at(*at as usize),
            _ => &[],
        }
    }

    /// The words that begin with `prefix`, with their tools.
    pub(crate) fn beginning<'a>(&'a self, prefix: &'a str) -> impl Iterator<Item = (&'a str, &'a [Posting])> {
        let (mut start, mut end) = (0, self.ends.len());
        while start < end {
            let middle = start.midpoint(end);
            if self.word_at(middle) < prefix { start = middle + 1 } else { end = middle }
        }
        let words = (start..self.ends.len()).map(|at| (self.word_at(at), self.postings_at(at)));
        words.take_while(move |(word, _)| word.starts_with(prefix))
    }

    fn word_at(&self, at: usize) -> &str {
        let start = if at == 0 { 0 } else { self.ends[at - 1].0 };
        &self.text[start as usize..self.ends[at].0 as usize]
    }

    fn postings_at(&self, at: usize) -> &[Posting] {
        let start = if at == 0 { 0 } else { self.ends[at - 1].1 };
        &self.postings[start as usize..self.ends[at].1 as usize]
    }
}

/// An index being made.
struct Builder {
    words: Words,
    /// What each run of letters seen so far means: a stem, or nothing.
    runs: HashMap<Box<str>, Option<u32>>,
    stems: HashMap<String, u32>,
    /// (stem, posting).
    found: Vec<(u32, Posting)>,
    /// The unsaturated weights of the tool being added.
    tool: HashMap<u32, f32>,
}

impl Default for Builder {
    fn default() -> Self {
        let (runs, stems, tool) = (HashMap::new(), HashMap::new(), HashMap::new());
        Self { words: Words::new(), runs, stems, found: Vec::new(), tool }
    }
}

impl Builder {
    fn add(&mut self, at: u32, server_name: &str, tool: &ToolDefinition, summary: &str) {
        self.part(&SERVER, true, server_name);
        self.part(&NAME, true, &tool.name);
        let title = tool.title.as_deref().or_else(|| tool.annotations.as_ref()?.title.as_deref());
        self.part(&TITLE, false, bounded(title.unwrap_or_default(), DESCRIPTION_BYTES));
        self.part(&SUMMARY, false, summary);
        self.part(&DESCRIPTION, false, bounded(tool.description.as_deref().unwrap_or_default(), DESCRIPTION_BYTES));
        let (mut names, mut docs) = (String::new(), String::new());
        gather(&types::read(&tool.input_schema, PARAMETER_DEPTH), true, &mut names, &mut docs);
        self.part(&PARAMETERS, true, bounded(&names, PARAMETER_BYTES));
        self.part(&PARAMETER_DOCS, false, bounded(&docs, PARAMETER_BYTES));
        let saturated = self.tool.drain().map(|(word, w)| (word, Posting { tool: at, weight: w / (SATURATION + w) }));
        self.found.extend(saturated);
    }

    fn part(&mut self, part: &Part, is_name: bool, text: &str) {
        let mut found: Vec<u32> = Vec::new();
        let each = |run: &str| found.extend(self.stem(run));
        if is_name {
            in_name(text, each);
        } else {
            in_prose(text, each);
        }
        let length = float(found.len()) / part.typical_words;
        let weight = part.weight / (1.0 - part.length_matters + part.length_matters * length);
        for word in found {
            *self.tool.entry(word).or_default() += weight;
        }
    }

    fn stem(&mut self, run: &str) -> Option<u32> {
        if let Some(known) = self.runs.get(run) {
            return *known;
        }
        let next = small(self.stems.len());
        let stem = self.words.stem(run).map(|stem| *self.stems.entry(stem).or_insert(next));
        self.runs.insert(run.into(), stem);
        stem
    }

    fn finish(self) -> Index {
        let mut stems: Vec<(String, u32)> = self.stems.into_iter().collect();
        stems.sort_unstable();
        let mut place = vec![0_u32; stems.len()];
        let mut index = Index::default();
        for (at, (stem, id)) in stems.iter().enumerate() {
            place[*id as usize] = small(at);
            index.text.push_str(stem);
            index.ends.push((small(index.text.len()), 0));
            index.places.insert(Word::new(stem).hash, small(at));
        }
        let mut found = self.found;
        found.sort_unstable_by_key(|(stem, posting)| (place[*stem as usize], posting.tool));
        for (stem, posting) in found {
            index.postings.push(posting);
            index.ends[place[stem as usize] as usize].1 = small(index.postings.len());
        }
        index
    }
}

/// Places and counts inside one server's index, which are bounded by the words of its tools.
fn small(count: usize) -> u32 {
    u32::try_from(count).expect("a server's index is smaller than 4 GiB")
}

/// A count as a number to reckon with.
#[expect(clippy::cast_precision_loss, reason = "counts of words and tools are far below 2^24")]
pub(crate) fn float(count: usize) -> f32 {
    count as f32
}

/// The start of `text`, cut between characters.
fn bounded(text: &str, bytes_max: usize) -> &str {
    &text[..text.floor_char_boundary(bytes_max)]
}

/// The words of a tool's parameters: top-level names apart from everything else.
fn gather(of: &Type, top: bool, names: &mut String, docs: &mut String) {
    if docs.len() > PARAMETER_BYTES {
        return;
    }
    match of {
        Type::Object(fields) => fields.iter().for_each(|field| gather_field(field, top, names, docs)),
        Type::List(inner) | Type::Map(inner) => gather(inner, false, names, docs),
        Type::Tuple(all) | Type::Union(all) => all.iter().for_each(|one| gather(one, false, names, docs)),
        Type::Literals(values, _) => {
            for text in values.iter().filter_map(serde_json::Value::as_str) {
                docs.push_str(text);
                docs.push(' ');
            }
        }
        _ => {}
    }
}

fn gather_field(field: &Field, top: bool, names: &mut String, docs: &mut String) {
    let to = if top { &mut *names } else { &mut *docs };
    to.push_str(&field.name);
    to.push(' ');
    if let Some(doc) = &field.doc {
        docs.push_str(bounded(doc, DESCRIPTION_BYTES));
        docs.push(' ');
    }
    gather(&field.of, false, names, docs);
}
