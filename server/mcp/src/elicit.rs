//! Questions to the person at the MCP client: approvals as form elicitations, and what servers ask, passed on (`question.rs`).
//!
//! Up to revision 2025-11-25 a question is a request of ours, sent from the task that handles its run's request, so that it
//! travels on that request's stream. Revision 2026-07-28 has none: there the question is the answer to the run's request,
//! and its answer comes with the next one (`run.rs`).
//!
//! Invariants: a run's questions go out one at a time; whatever is no clear yes is a no; a question that nobody waits for
//! any more is withdrawn. Not bounded here: how long a question stays open, which the daemon does. Where a client fails to
//! ask, the editor is asked, if one is in front.

use crate::pages;
use crate::question::{NAME_CHARS, Question, TEXT_CHARS, as_request, plain, quoted};
use daemon::Asker;
use model::PageId;
use model::ask::{ElicitReply, ElicitRequest, Offers, SampleReply, SampleRequest};
use model::direct::WITHOUT_PROGRAM;
use model::editor::{ApprovalPattern, ApprovalReply, ApprovalRequest};
use rmcp::model::{
    ClientCapabilities, ClientResult, ElicitRequestParams, ElicitationAction, ElicitationSchema, EnumSchema,
    InputRequests, InputResponses, ProtocolVersion, ServerRequest,
};
use rmcp::service::{PeerRequestOptions, RequestContext, RequestHandle, ServiceError};
use rmcp::{Peer, RoleServer};
use serde_json::{Map, Value};
use std::collections::HashSet;
use std::pin::Pin;
use std::sync::Arc;
use tokio::sync::{mpsc, oneshot};

/// Questions of one run that wait for the one that is open; further calls wait for a place.
const WAITING_MAX: usize = 16;
/// Patterns offered for remembering.
const PATTERNS_MAX: usize = 4;
/// Characters of a command: what is started is shown to its end, or said to go on.
const COMMAND_CHARS: usize = 4_000;

/// The one field of the form.
const FIELD: &str = "decision";

/// What a person can choose, in the form's order.
type Choices = Vec<(String, ApprovalReply)>;

/// The daemon's side: hands a question to the task of the request that it belongs to.
#[derive(Debug)]
struct Elicitor {
    questions: mpsc::Sender<Question>,
    offers: Offers,
    /// Whom to tell what it was not asked for; nobody in the stateless revision.
    peer: Option<Peer<RoleServer>>,
}

type Answer<T> = Pin<Box<dyn Future<Output = Option<T>> + Send + 'static>>;

impl Elicitor {
    fn put<T: Send + 'static>(
        &self,
        can: bool,
        question: impl FnOnce(oneshot::Sender<Option<T>>) -> Question + Send + 'static,
    ) -> Answer<T> {
        let questions = can.then(|| self.questions.clone());
        Box::pin(async move {
            let (answer, answered) = oneshot::channel();
            questions?.send(question(answer)).await.ok()?;
            answered.await.ok()?
        })
    }
}

impl Asker for Elicitor {
    fn approve(&self, request: ApprovalRequest) -> Answer<ApprovalReply> {
        self.put(self.offers.form, |answer| Question::Approve(request, answer))
    }

    fn offers(&self) -> Offers {
        self.offers
    }

    fn elicit(&self, request: ElicitRequest) -> Answer<ElicitReply> {
        let can = match &request {
            ElicitRequest::Form { .. } => self.offers.form,
            ElicitRequest::Url { .. } => self.offers.url,
        };
        let done = pages::done(&request);
        let asked = self.put(can, |answer| Question::Elicit(request, answer));
        match done {
            Some(done) => pages::both(asked, self.put(self.offers.form, |answer| Question::Elicit(done, answer))),
            None => asked,
        }
    }

    fn completed(&self, page: &PageId) {
        if let Some(peer) = self.peer.clone() {
            tokio::spawn(pages::tell(peer, page.clone()));
        }
    }

    fn sample(&self, request: SampleRequest) -> Answer<Result<SampleReply, String>> {
        self.put(self.offers.sampling, |answer| Question::Sample(request, answer))
    }
}

/// The request's side: puts the questions of its run to the client.
pub(crate) struct Questions {
    waiting: mpsc::Receiver<Question>,
    way: Way,
}

/// How this client is asked.
enum Way {
    /// By a request of ours, which is open or not.
    Request { peer: Peer<RoleServer>, open: Option<RequestHandle<RoleServer>> },
    /// By the answer to its own request: the question that is open.
    Answer { open: Option<Question> },
}

