//! What to run: the source, its language as far as the command line tells, its name, and its input. All bounded.

use crate::args::RunArgs;
use crate::failure::Failure;
use model::{Language, RunRequest};
use serde_json::Value;
use std::io::Read;
use std::path::Path;

/// Bytes of a program or an input that are read at all; the daemon's own limits are lower.
const BYTES_MAX: u64 = 64 << 20;

/// The request that a command line stands for.
pub(crate) fn request(args: &RunArgs) -> Result<RunRequest, Failure> {
    let flag = args.lang.map(Language::from);
    let input = args.input.as_deref().map(|text| json_or_file(text, "--input")).transpose()?;
    let (code, name) = match (&args.code, &args.file) {
        (Some(code), _) => (code.clone(), None),
        (None, Some(file)) if file.as_os_str() == "-" => (read_text("stdin", std::io::stdin().lock())?, None),
        (None, Some(file)) => (read_file(file)?, file.file_name().map(|name| name.to_string_lossy().into_owned())),
        (None, None) => return Err(Failure::usage("no program", "name a file, `-` for stdin, or give -e CODE")),
    };
    let language = match (name.as_deref().and_then(language_of), flag) {
        (Some(told), Some(flag)) if told != flag => {
            let file = name.unwrap_or_default();
            let message = format!("{file} is {}, but --lang says {}", told.as_str(), flag.as_str());
            return Err(Failure::usage(message, "leave out --lang, or rename the file"));
        }
        (told, flag) => told.or(flag),
    };
    Ok(RunRequest { code, language, input, name, ..RunRequest::default() })
}

/// A JSON value given in place, or as `@FILE`.
pub(crate) fn json_or_file(text: &str, what: &str) -> Result<Value, Failure> {
    let (text, from) = match text.strip_prefix('@') {
        Some(file) => (read_file(Path::new(file))?, format!("{what} @{file}")),
        None => (text.to_owned(), what.to_owned()),
    };
    serde_json::from_str(&text)
        .map_err(|e| Failure::usage(format!("{from} is not JSON: {e}"), "text needs its quotes: '\"like this\"'"))
}

/// The language that a file's ending tells.
fn language_of(name: &str) -> Option<Language> {
    match Path::new(name).extension()?.to_str()?.to_ascii_lowercase().as_str() {
        "py" | "pyi" => Some(Language::Python),
        "ts" | "mts" => Some(Language::TypeScript),
        "js" | "mjs" => Some(Language::JavaScript),
        _ => None,
    }
}

fn read_file(file: &Path) -> Result<String, Failure> {
    let unreadable = |e: std::io::Error| {
        Failure::usage(format!("{} cannot be read: {e}", file.display()), "check the path; `-` reads stdin")
    };
    read_text(&file.display().to_string(), std::fs::File::open(file).map_err(unreadable)?)
}

fn read_text(name: &str, source: impl Read) -> Result<String, Failure> {
    let mut bytes = Vec::new();
    source
        .take(BYTES_MAX + 1)
        .read_to_end(&mut bytes)
        .map_err(|e| Failure::usage(format!("{name} cannot be read: {e}"), "it must be a readable file"))?;
    if bytes.len() as u64 > BYTES_MAX {
        return Err(Failure::usage(format!("{name} is over {} MiB", BYTES_MAX >> 20), "hand data over by a server"));
    }
    String::from_utf8(bytes).map_err(|e| {
        Failure::usage(format!("{name} is not UTF-8 from byte {} on", e.utf8_error().valid_up_to()), "re-encode it")
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::args::Lang;
    use std::path::PathBuf;

    fn args(file: Option<PathBuf>, code: Option<&str>, lang: Option<Lang>, input: Option<&str>) -> RunArgs {
        RunArgs { file, code: code.map(Into::into), lang, input: input.map(Into::into) }
    }

    fn message(args: &RunArgs) -> String {
        request(args).map_or_else(|failure| failure.0.message, |request| format!("{request:?}"))
    }

    #[test]
    fn the_ending_tells_the_language_and_a_contradiction_is_refused() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = |name: &str| {
            let file = folder.path().join(name);
            std::fs::write(&file, "1").expect("written");
            Some(file)
        };
        let language = |args: &RunArgs| request(args).ok().and_then(|r| r.language);
        assert_eq!(language(&args(file("a.py"), None, None, None)), Some(Language::Python));
        assert_eq!(language(&args(file("a.MTS"), None, None, None)), Some(Language::TypeScript));
        assert_eq!(language(&args(file("a.txt"), None, Some(Lang::Javascript), None)), Some(Language::JavaScript));
        assert_eq!(language(&args(file("a.txt"), None, None, None)), None);
        let contradiction = message(&args(file("a.py"), None, Some(Lang::Typescript), None));
        assert_eq!(contradiction, "a.py is python, but --lang says typescript");
    }

    #[test]
    fn a_program_keeps_its_files_name_but_not_its_folder() {
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::write(folder.path().join("p.py"), "1").expect("written");
        let read = request(&args(Some(folder.path().join("p.py")), None, None, None)).ok().and_then(|r| r.name);
        assert_eq!(read.as_deref(), Some("p.py"));
    }

    #[test]
    fn input_is_json_in_place_or_in_a_file() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("in.json");
        std::fs::write(&file, r#"{"n": 1}"#).expect("written");
        let at = format!("@{}", file.display());
        let input = |text: &str| request(&args(None, Some("1"), None, Some(text))).ok().and_then(|r| r.input);
        assert_eq!(input(&at), Some(serde_json::json!({"n": 1})));
        assert_eq!(input("[1]"), Some(serde_json::json!([1])));
        assert!(message(&args(None, Some("1"), None, Some("oops"))).starts_with("--input is not JSON"));
    }

    #[test]
    fn what_cannot_be_read_is_said() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("bad.py");
        std::fs::write(&file, b"ab\xff").expect("written");
        assert!(message(&args(Some(file), None, None, None)).ends_with("is not UTF-8 from byte 2 on"));
        let missing = folder.path().join("none.py");
        assert!(message(&args(Some(missing), None, None, None)).contains("none.py cannot be read"));
    }
}
