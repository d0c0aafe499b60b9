//! The MCP front: two tools over stdio or loopback HTTP. Decodes, submits, encodes.
//!
//! Invariants: HTTP is bound to a loopback address only and every request must carry the bearer token, an allowed Host,
//! and no foreign Origin; sessions, connections, bodies and idle times are bounded. What a tool answers is
//! `model::reply_text`, the same text the ledger counts; whatever else a result carries is for people and never reaches a
//! model. Every revision of the protocol is spoken, with sessions and without. Left out on purpose: any tool, resource or
//! prompt of the servers behind, which programs reach and models need not see, except for the tools that a person wants to be
//! called directly (`direct.rs`). For people the HTTP endpoint has the
//! dashboard.

mod answer;
mod auth;
mod card;
mod dashboard;
mod direct;
mod elicit;
mod front;
mod http;
mod log;
mod metrics;
mod pages;
mod parked;
mod progress;
mod prompts;
mod question;
mod results;
mod run;
mod tools;

pub use auth::Auth;
pub use dashboard::report_page;
pub use http::{HttpLimits, HttpServer, Seat, serve_dashboard, serve_handler, serve_http};
pub use parked::Parked;

use daemon::Daemon;
use rmcp::ServiceExt as _;
use std::net::SocketAddr;

/// Why a front could not be served.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Only loopback is served: everyone who reaches the port could run programs.
    #[error("{0} is not a loopback address: use 127.0.0.1:PORT (PORT 0 picks a free one)")]
    NotLoopback(SocketAddr),
    /// The port could not be bound.
    #[error("cannot listen on {addr}: {source}; another port, or 0 for a free one, may do")]
    Bind {
        /// Where.
        addr: SocketAddr,
        /// Why not.
        source: std::io::Error,
    },
    /// The client broke the protocol before it was a session.
    #[error("the MCP client's handshake failed: {0}")]
    Handshake(String),
    /// The system gave no randomness for a token.
    #[error("no randomness for a token: {0}")]
    Random(String),
}

/// Serves one client over this process's stdin and stdout until it closes them.
pub async fn serve_stdio(daemon: Daemon) -> Result<(), Error> {
    serve(daemon, rmcp::transport::stdio_pipes()).await
}

/// The same over any pair of byte streams.
pub async fn serve<R, W>(daemon: Daemon, (input, output): (R, W)) -> Result<(), Error>
where
    R: tokio::io::AsyncRead + Send + Unpin + 'static,
    W: tokio::io::AsyncWrite + Send + Unpin + 'static,
{
    let service = match front::Front::new(daemon).serve((input, output)).await {
        Ok(service) => service,
        // A client that leaves before it says anything is no error.
        Err(rmcp::service::ServerInitializeError::ConnectionClosed(_)) => return Ok(()),
        Err(e) => return Err(Error::Handshake(e.to_string())),
    };
    if let Err(e) = service.waiting().await {
        tracing::warn!("the MCP session ended badly: {e}");
    }
    Ok(())
}
