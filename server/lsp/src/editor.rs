//! The editor as the daemon sees it: questions to the person in front of it and to its model, its own tools, and the
//! secrets it keeps.
//!
//! Invariants: a question goes out only after the client is initialised; dropping it withdraws it at the client. The
//! asking is done in the daemon's tasks, so no handler waits for the client. A secret is in no error and no log: the
//! transport would write messages at the level `trace`, which `tta` never sets. Left out on purpose: deadlines, which
//! the daemon has.

use daemon::{Asker, Editor};
use futures::future::BoxFuture;
use model::Secret;
use model::ask::{ElicitReply, ElicitRequest, Offers, SampleReply, SampleRequest};
use model::editor::{
    ApprovalReply, ApprovalRequest, EditorTool, EditorToolCall, EditorToolReply, InputRequest, KeptRequest,
    OpenUrlRequest,
};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use tokio::runtime::Handle;
use tokio::sync::watch;
use tower_lsp::Client;
use tower_lsp::jsonrpc::{Id, Request};
use tower_lsp::ls_types::notification::Cancel;
use tower_lsp::ls_types::{CancelParams, NumberOrString};
use tower_service::Service as _;

/// The client, once it says that it answers questions.
#[derive(Clone, Debug)]
pub(crate) struct LspEditor {
    client: Client,
    /// Whether the client is initialised.
    ready: watch::Receiver<bool>,
}

impl LspEditor {
    pub(crate) fn new(client: Client, ready: watch::Receiver<bool>) -> Self {
        Self { client, ready }
    }

    /// The client's answer, or why there is none.
    async fn ask(mut self, method: &'static str, params: impl Serialize) -> Result<Value, String> {
        let params = serde_json::to_value(params).map_err(|e| format!("{method}: {e}"))?;
        self.ready.wait_for(|ready| *ready).await.map_err(|_| "the editor is gone".to_owned())?;
        let id = self.client.next_request_id();
        let request = Request::build(method).params(params).id(id.clone()).finish();
        let mut open = Open { client: self.client.clone(), id: Some(id) };
        let response = self.client.call(request).await;
        open.id = None;
        let (_, answer) = response.ok().flatten().ok_or_else(|| "the editor is gone".to_owned())?.into_parts();
        answer.map_err(|e| format!("the editor could not answer {method}: {}", e.message))
    }

    /// The secret that the client answers with, if it has one.
    async fn secret(self, request: impl Serialize) -> Result<Option<Secret>, String> {
        match self.ask("tta/secret/get", request).await?.get_mut("value").map(Value::take) {
            Some(Value::String(value)) => Ok(Some(Secret::new(value))),
            None | Some(Value::Null) => Ok(None),
            // What it is instead may be the secret in another form.
            Some(_) => Err("the editor's answer to tta/secret/get is no text".to_owned()),
        }
    }

    async fn read<R: DeserializeOwned>(self, method: &'static str, params: impl Serialize) -> Result<R, String> {
        let answer = self.ask(method, params).await?;
        serde_json::from_value(answer).map_err(|e| format!("the editor's answer to {method} is not understood: {e}"))
    }
}

impl Asker for LspEditor {
    fn approve(&self, request: ApprovalRequest) -> BoxFuture<'static, Option<ApprovalReply>> {
        let asked = self.clone().read("tta/approve", request);
        Box::pin(async { asked.await.inspect_err(|e| tracing::warn!("nobody was asked: {e}")).ok() })
    }

    fn offers(&self) -> Offers {
        Offers { form: true, url: true, sampling: true }
    }

    fn elicit(&self, request: ElicitRequest) -> BoxFuture<'static, Option<ElicitReply>> {
        let asked = self.clone().read("tta/elicit", request);
        Box::pin(async { asked.await.inspect_err(|e| tracing::warn!("nobody was asked: {e}")).ok() })
    }

    fn sample(&self, request: SampleRequest) -> BoxFuture<'static, Option<Result<SampleReply, String>>> {
        let asked = self.clone().read("tta/sample", request);
        Box::pin(async { Some(asked.await) })
    }

    fn open_url(&self, page: OpenUrlRequest) -> BoxFuture<'static, Result<(), String>> {
        let opened = self.clone().read::<bool>("tta/openUrl", page);
        Box::pin(async { if opened.await? { Ok(()) } else { Err("the person did not open it".to_owned()) } })
    }
}

impl Editor for LspEditor {
    fn tools(&self) -> BoxFuture<'static, Result<Vec<EditorTool>, String>> {
        Box::pin(self.clone().read("tta/editorTools/list", json!({})))
    }

    fn call_tool(&self, call: EditorToolCall) -> BoxFuture<'static, Result<EditorToolReply, String>> {
        Box::pin(self.clone().read("tta/editorTools/call", call))
    }

    fn input(&self, request: InputRequest) -> BoxFuture<'static, Result<Option<Secret>, String>> {
        Box::pin(self.clone().secret(request))
    }

    fn kept(&self, key: String) -> BoxFuture<'static, Result<Option<Secret>, String>> {
        Box::pin(self.clone().secret(KeptRequest { key }))
    }

    fn keep(&self, key: String, value: Option<Secret>) -> BoxFuture<'static, Result<(), String>> {
        // The one place where a login leaves the process, for the editor's own store.
        let value = value.as_ref().map(Secret::expose);
        let told = self.clone().ask("tta/secret/set", json!({"key": key, "value": value}));
        Box::pin(async { told.await.map(drop) })
    }
}

/// A question that is not answered yet; dropping it withdraws it.
struct Open {
    client: Client,
    id: Option<Id>,
}

impl Drop for Open {
    fn drop(&mut self) {
        let Some(Id::Number(id)) = self.id.take() else { return };
        let id = NumberOrString::Number(i32::try_from(id).expect("the client counts its requests in 32 bits"));
        // At the end of the process there is nobody left to tell.
        if let Ok(runtime) = Handle::try_current() {
            let client = self.client.clone();
            runtime.spawn(async move { client.send_notification::<Cancel>(CancelParams { id }).await });
        }
    }
}
