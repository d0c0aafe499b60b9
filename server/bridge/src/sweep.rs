//! Ends what an earlier daemon left behind: the last resort where both it and its guardian were killed.
//!
//! Every server gets a mark into its environment, which its descendants inherit: who started it, told by process id and
//! start time within one process id namespace, and in which session. A process is an orphan of ours where it has such a
//! mark, the one who started it is gone, and it never left that session. One that did (`setsid`: a browser, a build
//! daemon, an editor) was detached on purpose and is left alone. Nothing else on the machine is touched.
//!
//! On Linux; elsewhere there is no `/proc`, and the guardian has to do.

/// The variable that has the mark.
pub(crate) const VARIABLE: &str = "TTA_SERVER";

/// The mark of what this process starts; a mere flag where processes cannot be told apart.
pub(crate) fn mark() -> String {
    #[cfg(target_os = "linux")]
    if let Some(mark) = linux::Mark::own() {
        return mark.to_string();
    }
    "1".to_owned()
}

/// Ends the orphans of processes that are gone. Returns how many there were.
pub(crate) fn sweep() -> usize {
    #[cfg(target_os = "linux")]
    return linux::sweep();
    #[cfg(not(target_os = "linux"))]
    0
}

#[cfg(target_os = "linux")]
mod linux {
    use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};
    use std::fmt;
    use std::fs::File;
    use std::io::Read;

    /// Bytes of an environment that are looked at: the most that Linux lets a program be started with, nearly.
    const ENVIRONMENT_BYTES_MAX: u64 = 2 << 20;

    /// Who started a server, and in which session.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub(super) struct Mark {
        namespace: u64,
        owner: i32,
        started: u64,
        session: i32,
    }

    impl Mark {
        pub(super) fn own() -> Option<Self> {
            let owner = i32::try_from(std::process::id()).ok()?;
            let Stat { session, started } = Stat::of(owner)?;
            Some(Self { namespace: namespace("self")?, owner, started, session })
        }

        fn parse(text: &str) -> Option<Self> {
            let mut parts = text.split(':');
            let mut next = || parts.next();
            let mark = Self {
                namespace: next()?.parse().ok()?,
                owner: next()?.parse().ok()?,
                started: next()?.parse().ok()?,
                session: next()?.parse().ok()?,
            };
            next().is_none().then_some(mark)
        }

        /// The mark in the environment that a process was started with.
        fn of(process: i32) -> Option<Self> {
            let mut environment = Vec::new();
            let file = File::open(format!("/proc/{process}/environ")).ok()?;
            file.take(ENVIRONMENT_BYTES_MAX).read_to_end(&mut environment).ok()?;
            let mut variables = environment.split(|&byte| byte == 0);
            let value = variables.find_map(|v| v.strip_prefix(super::VARIABLE.as_bytes())?.strip_prefix(b"="))?;
            Self::parse(std::str::from_utf8(value).ok()?)
        }

        fn owner_is_gone(&self) -> bool {
            Stat::of(self.owner).is_none_or(|owner| owner.started != self.started)
        }
    }

    impl fmt::Display for Mark {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            let Self { namespace, owner, started, session } = self;
            write!(f, "{namespace}:{owner}:{started}:{session}")
        }
    }

    /// What the system says of a living process.
    struct Stat {
        session: i32,
        /// In ticks since the boot.
        started: u64,
    }

    impl Stat {
        fn of(process: i32) -> Option<Self> {
            let text = std::fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
            // The name stands in parentheses and may hold anything; the state follows it.
            let mut fields = text.rsplit_once(") ")?.1.split(' ');
            let state = fields.next()?;
            let session = fields.nth(2)?.parse().ok()?;
            let started = fields.nth(15)?.parse().ok()?;
            (!matches!(state, "Z" | "X")).then_some(Self { session, started })
        }
    }

    /// Process ids mean something within one namespace only: a container's are not ours.
    fn namespace(process: &str) -> Option<u64> {
        let link = std::fs::read_link(format!("/proc/{process}/ns/pid")).ok()?;
        link.to_str()?.strip_prefix("pid:[")?.strip_suffix(']')?.parse().ok()
    }

    pub(super) fn sweep() -> usize {
        let (Some(own), Ok(processes)) = (Mark::own(), std::fs::read_dir("/proc")) else { return 0 };
        let ids = processes.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok());
        ids.filter(|&id| end_orphan(&own, id).is_some()).count()
    }

    /// The process is held by a descriptor before it is looked at, so that no other one can be hit that has its number.
    fn end_orphan(own: &Mark, process: i32) -> Option<()> {
        let held = pidfd_open(Pid::from_raw(process)?, PidfdFlags::empty()).ok()?;
        let mark = Mark::of(process)?;
        let in_session = Stat::of(process)?.session == mark.session;
        if mark.namespace != own.namespace || !in_session || !mark.owner_is_gone() {
            return None;
        }
        tracing::info!(process, "an earlier daemon's server was left behind and is ended");
        pidfd_send_signal(held, Signal::KILL).ok()
    }

    #[cfg(test)]
    mod tests {
        use super::*;

        #[test]
        fn a_mark_is_read_as_it_is_written_and_nothing_else_is() {
            let own = Mark::own().expect("this is Linux");
            assert_eq!(Mark::parse(&own.to_string()), Some(own));
            assert!(!own.owner_is_gone());
            assert!(Mark { started: own.started + 1, ..own }.owner_is_gone(), "the number is another process's now");
            for text in ["", "1", "1:2:3", "1:2:3:4:5", "1:2:3:x", "-1:2:3:4"] {
                assert_eq!(Mark::parse(text), None, "{text}");
            }
        }
    }
}
