//! Room for a recursive parser: an upper bound of how deep a program can nest, and a stack large enough for it.
//!
//! Every pass over JavaScript recurses, and a native stack that overflows ends the process. So the bound must hold for
//! any text, also for one made to break it: each token can open at most one level; `;` and `,` close what is open
//! between brackets, except for `else` chains and type arguments; and where a `/` may or may not start a regular
//! expression (whose brackets mean nothing) the bound is the number of bytes.

use model::{ErrorKind, ProgramError};

/// Deepest program that is parsed at all.
const LEVELS: usize = 60_000;
/// Stack that one level can take in the most greedy pass, with a margin; `tests/nesting.rs` holds it to that.
const LEVEL_BYTES: usize = if cfg!(debug_assertions) { 12 << 10 } else { 4 << 10 };
/// What the passes need whatever the program is.
const BASE_BYTES: usize = 512 << 10;
/// Stack that every thread of the engine has to spare.
const PRESENT_BYTES: usize = 3 << 20;

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
    /// Whether a `/` here can only start a regular expression.
    expects_operand: bool,
}

impl<'a> Scanner<'a> {
    fn new(code: &'a [u8]) -> Self {
        Self { code, at: 0, frames: vec![Frame::default()], sum: 0, deepest: 0, expects_operand: true }
    }

    /// `None` where the text cannot be told apart without parsing it.
    fn run(mut self) -> Option<usize> {
        while let Some(&byte) = self.code.get(self.at) {
            match byte {
                b' ' | b'\t' | b'\r' | b'\n' => self.at += 1,
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
            top.lasting += count
        } else {
            top.tokens += count
        }
        self.sum += count;
        self.deepest = self.deepest.max(self.sum);
    }

    fn separate(&mut self) {
        self.sum -= self.top().tokens;
        self.top().tokens = 0;
        self.at += 1;
        self.expects_operand = true;
    }

    fn open(&mut self, in_template: bool) {
        self.token(1, false);
        self.frames.push(Frame { in_template, ..Frame::default() });
        self.at += 1;
        self.expects_operand = true;
    }

    /// A bracket too many is an error that ends every parser, so what follows it does not matter.
    fn close(&mut self) -> Option<()> {
        if self.frames.len() > 1 {
            let closed = self.frames.pop().expect("there is more than one frame");
            self.sum -= closed.tokens + closed.lasting;
            self.at += 1;
            self.expects_operand = false;
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
        self.token(1, word == b"else");
        self.expects_operand = word == b"return" && !is_property;
    }

    /// Each byte counts as a token of its own: more than there are, never fewer.
    fn operator(&mut self, byte: u8) {
        self.token(1, byte == b'<');
        let arrow = byte == b'>' && self.at > 0 && self.code[self.at - 1] == b'=';
        self.expects_operand = arrow || matches!(byte, b'=' | b':' | b'&' | b'|' | b'?' | b'~' | b'^' | b'%' | b'*');
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
                        self.expects_operand = false;
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
                    self.expects_operand = false;
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
            _ if self.expects_operand => self.regular_expression(),
            _ => {
                let line = &self.code[self.at + 1..self.end_of_line()];
                if line.contains(&b'/') {
                    return None;
                }
                self.operator(b'/');
                Some(())
            }
        }
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
                    self.expects_operand = false;
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
    }

    #[test]
    fn whatever_nests_is_counted() {
        for unit in ["(", "[", "{", "`${", "!", "a=>", "a?b:", "typeof ", "if(a)", "if(a);else ", "a**", "A<b,", "x:"] {
            assert!(levels(&unit.repeat(1_000)) >= 1_000, "{unit}");
        }
    }

    #[test]
    fn brackets_that_mean_nothing_close_nothing() {
        for unit in ["(')'+", "(`)`+", "(/[)]/,", "(/*)*/", "(//)\n", "(a)/')'/("] {
            assert!(levels(&unit.repeat(1_000)) >= 1_000, "{unit}");
        }
    }
}
