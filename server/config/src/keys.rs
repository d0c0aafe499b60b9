//! Which keys clients know, so that a slip of the pen is told from another client's word.
//!
//! In our own file an unknown key is a warning. Other files belong to other tools, which learn new words: there it is worth
//! knowing, and a warning where it is nearly one that is known.

use crate::report::Report;
use crate::settings::SERVER_KEYS;
use crate::shapes::{ANY_KEYS, Candidate, Format};
use crate::tree::{Entry, Node, Value};
use model::Severity;

/// Keys of a server's entry in other clients' files, beside those of ours.
#[rustfmt::skip]
const ELSEWHERE: &[&str] = &[
    "alwaysAllow", "alwaysLoad", "auth", "authProviderType", "autoApprove", "default_tools_approval_mode", "dev", "environment",
    "env_http_headers", "experimental_environment", "extension", "gallery", "headersHelper", "httpUrl", "http_headers",
    "icon", "id", "name", "oauth", "oauth_resource", "remote", "required", "sandbox", "scopes", "serverUrl", "settings", "source",
    "supports_parallel_tool_calls", "targetAudience", "targetServiceAccount", "tcp", "timeout", "tool_timeout_sec", "tools",
    "trust", "version", "watchPaths",
];

/// Keys by which a client narrows what a server can do, and which nothing here obeys.
const NARROWING: &[&str] =
    &["disabledTools", "disabled_tools", "enabled_tools", "excludeTools", "includeTools", "sandboxEnabled"];

/// Keys beside the servers in a file that is there for them alone.
const BESIDE: &[&str] = &["inputs", "sandbox", "$schema"];

/// A slip of the pen changes this many letters at most.
const SLIP_MAX: usize = 3;

/// Says what is odd about the keys of a server's entry in another client's file.
pub(crate) fn server(entry: &Entry, report: &mut Report<'_>) {
    for key in entry.node.entries().unwrap_or_default() {
        let name = key.key.as_str();
        if NARROWING.contains(&name) {
            let is_set = match &key.node.value {
                Value::List(items) => !items.is_empty(),
                value => !matches!(value, Value::Null | Value::Bool(false)),
            };
            if is_set {
                let message = format!("`{name}` of server `{}` is another tool's and is not obeyed here", entry.key);
                report.info(key.key_at, message, "Programs reach all that the server offers.");
            }
        } else if !SERVER_KEYS.contains(&name) && !ELSEWHERE.contains(&name) {
            let known = SERVER_KEYS.iter().chain(ELSEWHERE).chain(NARROWING).copied();
            unknown(key, "key of a server", known, Severity::Info, report);
        }
    }
}

/// Says what is odd about the top of a file that is there for its servers alone; `found` where they are in it.
pub(crate) fn top(candidate: &Candidate, root: &Node, found: bool, report: &mut Report<'_>) {
    let [[expected]] = candidate.keys else { return };
    if candidate.format != Format::Json || !candidate.dedicated {
        return;
    }
    for entry in root.entries().unwrap_or_default() {
        let name = entry.key.as_str();
        if name == *expected || BESIDE.contains(&name) {
            continue;
        }
        if !found && ANY_KEYS.iter().any(|keys| *keys == [name]) {
            let message = format!("servers are not read from `{name}` in this file");
            report.warning(entry.key_at, message, format!("Call it `{expected}`."));
        } else {
            let known = BESIDE.iter().chain(std::iter::once(expected)).copied();
            unknown(entry, "key of this file", known, Severity::Info, report);
        }
    }
}

/// A key that is not known; a warning with the nearest one, where there is one that is near.
pub(crate) fn unknown<'k>(
    entry: &Entry,
    what: &str,
    known: impl Iterator<Item = &'k str>,
    otherwise: Severity,
    report: &mut Report<'_>,
) {
    let (message, written) = (format!("`{}` is no {what} that is known", entry.key), entry.key.to_lowercase());
    let near = known.map(|name| (strsim::osa_distance(&name.to_lowercase(), &written), name)).min();
    // Of a short name, three other letters are another name.
    match near.filter(|(distance, name)| *distance <= SLIP_MAX.min(name.len() / 2)) {
        Some((_, name)) => report.warning(entry.key_at, message, format!("Did you mean `{name}`?")),
        None if otherwise == Severity::Info => {
            report.info(entry.key_at, message, "Nothing to do where another tool knows it.");
        }
        None => report.warning(entry.key_at, message, "Remove it."),
    }
}
