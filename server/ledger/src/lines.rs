//! The lines of an exported ledger: JSON, one run with its calls a line, no content of any call. What is read from a file is
//! checked before any of it is believed.

use crate::facts::{LABEL_CHARS, NAME_CHARS, TAG_CHARS, TAGS_MAX};
use crate::formula::NO_WINDOW;
use crate::receipt::{Basis, NO_CAP};
use crate::text::named;
use model::tokens::SideTokens;
use model::{CacheOutcome, CallStatus, Language, RunStatus};
use serde::{Deserialize, Serialize};

/// The form of the lines that this program writes, and the newest that it reads.
pub(crate) const FORM: u32 = 1;
/// The largest number of tokens or bytes that is believed, so that the sums of some ten million runs are numbers of the
/// database; the most turns of a side; and the last millisecond, of the year 9999.
const NUMBER_MAX: u64 = 1 << 38;
const TURNS_MAX: u32 = 1_000_000;
const AT_MS_MAX: u64 = 253_402_300_799_999;
/// Calls of a run.
const CALLS_MAX: usize = 1_000_000;

/// One line.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub(crate) enum Line {
    /// The first one: the form of all that follow.
    Ledger(u32),
    Run(Box<RunLine>),
    /// A call that a front made by itself.
    Direct(CallLine),
}

/// A run as it is stored.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RunLine {
    pub(crate) run_id: String,
    pub(crate) conversation: String,
    pub(crate) at_ms: u64,
    pub(crate) front: String,
    pub(crate) language: String,
    pub(crate) status: String,
    pub(crate) label: String,
    pub(crate) wall_ms: f64,
    pub(crate) code_bytes: u64,
    pub(crate) reply_bytes: u64,
    pub(crate) encoding: String,
    pub(crate) tags: Vec<String>,
    pub(crate) search_tokens: u64,
    /// Calls it made, where they were not counted.
    pub(crate) calls_made: u64,
    /// Absent where the run was never counted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) basis: Option<Basis>,
    pub(crate) sides: [SideTokens; 4],
    pub(crate) calls: Vec<CallLine>,
}

/// A call as it is stored.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct CallLine {
    pub(crate) at_ms: u64,
    pub(crate) server: String,
    pub(crate) tool: String,
    pub(crate) status: String,
    pub(crate) cache: String,
    pub(crate) wave: u32,
    pub(crate) ms: f64,
    pub(crate) argument_bytes: u64,
    pub(crate) result_bytes: u64,
    pub(crate) media: u32,
    pub(crate) output_tokens: u64,
    pub(crate) result_tokens: u64,
    pub(crate) exact: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) repeated: Option<bool>,
}

impl Line {
    /// Reads a line and checks all that it says. `first` where it must be the one that names the form.
    pub(crate) fn parse(text: &str, first: bool) -> Result<Self, String> {
        let line: Self = serde_json::from_str(text).map_err(|error| error.to_string())?;
        match (&line, first) {
            (Self::Ledger(FORM), true) => {}
            (Self::Ledger(form), true) => return Err(format!("its form is {form}, this program reads {FORM}")),
            (_, true) => return Err("the first line must be {\"ledger\": 1}".to_owned()),
            (Self::Ledger(_), false) => return Err("only the first line names the form".to_owned()),
            (Self::Run(run), false) => run.check()?,
            (Self::Direct(call), false) => call.check()?,
        }
        Ok(line)
    }
}

impl RunLine {
    pub(crate) fn check(&self) -> Result<(), String> {
        for (what, name) in [("run_id", &self.run_id), ("conversation", &self.conversation), ("front", &self.front)] {
            check_name(what, name)?;
        }
        let known = named::<Language>(self.language.clone()).is_some();
        known.then_some(()).ok_or_else(|| format!("`{}` is no language", self.language))?;
        let known = named::<RunStatus>(self.status.clone()).is_some();
        known.then_some(()).ok_or_else(|| format!("`{}` is no end of a run", self.status))?;
        let known = crate::count::Encoding::named(&self.encoding).is_some();
        known.then_some(()).ok_or_else(|| format!("`{}` is no encoding that is counted in", self.encoding))?;
        if self.label.chars().count() > LABEL_CHARS || self.label.contains('\n') {
            return Err(format!("the label is longer than a line of {LABEL_CHARS} characters"));
        }
        let is_tag =
            |tag: &String| tag.contains('=') && tag.chars().count() <= TAG_CHARS && !tag.chars().any(char::is_control);
        if self.tags.len() > TAGS_MAX || !self.tags.iter().all(is_tag) {
            return Err(format!("tags must be {TAGS_MAX} at most, each key=value of {TAG_CHARS} characters at most"));
        }
        check_ms(self.wall_ms)?;
        check_at(self.at_ms)?;
        check_numbers(&[self.code_bytes, self.reply_bytes, self.search_tokens, self.calls_made])?;
        for side in &self.sides {
            let SideTokens { definitions, output, results, turns, total, peak_context, cacheable } = *side;
            check_numbers(&[definitions, output, results, total, peak_context, cacheable])?;
            if turns > TURNS_MAX {
                return Err(format!("a side has {turns} turns, more than {TURNS_MAX}"));
            }
            if output > total || peak_context > total {
                return Err("a side's output or peak is larger than its total".to_owned());
            }
        }
        if self.calls.len() > CALLS_MAX || self.basis.is_none() && !self.calls.is_empty() {
            return Err(format!("a counted run has {CALLS_MAX} calls at most, another none"));
        }
        if let Some(basis) = &self.basis {
            let calls = self.calls.len();
            if self.calls_made != calls as u64 {
                return Err(format!("the run made {} calls and lists {calls}", self.calls_made));
            }
            if basis.cap_tokens > NO_CAP || basis.window_tokens > NO_WINDOW {
                return Err("the cap or the window is more than no cap and no window".to_owned());
            }
        }
        self.calls.iter().try_for_each(CallLine::check)
    }
}

impl CallLine {
    pub(crate) fn check(&self) -> Result<(), String> {
        check_name("server", &self.server)?;
        check_name("tool", &self.tool)?;
        let known = named::<CallStatus>(self.status.clone()).is_some();
        known.then_some(()).ok_or_else(|| format!("`{}` is no end of a call", self.status))?;
        let known = named::<CacheOutcome>(self.cache.clone()).is_some();
        known.then_some(()).ok_or_else(|| format!("`{}` is nothing that a cache does", self.cache))?;
        check_ms(self.ms)?;
        check_at(self.at_ms)?;
        check_numbers(&[self.argument_bytes, self.result_bytes, self.output_tokens, self.result_tokens])
    }
}

fn check_name(what: &str, name: &str) -> Result<(), String> {
    if name.is_empty() || name.chars().count() > NAME_CHARS {
        return Err(format!("`{what}` must have 1 to {NAME_CHARS} characters"));
    }
    Ok(())
}

fn check_ms(ms: f64) -> Result<(), String> {
    if ms.is_finite() && ms >= 0.0 { Ok(()) } else { Err(format!("{ms} is no time that anything takes")) }
}

fn check_at(at_ms: u64) -> Result<(), String> {
    if at_ms <= AT_MS_MAX { Ok(()) } else { Err(format!("{at_ms} ms since 1970 is after the year 9999")) }
}

fn check_numbers(numbers: &[u64]) -> Result<(), String> {
    match numbers.iter().find(|number| **number > NUMBER_MAX) {
        Some(number) => Err(format!("{number} is more than any number of a ledger")),
        None => Ok(()),
    }
}
