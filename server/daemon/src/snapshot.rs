//! What the daemon knows at one moment. Immutable: the loop swaps in a new one, a run keeps the one it started with.

use crate::admit::Access;
use crate::direct::Direct;
use crate::editor_tools::{Configured, Offer, Offers};
use crate::options::Options;
use catalog::{Catalog, ServerTools};
use config::Config;
use model::{Problem, ServerSpec, ServerState, ServerStatus, Transport};
use std::collections::HashMap;
use std::sync::Arc;

/// One configured server and what is known of it.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    pub(crate) spec: Arc<ServerSpec>,
    pub(crate) identifier: Arc<str>,
    pub(crate) state: ServerState,
    pub(crate) last_error: Option<String>,
    /// Absent until it was listed once.
    pub(crate) tools: Option<Arc<ServerTools>>,
    /// The tools came from an earlier process's list and were not confirmed by the server yet.
    pub(crate) remembered: bool,
    /// Present where it is the editor that offers this server, and calls its tools.
    pub(crate) offer: Option<Arc<Offer>>,
}

impl Entry {
    /// Whether nothing stands in the way of starting it: neither trust, nor an approval, nor its configuration.
    pub(crate) fn may_start(&self) -> bool {
        !matches!(self.state, ServerState::Untrusted | ServerState::Unapproved | ServerState::Disabled)
    }
}

/// Configuration, servers and catalog at one moment.
#[derive(Debug)]
pub(crate) struct Snapshot {
    pub(crate) config: Arc<Config>,
    pub(crate) problems: Arc<[Problem]>,
    pub(crate) access: Access,
    /// Everything the editor offers, also what files configure.
    pub(crate) offers: Offers,
    pub(crate) servers: Vec<Entry>,
    pub(crate) catalog: Arc<Catalog>,
    /// What models are offered beside our own tools.
    pub(crate) direct: Arc<Direct>,
}

impl Snapshot {
    /// The servers of a configuration and then the editor's, keeping what `before` knew of those that did not change.
    pub(crate) fn new(
        config: Arc<Config>,
        problems: Arc<[Problem]>,
        access: Access,
        offers: Offers,
        before: Option<&Snapshot>,
    ) -> Self {
        let by_file = Configured::new(config.servers.iter().map(|spec| spec.name.as_str()));
        let offered: Vec<&Arc<Offer>> = offers.iter().filter(|offer| !by_file.has(offer)).collect();
        let labels = offered.iter().map(|offer| offer.label.as_str());
        let names: Vec<&str> = config.servers.iter().map(|s| s.name.as_str()).chain(labels).collect();
        let mut identifiers = model::names::identifiers(&names).into_iter();
        let known: HashMap<&str, &Entry> =
            before.into_iter().flat_map(|b| &b.servers).map(|e| (e.spec.name.as_str(), e)).collect();
        let mut servers = Vec::with_capacity(names.len());
        for (spec, identifier) in config.servers.iter().zip(&mut identifiers) {
            servers.push(configured(spec, identifier, &access, known.get(spec.name.as_str()).copied()));
        }
        for (offer, identifier) in offered.into_iter().zip(identifiers) {
            let same = |e: &&&Entry| e.offer.as_ref() == Some(offer) && *e.identifier == *identifier;
            let kept = known.get(offer.label.as_str()).filter(same).map(|entry| (*entry).clone());
            servers.push(kept.unwrap_or_else(|| of_editor(offer, &identifier)));
        }
        let (catalog, direct) = (Arc::new(Catalog::new(vec![])), Arc::default());
        Self { config, problems, access, offers, servers, catalog, direct }.with_catalog()
    }

    /// The same snapshot after a change to its servers, with the catalog built anew. Parts of servers that did not change
    /// are shared.
    pub(crate) fn with_catalog(mut self) -> Self {
        self.catalog = Arc::new(Catalog::new(self.servers.iter().filter_map(|e| e.tools.clone()).collect()));
        self.direct = Arc::new(Direct::find(&self.config.direct_tools, &self.servers, &self.catalog));
        self
    }

    /// A copy to change.
    pub(crate) fn fork(&self) -> Self {
        Self {
            config: Arc::clone(&self.config),
            problems: Arc::clone(&self.problems),
            access: self.access.clone(),
            offers: Arc::clone(&self.offers),
            servers: self.servers.clone(),
            catalog: Arc::clone(&self.catalog),
            direct: Arc::clone(&self.direct),
        }
    }

    /// A server by its configured name or its identifier.
    pub(crate) fn server(&self, name: &str) -> Option<&Entry> {
        self.servers
            .iter()
            .find(|e| e.spec.name == name)
            .or_else(|| self.servers.iter().find(|e| &*e.identifier == name))
    }

