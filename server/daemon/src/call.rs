//! The one door: every tool call, a program's or a front's, passes here in one visible order and nowhere else.
//!
//! authorise -> find the tool -> validate the arguments -> approve -> bridge, or editor -> ledger. Nothing else calls the
//! bridge's `call`. What a server has beside its tools (resources, prompts) is called by MCP's names of the methods, and
//! passes in the same order; a subscription stands open from there on (`subscribe`). A door belongs to one run and keeps that run's facts; dropping a call's future cancels it, and the
//! facts say so.

mod subscribe;

use crate::admit::{Use, admit};
use crate::approve::{Session, Wanted};
use crate::core::Core;
use crate::editor_tools::{self, Offer};
use crate::facts::Facts;
use crate::gateway;
use crate::login;
use crate::refusal::{Failure, disabled, parse_arguments, unknown_server, unknown_tool, untrusted, unwrap_whole};
use crate::sandbox;
use crate::snapshot::{Entry, Snapshot};
use ::telemetry::{CallSpan, RunSpan};
use bridge::{Feed, Patience, Progress};
use catalog::{ServerTools, Tool};
use engine::host::CallError;
use engine::{GuestCall, RunClock, ToolHost};
use futures::FutureExt as _;
use futures::future::BoxFuture;
use ledger::CallFacts;
use model::{
    CallStatus, Detail, ErrorKind, Language, Limits, Method, ProgramError, RunEvent, ServerState, ToolResult, Transport,
};
use serde_json::{Map, Value, json};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::Semaphore;

/// Bytes of a tool's own error text that reach the program.
const ERROR_TEXT_BYTES: usize = 4 << 10;

/// The door of one run.
#[derive(Clone)]
pub(crate) struct Door(Arc<Inner>);

impl std::fmt::Debug for Door {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Door").field("session", &self.0.session).finish_non_exhaustive()
    }
}

struct Inner {
    core: Arc<Core>,
    snapshot: Arc<Snapshot>,
    session: Session,
    language: Language,
    limits: Limits,
    /// The tools of each server as this run first saw them: a list that changes in mid-run does not change the run.
    pinned: Mutex<HashMap<String, Arc<ServerTools>>>,
    facts: Facts,
    /// What the calls' spans are children of.
    span: RunSpan,
    /// What servers tell of each call, by its place in the run.
    progress: Mutex<HashMap<u32, Progress>>,
    /// The same of each subscription, and how many there may still be at once.
    feeds: Mutex<HashMap<u32, Feed>>,
    subscriptions: Semaphore,
}

impl Door {
    pub(crate) fn new(
        core: Arc<Core>,
        snapshot: Arc<Snapshot>,
        session: Session,
        language: Language,
        limits: Limits,
        span: RunSpan,
    ) -> Self {
        let (pinned, facts, progress, feeds) = (Mutex::default(), Facts::default(), Mutex::default(), Mutex::default());
        let subscriptions = Semaphore::new(limits.subscriptions);
        let inner =
            Inner { core, snapshot, session, language, limits, pinned, facts, span, progress, feeds, subscriptions };
        Self(Arc::new(inner))
    }

    /// What every call of the run was, in the order in which they were made.
    pub(crate) fn take_facts(&self) -> Vec<CallFacts> {
        self.0.facts.take()
    }

    /// The same while the run goes on.
    pub(crate) fn facts(&self) -> Vec<CallFacts> {
        self.0.facts.so_far()
    }

    /// How many calls the run has made.
    pub(crate) fn calls_made(&self) -> usize {
        self.0.facts.count()
    }
}

impl ToolHost for Door {
    fn servers(&self) -> Vec<String> {
        self.0.snapshot.servers.iter().map(|e| e.identifier.to_string()).collect()
    }

    fn describe(&self, server: &str, clock: &RunClock) -> BoxFuture<'static, Result<String, ProgramError>> {
        let (inner, server, clock) = (Arc::clone(&self.0), server.to_owned(), clock.clone());
        async move {
            let entry = inner.authorise(&server, &clock).await.map_err(|f| f.error)?;
            let tools = inner.tools(entry, &clock).await.map_err(|f| f.error)?;
            Ok(tools.module_json().to_owned())
        }
        .boxed()
    }

    fn call(&self, call: GuestCall) -> BoxFuture<'static, Result<String, CallError>> {
        let inner = Arc::clone(&self.0);
        if call.server == sandbox::SERVER && call.tool == sandbox::PROGRESS {
            return async move { inner.updates(&call).await }.boxed();
        }
        if call.server == sandbox::SERVER && call.tool == sandbox::CHANGES {
            return async move { inner.changes(&call).await }.boxed();
        }
        if call.server == sandbox::SERVER {
            let (core, snapshot, run_id) =
                (Arc::clone(&inner.core), Arc::clone(&inner.snapshot), inner.session.run_id.clone());
            return sandbox::call(core, snapshot, run_id, inner.language, call).boxed();
        }
        async move { inner.call(call).await }.boxed()
    }
}

