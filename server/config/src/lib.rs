//! Reads `tta.toml` and every known `mcp.json` shape into one `Config` and a list of what is wrong, with places.
//!
//! Invariant: whatever the files hold, loading ends with a usable configuration. A file that does not parse, an entry
//! that makes no sense, a variable without a value: each is a `Problem`, and the rest goes on.
//!
//! Left out on purpose: starting anything, opening any URL, and deciding who is trusted; this crate reads files and
//! named environment variables and does nothing else.

mod complete;
mod direct;
mod entry;
mod import;
mod inputs;
mod inspect;
mod keys;
mod ledger;
mod outline;
mod prices;
mod report;
mod schema;
mod settings;
mod shapes;
mod telemetry;
mod tree;
mod variables;

pub use complete::{Suggestion, SuggestionKind, suggest};
pub use direct::{DIRECT_MAX, DirectName};
pub use import::{ImportError, import};
pub use inputs::fill;
pub use inspect::{Inspection, ServerKey, inspect};
pub use schema::schema;
pub use telemetry::Telemetry;

use entry::Context;
use inputs::Inputs;
pub use ledger::LedgerSettings;
use model::server::{Scope, Source};
use model::{Limits, Problem, ServerSpec};
use report::Report;
use settings::SetLimit;
use shapes::{Candidate, Format};
use std::collections::{BTreeMap, HashMap};
use std::io::Read;
use std::path::{Path, PathBuf};
use tree::{Entry, Node};
use variables::Variables;

/// Bytes of one configuration file.
const FILE_BYTES_MAX: u64 = 1 << 20;
/// Bytes of one of the user's own: some tools keep their history in it.
const USER_FILE_BYTES_MAX: u64 = 16 << 20;
/// Servers in all files together.
const SERVERS_MAX: usize = 1_000;

/// Everything that is configured.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Config {
    /// The servers, in order of precedence; each name once.
    pub servers: Vec<ServerSpec>,
    /// What one run may use.
    pub limits: Limits,
    /// How savings are counted.
    pub ledger: LedgerSettings,
    /// Tools of servers that models are offered beside our own.
    pub direct_tools: Vec<DirectName>,
    /// What is sent of what happens, and where; nothing where absent.
    pub telemetry: Option<Telemetry>,
    /// How often to look at the files whatever the system tells of them.
    pub watch_poll_ms: Option<u64>,
    /// Where else a server's name stands, by name, highest precedence first: what is there is not used.
    pub shadowed: BTreeMap<String, Vec<Source>>,
    /// Every file whose change matters, whether it exists or not.
    pub files: Vec<PathBuf>,
    /// Hash of what the workspace itself would start and send; empty where that is nothing. Trust is bound to it.
    pub trust_hash: String,
}

/// The user's folders; an absent one is not looked into.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UserDirs {
    /// The home folder.
    pub home: Option<PathBuf>,
    /// The platform's folder for configurations, such as `~/.config`.
    pub config: Option<PathBuf>,
}

/// What there is to read from.
pub struct Sources<'a> {
    /// The workspace's folders; the first one, which there must be, outranks the others.
    pub folders: &'a [PathBuf],
    /// One more file, which outranks all others.
    pub explicit: Option<&'a Path>,
    /// The values of environment variables.
    pub env: &'a dyn Fn(&str) -> Option<String>,
    /// Where the user's own files are.
    pub user: &'a UserDirs,
    /// Whether somebody can be asked for `${input:…}`; else such a server cannot start.
    pub asks: bool,
}

/// Reads everything that is configured.
pub fn load(sources: &Sources<'_>) -> (Config, Vec<Problem>) {
    let mut loader = Loader::new(sources);
    if let Some(path) = sources.explicit {
        loader.file(&shapes::explicit(path), true);
    }
    for candidate in shapes::candidates(sources.folders, sources.user) {
        if sources.explicit.is_none_or(|path| path != candidate.path) {
            loader.file(&candidate, false);
        }
    }
    loader.settle();
    loader.limit();
    let mut config = loader.config;
    config.files.sort();
    config.files.dedup();
    config.trust_hash = trust_hash(&config);
    (config, loader.problems)
}

