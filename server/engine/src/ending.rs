//! Why a run did not return a value, in words the program's author can use. Never a native frame, never a host path.

use crate::sandbox::{Ended, Meter, Refused};
use model::{ErrorKind, Limits, ProgramError};
use wasmtime::Trap;

/// Longest text of a guest's error that is passed on; a program may raise an exception of a gigabyte.
const MESSAGE_BYTES: usize = 8 << 10;
/// What wasmtime says when one call of the guest passes more than 128 MiB; it has no type of its own.
const HOSTCALL_FUEL: &str = "fuel allocated for hostcalls has been exhausted";
const TRACEBACK_BYTES: usize = 16 << 10;

/// What a guest reports as JSON when the program failed.
pub(crate) fn reported(json: &str) -> ProgramError {
    let Ok(mut error) = serde_json::from_str::<ProgramError>(json) else {
        let mut message = json.to_owned();
        shorten(&mut message, MESSAGE_BYTES);
        return ProgramError::new(ErrorKind::Exception, message);
    };
    // These are the host's to say; a program that forges one only failed.
    if matches!(error.kind, ErrorKind::Cancelled | ErrorKind::Busy | ErrorKind::Deadline) {
        error.kind = ErrorKind::Exception;
    }
    shorten(&mut error.message, MESSAGE_BYTES);
    for (text, limit_bytes) in [(&mut error.traceback, TRACEBACK_BYTES), (&mut error.hint, MESSAGE_BYTES)] {
        if let Some(text) = text {
            shorten(text, limit_bytes);
        }
    }
    error
}

fn shorten(text: &mut String, limit_bytes: usize) {
    if text.len() > limit_bytes {
        text.truncate(text.floor_char_boundary(limit_bytes));
        text.push('…');
    }
}

/// What a trap means.
pub(crate) fn trapped(error: &wasmtime::Error, meter: &Meter, limits: &Limits) -> ProgramError {
    if let Some(ended) = error.downcast_ref::<Ended>() {
        return self::ended(*ended, limits);
    }
    let trap = error.downcast_ref::<Trap>();
    tracing::debug!("a guest trapped: {error:?}");
    match (trap, meter.refused) {
        (Some(Trap::StackOverflow), _) => {
            ProgramError::new(ErrorKind::Stack, "the program recursed or nested deeper than the interpreter's stack")
                .with_hint("Use a loop or an explicit stack instead of recursion, or flatten the data.")
        }
        (Some(_), Some(Refused::Memory)) => memory(limits),
        (Some(_), Some(Refused::Table)) => {
            let message = format!("the program needs a table of more than {} elements", limits.table_elements);
            ProgramError::new(ErrorKind::Memory, message)
        }
        (None, _) if error.to_string().contains(HOSTCALL_FUEL) => {
            ProgramError::new(ErrorKind::Output, "the program passed more data out of the sandbox at once than it may")
                .with_hint("Pass large values in parts, and return a summary instead of the whole.")
        }
        (None, _) => ProgramError::new(ErrorKind::Fault, "the sandbox failed while it served this program")
            .with_hint("This is a fault of the daemon, not of the program; its log has the details."),
        (Some(_), None) => ProgramError::new(
            ErrorKind::Exception,
            "the interpreter stopped: the program drove it into an impossible state",
        )
        .with_hint("Find the statement that does it by running the program in parts."),
    }
}

