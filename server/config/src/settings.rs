//! The parts of `tta.toml` that are not servers.
//!
//! A bad value is a problem with its place; the default stays, and nothing else is affected. The names of later
//! sections are known, so that a file written for a newer version is not called wrong.

use crate::report::Report;
use crate::tree::{Entry, Node, Value};
use crate::{Config, direct, keys, ledger, prices};
use model::{Limits, ServerLimits, Severity};

/// The range of `host_result_cap_tokens`.
pub(crate) const HOST_RESULT_CAP_TOKENS: (u64, u64) = (100, 10_000_000);
/// The range of `context_tokens`.
pub(crate) const CONTEXT_TOKENS: (u64, u64) = (1_000, 100_000_000);
/// The range of `poll_ms`.
pub(crate) const POLL_MS: (u64, u64) = (100, 3_600_000);

/// Every section a `tta.toml` may have.
const SECTIONS: &[&str] = &[
    "limits",
    "servers",
    "ledger",
    "mcp",
    "watch",
    "telemetry",
    "cache",
    "policy",
    "privacy",
    "skills",
    "logseq",
    "prices",
    "http",
];

/// What a key of `[servers.NAME]` may be; other clients' files may have more.
pub(crate) const SERVER_KEYS: &[&str] = &[
    "type",
    "command",
    "args",
    "env",
    "envFile",
    "cwd",
    "url",
    "headers",
    "oauth",
    "disabled",
    "enabled",
    "startup_timeout_ms",
    "startup_timeout_sec",
    "calls_in_flight",
    "calls_waiting",
    "calls_per_minute",
    "idle_stop_ms",
    "env_vars",
    "bearer_token_env_var",
    "description",
];

const MIB: u64 = 1 << 20;

/// A key of `[limits]`, or of a server's.
pub(crate) struct Limit<T = Limits> {
    pub(crate) name: &'static str,
    pub(crate) least: u64,
    pub(crate) most: u64,
    pub(crate) get: fn(&T) -> u64,
    set: fn(&mut T, u64),
    /// For people.
    pub(crate) what: &'static str,
}

macro_rules! limit {
    ($name:literal, $least:expr, $most:expr, $field:ident: $ty:ty $(, in $unit:expr)?; $what:literal) => {
        Limit {
            name: $name,
            least: $least,
            most: $most,
            get: |limits| limits.$field as u64 $(/ $unit)?,
            set: |limits, value| limits.$field = (value $(* $unit)?) as $ty,
            what: $what,
        }
    };
}

/// Upper bounds are what the engine and the wire can bear; lower ones leave a program room to say what went wrong.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_lossless,
    reason = "each value is inside its range, which fits the field"
)]
#[rustfmt::skip]
pub(crate) const LIMITS: &[Limit] = &[
    limit!("timeout_ms", 1, 86_400_000, deadline_ms: u64; "Wall time of a run, waiting for calls included."),
    limit!("memory_mb", 32, 4_095, memory_bytes: usize, in MIB; "Memory of a run, in MiB."),
    limit!("code_bytes", 1_024, 16 * MIB, code_bytes: usize; "Bytes of a program's source."),
    limit!("input_bytes", 1_024, 128 * MIB, input_bytes: usize; "Bytes of a run's input as JSON."),
    limit!("stdout_bytes", 1_024, 16 * MIB, stdout_bytes: usize; "Bytes kept of stdout and of stderr, each."),
    limit!("printed_bytes", 1_024, 1_024 * MIB, printed_bytes: u64; "Bytes of printing after which a run is ended."),
    limit!("result_bytes", 1_024, 16 * MIB, result_bytes: usize; "Bytes of a result that are returned; a larger one is kept as a file."),
    limit!("result_total_bytes", 1_024, 256 * MIB, result_total_bytes: usize; "Bytes of a result that are taken over at all."),
    limit!("nesting", 8, 512, nesting: usize; "Nesting of results and of arguments."),
    limit!("calls", 0, 1_000_000, calls: u32; "Tool calls of a run."),
    limit!("calls_in_flight", 1, 4_096, calls_in_flight: usize; "Tool calls of a run at once; further ones wait."),
    limit!("subscriptions", 0, 1_024, subscriptions: usize; "Resources that a run is subscribed to at once."),
    limit!("arguments_bytes", 1_024, 128 * MIB, arguments_bytes: usize; "Bytes of one call's arguments as JSON."),
    limit!("call_result_bytes", 1_024, 256 * MIB, call_result_bytes: usize; "Bytes of one call's answer."),
    limit!("call_timeout_ms", 1, 3_600_000, call_timeout_ms: u64; "Longest time of a tool call without an answer or a report of progress."),
    limit!("call_total_ms", 1, 86_400_000, call_total_ms: u64; "Longest time of one tool call in all, whatever it reports; at least `call_timeout_ms`."),
];

