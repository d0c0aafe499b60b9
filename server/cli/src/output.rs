//! What goes to stdout and stderr, and how: results raw or as JSON, failures with line and hint, text made harmless.
//!
//! Text of programs and servers is untrusted: on a terminal its control characters are shown, not obeyed.

use crate::failure::Failure;
use model::{ErrorKind, ProgramError, RunReply};
use serde::Serialize;
use std::borrow::Cow;
use std::fmt::Write as _;
use std::io::{IsTerminal as _, Write as _};

/// Writes a line to stdout. A reader that left early is no failure.
pub(crate) fn out(text: &str) {
    let mut stdout = std::io::stdout().lock();
    let _ = stdout.write_all(text.as_bytes()).and_then(|()| stdout.write_all(b"\n")).and_then(|()| stdout.flush());
}

/// Writes one JSON object to stdout.
pub(crate) fn json(value: &impl Serialize) {
    out(&serde_json::to_string(value).expect("wire types are JSON"));
}

/// Writes a remark to stderr.
pub(crate) fn note(text: &str, quiet: bool) {
    if !quiet {
        say(&format!("tta: {}", for_stderr(text)));
    }
}

/// Writes a line to stderr.
pub(crate) fn say(text: &str) {
    let _ = writeln!(std::io::stderr().lock(), "{text}");
}

/// Reports a command's failure, as a JSON object where that was asked for. Returns the exit code.
pub(crate) fn failure(failure: &Failure, as_json: bool) -> u8 {
    if as_json {
        let error = &failure.0;
        json(&serde_json::json!({"status": error.kind.status(), "error": error}));
    } else {
        say(&describe(&failure.0, None));
    }
    failure.exit_code()
}

/// Reports a command line that clap refused, or the help and the version that it printed. Returns the exit code.
pub(crate) fn misread(error: &clap::Error) -> u8 {
    let wants_json = std::env::args().skip(1).take_while(|a| a != "--").any(|a| a == "--json");
    if error.use_stderr() && wants_json {
        let message = first_paragraph(&error.render().to_string());
        let failure = Failure::usage(message, "`tta --help` lists what there is");
        let code = failure.exit_code();
        json(&RunReply::refused(failure.0, None));
        return code;
    }
    let _ = error.print();
    u8::try_from(error.exit_code()).unwrap_or(2)
}

/// What clap says before it goes on about usage, in one line.
fn first_paragraph(text: &str) -> String {
    let lines: Vec<&str> = text.lines().map(str::trim).take_while(|line| !line.is_empty()).collect();
    lines.join(" ").trim_start_matches("error: ").to_owned()
}

/// A failure for people: message, frames, the program's line, and what to do.
pub(crate) fn describe(error: &ProgramError, program: Option<&str>) -> String {
    let (red, bold, off) = if std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none() {
        ("\x1b[31m", "\x1b[1m", "\x1b[0m")
    } else {
        ("", "", "")
    };
    let label = match error.kind {
        ErrorKind::Usage => "error".to_owned(),
        kind => format!("error[{}]", kind.as_str()),
    };
    let mut text = format!("{bold}{red}{label}{off}{bold}: {}{off}", for_stderr(&error.message));
    let excerpt = error.line.zip(program).and_then(|(line, program)| {
        program.lines().nth(usize::try_from(line).ok()?.checked_sub(1)?).map(|source| (line, source.trim()))
    });
    let traceback = error.traceback.as_deref().unwrap_or_default();
    // A traceback of Python shows the line itself.
    if let Some((line, source)) = excerpt.filter(|(_, source)| !traceback.contains(source)) {
        let _ = write!(text, "\n  {line:>4} | {}", for_stderr(source));
    }
    for line in model::reply_text::innermost(traceback, &error.message) {
        let _ = write!(text, "\n  {}", for_stderr(line));
    }
    if let Some(hint) = &error.hint {
        let _ = write!(text, "\n{bold}hint{off}: {}", for_stderr(hint));
    }
    text
}

/// A program's value as stdout gets it; `None` for null.
pub(crate) fn value(json: &str, terminal: bool) -> Option<String> {
    if json == "null" {
        return None;
    }
    let text = serde_json::from_str::<String>(json);
    Some(match (text, terminal) {
        (Ok(text), true) => visible(&text).into_owned(),
        (Ok(text), false) => text,
        (Err(_), true) => visible(&indent(json)).into_owned(),
        (Err(_), false) => json.to_owned(),
    })
}

