//! A workspace and a home folder with the files of other tools; what becomes of them is compared as a table.

use config::{ImportError, Sources, UserDirs};
use expect_test::Expect;
use model::import::{ImportReply, ImportRequest};
use std::fmt::Write;
use std::fs;
use std::path::PathBuf;

pub(crate) struct Place {
    pub(crate) folder: tempfile::TempDir,
    /// Where the platform keeps configurations, below the home folder.
    pub(crate) config: &'static str,
}

impl Place {
    pub(crate) fn new(files: &[(&str, &str)]) -> Self {
        let place = Self { folder: tempfile::tempdir().expect("a temporary folder"), config: ".config" };
        fs::create_dir(place.at("app")).expect("made");
        for (path, text) in files {
            let path = place.at(path);
            fs::create_dir_all(path.parent().expect("a file has a folder")).expect("made");
            fs::write(&path, text).expect("written");
        }
        place
    }

    pub(crate) fn at(&self, path: &str) -> PathBuf {
        self.folder.path().join(path)
    }

    pub(crate) fn read(&self, path: &str) -> String {
        fs::read_to_string(self.at(path)).expect("a file")
    }

    pub(crate) fn import(&self, request: &ImportRequest) -> Result<ImportReply, ImportError> {
        let home = self.at("home");
        let user = UserDirs { config: Some(home.join(self.config)), home: Some(home) };
        let folders = [self.at("app")];
        config::import(
            request,
            &Sources { folders: &folders, explicit: None, env: &|_| None, user: &user, asks: false },
        )
    }

    pub(crate) fn check(&self, request: &ImportRequest, expected: &Expect) {
        let mut out = String::new();
        match self.import(request) {
            Ok(reply) => {
                writeln!(out, "{} {}", if reply.written { "wrote" } else { "did not write" }, reply.to.display())
                    .expect("writes to a String");
                for server in reply.servers {
                    let (file, line) = (server.source.file.display(), server.source.line);
                    writeln!(out, "{:?} {} from {file}:{line} {}", server.outcome, server.name, server.entry)
                        .expect("writes to a String");
                    for secret in server.secrets {
                        let becomes = secret.becomes.as_deref().unwrap_or("copied");
                        writeln!(out, "  secret {}: {becomes}", secret.place).expect("writes to a String");
                    }
                }
                for p in reply.problems {
                    let place = format!("{}:{}:{}", p.file.display(), p.line, p.column);
                    writeln!(out, "{:?} {place} {} [{}]", p.severity, p.message, p.hint).expect("writes to a String");
                }
            }
            Err(error) => writeln!(out, "{error}").expect("writes to a String"),
        }
        expected.assert_eq(&out.replace(&*self.folder.path().to_string_lossy(), "…"));
    }
}

pub(crate) fn from(from: &[&str]) -> ImportRequest {
    ImportRequest { from: from.iter().map(|&from| from.to_owned()).collect(), ..ImportRequest::default() }
}
