//! What a server asks in the middle of a call, put to the person at this terminal: a form field by field, or a page.
//!
//! Invariants: who asks is named before its words, which stand apart in every line; nothing is sent before a yes at the
//! end; a page is never opened from here. An end of input leaves the question; so does whoever asked, at any time.

use crate::output::{say, visible};
use model::ask::{Choice, ElicitReply, ElicitRequest, Field, FieldKind};
use serde_json::{Map, Value};
use std::io::{BufRead as _, Write as _};
use std::sync::OnceLock;
use tokio::sync::{Mutex, mpsc};

/// Characters that are shown of a message, and of a field's texts.
const MESSAGE_CHARS: usize = 4_000;
const TEXT_CHARS: usize = 300;

/// What is typed, line by line; one question at a time reads it.
static TYPED: OnceLock<Mutex<mpsc::Receiver<String>>> = OnceLock::new();

/// Asks; dropping the future withdraws the question.
pub(crate) async fn ask(request: ElicitRequest) -> ElicitReply {
    let typed = TYPED.get_or_init(|| Mutex::new(typed()));
    let mut person = Person { typed: typed.lock().await };
    // What was typed before has nothing to do with this question.
    while person.typed.try_recv().is_ok() {}
    let is_page = matches!(request, ElicitRequest::Url { .. });
    let mut withdrawn =
        Withdrawn(Some(if is_page { "the page is no longer waited for" } else { "the question was withdrawn" }));
    let reply = person.answer(&request).await.unwrap_or(ElicitReply::Cancel);
    withdrawn.0 = None;
    if reply == ElicitReply::Cancel {
        say("tta: the question is left without an answer");
    }
    reply
}

/// Reads stdin from now on. A thread, as a read that is under way cannot be given up.
fn typed() -> mpsc::Receiver<String> {
    let (lines, typed) = mpsc::channel(1);
    std::thread::spawn(move || {
        for line in std::io::stdin().lock().lines() {
            if line.is_err() || line.is_ok_and(|line| lines.blocking_send(line).is_err()) {
                return;
            }
        }
    });
    typed
}

/// Says that nobody waits for the answer any more, unless it came.
struct Withdrawn(Option<&'static str>);

impl Drop for Withdrawn {
    fn drop(&mut self) {
        if let Some(why) = self.0 {
            say("");
            say(&format!("tta: {why}"));
        }
    }
}

struct Person<'a> {
    typed: tokio::sync::MutexGuard<'a, mpsc::Receiver<String>>,
}

