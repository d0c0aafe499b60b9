//! Room for a recursive parser: an upper bound of how deep a program can nest, and a stack large enough for it.
//!
//! Every pass over JavaScript recurses, and a native stack that overflows ends the process. So the bound must hold for
//! any text, also for one made to break it: each token can open at most one level; `;` and `,` close what is open
//! between brackets, except for `else` chains and type arguments; and where only a parser could tell whether a `/` starts
//! a regular expression (whose brackets mean nothing) the bound is the number of bytes.

use model::{ErrorKind, ProgramError};

/// Deepest program that is parsed at all.
const LEVELS: usize = 50_000;
/// Stack that one level can take: three times what the greediest shape in `tests/engine/nesting.rs` takes.
const LEVEL_BYTES: usize = 6 << 10;
/// What the passes need whatever the program is.
const BASE_BYTES: usize = 512 << 10;
/// Stack that any thread has to spare; those of most runtimes have 2 MiB.
const PRESENT_BYTES: usize = 1280 << 10;

/// Runs a parse of `code` with enough stack. Fails where the program nests deeper than any stack should be.
pub(super) fn with_room<T: Send>(code: &str, parse: impl FnOnce() -> T + Send) -> Result<T, ProgramError> {
    let levels = levels(code);
    if levels > LEVELS {
        let message = format!("SyntaxError: the program may nest deeper than {LEVELS} levels");
        return Err(ProgramError::new(ErrorKind::Syntax, message)
            .with_hint("Split long expressions into statements, and pass large data as `input`."));
    }
    let needed = BASE_BYTES + levels * LEVEL_BYTES;
    if needed <= PRESENT_BYTES {
        return Ok(parse());
    }
    let fault = |what| ProgramError::new(ErrorKind::Fault, format!("the program could not be parsed: {what}"));
    std::thread::scope(|scope| {
        let thread = std::thread::Builder::new().name("tta-parse".into()).stack_size(needed);
        let parsing = thread.spawn_scoped(scope, parse).map_err(|e| fault(e.to_string()))?;
        parsing.join().map_err(|_panic| fault("the parser failed".to_owned()))
    })
}

/// An upper bound of the nesting of any syntax tree of `code`.
fn levels(code: &str) -> usize {
    Scanner::new(code.as_bytes()).run().unwrap_or(code.len()).min(code.len())
}

/// What stands between two brackets.
#[derive(Clone, Copy, Default)]
struct Frame {
    /// Tokens since the last separator.
    tokens: usize,
    /// Tokens whose nesting a separator does not close.
    lasting: usize,
    /// Opened by `${`, so that its `}` leads back into the template.
    in_template: bool,
}

struct Scanner<'a> {
    code: &'a [u8],
    at: usize,
    frames: Vec<Frame>,
    sum: usize,
    deepest: usize,
    slash: Slash,
}

/// What a `/` at this place is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Slash {
    /// The start of a regular expression, because an operand must follow.
    RegularExpression,
    /// An operator, because a value stands before it on the same line.
    Division,
    /// One or the other; only a parser can tell.
    Unknown,
}

/// Words after which an operand may follow.
const BEFORE_OPERANDS: &[&[u8]] = &[
    b"await",
    b"case",
    b"default",
    b"delete",
    b"do",
    b"else",
    b"extends",
    b"in",
    b"instanceof",
    b"new",
    b"of",
    b"throw",
    b"typeof",
    b"void",
    b"yield",
];

impl<'a> Scanner<'a> {
    fn new(code: &'a [u8]) -> Self {
        Self { code, at: 0, frames: vec![Frame::default()], sum: 0, deepest: 0, slash: Slash::RegularExpression }
    }

