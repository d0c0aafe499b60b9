//! What is kept of one server's login, and rmcp's access to it.
//!
//! Invariants: it is bound to the server's URL and to the issuer's endpoints as they were found at the login, so that a
//! refresh token goes where it came from whatever the server says later; the keeper is read at the start of a session and
//! before a refresh (another process may have refreshed), not at each request; every token that was ever in hand is taken
//! out of what the server says.

use crate::auth::Keeper;
use crate::auth::endpoints;
use async_trait::async_trait;
use model::Secret;
use rmcp::transport::auth::{
    AuthError, AuthorizationManager, AuthorizationMetadata, CredentialRefreshGuard, CredentialStore, OAuthClientConfig,
    OAuthTokenResponse, StoredCredentials,
};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Bytes of what is kept of one login; tokens are at most a few thousand.
const KEPT_BYTES: usize = 64 << 10;
/// Tokens that are taken out of what a server says; the oldest go.
const TOKENS_MAX: usize = 16;
/// Longest time for the keeper: a locked keyring may ask a person.
const KEEPER: Duration = Duration::from_mins(1);

/// One login. Not `Debug`.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct Kept {
    /// The server that the tokens are for.
    pub(super) url: String,
    /// The same as its metadata names it, which is what tokens are asked for.
    pub(super) resource: String,
    /// The redirect URI that the client was registered with.
    pub(super) redirect: String,
    /// Of the client that was registered for us, where it got one.
    #[serde(default)]
    pub(super) client_secret: Option<String>,
    /// The issuer and its endpoints.
    pub(super) metadata: AuthorizationMetadata,
    pub(super) credentials: StoredCredentials,
}

/// What rmcp needs of the metadata after the login is over; the rest can be long.
pub(super) fn essence(metadata: &AuthorizationMetadata) -> AuthorizationMetadata {
    let mut kept = AuthorizationMetadata::default();
    kept.issuer.clone_from(&metadata.issuer);
    kept.authorization_endpoint.clone_from(&metadata.authorization_endpoint);
    kept.token_endpoint.clone_from(&metadata.token_endpoint);
    for name in ["token_endpoint_auth_methods_supported", super::revoke::ENDPOINT] {
        kept.additional_fields
            .extend(metadata.additional_fields.get(name).map(|value| (name.to_owned(), Value::clone(value))));
    }
    kept
}

/// Who puts the token of `kept` on requests and refreshes it.
pub(super) async fn manager(kept: &Kept, wallet: &Arc<Wallet>) -> Result<AuthorizationManager, AuthError> {
    crate::http::install_tls();
    let mut manager = AuthorizationManager::new(kept.resource.as_str()).await?;
    manager.set_metadata(kept.metadata.clone());
    let mut client = OAuthClientConfig::new(&kept.credentials.client_id, &kept.redirect);
    client.client_secret.clone_from(&kept.client_secret);
    manager.configure_client(client)?;
    manager.set_credential_store(Store(Arc::clone(wallet)));
    Ok(manager)
}

/// The login of one server, in memory and at the keeper.
pub(crate) struct Wallet {
    url: String,
    key: String,
    keeper: Option<Arc<dyn Keeper>>,
    held: Mutex<Option<Kept>>,
    tokens: Mutex<Vec<Secret>>,
}

impl Wallet {
    pub(super) fn new(url: &str, client_id: Option<&str>, keeper: Option<Arc<dyn Keeper>>) -> Self {
        // Opaque, since a URL can hold a secret, and another client's tokens are no use.
        let bound = blake3::hash(format!("{url}\0{}", client_id.unwrap_or_default()).as_bytes()).to_hex();
        let (url, key) = (url.to_owned(), format!("oauth-{}", &bound[..32]));
        Self { url, key, keeper, held: Mutex::default(), tokens: Mutex::default() }
    }

    /// The newest login that is known here or to the keeper.
    pub(super) async fn recall(&self) -> Option<Kept> {
        if let Some(keeper) = &self.keeper {
            match tokio::time::timeout(KEEPER, keeper.get(self.key.clone())).await {
                Ok(Ok(Some(text))) => {
                    if let Some(kept) = self.read(&text) {
                        self.hold(kept);
                    } else {
                        tracing::warn!("what is kept of a login cannot be read and is left out");
                    }
                }
                Ok(Ok(None)) => *self.held() = None,
                Ok(Err(why)) => tracing::warn!("what is kept of a login cannot be had: {why}"),
                Err(_elapsed) => tracing::warn!("what is kept of a login did not come in time"),
            }
        }
        self.held().clone()
    }

