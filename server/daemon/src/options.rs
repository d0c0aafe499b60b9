//! How a daemon is set up, and where it keeps what it keeps.

use crate::editor::Editor;
use crate::error::Error;
use config::{Config, Sources, UserDirs};
use model::Problem;
use serde::Deserialize;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Every front fills this in from its own flags or settings.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// The workspace's folder; the nearest parent of the working directory with a configuration, else that directory.
    pub workspace: Option<PathBuf>,
    /// Further folders of the same window.
    pub folders: Vec<PathBuf>,
    /// One more configuration file, whose servers the user has named and so trusts.
    pub config: Option<PathBuf>,
    /// `Some` says whether the workspace is trusted (the editor knows, or `--trust`); `None` asks the trust store.
    pub trusted: Option<bool>,
    /// User data; the platform's data folder where absent.
    pub data_dir: Option<PathBuf>,
    /// The deadline given by the user, in place of the configured one.
    pub timeout_ms: Option<u64>,
    /// Likewise the memory, MiB.
    pub memory_mb: Option<u64>,
    /// The editor in front, where there is one.
    pub editor: Option<Arc<dyn Editor>>,
    /// Which calls a person is asked about before they are made.
    pub ask_calls: AskCalls,
    /// Whether each server of the workspace needs an approval of its own before it first starts, trusted or not.
    pub ask_servers: bool,
}

/// Which calls a person is asked about, by what the server says of the tool.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum AskCalls {
    /// None: who started the run has answered for it.
    #[default]
    Never,
    /// Those of tools that say that they may destroy.
    Destructive,
    /// Those of tools that do not say that they change nothing.
    Writes,
    /// Every call.
    Always,
}

impl AskCalls {
    /// The same for a call in the editor's place, which itself asks about all that is not said to change nothing.
    pub(crate) fn as_editor(self) -> Self {
        if self == Self::Destructive { Self::Writes } else { self }
    }
}

/// The folders of one daemon, all private to the user.
#[derive(Clone, Debug)]
pub(crate) struct Paths {
    /// The workspace, canonical.
    pub(crate) workspace: PathBuf,
    /// The workspace and the further folders of the same window, canonical.
    pub(crate) folders: Vec<PathBuf>,
    /// Shared by all workspaces: compiled guests.
    pub(crate) cache: PathBuf,
    /// This workspace's own: ledger, artifacts, logs.
    pub(crate) data: PathBuf,
    /// Shared by all workspaces: the trust store.
    pub(crate) trust: PathBuf,
    /// Shared by all workspaces: logins, where neither an editor nor a keyring keeps them.
    pub(crate) logins: PathBuf,
}

impl Paths {
    pub(crate) fn new(options: &Options) -> Result<Self, Error> {
        let workspace = if let Some(given) = &options.workspace {
            given.clone()
        } else {
            let here = std::env::current_dir().map_err(|e| Error::Usage(format!("no working directory: {e}")))?;
            config::find_workspace(&here)
        };
        let workspace = workspace
            .canonicalize()
            .map_err(|e| Error::Usage(format!("the workspace {} cannot be opened: {e}", workspace.display())))?;
        if !workspace.is_dir() {
            return Err(Error::Usage(format!("the workspace {} is not a folder", workspace.display())));
        }
        let (data_root, cache) = if let Some(given) = &options.data_dir {
            (given.clone(), given.join("cache"))
        } else {
            let dirs = directories::ProjectDirs::from("", "", "tta").ok_or_else(|| {
                Error::Usage("no home folder is known: set HOME, so that data can be kept there".to_owned())
            })?;
            (dirs.data_dir().to_owned(), dirs.cache_dir().to_owned())
        };
        let data = data_root.join("workspaces").join(workspace_key(&workspace));
        for folder in [&data_root, &cache, &data] {
            private_folder(folder)?;
        }
        let folders = folders(&workspace, &options.folders);
        Ok(Self {
            workspace,
            folders,
            cache,
            data,
            trust: data_root.join("trust.json"),
            logins: data_root.join("logins"),
        })
    }

