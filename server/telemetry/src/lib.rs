//! Telemetry: metrics for whoever asks with the token, and traces, metrics and log records to an OTLP collector where that is
//! switched on.
//!
//! Invariants: nothing is sent by default; contents never leave (`spans.rs` says what does); recording waits for nothing
//! and nobody, sending is bounded in memory and time (`pipeline.rs`, `bounded.rs`), and labels in number (`names.rs`).
//! Left out: the texts of the daemon's own log, in which contents and paths may stand (`logs.rs`).

#![forbid(unsafe_code)]

mod bounded;
mod client;
mod instruments;
mod logs;
mod metrics;
mod names;
mod now;
mod pipeline;
mod spans;

pub use names::{OTHER, UNKNOWN};
pub use now::Now;
pub use spans::{CallSpan, RunSpan};

use crate::instruments::Observe;
use crate::metrics::{Counted, Metrics};
use crate::names::Names;
use crate::pipeline::Pipeline;
use model::{Language, RunStatus, TelemetrySettings};
use opentelemetry_sdk::trace::SdkTracer;
use std::sync::{Arc, OnceLock, PoisonError, RwLock};
use std::time::Duration;
use tokio::runtime::Handle;
use tokio::sync::oneshot;

/// The type of [`Telemetry::metrics_text`], as HTTP names it.
pub const METRICS_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// Longest time that the end waits for what is still to be sent.
const END_MAX: Duration = Duration::from_secs(2);

/// Why telemetry as it is configured cannot be sent.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The collector's address is none.
    #[error("the collector's address `{endpoint}` cannot be used: {why}; write one such as http://127.0.0.1:4318")]
    Endpoint {
        /// As it is written.
        endpoint: String,
        /// What is wrong with it.
        why: String,
    },
    /// A header is none.
    #[error("the header `{0}` cannot be sent: its name or its value has characters that a header has not")]
    Header(String),
    /// No HTTP client.
    #[error("no HTTP client for telemetry: {0}")]
    Client(String),
    /// The standard variables say what cannot be.
    #[error("telemetry cannot be sent: {0}; correct the OTEL_ variables")]
    Exporter(String),
}

/// What is recorded, and where it goes; clones share it.
#[derive(Clone)]
pub struct Telemetry(Arc<Inner>);

struct Inner {
    metrics: Arc<Metrics>,
    observe: OnceLock<Observe>,
    pipeline: RwLock<Option<Arc<Pipeline>>>,
}

impl std::fmt::Debug for Telemetry {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Telemetry").finish_non_exhaustive()
    }
}

impl Default for Telemetry {
    fn default() -> Self {
        Self::new()
    }
}

impl Telemetry {
    /// Counts from now on and sends nothing.
    pub fn new() -> Self {
        let metrics = Arc::new(Metrics::new());
        Self(Arc::new(Inner { metrics, observe: OnceLock::new(), pipeline: RwLock::default() }))
    }

    /// Where to ask what the daemon knows anyway. Only the first one counts.
    pub fn observe(&self, observe: impl Fn() -> Now + Send + Sync + 'static) {
        let _ = self.0.observe.set(Arc::new(observe));
    }

    /// Sends from now on what `wanted` says and nothing else. Where that is what is sent already, nothing happens; what an
    /// earlier configuration still has to send is sent beside. Called on the runtime that is to do the sending.
    pub fn configure(&self, wanted: &TelemetrySettings) -> Result<(), Error> {
        let wanted = Some(wanted).filter(|wanted| wanted.is_on());
        if self.pipeline().map(|now| now.settings.clone()).as_ref() == wanted {
            return Ok(());
        }
        let next = match wanted {
            Some(wanted) => {
                let observe = self.0.observe.get().cloned().unwrap_or_else(|| Arc::new(Now::default));
                Some(Arc::new(Pipeline::new(wanted.clone(), &self.0.metrics, &observe, Handle::current())?))
            }
            None => None,
        };
        self.replace(next);
        Ok(())
    }

    /// Everything that is counted, as `OpenMetrics` text of the type [`METRICS_TYPE`].
    pub fn metrics_text(&self) -> String {
        let now = self.0.observe.get().map(|observe| observe()).unwrap_or_default();
        self.0.metrics.render(&now)
    }

    /// Ends the sending; waits two seconds at most for what is still to be sent.
    pub async fn shutdown(&self) {
        if let Some(ended) = self.replace(None) {
            let _ = tokio::time::timeout(END_MAX, ended).await;
        }
    }

    /// Puts another pipeline in place; what comes back resolves when the old one has ended.
    fn replace(&self, next: Option<Arc<Pipeline>>) -> Option<oneshot::Receiver<()>> {
        let mut pipeline = self.0.pipeline.write().unwrap_or_else(PoisonError::into_inner);
        let old = std::mem::replace(&mut *pipeline, next)?;
        drop(pipeline);
        let (tx, ended) = oneshot::channel();
        // Its flush blocks, and the process does not wait for a thread.
        let thread = std::thread::Builder::new().name("telemetry-end".to_owned()).spawn(move || {
            old.end();
            let _ = tx.send(());
        });
        thread.ok().map(|_| ended)
    }

    /// A server is in another state, by the state's name on the wire; `trouble` where somebody should look.
    pub fn server_state(&self, server: &str, state: &'static str, trouble: bool) {
        if let Some(logs) = self.pipeline().as_ref().and_then(|pipeline| pipeline.logs.as_ref()) {
            let (server, _) = self.names().labels(Some(server), None);
            logs.server(&server, state, trouble);
        }
    }

    fn pipeline(&self) -> Option<Arc<Pipeline>> {
        self.0.pipeline.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn tracer(&self) -> Option<SdkTracer> {
        self.pipeline()?.tracer().cloned()
    }

    fn names(&self) -> &Names {
        &self.0.metrics.names
    }

    fn count_run(&self, status: RunStatus, language: Language, took: Duration) {
        self.0.metrics.run(status, language, took);
        if let Some(instruments) = self.pipeline().as_ref().and_then(|p| p.instruments.as_ref()) {
            instruments.run(status, language, took);
        }
    }

    fn count_call(&self, call: &Counted) {
        self.0.metrics.call(call);
        if let Some(instruments) = self.pipeline().as_ref().and_then(|p| p.instruments.as_ref()) {
            instruments.call(call);
        }
    }
}
