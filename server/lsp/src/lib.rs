//! The editor's front: LSP over stdio with the project's own `tta/*` methods. Decodes, submits, encodes.
//!
//! Invariants: a handler submits, and takes the document it is about, before it first awaits, so requests reach the
//! daemon in their order and see every edit sent before them; no handler awaits the client, so a client that stops
//! reading cannot wedge the server (what the daemon asks of the editor, it asks in tasks of its own: `editor.rs`); a
//! cancelled request drops its ticket, which cancels its work. When the client leaves, in whatever way, the daemon ends with all it started. Left out on purpose:
//! how MCP is served, which the caller knows (`endpoint`).

mod backend;
mod configs;
mod documents;
mod editor;
mod features;
mod figures;
mod forward;
mod input;
mod markdown;
mod methods;
mod programs;
mod publish;
mod wire;

pub use wire::Endpoint;

use backend::Backend;
use daemon::{Daemon, Options};
use input::WatchedInput;
use std::fmt::Display;
use std::future::Future;
use tokio::io::{AsyncRead, AsyncWrite};
use tower_lsp::{LspService, Server};

/// Requests handled at once. Far more than the daemon takes, which answers `Busy`: at this number further messages would
/// wait, and `$/cancelRequest` among them.
const REQUESTS_MAX: usize = 4_096;

/// Serves one editor until it exits, closes the input, or `stop` ends. The daemon starts with `initialize`, whose answer
/// carries what `endpoint` returns; it has ended when this returns.
pub async fn serve<F, Fut, E>(
    input: impl AsyncRead + Unpin,
    output: impl AsyncWrite,
    options: Options,
    endpoint: F,
    stop: impl Future<Output = ()>,
) where
    F: FnOnce(Daemon) -> Fut + Send + 'static,
    Fut: Future<Output = Result<Endpoint, E>> + Send + 'static,
    E: Display,
{
    let daemon = backend::Slot::default();
    let (service, socket) = LspService::build(|client| Backend::new(client, options, endpoint, daemon.clone()))
        .custom_method("tta/run", Backend::run)
        .custom_method("tta/searchTools", Backend::search_tools)
        .custom_method("tta/call", Backend::call)
        .custom_method("tta/servers", Backend::servers)
        .custom_method("tta/restartServer", Backend::restart_server)
        .custom_method("tta/stopServer", Backend::stop_server)
        .custom_method("tta/loginServer", Backend::login_server)
        .custom_method("tta/logoutServer", Backend::logout_server)
        .custom_method("tta/importServers", Backend::import_servers)
        .custom_method("tta/serverLog", Backend::server_log)
        .custom_method("tta/serverTools", Backend::server_tools)
        .custom_method("tta/savings", Backend::savings)
        .custom_method("tta/runs", Backend::runs)
        .custom_method("tta/report", Backend::report)
        .custom_method("tta/report/render", Backend::render_report)
        .custom_method("tta/explain", Backend::explain)
        .custom_method("tta/run/calls", Backend::run_calls)
        .custom_method("tta/runs/live", Backend::live_runs)
        .custom_method("tta/run/get", Backend::run_detail)
        .custom_method("tta/stopRun", Backend::stop_run)
        .custom_method("tta/receipt", Backend::receipt)
        .custom_method("tta/approvals", Backend::approvals)
        .custom_method("tta/approvals/forget", Backend::forget_approval)
        .custom_method("tta/doctor", Backend::doctor)
        .custom_method("tta/editorTools/changed", Backend::editor_tools_changed)
        .finish();
    let (input, ended) = WatchedInput::new(input);
    let serving = Server::new(input, output, socket).concurrency_level(REQUESTS_MAX).serve(service);
    // An editor that died leaves no `exit`: the end of the input drops every handler, and with it every run.
    tokio::select! {
        () = serving => {}
        () = ended => {}
        () = stop => {}
    }
    if let Some(daemon) = daemon.get() {
        daemon.shutdown().await;
    }
}
