//! Calls that a server carries out as tasks: its answer is a task, which is asked how it goes until there is a result.
//!
//! Of two kinds. In 2025-11-25 a tool may have to be called so; the result, and what the server asks before there is one, come by
//! `tasks/result`. rmcp knows nothing of that, so that these requests are our own, and [`kept`] saves from a handshake and a
//! listing what it would drop. From 2026-07-28 on a server answers whichever call it likes with a task, which holds its result
//! and its questions itself.
//!
//! Invariant: a task that is not over is cancelled at its server once nobody waits for it. Bounded: how often a task is
//! asked about, the questions of one task, and, by the call's own time and turn, how long it lasts and how many there are.

use crate::connection::Connection;
use crate::convert;
use crate::error::Error;
use crate::progress::Progress;
use futures::FutureExt as _;
use model::ToolResult;
use rmcp::model::{
    CallToolRequestParams, CallToolResult, CancelTaskParams, CancelTaskRequest, ClientRequest, CustomRequest,
    GetTaskParams, GetTaskRequest, InputRequests, InputResponses, ServerCapabilities, ServerResult, TaskStatus, Tool,
    UpdateTaskParams, UpdateTaskRequest,
};
use rmcp::service::PeerRequestOptions;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use std::collections::HashSet;
use std::convert::Infallible;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// Between two questions how a task goes: where the server does not say, and whatever it says.
const POLL: Duration = Duration::from_secs(1);
const POLL_MIN: Duration = Duration::from_millis(100);
const POLL_MAX: Duration = Duration::from_secs(10);
/// So long a server is asked to keep a task of a client that it may lose: more than a call can take.
const KEEP: Duration = Duration::from_hours(24);
/// Questions of one task.
const QUESTIONS_MAX: usize = 100;
/// Where [`kept`] puts what rmcp would drop.
const KEPT: &str = "tta/tasks";

/// The tools of a connection that have to be called as tasks, as last listed.
#[derive(Default)]
pub(crate) struct TaskTools(Mutex<HashSet<String>>);

impl TaskTools {
    pub(crate) fn set(&self, names: HashSet<String>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = names;
    }

    pub(crate) fn has(&self, tool: &str) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).contains(tool)
    }
}

/// A task as its server describes it, in either revision.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Task {
    #[serde(rename = "taskId")]
    id: String,
    status: TaskStatus,
    status_message: Option<String>,
    last_updated_at: Option<String>,
    /// Milliseconds.
    #[serde(alias = "pollIntervalMs")]
    poll_interval: Option<f64>,
    input_requests: Option<InputRequests>,
    result: Option<Value>,
    error: Option<Value>,
}

impl Task {
    fn pause(&self) -> Duration {
        let wanted = self.poll_interval.and_then(|ms| Duration::try_from_secs_f64(ms / 1_000.0).ok());
        wanted.unwrap_or(POLL).clamp(POLL_MIN, POLL_MAX)
    }

    fn is_as(&self, other: &Self) -> bool {
        (self.status, &self.status_message, &self.last_updated_at)
            == (other.status, &other.status_message, &other.last_updated_at)
    }

    /// How it ended, and why.
    fn ending(&self, why: &str) -> String {
        let how = if self.status == TaskStatus::Cancelled { "was cancelled" } else { "failed" };
        let reasons = [self.status_message.as_deref().unwrap_or_default(), why];
        let told: Vec<&str> = std::iter::once(how).chain(reasons.into_iter().filter(|why| !why.is_empty())).collect();
        told.join(": ")
    }
}

impl Connection {
    /// A call of a tool that has to be called as a task: 2025-11-25.
    pub(crate) async fn call_as_task(
        &self,
        params: CallToolRequestParams,
        progress: &Progress,
        whole: bool,
    ) -> Result<ToolResult, Error> {
        let mut params = serde_json::to_value(params).map_err(|_| self.unexpected())?;
        params["task"] = json!({"ttl": u64::try_from(KEEP.as_millis()).unwrap_or(u64::MAX)});
        let call = ClientRequest::CustomRequest(CustomRequest::new("tools/call", Some(params)));
        let (answer, _watch) = self.followed(call, progress).await?;
        let mut task = match answer {
            ServerResult::CustomResult(mut made) if made.0.get("task").is_some() => {
                self.task(&made.0["task"].take())?
            }
            // It was carried out at once.
            answer => return self.result_of(answer, whole),
        };
        let mut unfinished = Unfinished::new(self, &task);
        self.poll(&mut task, progress, |status| status == TaskStatus::Working).await?;
        let result = json!({"taskId": task.id});
        let result = ClientRequest::CustomRequest(CustomRequest::new("tasks/result", Some(result)));
        let silent = Progress::default();
        let answer = match task.status {
            TaskStatus::Cancelled => {
                unfinished.is_over();
                return Err(self.no_task(&task.ending("")));
            }
            TaskStatus::InputRequired => {
                // What it asks comes as requests of its own, on the way to the result.
                let meanwhile = async {
                    let _ = self.poll(&mut task, progress, |status| !status.is_terminal()).await;
                    std::future::pending::<Infallible>().await
                };
                tokio::select! {
                    answer = self.request(result, &silent) => answer,
                    never = meanwhile => match never {},
                }
            }
            _ => {
                unfinished.is_over();
                self.request(result, &silent).await
            }
        };
        match answer {
            Ok(answer) => {
                unfinished.is_over();
                self.result_of(answer, whole)
            }
            Err(Error::Rpc { message, .. }) if matches!(task.status, TaskStatus::Failed | TaskStatus::Cancelled) => {
                Err(self.no_task(&task.ending(&message)))
            }
            Err(error) => Err(error),
        }
    }

