//! The same metrics over OTLP, under the same names and with the same labels.
//!
//! What Prometheus is told when it asks, a collector is told by callbacks, once an interval.

use crate::metrics::{
    CALL_SECONDS, Counted, RUN_SECONDS, cache_outcome, call_status, cost_saved, savings, signed, token_figures,
};
use crate::now::{Now, resident_bytes};
use model::{Language, RunStatus};
use opentelemetry::KeyValue;
use opentelemetry::metrics::{Counter, Histogram, Meter};
use std::sync::Arc;
use std::time::Duration;

/// Asks the daemon how it is.
pub(crate) type Observe = Arc<dyn Fn() -> Now + Send + Sync>;

/// What is told as it happens.
#[derive(Debug)]
pub(crate) struct Instruments {
    runs: Counter<u64>,
    run_seconds: Histogram<f64>,
    calls: Counter<u64>,
    call_seconds: Histogram<f64>,
    cache_events: Counter<u64>,
}

impl Instruments {
    pub(crate) fn new(meter: &Meter, observe: &Observe) -> Self {
        observed(meter, observe);
        let seconds =
            |name, buckets: &[f64]| meter.f64_histogram(name).with_unit("s").with_boundaries(buckets.to_vec()).build();
        Self {
            runs: meter.u64_counter("tta_runs_total").build(),
            run_seconds: seconds("tta_run_duration_seconds", &RUN_SECONDS),
            calls: meter.u64_counter("tta_tool_calls_total").build(),
            call_seconds: seconds("tta_tool_call_duration_seconds", &CALL_SECONDS),
            cache_events: meter.u64_counter("tta_cache_events_total").build(),
        }
    }

    pub(crate) fn run(&self, status: RunStatus, language: Language, took: Duration) {
        let language = KeyValue::new("language", language.as_str());
        self.run_seconds.record(took.as_secs_f64(), std::slice::from_ref(&language));
        self.runs.add(1, &[KeyValue::new("status", status.as_str()), language]);
    }

    pub(crate) fn call(&self, call: &Counted) {
        let server = KeyValue::new("server", Arc::clone(&call.server));
        self.call_seconds.record(call.took.as_secs_f64(), std::slice::from_ref(&server));
        let cache = cache_outcome(call.cache);
        let labels = [
            server,
            KeyValue::new("tool", Arc::clone(&call.tool)),
            KeyValue::new("status", call_status(call.status)),
            KeyValue::new("cache", cache),
        ];
        self.calls.add(1, &labels);
        self.cache_events.add(1, &[KeyValue::new("event", cache)]);
    }
}

fn observed(meter: &Meter, observe: &Observe) {
    let now = || Arc::clone(observe);
    let ask = now();
    let tokens = meter.u64_observable_counter("tta_tokens_total").with_callback(move |observer| {
        for ([view, baseline, kind], tokens) in token_figures(&ask()) {
            let labels =
                [KeyValue::new("view", view), KeyValue::new("baseline", baseline), KeyValue::new("kind", kind)];
            observer.observe(tokens, &labels);
        }
    });
    tokens.build();
    let ask = now();
    // It goes down where direct calling would have been cheaper.
    let saved = meter.i64_observable_up_down_counter("tta_tokens_saved_total").with_callback(move |observer| {
        for (baseline, saved) in savings(&ask()) {
            observer.observe(saved, &[KeyValue::new("baseline", baseline)]);
        }
    });
    saved.build();
    let ask = now();
    let cost = meter.f64_observable_up_down_counter("tta_cost_saved_usd_total").with_callback(move |observer| {
        if let Some((model, saved)) = cost_saved(&ask()) {
            observer.observe(saved, &[KeyValue::new("model", model)]);
        }
    });
    cost.build();
    let ask = now();
    let servers = meter.i64_observable_gauge("tta_servers").with_callback(move |observer| {
        for (state, count) in ask().servers {
            observer.observe(signed(count), &[KeyValue::new("state", state)]);
        }
    });
    servers.build();
    let gauge = |name: &'static str, read: fn(&Now) -> u64| {
        let ask = now();
        let gauge = meter.i64_observable_gauge(name);
        gauge.with_callback(move |observer| observer.observe(signed(read(&ask())), &[])).build();
    };
    gauge("tta_live_runs", |now| now.live_runs);
    gauge("tta_ledger_pending_runs", |now| now.pending_runs);
    gauge("tta_resident_memory_bytes", |_| resident_bytes());
}
