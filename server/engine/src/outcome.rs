//! What came of a run, and the one place where an error's kind becomes a run's status.

use model::{ErrorKind, ProgramError, RunStatus, Truncation, Usage};
use serde_json::value::RawValue;

/// One program, as a front or the daemon hands it in.
#[derive(Clone, Debug)]
pub struct Program {
    /// The source.
    pub code: String,
    /// Its language.
    pub language: model::Language,
    /// The file name shown in tracebacks, without a folder: `program.py`.
    pub name: String,
    /// What the program sees as `tta.inputs`, as JSON text.
    pub input_json: String,
}

/// What came of it. Everything is within the run's limits, except that `result` may be larger than
/// `Limits::result_bytes` (up to `result_total_bytes`): keeping the whole elsewhere and cutting it is the embedder's.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// How it ended.
    pub status: RunStatus,
    /// Its value; present exactly where `status` is `Ok`.
    pub result: Option<Box<RawValue>>,
    /// Why it failed; present exactly where `status` is not `Ok`.
    pub error: Option<ProgramError>,
    /// What it printed, at most `Limits::stdout_bytes`.
    pub stdout: String,
    /// Likewise.
    pub stderr: String,
    /// What it used.
    pub usage: Usage,
    /// Which of stdout and stderr was cut.
    pub truncated: Vec<Truncation>,
    /// Bytes of the value as JSON, also where it was too large to be taken over.
    pub result_bytes: u64,
}

impl Outcome {
    /// A run that ended before its program started.
    pub(crate) fn refused(error: ProgramError) -> Self {
        Self {
            status: status_of(error.kind),
            result: None,
            error: Some(error),
            stdout: String::new(),
            stderr: String::new(),
            usage: Usage::default(),
            truncated: Vec::new(),
            result_bytes: 0,
        }
    }
}

/// The status of a run that ended with an error of this kind.
pub fn status_of(kind: ErrorKind) -> RunStatus {
    kind.status()
}