    /// The result of the task that is the answer to a call: 2026-07-28.
    pub(crate) async fn follow_task(
        &self,
        made: impl Serialize,
        progress: &Progress,
        whole: bool,
    ) -> Result<ToolResult, Error> {
        let mut task = self.task(&serde_json::to_value(made).map_err(|_| self.unexpected())?)?;
        let mut unfinished = Unfinished::new(self, &task);
        let mut answered = HashSet::new();
        loop {
            match task.status {
                TaskStatus::Completed | TaskStatus::Failed | TaskStatus::Cancelled => break,
                TaskStatus::InputRequired => self.answer_task(&mut task, &mut answered).await?,
                _ => {}
            }
            self.step(&mut task, progress).await?;
        }
        unfinished.is_over();
        if task.status != TaskStatus::Completed {
            let why = task.error.as_ref().and_then(|error| error.get("message")?.as_str()).unwrap_or_default();
            return Err(self.no_task(&task.ending(why)));
        }
        let result = task.result.unwrap_or_default();
        match CallToolResult::deserialize(&result) {
            Ok(result) => Ok(convert::result(result, whole)),
            Err(_) => convert::unknown(result, whole).ok_or_else(|| self.unexpected()),
        }
    }

    /// Answers what a task asks and has not asked before.
    async fn answer_task(&self, task: &mut Task, answered: &mut HashSet<String>) -> Result<(), Error> {
        let mut answers = InputResponses::new();
        for (key, question) in task.input_requests.take().unwrap_or_default() {
            if !answered.insert(key.clone()) {
                continue;
            }
            if answered.len() > QUESTIONS_MAX {
                return Err(self.protocol(&format!("a task of it asks more than {QUESTIONS_MAX} questions")));
            }
            let answer = self
                .respond(question)
                .await
                .map_err(|why| self.protocol(&format!("a task of it asks what has no answer here: {}", why.message)))?;
            answers.insert(key, answer);
        }
        if !answers.is_empty() {
            let update = UpdateTaskRequest::new(UpdateTaskParams::new(&task.id, answers));
            self.request(ClientRequest::UpdateTaskRequest(update), &Progress::default()).await?;
        }
        Ok(())
    }

    async fn poll(&self, task: &mut Task, progress: &Progress, goes_on: fn(TaskStatus) -> bool) -> Result<(), Error> {
        while goes_on(task.status) {
            self.step(task, progress).await?;
        }
        Ok(())
    }

    /// Asks after a while how it goes. Whatever changed is progress.
    async fn step(&self, task: &mut Task, progress: &Progress) -> Result<(), Error> {
        tokio::time::sleep(task.pause()).await;
        let get = ClientRequest::GetTaskRequest(GetTaskRequest::new(GetTaskParams::new(&task.id)));
        let now = match self.request(get, &Progress::default()).await {
            Ok(answer) => serde_json::to_value(answer).map_err(|_| self.unexpected())?,
            Err(Error::Rpc { message, .. }) => return Err(self.no_task(&format!("is not known any more: {message}"))),
            Err(error) => return Err(error),
        };
        let mut now = self.task(&now)?;
        if !now.is_as(task) {
            progress.note(now.status_message.as_deref());
        }
        now.id = std::mem::take(&mut task.id);
        now.poll_interval = now.poll_interval.or(task.poll_interval);
        *task = now;
        Ok(())
    }

    fn task(&self, said: &Value) -> Result<Task, Error> {
        Task::deserialize(said).map_err(|error| self.protocol(&format!("its task cannot be read: {error}")))
    }
}

/// A task that is not over, and is cancelled when this is dropped.
struct Unfinished<'a> {
    connection: &'a Connection,
    id: Option<String>,
}

impl<'a> Unfinished<'a> {
    fn new(connection: &'a Connection, task: &Task) -> Self {
        Self { connection, id: Some(task.id.clone()) }
    }

    fn is_over(&mut self) {
        self.id = None;
    }
}

