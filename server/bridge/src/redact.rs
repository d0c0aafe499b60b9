//! Takes a server's secrets out of whatever it says.
//!
//! A server knows its environment, its headers and its URL, and may print them when it fails. Only values that are long
//! enough to be a secret are replaced: blanking `1` or `true` everywhere would make errors unreadable and hide nothing.

use model::{ServerSpec, Transport};

/// Shorter values are not taken for secrets.
const SECRET_LENGTH_MIN: usize = 6;

/// What to replace in one server's words.
#[derive(Clone, Debug, Default)]
pub(crate) struct Redactor {
    /// Longest first, so that a secret which holds another one is replaced whole.
    replacements: Vec<(String, String)>,
}

impl Redactor {
    pub(crate) fn of(spec: &ServerSpec) -> Self {
        let mut replacements = Vec::new();
        let secrets = match &spec.transport {
            Transport::Stdio { env, .. } => env,
            Transport::Http { url, headers } => {
                replacements.push((url.clone(), public_url(url)));
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
        Self { replacements }
    }

    pub(crate) fn clean(&self, text: &str) -> String {
        self.replacements.iter().fold(text.to_owned(), |text, (from, to)| text.replace(from, to))
    }
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
}