/// Both sides; no asker where this client cannot be asked.
pub(crate) fn questions(context: &RequestContext<RoleServer>) -> (Option<Arc<dyn Asker>>, Questions) {
    let (questions, waiting) = mpsc::channel(WAITING_MAX);
    let offers = context.client_capabilities().map(|client| offers(&client)).unwrap_or_default();
    let stateless = is_stateless(context);
    let peer = (!stateless).then(|| context.peer.clone());
    let asker = (offers != Offers::default()).then(|| Arc::new(Elicitor { questions, offers, peer }) as Arc<dyn Asker>);
    let way =
        if stateless { Way::Answer { open: None } } else { Way::Request { peer: context.peer.clone(), open: None } };
    (asker, Questions { waiting, way })
}

/// Whether a request stands for itself, as all do since revision 2026-07-28.
pub(crate) fn is_stateless(context: &RequestContext<RoleServer>) -> bool {
    context.protocol_version().is_some_and(|version| version >= ProtocolVersion::V_2026_07_28)
}

/// What this client can be asked. Those older than the choice between forms and pages declare neither, and take forms.
pub(crate) fn offers(client: &ClientCapabilities) -> Offers {
    let elicitation = client.elicitation.as_ref();
    Offers {
        form: elicitation.is_some_and(|e| e.form.is_some() || e.url.is_none()),
        url: elicitation.is_some_and(|e| e.url.is_some()),
        sampling: client.sampling.is_some(),
    }
}

impl Questions {
    /// Asks, for as long as the run goes on; returns only where a question is to be put by [`Questions::put`].
    pub(crate) async fn serve(&mut self) {
        loop {
            if let Way::Answer { open: Some(question) } = &self.way
                && !question.is_closed()
            {
                return;
            }
            // A run that can ask no more goes on without.
            let Some(mut question) = self.waiting.recv().await else { return std::future::pending().await };
            if question.is_closed() {
                continue;
            }
            match &mut self.way {
                Way::Request { peer, open } => {
                    let request = question.request().ok();
                    let answered = tokio::select! {
                        answered = ask(peer, open, request.and_then(as_request)) => answered,
                        () = question.closed() => {
                            self.withdraw().await;
                            continue;
                        }
                    };
                    question.answer(answered);
                }
                Way::Answer { open } => *open = Some(question),
            }
        }
    }

    /// The open question, as the answer to its client's request.
    pub(crate) fn put(&self) -> InputRequests {
        let Way::Answer { open: Some(question) } = &self.way else { return InputRequests::new() };
        question.request().map(|request| InputRequests::from([(FIELD.to_owned(), request)])).unwrap_or_default()
    }

    /// What the client answers to it. No answer at all leaves it open.
    pub(crate) fn answered(&mut self, responses: Option<InputResponses>) {
        let Way::Answer { open } = &mut self.way else { return };
        if let Some(answer) = responses.and_then(|mut responses| responses.remove(FIELD)) {
            *open = open.take().and_then(|question| question.answer_with(answer));
        }
    }

    /// Takes back the question that is open, if one is.
    pub(crate) async fn withdraw(&mut self) {
        if let Way::Request { open, .. } = &mut self.way
            && let Some(open) = open.take()
        {
            // A client that has left needs no telling.
            let _ = open.cancel(Some("the question is no longer open".to_owned())).await;
        }
    }
}

/// What the client answers.
async fn ask(
    peer: &Peer<RoleServer>,
    open: &mut Option<RequestHandle<RoleServer>>,
    request: Option<ServerRequest>,
) -> Result<ClientResult, ServiceError> {
    let request = request.ok_or(ServiceError::UnexpectedResponse)?;
    let sent = peer.send_request_with_option(request, PeerRequestOptions::no_options()).await;
    let asked = open.insert(sent?);
    let answered = (&mut asked.rx).await;
    *open = None;
    answered.unwrap_or(Err(ServiceError::TransportClosed))
}

/// The person's answer; `None` where the client did not ask.
pub(crate) fn decided(
    request: &ApprovalRequest,
    answered: Result<ClientResult, ServiceError>,
) -> Option<ApprovalReply> {
    decision(answered, words(request).1)
}

/// An approval as a form.
pub(crate) fn approval(request: &ApprovalRequest) -> ElicitRequestParams {
    let (message, choices) = words(request);
    form(message, title(request), &choices)
}

