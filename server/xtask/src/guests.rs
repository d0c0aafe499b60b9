//! Builds the guest interpreters: `python.wasm` and `javascript.wasm`, both components of the world `guest`.
//!
//! Each is built again only when something that goes into it has changed: its sources, the world, the pinned tools, this
//! builder. `manifest.json` beside them says what is there. Files appear whole or not at all, and two builds at once wait
//! for each other.

mod inputs;
mod javascript;
mod pages;
mod python;
mod tools;

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::time::Instant;
use tools::Tools;

/// Where everything is.
struct Places {
    /// The repository.
    root: PathBuf,
    /// `server/engine/guests`.
    sources: PathBuf,
    /// Where the guests go.
    out: PathBuf,
}

/// One guest in `manifest.json`.
#[derive(Serialize, Deserialize)]
struct Entry {
    /// Its file, beside the manifest.
    file: String,
    /// Hash of the file.
    blake3: String,
    /// Its length.
    bytes: u64,
    /// Hash of what it was built from.
    inputs: String,
}

type Manifest = BTreeMap<String, Entry>;

/// A guest's build: makes the component at the path, with a scratch folder for the way there.
type Build = fn(&Places, &Tools, scratch: &Path, component: &Path) -> Result<()>;

/// Builds what is not up to date, into `out` or `target/guests`.
pub(crate) fn build(out: Option<&Path>) -> Result<()> {
    let places = places(out)?;
    let lock = File::create(places.out.join(".lock"))?;
    lock.lock().context("waiting for another build of the guests")?;

    let mut manifest = read_manifest(&places.out);
    let guests: [(&str, Build, String); 2] = [
        ("python", python::build, inputs::python(&places)?),
        ("javascript", javascript::build, inputs::javascript(&places)?),
    ];
    for (name, build, inputs) in guests {
        if manifest.get(name).is_some_and(|entry| entry.inputs == inputs && is_intact(&places.out, entry)) {
            continue;
        }
        let entry = build_one(&places, name, build, inputs).with_context(|| format!("building the guest {name}"))?;
        manifest.insert(name.to_owned(), entry);
        write_manifest(&places.out, &manifest)?;
    }
    Ok(())
}

fn build_one(places: &Places, name: &str, build: Build, inputs: String) -> Result<Entry> {
    let start = Instant::now();
    let tools = Tools::prepare(places)?;
    let scratch = tempfile::tempdir_in(&places.out)?;
    let component = scratch.path().join("component.wasm");
    build(places, &tools, scratch.path(), &component)?;

    let file = format!("{name}.wasm");
    let data = fs::read(&component)?;
    fs::rename(&component, places.out.join(&file))?;
    say(&format!("{file}: {:.1} MB in {:.0} s", megabytes(data.len()), start.elapsed().as_secs_f64()));
    Ok(Entry { file, blake3: blake3::hash(&data).to_string(), bytes: data.len() as u64, inputs })
}

fn places(out: Option<&Path>) -> Result<Places> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"))
        .ancestors()
        .nth(2)
        .context("the builder stands two folders below the repository's root")?
        .to_owned();
    let out = out.map_or_else(|| root.join("target/guests"), Path::to_owned);
    fs::create_dir_all(&out).with_context(|| format!("creating {}", out.display()))?;
    Ok(Places { sources: root.join("server/engine/guests"), out: out.canonicalize()?, root })
}

fn is_intact(out: &Path, entry: &Entry) -> bool {
    fs::read(out.join(&entry.file)).is_ok_and(|data| blake3::hash(&data).to_string() == entry.blake3)
}

/// What is there; nothing where the manifest is missing or unreadable, so that everything is built.
fn read_manifest(out: &Path) -> Manifest {
    let text = fs::read(out.join("manifest.json")).unwrap_or_default();
    serde_json::from_slice(&text).unwrap_or_default()
}

fn write_manifest(out: &Path, manifest: &Manifest) -> Result<()> {
    let unfinished = out.join("manifest.json.new");
    fs::write(&unfinished, serde_json::to_string_pretty(manifest)? + "\n")?;
    fs::rename(unfinished, out.join("manifest.json"))?;
    Ok(())
}

/// A line of progress.
fn say(line: &str) {
    eprintln!("guests: {line}");
}

#[expect(clippy::cast_precision_loss, reason = "shown with one decimal")]
fn megabytes(bytes: usize) -> f64 {
    bytes as f64 / 1e6
}
