//! One configured export: to one collector, of the signals that are switched on.
//!
//! Bounded: the queues of spans and of log records, the time of an export, and that of the last flush. A collector that is down, slow or
//! refuses costs what it does not take, and nothing else.

use crate::Error;
use crate::bounded::{Gate, QUEUE_MAX, Queue, Told};
use crate::client::Sender;
use crate::instruments::{Instruments, Observe};
use crate::logs::Logs;
use crate::metrics::Metrics;
use http::{HeaderMap, HeaderName, HeaderValue, Uri};
use model::{ConversationId, TelemetrySettings};
use opentelemetry::KeyValue;
use opentelemetry::metrics::MeterProvider as _;
use opentelemetry::trace::TracerProvider as _;
use opentelemetry_otlp::{
    LogExporter, MetricExporter, Protocol, RetryPolicy, SpanExporter, WithExportConfig as _, WithHttpConfig as _,
};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::metrics::{PeriodicReader, SdkMeterProvider};
use opentelemetry_sdk::trace::{BatchConfigBuilder, BatchSpanProcessor, SdkTracer, SdkTracerProvider};
use std::sync::Arc;
use std::time::Duration;
use tokio::runtime::Handle;

/// Where the standard says that a collector listens.
const DEFAULT_ENDPOINT: &str = "http://localhost:4318";
/// The standard variables that name another.
const ENDPOINT_VARIABLES: [&str; 4] = [
    "OTEL_EXPORTER_OTLP_ENDPOINT",
    "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT",
    "OTEL_EXPORTER_OTLP_METRICS_ENDPOINT",
    "OTEL_EXPORTER_OTLP_LOGS_ENDPOINT",
];
/// Spans and log records wait so long for company, and metrics are sent so often, unless the standard variables say otherwise.
const SPANS_EVERY: Duration = Duration::from_secs(2);
/// A refused export is tried once more.
const RETRIES: usize = 1;
/// Longest time of the last flush.
const FLUSH_MAX: Duration = Duration::from_millis(1_800);

/// A running export.
#[derive(Debug)]
pub(crate) struct Pipeline {
    pub(crate) settings: TelemetrySettings,
    traces: Option<(SdkTracerProvider, SdkTracer)>,
    meters: Option<SdkMeterProvider>,
    pub(crate) instruments: Option<Instruments>,
    pub(crate) logs: Option<Logs>,
}

impl Pipeline {
    pub(crate) fn new(
        settings: TelemetrySettings,
        metrics: &Arc<Metrics>,
        observe: &Observe,
        runtime: Handle,
    ) -> Result<Self, Error> {
        let way = Way::new(&settings, runtime)?;
        let resource = resource();
        let traces = settings.traces.then(|| way.tracer(metrics, resource.clone())).transpose()?;
        let logs = settings.logs.then(|| way.logs(resource.clone())).transpose()?;
        let meters = settings.metrics.then(|| way.meter(resource)).transpose()?;
        let instruments = meters.as_ref().map(|meters| Instruments::new(&meters.meter("tta"), observe));
        Ok(Self { settings, traces, meters, instruments, logs })
    }

    pub(crate) fn tracer(&self) -> Option<&SdkTracer> {
        self.traces.as_ref().map(|(_, tracer)| tracer)
    }

    /// Sends what waits, within bounds, and ends. Blocks. A collector that is slow for one signal costs no other its end.
    pub(crate) fn end(&self) {
        std::thread::scope(|all| {
            if let Some((provider, _)) = &self.traces {
                all.spawn(|| provider.shutdown_with_timeout(FLUSH_MAX));
            }
            if let Some(logs) = &self.logs {
                all.spawn(|| logs.end(FLUSH_MAX));
            }
            if let Some(provider) = &self.meters {
                let _ = provider.shutdown_with_timeout(FLUSH_MAX);
            }
        });
    }
}

/// The way to the collector.
struct Way {
    sender: Arc<Sender>,
    /// `None` leaves it to the standard variables.
    endpoint: Option<String>,
}

impl Way {
    fn new(settings: &TelemetrySettings, runtime: Handle) -> Result<Self, Error> {
        let by_environment = ENDPOINT_VARIABLES.iter().any(|name| std::env::var_os(name).is_some());
        let endpoint = settings.otlp_endpoint.clone();
        let endpoint = endpoint.or_else(|| (!by_environment).then(|| DEFAULT_ENDPOINT.to_owned()));
        let shown = endpoint.as_deref().map_or_else(|| Ok("as OTEL_EXPORTER_OTLP_ENDPOINT says".to_owned()), shown)?;
        let headers = settings.otlp_endpoint.is_some().then(|| headers(settings)).transpose()?;
        let sender = Sender::new(runtime, headers, shown).map_err(|e| Error::Client(e.to_string()))?;
        Ok(Self { sender: Arc::new(sender), endpoint })
    }