/// The time a person took to answer: no part of what the call took.
#[derive(Default)]
struct Asked(Duration);

impl Asked {
    async fn time<T>(&mut self, question: impl Future<Output = T>) -> T {
        let since = Instant::now();
        let answer = question.await;
        self.0 += since.elapsed();
        answer
    }
}

impl Inner {
    /// One call, entered in the facts before anything can go wrong, and settled there whatever happens.
    async fn call(self: Arc<Self>, mut call: GuestCall) -> Result<String, CallError> {
        let started = Instant::now();
        let whole = unwrap_whole(&mut call);
        let arguments: Arc<str> = call.arguments_json.as_str().into();
        let slot = self.facts.enter(&call, &arguments);
        let (mut asked, mut span) = (Asked::default(), self.span.call());
        let answer = self.through(&call, whole, slot, &mut asked, &mut span).await;
        let (value, status, error) = match answer {
            Ok(result) => match self.value(&call, result, slot) {
                Ok(value) => (Some(value), CallStatus::Ok, None),
                Err(failure) => (None, failure.status, Some(failure.error)),
            },
            Err(failure) => (None, failure.status, Some(failure.error)),
        };
        let took = started.elapsed().saturating_sub(asked.0);
        let record = self.facts.settle(slot, took, status, error.as_ref());
        span.end(&record, error.as_ref().map(|error| error.kind));
        self.core.notify_run(RunEvent::Call { run_id: self.session.run_id.clone(), call: record.clone() });
        match (value, error) {
            (Some(value), _) => Ok(value),
            (None, error) => Err(CallError {
                error: error.unwrap_or_else(|| ProgramError::new(ErrorKind::Fault, "the call ended without an answer")),
                server: record.server,
                tool: record.tool,
            }),
        }
    }

    /// The order of the door.
    async fn through(
        &self,
        call: &GuestCall,
        whole: bool,
        slot: usize,
        asked: &mut Asked,
        span: &mut CallSpan,
    ) -> Result<ToolResult, Failure> {
        if let Some(entry) = self.snapshot.server(&call.server) {
            self.facts.server(slot, &entry.spec.name);
        }
        let entry = asked.time(self.authorise(&call.server, &call.clock)).await?;
        span.server(&entry.spec.name);
        let tools = self.tools(entry, &call.clock).await?;
        let tool = tools.find(&call.tool).ok_or_else(|| unknown_tool(&tools, entry, &call.tool))?;
        self.facts.tool(slot, &tool.definition.name);
        span.tool(&entry.spec.name, &tool.definition.name, tool.method);
        let arguments = parse_arguments(&call.arguments_json)?;
        let arguments = match tool.validate(&arguments) {
            Ok(()) => arguments,
            Err(problem) => {
                let stub = tool.stub(self.language, Detail::Signature);
                // The program is told the tool's name beside the message.
                let named = format!("{}: ", tool.definition.name);
                let message = problem.message.strip_prefix(&named).unwrap_or(&problem.message);
                return Err(Failure::new(CallStatus::Error, ErrorKind::Arguments, message, stub));
            }
        };
        let Value::Object(arguments) = arguments else { unreachable!("parse_arguments returns objects only") };
        let wanted = Wanted {
            server: &entry.spec,
            tool: &tool.definition,
            arguments: &arguments,
            line: call.line,
            clock: &call.clock,
            for_editor: entry.offer.is_some() && self.by_editor(entry).is_none(),
        };
        asked.time(self.core.approvals.call(&self.session, wanted)).await.map_err(Failure::denied)?;
        self.confirm_remembered(entry);
        if let Some(trace) = span.trace() {
            self.progress_of(call.index).trace(trace);
        }
        asked.time(Box::pin(self.give_inputs(entry, &call.clock))).await?;
        if tool.method == Some(Method::Subscribe) {
            return Box::pin(self.subscribe(entry, arguments, call, slot, asked)).await;
        }
        self.answer(entry, tool, arguments, call, whole, asked).await
    }

