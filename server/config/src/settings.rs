//! The parts of `tta.toml` that are not servers.
//!
//! A bad value is a problem with its place; the default stays, and nothing else is affected. The names of later
//! sections are known, so that a file written for a newer version is not called wrong.

use crate::LedgerSettings;
use crate::report::Report;
use crate::tree::{Entry, Node, Value};
use model::Limits;

/// Every section a `tta.toml` may have.
const SECTIONS: &[&str] =
    &["limits", "servers", "ledger", "cache", "policy", "privacy", "skills", "logseq", "prices", "http"];

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
    "disabled",
    "enabled",
    "startup_timeout_ms",
    "startup_timeout_sec",
    "env_vars",
    "bearer_token_env_var",
    "description",
];

const MIB: u64 = 1 << 20;

/// A key of `[limits]`: its name, its least and largest value, and where it goes.
type Limit = (&'static str, u64, u64, fn(&mut Limits, u64));

/// Upper bounds are what the engine and the wire can bear; lower ones leave a program room to say what went wrong.
#[expect(clippy::cast_possible_truncation, reason = "each value is inside its range, which fits the field")]
const LIMITS: &[Limit] = &[
    ("timeout_ms", 1, 86_400_000, |limits, value| limits.deadline_ms = value),
    ("memory_mb", 32, 4_095, |limits, value| limits.memory_bytes = (value * MIB) as usize),
    ("code_bytes", 1_024, 16 * MIB, |limits, value| limits.code_bytes = value as usize),
    ("input_bytes", 1_024, 128 * MIB, |limits, value| limits.input_bytes = value as usize),
    ("stdout_bytes", 1_024, 16 * MIB, |limits, value| limits.stdout_bytes = value as usize),
    ("printed_bytes", 1_024, 1_024 * MIB, |limits, value| limits.printed_bytes = value),
    ("result_bytes", 1_024, 16 * MIB, |limits, value| limits.result_bytes = value as usize),
    ("result_total_bytes", 1_024, 256 * MIB, |limits, value| limits.result_total_bytes = value as usize),
    ("nesting", 8, 512, |limits, value| limits.nesting = value as usize),
    ("calls", 0, 1_000_000, |limits, value| limits.calls = value as u32),
    ("calls_in_flight", 1, 4_096, |limits, value| limits.calls_in_flight = value as usize),
    ("arguments_bytes", 1_024, 128 * MIB, |limits, value| limits.arguments_bytes = value as usize),
    ("call_result_bytes", 1_024, 256 * MIB, |limits, value| limits.call_result_bytes = value as usize),
    ("call_timeout_ms", 1, 3_600_000, |limits, value| limits.call_timeout_ms = value),
];

/// Reads everything but the servers.
pub(crate) fn read(root: &Node, limits: &mut Limits, ledger: &mut LedgerSettings, report: &mut Report<'_>) {
    for section in root.entries().unwrap_or_default() {
        if !SECTIONS.contains(&section.key.as_str()) {
            unknown(section, "section", SECTIONS.iter().copied(), report);
            continue;
        }
        let Some(entries) = section.node.entries() else {
            let message = format!("`{}` is {}, not a section", section.key, section.node.kind());
            report.error(section.node.at, message, format!("Write it as `[{}]`.", section.key));
            continue;
        };
        match section.key.as_str() {
            "limits" => entries.iter().for_each(|entry| limit(entry, limits, report)),
            "ledger" => entries.iter().for_each(|entry| ledger_setting(entry, ledger, report)),
            "servers" => entries.iter().for_each(|entry| server_keys(entry, report)),
            _ => {}
        }
    }
}

/// The same of a further folder: checked, but the first folder's settings are the ones in force.
pub(crate) fn read_further(root: &Node, report: &mut Report<'_>) {
    read(root, &mut Limits::default(), &mut LedgerSettings::default(), report);
    for section in root.entries().unwrap_or_default().iter().filter(|s| ["limits", "ledger"].contains(&s.key.as_str()))
    {
        let message = format!("`[{}]` of a further folder is not used", section.key);
        report.info(section.key_at, message, "Write it into the first folder's tta.toml.");
    }
}

fn limit(entry: &Entry, limits: &mut Limits, report: &mut Report<'_>) {
    match LIMITS.iter().find(|limit| limit.0 == entry.key) {
        Some(&(_, least, most, set)) => {
            if let Some(value) = whole_number(entry, least, most, report) {
                set(limits, value);
            }
        }
        None => unknown(entry, "limit", LIMITS.iter().map(|limit| limit.0), report),
    }
}

fn ledger_setting(entry: &Entry, ledger: &mut LedgerSettings, report: &mut Report<'_>) {
    match entry.key.as_str() {
        "host_result_cap_tokens" => {
            if let Some(value) = whole_number(entry, 100, 10_000_000, report) {
                ledger.host_result_cap_tokens = value;
            }
        }
        _ => unknown(entry, "setting", ["host_result_cap_tokens"].into_iter(), report),
    }
}

fn server_keys(server: &Entry, report: &mut Report<'_>) {
    for entry in server.node.entries().unwrap_or_default() {
        if !SERVER_KEYS.contains(&entry.key.as_str()) {
            unknown(entry, "key of a server", SERVER_KEYS.iter().copied(), report);
        }
    }
}

fn whole_number(entry: &Entry, least: u64, most: u64, report: &mut Report<'_>) -> Option<u64> {
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

fn unknown(entry: &Entry, what: &str, known: impl Iterator<Item = &'static str>, report: &mut Report<'_>) {
    let near = known.map(|name| (strsim::osa_distance(name, &entry.key), name)).min();
    let hint = match near {
        Some((distance, name)) if distance <= 3 => format!("Did you mean `{name}`?"),
        _ => "Remove it.".to_owned(),
    };
    report.warning(entry.key_at, format!("`{}` is no {what} that is known", entry.key), hint);
}