/// The same of one server: keys of `[servers.NAME]`, and of every other file's entries.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_lossless,
    reason = "each value is inside its range, which fits the field"
)]
#[rustfmt::skip]
pub(crate) const SERVER_LIMITS: &[Limit<ServerLimits>] = &[
    limit!("calls_in_flight", 1, 4_096, calls_in_flight: usize; "Calls on their way to it at once; further ones wait."),
    limit!("calls_waiting", 0, 1_000_000, calls_waiting: usize; "Calls that may wait for their turn; further ones are refused."),
    limit!("calls_per_minute", 0, 1_000_000, calls_per_minute: u32; "Calls begun in a minute; 0 for any number."),
    limit!("idle_stop_ms", 0, 86_400_000, idle_stop_ms: u64; "It is stopped after this long without a use, until the next one; 0 keeps it."),
];

/// One limit of a server and its value.
pub(crate) type SetLimit = (fn(&mut ServerLimits, u64), u64);

/// What an entry says of its server's limits.
pub(crate) fn server_limits(server: &Node, report: &mut Report<'_>) -> Vec<SetLimit> {
    let mut set = Vec::new();
    for entry in server.entries().unwrap_or_default() {
        if let Some(limit) = SERVER_LIMITS.iter().find(|limit| limit.name == entry.key)
            && let Some(value) = whole_number(entry, limit.least, limit.most, report)
        {
            set.push((limit.set, value));
        }
    }
    set
}

/// Whether an entry only says how much a server is used that another file configures.
pub(crate) fn is_only_limits(server: &Node) -> bool {
    let keys = server.entries().unwrap_or_default();
    !keys.is_empty() && keys.iter().all(|entry| SERVER_LIMITS.iter().any(|limit| limit.name == entry.key))
}

/// Reads everything but the servers.
pub(crate) fn read(root: &Node, config: &mut Config, report: &mut Report<'_>) {
    for section in root.entries().unwrap_or_default() {
        if !SECTIONS.contains(&section.key.as_str()) {
            keys::unknown(section, "section", SECTIONS.iter().copied(), Severity::Warning, report);
            continue;
        }
        let Some(entries) = section.node.entries() else {
            let message = format!("`{}` is {}, not a section", section.key, section.node.kind());
            report.error(section.node.at, message, format!("Write it as `[{}]`.", section.key));
            continue;
        };
        match section.key.as_str() {
            "limits" => entries.iter().for_each(|entry| limit(entry, &mut config.limits, report)),
            "ledger" => entries.iter().for_each(|entry| ledger::key(entry, &mut config.ledger, report)),
            "prices" => entries.iter().for_each(|model| prices::read(model, &mut config.ledger.prices, report)),
            "mcp" => entries.iter().for_each(|entry| direct::key(entry, &mut config.direct_tools, report)),
            "watch" => entries.iter().for_each(|entry| {
                config.watch_poll_ms = setting(entry, "poll_ms", POLL_MS, report).or(config.watch_poll_ms);
            }),
            "servers" => entries.iter().for_each(|entry| server_keys(entry, report)),
            _ => {}
        }
    }
}

/// The same of a further folder: checked, but the first folder's settings are the ones in force.
pub(crate) fn read_further(root: &Node, report: &mut Report<'_>) {
    read(root, &mut Config::default(), report);
    let is_ours =
        |section: &&Entry| ["limits", "ledger", "mcp", "prices", "telemetry", "watch"].contains(&section.key.as_str());
    for section in root.entries().unwrap_or_default().iter().filter(is_ours) {
        let message = format!("`[{}]` of a further folder is not used", section.key);
        report.info(section.key_at, message, "Write it into the first folder's tta.toml.");
    }
}

fn limit(entry: &Entry, limits: &mut Limits, report: &mut Report<'_>) {
    match LIMITS.iter().find(|limit| limit.name == entry.key) {
        Some(Limit { least, most, set, .. }) => {
            if let Some(value) = whole_number(entry, *least, *most, report) {
                set(limits, value);
            }
        }
        None => keys::unknown(entry, "limit", LIMITS.iter().map(|limit| limit.name), Severity::Warning, report),
    }
}

/// The value of the one setting that its section has.
fn setting(entry: &Entry, name: &'static str, (least, most): (u64, u64), report: &mut Report<'_>) -> Option<u64> {
    if entry.key == name {
        return whole_number(entry, least, most, report);
    }
    keys::unknown(entry, "setting", std::iter::once(name), Severity::Warning, report);
    None
}

fn server_keys(server: &Entry, report: &mut Report<'_>) {
    for entry in server.node.entries().unwrap_or_default() {
        if !SERVER_KEYS.contains(&entry.key.as_str()) {
            keys::unknown(entry, "key of a server", SERVER_KEYS.iter().copied(), Severity::Warning, report);
        }
    }
}

pub(crate) fn whole_number(entry: &Entry, least: u64, most: u64, report: &mut Report<'_>) -> Option<u64> {
    let value = match &entry.node.value {
        Value::Number(text) => text.replace('_', "").parse().ok(),
        _ => None,
    };
    let value = value.filter(|value| (least..=most).contains(value));
    if value.is_none() {
        let message = format!("`{}` must be a whole number from {least} to {most}", entry.key);
        report.error(entry.node.at, message, "The default is used until it is mended.");
    }
    value
}