    /// What the server, or the editor, answers to a call that may be made.
    async fn answer(
        &self,
        entry: &Entry,
        tool: &Tool,
        arguments: Map<String, Value>,
        call: &GuestCall,
        whole: bool,
        asked: &mut Asked,
    ) -> Result<ToolResult, Failure> {
        let (bridge, server, name) = (&self.core.bridge, &entry.spec.name, tool.definition.name.as_str());
        let patience = self.patience();
        if let Some(offer) = self.by_editor(entry) {
            if tool.method.is_some() {
                return Err(tools_alone(offer));
            }
            let timeout = patience.silence;
            let run_id = self.session.run_id.clone();
            let answer = Box::pin(editor_tools::call(&self.core, offer, name, arguments, run_id, timeout)).await;
            let shaped = answer.map(|result| if whole { result.whole() } else { result });
            return shaped.map_err(|(status, error)| Failure { status, error });
        }
        let progress = &self.progress_of(call.index);
        let trusted = self.snapshot.may_ask(&self.core.options);
        let under_way = self.core.asks.enter(server, self.session.asker.as_ref(), &call.clock, trusted);
        let make = async |arguments: Map<String, Value>| match tool.method {
            // What is rare does not make every call's future larger.
            Some(method) => Box::pin(bridge.ask(server, method, arguments, patience, progress)).await,
            None if whole => {
                let wrapped =
                    Map::from_iter([("name".to_owned(), name.into()), ("arguments".to_owned(), arguments.into())]);
                Box::pin(bridge.ask(server, Method::CallTool, wrapped, patience, progress)).await
            }
            None => bridge.watched_call(server, name, arguments, patience, progress).await,
        };
        // A remote server may refuse the call until somebody logs in; then it is made once more.
        let spare = matches!(entry.spec.transport, Transport::Http { .. }).then(|| arguments.clone());
        let mut answer = make(arguments).await;
        if let (Err(refused), Some(arguments)) = (&answer, spare)
            && refused.needs_login()
        {
            asked.time(Box::pin(self.login(entry, &call.clock, refused))).await?;
            answer = Box::pin(make(arguments)).await;
        }
        asked.0 += under_way.asked();
        answer.map_err(|e| self.failed(entry, &e))
    }

    fn patience(&self) -> Patience {
        let silence = Duration::from_millis(self.limits.call_timeout_ms);
        Patience { silence, total: Duration::from_millis(self.limits.call_total_ms).max(silence) }
    }

    fn progress_of(&self, call: u32) -> Progress {
        lock(&self.progress).entry(call).or_default().clone()
    }

    /// What a server told of a call, which may not have been made yet.
    async fn updates(&self, call: &GuestCall) -> Result<String, CallError> {
        let asked = sandbox::Updates::of(call, self.limits.calls);
        let asked = asked.map_err(|error| CallError { error, server: call.server.clone(), tool: call.tool.clone() })?;
        let progress = self.progress_of(asked.call - 1);
        if !asked.now {
            progress.after(asked.seen).await;
        }
        let (seen, updates) = progress.since(asked.seen);
        Ok(json!({"seen": seen, "updates": updates}).to_string())
    }

    /// Whether the program may use this server at all; a person is asked where that is not settled.
    async fn authorise(&self, server: &str, clock: &RunClock) -> Result<&Entry, Failure> {
        let snapshot = &self.snapshot;
        let entry = snapshot.server(server).ok_or_else(|| unknown_server(snapshot, server))?;
        match entry.state {
            ServerState::Untrusted => Err(untrusted(&entry.spec.name, &self.core.paths.shown(&entry.spec.source.file))),
            ServerState::Disabled => Err(disabled(&entry.spec.name)),
            ServerState::Unapproved => {
                let used = Use { asker: self.session.asker.as_ref(), clock: Some(clock), by_hand: false };
                admit(&self.core, entry, used).await.map_err(Failure::denied)?;
                Ok(entry)
            }
            _ => Ok(entry),
        }
    }

