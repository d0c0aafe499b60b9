//! One login, from the server's metadata to its token: discovery, registration, the browser, the exchange.
//!
//! rmcp speaks the protocol, with PKCE, the resource indicator and the issuer's check; here are the order, the bounds, and
//! errors that say what to do. Whatever ends a login early leaves nothing behind but a client that was registered.

use crate::auth::redirect::{Arrived, Listener, parameter};
use crate::auth::wallet::{Kept, Wallet, essence};
use crate::auth::{LoginPage, Show, endpoints};
use model::server::OAuth;
use reqwest::Url;
use rmcp::transport::auth::{
    AuthError, AuthorizationManager, AuthorizationMetadata, AuthorizationRequest, AuthorizationSession,
    StoredCredentials, WWWAuthenticateParams,
};
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Longest time for a person to log in.
const PATIENCE: Duration = Duration::from_mins(5);
/// What people read when they are asked to let us in.
const CLIENT_NAME: &str = "tta-mcp-code-execution";
/// Characters of what others say that are quoted.
const QUOTED: usize = 400;

/// Why a login came to nothing.
pub(super) struct Failed {
    pub(super) why: String,
    pub(super) hint: String,
}

impl Failed {
    pub(super) fn new(why: impl Into<String>) -> Self {
        Self { why: why.into(), hint: "Log in again; if it fails again, tell the server's authors.".to_owned() }
    }

    /// A login that succeeded, and the server says the same as before.
    pub(super) fn no_help() -> Self {
        let hint = "The account may lack the rights: ask the server's owner, or log in with another account.";
        Self { why: "somebody just logged in, and it refuses that too".to_owned(), hint: hint.to_owned() }
    }

    pub(super) fn of(error: &AuthError) -> Self {
        let why: String = crate::connection::describe(error).chars().filter(|c| !c.is_control()).take(QUOTED).collect();
        let hint = match error {
            AuthError::RegistrationFailed(_) => {
                "It lets no client register itself. Register one there, with the redirect URI \
                 `http://127.0.0.1:PORT/callback`, and write `\"oauth\": {\"clientId\": …, \"callbackPort\": PORT}` into \
                 the server's entry; or give it an `Authorization` header."
            }
            AuthError::TokenRefreshFailed(_) | AuthError::DiscoveryRequestFailed { .. } => {
                "Try again in a moment; if it goes on, log in again."
            }
            _ => return Self::new(why),
        };
        Self { why, hint: hint.to_owned() }
    }
}

/// What one login is about.
pub(super) struct Desk<'a> {
    pub(super) server: &'a str,
    pub(super) url: &'a str,
    pub(super) oauth: &'a OAuth,
    pub(super) wallet: &'a Arc<Wallet>,
}

/// A client as an authorization server knows it.
struct Registered {
    id: String,
    secret: Option<String>,
}