impl Drop for Unfinished<'_> {
    fn drop(&mut self) {
        let Some(id) = self.id.take() else { return };
        let cancel = ClientRequest::CancelTaskRequest(CancelTaskRequest::new(CancelTaskParams::new(id)));
        // The first poll queues it, and nobody waits for the answer, as where a request is given up.
        let sent = self.connection.peer.send_request_with_option(cancel, PeerRequestOptions::no_options());
        let _ = tokio::task::unconstrained(sent).now_or_never();
    }
}

/// Whether a server takes calls as tasks, as [`kept`] kept it.
pub(crate) fn are_offered(capabilities: &ServerCapabilities) -> bool {
    let tasks = capabilities.experimental.as_ref().and_then(|all| all.get(KEPT));
    tasks.is_some_and(|tasks| tasks.get("requests").and_then(|all| all.pointer("/tools/call")).is_some())
}

/// Whether a tool has to be called as a task, likewise.
pub(crate) fn is_required(tool: &Tool) -> bool {
    tool.meta.as_ref().is_some_and(|meta| meta.contains_key(KEPT))
}

/// `text`, which is an answer or the result in one, with what a handshake or a listing says of tasks where rmcp does not drop
/// it; `None` where it says nothing.
pub(crate) fn kept(text: &str) -> Option<String> {
    let may_be_handshake = || text.contains("\"tasks\"") && text.contains("\"capabilities\"");
    if !text.contains("\"taskSupport\"") && !may_be_handshake() {
        return None;
    }
    let mut message: Value = serde_json::from_str(text).ok()?;
    let mut keeps = false;
    let result = if message.get("result").is_some() { message.get_mut("result")? } else { &mut message };
    if let Some(capabilities) = result.get_mut("capabilities").and_then(Value::as_object_mut)
        && let Some(tasks) = capabilities.get("tasks").filter(|tasks| tasks.is_object()).cloned()
    {
        keeps |= put(capabilities, "experimental", tasks);
    }
    for tool in result.get_mut("tools").and_then(Value::as_array_mut).into_iter().flatten() {
        let is_required = tool.pointer("/execution/taskSupport").is_some_and(|support| support == "required");
        if let Some(tool) = tool.as_object_mut().filter(|_| is_required) {
            keeps |= put(tool, "_meta", json!({}));
        }
    }
    keeps.then(|| message.to_string())
}

/// Puts what is kept into the object called `name`; false where that is none.
fn put(holder: &mut Map<String, Value>, name: &str, what: Value) -> bool {
    let place = holder.entry(name).or_insert_with(|| json!({}));
    place.as_object_mut().map(|place| place.insert(KEPT.to_owned(), what)).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_a_handshake_or_a_listing_says_of_tasks_is_kept() {
        let listed = r#"{"id":1,"result":{"tools":[{"name":"a","inputSchema":{},"execution":{"taskSupport":"required"}},
            {"name":"b","inputSchema":{},"execution":{"taskSupport":"optional"}},
            {"name":"c","inputSchema":{},"_meta":3,"execution":{"taskSupport":"required"}}]}}"#;
        let kept_of = |text: &str| serde_json::from_str::<Value>(&kept(text).expect("something")).expect("JSON");
        let tools = kept_of(listed)["result"]["tools"].take();
        let marked = |n: usize| serde_json::from_value::<Tool>(tools[n].clone()).is_ok_and(|tool| is_required(&tool));
        assert_eq!([marked(0), marked(1), marked(2)], [true, false, false]);
        let agreed = r#"{"capabilities":{"tasks":{"requests":{"tools":{"call":{}}}},"experimental":{"x":{}}}}"#;
        let capabilities = |text: &str| serde_json::from_value(kept_of(text)["capabilities"].take()).expect("read");
        assert!(are_offered(&capabilities(agreed)));
        assert!(!are_offered(&capabilities(r#"{"capabilities":{"tasks":{"list":{}}}}"#)));
        for nothing in [
            r#"{"content":[{"type":"text","text":"\"taskSupport\""}]}"#,
            r#"{"capabilities":{"tasks":7}}"#,
            r#"{"capabilities":{"tasks":{},"experimental":[]}}"#,
            r#"{"tools":[7,{"execution":{"taskSupport":"optional"}}]}"#,
            r#"{"taskSupport":"required""#,
        ] {
            assert_eq!(kept(nothing), None, "{nothing}");
        }
    }

    #[test]
    fn a_server_is_asked_neither_without_pause_nor_hardly_ever() {
        let pause = |interval: Value| {
            let said = json!({"taskId": "t", "status": "working", "pollInterval": interval});
            Task::deserialize(&said).expect("a task").pause()
        };
        for (interval, wanted) in [
            (Value::Null, POLL),
            (json!(0), POLL_MIN),
            (json!(-5), POLL),
            (json!(2_500.5), Duration::from_micros(2_500_500)),
            (json!(1e300), POLL),
            (json!(u64::MAX), POLL_MAX),
        ] {
            assert_eq!(pause(interval.clone()), wanted, "{interval}");
        }
    }
}
