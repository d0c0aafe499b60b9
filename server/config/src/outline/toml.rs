//! The lines of TOML, whole or broken.

use super::json::string_end;
use super::{Cursor, Key, Part};
use std::ops::Range;

/// The keys, and what stands at a byte offset.
pub(super) fn scan(text: &str, at: usize) -> (Vec<Key>, Option<Cursor>) {
    let (mut keys, mut cursor, mut table): (Vec<Key>, _, Vec<String>) = (Vec::new(), None, Vec::new());
    let (mut start, mut depth, mut quote) = (0, 0_usize, None);
    for line in text.split_inclusive('\n') {
        let body = line.trim_end_matches(['\n', '\r']);
        let indent = body.len() - body.trim_start().len();
        let here = (start..=start + body.len()).contains(&at).then(|| at - start);
        let within = depth > 0 || quote.is_some();
        if within {
            balance(body, &mut depth, &mut quote);
        } else if body[indent..].starts_with('[') {
            let brackets = body[indent..].bytes().take_while(|&byte| byte == b'[').count();
            let names = dotted(body, indent + brackets, "]");
            table = names.iter().map(|(name, _)| name.clone()).collect();
            if brackets > 1 {
                table.push("[]".to_owned());
            }
            if let Some((_, range)) = names.last() {
                keys.push(Key { path: table.clone(), range: start + range.start..start + range.end });
            }
            if here.is_some_and(|column| column >= indent + brackets) {
                let end = body[indent..].find(']').map_or(body.len(), |n| indent + n);
                let word = start + indent + brackets..start + end;
                cursor = Some(Cursor { path: Vec::new(), part: Part::Section, word });
            }
        } else {
            let names = dotted(body, indent, "=");
            let equals = body.find('=').filter(|_| !body[indent..].starts_with('#'));
            let path: Vec<String> = table.iter().cloned().chain(names.iter().map(|(name, _)| name.clone())).collect();
            if let (Some((_, range)), Some(_)) = (names.last(), equals) {
                keys.push(Key { path: path.clone(), range: start + range.start..start + range.end });
            }
            let comment = body.find('#').unwrap_or(usize::MAX);
            match (here, equals) {
                (Some(column), _) if column > comment => {}
                (Some(column), Some(equals)) if column > equals => {
                    let value = &body[equals + 1..];
                    let value_start = equals + 1 + (value.len() - value.trim_start().len());
                    let word = start + value_start.min(column)..start + body.trim_end().len().max(column);
                    cursor = Some(Cursor { path, part: Part::Value, word });
                }
                (Some(column), _) if names.len() <= 1 => {
                    let end = names.last().map_or(column, |(_, range)| range.end.max(column));
                    let word = start + indent.min(column)..start + end;
                    cursor = Some(Cursor { path: table.clone(), part: Part::Key, word });
                }
                _ => {}
            }
            if let Some(equals) = equals {
                balance(&body[equals + 1..], &mut depth, &mut quote);
            }
        }
        start += line.len();
    }
    if cursor.is_none() && at == text.len() && (text.is_empty() || text.ends_with('\n')) && depth == 0 {
        cursor = Some(Cursor { path: table, part: Part::Key, word: at..at });
    }
    (keys, cursor)
}

/// The names of a dotted key from `from` up to `stop`, with their places in the line.
fn dotted(line: &str, from: usize, stop: &str) -> Vec<(String, Range<usize>)> {
    let (mut names, mut here) = (Vec::new(), from);
    loop {
        here += line[here..].len() - line[here..].trim_start().len();
        let rest = &line[here..];
        let length = match rest.chars().next() {
            Some(quote @ ('"' | '\'')) => rest[1..].find(quote).map_or(rest.len(), |n| n + 2),
            Some(c) if c.is_alphanumeric() || "_-".contains(c) => {
                rest.find(|c: char| !c.is_alphanumeric() && !"_-".contains(c)).unwrap_or(rest.len())
            }
            _ => return names,
        };
        names.push((rest[..length].trim_matches(['"', '\'']).to_owned(), here..here + length));
        here += length;
        let gap = line[here..].trim_start();
        if !gap.starts_with('.') || gap.starts_with(stop) {
            return names;
        }
        here = line.len() - gap.len() + 1;
    }
}

/// Follows brackets and long strings over the lines of a value.
fn balance(value: &str, depth: &mut usize, quote: &mut Option<&'static str>) {
    let mut rest = value;
    while !rest.is_empty() {
        if let Some(open) = *quote {
            let Some(end) = rest.find(open) else { return };
            rest = &rest[end + 3..];
            *quote = None;
            continue;
        }
        let skip = match rest.as_bytes()[0] {
            b'#' => return,
            _ if rest.starts_with("\"\"\"") => {
                *quote = Some("\"\"\"");
                3
            }
            _ if rest.starts_with("'''") => {
                *quote = Some("'''");
                3
            }
            b'"' => string_end(rest.as_bytes(), 0),
            b'\'' => rest[1..].find('\'').map_or(rest.len(), |n| n + 2),
            b'[' | b'{' => {
                *depth += 1;
                1
            }
            b']' | b'}' => {
                *depth = depth.saturating_sub(1);
                1
            }
            _ => rest.chars().next().map_or(1, char::len_utf8),
        };
        rest = &rest[skip..];
    }
}
