//! Runs programs in WebAssembly.

pub mod host;
pub use host::{GuestCall, ToolHost};
