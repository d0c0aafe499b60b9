//! An editor at one end of a pipe in memory, the front at the other.

use daemon::{Daemon, Options};
use lsp::Endpoint;
use model::Secret;
use serde_json::{Value, json};
use std::time::Duration;
use testkit::TestDaemon;
use tokio::io::{
    AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader, DuplexStream, ReadHalf, WriteHalf,
};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

/// Longest that anything here may take; the first run may compile a guest.
pub(crate) const PATIENCE: Duration = Duration::from_mins(2);

/// The editor's side of the pipe.
pub(crate) struct Editor {
    pub(crate) input: BufReader<ReadHalf<DuplexStream>>,
    pub(crate) output: WriteHalf<DuplexStream>,
    pub(crate) served: JoinHandle<()>,
    /// Messages read while another was looked for.
    pub(crate) unread: Vec<Value>,
    next_id: u64,
}

impl Editor {
    pub(crate) fn connect(test: &TestDaemon) -> Self {
        Self::connect_by(test, 1 << 20).0
    }

    /// A front over `test`'s folders, by a pipe of so many bytes. The daemon is its own, given when it has started:
    /// `test` only lends the workspace.
    pub(crate) fn connect_by(test: &TestDaemon, pipe_bytes: usize) -> (Self, oneshot::Receiver<Daemon>) {
        let (near, far) = tokio::io::duplex(pipe_bytes);
        let (input, output) = tokio::io::split(far);
        let options = Options { data_dir: Some(test.workspace().join("data")), ..Options::default() };
        let (given, daemon) = oneshot::channel();
        let endpoint = async |daemon| {
            let _ = given.send(daemon);
            Ok::<_, String>(Endpoint { url: "http://127.0.0.1:1/mcp".to_owned(), token: Secret::new("t0ken") })
        };
        let served = tokio::spawn(lsp::serve(input, output, options, endpoint, std::future::pending()));
        let (input, output) = tokio::io::split(near);
        (Self { input: BufReader::new(input), output, served, unread: Vec::new(), next_id: 1 }, daemon)
    }

    /// The same, after `initialize` and `initialized`.
    pub(crate) async fn start(test: &TestDaemon) -> Self {
        Self::connect(test).ready(test).await
    }

    pub(crate) async fn ready(mut self, test: &TestDaemon) -> Self {
        self.initialize(json!({"workspace": test.workspace(), "trusted": true})).await;
        self.send(&json!({"jsonrpc": "2.0", "method": "initialized", "params": {}})).await;
        self
    }

    pub(crate) async fn initialize(&mut self, options: Value) -> Value {
        let params = json!({"processId": null, "rootUri": null, "capabilities": {}, "initializationOptions": options});
        let id = self.request("initialize", params).await;
        self.answer(id).await
    }

    pub(crate) async fn request(&mut self, method: &str, params: Value) -> u64 {
        let id = self.next_id;
        self.next_id += 1;
        let mut message = json!({"jsonrpc": "2.0", "id": id, "method": method});
        if !params.is_null() {
            message["params"] = params;
        }
        self.send(&message).await;
        id
    }

    pub(crate) async fn run(&mut self, code: &str) -> u64 {
        self.request("tta/run", json!({"code": code, "language": "python"})).await
    }

    pub(crate) async fn cancel(&mut self, id: u64) {
        self.send(&json!({"jsonrpc": "2.0", "method": "$/cancelRequest", "params": {"id": id}})).await;
    }

    pub(crate) async fn send(&mut self, message: &Value) {
        let text = message.to_string();
        self.output.write_all(format!("Content-Length: {}\r\n\r\n{text}", text.len()).as_bytes()).await.expect("sent");
    }

    pub(crate) async fn answer(&mut self, id: u64) -> Value {
        self.find(|message| message["id"] == id).await
    }

    pub(crate) async fn event(&mut self, method: &str, event: &str) -> Value {
        self.find(|message| message["method"] == method && (event.is_empty() || message["params"]["event"] == event))
            .await
    }

    /// The next message that fits, in the order of their arrival.
    pub(crate) async fn find(&mut self, fits: impl Fn(&Value) -> bool) -> Value {
        if let Some(at) = self.unread.iter().position(&fits) {
            return self.unread.remove(at);
        }
        loop {
            let message = tokio::time::timeout(PATIENCE, self.read()).await.expect("in time");
            if fits(&message) {
                return message;
            }
            self.unread.push(message);
        }
    }

    pub(crate) async fn read(&mut self) -> Value {
        let (mut line, mut length) = (String::new(), 0);
        while self.input.read_line(&mut line).await.expect("a header") > 2 {
            if let Some(value) = line.strip_prefix("Content-Length: ") {
                length = value.trim().parse().expect("a length");
            }
            line.clear();
        }
        let mut body = vec![0; length];
        self.input.read_exact(&mut body).await.expect("a body");
        serde_json::from_slice(&body).expect("JSON")
    }

    /// Waits for the front to end.
    pub(crate) async fn ended(self) {
        let Self { served, input, output, .. } = self;
        tokio::time::timeout(PATIENCE, served).await.expect("in time").expect("no panic");
        drop((input, output));
    }
}
