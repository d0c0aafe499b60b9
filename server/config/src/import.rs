//! Takes servers over from the files of other tools: finds them, puts them into the words of the file they go to, and writes
//! that file, or says what it would write.
//!
//! Invariants: a server that is there is never overwritten unasked, a value that looks like a secret is never copied unasked,
//! and whatever could not be taken over is a problem with its place. Nothing but the one file is written.

mod convert;
mod secrets;
mod target;

use crate::inputs::Inputs;
use crate::report::Report;
use crate::shapes::{self, Candidate, Format};
use crate::tree::{Entry, Node};
use crate::{Sources, declared, general, read_bounded, tables, tree};
use convert::Draft;
use model::Problem;
use model::import::{ImportOutcome, ImportReply, ImportRequest, ImportedSecret, ImportedServer, SecretHandling};
use serde_json::{Map, Value};
use std::collections::{BTreeMap, HashMap, HashSet};
use std::ops::Range;
use std::path::{Path, PathBuf};
use target::Target;

/// Why nothing was taken over.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// Neither a tool nor a file.
    #[error("`{0}` is neither a file nor one of the tools {tools}", tools = shapes::TOOLS.join(", "))]
    Source(String),
    /// A server was named that no file has.
    #[error("there is no server `{name}` in the files that were looked at: {files}")]
    Missing {
        /// Its name.
        name: String,
        /// The files that are there.
        files: String,
    },
    /// The file to write cannot be.
    #[error("{}: {why}", file.display())]
    Target {
        /// Which.
        file: PathBuf,
        /// Why.
        why: String,
    },
}

/// Does what is asked, or says what it would do.
pub fn import(request: &ImportRequest, sources: &Sources<'_>) -> Result<ImportReply, ImportError> {
    let first = sources.folders.first().map_or(Path::new(""), PathBuf::as_path);
    let to = request.to.as_deref().unwrap_or(Path::new(".vscode/mcp.json"));
    let target = Target::open(first.join(to), sources)?;
    let handling = match request.secrets {
        Some(SecretHandling::Input) if !target.asks() => {
            let why = "it has no place for `${input:…}`; take `env` for secrets";
            return Err(ImportError::Target { file: target.path, why: why.to_owned() });
        }
        Some(handling) => handling,
        None if target.asks() => SecretHandling::Input,
        None => SecretHandling::Env,
    };
    let (servers, problems, files) = (Vec::new(), Vec::new(), Vec::new());
    let mut importer = Importer { request, target, handling, servers, problems, files, asked: HashMap::new() };
    for candidate in candidates(request, sources)? {
        importer.file(&candidate, sources)?;
    }
    for name in &request.names {
        if !importer.servers.iter().any(|server| server.name == *name) && !importer.was_refused(name) {
            let files: Vec<String> = importer.files.iter().map(|file| file.display().to_string()).collect();
            let files = if files.is_empty() { "none".to_owned() } else { files.join(", ") };
            return Err(ImportError::Missing { name: name.clone(), files });
        }
    }
    let changes = |server: &ImportedServer| matches!(server.outcome, ImportOutcome::Added | ImportOutcome::Replaced);
    let written = !request.dry_run && importer.servers.iter().any(changes);
    if written {
        importer.target.write()?;
    }
    Ok(ImportReply { to: importer.target.path, written, servers: importer.servers, problems: importer.problems })
}

/// The files to look at, highest precedence first.
fn candidates(request: &ImportRequest, sources: &Sources<'_>) -> Result<Vec<Candidate>, ImportError> {
    let known = || shapes::candidates(sources.folders, sources.user).into_iter();
    let is_others = |candidate: &Candidate| !candidate.tool.is_empty() && candidate.tool != shapes::VSCODE;
    if request.from.is_empty() {
        return Ok(known().filter(is_others).collect());
    }
    let mut found = Vec::new();
    for from in &request.from {
        if shapes::TOOLS.contains(&from.as_str()) {
            found.extend(known().filter(|candidate| candidate.tool == from));
            continue;
        }
        let path = sources.folders.first().map_or_else(|| from.into(), |first| first.join(from));
        if !path.is_file() {
            return Err(ImportError::Source(from.clone()));
        }
        found.push(known().find(|candidate| candidate.path == path).unwrap_or_else(|| shapes::explicit(&path)));
    }
    Ok(found)
}