    /// `None` where the text cannot be told apart without parsing it.
    fn run(mut self) -> Option<usize> {
        while let Some(&byte) = self.code.get(self.at) {
            match byte {
                b' ' | b'\t' | b'\r' => self.at += 1,
                b'\n' => self.line_break(),
                b'/' => self.slash()?,
                b'"' | b'\'' => self.string(byte)?,
                b'`' => {
                    self.token(1, false);
                    self.at += 1;
                    self.template()?;
                }
                b'(' | b'[' | b'{' => self.open(false),
                b')' | b']' | b'}' => self.close()?,
                b';' | b',' => self.separate(),
                b'_' | b'$' | b'\\' | b'0'..=b'9' | b'a'..=b'z' | b'A'..=b'Z' | 0x80.. => self.word(),
                _ => self.operator(byte),
            }
        }
        Some(self.deepest)
    }

    fn top(&mut self) -> &mut Frame {
        self.frames.last_mut().expect("the outermost frame is never closed")
    }

    fn token(&mut self, count: usize, lasting: bool) {
        let top = self.top();
        if lasting {
            top.lasting += count;
        } else {
            top.tokens += count;
        }
        self.sum += count;
        self.deepest = self.deepest.max(self.sum);
    }

    /// A statement can end here without a sign, and the next one begin with a regular expression.
    fn line_break(&mut self) {
        if self.slash == Slash::Division {
            self.slash = Slash::Unknown;
        }
        self.at += 1;
    }

    fn separate(&mut self) {
        self.sum -= self.top().tokens;
        self.top().tokens = 0;
        self.at += 1;
        self.slash = Slash::RegularExpression;
    }

    fn open(&mut self, in_template: bool) {
        self.token(1, false);
        self.frames.push(Frame { in_template, ..Frame::default() });
        self.at += 1;
        self.slash = Slash::RegularExpression;
    }

    /// A bracket too many is an error that ends every parser, so what follows it does not matter.
    fn close(&mut self) -> Option<()> {
        if self.frames.len() > 1 {
            let closed = self.frames.pop().expect("there is more than one frame");
            self.sum -= closed.tokens + closed.lasting;
            let bracket = self.code[self.at];
            self.at += 1;
            // After `if (…)` an operand follows, after `f(…)` none; likewise after blocks and object literals.
            self.slash = if bracket == b']' { Slash::Division } else { Slash::Unknown };
            if closed.in_template {
                return self.template();
            }
            return Some(());
        }
        self.at = self.code.len();
        Some(())
    }