fn decision(answered: Result<ClientResult, ServiceError>, choices: Choices) -> Option<ApprovalReply> {
    let answer = match answered {
        Ok(ClientResult::ElicitResult(answer)) => answer,
        Ok(_) => return Some(ApprovalReply::Deny),
        Err(e) => {
            tracing::warn!("the client did not ask: {e}");
            return None;
        }
    };
    if answer.action != ElicitationAction::Accept {
        return Some(ApprovalReply::Deny);
    }
    let chosen = answer.content.as_ref().and_then(|content| content.get(FIELD)?.as_str());
    let chosen = choices.into_iter().find(|(label, _)| Some(label.as_str()) == chosen);
    Some(chosen.map_or(ApprovalReply::Deny, |(_, reply)| reply))
}

/// The labels are the values: not every client shows titles in their place.
fn form(message: String, title: String, choices: &Choices) -> ElicitRequestParams {
    let labels = choices.iter().map(|(label, _)| label.clone()).collect();
    let field = EnumSchema::builder(labels).untitled().title(title).build();
    let requested_schema = ElicitationSchema::builder()
        .required_enum_schema(FIELD, field)
        .build()
        .expect("a form of one field names it as required");
    ElicitRequestParams::FormElicitationParams { meta: None, message, requested_schema }
}

/// The question in short, which stays in a chat beside its answer.
fn title(request: &ApprovalRequest) -> String {
    match request {
        ApprovalRequest::Call { server, tool, .. } => {
            format!("Allow {}?", plain(&format!("{server}.{tool}"), NAME_CHARS))
        }
        ApprovalRequest::Server { server, .. } => format!("Allow the server {}?", plain(server, NAME_CHARS)),
    }
}

/// What is asked, and what can be answered.
fn words(request: &ApprovalRequest) -> (String, Choices) {
    match request {
        ApprovalRequest::Call { label, line, server, tool, reason, arguments, patterns, .. } => {
            let call = quoted(&format!("{server}.{tool}"), NAME_CHARS);
            let direct = line.is_none() && label == WITHOUT_PROGRAM;
            let at = line.map(|line| format!("line {line} of ")).unwrap_or_default();
            let by = format!("Asked by {at}the program {}", quoted(label, NAME_CHARS));
            let by = if direct { "The model makes it without a program" } else { &by };
            let (arguments, reason) = (named(arguments), plain(reason, TEXT_CHARS));
            (format!("Call {call} with {arguments}? {by}; {reason}."), calls(patterns, direct))
        }
        ApprovalRequest::Server { server, source, transport, target, .. } => {
            let (server, target) = (quoted(server, NAME_CHARS), quoted(target, COMMAND_CHARS));
            let file = quoted(&source.file.display().to_string(), TEXT_CHARS);
            let does = if transport == "stdio" { "runs" } else { "connects to" };
            let message = format!(
                "The MCP server {server} has not been approved yet. It is configured in {file}, line {}, and {does} {target}",
                source.line
            );
            let choices = [
                ("Allow for now", ApprovalReply::Once),
                ("Always allow, until its configuration changes", ApprovalReply::Always { pattern: 0 }),
                ("Deny", ApprovalReply::Deny),
            ];
            (message, choices.map(|(label, reply)| (label.to_owned(), reply)).into())
        }
    }
}

/// The short ones first: a narrow window may show no more.
fn calls(patterns: &[ApprovalPattern], direct: bool) -> Choices {
    let always = patterns.iter().take(PATTERNS_MAX).enumerate().map(|(pattern, offered)| {
        let label = format!("Always allow {}", plain(&offered.label, TEXT_CHARS));
        (label, ApprovalReply::Always { pattern })
    });
    let short = [
        ("Allow once", ApprovalReply::Once),
        ("Allow for this run", ApprovalReply::Run),
        ("Deny", ApprovalReply::Deny),
    ];
    // Where there is no program there is no run to allow it for.
    let short = short.into_iter().filter(|(_, reply)| !(direct && *reply == ApprovalReply::Run));
    let mut choices: Choices = short.map(|(label, reply)| (label.to_owned(), reply)).chain(always).collect();
    // Two patterns that read alike could not be told apart by the person either: the narrower one stands.
    let mut seen = HashSet::new();
    choices.retain(|(label, _)| seen.insert(label.clone()));
    choices
}

