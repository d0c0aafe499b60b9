//! What crosses the wire besides the model's types: the options of `initialize`, and parameters of a field or two.

use daemon::{AskCalls, Editor, Options};
use model::{RunEvent, RunId, RunRequest, SavingsSummary, Secret, ServerStatus, TokenReport};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::path::PathBuf;
use std::sync::Arc;
use tower_lsp::jsonrpc::{self, Error};
use tower_lsp::ls_types::Uri;
use tower_lsp::ls_types::notification::Notification;

/// Where MCP is served, for the editor to hand to its own client.
#[derive(Clone, Debug)]
pub struct Endpoint {
    /// The URL.
    pub url: String,
    /// The bearer token.
    pub token: Secret,
}

impl Endpoint {
    /// `capabilities.experimental` of the answer to `initialize`. The one place where the token leaves the process.
    pub(crate) fn experimental(&self) -> Value {
        let version = env!("CARGO_PKG_VERSION");
        json!({"tta": {"mcp": {"url": self.url, "token": self.token.expose(), "version": version}}})
    }
}

/// `initializationOptions`, which override what the command line said. Without them nothing is trusted.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
struct Initialization {
    workspace: Option<PathBuf>,
    folders: Vec<PathBuf>,
    trusted: bool,
    data_dir: Option<PathBuf>,
    timeout_ms: Option<u64>,
    memory_mb: Option<u64>,
    ask_calls: Option<AskCalls>,
    ask_servers: Option<bool>,
    editor: bool,
}

/// The daemon's options: the command line's, overridden by the editor's. `editor` is asked for where the client says
/// that it answers questions.
pub(crate) fn options(
    given: Options,
    initialization: Option<Value>,
    editor: impl FnOnce() -> Arc<dyn Editor>,
) -> jsonrpc::Result<Options> {
    let asked: Initialization = match initialization {
        None | Some(Value::Null) => Initialization::default(),
        Some(value) => {
            serde_json::from_value(value).map_err(|e| Error::invalid_params(format!("initializationOptions: {e}")))?
        }
    };
    Ok(Options {
        workspace: asked.workspace.or(given.workspace),
        folders: if asked.folders.is_empty() { given.folders } else { asked.folders },
        trusted: given.trusted.or(Some(asked.trusted)),
        data_dir: asked.data_dir.or(given.data_dir),
        timeout_ms: asked.timeout_ms.or(given.timeout_ms),
        memory_mb: asked.memory_mb.or(given.memory_mb),
        config: given.config,
        editor: if asked.editor { Some(editor()) } else { given.editor },
        ask_calls: asked.ask_calls.unwrap_or(given.ask_calls),
        ask_servers: asked.ask_servers.unwrap_or(given.ask_servers),
    })
}

/// The parameters of `tta/run`: a run, whether the answer waits for its receipt, and the document it was taken from.
#[derive(Debug)]
pub(crate) struct RunParams {
    pub(crate) request: RunRequest,
    pub(crate) wait_receipt: bool,
    pub(crate) uri: Option<Uri>,
}

impl<'de> Deserialize<'de> for RunParams {
    /// By hand, because `flatten` would let unknown fields pass.
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        use serde::de::Error;
        let mut fields = serde_json::Map::deserialize(deserializer)?;
        let wait_receipt = fields.remove("wait_receipt").is_some_and(|value| value == true);
        let uri = fields.remove("uri").map(serde_json::from_value).transpose().map_err(Error::custom)?.flatten();
        let request = serde_json::from_value(Value::Object(fields)).map_err(Error::custom)?;
        Ok(Self { request, wait_receipt, uri })
    }
}

/// The parameters of `tta/servers`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ServersParams {
    #[serde(default)]
    pub(crate) list: bool,
}

/// The parameters of what is about one server.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ServerParams {
    pub(crate) server: String,
}

/// Of methods that take none.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct NoParams {}

/// The parameters of `tta/runs`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RunsParams {
    pub(crate) limit: usize,
}

/// The parameters of what is about one run.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RunIdParams {
    pub(crate) run_id: RunId,
}

/// The parameters of `tta/approvals/forget`; all where there is no id.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ForgetParams {
    #[serde(default)]
    pub(crate) id: Option<String>,
}

/// The answer to `tta/receipt`.
#[derive(Debug, Serialize)]
pub(crate) struct Receipt {
    pub(crate) tokens: TokenReport,
    /// Of each call, in the order of the calls.
    pub(crate) result_tokens: Vec<u64>,
}

macro_rules! notification {
    ($(#[$doc:meta])* $name:ident, $method:literal, $params:ty) => {
        $(#[$doc])*
        #[derive(Debug)]
        pub(crate) enum $name {}
        impl Notification for $name {
            type Params = $params;
            const METHOD: &'static str = $method;
        }
    };
}

notification!(
    /// The ledger counted something.
    SavingsChanged, "tta/savingsChanged", SavingsSummary
);
notification!(
    /// A server's state, tools or configuration changed.
    ServersChanged, "tta/serversChanged", Vec<ServerStatus>
);
notification!(
    /// Something happened in a run.
    RunEvents, "tta/runEvent", RunEvent
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_editors_options_override_and_nothing_is_trusted_unasked() {
        let given = || Options { timeout_ms: Some(1), ..Options::default() };
        let read = |value| options(given(), value, || panic!("no editor was given"));
        assert_eq!(read(None).ok().and_then(|o| o.trusted), Some(false));
        let asked = read(Some(json!({"trusted": true, "timeoutMs": 2, "dataDir": "/d"}))).expect("well formed");
        assert_eq!((asked.trusted, asked.timeout_ms, asked.data_dir), (Some(true), Some(2), Some("/d".into())));
        let wrong = read(Some(json!({"trusted": "yes"}))).expect_err("a text is no boolean");
        assert!(wrong.message.contains("initializationOptions"), "{wrong}");
        assert!(read(Some(json!({"trusted": true, "timeout": 1}))).is_err());
        let asked = read(Some(json!({"askCalls": "writes", "askServers": true}))).expect("well formed");
        assert_eq!((asked.ask_calls, asked.ask_servers, asked.editor.is_none()), (AskCalls::Writes, true, true));
    }

    #[test]
    fn a_run_takes_no_unknown_field() {
        let read = |value| serde_json::from_value::<RunParams>(value);
        let params = read(json!({"code": "1", "language": "py", "wait_receipt": true})).expect("well formed");
        assert!(params.wait_receipt);
        assert_eq!(params.request.code, "1");
        let uri = read(json!({"code": "1", "uri": "file:///a.py"})).expect("well formed").uri;
        assert_eq!(uri.expect("given").as_str(), "file:///a.py");
        assert!(read(json!({"code": "1", "uri": null})).expect("well formed").uri.is_none());
        assert!(read(json!({"code": "1", "uri": "no uri"})).is_err());
        assert!(read(json!({"code": "1", "wait": true})).is_err());
        assert!(read(json!({"wait_receipt": true})).is_err());
    }
}
