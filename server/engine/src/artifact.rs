//! Compiling a guest ahead of time, once, into a private cache.
//!
//! Invariant: nothing is mapped as code but what this user's own engine compiled, or what a package ships beside the
//! executable with its hash in the manifest. A cache that is not private (wrong owner, open to others) is not used at
//! all; a damaged artifact is compiled again. Leaves out: compiling in the background (`engine.rs` decides when).

use crate::error::Error;
use crate::guests::{GuestFile, HashedFile};
use model::Language;
use std::fs::{DirBuilder, File, OpenOptions};
use std::hash::{Hash, Hasher};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use wasmtime::component::Component;

/// Raised when what the cache holds changes in a way that neither wasmtime's hash nor the guest's hash shows.
const FORMAT: u32 = 1;
/// Compiled guests of one language kept; older ones belong to engines that are gone.
const KEEP: usize = 3;

/// A guest compiled on an earlier occasion, or now. `progress` is told before anything that takes seconds.
pub(crate) fn load(
    engine: &wasmtime::Engine,
    guest: &GuestFile,
    cache_dir: &Path,
    progress: &dyn Fn(&str),
) -> Result<Component, Error> {
    if let Some(component) = guest.precompiled.as_ref().and_then(|shipped| load_shipped(engine, shipped)) {
        return Ok(component);
    }
    let cached = Cache::open(cache_dir).and_then(|cache| cache.get_or_compile(engine, guest, progress));
    match cached {
        Ok(found) => found,
        Err(problem) => {
            let folder = cache_dir.display();
            tracing::warn!("no cache for compiled guests in {folder} ({problem}); compiling in memory");
            progress(&announcement(guest.language));
            Component::new(engine, guest.read()?).map_err(|e| refused(guest.language, &e))
        }
    }
}

/// Compiles a guest for a package to ship beside it: for any machine of this kind, not for this one's processor alone.
pub fn precompile(wasm: &[u8], language: Language) -> Result<Vec<u8>, Error> {
    crate::platform::portable_engine()?.precompile_component(wasm).map_err(|e| refused(language, &e))
}

fn announcement(language: Language) -> String {
    let (name, seconds) = match language {
        Language::Python => ("Python", "about 10 s"),
        Language::JavaScript | Language::TypeScript => ("JavaScript", "about 1 s"),
    };
    format!("compiling the {name} guest for this machine, once ({seconds})")
}

fn refused(language: Language, error: &wasmtime::Error) -> Error {
    Error::GuestRefused { language, problem: format!("{error:#}") }
}

fn load_shipped(engine: &wasmtime::Engine, shipped: &HashedFile) -> Option<Component> {
    let loaded = match hash_of(&shipped.file) {
        Ok(hash) if hash == shipped.blake3 => deserialize(engine, &shipped.file).map_err(|e| format!("{e:#}")),
        Ok(_) => Err("its hash is not the manifest's".to_owned()),
        Err(e) => Err(e.to_string()),
    };
    loaded.inspect_err(|problem| tracing::warn!("{} is not used: {problem}", shipped.file.display())).ok()
}

/// Maps a compiled component.
#[allow(unsafe_code)]
fn deserialize(engine: &wasmtime::Engine, file: &Path) -> wasmtime::Result<Component> {
    // SAFETY: the file holds what `precompile_component` wrote and nobody changes it while it is mapped. Its content has
    // just been hashed against a hash written by whoever compiled it; it lies in a folder that only this user can write
    // to (`Cache::open`) or in the installed package; and it is replaced by renaming only, never written in place.
    // wasmtime itself refuses another version, other settings or a CPU that lacks a feature the code uses.
    unsafe { Component::deserialize_file(engine, file) }
}

/// Compiling takes a quarter of a gigabyte, in small pieces that the allocator would keep for the life of the process.
fn give_memory_back() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    #[allow(unsafe_code)]
    // SAFETY: `malloc_trim` takes locks of its own and touches only memory that nobody has allocated.
    unsafe {
        libc::malloc_trim(0);
    }
}

/// The private folder of compiled guests.
struct Cache {
    folder: PathBuf,
}

impl Cache {
    /// Creates the folder where it is missing, and refuses one that others could write to.
    fn open(cache_dir: &Path) -> io::Result<Self> {
        let folder = cache_dir.join("aot");
        DirBuilder::new().recursive(true).mode(0o700).create(&folder)?;
        require_private(&std::fs::symlink_metadata(&folder)?)?;
        Ok(Self { folder })
    }

