//! The front as MCP clients and browsers see it.
//!
//! One program, so that it links once.

mod asks;
mod card;
mod dashboard;
mod direct;
mod elicit;
mod http;
mod offers;
mod rounds;
mod session;
mod trace;
