//! A bridge with scripted servers, and the events it sent.

use bridge::{Bridge, BridgeEvent, Error, Options, Patience};
use model::{ServerSpec, ServerState, ToolResult};
use serde_json::{Map, Value, json};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::Duration;
use tokio::sync::mpsc;

/// Never reached when a test passes: the machine may be slow and busy.
pub(crate) const BOUND: Duration = Duration::from_mins(1);

pub(crate) struct Kit {
    pub(crate) bridge: Bridge,
    events: mpsc::UnboundedReceiver<BridgeEvent>,
    pub(crate) folder: tempfile::TempDir,
}

impl Kit {
    pub(crate) fn new(specs: Vec<ServerSpec>) -> Self {
        Self::with(specs, |_options| {})
    }

    pub(crate) fn with(specs: Vec<ServerSpec>, change: impl FnOnce(&mut Options)) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let log_dir: Option<PathBuf> = Some(folder.path().join("logs"));
        let mut options = Options { log_dir, roots: vec![folder.path().to_owned()], ..Options::default() };
        change(&mut options);
        let (sender, events) = mpsc::unbounded_channel();
        let bridge = Bridge::new(options, move |event| drop(sender.send(event)));
        bridge.apply(specs);
        Self { bridge, events, folder }
    }

    /// One server called `s` with one fault.
    pub(crate) fn faulty(fault: &str) -> Self {
        Self::new(vec![crate::faulty::faulty_spec("s", fault)])
    }

    pub(crate) async fn call(&self, tool: &str, arguments: Value) -> Result<ToolResult, Error> {
        self.call_within(tool, arguments, BOUND).await
    }

    pub(crate) async fn call_within(
        &self,
        tool: &str,
        arguments: Value,
        patience: impl Into<Patience>,
    ) -> Result<ToolResult, Error> {
        self.bridge.call("s", tool, object(arguments), patience).await
    }

    /// The structured answer of a call that must succeed.
    pub(crate) async fn structured(&self, tool: &str, arguments: Value) -> Value {
        self.call(tool, arguments).await.expect("the call succeeds").structured.expect("the answer is structured")
    }

    /// The next event that `wanted` takes.
    pub(crate) async fn event<T>(&mut self, wanted: impl Fn(BridgeEvent) -> Option<T>) -> T {
        let next = async {
            loop {
                let event = self.events.recv().await.expect("the bridge lives");
                if let Some(found) = wanted(event) {
                    return found;
                }
            }
        };
        tokio::time::timeout(BOUND, next).await.expect("the event comes")
    }

    pub(crate) async fn state(&mut self, wanted: ServerState) -> Option<String> {
        self.event(|event| match event {
            BridgeEvent::State { state, error, .. } if state == wanted => Some(error),
            _ => None,
        })
        .await
    }

    /// A second server, on the same bridge, answers: a fault stays with the server that has it.
    pub(crate) async fn neighbour_answers(&self) {
        let answer = self.bridge.call("neighbour", "echo", object(json!({"n": 1})), BOUND).await;
        assert_eq!(answer.expect("the neighbour answers").structured, Some(json!({"n": 1})));
    }
}

pub(crate) fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(map) => map,
        other => panic!("arguments must be an object, not {other}"),
    }
}

/// Whether a process exists and is more than a zombie.
pub(crate) fn is_alive(pid: u64) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    // The state follows the name, which is in parentheses and may hold anything.
    stat.rsplit_once(") ").is_some_and(|(_, rest)| !rest.starts_with(['Z', 'X']))
}

/// Sends a signal to a process, or to its group where the number is negative.
pub(crate) fn signal(name: &str, pid: &str) {
    let sent = Command::new("kill").args([&format!("-{name}"), "--", pid]).stderr(Stdio::null()).status();
    sent.expect("kill runs");
}

/// Waits for processes to be gone.
pub(crate) async fn gone(pids: &[u64]) {
    tokio::time::timeout(BOUND, outlive(pids)).await.expect("the processes end");
}

/// The same, without a bound.
pub(crate) async fn outlive(pids: &[u64]) {
    let mut look = tokio::time::interval(Duration::from_millis(5));
    while pids.iter().any(|&pid| is_alive(pid)) {
        look.tick().await;
    }
}
