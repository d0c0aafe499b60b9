//! Why a command could not do what was asked: always with a kind, and so with an exit code.

use model::{ErrorKind, ProgramError};

/// A command's result: its exit code.
pub(crate) type Outcome = Result<u8, Failure>;

/// A failure of the command itself. A program that fails is not one.
#[derive(Debug)]
pub(crate) struct Failure(pub(crate) ProgramError);

impl Failure {
    /// The command line, a file or a setting is wrong.
    pub(crate) fn usage(message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self(ProgramError::new(ErrorKind::Usage, message).with_hint(hint))
    }

    /// The daemon broke its word.
    pub(crate) fn fault(message: impl Into<String>) -> Self {
        Self(ProgramError::new(ErrorKind::Fault, message))
    }

    pub(crate) fn exit_code(&self) -> u8 {
        self.0.kind.exit_code()
    }
}

impl From<daemon::Error> for Failure {
    fn from(error: daemon::Error) -> Self {
        Self(ProgramError::new(error.kind(), error.to_string()))
    }
}

impl From<mcp::Error> for Failure {
    fn from(error: mcp::Error) -> Self {
        let kind = match error {
            mcp::Error::NotLoopback(_) | mcp::Error::Bind { .. } => ErrorKind::Usage,
            mcp::Error::Handshake(_) | mcp::Error::Random(_) => ErrorKind::Fault,
        };
        Self(ProgramError::new(kind, error.to_string()))
    }
}
