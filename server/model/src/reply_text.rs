//! The text a model reads: what the MCP front sends, and so what the ledger counts.
//!
//! Short, and bounded whatever the program did: a result is cut before it gets here, a traceback here. No ledger
//! chatter: a receipt is for people, and every token of it would be paid by the model.

use crate::error::ProgramError;
use crate::reply::{RunReply, SearchReply};
use crate::request::Detail;
use std::fmt::Write as _;

/// Lines of a traceback that are kept: the innermost, and with them the program's own.
const TRACEBACK_LINES_MAX: usize = 12;

/// Bytes of one line of a traceback, and of a message.
const LINE_BYTES_MAX: usize = 2_000;

/// Says what a program is missing that gave nothing back at all.
const NOTHING: &str = "null (no result: end with an expression, or assign `result` / `export default`)";

/// The answer to a program: its result, or why it failed; then what it printed; then what was cut.
///
/// A result that is text stands there as text, every other as JSON.
pub fn reply_text(reply: &RunReply) -> String {
    let mut out = match &reply.error {
        Some(error) => error_text(error),
        None => result_text(reply),
    };
    for (name, printed) in [("stdout", &reply.stdout), ("stderr", &reply.stderr)] {
        let printed = printed.trim_end();
        if printed.is_empty() {
            continue;
        }
        // A program that only prints has its printing for a result, without a headline.
        if !out.is_empty() {
            let _ = write!(out, "\n--- {name}\n");
        }
        out.push_str(printed);
    }
    for cut in &reply.truncated {
        let _ = write!(out, "\n[{} cut: {} of {} bytes shown", cut.what, cut.kept_bytes, cut.total_bytes);
        if let Some(artifact) = &cut.artifact {
            let _ = write!(out, "; all of it: {artifact}");
        }
        out.push(']');
    }
    out
}

/// The answer to a search: the stubs, best first, then what was left out.
pub fn search_text(reply: &SearchReply) -> String {
    let mut out = String::new();
    for hit in &reply.hits {
        if reply.detail == Detail::Name || hit.stub.is_empty() {
            let _ = writeln!(out, "{}: {}", hit.path, hit.summary);
        } else {
            let _ = writeln!(out, "{}", hit.stub.trim_end());
        }
    }
    let left = reply.matched.saturating_sub(reply.hits.len());
    if reply.searched == 0 {
        out.push_str("There are no tools: no MCP server is configured here, or none answered.\n");
    } else if reply.hits.is_empty() {
        let _ = writeln!(out, "No tool matches, of {}. Try other words; an empty query lists all.", reply.searched);
    } else if left > 0 {
        let _ = writeln!(out, "[{left} more match: narrow the query or raise `limit`]");
    }
    for why in &reply.unavailable {
        let _ = writeln!(out, "[not searched: {why}]");
    }
    out.truncate(out.trim_end().len());
    out
}

/// A failure, with its line, the program's own frames, and what to do.
pub fn error_text(error: &ProgramError) -> String {
    let mut out = format!("error[{}]", error.kind.as_str());
    if let Some(line) = error.line {
        let _ = write!(out, " at line {line}");
    }
    let _ = write!(out, ": {}", clip(&error.message));
    if let Some(traceback) = &error.traceback {
        for line in innermost(traceback, &error.message) {
            let _ = write!(out, "\n{}", clip(line));
        }
    }
    if let Some(hint) = &error.hint {
        let _ = write!(out, "\nhint: {hint}");
    }
    out
}

/// The result alone: empty where the program only printed.
fn result_text(reply: &RunReply) -> String {
    let json = reply.result.as_ref().map_or("null", |r| r.get());
    match json {
        "null" if reply.stdout.is_empty() && reply.stderr.is_empty() => NOTHING.to_owned(),
        "null" => String::new(),
        _ => serde_json::from_str::<String>(json).unwrap_or_else(|_| json.to_owned()),
    }
}

/// The last lines of a traceback: its frames, without the headline, and without a last line that repeats the message.
pub fn innermost<'a>(traceback: &'a str, message: &str) -> impl Iterator<Item = &'a str> {
    let mut lines: Vec<&str> = traceback.trim_end().lines().collect();
    // The same failure may stand there under a longer name: `package.Error: …` for `Error: …`.
    let what = message.split_once(": ").map_or(message, |(_, what)| what);
    if lines.last().is_some_and(|last| last.ends_with(what)) {
        lines.pop();
    }
    if lines.first().is_some_and(|first| first.starts_with("Traceback (")) {
        lines.remove(0);
    }
    let skip = lines.len().saturating_sub(TRACEBACK_LINES_MAX);
    lines.into_iter().skip(skip)
}

