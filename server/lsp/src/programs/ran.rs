//! What the last run of a text did, line by line, and how it is said.
//!
//! Invariant: every figure was counted. What the ledger has not counted yet is left out, not estimated.

use crate::figures::{count, grouped};
use model::reply::CacheOutcome;
use model::{CallRecord, RunReply};
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// The calls that one line made.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct LineRan {
    calls: u64,
    ms: f64,
    /// Tokens of the answers; absent where one was not counted.
    tokens: Option<u64>,
    /// Answered without asking the server.
    cached: u64,
    failed: u64,
}

/// The last run of a text.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct LastRun {
    lines: BTreeMap<u32, LineRan>,
    all: LineRan,
    wall_ms: f64,
    /// Tokens that came back to whoever had it run: its value, and what it printed.
    returned: Option<u64>,
}

impl LineRan {
    fn add(&mut self, call: &CallRecord) {
        let tokens = if self.calls == 0 { Some(0) } else { self.tokens };
        self.tokens = tokens.zip(call.result_tokens).map(|(sum, tokens)| sum.saturating_add(tokens));
        self.calls += 1;
        self.ms += call.ms;
        self.cached += u64::from(call.cache != CacheOutcome::Miss);
        self.failed += u64::from(call.error.is_some());
    }
}

impl LastRun {
    pub(crate) fn new(run: &RunReply) -> Self {
        let (mut lines, mut all) = (BTreeMap::<u32, LineRan>::new(), LineRan::default());
        for call in &run.calls {
            all.add(call);
            if let Some(line) = call.line {
                lines.entry(line).or_default().add(call);
            }
        }
        let returned = run.tokens.as_ref().map(|tokens| tokens.code_mode.results);
        Self { lines, all, wall_ms: run.usage.wall_ms, returned }
    }

    /// Every line with calls, counted from 1, what is said at its end, and the longer story.
    pub(crate) fn hints(&self) -> impl Iterator<Item = (u32, String, String)> {
        // Where more came back than the tools had answered, nothing was kept out.
        let is_kept = self.kept_out().is_some_and(|kept| kept > 0);
        self.lines.iter().map(move |(line, ran)| (*line, ran.hint(is_kept), ran.story(self.returned)))
    }

    /// `3 calls · 41 ms · 5.2k tokens kept out`
    pub(crate) fn summary(&self) -> String {
        let mut parts = vec![count(self.all.calls, "call"), time(self.wall_ms)];
        match self.kept_out() {
            Some(kept) if self.all.calls > 0 && kept >= 0 => {
                parts.push(format!("{} tokens kept out", short(kept.unsigned_abs())));
            }
            Some(more) if self.all.calls > 0 => {
                parts.push(format!("{} tokens more than its tools answered", short(more.unsigned_abs())));
            }
            _ => {}
        }
        parts.join(" · ")
    }

    /// The tokens of all answers less those that came back.
    fn kept_out(&self) -> Option<i64> {
        let (answered, returned) = (self.all.tokens?, self.returned?);
        Some(i64::try_from(answered).ok()? - i64::try_from(returned).ok()?)
    }
}

impl LineRan {
    fn hint(&self, is_kept: bool) -> String {
        let mut parts = Vec::new();
        if self.calls > 1 {
            parts.push(count(self.calls, "call"));
        }
        if let Some(tokens) = self.tokens {
            // Editors cut long hints off.
            let shown = if tokens < 10_000 { grouped(tokens) } else { short(tokens) };
            parts.push(format!("{shown} tokens{}", if is_kept { " kept out" } else { "" }));
        }
        parts.push(time(self.ms));
        if self.cached > 0 {
            parts.push(if self.calls == 1 { "cached".to_owned() } else { format!("{} cached", self.cached) });
        }
        if self.failed > 0 {
            parts.push(if self.calls == 1 { "failed".to_owned() } else { format!("{} failed", self.failed) });
        }
        format!("⚡ {}", parts.join(" · "))
    }

