//! What tests of several crates share: scripted MCP servers and their configuration. For tests only.

mod faulty;

pub use faulty::{faulty_server, faulty_spec};