    /// Whether servers may ask anything of a person or a model: not where a workspace is known not to be trusted, even the
    /// user's own ones, which its programs call.
    pub(crate) fn may_ask(&self, options: &Options) -> bool {
        let nobody_said_no =
            options.trusted.is_none() && self.servers.iter().all(|e| e.state != ServerState::Untrusted);
        self.access.trusted || nobody_said_no
    }

    /// Servers that may be started at all.
    pub(crate) fn usable(&self) -> impl Iterator<Item = &Entry> {
        self.servers.iter().filter(|e| e.may_start())
    }

    /// The specifications from files that the bridge may know. What is not trusted or not approved is not in it.
    pub(crate) fn startable(&self) -> impl Iterator<Item = &ServerSpec> {
        self.usable().filter(|e| e.offer.is_none()).map(|e| &*e.spec)
    }

    /// Those that the editor serves, as the bridge reaches them.
    pub(crate) fn served(&self) -> impl Iterator<Item = ServerSpec> {
        self.servers.iter().filter_map(|e| e.offer.as_ref()?.served())
    }

    /// Problems of entries and files that gave no server at all, so that no server's status can show them.
    pub(crate) fn stray_problems(&self) -> impl Iterator<Item = &Problem> {
        let is_server = |name: &str| self.servers.iter().any(|e| e.spec.name == name);
        self.all_problems().filter(move |p| !p.server.as_deref().is_some_and(is_server))
    }

    /// What is wrong in the files, and with the tools that they offer to models.
    fn all_problems(&self) -> impl Iterator<Item = &Problem> {
        self.problems.iter().chain(&self.direct.problems)
    }

    /// Every server as the fronts show it.
    pub(crate) fn status(&self, definition_tokens: impl Fn(&str) -> Option<u64>) -> Vec<ServerStatus> {
        self.servers.iter().map(|entry| self.status_of(entry, &definition_tokens)).collect()
    }

    fn status_of(&self, entry: &Entry, definition_tokens: &impl Fn(&str) -> Option<u64>) -> ServerStatus {
        let spec = &entry.spec;
        let tools = entry.tools.as_ref().map(|t| u32::try_from(t.definitions().len()).unwrap_or(u32::MAX));
        let (transport, target) = describe(&spec.transport);
        ServerStatus {
            name: spec.name.clone(),
            identifier: entry.identifier.to_string(),
            source: spec.source.clone(),
            transport: transport.to_owned(),
            target,
            state: entry.state,
            protocol: None,
            tools,
            definition_tokens: tools.and_then(|_| definition_tokens(&spec.name)),
            last_error: entry.last_error.clone().or_else(|| spec.unresolved.first().cloned()),
            problems: self.all_problems().filter(|p| p.server.as_deref() == Some(&spec.name)).cloned().collect(),
        }
    }
}

/// A server that a file configures.
fn configured(spec: &ServerSpec, identifier: String, access: &Access, known: Option<&Entry>) -> Entry {
    let idle = access.idle_state(spec);
    match known {
        Some(entry)
            if idle == ServerState::Stopped
                && entry.spec.content_hash == spec.content_hash
                && entry.identifier.as_ref() == identifier =>
        {
            let state = if entry.may_start() { entry.state } else { idle };
            Entry { spec: Arc::new(spec.clone()), state, ..entry.clone() }
        }
        _ => Entry {
            spec: Arc::new(spec.clone()),
            identifier: identifier.into(),
            state: idle,
            last_error: None,
            tools: None,
            remembered: false,
            offer: None,
        },
    }
}

/// A server that the editor offers: what it says is all there is to know.
fn of_editor(offer: &Arc<Offer>, identifier: &str) -> Entry {
    Entry {
        spec: Arc::new(offer.spec()),
        identifier: identifier.into(),
        state: ServerState::Ready,
        last_error: None,
        tools: Some(Arc::new(ServerTools::new(&offer.label, identifier, Arc::clone(&offer.tools)))),
        remembered: false,
        offer: Some(Arc::clone(offer)),
    }
}

/// Transport name and target of a server, without its secrets: variables and headers by name only.
pub(crate) fn describe(transport: &Transport) -> (&'static str, String) {
    match transport {
        Transport::Stdio { command, args, env, .. } => {
            let vars = env.keys().map(|k| format!("{k}=… "));
            let words = std::iter::once(command).chain(args).map(|w| quote(w));
            ("stdio", vars.collect::<String>() + &words.collect::<Vec<_>>().join(" "))
        }
        Transport::Http { url, headers, sse } => {
            let names: Vec<&str> = headers.keys().map(String::as_str).collect();
            let with = if names.is_empty() { String::new() } else { format!(" (headers: {})", names.join(", ")) };
            (if *sse { "sse" } else { "http" }, url.split('?').next().unwrap_or(url).to_owned() + &with)
        }
        Transport::Editor => ("editor", "offered by the editor".to_owned()),
    }
}

/// A word as a shell would need it written.
fn quote(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:@=+,%".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}
