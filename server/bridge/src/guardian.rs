//! Kills the servers' process groups when this process ends in a way that runs no code of ours, such as SIGKILL.
//!
//! A few lines of `sh` in a session of their own hold the read end of a pipe. While we live we tell them which groups
//! exist; when we die, however that is, the kernel closes the pipe, and they kill what is left. Unlike Linux's
//! parent-death signal this reaches grandchildren (`npx` and `uvx` start the server proper as one), works on macOS,
//! needs no code between fork and exec, and does not depend on which of our threads lives how long.
//!
//! Not covered: a server that leaves its process group, and a guardian that is killed together with us. Those see their
//! stdin closed, which every well-behaved server takes for the end.

use rustix::process::Pid;
use std::collections::BTreeSet;
use std::io::Write;
use std::os::unix::process::CommandExt;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::{Mutex, PoisonError};

/// Reads `+ group` and `- group` until the pipe closes, then kills the groups that are left.
const SCRIPT: &str = r#"
trap '' HUP INT TERM
groups=
while read -r what group; do
  rest=
  for g in $groups; do [ "$g" = "$group" ] || rest="$rest $g"; done
  [ "$what" = + ] && rest="$rest $group"
  groups=$rest
done
for g in $groups; do kill -KILL "-$g"; done
"#;

/// The guardian of one bridge; started with the first server.
#[derive(Debug, Default)]
pub(crate) struct Guardian(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    groups: BTreeSet<i32>,
    shell: Option<(Child, ChildStdin)>,
}

impl Guardian {
    /// From now on `group` does not outlive this process.
    pub(crate) fn watch(&self, group: Pid) {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        state.groups.insert(group.as_raw_nonzero().get());
        if state.tell('+', group).is_none() {
            state.restart();
        }
    }

    /// `group` is empty; its number may soon be somebody else's.
    pub(crate) fn forget(&self, group: Pid) {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        state.groups.remove(&group.as_raw_nonzero().get());
        let _ = state.tell('-', group);
    }

    /// Kills every group that is left, at once.
    pub(crate) fn kill_all(&self) {
        // The script takes the end of its input for ours.
        self.0.lock().unwrap_or_else(PoisonError::into_inner).reap();
    }
}

impl State {
    fn tell(&mut self, what: char, group: Pid) -> Option<()> {
        let (_, stdin) = self.shell.as_mut()?;
        stdin.write_all(format!("{what} {}\n", group.as_raw_nonzero()).as_bytes()).ok()
    }

    fn restart(&mut self) {
        self.reap();
        let shell = Command::new("/bin/sh")
            .args(["-c", SCRIPT])
            .env_clear()
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .process_group(0)
            .spawn();
        match shell {
            Ok(mut shell) => {
                let stdin = shell.stdin.take().expect("stdin is piped");
                self.shell = Some((shell, stdin));
                for group in self.groups.clone() {
                    if let Some(group) = Pid::from_raw(group) {
                        let _ = self.tell('+', group);
                    }
                }
            }
            Err(error) => tracing::warn!(%error, "no guardian: servers may outlive a killed daemon"),
        }
    }

    /// Closes the pipe and waits: the script ends as soon as it has killed what it knows.
    fn reap(&mut self) {
        if let Some((mut shell, stdin)) = self.shell.take() {
            drop(stdin);
            let _ = shell.wait();
        }
    }
}

impl Drop for State {
    fn drop(&mut self) {
        self.reap();
    }
}
