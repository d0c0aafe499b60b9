//! Which parts of a value look like a secret: by its name, by a known form, or by letters that no word would have.
//!
//! It errs on the side of asking: what is taken for a secret is named, and can be copied on request.

use std::ops::Range;

/// What names of secrets contain, and what they end with after a start or a separator.
#[rustfmt::skip]
const NAMES: &[&str] = &[
    "token", "secret", "passw", "passphrase", "apikey", "api_key", "api-key", "auth", "credential", "private", "session", "cookie",
    "bearer",
];
const NAME_ENDS: &[&str] = &["key", "pat", "pwd"];
/// How well-known secrets begin.
#[rustfmt::skip]
const FORMS: &[&str] = &[
    "ghp_", "gho_", "ghu_", "ghs_", "ghr_", "github_pat_", "glpat-", "sk-", "xoxa-", "xoxb-", "xoxp-", "xoxr-", "xoxs-", "AKIA",
    "AIza", "eyJ", "ntn_", "hf_", "npm_", "pypi-", "lin_api_", "ctx7sk-",
];
const SCHEMES: &[&str] = &["bearer ", "basic ", "token "];
/// Letters and digits side by side, which no word and no UUID has.
const RANDOM_RUN: usize = 20;

/// Of a variable or a header.
pub(super) fn in_named(name: &str, value: &str) -> Vec<Range<usize>> {
    if value.contains("://") {
        return in_url(value);
    }
    if is_secret_name(name) || has_secret_form(value) || is_random(value) { rest(value) } else { Vec::new() }
}

/// Of an argument; `before` is the one before it.
pub(super) fn in_argument(value: &str, before: Option<&str>) -> Vec<Range<usize>> {
    if let Some(flag) = before.and_then(|flag| flag.strip_prefix('-'))
        && !value.starts_with('-')
        && !value.contains(['=', ' '])
        && is_secret_name(flag.trim_start_matches('-'))
        && !flag.contains('=')
    {
        return rest(value);
    }
    let dashes = value.len() - value.trim_start_matches('-').len();
    // `--name=value`, `NAME=value` and `Name: value`.
    if let Some(end) = value[dashes..].find(['=', ':']).map(|end| dashes + end)
        && !value[end..].starts_with("://")
        && !value[dashes..end].contains(['/', '?'])
    {
        let (name, start) = (&value[dashes..end], end + 1);
        // What pins a container's image is no secret.
        if name.ends_with("sha256") {
            return Vec::new();
        }
        let indent = value[start..].len() - value[start..].trim_start().len();
        let inner = in_named(name, &value[start + indent..]);
        return inner.into_iter().map(|span| span.start + start + indent..span.end + start + indent).collect();
    }
    if value.contains("://") {
        in_url(value)
    } else if has_secret_form(value) {
        rest(value)
    } else {
        Vec::new()
    }
}

/// Of a URL: its password, what looks random in its path, and the values of its query.
pub(super) fn in_url(url: &str) -> Vec<Range<usize>> {
    let Some(start) = url.find("://").map(|at| at + 3) else { return Vec::new() };
    let path = url[start..].find(['/', '?', '#']).map_or(url.len(), |at| start + at);
    let mut spans = Vec::new();
    let mut host = start;
    if let Some(at) = url[start..path].rfind('@').map(|at| start + at) {
        if let Some(colon) = url[start..at].find(':') {
            spans.push(start + colon + 1..at);
        }
        host = at;
    }
    let query = url[host..].find('?').map_or(url.len(), |at| host + at);
    for (at, part) in parts(url, path.min(query)..query, '/') {
        if is_random(part) {
            spans.push(at..at + part.len());
        }
    }
    for (at, part) in parts(url, query..url.len(), '&') {
        let name = part.trim_start_matches('?');
        if let Some(equals) = name.find('=')
            && (is_secret_name(&name[..equals]) || name[..equals].contains("sig") || is_random(&name[equals + 1..]))
        {
            let start = at + part.len() - name.len() + equals + 1;
            spans.push(start..at + part.len());
        }
    }
    spans.retain(|span| is_written_out(&url[span.clone()]));
    spans
}

fn parts(text: &str, range: Range<usize>, by: char) -> impl Iterator<Item = (usize, &str)> {
    let mut at = range.start;
    text[range].split(by).map(move |part| {
        let start = at;
        at += part.len() + by.len_utf8();
        (start, part)
    })
}

