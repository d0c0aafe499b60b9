//! What a server may ask of us: the workspace's roots, and what a host answers (`host`).
//!
//! Where there is no host, sampling and elicitation are not offered as capabilities; a server that asks all the same gets
//! a clear refusal at once, so that it fails instead of waiting for a user who will never see the question.

#![expect(deprecated, reason = "the newest protocol drops roots and sampling; today's servers still ask for them")]

use crate::beside::Listings;
use crate::host::Questions;
use crate::progress::Watched;
use crate::subscribe::Topics;
use rmcp::model::{
    ClientCapabilities, ClientConfig, CreateMessageRequestParams, CreateMessageResult, CustomRequest, CustomResult,
    ElicitRequestParams, ElicitResult, ErrorCode, Implementation, ListRootsResult, ProtocolVersion, Root,
};
use rmcp::service::{NotificationContext, RequestContext, RoleClient};
use rmcp::{ClientHandler, ErrorData};
use serde_json::Value;
use std::path::Path;
use std::sync::Arc;
use tokio::sync::Notify;

/// Our side of one connection.
pub(crate) struct Handler {
    config: ClientConfig,
    roots: Vec<Root>,
    /// Told whenever the server says that its tools changed; many tellings before the next listing are one.
    tools_changed: Arc<Notify>,
    /// The calls under way, whose progress the transport takes.
    pub(crate) watched: Arc<Watched>,
    /// Told when the server says that its prompts or resources changed.
    pub(crate) listings: Arc<Listings>,
    pub(crate) questions: Arc<Questions>,
    /// The resources that somebody is subscribed to, whose changes the transport takes.
    pub(crate) topics: Arc<Topics>,
}

impl Handler {
    pub(crate) fn new(
        options: &crate::Options,
        tools_changed: Arc<Notify>,
        watched: Arc<Watched>,
        questions: Arc<Questions>,
    ) -> Self {
        let listings = Arc::new(Listings::new(options.listing_interval));
        let client = Implementation::new(options.client_name.clone(), options.client_version.clone());
        let mut capabilities = ClientCapabilities::builder().enable_roots().enable_tasks().build();
        questions.declare(&mut capabilities);
        let config =
            ClientConfig::new(capabilities, client).with_protocol_version(ProtocolVersion::LATEST_WITH_INITIALIZE);
        let roots = options.roots.iter().map(|root| root_of(root)).collect();
        Self { config, roots, tools_changed, watched, listings, questions, topics: Arc::default() }
    }

    /// The answer to `roots/list`.
    pub(crate) fn roots(&self) -> Value {
        serde_json::to_value(ListRootsResult::new(self.roots.clone())).unwrap_or_default()
    }
}

impl ClientHandler for Handler {
    fn get_info(&self) -> ClientConfig {
        self.config.clone()
    }

    async fn list_roots(&self, _context: RequestContext<RoleClient>) -> Result<ListRootsResult, ErrorData> {
        Ok(ListRootsResult::new(self.roots.clone()))
    }

    async fn create_message(
        &self,
        params: CreateMessageRequestParams,
        context: RequestContext<RoleClient>,
    ) -> Result<CreateMessageResult, ErrorData> {
        tokio::select! {
            answer = self.questions.sample(params) => answer,
            () = context.ct.cancelled() => Err(withdrawn()),
        }
    }

    async fn create_elicitation(
        &self,
        params: ElicitRequestParams,
        context: RequestContext<RoleClient>,
    ) -> Result<ElicitResult, ErrorData> {
        tokio::select! {
            answer = self.questions.elicit(params) => answer,
            () = context.ct.cancelled() => Err(withdrawn()),
        }
    }

    /// Whatever rmcp does not know as a request, such as a question that is not well formed.
    async fn on_custom_request(
        &self,
        request: CustomRequest,
        _context: RequestContext<RoleClient>,
    ) -> Result<CustomResult, ErrorData> {
        Err(match request.method.as_str() {
            known @ ("elicitation/create" | "sampling/createMessage") => {
                ErrorData::invalid_params(format!("these are no parameters of {known}"), None)
            }
            other => ErrorData::new(ErrorCode::METHOD_NOT_FOUND, format!("this client does not offer {other}"), None),
        })
    }

    async fn on_tool_list_changed(&self, _context: NotificationContext<RoleClient>) {
        self.tools_changed.notify_one();
    }

    async fn on_prompt_list_changed(&self, _context: NotificationContext<RoleClient>) {
        self.listings.changed();
    }

    async fn on_resource_list_changed(&self, _context: NotificationContext<RoleClient>) {
        self.listings.changed();
    }
}

/// Nobody reads it: the server has given up its own question.
fn withdrawn() -> ErrorData {
    ErrorData::new(ErrorCode::INTERNAL_ERROR, "the question was withdrawn", None)
}

fn root_of(path: &Path) -> Root {
    let name = path.file_name().map_or_else(|| path.to_string_lossy(), |name| name.to_string_lossy());
    Root::new(file_uri(path)).with_name(name.into_owned())
}

/// `file://` and the path, with every byte outside RFC 3986's unreserved set and `/` percent-encoded.
fn file_uri(path: &Path) -> String {
    use std::fmt::Write;
    let mut uri = String::from("file://");
    for &byte in path.as_os_str().as_encoded_bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte) {
            uri.push(byte as char);
        } else {
            write!(uri, "%{byte:02X}").expect("writing to a String cannot fail");
        }
    }
    uri
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_root_is_a_valid_file_uri() {
        assert_eq!(file_uri(Path::new("/home/a b/ü#1")), "file:///home/a%20b/%C3%BC%231");
    }
}
