//! What a guest is given: Python as it is; JavaScript and TypeScript as one ECMAScript module whose default export is
//! the program's value.
//!
//! Plain JavaScript is edited in place and TypeScript goes through a code generator with a source map, so an error is
//! always told with the lines of the program as it was written. Leaves out: type checking, and what the guest's own
//! parser finds (it reports it itself).

mod depth;
mod language;
mod lines;
mod value;

pub use language::guess_language;
pub(crate) use lines::Lines;

use lines::Edit;
use model::{ErrorKind, Language, ProgramError};
use oxc::allocator::Allocator;
use oxc::codegen::{Codegen, CodegenOptions, CodegenReturn, CommentOptions};
use oxc::diagnostics::{Diagnostics, OxcDiagnostic};
use oxc::parser::Parser;
use oxc::semantic::SemanticBuilder;
use oxc::span::SourceType;
use oxc::transformer::{TransformOptions, Transformer};
use std::path::Path;

/// TypeScript's own number for a `return` outside a function.
const RETURN_OUTSIDE: &str = "1108";

/// A program ready for its guest.
#[derive(Clone, Debug)]
pub struct Prepared {
    /// What the guest runs.
    pub source: String,
    pub(crate) lines: Lines,
}

impl Prepared {
    /// An error of the guest with its lines and columns put back to those of the program.
    #[must_use]
    pub fn in_source_lines(&self, error: ProgramError) -> ProgramError {
        self.lines.error(error)
    }
}

/// Prepares a program. `name` is the file name shown in tracebacks. Fails on what does not parse.
pub fn prepare(code: &str, language: Language, name: &str) -> Result<Prepared, ProgramError> {
    let unchanged = || Prepared { source: code.to_owned(), lines: Lines::unchanged(name) };
    match language {
        Language::Python => Ok(unchanged()),
        Language::JavaScript | Language::TypeScript => {
            depth::with_room(code, || module(code, language, name)).unwrap_or_else(Err)
        }
    }
}

fn module(code: &str, language: Language, name: &str) -> Result<Prepared, ProgramError> {
    let edits = edits(code, language, name)?;
    let edited = lines::apply(code, &edits);
    if language == Language::JavaScript {
        return Ok(Prepared { source: edited, lines: Lines::edited(name, code, &edits) });
    }
    let (source, map) = strip_types(&edited, name).map_err(|found| syntax_error(code, name, &found))?;
    Ok(Prepared { source, lines: Lines::mapped(name, code, &edits, map) })
}

/// What makes the program's value its default export.
fn edits(code: &str, language: Language, name: &str) -> Result<Vec<Edit>, ProgramError> {
    let allocator = Allocator::default();
    let parsed = Parser::new(&allocator, code, source_type(language)).parse();
    let (returns, errors): (Vec<_>, Vec<_>) =
        parsed.diagnostics.errors().partition(|e| e.code.number.as_deref() == Some(RETURN_OUTSIDE));
    if let Some(first) = errors.first() {
        return value::object_at_end(code, source_type(language))
            .ok_or_else(|| with_hint(syntax_error(code, name, first), code, language));
    }
    value::edits(code, &parsed.program, returns.len()).ok_or_else(|| {
        let first = returns.first().expect("only a return can keep a parsed program from having a value");
        syntax_error(code, name, first).with_hint(
            "The value of the last expression is the result: write it without `return`, or wrap the code in \
             `async function main() { … }` and end with `await main()`.",
        )
    })
}

fn source_type(language: Language) -> SourceType {
    if language == Language::TypeScript { SourceType::ts() } else { SourceType::mjs() }
}

/// TypeScript as JavaScript, with the source map's tokens.
fn strip_types(code: &str, name: &str) -> Result<(String, Vec<lines::Token>), Box<OxcDiagnostic>> {
    let allocator = Allocator::default();
    let parsed = Parser::new(&allocator, code, SourceType::ts()).parse();
    first_error(&parsed.diagnostics)?;
    let mut program = parsed.program;
    let analysed = SemanticBuilder::new()
        .with_check_syntax_error(true)
        .with_enum_eval(true)
        .with_excess_capacity(2.0)
        .build(&program);
    first_error(&analysed.diagnostics)?;
    let scoping = analysed.semantic.into_scoping();
    let path = Path::new(name);
    let transformed =
        Transformer::new(&allocator, path, &TransformOptions::default()).build_with_scoping(scoping, &mut program);
    first_error(&transformed.diagnostics)?;
    let options = CodegenOptions {
        source_map_path: Some(path.to_owned()),
        comments: CommentOptions::disabled(),
        ..CodegenOptions::default()
    };
    let CodegenReturn { code, map, .. } = Codegen::new().with_options(options).build(&program);
    let map = map.expect("a source map was asked for");
    let tokens = map.get_tokens().map(|token| lines::Token {
        generated: (token.get_dst_line(), token.get_dst_col()),
        source: (token.get_src_line(), token.get_src_col()),
    });
    Ok((code, tokens.collect()))
}

fn first_error(diagnostics: &Diagnostics) -> Result<(), Box<OxcDiagnostic>> {
    match diagnostics.errors().next() {
        None => Ok(()),
        Some(error) => Err(Box::new(error.clone())),
    }
}

fn syntax_error(code: &str, name: &str, found: &OxcDiagnostic) -> ProgramError {
    let mut error = ProgramError::new(ErrorKind::Syntax, format!("SyntaxError: {}", found.message));
    error.hint = found.help.as_deref().map(str::to_owned);
    if let Some(label) = found.labels.first() {
        let (line, column, text) = lines::locate(code, label.offset() as usize);
        error.line = Some(line);
        error.traceback = Some(format!("    at {name}:{line}:{column}\n    {text}"));
    }
    error
}

/// Says so where the program is in another language than it was taken for.
fn with_hint(error: ProgramError, code: &str, language: Language) -> ProgramError {
    if language == Language::JavaScript && language::parses(code, Language::TypeScript) {
        return error.with_hint("This is TypeScript: run it with language \"typescript\".");
    }
    if language::guess_parsed(code) == Language::Python {
        return error.with_hint("This looks like Python: run it with language \"python\".");
    }
    error
}
