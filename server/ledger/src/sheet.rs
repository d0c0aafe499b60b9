//! An explanation for people, as Markdown that reads well on a terminal too: tables with aligned columns.

use crate::table::{Style, Table, escape};
use crate::text::{grouped, minute, plural};
use model::explain::{Explanation, SideExplanation, TurnTokens};
use model::report::Cost;
use model::tokens::SideTokens;
use std::fmt::Write;

/// Turns of a side and calls that are listed whole; of more, the first and the last.
const ROWS: usize = 24;
const ENDS: usize = 10;

/// The whole sheet.
pub(crate) fn markdown(it: &Explanation) -> String {
    let run = &it.run;
    let mut out = format!("# How the tokens of run {} were computed\n\n", run.run_id);
    let _ = writeln!(
        out,
        "**{}** · {} · {} · {} · {} UTC\n\n{}\n",
        escape(Style::Markdown, &run.label),
        run.language.as_str(),
        run.status.as_str(),
        plural(run.calls.into(), "call", "calls"),
        minute(run.at_ms),
        it.why
    );
    out.push_str(&sums(it));
    out.push_str(
        "\nP(1) = D, the tool definitions; P(t+1) = P(t) + A(t) + R(t), where the model writes A and R enters its context; \
         total = sum P + sum A. System prompt and user text are the same on both sides and left out.\n",
    );
    let mut limits = Vec::new();
    limits
        .extend(it.cap_tokens.map(|cap| format!("an answer enters the context with {} tokens at most", grouped(cap))));
    limits.extend(
        it.window_tokens.map(|tokens| format!("no prompt is larger than {} tokens, the window", grouped(tokens))),
    );
    if !limits.is_empty() {
        let _ = writeln!(out, "Bounds: {}.", limits.join("; "));
    }
    for (title, side) in sides(it) {
        out.push_str(&turns(title, side));
    }
    out.push_str(&calls(it));
    out.push_str(&dollars(it));
    out.push_str("\n## What the figures rest on\n\n");
    for (figure, label) in run.tokens.iter().flat_map(|tokens| &tokens.labels) {
        let _ = writeln!(out, "- {figure}: {label}");
    }
    for note in &it.notes {
        let _ = writeln!(out, "- note: {note}");
    }
    out
}

