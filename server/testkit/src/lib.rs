//! What tests of several crates share: scripted MCP servers with their configuration, and a daemon over them. For tests
//! only.

#[cfg(feature = "daemon")]
mod daemon;
#[cfg(feature = "daemon")]
mod editor;
mod faulty;
#[cfg(feature = "daemon")]
mod person;

#[cfg(feature = "daemon")]
pub use self::daemon::{Builder, TestDaemon};
#[cfg(feature = "daemon")]
pub use self::editor::{Answer, Asked, editor};
#[cfg(feature = "daemon")]
pub use self::person::{Question, Questions, person};
pub use faulty::{faulty_server, faulty_spec};
