//! One server's entry, in the words of any client, as a `ServerSpec`.
//!
//! Tolerant in reading (every client spells things its own way), strict in what it lets start: an entry with a missing
//! or wrongly typed part that matters is a `Problem` and no server.

mod values;

use crate::report::Report;
use crate::tree::{Entry, Node, Value};
use crate::variables::{Holes, Variables};
use crate::{keys, settings};
use model::server::{OAuth, Scope};
use model::{Secret, ServerLimits, ServerSpec, Transport};
use std::collections::BTreeMap;
use std::path::PathBuf;

/// A cold `npx` or `uvx` downloads before it answers.
const STARTUP_TIMEOUT_MS: u64 = 30_000;
const STARTUP_TIMEOUT_RANGE_MS: (u64, u64) = (100, 600_000);
/// Bytes of an env file.
const ENV_FILE_BYTES_MAX: u64 = 1 << 20;

/// What reading an entry needs to know besides the entry.
pub(crate) struct Context<'a> {
    pub(crate) variables: &'a Variables<'a>,
    pub(crate) scope: Scope,
    /// Whether it is our own file, whose keys are looked at elsewhere.
    pub(crate) is_ours: bool,
    /// Files that were read on the way, to be watched.
    pub(crate) files: &'a mut Vec<PathBuf>,
}

/// The server of one entry, unless there is something wrong with it, or it is ourselves.
pub(crate) fn read(entry: &Entry, context: &mut Context<'_>, report: &mut Report<'_>) -> Option<ServerSpec> {
    report.about(&entry.key);
    if entry.key.trim().is_empty() {
        report.error(entry.key_at, "a server needs a name", "Give the entry a name that is not empty.");
        return None;
    }
    if entry.node.entries().is_none() {
        let message = format!("the entry of server `{}` is {}, not an object", entry.key, entry.node.kind());
        report.error(entry.node.at, message, "Write an object with `command` or `url`.");
        return None;
    }
    if !context.is_ours {
        keys::server(entry, report);
    }
    let mut reader = Reader::new(&entry.node, context.variables);
    let transport = reader.transport(entry, context.files, report)?;
    if is_ourselves(&transport) {
        let message = format!("server `{}` is this program itself and is left out", entry.key);
        report.info(entry.key_at, message, "Nothing to do: it would only call itself.");
        return None;
    }
    let disabled = reader.flag("disabled", report) == Some(true) || reader.flag("enabled", report) == Some(false);
    let startup_timeout_ms = reader.startup_timeout_ms(report);
    let mut limits = ServerLimits::default();
    for (set, value) in settings::server_limits(&entry.node, report) {
        set(&mut limits, value);
    }
    let oauth = if matches!(transport, Transport::Http { .. }) { reader.oauth(report) } else { OAuth::default() };
    for missing in &reader.holes.missing {
        let hint = match missing.strip_prefix("`${input:") {
            Some(input) if input.ends_with("has no value here") => {
                "Write `${env:NAME}` in its place and set that variable, or open the workspace in an editor that asks."
            }
            Some(_) => "Write `${env:NAME}` in its place and set that variable.",
            None => "Set it, or write the value here.",
        };
        report.warning(entry.key_at, format!("server `{}` cannot start: {missing}", entry.key), hint);
    }
    let unresolved = reader.holes.missing;
    Some(ServerSpec {
        name: entry.key.clone(),
        transport,
        source: report.source(entry.key_at, context.scope),
        disabled,
        unresolved,
        inputs: reader.holes.inputs,
        oauth,
        scrub: Vec::new(),
        startup_timeout_ms,
        limits,
        content_hash: reader.hash.finish(),
    })
}

/// Hash of everything that decides what would be started, as it is written: a token that changes in the user's own
/// environment is no change of the workspace.
struct Digest(blake3::Hasher);

impl Digest {
    fn new() -> Self {
        Self(blake3::Hasher::new())
    }

    /// Lengths go in as well, so that no two different lists of parts can look alike.
    fn add(&mut self, field: &str, value: &[u8]) {
        for part in [field.as_bytes(), value] {
            self.0.update(&(part.len() as u64).to_le_bytes());
            self.0.update(part);
        }
    }

