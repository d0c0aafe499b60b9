//! A run and its calls as they go on: one span each where traces are sent, and what is counted of them in any case.
//!
//! Names and attributes are those of the `OpenTelemetry` semantic conventions for generative AI and MCP, version 0.1.0
//! (`semantic-conventions-genai`; both are still in development there): a call is `tools/call TOOL`, of kind client, with
//! `mcp.method.name`, `gen_ai.operation.name` and `gen_ai.tool.name`. What they do not know is ours, `tta.*`.
//!
//! Invariant: an attribute is a name of a server or a tool, a status, a kind of failure, a size, a count or a time; never
//! a text of a program, an argument, an answer or an error. What is dropped on the way is counted and ended as cancelled.

use crate::Telemetry;
use crate::metrics::{Counted, cache_outcome, call_status, signed};
use model::{
    CacheOutcome, CallRecord, CallStatus, ErrorKind, Method, Origin, RunId, RunReply, RunStatus, TraceContext,
};
use opentelemetry::propagation::{Extractor, Injector, TextMapPropagator as _};
use opentelemetry::trace::{SpanBuilder, SpanKind, Status, TraceContextExt as _, Tracer as _};
use opentelemetry::{Context, KeyValue};
use opentelemetry_sdk::propagation::TraceContextPropagator;
use opentelemetry_sdk::trace::SdkTracer;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// A run, or a front's own call, whose calls it is the parent of. Clones share it.
#[derive(Clone, Debug)]
pub struct RunSpan {
    telemetry: Telemetry,
    /// Where traces are sent: what its calls are children of.
    traced: Option<(SdkTracer, Context)>,
}

/// A call under way. Dropping it ends it as cancelled.
#[derive(Debug)]
pub struct CallSpan {
    telemetry: Telemetry,
    context: Option<Context>,
    server: Option<Arc<str>>,
    tool: Option<Arc<str>>,
    started: Instant,
    ended: bool,
}

impl Telemetry {
    /// A run begins, as a child of what its client says it belongs to.
    pub fn run(&self, run_id: &RunId, origin: &Origin) -> RunSpan {
        let traced = self.tracer().map(|tracer| {
            let parent = parent(origin.trace.as_ref());
            let mut attributes = vec![
                KeyValue::new("tta.run.id", run_id.to_string()),
                KeyValue::new("tta.front", origin.front),
                KeyValue::new("gen_ai.operation.name", "execute_tool"),
                KeyValue::new("gen_ai.tool.name", "run_code"),
            ];
            let kind = if origin.front == "mcp" {
                attributes.push(KeyValue::new("mcp.method.name", "tools/call"));
                SpanKind::Server
            } else {
                SpanKind::Internal
            };
            let span = SpanBuilder::from_name("tta.run").with_kind(kind).with_attributes(attributes);
            let span = tracer.build_with_context(span, &parent);
            (tracer, parent.with_span(span))
        });
        RunSpan { telemetry: self.clone(), traced }
    }

    /// A front's own call begins: no run, and the call's span has no parent here.
    pub fn direct(&self, origin: &Origin) -> RunSpan {
        let traced = self.tracer().map(|tracer| (tracer, parent(origin.trace.as_ref())));
        RunSpan { telemetry: self.clone(), traced }
    }
}

impl RunSpan {
    /// A call of it begins. Of what nobody has found yet, no name is known.
    pub fn call(&self) -> CallSpan {
        let context = self.traced.as_ref().map(|(tracer, parent)| {
            let span = SpanBuilder::from_name("tools/call").with_kind(SpanKind::Client);
            parent.with_span(tracer.build_with_context(span, parent))
        });
        let telemetry = self.telemetry.clone();
        CallSpan { telemetry, context, server: None, tool: None, started: Instant::now(), ended: false }
    }

    /// It has ended so.
    pub fn end(&self, reply: &RunReply) {
        let took = Duration::try_from_secs_f64(reply.usage.wall_ms / 1e3).unwrap_or_default();
        self.telemetry.count_run(reply.status, reply.language, took);
        let context = self.traced.as_ref().map(|(_, context)| context);
        if let Some(logs) = self.telemetry.pipeline().as_ref().and_then(|pipeline| pipeline.logs.as_ref()) {
            logs.run(reply, context);
        }
        let Some(context) = context else { return };
        let span = context.span();
        span.set_attributes([
            KeyValue::new("tta.run.status", reply.status.as_str()),
            KeyValue::new("tta.run.language", reply.language.as_str()),
            KeyValue::new("tta.run.calls", i64::try_from(reply.calls.len()).unwrap_or(i64::MAX)),
            KeyValue::new("tta.run.cpu_ms", reply.usage.cpu_ms),
            KeyValue::new("tta.run.peak_memory_bytes", signed(reply.usage.peak_memory_bytes)),
            KeyValue::new("tta.run.output_bytes", signed(reply.usage.output_bytes)),
        ]);
        if reply.status != RunStatus::Ok {
            let kind = reply.error.as_ref().map_or(reply.status.as_str(), |error| error.kind.as_str());
            span.set_attribute(KeyValue::new("error.type", kind));
            span.set_status(Status::error(""));
        }
        span.end();
    }
}

