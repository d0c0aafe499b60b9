//! What stands at the cursor, read from the tokens before it: the tree is of no use where something is just being typed.

mod under;

use crate::outline::Outline;
use crate::scopes::Target;
use crate::tokens::{Kind, Tokens};
use model::Language;
use std::ops::Range;
use under::Under;

/// Tokens looked at, in either direction.
const TOKENS_MAX: usize = 4_000;
/// Words that begin something else: what is open before them was only not closed.
const STOPS: &[&str] = &["def", "class", "import", "return", "while", "with", "try", "const", "let", "var", "function"];

/// What is being written at the cursor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Context {
    /// Nothing of ours.
    Nothing,
    /// The name of a server: in an import, or after the package's name.
    Server {
        /// What is there of it.
        replace: Range<usize>,
        /// Names that stand in the same list already.
        taken: Vec<String>,
    },
    /// The name of a server's tool.
    Tool {
        /// The server's identifier.
        server: String,
        /// What is there of it.
        replace: Range<usize>,
        /// Names that stand in the same list already.
        taken: Vec<String>,
        /// In an import, where nothing is called.
        is_import: bool,
    },
    /// The name of what a server's resources or prompts can be asked for.
    Member {
        /// The server's identifier.
        server: String,
        /// `resources` or `prompts`.
        group: String,
        /// What is there of it.
        replace: Range<usize>,
    },
    /// Inside a call of a tool.
    Call(CallPlace),
}

/// A place between the parentheses of a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallPlace {
    /// The server's identifier.
    pub server: String,
    /// The tool's identifier or alias.
    pub tool: String,
    /// Where exactly.
    pub place: Place,
    /// Names of the arguments that are given, the one at the cursor left out.
    pub given: Vec<String>,
    /// Inside one dict or object, not among keywords.
    pub in_braces: bool,
    /// The text that the call begins with, where it is one of a prompt or a resource.
    pub first: Option<String>,
    /// The dict or object holds the arguments of a prompt, not those of the call.
    pub is_inner: bool,
}

/// A place among arguments.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// Where a name is due.
    Name {
        /// What is there of it.
        replace: Range<usize>,
        /// It stands between quotes.
        is_quoted: bool,
        /// Its sign and value follow already.
        has_value: bool,
    },
    /// Where the value of an argument begins.
    Value {
        /// The argument.
        name: String,
        /// What is there of it.
        replace: Range<usize>,
        /// It stands between quotes.
        is_quoted: bool,
    },
    /// In the text that the call begins with: a prompt's name, or a resource's URI.
    First {
        /// What is there of it.
        replace: Range<usize>,
    },
    /// Anywhere else: inside a value, or where the object with the arguments is due.
    Inside {
        /// The argument, where it is one.
        name: Option<String>,
    },
}

impl Outline {
    /// What is being written at `offset`.
    pub fn context_at(&self, offset: usize) -> Context {
        Cursor { outline: self, tokens: &self.tokens, offset, is_python: self.language == Language::Python }.context()
    }
}

struct Cursor<'o> {
    outline: &'o Outline,
    tokens: &'o Tokens,
    offset: usize,
    is_python: bool,
}

