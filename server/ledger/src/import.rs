//! Reads exported lines in. A run that is there already is left as it is, so that the same file can be read twice.
//!
//! The whole file is checked before anything is written; then runs are written a few at a time, so that nobody waits long
//! for the database. Runs from before what retention gave up are left out: their sums may be there already.

use crate::error::Error;
use crate::keys::Keys;
use crate::lines::{CallLine, Line, RunLine};
use crate::rollup::Batch;
use crate::rows::{CALLS_AT_ONCE, StoredCall, insert_call, insert_sides, update_run};
use crate::store::connect;
use crate::sums::{CallKey, CallSums, DIRECT, OneCall, RunKey, RunSums};
use model::ledger::Imported;
use rusqlite::{OptionalExtension, Transaction, TransactionBehavior, params};
use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;

/// Bytes of one line, and lines of a file.
const LINE_BYTES: u64 = 64 << 20;
const LINES_MAX: usize = 20_000_000;
/// Lines written in one transaction at most.
const LINES_AT_ONCE: usize = 100;

/// Reads a file in.
pub(crate) fn import(path: &Path, file: &Path) -> Result<Imported, Error> {
    for_each_line(file, |_| Ok(()))?;
    let mut connection = connect(path, false)?;
    let (mut imported, mut waiting, mut keys) = (Imported::default(), Vec::new(), Keys::default());
    let mut calls = 0;
    let mut write = |waiting: &mut Vec<Line>| -> Result<(), Error> {
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let since: u64 = transaction.query_row("SELECT rows_since_ms FROM kept", [], |row| row.get(0))?;
        let mut sums = Batch::default();
        for line in waiting.drain(..) {
            let added = match &line {
                Line::Ledger(_) => continue,
                Line::Run(run) => run.at_ms >= since && add_run(&transaction, run, &mut sums)?,
                Line::Direct(call) => call.at_ms >= since && add_direct(&transaction, call, &mut sums)?,
            };
            let (runs, calls) = match &line {
                Line::Run(run) => (1, run.calls.len() as u64),
                _ => (0, 1),
            };
            if added {
                imported.runs += runs;
                imported.calls += calls;
            } else {
                imported.skipped += 1;
            }
        }
        sums.write(&transaction, &mut keys)?;
        Ok(transaction.commit()?)
    };
    let written = for_each_line(file, |line| {
        calls += if let Line::Run(run) = &line { run.calls.len() } else { 1 };
        waiting.push(line);
        if waiting.len() < LINES_AT_ONCE && calls < CALLS_AT_ONCE {
            return Ok(());
        }
        calls = 0;
        write(&mut waiting)
    });
    write(&mut waiting)?;
    written.map_err(|error| match error {
        // The first reading found nothing wrong.
        Error::Line { path, number, what } => Error::Changed { path, number, what },
        other => other,
    })?;
    Ok(imported)
}

/// Hands over every line of a file, each checked.
fn for_each_line(file: &Path, mut each: impl FnMut(Line) -> Result<(), Error>) -> Result<(), Error> {
    let unreadable = |source| Error::File { path: file.to_owned(), source };
    let mut reader = BufReader::new(File::open(file).map_err(unreadable)?);
    for number in 1..=LINES_MAX {
        let wrong = |what: String| Error::Line { path: file.to_owned(), number, what };
        let mut text = Vec::new();
        reader.by_ref().take(LINE_BYTES + 1).read_until(b'\n', &mut text).map_err(unreadable)?;
        if text.is_empty() {
            return if number == 1 { Err(wrong("the file is empty".to_owned())) } else { Ok(()) };
        }
        if text.len() as u64 > LINE_BYTES {
            return Err(wrong(format!("it is longer than {LINE_BYTES} bytes")));
        }
        let text = std::str::from_utf8(&text).map_err(|_| wrong("it is not UTF-8".to_owned()))?;
        each(Line::parse(text.trim_end(), number == 1).map_err(wrong)?)?;
    }
    Err(Error::Line { path: file.to_owned(), number: LINES_MAX, what: "the file has more lines than that".to_owned() })
}