    /// Reads the configuration as it stands now, and what is wrong with it.
    pub(crate) fn load_config(&self, options: &Options) -> (Config, Vec<Problem>) {
        self.with_sources(options, config::load)
    }

    /// Hands over where configuration is read from.
    pub(crate) fn with_sources<T>(&self, options: &Options, read: impl FnOnce(&Sources<'_>) -> T) -> T {
        let base = directories::BaseDirs::new();
        let user = UserDirs {
            home: base.as_ref().map(|dirs| dirs.home_dir().to_owned()),
            config: base.as_ref().map(|dirs| dirs.config_dir().to_owned()),
        };
        read(&Sources {
            folders: &self.folders,
            explicit: options.config.as_deref(),
            env: &|name| std::env::var(name).ok(),
            user: &user,
            asks: options.editor.is_some(),
        })
    }

    /// A path as users read it: relative to the folder it lies in, with that folder's name where there are several.
    pub(crate) fn shown(&self, path: &Path) -> String {
        let inside = self.folders.iter().filter_map(|folder| Some((folder, path.strip_prefix(folder).ok()?)));
        let shown = match inside.min_by_key(|(_, rest)| rest.components().count()) {
            Some((folder, rest)) if self.folders.len() > 1 => {
                Path::new(folder.file_name().unwrap_or_default()).join(rest)
            }
            Some((_, rest)) => rest.to_owned(),
            None => path.to_owned(),
        };
        shown.display().to_string()
    }
}

/// The workspace and then each further folder once. One that is not there (a drive that is not mounted) is left out, as
/// editors do.
fn folders(workspace: &Path, further: &[PathBuf]) -> Vec<PathBuf> {
    let mut all = vec![workspace.to_owned()];
    for folder in further {
        match folder.canonicalize() {
            Ok(folder) if !folder.is_dir() => tracing::warn!("{} is not a folder and is left out", folder.display()),
            Ok(folder) if all.contains(&folder) => {}
            Ok(folder) => all.push(folder),
            Err(e) => tracing::warn!("the folder {} cannot be opened and is left out: {e}", folder.display()),
        }
    }
    all
}

/// A readable, collision-free folder name for a workspace.
fn workspace_key(workspace: &Path) -> String {
    let hash = blake3::hash(workspace.as_os_str().as_encoded_bytes()).to_hex();
    let name = workspace.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
    format!("{}-{}", model::names::identifier(&name), &hash[..12])
}

/// Creates a folder that only the user can read.
pub(crate) fn private_folder(folder: &Path) -> Result<(), Error> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder).map_err(|e| {
        Error::Usage(format!(
            "{} cannot be created: {e}; free the name or point the data folder elsewhere",
            folder.display()
        ))
    })
}

/// Writes a file whole or not at all, readable only by the user.
pub(crate) fn write_private(file: &Path, bytes: &[u8]) -> std::io::Result<()> {
    use std::io::Write as _;
    let part = file.with_extension(format!("part-{}", std::process::id()));
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut out = options.open(&part)?;
    out.write_all(bytes)?;
    out.sync_data()?;
    std::fs::rename(&part, file)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_shown_as_a_person_knows_them() {
        let root = tempfile::tempdir().expect("a folder");
        let [app, lib] = ["app", "lib"].map(|name| root.path().join(name));
        for folder in [&app, &lib] {
            std::fs::create_dir(folder).expect("made");
        }
        let data_dir = Some(root.path().join("data"));
        let alone = Options { workspace: Some(app.clone()), data_dir, ..Options::default() };
        let paths = Paths::new(&alone).expect("paths");
        assert_eq!(paths.shown(&paths.workspace.join(".mcp.json")), ".mcp.json");
        assert_eq!(paths.shown(Path::new("/etc/mcp.json")), "/etc/mcp.json");
        let many = Options { folders: vec![app.clone(), lib, root.path().join("gone"), app], ..alone };
        let paths = Paths::new(&many).expect("paths");
        assert_eq!(paths.folders.len(), 2);
        assert_eq!(paths.shown(&paths.folders[1].join("a/.mcp.json")), "lib/a/.mcp.json");
        assert_eq!(paths.shown(&paths.folders[0].join(".mcp.json")), "app/.mcp.json");
    }
}
