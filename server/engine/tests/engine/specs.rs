//! Every case in `tests/specs/guest`: a folder with a program, perhaps its input, and what must come of it.

use crate::host::{Scripted, engine};
use engine::{Engine, Outcome, Program};
use model::{Language, Limits};
use serde::Deserialize;
use serde_json::Value;
use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tokio_util::sync::CancellationToken;

/// `expect.json`. What is absent is not checked; `result: null` is.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Expected {
    status: String,
    #[serde(default, deserialize_with = "present")]
    result: Option<Value>,
    error: Option<ExpectedError>,
    stdout: Option<String>,
    stdout_contains: Option<Texts>,
    stderr: Option<String>,
    stderr_contains: Option<Texts>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ExpectedError {
    kind: String,
    line: Option<u32>,
    message_contains: Option<Texts>,
    hint_contains: Option<Texts>,
    traceback_contains: Option<Texts>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Texts {
    One(String),
    Many(Vec<String>),
}

fn present<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<Value>, D::Error> {
    Value::deserialize(deserializer).map(Some)
}

#[tokio::test(flavor = "multi_thread")]
async fn every_case_holds() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/specs/guest");
    let mut cases: Vec<PathBuf> =
        std::fs::read_dir(&folder).expect("tests/specs/guest").map(|entry| entry.expect("a case").path()).collect();
    cases.sort();
    assert!(!cases.is_empty(), "{} holds no case", folder.display());
    let engine = engine();
    let mut report = String::new();
    let mut programs = 0;
    for case in &cases {
        for (file, language) in programs_of(case) {
            programs += 1;
            if let Err(problem) = holds(&engine, case, &file, language).await {
                let _ = writeln!(report, "{}: {problem}", file.display());
            }
        }
    }
    assert!(programs >= cases.len(), "a case without a program");
    assert!(report.is_empty(), "\n{report}");
}

/// A case may hold the same program in several languages.
fn programs_of(case: &Path) -> Vec<(PathBuf, Language)> {
    [Language::Python, Language::TypeScript, Language::JavaScript]
        .into_iter()
        .map(|language| (case.join(format!("program.{}", language.extension())), language))
        .filter(|(file, _)| file.is_file())
        .collect()
}

async fn holds(engine: &Engine, case: &Path, file: &Path, language: Language) -> Result<(), String> {
    let expected: Expected =
        read(&case.join("expect.json")).and_then(|t| serde_json::from_str(&t).map_err(|e| e.to_string()))?;
    let input_json = read(&case.join("input.json")).unwrap_or_else(|_absent| "null".to_owned());
    let name = file.file_name().expect("a file has a name").to_string_lossy().into_owned();
    let program = Program { code: read(file)?, language, name, input_json };
    let limits = Limits { deadline_ms: 300_000, ..Limits::default() };
    let outcome = engine.run(program, limits, Arc::new(Scripted::default()), CancellationToken::new()).await;
    compare(&expected, &outcome).map_err(|problem| {
        format!(
            "{problem}\n    error: {:?}\n    stdout: {:?}\n    stderr: {:?}",
            outcome.error, outcome.stdout, outcome.stderr
        )
    })
}

fn read(file: &Path) -> Result<String, String> {
    std::fs::read_to_string(file).map_err(|e| format!("{}: {e}", file.display()))
}

fn compare(expected: &Expected, outcome: &Outcome) -> Result<(), String> {
    same("status", outcome.status.as_str(), &expected.status)?;
    if let Some(want) = &expected.result {
        let got: Option<Value> =
            outcome.result.as_ref().map(|r| serde_json::from_str(r.get()).expect("a result is JSON"));
        same("result", &got.as_ref(), &Some(want))?;
    }
    if let Some(want) = &expected.stdout {
        same("stdout", outcome.stdout.as_str(), want)?;
    }
    if let Some(want) = &expected.stderr {
        same("stderr", outcome.stderr.as_str(), want)?;
    }
    contains("stdout", &outcome.stdout, expected.stdout_contains.as_ref())?;
    contains("stderr", &outcome.stderr, expected.stderr_contains.as_ref())?;
    let Some(want) = &expected.error else { return Ok(()) };
    let error = outcome.error.as_ref().ok_or("no error")?;
    let kind = serde_json::to_value(error.kind).expect("a kind is a word");
    same("kind", kind.as_str().unwrap_or_default(), &want.kind)?;
    if want.line.is_some() {
        same("line", &error.line, &want.line)?;
    }
    contains("message", &error.message, want.message_contains.as_ref())?;
    contains("hint", error.hint.as_deref().unwrap_or_default(), want.hint_contains.as_ref())?;
    contains("traceback", error.traceback.as_deref().unwrap_or_default(), want.traceback_contains.as_ref())
}

fn same<T: PartialEq + std::fmt::Debug + ?Sized>(what: &str, got: &T, want: &T) -> Result<(), String> {
    if got == want { Ok(()) } else { Err(format!("{what} is {got:?}, expected {want:?}")) }
}

fn contains(what: &str, got: &str, texts: Option<&Texts>) -> Result<(), String> {
    let wanted = match texts {
        None => &[][..],
        Some(Texts::One(text)) => std::slice::from_ref(text),
        Some(Texts::Many(texts)) => texts,
    };
    match wanted.iter().find(|text| !got.contains(text.as_str())) {
        None => Ok(()),
        Some(text) => Err(format!("{what} is {got:?} and does not contain {text:?}")),
    }
}
