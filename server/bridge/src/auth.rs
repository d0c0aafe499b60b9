//! Logging in to remote servers that ask for it: OAuth 2.1, spoken by rmcp's `auth`.
//!
//! Invariants: a token is sent to the server that it was got for and refreshed where it was issued (`wallet`), nowhere
//! else; one login at a time is open about a server, and whoever needs it meanwhile waits for that one; nobody is shown a
//! page twice in a minute for the same refusal. A server with an `Authorization` header of its own is never logged in to.
//! Left out on purpose: whether a person may be asked, which is the daemon's, and where tokens are kept ([`Keeper`]).

mod endpoints;
mod login;
mod redirect;
mod refusal;
mod revoke;
mod wallet;

pub(crate) use endpoints::is_loopback;
pub(crate) use refusal::{explain, explain_start};
pub(crate) use wallet::Wallet;

use crate::bodies::Sender;
use crate::error::Error;
use futures::future::BoxFuture;
use model::server::{OAuth, Scope};
use model::{Secret, ServerSpec, Transport};
use rmcp::transport::auth::{
    AuthClient, AuthError, AuthorizationManager, OAuthHttpClient, OAuthHttpClientFuture, OAuthHttpRequest,
};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::OnceCell;

/// Whether a login failed or did not help, it is not repeated for the same refusal so soon unless a person wants it.
const CALM: Duration = Duration::from_mins(1);

/// Keeps tokens, as texts under opaque keys: an editor, a keyring, a file.
pub trait Keeper: std::fmt::Debug + Send + Sync + 'static {
    /// What is kept under `key`.
    fn get(&self, key: String) -> BoxFuture<'static, Result<Option<Secret>, String>>;

    /// Keeps `value` under `key`, or forgets what is there.
    fn set(&self, key: String, value: Option<Secret>) -> BoxFuture<'static, Result<(), String>>;
}

/// A page that a person is to open in order to log in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LoginPage {
    /// Which server asks for it.
    pub server: String,
    /// The page, http or https. Whoever opens it can finish this login, so it belongs in no log.
    pub url: String,
    /// Where the page will send the browser afterwards: a loopback address of this machine.
    pub redirect: String,
}

/// How a page is shown; the error says why nobody saw it.
pub type Show<'a> = Box<dyn FnOnce(LoginPage) -> BoxFuture<'static, Result<(), String>> + Send + 'a>;

/// The logins of a bridge, by the server's name. They outlast connections.
#[derive(Default)]
pub(crate) struct Logins(Mutex<HashMap<String, Arc<Auth>>>);

impl Logins {
    /// The login of a server; none for one that is not remote, has its own `Authorization`, or is the editor's.
    pub(crate) fn of(&self, spec: &ServerSpec, keeper: Option<&Arc<dyn Keeper>>) -> Option<Arc<Auth>> {
        let Transport::Http { url, headers, .. } = &spec.transport else { return None };
        let has_own = headers.keys().any(|name| name.eq_ignore_ascii_case("authorization"));
        if has_own || spec.source.scope == Scope::Editor {
            return None;
        }
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let known = all.get(&spec.name).filter(|auth| auth.url == *url && auth.oauth == spec.oauth);
        if let Some(known) = known {
            return Some(Arc::clone(known));
        }
        let auth = Arc::new(Auth::new(spec, url, keeper));
        all.insert(spec.name.clone(), Arc::clone(&auth));
        Some(auth)
    }

    /// Forgets the servers that are not configured any more.
    pub(crate) fn retain(&self, kept: impl Fn(&str) -> bool) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).retain(|name, _| kept(name));
    }
}

/// rmcp's HTTP client with whatever token there is.
pub(crate) type Client = AuthClient<Sender>;

/// The login of one server.
pub(crate) struct Auth {
    server: String,
    url: String,
    oauth: OAuth,
    pub(crate) wallet: Arc<Wallet>,
    /// Shared by all connections, so that a login takes effect at the next request.
    client: OnceCell<Client>,
    turn: tokio::sync::Mutex<()>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// The last `WWW-Authenticate` that the server sent.
    challenge: Option<String>,
    /// How often somebody logged in.
    logins: u64,
    last: Option<Last>,
}

/// The last login.
struct Last {
    at: Instant,
    challenge: Option<String>,
    /// What was in hand afterwards.
    token: Option<serde_json::Value>,
    came: Result<(), Error>,
}

impl Auth {
    fn new(spec: &ServerSpec, url: &str, keeper: Option<&Arc<dyn Keeper>>) -> Self {
        Self {
            server: spec.name.clone(),
            url: url.to_owned(),
            oauth: spec.oauth.clone(),
            wallet: Arc::new(Wallet::new(url, spec.oauth.client_id.as_deref(), keeper.cloned())),
            client: OnceCell::new(),
            turn: tokio::sync::Mutex::default(),
            state: Mutex::default(),
        }
    }

