//! The one place that decides whether a person must say yes to a call, asks, and keeps the answer. Servers: `admit.rs`.
//!
//! Invariants: no answer is a no, and so is nobody to ask; a run asks one question at a time, so that one answer can
//! cover the next call; a question lives no longer than the call that asks it.

use crate::approved::{Calls, Kept, Store};
use crate::editor::{Asker, Editor};
use crate::options::{AskCalls, Options, Paths};
use crate::patterns::{self, Pattern};
use crate::question;
use crate::run::now_ms;
use engine::RunClock;
use model::editor::{Approval, ApprovalReply, ApprovalRequest};
use model::{ErrorKind, ProgramError, RunId, ServerSpec, ToolDefinition, Transport};
use serde_json::{Map, Value};
use std::collections::HashSet;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::Semaphore;

/// Longest time a person may take; the client's own time may be shorter.
const PATIENCE: Duration = Duration::from_mins(5);
/// Questions open at once; further ones wait.
const OPEN_MAX: usize = 8;

/// What a daemon knows of approvals, and whom it asks.
#[derive(Debug)]
pub(crate) struct Approvals {
    ask_calls: AskCalls,
    pub(crate) ask_servers: bool,
    /// Asked where whoever sent the request cannot ask.
    editor: Option<Arc<dyn Editor>>,
    pub(crate) store: Arc<Store>,
    pub(crate) servers: Mutex<crate::admit::Servers>,
    open: Semaphore,
    patience: Duration,
    /// Where servers work that do not say where.
    workspace: PathBuf,
}

/// On whose behalf a run, or a direct call, asks; and what was answered for the rest of it.
#[derive(Debug)]
pub(crate) struct Session {
    pub(crate) run_id: RunId,
    pub(crate) label: String,
    pub(crate) asker: Option<Arc<dyn Asker>>,
    turn: tokio::sync::Mutex<()>,
    given: Mutex<Given>,
}

#[derive(Debug, Default)]
struct Given {
    /// Server and tool.
    allowed: HashSet<(String, String)>,
    /// Hashes of the calls that a person refused.
    refused: HashSet<[u8; 32]>,
    /// A question went unanswered: nobody is there.
    unattended: bool,
}

/// A call that is about to be made.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Wanted<'a> {
    pub(crate) server: &'a ServerSpec,
    pub(crate) tool: &'a ToolDefinition,
    pub(crate) arguments: &'a Map<String, Value>,
    pub(crate) line: Option<u32>,
    pub(crate) clock: &'a RunClock,
    /// It is made in the editor's place, which would have asked about whatever may write.
    pub(crate) for_editor: bool,
}

/// What came of a question.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    Given(ApprovalReply),
    /// Nobody can be asked.
    Nobody,
    /// Nobody answered in time.
    Silence,
}

impl Session {
    pub(crate) fn new(run_id: RunId, label: &str, asker: Option<Arc<dyn Asker>>) -> Self {
        Self {
            run_id,
            label: question::name(label),
            asker,
            turn: tokio::sync::Mutex::default(),
            given: Mutex::default(),
        }
    }

