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
    compile_hashing(places, tools, scratch, &package)?;
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

/// The native module `sandbox._hashing`, named so that `componentize-py` links it with the interpreter.
fn compile_hashing(places: &Places, tools: &Tools, scratch: &Path, package: &Path) -> Result<()> {
    let object = scratch.join("hashing.o");
    run(tools
        .cc()
        .args(["-std=gnu23", "-O3", "-mcpu=lime1+simd128", "-fPIC", "-fvisibility=hidden", "-fno-sanitize=undefined"])
        .args(["-Wall", "-Wextra", "-Werror", "-c"])
        .arg(places.sources.join("python/hashing.c"))
        .arg("-o")
        .arg(&object))?;
    run(tools
        .wasm_ld()
        .args(["-shared", "--experimental-pic", "--strip-all", "--no-entry"])
        // What it takes of CPython and libc is found when all libraries are linked.
        .args(["--export=PyInit__hashing", "--unresolved-symbols=import-dynamic"])
        .arg(object)
        .arg("-o")
        .arg(package.join("_hashing.cpython-314-wasm32-wasi.so")))?;
    Ok(())
}