impl CallSpan {
    /// The server is one that is configured.
    pub fn server(&mut self, server: &str) {
        let (server, _) = self.telemetry.names().labels(Some(server), None);
        self.server = Some(server);
    }

    /// The tool is one of that server's; `method` where it is no tool but one of MCP's own questions.
    pub fn tool(&mut self, server: &str, tool: &str, method: Option<Method>) {
        let (server, label) = self.telemetry.names().labels(Some(server), Some(tool));
        let asked = method.map_or("tools/call", Method::name);
        if let Some(context) = &self.context {
            let span = context.span();
            span.set_attribute(KeyValue::new("mcp.method.name", asked));
            if method.is_none() {
                span.update_name(format!("tools/call {label}"));
                span.set_attribute(KeyValue::new("gen_ai.operation.name", "execute_tool"));
                span.set_attribute(KeyValue::new("gen_ai.tool.name", Arc::clone(&label)));
            } else {
                span.update_name(asked);
            }
        }
        (self.server, self.tool) = (Some(server), Some(label));
    }

    /// What the server is told of the trace; nothing where none is sent.
    pub fn trace(&self) -> Option<TraceContext> {
        let mut written = Written::default();
        TraceContextPropagator::new().inject_context(self.context.as_ref()?, &mut written);
        (!written.0.parent.is_empty()).then_some(written.0)
    }

    /// It has ended so; `kind` is that of its failure.
    pub fn end(mut self, call: &CallRecord, kind: Option<ErrorKind>) {
        let took = Duration::try_from_secs_f64(call.ms / 1e3).unwrap_or_default();
        if let Some(context) = &self.context {
            context.span().set_attributes([
                KeyValue::new("tta.call.wave", i64::from(call.wave)),
                KeyValue::new("tta.call.argument_bytes", signed(call.argument_bytes)),
                KeyValue::new("tta.call.result_bytes", signed(call.result_bytes)),
            ]);
        }
        self.settle(call.status, call.cache, took, kind);
    }

    fn settle(&mut self, status: CallStatus, cache: CacheOutcome, took: Duration, kind: Option<ErrorKind>) {
        self.ended = true;
        let found = |name: &Option<Arc<str>>| name.clone().unwrap_or_else(|| crate::names::UNKNOWN.into());
        let call = Counted { server: found(&self.server), tool: found(&self.tool), status, cache, took };
        self.telemetry.count_call(&call);
        let Some(context) = &self.context else { return };
        let span = context.span();
        span.set_attributes([
            KeyValue::new("tta.server", call.server),
            KeyValue::new("tta.call.status", call_status(status)),
            KeyValue::new("tta.call.cache", cache_outcome(cache)),
        ]);
        if status != CallStatus::Ok {
            span.set_attribute(KeyValue::new("error.type", error_type(status, kind)));
            span.set_status(Status::error(""));
        }
        span.end();
    }
}

impl Drop for CallSpan {
    fn drop(&mut self) {
        if !self.ended {
            let took = self.started.elapsed();
            self.settle(CallStatus::Cancelled, CacheOutcome::Miss, took, None);
        }
    }
}

/// The conventions' word where they have one.
fn error_type(status: CallStatus, kind: Option<ErrorKind>) -> &'static str {
    match (status, kind) {
        (CallStatus::Error, Some(ErrorKind::Tool) | None) => "tool_error",
        (CallStatus::Error, Some(kind)) => kind.as_str(),
        (status, _) => call_status(status),
    }
}

fn parent(trace: Option<&TraceContext>) -> Context {
    match trace {
        Some(trace) => TraceContextPropagator::new().extract_with_context(&Context::new(), &Read(trace)),
        None => Context::new(),
    }
}

struct Read<'a>(&'a TraceContext);

impl Extractor for Read<'_> {
    fn get(&self, key: &str) -> Option<&str> {
        match key {
            "traceparent" => Some(&self.0.parent),
            "tracestate" => Some(&self.0.state),
            _ => None,
        }
    }

    fn keys(&self) -> Vec<&str> {
        vec!["traceparent", "tracestate"]
    }
}

#[derive(Default)]
struct Written(TraceContext);

impl Injector for Written {
    fn set(&mut self, key: &str, value: String) {
        match key {
            "traceparent" => self.0.parent = value,
            "tracestate" => self.0.state = value,
            _ => {}
        }
    }
}