    fn given(&self) -> MutexGuard<'_, Given> {
        self.given.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Approvals {
    pub(crate) fn new(options: &Options, paths: &Paths) -> Self {
        Self {
            ask_calls: options.ask_calls,
            ask_servers: options.ask_servers,
            editor: options.editor.clone(),
            store: Arc::new(Store::new(paths.data.join("approvals.json"))),
            servers: Mutex::default(),
            open: Semaphore::new(OPEN_MAX),
            patience: PATIENCE,
            workspace: paths.workspace.clone(),
        }
    }

    /// Whether the call may be made; asks where that is not settled. The run's clock stands still meanwhile.
    pub(crate) async fn call(&self, session: &Session, wanted: Wanted<'_>) -> Result<(), ProgramError> {
        let ask = if wanted.for_editor { self.ask_calls.as_editor() } else { self.ask_calls };
        let Some(reason) = question::reason(ask, wanted.tool.annotations.as_ref()) else { return Ok(()) };
        let hash = binding(&wanted);
        if let Some(settled) = self.settled(session, &wanted, &hash) {
            return settled;
        }
        let _pause = wanted.clock.pause();
        let _turn = session.turn.lock().await;
        if let Some(settled) = self.settled(session, &wanted, &hash) {
            return settled;
        }
        let offers = patterns::offers(wanted.arguments);
        let answer = self.ask(session.asker.as_ref(), question::call(session, &wanted, reason, &offers)).await;
        self.take(session, &wanted, hash, offers, answer).await
    }

    /// What earlier answers say.
    fn settled(&self, session: &Session, wanted: &Wanted<'_>, hash: &str) -> Option<Result<(), ProgramError>> {
        let (server, tool) = (&wanted.server.name, &wanted.tool.name);
        let given = session.given();
        if given.refused.contains(&fingerprint(wanted)) {
            return Some(Err(refused(wanted)));
        }
        let allowed = given.allowed.contains(&(server.clone(), tool.clone()));
        let base = match &wanted.server.transport {
            Transport::Stdio { cwd: Some(cwd), .. } => cwd,
            _ => &self.workspace,
        };
        if allowed || self.store.call(server, hash, tool, wanted.arguments, base) {
            return Some(Ok(()));
        }
        given.unattended.then(|| Err(unanswered(wanted)))
    }

    /// Puts a question, and waits for its answer within bounds. Dropping the future withdraws it.
    pub(crate) async fn ask(&self, asker: Option<&Arc<dyn Asker>>, request: ApprovalRequest) -> Answer {
        let editor = self.editor.clone().map(|editor| editor as Arc<dyn Asker>);
        let question = async {
            let _place = self.open.acquire().await.expect("it is never closed");
            for asker in asker.cloned().into_iter().chain(editor) {
                if let Some(reply) = asker.approve(request.clone()).await {
                    return Answer::Given(reply);
                }
            }
            Answer::Nobody
        };
        tokio::time::timeout(self.patience, question).await.unwrap_or(Answer::Silence)
    }

    /// Keeps an answer for as long as it says.
    async fn take(
        &self,
        session: &Session,
        wanted: &Wanted<'_>,
        hash: String,
        mut offers: Vec<Pattern>,
        answer: Answer,
    ) -> Result<(), ProgramError> {
        let (server, tool) = (wanted.server.name.clone(), wanted.tool.name.clone());
        match answer {
            Answer::Nobody => return Err(nobody(wanted)),
            Answer::Silence => {
                session.given().unattended = true;
                return Err(unanswered(wanted));
            }
            Answer::Given(ApprovalReply::Deny) => {
                session.given().refused.insert(fingerprint(wanted));
                return Err(refused(wanted));
            }
            Answer::Given(ApprovalReply::Run) => {
                session.given().allowed.insert((server, tool));
            }
            // A position that was not offered covers no more than this call.
            Answer::Given(ApprovalReply::Always { pattern }) if pattern < offers.len() => {
                let pattern = offers.swap_remove(pattern);
                let label = question::name(&pattern.label(&tool));
                let calls = Some(Calls { tool, pattern });
                self.keep(Kept { server, hash, calls, label, at_ms: now_ms() }).await;
            }
            Answer::Given(ApprovalReply::Once | ApprovalReply::Always { .. }) => {}
        }
        Ok(())
    }

    /// Keeps an approval for good. It is written also where whoever waits for it goes away.
    pub(crate) async fn keep(&self, approved: Kept) {
        let store = Arc::clone(&self.store);
        let written = tokio::task::spawn_blocking(move || store.add(approved)).await;
        if let Ok(Err(e)) = written {
            tracing::warn!("an approval holds only until the daemon ends, it cannot be written: {e}");
        }
    }

    /// All that are kept, newest first.
    pub(crate) fn list(&self) -> Vec<Approval> {
        let mut all = self.store.list();
        all.reverse();
        all
    }
}

/// What an approval of calls is bound to: what is started, and what the server said of the tool when it was given.
fn binding(wanted: &Wanted<'_>) -> String {
    let mut hash = blake3::Hasher::new();
    hash.update(wanted.server.content_hash.as_bytes()).update(&[0]);
    hash.update(&serde_json::to_vec(wanted.tool).expect("a definition is JSON"));
    hash.finalize().to_hex().to_string()
}

/// One call, whenever it is made.
fn fingerprint(wanted: &Wanted<'_>) -> [u8; 32] {
    let call = (&wanted.server.name, &wanted.tool.name, wanted.arguments);
    *blake3::hash(&serde_json::to_vec(&call).expect("texts and values are JSON")).as_bytes()
}

fn refused(wanted: &Wanted<'_>) -> ProgramError {
    denied(format!("a person said no to {}", called(wanted)))
        .with_hint("do not retry it in another way; ask what they want instead")
}

fn unanswered(wanted: &Wanted<'_>) -> ProgramError {
    denied(format!("nobody answered whether {} may be called, so it was not", called(wanted)))
        .with_hint("do not retry it in another way; tell the person what waits for their approval")
}

fn nobody(wanted: &Wanted<'_>) -> ProgramError {
    denied(format!("{} needs a person's approval, and this client cannot ask for one", called(wanted))).with_hint(
        "do not retry it in another way; a person can approve it in the editor, or change which calls ask \
         (`tta.approvals.calls`)",
    )
}

fn called(wanted: &Wanted<'_>) -> String {
    format!("{}.{}", wanted.server.name, wanted.tool.name)
}

pub(crate) fn denied(message: String) -> ProgramError {
    ProgramError::new(ErrorKind::Denied, message)
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures::FutureExt as _;
    use futures::future::BoxFuture;

    #[derive(Clone, Debug)]
    enum Scripted {
        Says(ApprovalReply),
        CannotAsk,
        IsSilent,
    }

    impl Asker for Scripted {
        fn approve(&self, _: ApprovalRequest) -> BoxFuture<'static, Option<ApprovalReply>> {
            let person = self.clone();
            async {
                match person {
                    Self::Says(reply) => Some(reply),
                    Self::CannotAsk => None,
                    Self::IsSilent => std::future::pending().await,
                }
            }
            .boxed()
        }
    }

