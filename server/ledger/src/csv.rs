//! A report for spreadsheets: a line a run, a group where those are asked for, or a step in time where it is handed on.

use crate::text::minute;
use model::render::{RenderRequest, ReportBy};
use model::report::{CallGroup, RunGroup, SavingsReport};

/// The whole file; lines end as RFC 4180 has them.
pub(crate) fn write(report: &SavingsReport, request: &RenderRequest) -> String {
    let (head, rows) = match request.by {
        Some(ReportBy::Server) => calls(&report.servers),
        Some(ReportBy::Tool) => calls(&report.tools),
        Some(ReportBy::Language) => groups(&report.languages),
        Some(ReportBy::Front) => groups(&report.fronts),
        Some(ReportBy::Tag) => groups(&report.tags),
        None if request.share => steps(report),
        None => runs(report),
    };
    let lines = std::iter::once(head.into_iter().map(str::to_owned).collect()).chain(rows);
    lines.map(|cells: Vec<String>| cells.join(",") + "\r\n").collect()
}

type Sheet = (Vec<&'static str>, Vec<Vec<String>>);

/// The tokens of both sides, and what was saved of the hardest of direct calling.
const TOKENS: [&str; 5] = [
    "code_mode_tokens",
    "direct_deferred_tokens",
    "direct_all_servers_tokens",
    "direct_needed_servers_tokens",
    "saved_tokens",
];

/// Those figures of many runs.
fn tokens([code_mode, deferred, all_servers, needed_servers]: [u64; 4]) -> impl Iterator<Item = String> {
    let saved = i128::from(deferred) - i128::from(code_mode);
    [code_mode, deferred, all_servers, needed_servers].map(|it| it.to_string()).into_iter().chain([saved.to_string()])
}

fn runs(report: &SavingsReport) -> Sheet {
    let rows = report.runs.iter().map(|run| {
        let tokens = run.tokens.as_ref();
        let figure = |of: &dyn Fn(&model::TokenReport) -> String| tokens.map(of).unwrap_or_default();
        vec![
            run.run_id.to_string(),
            minute(run.at_ms),
            text(&run.label),
            run.language.as_str().to_owned(),
            run.status.as_str().to_owned(),
            text(&run.front),
            run.calls.to_string(),
            format!("{:.1}", run.wall_ms),
            figure(&|tokens| tokens.code_mode.total.to_string()),
            figure(&|tokens| tokens.direct.deferred.total.to_string()),
            figure(&|tokens| tokens.direct.all_servers.total.to_string()),
            figure(&|tokens| tokens.direct.needed_servers.total.to_string()),
            figure(&|tokens| tokens.saved.to_string()),
        ]
    });
    let head = ["run_id", "submitted_utc", "program", "language", "status", "front", "calls", "wall_ms"];
    (head.into_iter().chain(TOKENS).collect(), rows.collect())
}

fn calls(groups: &[CallGroup]) -> Sheet {
    let rows = groups.iter().map(|group| {
        let mut cells = vec![text(&group.server), group.tool.as_deref().map(text).unwrap_or_default()];
        let CallGroup { calls, failed, cached, output_tokens, result_tokens, result_bytes, .. } = *group;
        cells.extend(
            [calls, failed, cached, output_tokens, result_tokens, result_bytes].map(|figure| figure.to_string()),
        );
        cells.extend([group.ms.p50, group.ms.p90, group.ms.p99].map(|ms| format!("{ms:.1}")));
        cells
    });
    let head = vec![
        "server",
        "tool",
        "calls",
        "failed",
        "cached",
        "output_tokens",
        "result_tokens",
        "result_bytes",
        "p50_ms",
        "p90_ms",
        "p99_ms",
    ];
    (head, rows.collect())
}

fn groups(groups: &[RunGroup]) -> Sheet {
    let rows = groups.iter().map(|group| {
        let RunGroup { runs, failed, calls, code_mode, deferred, all_servers, needed_servers, .. } = *group;
        let sides = [code_mode, deferred, all_servers, needed_servers];
        summed(text(&group.key), [runs, failed, calls], sides)
    });
    (summed_head("key"), rows.collect())
}

fn steps(report: &SavingsReport) -> Sheet {
    let rows = report.series.iter().map(|step| {
        let sides = [step.code_mode, step.deferred, step.all_servers, step.needed_servers];
        summed(minute(step.at_ms), [step.runs, step.failed_runs, step.calls], sides)
    });
    (summed_head("from_utc"), rows.collect())
}

fn summed_head(first: &'static str) -> Vec<&'static str> {
    [first, "runs", "failed", "calls"].into_iter().chain(TOKENS).collect()
}

/// A line of many runs.
fn summed(first: String, counts: [u64; 3], sides: [u64; 4]) -> Vec<String> {
    std::iter::once(first).chain(counts.map(|it| it.to_string())).chain(tokens(sides)).collect()
}

/// Another's words as a cell: quoted where they must be, and marked as text where a spreadsheet would calculate them.
fn text(words: &str) -> String {
    let words = words.replace(|c: char| c.is_control(), " ");
    let formula = words.starts_with(['=', '+', '-', '@']);
    let words = if formula { format!("'{words}") } else { words };
    if words.contains([',', '"']) { format!("\"{}\"", words.replace('"', "\"\"")) } else { words }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_quoted_and_never_a_formula() {
        for (words, cell) in [
            ("fs", "fs"),
            ("a,b", "\"a,b\""),
            ("say \"hi\"", "\"say \"\"hi\"\"\""),
            ("=1+1", "'=1+1"),
            ("-x,y", "\"'-x,y\""),
            ("a\r\nb", "a  b"),
        ] {
            assert_eq!(text(words), cell);
        }
    }
}