    /// Keeps a login. It holds for this process also where the keeper fails.
    pub(super) async fn store(&self, kept: Kept) -> Result<(), String> {
        let text = serde_json::to_string(&kept).map_err(|e| e.to_string())?;
        self.hold(kept);
        if text.len() > KEPT_BYTES {
            return Err(format!("it is larger than {KEPT_BYTES} bytes"));
        }
        self.tell(Some(Secret::new(text))).await
    }

    pub(super) async fn forget(&self) -> Result<(), String> {
        *self.held() = None;
        self.tell(None).await
    }

    /// The login in hand.
    pub(super) fn now(&self) -> Option<Kept> {
        self.held().clone()
    }

    /// The access token in hand.
    pub(super) fn token(&self) -> Option<Value> {
        part(&self.now()?.credentials, "access_token")
    }

    /// `text` without any token.
    pub(crate) fn clean(&self, text: &str) -> String {
        let tokens = self.tokens.lock().unwrap_or_else(PoisonError::into_inner);
        tokens.iter().fold(text.to_owned(), |text, token| text.replace(token.expose(), "***"))
    }

    async fn tell(&self, value: Option<Secret>) -> Result<(), String> {
        let Some(keeper) = &self.keeper else { return Ok(()) };
        let told = tokio::time::timeout(KEEPER, keeper.set(self.key.clone(), value)).await;
        told.unwrap_or_else(|_elapsed| Err("it took too long".to_owned()))
    }

    /// The keeper's text, if it is a login to this very server.
    fn read(&self, text: &Secret) -> Option<Kept> {
        let kept: Kept = serde_json::from_str(text.expose()).ok()?;
        (kept.url == self.url && endpoints::check(&kept.url, &kept.metadata).is_ok()).then_some(kept)
    }

    fn hold(&self, kept: Kept) {
        let token = kept.credentials.token_response.as_ref().and_then(|response| serde_json::to_value(response).ok());
        let secrets = ["access_token", "refresh_token", "id_token"].map(|name| token.as_ref()?.get(name)?.as_str());
        let mut tokens = self.tokens.lock().unwrap_or_else(PoisonError::into_inner);
        for secret in secrets.into_iter().flatten().chain(kept.client_secret.as_deref()).map(Secret::new) {
            if !secret.expose().is_empty() && !tokens.contains(&secret) {
                tokens.push(secret);
            }
        }
        let old = tokens.len().saturating_sub(TOKENS_MAX);
        tokens.drain(..old);
        *self.held() = Some(kept);
    }

    /// The login in hand with other credentials; nothing where there is none.
    fn with(&self, credentials: StoredCredentials) -> Option<Kept> {
        self.now().map(|kept| Kept { credentials, ..kept })
    }

    fn held(&self) -> MutexGuard<'_, Option<Kept>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Without anything that is in it.
impl std::fmt::Debug for Wallet {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Wallet").finish_non_exhaustive()
    }
}

/// rmcp's store of credentials.
pub(super) struct Store(pub(super) Arc<Wallet>);

#[async_trait]
impl CredentialStore for Store {
    async fn load(&self) -> Result<Option<StoredCredentials>, AuthError> {
        Ok(self.0.now().map(|kept| kept.credentials))
    }

    async fn save(&self, credentials: StoredCredentials) -> Result<(), AuthError> {
        let Some(kept) = self.0.with(credentials) else { return Ok(()) };
        // The token is good: not to have it the next time is no reason to fail now.
        if let Err(why) = self.0.store(kept).await {
            tracing::warn!("a refreshed login is not kept for the next time: {why}");
        }
        Ok(())
    }

    async fn clear(&self) -> Result<(), AuthError> {
        self.0.forget().await.map_err(AuthError::CredentialStoreError)
    }

    async fn on_refresh_token_rejected(&self, rejected: &StoredCredentials) -> Result<(), AuthError> {
        let now = self.0.now().map(|kept| refresh_token(&kept.credentials));
        if now == Some(refresh_token(rejected)) {
            // The registration of the client stands, for the login that follows.
            let spent = StoredCredentials::new(rejected.client_id.clone(), None, rejected.granted_scopes.clone(), None);
            self.save(spent.with_issuer(rejected.issuer.clone())).await?;
        }
        Ok(())
    }

    async fn acquire_refresh_guard(&self) -> Result<Option<CredentialRefreshGuard>, AuthError> {
        self.0.recall().await;
        Ok(None)
    }
}

fn refresh_token(credentials: &StoredCredentials) -> Option<Value> {
    part(credentials, "refresh_token")
}

pub(super) fn part(credentials: &StoredCredentials, name: &str) -> Option<Value> {
    let response: Option<&OAuthTokenResponse> = credentials.token_response.as_ref();
    serde_json::to_value(response?).ok()?.get(name).cloned()
}