/// The nearest folder from `start` upwards that has a configuration of its own, else `start`. A folder counts by the
/// files that are only ever a project's, not by settings that every home folder has.
pub fn find_workspace(start: &Path) -> PathBuf {
    start.ancestors().find(|folder| shapes::is_workspace(folder)).unwrap_or(start).to_owned()
}

struct Loader<'a> {
    sources: &'a Sources<'a>,
    config: Config,
    problems: Vec<Problem>,
    by_name: HashMap<String, usize>,
    limited: Vec<Limited>,
    /// The explicit `tta.toml`, whose settings are read after all others.
    last: Option<(PathBuf, String, Node)>,
}

/// What a `tta.toml` says of a server's limits that another file configures.
struct Limited {
    server: String,
    limits: Vec<SetLimit>,
    /// What is wrong where no file does.
    missing: Problem,
}

impl<'a> Loader<'a> {
    fn new(sources: &'a Sources<'a>) -> Self {
        let (config, problems) = (Config::default(), Vec::new());
        Self { sources, config, problems, by_name: HashMap::new(), limited: Vec::new(), last: None }
    }

    /// Applies the settings of the file that outranks all others over theirs.
    fn settle(&mut self) {
        if let Some((file, text, root)) = self.last.take() {
            let variables = self.variables();
            let mut report = Report::new(&file, &text, &mut self.problems);
            settings::read(&root, &mut self.config, &mut report);
            let telemetry = telemetry::read(&root, Scope::Explicit, &variables, &mut report);
            self.config.telemetry = telemetry.or(self.config.telemetry.take());
        }
        let tags = (self.sources.env)(ledger::TAGS_VARIABLE).unwrap_or_default();
        for message in ledger::add_variable(&tags, &mut self.config.ledger) {
            let file = Path::new(ledger::TAGS_VARIABLE);
            Report::new(file, "", &mut self.problems).error(0, message, "Write it as key=value,key=value.");
        }
    }

