//! Hashes of everything that decides what a guest becomes.
//!
//! Left out: the machine. The tools are pinned and cross-compile, so a guest built elsewhere does the same.

use super::Places;
use anyhow::{Context, Result};
use blake3::Hasher;
use std::fs;
use std::path::{Path, PathBuf};

/// What goes into the Python guest.
pub(super) fn python(places: &Places) -> Result<String> {
    let mut hasher = common(places)?;
    hash_tree(&mut hasher, &places.sources.join("python"))?;
    Ok(hasher.finalize().to_string())
}

/// What goes into the JavaScript guest: C sources and snapshot tools come from locked crates.
pub(super) fn javascript(places: &Places) -> Result<String> {
    let mut hasher = common(places)?;
    hash_tree(&mut hasher, &places.sources.join("javascript"))?;
    for package in ["rquickjs-sys", "wasmtime-wizer", "wit-component"] {
        hasher.update(locked_version(&places.root, package)?.as_bytes());
    }
    Ok(hasher.finalize().to_string())
}

fn common(places: &Places) -> Result<Hasher> {
    let mut hasher = Hasher::new();
    hash_tree(&mut hasher, &places.sources.join("wit"))?;
    hash_tree(&mut hasher, &places.root.join("server/xtask/src/guests"))?;
    hash_file(&mut hasher, &places.sources.join("requirements.txt"))?;
    Ok(hasher)
}

/// Name and checksum of a package in `Cargo.lock`.
fn locked_version(root: &Path, name: &str) -> Result<String> {
    let lock: toml::Table = fs::read_to_string(root.join("Cargo.lock"))?.parse().context("reading Cargo.lock")?;
    let packages = lock.get("package").and_then(toml::Value::as_array).context("Cargo.lock lists no packages")?;
    let text = |package: &toml::Value, key: &str| package.get(key).and_then(|v| v.as_str()).map(str::to_owned);
    let checksums: Vec<String> = packages
        .iter()
        .filter(|package| text(package, "name").as_deref() == Some(name))
        .filter_map(|package| Some(format!("{name} {} {}\n", text(package, "version")?, text(package, "checksum")?)))
        .collect();
    anyhow::ensure!(!checksums.is_empty(), "Cargo.lock holds no {name}");
    Ok(checksums.concat())
}

fn hash_tree(hasher: &mut Hasher, folder: &Path) -> Result<()> {
    let mut entries: Vec<PathBuf> = fs::read_dir(folder)
        .with_context(|| format!("reading {}", folder.display()))?
        .map(|entry| Ok(entry?.path()))
        .collect::<Result<_>>()?;
    entries.sort();
    for path in entries {
        if path.is_dir() {
            if path.file_name().is_some_and(|name| name != "__pycache__") {
                hash_tree(hasher, &path)?;
            }
        } else {
            hash_file(hasher, &path)?;
        }
    }
    Ok(())
}

/// A file's name and content, each with its length, so that no two sets of files hash alike.
fn hash_file(hasher: &mut Hasher, path: &Path) -> Result<()> {
    let name = path.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
    let data = fs::read(path).with_context(|| format!("reading {}", path.display()))?;
    for part in [name.as_bytes(), &data] {
        hasher.update(&(part.len() as u64).to_le_bytes());
        hasher.update(part);
    }
    Ok(())
}
