//! The `[mcp]` section: tools of servers that models are offered beside our own.
//!
//! Each of them stands in every prompt, so that their number is bounded. Whether a server and a tool of that name exist is
//! known to the daemon alone, which says so at the place that is kept here.

use crate::keys;
use crate::report::Report;
use crate::tree::{Entry, Node, Value};
use model::{Problem, Severity};

/// Tools at most.
pub const DIRECT_MAX: usize = 20;
/// Characters of a server's name and a tool's together.
const NAME_CHARS_MAX: usize = 300;

const KEYS: &[&str] = &["direct_tools"];

/// A tool by its name, `server.tool`, and where that stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DirectName {
    /// As it is written.
    pub name: String,
    /// What is wrong where there is no such tool: its message and what to do are to be filled in.
    pub place: Problem,
}

/// Reads one key.
pub(crate) fn key(entry: &Entry, tools: &mut Vec<DirectName>, report: &mut Report<'_>) {
    if entry.key != KEYS[0] {
        return keys::unknown(entry, "setting", KEYS.iter().copied(), Severity::Warning, report);
    }
    let Value::List(items) = &entry.node.value else {
        let message = format!("`direct_tools` is {}, not a list", entry.node.kind());
        return report.error(entry.node.at, message, "Write it as [\"server.tool\"].");
    };
    tools.clear();
    for item in items {
        match named(item) {
            Err(why) => report.error(item.at, why, "Write it as \"server.tool\"; it is left out until it is mended."),
            Ok(name) if tools.iter().any(|known| known.name == name) => {
                report.warning(item.at, format!("`{name}` stands here twice"), "Remove one of the two.");
            }
            Ok(_) if tools.len() >= DIRECT_MAX => {
                let message = format!("there are more than {DIRECT_MAX} direct tools: the rest is left out");
                report.error(
                    item.at,
                    message,
                    "Remove some: each stands in every prompt, and programs reach them all.",
                );
                break;
            }
            Ok(name) => tools.push(DirectName { name: name.to_owned(), place: report.problem(item.at, "", "") }),
        }
    }
}

fn named(item: &Node) -> Result<&str, String> {
    let Value::Text(name) = &item.value else {
        return Err(format!("a direct tool is {}, not a text", item.kind()));
    };
    let parts = name.split_once('.').filter(|(server, tool)| !server.is_empty() && !tool.is_empty());
    if parts.is_none() || name.chars().count() > NAME_CHARS_MAX || name.chars().any(char::is_control) {
        return Err("a direct tool is named by its server and itself, with a dot between".to_owned());
    }
    Ok(name)
}