    /// The tools of a server as this run sees them; starts and lists it where that never happened.
    async fn tools(&self, entry: &Entry, clock: &RunClock) -> Result<Arc<ServerTools>, Failure> {
        let name = &entry.spec.name;
        let served = entry.offer.as_ref().filter(|offer| offer.address.is_some());
        if let Some(tools) = entry.tools.as_ref().filter(|_| served.is_none()) {
            return Ok(Arc::clone(tools));
        }
        if let Some(tools) = lock(&self.pinned).get(name) {
            return Ok(Arc::clone(tools));
        }
        if let Some(offer) = served {
            let tools = gateway::tools(&self.core, entry, offer).await;
            return Ok(Arc::clone(lock(&self.pinned).entry(name.clone()).or_insert(tools)));
        }
        self.give_inputs(entry, clock).await?;
        let mut listed = self.core.bridge.tools(name).await;
        if let Err(refused) = &listed
            && refused.needs_login()
        {
            self.login(entry, clock, refused).await?;
            listed = self.core.bridge.tools(name).await;
        }
        let listed = listed.map_err(|e| self.failed(entry, &e))?;
        let mut pinned = lock(&self.pinned);
        let tools =
            pinned.entry(name.clone()).or_insert_with(|| Arc::new(ServerTools::new(name, &entry.identifier, listed)));
        Ok(Arc::clone(tools))
    }

    /// The offer whose calls the editor makes: it has no address, or did not answer there in this run.
    fn by_editor<'a>(&self, entry: &'a Entry) -> Option<&'a Offer> {
        let pinned = lock(&self.pinned);
        let told = |offer: &&Offer| pinned.get(&offer.label).is_none_or(|tools| offer.is_told_by(tools));
        entry.offer.as_deref().filter(told)
    }

    /// What a person is to be asked for before the server can start.
    async fn give_inputs(&self, entry: &Entry, clock: &RunClock) -> Result<(), Failure> {
        let given = self.core.inputs.give(&self.core.bridge, &entry.spec, &self.session.run_id, Some(clock)).await;
        given.map_err(|e| self.failed(entry, &e))
    }

    /// Has a person log in to a server that refuses to go on without it.
    async fn login(&self, entry: &Entry, clock: &RunClock, refused: &bridge::Error) -> Result<(), Failure> {
        let used = Use { asker: self.session.asker.as_ref(), clock: Some(clock), by_hand: false };
        login::after(&self.core, &entry.spec, used, refused).await.map_err(|e| self.failed(entry, &e))
    }

    fn failed(&self, entry: &Entry, error: &bridge::Error) -> Failure {
        self.core.inputs.judge(&entry.spec, error);
        if let Some(offer) = &entry.offer {
            gateway::judge(&self.core, offer, error);
        }
        let status = if error.is_timeout() { CallStatus::Timeout } else { CallStatus::Error };
        Failure { status, error: ProgramError::new(ErrorKind::Tool, error.to_string()).with_hint(error.hint()) }
    }

    /// Definitions that an earlier process listed are good enough to call by, but are listed anew beside the call.
    fn confirm_remembered(&self, entry: &Entry) {
        let name = entry.spec.name.clone();
        let first = entry.remembered && {
            let tools = entry.tools.clone();
            tools.is_some_and(|tools| lock(&self.pinned).insert(name.clone(), tools).is_none())
        };
        if first {
            let bridge = self.core.bridge.clone();
            self.core.tasks.spawn(async move {
                if let Err(e) = bridge.tools(&name).await {
                    tracing::debug!("{name} did not confirm its tools: {e}");
                }
            });
        }
    }

    /// The value for the program, and the same answer as a host would have put it into a context, for the ledger.
    fn value(&self, call: &GuestCall, result: ToolResult, slot: usize) -> Result<String, Failure> {
        let seen: Arc<str> = result.prompt_text().into();
        self.facts.answered(slot, &seen, result.media_count());
        if result.is_error {
            let text = if seen.is_empty() { "the tool reported an error without a text" } else { &seen };
            let message = bounded(text, ERROR_TEXT_BYTES).to_owned();
            return Err(Failure { status: CallStatus::Error, error: ProgramError::new(ErrorKind::Tool, message) });
        }
        let value = result.into_program_json();
        if value.len() > self.limits.call_result_bytes {
            return Err(Failure::new(
                CallStatus::Error,
                ErrorKind::Tool,
                format!(
                    "{} answered {} MB; a program takes {} MB of one call",
                    call.tool,
                    value.len() >> 20,
                    self.limits.call_result_bytes >> 20
                ),
                "ask the tool for less: a filter, a page, a range",
            ));
        }
        Ok(value)
    }
}

/// What stands beside the tools of a server whose calls the editor makes.
fn tools_alone(offer: &Offer) -> Failure {
    let why = format!("the editor offers the tools of `{}` alone", offer.label);
    Failure::new(CallStatus::Error, ErrorKind::Tool, why, "configure the server in a file to reach the rest")
}

/// The longest prefix of at most `bytes` bytes that ends on a character.
pub(crate) fn bounded(text: &str, bytes: usize) -> &str {
    &text[..text.floor_char_boundary(bytes)]
}

pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
