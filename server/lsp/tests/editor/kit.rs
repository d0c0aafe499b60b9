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

    /// A window of a client with capabilities, after `initialize` and `initialized` with further options.
    pub(crate) async fn start_with(test: &TestDaemon, capabilities: Value, further: Value) -> Self {
        let mut editor = Self::connect(test);
        let mut options = json!({"workspace": test.workspace(), "trusted": true});
        options.as_object_mut().expect("an object").extend(further.as_object().expect("an object").clone());
        let params = json!({"processId": null, "capabilities": capabilities, "initializationOptions": options});
        let answer = editor.ask("initialize", params).await;
        assert!(answer["error"].is_null(), "{answer}");
        editor.notify("initialized", json!({})).await;
        editor
    }

    pub(crate) async fn initialize(&mut self, options: Value) -> Value {
        let params = json!({"processId": null, "rootUri": null, "capabilities": {}, "initializationOptions": options});
        self.ask("initialize", params).await
    }

    /// A request and its answer.
    pub(crate) async fn ask(&mut self, method: &str, params: Value) -> Value {
        let id = self.request(method, params).await;
        self.answer(id).await
    }

    pub(crate) async fn notify(&mut self, method: &str, params: Value) {
        self.send(&json!({"jsonrpc": "2.0", "method": method, "params": params})).await;
    }

    pub(crate) async fn open(&mut self, uri: &str, language: &str, text: &str) {
        let document = json!({"uri": uri, "languageId": language, "version": 1, "text": text});
        self.notify("textDocument/didOpen", json!({"textDocument": document})).await;
    }

    /// Replaces what is between two positions, each a line and a character.
    pub(crate) async fn edit(&mut self, uri: &str, version: i32, from: (u32, u32), to: (u32, u32), text: &str) {
        let at = |(line, character)| json!({"line": line, "character": character});
        let change = json!({"range": {"start": at(from), "end": at(to)}, "text": text});
        let document = json!({"uri": uri, "version": version});
        self.notify("textDocument/didChange", json!({"textDocument": document, "contentChanges": [change]})).await;
    }

    /// The next request of the server's by its method: its id and its parameters.
    pub(crate) async fn asked(&mut self, method: &str) -> (Value, Value) {
        let message = self.find(|message| message["method"] == method && !message["id"].is_null()).await;
        (message["id"].clone(), message["params"].clone())
    }

    /// Answers one.
    pub(crate) async fn reply(&mut self, id: &Value, result: Value) {
        self.send(&json!({"jsonrpc": "2.0", "id": id, "result": result})).await;
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
        self.find(|message| message["id"] == id && message["method"].is_null()).await
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
