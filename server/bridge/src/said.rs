//! What a server says in log messages (`notifications/message`), on their way into its log.
//!
//! Taken off the transport like progress, so that no call waits for it: a message is put down here as one line, and
//! `stderr::drain` writes it beside what the server prints.
//!
//! Bounded: the lines that wait, how often they are fetched, and each one's length. What was too much is counted, and the
//! count is written in its place. Secrets are taken out before a line is cut.

#![expect(deprecated, reason = "the newest protocol drops logging; today's servers say in it what they do not print")]

use crate::connection::Connection;
use crate::eras::Era;
use crate::progress::Progress;
use crate::redact::Redactor;
use rmcp::model::{
    ClientRequest, CustomNotification, LoggingLevel, RequestMetaObject, ServerCapabilities, ServerNotification,
    SetLevelRequest, SetLevelRequestParams,
};
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};
use std::borrow::Cow;
use std::collections::VecDeque;
use std::fmt::Write as _;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::Notify;
use tokio::time::{Instant, sleep_until, timeout};

/// How the protocol calls a log message.
pub(crate) const METHOD: &str = "notifications/message";
/// Lines that wait to be written.
const WAITING_MAX: usize = 100;
/// Between two times that they are fetched.
const PAUSE: Duration = Duration::from_millis(500);
/// Bytes of a line, and of the data that is looked at for it.
const LINE_BYTES: usize = 4 << 10;
const DATA_BYTES: usize = 64 << 10;

/// The lines of one connection that are not written yet.
#[derive(Debug)]
pub(crate) struct Said {
    redactor: Redactor,
    waiting: Mutex<Waiting>,
    told: Notify,
}

#[derive(Debug)]
struct Waiting {
    lines: VecDeque<String>,
    left_out: u64,
    /// When they may be fetched again.
    due: Instant,
    /// Nothing more will be said.
    is_over: bool,
}

impl Said {
    pub(crate) fn new(redactor: Redactor) -> Arc<Self> {
        let waiting = Waiting { lines: VecDeque::new(), left_out: 0, due: Instant::now(), is_over: false };
        Arc::new(Self { redactor, waiting: Mutex::new(waiting), told: Notify::new() })
    }

    /// Takes a message with its parameters, which are looked at only where there is room for one more.
    fn take(&self, params: impl FnOnce() -> Option<Value>) {
        let mut waiting = self.waiting();
        if waiting.lines.len() == WAITING_MAX {
            waiting.left_out += 1;
            return;
        }
        let Some(line) = params().and_then(|params| line(&params, &self.redactor)) else { return };
        waiting.lines.push_back(line);
        self.told.notify_one();
    }

    /// The next lines, each with its line feed; `None` once all was said. Nothing is lost where it is dropped.
    pub(crate) async fn next(&self) -> Option<String> {
        loop {
            let due = {
                let mut waiting = self.waiting();
                if waiting.lines.is_empty() && waiting.is_over {
                    return None;
                }
                if !waiting.lines.is_empty() && (waiting.is_over || waiting.due <= Instant::now()) {
                    return Some(waiting.fetch());
                }
                (!waiting.lines.is_empty()).then_some(waiting.due)
            };
            match due {
                None => self.told.notified().await,
                Some(due) => tokio::select! {
                    () = sleep_until(due) => {}
                    () = self.told.notified() => {}
                },
            }
        }
    }

    fn end(&self) {
        self.waiting().is_over = true;
        self.told.notify_one();
    }

    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Waiting {
    fn fetch(&mut self) -> String {
        self.due = Instant::now() + PAUSE;
        let mut text: String = self.lines.drain(..).map(|line| line + "\n").collect();
        let left_out = std::mem::take(&mut self.left_out);
        if left_out > 0 {
            let _ = writeln!(text, "({left_out} more log messages came too fast, and are not kept)");
        }
        text
    }
}

/// The end at which messages come in; when it is dropped, all was said.
#[derive(Debug)]
pub(crate) struct Mouth(pub(crate) Arc<Said>);

impl Mouth {
    /// Takes a log message; gives back whatever else it is.
    pub(crate) fn take(&self, notification: ServerNotification) -> Option<ServerNotification> {
        match notification {
            ServerNotification::LoggingMessageNotification(said) => {
                self.0.take(|| serde_json::to_value(said.params).ok());
            }
            ServerNotification::CustomNotification(said) if said.method == METHOD => self.0.take(|| said.params),
            other => return Some(other),
        }
        None
    }
}

impl Drop for Mouth {
    fn drop(&mut self) {
        self.0.end();
    }
}

/// The log message in `text`, which names that method. Its data is not made a tree of, however large it is, and its level
/// may be one that the protocol does not know.
pub(crate) fn read(text: &str) -> Option<ServerNotification> {
    #[derive(Deserialize)]
    struct Message<'a> {
        #[serde(borrow)]
        params: Params<'a>,
    }
    #[derive(Deserialize)]
    struct Params<'a> {
        #[serde(borrow)]
        level: Cow<'a, str>,
        #[serde(borrow, default)]
        logger: Option<Cow<'a, str>>,
        #[serde(borrow)]
        data: &'a RawValue,
    }
    let Params { level, logger, data } = serde_json::from_str::<Message<'_>>(text).ok()?.params;
    let data: Cow<'_, str> = serde_json::from_str(data.get()).map_or(data.get().into(), Cow::<str>::Owned);
    let params = json!({"level": level, "logger": logger, "data": up_to(&data, DATA_BYTES)});
    Some(ServerNotification::CustomNotification(CustomNotification::new(METHOD, Some(params))))
}

