//! A report as text, Markdown, CSV or JSON. Pure: what a report holds is all there is to show. HTML is a page of the fronts,
//! with the report's JSON in it, which its caller puts together.
//!
//! What is to be handed on loses every name before anything is written ([`shared`]), so that no format can let one slip.

use crate::csv;
use crate::sheet::{money, signed};
use crate::table::{Style, Table, escape};
use crate::text::{grouped, minute, plural};
use model::render::{RenderRequest, ReportBy, ReportFormat};
use model::report::{Advice, CallGroup, Cost, PeriodTotals, RunGroup, SavingsReport};
use model::tokens::{SideTokens, TokenReport};
use std::fmt::Write;

/// Entries of each list.
const LISTED: usize = 10;

/// The report in the format that was asked for; `Html` as JSON, for the page to be put around it.
pub fn render(report: &SavingsReport, request: &RenderRequest) -> String {
    match request.format {
        ReportFormat::Text => Page { style: Style::Text, report, request }.whole(),
        ReportFormat::Md => Page { style: Style::Markdown, report, request }.whole(),
        ReportFormat::Csv => csv::write(report, request),
        ReportFormat::Json | ReportFormat::Html => {
            serde_json::to_string_pretty(report).expect("wire types are JSON") + "\n"
        }
    }
}

/// The report without a name of a program, a run, a server or a tool, but for those that `by` asks for.
pub fn shared(report: SavingsReport, by: Option<ReportBy>) -> SavingsReport {
    let SavingsReport { mut servers, mut tools, mut tags, .. } = report;
    if by != Some(ReportBy::Server) {
        servers.clear();
    }
    if by != Some(ReportBy::Tool) {
        tools.clear();
    }
    if by != Some(ReportBy::Tag) {
        tags.clear();
    }
    let (runs, failed, results) = (Vec::new(), Vec::new(), Vec::new());
    let (definitions, advice, problem) = (Vec::new(), Vec::new(), None);
    let models = Vec::new();
    SavingsReport { servers, tools, tags, runs, failed, results, definitions, advice, models, problem, ..report }
}

struct Page<'a> {
    style: Style,
    report: &'a SavingsReport,
    request: &'a RenderRequest,
}