/// Writes a run; whether it was not there yet.
pub(crate) fn add_run(transaction: &Transaction<'_>, run: &RunLine, sums: &mut Batch) -> rusqlite::Result<bool> {
    let added = transaction
        .prepare_cached(
            "INSERT OR IGNORE INTO runs (run_id, conversation, at_ms, front, language, status, label, wall_ms, calls,
             code_bytes, reply_bytes, encoding, tags, search_tokens) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        )?
        .execute(params![
            run.run_id,
            run.conversation,
            run.at_ms,
            run.front,
            run.language,
            run.status,
            run.label,
            run.wall_ms,
            run.calls_made,
            run.code_bytes,
            run.reply_bytes,
            run.encoding,
            run.tags.join("\n"),
            run.search_tokens,
        ])?;
    if added == 0 {
        return Ok(false);
    }
    for tag in &run.tags {
        transaction
            .prepare_cached("INSERT OR IGNORE INTO run_tags VALUES (?, ?, ?)")?
            .execute(params![tag, run.at_ms, run.run_id])?;
    }
    let Some(basis) = &run.basis else { return Ok(true) };
    update_run(transaction, &run.run_id, basis, run.search_tokens)?;
    insert_sides(transaction, &run.run_id, &run.sides)?;
    let key = RunKey {
        language: run.language.clone(),
        front: run.front.clone(),
        status: run.status.clone(),
        encoding: run.encoding.clone(),
    };
    let mut calls = Vec::with_capacity(run.calls.len());
    for (position, call) in run.calls.iter().enumerate() {
        insert_call(transaction, Some(&run.run_id), call.at_ms, position, stored(call))?;
        calls.push(call_sums(call, &run.language, &run.status));
    }
    let one = RunSums::of_one(&run.sides, basis.estimated, run.calls_made, run.wall_ms);
    let one = RunSums { searches: u64::from(basis.discoveries), search_tokens: run.search_tokens, ..one };
    sums.add_run(run.at_ms, &key, &run.tags, &one, &calls);
    sums.count(&one);
    Ok(true)
}

/// Writes a call of a front; whether it was not there yet.
pub(crate) fn add_direct(transaction: &Transaction<'_>, call: &CallLine, sums: &mut Batch) -> rusqlite::Result<bool> {
    let known = transaction
        .prepare_cached(
            "SELECT 1 FROM calls INDEXED BY calls_direct WHERE run_id IS NULL AND at_ms = ? AND server = ? AND tool = ?
             AND ms = ?",
        )?
        .query_row(params![call.at_ms, call.server, call.tool, call.ms], |_| Ok(()))
        .optional()?;
    if known.is_some() {
        return Ok(false);
    }
    insert_call(transaction, None, call.at_ms, 0, stored(call))?;
    let (key, one) = call_sums(call, "", DIRECT);
    sums.add_direct(call.at_ms, key, &one);
    Ok(true)
}

fn stored(call: &CallLine) -> StoredCall<'_> {
    StoredCall {
        server: &call.server,
        tool: &call.tool,
        status: &call.status,
        cache: &call.cache,
        wave: call.wave,
        ms: call.ms,
        argument_bytes: call.argument_bytes,
        result_bytes: call.result_bytes,
        media: call.media,
        output_tokens: call.output_tokens,
        result_tokens: call.result_tokens,
        exact: call.exact,
        repeated: call.repeated,
    }
}

fn call_sums(call: &CallLine, language: &str, run_status: &str) -> (CallKey, CallSums) {
    let key = CallKey {
        server: call.server.clone(),
        tool: call.tool.clone(),
        language: language.to_owned(),
        run_status: run_status.to_owned(),
    };
    let CallLine { output_tokens, result_tokens, result_bytes, ms, .. } = *call;
    let (status, cache) = (call.status.as_str(), call.cache.as_str());
    (key, CallSums::of_one(OneCall { status, cache, output_tokens, result_tokens, result_bytes, ms }))
}
