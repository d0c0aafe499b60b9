//! Which calls of a tool an answer covers: what is offered for a call, what each offer says, and what it matches.
//!
//! Invariant: a pattern covers no call that its label does not speak of; an argument that it does not name matches
//! nothing. A path lies in a folder by its name and, where the folder is on this machine, by its links too (`links.rs`). A path that holds `..`, or
//! anything that a shell, a glob or a URL would expand, lies in no folder.

use crate::links::is_below;
use model::editor::ApprovalPattern;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use std::path::Path;

/// Arguments of a call for which more than "every call" is offered.
const ARGUMENTS_MAX: usize = 32;
/// Bytes of an argument's name, or of a text, that a pattern holds.
const TEXT_BYTES: usize = 256;
const PATH_BYTES: usize = 1_024;

/// How the names of arguments that hold a path end.
const PATH_NAMES: [&str; 10] =
    ["path", "file", "filename", "dir", "directory", "folder", "source", "destination", "src", "dest"];

/// Calls of one tool.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Pattern {
    /// All of them.
    Every,
    /// Those whose arguments match, each by its name.
    Where(BTreeMap<String, Match>),
}

/// What one argument must be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Match {
    /// Exactly this.
    Is(Value),
    /// A path below this folder.
    In(String),
    /// Anything, or absent.
    Any,
}

/// What an answer to this call may be remembered for, narrowest first; the last covers every call.
pub(crate) fn offers(arguments: &Map<String, Value>) -> Vec<Pattern> {
    let mut offers = Vec::with_capacity(3);
    if arguments.len() <= ARGUMENTS_MAX && arguments.keys().all(|name| name.len() <= TEXT_BYTES) {
        let exact: BTreeMap<_, _> = arguments.iter().map(|(name, value)| (name.clone(), exactly(value))).collect();
        if exact.is_empty() || exact.values().any(|m| *m != Match::Any) {
            offers.push(Pattern::Where(exact));
        }
        offers.extend(below_folders(arguments).map(Pattern::Where));
    }
    offers.push(Pattern::Every);
    offers
}

fn exactly(value: &Value) -> Match {
    match value {
        Value::String(text) if text.len() > TEXT_BYTES => Match::Any,
        Value::Array(_) | Value::Object(_) => Match::Any,
        scalar => Match::Is(scalar.clone()),
    }
}

/// Every path in its folder; nothing where there is no path, or one without a folder. A switch stays as it is.
fn below_folders(arguments: &Map<String, Value>) -> Option<BTreeMap<String, Match>> {
    let mut folders = 0;
    let mut named = BTreeMap::new();
    for (name, value) in arguments {
        let matched = match value {
            Value::String(text) if is_path(name, text) => {
                folders += 1;
                Match::In(folder(text)?)
            }
            Value::Bool(_) => Match::Is(value.clone()),
            _ => Match::Any,
        };
        named.insert(name.clone(), matched);
    }
    (folders > 0).then_some(named)
}

fn is_path(name: &str, text: &str) -> bool {
    let name = name.to_ascii_lowercase();
    PATH_NAMES.iter().any(|end| name.ends_with(end)) || ["/", "./", "../", "~/"].iter().any(|at| text.starts_with(at))
}

fn folder(path: &str) -> Option<String> {
    let path = plain(path)?;
    let (folder, _name) = path.rsplit_once('/')?;
    (!folder.is_empty()).then(|| folder.to_owned())
}

/// A path without empty and `.` parts; nothing where it may mean another path than it says.
fn plain(path: &str) -> Option<String> {
    let expands = |c: char| c.is_control() || "\\%$*?{}".contains(c);
    let misleads = path.starts_with('~') || path.contains("..") || path.contains("://") || path.contains(expands);
    if misleads || path.len() > PATH_BYTES {
        return None;
    }
    let parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty() && *part != ".").collect();
    let root = if path.starts_with('/') { "/" } else { "" };
    (!parts.is_empty()).then(|| format!("{root}{}", parts.join("/")))
}

impl Pattern {
    /// Whether a call with these arguments is one of those. Relative paths are meant from `base`.
    pub(crate) fn covers(&self, arguments: &Map<String, Value>, base: &Path) -> bool {
        let Self::Where(named) = self else { return true };
        arguments.keys().all(|name| named.contains_key(name))
            && named.iter().all(|(name, m)| m.matches(arguments.get(name), base))
    }

    /// As people read it.
    pub(crate) fn label(&self, tool: &str) -> String {
        let named = match self {
            Self::Every => return format!("every call of {tool}"),
            Self::Where(named) if named.is_empty() => return format!("{tool} without arguments"),
            Self::Where(named) => named,
        };
        let fixed: Vec<String> = named.iter().filter_map(|(name, m)| m.label(name)).collect();
        let free: Vec<&str> = named.iter().filter(|(_, m)| **m == Match::Any).map(|(name, _)| name.as_str()).collect();
        let whatever = if free.is_empty() { String::new() } else { format!(", whatever {}", free.join(" and ")) };
        format!("{tool} where {}{whatever}", fixed.join(" and "))
    }

    /// As the wire shows it.
    pub(crate) fn to_wire(&self, tool: &str) -> ApprovalPattern {
        let arguments = match self {
            Self::Every => BTreeMap::new(),
            Self::Where(named) => named.iter().filter_map(|(name, m)| Some((name.clone(), m.text()?))).collect(),
        };
        ApprovalPattern { label: self.label(tool), arguments }
    }
}