    fn approvals(folder: &tempfile::TempDir, patience: Duration) -> Approvals {
        Approvals {
            ask_calls: AskCalls::Always,
            ask_servers: true,
            editor: None,
            store: Arc::new(Store::new(folder.path().join("approvals.json"))),
            servers: Mutex::default(),
            open: Semaphore::new(1),
            patience,
            workspace: PathBuf::from("/w"),
        }
    }

    fn request() -> ApprovalRequest {
        ApprovalRequest::Server {
            server: "s".to_owned(),
            source: model::server::Source { file: "f".into(), line: 1, scope: model::server::Scope::Workspace },
            transport: "stdio".to_owned(),
            target: "t".to_owned(),
            content_hash: "h".to_owned(),
        }
    }

    #[tokio::test]
    async fn no_answer_in_time_is_one_and_nobody_is_another() {
        let folder = tempfile::tempdir().expect("a folder");
        let short = approvals(&folder, Duration::from_millis(20));
        let mute: Arc<dyn Asker> = Arc::new(Scripted::IsSilent);
        assert_eq!(short.ask(Some(&mute), request()).await, Answer::Silence);
        let long = approvals(&folder, Duration::from_mins(1));
        let unable: Arc<dyn Asker> = Arc::new(Scripted::CannotAsk);
        assert_eq!(long.ask(Some(&unable), request()).await, Answer::Nobody);
        assert_eq!(long.ask(None, request()).await, Answer::Nobody);
    }

    #[tokio::test]
    async fn a_run_whose_question_nobody_answered_asks_no_other() {
        let folder = tempfile::tempdir().expect("a folder");
        let mut approvals = approvals(&folder, Duration::from_millis(20));
        let session = Session::new(RunId::new(), "a run", Some(Arc::new(Scripted::IsSilent)));
        let (server, clock) = (testkit::faulty_spec("fs", "ok"), RunClock::new(PATIENCE, PATIENCE));
        let tool = ToolDefinition {
            name: "write".to_owned(),
            title: None,
            description: None,
            input_schema: Arc::default(),
            output_schema: None,
            annotations: None,
        };
        for n in [1, 2] {
            let arguments = Map::from_iter([("n".to_owned(), n.into())]);
            let (line, for_editor) = (None, false);
            let wanted =
                Wanted { server: &server, tool: &tool, arguments: &arguments, line, clock: &clock, for_editor };
            let denied = approvals.call(&session, wanted).await.expect_err("no answer is a no");
            assert!(denied.message.contains("nobody answered"), "{}", denied.message);
            // A second question would never end.
            approvals.patience = Duration::from_hours(24);
        }
    }

    #[tokio::test]
    async fn only_so_many_questions_are_open_at_once() {
        let folder = tempfile::tempdir().expect("a folder");
        let approvals = approvals(&folder, Duration::from_mins(1));
        let mute: Arc<dyn Asker> = Arc::new(Scripted::IsSilent);
        let yes: Arc<dyn Asker> = Arc::new(Scripted::Says(ApprovalReply::Once));
        let mut first = Box::pin(approvals.ask(Some(&mute), request()));
        assert!(first.as_mut().now_or_never().is_none());
        let mut second = Box::pin(approvals.ask(Some(&yes), request()));
        assert!(second.as_mut().now_or_never().is_none(), "there is no place");
        drop(first);
        assert_eq!(second.await, Answer::Given(ApprovalReply::Once), "a withdrawn question leaves its place");
    }
}