    fn word(&mut self) {
        let start = self.at;
        while self
            .code
            .get(self.at)
            .is_some_and(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'$' | b'\\' | 0x80..))
        {
            self.at += 1;
        }
        let word = &self.code[start..self.at];
        let is_property = start.checked_sub(1).is_some_and(|i| self.code[i] == b'.');
        self.slash = match word {
            _ if is_property => Slash::Division,
            b"return" => Slash::RegularExpression,
            _ if BEFORE_OPERANDS.contains(&word) => Slash::Unknown,
            _ => Slash::Division,
        };
        self.token(1, word == b"else");
    }

    /// Each byte counts as a token of its own: more than there are, never fewer.
    fn operator(&mut self, byte: u8) {
        self.token(1, byte == b'<');
        let arrow = byte == b'>' && self.at > 0 && self.code[self.at - 1] == b'=';
        // `++`, `--`, `!` and `>` can also end a value.
        let infix = matches!(byte, b'=' | b':' | b'&' | b'|' | b'?' | b'~' | b'^' | b'%' | b'*' | b'/');
        self.slash = if arrow || infix { Slash::RegularExpression } else { Slash::Unknown };
        self.at += 1;
    }

    fn string(&mut self, quote: u8) -> Option<()> {
        self.token(1, false);
        self.at += 1;
        loop {
            match *self.code.get(self.at)? {
                b'\\' => self.at += 2,
                b'\n' => return None,
                byte => {
                    self.at += 1;
                    if byte == quote {
                        self.slash = Slash::Division;
                        return Some(());
                    }
                }
            }
        }
    }

    /// The rest of a template's text, up to its end or its next substitution.
    fn template(&mut self) -> Option<()> {
        loop {
            match *self.code.get(self.at)? {
                b'\\' => self.at += 2,
                b'`' => {
                    self.at += 1;
                    self.slash = Slash::Division;
                    return Some(());
                }
                b'$' if self.code.get(self.at + 1) == Some(&b'{') => {
                    self.at += 1;
                    self.open(true);
                    return Some(());
                }
                _ => self.at += 1,
            }
        }
    }

    fn slash(&mut self) -> Option<()> {
        match self.code.get(self.at + 1) {
            Some(b'/') => {
                self.at = self.end_of_line();
                Some(())
            }
            Some(b'*') => {
                let body = &self.code[self.at + 2..];
                self.at += 2 + body.windows(2).position(|w| w == b"*/")? + 2;
                Some(())
            }
            _ if self.slash == Slash::RegularExpression => self.regular_expression(),
            _ if self.slash == Slash::Division => {
                self.operator(b'/');
                Some(())
            }
            _ => self.unknown_slash(),
        }
    }

    /// A regular expression ends on its own line, so without a second `/` this is a division. With one, the line is read
    /// both ways at once, which works where nothing on it has a meaning of its own.
    fn unknown_slash(&mut self) -> Option<()> {
        let rest = &self.code[self.at + 1..self.end_of_line()];
        if !rest.contains(&b'/') {
            self.operator(b'/');
            return Some(());
        }
        if rest.iter().any(|byte| b"()[]{}'\"`\\*".contains(byte)) {
            return None;
        }
        self.token(rest.len() + 1, false);
        self.at = self.end_of_line();
        self.slash = Slash::Unknown;
        Some(())
    }

    fn regular_expression(&mut self) -> Option<()> {
        self.token(1, false);
        let mut in_class = false;
        loop {
            self.at += 1;
            match *self.code.get(self.at)? {
                b'\n' => return None,
                b'\\' => self.at += 1,
                b'[' => in_class = true,
                b']' => in_class = false,
                b'/' if !in_class => {
                    self.at += 1;
                    self.slash = Slash::Division;
                    return Some(());
                }
                _ => {}
            }
        }
    }

    fn end_of_line(&self) -> usize {
        self.code[self.at..].iter().position(|&b| b == b'\n').map_or(self.code.len(), |i| self.at + i)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statements_and_elements_lie_side_by_side() {
        assert!(levels(&"f(1, 2);\n".repeat(10_000)) < 10);
        assert!(levels(&format!("[{}]", "{a: 1, b: 'x'},".repeat(10_000))) < 10);
        assert!(levels(&"x.match(/[(]/);\n".repeat(1_000)) < 10);
        assert!(levels(&"const s = `a ${b} c`;\n".repeat(1_000)) < 10);
        assert!(levels(&"x = Math.round(a / b * 100) / 100;\n".repeat(1_000)) < 20);
        assert!(levels(&"x = (a + b) / 2; // half/half\n".repeat(1_000)) < 30_000);
        assert!(levels(&"xs.filter(x => /[()]/.test(x));\n".repeat(1_000)) < 20);
    }

    #[test]
    fn whatever_nests_is_counted() {
        for unit in ["(", "[", "{", "`${", "!", "a=>", "a?b:", "typeof ", "if(a)", "if(a);else ", "a**", "A<b,", "x:"] {
            assert!(levels(&unit.repeat(1_000)) >= 1_000, "{unit}");
        }
    }

    #[test]
    fn brackets_that_mean_nothing_close_nothing() {
        for unit in ["(')'+", "(`)`+", "(/[)]/,", "(/*)*/", "(//)\n", "(a)/')'/(", "(typeof /)/,", "(a\n/)/,"] {
            assert!(levels(&unit.repeat(1_000)) >= 1_000, "{unit}");
        }
    }
}