impl Match {
    fn matches(&self, value: Option<&Value>, base: &Path) -> bool {
        match (self, value) {
            (Self::Any, _) => true,
            (Self::Is(wanted), Some(value)) => wanted == value,
            (Self::In(folder), Some(Value::String(path))) => plain(path).is_some_and(|path| {
                path.strip_prefix(folder.as_str()).is_some_and(|below| below.starts_with('/'))
                    && is_below(base, folder, &path)
            }),
            (Self::Is(_) | Self::In(_), _) => false,
        }
    }

    fn label(&self, name: &str) -> Option<String> {
        match self {
            Self::Is(value) => Some(format!("{name} is {value}")),
            Self::In(folder) => Some(format!("{name} is in {folder}/")),
            Self::Any => None,
        }
    }

    fn text(&self) -> Option<String> {
        match self {
            Self::Is(Value::String(text)) => Some(text.clone()),
            Self::Is(value) => Some(value.to_string()),
            Self::In(folder) => Some(format!("{folder}/**")),
            Self::Any => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    impl Pattern {
        fn covers_here(&self, arguments: &Map<String, Value>) -> bool {
            self.covers(arguments, Path::new("/no/such/base"))
        }
    }

    fn object(value: Value) -> Map<String, Value> {
        let Value::Object(map) = value else { panic!("{value} is no object") };
        map
    }

    fn labels(arguments: Value) -> Vec<String> {
        offers(&object(arguments)).iter().map(|p| p.label("t")).collect()
    }

    #[test]
    fn offers_go_from_the_call_itself_to_every_call() {
        assert_eq!(
            labels(json!({"path": "notes/./a.txt", "content": "x".repeat(300), "force": true})),
            [
                r#"t where force is true and path is "notes/./a.txt", whatever content"#,
                "t where force is true and path is in notes/, whatever content",
                "every call of t",
            ]
        );
        assert_eq!(labels(json!({"n": 3})), ["t where n is 3", "every call of t"]);
        assert_eq!(labels(json!({})), ["t without arguments", "every call of t"]);
        assert_eq!(labels(json!({"list": [1]})), ["every call of t"]);
    }

    #[test]
    fn a_folder_is_offered_only_where_each_path_has_a_plain_one() {
        let folders = |arguments| labels(arguments).iter().filter(|label| label.contains(" is in ")).count();
        assert_eq!(folders(json!({"source": "a/x", "destination": "b/x"})), 1);
        for none in ["x", "/x", "~/x/y", "a/../b/x", "a/b\nc/d", "file:///w/x", "a/%2e%2e/x", "a\\b/c", "a/*/x", ""] {
            assert_eq!(folders(json!({"path": none})), 0, "{none:?}");
            assert_eq!(folders(json!({"source": "a/x", "destination": none})), 0, "{none:?}");
        }
        assert_eq!(folders(json!({"text": "either/or"})), 0, "a text with a slash is no path");
    }

    #[test]
    fn a_folder_covers_what_lies_below_it_and_nothing_else() {
        let [_, in_notes, _] = &offers(&object(json!({"path": "/w/notes/a.txt", "content": "x"})))[..] else {
            panic!("three offers")
        };
        for inside in ["/w/notes/b.txt", "/w/notes/deep/er/b", "/w//notes/./b"] {
            assert!(in_notes.covers_here(&object(json!({"path": inside, "content": "other"}))), "{inside}");
            assert!(in_notes.covers_here(&object(json!({"path": inside}))), "what may be anything may be absent");
        }
        for outside in [
            json!("/w/notes/../../etc/passwd"),
            json!("/w/notes/.."),
            json!("/w/notes/x/../y"),
            json!("/w/notes"),
            json!("/w/notes/"),
            json!("/w/notes/."),
            json!("/w/notesx/a"),
            json!("w/notes/a"),
            json!("~/../w/notes/a"),
            json!("/w/notes/%2e%2e/%2e%2e/etc/passwd"),
            json!("/w/notes/{a,b}"),
            json!("/w/notes/a\0/../../etc"),
            json!("/w/notes\\..\\..\\etc"),
            json!("file:///w/notes/a"),
            json!(["/w/notes/a"]),
            json!({"path": "/w/notes/a"}),
            json!(7),
            Value::Null,
        ] {
            assert!(!in_notes.covers_here(&object(json!({"path": outside, "content": "x"}))), "{outside}");
        }
        assert!(!in_notes.covers_here(&object(json!({"content": "x"}))), "a missing path is in no folder");
        assert!(
            !in_notes.covers_here(&object(json!({"path": "/w/notes/a", "also": "/etc/passwd"}))),
            "an unnamed argument"
        );
    }

    #[test]
    fn an_exact_pattern_is_exact() {
        let exact = &offers(&object(json!({"path": "a/**", "n": 1})))[0];
        assert!(exact.covers_here(&object(json!({"n": 1, "path": "a/**"}))));
        for other in [
            json!({"path": "a/b", "n": 1}),
            json!({"path": "a/**", "n": "1"}),
            json!({"path": "a/**"}),
            json!({"path": "a/**", "n": 1, "force": true}),
        ] {
            assert!(!exact.covers_here(&object(other.clone())), "{other}");
        }
    }
}
