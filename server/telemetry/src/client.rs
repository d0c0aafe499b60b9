//! How exports leave: over one HTTP client, on the daemon's runtime, with the headers of whoever named the collector.
//!
//! Invariants: an export is bounded in time; nothing follows a redirect; headers from the environment go only where the
//! environment says; that a collector does not take what it is sent is said once, not once an export.

use async_trait::async_trait;
use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Request, Response};
use opentelemetry_http::{HttpClient, HttpError};
use std::sync::Once;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::runtime::Handle;

/// Longest time of one export.
const EXPORT_MAX: Duration = Duration::from_secs(5);
/// Bytes of an answer that are read: a collector has little to say.
const ANSWER_BYTES_MAX: usize = 64 << 10;

/// Sends exports.
#[derive(Debug)]
pub(crate) struct Sender {
    client: reqwest::Client,
    runtime: Handle,
    /// In place of the environment's, where the endpoint is not the environment's either.
    headers: Option<HeaderMap>,
    /// The collector without a path, for people.
    shown: String,
    warned: AtomicBool,
}

impl Sender {
    pub(crate) fn new(runtime: Handle, headers: Option<HeaderMap>, shown: String) -> Result<Self, reqwest::Error> {
        install_tls();
        let client = reqwest::Client::builder().timeout(EXPORT_MAX).redirect(reqwest::redirect::Policy::none());
        Ok(Self { client: client.build()?, runtime, headers, shown, warned: AtomicBool::new(false) })
    }

    fn failed(&self, why: &str) {
        if !self.warned.swap(true, Ordering::Relaxed) {
            tracing::warn!(collector = self.shown, why, "telemetry is not taken; what is not taken is dropped");
        }
    }
}

#[async_trait]
impl HttpClient for Sender {
    async fn send_bytes(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        let (mut head, body) = request.into_parts();
        if let Some(own) = &self.headers {
            head.headers.retain_names(|name| name == http::header::CONTENT_TYPE || name == http::header::USER_AGENT);
            head.headers.extend(own.clone());
        }
        let request = self.client.request(head.method, head.uri.to_string()).headers(head.headers).body(body);
        // The exporter waits on a thread of its own, which no runtime drives.
        let answer = self.runtime.spawn(async move {
            let mut answer = request.send().await?;
            let (status, headers) = (answer.status(), std::mem::take(answer.headers_mut()));
            let mut body = Vec::new();
            while let Some(chunk) = answer.chunk().await? {
                let room = ANSWER_BYTES_MAX.saturating_sub(body.len());
                body.extend_from_slice(&chunk[..chunk.len().min(room)]);
            }
            Ok::<_, reqwest::Error>((status, headers, body))
        });
        let answer = match answer.await {
            Ok(Ok(answer)) => answer,
            Ok(Err(error)) => {
                let error = error.without_url();
                self.failed(if error.is_timeout() { "no answer in time" } else { "no connection" });
                return Err(error.into());
            }
            Err(ended) => return Err(ended.into()),
        };
        let (status, headers, body) = answer;
        if !status.is_success() {
            self.failed(status.as_str());
        }
        let mut response = Response::new(Bytes::from(body));
        *response.status_mut() = status;
        *response.headers_mut() = headers;
        Ok(response)
    }
}

trait Retain {
    fn retain_names(&mut self, keep: impl Fn(&HeaderName) -> bool);
}

impl Retain for HeaderMap<HeaderValue> {
    fn retain_names(&mut self, keep: impl Fn(&HeaderName) -> bool) {
        let gone: Vec<HeaderName> = self.keys().filter(|name| !keep(name)).cloned().collect();
        for name in gone {
            self.remove(name);
        }
    }
}

/// The bridge installs the same; whoever comes first has done it for both.
fn install_tls() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let _ = rustls::crypto::ring::default_provider().install_default();
    });
}