struct Importer<'a> {
    request: &'a ImportRequest,
    target: Target,
    handling: SecretHandling,
    servers: Vec<ImportedServer>,
    problems: Vec<Problem>,
    /// Those that are there.
    files: Vec<PathBuf>,
    /// Which server's each new question is.
    asked: HashMap<String, String>,
}

impl Importer<'_> {
    fn file(&mut self, candidate: &Candidate, sources: &Sources<'_>) -> Result<(), ImportError> {
        let path = &candidate.path;
        let is_target =
            path.canonicalize().is_ok_and(|path| self.target.path.canonicalize().is_ok_and(|to| to == path));
        if !path.exists() || is_target {
            return Ok(());
        }
        self.files.push(path.clone());
        let mut problems = std::mem::take(&mut self.problems);
        let read = read_bounded(path, candidate.bytes_max());
        let text = read.as_deref().unwrap_or_default();
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let mut report = Report::new(path, text, &mut problems);
        let parsed = if candidate.format == Format::Json { tree::json(text) } else { tree::toml(text) };
        let done = match (&read, parsed) {
            (Err(why), _) => {
                report.error(0, format!("the file cannot be read: {why}"), "Correct it, or leave it out.");
                Ok(())
            }
            (_, Err(error)) => {
                report.error(error.at, format!("the file does not parse: {}", error.message), "Mend it first.");
                Ok(())
            }
            (Ok(_), Ok(root)) => self.servers_of(candidate, &root, sources, &mut report),
        };
        self.problems = problems;
        done
    }

    fn servers_of(
        &mut self,
        candidate: &Candidate,
        root: &Node,
        sources: &Sources<'_>,
        report: &mut Report<'_>,
    ) -> Result<(), ImportError> {
        let declarations = declared(root, general(candidate, root).map(|(_, keys)| keys));
        let (mut seen, mut entries) = (HashSet::new(), Vec::new());
        for (_, table) in tables(candidate, root, sources.folders) {
            let from = entries.len();
            // A key that is there twice counts where it is last.
            let last_first = table.node.entries().unwrap_or_default().iter().rev();
            entries.extend(last_first.filter(|entry| seen.insert(entry.key.as_str())));
            entries[from..].reverse();
        }
        entries.into_iter().try_for_each(|entry| self.server(candidate, entry, declarations, report))
    }

    fn server(
        &mut self,
        candidate: &Candidate,
        entry: &Entry,
        declarations: Option<&Node>,
        report: &mut Report<'_>,
    ) -> Result<(), ImportError> {
        let is_named = self.request.names.contains(&entry.key);
        if entry.key.trim().is_empty() || (!self.request.names.is_empty() && !is_named) {
            return Ok(());
        }
        report.about(&entry.key);
        if let Some(earlier) = self.servers.iter().find(|server| server.name == entry.key) {
            let place = format!("{}:{}", earlier.source.file.display(), earlier.source.line);
            let message = format!("server `{}` is taken from {place}", entry.key);
            report.info(entry.key_at, message, "Take this one with `--from` and this file.");
            return Ok(());
        }
        let Some(draft) = convert::convert(entry, candidate, &self.target, is_named, report) else { return Ok(()) };
        let Draft { entry: mut written, inputs } = draft;
        let mut shown = written.clone();
        let (secrets, questions) = self.conceal(&entry.key, &mut written, &mut shown);
        let written = Value::Object(written);
        let outcome = match self.target.server(&entry.key) {
            None => ImportOutcome::Added,
            Some(there) if there == written => ImportOutcome::Same,
            Some(_) if self.request.force => ImportOutcome::Replaced,
            Some(_) => ImportOutcome::Exists,
        };
        if matches!(outcome, ImportOutcome::Added | ImportOutcome::Replaced) {
            for (id, question) in questions.into_iter().chain(declarations_of(&inputs, declarations)) {
                if !self.target.has_input(&id) {
                    self.target.ask(&question)?;
                }
                self.asked.insert(id, entry.key.clone());
            }
            self.target.put(&entry.key, &written)?;
        }
        let (name, source) = (entry.key.clone(), report.source(entry.key_at, candidate.scope));
        self.servers.push(ImportedServer { name, source, outcome, entry: Value::Object(shown), secrets });
        Ok(())
    }

    /// Whether a named server is there, and a problem says why it was not taken over.
    fn was_refused(&self, name: &str) -> bool {
        self.problems.iter().any(|problem| problem.server.as_deref() == Some(name))
    }

    /// An id that no other server's question has: what is typed for one must not reach another.
    fn free_id(&self, server: &str, id: &str) -> String {
        let mentions =
            |id: &str| self.target.server(server).is_some_and(|s| s.to_string().contains(&format!("${{input:{id}}}")));
        let is_free = |id: &str| match self.asked.get(id) {
            Some(asks) => asks == server,
            None => !self.target.has_input(id) || mentions(id),
        };
        let numbered = (2..).map(|n| format!("{id}-{n}"));
        std::iter::once(id.to_owned()).chain(numbered).find(|id| is_free(id)).expect("there are numbers enough")
    }

    /// Puts questions or variables into the places of secrets; into `shown` in any case something that tells nothing.
    fn conceal(
        &self,
        server: &str,
        written: &mut Map<String, Value>,
        shown: &mut Map<String, Value>,
    ) -> (Vec<ImportedSecret>, BTreeMap<String, Value>) {
        let (mut secrets, mut questions) = (Vec::new(), BTreeMap::new());
        for found in secrets_of(written) {
            let mut becomes = Vec::new();
            let whole = 0..found.place(written).len();
            for (n, span) in found.spans.iter().enumerate().rev() {
                let more = if n == 0 { String::new() } else { format!("-{}", n + 1) };
                let id = self.free_id(server, &format!("{}-{}{more}", slug(server), slug(&found.key)));
                let instead = match self.handling {
                    SecretHandling::Copy => {
                        found.place(shown).replace_range(span.clone(), "…");
                        continue;
                    }
                    SecretHandling::Input => {
                        let what = format!("{} of the MCP server {server}", found.path);
                        questions.insert(id.clone(), convert::question(&id, &what));
                        format!("${{input:{id}}}")
                    }
                    SecretHandling::Env if found.table == "env" && *span == whole => {
                        self.target.spelling.environment(&found.key, None)
                    }
                    SecretHandling::Env => self.target.spelling.environment(&convert::upper(&id), None),
                };
                found.place(written).replace_range(span.clone(), &instead);
                found.place(shown).replace_range(span.clone(), &instead);
                becomes.insert(0, instead);
            }
            let becomes = (!becomes.is_empty()).then(|| becomes.join(", "));
            secrets.push(ImportedSecret { place: found.path, becomes });
        }
        (secrets, questions)
    }
}

