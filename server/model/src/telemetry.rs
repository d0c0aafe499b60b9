//! What telemetry is sent and where, and the trace that a request belongs to.

use crate::secret::Secret;
use std::collections::BTreeMap;

/// The `[telemetry]` section: nothing is sent unless it says so.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TelemetrySettings {
    /// Base URL of an OTLP collector over HTTP, such as `http://127.0.0.1:4318`; `/v1/traces` and the like follow it.
    /// Where absent, the standard variables say, or else that very address is used.
    pub otlp_endpoint: Option<String>,
    /// Headers of every export, such as a collector's key.
    pub headers: BTreeMap<String, Secret>,
    /// Send spans, and give servers the trace that their calls belong to.
    pub traces: bool,
    /// Send metrics.
    pub metrics: bool,
    /// Send a record for each run that ended and each change of a server's state: names and numbers, as in spans.
    pub logs: bool,
}

impl TelemetrySettings {
    /// Whether anything is to be sent.
    pub fn is_on(&self) -> bool {
        self.traces || self.metrics || self.logs
    }
}

/// The trace that a request belongs to, as W3C Trace Context writes it: <https://www.w3.org/TR/trace-context/>.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TraceContext {
    /// `traceparent`: version, trace, span and flags in hexadecimal.
    pub parent: String,
    /// `tracestate`; empty where there is none.
    pub state: String,
}
