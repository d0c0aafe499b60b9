//! From a text to its outline: one walk over the tree for tokens, bindings and uses, then what the uses mean.
//!
//! Nothing here recurses, so that a text nests as deep as it likes.

use crate::arguments;
use crate::grammar::{self, Grammar};
use crate::imports::{Import, symbol};
use crate::outline::{Arguments, Call, Mention, Outline, Symbol, Usage};
use crate::scopes::{Reach, Scopes, Target};
use crate::tokens::{Kind, Token, Tokens, kind_of};
use model::Language;
use std::ops::{ControlFlow, Range};
use std::time::{Duration, Instant};
use tree_sitter::{Node, ParseOptions, Parser, Tree};

/// Steps of a parse, of a hundred operations each: a program of 2,000 lines takes 1,600. Counted rather than timed, so that
/// a busy machine does not lose its hints.
const STEPS_MAX: u32 = 5_000;
/// Steps are not all alike: texts made to be ambiguous are given up by the clock.
const PARSE_MAX: Duration = Duration::from_secs(1);
/// `servers.hub.prompts.get` is as long as the name of what is called can be.
const MEMBERS_MAX: usize = 3;

/// The outline of a program; `None` where it is too large to be looked at in time.
pub fn outline(text: &str, language: Language) -> Option<Outline> {
    if text.len() > crate::TEXT_BYTES_MAX {
        return None;
    }
    let tree = parse(text, language)?;
    let mut walk = Walk::new(text, grammar::of(language));
    walk.all(&tree);
    Some(walk.finish(language))
}

fn parse(text: &str, language: Language) -> Option<Tree> {
    let grammar = match language {
        Language::Python => tree_sitter_python::LANGUAGE,
        Language::TypeScript | Language::JavaScript => tree_sitter_typescript::LANGUAGE_TYPESCRIPT,
    };
    let mut parser = Parser::new();
    parser.set_language(&grammar.into()).expect("the grammars fit the library: the first test fails otherwise");
    let (end, mut steps) = (Instant::now() + PARSE_MAX, 0);
    let mut in_bounds = |_: &_| {
        steps += 1;
        if steps < STEPS_MAX && Instant::now() < end { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    };
    let options = ParseOptions::new().progress_callback(&mut in_bounds);
    parser.parse_with_options(&mut |at, _| &text.as_bytes()[at..], None, Some(options))
}

/// A node that is open, and the scope that its children stand in.
#[derive(Clone, Copy)]
struct Open<'t> {
    node: Node<'t>,
    field: &'t str,
    scope: usize,
    is_import: bool,
    is_broken: bool,
}

/// Something that may turn out to be a server or a tool.
struct Use<'t> {
    node: Node<'t>,
    scope: usize,
    is_broken: bool,
}

struct Walk<'t> {
    text: &'t str,
    grammar: &'static Grammar,
    open: Vec<Open<'t>>,
    scopes: Scopes,
    tokens: Vec<Token>,
    mentions: Vec<Mention>,
    /// Names and members outside of imports.
    uses: Vec<Use<'t>>,
    calls: Vec<(Use<'t>, Usage)>,
}

impl<'t> Walk<'t> {
    fn new(text: &'t str, grammar: &'static Grammar) -> Self {
        Self {
            text,
            grammar,
            open: Vec::new(),
            scopes: Scopes::new(text.len()),
            tokens: Vec::new(),
            mentions: Vec::new(),
            uses: Vec::new(),
            calls: Vec::new(),
        }
    }

    fn all(&mut self, tree: &'t Tree) {
        let mut cursor = tree.walk();
        loop {
            let (node, field) = (cursor.node(), cursor.field_name().unwrap_or_default());
            if self.enter(node, field) && cursor.goto_first_child() {
                continue;
            }
            self.open.pop();
            while !cursor.goto_next_sibling() {
                if !cursor.goto_parent() {
                    return;
                }
                self.open.pop();
            }
        }
    }