    fn story(&self, returned: Option<u64>) -> String {
        let mut story = format!("{} of this line in the last run", count(self.calls, "call"));
        if let Some(tokens) = self.tokens {
            let _ = write!(story, ": {} tokens of answers", grouped(tokens));
        }
        if let Some(returned) = returned {
            let _ = write!(story, ". The program itself returned {} tokens", grouped(returned));
        }
        story + ". Measured (o200k_base); calls that ran at once count their time each."
    }
}

fn time(ms: f64) -> String {
    match ms {
        ..9.95 => format!("{ms:.1} ms"),
        9.95..999.5 => format!("{ms:.0} ms"),
        _ => format!("{:.1} s", ms / 1e3),
    }
}

/// `987`, `5.2k`, `41k`, `1.3M`
fn short(number: u64) -> String {
    let scaled = |unit: u64, mark: &str| {
        let tenths = (number.saturating_mul(10) + unit / 2) / unit;
        if tenths < 100 {
            format!("{}.{}{mark}", tenths / 10, tenths % 10)
        } else {
            format!("{}{mark}", (number + unit / 2) / unit)
        }
    };
    match number {
        0..1_000 => number.to_string(),
        1_000..999_500 => scaled(1_000, "k"),
        _ => scaled(1_000_000, "M"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::reply::CallStatus;

    fn call(line: u32, tokens: Option<u64>, cache: CacheOutcome) -> CallRecord {
        CallRecord {
            server: "s".to_owned(),
            tool: "t".to_owned(),
            status: CallStatus::Ok,
            ms: 4.0,
            cache,
            wave: 0,
            argument_bytes: 0,
            result_bytes: 0,
            result_tokens: tokens,
            line: Some(line),
            error: None,
        }
    }

    fn run(calls: Vec<CallRecord>, returned: Option<u64>) -> LastRun {
        let mut reply = RunReply::refused(model::ProgramError::new(model::ErrorKind::Usage, "none"), None);
        reply.calls = calls;
        reply.usage.wall_ms = 41.2;
        reply.tokens = returned.map(|results| {
            let code_mode = model::tokens::SideTokens { results, ..Default::default() };
            model::TokenReport { code_mode, ..Default::default() }
        });
        LastRun::new(&reply)
    }

    fn said(run: &LastRun) -> Vec<String> {
        let hints = run.hints().map(|(line, hint, _)| format!("{line}: {hint}"));
        std::iter::once(run.summary()).chain(hints).collect()
    }

    #[test]
    fn a_line_sums_its_calls_and_the_run_all() {
        use CacheOutcome::{Hit, Joined, Miss};
        let calls = vec![call(3, Some(5_000), Miss), call(3, Some(6_000), Hit), call(5, Some(234), Joined)];
        assert_eq!(
            said(&run(calls, Some(34))),
            [
                "3 calls · 41 ms · 11k tokens kept out",
                "3: ⚡ 2 calls · 11k tokens kept out · 8.0 ms · 1 cached",
                "5: ⚡ 234 tokens kept out · 4.0 ms · cached"
            ]
        );
    }

    #[test]
    fn what_was_not_counted_is_not_said() {
        let calls = vec![call(3, Some(5), CacheOutcome::Miss), call(3, None, CacheOutcome::Miss)];
        assert_eq!(said(&run(calls, Some(1))), ["2 calls · 41 ms", "3: ⚡ 2 calls · 8.0 ms"]);
        assert_eq!(said(&run(vec![], Some(9))), ["0 calls · 41 ms"]);
    }

    #[test]
    fn a_program_that_returns_more_than_it_was_answered_kept_nothing_out() {
        let calls = vec![call(3, Some(100), CacheOutcome::Miss)];
        assert_eq!(
            said(&run(calls, Some(1_350))),
            ["1 call · 41 ms · 1.3k tokens more than its tools answered", "3: ⚡ 100 tokens · 4.0 ms"]
        );
    }

    #[test]
    fn large_figures_are_short() {
        for (number, expected) in
            [(999, "999"), (1_000, "1.0k"), (5_240, "5.2k"), (41_200, "41k"), (999_499, "999k"), (1_300_000, "1.3M")]
        {
            assert_eq!(short(number), expected);
        }
        assert_eq!([time(0.04), time(12.4), time(25_124.0)], ["0.0 ms", "12 ms", "25.1 s"]);
    }
}
