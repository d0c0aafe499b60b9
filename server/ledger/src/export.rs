//! Writes runs and calls out, part by part, so that a ledger of any size needs the memory of one part.
//!
//! JSON lines hold all that is stored and can be read in again (`import.rs`); CSV has a row for each run, for spreadsheets.
//! No content of any call is in either, because none is stored.

use crate::error::Error;
use crate::lines::{CallLine, FORM, Line, RunLine};
use crate::reader::{BASIS, basis_from, sides};
use crate::store::connect;
use model::ledger::{ExportFormat, LedgerPart};
use rusqlite::{Connection, Row, params};
use std::path::Path;
use std::sync::LazyLock;

/// Runs, and direct calls, in one part.
const ROWS_AT_ONCE: usize = 200;

pub(crate) const CALL: &str =
    "at_ms, server, tool, status, cache, wave, ms, argument_bytes, result_bytes, media, output_tokens,
    result_tokens, exact, repeated, id";
/// What [`run_line`] reads, of rows of `runs r`.
pub(crate) static RUN: LazyLock<String> = LazyLock::new(|| {
    format!(
        "run_id, conversation, at_ms, front, language, status, label, wall_ms, code_bytes, reply_bytes, encoding,
         tags, search_tokens, calls, counted, {BASIS}"
    )
});
const CSV_HEAD: &str = "run_id,at_ms,front,language,status,label,wall_ms,calls,tags,encoding,code_mode,deferred,\
    all_servers,needed_servers,saved\n";

/// The part after the one whose `next` is `after`; the first where that is absent.
pub(crate) fn part(path: &Path, format: ExportFormat, since_ms: u64, after: Option<&str>) -> Result<LedgerPart, Error> {
    let connection = connect(path, false)?;
    let lost = || Error::Request("the export cannot go on from there: begin again".to_owned());
    match after.map(|after| after.split_once(':').ok_or_else(lost)).transpose()? {
        None => {
            let head = match format {
                ExportFormat::Jsonl => format!("{}\n", json(&Line::Ledger(FORM))),
                ExportFormat::Csv => CSV_HEAD.to_owned(),
            };
            runs(&connection, format, (since_ms, ""), head)
        }
        Some(("direct", id)) => direct(&connection, since_ms, id.parse().map_err(|_| lost())?),
        Some((at_ms, run)) => runs(&connection, format, (at_ms.parse().map_err(|_| lost())?, run), String::new()),
    }
}

/// Runs after a time and an id, in the order of both.
fn runs(
    connection: &Connection,
    format: ExportFormat,
    (at_ms, run): (u64, &str),
    mut text: String,
) -> Result<LedgerPart, Error> {
    let mut statement = connection.prepare(&format!(
        "SELECT {} FROM runs r WHERE (at_ms, run_id) > (?, ?) ORDER BY at_ms, run_id LIMIT ?",
        *RUN
    ))?;
    let found: Vec<RunLine> = statement
        .query_map(params![at_ms, run, ROWS_AT_ONCE], |row| run_line(connection, row))?
        .collect::<Result<_, _>>()?;
    let next = match found.last().filter(|_| found.len() == ROWS_AT_ONCE) {
        Some(last) => Some(format!("{}:{}", last.at_ms, last.run_id)),
        None if format == ExportFormat::Jsonl => Some("direct:0".to_owned()),
        None => None,
    };
    for run in found {
        match format {
            ExportFormat::Csv => text.push_str(&csv(&run)),
            ExportFormat::Jsonl => text.push_str(&json(&Line::Run(Box::new(run)))),
        }
        text.push('\n');
    }
    Ok(LedgerPart { text, next })
}

pub(crate) fn run_line(connection: &Connection, row: &Row<'_>) -> rusqlite::Result<RunLine> {
    let run_id: String = row.get(0)?;
    let (tags, counted): (String, bool) = (row.get(11)?, row.get(14)?);
    let mut statement =
        connection.prepare_cached(&format!("SELECT {CALL} FROM calls WHERE run_id = ? ORDER BY position"))?;
    Ok(RunLine {
        sides: sides(connection, &run_id)?,
        calls: statement.query_map([&run_id], call_line)?.collect::<Result<_, _>>()?,
        run_id,
        conversation: row.get(1)?,
        at_ms: row.get(2)?,
        front: row.get(3)?,
        language: row.get(4)?,
        status: row.get(5)?,
        label: row.get(6)?,
        wall_ms: row.get(7)?,
        code_bytes: row.get(8)?,
        reply_bytes: row.get(9)?,
        encoding: row.get(10)?,
        tags: tags.lines().map(str::to_owned).collect(),
        search_tokens: row.get(12)?,
        calls_made: row.get(13)?,
        basis: if counted { Some(basis_from(row, 15)?) } else { None },
    })
}

/// Calls that fronts made by themselves, after an id.
fn direct(connection: &Connection, since_ms: u64, after: i64) -> Result<LedgerPart, Error> {
    let mut statement = connection.prepare(&format!(
        "SELECT {CALL} FROM calls WHERE run_id IS NULL AND at_ms >= ? AND id > ? ORDER BY id LIMIT ?"
    ))?;
    let mut rows = statement.query(params![since_ms, after, ROWS_AT_ONCE])?;
    let (mut text, mut found, mut last) = (String::new(), 0, after);
    while let Some(row) = rows.next()? {
        text.push_str(&json(&Line::Direct(call_line(row)?)));
        text.push('\n');
        (found, last) = (found + 1, row.get(14)?);
    }
    Ok(LedgerPart { text, next: (found == ROWS_AT_ONCE).then(|| format!("direct:{last}")) })
}

pub(crate) fn call_line(row: &Row<'_>) -> rusqlite::Result<CallLine> {
    Ok(CallLine {
        at_ms: row.get(0)?,
        server: row.get(1)?,
        tool: row.get(2)?,
        status: row.get(3)?,
        cache: row.get(4)?,
        wave: row.get(5)?,
        ms: row.get(6)?,
        argument_bytes: row.get(7)?,
        result_bytes: row.get(8)?,
        media: row.get(9)?,
        output_tokens: row.get(10)?,
        result_tokens: row.get(11)?,
        exact: row.get(12)?,
        repeated: row.get(13)?,
    })
}

fn json(line: &impl serde::Serialize) -> String {
    serde_json::to_string(line).expect("names and numbers serialise")
}

fn csv(run: &RunLine) -> String {
    let [code_mode, deferred, all_servers, needed_servers] = run.sides.each_ref().map(|side| side.total);
    let saved = i128::from(deferred) - i128::from(code_mode);
    let (label, tags) = (quoted(&run.label), quoted(&run.tags.join(" ")));
    format!(
        "{},{},{},{},{},{label},{},{},{tags},{},{code_mode},{deferred},{all_servers},{needed_servers},{saved}",
        quoted(&run.run_id),
        run.at_ms,
        quoted(&run.front),
        run.language,
        run.status,
        run.wall_ms,
        run.calls_made,
        run.encoding,
    )
}

/// A text as CSV has it. One that a spreadsheet would take for a formula gets an apostrophe, which stops that.
fn quoted(text: &str) -> String {
    let formula = text.starts_with(['=', '+', '-', '@', '\t', '\r']);
    format!("\"{}{}\"", if formula { "'" } else { "" }, text.replace('"', "\"\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_text_is_a_formula_or_leaves_its_field() {
        assert_eq!(quoted("a \"b\", c"), "\"a \"\"b\"\", c\"");
        assert_eq!(quoted("=1+1"), "\"'=1+1\"");
    }
}
