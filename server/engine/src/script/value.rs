//! Which part of a module is its value, and the edits that make it the default export.
//!
//! In this order: an explicit default export; the last statement, where it is an expression (or a `return`, or what
//! parses as an object literal); a top-level variable named `result`, which also stands in where that expression is
//! undefined, as `console.log(…)` is; what a `main()` returns that is declared but never called. Declarations of
//! functions, classes and types after the value are passed over.

use super::lines::Edit;
use oxc::allocator::Allocator;
use oxc::ast::ast::{BlockStatement, Declaration, Expression, Program, Statement, VariableDeclaration};
use oxc::parser::Parser;
use oxc::semantic::SemanticBuilder;
use oxc::span::{GetSpan, SourceType, Span};

/// A promise is meant as what it promises, so it is awaited. The second bracket is for the comma operator.
const OPEN: &str = "export default (await (";
const OPEN_OR_RESULT: &str = "export default ((value) => value === undefined ? result : value)(await (";
const CLOSE: &str = "));";
const RESULT: &str = "result";
const MAIN: &str = "main";

/// The edits, in order. `None` where one of the `returns` outside functions is not the last statement.
pub(super) fn edits(code: &str, program: &Program<'_>, returns: usize) -> Option<Vec<Edit>> {
    let mut edits = Vec::with_capacity(3);
    if program.body.iter().any(exports_default) {
        return (returns == 0).then_some(edits);
    }
    let mut has_result = program.body.iter().any(declares_result);
    if !has_result && assigns_undeclared_result(code, program) {
        let first = program.body.first()?.span().start as usize;
        edits.push(Edit::insert(first, "let result; "));
        has_result = true;
    }
    let open = if has_result { OPEN_OR_RESULT } else { OPEN };
    let value = last(program).and_then(|statement| value(code, statement));
    let returned = matches!(value, Some(Value::Returned { .. }));
    if returns > usize::from(returned) {
        return None;
    }
    match value {
        Some(Value::Expression(span)) => edits.extend(wrap(span.start, span.start, span.end, open)),
        Some(Value::Returned { keyword, argument }) => {
            // Without an argument the edits meet: `export default (await (undefined));`
            let end = argument.map_or(keyword.end, |a| a.end);
            edits.extend(wrap(keyword.start, keyword.end, end, open));
            if argument.is_none() {
                edits.insert(edits.len() - 1, Edit::insert(keyword.end as usize, "undefined"));
            }
        }
        None => match program.directives.last() {
            // A program that is one string literal: the grammar takes it for a directive.
            Some(literal) if program.body.is_empty() => {
                let span = literal.expression.span;
                edits.extend(wrap(span.start, span.start, span.end, open));
            }
            _ if has_result => edits.push(Edit::insert(code.len(), "\nexport default result;")),
            _ if has_uncalled_main(program) => edits.push(Edit::insert(code.len(), "\nexport default await main();")),
            _ => {}
        },
    }
    Some(edits)
}

/// Replaces `start..inner` by the opening and closes it at `end`.
fn wrap(start: u32, inner: u32, end: u32, open: &'static str) -> [Edit; 2] {
    [Edit { start: start as usize, end: inner as usize, text: open }, Edit::insert(end as usize, CLOSE)]
}

enum Value {
    Expression(Span),
    Returned { keyword: Span, argument: Option<Span> },
}

fn value(code: &str, statement: &Statement<'_>) -> Option<Value> {
    match statement {
        Statement::ExpressionStatement(it) => Some(Value::Expression(it.expression.span())),
        Statement::ReturnStatement(it) => {
            let keyword = Span::new(it.span.start, it.span.start + 6);
            Some(Value::Returned { keyword, argument: it.argument.as_ref().map(GetSpan::span) })
        }
        Statement::BlockStatement(block) if is_object(code, block) => Some(Value::Expression(block.span)),
        _ => None,
    }
}

