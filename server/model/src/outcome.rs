//! From kinds of failure to outcomes: the one place that says which kind ends a run with which status.
//!
//! Every front derives its exit code, its JSON-RPC code or its `isError` from the status, so that they cannot disagree.

use crate::error::{ErrorKind, ProgramError};
use crate::ids::RunId;
use crate::reply::{RunReply, RunStatus, Usage};
use crate::request::Language;
use crate::tokens::TokenReport;

impl ErrorKind {
    /// How a run ends that fails like this.
    pub fn status(self) -> RunStatus {
        match self {
            Self::Syntax
            | Self::Exception
            | Self::Tool
            | Self::UnknownTool
            | Self::Arguments
            | Self::Import
            | Self::Result
            | Self::ForgottenAwait
            | Self::Deadlock
            | Self::Stack
            | Self::Usage => RunStatus::Error,
            Self::Deadline | Self::Memory | Self::Calls | Self::Output => RunStatus::Limit,
            Self::Denied => RunStatus::Denied,
            Self::Cancelled => RunStatus::Cancelled,
            Self::Busy | Self::Fault => RunStatus::Fault,
        }
    }

    /// The exit code of the command line: that of the status, except that a wrong request is 2.
    pub fn exit_code(self) -> u8 {
        match self {
            Self::Usage => 2,
            other => other.status().exit_code(),
        }
    }

    /// The name on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Syntax => "syntax",
            Self::Exception => "exception",
            Self::Tool => "tool",
            Self::UnknownTool => "unknown_tool",
            Self::Arguments => "arguments",
            Self::Import => "import",
            Self::Result => "result",
            Self::ForgottenAwait => "forgotten_await",
            Self::Deadlock => "deadlock",
            Self::Deadline => "deadline",
            Self::Memory => "memory",
            Self::Stack => "stack",
            Self::Calls => "calls",
            Self::Output => "output",
            Self::Denied => "denied",
            Self::Cancelled => "cancelled",
            Self::Usage => "usage",
            Self::Busy => "busy",
            Self::Fault => "fault",
        }
    }
}

impl RunReply {
    /// The reply to a program that never started.
    pub fn refused(error: ProgramError, language: Option<Language>) -> Self {
        Self {
            run_id: RunId::new(),
            status: error.kind.status(),
            language: language.unwrap_or(Language::Python),
            language_guessed: language.is_none(),
            result: None,
            stdout: String::new(),
            stderr: String::new(),
            error: Some(error),
            calls: Vec::new(),
            usage: Usage::default(),
            tokens: None,
            truncated: Vec::new(),
        }
    }

    /// The exit code of `tta run`.
    pub fn exit_code(&self) -> u8 {
        match &self.error {
            Some(error) if error.kind == ErrorKind::Usage => error.kind.exit_code(),
            _ => self.status.exit_code(),
        }
    }

    /// Fills in what the ledger counted after the program had its answer.
    pub fn add_receipt(&mut self, report: TokenReport, result_tokens: &[u64]) {
        self.tokens = Some(report);
        for (call, tokens) in self.calls.iter_mut().zip(result_tokens) {
            call.result_tokens = Some(*tokens);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exit_codes_are_those_of_the_contract() {
        for (kind, code) in [
            (ErrorKind::Exception, 1),
            (ErrorKind::Usage, 2),
            (ErrorKind::Deadline, 3),
            (ErrorKind::Busy, 5),
            (ErrorKind::Denied, 4),
            (ErrorKind::Fault, 5),
            (ErrorKind::Cancelled, 130),
        ] {
            assert_eq!(kind.exit_code(), code, "{kind:?}");
        }
    }

    #[test]
    fn the_name_of_a_kind_is_its_wire_name() {
        for kind in [ErrorKind::UnknownTool, ErrorKind::ForgottenAwait, ErrorKind::Usage, ErrorKind::Fault] {
            assert_eq!(serde_json::json!(kind), kind.as_str());
        }
    }

    #[test]
    fn a_refusal_says_why_and_how_it_ends() {
        let reply = RunReply::refused(ProgramError::new(ErrorKind::Usage, "no such file: x.py"), None);
        assert_eq!((reply.status, reply.exit_code()), (RunStatus::Error, 2));
    }
}
