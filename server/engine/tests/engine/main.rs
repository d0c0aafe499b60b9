//! The engine as its embedder sees it.

mod calls;
mod hashes;
mod host;
mod isolation;
mod limits;
mod nesting;
mod printing;
mod script;
mod specs;
