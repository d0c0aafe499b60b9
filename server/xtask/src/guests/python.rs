//! The Python guest: `componentize-py` runs our package in `CPython` 3.14 once and takes the snapshot.

use super::tools::{Tools, run};
use super::{Places, say};
use anyhow::Result;
use std::fs;
use std::path::Path;

pub(super) fn build(places: &Places, tools: &Tools, scratch: &Path, component: &Path) -> Result<()> {
    // The interpreter in there writes its caches beside what it imports: not into the sources.
    let package = scratch.join("sandbox");
    fs::create_dir(&package)?;
    for entry in fs::read_dir(places.sources.join("python/sandbox"))? {
        let file = entry?.path();
        if let Some(name) = file.file_name().filter(|_| file.extension().is_some_and(|e| e == "py")) {
            fs::copy(&file, package.join(name))?;
        }
    }
    say("python: importing the standard library and taking the snapshot");
    run(tools
        .componentize()
        .arg("--wit-path")
        .arg(places.sources.join("wit"))
        .args(["--world", "guest", "componentize", "sandbox", "--python-path"])
        .arg(scratch)
        .arg("--python-path")
        .arg(tools.packages()?)
        .arg("--output")
        .arg(component))?;
    Ok(())
}
