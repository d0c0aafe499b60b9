//! The plain values of an entry: flags, texts with their variables filled in, lists and tables of them. Each is hashed as it is
//! written, and one of another kind is a problem at its place.

use super::Reader;
use crate::report::Report;
use crate::tree::{Node, Value};
use model::Secret;
use std::collections::BTreeMap;

impl Reader<'_> {
    pub(super) fn flag(&self, key: &str, report: &mut Report<'_>) -> Option<bool> {
        let node = &self.get(key)?.node;
        if let Value::Bool(value) = node.value {
            return Some(value);
        }
        report.error(node.at, format!("`{key}` is {}, not a boolean", node.kind()), "Write true or false.");
        None
    }

    /// `~/` at the start of a program's path.
    pub(super) fn home(&self, command: String) -> String {
        match (command.strip_prefix("~/"), self.variables.home) {
            (Some(rest), Some(home)) => home.join(rest).to_string_lossy().into_owned(),
            _ => command,
        }
    }

    /// A text as it is written, hashed.
    pub(super) fn raw(&mut self, field: &str, node: &Node, report: &mut Report<'_>) -> Option<String> {
        let Some(text) = node.scalar() else {
            report.error(node.at, format!("`{field}` is {}, not a text", node.kind()), "Write it as a text.");
            return None;
        };
        if text.contains('\0') {
            report.error(node.at, format!("`{field}` contains a NUL character"), "Remove it.");
            return None;
        }
        self.hash.add(field, text.as_bytes());
        Some(text)
    }

    pub(super) fn text(&mut self, field: &str, node: &Node, report: &mut Report<'_>) -> Option<String> {
        let text = self.raw(field, node, report)?;
        Some(self.variables.expand(&text, &mut self.holes))
    }

    pub(super) fn texts(&mut self, field: &str, node: &Node, report: &mut Report<'_>) -> Option<Vec<String>> {
        let Value::List(items) = &node.value else {
            report.error(node.at, format!("`{field}` is {}, not a list of texts", node.kind()), "Write it as a list.");
            return None;
        };
        items.iter().map(|item| self.text(field, item, report)).collect()
    }

    pub(super) fn secrets(
        &mut self,
        field: &str,
        node: &Node,
        report: &mut Report<'_>,
    ) -> Option<BTreeMap<String, Secret>> {
        let Some(entries) = node.entries() else {
            report.error(
                node.at,
                format!("`{field}` is {}, not an object", node.kind()),
                "Write names with their values.",
            );
            return None;
        };
        let mut secrets = BTreeMap::new();
        for entry in entries {
            if entry.key.is_empty() || entry.key.contains(['=', '\0']) {
                report.error(
                    entry.key_at,
                    format!("`{field}` has a name that no variable can have"),
                    "Correct the name.",
                );
                return None;
            }
            // Clients write null for "not set".
            if !matches!(entry.node.value, Value::Null) {
                self.hash.add("name", entry.key.as_bytes());
                secrets.insert(entry.key.clone(), Secret::new(self.text(field, &entry.node, report)?));
            }
        }
        Some(secrets)
    }
}