impl Desk<'_> {
    /// Logs in. `challenge` is what the server said last; by hand nothing of an earlier login is used again.
    pub(super) async fn login(&self, challenge: Option<&str>, by_hand: bool, show: Show<'_>) -> Result<Kept, Failed> {
        let whole = self.steps(challenge, by_hand, show);
        tokio::time::timeout(PATIENCE, whole).await.unwrap_or_else(|_elapsed| {
            Err(Failed::new(format!("nobody finished it within {} minutes", PATIENCE.as_secs() / 60)))
        })
    }

    async fn steps(&self, challenge: Option<&str>, by_hand: bool, show: Show<'_>) -> Result<Kept, Failed> {
        crate::http::install_tls();
        let mut manager = AuthorizationManager::new(self.url).await.map_err(|e| Failed::of(&e))?;
        let found = manager.resolve_metadata_from_challenge(challenge).await.map_err(|e| Failed::of(&e))?;
        let metadata = found.metadata;
        endpoints::check(self.url, &metadata)?;
        manager.set_metadata(metadata.clone());

        let earlier = if by_hand { None } else { self.wallet.now() };
        let earlier = earlier.filter(|kept| kept.metadata.issuer == metadata.issuer);
        let listener = self.listen(earlier.as_ref()).await?;
        let scopes = self.scopes(challenge, earlier.as_ref());
        let known = earlier
            .filter(|kept| kept.redirect == listener.redirect)
            .map(|kept| Registered { id: kept.credentials.client_id, secret: kept.client_secret });
        let client = self.client(&mut manager, &metadata, known, &listener.redirect, &scopes).await;
        let client = client.map_err(|e| {
            if found.source.is_discovered() {
                return Failed::of(&e);
            }
            Failed {
                why: "it publishes nothing about how to log in (no OAuth metadata)".to_owned(),
                hint: "Give it an `Authorization` header with a token in its entry.".to_owned(),
            }
        })?;
        let mut request = AuthorizationRequest::new(&listener.redirect).with_preregistered_client(&client.id);
        request.client_secret.clone_from(&client.secret);
        let request =
            if scopes.is_empty() { request.with_initial_scope_selection() } else { request.with_scopes(scopes) };
        let session = AuthorizationSession::new(manager, request).await.map_err(|(_, e)| Failed::of(&e))?;
        let arrived = self.browse(&session, listener, show).await?;
        let taken = self.take(&session, &arrived.url, &metadata, client).await;
        arrived.show(taken.is_ok()).await;
        taken
    }

    /// The port that the client was registered with, if it is free; a configured one must be.
    async fn listen(&self, earlier: Option<&Kept>) -> Result<Listener, Failed> {
        let before = earlier.and_then(|kept| Url::parse(&kept.redirect).ok()?.port());
        let ports = match self.oauth.callback_port {
            Some(port) => vec![port],
            None => before.into_iter().chain([0]).collect(),
        };
        Listener::bind(&ports).await.map_err(|e| Failed {
            why: format!("port {} of this machine cannot be listened on: {e}", ports[0]),
            hint: "Free that port, or finish the other login that uses it.".to_owned(),
        })
    }

    /// The configured scopes, else what was granted before and what is asked for now. Empty leaves the choice to rmcp.
    fn scopes(&self, challenge: Option<&str>, earlier: Option<&Kept>) -> Vec<String> {
        let asked = || {
            let params = WWWAuthenticateParams::parse(challenge?, &Url::parse(self.url).ok()?);
            params.is_insufficient_scope().then_some(params.scope)?
        };
        let Some(asked) = asked() else { return self.oauth.scopes.clone() };
        let mut scopes = self.oauth.scopes.clone();
        scopes.extend(earlier.iter().flat_map(|kept| kept.credentials.granted_scopes.iter().cloned()));
        scopes.extend(asked.split_whitespace().map(str::to_owned));
        let mut seen = std::collections::HashSet::new();
        scopes.retain(|scope| seen.insert(scope.clone()));
        scopes
    }

    /// Who we are to the authorization server: as configured, as known, by a metadata document, or registered now.
    async fn client(
        &self,
        manager: &mut AuthorizationManager,
        metadata: &AuthorizationMetadata,
        known: Option<Registered>,
        redirect: &str,
        scopes: &[String],
    ) -> Result<Registered, AuthError> {
        let reads_documents = metadata.additional_fields.get("client_id_metadata_document_supported");
        let reads_documents = reads_documents.and_then(serde_json::Value::as_bool).unwrap_or(false);
        match &self.oauth.client_id {
            Some(id) if reads_documents || !id.starts_with("https://") => {
                let secret = self.oauth.client_secret.as_ref().map(|secret| secret.expose().to_owned());
                return Ok(Registered { id: id.clone(), secret });
            }
            _ => {}
        }
        if let Some(known) = known {
            return Ok(known);
        }
        let wanted = if scopes.is_empty() { manager.select_initial_scopes(&[]).await } else { scopes.to_vec() };
        let wanted: Vec<&str> = wanted.iter().map(String::as_str).collect();
        let registered = manager.register_client(CLIENT_NAME, redirect, &wanted).await?;
        Ok(Registered { id: registered.client_id, secret: registered.client_secret })
    }

    /// Shows the page, and waits for the browser to come back.
    async fn browse(
        &self,
        session: &AuthorizationSession,
        listener: Listener,
        show: Show<'_>,
    ) -> Result<Arrived, Failed> {
        let url = session.get_authorization_url().to_owned();
        let state = parameter(&url, "state").ok_or_else(|| Failed::new("its login page takes no state"))?;
        let page = LoginPage { server: self.server.to_owned(), url, redirect: listener.redirect.clone() };
        // The browser may be back before whoever showed the page says so.
        let answer = listener.answer(state);
        tokio::pin!(answer);
        let shown = show(page);
        tokio::pin!(shown);
        let early = tokio::select! {
            arrived = &mut answer => Some(arrived),
            shown = &mut shown => {
                shown.map_err(|why| Failed {
                    why: format!("its login page was not opened: {why}"),
                    hint: format!("Log in from a terminal: `tta servers login {}`.", self.server),
                })?;
                None
            }
        };
        let arrived = match early {
            Some(arrived) => arrived,
            None => answer.await,
        };
        arrived.ok_or_else(|| Failed::new("the port that waits for the browser was closed"))
    }

    /// From the browser's answer to the token.
    async fn take(
        &self,
        session: &AuthorizationSession,
        answer: &str,
        metadata: &AuthorizationMetadata,
        client: Registered,
    ) -> Result<Kept, Failed> {
        if let Some(error) = parameter(answer, "error") {
            let said = parameter(answer, "error_description").map(|text| format!(" ({text})")).unwrap_or_default();
            let said: String = format!("{error}{said}").chars().filter(|c| !c.is_control()).take(QUOTED).collect();
            return Err(Failed::new(format!("its authorization server answered `{said}`")));
        }
        let token = session.handle_callback_url(answer).await.map_err(|e| Failed::of(&e))?;
        let granted = session.auth_manager.get_current_scopes().await;
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
        let credentials = StoredCredentials::new(client.id, Some(token), granted, Some(now));
        Ok(Kept {
            url: self.url.to_owned(),
            resource: parameter(&session.auth_url, "resource").unwrap_or_else(|| self.url.to_owned()),
            redirect: session.redirect_uri.clone(),
            client_secret: client.secret,
            metadata: essence(metadata),
            credentials: credentials.with_issuer(metadata.issuer.clone()),
        })
    }
}
