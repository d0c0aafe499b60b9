//! Writes the extension's wire types from the Rust ones, so that neither side copies the other by hand.

use anyhow::{Context as _, Result, bail};
use std::path::{Path, PathBuf};

/// Writes `extension/src/lsp_ext.ts`.
pub(crate) fn run() -> Result<()> {
    let file = file();
    std::fs::write(&file, model::wire::typescript()).with_context(|| format!("writing {}", file.display()))?;
    println!("wrote {}", file.display());
    Ok(())
}

/// Fails where that file is not what [`run`] would write.
pub(crate) fn check() -> Result<()> {
    let file = file();
    let found = std::fs::read_to_string(&file).with_context(|| format!("reading {}", file.display()))?;
    if found != model::wire::typescript() {
        bail!("{} is stale: run `cargo run -p xtask -- codegen`", file.display());
    }
    Ok(())
}

fn file() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../extension/src/lsp_ext.ts")
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_wire_types_of_the_extension_are_fresh() {
        super::check().expect("fresh");
    }
}