/// The secrets in one text of an entry.
struct Found {
    /// `env`, `headers`, `args` or `url`.
    table: &'static str,
    /// The name of the variable or header, or what an argument is called by.
    key: String,
    /// For people.
    path: String,
    index: usize,
    spans: Vec<Range<usize>>,
}

impl Found {
    /// The text in an entry.
    fn place<'a>(&self, entry: &'a mut Map<String, Value>) -> &'a mut String {
        let value = match self.table {
            "url" => &mut entry["url"],
            "args" => &mut entry["args"][self.index],
            table => &mut entry[table][&self.key],
        };
        let Value::String(text) = value else { unreachable!("it was found in a text") };
        text
    }
}

fn secrets_of(entry: &Map<String, Value>) -> Vec<Found> {
    let mut all = Vec::new();
    for table in ["env", "headers"] {
        for (name, value) in entry.get(table).and_then(Value::as_object).into_iter().flatten() {
            let spans = secrets::in_named(name, value.as_str().unwrap_or_default());
            all.push(Found { table, key: name.clone(), path: format!("{table}.{name}"), index: 0, spans });
        }
    }
    let args: Vec<&str> =
        entry.get("args").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).collect();
    for (index, arg) in args.iter().enumerate() {
        let spans = secrets::in_argument(arg, index.checked_sub(1).map(|before| args[before]));
        let key = format!("argument-{}", index + 1);
        all.push(Found { table: "args", key, path: format!("args[{index}]"), index, spans });
    }
    if let Some(url) = entry.get("url").and_then(Value::as_str) {
        let spans = secrets::in_url(url);
        all.push(Found { table: "url", key: "url".to_owned(), path: "url".to_owned(), index: 0, spans });
    }
    all.retain(|found| !found.spans.is_empty());
    all
}

/// How the inputs that came along were declared; as for a password where they were not.
fn declarations_of<'a>(ids: &'a [String], node: Option<&'a Node>) -> impl Iterator<Item = (String, Value)> + 'a {
    ids.iter().map(move |id| {
        let declaration = Inputs::declaration_of(node, id).map(convert::plain);
        (id.clone(), declaration.unwrap_or_else(|| convert::question(id, id)))
    })
}

fn slug(text: &str) -> String {
    convert::upper(text).to_ascii_lowercase().replace('_', "-")
}
