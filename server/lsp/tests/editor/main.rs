//! An editor and the front, over pipes in memory.

mod asked;
mod beside;
mod configs;
mod documents;
mod imports;
mod kit;
mod programs;
mod session;
