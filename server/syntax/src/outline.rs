//! The outline of a program: what [`crate::outline()`] finds, as plain data.

use crate::scopes::Scopes;
use crate::tokens::Tokens;
use model::Language;
use serde_json::Value;
use std::ops::Range;

/// A name and where it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Name {
    /// The name, as the text spells it.
    pub text: String,
    /// Where.
    pub range: Range<usize>,
}

/// What a name stands for.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Symbol {
    /// A server, by the identifier that the program gives.
    Server(String),
    /// A tool of a server, both as the program spells them.
    Tool {
        /// The server's identifier.
        server: String,
        /// The tool's identifier or alias.
        tool: String,
    },
}

impl Symbol {
    /// The server that it is, or belongs to.
    pub fn server(&self) -> &str {
        match self {
            Self::Server(server) | Self::Tool { server, .. } => server,
        }
    }
}

/// A place that names a server or a tool.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mention {
    /// Where the name stands.
    pub range: Range<usize>,
    /// What it means.
    pub symbol: Symbol,
    /// It stands under its own name, not under another that an import gave it.
    pub is_original: bool,
}

/// What becomes of a call's value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Usage {
    /// It is awaited on the spot.
    Awaited,
    /// It is kept or handed on, and may be awaited later.
    Kept,
    /// Nobody can await it any more.
    Dropped,
    /// It is used as if it were there already.
    Misused,
}

/// A call of a server's tool.
#[derive(Clone, Debug, PartialEq)]
pub struct Call {
    /// All of it.
    pub range: Range<usize>,
    /// What is called, `fs.read` or `read`.
    pub callee: Range<usize>,
    /// The server's identifier, as the program spells it.
    pub server: String,
    /// The tool's identifier or alias.
    pub tool: String,
    /// What it is called with.
    pub arguments: Arguments,
    /// What becomes of its value.
    pub usage: Usage,
}

/// The arguments of a call.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Arguments {
    /// From parenthesis to parenthesis.
    pub range: Range<usize>,
    /// Those whose names can be read, in order.
    pub named: Vec<Argument>,
    /// There may be others: something is spread, computed or not typed to its end.
    pub is_open: bool,
    /// What cannot be an argument: tools take names.
    pub misplaced: Vec<Range<usize>>,
}

/// One named argument.
#[derive(Clone, Debug, PartialEq)]
pub struct Argument {
    /// Its name.
    pub name: Name,
    /// Where its value stands.
    pub value_range: Range<usize>,
    /// Its value, where that is written out.
    pub value: Option<Value>,
}

/// A program, as far as servers are concerned.
#[derive(Debug)]
pub struct Outline {
    /// Its language.
    pub language: Language,
    /// Every place that names a server or a tool, in the order of the text.
    pub mentions: Vec<Mention>,
    /// Every call of a tool, in the order of the text.
    pub calls: Vec<Call>,
    pub(crate) tokens: Tokens,
    pub(crate) scopes: Scopes,
}

impl Outline {
    /// The mention at `offset`, or right before it.
    pub fn mention_at(&self, offset: usize) -> Option<&Mention> {
        self.mentions.iter().find(|mention| mention.range.start <= offset && offset <= mention.range.end)
    }

    /// The innermost call that `offset` stands in.
    pub fn call_at(&self, offset: usize) -> Option<&Call> {
        let around = self.calls.iter().filter(|call| call.range.start <= offset && offset <= call.range.end);
        around.min_by_key(|call| call.range.len())
    }

    /// The servers that are named, each once, in the order of the text.
    pub fn servers(&self) -> Vec<&str> {
        let mut servers: Vec<&str> = Vec::new();
        for server in self.mentions.iter().map(|mention| mention.symbol.server()) {
            if !servers.contains(&server) {
                servers.push(server);
            }
        }
        servers
    }
}
