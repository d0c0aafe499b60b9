//! One server's entry in the words of any client, as the file it is taken over to has it.
//!
//! What has no counterpart there is a problem with its place and left out; nothing is guessed.

use super::target::{Spelling, Target};
use crate::report::Report;
use crate::shapes::Candidate;
use crate::tree::{Entry, Node, Value};
use crate::variables::variables;
use serde_json::{Map, Value as Json, json};

/// Variables that the editors know, beside those of the environment.
const EDITORS_OWN: &[&str] = &["workspaceFolder", "workspaceFolderBasename", "userHome", "pathSeparator", "/"];

/// What an entry is made of after its conversion.
pub(super) struct Draft {
    pub(super) entry: Map<String, Json>,
    /// The `${input:…}` that it mentions.
    pub(super) inputs: Vec<String>,
}

/// The entry for `target`, unless it can start nothing.
pub(super) fn convert(
    entry: &Entry,
    from: &Candidate,
    target: &Target,
    is_named: bool,
    report: &mut Report<'_>,
) -> Option<Draft> {
    report.about(&entry.key);
    let node = &entry.node;
    let is_off = |key: &str, off: bool| matches!(node.get(key), Some(e) if matches!(e.node.value, Value::Bool(value) if value == off));
    if is_off("disabled", true) || is_off("enabled", false) {
        let message = format!("server `{}` is switched off there", entry.key);
        if !is_named {
            report.info(entry.key_at, message, "It is left out; name it to take it over, switched on.");
            return None;
        }
        report.info(entry.key_at, message, "It was named, and so it is switched on here.");
    }
    let mut pen =
        Pen { from, target, report, entry: Map::new(), inputs: Vec::new(), known: vec!["disabled", "enabled"] };
    let done = match (node.get("command"), node.get("httpUrl").or(node.get("url")).or(node.get("serverUrl"))) {
        (Some(command), _) => pen.stdio(node, command),
        (None, Some(url)) => pen.http(node, url),
        (None, None) => {
            let message = format!("server `{}` has neither a command nor a URL and cannot be taken over", entry.key);
            pen.report.warning(entry.key_at, message, "Servers of extensions come with their editor.");
            None
        }
    };
    done?;
    pen.rest(node);
    Some(Draft { entry: pen.entry, inputs: pen.inputs })
}

struct Pen<'a, 'r> {
    from: &'a Candidate,
    target: &'a Target,
    report: &'a mut Report<'r>,
    entry: Map<String, Json>,
    inputs: Vec<String>,
    /// Keys that were read.
    known: Vec<&'static str>,
}

impl Pen<'_, '_> {
    fn stdio(&mut self, node: &Node, command: &Entry) -> Option<()> {
        self.known.extend(["command", "args", "env", "environment", "envFile", "cwd", "env_vars", "type"]);
        if node.get("source").is_some_and(|source| source.node.scalar().as_deref() == Some("custom")) {
            self.known.push("source");
        }
        // `{"command": {"path": …, "args": …, "env": …}}` is an older spelling of the same.
        let (node, command) = match command.node.entries() {
            Some(_) => (&command.node, command.node.get("path").or(command.node.get("command"))?),
            None => (node, command),
        };
        let mut words = self.texts(&command.node);
        words.extend(node.get("args").map(|args| self.texts(&args.node)).unwrap_or_default());
        let mut words = words.into_iter();
        let Some(program) = words.next() else {
            self.report.warning(command.node.at, "`command` is empty", "Write the program that starts the server.");
            return None;
        };
        self.entry.insert("type".into(), "stdio".into());
        let home = if self.target.spelling == Spelling::Editor { "${userHome}/" } else { "~/" };
        let program = program.strip_prefix("~/").map_or(program.clone(), |rest| format!("{home}{rest}"));
        self.entry.insert("command".into(), program.into());
        let args: Vec<String> = words.collect();
        if !args.is_empty() {
            self.entry.insert("args".into(), args.into());
        }
        let mut env = self.record(node.get("env").or(node.get("environment")));
        if let Some(Value::List(names)) = node.get("env_vars").map(|entry| &entry.node.value) {
            for name in names.iter().filter_map(|name| name.scalar().or_else(|| name.get("name")?.node.scalar())) {
                let value = self.target.spelling.environment(&name, None);
                env.entry(name).or_insert(value.into());
            }
        }
        if !env.is_empty() {
            self.entry.insert("env".into(), env.into());
        }
        for key in ["envFile", "cwd"] {
            let Some(entry) = node.get(key) else { continue };
            if key == "envFile" && self.target.spelling == Spelling::Shell {
                self.left_out(entry);
            } else if let Some(text) = entry.node.scalar() {
                let text = self.spell(&text, entry.node.at);
                self.entry.insert(key.into(), text.into());
            }
        }
        Some(())
    }

