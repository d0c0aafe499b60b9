//! All servers' tools together: lookup and ranked search.
//!
//! Invariant: immutable, and as cheap to make as a list of its servers; a changed server is one new `ServerTools`.
//! Equal scores keep the servers' and the tools' own order, so that the same question always has the same answer.

use crate::query::Query;
use crate::server::ServerTools;
use crate::tool::Tool;
use crate::words::key;
use model::tool::{HitKind, ToolHit};
use model::{Detail, Language};
use std::sync::Arc;

/// Most hits of one search.
const HITS_MAX: usize = 1_000;
/// Bytes of a query that are read.
const QUERY_BYTES_MAX: usize = 1_024;
/// Resources of one server that one search finds one by one, and what such a hit is worth against a tool's.
const RESOURCES_MAX: usize = 3;
const RESOURCE: f32 = 0.5;
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
    /// The tool, or what the server lists beside its tools.
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
            kind: self.tool.kind,
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

    /// How many tools there are, and prompts and templates with them.
    pub fn entry_count(&self) -> usize {
        self.servers
            .iter()
            .flat_map(|server| server.tools().iter().chain(server.extras()))
            .filter(|entry| is_listed(entry))
            .count()
    }

    /// Ranks the tools, of one server where `server` names one, by what `query` asks for in words. A tool whose name the
    /// query is comes first; an empty query lists all in order. At most `limit` hits, 1,000 at most.
    pub fn search(&self, query: &str, server: Option<&str>, limit: usize) -> Found<'_> {
        let servers: Vec<&Arc<ServerTools>> = match server {
            Some(name) => self.server(name).into_iter().collect(),
            None => self.servers.iter().collect(),
        };
        let query = query[..query.floor_char_boundary(QUERY_BYTES_MAX)].trim();
        let searched = servers.iter().flat_map(|server| server.tools().iter().chain(server.extras()));
        let searched = searched.filter(|entry| is_listed(entry)).count();
        let mut ranked: Vec<(f32, usize)> = if query.is_empty() {
            let entries = servers.iter().flat_map(|server| server.tools().iter().chain(server.extras()));
            entries.zip(0..).filter(|(entry, _)| is_listed(entry)).map(|(_, at)| (0.0, at)).collect()
        } else {
            let mut scores = scores(&servers, query);
            weigh_resources(&servers, &mut scores);
            scores.into_iter().zip(0..).filter(|(score, _)| *score > 0.0).collect()
        };
        let matched = ranked.len();
        best(&mut ranked, limit.min(HITS_MAX));
        let hits = ranked.into_iter().map(|(score, at)| hit(&servers, score, at)).collect();
        Found { hits, matched, searched }
    }
}

/// Whether a list of everything has it: resources stand there as one line.
fn is_listed(entry: &Tool) -> bool {
    entry.kind != HitKind::Resource
}

/// Resources are many and alike: tools go before them, and of one server's only the best are found.
fn weigh_resources(servers: &[&Arc<ServerTools>], scores: &mut [f32]) {
    let mut start = 0;
    for server in servers {
        let end = start + server.entry_count();
        let is_found =
            |at: &usize| server.entry(at - start).is_some_and(|entry| !is_listed(entry)) && scores[*at] > 0.0;
        let mut found: Vec<usize> = (start..end).filter(is_found).collect();
        found.sort_by(|a, b| scores[*b].total_cmp(&scores[*a]));
        for (rank, at) in found.into_iter().enumerate() {
            scores[at] *= if rank < RESOURCES_MAX { RESOURCE } else { 0.0 };
        }
        start = end;
    }
}

/// Keeps the `limit` best, best first; the earlier one of equals is better.
fn best(ranked: &mut Vec<(f32, usize)>, limit: usize) {
    let better = |a: &(f32, usize), b: &(f32, usize)| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1));
    if limit < ranked.len() {
        ranked.select_nth_unstable_by(limit, better);
        ranked.truncate(limit);
    }
    ranked.sort_unstable_by(better);
}

/// The tool at this place of all the servers' tools.
fn hit<'a>(servers: &[&'a Arc<ServerTools>], score: f32, mut at: usize) -> Hit<'a> {
    for server in servers {
        match server.entry(at) {
            Some(tool) => return Hit { score, server, tool },
            None => at -= server.entry_count(),
        }
    }
    unreachable!("a ranked place is one of a tool")
}

/// The score of every tool of every server, in order.
fn scores(servers: &[&Arc<ServerTools>], query: &str) -> Vec<f32> {
    let indices: Vec<_> = servers.iter().map(|server| (&server.index, server.entry_count())).collect();
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