    /// Takes a node in, and says whether its children are wanted. The node is open until it is left.
    fn enter(&mut self, node: Node<'t>, field: &'t str) -> bool {
        let kind = node.kind();
        let around = self.open.last().copied();
        let outer = around.map_or(0, |open| open.scope);
        let grammar = self.grammar;
        let scope = if node.is_named() && grammar.scopes.contains(&kind) {
            self.scopes.open(outer, node.byte_range())
        } else {
            outer
        };
        let is_import = node.is_named() && grammar.imports.contains(&kind);
        let open = Open {
            node,
            field,
            scope,
            is_import: is_import || around.is_some_and(|open| open.is_import),
            is_broken: node.is_error() || around.is_some_and(|open| open.is_broken),
        };
        if is_import {
            self.import(node, scope);
        } else if !open.is_import && node.is_named() {
            self.named(&open, kind, around.map_or("", |open| open.node.kind()));
        }
        self.open.push(open);
        self.token(node, kind)
    }

    /// Keeps the token that a node is. A text literal without anything computed in it is one.
    fn token(&mut self, node: Node<'t>, kind: &str) -> bool {
        let range = node.byte_range();
        if matches!(kind, "string" | "template_string") && node.is_named() && is_plain(node) {
            self.tokens.push(Token { kind: Kind::Text, range });
            return false;
        }
        if node.child_count() == 0 && !range.is_empty() {
            self.tokens.push(Token { kind: kind_of(kind, &self.text[range.clone()]), range });
        }
        true
    }

    fn import(&mut self, node: Node<'_>, scope: usize) {
        let import = Import::read(node, self.text, self.grammar.is_python);
        for (name, target) in import.bound {
            self.scopes.bind(scope, Reach::Here, name, &target);
        }
        for (range, symbol) in import.named {
            self.mention(range, symbol);
        }
    }

    /// A named node outside of imports.
    fn named(&mut self, open: &Open<'t>, kind: &str, parent: &str) {
        let Open { node, field, scope, is_broken, .. } = *open;
        let text = self.text;
        match kind {
            "identifier" => match self.grammar.binds(parent, field) {
                Some(reach) => {
                    let target = self.dynamic_import(reach).unwrap_or(Target::Other);
                    self.scopes.bind(scope, reach, &text[node.byte_range()], &target);
                }
                None => self.uses.push(Use { node, scope, is_broken }),
            },
            "shorthand_property_identifier_pattern" => {
                self.scopes.bind(scope, Reach::Here, &text[node.byte_range()], &Target::Other);
            }
            kind if kind == self.grammar.member => self.uses.push(Use { node, scope, is_broken }),
            kind if kind == self.grammar.call => {
                let usage = self.usage(node, field);
                self.calls.push((Use { node, scope, is_broken }, usage));
            }
            _ => {}
        }
    }

    /// `const fs = await import("servers/fs")`: what the name of the innermost open declarator is bound to.
    fn dynamic_import(&self, reach: Reach) -> Option<Target> {
        let declarator = self.open.last().filter(|open| open.node.kind() == "variable_declarator")?.node;
        let awaited = declarator.child_by_field_name("value").filter(|value| value.kind() == self.grammar.wait)?;
        let call = awaited.named_child(0).filter(|call| call.kind() == self.grammar.call)?;
        call.child_by_field_name("function").filter(|function| function.kind() == "import")?;
        let source = call.child_by_field_name("arguments")?.named_child(0)?;
        let module = crate::literal::literal(source, self.text)?;
        let server = module.as_str()?.strip_prefix("servers/").filter(|rest| !rest.contains('/'))?;
        (reach == Reach::Here).then(|| Target::Server(server.to_owned()))
    }

    /// What becomes of the value of a call, going by what stands around it.
    fn usage(&self, call: Node<'t>, mut field: &'t str) -> Usage {
        let grammar = self.grammar;
        for around in self.open.iter().rev() {
            let (kind, node) = (around.node.kind(), around.node);
            if kind == "parenthesized_expression" {
                field = around.field;
            } else if kind == grammar.wait {
                return Usage::Awaited;
            } else if kind == "expression_statement" {
                return if self.is_result(node) { Usage::Awaited } else { Usage::Dropped };
            } else if !grammar.needs_value(kind, field) || self.asks_the_call(node) {
                return Usage::Kept;
            } else {
                return if call.has_error() { Usage::Kept } else { Usage::Misused };
            }
        }
        Usage::Kept
    }