impl Page<'_> {
    fn whole(&self) -> String {
        let SavingsReport { total, before, pending, problem, .. } = self.report;
        let mut out = self.heading(1, &format!("What programs saved: {}", self.words(&self.report.workspace)));
        let _ = writeln!(out, "{}\n", self.period(total));
        if let Some(problem) = problem {
            let _ = writeln!(out, "{}\n", self.words(problem));
        }
        if *pending > 0 {
            let _ = writeln!(out, "{} not counted yet.\n", plural(*pending, "run is", "runs are"));
        }
        if total.runs == 0 {
            out.push_str(&self.nothing());
            return out;
        }
        let _ = writeln!(out, "{}\n", self.strong(&verdict(&total.tokens)));
        if let Some(before) = before {
            let _ = writeln!(out, "{}\n", self.change(before));
        }
        out.push_str(&self.sides());
        out.push_str(&self.dollars());
        out.push_str(&self.groups());
        out.push_str(&self.lists());
        out.push_str(&self.heading(2, "What the figures rest on"));
        let labels = total.tokens.labels.iter().chain(total.dollars.iter().flat_map(|dollars| &dollars.labels));
        for (figure, label) in labels {
            let _ = writeln!(out, "- {figure}: {}", self.words(label));
        }
        out
    }

    fn period(&self, totals: &PeriodTotals) -> String {
        let mut line = format!("{} to {} UTC", minute(totals.since_ms), minute(totals.until_ms));
        let only = &self.report.request.only;
        let status = only.status.map(|status| status.as_str().to_owned());
        let narrowed = [
            ("server", &only.server),
            ("tool", &only.tool),
            ("language", &only.language),
            ("status", &status),
            ("tag", &only.tag),
        ];
        for (what, value) in narrowed {
            if let Some(value) = value {
                let _ = write!(line, ", only {what} {}", self.words(value));
            }
        }
        if totals.runs > 0 {
            let _ = write!(line, ": {}", plural(totals.runs, "run", "runs"));
            let parts = [(totals.failed_runs, "failed"), (totals.estimated_runs, "estimated in part")];
            let parts = parts.iter().filter(|(number, _)| *number > 0);
            let parts: Vec<String> = parts.map(|(number, what)| format!("{} {what}", grouped(*number))).collect();
            if !parts.is_empty() {
                let _ = write!(line, " ({})", parts.join(", "));
            }
            let _ = write!(line, ", {}", plural(totals.calls, "call", "calls"));
        }
        line
    }

    /// What there is where no run is.
    fn nothing(&self) -> String {
        let SavingsReport { request, total, .. } = self.report;
        let direct = total.asides.as_ref().filter(|asides| asides.direct_calls > 0);
        if request.only != model::report::ReportFilter::default() {
            "No counted run of this period is like that.\n".to_owned()
        } else if let Some(asides) = direct {
            let (calls, was) =
                (plural(asides.direct_calls, "call", "calls"), if asides.direct_calls == 1 { "was" } else { "were" });
            let tokens = plural(asides.direct_tokens, "token", "tokens");
            format!(
                "No program of this period is counted. {calls} {was} made without one, of {tokens}; that saves nothing.\n"
            )
        } else if total.since_ms >= total.until_ms {
            "Nothing has been run in this workspace yet.\n".to_owned()
        } else {
            "No run of this period is counted. Without --since the report begins with the oldest.\n".to_owned()
        }
    }

    fn change(&self, before: &PeriodTotals) -> String {
        let now = &self.report.total;
        let line = format!("Before that, {}", self.period(before));
        if before.runs == 0 {
            return format!("{line}: no run.");
        }
        let by = i128::from(now.tokens.saved) - i128::from(before.tokens.saved);
        let change = if by < 0 { "less" } else { "more" };
        let by = signed(by.abs());
        format!("{line}. {}. That is {by} {change} saved now.", verdict(&before.tokens))
    }

    fn sides(&self) -> String {
        let totals = &self.report.total;
        let tokens = &totals.tokens;
        let head =
            ["tokens", "definitions", "written", "results", "turns", "largest prompt", "total", "saved", "share"];
        let mut table = Table::new(self.style, &head, 1);
        for (title, side) in sides(tokens).into_iter().filter(|(_, side)| side.turns > 0) {
            let SideTokens { definitions, output, results, turns, total, peak_context, .. } = *side;
            let mut cells = vec![title.to_owned()];
            cells.extend([definitions, output, results, turns.into(), peak_context, total].map(grouped));
            if title != CODE_MODE {
                let saved = i128::from(total) - i128::from(tokens.code_mode.total);
                cells.extend([signed(saved), share(saved, total)]);
            }
            table.row(cells);
        }
        let times = |what: &str, ms: &model::report::Percentiles| {
            format!("{what}: p50 {:.0} ms, p90 {:.0} ms, p99 {:.0} ms. ", ms.p50, ms.p90, ms.p99)
        };
        let mut out = format!("{table}\n{}", times("Runs", &totals.run_ms));
        if totals.calls > 0 {
            out.push_str(&times("Calls", &totals.call_ms));
        }
        if totals.cached_calls > 0 {
            let (calls, tokens) = (plural(totals.cached_calls, "call", "calls"), grouped(totals.cached_tokens));
            let _ = write!(out, "The cache answered {calls} ({tokens} tokens). ");
        }
        let _ = writeln!(out, "Answers kept out of the context: {} tokens.\n", grouped(totals.result_tokens));
        out
    }

    fn dollars(&self) -> String {
        let totals = &self.report.total;
        let Some(dollars) = &totals.dollars else { return String::new() };
        let head = ["US dollars", "every prompt in full", "saved", "with a prompt cache", "saved"];
        let mut table = Table::new(self.style, &head, 1);
        let costs = [dollars.code_mode, dollars.deferred, dollars.all_servers, dollars.needed_servers];
        let sides = sides(&totals.tokens).into_iter().zip(costs).filter(|((_, side), _)| side.turns > 0);
        for ((title, _), Cost { uncached, cached }) in sides {
            let saved = |cost: f64, ours: f64| if title == CODE_MODE { String::new() } else { money(cost - ours) };
            let (a, b) = (saved(uncached, dollars.code_mode.uncached), saved(cached, dollars.code_mode.cached));
            table.row(vec![title.to_owned(), money(uncached), a, money(cached), b]);
        }
        let title = format!("In dollars, estimated at the price of {}", self.words(&dollars.price.model));
        format!("{}{table}\n", self.heading(2, &title))
    }

    fn groups(&self) -> String {
        let SavingsReport { servers, tools, languages, fronts, tags, .. } = self.report;
        let (calls, runs) = (|title, groups| self.calls(title, groups), |title, groups| self.runs(title, groups));
        match self.request.by {
            Some(ReportBy::Server) => calls("By server", servers),
            Some(ReportBy::Tool) => calls("By tool", tools),
            Some(ReportBy::Language) => runs("By language", languages),
            Some(ReportBy::Front) => runs("By front", fronts),
            Some(ReportBy::Tag) => runs("By tag", tags),
            None => calls("By server", servers) + &calls("By tool", tools) + &runs("By language", languages),
        }
    }

    fn calls(&self, title: &str, groups: &[CallGroup]) -> String {
        let mut table = Table::new(self.style, &["calls of", "calls", "failed", "written", "answers", "p50", "p99"], 1);
        for group in groups.iter().take(self.limit()) {
            let name =
                group.tool.as_ref().map_or_else(|| group.server.clone(), |tool| format!("{}.{tool}", group.server));
            table.row(vec![
                self.words(&name),
                grouped(group.calls),
                grouped(group.failed),
                grouped(group.output_tokens),
                grouped(group.result_tokens),
                format!("{:.0} ms", group.ms.p50),
                format!("{:.0} ms", group.ms.p99),
            ]);
        }
        self.section(title, &table)
    }

    fn runs(&self, title: &str, groups: &[RunGroup]) -> String {
        let head = ["runs of", "runs", "failed", "calls", "in code mode", "by direct calls", "saved", "share"];
        let mut table = Table::new(self.style, &head, 1);
        for group in groups.iter().take(self.limit()) {
            let saved = i128::from(group.deferred) - i128::from(group.code_mode);
            let mut cells = vec![self.words(&group.key)];
            cells.extend([group.runs, group.failed, group.calls, group.code_mode, group.deferred].map(grouped));
            cells.extend([signed(saved), share(saved, group.deferred)]);
            table.row(cells);
        }
        self.section(title, &table)
    }

    fn lists(&self) -> String {
        let mut runs = Table::new(self.style, &["run", "program", "when, UTC", "status", "calls", "saved"], 4);
        for run in self.report.runs.iter().take(self.limit()) {
            let saved = run.tokens.as_ref().map_or_else(|| "-".to_owned(), |tokens| signed(tokens.saved.into()));
            let label: String = run.label.chars().take(40).collect();
            let (status, calls) = (run.status.as_str().to_owned(), grouped(run.calls.into()));
            runs.row(vec![run.run_id.to_string(), self.words(&label), minute(run.at_ms), status, calls, saved]);
        }
        let mut out = self.section("The newest runs", &runs);
        if !self.report.advice.is_empty() {
            out.push_str(&self.heading(2, "What could be done better"));
            for advice in self.report.advice.iter().take(self.limit()) {
                let _ = writeln!(out, "- {} ({} tokens)", self.words(&advice.text), grouped(advice.tokens));
                out.push_str(&self.setting(advice));
            }
            out.push('\n');
        }
        out
    }

    fn section(&self, title: &str, table: &Table) -> String {
        if table.is_empty() { String::new() } else { format!("{}{table}\n", self.heading(2, title)) }
    }

    fn heading(&self, level: usize, title: &str) -> String {
        match self.style {
            Style::Markdown => format!("{} {title}\n\n", "#".repeat(level)),
            Style::Text => format!("{title}\n"),
        }
    }

    fn strong(&self, text: &str) -> String {
        if self.style == Style::Markdown { format!("**{text}**") } else { text.to_owned() }
    }

    /// What to write to follow an advice, as lines of code under it.
    fn setting(&self, advice: &Advice) -> String {
        let Some(setting) = &advice.setting else { return String::new() };
        let lines = setting.lines().map(|line| format!("      {}\n", escape(Style::Text, line)));
        let between = if self.style == Style::Markdown { "\n" } else { "" };
        let code: String = lines.collect();
        format!("  These lines of tta.toml offer it to models beside run_code:\n{between}{code}{between}")
    }

    fn words(&self, text: &str) -> String {
        escape(self.style, text)
    }

    /// Entries of each list: as many as were asked for, else a few.
    fn limit(&self) -> usize {
        self.request.report.top.map_or(LISTED, |top| usize::try_from(top).unwrap_or(usize::MAX))
    }
}

