//! Which name means what, and where.
//!
//! Invariant: a name that is bound in one scope to two different things, or to anything but an import of servers, means
//! nothing there and in all scopes inside.

use std::collections::HashMap;
use std::ops::Range;

/// What a name is bound to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Target {
    /// The package of all servers.
    Servers,
    /// One server.
    Server(String),
    /// One tool of a server.
    Tool(String, String),
    /// Anything else.
    Other,
}

/// What a server's module holds beside its tools: their members are called like tools.
const GROUPS: [&str; 2] = ["resources", "prompts"];

impl Target {
    /// Whether its members are called.
    pub(crate) fn is_group(&self) -> bool {
        matches!(self, Self::Tool(_, group) if GROUPS.contains(&group.as_str()))
    }

    /// What the member of this name is. What is called of a group is a tool with a dot in its name, which no identifier has.
    pub(crate) fn member(&self, name: &str) -> Option<Self> {
        match self {
            Self::Servers => Some(Self::Server(name.to_owned())),
            Self::Server(server) => Some(Self::Tool(server.clone(), name.to_owned())),
            Self::Tool(server, group) if self.is_group() => Some(Self::Tool(server.clone(), format!("{group}.{name}"))),
            Self::Tool(..) | Self::Other => None,
        }
    }
}

/// How far a binding reaches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reach {
    /// The scope it stands in.
    Here,
    /// The scope around that: the name of a function is not one of its own.
    Around,
    /// Every scope outwards: who assigns to a name may mean any of them.
    Outwards,
}

#[derive(Debug)]
struct Scope {
    parent: Option<usize>,
    range: Range<usize>,
    names: HashMap<String, Target>,
}

/// The scopes of a text, outer ones before those inside them.
#[derive(Debug)]
pub(crate) struct Scopes(Vec<Scope>);

impl Scopes {
    /// The whole text, with nothing bound.
    pub(crate) fn new(length: usize) -> Self {
        Self(vec![Scope { parent: None, range: 0..length, names: HashMap::new() }])
    }

    /// A scope inside `parent`.
    pub(crate) fn open(&mut self, parent: usize, range: Range<usize>) -> usize {
        self.0.push(Scope { parent: Some(parent), range, names: HashMap::new() });
        self.0.len() - 1
    }

    pub(crate) fn bind(&mut self, scope: usize, reach: Reach, name: &str, target: &Target) {
        let first = match reach {
            Reach::Around => self.0[scope].parent.unwrap_or(scope),
            Reach::Here | Reach::Outwards => scope,
        };
        let mut at = Some(first);
        while let Some(scope) = at {
            let names = &mut self.0[scope].names;
            match names.get_mut(name) {
                Some(bound) if bound != target => *bound = Target::Other,
                Some(_) => {}
                None => {
                    names.insert(name.to_owned(), target.clone());
                }
            }
            at = self.0[scope].parent.filter(|_| reach == Reach::Outwards);
        }
    }

    /// What `name` means in `scope`, where that is known.
    pub(crate) fn lookup(&self, scope: usize, name: &str) -> Option<&Target> {
        let mut at = Some(scope);
        while let Some(scope) = at {
            match self.0[scope].names.get(name) {
                Some(Target::Other) => return None,
                Some(target) => return Some(target),
                None => at = self.0[scope].parent,
            }
        }
        None
    }

    /// The innermost scope at `offset`.
    pub(crate) fn at(&self, offset: usize) -> usize {
        let inside = |scope: &Scope| scope.range.start <= offset && offset <= scope.range.end;
        self.0.iter().rposition(inside).unwrap_or_default()
    }
}
