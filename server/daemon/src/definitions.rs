//! Tool definitions of earlier processes, so that a search or an import needs no server started; with them what the servers
//! list beside their tools.
//!
//! One file a server and kind, named by the hash of what would be started: a changed command never meets another's
//! definitions. They are only a memory: the first call starts the server, which lists its tools again. A file that cannot
//! be read is as good as none.

use crate::options::{Paths, private_folder, write_private};
use model::{Beside, ServerSpec, ToolDefinition};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::path::PathBuf;
use std::sync::Arc;

/// A larger list is not kept.
const BYTES_MAX: usize = 16 << 20;
/// How the files' names end.
const TOOLS: &str = "json";
const BESIDE: &str = "beside.json";

pub(crate) fn load(paths: &Paths, spec: &ServerSpec) -> Option<Arc<[ToolDefinition]>> {
    read::<Vec<ToolDefinition>>(paths, spec, TOOLS).map(Into::into)
}

pub(crate) fn store(paths: &Paths, spec: &ServerSpec, tools: &[ToolDefinition]) {
    write(paths, spec, TOOLS, tools);
}

/// Nothing where it was never listed.
pub(crate) fn load_beside(paths: &Paths, spec: &ServerSpec) -> Arc<Beside> {
    Arc::new(read(paths, spec, BESIDE).unwrap_or_default())
}

pub(crate) fn store_beside(paths: &Paths, spec: &ServerSpec, beside: &Beside) {
    write(paths, spec, BESIDE, beside);
}

fn read<T: DeserializeOwned>(paths: &Paths, spec: &ServerSpec, ending: &str) -> Option<T> {
    serde_json::from_slice(&std::fs::read(file(paths, spec, ending)).ok()?).ok()
}

fn write(paths: &Paths, spec: &ServerSpec, ending: &str, what: &(impl Serialize + ?Sized)) {
    let kept = serde_json::to_vec(what).ok().filter(|bytes| bytes.len() <= BYTES_MAX);
    let (Some(bytes), Ok(())) = (kept, private_folder(&paths.data.join("definitions"))) else { return };
    if let Err(e) = write_private(&file(paths, spec, ending), &bytes) {
        tracing::warn!("the definitions of {} could not be kept: {e}", spec.name);
    }
}

fn file(paths: &Paths, spec: &ServerSpec, ending: &str) -> PathBuf {
    let hash = blake3::hash(spec.content_hash.as_bytes()).to_hex();
    paths.data.join("definitions").join(format!("{}.{ending}", &hash[..32]))
}
