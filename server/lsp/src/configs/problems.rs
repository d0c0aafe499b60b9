//! What is wrong in configuration files: of open ones as they stand in the editor, of others as the daemon read them.

use super::ConfigFile;
use daemon::Daemon;
use model::{Problem, Severity};
use std::collections::BTreeMap;
use std::path::PathBuf;
use tower_lsp::ls_types::{Diagnostic, DiagnosticSeverity, Position, Range};

/// Problems of all files together that are shown.
const PROBLEMS_MAX: usize = 1_000;

/// Of an open file.
pub(crate) fn diagnostics(file: &ConfigFile<'_>) -> Vec<Diagnostic> {
    let document = file.document;
    let problems = file.inspection.problems.iter().take(PROBLEMS_MAX);
    let range = |problem: &Problem| {
        let start = document.offset(start(problem));
        document.range(start..start + word(&document.text()[start..]))
    };
    problems.map(|problem| diagnostic(problem, range(problem))).collect()
}

/// Of all files that the daemon has read.
pub(crate) fn elsewhere(daemon: &Daemon) -> BTreeMap<PathBuf, Vec<Diagnostic>> {
    let mut files: BTreeMap<_, Vec<_>> = BTreeMap::new();
    let servers = daemon.servers().into_iter().flat_map(|status| status.problems);
    for problem in daemon.problems().into_iter().chain(servers).take(PROBLEMS_MAX) {
        let at = start(&problem);
        files.entry(problem.file.clone()).or_default().push(diagnostic(&problem, Range::new(at, at)));
    }
    files
}

fn start(problem: &Problem) -> Position {
    Position::new(problem.line.saturating_sub(1), problem.column.saturating_sub(1))
}

/// The bytes of the word that a text starts with: what is in quotes, or up to the next mark.
fn word(text: &str) -> usize {
    let line = text.lines().next().unwrap_or_default();
    match line.chars().next() {
        Some(quote @ ('"' | '\'')) => line[1..].find(quote).map_or(line.len(), |end| end + 2),
        Some(first) => {
            line.find(|c: char| c.is_whitespace() || ",]}=:".contains(c)).unwrap_or(line.len()).max(first.len_utf8())
        }
        None => 0,
    }
}

fn diagnostic(problem: &Problem, range: Range) -> Diagnostic {
    let severity = match problem.severity {
        Severity::Error => DiagnosticSeverity::ERROR,
        Severity::Warning => DiagnosticSeverity::WARNING,
        Severity::Info => DiagnosticSeverity::INFORMATION,
    };
    Diagnostic {
        range,
        severity: Some(severity),
        source: Some("tta".to_owned()),
        message: format!("{}\n{}", problem.message, problem.hint).trim_end().to_owned(),
        ..Diagnostic::default()
    }
}
