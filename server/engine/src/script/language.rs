//! Which language a program is written in, where nobody said.
//!
//! Two questions, in order: does it parse as TypeScript, and does it use what only one of the languages has. A program
//! that both languages read alike (`1 + 1`) is taken for Python. Pure, and never wrong about a program that does not
//! parse as the other language at all.

use super::{depth, source_type};
use model::Language;
use oxc::allocator::Allocator;
use oxc::parser::Parser;

/// What a JavaScript line has and a Python line does not: beginnings, and parts.
const SCRIPT_STARTS: &[&str] = &[
    "const ",
    "let ",
    "var ",
    "function ",
    "function*",
    "async function",
    "export ",
    "import {",
    "import * as",
    "import type",
    "interface ",
    "type ",
    "enum ",
    "//",
    "/*",
    "}",
    "await Promise.",
    "new ",
    "throw ",
    "switch (",
    "try {",
    "if (",
    "for (",
    "while (",
    "else {",
];
const SCRIPT_PARTS: &[&str] = &[
    "=>",
    "===",
    "!==",
    "&&",
    "||",
    "console.",
    "Promise.",
    "JSON.",
    "Math.",
    "Object.",
    "`",
    "undefined",
    "null",
    " new ",
    "?.",
    "??",
    "++",
    ".length",
    ".map(",
    ".filter(",
    "typeof ",
];
/// Likewise for Python.
const PYTHON_STARTS: &[&str] = &[
    "def ",
    "async def ",
    "from ",
    "elif ",
    "except",
    "with ",
    "async with ",
    "async for ",
    "raise ",
    "pass",
    "@",
    "#",
    "print(",
    "lambda ",
    "del ",
    "global ",
    "nonlocal ",
    "assert ",
    "try:",
    "else:",
    "finally:",
];
const PYTHON_PARTS: &[&str] = &[
    "None",
    "True",
    "False",
    " and ",
    " or ",
    "not ",
    " is ",
    "elif",
    "f\"",
    "f'",
    "asyncio.",
    "len(",
    "str(",
    "range(",
    "sorted(",
    "**",
    "\"\"\"",
    "lambda ",
    " for ",
    " in ",
    "isinstance(",
    "self.",
    "print(",
];

/// The language of a program. TypeScript only where plain JavaScript would not do.
pub fn guess_language(code: &str) -> Language {
    // Where it nests too deep to be parsed, only the words are left to go by.
    depth::with_room(code, || guess_parsed(code)).unwrap_or_else(|_too_deep| by_words(code).unwrap_or(Language::Python))
}

/// The same, where there is stack enough to parse.
pub(super) fn guess_parsed(code: &str) -> Language {
    let script = if parses(code, Language::JavaScript) {
        Some(Language::JavaScript)
    } else if parses(code, Language::TypeScript) {
        Some(Language::TypeScript)
    } else {
        None
    };
    match (script, by_words(code)) {
        // A script with a mistake in it still looks like a script.
        (script, Some(Language::JavaScript)) => script.unwrap_or(Language::TypeScript),
        // Only words of Python's, or none at all, speak against what parses as a script.
        (_, _) => Language::Python,
    }
}

pub(super) fn parses(code: &str, language: Language) -> bool {
    let allocator = Allocator::default();
    let parsed = Parser::new(&allocator, code, source_type(language)).parse();
    !parsed.panicked && parsed.diagnostics.errors().all(|e| e.code.number.as_deref() == Some(super::RETURN_OUTSIDE))
}

/// Votes of the lines: Python, JavaScript (for both kinds of script), or nobody.
fn by_words(code: &str) -> Option<Language> {
    let (mut python, mut script) = (0_usize, 0_usize);
    for line in code.lines().map(str::trim).filter(|line| !line.is_empty()).take(400) {
        script +=
            votes(line, SCRIPT_STARTS, SCRIPT_PARTS) + usize::from(line.ends_with(['{', ';']) || line.ends_with("});"));
        python += votes(line, PYTHON_STARTS, PYTHON_PARTS) + usize::from(line.ends_with(':')) + plain_import(line);
    }
    match python.cmp(&script) {
        std::cmp::Ordering::Greater => Some(Language::Python),
        std::cmp::Ordering::Less => Some(Language::JavaScript),
        std::cmp::Ordering::Equal => None,
    }
}

fn votes(line: &str, starts: &[&str], parts: &[&str]) -> usize {
    2 * usize::from(starts.iter().any(|s| line.starts_with(s))) + parts.iter().filter(|p| line.contains(**p)).count()
}

/// `import json`, `import a.b as c`: no quote, so no module path.
fn plain_import(line: &str) -> usize {
    3 * usize::from(line.starts_with("import ") && !line.contains(['"', '\'', '{']))
}

#[cfg(test)]
mod tests {
    use super::*;
    use Language::{JavaScript, Python, TypeScript};

    #[test]
    fn languages_are_told_apart() {
        for (code, want) in [
            ("1 + 1", Python),
            ("print('hello')\n1+1", Python),
            ("x = [i * 2 for i in range(3)]\nx", Python),
            ("import json\njson.dumps({})", Python),
            ("from servers import fs\nawait fs.read_text_file(path='a')", Python),
            ("from servers import fs\nr = await fs.list_directory(path=\".\")\nlen(r)", Python),
            ("result = None", Python),
            ("# a comment\n1", Python),
            ("def f(:\n  pass", Python),
            ("f\"{x}\"", Python),
            ("await asyncio.gather(a(), b())", Python),
            ("text = tta.inputs\nlen(text)", Python),
            ("", Python),
            ("console.log('hello'); 1+1", JavaScript),
            ("const x = 1\nx", JavaScript),
            ("import * as fs from 'servers/fs';\nawait fs.read_text_file({path: 'a'})", JavaScript),
            ("await Promise.all([1, 2])", JavaScript),
            ("[1, 2, 3].map(x => x * 2)", JavaScript),
            ("// a comment\n1", JavaScript),
            ("`a ${1}`", JavaScript),
            ("const xs: number[] = [1]\nxs", TypeScript),
            ("enum Color { Red }\nColor.Red", TypeScript),
            ("interface A { b: string }\nconst a: A = { b: 'x' };\na", TypeScript),
            ("const x = ;\nconsole.log(x)", TypeScript),
            ("function f() { return 1 }\nreturn f()", JavaScript),
        ] {
            assert_eq!(guess_language(code), want, "{code}");
        }
    }

    #[test]
    fn a_guess_survives_deep_nesting() {
        assert_eq!(guess_language(&"(".repeat(200_000)), Python);
    }
}
