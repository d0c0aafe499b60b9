//! What tests of several crates share: scripted MCP servers with their configuration, and a daemon over them. For tests
//! only.

#[cfg(feature = "daemon")]
mod authority;
#[cfg(feature = "daemon")]
mod browser;
#[cfg(feature = "daemon")]
mod daemon;
#[cfg(feature = "daemon")]
mod editor;
mod faulty;
#[cfg(feature = "daemon")]
mod person;

#[cfg(feature = "daemon")]
pub use self::authority::{Authority, Manner};
#[cfg(feature = "daemon")]
pub use self::browser::{Page, log_in, open_page};
#[cfg(feature = "daemon")]
pub use self::daemon::{Builder, TestDaemon};
#[cfg(feature = "daemon")]
pub use self::editor::{Answer, Asked, Kept, editor, editor_keeping};
#[cfg(feature = "daemon")]
pub use self::person::{Question, Questions, person};
pub use faulty::{built, faulty_server, faulty_spec};
