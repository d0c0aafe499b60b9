//! Tells when one of a set of files changed, in debounced batches.
//!
//! The files and even their folders may not exist yet; editors replace files instead of writing them. So the folders
//! are watched, not the files, and an event is only a reason to look: what counts as a change is decided by comparing
//! each file with what was last seen of it. Events that are lost, doubled or in odd orders therefore do no harm, and
//! the noise of a busy home folder stays unheard.
//!
//! Bounded: one thread, one look at each file per batch, one watch per folder; pending events are one flag. Left out on
//! purpose: what is in the files.

use notify::{RecommendedWatcher, RecursiveMode, Watcher as _};
use std::collections::{BTreeMap, BTreeSet};
use std::fs::Metadata;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant, SystemTime};

/// A file that changes without pause is reported at least this many debounce times after its first change.
const PATIENCE: u32 = 10;

/// Why files cannot be watched.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The system refused.
    #[error("files cannot be watched ({0}); close some programs that watch files, or raise the system's limit")]
    System(#[from] notify::Error),
    /// No thread could be started.
    #[error("no thread for watching files can be started: {0}")]
    Thread(#[from] std::io::Error),
}

/// Watches until it is dropped.
#[derive(Debug)]
pub struct Watcher {
    stop: Arc<AtomicBool>,
    wake: SyncSender<()>,
    files: Files,
    thread: Option<JoinHandle<()>>,
}

/// What is watched from the next look on, where that changed.
type Files = Arc<Mutex<Option<Vec<(Look, PathBuf)>>>>;

/// Calls `on_change` with the files that changed, appeared or vanished, once they have been quiet for `debounce`.
pub fn watch(
    files: Vec<PathBuf>,
    debounce: Duration,
    on_change: impl Fn(Vec<PathBuf>) + Send + 'static,
) -> Result<Watcher, Error> {
    // One place: a second wake before the first is taken says nothing new.
    let (wake, wakes) = sync_channel(1);
    let look = wake.clone();
    let watcher = notify::recommended_watcher(move |event: notify::Result<notify::Event>| {
        // Being read is not a change.
        if !event.is_ok_and(|event| event.kind.is_access()) {
            let _ = look.try_send(());
        }
    })?;
    let seen = files.into_iter().map(|file| (Look::at(&file), file)).collect();
    let stop = Arc::new(AtomicBool::new(false));
    let files = Files::default();
    let mut state = State { watcher, stop: stop.clone(), files: files.clone(), folders: BTreeSet::new(), seen };
    state.follow_folders()?;
    // A first look, for what changed while the watches were set up.
    let _ = wake.try_send(());
    let thread =
        std::thread::Builder::new().name("watch".into()).spawn(move || state.run(&wakes, debounce, &on_change))?;
    Ok(Watcher { stop, wake, files, thread: Some(thread) })
}

impl Watcher {
    /// Watches these files from now on instead of those before. What was read of a new one was read before this call.
    pub fn follow(&self, files: &[PathBuf]) {
        let looks = files.iter().map(|file| (Look::at(file), file.clone())).collect();
        *self.files.lock().unwrap_or_else(PoisonError::into_inner) = Some(looks);
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
    watcher: RecommendedWatcher,
    stop: Arc<AtomicBool>,
    files: Files,
    folders: BTreeSet<PathBuf>,
    seen: Vec<(Look, PathBuf)>,
}

impl State {
    fn run(&mut self, wakes: &Receiver<()>, debounce: Duration, on_change: &dyn Fn(Vec<PathBuf>)) {
        while wakes.recv().is_ok() && self.settled(wakes, debounce) {
            self.take_files();
            // First the folders, then the files: what is created in between is seen by one of the two.
            if let Err(error) = self.follow_folders() {
                tracing::warn!(%error, "some configuration files are not watched");
            }
            let changed = self.changed();
            if !changed.is_empty() {
                on_change(changed);
            }
        }
    }

    /// Takes over a new list. What is known of a file that stays is kept, so that a change of it is not lost.
    fn take_files(&mut self) {
        let Some(next) = self.files.lock().unwrap_or_else(PoisonError::into_inner).take() else { return };
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

    /// Watches each file's folder, or where it does not exist the nearest one above that does.
    fn follow_folders(&mut self) -> Result<(), notify::Error> {
        loop {
            let wanted = self.wanted_folders();
            for folder in &wanted {
                // Also those that are watched already: one that was removed and made again is new to the system.
                self.watcher.watch(folder, RecursiveMode::NonRecursive)?;
            }
            for surplus in self.folders.difference(&wanted) {
                // It may be gone, and its watch with it.
                let _ = self.watcher.unwatch(surplus);
            }
            if wanted == self.folders {
                return Ok(());
            }
            // Again: a folder may have been made before its parent was watched.
            self.folders = wanted;
        }
    }

    fn wanted_folders(&self) -> BTreeSet<PathBuf> {
        let nearest = |file: &Path| file.ancestors().skip(1).find(|folder| folder.is_dir()).map(Path::to_owned);
        self.seen.iter().filter_map(|(_, file)| nearest(file)).collect()
    }
}
