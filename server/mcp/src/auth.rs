//! Who may use the HTTP endpoint: whoever knows the token, compared in constant time.
//!
//! Host and Origin are checked besides, by the transport's own allowlists (`http.rs`).

use crate::Error;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use model::Secret;
use std::fmt::Write as _;
use std::sync::Arc;
use subtle::ConstantTimeEq as _;

/// How requests are admitted.
#[derive(Clone, Debug)]
pub enum Auth {
    /// They must carry `Authorization: Bearer` with this token.
    Token(Secret),
    /// Every local process may run programs. Only for a machine that nobody else uses.
    Open,
}

impl Auth {
    /// A new token of 32 random bytes.
    pub fn random() -> Result<Self, Error> {
        Ok(Self::Token(Secret::new(random_token()?)))
    }

    /// The token, where there is one.
    pub fn token(&self) -> Option<&Secret> {
        match self {
            Self::Token(token) => Some(token),
            Self::Open => None,
        }
    }

    fn admits(&self, headers: &HeaderMap) -> bool {
        let Self::Token(token) = self else { return true };
        let given = headers.get(header::AUTHORIZATION).and_then(|value| value.as_bytes().split_at_checked(7));
        given.is_some_and(|(scheme, given)| {
            scheme.eq_ignore_ascii_case(b"Bearer ") && bool::from(given.ct_eq(token.expose().as_bytes()))
        })
    }
}

/// What nobody guesses: 32 random bytes.
pub(crate) fn random_token() -> Result<String, Error> {
    let mut bytes = [0_u8; 32];
    getrandom::fill(&mut bytes).map_err(|e| Error::Random(e.to_string()))?;
    let mut token = String::with_capacity(64);
    for byte in bytes {
        let _ = write!(token, "{byte:02x}");
    }
    Ok(token)
}

/// Answers 401 to whoever does not know the token, before anything of the body is read.
pub(crate) async fn require_token(State(auth): State<Arc<Auth>>, request: Request, next: Next) -> Response {
    if auth.admits(request.headers()) {
        return next.run(request).await;
    }
    let challenge = [(header::WWW_AUTHENTICATE, r#"Bearer realm="tta""#)];
    (StatusCode::UNAUTHORIZED, challenge, "Unauthorized: send the bearer token that `tta` printed or handed over\n")
        .into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_exact_bearer_token_is_admitted() {
        let auth = Auth::Token(Secret::new("s3cret"));
        for (header, admitted) in [
            (Some("Bearer s3cret"), true),
            (Some("bearer s3cret"), true),
            (Some("Bearer s3cre"), false),
            (Some("Bearer s3cret "), false),
            (Some("Bearer "), false),
            (Some("Basic s3cret"), false),
            (Some("s3cret"), false),
            (None, false),
        ] {
            let mut headers = HeaderMap::new();
            if let Some(value) = header {
                headers.insert(header::AUTHORIZATION, value.parse().expect("ASCII"));
            }
            assert_eq!(auth.admits(&headers), admitted, "{header:?}");
            assert!(Auth::Open.admits(&headers));
        }
    }

    #[test]
    fn tokens_are_long_and_differ() {
        let token = || Auth::random().ok().and_then(|a| a.token().map(|t| t.expose().to_owned())).expect("randomness");
        let (a, b) = (token(), token());
        assert_eq!(a.len(), 64);
        assert_ne!(a, b);
    }
}
