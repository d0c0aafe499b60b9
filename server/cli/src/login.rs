//! `tta servers login` and `logout`, and the page of a login on a terminal.
//!
//! The page's address is printed to stderr and nowhere else: whoever opens it can finish the login that waits here.

use crate::args::Common;
use crate::elicit;
use crate::failure::{Failure, Outcome};
use crate::output::{self, for_stderr, for_stdout, say};
use crate::session::Session;
use daemon::Asker;
use model::ask::{ElicitReply, ElicitRequest, Offers};
use model::editor::{ApprovalReply, ApprovalRequest, OpenUrlRequest};
use model::{Reply, Request};
use std::pin::Pin;

type Answer<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// The person in front of stderr. What needs an answer is asked of them where they can type one.
#[derive(Debug)]
pub(crate) struct Terminal {
    pub(crate) answers: bool,
}

impl Asker for Terminal {
    fn approve(&self, _: ApprovalRequest) -> Answer<Option<ApprovalReply>> {
        Box::pin(async { None })
    }

    fn offers(&self) -> Offers {
        Offers { form: self.answers, url: self.answers, sampling: false }
    }

    fn elicit(&self, request: ElicitRequest) -> Answer<Option<ElicitReply>> {
        let answers = self.answers;
        Box::pin(async move { if answers { Some(elicit::ask(request).await) } else { None } })
    }

    fn open_url(&self, page: OpenUrlRequest) -> Answer<Result<(), String>> {
        // Their words may hold what a terminal obeys.
        say(&for_stderr(&format!("To log in to the server `{}`, open this page on this machine:", page.server)));
        say("");
        say(&for_stderr(&page.url));
        say("");
        say("Waiting for it, for five minutes at most; Ctrl-C gives up.");
        Box::pin(async { Ok(()) })
    }
}

/// `tta servers login`.
pub(crate) async fn login(name: &str, common: &Common) -> Outcome {
    let request = Request::Login { server: name.to_owned() };
    let servers = Session::with_servers(common, async |session| match session.ask_shown(request).await? {
        Reply::Servers(servers) => Ok(servers),
        _ => Err(Failure::fault("the daemon answered another question than the login")),
    })
    .await?;
    let server = servers.into_iter().find(|s| s.name == name || s.identifier == name);
    if common.json {
        output::json(&serde_json::json!({ "server": server, "logged_in": true }));
    } else {
        output::out(&for_stdout(&format!("{name}: logged in")));
    }
    Ok(0)
}

/// `tta servers logout`.
pub(crate) async fn logout(name: &str, common: &Common) -> Outcome {
    let request = Request::Logout { server: name.to_owned() };
    let had = Session::with(common, async |session| match session.ask(request).await? {
        Reply::Done(had) => Ok(had),
        _ => Err(Failure::fault("the daemon answered another question than the logout")),
    })
    .await?;
    if common.json {
        output::json(&serde_json::json!({ "logged_out": had }));
    } else {
        let what = if had { "logged out" } else { "nobody was logged in" };
        output::out(&for_stdout(&format!("{name}: {what}")));
    }
    Ok(0)
}