const CODE_MODE: &str = "code mode";

fn sides(tokens: &TokenReport) -> [(&'static str, &SideTokens); 4] {
    [
        (CODE_MODE, &tokens.code_mode),
        ("direct, definitions deferred", &tokens.direct.deferred),
        ("direct, all servers", &tokens.direct.all_servers),
        ("direct, needed servers", &tokens.direct.needed_servers),
    ]
}

/// What was saved against the headline baseline, in a sentence without its full stop.
fn verdict(tokens: &TokenReport) -> String {
    if tokens.direct.deferred.total == 0 {
        return format!("Cost {} tokens, and nothing is credited to direct calling", grouped(tokens.code_mode.total));
    }
    let size = grouped(tokens.saved.unsigned_abs());
    let share = tokens.saved_percent.map(|percent| format!(" ({:.1} %)", percent.abs())).unwrap_or_default();
    if tokens.saved < 0 {
        format!("Cost {size} tokens more{share} than direct calling with deferred definitions, computed")
    } else {
        format!("Saved {size} tokens{share} against direct calling with deferred definitions, computed")
    }
}

#[expect(clippy::cast_precision_loss, reason = "a percentage needs no more than 52 bits")]
fn share(saved: i128, of: u64) -> String {
    if of == 0 { String::new() } else { format!("{:.1} %", 100.0 * saved as f64 / of as f64) }
}

#[cfg(test)]
mod tests;
