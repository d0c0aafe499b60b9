//! Tool definitions of earlier processes, so that a search or an import needs no server started.
//!
//! One file a server, named by the hash of what would be started: a changed command never meets another's definitions.
//! They are only a memory: the first call starts the server, which lists its tools again. A file that cannot be read is
//! as good as none.

use crate::options::{Paths, private_folder, write_private};
use model::{ServerSpec, ToolDefinition};
use std::path::PathBuf;
use std::sync::Arc;

/// A larger list is not kept.
const BYTES_MAX: usize = 16 << 20;

pub(crate) fn load(paths: &Paths, spec: &ServerSpec) -> Option<Arc<[ToolDefinition]>> {
    let tools: Vec<ToolDefinition> = serde_json::from_slice(&std::fs::read(file(paths, spec)).ok()?).ok()?;
    Some(tools.into())
}

pub(crate) fn store(paths: &Paths, spec: &ServerSpec, tools: &[ToolDefinition]) {
    let kept = serde_json::to_vec(tools).ok().filter(|bytes| bytes.len() <= BYTES_MAX);
    let (Some(bytes), Ok(())) = (kept, private_folder(&paths.data.join("definitions"))) else { return };
    if let Err(e) = write_private(&file(paths, spec), &bytes) {
        tracing::warn!("the definitions of {} could not be kept: {e}", spec.name);
    }
}

fn file(paths: &Paths, spec: &ServerSpec) -> PathBuf {
    let hash = blake3::hash(spec.content_hash.as_bytes()).to_hex();
    paths.data.join("definitions").join(format!("{}.json", &hash[..32]))
}
