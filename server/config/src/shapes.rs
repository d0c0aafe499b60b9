//! Every file that MCP servers are read from, as one table.
//!
//! To add a client's file: one line here. Keys are tried from the top of the file down; the first table found wins, so
//! that a file named on the command line is understood whatever client it was written for.

use crate::UserDirs;
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
    /// Whether the file's mere presence makes its folder a workspace; settings files are everywhere.
    marks: bool,
}

const fn shape(base: Base, path: &'static str, keys: &'static [&'static str]) -> Shape {
    Shape { base, path, format: Format::Json, keys, marks: false }
}

const fn marker(path: &'static str, keys: &'static [&'static str]) -> Shape {
    Shape { base: Base::Workspace, path, format: Format::Json, keys, marks: true }
}

/// Highest precedence first.
const SHAPES: &[Shape] = &[
    Shape { base: Base::Workspace, path: "tta.toml", format: Format::Tta, keys: &["servers"], marks: true },
    marker(".vscode/mcp.json", &["servers"]),
    shape(Base::Workspace, ".vscode/settings.json", &["mcp", "servers"]),
    marker(".mcp.json", &["mcpServers"]),
    marker(".mcp/config.json", &["mcpServers"]),
    shape(Base::Workspace, ".cursor/mcp.json", &["mcpServers"]),
    Shape {
        base: Base::Workspace,
        path: ".codex/config.toml",
        format: Format::Toml,
        keys: &["mcp_servers"],
        marks: false,
    },
    shape(Base::Workspace, ".gemini/settings.json", &["mcpServers"]),
    shape(Base::Workspace, ".windsurf/mcp_config.json", &["mcpServers"]),
    shape(Base::Workspace, ".zed/settings.json", &["context_servers"]),
    shape(Base::Config, "tta/mcp.json", &["servers"]),
    shape(Base::Config, "Code/User/mcp.json", &["servers"]),
    shape(Base::Config, "Code/User/settings.json", &["mcp", "servers"]),
    shape(Base::Home, ".claude.json", &["mcpServers"]),
    shape(Base::Config, "Claude/claude_desktop_config.json", &["mcpServers"]),
    shape(Base::Home, ".cursor/mcp.json", &["mcpServers"]),
    Shape { base: Base::Home, path: ".codex/config.toml", format: Format::Toml, keys: &["mcp_servers"], marks: false },
    shape(Base::Home, ".gemini/settings.json", &["mcpServers"]),
    shape(Base::Home, ".codeium/windsurf/mcp_config.json", &["mcpServers"]),
    shape(Base::Home, ".config/zed/settings.json", &["context_servers"]),
];

/// Where the servers may stand in a file that was named on the command line, and in any file beside its own key.
pub(crate) const ANY_KEYS: &[&[&str]] =
    &[&["mcpServers"], &["servers"], &["mcp", "servers"], &["context_servers"], &["mcp_servers"]];

/// A file to read.
#[derive(Debug)]
pub(crate) struct Candidate {
    pub(crate) path: PathBuf,
    pub(crate) format: Format,
    pub(crate) keys: &'static [&'static [&'static str]],
    pub(crate) scope: Scope,
    /// Which of the workspace's folders it belongs to; the first where it belongs to none.
    pub(crate) folder: usize,
}

/// Every file that may hold servers, highest precedence first: the folders' in their order, then the user's. A file that
/// is the user's own as well as the workspace's (a folder is the home folder) counts as the user's.
pub(crate) fn candidates(folders: &[PathBuf], user: &UserDirs) -> Vec<Candidate> {
    let of = |shape: &'static Shape, base: &Path, scope, folder| {
        let keys = std::slice::from_ref(&shape.keys);
        Candidate { path: base.join(shape.path), format: shape.format, keys, scope, folder }
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
    Candidate { path: path.to_owned(), format, keys: ANY_KEYS, scope: Scope::Explicit, folder: 0 }
}

/// Whether `folder` holds a file that makes it a workspace.
pub(crate) fn is_workspace(folder: &Path) -> bool {
    SHAPES.iter().any(|shape| shape.marks && folder.join(shape.path).is_file())
}
