//! All servers' tools together: lookup and ranked search.
//!
//! Invariant: immutable, and as cheap to make as a list of its servers; a changed server is one new `ServerTools`.
//! Equal scores keep the servers' and the tools' own order, so that the same question always has the same answer.

use crate::explain::nearest;
use crate::query::Query;
use crate::server::ServerTools;
use crate::tool::Tool;
use crate::words::key;
use model::tool::ToolHit;
use model::{Detail, Language};
use std::sync::Arc;

/// Most hits of one search.
const HITS_MAX: usize = 1_000;
/// Bytes of a query that are read.
const QUERY_BYTES_MAX: usize = 1_024;
/// What a tool that the query names outright scores above all others.
const NAMED: f32 = 1_000.0;

/// An immutable set of servers.
#[derive(Clone, Debug, Default)]
pub struct Catalog {
    servers: Vec<Arc<ServerTools>>,
}

/// The tools a search found.
#[derive(Debug)]
pub struct Found<'a> {
    /// Best first, cut at the limit.
    pub hits: Vec<Hit<'a>>,
    /// How many tools matched in all.
    pub matched: usize,
    /// How many tools were searched.
    pub searched: usize,
}

/// One tool that was found.
#[derive(Clone, Copy, Debug)]
pub struct Hit<'a> {
    /// The relevance; only its order means anything.
    pub score: f32,
    /// The tool's server.
    pub server: &'a Arc<ServerTools>,
    /// The tool.
    pub tool: &'a Tool,
}

impl Hit<'_> {
    /// The hit as fronts show it.
    pub fn to_wire(&self, language: Language, detail: Detail) -> ToolHit {
        let stub = if detail == Detail::Name { String::new() } else { self.tool.stub(language, detail) };
        ToolHit {
            server: self.server.name().to_owned(),
            tool: self.tool.definition.name.clone(),
            path: self.tool.path.clone(),
            summary: self.tool.summary().to_owned(),
            stub,
            score: self.score,
        }
    }
}

impl Catalog {
    /// A catalog of these servers, in this order.
    pub fn new(servers: Vec<Arc<ServerTools>>) -> Self {
        Self { servers }
    }

    /// The servers, in order.
    pub fn servers(&self) -> &[Arc<ServerTools>] {
        &self.servers
    }

    /// A server by its configured name, else by its identifier.
    pub fn server(&self, name: &str) -> Option<&Arc<ServerTools>> {
        let by_name = self.servers.iter().find(|server| server.name() == name);
        by_name.or_else(|| self.servers.iter().find(|server| server.identifier() == name))
    }

    /// The identifiers of the servers whose names are most like `name`, best first.
    pub fn nearest_server(&self, name: &str) -> Vec<&str> {
        nearest(name, self.servers.iter().map(|server| server.identifier()))
    }

    /// How many tools there are.
    pub fn tool_count(&self) -> usize {
        self.servers.iter().map(|server| server.tools().len()).sum()
    }

    /// Ranks the tools, of one server where `server` names one, by what `query` asks for in words. A tool whose name the
    /// query is comes first; an empty query lists all in order. At most `limit` hits, 1,000 at most.
    pub fn search(&self, query: &str, server: Option<&str>, limit: usize) -> Found<'_> {
        let servers: Vec<&Arc<ServerTools>> = match server {
            Some(name) => self.server(name).into_iter().collect(),
            None => self.servers.iter().collect(),
        };
        let tools = servers.iter().flat_map(|server| server.tools().iter().map(move |tool| (*server, tool)));
        let limit = limit.min(HITS_MAX);
        let query = query[..query.floor_char_boundary(QUERY_BYTES_MAX)].trim();
        let mut hits: Vec<Hit<'_>> = if query.is_empty() {
            tools.map(|(server, tool)| Hit { score: 0.0, server, tool }).collect()
        } else {
            let scores = scores(&servers, query);
            let scored = tools.zip(scores).filter(|(_, score)| *score > 0.0);
            scored.map(|((server, tool), score)| Hit { score, server, tool }).collect()
        };
        let (matched, searched) = (hits.len(), servers.iter().map(|server| server.tools().len()).sum());
        // A stable sort keeps the order of equals.
        hits.sort_by(|a, b| b.score.total_cmp(&a.score));
        hits.truncate(limit);
        Found { hits, matched, searched }
    }
}

/// The score of every tool of every server, in order.
fn scores(servers: &[&Arc<ServerTools>], query: &str) -> Vec<f32> {
    let indices: Vec<_> = servers.iter().map(|server| (&server.index, server.tools().len())).collect();
    let mut scores = Query::new(query).scores(&indices);
    let whole = key(query);
    let mut at = 0;
    for server in servers {
        let (name, identifier) = (key(server.name()), key(server.identifier()));
        let inside =
            [&name, &identifier].map(|server| whole.strip_prefix(server.as_str()).filter(|rest| !rest.is_empty()));
        for tool in &server.keys {
            if !tool.is_empty() && (*tool == whole || inside.contains(&Some(tool.as_str()))) {
                scores[at] += NAMED;
            }
            at += 1;
        }
    }
    scores
}
