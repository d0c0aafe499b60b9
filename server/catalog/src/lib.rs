//! The tools of all servers: names, stubs, checks of arguments, and ranked search. Pure: no IO, no clock, no tasks.
//!
//! `ServerTools` holds one server's tools and is made once per `tools/list`; `Catalog` is a list of them. Both are immutable
//! and shared, so a run keeps what it started with while the daemon swaps in what changed.
//!
//! Everything a server says is untrusted: texts are made safe in `text`, schemas are bounded in `cost`, and nothing a
//! schema refers to is ever fetched.

mod beside;
mod catalog;
mod cost;
mod explain;
mod extras;
mod index;
mod parameter;
mod printer;
mod query;
mod schema;
mod server;
mod stub;
mod text;
mod thesaurus;
mod tool;
mod types;
mod validate;
mod words;

pub use catalog::{Catalog, Found, Hit};
pub use explain::nearest;
pub use parameter::Parameter;
pub use server::ServerTools;
pub use tool::{SharedDefinition, Tool};
pub use validate::ArgumentProblem;