    /// The variables of what is no server: of the first folder, and nobody is asked.
    fn variables(&self) -> Variables<'a> {
        let Sources { folders, env, user, .. } = *self.sources;
        let workspace = folders.first().map_or(Path::new(""), PathBuf::as_path);
        Variables { workspace, folders, home: user.home.as_deref(), env, inputs: None, bare: false }
    }

    /// Takes over limits that stand apart from their servers; the file of the highest rank has the last word.
    fn limit(&mut self) {
        for Limited { server, limits, missing } in self.limited.drain(..).rev() {
            match self.by_name.get(&server) {
                Some(&at) => limits.iter().for_each(|(set, value)| set(&mut self.config.servers[at].limits, *value)),
                None => self.problems.push(missing),
            }
        }
    }

    fn file(&mut self, candidate: &Candidate, must_exist: bool) {
        let path = candidate.path.as_path();
        self.config.files.push(path.to_owned());
        if !must_exist && !path.exists() {
            return;
        }
        let text = match read_bounded(path, candidate.bytes_max()) {
            Ok(text) => text,
            Err(why) => {
                let mut report = Report::new(path, "", &mut self.problems);
                report.error(0, format!("the file cannot be read: {why}"), "Correct it, or remove it.");
                return;
            }
        };
        self.text(candidate, &text);
    }

    fn text(&mut self, candidate: &Candidate, text: &str) {
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let parsed = if candidate.format == Format::Json { tree::json(text) } else { tree::toml(text) };
        match parsed {
            Ok(root) => {
                self.root(candidate, text, &root);
                if candidate.format == Format::Tta && candidate.scope == Scope::Explicit && root.entries().is_some() {
                    self.last = Some((candidate.path.clone(), text.to_owned(), root));
                }
            }
            Err(error) => {
                let language = if candidate.format == Format::Json { "JSON" } else { "TOML" };
                let mut report = Report::new(&candidate.path, text, &mut self.problems);
                let message = format!("this is not valid {language}: {}", error.message);
                report.error(error.at, message, "Nothing in this file is used until it is mended.");
            }
        }
    }

    fn root(&mut self, candidate: &Candidate, text: &str, root: &Node) {
        let variables = self.variables();
        let mut report = Report::new(&candidate.path, text, &mut self.problems);
        if root.entries().is_none() {
            report.error(root.at, format!("the file holds {}, not an object", root.kind()), "Write an object.");
            return;
        }
        if candidate.format == Format::Tta && candidate.scope == Scope::Explicit {
            // Read at the end.
        } else if candidate.format == Format::Tta && candidate.folder == 0 {
            settings::read(root, &mut self.config, &mut report);
            self.config.telemetry = telemetry::read(root, candidate.scope, &variables, &mut report);
        } else if candidate.format == Format::Tta {
            settings::read_further(root, &mut report);
        }
        let general = general(candidate, root);
        keys::top(candidate, root, general.is_some(), &mut report);
        if general.is_none() && candidate.scope == Scope::Explicit && candidate.format != Format::Tta {
            report.error(root.at, "there are no servers in this file", "Put them under `servers` or `mcpServers`.");
        }
        let inputs = Inputs::read(declared(root, general.map(|(_, keys)| keys)), &mut report);
        let Sources { folders, env, user, asks, .. } = *self.sources;
        for (workspace, table) in tables(candidate, root, folders) {
            let home = user.home.as_deref();
            let (inputs, bare) = (asks.then_some(&inputs), candidate.has_bare_variables());
            self.table(candidate, text, &table.node, &Variables { workspace, folders, home, env, inputs, bare });
        }
    }

    fn table(&mut self, candidate: &Candidate, text: &str, node: &Node, variables: &Variables<'_>) {
        let Some(entries) = node.entries() else {
            let message = format!("the servers are {}, not an object", node.kind());
            let mut report = Report::new(&candidate.path, text, &mut self.problems);
            return report.error(node.at, message, "Write names with their entries.");
        };
        // A key that is there twice counts where it is last, as in the editors.
        let last: HashMap<&str, usize> = entries.iter().enumerate().map(|(at, entry)| (&*entry.key, at)).collect();
        for (at, entry) in entries.iter().enumerate() {
            if last[&*entry.key] == at {
                self.server(candidate, text, entry, variables);
            } else {
                let mut report = Report::new(&candidate.path, text, &mut self.problems);
                let message = format!("server `{}` stands in this file again, and that one counts", entry.key);
                report.about(&entry.key);
                report.warning(entry.key_at, message, "Rename or remove one of the two.");
                let source = report.source(entry.key_at, candidate.scope);
                self.config.shadowed.entry(entry.key.clone()).or_default().push(source);
            }
        }
    }

    fn server(&mut self, candidate: &Candidate, text: &str, entry: &Entry, variables: &Variables<'_>) {
        let mut report = Report::new(&candidate.path, text, &mut self.problems);
        if candidate.format == Format::Tta && settings::is_only_limits(&entry.node) {
            let limits = settings::server_limits(&entry.node, &mut report);
            let message = format!("no file configures a server `{}`", entry.key);
            let missing = report.problem(entry.key_at, message, "Correct the name, or add `command` or `url`.");
            self.limited.push(Limited { server: entry.key.clone(), limits, missing });
            return;
        }
        let is_ours = candidate.format == Format::Tta;
        let mut context = Context { variables, scope: candidate.scope, is_ours, files: &mut self.config.files };
        if let Some(&winner) = self.by_name.get(&entry.key) {
            let winner = &self.config.servers[winner].source;
            let message = format!("server `{}` is configured in {} already, which is used", entry.key, place(winner));
            report.about(&entry.key);
            report.info(entry.key_at, message, "Rename or remove one of the two.");
            let source = report.source(entry.key_at, candidate.scope);
            self.config.shadowed.entry(entry.key.clone()).or_default().push(source);
            return;
        }
        let Some(spec) = entry::read(entry, &mut context, &mut report) else { return };
        if self.config.servers.len() >= SERVERS_MAX {
            report.error(entry.key_at, format!("there are more than {SERVERS_MAX} servers"), "Remove some.");
            return;
        }
        self.by_name.insert(spec.name.clone(), self.config.servers.len());
        self.config.servers.push(spec);
    }
}

