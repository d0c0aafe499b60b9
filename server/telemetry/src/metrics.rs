//! The metrics as Prometheus reads them, in the `OpenMetrics` format.
//!
//! What happens is counted here as it happens; what the daemon knows anyway (token sums, live runs, the states of
//! servers) is asked for when somebody reads. `tta_tokens_saved_total` goes down where direct calling would have been
//! cheaper, so that it is a gauge whatever its name says: a saving over a time is the difference of the increases of
//! `tta_tokens_total` with `kind="total"`, which only ever grow.

use crate::names::{Names, OTHER, is_fit};
use crate::now::Now;
use model::tokens::SideTokens;
use model::{CacheOutcome, CallStatus, Language, RunStatus};
use prometheus_client::encoding::{EncodeLabelSet, text};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// Servers, and pairs of a server and a tool, that have labels of their own.
pub(crate) const SERVERS_MAX: usize = 100;
pub(crate) const PAIRS_MAX: usize = 500;

/// Upper bounds of the buckets, in seconds.
pub(crate) const RUN_SECONDS: [f64; 14] =
    [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0];
pub(crate) const CALL_SECONDS: [f64; 13] =
    [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0, 10.0, 60.0];

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct RunLabels {
    status: &'static str,
    language: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct LanguageLabel {
    language: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct CallLabels {
    server: Arc<str>,
    tool: Arc<str>,
    status: &'static str,
    cache: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct ServerLabel {
    server: Arc<str>,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct TokenLabels {
    view: &'static str,
    baseline: &'static str,
    kind: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct BaselineLabel {
    baseline: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct ModelLabel {
    model: String,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct EventLabel {
    event: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct StateLabel {
    state: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct SpanLabel {
    result: &'static str,
}

type Timer<L> = Family<L, Histogram, fn() -> Histogram>;

/// Everything that is counted.
#[derive(Debug)]
pub(crate) struct Metrics {
    registry: Registry,
    pub(crate) names: Names,
    runs: Family<RunLabels, Counter>,
    run_seconds: Timer<LanguageLabel>,
    calls: Family<CallLabels, Counter>,
    call_seconds: Timer<ServerLabel>,
    cache_events: Family<EventLabel, Counter>,
    tokens: Family<TokenLabels, Counter>,
    saved: Family<BaselineLabel, Gauge>,
    cost_saved: Family<ModelLabel, Gauge<f64, AtomicU64>>,
    live_runs: Gauge,
    pending_runs: Gauge,
    servers: Family<StateLabel, Gauge>,
    resident_bytes: Gauge,
    spans: Family<SpanLabel, Counter>,
}

impl Metrics {
    pub(crate) fn new() -> Self {
        let mut metrics = Self {
            registry: Registry::default(),
            names: Names::new(SERVERS_MAX, PAIRS_MAX),
            runs: Family::default(),
            run_seconds: Family::new_with_constructor(|| Histogram::new(RUN_SECONDS)),
            calls: Family::default(),
            call_seconds: Family::new_with_constructor(|| Histogram::new(CALL_SECONDS)),
            cache_events: Family::default(),
            tokens: Family::default(),
            saved: Family::default(),
            cost_saved: Family::default(),
            live_runs: Gauge::default(),
            pending_runs: Gauge::default(),
            servers: Family::default(),
            resident_bytes: Gauge::default(),
            spans: Family::default(),
        };
        metrics.register();
        metrics
    }

    /// The format adds `_total` to what only grows.
    fn register(&mut self) {
        let all = &mut self.registry;
        all.register("tta_runs", "Programs that were run", self.runs.clone());
        all.register("tta_run_duration_seconds", "Wall time of runs", self.run_seconds.clone());
        all.register("tta_tool_calls", "Tool calls, those that never reached a server included", self.calls.clone());
        all.register("tta_tool_call_duration_seconds", "Time of tool calls", self.call_seconds.clone());
        all.register("tta_cache_events", "What the cache did for tool calls", self.cache_events.clone());
        let what =
            "Tokens of the runs counted by this process; the kind total is what is billed without prompt caching";
        all.register("tta_tokens", what, self.tokens.clone());
        let what = "Tokens saved against direct calling by this process; below zero where that had been cheaper";
        all.register("tta_tokens_saved_total", what, self.saved.clone());
        let what = "US dollars saved against direct calling by this process, at the model's price with prompt caching; estimated";
        all.register("tta_cost_saved_usd_total", what, self.cost_saved.clone());
        all.register("tta_live_runs", "Runs that go on", self.live_runs.clone());
        all.register("tta_ledger_pending_runs", "Runs that wait to be counted", self.pending_runs.clone());
        all.register("tta_servers", "Configured MCP servers by state", self.servers.clone());
        all.register("tta_resident_memory_bytes", "Memory of the daemon alone", self.resident_bytes.clone());
        all.register("tta_telemetry_spans", "Spans by what became of them", self.spans.clone());
    }

    pub(crate) fn run(&self, status: RunStatus, language: Language, took: Duration) {
        let (status, language) = (status.as_str(), language.as_str());
        self.runs.get_or_create(&RunLabels { status, language }).inc();
        self.run_seconds.get_or_create(&LanguageLabel { language }).observe(took.as_secs_f64());
    }

    pub(crate) fn call(&self, call: &Counted) {
        let Counted { server, tool, status, cache, took } = call;
        let (status, cache) = (call_status(*status), cache_outcome(*cache));
        let labels = CallLabels { server: server.clone(), tool: tool.clone(), status, cache };
        self.calls.get_or_create(&labels).inc();
        self.call_seconds.get_or_create(&ServerLabel { server: labels.server }).observe(took.as_secs_f64());
        self.cache_events.get_or_create(&EventLabel { event: cache }).inc();
    }

    /// What became of spans.
    pub(crate) fn spans(&self, result: &'static str, count: u64) {
        self.spans.get_or_create(&SpanLabel { result }).inc_by(count);
    }

    /// All of it as text.
    pub(crate) fn render(&self, now: &Now) -> String {
        self.take(now);
        let mut text = String::new();
        text::encode(&mut text, &self.registry).expect("writing to a string does not fail");
        text
    }

    fn take(&self, now: &Now) {
        for (labels, tokens) in token_figures(now) {
            let [view, baseline, kind] = labels;
            let counter = self.tokens.get_or_create_owned(&TokenLabels { view, baseline, kind });
            AtomicU64::store(counter.inner(), tokens, Ordering::Relaxed);
        }
        for (baseline, saved) in savings(now) {
            self.saved.get_or_create(&BaselineLabel { baseline }).set(saved);
        }
        // Another model may be configured by now.
        self.cost_saved.clear();
        if let Some((model, saved)) = cost_saved(now) {
            self.cost_saved.get_or_create_owned(&ModelLabel { model }).set(saved);
        }
        self.live_runs.set(signed(now.live_runs));
        self.pending_runs.set(signed(now.pending_runs));
        // A state that no server is in any more is none.
        self.servers.clear();
        for (state, count) in &now.servers {
            self.servers.get_or_create(&StateLabel { state }).set(signed(*count));
        }
        self.resident_bytes.set(signed(crate::now::resident_bytes()));
    }
}

/// One call as it is counted.
#[derive(Clone, Debug)]
pub(crate) struct Counted {
    pub(crate) server: Arc<str>,
    pub(crate) tool: Arc<str>,
    pub(crate) status: CallStatus,
    pub(crate) cache: CacheOutcome,
    pub(crate) took: Duration,
}

/// Each token figure with its view, baseline and kind.
pub(crate) fn token_figures(now: &Now) -> impl Iterator<Item = ([&'static str; 3], u64)> {
    let direct = &now.tokens.direct;
    let sides = [
        ("code_mode", "none", &now.tokens.code_mode),
        ("direct", "deferred", &direct.deferred),
        ("direct", "all_servers", &direct.all_servers),
        ("direct", "needed_servers", &direct.needed_servers),
    ];
    sides.into_iter().flat_map(|(view, baseline, side)| {
        kinds(side).into_iter().map(move |(kind, tokens)| ([view, baseline, kind], tokens))
    })
}

fn kinds(side: &SideTokens) -> [(&'static str, u64); 4] {
    let SideTokens { definitions, output, results, total, .. } = *side;
    [("definitions", definitions), ("output", output), ("results", results), ("total", total)]
}

/// What was saved against each baseline.
pub(crate) fn savings(now: &Now) -> [(&'static str, i64); 3] {
    let direct = &now.tokens.direct;
    let saved = |side: &SideTokens| signed(side.total).saturating_sub(signed(now.tokens.code_mode.total));
    [
        ("deferred", saved(&direct.deferred)),
        ("all_servers", saved(&direct.all_servers)),
        ("needed_servers", saved(&direct.needed_servers)),
    ]
}

/// What was saved in US dollars, by a model whose name can be a label.
pub(crate) fn cost_saved(now: &Now) -> Option<(String, f64)> {
    let (model, saved) = now.cost_saved.clone()?;
    Some((if is_fit(&model) { model } else { OTHER.to_owned() }, saved))
}

pub(crate) fn signed(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

/// The names on the wire.
pub(crate) fn call_status(status: CallStatus) -> &'static str {
    match status {
        CallStatus::Ok => "ok",
        CallStatus::Error => "error",
        CallStatus::Denied => "denied",
        CallStatus::Timeout => "timeout",
        CallStatus::Cancelled => "cancelled",
    }
}

pub(crate) fn cache_outcome(cache: CacheOutcome) -> &'static str {
    match cache {
        CacheOutcome::Miss => "miss",
        CacheOutcome::Hit => "hit",
        CacheOutcome::Joined => "joined",
    }
}
