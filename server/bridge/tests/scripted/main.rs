//! The bridge against scripted servers: what works, each fault, and that nothing is left behind.
//!
//! One program, so that it links once. Every wait is for an event or a process, bounded; there is no sleep.

mod faults;
mod kit;
mod life;
mod orphans;
mod works;
