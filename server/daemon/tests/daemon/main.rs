//! The daemon through its door, over scripted servers: whole runs, what is asked of people, logins, load.
//!
//! One program, so that it links once.

mod approvals;
mod asks;
mod beside;
mod content;
mod details;
mod door;
mod editor_tools;
mod gateway;
mod inputs;
mod load;
mod login;
mod recount;
mod reload;
mod runs;
mod subscribe;
mod telemetry;