impl Cursor<'_> {
    fn context(&self) -> Context {
        let Some(under) = self.under() else { return Context::Nothing };
        if under.is_quoted {
            if let Some(context) = self.source(&under) {
                return context;
            }
        } else {
            if self.is_dot(under.before.wrapping_sub(1)) {
                return self.member(&under);
            }
            if let Some(context) = self.import(&under) {
                return context;
            }
        }
        self.call(&under).map_or(Context::Nothing, Context::Call)
    }

    fn is(&self, at: usize, word: &str) -> bool {
        self.tokens.word(at) == word
    }

    fn is_dot(&self, at: usize) -> bool {
        self.is(at, ".") || self.is(at, "?.")
    }

    /// What the chain of names that ends before token `end` means, and where it begins.
    fn chain(&self, end: usize) -> Option<(Target, usize)> {
        let mut first = end.checked_sub(1)?;
        while first >= 2 && self.is_dot(first - 1) && self.tokens.kind(first - 2) == Some(Kind::Word) {
            first -= 2;
        }
        if self.tokens.kind(first) != Some(Kind::Word) || (first > 0 && self.is_dot(first - 1)) {
            return None;
        }
        let scope = self.outline.scopes.at(self.offset);
        let mut target = self.outline.scopes.lookup(scope, self.tokens.word(first))?.clone();
        for at in (first + 2..end).step_by(2) {
            target = target.member(self.tokens.word(at))?;
        }
        Some((target, first))
    }

    /// After a dot.
    fn member(&self, under: &Under) -> Context {
        let dot = under.before - 1;
        let replace = under.replace.clone();
        // `from servers.` and `import servers.`
        let leads = |at: usize| dot == at + 2 && self.is_python && (self.is(at, "from") || self.is(at, "import"));
        if dot.checked_sub(2).is_some_and(leads) && self.is(dot - 1, "servers") {
            return Context::Server { replace, taken: Vec::new() };
        }
        match self.chain(dot) {
            Some((Target::Servers, _)) => Context::Server { replace, taken: Vec::new() },
            Some((Target::Server(server), _)) => Context::Tool { server, replace, taken: Vec::new(), is_import: false },
            Some((target @ Target::Tool(..), _)) if target.is_group() => {
                let Target::Tool(server, group) = target else { unreachable!("it was matched") };
                Context::Member { server, group, replace }
            }
            _ => Context::Nothing,
        }
    }

    /// In the list of names of an import.
    fn import(&self, under: &Under) -> Option<Context> {
        let mut at = under.before.checked_sub(1)?;
        // A name is due here, not `as` or an alias.
        if !["import", ",", "(", "{"].contains(&self.tokens.word(at)) {
            return None;
        }
        let is_list =
            |at: usize| self.is(at, ",") || (self.tokens.kind(at) == Some(Kind::Word) && !self.is(at, "import"));
        while is_list(at) && under.before - at < TOKENS_MAX {
            at = at.checked_sub(1)?;
        }
        let (start, module) = if self.is_python { self.python_list(at)? } else { self.typescript_list(at, under)? };
        let is_wrapped = self.is(start - 1, "(") || self.is(start - 1, "{");
        if !is_wrapped && !self.tokens.is_one_line(self.tokens.all[start - 1].range.end..self.offset) {
            return None;
        }
        Self::import_of(&module, under.replace.clone(), self.listed(start, under, is_wrapped))
    }

    /// Where the list begins whose opening is token `at`, and the module it is imported from.
    fn python_list(&self, at: usize) -> Option<(usize, String)> {
        let import = if self.is(at, "(") { at.checked_sub(1)? } else { at };
        let mut first = import.checked_sub(1).filter(|_| self.is(import, "import"))?;
        while first > 0 && !self.is(first, "from") && import - first < 8 {
            first -= 1;
        }
        let module = (first + 1..import).map(|at| self.tokens.word(at)).collect::<String>();
        self.is(first, "from").then(|| (at + 1, module.replace('.', "/")))
    }

    fn typescript_list(&self, at: usize, under: &Under) -> Option<(usize, String)> {
        let lead = at.checked_sub(1).filter(|_| self.is(at, "{"))?;
        let begins = self.is(lead, "import")
            || (lead >= 1 && self.is(lead, "type") && self.is(lead - 1, "import"))
            || (lead >= 2 && self.is(lead, ",") && self.is(lead - 2, "import"));
        let close =
            (under.after..self.tokens.all.len()).take(TOKENS_MAX).find(|at| self.is(*at, "}") || self.is(*at, ";"))?;
        let source = self.tokens.content(close + 2).filter(|_| begins && self.is(close + 1, "from"))?;
        Some((at + 1, source.0.to_owned()))
    }

    /// The names of an import's list, the one at the cursor left out.
    fn listed(&self, start: usize, under: &Under, is_wrapped: bool) -> Vec<String> {
        let mut taken = Vec::new();
        for at in start..self.tokens.all.len().min(start + TOKENS_MAX) {
            let is_over = self.is(at, ")") || self.is(at, "}");
            let begin = self.tokens.all[start - 1].range.end;
            if is_over || (!is_wrapped && !self.tokens.is_one_line(begin..self.tokens.all[at].range.start)) {
                break;
            }
            let is_name = self.tokens.kind(at) == Some(Kind::Word) && (at == start || self.is(at - 1, ","));
            if is_name && !(under.before..under.after).contains(&at) {
                taken.push(self.tokens.word(at).to_owned());
            }
        }
        taken
    }

    fn import_of(module: &str, replace: Range<usize>, taken: Vec<String>) -> Option<Context> {
        match module.split('/').collect::<Vec<_>>().as_slice() {
            ["servers"] => Some(Context::Server { replace, taken }),
            ["servers", server] if !server.is_empty() => {
                Some(Context::Tool { server: (*server).to_owned(), replace, taken, is_import: true })
            }
            _ => None,
        }
    }

    /// In the text that names a module: `from "servers/…"`, `import("servers/…")`.
    fn source(&self, under: &Under) -> Option<Context> {
        let lead = under.before.checked_sub(1).filter(|_| !self.is_python)?;
        let is_source = self.is(lead, "from")
            || self.is(lead, "import")
            || (lead >= 1 && self.is(lead, "(") && self.is(lead - 1, "import"));
        let content = self.tokens.text.get(under.replace.clone())?;
        let server = content.strip_prefix("servers/").filter(|rest| is_source && !rest.contains('/'))?;
        let start = under.replace.end - server.len();
        (start <= self.offset).then(|| Context::Server { replace: start..under.replace.end, taken: Vec::new() })
    }

    /// Between the parentheses of a call of a tool.
    fn call(&self, under: &Under) -> Option<CallPlace> {
        let mut brackets = Vec::new();
        let mut depth = 0_usize;
        for at in (0..under.before).rev().take(TOKENS_MAX) {
            match self.tokens.word(at) {
                ")" | "]" | "}" => depth += 1,
                "(" | "[" | "{" | "${" if depth > 0 => depth -= 1,
                "(" => match self.chain(at) {
                    Some((Target::Tool(server, tool), _)) => {
                        return Some(self.place(under, at, &brackets, server, tool));
                    }
                    _ if self.is_grouping(at) => brackets.push(at),
                    _ => return None,
                },
                "[" | "{" => brackets.push(at),
                "${" => return None,
                word if depth == 0 && self.tokens.kind(at) == Some(Kind::Word) && STOPS.contains(&word) => return None,
                _ => {}
            }
        }
        None
    }

    /// Whether a parenthesis only groups: nothing is called before it.
    fn is_grouping(&self, at: usize) -> bool {
        let Some(before) = at.checked_sub(1) else { return true };
        self.tokens.kind(before) == Some(Kind::Sign) && ![")", "]", "}"].contains(&self.tokens.word(before))
    }

    /// The place in the call that opens at token `open`, with `brackets` open between it and the cursor, inner ones first.
    fn place(&self, under: &Under, open: usize, brackets: &[usize], server: String, tool: String) -> CallPlace {
        let is_beside = tool.contains('.');
        let first = self.first(open, under).filter(|_| is_beside);
        // How many brackets are open inside of those around the names.
        let of_prompt = (0..brackets.len()).rev().take(2).find(|n| is_beside && self.is_of_prompt(open, brackets[*n]));
        let outermost = brackets.len().checked_sub(1).filter(|n| brackets[*n] == open + 1);
        let braces = of_prompt.or(outermost).filter(|n| self.is(brackets[*n], "{"));
        let (is_inner, in_braces) = (of_prompt.is_some(), braces.is_some());
        let level = braces.map_or(open, |n| brackets[n]);
        let nested = braces.unwrap_or(brackets.len());
        let sign = if in_braces { ":" } else { "=" };
        let segment = self.segment(level, nested.checked_sub(1).map_or(under.before, |at| brackets[at]));
        let name = (segment.len() >= 2 && self.is(segment[1], sign)).then(|| self.tokens.name(segment[0])).flatten();
        let replace = under.replace.clone();
        let place = match (segment.len(), name) {
            _ if is_beside && under.is_quoted && under.before == open + 1 => Place::First { replace },
            (_, name) if nested > 0 => Place::Inside { name: name.map(str::to_owned) },
            (0, _) if in_braces || (self.is_python && !under.is_quoted) => {
                let has_value = self.is(under.after, sign);
                Place::Name { replace, is_quoted: under.is_quoted, has_value }
            }
            (2, Some(name)) => Place::Value { name: name.to_owned(), replace, is_quoted: under.is_quoted },
            (_, name) => Place::Inside { name: name.map(str::to_owned) },
        };
        CallPlace { server, tool, place, given: self.given(level, under, sign), in_braces, first, is_inner }
    }

    /// The text that the call opened by token `open` begins with, or gives as `name`.
    fn first(&self, open: usize, under: &Under) -> Option<String> {
        let named = |from: usize| self.is(from, "name").then_some(from + 2);
        let at = named(open + 1).or_else(|| named(open + 2)).unwrap_or(open + 1);
        let is_text = self.tokens.kind(at) == Some(Kind::Text) && !(under.before..under.after).contains(&at);
        Some(self.tokens.content(at).filter(|_| is_text)?.0.to_owned())
    }

    /// Whether the bracket at token `at` opens the arguments of a prompt: what follows its name, or is called `arguments`.
    fn is_of_prompt(&self, open: usize, at: usize) -> bool {
        (self.is(at - 1, ",") && at == open + 3)
            || (at >= open + 3
                && (self.is(at - 1, "=") || self.is(at - 1, ":"))
                && self.tokens.name(at - 2) == Some("arguments"))
    }

    /// The tokens after the last comma between token `level`, which opens them, and token `end`, inner brackets left out.
    fn segment(&self, level: usize, end: usize) -> Vec<usize> {
        let (mut depth, mut segment) = (0_usize, Vec::new());
        for at in level + 1..end {
            match self.tokens.word(at) {
                "(" | "[" | "{" | "${" => depth += 1,
                ")" | "]" | "}" => depth = depth.saturating_sub(1),
                "," if depth == 0 => {
                    segment.clear();
                    continue;
                }
                _ => {}
            }
            if self.tokens.kind(at) != Some(Kind::Comment) {
                segment.push(at);
            }
        }
        segment
    }

    /// The names that the list opened by token `level` gives, the one at the cursor left out.
    fn given(&self, level: usize, under: &Under, sign: &str) -> Vec<String> {
        let (mut depth, mut given) = (0_usize, Vec::new());
        for at in level + 1..self.tokens.all.len().min(level + TOKENS_MAX) {
            let word = self.tokens.word(at);
            match word {
                "(" | "[" | "{" | "${" => depth += 1,
                ")" | "]" | "}" if depth == 0 => break,
                ")" | "]" | "}" => depth -= 1,
                _ if depth > 0 || (under.before..under.after).contains(&at) => {}
                _ if self.tokens.kind(at) == Some(Kind::Word) && STOPS.contains(&word) => break,
                _ => {
                    let is_first = at == level + 1 || self.is(at - 1, ",");
                    let is_name =
                        self.is(at + 1, sign) || (!self.is_python && (self.is(at + 1, ",") || self.is(at + 1, "}")));
                    if let Some(name) = self.tokens.name(at).filter(|_| is_first && is_name) {
                        given.push(name.to_owned());
                    }
                }
            }
        }
        given
    }
}
