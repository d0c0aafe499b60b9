//! One configuration file as it stands in an editor, saved or not: where its servers are, and what is wrong with it.
//!
//! Invariant: what is said of a text is what [`crate::load`] would say of it on disk, apart from what depends on other
//! files. A text that does not parse still has its servers' places.

use crate::shapes::{self, Candidate};
use crate::{Loader, Sources, outline};
use model::Problem;
use model::server::Scope;
use std::ops::Range;
use std::path::{Path, PathBuf};

/// What there is to say of one file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Inspection {
    /// The file, as it is spelled in a server's source.
    pub file: PathBuf,
    /// Its servers, in their order.
    pub servers: Vec<ServerKey>,
    /// What is wrong with it.
    pub problems: Vec<Problem>,
}

/// A server's key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServerKey {
    /// The configured name.
    pub name: String,
    /// Its bytes in the text, with quotes.
    pub key: Range<usize>,
}

/// Looks at a text that is, or will be, the content of `file`; `None` where no servers are read from that file.
pub fn inspect(file: &Path, text: &str, sources: &Sources<'_>) -> Option<Inspection> {
    let candidate = candidate(file, sources)?;
    let mut loader = Loader::new(sources);
    loader.text(&candidate, text);
    loader.settle();
    let named = |key: outline::Key| {
        let (name, tables) = key.path.split_last()?;
        // What is there to say of a server is said where it is configured.
        let is_server =
            is_server_table(&candidate, tables, sources) && !loader.limited.iter().any(|l| l.server == *name);
        is_server.then(|| ServerKey { name: name.clone(), key: key.range })
    };
    let servers = outline::keys(candidate.format, text).into_iter().filter_map(named).collect();
    Some(Inspection { file: candidate.path, servers, problems: loader.problems })
}

/// The kind of file that `file` is. Editors may spell a path otherwise than we do.
pub(crate) fn candidate(file: &Path, sources: &Sources<'_>) -> Option<Candidate> {
    let folder = file.parent().and_then(|folder| folder.canonicalize().ok());
    let resolved = folder.zip(file.file_name()).map(|(folder, name)| folder.join(name));
    let is_it = |path: &Path| path == file || resolved.as_deref() == Some(path);
    match sources.explicit.filter(|path| is_it(path)) {
        Some(path) => Some(shapes::explicit(path)),
        None => shapes::candidates(sources.folders, sources.user).into_iter().find(|candidate| is_it(&candidate.path)),
    }
}

/// Whether the entries of a table are servers.
pub(crate) fn is_server_table(candidate: &Candidate, tables: &[String], sources: &Sources<'_>) -> bool {
    let is_way = |keys: &[&str]| tables.iter().eq(keys.iter()) || tables.iter().eq([&keys.join(".")]);
    let is_own = || match tables {
        [projects, folder, servers] if candidate.scope == Scope::User => {
            projects == "projects"
                && servers == "mcpServers"
                && sources.folders.iter().any(|f| f.as_os_str() == folder.as_str())
        }
        _ => false,
    };
    candidate.keys.iter().any(|keys| is_way(keys)) || is_own()
}
