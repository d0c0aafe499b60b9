//! A remote MCP server that wants to be logged in to, and the authorization server that it names: two origins of this
//! machine, over real HTTP. It checks what it is sent as strictly as the specifications allow, and notes what was wrong.

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, Method, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard};
use tokio::net::TcpListener;

/// How the two behave. The default is without fault.
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of its own")]
#[derive(Clone, Debug)]
pub struct Manner {
    /// Clients may register themselves.
    pub registers: bool,
    /// A client that is registered already.
    pub client: Option<String>,
    /// Client-ID metadata documents are read: a client id that is a URL is taken for known.
    pub documents: bool,
    /// What a tool call takes.
    pub call_scope: &'static str,
    /// How long a token is said to hold.
    pub expires_in: u64,
    /// `iss` in the answer to the browser; the issuer's own where absent.
    pub iss: Option<String>,
    /// Whether that is announced and sent at all.
    pub sends_iss: bool,
    /// Members of the authorization server's metadata that are other than they should be.
    pub metadata: BTreeMap<&'static str, String>,
    /// Members of the protected resource's metadata likewise.
    pub resource: BTreeMap<&'static str, Value>,
    /// The person says no.
    pub refuses: bool,
    /// What giving a token back is answered with; it is not taken back where absent.
    pub revokes: Option<u16>,
}

impl Default for Manner {
    fn default() -> Self {
        Self {
            registers: true,
            client: None,
            documents: false,
            call_scope: "read",
            expires_in: 3_600,
            iss: None,
            sends_iss: true,
            metadata: BTreeMap::new(),
            resource: BTreeMap::new(),
            refuses: false,
            revokes: None,
        }
    }
}

/// The two servers. They end with the test's runtime.
#[derive(Debug)]
pub struct Authority {
    /// The endpoint of the MCP server.
    pub url: String,
    /// The issuer.
    pub issuer: String,
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    url: String,
    issuer: String,
    manner: Mutex<Manner>,
    state: Mutex<Known>,
}

/// What was given out.
#[derive(Debug, Default)]
struct Known {
    clients: HashMap<String, String>,
    codes: HashMap<String, Grant>,
    access: HashMap<String, String>,
    refresh: HashMap<String, Grant>,
    /// Every token, code and secret that was ever given out.
    secrets: Vec<String>,
    requests: Vec<String>,
    wrong: Vec<String>,
}

#[derive(Clone, Debug, Default)]
struct Grant {
    client: String,
    redirect: String,
    challenge: String,
    scope: String,
    used: bool,
}

type Params = HashMap<String, String>;

impl Authority {
    /// Starts them.
    ///
    /// # Panics
    /// Where this machine has no port left.
    pub async fn start(manner: Manner) -> Self {
        let [resource, issuer] = [bind().await, bind().await];
        let (url, issuer_url) = (format!("{}/mcp", resource.1), issuer.1);
        let (manner, state) = (Mutex::new(manner), Mutex::default());
        let shared = Arc::new(Shared { url: url.clone(), issuer: issuer_url.clone(), manner, state });
        for listener in [resource.0, issuer.0] {
            let router = Router::new().fallback(answer).with_state(Arc::clone(&shared));
            tokio::spawn(async { axum::serve(listener, router).await });
        }
        Self { url, issuer: issuer_url, shared }
    }

    /// Behaves otherwise from now on.
    pub fn change(&self, change: impl FnOnce(&mut Manner)) {
        change(&mut lock(&self.shared.manner));
    }

    /// No access token holds any more; with `refresh` no refresh token does either.
    pub fn revoke(&self, refresh: bool) {
        let mut known = lock(&self.shared.state);
        known.access.clear();
        if refresh {
            known.refresh.clear();
        }
    }

    /// How many requests there were so far with this method and path.
    pub fn count(&self, request: &str) -> usize {
        lock(&self.shared.state).requests.iter().filter(|seen| *seen == request).count()
    }

    /// What was wrong with requests so far.
    pub fn wrong(&self) -> Vec<String> {
        lock(&self.shared.state).wrong.clone()
    }

    /// Every token and code that was given out so far.
    pub fn secrets(&self) -> Vec<String> {
        lock(&self.shared.state).secrets.clone()
    }
}

async fn bind() -> (TcpListener, String) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let origin = format!("http://{}", listener.local_addr().expect("an address"));
    (listener, origin)
}