/// At most [`LINE_BYTES_MAX`] bytes, at a character's end.
fn clip(text: &str) -> &str {
    &text[..text.floor_char_boundary(LINE_BYTES_MAX)]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{ErrorKind, Truncation, tool::ToolHit};
    use expect_test::{Expect, expect};
    use serde_json::value::RawValue;

    fn ok(result: &str, stdout: &str) -> RunReply {
        RunReply {
            error: None,
            result: RawValue::from_string(result.to_owned()).ok(),
            stdout: stdout.to_owned(),
            ..RunReply::refused(ProgramError::new(ErrorKind::Fault, ""), None)
        }
    }

    fn check(reply: &RunReply, want: &Expect) {
        want.assert_eq(&reply_text(reply));
    }

    #[test]
    fn a_result_is_json_and_text_is_text() {
        check(&ok(r#"{"a":[1,2]}"#, ""), &expect![[r#"{"a":[1,2]}"#]]);
        check(&ok(r#""two\nlines""#, ""), &expect!["two\nlines"]);
    }

    #[test]
    fn printing_follows_the_result_or_stands_for_it() {
        check(&ok("3", "hello\n"), &expect!["3\n--- stdout\nhello"]);
        check(&ok("null", "hello\n"), &expect!["hello"]);
        check(
            &ok("null", ""),
            &expect!["null (no result: end with an expression, or assign `result` / `export default`)"],
        );
    }

    #[test]
    fn what_was_cut_is_said() {
        let mut reply = ok("[1]", "");
        let cut =
            Truncation { what: "result".into(), kept_bytes: 10, total_bytes: 99, artifact: Some("a1.json".into()) };
        reply.truncated.push(cut);
        check(&reply, &expect!["[1]\n[result cut: 10 of 99 bytes shown; all of it: a1.json]"]);
    }

    #[test]
    fn an_error_has_its_line_its_frames_and_a_hint() {
        let mut error =
            ProgramError::new(ErrorKind::Exception, "ZeroDivisionError: division by zero").with_hint("check n");
        error.line = Some(2);
        let frames = "Traceback (most recent call last):\n  main.py, line 4\n  main.py, line 2, in f\n";
        error.traceback = Some(format!("{frames}math.ZeroDivisionError: division by zero\n"));
        check(
            &RunReply::refused(error, None),
            &expect![[r"
                error[exception] at line 2: ZeroDivisionError: division by zero
                  main.py, line 4
                  main.py, line 2, in f
                hint: check n"]],
        );
    }

    #[test]
    fn a_long_traceback_and_a_long_message_are_bounded() {
        let mut error = ProgramError::new(ErrorKind::Stack, "é".repeat(5_000));
        error.traceback = Some("frame\n".repeat(10_000));
        assert!(reply_text(&RunReply::refused(error, None)).len() < LINE_BYTES_MAX + 200);
    }

    #[test]
    fn a_search_lists_stubs_and_what_is_left() {
        let hit = |tool: &str, stub: &str| ToolHit {
            kind: crate::tool::HitKind::Tool,
            server: "fs".into(),
            tool: tool.into(),
            path: format!("fs.{tool}"),
            summary: "Reads.".into(),
            stub: stub.into(),
            score: 1.0,
        };
        let mut reply = SearchReply {
            hits: vec![hit("read", "fs.read(path: str) -> str  # Reads.\n"), hit("stat", "")],
            matched: 5,
            searched: 40,
            unavailable: vec!["git: it did not start".into()],
            ..SearchReply::default()
        };
        let want = expect![[r"
            fs.read(path: str) -> str  # Reads.
            fs.stat: Reads.
            [3 more match: narrow the query or raise `limit`]
            [not searched: git: it did not start]"]];
        want.assert_eq(&search_text(&reply));
        reply = SearchReply { searched: 40, ..SearchReply::default() };
        let want = expect!["No tool matches, of 40. Try other words; an empty query lists all."];
        want.assert_eq(&search_text(&reply));
        let want = expect!["There are no tools: no MCP server is configured here, or none answered."];
        want.assert_eq(&search_text(&SearchReply::default()));
    }
}
