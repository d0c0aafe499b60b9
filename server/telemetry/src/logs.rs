//! Log records: a run that ended, a server that is in another state. Events with names and numbers, as in spans.
//!
//! Invariants: a body is a fixed text, and no attribute is a text of a program, an argument, an answer, an error or a path;
//! what happens in a traced run names its span. Recording waits for nobody: beyond the queue's end a record is dropped. Left
//! out: the daemon's own log, in whose texts contents and paths may stand.

use crate::metrics::signed;
use model::{RunReply, RunStatus};
use opentelemetry::logs::{AnyValue, LogRecord as _, Logger as _, LoggerProvider as _, Severity};
use opentelemetry::trace::TraceContextExt as _;
use opentelemetry::{Context, Key};
use opentelemetry_otlp::LogExporter;
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::logs::{BatchConfigBuilder, BatchLogProcessor, SdkLogger, SdkLoggerProvider};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

/// The way of records to a collector.
#[derive(Debug)]
pub(crate) struct Logs {
    provider: SdkLoggerProvider,
    logger: SdkLogger,
}

/// A name of an attribute and what it is.
type Attribute = (&'static str, AnyValue);

impl Logs {
    pub(crate) fn new(exporter: LogExporter, resource: Resource, every: Duration, queue_max: usize) -> Self {
        let config = BatchConfigBuilder::default().with_scheduled_delay(every).with_max_queue_size(queue_max);
        let batches = BatchLogProcessor::builder(exporter).with_batch_config(config.build()).build();
        let provider = SdkLoggerProvider::builder().with_resource(resource).with_log_processor(batches).build();
        let logger = provider.logger("tta");
        Self { provider, logger }
    }

    /// Sends what waits, within a time, and ends. Blocks.
    pub(crate) fn end(&self, within: Duration) {
        let _ = self.provider.shutdown_with_timeout(within);
    }

    /// A run has ended so; `traced` is its span, where there is one.
    pub(crate) fn run(&self, reply: &RunReply, traced: Option<&Context>) {
        let mut attributes = vec![
            ("tta.run.id", AnyValue::from(reply.run_id.to_string())),
            ("tta.run.status", reply.status.as_str().into()),
            ("tta.run.language", reply.language.as_str().into()),
            ("tta.run.calls", AnyValue::Int(i64::try_from(reply.calls.len()).unwrap_or(i64::MAX))),
            ("tta.run.wall_ms", AnyValue::Double(reply.usage.wall_ms)),
            ("tta.run.cpu_ms", AnyValue::Double(reply.usage.cpu_ms)),
            ("tta.run.peak_memory_bytes", AnyValue::Int(signed(reply.usage.peak_memory_bytes))),
        ];
        let well = reply.status == RunStatus::Ok;
        if !well {
            let kind = reply.error.as_ref().map_or(reply.status.as_str(), |error| error.kind.as_str());
            attributes.push(("error.type", kind.into()));
        }
        let (body, severity) = if well { ("a run ended", Severity::Info) } else { ("a run failed", Severity::Warn) };
        self.emit("tta.run.ended", body, severity, attributes, traced);
    }

    /// A server is in another state.
    pub(crate) fn server(&self, server: &Arc<str>, state: &'static str, trouble: bool) {
        let attributes = vec![("tta.server", AnyValue::from(server.to_string())), ("tta.server.state", state.into())];
        let severity = if trouble { Severity::Warn } else { Severity::Info };
        self.emit("tta.server.state", "a server is in another state", severity, attributes, None);
    }

    fn emit(
        &self,
        name: &'static str,
        body: &'static str,
        severity: Severity,
        attributes: Vec<Attribute>,
        traced: Option<&Context>,
    ) {
        let mut record = self.logger.create_log_record();
        record.set_event_name(name);
        record.set_timestamp(SystemTime::now());
        record.set_severity_number(severity);
        record.set_severity_text(severity.name());
        record.set_body(body.into());
        record.add_attributes(attributes.into_iter().map(|(key, value)| (Key::from_static_str(key), value)));
        if let Some(context) = traced {
            let span = context.span();
            let span = span.span_context();
            record.set_trace_context(span.trace_id(), span.span_id(), Some(span.trace_flags()));
        }
        self.logger.emit(record);
    }
}
