//! Which part of a module is its value, and the edits that make it the default export.
//!
//! In this order: an explicit default export; the last statement, where it is an expression (or a `return`, or what
//! parses as an object literal); a top-level variable named `result`, which also stands in where that expression is
//! undefined, as `console.log(…)` is. Declarations of functions, classes and types after the value are passed over.

use super::lines::Edit;
use oxc::allocator::Allocator;
use oxc::ast::ast::{BlockStatement, Declaration, Expression, Program, Statement, VariableDeclaration};
use oxc::parser::Parser;
use oxc::semantic::SemanticBuilder;
use oxc::span::{GetSpan, SourceType, Span};

const EXPORT: &str = "export default (";
const EXPORT_OR_RESULT: &str = "export default ((value) => value === undefined ? result : value)(";
const RESULT: &str = "result";

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
    let open = if has_result { EXPORT_OR_RESULT } else { EXPORT };
    let value = last(program).and_then(|statement| value(code, statement));
    let returned = matches!(value, Some(Value::Returned { .. }));
    if returns > usize::from(returned) {
        return None;
    }
    match value {
        Some(Value::Expression(span)) => edits.extend(wrap(span.start, span.start, span.end, open)),
        Some(Value::Returned { keyword, argument }) => {
            let end = argument.map_or(keyword.end, |a| a.end);
            let open = if argument.is_some() { open } else { "export default (undefined" };
            edits.extend(wrap(keyword.start, keyword.end, end, open));
        }
        None => match program.directives.last() {
            // A program that is one string literal: the grammar takes it for a directive.
            Some(literal) if program.body.is_empty() => {
                let span = literal.expression.span;
                edits.extend(wrap(span.start, span.start, span.end, open));
            }
            _ if has_result => edits.push(Edit::insert(code.len(), "\nexport default result;")),
            _ => {}
        },
    }
    Some(edits)
}

/// Replaces `start..inner` by the opening and closes it at `end`.
fn wrap(start: u32, inner: u32, end: u32, open: &'static str) -> [Edit; 2] {
    [Edit { start: start as usize, end: inner as usize, text: open }, Edit::insert(end as usize, ");")]
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
