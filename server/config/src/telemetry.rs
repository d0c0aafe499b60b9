//! The `[telemetry]` section: what is sent, and where.
//!
//! Invariant: the section of a workspace's file is a part of what the workspace is trusted for, as it is written: another
//! address, header or signal asks again. Who may send is not decided here.

use crate::keys;
use crate::report::Report;
use crate::tree::{Entry, Node, Value};
use crate::variables::{Holes, Variables};
use model::server::Scope;
use model::{Secret, Severity, TelemetrySettings};

/// What a key of `[telemetry]` may be, and what it means.
pub(crate) const TELEMETRY_KEYS: &[(&str, &str)] = &[
    ("otlp_endpoint", "Base URL of an OTLP collector over HTTP; OTEL_EXPORTER_OTLP_ENDPOINT's where absent."),
    ("headers", "Headers of every export; write secrets as ${env:NAME}."),
    ("traces", "Send a span for each run and each call, and give servers the trace in their requests."),
    ("metrics", "Send metrics."),
    ("logs", "Send a record for each run that ended and each change of a server's state: names and numbers alone."),
];

/// Headers of an export.
const HEADERS_MAX: usize = 32;

/// What one file says of telemetry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Telemetry {
    /// What to send, and where.
    pub settings: TelemetrySettings,
    /// Whose file says so.
    pub scope: Scope,
    /// The same for people, without secrets.
    pub shown: String,
    /// Hash of the section as it is written.
    pub(crate) hash: String,
}

impl Telemetry {
    /// Whether it is a workspace's own file that would send something.
    pub fn needs_trust(&self) -> bool {
        self.scope == Scope::Workspace && self.settings.is_on()
    }
}

/// Reads the section of a file, where it has one.
pub(crate) fn read(root: &Node, scope: Scope, variables: &Variables<'_>, report: &mut Report<'_>) -> Option<Telemetry> {
    let entries = root.get("telemetry")?.node.entries()?;
    let (mut settings, mut holes) = (TelemetrySettings::default(), Holes::default());
    let mut hash = blake3::Hasher::new();
    for entry in entries {
        let key = entry.key.as_str();
        hash.update(format!("{key}={:?}\n", entry.node.value).as_bytes());
        match key {
            "otlp_endpoint" => settings.otlp_endpoint = endpoint(entry, variables, &mut holes, report),
            "headers" => headers(entry, variables, &mut holes, &mut settings, report),
            "traces" => settings.traces = flag(entry, report),
            "metrics" => settings.metrics = flag(entry, report),
            "logs" => settings.logs = flag(entry, report),
            _ => {
                let known = TELEMETRY_KEYS.iter().map(|(name, _)| *name);
                keys::unknown(entry, "setting", known, Severity::Warning, report);
            }
        }
    }
    let at = root.get("telemetry").map_or(root.at, |entry| entry.key_at);
    for why in &holes.missing {
        report.error(at, format!("telemetry stays off: {why}"), "Set it, or write the value itself.");
        (settings.traces, settings.metrics, settings.logs) = (false, false, false);
    }
    let names: Vec<&str> = settings.headers.keys().map(String::as_str).collect();
    let with = if names.is_empty() { String::new() } else { format!(" (headers: {})", names.join(", ")) };
    let to = settings.otlp_endpoint.as_deref().unwrap_or("the collector of OTEL_EXPORTER_OTLP_ENDPOINT");
    let shown = format!("telemetry to {}{with}", to.split('?').next().unwrap_or(to));
    Some(Telemetry { settings, scope, shown, hash: hash.finalize().to_hex().to_string() })
}

fn flag(entry: &Entry, report: &mut Report<'_>) -> bool {
    if let Value::Bool(value) = entry.node.value {
        return value;
    }
    let message = format!("`{}` is {}, not a boolean", entry.key, entry.node.kind());
    report.error(entry.node.at, message, "Write true or false.");
    false
}

