//! Tells when one of a set of files changed, in debounced batches.
//!
//! The files and even their folders may not exist yet, any part of their way may be a link that is turned elsewhere, and
//! editors replace files instead of writing them. So every folder on the way is watched ([`way`]), not the files, and an
//! event is only a reason to look: what counts as a change is decided by comparing each file with what was last seen of
//! it. Events that are lost, doubled or in odd orders therefore do no harm, and the noise of a busy home folder stays
//! unheard. Where the system cannot tell (no watches left, a folder that may not be read, a network drive), the same look
//! is taken from time to time, which costs one `stat` a file; notify's own polling would read whole folders.
//!
//! Bounded: one thread, one look at each file per batch, one watch per folder; pending events are one flag. Left out on
//! purpose: what is in the files.

mod way;

use notify::RecursiveMode;
use std::collections::{BTreeMap, BTreeSet};
use std::fs::Metadata;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant, SystemTime};

/// A file that changes without pause is reported at least this many debounce times after its first change.
const PATIENCE: u32 = 10;
/// How often to look where the system tells of no changes.
const POLL: Duration = Duration::from_millis(if cfg!(test) { 20 } else { 2_000 });
/// Folders that come and go while they are being watched are taken up at the next look.
const ROUNDS_MAX: usize = 8;

/// Why files cannot be watched.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No thread could be started.
    #[error("no thread for watching files can be started: {0}")]
    Thread(#[from] std::io::Error),
}

/// Watches until it is dropped.
#[derive(Debug)]
pub struct Watcher {
    stop: Arc<AtomicBool>,
    wake: SyncSender<()>,
    wanted: Arc<Mutex<Wanted>>,
    thread: Option<JoinHandle<()>>,
}

/// What is to be watched from the next look on.
#[derive(Debug, Default)]
struct Wanted {
    /// The files, where they changed.
    files: Option<Vec<(Look, PathBuf)>>,
    /// How often to look whatever the system tells.
    poll: Option<Duration>,
}

/// Calls `on_change` with the files that changed, appeared or vanished, once they have been quiet for `debounce`.
pub fn watch(
    files: Vec<PathBuf>,
    debounce: Duration,
    on_change: impl Fn(Vec<PathBuf>) + Send + 'static,
) -> Result<Watcher, Error> {
    start(files, debounce, on_change, |wake| {
        let watcher = notify::recommended_watcher(move |event: notify::Result<notify::Event>| {
            // Being read is not a change.
            if !event.is_ok_and(|event| event.kind.is_access()) {
                wake();
            }
        });
        let warn = |error: &notify::Error| tracing::warn!("files are looked at every {POLL:?}, not watched: {error}");
        watcher.inspect_err(warn).ok().map(|watcher| Box::new(watcher) as System)
    })
}

/// The system's way of telling.
type System = Box<dyn notify::Watcher + Send>;

fn start(
    files: Vec<PathBuf>,
    debounce: Duration,
    on_change: impl Fn(Vec<PathBuf>) + Send + 'static,
    system: impl FnOnce(Box<dyn Fn() + Send>) -> Option<System>,
) -> Result<Watcher, Error> {
    // One place: a second wake before the first is taken says nothing new.
    let (wake, wakes) = sync_channel(1);
    let look = wake.clone();
    let watcher = system(Box::new(move || {
        let _ = look.try_send(());
    }));
    let seen = files.into_iter().map(|file| (Look::at(&file), file)).collect();
    let (stop, wanted) = (Arc::<AtomicBool>::default(), Arc::<Mutex<Wanted>>::default());
    let (folders, blind) = (BTreeSet::new(), BTreeSet::new());
    let mut state = State { watcher, stop: stop.clone(), wanted: wanted.clone(), poll: None, folders, blind, seen };
    state.follow_folders();
    // A first look, for what changed while the watches were set up.
    let _ = wake.try_send(());
    let thread =
        std::thread::Builder::new().name("watch".into()).spawn(move || state.run(&wakes, debounce, &on_change))?;
    Ok(Watcher { stop, wake, wanted, thread: Some(thread) })
}

