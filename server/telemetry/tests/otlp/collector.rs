//! A collector for tests: takes OTLP over HTTP, keeps what it was sent, and answers as it was told to.

#![allow(dead_code, reason = "each test target uses a part of it")]

use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::KeyValue;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
pub(crate) use opentelemetry_proto::tonic::logs::v1::LogRecord;
use opentelemetry_proto::tonic::trace::v1::Span;
use prost::Message as _;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

/// How it answers.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Answer {
    Status(u16),
    Never,
}

/// One export: its path, its head, its body.
#[derive(Clone, Debug)]
pub(crate) struct Export {
    pub(crate) path: String,
    pub(crate) head: String,
    pub(crate) body: Vec<u8>,
}

/// A running collector; it ends with its runtime.
#[derive(Debug)]
pub(crate) struct Collector {
    url: String,
    exports: Arc<Mutex<Vec<Export>>>,
}

impl Collector {
    pub(crate) async fn start(answer: Answer) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("bound");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let exports = Arc::<Mutex<Vec<Export>>>::default();
        let kept = Arc::clone(&exports);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, Arc::clone(&kept), answer));
            }
        });
        Self { url, exports }
    }

    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    pub(crate) fn exports(&self) -> Vec<Export> {
        self.exports.lock().expect("no test panics in it").clone()
    }

    /// Every byte that was sent, heads included.
    pub(crate) fn bytes(&self) -> Vec<u8> {
        self.exports().into_iter().flat_map(|export| [export.head.into_bytes(), export.body].concat()).collect()
    }

    /// Whether such a text is anywhere in what was sent.
    pub(crate) fn has(&self, text: &str) -> bool {
        self.bytes().windows(text.len()).any(|part| part == text.as_bytes())
    }

    /// The spans that were sent.
    pub(crate) fn spans(&self) -> Vec<Span> {
        let traces = self.exports().into_iter().filter(|export| export.path == "/v1/traces");
        let decoded = traces.map(|e| ExportTraceServiceRequest::decode(&*e.body).expect("a request for traces"));
        let scopes = decoded.flat_map(|request| request.resource_spans).flat_map(|resource| resource.scope_spans);
        scopes.flat_map(|scope| scope.spans).collect()
    }

    /// The log records that were sent.
    pub(crate) fn logs(&self) -> Vec<LogRecord> {
        let logs = self.exports().into_iter().filter(|export| export.path == "/v1/logs");
        let decoded = logs.map(|e| ExportLogsServiceRequest::decode(&*e.body).expect("a request for logs"));
        let scopes = decoded.flat_map(|request| request.resource_logs).flat_map(|resource| resource.scope_logs);
        scopes.flat_map(|scope| scope.log_records).collect()
    }

    /// The names of the metrics that were sent.
    pub(crate) fn metrics(&self) -> Vec<String> {
        let metrics = self.exports().into_iter().filter(|export| export.path == "/v1/metrics");
        let decoded = metrics.map(|e| ExportMetricsServiceRequest::decode(&*e.body).expect("a request for metrics"));
        let scopes = decoded.flat_map(|request| request.resource_metrics).flat_map(|all| all.scope_metrics);
        let mut names: Vec<String> = scopes.flat_map(|scope| scope.metrics).map(|metric| metric.name).collect();
        names.sort_unstable();
        names.dedup();
        names
    }
}

/// A span's attributes as texts.
pub(crate) fn attributes(span: &Span) -> BTreeMap<String, String> {
    texts(&span.attributes)
}

/// Any attributes as texts.
pub(crate) fn texts(attributes: &[KeyValue]) -> BTreeMap<String, String> {
    let text = |value: Value| match value {
        Value::StringValue(text) => text,
        Value::IntValue(number) => number.to_string(),
        Value::DoubleValue(number) => number.to_string(),
        other => format!("{other:?}"),
    };
    let pairs = attributes.iter().cloned();
    pairs.map(|pair| (pair.key, pair.value.and_then(|any| any.value).map(text).unwrap_or_default())).collect()
}

/// An id as W3C Trace Context writes it.
pub(crate) fn hex(id: &[u8]) -> String {
    use std::fmt::Write as _;
    id.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

async fn serve(mut stream: TcpStream, exports: Arc<Mutex<Vec<Export>>>, answer: Answer) {
    let mut read = Vec::new();
    let head_end = loop {
        if let Some(at) = read.windows(4).position(|end| end == b"\r\n\r\n") {
            break at + 4;
        }
        if stream.read_buf(&mut read).await.unwrap_or_default() == 0 {
            return;
        }
    };
    let head = String::from_utf8_lossy(&read[..head_end]).to_ascii_lowercase();
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")?.trim().parse().ok()).unwrap_or(0);
    while read.len() < head_end + length {
        if stream.read_buf(&mut read).await.unwrap_or_default() == 0 {
            return;
        }
    }
    let path = head.split(' ').nth(1).unwrap_or_default().to_owned();
    let export = Export { path, head, body: read[head_end..].to_vec() };
    exports.lock().expect("no test panics in it").push(export);
    match answer {
        Answer::Status(status) => {
            let answer = format!("HTTP/1.1 {status} So\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
            let _ = stream.write_all(answer.as_bytes()).await;
        }
        Answer::Never => std::future::pending().await,
    }
}
