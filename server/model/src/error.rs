//! What can go wrong in a program, as the model and the user see it.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// The kind of a program's failure; stable names that clients may match on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum ErrorKind {
    /// The program does not parse.
    Syntax,
    /// An uncaught exception of the program itself.
    Exception,
    /// An uncaught `ToolError`: the server answered with an error, died, hung or sent garbage.
    Tool,
    /// No such server, or no such tool on it.
    UnknownTool,
    /// The arguments of a call do not fit the tool's input schema.
    Arguments,
    /// A module that does not exist in the sandbox.
    Import,
    /// The value of the program is not JSON.
    Result,
    /// A call was made but its result never awaited, where the program needed it.
    ForgottenAwait,
    /// The program waits for something that can never happen.
    Deadlock,
    /// The run's deadline passed.
    Deadline,
    /// The run's memory limit was reached.
    Memory,
    /// The program recursed or nested deeper than the guest's stack.
    Stack,
    /// The program made more calls than a run may.
    Calls,
    /// The program printed or returned more than a run may.
    Output,
    /// Refused by trust or policy.
    Denied,
    /// Stopped by the user or the client.
    Cancelled,
    /// The request itself is wrong: a flag, a file, a setting.
    Usage,
    /// The daemon has no room for another run now.
    Busy,
    /// The daemon's own fault.
    Fault,
}

/// A failure with the program's own line, and what to do next.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct ProgramError {
    /// What kind of failure it is.
    pub kind: ErrorKind,
    /// One sentence that says what is wrong.
    pub message: String,
    /// The line of the program, counted from 1, where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub line: Option<u32>,
    /// The program's own frames, innermost last; never a path or frame of the host.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub traceback: Option<String>,
    /// How to mend it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub hint: Option<String>,
}

impl ProgramError {
    /// An error with neither line nor traceback.
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), line: None, traceback: None, hint: None }
    }

    /// The same error with a way to mend it.
    #[must_use]
    pub fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}
