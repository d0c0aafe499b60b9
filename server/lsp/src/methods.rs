//! The project's own methods, `tta/*`. Each submits before it first awaits, and encodes the reply of the same name.

use crate::backend::{Backend, fault, refused};
use crate::wire::{ForgetParams, NoParams, Receipt, RunIdParams, RunParams, RunsParams, ServerParams, ServersParams};
use model::editor::Approval;
use model::explain::{ExplainRequest, Explanation};
use model::import::{ImportReply, ImportRequest};
use model::render::RenderRequest;
use model::reply::{CallReply, Check, LiveRun, RunDetail, RunSummary, SearchReply, ToolInfo};
use model::report::{CallRow, ReportRequest, SavingsReport};
use model::{CallRequest, Reply, Request, RunId, RunReply, SavingsSummary, SearchRequest, ServerStatus, TokenReport};
use tower_lsp::jsonrpc::{Error, Result};

/// The daemon's answer to a request, which must be of one kind.
macro_rules! answer {
    ($backend:ident, $request:expr, $reply:pat => $value:expr) => {
        match $backend.ask($request).await? {
            $reply => Ok($value),
            other => Err(mismatch(&other)),
        }
    };
}

impl Backend {
    /// `tta/run`
    pub(crate) async fn run(&self, params: RunParams) -> Result<RunReply> {
        let RunParams { request, wait_receipt, uri } = params;
        let version = uri.as_ref().and_then(|uri| self.documents.get(uri)).map(|document| document.version());
        let mut reply = answer!(self, Request::Run(request), Reply::Run(reply) => *reply)?;
        if wait_receipt {
            match self.counted(reply.run_id.clone()).await {
                Ok((report, result_tokens)) => reply.add_receipt(report, &result_tokens),
                // The run itself succeeded; its receipt is absent, which the reply can say.
                Err(e) => tracing::warn!("no receipt: {e}"),
            }
        }
        if let (Some(uri), Some(version)) = (uri, version)
            && self.documents.set_run(&uri, version, &reply)
        {
            self.changes.ran();
        }
        Ok(reply)
    }

    /// `tta/searchTools`
    pub(crate) async fn search_tools(&self, params: SearchRequest) -> Result<SearchReply> {
        answer!(self, Request::Search(params), Reply::Search(reply) => reply)
    }

    /// `tta/call`
    pub(crate) async fn call(&self, params: CallRequest) -> Result<CallReply> {
        answer!(self, Request::Call(params), Reply::Call(reply) => *reply)
    }

    /// `tta/servers`
    pub(crate) async fn servers(&self, params: ServersParams) -> Result<Vec<ServerStatus>> {
        answer!(self, Request::Servers { list: params.list }, Reply::Servers(servers) => servers)
    }

    /// `tta/restartServer`
    pub(crate) async fn restart_server(&self, params: ServerParams) -> Result<Vec<ServerStatus>> {
        answer!(self, Request::RestartServer { server: params.server }, Reply::Servers(servers) => servers)
    }

    /// `tta/stopServer`
    pub(crate) async fn stop_server(&self, params: ServerParams) -> Result<Vec<ServerStatus>> {
        answer!(self, Request::StopServer { server: params.server }, Reply::Servers(servers) => servers)
    }

    /// `tta/loginServer`
    pub(crate) async fn login_server(&self, params: ServerParams) -> Result<Vec<ServerStatus>> {
        answer!(self, Request::Login { server: params.server }, Reply::Servers(servers) => servers)
    }

    /// `tta/logoutServer`
    pub(crate) async fn logout_server(&self, params: ServerParams) -> Result<bool> {
        answer!(self, Request::Logout { server: params.server }, Reply::Done(done) => done)
    }

    /// `tta/importServers`
    pub(crate) async fn import_servers(&self, params: ImportRequest) -> Result<ImportReply> {
        answer!(self, Request::ImportServers(params), Reply::Import(reply) => *reply)
    }

    /// `tta/serverLog`
    pub(crate) async fn server_log(&self, params: ServerParams) -> Result<String> {
        answer!(self, Request::ServerLog { server: params.server }, Reply::ServerLog(log) => log)
    }

