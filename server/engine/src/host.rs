//! What the engine asks of whoever embeds it: the one way out of a program.

use crate::clock::RunClock;
use futures::future::BoxFuture;
use model::ProgramError;

/// A call as the guest made it. Nothing in it is checked yet.
#[derive(Clone, Debug)]
pub struct GuestCall {
    /// Its place in the run, counted from 0.
    pub index: u32,
    /// The server, by name or identifier; `tta` is the sandbox itself.
    pub server: String,
    /// The tool, by name or identifier.
    pub tool: String,
    /// The arguments as JSON text.
    pub arguments_json: String,
    /// The program's line, where the guest knows it.
    pub line: Option<u32>,
    /// Which wave it belongs to, counted from 0: a call that starts when every earlier one was delivered to the program
    /// opens a new wave, every other joins the current one. Calls of the sandbox itself (`tta`) open none and hold none
    /// open.
    pub wave: u32,
    /// The run's clock, which stands still while a person is asked.
    pub clock: RunClock,
}

/// The door of a run. Implemented once, in `daemon/src/call.rs`.
///
/// A call's future is polled once on the guest's thread, in the context of the host's runtime, so that its request is on
/// its way without a change of threads; from then on the host's runtime drives it. So it must not block. It is dropped
/// when the run ends: dropping it must cancel the call.
pub trait ToolHost: Send + Sync + 'static {
    /// The identifiers of the servers a program may import.
    fn servers(&self) -> Vec<String>;

    /// The module of one server, as `describe` in `guests/wit/world.wit` says. `clock` is the run's.
    fn describe(&self, server: &str, clock: &RunClock) -> BoxFuture<'static, Result<String, ProgramError>>;

    /// One call. The value is JSON text.
    fn call(&self, call: GuestCall) -> BoxFuture<'static, Result<String, CallError>>;
}

/// Why a call failed; the program gets it as a `ToolError`.
#[derive(Clone, Debug, serde::Serialize)]
pub struct CallError {
    /// What and why.
    #[serde(flatten)]
    pub error: ProgramError,
    /// The server's configured name.
    pub server: String,
    /// The tool's own name.
    pub tool: String,
}
