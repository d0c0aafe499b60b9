//! Every file that MCP servers are read from, as one table.
//!
//! To add a client's file: one line here. A file that was named on the command line is understood whatever client it was
//! written for: there every way to a table of servers is tried.

use crate::{FILE_BYTES_MAX, USER_FILE_BYTES_MAX, UserDirs};
use model::server::Scope;
use std::path::{Path, PathBuf};

/// The language of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Format {
    Json,
    Toml,
    /// Our own file: TOML, with more than servers in it, and strict about its keys.
    Tta,
}

/// Where a relative path starts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Base {
    Workspace,
    Home,
    /// `~/.config`, or what the platform has for it.
    Config,
}

/// One kind of file.
struct Shape {
    base: Base,
    path: &'static str,
    format: Format,
    /// The way to the table of servers.
    keys: &'static [&'static str],
    /// Whose file it is; see [`TOOLS`]. Empty for ours.
    tool: &'static str,
    /// Whether the file's mere presence makes its folder a workspace; settings files are everywhere.
    marks: bool,
}

impl Shape {
    /// Whether the file is there for its servers alone.
    fn is_dedicated(&self) -> bool {
        ["mcp.json", "mcp_config.json", ".mcp/config.json"].iter().any(|name| self.path.ends_with(name))
    }
}

/// The tools whose servers can be taken over, by the names of their files' owners.
pub(crate) const TOOLS: &[&str] = &["claude", "cursor", "codex", "gemini", "windsurf", "zed", VSCODE];
/// The editor that this extends: its files are where servers are taken over to.
pub(crate) const VSCODE: &str = "vscode";
/// The tool that also writes `$X`.
const GEMINI: &str = "gemini";

const SERVERS: &[&str] = &["servers"];
const MCP_SERVERS: &[&str] = &["mcpServers"];
const SETTINGS: &[&str] = &["mcp", "servers"];
const ZED: &[&str] = &["context_servers"];
const CODEX: &[&str] = &["mcp_servers"];

const fn of(tool: &'static str, base: Base, path: &'static str, keys: &'static [&'static str]) -> Shape {
    Shape { base, path, format: Format::Json, keys, tool, marks: false }
}

const fn marker(tool: &'static str, path: &'static str, keys: &'static [&'static str]) -> Shape {
    Shape { marks: true, ..of(tool, Base::Workspace, path, keys) }
}

const fn codex(base: Base) -> Shape {
    Shape { format: Format::Toml, ..of("codex", base, ".codex/config.toml", CODEX) }
}

/// Highest precedence first.
const SHAPES: &[Shape] = &[
    Shape { format: Format::Tta, ..marker("", "tta.toml", SERVERS) },
    marker(VSCODE, ".vscode/mcp.json", SERVERS),
    of(VSCODE, Base::Workspace, ".vscode/settings.json", SETTINGS),
    marker("claude", ".mcp.json", MCP_SERVERS),
    marker("", ".mcp/config.json", MCP_SERVERS),
    of("cursor", Base::Workspace, ".cursor/mcp.json", MCP_SERVERS),
    codex(Base::Workspace),
    of(GEMINI, Base::Workspace, ".gemini/settings.json", MCP_SERVERS),
    of("windsurf", Base::Workspace, ".windsurf/mcp_config.json", MCP_SERVERS),
    of("zed", Base::Workspace, ".zed/settings.json", ZED),
    of("", Base::Config, "tta/mcp.json", SERVERS),
    of(VSCODE, Base::Config, "Code/User/mcp.json", SERVERS),
    of(VSCODE, Base::Config, "Code/User/settings.json", SETTINGS),
    of(VSCODE, Base::Config, "Code - Insiders/User/mcp.json", SERVERS),
    of(VSCODE, Base::Config, "VSCodium/User/mcp.json", SERVERS),
    of("claude", Base::Home, ".claude.json", MCP_SERVERS),
    of("claude", Base::Config, "Claude/claude_desktop_config.json", MCP_SERVERS),
    of("cursor", Base::Home, ".cursor/mcp.json", MCP_SERVERS),
    codex(Base::Home),
    of(GEMINI, Base::Home, ".gemini/settings.json", MCP_SERVERS),
    of("windsurf", Base::Home, ".codeium/windsurf/mcp_config.json", MCP_SERVERS),
    of("zed", Base::Home, ".config/zed/settings.json", ZED),
    // The same on most machines; elsewhere `XDG_CONFIG_HOME` leads to it.
    of("zed", Base::Config, "zed/settings.json", ZED),
];

