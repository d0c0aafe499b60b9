//! What tests of several crates share: scripted MCP servers with their configuration, and a daemon over them. For tests
//! only.

#[cfg(feature = "daemon")]
mod daemon;
mod faulty;

#[cfg(feature = "daemon")]
pub use self::daemon::{Builder, TestDaemon};
pub use faulty::{faulty_server, faulty_spec};
