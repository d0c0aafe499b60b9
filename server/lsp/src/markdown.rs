//! Texts of servers and files as markdown that shows them and does nothing else: no link, no image, no HTML.

/// A text as it is.
pub(crate) fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\n' | '\r' | '\t' => out.push(' '),
            c if c.is_control() => {}
            c if c.is_ascii_punctuation() => out.extend(['\\', c]),
            c => out.push(c),
        }
    }
    out
}

/// A text as code on one line.
pub(crate) fn code(text: &str) -> String {
    let line: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    let ticks = line.split(|c| c != '`').map(str::len).max().unwrap_or_default();
    let fence = "`".repeat(ticks + 1);
    if ticks == 0 { format!("{fence}{line}{fence}") } else { format!("{fence} {line} {fence}") }
}

/// A text of some lines as a block of code.
pub(crate) fn block(language: &str, text: &str) -> String {
    let ticks = text.split(|c| c != '`').map(str::len).max().unwrap_or_default().max(2);
    let fence = "`".repeat(ticks + 1);
    format!("{fence}{language}\n{text}\n{fence}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_servers_text_can_do_nothing() {
        assert_eq!(escape("![x](http://t)\n<img>"), r"\!\[x\]\(http\:\/\/t\) \<img\>");
        assert_eq!(escape("reads 1 file"), "reads 1 file");
        assert_eq!(code("a b"), "`a b`");
        assert_eq!(code("a``b\n"), "``` a``b  ```");
    }
}