/// `level logger: data` as one line.
fn line(params: &Value, redactor: &Redactor) -> Option<String> {
    let level = params.get("level")?.as_str()?;
    let logger = params.get("logger").and_then(Value::as_str).map(|logger| format!(" {logger}")).unwrap_or_default();
    let data = match params.get("data")? {
        Value::String(data) => Cow::from(data),
        data => data.to_string().into(),
    };
    let text = redactor.clean(&format!("{level}{logger}: {}", up_to(&data, DATA_BYTES)));
    let kept = up_to(&text, LINE_BYTES);
    let mut line = String::with_capacity(kept.len());
    for c in kept.trim_end().chars() {
        if is_unseen(c) { line.extend(c.escape_default()) } else { line.push(c) }
    }
    if kept.len() < text.len() {
        line.push('…');
    }
    Some(line)
}

/// Whether it would break the line, or change how the rest of it looks.
fn is_unseen(c: char) -> bool {
    let moves = matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}');
    moves || (c.is_control() && c != '\t')
}

fn up_to(text: &str, bytes: usize) -> &str {
    &text[..text.floor_char_boundary(bytes)]
}

/// What a server is asked to say: more of it where we ourselves do.
fn level() -> LoggingLevel {
    if tracing::enabled!(tracing::Level::DEBUG) { LoggingLevel::Debug } else { LoggingLevel::Info }
}

/// What each request tells a stateless server of it, where that has something to say.
pub(crate) fn meta(era: Era, capabilities: Option<&ServerCapabilities>) -> Option<RequestMetaObject> {
    let logs = capabilities.is_some_and(|all| all.logging.is_some());
    (era == Era::Stateless && logs).then(|| {
        let mut meta = RequestMetaObject::new();
        meta.set_log_level(level());
        meta
    })
}

/// Tells it to a server of the other eras. Nothing waits for it, and one that refuses says what it likes.
pub(crate) async fn set_level(connection: Arc<Connection>, limit: Duration) {
    if connection.era == Era::Stateless || !connection.offers(|all| all.logging.is_some()) {
        return;
    }
    let request = ClientRequest::SetLevelRequest(SetLevelRequest::new(SetLevelRequestParams::new(level())));
    let unheard = Progress::default();
    let told = tokio::select! {
        () = connection.stop.cancelled() => return,
        told = timeout(limit, connection.request(request, &unheard)) => told,
    };
    if let Ok(Err(error)) = told {
        tracing::debug!(server = connection.server(), %error, "it takes no level of log messages");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures::FutureExt as _;

    fn read_line(params: &str) -> Option<String> {
        let said = read(&format!(r#"{{"jsonrpc":"2.0","method":"{METHOD}","params":{params}}}"#))?;
        let ServerNotification::CustomNotification(said) = said else { panic!("kept as it came") };
        line(&said.params?, &Redactor::default())
    }

    #[test]
    fn a_message_is_one_line_whatever_is_in_it() {
        for (params, expected) in [
            (r#"{"level":"info","data":"started"}"#, Some("info: started")),
            (
                r#"{"level":"error","logger":"db","data":"a\nb\t\u001b[31mc\u202e \n"}"#,
                Some("error db: a\\nb\t\\u{1b}[31mc\\u{202e}"),
            ),
            (
                r#"{"level":"verbose","data":{"b": [1, "\u00fc"]},"_meta":{}}"#,
                Some("verbose: {\"b\": [1, \"\\u00fc\"]}"),
            ),
            (r#"{"level":"info","data":"cut \ud83d"}"#, Some("info: \"cut \\ud83d\"")),
            (r#"{"level":"info","logger":null,"data":null}"#, Some("info: null")),
            (r#"{"level":5,"data":"x"}"#, None),
            (r#"{"data":"x"}"#, None),
            (r#"{"level":"info"}"#, None),
            ("[]", None),
        ] {
            assert_eq!(read_line(params).as_deref(), expected, "{params}");
        }
        let long = read_line(&format!(r#"{{"level":"info","data":"{}"}}"#, "ü".repeat(1 << 20))).expect("a line");
        assert!(long.len() <= LINE_BYTES + 3 && long.ends_with("ü…"));
    }

    #[tokio::test]
    async fn a_flood_is_counted_not_kept_and_fetched_now_and_then() {
        let said = Said::new(Redactor::default());
        let mouth = Mouth(said.clone());
        let say = |n: u64| said.take(|| Some(json!({"level": "info", "data": n})));
        assert!(said.next().now_or_never().is_none());
        say(0);
        assert_eq!(said.next().now_or_never().flatten().as_deref(), Some("info: 0\n"), "one alone at once");
        let fetched = Instant::now();
        (1..=1_000).for_each(say);
        let lines = said.next().await.expect("said");
        assert!(lines.starts_with("info: 1\n") && lines.contains("info: 100\n(900 more "), "{lines}");
        assert!(fetched.elapsed() >= PAUSE / 2, "the next ones later");
        say(2_000);
        drop(mouth);
        assert_eq!(said.next().now_or_never().flatten().as_deref(), Some("info: 2000\n"), "last words at once");
        assert_eq!(said.next().await, None);
    }
}
