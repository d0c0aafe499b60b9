//! The file that servers are taken over to: its shape, what is in it, and its new text.
//!
//! Comments, formatting, line ends, a byte order mark, the file's mode and a link that leads to it are kept. It is replaced
//! whole or not at all, and not where somebody else wrote it meanwhile.

use super::ImportError;
use crate::shapes::{self, Format};
use crate::{Sources, read_bounded, report, tree};
use jsonc_parser::cst::{CstInputValue, CstObject, CstRootNode};
use serde_json::Value as Json;
use std::io::Write as _;
use std::path::{Path, PathBuf};

const BYTES_MAX: u64 = 1 << 20;
const BOM: char = '\u{feff}';

/// How a file writes variables of the environment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Spelling {
    /// `${env:X}`
    Editor,
    /// `${X}` and `${X:-default}`
    Shell,
}

impl Spelling {
    pub(super) fn environment(self, name: &str, default: Option<&str>) -> String {
        match (self, default) {
            (Self::Editor, _) => format!("${{env:{name}}}"),
            (Self::Shell, None) => format!("${{{name}}}"),
            (Self::Shell, Some(default)) => format!("${{{name}:-{default}}}"),
        }
    }
}

/// The file as it is now.
pub(super) struct Target {
    pub(super) path: PathBuf,
    pub(super) spelling: Spelling,
    key: &'static str,
    /// What is in it, byte order mark and all; `None` where it is not there.
    before: Option<String>,
    root: CstRootNode,
}

impl Target {
    pub(super) fn open(path: PathBuf, sources: &Sources<'_>) -> Result<Self, ImportError> {
        let before = match path.symlink_metadata() {
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => None,
            _ => Some(read_bounded(&path, BYTES_MAX).map_err(|why| refused(&path, why))?),
        };
        let text = before.as_deref().unwrap_or_default();
        let text = text.strip_prefix(BOM).unwrap_or(text);
        let root = CstRootNode::parse(text, &tree::json_options()).map_err(|error| {
            let (line, column) = report::position(text, error.range().start);
            refused(
                &path,
                format!("line {line}, column {column}: this is not valid JSON: {}; mend it first", error.kind()),
            )
        })?;
        let (key, spelling) = shape(&path, &root, sources)?;
        Ok(Self { path, spelling, key, before, root })
    }

    /// Whether it has a place for questions.
    pub(super) fn asks(&self) -> bool {
        self.key == "servers"
    }

    /// Its name, for messages.
    pub(super) fn shown(&self) -> String {
        self.path.display().to_string()
    }

    /// The server of a name, as it is there.
    pub(super) fn server(&self, name: &str) -> Option<Json> {
        self.root.object_value()?.object_value(self.key)?.get(name)?.to_serde_value()
    }

    /// Whether it declares an input.
    pub(super) fn has_input(&self, id: &str) -> bool {
        let inputs = self.root.object_value().and_then(|root| root.array_value("inputs"));
        let declared = inputs.map(|inputs| inputs.elements()).unwrap_or_default();
        declared.iter().any(|input| input.to_serde_value().is_some_and(|input| input["id"] == id))
    }

    /// Puts a server in, in the place of one that has its name.
    pub(super) fn put(&self, name: &str, entry: &Json) -> Result<(), ImportError> {
        let servers = self.top()?.object_value_or_create(self.key).ok_or_else(|| self.odd(self.key, "an object"))?;
        match servers.get(name) {
            Some(there) => there.set_value(input(entry)),
            None => {
                servers.append(name, input(entry));
            }
        }
        Ok(())
    }

    /// Declares an input.
    pub(super) fn ask(&self, declaration: &Json) -> Result<(), ImportError> {
        let inputs = self.top()?.array_value_or_create("inputs").ok_or_else(|| self.odd("inputs", "a list"))?;
        inputs.ensure_multiline();
        inputs.append(input(declaration));
        Ok(())
    }

    fn top(&self) -> Result<CstObject, ImportError> {
        self.root.object_value_or_create().ok_or_else(|| refused(&self.path, "it does not hold an object".to_owned()))
    }

    fn odd(&self, key: &str, expected: &str) -> ImportError {
        refused(&self.path, format!("its `{key}` is not {expected}; mend it first"))
    }