    fn finish(self) -> String {
        self.0.finalize().to_hex().to_string()
    }
}

struct Reader<'a> {
    node: &'a Node,
    variables: &'a Variables<'a>,
    holes: Holes,
    hash: Digest,
}

impl<'a> Reader<'a> {
    fn new(node: &'a Node, variables: &'a Variables<'a>) -> Self {
        Self { node, variables, holes: Holes::default(), hash: Digest::new() }
    }

    fn get(&self, key: &str) -> Option<&'a Entry> {
        self.node.get(key).filter(|entry| !matches!(entry.node.value, Value::Null))
    }

    /// The first of several spellings.
    fn first(&self, keys: &[&str]) -> Option<&'a Entry> {
        keys.iter().find_map(|key| self.get(key))
    }

    fn transport(&mut self, entry: &Entry, files: &mut Vec<PathBuf>, report: &mut Report<'_>) -> Option<Transport> {
        let kind = self.get("type").and_then(|kind| kind.node.scalar()).unwrap_or_default();
        let url = self.first(&["httpUrl", "url", "serverUrl"]);
        let command = self.get("command");
        match (kind.as_str(), command, url) {
            ("sse", _, Some(url)) => {
                self.hash.add("type", b"sse");
                self.http(url, true, report)
            }
            ("http" | "streamable-http" | "streamableHttp" | "streamable_http" | "remote" | "", None, Some(url))
            | ("http" | "streamable-http" | "streamableHttp" | "streamable_http" | "remote", Some(_), Some(url)) => {
                self.http(url, false, report)
            }
            ("stdio" | "local" | "", Some(command), _) => self.stdio(command, files, report),
            ("stdio" | "local", None, _) => {
                report.error(
                    entry.key_at,
                    format!("server `{}` has no `command`", entry.key),
                    "Add the program that starts it.",
                );
                None
            }
            ("http" | "sse" | "streamable-http" | "streamableHttp" | "streamable_http" | "remote", _, None) => {
                report.error(
                    entry.key_at,
                    format!("server `{}` has no `url`", entry.key),
                    "Add the URL of its MCP endpoint.",
                );
                None
            }
            ("", None, None) if self.get("source").is_some() || self.get("settings").is_some() => {
                let message =
                    format!("server `{}` comes with an extension of its editor and cannot be started here", entry.key);
                report.info(entry.key_at, message, "Configure it with `command` or `url` to use it here.");
                None
            }
            ("", None, None) => {
                let message = format!("server `{}` has neither `command` nor `url`", entry.key);
                report.error(entry.key_at, message, "Add `command` (and `args`) for a program, or `url` for HTTP.");
                None
            }
            (other, ..) => {
                let at = self.get("type").map_or(entry.key_at, |kind| kind.node.at);
                report.error(
                    at,
                    format!("server `{}` has the unknown type `{other}`", entry.key),
                    "Use `stdio`, `http` or `sse`.",
                );
                None
            }
        }
    }

    fn stdio(&mut self, command: &Entry, files: &mut Vec<PathBuf>, report: &mut Report<'_>) -> Option<Transport> {
        // `{"command": {"path": …, "args": …, "env": …}}` is an older spelling of the same.
        if command.node.entries().is_some() {
            let mut inner = Reader::new(&command.node, self.variables);
            let Some(path) = inner.first(&["path", "command"]) else {
                report.error(command.node.at, "`command` has no `path`", "Write the program as a text.");
                return None;
            };
            let transport = inner.stdio(path, files, report);
            self.hash.add("command", inner.hash.finish().as_bytes());
            self.holes.append(inner.holes);
            return transport;
        }
        let program = if let Value::List(words) = &command.node.value { words.first() } else { Some(&command.node) };
        if let Some(program) = program.filter(|program| !matches!(program.value, Value::Text(_))) {
            let message = format!("`command` is {}, not a text", program.kind());
            report.error(program.at, message, "Write the program that starts the server as a text.");
            return None;
        }
        let mut words = match &command.node.value {
            Value::List(_) => self.texts("command", &command.node, report)?,
            _ => vec![self.text("command", &command.node, report)?],
        };
        if let Some(args) = self.get("args") {
            words.extend(self.texts("args", &args.node, report)?);
        }
        let mut words = words.into_iter();
        let command = words.next().filter(|command| !command.trim().is_empty());
        let Some(command) = command else {
            report.error(self.node.at, "`command` is empty", "Write the program that starts the server.");
            return None;
        };
        let mut env = self.env_file(files, report);
        if let Some(own) = self.first(&["env", "environment"]) {
            env.extend(self.secrets("env", &own.node, report)?);
        }
        env.extend(self.named_variables());
        let cwd = match self.get("cwd") {
            Some(cwd) => {
                let text = self.raw("cwd", &cwd.node, report)?;
                Some(self.variables.path(&text, &mut self.holes))
            }
            // The first folder is where servers start anyway.
            None if self.variables.is_further() => {
                self.hash.add("folder", self.variables.workspace.as_os_str().as_encoded_bytes());
                Some(self.variables.workspace.to_owned())
            }
            None => None,
        };
        Some(Transport::Stdio { command: self.home(command), args: words.collect(), env, cwd })
    }

    fn http(&mut self, url: &Entry, sse: bool, report: &mut Report<'_>) -> Option<Transport> {
        let text = self.text("url", &url.node, report)?;
        if !(text.starts_with("http://") || text.starts_with("https://") || text.starts_with("${")) {
            report.error(url.node.at, "the URL must start with `https://` or `http://`", "Correct the URL.");
            return None;
        }
        let mut headers = BTreeMap::new();
        if let Some(own) = self.first(&["headers", "http_headers"]) {
            headers.extend(self.secrets("headers", &own.node, report)?);
        }
        if let Some(name) = self.get("bearer_token_env_var").and_then(|entry| entry.node.scalar()) {
            let token = self.variables.expand(&format!("Bearer ${{{name}}}"), &mut self.holes);
            self.hash.add("bearer", name.as_bytes());
            headers.insert("Authorization".into(), Secret::new(token));
        }
        for header in self.get("env_http_headers").and_then(|entry| entry.node.entries()).unwrap_or_default() {
            let Some(name) = header.node.scalar() else { continue };
            let value = self.variables.expand(&format!("${{{name}}}"), &mut self.holes);
            self.hash.add("header", format!("{}\0{name}", header.key).as_bytes());
            headers.insert(header.key.clone(), Secret::new(value));
        }
        Some(Transport::Http { url: text, headers, sse })
    }

    /// How to log in, in the words of several clients. Something wrong in it leaves that part to the server.
    fn oauth(&mut self, report: &mut Report<'_>) -> OAuth {
        let mut oauth = OAuth::default();
        let Some(entry) = self.first(&["oauth", "auth"]) else { return oauth };
        let Some(parts) = entry.node.entries() else {
            if entry.key == "auth" || matches!(entry.node.value, Value::Bool(_)) {
                // Other clients switch it on and off so.
                return oauth;
            }
            let message = format!("`{}` is {}, not an object", entry.key, entry.node.kind());
            report.error(entry.node.at, message, "Write an object, such as `{\"clientId\": \"…\"}`.");
            return oauth;
        };
        for part in parts.iter().filter(|part| !matches!(part.node.value, Value::Null)) {
            match part.key.as_str() {
                "clientId" | "client_id" | "CLIENT_ID" => oauth.client_id = self.text("oauth id", &part.node, report),
                "clientSecret" | "client_secret" | "CLIENT_SECRET" => {
                    oauth.client_secret = self.text("oauth secret", &part.node, report).map(Secret::new);
                }
                "scopes" | "scope" => {
                    let scopes = match &part.node.value {
                        Value::List(_) => self.texts("oauth scopes", &part.node, report).unwrap_or_default(),
                        _ => self.text("oauth scopes", &part.node, report).into_iter().collect(),
                    };
                    let scopes = scopes.iter().flat_map(|scopes| scopes.split_whitespace());
                    oauth.scopes = scopes.map(str::to_owned).collect();
                }
                "callbackPort" | "callback_port" => {
                    let text = self.raw("oauth port", &part.node, report);
                    oauth.callback_port = text.and_then(|text| text.parse().ok()).filter(|port| *port != 0);
                    if oauth.callback_port.is_none() {
                        report.error(part.node.at, "`callbackPort` must be a port number", "Write 1 to 65535.");
                    }
                }
                _ => {}
            }
        }
        oauth
    }

    /// Variables that are handed through from our own environment by name.
    fn named_variables(&mut self) -> Vec<(String, Secret)> {
        let Some(Value::List(names)) = self.get("env_vars").map(|entry| &entry.node.value) else { return Vec::new() };
        // Codex also writes `{name = "X", source = "local"}`.
        let name = |node: &Node| node.scalar().or_else(|| node.get("name")?.node.scalar());
        let names: Vec<String> = names.iter().filter_map(name).collect();
        self.hash.add("env_vars", names.join("\0").as_bytes());
        names
            .into_iter()
            .filter_map(|name| Some(((self.variables.env)(&name)?, name)))
            .map(|(v, n)| (n, Secret::new(v)))
            .collect()
    }

    /// A missing or broken env file is a problem, but the server may do without it.
    fn env_file(&mut self, files: &mut Vec<PathBuf>, report: &mut Report<'_>) -> BTreeMap<String, Secret> {
        let Some(entry) = self.get("envFile") else { return BTreeMap::new() };
        let Some(text) = self.raw("envFile", &entry.node, report) else { return BTreeMap::new() };
        let path = self.variables.path(&text, &mut self.holes);
        files.push(path.clone());
        let content = match crate::read_bounded(&path, ENV_FILE_BYTES_MAX) {
            Ok(content) => content,
            Err(why) => {
                let message = format!("the env file {} cannot be read: {why}", path.display());
                report.warning(entry.node.at, message, "Create it, or remove `envFile`.");
                return BTreeMap::new();
            }
        };
        // What is in it decides what the program does as much as its arguments do.
        self.hash.add("envFile content", content.as_bytes());
        let mut variables = BTreeMap::new();
        for line in dotenvy::from_read_iter(content.as_bytes()) {
            if let Ok((name, value)) = line {
                variables.insert(name, Secret::new(value));
            } else {
                // The parser's own message quotes the line, which may hold a secret.
                let message = format!("a line of the env file {} is not NAME=value and is left out", path.display());
                report.warning(entry.node.at, message, "Correct the line.");
            }
        }
        variables
    }

    fn startup_timeout_ms(&self, report: &mut Report<'_>) -> u64 {
        let (entry, factor) = match (self.get("startup_timeout_ms"), self.get("startup_timeout_sec")) {
            (Some(entry), _) => (entry, 1.0),
            (None, Some(entry)) => (entry, 1_000.0),
            (None, None) => return STARTUP_TIMEOUT_MS,
        };
        let (least, most) = STARTUP_TIMEOUT_RANGE_MS;
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "the cast saturates, then it is clamped"
        )]
        match entry.node.scalar().and_then(|text| text.parse::<f64>().ok()) {
            Some(number) if number > 0.0 => ((number * factor) as u64).clamp(least, most),
            _ => {
                let message = format!("`{}` must be a positive number", entry.key);
                report.error(entry.node.at, message, format!("It stays at {STARTUP_TIMEOUT_MS} ms."));
                STARTUP_TIMEOUT_MS
            }
        }
    }
}

/// Whether this entry would start ourselves, and so call itself without end.
fn is_ourselves(transport: &Transport) -> bool {
    let Transport::Stdio { command, args, .. } = transport else { return false };
    let is_tta = |word: &str| word.rsplit(['/', '\\']).next().is_some_and(|name| name == "tta" || name == "tta.exe");
    let mut words = std::iter::once(command).chain(args).skip_while(|word| !is_tta(word)).skip(1);
    words.any(|word| word == "mcp")
}