fn endpoint(entry: &Entry, variables: &Variables<'_>, holes: &mut Holes, report: &mut Report<'_>) -> Option<String> {
    let text = match &entry.node.value {
        Value::Text(text) => variables.expand(text, holes),
        _ => String::new(),
    };
    let is_url = ["http://", "https://"].iter().any(|scheme| text.len() > scheme.len() && text.starts_with(scheme));
    if !is_url || text.chars().any(|c| c.is_control() || c == ' ') {
        // Without its address it would go to another one.
        holes.missing.push(format!("`{}` is no http or https URL", entry.key));
        let message = format!("`{}` must be an http or https URL", entry.key);
        report.error(entry.node.at, message, "Write it as \"http://127.0.0.1:4318\".");
        return None;
    }
    Some(text)
}

fn headers(
    entry: &Entry,
    variables: &Variables<'_>,
    holes: &mut Holes,
    settings: &mut TelemetrySettings,
    report: &mut Report<'_>,
) {
    let Some(entries) = entry.node.entries() else {
        let message = format!("`headers` is {}, not a table", entry.node.kind());
        return report.error(entry.node.at, message, "Write it as { Authorization = \"Bearer ${env:NAME}\" }.");
    };
    for header in entries {
        let name = header.key.as_str();
        let is_name = !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b));
        let Some(text) = header.node.scalar().filter(|_| is_name && settings.headers.len() < HEADERS_MAX) else {
            let message = format!("`{name}` cannot be a header, or there are more than {HEADERS_MAX}");
            report.error(header.key_at, message, "Write a name and a text.");
            continue;
        };
        settings.headers.insert(name.to_owned(), Secret::new(variables.expand(&text, holes)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    fn of(text: &str) -> (Option<Telemetry>, Vec<model::Problem>) {
        let env = |name: &str| (name == "KEY").then(|| "k-1".to_owned());
        let variables =
            Variables { workspace: Path::new("/w"), folders: &[], inputs: None, bare: false, home: None, env: &env };
        let (root, mut problems) = (crate::tree::toml(text).expect("TOML"), Vec::new());
        let read =
            read(&root, Scope::Workspace, &variables, &mut Report::new(Path::new("tta.toml"), text, &mut problems));
        (read, problems)
    }

    #[test]
    fn nothing_is_sent_unless_it_is_said_and_secrets_are_not_shown() {
        assert_eq!(of("[limits]"), (None, vec![]));
        let (quiet, problems) = of("[telemetry]\notlp_endpoint = \"http://127.0.0.1:4318\"");
        assert!(problems.is_empty() && !quiet.expect("a section").needs_trust());
        let text = "[telemetry]\notlp_endpoint = \"https://c.example/x?key=1\"\nheaders = { Key = \"${env:KEY}\" }\ntraces = true";
        let (read, problems) = of(text);
        let read = read.expect("a section");
        assert!(problems.is_empty() && read.needs_trust());
        assert_eq!(read.settings.headers["Key"].expose(), "k-1");
        assert_eq!(read.shown, "telemetry to https://c.example/x (headers: Key)");
        assert_ne!(of(&text.replace("c.example", "d.example")).0.expect("a section").hash, read.hash);
    }

    #[test]
    fn what_cannot_be_is_a_problem_with_its_line_and_sends_nothing() {
        for (wrong, line) in [
            ("[telemetry]\ntraces = true\notlp_endpoint = \"collector:4318\"", 3),
            ("[telemetry]\ntraces = true\notlp_endpoint = 3", 3),
            ("[telemetry]\ntraces = true\notlp_endpoint = \"http://${env:NONE}\"", 1),
            ("[telemetry]\ntraces = \"yes\"", 2),
        ] {
            let (read, problems) = of(wrong);
            assert!(!read.expect("a section").settings.is_on(), "{wrong}");
            assert!(problems.iter().any(|problem| problem.line == line), "{wrong}: {problems:?}");
        }
        assert_eq!(of("[telemetry]\ntrace = true").1[0].hint, "Did you mean `traces`?");
    }
}
