//! A daemon in this process, over a scratch workspace, for tests of the spine and of the fronts.

use crate::faulty_server;
use daemon::{Daemon, Options};
use model::{ConversationId, Language, Reply, Request, RunReply, RunRequest};
use serde_json::{Value, json};
use std::path::Path;
use tempfile::TempDir;

/// A daemon and the folder that its workspace and its data lie in. The compiled guests are shared by all tests.
#[derive(Debug)]
pub struct TestDaemon {
    /// The daemon.
    pub daemon: Daemon,
    /// One conversation for all requests of the test.
    pub conversation: ConversationId,
    folder: TempDir,
}

/// What a test's daemon is to have.
#[derive(Debug)]
pub struct Builder {
    servers: Value,
    toml: String,
    trusted: Option<bool>,
    options: Options,
}

impl TestDaemon {
    /// A trusted workspace without servers.
    pub fn builder() -> Builder {
        Builder { servers: json!({}), toml: String::new(), trusted: Some(true), options: Options::default() }
    }

    /// The workspace's folder.
    pub fn workspace(&self) -> &Path {
        self.daemon.workspace()
    }

    /// Asks for anything.
    pub async fn ask(&self, request: Request) -> Result<Reply, daemon::Error> {
        self.daemon.submit(request, "test", &self.conversation).reply().await
    }

    /// Runs a program.
    ///
    /// # Panics
    /// Where the daemon does not answer with a run.
    pub async fn run(&self, language: Language, code: &str) -> RunReply {
        let request = RunRequest { code: code.to_owned(), language: Some(language), ..RunRequest::default() };
        match self.ask(Request::Run(request)).await {
            Ok(Reply::Run(reply)) => *reply,
            other => panic!("a run answers with a run, not {other:?}"),
        }
    }

    /// Writes the workspace's `.vscode/mcp.json` anew.
    ///
    /// # Panics
    /// Where the file cannot be written.
    pub fn configure(&self, servers: &Value) {
        configure(self.folder.path(), servers);
    }
}

impl Builder {
    /// A scripted server: `fault` is what `faulty-server` is to do.
    #[must_use]
    pub fn scripted(mut self, name: &str, fault: &[&str]) -> Self {
        self.servers[name] = json!({"command": faulty_server(), "args": fault});
        self
    }

    /// Any server, by its entry.
    #[must_use]
    pub fn server(mut self, name: &str, entry: Value) -> Self {
        self.servers[name] = entry;
        self
    }

    /// The text of `tta.toml`.
    #[must_use]
    pub fn toml(mut self, text: &str) -> Self {
        text.clone_into(&mut self.toml);
        self
    }

    /// What is known of the user's trust.
    #[must_use]
    pub fn trusted(mut self, trusted: Option<bool>) -> Self {
        self.trusted = trusted;
        self
    }

    /// Whatever else a front would set; folders and trust are the test's own.
    #[must_use]
    pub fn options(mut self, options: Options) -> Self {
        self.options = options;
        self
    }

    /// Starts it.
    ///
    /// # Panics
    /// Where it does not start.
    pub async fn start(self) -> TestDaemon {
        let folder = tempfile::tempdir().expect("a scratch folder");
        configure(folder.path(), &self.servers);
        if !self.toml.is_empty() {
            std::fs::write(folder.path().join("tta.toml"), &self.toml).expect("written");
        }
        let data = folder.path().join("data");
        share_compiled_guests(&data);
        let options = Options {
            workspace: Some(folder.path().to_owned()),
            trusted: self.trusted,
            data_dir: Some(data),
            ..self.options
        };
        let daemon = Daemon::start(options).await.expect("the daemon starts");
        TestDaemon { daemon, conversation: ConversationId::new(), folder }
    }
}

fn configure(folder: &Path, servers: &Value) {
    std::fs::create_dir_all(folder.join(".vscode")).expect("a folder");
    std::fs::write(folder.join(".vscode/mcp.json"), json!({"servers": servers}).to_string()).expect("written");
}

/// Compiling the guests takes seconds: once for all tests, in the build's own folder.
fn share_compiled_guests(data: &Path) {
    let test = std::env::current_exe().expect("a test has a path");
    let shared = test.ancestors().nth(2).expect("tests lie in PROFILE/deps").join("test-cache");
    for folder in [&shared, data] {
        std::fs::create_dir_all(folder).expect("a folder");
        #[cfg(unix)]
        {
            let private = std::os::unix::fs::PermissionsExt::from_mode(0o700);
            std::fs::set_permissions(folder, private).expect("private");
        }
    }
    #[cfg(unix)]
    std::os::unix::fs::symlink(&shared, data.join("cache")).expect("linked");
}