    /// The outer error says that the cache is of no use, the inner one that the guest is.
    fn get_or_compile(
        &self,
        engine: &wasmtime::Engine,
        guest: &GuestFile,
        progress: &dyn Fn(&str),
    ) -> io::Result<Result<Component, Error>> {
        let artifact = self.folder.join(format!("{}.cwasm", name_of(engine, guest)));
        if let Some(component) = load_cached(engine, &artifact) {
            return Ok(Ok(component));
        }
        // Processes that start at once compile once: the others wait here and find the artifact.
        let lock = private_file(&self.folder.join("lock"), OpenOptions::new().create(true).truncate(false))?;
        lock.lock()?;
        if let Some(component) = load_cached(engine, &artifact) {
            return Ok(Ok(component));
        }
        progress(&announcement(guest.language));
        let compiled =
            guest.read().and_then(|wasm| engine.precompile_component(&wasm).map_err(|e| refused(guest.language, &e)));
        match compiled {
            Ok(code) => self.store(&artifact, &code)?,
            Err(error) => return Ok(Err(error)),
        }
        give_memory_back();
        self.sweep(guest.language);
        Ok(deserialize(engine, &artifact).map_err(|e| refused(guest.language, &e)))
    }

    /// The hash goes first: an artifact without one is taken for damaged.
    fn store(&self, artifact: &Path, code: &[u8]) -> io::Result<()> {
        write(&hash_file(artifact), blake3::hash(code).to_hex().as_bytes())?;
        write(artifact, code)?;
        File::open(&self.folder)?.sync_all()
    }

    /// Removes the oldest artifacts of a language. A process that still maps one keeps its mapping.
    fn sweep(&self, language: Language) {
        let Ok(entries) = std::fs::read_dir(&self.folder) else { return };
        let mut artifacts: Vec<_> = entries
            .flatten()
            .map(|entry| entry.path())
            .filter(|path| path.extension().is_some_and(|e| e == "cwasm"))
            .filter(|path| path.file_name().is_some_and(|n| n.to_string_lossy().starts_with(language.as_str())))
            .filter_map(|path| Some((std::fs::metadata(&path).ok()?.modified().ok()?, path)))
            .collect();
        artifacts.sort();
        let excess = artifacts.len().saturating_sub(KEEP);
        for (_, path) in artifacts.drain(..excess) {
            // A file that is already gone was swept by another process.
            let _ = std::fs::remove_file(&path);
            let _ = std::fs::remove_file(hash_file(&path));
        }
    }
}

/// `python-<key>`: the guest's content, wasmtime's version and settings, this machine's CPU, our own format.
fn name_of(engine: &wasmtime::Engine, guest: &GuestFile) -> String {
    let mut hasher = Blake3Hasher(blake3::Hasher::new());
    engine.precompile_compatibility_hash().hash(&mut hasher);
    guest.hash.hash(&mut hasher);
    FORMAT.hash(&mut hasher);
    format!("{}-{}", guest.language.as_str(), &hasher.0.finalize().to_hex()[..32])
}

struct Blake3Hasher(blake3::Hasher);