/// All that follows an authentication scheme, where it is written out.
fn rest(value: &str) -> Vec<Range<usize>> {
    let lower = value.to_ascii_lowercase();
    let scheme = SCHEMES.iter().find(|scheme| lower.starts_with(**scheme)).map_or(0, |scheme| scheme.len());
    let span = scheme..value.len();
    if is_written_out(&value[span.clone()]) { vec![span] } else { Vec::new() }
}

/// Whether anything but variables and blanks is in it.
fn is_written_out(text: &str) -> bool {
    let mut done = 0;
    for variable in crate::variables::variables(text, false) {
        if !text[done..variable.range.start].trim().is_empty() {
            return true;
        }
        done = variable.range.end;
    }
    !text[done..].trim().is_empty()
}

fn is_secret_name(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    let ends =
        |end: &str| name.strip_suffix(end).is_some_and(|before| before.is_empty() || before.ends_with(['-', '_', '.']));
    NAMES.iter().any(|part| name.contains(part)) || NAME_ENDS.iter().any(|end| ends(end))
}

fn has_secret_form(value: &str) -> bool {
    FORMS.iter().any(|form| value.starts_with(form)) || value.starts_with("Bearer ") || value.starts_with("Basic ")
}

fn is_random(value: &str) -> bool {
    !value.contains("${")
        && value.split(|c: char| !c.is_ascii_alphanumeric()).any(|run| {
            let digits = run.bytes().filter(u8::is_ascii_digit).count();
            run.len() >= RANDOM_RUN && digits >= 2 && digits < run.len()
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn marked(text: &str, spans: &[Range<usize>]) -> String {
        let mut marked = text.to_owned();
        for span in spans.iter().rev() {
            marked.replace_range(span.clone(), "#");
        }
        marked
    }

    #[test]
    fn secrets_are_found_in_variables_and_headers() {
        for (name, value, expected) in [
            ("GITHUB_TOKEN", "abc", "#"),
            ("Authorization", "Bearer abc", "Bearer #"),
            ("Authorization", "Bearer ${env:T}", "Bearer ${env:T}"),
            ("X-Key", "${input:k}x", "#"),
            ("KEYBOARD", "de", "de"),
            ("MONKEY", "x", "x"),
            ("LEVEL", "debug", "debug"),
            ("ID", "3f2504e0-4f89-41d3-9a0c-0305e82c3301", "3f2504e0-4f89-41d3-9a0c-0305e82c3301"),
            ("ID", "0a1b2c3d4e5f6a7b8c9d0e1f", "#"),
            ("PATH", "/home/user1/projects/something-long", "/home/user1/projects/something-long"),
            ("DATABASE_URL", "postgres://u:p@h/d", "postgres://u:#@h/d"),
            ("AUTH_URL", "https://h/login", "https://h/login"),
        ] {
            assert_eq!(marked(value, &in_named(name, value)), expected, "{name}={value}");
        }
    }

    #[test]
    fn secrets_are_found_in_arguments() {
        for (before, value, expected) in [
            (Some("--token"), "abc", "#"),
            (Some("--token"), "--verbose", "--verbose"),
            (Some("--header"), "Authorization: Bearer abc", "Authorization: Bearer #"),
            (Some("--header"), "Authorization:${AUTH}", "Authorization:${AUTH}"),
            (Some("-e"), "API_KEY=abc", "API_KEY=#"),
            (Some("-y"), "@scope/some-server@1.2.3", "@scope/some-server@1.2.3"),
            (None, "--api-key=k", "--api-key=#"),
            (None, "ghp_x", "#"),
            (None, "https://h/mcp?token=t&x=1", "https://h/mcp?token=#&x=1"),
            (None, "image@sha256:0a1b2c3d4e5f6a7b8c9d0e1f", "image@sha256:0a1b2c3d4e5f6a7b8c9d0e1f"),
        ] {
            assert_eq!(marked(value, &in_argument(value, before)), expected, "{value}");
        }
    }

    #[test]
    fn secrets_are_found_in_urls() {
        for (url, expected) in [
            ("https://h/mcp", "https://h/mcp"),
            ("https://u:p@h:1/mcp", "https://u:#@h:1/mcp"),
            ("https://h/s/0a1b2c3d4e5f6a7b8c9d/mcp", "https://h/s/#/mcp"),
            ("https://h?apiKey=1&level=2&key=3", "https://h?apiKey=#&level=2&key=#"),
            ("https://h/?apiKey=${input:k}", "https://h/?apiKey=${input:k}"),
            ("no url", "no url"),
        ] {
            assert_eq!(marked(url, &in_url(url)), expected, "{url}");
        }
    }
}
