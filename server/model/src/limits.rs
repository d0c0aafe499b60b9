//! What one run may use. Every limit is finite; each has a test on its failing side.
//!
//! Bounded here: one run. Not bounded here: how many runs there are at once (`engine::Options::slots`), how long the
//! submission queue is (`daemon`), and how large a server's answer may be on the wire (`bridge`).

/// The limits of one run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Wall time from the start of the program to its end, waiting for calls included.
    pub deadline_ms: u64,
    /// What waiting for a person's answers can add to the deadline in all.
    pub pause_ms: u64,
    /// Linear memory of the guest.
    pub memory_bytes: usize,
    /// Elements in each of the guest's tables.
    pub table_elements: usize,
    /// Bytes of the program's source.
    pub code_bytes: usize,
    /// Bytes of `input` as JSON.
    pub input_bytes: usize,
    /// Bytes kept of stdout and of stderr, each; what is over is dropped and said.
    pub stdout_bytes: usize,
    /// Bytes of printing after which the run is ended: a program that prints this much is not going to stop by itself.
    pub printed_bytes: u64,
    /// Bytes of the result as JSON; a larger one is kept as an artifact and a preview is returned.
    pub result_bytes: usize,
    /// Bytes of a result that the host takes over at all; a larger one ends the run.
    pub result_total_bytes: usize,
    /// Nesting of the result and of arguments as JSON.
    pub nesting: usize,
    /// Tool calls in the whole run.
    pub calls: u32,
    /// Tool calls on their way at once; further ones wait their turn.
    pub calls_in_flight: usize,
    /// Resources that it is subscribed to at once.
    pub subscriptions: usize,
    /// Bytes of one call's arguments as JSON.
    pub arguments_bytes: usize,
    /// Bytes of one call's result handed to the program.
    pub call_result_bytes: usize,
    /// Longest time that a tool call may take without an answer or a report of progress.
    pub call_timeout_ms: u64,
    /// Longest time of one tool call in all, whatever it reports; no less than `call_timeout_ms`.
    pub call_total_ms: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            deadline_ms: 60_000,
            pause_ms: 600_000,
            memory_bytes: 512 << 20,
            table_elements: 100_000,
            code_bytes: 1 << 20,
            input_bytes: 16 << 20,
            stdout_bytes: 256 << 10,
            printed_bytes: 64 << 20,
            result_bytes: 64 << 10,
            result_total_bytes: 64 << 20,
            nesting: 128,
            calls: 10_000,
            calls_in_flight: 1_024,
            subscriptions: 64,
            arguments_bytes: 16 << 20,
            call_result_bytes: 128 << 20,
            call_timeout_ms: 60_000,
            call_total_ms: 600_000,
        }
    }
}