    /// Replaces the file, or makes it.
    pub(super) fn write(&self) -> Result<(), ImportError> {
        let failed = |e: std::io::Error| refused(&self.path, format!("it cannot be written: {e}"));
        let mut text = self.root.to_string();
        if self.before.as_deref().is_some_and(|before| before.starts_with(BOM)) {
            text.insert(0, BOM);
        }
        if !text.ends_with('\n') && self.before.as_deref().is_none_or(|before| before.trim().is_empty()) {
            text.push('\n');
        }
        // A link stays one: what it leads to is replaced.
        let path = if self.before.is_some() { self.path.canonicalize().map_err(failed)? } else { self.path.clone() };
        let folder = path.parent().ok_or_else(|| refused(&path, "it is no file".to_owned()))?;
        std::fs::create_dir_all(folder).map_err(failed)?;
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let part = folder.join(format!(".{name}.{}.part", std::process::id()));
        let written = self.replace(&path, &part, &text);
        if written.is_err() {
            // It may not even be there.
            let _ = std::fs::remove_file(&part);
        }
        written
    }

    fn replace(&self, path: &Path, part: &Path, text: &str) -> Result<(), ImportError> {
        let failed = |e: std::io::Error| refused(path, format!("it cannot be written: {e}"));
        let mut file = std::fs::OpenOptions::new().write(true).create_new(true).open(part).map_err(failed)?;
        if self.before.is_some() {
            let mode = std::fs::metadata(path).map_err(failed)?.permissions();
            file.set_permissions(mode).map_err(failed)?;
        }
        file.write_all(text.as_bytes()).and_then(|()| file.sync_all()).map_err(failed)?;
        let now =
            if path.exists() { Some(read_bounded(path, BYTES_MAX).map_err(|why| refused(path, why))?) } else { None };
        if now != self.before {
            return Err(refused(path, "it was changed meanwhile; run this again".to_owned()));
        }
        std::fs::rename(part, path).map_err(failed)
    }
}

fn refused(path: &Path, why: String) -> ImportError {
    ImportError::Target { file: path.to_owned(), why }
}

/// Where the servers stand in a file, and how it writes variables.
fn shape(path: &Path, root: &CstRootNode, sources: &Sources<'_>) -> Result<(&'static str, Spelling), ImportError> {
    let known = shapes::candidates(sources.folders, sources.user).into_iter().find(|known| known.path == path);
    let ways = known.as_ref().map_or(shapes::ANY_KEYS, |known| known.keys);
    let is_json = path.extension().is_some_and(|ending| ending == "json" || ending == "jsonc");
    let plain = known.as_ref().is_none_or(|known| {
        known.format == Format::Json && known.dedicated && known.tool != "windsurf" || path.ends_with(".claude.json")
    });
    let has = |key: &str| root.object_value().is_some_and(|root| root.get(key).is_some());
    let is_claudes = path.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.'));
    let key = match ways {
        [["servers"]] => "servers",
        [["mcpServers"]] => "mcpServers",
        _ if has("mcpServers") || (is_claudes && !has("servers")) => "mcpServers",
        _ => "servers",
    };
    if !plain || !is_json {
        let why = "servers are taken over to JSON files that are there for `servers` or `mcpServers`, such as \
                   .vscode/mcp.json, .mcp.json and .cursor/mcp.json";
        return Err(refused(path, why.to_owned()));
    }
    let is_editors = key == "servers" || known.is_some_and(|known| known.tool == "cursor");
    Ok((key, if is_editors { Spelling::Editor } else { Spelling::Shell }))
}

fn input(value: &Json) -> CstInputValue {
    match value {
        Json::Null => CstInputValue::Null,
        Json::Bool(value) => CstInputValue::Bool(*value),
        Json::Number(number) => CstInputValue::Number(number.to_string()),
        Json::String(text) => CstInputValue::String(text.clone()),
        Json::Array(items) => CstInputValue::Array(items.iter().map(input).collect()),
        Json::Object(entries) => {
            CstInputValue::Object(entries.iter().map(|(key, value)| (key.clone(), input(value))).collect())
        }
    }
}
