//! The way of a span to its export: a queue with an end, whose losses are counted.
//!
//! Invariant: every span that ended is counted once more, as exported, failed or dropped, or is still in the queue.

use crate::metrics::Metrics;
use opentelemetry::Context;
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::{BatchSpanProcessor, Span, SpanData, SpanExporter, SpanProcessor};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

/// Spans that wait to be sent.
pub(crate) const QUEUE_MAX: usize = 2_048;

/// Spans between their end and the end of their export.
#[derive(Clone, Debug)]
pub(crate) struct Gate {
    metrics: Arc<Metrics>,
    waiting: Arc<AtomicUsize>,
}

impl Gate {
    pub(crate) fn new(metrics: Arc<Metrics>) -> Self {
        Self { metrics, waiting: Arc::default() }
    }

    fn enter(&self) -> bool {
        let entered = self.waiting.fetch_add(1, Ordering::Relaxed) < QUEUE_MAX;
        if !entered {
            self.waiting.fetch_sub(1, Ordering::Relaxed);
            self.metrics.spans("dropped", 1);
        }
        entered
    }

    fn leave(&self, spans: usize, result: &'static str) {
        self.waiting.fetch_sub(spans, Ordering::Relaxed);
        self.metrics.spans(result, spans as u64);
    }
}

/// Takes ended spans as long as there is room.
#[derive(Debug)]
pub(crate) struct Queue {
    pub(crate) gate: Gate,
    pub(crate) batches: BatchSpanProcessor,
}

impl SpanProcessor for Queue {
    fn on_start(&self, span: &mut Span, context: &Context) {
        self.batches.on_start(span, context);
    }

    fn on_end(&self, span: SpanData) {
        if span.span_context.is_sampled() && self.gate.enter() {
            self.batches.on_end(span);
        }
    }

    fn force_flush(&self) -> OTelSdkResult {
        self.batches.force_flush()
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.batches.shutdown_with_timeout(timeout)
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.batches.set_resource(resource);
    }
}

/// An exporter that says what became of its spans.
#[derive(Debug)]
pub(crate) struct Told<E> {
    pub(crate) gate: Gate,
    pub(crate) exporter: E,
}

impl<E: SpanExporter> SpanExporter for Told<E> {
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        let spans = batch.len();
        let sent = self.exporter.export(batch).await;
        self.gate.leave(spans, if sent.is_ok() { "exported" } else { "failed" });
        sent
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.exporter.shutdown_with_timeout(timeout)
    }

    fn force_flush(&self) -> OTelSdkResult {
        self.exporter.force_flush()
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.exporter.set_resource(resource);
    }
}