fn sides(it: &Explanation) -> [(&'static str, &SideExplanation); 4] {
    [
        ("code mode", &it.code_mode),
        ("direct, definitions deferred", &it.deferred),
        ("direct, all servers", &it.all_servers),
        ("direct, needed servers", &it.needed_servers),
    ]
}

fn sums(it: &Explanation) -> String {
    let mut table = Table::new(
        Style::Markdown,
        &["tokens", "definitions", "written", "results", "turns", "largest prompt", "total", "saved"],
        1,
    );
    for (title, side) in sides(it).into_iter().filter(|(_, side)| side.tokens.turns > 0) {
        let SideTokens { definitions, output, results, turns, total, peak_context, .. } = side.tokens;
        let saved = i128::from(total) - i128::from(it.code_mode.tokens.total);
        let figures = [definitions, output, results, turns.into(), peak_context, total].map(grouped);
        let mut cells = vec![title.to_owned()];
        cells.extend(figures);
        cells.push(if title == "code mode" { String::new() } else { signed(saved) });
        table.row(cells);
    }
    table.to_string()
}

fn turns(title: &str, side: &SideExplanation) -> String {
    if side.turns.is_empty() {
        return String::new();
    }
    let mut table =
        Table::new(Style::Markdown, &["turn", "what", "P prompt", "of it sent before", "A written", "R results"], 2);
    let row = |turn: &TurnTokens| {
        let compacted = if turn.compacted { " (compacted)" } else { "" };
        vec![
            turn.turn.to_string(),
            format!("{}{compacted}", escape(Style::Markdown, &turn.what)),
            grouped(turn.prompt),
            grouped(turn.cached),
            grouped(turn.output),
            grouped(turn.results),
        ]
    };
    let left_out = side.turns_left_out as usize;
    elided(&side.turns, left_out, &mut table, row, "turns");
    let SideTokens { output, total, .. } = side.tokens;
    let sum = format!("sum P {} + sum A {} = {}", grouped(total - output), grouped(output), grouped(total));
    format!("\n## {}: {sum}\n\n{table}", title[..1].to_uppercase() + &title[1..])
}

fn calls(it: &Explanation) -> String {
    if it.calls.is_empty() {
        return String::new();
    }
    let head = ["call", "tool", "wave", "written", "answer", "enters the context", "counted"];
    let mut table = Table::new(Style::Markdown, &head, 2);
    let numbered: Vec<_> = it.calls.iter().enumerate().map(|(at, call)| (at + 1, call)).collect();
    let row = |(number, call): &(usize, &model::explain::ExplainedCall)| {
        let how = match (call.repeated, call.exact) {
            (true, _) => "repeats: nothing",
            (_, true) => "measured",
            (_, false) => "estimated",
        };
        vec![
            number.to_string(),
            escape(Style::Markdown, &format!("{}.{}", call.server, call.tool)),
            call.wave.to_string(),
            grouped(call.output_tokens),
            grouped(call.result_tokens),
            grouped(call.entered_tokens),
            how.to_owned(),
        ]
    };
    elided(&numbered, usize::try_from(it.calls_left_out).unwrap_or(usize::MAX), &mut table, row, "calls");
    format!("\n## Calls\n\n{table}")
}

/// Rows for all items, or for the first and the last of many; the last are not known where some were left out before.
fn elided<T>(items: &[T], left_out: usize, table: &mut Table, row: impl Fn(&T) -> Vec<String>, noun: &str) {
    if items.len() + left_out <= ROWS {
        for item in items {
            table.row(row(item));
        }
        return;
    }
    let tail = if left_out > 0 { 0 } else { ENDS };
    for item in &items[..ENDS] {
        table.row(row(item));
    }
    let hidden = (items.len() + left_out - ENDS - tail) as u64;
    table.row(vec!["…".to_owned(), format!("{} {noun} more", grouped(hidden))]);
    items[items.len() - tail..].iter().for_each(|item| table.row(row(item)));
}

fn dollars(it: &Explanation) -> String {
    let Some(dollars) = &it.dollars else { return String::new() };
    let price = &dollars.price;
    let mut table = Table::new(Style::Markdown, &["US dollars", "every prompt in full", "with a prompt cache"], 1);
    let costs = [dollars.code_mode, dollars.deferred, dollars.all_servers, dollars.needed_servers];
    for ((title, side), Cost { uncached, cached }) in sides(it).into_iter().zip(costs) {
        if side.tokens.turns > 0 {
            table.row(vec![title.to_owned(), money(uncached), money(cached)]);
        }
    }
    let mut out = format!(
        "\n## In dollars, estimated\n\n{table}\nPrices per million tokens: input {}, output {}, read from the cache {}, written to it {}.\n\n",
        price.input, price.output, price.cache_read, price.cache_write
    );
    for (figure, label) in &dollars.labels {
        let _ = writeln!(out, "- {figure}: {}", escape(Style::Markdown, label));
    }
    out
}

/// Dollars with as many digits as a small sum needs.
pub(crate) fn money(dollars: f64) -> String {
    let size = dollars.abs();
    let sign = if dollars < 0.0 { "-" } else { "" };
    if size >= 1.0 { format!("{sign}${size:.2}") } else { format!("{sign}${size:.5}") }
}

/// A whole number with its sign.
pub(crate) fn signed(number: i128) -> String {
    let size = grouped(u64::try_from(number.unsigned_abs()).unwrap_or(u64::MAX));
    if number < 0 { format!("-{size}") } else { size }
}
