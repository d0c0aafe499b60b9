//! Where the built interpreters lie, and whether they are what was built.
//!
//! The manifest beside them names each file with its blake3 hash. Nothing is ever taken from a workspace: the folder
//! comes from the embedder, from `TTA_GUESTS_DIR`, or lies beside the executable.

use crate::error::Error;
use model::Language;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// The environment variable that names the folder.
const FOLDER_VARIABLE: &str = "TTA_GUESTS_DIR";
const MANIFEST: &str = "manifest.json";

/// One interpreter on disk, not yet read.
#[derive(Clone, Debug)]
pub(crate) struct GuestFile {
    pub(crate) language: Language,
    pub(crate) file: PathBuf,
    pub(crate) hash: String,
    /// The same guest compiled ahead of time, as a package ships it.
    pub(crate) precompiled: Option<HashedFile>,
}

/// A file with the hash it must have.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct HashedFile {
    pub(crate) file: PathBuf,
    pub(crate) blake3: String,
}

/// Entries by the guest's name.
type Manifest = BTreeMap<String, Entry>;

#[derive(Deserialize)]
struct Entry {
    file: PathBuf,
    blake3: String,
    #[serde(default)]
    precompiled: Option<HashedFile>,
}

impl GuestFile {
    /// Finds the guest of a language. TypeScript runs in the JavaScript guest.
    pub(crate) fn find(language: Language, configured: Option<&Path>) -> Result<Self, Error> {
        let folder = folder(configured)?;
        let manifest_file = folder.join(MANIFEST);
        let bad = |problem: String| Error::Manifest { file: manifest_file.clone(), problem };
        let text = std::fs::read(&manifest_file).map_err(|e| bad(e.to_string()))?;
        let mut manifest: Manifest = serde_json::from_slice(&text).map_err(|e| bad(e.to_string()))?;
        let language = match language {
            Language::Python => Language::Python,
            Language::JavaScript | Language::TypeScript => Language::JavaScript,
        };
        let missing = || bad(format!("it names no {} guest", language.as_str()));
        let entry = manifest.remove(language.as_str()).ok_or_else(missing)?;
        let precompiled = entry.precompiled.map(|p| HashedFile { file: folder.join(p.file), ..p });
        Ok(Self { language, file: folder.join(entry.file), hash: entry.blake3, precompiled })
    }

    /// The component's bytes, once they have the hash that the manifest names.
    pub(crate) fn read(&self) -> Result<Vec<u8>, Error> {
        let damaged = |problem| Error::GuestDamaged { file: self.file.clone(), language: self.language, problem };
        let bytes = std::fs::read(&self.file).map_err(|e| damaged(e.to_string()))?;
        let hash = blake3::hash(&bytes).to_hex();
        if hash.as_str() == self.hash { Ok(bytes) } else { Err(damaged(format!("its blake3 hash is {hash}"))) }
    }
}

/// The first folder that holds a manifest: the variable's, the embedder's, `guests` beside the executable, or `guests`
/// in a folder above it (`target/debug/tta` and `target/debug/deps/test` both find `target/guests`). A folder that was
/// named must hold it: falling back to another would run something else than was asked for.
fn folder(configured: Option<&Path>) -> Result<PathBuf, Error> {
    let named = std::env::var_os(FOLDER_VARIABLE).map(PathBuf::from).or_else(|| configured.map(Path::to_owned));
    let looked_in = match named {
        Some(named) => vec![named],
        None => beside_executable(),
    };
    match looked_in.iter().find(|folder| folder.join(MANIFEST).is_file()) {
        Some(folder) => Ok(folder.clone()),
        None => Err(Error::GuestsMissing { looked_in }),
    }
}

fn beside_executable() -> Vec<PathBuf> {
    let Ok(executable) = std::env::current_exe() else { return Vec::new() };
    let executable = executable.canonicalize().unwrap_or(executable);
    executable.ancestors().skip(1).take(3).map(|folder| folder.join("guests")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write(folder: &Path, name: &str, bytes: &[u8]) {
        std::fs::write(folder.join(name), bytes).expect("a writable temporary folder");
    }

    fn with_manifest(hash: &str) -> tempfile::TempDir {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let entry = |file: &str| format!(r#"{{"file":"{file}","blake3":"{hash}"}}"#);
        let manifest = format!(r#"{{"python":{},"javascript":{}}}"#, entry("python.wasm"), entry("javascript.wasm"));
        write(folder.path(), MANIFEST, manifest.as_bytes());
        write(folder.path(), "javascript.wasm", b"wasm");
        folder
    }

    #[test]
    fn a_missing_folder_says_what_to_run() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let error = GuestFile::find(Language::Python, Some(folder.path())).expect_err("nothing is built here");
        let text = error.to_string();
        assert!(text.contains("cargo run -p xtask -- guests"), "{text}");
        assert!(text.contains(&folder.path().display().to_string()), "{text}");
    }

    #[test]
    fn a_guest_must_have_the_manifests_hash() {
        let good = with_manifest(blake3::hash(b"wasm").to_hex().as_str());
        let guest = GuestFile::find(Language::TypeScript, Some(good.path())).expect("a manifest");
        assert_eq!(guest.read().expect("the hash fits"), b"wasm");
        let bad = with_manifest("0000");
        let guest = GuestFile::find(Language::JavaScript, Some(bad.path())).expect("a manifest");
        let text = guest.read().expect_err("the hash does not fit").to_string();
        assert!(text.contains("javascript") && text.contains("hash"), "{text}");
    }

    #[test]
    fn a_broken_manifest_is_named() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        write(folder.path(), MANIFEST, b"{");
        let text = GuestFile::find(Language::Python, Some(folder.path())).expect_err("not JSON").to_string();
        assert!(text.contains("manifest.json") && text.contains("EOF"), "{text}");
    }
}
