//! An editor and the front, over pipes in memory.

mod kit;
mod programs;
mod session;
