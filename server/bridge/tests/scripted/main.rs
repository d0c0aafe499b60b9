//! The bridge against scripted servers: what works, each fault, and that nothing is left behind.
//!
//! One program, so that it links once. Every wait is for an event or a process, bounded; there is no sleep.

mod asks;
mod beside;
mod eras;
mod faults;
// `testkit` stands on the daemon, and so on this crate; of it only this file is needed.
#[expect(unreachable_pub, reason = "it is public in testkit")]
#[path = "../../../testkit/src/faulty.rs"]
mod faulty;
mod fresh;
mod http;
mod kills;
mod kit;
mod life;
mod logging;
mod orphans;
mod pages;
mod refusals;
mod sse;
mod subscribe;
mod supervision;
mod tasks;
mod turns;
mod wire;
mod works;