    /// Who sends the requests: with the token of an earlier login, where one is kept and still holds.
    pub(crate) async fn client(&self) -> Result<Client, Error> {
        let made = self.client.get_or_try_init(|| async {
            let manager = match self.wallet.recall().await {
                Some(kept) => wallet::manager(&kept, &self.wallet).await,
                None => nobody(&self.url).await,
            };
            Ok(AuthClient::new(Sender(crate::http::client(&self.url)), manager?))
        });
        made.await.cloned().map_err(|error: AuthError| self.failed(login::Failed::of(&error)))
    }

    /// Has a person log in, unless somebody else just did.
    pub(crate) async fn login(&self, by_hand: bool, show: Show<'_>) -> Result<(), Error> {
        let before = self.state().logins;
        let _turn = self.turn.lock().await;
        let challenge = {
            let state = self.state();
            if state.logins != before {
                return Ok(());
            }
            match &state.last {
                Some(last)
                    if !by_hand
                        && last.at.elapsed() < CALM
                        && last.challenge == state.challenge
                        && last.token == self.wallet.token() =>
                {
                    return Err(last.came.clone().err().unwrap_or_else(|| self.failed(login::Failed::no_help())));
                }
                _ => state.challenge.clone(),
            }
        };
        if !by_hand && self.found_another().await? {
            self.state().logins += 1;
            return Ok(());
        }
        let came = self.login_now(challenge.as_deref(), by_hand, show).await;
        let mut state = self.state();
        state.logins += u64::from(came.is_ok());
        state.last = Some(Last { at: Instant::now(), challenge, token: self.wallet.token(), came: came.clone() });
        came
    }

    /// Whether another window or terminal has logged in since; then its login is used.
    async fn found_another(&self) -> Result<bool, Error> {
        let client = self.client().await?;
        let before = self.wallet.token();
        let Some(kept) = self.wallet.recall().await else { return Ok(false) };
        let now = self.wallet.token();
        if now.is_none() || now == before {
            return Ok(false);
        }
        let manager = wallet::manager(&kept, &self.wallet).await.map_err(|e| self.failed(login::Failed::of(&e)))?;
        *client.auth_manager.lock().await = manager;
        Ok(true)
    }

    async fn login_now(&self, challenge: Option<&str>, by_hand: bool, show: Show<'_>) -> Result<(), Error> {
        let client = self.client().await?;
        let desk = login::Desk { server: &self.server, url: &self.url, oauth: &self.oauth, wallet: &self.wallet };
        let kept = desk.login(challenge, by_hand, show).await.map_err(|failed| self.failed(failed))?;
        let manager = wallet::manager(&kept, &self.wallet).await.map_err(|e| self.failed(login::Failed::of(&e)))?;
        if let Err(why) = self.wallet.store(kept).await {
            tracing::warn!(server = self.server, "the login is not kept for the next time: {why}");
        }
        *client.auth_manager.lock().await = manager;
        Ok(())
    }

    /// Forgets the login, here and at the keeper, and then gives it back; whether there was one.
    pub(crate) async fn logout(&self) -> Result<bool, Error> {
        let _turn = self.turn.lock().await;
        let had = self.wallet.recall().await;
        if let Some(client) = self.client.get()
            && let Ok(nobody) = nobody(&self.url).await
        {
            *client.auth_manager.lock().await = nobody;
        }
        *self.state() = State::default();
        let forgotten = self.wallet.forget().await;
        let given_back = match &had {
            Some(kept) => revoke::revoke(kept).await,
            None => Ok(()),
        };
        let failed = |why, hint: &str| self.failed(login::Failed { why, hint: hint.to_owned() });
        forgotten.map_err(|why| {
            failed(format!("it is still kept: {why}"), "Remove it there by hand; it is not used here any more.")
        })?;
        given_back.map_err(|why| {
            let why = format!("it is forgotten here, but its authorization server did not take it back: {why}");
            failed(why, "It may hold until it runs out. End it in the settings of the account, where that matters.")
        })?;
        Ok(had.is_some())
    }

    /// Notes what the server wants, for the login that may follow.
    fn challenged(&self, challenge: &str) {
        self.state().challenge = Some(challenge.to_owned());
    }

    fn failed(&self, failed: login::Failed) -> Error {
        let why = self.wallet.clean(&failed.why);
        Error::LoginFailed { server: self.server.clone(), why, hint: failed.hint }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Who sends the requests to a server that is not logged in to.
pub(crate) async fn without(server: &str, url: &str) -> Result<Client, Error> {
    let manager = nobody(url).await.map_err(|error| Error::Handshake {
        server: server.to_owned(),
        why: error.to_string(),
        stderr_tail: String::new(),
        hint: "Correct its URL.".to_owned(),
    })?;
    Ok(AuthClient::new(Sender(crate::http::client(url)), manager))
}

/// Who has no token sends requests without one.
async fn nobody(url: &str) -> Result<AuthorizationManager, AuthError> {
    AuthorizationManager::new_with_oauth_http_client(url, Arc::new(Offline)).await
}

/// Before a login there is nothing to ask an authorization server for.
struct Offline;

impl OAuthHttpClient for Offline {
    fn execute(&self, _: OAuthHttpRequest) -> OAuthHttpClientFuture<'_> {
        Box::pin(async { Err("nobody is logged in".into()) })
    }
}