    /// `tta/serverTools`
    pub(crate) async fn server_tools(&self, params: ServerParams) -> Result<Vec<ToolInfo>> {
        answer!(self, Request::ServerTools { server: params.server }, Reply::ServerTools(tools) => tools)
    }

    /// `tta/savings`
    pub(crate) async fn savings(&self, _: NoParams) -> Result<SavingsSummary> {
        answer!(self, Request::Savings, Reply::Savings(savings) => *savings)
    }

    /// `tta/runs`
    pub(crate) async fn runs(&self, params: RunsParams) -> Result<Vec<RunSummary>> {
        answer!(self, Request::Runs { limit: params.limit }, Reply::Runs(runs) => runs)
    }

    /// `tta/report`
    pub(crate) async fn report(&self, params: ReportRequest) -> Result<SavingsReport> {
        answer!(self, Request::Report(params), Reply::Report(report) => *report)
    }

    /// `tta/report/render`
    pub(crate) async fn render_report(&self, params: RenderRequest) -> Result<String> {
        answer!(self, Request::RenderReport(params), Reply::Rendered(text) => text)
    }

    /// `tta/explain`
    pub(crate) async fn explain(&self, params: ExplainRequest) -> Result<Explanation> {
        answer!(self, Request::Explain(params), Reply::Explain(explanation) => *explanation)
    }

    /// `tta/run/calls`
    pub(crate) async fn run_calls(&self, params: RunIdParams) -> Result<Vec<CallRow>> {
        answer!(self, Request::RunCalls { run_id: params.run_id }, Reply::RunCalls(calls) => calls)
    }

    /// `tta/runs/live`
    pub(crate) async fn live_runs(&self, _: NoParams) -> Result<Vec<LiveRun>> {
        answer!(self, Request::LiveRuns, Reply::LiveRuns(runs) => runs)
    }

    /// `tta/run/get`
    pub(crate) async fn run_detail(&self, params: RunIdParams) -> Result<Option<Box<RunDetail>>> {
        answer!(self, Request::RunDetail { run_id: params.run_id }, Reply::RunDetail(detail) => detail)
    }

    /// `tta/stopRun`
    pub(crate) async fn stop_run(&self, params: RunIdParams) -> Result<bool> {
        answer!(self, Request::StopRun { run_id: params.run_id }, Reply::Done(done) => done)
    }

    /// `tta/receipt`
    pub(crate) async fn receipt(&self, params: RunIdParams) -> Result<Receipt> {
        let (tokens, result_tokens) = self.counted(params.run_id).await?;
        Ok(Receipt { tokens, result_tokens })
    }

    /// `tta/approvals`
    pub(crate) async fn approvals(&self, _: NoParams) -> Result<Vec<Approval>> {
        answer!(self, Request::Approvals, Reply::Approvals(approvals) => approvals)
    }

    /// `tta/approvals/forget`
    pub(crate) async fn forget_approval(&self, params: ForgetParams) -> Result<Vec<Approval>> {
        answer!(self, Request::ForgetApproval { id: params.id }, Reply::Approvals(approvals) => approvals)
    }

    /// `tta/doctor`
    pub(crate) async fn doctor(&self, _: NoParams) -> Result<Vec<Check>> {
        answer!(self, Request::Doctor, Reply::Doctor(checks) => checks)
    }

    /// `tta/editorTools/changed`, a notification: what comes of it is told by the servers' own.
    pub(crate) async fn editor_tools_changed(&self, _: NoParams) {
        if let Err(e) = self.ask(Request::EditorToolsChanged).await {
            tracing::warn!("the editor's tools were not asked for: {e}");
        }
    }

    async fn counted(&self, run_id: RunId) -> Result<(TokenReport, Vec<u64>)> {
        answer!(self, Request::Receipt { run_id }, Reply::Receipt(report, calls) => (*report, calls))
    }

    /// Submits before the first await, so that requests keep their order.
    async fn ask(&self, request: Request) -> Result<Reply> {
        self.submit(request)?.reply().await.map_err(|e| refused(&e))
    }
}

fn mismatch(other: &Reply) -> Error {
    fault(format!("the daemon answered another question: {other:?}").chars().take(200).collect::<String>())
}