async fn answer(
    State(shared): State<Arc<Shared>>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let (path, body) = (uri.path(), String::from_utf8_lossy(&body).into_owned());
    lock(&shared.state).requests.push(format!("{method} {path}"));
    match (method.as_str(), path) {
        ("GET", "/.well-known/oauth-protected-resource/mcp") => json_response(StatusCode::OK, &shared.resource()),
        ("GET", "/.well-known/oauth-authorization-server") => json_response(StatusCode::OK, &shared.metadata()),
        ("GET", "/authorize") => shared.authorize(&params(uri.query().unwrap_or_default())),
        ("POST", "/register") => shared.register(&serde_json::from_str(&body).unwrap_or_default()),
        ("POST", "/token") => shared.token(&params(&body)),
        ("POST", "/revoke") => shared.take_back(&params(&body)),
        (method, "/mcp") => shared.mcp(method, &headers, &serde_json::from_str(&body).unwrap_or_default()),
        _ => StatusCode::NOT_FOUND.into_response(),
    }
}

impl Shared {
    fn resource(&self) -> Value {
        let mut resource =
            json!({"resource": self.url, "authorization_servers": [self.issuer], "scopes_supported": ["read"]});
        for (name, value) in &lock(&self.manner).resource {
            resource[*name] = value.clone();
        }
        resource
    }

    fn metadata(&self) -> Value {
        let manner = lock(&self.manner);
        let mut metadata = json!({
            "issuer": self.issuer,
            "authorization_endpoint": format!("{}/authorize", self.issuer),
            "token_endpoint": format!("{}/token", self.issuer),
            "response_types_supported": ["code"],
            "code_challenge_methods_supported": ["S256"],
            "authorization_response_iss_parameter_supported": manner.sends_iss,
            "client_id_metadata_document_supported": manner.documents,
        });
        if manner.registers {
            metadata["registration_endpoint"] = format!("{}/register", self.issuer).into();
        }
        if manner.revokes.is_some() {
            metadata["revocation_endpoint"] = format!("{}/revoke", self.issuer).into();
        }
        for (name, value) in &manner.metadata {
            metadata[*name] = value.as_str().into();
        }
        metadata
    }

    fn register(&self, request: &Value) -> Response {
        if !lock(&self.manner).registers {
            return json_response(StatusCode::FORBIDDEN, &json!({"error": "access_denied"}));
        }
        let redirect = request["redirect_uris"][0].as_str().unwrap_or_default().to_owned();
        let mut known = lock(&self.state);
        known.check(redirect.starts_with("http://127.0.0.1:"), "a native client redirects to 127.0.0.1");
        let id = format!("client-{}", known.clients.len());
        known.clients.insert(id.clone(), redirect.clone());
        json_response(StatusCode::CREATED, &json!({"client_id": id, "redirect_uris": [redirect]}))
    }

    fn authorize(&self, asked: &Params) -> Response {
        let manner = lock(&self.manner).clone();
        let of = |name: &str| asked.get(name).cloned().unwrap_or_default();
        let mut known = lock(&self.state);
        let (client, redirect) = (of("client_id"), of("redirect_uri"));
        let registered = known.clients.get(&client).cloned();
        let known_otherwise =
            manner.client.as_ref() == Some(&client) || (manner.documents && client.starts_with("https://"));
        let fine = known.check(registered.as_ref() == Some(&redirect) || known_otherwise, "client_id or redirect_uri")
            & known.check(of("response_type") == "code", "response_type")
            & known.check(of("code_challenge_method") == "S256" && of("code_challenge").len() == 43, "PKCE S256")
            & known.check(of("resource") == self.url, "resource of /authorize")
            & known.check(of("state").len() >= 16, "state");
        if !fine {
            return StatusCode::BAD_REQUEST.into_response();
        }
        let mut back = url::Url::parse(&redirect).expect("it was checked");
        back.query_pairs_mut().append_pair("state", &of("state"));
        if manner.refuses {
            back.query_pairs_mut().append_pair("error", "access_denied");
        } else {
            let code = known.secret("code");
            back.query_pairs_mut().append_pair("code", &code);
            let (challenge, scope) = (of("code_challenge"), of("scope"));
            known.codes.insert(code, Grant { client, redirect, challenge, scope, used: false });
        }
        if manner.sends_iss {
            back.query_pairs_mut().append_pair("iss", manner.iss.as_ref().unwrap_or(&self.issuer));
        }
        (StatusCode::FOUND, [(header::LOCATION, back.to_string())]).into_response()
    }

