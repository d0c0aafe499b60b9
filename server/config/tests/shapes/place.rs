//! A workspace, a home folder and an environment in a temporary folder; what is read of it is compared as a table.

use config::{Config, Sources, UserDirs, load};
use expect_test::Expect;
use model::{Problem, ServerSpec, Severity, Transport};
use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};

/// A workspace, a home folder, and an environment.
pub(crate) struct Place {
    pub(crate) folder: tempfile::TempDir,
    pub(crate) folders: Vec<&'static str>,
    pub(crate) env: Vec<(&'static str, &'static str)>,
    pub(crate) asks: bool,
}

impl Place {
    pub(crate) fn new(files: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let place = Self { folder, folders: vec!["app"], env: Vec::new(), asks: false };
        for (path, text) in files {
            place.write(path, text.as_bytes());
        }
        place
    }

    pub(crate) fn write(&self, path: &str, bytes: &[u8]) -> PathBuf {
        let path = self.folder.path().join(path);
        fs::create_dir_all(path.parent().expect("a file has a folder")).expect("made");
        fs::write(&path, bytes).expect("written");
        path
    }

    pub(crate) fn load(&self) -> (Config, Vec<Problem>) {
        self.load_with(None)
    }

    pub(crate) fn load_with(&self, explicit: Option<&Path>) -> (Config, Vec<Problem>) {
        let home = self.folder.path().join("home");
        let user = UserDirs { config: Some(home.join(".config")), home: Some(home) };
        let env = |name: &str| self.env.iter().find(|(own, _)| *own == name).map(|(_, value)| (*value).to_owned());
        let folders: Vec<PathBuf> = self.folders.iter().map(|name| self.folder.path().join(name)).collect();
        load(&Sources { folders: &folders, explicit, env: &env, user: &user, asks: self.asks })
    }

    /// The servers and problems as lines, the temporary folder as `…`.
    pub(crate) fn check(&self, expected: &Expect) {
        let (config, problems) = self.load();
        self.compare(&config, &problems, expected);
    }

    pub(crate) fn compare(&self, config: &Config, problems: &[Problem], expected: &Expect) {
        let mut out = String::new();
        for server in &config.servers {
            writeln!(out, "{}", describe(server)).expect("writes to a String");
        }
        for problem in problems {
            let severity = match problem.severity {
                Severity::Error => "ERROR",
                Severity::Warning => "WARNING",
                Severity::Info => "INFO",
            };
            let (file, line, column) = (problem.file.display(), problem.line, problem.column);
            writeln!(out, "{severity} {file}:{line}:{column} {} [{}]", problem.message, problem.hint).expect("writes");
        }
        expected.assert_eq(&out.replace(&*self.folder.path().to_string_lossy(), "…"));
    }

    pub(crate) fn with_env(mut self, env: &[(&'static str, &'static str)]) -> Self {
        self.env = env.to_vec();
        self
    }
}

pub(crate) fn describe(server: &ServerSpec) -> String {
    let target = match &server.transport {
        Transport::Stdio { command, args, env, cwd } => {
            let env: Vec<String> = env.iter().map(|(name, value)| format!("{name}={}", value.expose())).collect();
            let cwd = cwd.as_ref().map(|cwd| format!(" in {}", cwd.display())).unwrap_or_default();
            format!("{command} {args:?} {env:?}{cwd}")
        }
        Transport::Http { url, headers, sse } => {
            let over = if *sse { "sse " } else { "" };
            let headers: Vec<String> =
                headers.iter().map(|(name, value)| format!("{name}: {}", value.expose())).collect();
            format!("{over}{url} {headers:?}")
        }
        Transport::Editor => unreachable!("no file configures it"),
    };
    let mut flags = String::new();
    if server.disabled {
        flags.push_str(" disabled");
    }
    for input in &server.inputs {
        write!(flags, " asks {input:?}").expect("writes to a String");
    }
    if !server.unresolved.is_empty() {
        write!(flags, " unresolved {:?}", server.unresolved).expect("writes to a String");
    }
    if server.startup_timeout_ms != 30_000 {
        write!(flags, " start within {} ms", server.startup_timeout_ms).expect("writes to a String");
    }
    let file = server.source.file.display();
    format!("{} = {target}{flags} ({:?} {file}:{})", server.name, server.source.scope, server.source.line)
}