/// Whether what the grammar takes for a block was meant as an object: `{ total, items }` on the last line.
fn is_object(code: &str, block: &BlockStatement<'_>) -> bool {
    let allocator = Allocator::default();
    let text = format!("({})", &code[block.span.start as usize..block.span.end as usize]);
    let parsed = Parser::new(&allocator, &text, SourceType::ts()).parse_expression();
    parsed.is_ok_and(|e| matches!(e.without_parentheses(), Expression::ObjectExpression(_)))
}

/// The edits of a program that does not parse only because its last statement is an object literal, which the grammar
/// takes for a block: `{ total: 1, items: [] }` on lines of its own.
pub(super) fn object_at_end(code: &str, source_type: SourceType) -> Option<Vec<Edit>> {
    let start = if code.starts_with('{') { 0 } else { code.rfind("\n{")? + 1 };
    let end = code.trim_end().trim_end_matches(';').len();
    let (before, object) = (code.get(..start)?, code.get(start..end)?);
    let allocator = Allocator::default();
    let bracketed = format!("{before};({object})");
    let parsed = Parser::new(&allocator, &bracketed, source_type).parse();
    let is_object = parsed.program.body.last().is_some_and(|last| match last {
        Statement::ExpressionStatement(it) => {
            matches!(it.expression.without_parentheses(), Expression::ObjectExpression(_))
        }
        _ => false,
    });
    let exported = parsed.program.body.iter().any(exports_default);
    (is_object && !exported && !parsed.diagnostics.has_errors())
        .then(|| vec![Edit::insert(start, OPEN), Edit::insert(end, CLOSE)])
}

/// The last statement that does something.
fn last<'a, 'b>(program: &'b Program<'a>) -> Option<&'b Statement<'a>> {
    program.body.iter().rev().find(|statement| match statement {
        Statement::EmptyStatement(_) => false,
        Statement::ExportDeclaration(it) => matches!(it.declaration, Declaration::VariableDeclaration(_)),
        other if other.is_module_declaration() => false,
        other => other.as_declaration().is_none_or(|d| matches!(d, Declaration::VariableDeclaration(_))),
    })
}

fn exports_default(statement: &Statement<'_>) -> bool {
    match statement {
        Statement::ExportDefaultDeclaration(_) => true,
        Statement::ExportNamedDeclaration(it) => it.specifiers.iter().any(|s| s.exported.name() == "default"),
        _ => false,
    }
}

fn declares_result(statement: &Statement<'_>) -> bool {
    let in_declaration = |variables: &VariableDeclaration<'_>| {
        variables.declarations.iter().any(|d| d.id.get_binding_identifiers().iter().any(|bound| bound.name == RESULT))
    };
    match statement {
        Statement::VariableDeclaration(it) => in_declaration(it),
        Statement::ExportDeclaration(it) => {
            matches!(&it.declaration, Declaration::VariableDeclaration(variables) if in_declaration(variables))
        }
        _ => false,
    }
}

/// A top-level `function main()` without parameters that nothing refers to: what else could it be meant for?
fn has_uncalled_main(program: &Program<'_>) -> bool {
    let is_main = |statement: &Statement<'_>| match statement {
        Statement::FunctionDeclaration(it) => it.params.is_empty() && it.id.as_ref().is_some_and(|id| id.name == MAIN),
        _ => false,
    };
    if !program.body.iter().any(is_main) {
        return false;
    }
    let scoping = SemanticBuilder::new().build(program).semantic.into_scoping();
    let symbol = scoping.find_binding(scoping.root_scope_id(), MAIN.into());
    symbol.is_some_and(|symbol| scoping.get_resolved_reference_ids(symbol).is_empty())
}

/// `result = …` without a declaration, anywhere: meant as the program's value, but an error in a module.
fn assigns_undeclared_result(code: &str, program: &Program<'_>) -> bool {
    if !code.contains(RESULT) || program.body.is_empty() {
        return false;
    }
    let scoping = SemanticBuilder::new().build(program).semantic.into_scoping();
    scoping
        .root_unresolved_references()
        .get(RESULT)
        .is_some_and(|references| references.iter().any(|id| scoping.get_reference(*id).is_write()))
}