/// Text with its control characters shown, where stdout is a terminal.
pub(crate) fn for_stdout(text: &str) -> Cow<'_, str> {
    if std::io::stdout().is_terminal() { visible(text) } else { Cow::Borrowed(text) }
}

/// Text with its control characters shown, where stderr is a terminal.
pub(crate) fn for_stderr(text: &str) -> Cow<'_, str> {
    if std::io::stderr().is_terminal() { visible(text) } else { Cow::Borrowed(text) }
}

/// Text with its control characters shown: no escape sequence of a program or server reaches the terminal.
pub(crate) fn visible(text: &str) -> Cow<'_, str> {
    let hidden = |c: char| c.is_control() && c != '\n' && c != '\t';
    if !text.contains(hidden) {
        return Cow::Borrowed(text);
    }
    Cow::Owned(text.chars().map(|c| if hidden(c) { picture(c) } else { c }).collect())
}

/// Unicode's picture of a C0 control character, a question mark for the others.
fn picture(c: char) -> char {
    match u32::from(c) {
        code @ 0..=0x1f => char::from_u32(0x2400 + code).unwrap_or('?'),
        0x7f => '\u{2421}',
        _ => '\u{fffd}',
    }
}

/// JSON on many lines. It works on the text, so that no number loses a digit on the way.
fn indent(json: &str) -> String {
    let mut out = String::with_capacity(json.len() * 2);
    let (mut depth, mut text, mut escaped) = (0_usize, false, false);
    let line = |out: &mut String, depth: usize| {
        out.push('\n');
        out.extend(std::iter::repeat_n("  ", depth));
    };
    let mut chars = json.chars().peekable();
    while let Some(c) = chars.next() {
        if text {
            text = escaped || c != '"';
            escaped = c == '\\' && !escaped;
            out.push(c);
            continue;
        }
        match c {
            '{' | '[' => {
                out.push(c);
                while chars.next_if(|c| c.is_whitespace()).is_some() {}
                if let Some(end) = chars.next_if(|c| matches!(c, '}' | ']')) {
                    out.push(end);
                } else {
                    depth += 1;
                    line(&mut out, depth);
                }
            }
            '}' | ']' => {
                depth = depth.saturating_sub(1);
                line(&mut out, depth);
                out.push(c);
            }
            ',' => {
                out.push(c);
                line(&mut out, depth);
            }
            ':' => out.push_str(": "),
            c if c.is_whitespace() => {}
            c => {
                text = c == '"';
                out.push(c);
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_raw_text_or_json_and_null_is_nothing() {
        assert_eq!(value("null", false), None);
        assert_eq!(value(r#""a\nb""#, false).as_deref(), Some("a\nb"));
        assert_eq!(value(r#"{"a":[1]}"#, false).as_deref(), Some(r#"{"a":[1]}"#));
        assert_eq!(value("12", true).as_deref(), Some("12"));
    }

    #[test]
    fn indenting_keeps_every_token() {
        let json = r#"{"a":[1,{}],"b":"x,{\"y\"}: \\","n":1180591620717411303424,"e":[]}"#;
        let want = concat!(
            "{\n  \"a\": [\n    1,\n    {}\n  ],\n  \"b\": \"x,{\\\"y\\\"}: \\\\\",\n",
            "  \"n\": 1180591620717411303424,\n  \"e\": []\n}"
        );
        assert_eq!(indent(json), want);
    }

    #[test]
    fn no_escape_sequence_reaches_a_terminal() {
        assert_eq!(visible("\x1b]52;c;x\x07\r\n\ta\u{9b}b"), "␛]52;c;x␇␍\n\ta\u{fffd}b");
        assert!(matches!(visible("plain\ttext\n"), Cow::Borrowed(_)));
        assert_eq!(value(r#""\u001b[2J""#, true).as_deref(), Some("␛[2J"));
    }

    #[test]
    fn a_refused_command_line_is_said_in_one_line() {
        let text = "error: these are missing:\n  <FILE>\n\nUsage: tta run <FILE>\n";
        assert_eq!(first_paragraph(text), "these are missing: <FILE>");
    }

    #[test]
    fn a_failure_shows_the_programs_line() {
        let mut error = ProgramError::new(ErrorKind::Exception, "NameError: x").with_hint("define x");
        error.line = Some(2);
        assert_eq!(
            describe(&error, Some("a = 1\nx + a\n")),
            "error[exception]: NameError: x\n     2 | x + a\nhint: define x"
        );
        error.line = Some(9);
        assert_eq!(describe(&error, Some("a = 1\n")), "error[exception]: NameError: x\nhint: define x");
    }
}