    fn to(&self, signal: &str) -> Option<String> {
        self.endpoint.as_deref().map(|base| format!("{}/v1/{signal}", base.trim_end_matches('/')))
    }

    fn tracer(&self, metrics: &Arc<Metrics>, resource: Resource) -> Result<(SdkTracerProvider, SdkTracer), Error> {
        let exporter = SpanExporter::builder().with_http().with_protocol(Protocol::HttpBinary);
        let exporter = exporter.with_shared_http_client(self.sender.clone()).with_retry_policy(retries());
        let exporter = match self.to("traces") {
            Some(endpoint) => exporter.with_endpoint(endpoint),
            None => exporter,
        };
        let exporter = exporter.build().map_err(|e| Error::Exporter(e.to_string()))?;
        let gate = Gate::new(Arc::clone(metrics));
        let config = BatchConfigBuilder::default().with_scheduled_delay(SPANS_EVERY).with_max_queue_size(QUEUE_MAX);
        let batches = BatchSpanProcessor::builder(Told { gate: gate.clone(), exporter });
        let queue = Queue { gate, batches: batches.with_batch_config(config.build()).build() };
        let provider = SdkTracerProvider::builder().with_resource(resource).with_span_processor(queue).build();
        let tracer = provider.tracer("tta");
        Ok((provider, tracer))
    }

    fn logs(&self, resource: Resource) -> Result<Logs, Error> {
        let exporter = LogExporter::builder().with_http().with_protocol(Protocol::HttpBinary);
        let exporter = exporter.with_shared_http_client(self.sender.clone()).with_retry_policy(retries());
        let exporter = match self.to("logs") {
            Some(endpoint) => exporter.with_endpoint(endpoint),
            None => exporter,
        };
        let exporter = exporter.build().map_err(|e| Error::Exporter(e.to_string()))?;
        Ok(Logs::new(exporter, resource, SPANS_EVERY, QUEUE_MAX))
    }

    fn meter(&self, resource: Resource) -> Result<SdkMeterProvider, Error> {
        let exporter = MetricExporter::builder().with_http().with_protocol(Protocol::HttpBinary);
        let exporter = exporter.with_shared_http_client(self.sender.clone()).with_retry_policy(retries());
        let exporter = match self.to("metrics") {
            Some(endpoint) => exporter.with_endpoint(endpoint),
            None => exporter,
        };
        let exporter = exporter.build().map_err(|e| Error::Exporter(e.to_string()))?;
        let reader = PeriodicReader::builder(exporter).build();
        Ok(SdkMeterProvider::builder().with_resource(resource).with_reader(reader).build())
    }
}

fn retries() -> RetryPolicy {
    RetryPolicy::recommended().with_max_retries(RETRIES)
}

/// Who speaks: this process, by a random name, so that two daemons are not taken for one. The user's own
/// `OTEL_SERVICE_NAME` and `OTEL_RESOURCE_ATTRIBUTES` are added.
fn resource() -> Resource {
    let resource = Resource::builder().with_attributes([
        KeyValue::new("service.version", env!("CARGO_PKG_VERSION")),
        KeyValue::new("service.instance.id", ConversationId::new().to_string()),
    ]);
    if std::env::var_os("OTEL_SERVICE_NAME").is_some() { resource } else { resource.with_service_name("tta") }.build()
}

/// A collector's address without its path, and without what may be a secret in it.
fn shown(endpoint: &str) -> Result<String, Error> {
    let wrong = |why: String| Error::Endpoint { endpoint: endpoint.to_owned(), why };
    let uri: Uri = endpoint.parse().map_err(|e: http::uri::InvalidUri| wrong(e.to_string()))?;
    match (uri.scheme_str(), uri.host()) {
        (Some(scheme @ ("http" | "https")), Some(host)) => {
            Ok(format!("{scheme}://{host}{}", uri.port().map(|port| format!(":{port}")).unwrap_or_default()))
        }
        _ => Err(wrong("it is no http or https URL".to_owned())),
    }
}

fn headers(settings: &TelemetrySettings) -> Result<HeaderMap, Error> {
    let mut headers = HeaderMap::new();
    for (name, value) in &settings.headers {
        let key = HeaderName::try_from(name.as_str()).map_err(|_| Error::Header(name.clone()))?;
        let mut value = HeaderValue::try_from(value.expose()).map_err(|_| Error::Header(name.clone()))?;
        value.set_sensitive(true);
        headers.insert(key, value);
    }
    Ok(headers)
}
