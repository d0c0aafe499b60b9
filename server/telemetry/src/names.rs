//! Names of servers and tools as labels: what servers call their tools is theirs, so that their number and length are
//! bounded here.
//!
//! Invariant: a label set that was given once is given again; beyond the bounds everything is [`OTHER`], and what no
//! server offers (a program can write any name) is [`UNKNOWN`], never the name itself.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, PoisonError, RwLock};

/// What is over the bounds.
pub const OTHER: &str = "other";
/// What was never found.
pub const UNKNOWN: &str = "unknown";

/// Bytes of one name. MCP asks for names of at most 128 characters.
const NAME_BYTES_MAX: usize = 128;

/// The names that have been seen.
#[derive(Debug)]
pub(crate) struct Names {
    known: RwLock<Known>,
    servers_max: usize,
    pairs_max: usize,
    other: Arc<str>,
    unknown: Arc<str>,
}

#[derive(Debug, Default)]
struct Known {
    tools: HashMap<Arc<str>, HashSet<Arc<str>>>,
    pairs: usize,
}

impl Names {
    pub(crate) fn new(servers_max: usize, pairs_max: usize) -> Self {
        Self { known: RwLock::default(), servers_max, pairs_max, other: OTHER.into(), unknown: UNKNOWN.into() }
    }

    /// The labels of a server and a tool of it; `None` is what was not found.
    pub(crate) fn labels(&self, server: Option<&str>, tool: Option<&str>) -> (Arc<str>, Arc<str>) {
        let Some(server) = server else { return (self.unknown.clone(), self.unknown.clone()) };
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        let seen = known.tools.get_key_value(server).map(|(server, tools)| (server.clone(), tools));
        if let Some((server, tools)) = seen {
            match tool {
                None => return (server, self.unknown.clone()),
                Some(tool) => {
                    if let Some(tool) = tools.get(tool) {
                        return (server, tool.clone());
                    }
                }
            }
        }
        drop(known);
        self.add(server, tool)
    }

    fn add(&self, server: &str, tool: Option<&str>) -> (Arc<str>, Arc<str>) {
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        let full = known.tools.len() >= self.servers_max;
        let label = match known.tools.get_key_value(server) {
            Some((label, _)) => label.clone(),
            None if full || !is_fit(server) => return (self.other.clone(), self.other.clone()),
            None => {
                let label = Arc::<str>::from(server);
                known.tools.insert(label.clone(), HashSet::new());
                label
            }
        };
        let Some(tool) = tool else { return (label, self.unknown.clone()) };
        if known.pairs >= self.pairs_max || !is_fit(tool) {
            return (label, self.other.clone());
        }
        let tool = Arc::<str>::from(tool);
        if known.tools.get_mut(server).is_some_and(|tools| tools.insert(tool.clone())) {
            known.pairs += 1;
        }
        (label, tool)
    }
}

/// Whether a name can stand outside as it is.
pub(crate) fn is_fit(name: &str) -> bool {
    !name.is_empty() && name.len() <= NAME_BYTES_MAX && !name.chars().any(char::is_control)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(names: &Names, server: &str, tool: &str) -> (String, String) {
        let (server, tool) = names.labels(Some(server), Some(tool));
        (server.to_string(), tool.to_string())
    }

    #[test]
    fn names_beyond_the_bounds_are_other_and_those_seen_before_stay() {
        let names = Names::new(2, 3);
        let of = |server: &str, tool: &str| labels(&names, server, tool);
        let pair = |server: &str, tool: &str| (server.to_owned(), tool.to_owned());
        assert_eq!(of("a", "x"), pair("a", "x"));
        assert_eq!(of("a", "y"), pair("a", "y"));
        assert_eq!(of("b", "x"), pair("b", "x"));
        assert_eq!(of("b", "z"), pair("b", OTHER), "a fourth pair");
        assert_eq!(of("c", "x"), pair(OTHER, OTHER), "a third server");
        assert_eq!(of("a", "y"), pair("a", "y"));
    }

    #[test]
    fn what_no_server_offers_has_no_name() {
        let names = Names::new(2, 2);
        assert_eq!(names.labels(None, Some("x")), (UNKNOWN.into(), UNKNOWN.into()));
        assert_eq!(names.labels(Some("a"), None), ("a".into(), UNKNOWN.into()));
        assert_eq!(names.labels(Some("a"), None), ("a".into(), UNKNOWN.into()));
    }

    #[test]
    fn a_name_that_is_too_long_or_no_text_is_other() {
        let names = Names::new(9, 9);
        let long = "x".repeat(NAME_BYTES_MAX + 1);
        for odd in [long.as_str(), "", "a\nb"] {
            assert_eq!(labels(&names, "a", odd).1, OTHER);
            assert_eq!(labels(&names, odd, "x"), (OTHER.to_owned(), OTHER.to_owned()));
        }
    }
}