    fn token(&self, asked: &Params) -> Response {
        let expires_in = lock(&self.manner).expires_in;
        let of = |name: &str| asked.get(name).cloned().unwrap_or_default();
        let mut known = lock(&self.state);
        known.check(of("resource") == self.url, "resource of /token");
        let grant = if of("grant_type") == "refresh_token" {
            known.refresh.remove(&of("refresh_token"))
        } else {
            let grant = known.codes.get_mut(&of("code")).map(|grant| {
                let before = grant.clone();
                grant.used = true;
                before
            });
            let verifier = BASE64_URL_SAFE_NO_PAD.encode(Sha256::digest(of("code_verifier")));
            let grant = grant.unwrap_or_default();
            let fine = known.check(!grant.used, "a code is used once")
                & known.check(grant.challenge == verifier, "code_verifier")
                & known.check(grant.redirect == of("redirect_uri"), "redirect_uri of /token");
            fine.then_some(grant)
        };
        let grant = grant.filter(|grant| known.check(grant.client == of("client_id"), "client_id of /token"));
        let Some(grant) = grant else {
            return json_response(StatusCode::BAD_REQUEST, &json!({"error": "invalid_grant"}));
        };
        let (access, refresh) = (known.secret("access"), known.secret("refresh"));
        known.access.insert(access.clone(), grant.scope.clone());
        let token = json!({
            "access_token": access, "refresh_token": refresh, "token_type": "Bearer", "expires_in": expires_in,
            "scope": grant.scope,
        });
        known.refresh.insert(refresh, grant);
        json_response(StatusCode::OK, &token)
    }

    fn take_back(&self, asked: &Params) -> Response {
        let status = lock(&self.manner).revokes.and_then(|code| StatusCode::from_u16(code).ok());
        let of = |name: &str| asked.get(name).cloned().unwrap_or_default();
        let mut known = lock(&self.state);
        known.check(of("token_type_hint") == "refresh_token", "token_type_hint");
        let grant = known.refresh.remove(&of("token")).unwrap_or_default();
        known.check(!grant.client.is_empty() && grant.client == of("client_id"), "token or client_id of /revoke");
        status.unwrap_or(StatusCode::NOT_FOUND).into_response()
    }

    fn mcp(&self, method: &str, headers: &HeaderMap, message: &Value) -> Response {
        let bearer = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok()?.strip_prefix("Bearer "));
        let scope = bearer.and_then(|token| lock(&self.state).access.get(token).cloned());
        let origin = self.url.trim_end_matches("/mcp");
        let metadata = format!("{origin}/.well-known/oauth-protected-resource/mcp");
        let Some(scope) = scope else {
            let challenge = format!("Bearer resource_metadata=\"{metadata}\", scope=\"read\"");
            return (StatusCode::UNAUTHORIZED, [(header::WWW_AUTHENTICATE, challenge)]).into_response();
        };
        let wanted = lock(&self.manner).call_scope;
        if message["method"] == "tools/call" && !scope.split(' ').any(|scope| scope == wanted) {
            let challenge = format!(
                "Bearer error=\"insufficient_scope\", scope=\"{wanted}\", resource_metadata=\"{metadata}\", \
                 error_description=\"you came with {}\"",
                bearer.unwrap_or_default()
            );
            return (StatusCode::FORBIDDEN, [(header::WWW_AUTHENTICATE, challenge)]).into_response();
        }
        if method != "POST" {
            return StatusCode::METHOD_NOT_ALLOWED.into_response();
        }
        let result = match message["method"].as_str() {
            Some("initialize") => json!({
                "protocolVersion": message["params"]["protocolVersion"],
                "capabilities": {"tools": {}},
                "serverInfo": {"name": "protected", "version": "1"},
            }),
            Some("tools/list") => json!({"tools": [{"name": "echo", "inputSchema": {"type": "object"}}]}),
            Some("tools/call") => {
                json!({"content": [{"type": "text", "text": "done"}], "structuredContent": {"scope": scope}})
            }
            _ => return StatusCode::ACCEPTED.into_response(),
        };
        json_response(StatusCode::OK, &json!({"jsonrpc": "2.0", "id": message["id"], "result": result}))
    }
}

impl Known {
    fn check(&mut self, fine: bool, what: &str) -> bool {
        if !fine {
            self.wrong.push(what.to_owned());
        }
        fine
    }

    fn secret(&mut self, kind: &str) -> String {
        let secret = format!("{kind}-s3cret-{}", self.secrets.len());
        self.secrets.push(secret.clone());
        secret
    }
}

fn params(query: &str) -> Params {
    url::form_urlencoded::parse(query.as_bytes()).into_owned().collect()
}

fn json_response(status: StatusCode, value: &Value) -> Response {
    (status, [(header::CONTENT_TYPE, "application/json")], value.to_string()).into_response()
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().expect("not poisoned")
}
