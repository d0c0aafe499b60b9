//! The one mapping of MCP names to identifiers of a program.
//!
//! A server or tool name may be anything; a module or function name may not. The mapping is total and deterministic, and
//! within one list of names it is injective: two names that map alike are told apart by a suffix. The original name
//! always works in `tta.call`, and no stub is ever looked up by a guess.

use std::collections::{HashMap, HashSet};

/// Words that no identifier may be, in either language, plus names that would shadow what a program needs.
const RESERVED: &str = "\
    False None True and as assert async await break class continue def del elif else except finally for \
    from global if import in is lambda nonlocal not or pass raise return try while with yield case catch \
    const constructor debugger default delete do enum eval export extends false function implements \
    instanceof interface let new null package private protected prototype public static super switch \
    then this throw true typeof undefined var void arguments tta toJSON toString valueOf hasOwnProperty";

fn is_reserved(word: &str) -> bool {
    RESERVED.split(' ').any(|reserved| reserved == word)
}

/// Longest identifier; a longer name is cut and told apart by its suffix.
const LENGTH_MAX: usize = 64;

/// One name as an identifier, without regard to others. Runs of characters that an identifier cannot hold become one
/// `_`; a leading digit and a reserved word get a `_`; a name of nothing usable becomes `tool`.
pub fn identifier(name: &str) -> String {
    let mut out = String::with_capacity(name.len());
    for c in name.chars() {
        if c.is_ascii_alphanumeric() || c == '_' {
            out.push(c);
        } else if !out.ends_with('_') && !out.is_empty() {
            out.push('_');
        }
        if out.len() >= LENGTH_MAX {
            break;
        }
    }
    while out.ends_with('_') && out.len() > 1 && !name.ends_with('_') {
        out.pop();
    }
    // Dunder names belong to the languages (`__proto__`, `__init__`).
    let trimmed = out.trim_start_matches('_');
    if out.starts_with("__") {
        out = format!("_{trimmed}");
    }
    if out.trim_matches('_').is_empty() {
        return "tool".to_owned();
    }
    if out.starts_with(|c: char| c.is_ascii_digit()) {
        out.insert(0, '_');
    }
    if is_reserved(&out) {
        out.push('_');
    }
    out
}

/// The camelCase alias of an identifier: `read_text_file` is also `readTextFile`. `None` where it is the same.
pub fn camel_case(identifier: &str) -> Option<String> {
    let body = identifier.trim_start_matches('_');
    let lead = &identifier[..identifier.len() - body.len()];
    let mut out = lead.to_owned();
    let mut upper = false;
    for c in body.trim_end_matches('_').chars() {
        if c == '_' {
            upper = true;
        } else if upper {
            out.push(c.to_ascii_uppercase());
            upper = false;
        } else {
            out.push(c);
        }
    }
    (out != identifier && !is_reserved(&out)).then_some(out)
}

/// Identifiers for a whole list, in its order, without collisions. A name that already is its own identifier keeps it;
/// of the others the first keeps the plain form and later ones get `_2`, `_3`, ….
pub fn identifiers<S: AsRef<str>>(names: &[S]) -> Vec<String> {
    let wanted: Vec<String> = names.iter().map(|n| identifier(n.as_ref())).collect();
    let mut taken: HashSet<String> = HashSet::new();
    let mut out: Vec<Option<String>> = vec![None; names.len()];
    for (i, (name, want)) in names.iter().zip(&wanted).enumerate() {
        if name.as_ref() == want && taken.insert(want.clone()) {
            out[i] = Some(want.clone());
        }
    }
    let mut next: HashMap<&str, u32> = HashMap::new();
    for (i, want) in wanted.iter().enumerate() {
        if out[i].is_some() {
            continue;
        }
        let mut candidate = want.clone();
        while !taken.insert(candidate.clone()) {
            let n = next.entry(want).or_insert(1);
            *n += 1;
            candidate = format!("{want}_{n}");
        }
        out[i] = Some(candidate);
    }
    out.into_iter().flatten().collect()
}

/// The camelCase alias of each identifier of one list. An alias that is another tool's identifier, or that two tools would
/// share, belongs to neither: no call is ever answered by a guess.
pub fn aliases(identifiers: &[String]) -> Vec<Option<String>> {
    let taken: HashSet<&str> = identifiers.iter().map(String::as_str).collect();
    let mut out: Vec<Option<String>> = identifiers.iter().map(|id| camel_case(id)).collect();
    let mut uses: HashMap<String, usize> = HashMap::new();
    for alias in out.iter().flatten() {
        *uses.entry(alias.clone()).or_default() += 1;
    }
    for alias in &mut out {
        if alias.as_deref().is_some_and(|a| taken.contains(a) || uses[a] > 1) {
            *alias = None;
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_become_identifiers() {
        for (name, want) in [
            ("read_text_file", "read_text_file"),
            ("get-sum", "get_sum"),
            ("a.b/c", "a_b_c"),
            ("1x", "_1x"),
            ("class", "class_"),
            ("then", "then_"),
            ("__proto__", "_proto__"),
            ("日本", "tool"),
            ("", "tool"),
            ("  spaced  out ", "spaced_out"),
            ("_private", "_private"),
        ] {
            assert_eq!(identifier(name), want, "{name:?}");
        }
        assert!(identifier(&"x".repeat(500)).len() <= LENGTH_MAX);
    }

    #[test]
    fn no_two_names_share_an_identifier() {
        assert_eq!(identifiers(&["a.b", "a_b", "a-b", "a b"]), ["a_b_2", "a_b", "a_b_3", "a_b_4"]);
        assert_eq!(identifiers(&["x", "x"]), ["x", "x_2"]);
    }

    #[test]
    fn aliases_are_camel_case() {
        assert_eq!(camel_case("read_text_file").as_deref(), Some("readTextFile"));
        assert_eq!(camel_case("echo"), None);
        assert_eq!(camel_case("_1_x").as_deref(), Some("_1X"));
    }

    #[test]
    fn an_alias_that_would_be_a_guess_is_left_out() {
        let of = |names: &[&str]| aliases(&names.iter().map(ToString::to_string).collect::<Vec<_>>());
        assert_eq!(of(&["a_b", "aB"]), [None, None]);
        assert_eq!(of(&["a_b", "a__b", "c_d"]), [None, None, Some("cD".to_owned())]);
    }
}
