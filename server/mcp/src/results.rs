//! Whole results as resources: what a run returned and its reply had no room for, read in parts.
//!
//! Invariants: the list is bounded and has this sitting's runs only; a part is bounded, and says where the next one is. A
//! run's id is random: who knows one of this workspace may read its result in a later sitting too, where nothing lists it.

use crate::card;
use model::reply::ResultPart;
use model::{RunId, RunReply};
use rmcp::ErrorData;
use rmcp::model::{ReadResourceResult, Resource, ResourceContents, ResourceTemplate};
use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};
use tokio::sync::watch;

/// Results that are listed, the newest ones.
const LISTED_MAX: usize = 100;
/// Bytes of a part where its reader does not say.
const PART_BYTES: usize = 256 << 10;

const RUNS: &str = "tta://runs/";
const RESULT: &str = "/result";
/// The address of a run's whole result.
pub(crate) const TEMPLATE: &str = "tta://runs/{run_id}/result{?offset,bytes}";

/// The whole results of one sitting.
#[derive(Debug, Default)]
pub(crate) struct Shelf {
    kept: Mutex<VecDeque<(RunId, u64)>>,
    changed: watch::Sender<()>,
}

impl Shelf {
    /// Lists the whole result of a run whose result was cut. Says whether there is one.
    pub(crate) fn add(&self, reply: &RunReply) -> bool {
        let whole = reply.truncated.iter().find(|cut| cut.what == "result" && cut.artifact.is_some());
        let Some(whole) = whole else { return false };
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.truncate(LISTED_MAX - 1);
        kept.push_front((reply.run_id.clone(), whole.total_bytes));
        drop(kept);
        self.changed.send_replace(());
        true
    }

    /// Told with each result from now on.
    pub(crate) fn changes(&self) -> watch::Receiver<()> {
        self.changed.subscribe()
    }

    /// The newest first.
    pub(crate) fn resources(&self) -> Vec<Resource> {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.iter().map(|(run_id, bytes)| resource(run_id, *bytes)).collect()
    }

    /// The runs that are listed and begin so.
    pub(crate) fn run_ids(&self, prefix: &str) -> Vec<String> {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.iter().map(|(run_id, _)| run_id.to_string()).filter(|run_id| run_id.starts_with(prefix)).collect()
    }
}

fn resource(run_id: &RunId, bytes: u64) -> Resource {
    Resource::new(format!("{RUNS}{run_id}{RESULT}"), format!("result-{run_id}"))
        .with_title(format!("Whole result of run {run_id}"))
        .with_description("A result that its reply had no room for")
        .with_mime_type("application/json")
        .with_size(bytes)
}

pub(crate) fn template() -> ResourceTemplate {
    ResourceTemplate::new(TEMPLATE, "result")
        .with_title("Whole result of a run")
        .with_description("The result of a run whose reply had no room for it; `offset` and `bytes` name a part")
        .with_mime_type("application/json")
}

/// What is read at an address.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Wanted<'a> {
    Page,
    /// The receipt of the run of this id.
    Receipt(&'a str),
    /// A part of a whole result.
    Result {
        run_id: &'a str,
        offset: u64,
        bytes: usize,
    },
}

/// What is wanted at `uri`, by a client that shows the card or does not.
pub(crate) fn wanted(uri: &str, shows_card: bool) -> Result<Wanted<'_>, ErrorData> {
    let card = if shows_card { card::wanted(uri) } else { None };
    card.or_else(|| result_at(uri)).ok_or_else(|| not_found(uri))
}

fn result_at(uri: &str) -> Option<Wanted<'_>> {
    let (run_id, query) = uri.strip_prefix(RUNS)?.split_once(RESULT)?;
    let (mut offset, mut bytes) = (0, PART_BYTES);
    let pairs = match query {
        "" => "",
        query => query.strip_prefix('?')?,
    };
    for pair in pairs.split('&').filter(|pair| !pair.is_empty()) {
        match pair.split_once('=')? {
            ("offset", value) => offset = value.parse().ok()?,
            ("bytes", value) => bytes = value.parse().ok()?,
            _ => return None,
        }
    }
    Some(Wanted::Result { run_id, offset, bytes })
}