impl Watcher {
    /// Watches these files from now on instead of those before. What was read of a new one was read before this call.
    pub fn follow(&self, files: &[PathBuf]) {
        let looks = files.iter().map(|file| (Look::at(file), file.clone())).collect();
        self.want(|wanted| wanted.files = Some(looks));
    }

    /// Looks this often whatever the system tells: for drives that do not tell and cannot be known for it.
    pub fn poll(&self, every: Option<Duration>) {
        self.want(|wanted| wanted.poll = every);
    }

    fn want(&self, change: impl FnOnce(&mut Wanted)) {
        change(&mut self.wanted.lock().unwrap_or_else(PoisonError::into_inner));
        let _ = self.wake.try_send(());
    }
}

impl Drop for Watcher {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Release);
        // Where a wake is pending already, that one will do.
        let _ = self.wake.try_send(());
        if let Some(thread) = self.thread.take()
            && thread.thread().id() != std::thread::current().id()
        {
            let _ = thread.join();
        }
    }
}

/// What can be seen of a file without reading it; an atomic save changes at least the inode.
#[derive(Debug, PartialEq, Eq)]
struct Look(Option<(SystemTime, u64, u64)>);

impl Look {
    fn at(file: &Path) -> Self {
        let stamp = |meta: Metadata| Some((meta.modified().ok()?, meta.len(), inode(&meta)));
        Self(std::fs::metadata(file).ok().and_then(stamp))
    }
}

#[cfg(unix)]
fn inode(meta: &Metadata) -> u64 {
    std::os::unix::fs::MetadataExt::ino(meta)
}

#[cfg(not(unix))]
fn inode(_meta: &Metadata) -> u64 {
    0
}

struct State {
    /// Absent where the system has none to give.
    watcher: Option<System>,
    stop: Arc<AtomicBool>,
    wanted: Arc<Mutex<Wanted>>,
    poll: Option<Duration>,
    folders: BTreeSet<PathBuf>,
    /// Those of them that the system tells nothing of.
    blind: BTreeSet<PathBuf>,
    seen: Vec<(Look, PathBuf)>,
}

impl State {
    fn run(&mut self, wakes: &Receiver<()>, debounce: Duration, on_change: &dyn Fn(Vec<PathBuf>)) {
        while self.reason_to_look(wakes) && self.settled(wakes, debounce) {
            self.take_wanted();
            // First the folders, then the files: what is created in between is seen by one of the two.
            self.follow_folders();
            let changed = self.changed();
            if !changed.is_empty() {
                on_change(changed);
            }
        }
    }

    /// Waits for an event, or until a look by the clock finds something; false when nobody can tell any more.
    fn reason_to_look(&self, wakes: &Receiver<()>) -> bool {
        let is_blind = self.watcher.is_none() || !self.blind.is_empty();
        let Some(every) = self.poll.or(is_blind.then_some(POLL)) else { return wakes.recv().is_ok() };
        loop {
            match wakes.recv_timeout(every) {
                Err(RecvTimeoutError::Disconnected) => return false,
                Err(RecvTimeoutError::Timeout) if self.seen.iter().all(|(seen, file)| *seen == Look::at(file)) => {}
                Ok(()) | Err(RecvTimeoutError::Timeout) => return true,
            }
        }
    }

    /// Takes over a new list. What is known of a file that stays is kept, so that a change of it is not lost.
    fn take_wanted(&mut self) {
        let mut wanted = self.wanted.lock().unwrap_or_else(PoisonError::into_inner);
        self.poll = wanted.poll;
        let Some(next) = wanted.files.take() else { return };
        let mut known: BTreeMap<PathBuf, Look> = self.seen.drain(..).map(|(look, file)| (file, look)).collect();
        self.seen.extend(next.into_iter().map(|(look, file)| (known.remove(&file).unwrap_or(look), file)));
    }

