//! The ledger through its public door: recounts, discovery, durability, pressure.

mod accounting;
mod durability;
mod explain;
mod failures;
mod moves;
mod pressure;
mod recount;
mod reports;
mod retention;
mod support;
