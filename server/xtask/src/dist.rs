//! What a package ships of the guests: each component, and beside it the same compiled ahead of time for this platform.
//!
//! The component stays, for a machine whose processor lacks what the compiled code asks for: there it is compiled anew.

use anyhow::{Context as _, Result};
use model::Language;
use serde_json::{Map, Value, json};
use std::fs;
use std::path::Path;

/// The guests by their names in the manifest.
const GUESTS: [(&str, Language); 2] = [("python", Language::Python), ("javascript", Language::JavaScript)];

/// Lays the guests of `target/guests` into the folder `out`, with a manifest of their own.
pub(crate) fn run(out: &Path) -> Result<()> {
    let guests = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/guests");
    fs::create_dir_all(out).with_context(|| format!("creating {}", out.display()))?;
    let text = fs::read(guests.join("manifest.json")).context("no guests yet: run `cargo run -p xtask -- guests`")?;
    let mut manifest: Map<String, Value> = serde_json::from_slice(&text).context("the guests' manifest")?;
    for (name, language) in GUESTS {
        let entry = manifest.get_mut(name).with_context(|| format!("the manifest names no {name} guest"))?;
        let file = entry["file"].as_str().with_context(|| format!("the {name} guest has no file"))?.to_owned();
        let wasm = fs::read(guests.join(&file)).with_context(|| format!("reading {file}"))?;
        let compiled = engine::precompile(&wasm, language)?;
        let compiled_file = format!("{name}.cwasm");
        entry["precompiled"] = json!({"file": compiled_file, "blake3": blake3::hash(&compiled).to_string()});
        fs::write(out.join(&file), &wasm)?;
        fs::write(out.join(&compiled_file), &compiled)?;
    }
    fs::write(out.join("manifest.json"), serde_json::to_string_pretty(&manifest)? + "\n")?;
    Ok(())
}