/// What the host ended itself.
pub(crate) fn ended(ended: Ended, limits: &Limits) -> ProgramError {
    match ended {
        Ended::Deadline => {
            let message = format!("the program ran longer than {}", seconds(limits.deadline_ms));
            ProgramError::new(ErrorKind::Deadline, message)
                .with_hint("Make calls in parallel (asyncio.gather, Promise.all), do less in one run, or ask for a longer timeout_ms.")
        }
        Ended::Cancelled => ProgramError::new(ErrorKind::Cancelled, "the run was cancelled"),
        Ended::Calls => {
            let message = format!("the program made more than {} tool calls", limits.calls);
            ProgramError::new(ErrorKind::Calls, message)
                .with_hint("Use a tool that takes many items at once, or split the work over several runs.")
        }
        Ended::Output => {
            let message = format!("the program printed more than {} bytes", limits.printed_bytes);
            ProgramError::new(ErrorKind::Output, message)
                .with_hint("Print a summary; look for a print in an endless loop.")
        }
        Ended::Deadlock => {
            ProgramError::new(ErrorKind::Deadlock, "the program waits for something that can never happen")
                .with_hint("Await only tool calls, timers, and tasks that are still running.")
        }
        Ended::NoRun => ProgramError::new(ErrorKind::Fault, "an instance was asked to run without a program"),
    }
}

/// The program needed more memory than it may have.
pub(crate) fn memory(limits: &Limits) -> ProgramError {
    let message = format!("the program needed more than {} MiB of memory", limits.memory_bytes >> 20);
    ProgramError::new(ErrorKind::Memory, message)
        .with_hint("Work on the data in parts, and drop what is no longer needed.")
}

/// The limit is below what the interpreter takes before any program starts.
pub(crate) fn no_room(limits: &Limits, needed_bytes: usize) -> ProgramError {
    let message = format!(
        "the interpreter alone needs {} MiB of memory; the run may have {}",
        needed_bytes.div_ceil(1 << 20),
        limits.memory_bytes >> 20
    );
    ProgramError::new(ErrorKind::Memory, message).with_hint("Raise the run's memory limit.")
}

/// The value was too large to take over.
pub(crate) fn result_too_large(bytes: usize, limits: &Limits) -> ProgramError {
    let message =
        format!("the program's value is {bytes} bytes of JSON; at most {} are taken", limits.result_total_bytes);
    ProgramError::new(ErrorKind::Output, message).with_hint("Return a summary, a count or the first rows.")
}

/// The value nests too deep.
pub(crate) fn result_too_deep(limits: &Limits) -> ProgramError {
    let message = format!("the program's value nests deeper than {} levels", limits.nesting);
    ProgramError::new(ErrorKind::Result, message).with_hint("Return a flatter value.")
}

/// The value is not JSON at all.
pub(crate) fn result_not_json(problem: &serde_json::Error) -> ProgramError {
    ProgramError::new(ErrorKind::Result, format!("the program's value is not JSON: {problem}"))
        .with_hint("Return only objects, lists, strings, finite numbers, booleans and null.")
}

fn seconds(ms: u64) -> String {
    if ms.is_multiple_of(1000) { format!("{} s", ms / 1000) } else { format!("{ms} ms") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_guests_report_is_bounded_and_cannot_speak_for_the_host() {
        let forged = format!(r#"{{"kind":"cancelled","message":"{}"}}"#, "x".repeat(100_000));
        let error = reported(&forged);
        assert_eq!(error.kind, ErrorKind::Exception);
        assert!(error.message.len() < MESSAGE_BYTES + 8);
        assert_eq!(reported("no JSON").message, "no JSON");
    }

    #[test]
    fn a_host_ending_is_told_apart_from_traps() {
        let limits = Limits::default();
        let kind = |error: wasmtime::Error, meter: &Meter| trapped(&error, meter, &limits).kind;
        let calm = Meter::default();
        let starved = Meter { refused: Some(Refused::Memory), ..Meter::default() };
        assert_eq!(kind(Ended::Calls.into(), &calm), ErrorKind::Calls);
        assert_eq!(kind(Trap::StackOverflow.into(), &starved), ErrorKind::Stack);
        assert_eq!(kind(Trap::UnreachableCodeReached.into(), &starved), ErrorKind::Memory);
        assert_eq!(kind(Trap::UnreachableCodeReached.into(), &calm), ErrorKind::Exception);
    }
}
