//! Checks on JSON text that need no parse tree: how deep it nests, and whether it is JSON at all.

use serde_json::value::RawValue;

/// How deep arrays and objects nest. One pass, no recursion; on text that is not JSON the answer means nothing.
pub(crate) fn nesting(text: &str) -> usize {
    let (mut depth, mut deepest) = (0_usize, 0_usize);
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        match byte {
            b'[' | b'{' => {
                depth += 1;
                deepest = deepest.max(depth);
            }
            b']' | b'}' => depth = depth.saturating_sub(1),
            b'"' => skip_string(&mut bytes),
            _ => {}
        }
    }
    deepest
}

fn skip_string(bytes: &mut std::str::Bytes<'_>) {
    while let Some(byte) = bytes.next() {
        match byte {
            b'"' => return,
            b'\\' => {
                bytes.next();
            }
            _ => {}
        }
    }
}

/// The text as a JSON value. The parser behind it skips values without recursion, so depth cannot hurt it.
pub(crate) fn raw(text: String) -> Result<Box<RawValue>, serde_json::Error> {
    RawValue::from_string(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nesting_counts_brackets_outside_strings() {
        for (text, want) in [("1", 0), ("[]", 1), (r#"{"a":[1,{"b":2}]}"#, 3), (r#"["[[[", "\"[[", {}]"#, 2), ("", 0)] {
            assert_eq!(nesting(text), want, "{text}");
        }
        assert_eq!(nesting(&"[".repeat(1_000_000)), 1_000_000);
    }

    #[test]
    fn deep_and_broken_text_is_judged_without_recursion() {
        let deep = format!("{}{}", "[".repeat(200_000), "]".repeat(200_000));
        assert!(raw(deep).is_ok());
        assert!(raw("NaN".into()).is_err());
        assert!(raw("[1,".into()).is_err());
        assert!(raw("1 2".into()).is_err());
    }
}
