//! What a server lists beside its tools, for search and editors: asked for when somebody first looks, off the way of its start
//! and of its calls, and kept until the server says that it changed. Where it is out of date by what the server says (`fresh`),
//! a look gets it once more, and has it listed for the next.
//!
//! Invariants: a list that fails, or takes too long, is an empty one, and the server is none the worse for it; one
//! listing at a time is under way, and who looks meanwhile waits for that one. Bounded: entries, bytes and time.

use crate::ask::Pages;
use crate::connection::Connection;
use crate::fresh::{Fresh, shortest};
use futures::future::{BoxFuture, FutureExt, Shared};
use model::Method;
use model::beside::{Beside, Prompt, PromptArgument, Resource};
use serde_json::Value;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio_util::task::TaskTracker;

/// Longest time of one list.
const PATIENCE: Duration = Duration::from_secs(30);
/// Entries of each list, and pages that are read for them.
const PROMPTS_MAX: usize = 200;
const TEMPLATES_MAX: usize = 200;
const RESOURCES_MAX: usize = 1_000;
const PAGES_MAX: usize = 20;
/// Arguments of one prompt.
const ARGUMENTS_MAX: usize = 32;
/// Bytes of a name and of a URI; a longer one cannot be shown as it is, and its entry is left out.
const NAME_BYTES: usize = 256;
const URI_BYTES: usize = 2_048;
/// Bytes of a description that are kept, and of everything together.
const TEXT_BYTES: usize = 1_024;
const TOTAL_BYTES: usize = 1 << 20;

type Listing = Shared<BoxFuture<'static, Arc<Beside>>>;

/// What was listed over one connection.
pub(crate) struct Listings {
    /// How often the server said that something changed.
    changes: AtomicU64,
    /// The last listing, and what `changes` was when it began.
    kept: Mutex<Option<(u64, Listing)>>,
    fresh: Fresh,
}

impl Listings {
    /// `floor` is how long a list holds at least.
    pub(crate) fn new(floor: Duration) -> Self {
        Self { changes: AtomicU64::default(), kept: Mutex::default(), fresh: Fresh::new(floor) }
    }

    pub(crate) fn changed(&self) {
        self.changes.fetch_add(1, Ordering::Relaxed);
    }
}

impl Connection {
    /// What the server lists now. The listing goes on where nobody waits for it any more.
    pub(crate) fn beside(self: &Arc<Self>, tasks: &TaskTracker) -> Listing {
        let now = self.listings.changes.load(Ordering::Relaxed);
        let mut kept = self.listings.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let stale = match &*kept {
            Some((_, listing)) if listing.peek().is_none() => return listing.clone(),
            Some((at, listing)) if *at == now => {
                if self.listings.fresh.is_stale() {
                    Some(listing.clone())
                } else {
                    return listing.clone();
                }
            }
            _ => None,
        };
        let connection = Arc::clone(self);
        let listing = async move { Arc::new(Box::pin(connection.list_beside()).await) }.boxed().shared();
        tasks.spawn(listing.clone());
        *kept = Some((now, listing.clone()));
        stale.unwrap_or(listing)
    }

    async fn list_beside(&self) -> Beside {
        let has_prompts = self.offers(|all| all.prompts.is_some());
        let has_resources = self.offers(|all| all.resources.is_some());
        let (prompts, templates, resources) = tokio::join!(
            self.first(has_prompts, Method::ListPrompts, PROMPTS_MAX),
            self.first(has_resources, Method::ListTemplates, TEMPLATES_MAX),
            self.first(has_resources, Method::ListResources, RESOURCES_MAX),
        );
        let ttl_ms = [&prompts, &templates, &resources].into_iter().fold(None, |ttl, of| shortest(ttl, of.ttl_ms));
        self.listings.fresh.listed(ttl_ms);
        let mut room = TOTAL_BYTES;
        let prompts = kept(&prompts.entries, &mut room, prompt);
        let templates = kept(&templates.entries, &mut room, |entry, room| resource(entry, "uriTemplate", room));
        let (resource_count, has_more) = (resources.entries.len(), resources.has_more);
        let resources = kept(&resources.entries, &mut room, |entry, room| resource(entry, "uri", room));
        Beside { prompts, templates, resources, resource_count, has_more, tells_changes: self.tells_changes() }
    }

    /// The first entries of a list.
    async fn first(&self, is_offered: bool, method: Method, entries_max: usize) -> Pages {
        if !is_offered {
            return Pages::default();
        }
        let (server, what) = (self.server(), method.name());
        match tokio::time::timeout(PATIENCE, self.pages_of(method, entries_max, PAGES_MAX)).await {
            Ok(Ok(listed)) => return listed,
            Ok(Err(error)) => tracing::debug!(server, %error, "its answer to {what} is left out of search"),
            Err(_elapsed) => tracing::debug!(server, "its answer to {what} takes too long and is left out of search"),
        }
        Pages::default()
    }
}

/// What of the entries can be kept: no entry twice, until there is no more room.
fn kept<T: PartialEq>(entries: &[Value], room: &mut usize, read: impl Fn(&Value, &mut usize) -> Option<T>) -> Vec<T> {
    let mut all: Vec<T> = Vec::new();
    for entry in entries {
        if let Some(entry) = read(entry, room)
            && !all.contains(&entry)
        {
            all.push(entry);
        }
    }
    all
}

fn prompt(entry: &Value, room: &mut usize) -> Option<Prompt> {
    let name = exact(entry, "name", NAME_BYTES, room)?;
    let arguments = entry.get("arguments").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let arguments = arguments.iter().take(ARGUMENTS_MAX).filter_map(|argument| {
        Some(PromptArgument {
            name: exact(argument, "name", NAME_BYTES, room)?,
            description: prose(argument, "description", room),
            required: argument.get("required") == Some(&Value::Bool(true)),
        })
    });
    let arguments = arguments.collect();
    let description = prose(entry, "description", room).or_else(|| prose(entry, "title", room));
    Some(Prompt { name, description, arguments })
}

fn resource(entry: &Value, uri: &str, room: &mut usize) -> Option<Resource> {
    let uri = exact(entry, uri, URI_BYTES, room)?;
    let name = prose(entry, "title", room).or_else(|| prose(entry, "name", room)).unwrap_or_default();
    Some(Resource { uri, name, description: prose(entry, "description", room) })
}

/// A text that is of use only as a whole.
fn exact(entry: &Value, key: &str, bytes_max: usize, room: &mut usize) -> Option<String> {
    let text = entry.get(key)?.as_str().filter(|text| !text.is_empty() && text.len() <= bytes_max.min(*room))?;
    *room -= text.len();
    Some(text.to_owned())
}

/// A text for people, cut where it is too long.
fn prose(entry: &Value, key: &str, room: &mut usize) -> Option<String> {
    let text = entry.get(key)?.as_str()?;
    let text = &text[..text.floor_char_boundary(TEXT_BYTES.min(*room))];
    *room -= text.len();
    (!text.is_empty()).then(|| text.to_owned())
}
