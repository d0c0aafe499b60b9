//! The Python guest: `componentize-py` runs our package in CPython 3.14 once and takes the snapshot.

use super::tools::{Tools, run};
use super::{Places, say};
use anyhow::Result;
use std::path::Path;

pub(super) fn build(places: &Places, tools: &Tools, _scratch: &Path, component: &Path) -> Result<()> {
    say("python: importing the standard library and taking the snapshot");
    run(tools
        .componentize()
        .arg("--wit-path")
        .arg(places.sources.join("wit"))
        .args(["--world", "guest", "componentize", "sandbox", "--python-path"])
        .arg(places.sources.join("python"))
        .arg("--python-path")
        .arg(tools.packages()?)
        .arg("--output")
        .arg(component))?;
    Ok(())
}