impl Person<'_> {
    /// The answer; `None` where the input ends or nothing is said.
    async fn answer(&mut self, request: &ElicitRequest) -> Option<ElicitReply> {
        let (message, fields) = match request {
            ElicitRequest::Form { message, fields, .. } => (message, fields.as_slice()),
            ElicitRequest::Url { message, .. } => (message, [].as_slice()),
        };
        say("");
        say(&format!("The MCP server `{}` asks you:", plain(request.server(), TEXT_CHARS)));
        for line in cut(message, MESSAGE_CHARS).lines() {
            say(&format!("  | {}", plain(line, MESSAGE_CHARS)));
        }
        if let ElicitRequest::Url { url, awaited, .. } = request {
            return self.page(url, *awaited).await;
        }
        if !self.is_yes("Answer it? [y/n] ").await? {
            return Some(ElicitReply::Decline);
        }
        let mut content = Map::new();
        for field in fields {
            if let Some(value) = self.field(field).await? {
                content.insert(field.name.clone(), value);
            }
        }
        if !fields.is_empty() && !self.is_yes("Send it? [y/n] ").await? {
            return Some(ElicitReply::Decline);
        }
        Some(ElicitReply::Accept { content })
    }

    async fn page(&mut self, url: &str, awaited: bool) -> Option<ElicitReply> {
        say("It wants you to open this page yourself, in a browser on this machine:");
        say(&format!("  {}", plain(url, url.len())));
        say(&format!("It is a page of {}.", host(url)));
        if awaited {
            say("It waits until you have done there what it wants, and may notice by itself that you have.");
        }
        let yes = self.is_yes(if awaited { "Are you done there? [y/n] " } else { "Did you open it? [y/n] " }).await?;
        Some(if yes { ElicitReply::Accept { content: Map::new() } } else { ElicitReply::Decline })
    }

    /// One value; nothing where the field is left out.
    async fn field(&mut self, field: &Field) -> Option<Option<Value>> {
        let (FieldKind::Choice { options, .. } | FieldKind::Choices { options, .. }) = &field.kind else {
            return self.value(field, &[]).await;
        };
        for (n, option) in options.iter().enumerate() {
            say(&format!("  {}) {}", n + 1, plain(&option.title, TEXT_CHARS)));
        }
        self.value(field, options).await
    }

    async fn value(&mut self, field: &Field, options: &[Choice]) -> Option<Option<Value>> {
        let default = field.default_value();
        if let Some(description) = &field.description {
            say(&format!("  {}", plain(description, TEXT_CHARS)));
        }
        let prompt = prompt(field, options, default.as_ref());
        loop {
            let typed = self.line(&prompt).await?;
            let typed = typed.trim();
            let read = match (typed.is_empty(), &default) {
                (true, Some(default)) => Ok(default.clone()),
                (true, None) if !field.required => return Some(None),
                (true, None) => Err("it is required".to_owned()),
                (false, _) => Ok(read(field, options, typed)),
            };
            match read.and_then(|value| field.check(&value).map(|()| value)) {
                Ok(value) => return Some(Some(value)),
                Err(why) => say(&format!("  {why}")),
            }
        }
    }

    /// Yes or no; `None` where nothing is said.
    async fn is_yes(&mut self, question: &str) -> Option<bool> {
        loop {
            match self.line(question).await?.trim().to_ascii_lowercase().as_str() {
                "y" | "yes" => return Some(true),
                "n" | "no" => return Some(false),
                "" => return None,
                _ => say("  y for yes, n for no, nothing to leave the question"),
            }
        }
    }

    async fn line(&mut self, prompt: &str) -> Option<String> {
        let mut stderr = std::io::stderr();
        let _ = stderr.write_all(prompt.as_bytes()).and_then(|()| stderr.flush());
        self.typed.recv().await
    }
}

fn prompt(field: &Field, options: &[Choice], default: Option<&Value>) -> String {
    let wanted = match &field.kind {
        FieldKind::Text { .. } => "text",
        FieldKind::Number { whole: true, .. } => "whole number",
        FieldKind::Number { .. } => "number",
        FieldKind::Boolean { .. } => "yes or no",
        FieldKind::Choice { .. } => "one of the numbers",
        FieldKind::Choices { .. } => "numbers, apart by commas",
    };
    let need = if field.required { ", required" } else { "" };
    let default = default.map(|value| format!(" [{}]", shown(value, options))).unwrap_or_default();
    format!("{} ({wanted}{need}){default}: ", plain(field.label(), TEXT_CHARS))
}

/// A default as it would be typed.
fn shown(value: &Value, options: &[Choice]) -> String {
    let number = |value: &Value| {
        let at = options.iter().position(|option| value.as_str() == Some(&option.value));
        at.map(|at| (at + 1).to_string())
    };
    match value {
        Value::Array(values) => values.iter().filter_map(number).collect::<Vec<_>>().join(","),
        Value::Bool(yes) => if *yes { "yes" } else { "no" }.to_owned(),
        Value::String(text) => number(value).unwrap_or_else(|| plain(text, TEXT_CHARS)),
        other => other.to_string(),
    }
}

