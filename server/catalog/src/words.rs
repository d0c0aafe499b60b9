//! Text as the words that search compares: split, lower case, stemmed.
//!
//! Invariant: the index and the query go through the same functions. Left out on purpose: synonyms and spelling; the
//! index handles words that nothing matches.

use rust_stemmers::{Algorithm, Stemmer};

/// Longer runs are data (base64, hashes), not words.
const WORD_BYTES_MAX: usize = 40;

/// Words that say nothing about what a tool does.
const STOP_WORDS: &str = "a an and any are as at be but by can do does for from has have how i if in into is it its me my \
    need of on or our please should so some that the their them then there these this to up use used uses using via want \
    was we what when where which who will with would you your";

/// Calls `each` with every run of letters in a piece of prose.
pub(crate) fn in_prose<'a>(text: &'a str, mut each: impl FnMut(&'a str)) {
    for run in runs(text) {
        each(run);
        // `readTextFile` is three words more; `GitHub` and `JSON` are one.
        if run.starts_with(|c: char| c.is_lowercase()) && humps(run).nth(1).is_some() {
            humps(run).for_each(&mut each);
        }
    }
}

/// Calls `each` with every part of a name, and with the whole where it may be a word: `GitHub`, `arXiv`.
pub(crate) fn in_name<'a>(text: &'a str, mut each: impl FnMut(&'a str)) {
    for run in runs(text) {
        let parts = humps(run).count();
        if parts > 1 {
            humps(run).for_each(&mut each);
        }
        if parts <= 2 {
            each(run);
        }
    }
}

/// Calls `each` with every two neighbours written together: `on call` for `oncall`.
pub(crate) fn in_neighbours(text: &str, mut each: impl FnMut(&str)) {
    let mut before = "";
    for run in runs(text) {
        if !before.is_empty() {
            each(&[before, run].concat());
        }
        before = run;
    }
}

/// Runs to stems.
pub(crate) struct Words(Stemmer);

impl Words {
    pub(crate) fn new() -> Self {
        Self(Stemmer::create(Algorithm::English))
    }

    /// The stem of a run; `None` where it says nothing.
    pub(crate) fn stem(&self, run: &str) -> Option<String> {
        if run.len() > WORD_BYTES_MAX {
            return None;
        }
        let lower = run.to_lowercase();
        let says_nothing = STOP_WORDS.split(' ').any(|stop| stop == lower);
        (!says_nothing).then(|| self.0.stem(&lower).into_owned())
    }
}

/// The runs of letters and digits. Scripts written without spaces count each character as a run.
fn runs(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !c.is_alphanumeric()).flat_map(|run| {
        let ideographs = run.chars().any(is_ideograph);
        let mut rest = run;
        std::iter::from_fn(move || {
            let first = rest.chars().next()?;
            let end = match ideographs {
                false => rest.len(),
                true if is_ideograph(first) => first.len_utf8(),
                true => rest.find(is_ideograph).unwrap_or(rest.len()),
            };
            let (head, tail) = rest.split_at(end);
            rest = tail;
            Some(head)
        })
    })
}

fn is_ideograph(c: char) -> bool {
    matches!(c, '\u{3040}'..='\u{30ff}' | '\u{3400}'..='\u{9fff}' | '\u{f900}'..='\u{faff}' | '\u{20000}'..='\u{3ffff}')
}

/// The parts of a camelCase run: `HTTPServer` is `HTTP`, `Server`.
fn humps(run: &str) -> impl Iterator<Item = &str> {
    let mut rest = run;
    std::iter::from_fn(move || {
        let mut previous = rest.chars().next()?;
        let mut chars = rest.char_indices().skip(1).peekable();
        let mut end = rest.len();
        while let Some((at, c)) = chars.next() {
            let next_is_lower = chars.peek().is_some_and(|(_, n)| n.is_lowercase());
            if c.is_uppercase() && (!previous.is_uppercase() || next_is_lower) {
                end = at;
                break;
            }
            previous = c;
        }
        let (head, tail) = rest.split_at(end);
        rest = tail;
        Some(head)
    })
}

/// What is left of a name when only letters and digits count, in lower case: `fs.readTextFile` and `fs read_text_file`
/// are the same name.
pub(crate) fn key(name: &str) -> String {
    name.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn prose(text: &str) -> Vec<String> {
        let mut out = Vec::new();
        in_prose(text, |run| out.extend(Words::new().stem(run)));
        out
    }

    fn name(text: &str) -> Vec<String> {
        let mut out = Vec::new();
        in_name(text, |run| out.extend(Words::new().stem(run)));
        out
    }

    #[test]
    fn names_split_at_every_seam() {
        assert_eq!(name("list_directory-with.sizes"), ["list", "directori", "size"]);
        assert_eq!(name("parseHTTPResponse"), ["pars", "http", "respons"]);
        assert_eq!(name("GitHub"), ["git", "hub", "github"]);
    }

    #[test]
    fn prose_keeps_proper_names_whole() {
        assert_eq!(prose("the GitHub issues"), ["github", "issu"]);
        assert_eq!(prose("set maxResults"), ["set", "maxresult", "max", "result"]);
    }

    #[test]
    fn plural_and_tense_do_not_matter() {
        assert_eq!(prose("directories"), prose("directory"));
        assert_eq!(prose("searching searches searched"), ["search", "search", "search"]);
    }

    #[test]
    fn scripts_without_spaces_are_split_and_data_is_dropped() {
        assert_eq!(prose("读取file文件"), ["读", "取", "file", "文", "件"]);
        assert!(prose(&"A".repeat(5_000)).is_empty());
    }
}