pub(crate) fn not_found(uri: &str) -> ErrorData {
    let uri = &uri[..uri.floor_char_boundary(200)];
    ErrorData::resource_not_found(
        format!("no resource {uri}: there are those of resources/list, and {TEMPLATE} for a run whose result was cut"),
        None,
    )
}

/// A part, and where it does not reach the end, the address of the next one.
pub(crate) fn part(uri: &str, part: ResultPart) -> ReadResourceResult {
    let (begin, end) = (part.offset, part.offset + part.json.len() as u64);
    let mut contents = vec![ResourceContents::text(part.json, uri).with_mime_type("application/json")];
    if end < part.total_bytes {
        let whole = uri.split('?').next().unwrap_or(uri);
        let next = format!("{whole}?offset={end}");
        let says = format!("Above are bytes {begin} to {end} of {}; the next are at {next}", part.total_bytes);
        contents.push(ResourceContents::text(says, next));
    }
    ReadResourceResult::new(contents)
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::{ErrorKind, ProgramError, Truncation};

    fn cut(what: &str, artifact: Option<&str>) -> RunReply {
        let mut reply = RunReply::refused(ProgramError::new(ErrorKind::Fault, ""), None);
        let artifact = artifact.map(str::to_owned);
        reply.truncated.push(Truncation { what: what.to_owned(), kept_bytes: 1, total_bytes: 9, artifact });
        reply
    }

    #[test]
    fn only_results_that_are_kept_are_listed_and_only_so_many() {
        let (shelf, changes) = (Shelf::default(), |shelf: &Shelf| shelf.changes());
        assert!(!shelf.add(&cut("stdout", Some("file"))) && !shelf.add(&cut("result", None)));
        let told = changes(&shelf);
        let runs: Vec<RunReply> = (0..=LISTED_MAX).map(|_| cut("result", Some("file"))).collect();
        assert!(runs.iter().all(|reply| shelf.add(reply)) && told.has_changed().expect("the shelf is there"));
        let listed = shelf.resources();
        assert_eq!(listed.len(), LISTED_MAX);
        assert_eq!(listed[0].uri, format!("tta://runs/{}/result", runs[LISTED_MAX].run_id));
        assert_eq!(shelf.run_ids(runs[1].run_id.as_str()), [runs[1].run_id.to_string()]);
        assert_eq!(shelf.run_ids(runs[0].run_id.as_str()), [""; 0], "the oldest gave way");
    }

    #[test]
    fn addresses_are_the_templates_and_no_others() {
        let at = |run_id, offset, bytes| Some(Wanted::Result { run_id, offset, bytes });
        assert_eq!(result_at("tta://runs/a1/result"), at("a1", 0, PART_BYTES));
        assert_eq!(result_at("tta://runs/a1/result?offset=7&bytes=9"), at("a1", 7, 9));
        assert_eq!(result_at("tta://runs/a1/result?bytes=9"), at("a1", 0, 9));
        for other in
            ["tta://runs/a1", "tta://runs/a1/results", "tta://runs/a1/result?x=1", "tta://runs/a1/result?offset=-1"]
        {
            assert_eq!(result_at(other), None, "{other}");
        }
    }

    #[test]
    fn a_part_says_where_the_next_one_is() {
        let whole = ResultPart { json: "[1]".to_owned(), offset: 0, total_bytes: 3 };
        assert_eq!(part("tta://runs/a/result", whole).contents.len(), 1);
        let first = ResultPart { json: "[1,".to_owned(), offset: 0, total_bytes: 9 };
        let ResourceContents::TextResourceContents { uri, text, .. } =
            &part("tta://runs/a/result?bytes=3", first).contents[1]
        else {
            panic!("a text")
        };
        assert_eq!(uri, "tta://runs/a/result?offset=3");
        assert_eq!(text, "Above are bytes 0 to 3 of 9; the next are at tta://runs/a/result?offset=3");
    }
}
