//! Runs programs in WebAssembly: two interpreters behind one world, a store per run, every resource bounded.
//!
//! [`Engine::run`] is the whole of it: source, limits and a [`ToolHost`] in, an [`Outcome`] out. The engine knows neither
//! servers nor fronts; whatever a program reaches, it reaches through the `ToolHost`.

mod artifact;
mod calls;
mod canary;
mod clock;
mod ending;
mod engine;
mod error;
mod guests;
pub mod host;
mod json;
mod outcome;
mod output;
mod platform;
mod run;
mod sandbox;
pub mod script;
mod spin;

pub use artifact::precompile;
pub use clock::{Pause, RunClock};
pub use engine::{Engine, Options};
pub use error::Error;
pub use host::{CallError, GuestCall, ToolHost};
pub use outcome::{Outcome, Program, status_of};
pub use script::guess_language;
