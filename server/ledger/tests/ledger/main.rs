//! The ledger through its public door: recounts, discovery, durability, pressure.

mod accounting;
mod durability;
mod pressure;
mod reports;
mod support;