impl Hasher for Blake3Hasher {
    fn write(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    fn finish(&self) -> u64 {
        let mut first = [0; 8];
        first.copy_from_slice(&self.0.finalize().as_bytes()[..8]);
        u64::from_le_bytes(first)
    }
}

/// Writes a file whole or not at all, also when the power fails.
fn write(target: &Path, bytes: &[u8]) -> io::Result<()> {
    let temporary = target.with_added_extension("tmp");
    let mut file = private_file(&temporary, OpenOptions::new().create(true).truncate(true))?;
    file.write_all(bytes)?;
    file.sync_all()?;
    std::fs::rename(&temporary, target)
}

fn hash_file(artifact: &Path) -> PathBuf {
    artifact.with_added_extension("blake3")
}

/// `None` where there is no artifact or it is of no use; it is then compiled again.
fn load_cached(engine: &wasmtime::Engine, artifact: &Path) -> Option<Component> {
    let mut expected = String::new();
    private_file(&hash_file(artifact), &mut OpenOptions::new()).ok()?.read_to_string(&mut expected).ok()?;
    require_private(&std::fs::symlink_metadata(artifact).ok()?).ok()?;
    if hash_of(artifact).ok()? != expected {
        tracing::warn!("{} is damaged; compiling it again", artifact.display());
        return None;
    }
    deserialize(engine, artifact)
        .inspect_err(|e| tracing::warn!("{} is not usable ({e:#}); compiling it again", artifact.display()))
        .ok()
}

fn hash_of(file: &Path) -> io::Result<String> {
    let mut hasher = blake3::Hasher::new();
    io::copy(&mut File::open(file)?, &mut hasher)?;
    Ok(hasher.finalize().to_hex().to_string())
}

/// Opens a file that only this user can read and write, without following a link.
fn private_file(path: &Path, options: &mut OpenOptions) -> io::Result<File> {
    let no_follow = rustix::fs::OFlags::NOFOLLOW.bits().cast_signed();
    let file = options.read(true).write(true).mode(0o600).custom_flags(no_follow).open(path)?;
    require_private(&file.metadata()?)?;
    Ok(file)
}

fn require_private(metadata: &std::fs::Metadata) -> io::Result<()> {
    let own = metadata.uid() == rustix::process::geteuid().as_raw();
    if own && metadata.mode() & 0o022 == 0 && !metadata.is_symlink() {
        return Ok(());
    }
    Err(io::Error::new(io::ErrorKind::PermissionDenied, "it is not private to this user"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;
    use std::sync::atomic::{AtomicUsize, Ordering};

    /// The smallest component there is.
    const EMPTY_COMPONENT: &[u8] = b"\0asm\x0d\0\x01\0";

    struct Fixture {
        folder: tempfile::TempDir,
        engine: wasmtime::Engine,
        guest: GuestFile,
        compiled: AtomicUsize,
    }

    impl Fixture {
        fn new() -> Self {
            let folder = tempfile::tempdir().expect("a temporary folder");
            let file = folder.path().join("guest.wasm");
            std::fs::write(&file, EMPTY_COMPONENT).expect("a writable folder");
            let hash = blake3::hash(EMPTY_COMPONENT).to_hex().to_string();
            let guest = GuestFile { language: Language::JavaScript, file, hash, precompiled: None };
            let engine = crate::platform::engine(1).expect("an engine");
            Self { folder, engine, guest, compiled: AtomicUsize::new(0) }
        }

        /// Loads the guest and tells how often it has been compiled by now.
        fn load(&self) -> usize {
            let count = |_: &str| {
                self.compiled.fetch_add(1, Ordering::SeqCst);
            };
            load(&self.engine, &self.guest, self.folder.path(), &count).expect("the guest is good");
            self.compiled.load(Ordering::SeqCst)
        }

        fn cache(&self) -> PathBuf {
            self.folder.path().join("aot")
        }

        fn artifact(&self) -> PathBuf {
            self.cache().join(format!("{}.cwasm", name_of(&self.engine, &self.guest)))
        }

        fn set_mode(path: &Path, mode: u32) {
            std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).expect("own file");
        }
    }

    #[test]
    fn a_guest_is_compiled_once_into_a_private_folder() {
        let it = Fixture::new();
        assert_eq!((it.load(), it.load()), (1, 1));
        let mode = |path: PathBuf| std::fs::metadata(path).expect("it was written").mode() & 0o777;
        assert_eq!((mode(it.cache()), mode(it.artifact()), mode(hash_file(&it.artifact()))), (0o700, 0o600, 0o600));
    }

    #[test]
    fn a_damaged_artifact_is_compiled_again() {
        let it = Fixture::new();
        it.load();
        let mut code = std::fs::read(it.artifact()).expect("it was written");
        let middle = code.len() / 2;
        code[middle] ^= 1;
        std::fs::write(it.artifact(), &code).expect("own file");
        assert_eq!(it.load(), 2);
        std::fs::write(it.artifact(), b"").expect("own file");
        assert_eq!(it.load(), 3);
        std::fs::remove_file(hash_file(&it.artifact())).expect("own file");
        assert_eq!((it.load(), it.load()), (4, 4));
    }

    #[test]
    fn an_artifact_that_others_could_have_written_is_not_mapped() {
        let it = Fixture::new();
        it.load();
        Fixture::set_mode(&it.artifact(), 0o666);
        assert_eq!(it.load(), 2);
        Fixture::set_mode(&it.cache(), 0o777);
        assert_eq!((it.load(), it.load()), (3, 4), "compiled in memory each time");
    }

    #[test]
    fn loads_at_the_same_time_compile_once() {
        let it = Fixture::new();
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| it.load());
            }
        });
        assert_eq!(it.compiled.load(Ordering::SeqCst), 1);
    }

    #[test]
    fn a_shipped_artifact_needs_no_compiler() {
        let mut it = Fixture::new();
        // The real guest: its code must run on this machine, though it was not compiled for its processor alone.
        it.guest = GuestFile::find(Language::JavaScript, None).unwrap_or_else(|e| panic!("{e}"));
        let wasm = it.guest.read().unwrap_or_else(|e| panic!("{e}"));
        let code = precompile(&wasm, Language::JavaScript).expect("it compiles");
        let file = it.folder.path().join("guest.cwasm");
        std::fs::write(&file, &code).expect("a writable folder");
        let blake3 = blake3::hash(&code).to_hex().to_string();
        it.guest.precompiled = Some(HashedFile { file: file.clone(), blake3 });
        assert_eq!(it.load(), 0);
        std::fs::write(&file, b"something else").expect("a writable folder");
        assert_eq!(it.load(), 1);
    }

    #[test]
    fn a_guest_that_is_no_component_is_refused() {
        let mut it = Fixture::new();
        std::fs::write(&it.guest.file, b"no wasm").expect("a writable folder");
        it.guest.hash = blake3::hash(b"no wasm").to_hex().to_string();
        let error = load(&it.engine, &it.guest, it.folder.path(), &|_| {}).expect_err("it does not compile");
        assert!(matches!(error, Error::GuestRefused { .. }), "{error}");
    }
}
