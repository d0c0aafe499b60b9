//! Imports of servers and of tools, in every form that the guests accept. Any other import binds its names to nothing.

use crate::outline::Symbol;
use crate::scopes::Target;
use std::ops::Range;
use tree_sitter::Node;

/// The package that servers are imported from.
const PACKAGE: &str = "servers";

/// What an import statement says.
#[derive(Debug, Default)]
pub(crate) struct Import<'t> {
    /// Names and what they are bound to.
    pub(crate) bound: Vec<(&'t str, Target)>,
    /// Places that name a server or a tool.
    pub(crate) named: Vec<(Range<usize>, Symbol)>,
}

/// What a module is to us.
#[derive(Clone, Copy)]
enum Module<'t> {
    Servers,
    Server(&'t str),
    Other,
}

impl<'t> Module<'t> {
    fn of(parts: &[&'t str]) -> Self {
        match parts {
            [PACKAGE] => Self::Servers,
            [PACKAGE, server] if !server.is_empty() => Self::Server(server),
            _ => Self::Other,
        }
    }

    fn target(self) -> Target {
        match self {
            Self::Servers => Target::Servers,
            Self::Server(server) => Target::Server(server.to_owned()),
            Self::Other => Target::Other,
        }
    }

    /// What a name that is imported from it means.
    fn member(self, name: &str) -> Target {
        match self {
            Self::Servers => Target::Server(name.to_owned()),
            Self::Server(server) => Target::Tool(server.to_owned(), name.to_owned()),
            Self::Other => Target::Other,
        }
    }
}

/// The symbol that a target is, where it is one.
pub(crate) fn symbol(target: &Target) -> Option<Symbol> {
    match target {
        Target::Server(server) => Some(Symbol::Server(server.clone())),
        Target::Tool(server, tool) => Some(Symbol::Tool { server: server.clone(), tool: tool.clone() }),
        Target::Servers | Target::Other => None,
    }
}

impl<'t> Import<'t> {
    /// Reads an import statement of either language.
    pub(crate) fn read(node: Node<'_>, text: &'t str, is_python: bool) -> Self {
        let mut import = Self::default();
        match (is_python, node.kind()) {
            (true, "import_from_statement") => import.python_from(node, text),
            (true, "import_statement") => import.python_modules(node, text),
            (true, _) => {}
            (false, _) => import.typescript(node, text),
        }
        import
    }

    fn bind(&mut self, name: &'t str, target: Target) {
        self.bound.push((name, target));
    }

    fn name(&mut self, range: Range<usize>, target: &Target) {
        if let Some(symbol) = symbol(target) {
            self.named.push((range, symbol));
        }
    }

    /// `from servers import a, b as c`, `from servers.a import t`
    fn python_from(&mut self, node: Node<'_>, text: &'t str) {
        let Some(module_name) = node.child_by_field_name("module_name") else { return };
        let module = self.python_module(module_name, text);
        let mut cursor = node.walk();
        for imported in node.children_by_field_name("name", &mut cursor) {
            let (name, alias) = aliased(imported);
            let target = module.member(&text[name.byte_range()]);
            self.name(name.byte_range(), &target);
            if let Some(alias) = alias {
                self.name(alias.byte_range(), &target);
            }
            self.bind(&text[alias.unwrap_or(name).byte_range()], target);
        }
    }

    /// `import servers`, `import servers.a`, `import servers.a as b`
    fn python_modules(&mut self, node: Node<'_>, text: &'t str) {
        let mut cursor = node.walk();
        for imported in node.children_by_field_name("name", &mut cursor) {
            let (name, alias) = aliased(imported);
            let module = self.python_module(name, text);
            if let Some(alias) = alias {
                self.name(alias.byte_range(), &module.target());
                self.bind(&text[alias.byte_range()], module.target());
            } else {
                let first = text[name.byte_range()].split('.').next().unwrap_or_default().trim();
                self.bind(first, if first == PACKAGE { Target::Servers } else { Target::Other });
            }
        }
    }

    /// A dotted name; one of a relative import is never ours.
    fn python_module(&mut self, node: Node<'_>, text: &'t str) -> Module<'t> {
        if node.kind() != "dotted_name" {
            return Module::Other;
        }
        let mut cursor = node.walk();
        let parts: Vec<Node<'_>> = node.named_children(&mut cursor).collect();
        let names: Vec<&str> = parts.iter().map(|part| &text[part.byte_range()]).collect();
        let module = Module::of(&names);
        if let (Module::Server(_), [_, part]) = (module, parts.as_slice()) {
            self.name(part.byte_range(), &module.target());
        }
        module
    }

    /// `import * as a from "servers/a"`, `import a, { t as u } from "servers/a"`, `import { a } from "servers"`
    fn typescript(&mut self, node: Node<'_>, text: &'t str) {
        let source = node.child_by_field_name("source").map(|source| source.byte_range());
        let inner = source.and_then(|range| {
            let content = crate::tokens::content(&text[range.clone()])?;
            Some(range.start + content.start..range.start + content.end)
        });
        let module =
            inner.clone().map_or(Module::Other, |range| Module::of(&text[range].split('/').collect::<Vec<_>>()));
        if let (Module::Server(server), Some(inner)) = (module, inner) {
            self.name(inner.end - server.len()..inner.end, &module.target());
        }
        for clause in crate::literal::children(node) {
            if matches!(clause.kind(), "import_clause" | "import_require_clause") {
                self.typescript_clause(clause, text, module);
            }
        }
    }

    fn typescript_clause(&mut self, clause: Node<'_>, text: &'t str, module: Module<'t>) {
        for child in crate::literal::children(clause) {
            match child.kind() {
                "identifier" => self.bind_named(child, text, module.target()),
                "namespace_import" => {
                    for name in crate::literal::children(child) {
                        self.bind_named(name, text, module.target());
                    }
                }
                "named_imports" => {
                    for specifier in crate::literal::children(child) {
                        self.typescript_specifier(specifier, text, module);
                    }
                }
                _ => {}
            }
        }
    }

    fn bind_named(&mut self, name: Node<'_>, text: &'t str, target: Target) {
        self.name(name.byte_range(), &target);
        self.bind(&text[name.byte_range()], target);
    }

    fn typescript_specifier(&mut self, specifier: Node<'_>, text: &'t str, module: Module<'t>) {
        let Some(name) = specifier.child_by_field_name("name") else { return };
        let spelt = &text[name.byte_range()];
        let target = if spelt == "default" { module.target() } else { module.member(spelt) };
        self.name(name.byte_range(), &target);
        match specifier.child_by_field_name("alias") {
            Some(alias) => self.bind_named(alias, text, target),
            None => self.bind(spelt, target),
        }
    }
}

/// The name that is imported, and the one it gets.
fn aliased(node: Node<'_>) -> (Node<'_>, Option<Node<'_>>) {
    match node.child_by_field_name("name") {
        Some(name) if node.kind() == "aliased_import" => (name, node.child_by_field_name("alias")),
        _ => (node, None),
    }
}
