//! `tta mcp` and `tta lsp`: a daemon that serves until its client leaves or a signal ends it.

use crate::args::{Common, McpArgs};
use crate::failure::{Failure, Outcome};
use crate::output::say;
use crate::session::options;
use daemon::Daemon;
use mcp::{Auth, HttpLimits, HttpServer};
use model::Secret;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, OnceLock};

/// The environment variable that sets the token of `tta mcp --http`, for scripts.
const TOKEN_VARIABLE: &str = "TTA_HTTP_TOKEN";

/// The shortest token that is taken from there.
const TOKEN_BYTES_MIN: usize = 16;

/// `tta mcp`.
pub(crate) async fn mcp(args: &McpArgs, common: &Common) -> Outcome {
    let auth = match args.http {
        Some(_) if args.insecure_no_token => Some(Auth::Open),
        Some(_) => Some(auth()?),
        None => None,
    };
    let daemon = Daemon::start(options(common)).await?;
    let served = async {
        match args.http.zip(auth) {
            Some((addr, auth)) => serve_http(daemon.clone(), addr, auth).await,
            None => Ok(mcp::serve_stdio(daemon.clone()).await?),
        }
    };
    let outcome = tokio::select! {
        served = served => served,
        () = told_to_stop() => Ok(()),
    };
    daemon.shutdown().await;
    outcome.map(|()| 0)
}

/// `tta lsp`: the editor gets the endpoint's URL and token in the answer to `initialize`.
pub(crate) async fn lsp(common: &Common) -> Outcome {
    let held: Arc<OnceLock<HttpServer>> = Arc::default();
    let keep = Arc::clone(&held);
    let endpoint = async move |daemon: Daemon| {
        let addr = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let server = mcp::serve_http(daemon, addr, Auth::random()?, HttpLimits::default()).await?;
        let token = server.auth().token().cloned().unwrap_or_default();
        let endpoint = lsp::Endpoint { url: server.url(), token };
        let _ = keep.set(server);
        Ok::<_, mcp::Error>(endpoint)
    };
    lsp::serve(tokio::io::stdin(), tokio::io::stdout(), options(common), endpoint, told_to_stop()).await;
    if let Some(server) = Arc::into_inner(held).and_then(OnceLock::into_inner) {
        server.stop().await;
    }
    Ok(0)
}

async fn serve_http(daemon: Daemon, addr: SocketAddr, auth: Auth) -> Result<(), Failure> {
    let server = mcp::serve_http(daemon, addr, auth, HttpLimits::default()).await?;
    say(&format!("tta: MCP at {}", server.url()));
    match server.auth().token() {
        Some(token) => say(&format!("tta: Authorization: Bearer {}", token.expose())),
        None => say("tta: WARNING: no token is asked: every process and user of this machine may run programs"),
    }
    server.ended().await;
    Ok(())
}

/// The token of the environment, or a new one.
pub(crate) fn auth() -> Result<Auth, Failure> {
    match std::env::var(TOKEN_VARIABLE) {
        Ok(token) if token.len() >= TOKEN_BYTES_MIN && token.bytes().all(|b| b.is_ascii_graphic()) => {
            Ok(Auth::Token(Secret::new(token)))
        }
        Ok(_) => Err(Failure::usage(
            format!("{TOKEN_VARIABLE} must be at least {TOKEN_BYTES_MIN} visible ASCII characters"),
            "unset it, and a random token is made",
        )),
        Err(_) => Ok(Auth::random()?),
    }
}

/// Ctrl-C, or the polite signal to end.
pub(crate) async fn told_to_stop() {
    let interrupted = async {
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    };
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        if let Ok(mut terminate) = signal(SignalKind::terminate()) {
            tokio::select! {
                () = interrupted => {}
                _ = terminate.recv() => {}
            }
            return;
        }
    }
    interrupted.await;
}
