//! A server's process: its environment, its process group, and its end.
//!
//! Invariant: the whole group is gone once a `Process` is dropped, and the guardian sees to it where no drop runs.

use crate::error::Error;
use crate::guardian::Guardian;
use crate::sweep;
use model::Secret;
use rustix::process::{Pid, Signal, kill_process_group, test_kill_process_group};
use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::path::Path;
use std::process::{ExitStatus, Stdio};
use std::sync::Arc;
use std::time::Duration;
use tokio::process::{Child, ChildStderr, ChildStdin, ChildStdout, Command};

/// How long a server may take for each step of its end: after its stdin closed, and after SIGTERM.
const PATIENCE: Duration = Duration::from_secs(1);
/// How often the remains of a group are looked at.
const GROUP_POLL: Duration = Duration::from_millis(10);

/// What a child gets of our environment: what programs need to find themselves, their user and the network. Everything
/// else may be a secret of somebody else's.
const INHERITED: &[&str] = &[
    "PATH",
    "HOME",
    "USER",
    "LOGNAME",
    "SHELL",
    "LANG",
    "TZ",
    "TERM",
    "TMPDIR",
    "TMP",
    "TEMP",
    "DISPLAY",
    "WAYLAND_DISPLAY",
    "XAUTHORITY",
    "DBUS_SESSION_BUS_ADDRESS",
    "DOCKER_HOST",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    "NODE_EXTRA_CA_CERTS",
    "REQUESTS_CA_BUNDLE",
    "CURL_CA_BUNDLE",
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "NO_PROXY",
    "ALL_PROXY",
    "http_proxy",
    "https_proxy",
    "no_proxy",
    "all_proxy",
    "NODE_PATH",
    "NVM_DIR",
    "NVM_BIN",
    "VOLTA_HOME",
    "FNM_DIR",
    "PYENV_ROOT",
    "UV_CACHE_DIR",
    "UV_TOOL_DIR",
    "UV_PYTHON_INSTALL_DIR",
    "npm_config_cache",
    "npm_config_prefix",
    "npm_config_registry",
    "JAVA_HOME",
    "GOPATH",
    "CARGO_HOME",
    "RUSTUP_HOME",
];
const INHERITED_PREFIXES: &[&str] = &["LC_", "XDG_"];

/// What to start.
pub(crate) struct Launch<'a> {
    pub(crate) server: &'a str,
    pub(crate) command: &'a str,
    pub(crate) args: &'a [String],
    pub(crate) env: &'a BTreeMap<String, Secret>,
    pub(crate) cwd: &'a Path,
}

/// A running server process and its three streams.
pub(crate) struct Spawned {
    pub(crate) process: Process,
    pub(crate) stdin: ChildStdin,
    pub(crate) stdout: ChildStdout,
    pub(crate) stderr: ChildStderr,
}

impl Launch<'_> {
    /// Starts it as the leader of a process group of its own.
    pub(crate) fn spawn(&self, guardian: &Arc<Guardian>) -> Result<Spawned, Error> {
        if !self.cwd.is_dir() {
            let why = format!("its working directory {} does not exist", self.cwd.display());
            return Err(self.error(why, "Create the folder, or change `cwd` in its entry."));
        }
        let env = self.environment();
        let path = env.get(OsStr::new("PATH")).cloned().unwrap_or_default();
        let program = which::which_in(self.command, Some(path), self.cwd)
            .map_err(|_| self.error("there is no such program on PATH".into(), missing_hint(self.command)))?;
        let mut child = Command::new(program)
            .args(self.args)
            .env_clear()
            .envs(env)
            .current_dir(self.cwd)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .process_group(0)
            .spawn()
            .map_err(|error| self.error(error.to_string(), "Check that the program can be run by this user."))?;
        let group = child.id().and_then(|id| Pid::from_raw(i32::try_from(id).ok()?));
        let group = group.expect("a child that was just spawned has an id");
        guardian.watch(group);
        let stdin = child.stdin.take().expect("stdin is piped");
        let stdout = child.stdout.take().expect("stdout is piped");
        let stderr = child.stderr.take().expect("stderr is piped");
        Ok(Spawned {
            process: Process { child, group: Group { id: group, guardian: guardian.clone() } },
            stdin,
            stdout,
            stderr,
        })
    }

    fn environment(&self) -> BTreeMap<OsString, OsString> {
        let inherited = std::env::vars_os().filter(|(name, _)| {
            let name = name.to_string_lossy();
            INHERITED.contains(&&*name) || INHERITED_PREFIXES.iter().any(|prefix| name.starts_with(prefix))
        });
        let own = self.env.iter().map(|(name, value)| (name.into(), value.expose().into()));
        inherited.chain(own).chain([(sweep::VARIABLE.into(), sweep::mark().into())]).collect()
    }

    fn error(&self, why: String, hint: &str) -> Error {
        Error::Spawn { server: self.server.into(), command: self.command.into(), why, hint: hint.into() }
    }
}

/// What to install for a program that is not there.
fn missing_hint(command: &str) -> &'static str {
    match command.rsplit('/').next().unwrap_or(command) {
        "npx" | "npm" | "node" => "Install Node.js, or write the program's full path into the entry.",
        "uvx" | "uv" => "Install uv (`pip install uv`), or write the program's full path into the entry.",
        "python" | "python3" | "pip" | "pipx" => "Install Python 3, or write the program's full path into the entry.",
        "docker" | "podman" => "Install and start the container engine, or use another way to run this server.",
        _ => "Install it, or write its full path into the entry.",
    }
}

/// A child process with its group.
pub(crate) struct Process {
    child: Child,
    group: Group,
}

impl Process {
    /// Waits for the process to end by itself.
    pub(crate) async fn exited(&mut self) -> String {
        describe(self.child.wait().await)
    }

    /// Ends the process, whose stdin has been closed, and its whole group: waits, asks, then kills. Bounded in time.
    pub(crate) async fn stop(mut self) -> String {
        let mut exit = tokio::time::timeout(PATIENCE, self.exited()).await;
        if exit.is_err() {
            self.group.signal(Signal::TERM);
            exit = tokio::time::timeout(PATIENCE, self.exited()).await;
        }
        if exit.is_err() {
            self.group.signal(Signal::KILL);
        }
        let exit = match exit {
            Ok(exit) => exit,
            Err(_elapsed) => self.exited().await,
        };
        self.group.settle().await;
        exit
    }
}

fn describe(status: std::io::Result<ExitStatus>) -> String {
    status.map_or_else(|error| error.to_string(), |status| status.to_string())
}

/// A process group of ours.
struct Group {
    id: Pid,
    guardian: Arc<Guardian>,
}

impl Group {
    fn signal(&self, signal: Signal) {
        // The group may be gone already.
        let _ = kill_process_group(self.id, signal);
    }

    /// The leader is gone: gives the others a moment to follow, then kills them. Bounded, as a dead process that
    /// nobody reaps (a container without an init) stays in its group for ever.
    async fn settle(&self) {
        for signal in [Signal::TERM, Signal::KILL] {
            self.signal(signal);
            if tokio::time::timeout(PATIENCE, self.empty()).await.is_ok() {
                return;
            }
        }
    }

    async fn empty(&self) {
        while test_kill_process_group(self.id).is_ok() {
            tokio::time::sleep(GROUP_POLL).await;
        }
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        self.signal(Signal::KILL);
        self.guardian.forget(self.id);
    }
}
