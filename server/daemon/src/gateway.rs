//! The editor's gateway: where the editor serves its MCP servers itself, on this machine, a program's calls go there and
//! nothing of an answer is lost.
//!
//! Invariants: an address is a capability, so that it is in the offer and in the bridge's copy of a specification, nowhere
//! else; what a person is shown has the editor in its place. A run goes by what the server itself lists, or, where it does
//! not answer, by the editor's words and calls; it does not change sides for a call that may have had its effect.

use crate::call::bounded;
use crate::core::Core;
use crate::editor_tools::{self, Offer};
use crate::snapshot::Entry;
use catalog::ServerTools;
use model::{Secret, ServerSpec, ToolDefinition, Transport};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Bytes of an address, and of its path where that may be what is secret in it.
const ADDRESS_BYTES: usize = 2 << 10;
const PATH_BYTES_MIN: usize = 6;
/// Longest time for the handshake and the first list; the editor gives a server of its own five seconds to start.
const START_MS: u64 = 15_000;
/// Bytes of a failure that are logged.
const CAUSE_BYTES: usize = 1 << 10;

/// An `http` URL of this machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Address(Secret);

impl Address {
    /// Nothing where it leads anywhere else.
    pub(crate) fn new(url: Secret) -> Option<Self> {
        let text = url.expose();
        let plain = text.len() <= ADDRESS_BYTES && text.bytes().all(|byte| byte.is_ascii_graphic());
        let rest = text.strip_prefix("http://").filter(|_| plain)?;
        let authority = rest.split(['/', '?', '#']).next()?;
        let port = ["127.0.0.1", "localhost", "[::1]"].iter().find_map(|host| authority.strip_prefix(host))?;
        let number = port.strip_prefix(':').map(str::parse::<u16>);
        (port.is_empty() || number.is_some_and(|number| number.is_ok())).then_some(Self(url))
    }

    /// `spec` as the bridge is to have it: at this address, which is taken out of everything that is said there.
    fn of(&self, spec: ServerSpec) -> ServerSpec {
        let url = self.0.expose();
        let path = url.splitn(4, '/').nth(3).filter(|path| path.len() >= PATH_BYTES_MIN);
        ServerSpec {
            transport: Transport::Http { url: url.to_owned(), headers: BTreeMap::new(), sse: false },
            scrub: std::iter::once(self.0.clone()).chain(path.map(Secret::new)).collect(),
            startup_timeout_ms: START_MS,
            ..spec
        }
    }
}

impl Offer {
    /// The server as the bridge reaches it, where the editor serves it.
    pub(crate) fn served(&self) -> Option<ServerSpec> {
        self.address.as_ref().map(|address| address.of(self.spec()))
    }

    /// Whether `tools` are the editor's words about it, rather than its own: then it is the editor that calls.
    pub(crate) fn is_told_by(&self, tools: &ServerTools) -> bool {
        Arc::ptr_eq(&self.tools, tools.definitions())
    }
}

impl Entry {
    /// Whether the server itself is still to be asked for its tools.
    pub(crate) fn is_unlisted(&self) -> bool {
        self.tools.as_ref().is_none_or(|tools| {
            self.offer.as_ref().is_some_and(|offer| offer.address.is_some() && offer.is_told_by(tools))
        })
    }

    /// Whether a list of the bridge's is about this entry. One that the editor serves may not have started, and lists nothing.
    pub(crate) fn takes(&self, listed: &[ToolDefinition]) -> bool {
        self.offer.as_ref().is_none_or(|offer| offer.address.is_some() && !listed.is_empty())
    }

    /// Its tools by what the bridge was told; the editor's words where that was nothing.
    pub(crate) fn tools_by(
        &self,
        offer: &Offer,
        listed: Result<Arc<[ToolDefinition]>, bridge::Error>,
    ) -> Arc<ServerTools> {
        let why = match listed {
            Ok(listed) if !listed.is_empty() => {
                let same = |known: &&Arc<ServerTools>| !offer.is_told_by(known) && **known.definitions() == *listed;
                return self.known_or_new(offer, same, &listed);
            }
            Ok(_) => "it lists no tools".to_owned(),
            Err(e) => e.to_string(),
        };
        tracing::debug!("{} is called through the editor: {}", offer.label, bounded(&why, CAUSE_BYTES));
        self.known_or_new(offer, |known| offer.is_told_by(known), &offer.tools)
    }

    fn known_or_new(
        &self,
        offer: &Offer,
        same: impl Fn(&&Arc<ServerTools>) -> bool,
        definitions: &Arc<[ToolDefinition]>,
    ) -> Arc<ServerTools> {
        let known = self.tools.as_ref().filter(same).cloned();
        known.unwrap_or_else(|| Arc::new(ServerTools::new(&offer.label, &self.identifier, Arc::clone(definitions))))
    }
}

/// The tools that a run goes by.
pub(crate) async fn tools(core: &Core, entry: &Entry, offer: &Offer) -> Arc<ServerTools> {
    entry.tools_by(offer, core.bridge.tools(&offer.label).await)
}

/// A call failed: where the address is gone, the editor is asked for it, and the next run opens it anew or does without.
pub(crate) fn judge(core: &Core, offer: &Offer, error: &bridge::Error) {
    if matches!(error, bridge::Error::Unreachable { .. }) {
        editor_tools::changed(core);
        let (bridge, label) = (core.bridge.clone(), offer.label.clone());
        core.tasks.spawn(async move { bridge.stop(&label).await.ok() });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_addresses_of_this_machine_are_taken() {
        let is_taken = |url: &str| Address::new(Secret::new(url)).is_some();
        for url in ["http://127.0.0.1:7000/gateway/a", "http://localhost/a", "http://[::1]:1?a", "http://127.0.0.1"] {
            assert!(is_taken(url), "{url}");
        }
        for url in [
            "https://127.0.0.1/a",
            "http://127.0.0.1.example/a",
            "http://127.0.0.1@example/a",
            "http://127.0.0.1:80@example/a",
            "http://127.0.0.1\\@example/a",
            "http://127.0.0.1:99999/a",
            "http://127.0.0.1:/a",
            "http://example/127.0.0.1",
            "http://127.0.0.1/a b",
            "file:///a",
            "",
        ] {
            assert!(!is_taken(url), "{url}");
        }
        assert!(!is_taken(&format!("http://localhost/{}", "a".repeat(ADDRESS_BYTES))));
    }

    #[test]
    fn an_address_is_printed_by_nobody_and_taken_out_of_what_is_said_there() {
        let address = Address::new(Secret::new("http://127.0.0.1:7000/gateway/k3y")).expect("it is of this machine");
        let spec = address.of(testkit::faulty_spec("notes", "ok"));
        assert!(!format!("{address:?} {spec:?}").contains("k3y"));
        let scrub: Vec<&str> = spec.scrub.iter().map(Secret::expose).collect();
        assert_eq!(scrub, ["http://127.0.0.1:7000/gateway/k3y", "gateway/k3y"]);
    }
}