/// The tables of servers in a file, highest precedence first, each with the folder that it belongs to. Claude Code keeps what
/// it added for one project only in the user's own file, under the project's folder.
fn tables<'a>(candidate: &Candidate, root: &'a Node, folders: &'a [PathBuf]) -> Vec<(&'a Path, &'a Entry)> {
    let users = folders.iter().filter(|_| candidate.scope == Scope::User);
    let own = |folder: &'a PathBuf| descend(root, &["projects", &folder.to_string_lossy(), "mcpServers"]);
    let mut tables: Vec<_> = users.filter_map(|folder| Some((folder.as_path(), own(folder)?))).collect();
    if let (Some((table, _)), Some(folder)) = (general(candidate, root), folders.get(candidate.folder)) {
        tables.push((folder, table));
    }
    tables
}

/// The table of a file's servers for every folder, and the way to it.
fn general<'a>(candidate: &Candidate, root: &'a Node) -> Option<(&'a Entry, &'static [&'static str])> {
    candidate.keys.iter().find_map(|keys| Some((descend(root, keys)?, *keys)))
}

/// What a file declares of its inputs, which stand beside the table of its servers.
fn declared<'a>(root: &'a Node, keys: Option<&[&str]>) -> Option<&'a Node> {
    let (_, way) = keys?.split_last()?;
    descend(root, &[way, &["inputs"]].concat()).map(|entry| &entry.node)
}

fn place(source: &Source) -> String {
    format!("{}, line {},", source.file.display(), source.line)
}

/// The entry at the end of a way of keys. Editors also write the way as one key with dots.
fn descend<'a>(root: &'a Node, keys: &[&str]) -> Option<&'a Entry> {
    let (last, way) = keys.split_last()?;
    let parent = way.iter().try_fold(root, |node, key| Some(&node.get(key)?.node));
    parent.and_then(|parent| parent.get(last)).or_else(|| root.get(&keys.join(".")))
}

/// Hash over what the workspace's own files would start, and where they would send telemetry.
fn trust_hash(config: &Config) -> String {
    let mut hashes: Vec<&str> = config
        .servers
        .iter()
        .filter(|server| server.source.scope == Scope::Workspace && !server.disabled)
        .map(|server| server.content_hash.as_str())
        .chain(config.telemetry.as_ref().filter(|telemetry| telemetry.needs_trust()).map(|t| t.hash.as_str()))
        .collect();
    if hashes.is_empty() {
        return String::new();
    }
    hashes.sort_unstable();
    blake3::hash(hashes.concat().as_bytes()).to_hex().to_string()
}

/// The text of a regular file (a pipe would block for ever) of bounded size.
fn read_bounded(path: &Path, bytes_max: u64) -> Result<String, String> {
    let metadata = std::fs::metadata(path).map_err(|error| error.to_string())?;
    if !metadata.is_file() {
        return Err("it is not a regular file".into());
    }
    let file = std::fs::File::open(path).map_err(|error| error.to_string())?;
    let mut bytes = Vec::new();
    file.take(bytes_max + 1).read_to_end(&mut bytes).map_err(|error| error.to_string())?;
    if bytes.len() as u64 > bytes_max {
        return Err(format!("it is larger than {bytes_max} bytes"));
    }
    String::from_utf8(bytes).map_err(|_| "it is not UTF-8".to_owned())
}