    /// A JavaScript program's last expression is its result, and a call there is awaited for it.
    fn is_result(&self, statement: Node<'t>) -> bool {
        let is_outermost = self.open.len() >= 2 && self.open[1].node == statement;
        let mut next = statement.next_named_sibling();
        while next.is_some_and(|next| next.kind() == "comment") {
            next = next.and_then(|next| next.next_named_sibling());
        }
        !self.grammar.is_python && is_outermost && next.is_none()
    }

    /// Whether a member is one that a call has while it is under way.
    fn asks_the_call(&self, member: Node<'t>) -> bool {
        let name = member.child_by_field_name(self.grammar.property);
        name.is_some_and(|name| self.grammar.of_calls.contains(&&self.text[name.byte_range()]))
    }

    fn mention(&mut self, range: Range<usize>, symbol: Symbol) {
        let own = match &symbol {
            Symbol::Server(name) | Symbol::Tool { tool: name, .. } => name,
        };
        let is_original = self.text[range.clone()] == **own;
        self.mentions.push(Mention { range, symbol, is_original });
    }

    /// What an expression means; of members, at most `members` are looked through.
    fn target(&self, node: Node<'t>, scope: usize, members: usize) -> Option<Target> {
        if node.kind() == "identifier" {
            return self.scopes.lookup(scope, &self.text[node.byte_range()]).cloned();
        }
        if node.kind() != self.grammar.member {
            return None;
        }
        let (object, name) = (node.child_by_field_name("object")?, node.child_by_field_name(self.grammar.property)?);
        self.target(object, scope, members.checked_sub(1)?)?.member(&self.text[name.byte_range()])
    }

    fn finish(mut self, language: Language) -> Outline {
        for used in std::mem::take(&mut self.uses) {
            let Some(symbol) = self.target(used.node, used.scope, MEMBERS_MAX).as_ref().and_then(symbol) else {
                continue;
            };
            let range = match used.node.child_by_field_name(self.grammar.property) {
                None => used.node.byte_range(),
                Some(name) if self.is_certain(&used, name) => name.byte_range(),
                Some(_) => continue,
            };
            self.mention(range, symbol);
        }
        let calls: Vec<Call> =
            std::mem::take(&mut self.calls).into_iter().filter_map(|(used, usage)| self.call(&used, usage)).collect();
        self.mentions.sort_by_key(|mention| mention.range.start);
        let tokens = Tokens { text: self.text.to_owned(), all: self.tokens };
        Outline { language, mentions: self.mentions, calls, tokens, scopes: self.scopes }
    }

    /// Whether a member's name is really its own. After a dot with nothing behind it, the next line's first word is taken
    /// for the name.
    fn is_certain(&self, member: &Use<'t>, name: Node<'t>) -> bool {
        let dot = self.text[..name.start_byte()].trim_end_matches(|c: char| c.is_whitespace()).len();
        let is_missing = member.is_broken && name.byte_range().is_empty();
        !is_missing && !self.text[dot..name.start_byte()].contains('\n')
    }

    fn call(&self, used: &Use<'t>, usage: Usage) -> Option<Call> {
        let callee = used.node.child_by_field_name("function")?;
        let Target::Tool(server, tool) = self.target(callee, used.scope, MEMBERS_MAX)? else { return None };
        let list = used.node.child_by_field_name("arguments")?;
        let arguments = arguments::read(list, self.text, self.grammar);
        let arguments = Arguments { is_open: arguments.is_open || used.is_broken, ..arguments };
        let usage = if used.is_broken { Usage::Kept } else { usage };
        Some(Call { range: used.node.byte_range(), callee: callee.byte_range(), server, tool, arguments, usage })
    }
}

/// A text literal that is there in full.
fn is_plain(node: Node<'_>) -> bool {
    let mut cursor = node.walk();
    let computed = |child: Node<'_>| matches!(child.kind(), "interpolation" | "template_substitution");
    !node.has_error() && !node.children(&mut cursor).any(computed)
}
