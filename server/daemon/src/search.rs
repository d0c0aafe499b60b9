//! Search over the catalog, after every server that was never listed has been asked.

use crate::beside;
use crate::core::Core;
use crate::snapshot::{Entry, Snapshot};
use catalog::{Catalog, ServerTools};
use futures::future::join_all;
use model::reply::SearchReply;
use model::tool::ToolHit;
use model::{Detail, Language, SearchRequest, ServerState};
use std::sync::Arc;

/// Hits where the request does not say.
const LIMIT_DEFAULT: usize = 10;
/// The most a request can ask for.
const LIMIT_MAX: usize = 1_000;
/// With at most this many hits in all, and stubs no longer than this, everything is given in full at once: a second
/// search would cost the model more than the text.
const SMALL_HITS: usize = 3;
const SMALL_BYTES: usize = 1_500;

/// Lists the servers that were never listed, all at once. Returns the catalog with them, and what could not be listed.
pub(crate) async fn listed(core: &Core, snapshot: &Snapshot, only: Option<&str>) -> (Arc<Catalog>, Vec<String>) {
    listed_of(core, snapshot, |e| only.is_none_or(|name| e.spec.name == name || &*e.identifier == name)).await
}

/// The same for the servers that are wanted.
pub(crate) async fn listed_of(
    core: &Core,
    snapshot: &Snapshot,
    wanted: impl Fn(&Entry) -> bool,
) -> (Arc<Catalog>, Vec<String>) {
    let wanted = |e: &&Entry| wanted(e);
    let missing: Vec<&Entry> = snapshot.usable().filter(|e| e.is_unlisted()).filter(wanted).collect();
    let mut unavailable: Vec<String> = snapshot.servers.iter().filter(wanted).filter_map(refused).collect();
    if missing.is_empty() {
        return (Arc::clone(&snapshot.catalog), unavailable);
    }
    let answers = join_all(missing.iter().map(|e| core.bridge.tools(&e.spec.name))).await;
    let mut parts: Vec<Arc<ServerTools>> = Vec::with_capacity(snapshot.servers.len());
    let mut fresh = missing.iter().zip(answers).collect::<Vec<_>>().into_iter().peekable();
    for entry in &snapshot.servers {
        let Some((_, answer)) = fresh.next_if(|(e, _)| e.spec.name == entry.spec.name) else {
            parts.extend(entry.tools.clone());
            continue;
        };
        if let Some(offer) = &entry.offer {
            parts.push(entry.tools_by(offer, answer));
        } else {
            match answer {
                Ok(tools) => parts.push(Arc::new(ServerTools::new(&entry.spec.name, &entry.identifier, tools))),
                Err(e) => unavailable.push(format!("{}: {e}", entry.spec.name)),
            }
        }
    }
    (Arc::new(Catalog::new(parts)), unavailable)
}

/// Answers a search. The error is for a server that is not configured.
pub(crate) async fn search(core: &Core, snapshot: &Snapshot, request: &SearchRequest) -> Result<SearchReply, String> {
    if let Some(server) = &request.server
        && snapshot.server(server).is_none()
    {
        let names: Vec<&str> = snapshot.servers.iter().map(|e| &*e.identifier).collect();
        return Err(format!("there is no server `{server}`; configured: {}", names.join(", ")));
    }
    let (catalog, unavailable) = listed(core, snapshot, request.server.as_deref()).await;
    let catalog = beside::fresh(core, snapshot, catalog, request.server.as_deref()).await;
    let limit = request.limit.unwrap_or(LIMIT_DEFAULT).clamp(1, LIMIT_MAX);
    let server = request.server.as_deref().map(|name| snapshot.server(name).map_or(name, |e| e.spec.name.as_str()));
    let found = catalog.search(&request.query, server, limit);
    let language = request.language.unwrap_or(Language::Python);
    let mut detail = request.detail.unwrap_or_default();
    let render =
        |detail: Detail| -> Vec<ToolHit> { found.hits.iter().map(|hit| hit.to_wire(language, detail)).collect() };
    let mut hits = render(detail);
    if request.detail.is_none() && found.matched <= SMALL_HITS {
        let full = render(Detail::Full);
        if full.iter().map(|h| h.stub.len()).sum::<usize>() <= SMALL_BYTES {
            (hits, detail) = (full, Detail::Full);
        }
    }
    Ok(SearchReply { hits, matched: found.matched, searched: catalog.entry_count(), detail, unavailable })
}

fn refused(entry: &Entry) -> Option<String> {
    match entry.state {
        ServerState::Untrusted => Some(format!("{}: not started, the workspace is not trusted", entry.spec.name)),
        ServerState::Unapproved => {
            Some(format!("{}: not started, a person is asked at its first use in a program or a call", entry.spec.name))
        }
        _ => None,
    }
}
