//! Takes a server's secrets out of whatever it says.
//!
//! A server knows its environment, its headers and its URL, and may print them when it fails. Of these only values that are
//! long enough to be a secret are replaced: blanking `1` or `true` everywhere would make errors unreadable and hide
//! nothing. What a person typed in is replaced however short it is, and in the spellings that JSON and URLs give it.

use crate::auth::Wallet;
use model::{ServerSpec, Transport};
use std::fmt::Write as _;
use std::sync::Arc;

/// Shorter values are not taken for secrets.
const SECRET_LENGTH_MIN: usize = 6;

/// What to replace in one server's words.
#[derive(Clone, Debug, Default)]
pub(crate) struct Redactor {
    /// Longest first, so that a secret which holds another one is replaced whole.
    replacements: Vec<(String, String)>,
    /// Whose tokens change while it is connected.
    login: Option<Arc<Wallet>>,
}

impl Redactor {
    pub(crate) fn of(spec: &ServerSpec) -> Self {
        let given = spec.scrub.iter().flat_map(|given| spellings(given.expose()));
        let mut replacements: Vec<(String, String)> = given.map(|given| (given, "***".to_owned())).collect();
        let secrets = match &spec.transport {
            Transport::Stdio { env, .. } => env,
            Transport::Http { url, headers, .. } => {
                // One with a person's values in it is replaced whole already.
                if !spec.scrub.iter().any(|given| given.expose() == url) {
                    replacements.push((url.clone(), public_url(url)));
                }
                headers
            }
            Transport::Editor => return Self::default(),
        };
        for secret in secrets.values() {
            // A header's scheme is no secret, and a server may quote the token without it.
            let value = secret.expose().trim();
            let token = value.rsplit_once(' ').map_or(value, |(_scheme, token)| token);
            for part in [value, token] {
                if part.len() >= SECRET_LENGTH_MIN {
                    replacements.push((part.to_owned(), "***".to_owned()));
                }
            }
        }
        replacements.retain(|(from, to)| from != to);
        replacements.sort_by_key(|(from, _)| std::cmp::Reverse(from.len()));
        replacements.dedup();
        Self { replacements, login: None }
    }

    /// The same with the tokens of its login.
    pub(crate) fn with_login(self, login: Option<Arc<Wallet>>) -> Self {
        Self { login, ..self }
    }

    pub(crate) fn clean(&self, text: &str) -> String {
        let text = self.replacements.iter().fold(text.to_owned(), |text, (from, to)| text.replace(from, to));
        match &self.login {
            Some(login) => login.clean(&text),
            None => text,
        }
    }
}

/// A value as it may be printed: as it is, inside JSON in two ways, and in the three ways in which URLs escape it.
fn spellings(value: &str) -> Vec<String> {
    let value = value.trim();
    let json = serde_json::Value::from(value).to_string();
    let in_path = |byte: u8| byte.is_ascii_graphic() && !b"\"<>`{}#?^|".contains(&byte);
    let in_component = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    let mut all = vec![
        value.to_owned(),
        json[1..json.len() - 1].to_owned(),
        ascii(&json[1..json.len() - 1]),
        escaped(value, in_path, "%20"),
        escaped(value, in_component, "%20"),
        escaped(value, in_component, "+"),
    ];
    all.retain(|spelling| !spelling.is_empty());
    all
}

/// JSON as those write it who trust no encoding.
fn ascii(json: &str) -> String {
    let mut out = String::with_capacity(json.len());
    for c in json.chars() {
        if c.is_ascii() {
            out.push(c);
        } else {
            for unit in c.encode_utf16(&mut [0; 2]) {
                let _ = write!(out, "\\u{unit:04x}");
            }
        }
    }
    out
}

fn escaped(value: &str, stays: impl Fn(u8) -> bool, blank: &str) -> String {
    let mut out = String::with_capacity(value.len());
    for byte in value.bytes() {
        match byte {
            b' ' => out.push_str(blank),
            byte if stays(byte) => out.push(char::from(byte)),
            byte => {
                let _ = write!(out, "%{byte:02X}");
            }
        }
    }
    out
}

/// A URL without what may be secret in it: user, password, query and fragment.
pub fn public_url(url: &str) -> String {
    let end = url.find(['?', '#']).unwrap_or(url.len());
    let (scheme, rest) = url[..end].split_once("://").unwrap_or(("", &url[..end]));
    let host_end = rest.find('/').unwrap_or(rest.len());
    let rest = rest[..host_end].rfind('@').map_or(rest, |at| &rest[at + 1..]);
    if scheme.is_empty() { rest.to_owned() } else { format!("{scheme}://{rest}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_public_url_keeps_host_and_path_only() {
        for (url, public) in [
            ("https://u:p@h.example:1/a/b?key=s#f", "https://h.example:1/a/b"),
            ("http://127.0.0.1:80/mcp", "http://127.0.0.1:80/mcp"),
            ("http://h/p@q", "http://h/p@q"),
            ("nonsense", "nonsense"),
        ] {
            assert_eq!(public_url(url), public);
        }
    }

    #[test]
    fn what_a_person_gave_is_replaced_in_every_spelling_however_short() {
        let scrub = ["7", "a \"b/ü", "--port=7"].map(model::Secret::new).to_vec();
        let transport = Transport::Stdio {
            command: "x".to_owned(),
            args: vec!["--port=7".to_owned()],
            env: [("K".to_owned(), model::Secret::new("short"))].into(),
            cwd: None,
        };
        let source = model::server::Source { file: "/w".into(), line: 1, scope: model::server::Scope::User };
        let spec = ServerSpec {
            name: "s".to_owned(),
            transport,
            source,
            disabled: false,
            unresolved: Vec::new(),
            inputs: Vec::new(),
            oauth: model::server::OAuth::default(),
            scrub,
            startup_timeout_ms: 1,
            limits: model::ServerLimits::default(),
            content_hash: String::new(),
        };
        let redactor = Redactor::of(&spec);
        for (said, clean) in [
            ("bad --port=7, not short", "bad ***, not short"),
            ("port 7!", "port ***!"),
            ("<a \"b/ü> <a \\\"b/ü> <a \\\"b/\\u00fc>", "<***> <***> <***>"),
            ("?a%20%22b/%C3%BC&a%20%22b%2F%C3%BC&a+%22b%2F%C3%BC", "?***&***&***"),
        ] {
            assert_eq!(redactor.clean(said), clean);
        }
    }
}
