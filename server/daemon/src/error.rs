//! Why the daemon itself could not do what was asked, and the one mapping of that to codes.

/// A failure of the daemon. A program that fails is a normal reply.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The request is not well formed; the message says where and what to do.
    #[error("{0}")]
    Usage(String),
    /// The queue is full.
    #[error("the daemon is busy: {0}; try again when some of them have ended")]
    Busy(String),
    /// Trust or policy refused it.
    #[error("{0}")]
    Denied(String),
    /// The client cancelled it.
    #[error("cancelled")]
    Cancelled,
    /// The daemon is stopping.
    #[error("the daemon is shutting down")]
    ShuttingDown,
    /// A fault of the daemon.
    #[error("{0}")]
    Fault(String),
}

impl Error {
    /// The exit code of the command line.
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Usage(_) => 2,
            Self::Denied(_) => 4,
            Self::Cancelled => 130,
            Self::Busy(_) | Self::ShuttingDown | Self::Fault(_) => 5,
        }
    }

    /// The JSON-RPC code, for LSP and MCP alike; our own stay clear of those that either has given a meaning.
    pub fn rpc_code(&self) -> i32 {
        match self {
            Self::Usage(_) => -32602,
            Self::Denied(_) => -32010,
            Self::Busy(_) => -32011,
            Self::Cancelled => -32800,
            Self::ShuttingDown => -32012,
            Self::Fault(_) => -32603,
        }
    }

    /// The kind a client may match on.
    pub fn kind(&self) -> model::ErrorKind {
        match self {
            Self::Usage(_) => model::ErrorKind::Usage,
            Self::Denied(_) => model::ErrorKind::Denied,
            Self::Cancelled => model::ErrorKind::Cancelled,
            Self::Busy(_) => model::ErrorKind::Busy,
            Self::ShuttingDown | Self::Fault(_) => model::ErrorKind::Fault,
        }
    }
}
