//! What tests of several crates share: scripted MCP servers with their configuration, and a daemon over them. For tests
//! only.

mod daemon;
mod faulty;

pub use self::daemon::{Builder, TestDaemon};
pub use faulty::{faulty_server, faulty_spec};