/// The arguments one by one, so that a narrow window can break the line between them; as they came where they were cut.
fn named(arguments: &str) -> String {
    match serde_json::from_str::<Map<String, Value>>(arguments) {
        Ok(named) if named.is_empty() => "no arguments".to_owned(),
        Ok(named) => {
            let each = named.iter().map(|(name, value)| quoted(&format!("{name}: {value}"), TEXT_CHARS));
            each.collect::<Vec<_>>().join(", ")
        }
        Err(_) => quoted(arguments, TEXT_CHARS),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::RunId;
    use rmcp::model::ElicitResult;
    use serde_json::json;

    fn call(arguments: &str, labels: &[&str]) -> ApprovalRequest {
        let pattern = |label: &&str| ApprovalPattern { label: (*label).to_owned(), arguments: [].into() };
        ApprovalRequest::Call {
            run_id: RunId::new(),
            label: "tidy.py".to_owned(),
            line: Some(3),
            server: "fs".to_owned(),
            tool: "write_file".to_owned(),
            reason: "it may destroy data".to_owned(),
            arguments: arguments.to_owned(),
            patterns: labels.iter().map(pattern).collect(),
        }
    }

    fn answer(action: ElicitationAction, content: &serde_json::Value) -> ClientResult {
        ClientResult::ElicitResult(ElicitResult::new(action).with_content(content.clone()))
    }

    #[test]
    fn the_question_says_who_wants_what_where_and_why() {
        let (message, choices) = words(&call(r#"{"path":"a"}"#, &["write_file where path is a"]));
        let says =
            r#"Call `fs.write_file` with `path: "a"`? Asked by line 3 of the program `tidy.py`; it may destroy data."#;
        assert_eq!(message, says);
        let labels: Vec<&str> = choices.iter().map(|(label, _)| label.as_str()).collect();
        assert_eq!(labels, ["Allow once", "Allow for this run", "Deny", "Always allow write_file where path is a"]);
    }

    #[test]
    fn a_call_without_a_program_is_not_said_to_be_a_programs() {
        let mut request = call("{}", &[]);
        let ApprovalRequest::Call { label, line, .. } = &mut request else { unreachable!("it is a call") };
        (*label, *line) = (WITHOUT_PROGRAM.to_owned(), None);
        let (message, choices) = words(&request);
        assert!(message.ends_with("? The model makes it without a program; it may destroy data."), "{message}");
        let labels: Vec<&str> = choices.iter().map(|(label, _)| label.as_str()).collect();
        assert_eq!(labels, ["Allow once", "Deny"]);
    }

    #[test]
    fn what_the_program_wrote_cannot_leave_its_quotes_or_hide() {
        let (message, _) = words(&call("`) [click](command:x)\n\u{202e}# all fine\u{7}", &[]));
        assert!(message.contains("with `') [click](command:x)  # all fine `? "), "{message}");
        let (message, _) = words(&call(r#"{"a`b":"`) *x*","c":1}"#, &[]));
        assert!(message.contains(r#" with `a'b: "') *x*"`, `c: 1`? "#), "{message}");
        assert!(words(&call("{}", &[])).0.contains("with no arguments?"));
        let (message, _) = words(&call(&"é".repeat(10_000), &[]));
        assert!(message.contains("é… (10000 characters in all)`? "), "{message}");
        assert!(message.chars().count() < 1_300, "{message}");
    }

    #[test]
    fn only_a_choice_that_was_offered_is_a_yes() {
        let ask = |content| decision(Ok(answer(ElicitationAction::Accept, &content)), calls(&[], false));
        assert_eq!(ask(json!({"decision": "Allow once"})), Some(ApprovalReply::Once));
        assert_eq!(ask(json!({"decision": "Allow for this run"})), Some(ApprovalReply::Run));
        for no in [json!({"decision": "Deny"}), json!({"decision": "allow once"}), json!({"decision": 1}), json!(null)]
        {
            assert_eq!(ask(no.clone()), Some(ApprovalReply::Deny), "{no}");
        }
        for action in [ElicitationAction::Decline, ElicitationAction::Cancel] {
            let yes = json!({"decision": "Allow once"});
            assert_eq!(decision(Ok(answer(action, &yes)), calls(&[], false)), Some(ApprovalReply::Deny));
        }
        assert_eq!(decision(Err(ServiceError::TransportClosed), calls(&[], false)), None);
    }

    #[test]
    fn patterns_that_read_alike_are_offered_once_and_only_so_many() {
        let (_, choices) = words(&call("{}", &["a", "a", "b", "c", "d"]));
        let always: Vec<_> = choices.iter().filter(|(label, _)| label.starts_with("Always")).collect();
        let patterns: Vec<_> = always.iter().map(|(_, reply)| reply.clone()).collect();
        assert_eq!(patterns, [0, 2, 3].map(|pattern| ApprovalReply::Always { pattern }));
    }
}