/// What was typed as the field's value; whether it fits is for the field to say.
fn read(field: &Field, options: &[Choice], typed: &str) -> Value {
    let chosen = |typed: &str| {
        let typed = typed.trim();
        let by_number = typed.parse::<usize>().ok().and_then(|n| options.get(n.checked_sub(1)?));
        let option = by_number.or_else(|| options.iter().find(|o| o.value == typed || o.title == typed));
        option.map_or_else(|| typed.into(), |option| Value::from(option.value.as_str()))
    };
    match &field.kind {
        FieldKind::Text { .. } => typed.into(),
        FieldKind::Number { whole: true, .. } => typed.parse::<i64>().map_or_else(|_| typed.into(), Value::from),
        FieldKind::Number { .. } => typed.parse::<f64>().map_or_else(|_| typed.into(), Value::from),
        FieldKind::Boolean { .. } => match typed.to_ascii_lowercase().as_str() {
            "y" | "yes" | "true" => true.into(),
            "n" | "no" | "false" => false.into(),
            other => other.into(),
        },
        FieldKind::Choice { .. } => chosen(typed),
        FieldKind::Choices { .. } => {
            let mut values: Vec<Value> = typed.split(',').filter(|part| !part.trim().is_empty()).map(chosen).collect();
            values.dedup();
            values.into()
        }
    }
}

/// Where a page is: what stands between the scheme and the path.
fn host(url: &str) -> String {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    plain(&rest[..rest.find(['/', '?', '#']).unwrap_or(rest.len())], TEXT_CHARS)
}

fn cut(text: &str, chars: usize) -> &str {
    text.char_indices().nth(chars).map_or(text, |(at, _)| &text[..at])
}

/// One line of a server's words, with nothing in it that a terminal obeys or that changes how the rest reads.
fn plain(text: &str, chars: usize) -> String {
    let unseen = |c: char| matches!(c, '\n' | '\t' | '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}');
    let one_line: String = cut(text, chars).chars().map(|c| if unseen(c) { ' ' } else { c }).collect();
    visible(&one_line).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn field(kind: &Value) -> Field {
        serde_json::from_value(json!({"name": "f", "required": true, "kind": kind})).expect("a field")
    }

    fn options() -> Vec<Choice> {
        ["red", "green"].map(|c| Choice { value: c.to_owned(), title: c.to_uppercase() }).to_vec()
    }

    #[test]
    fn what_is_typed_becomes_the_fields_value_or_is_refused_by_it() {
        let choice = json!({"type": "choice", "options": options()});
        let choices = json!({"type": "choices", "options": options(), "default": [], "most": 1});
        for (kind, typed, value) in [
            (json!({"type": "text"}), "a b", Ok(json!("a b"))),
            (json!({"type": "text", "format": "email"}), "nobody", Err("an e-mail address is wanted")),
            (json!({"type": "number", "whole": true, "least": 2.0}), "7", Ok(json!(7))),
            (json!({"type": "number", "whole": true}), "7.5", Err("a number is wanted")),
            (json!({"type": "number", "whole": false, "most": 2.0}), "2.5", Err("at most 2")),
            (json!({"type": "boolean"}), "Yes", Ok(json!(true))),
            (json!({"type": "boolean"}), "perhaps", Err("yes or no is wanted")),
            (choice.clone(), "2", Ok(json!("green"))),
            (choice.clone(), "RED", Ok(json!("red"))),
            (choice, "3", Err("it is none of the values to choose from")),
            (choices.clone(), "1", Ok(json!(["red"]))),
            (choices, "1, 2", Err("at most 1 of them")),
        ] {
            let field = field(&kind);
            let read = read(&field, &options(), typed);
            let checked = field.check(&read).map(|()| read);
            assert_eq!(checked.as_ref().map_err(String::as_str), value.as_ref().map_err(|e| *e), "{kind} {typed}");
        }
    }

    #[test]
    fn a_prompt_shows_the_default_as_it_would_be_typed() {
        let kind = json!({"type": "choices", "options": options(), "default": ["green"]});
        let field = field(&kind);
        let prompt = prompt(&field, &options(), field.default_value().as_ref());
        assert_eq!(prompt, "f (numbers, apart by commas, required) [2]: ");
    }

    #[test]
    fn a_servers_words_move_nothing_on_the_screen() {
        assert_eq!(plain("a\u{1b}[2J\u{202e}b\nc", 100), "a␛[2J b c");
        assert_eq!(plain("äöü", 2), "äö");
        assert_eq!(host("https://good.example:8443/a@evil"), "good.example:8443");
    }
}