    /// Waits until it has been quiet for long enough; false when it is time to stop.
    fn settled(&self, wakes: &Receiver<()>, debounce: Duration) -> bool {
        let latest = Instant::now() + debounce * PATIENCE;
        while !self.stop.load(Ordering::Acquire) {
            if wakes.recv_timeout(debounce).is_err() || Instant::now() >= latest {
                return !self.stop.load(Ordering::Acquire);
            }
        }
        false
    }

    fn changed(&mut self) -> Vec<PathBuf> {
        let changed = self.seen.iter_mut().filter_map(|(seen, file)| {
            let now = Look::at(file);
            let differs = *seen != now;
            *seen = now;
            differs.then(|| file.clone())
        });
        changed.collect()
    }

    /// Watches every folder on the way to each file, as far as the way exists.
    fn follow_folders(&mut self) {
        let Some(mut watcher) = self.watcher.take() else { return };
        for _ in 0..ROUNDS_MAX {
            let wanted: BTreeSet<PathBuf> = self.seen.iter().flat_map(|(_, file)| way::folders(file)).collect();
            let mut blind = BTreeSet::new();
            for folder in &wanted {
                // Also those that are watched already: one that was removed and made again is new to the system.
                let reason = match watcher.watch(folder, RecursiveMode::NonRecursive) {
                    Ok(()) if !way::is_remote(folder) => continue,
                    Ok(()) => "it lies on a network drive or the like".to_owned(),
                    Err(error) => error.to_string(),
                };
                if !self.blind.contains(folder) {
                    tracing::info!("changes in {} are looked for every {POLL:?}: {reason}", folder.display());
                }
                blind.insert(folder.clone());
            }
            for surplus in self.folders.difference(&wanted) {
                // It may be gone, and its watch with it.
                let _ = watcher.unwatch(surplus);
            }
            self.blind = blind;
            if wanted == self.folders {
                break;
            }
            // Again: a folder may have been made before its parent was watched.
            self.folders = wanted;
        }
        self.watcher = Some(watcher);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::sync::mpsc::channel;

    const DEBOUNCE: Duration = Duration::from_millis(20);
    /// Never waited for when the test passes.
    const BOUND: Duration = Duration::from_mins(2);

    /// A file system that refuses every watch.
    #[derive(Debug)]
    struct Refusing;

    impl notify::Watcher for Refusing {
        fn new<F: notify::EventHandler>(_: F, _: notify::Config) -> notify::Result<Self> {
            Ok(Self)
        }

        fn watch(&mut self, _: &Path, _: RecursiveMode) -> notify::Result<()> {
            Err(notify::Error::new(notify::ErrorKind::MaxFilesWatch))
        }

        fn unwatch(&mut self, _: &Path) -> notify::Result<()> {
            Ok(())
        }

        fn kind() -> notify::WatcherKind {
            notify::WatcherKind::NullWatcher
        }
    }

    /// Where the system has no watcher, refuses every folder, or takes them and stays silent (as network drives do, here
    /// together with the setting), a changed file, a replaced one and a folder made anew are found all the same.
    #[test]
    fn where_the_system_does_not_tell_the_files_are_looked_at() {
        let silent = || Some(Box::new(notify::NullWatcher) as System);
        let systems: [(Option<System>, Option<Duration>); 3] =
            [(None, None), (Some(Box::new(Refusing)), None), (silent(), Some(DEBOUNCE))];
        for (system, poll) in systems {
            let folder = tempfile::tempdir().expect("a folder");
            let file = folder.path().join("x/a.json");
            let (sender, batches) = channel();
            let tell = move |batch| sender.send(batch).expect("the test listens");
            let watcher = start(vec![file.clone()], DEBOUNCE, tell, |_| system).expect("started");
            watcher.poll(poll);
            fs::create_dir(folder.path().join("x")).expect("made");
            fs::write(&file, "1").expect("written");
            assert_eq!(batches.recv_timeout(BOUND).expect("appeared"), [file.as_path()]);
            fs::write(folder.path().join("new"), "22").expect("written");
            fs::rename(folder.path().join("new"), &file).expect("renamed");
            assert_eq!(batches.recv_timeout(BOUND).expect("replaced"), [file.as_path()]);
        }
    }
}