/// Where the servers may stand in a file that was named on the command line.
pub(crate) const ANY_KEYS: &[&[&str]] = &[MCP_SERVERS, SERVERS, SETTINGS, ZED, CODEX];

/// A file to read.
#[derive(Debug)]
pub(crate) struct Candidate {
    pub(crate) path: PathBuf,
    pub(crate) format: Format,
    pub(crate) keys: &'static [&'static [&'static str]],
    pub(crate) scope: Scope,
    /// Which of the workspace's folders it belongs to; the first where it belongs to none.
    pub(crate) folder: usize,
    /// Whose file it is; empty where it is ours or anybody's.
    pub(crate) tool: &'static str,
    /// Whether the file is there for its servers alone.
    pub(crate) dedicated: bool,
}

impl Candidate {
    /// How large it may be.
    pub(crate) fn bytes_max(&self) -> u64 {
        if self.scope == Scope::User { USER_FILE_BYTES_MAX } else { FILE_BYTES_MAX }
    }

    /// Whether `$X` is a variable in it, as `${X}` is everywhere.
    pub(crate) fn has_bare_variables(&self) -> bool {
        self.tool == GEMINI
    }
}

/// Every file that may hold servers, highest precedence first: the folders' in their order, then the user's. A file that
/// is the user's own as well as the workspace's (a folder is the home folder) counts as the user's.
pub(crate) fn candidates(folders: &[PathBuf], user: &UserDirs) -> Vec<Candidate> {
    let of = |shape: &'static Shape, base: &Path, scope, folder| {
        let (keys, dedicated) = (std::slice::from_ref(&shape.keys), shape.is_dedicated());
        let Shape { format, tool, .. } = *shape;
        Candidate { path: base.join(shape.path), format, keys, scope, folder, tool, dedicated }
    };
    let own = folders.iter().enumerate().flat_map(|(at, folder)| {
        let shapes = SHAPES.iter().filter(|shape| shape.base == Base::Workspace);
        shapes.map(move |shape| of(shape, folder, Scope::Workspace, at))
    });
    let users = SHAPES.iter().filter_map(|shape| match shape.base {
        Base::Workspace => None,
        Base::Home => Some(of(shape, user.home.as_deref()?, Scope::User, 0)),
        Base::Config => Some(of(shape, user.config.as_deref()?, Scope::User, 0)),
    });
    let mut found: Vec<Candidate> = Vec::new();
    for candidate in own.chain(users) {
        match found.iter_mut().find(|earlier| earlier.path == candidate.path) {
            Some(earlier) => earlier.scope = candidate.scope,
            None => found.push(candidate),
        }
    }
    found
}

/// The file that was named on the command line.
pub(crate) fn explicit(path: &Path) -> Candidate {
    let name = path.file_name().unwrap_or_default();
    let format = match path.extension() {
        _ if name == "tta.toml" => Format::Tta,
        Some(ending) if ending == "toml" => Format::Toml,
        _ => Format::Json,
    };
    let (path, scope) = (path.to_owned(), Scope::Explicit);
    Candidate { path, format, keys: ANY_KEYS, scope, folder: 0, tool: "", dedicated: false }
}

/// Whether `folder` holds a file that makes it a workspace.
pub(crate) fn is_workspace(folder: &Path) -> bool {
    SHAPES.iter().any(|shape| shape.marks && folder.join(shape.path).is_file())
}