    fn http(&mut self, node: &Node, url: &Entry) -> Option<()> {
        self.known.extend(["type", "url", "httpUrl", "serverUrl", "headers", "http_headers", "env_http_headers"]);
        self.known.push("bearer_token_env_var");
        let Some(text) = url.node.scalar() else {
            self.report.warning(
                url.node.at,
                format!("`{}` is {}, not a text", url.key, url.node.kind()),
                "Correct it.",
            );
            return None;
        };
        let is_sse = node.get("type").is_some_and(|kind| kind.node.scalar().as_deref() == Some("sse"));
        self.entry.insert("type".into(), if is_sse { "sse" } else { "http" }.into());
        let text = self.spell(&text, url.node.at);
        self.entry.insert("url".into(), text.into());
        let mut headers = self.record(node.get("headers").or(node.get("http_headers")));
        for header in node.get("env_http_headers").and_then(|entry| entry.node.entries()).unwrap_or_default() {
            if let Some(name) = header.node.scalar() {
                headers.insert(header.key.clone(), self.target.spelling.environment(&name, None).into());
            }
        }
        if let Some(name) = node.get("bearer_token_env_var").and_then(|entry| entry.node.scalar()) {
            let token = self.target.spelling.environment(&name, None);
            headers.insert("Authorization".into(), format!("Bearer {token}").into());
        }
        if !headers.is_empty() {
            self.entry.insert("headers".into(), headers.into());
        }
        Some(())
    }

    fn rest(&mut self, node: &Node) {
        for entry in node.entries().unwrap_or_default() {
            if !self.known.contains(&entry.key.as_str()) {
                self.left_out(entry);
            }
        }
    }

    fn left_out(&mut self, entry: &Entry) {
        let message = format!("`{}` has no counterpart in {} and is left out", entry.key, self.target.shown());
        self.report.info(entry.key_at, message, "Nothing to do, unless the server needs it.");
    }

    fn texts(&mut self, node: &Node) -> Vec<String> {
        match &node.value {
            Value::List(items) => items.iter().filter_map(|item| Some((item.scalar()?, item.at))).collect(),
            _ => node.scalar().map(|text| (text, node.at)).into_iter().collect::<Vec<_>>(),
        }
        .into_iter()
        .map(|(text, at)| self.spell(&text, at))
        .collect()
    }

    /// Names with texts; what is null is not set.
    fn record(&mut self, entry: Option<&Entry>) -> Map<String, Json> {
        let mut record = Map::new();
        for entry in entry.and_then(|entry| entry.node.entries()).unwrap_or_default() {
            if let Some(text) = entry.node.scalar() {
                let text = self.spell(&text, entry.node.at);
                record.insert(entry.key.clone(), text.into());
            }
        }
        record
    }

    /// A text with its variables as the target writes them.
    fn spell(&mut self, text: &str, at: usize) -> String {
        let (mut out, mut done) = (String::with_capacity(text.len()), 0);
        for variable in variables(text, self.from.has_bare_variables()) {
            out.push_str(&text[done..variable.range.start]);
            out.push_str(&self.variable(variable.name, at));
            done = variable.range.end;
        }
        out.push_str(&text[done..]);
        out
    }

    fn variable(&mut self, name: &str, at: usize) -> String {
        let spelling = self.target.spelling;
        if let Some(id) = name.strip_prefix("input:") {
            if self.target.asks() {
                self.inputs.push(id.to_owned());
                return format!("${{{name}}}");
            }
            let variable = upper(id);
            let message = format!("`${{{name}}}` is asked for by an editor; {} cannot ask", self.target.shown());
            self.report.info(at, message, format!("Set the environment variable `{variable}`."));
            return spelling.environment(&variable, None);
        }
        let plain = name.strip_prefix("env:").unwrap_or(name);
        let (variable, default) =
            plain.split_once(":-").map_or((plain, None), |(variable, default)| (variable, Some(default)));
        let is_editors = EDITORS_OWN.contains(&name) || (variable.contains(':') && plain == name);
        match (is_editors, spelling) {
            (true, Spelling::Editor) => format!("${{{name}}}"),
            (true, Spelling::Shell) => {
                let message = format!("`${{{name}}}` means nothing to the readers of {} but us", self.target.shown());
                self.report.info(at, message, "Write what it stands for.");
                format!("${{{name}}}")
            }
            (false, _) => {
                if spelling == Spelling::Editor && default.is_some_and(|default| !default.is_empty()) {
                    let message = format!("`${{{name}}}` has a default, which editors do not know: it is left out");
                    self.report.warning(at, message, format!("Set the environment variable `{variable}`."));
                }
                spelling.environment(variable, default)
            }
        }
    }
}

/// An id as the name of a variable.
pub(super) fn upper(id: &str) -> String {
    let upper = id.to_ascii_uppercase();
    upper.split(|c: char| !c.is_ascii_alphanumeric()).filter(|part| !part.is_empty()).collect::<Vec<_>>().join("_")
}

/// What declares an input that asks for a secret.
pub(super) fn question(id: &str, description: &str) -> Json {
    json!({"type": "promptString", "id": id, "description": description, "password": true})
}

/// A value as it is read, for what is copied as it stands.
pub(super) fn plain(node: &Node) -> Json {
    match &node.value {
        Value::Null => Json::Null,
        Value::Bool(value) => (*value).into(),
        Value::Number(text) => serde_json::from_str(text).unwrap_or_else(|_| text.clone().into()),
        Value::Text(text) => text.clone().into(),
        Value::List(items) => items.iter().map(plain).collect(),
        Value::Table(entries) => Json::Object(entries.iter().map(|e| (e.key.clone(), plain(&e.node))).collect()),
    }
}
