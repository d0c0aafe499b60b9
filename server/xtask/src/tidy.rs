//! The house rules that a compiler does not know: which crate may import which, and what every source file looks like.
//!
//! The tables below are ARCHITECTURE.md's layers; a new crate or a new owner of a library is a line here, on purpose.

use anyhow::{Context as _, Result, bail};
use serde::Deserialize;
use std::path::{Path, PathBuf};
use std::process::Command;

/// What each crate may import of the others: down only, never a sibling.
const IMPORTS: &[(&str, &[&str])] = &[
    ("model", &[]),
    ("config", &["model"]),
    ("watch", &["model"]),
    ("catalog", &["model"]),
    ("ledger", &["model"]),
    ("bridge", &["model"]),
    ("engine", &["model"]),
    ("syntax", &["model"]),
    ("telemetry", &["model"]),
    ("daemon", &["model", "config", "watch", "catalog", "ledger", "bridge", "engine", "telemetry"]),
    ("lsp", &["model", "daemon", "syntax"]),
    ("mcp", &["model", "daemon"]),
    ("cli", &["model", "daemon", "lsp", "mcp"]),
    ("testkit", &["model", "daemon"]),
    ("xtask", &["model", "engine"]),
];

/// The crate, or the two sides of one protocol, that may name a library. Tests and build steps are not the product.
const OWNERS: &[(&str, &[&str])] = &[
    ("rmcp", &["bridge", "mcp"]),
    ("tower-lsp-server", &["lsp"]),
    ("wasmtime", &["engine"]),
    ("wasmtime-wasi", &["engine"]),
    ("rusqlite", &["ledger"]),
    ("tiktoken-rs", &["ledger"]),
    ("notify", &["watch"]),
    ("oxc", &["engine"]),
    ("tree-sitter", &["syntax"]),
    ("tree-sitter-python", &["syntax"]),
    ("tree-sitter-typescript", &["syntax"]),
    ("clap", &["cli"]),
    ("opentelemetry", &["telemetry"]),
    ("opentelemetry_sdk", &["telemetry"]),
    ("opentelemetry-otlp", &["telemetry"]),
    ("opentelemetry-http", &["telemetry"]),
    ("prometheus-client", &["telemetry"]),
];

/// Crates that no product is made of.
const DEV_ONLY: &[&str] = &["testkit", "xtask"];

/// Lines of one source file.
const LINES_MAX: usize = 600;

/// What `cargo metadata` says of a crate of ours.
#[derive(Deserialize)]
struct Package {
    name: String,
    dependencies: Vec<Dependency>,
}

#[derive(Deserialize)]
struct Dependency {
    name: String,
    /// `None` for what the product is built of.
    kind: Option<String>,
}

/// Fails with every rule that is broken.
pub(crate) fn run() -> Result<()> {
    let problems = problems()?;
    if problems.is_empty() {
        return Ok(());
    }
    bail!("{} of the house rules are broken:\n  {}", problems.len(), problems.join("\n  "));
}

fn problems() -> Result<Vec<String>> {
    let mut problems: Vec<String> = packages()?.iter().flat_map(import_problems).collect();
    for file in sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join(".."))? {
        let text = std::fs::read_to_string(&file).with_context(|| format!("reading {}", file.display()))?;
        problems.extend(file_problems(&file, &text));
    }
    Ok(problems)
}

fn packages() -> Result<Vec<Package>> {
    #[derive(Deserialize)]
    struct Metadata {
        packages: Vec<Package>,
    }
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let out = Command::new(cargo)
        .args(["metadata", "--no-deps", "--offline", "--format-version", "1"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .context("running cargo metadata")?;
    if !out.status.success() {
        bail!("cargo metadata: {}", String::from_utf8_lossy(&out.stderr));
    }
    Ok(serde_json::from_slice::<Metadata>(&out.stdout)?.packages)
}

fn import_problems(package: &Package) -> Vec<String> {
    let name = package.name.as_str();
    let Some((_, allowed)) = IMPORTS.iter().find(|(of, _)| *of == name) else {
        return vec![format!("{name} has no layer: add it to IMPORTS in server/xtask/src/tidy.rs")];
    };
    let mut problems = Vec::new();
    for dependency in &package.dependencies {
        let (import, test) = (dependency.name.as_str(), dependency.kind.as_deref() == Some("dev"));
        let ours = IMPORTS.iter().any(|(of, _)| *of == import);
        if ours && !allowed.contains(&import) && !(test && import == "testkit") {
            problems.push(format!("{name} imports {import}: it may see only {allowed:?}"));
        }
        let owners = OWNERS.iter().find(|(library, _)| *library == import).map(|(_, owners)| *owners);
        if owners.is_some_and(|o| !o.contains(&name)) && !test && !DEV_ONLY.contains(&name) {
            problems.push(format!("{name} names {import}, which belongs to {:?}", owners.unwrap_or_default()));
        }
    }
    problems
}

fn file_problems(file: &Path, text: &str) -> Vec<String> {
    let mut problems = Vec::new();
    let mut say = |line: usize, what: &str| problems.push(format!("{}:{line}: {what}", file.display()));
    let lines = text.lines().count();
    if lines > LINES_MAX {
        say(LINES_MAX, &format!("{lines} lines: split it"));
    }
    if file.file_name().is_some_and(|name| name == "mod.rs") {
        say(1, "no mod.rs: name the file after its module");
    }
    if !text.starts_with("//!") {
        say(1, "no `//!` header: what is it, what does it hold to, what does it leave out?");
    }
    let production = text.split("#[cfg(test)]").next().unwrap_or_default();
    for (index, line) in production.lines().enumerate() {
        if line.contains(concat!(".unwrap", "()")) && !line.trim_start().starts_with("//") {
            say(index + 1, "unwrap: return the error, or `expect` the invariant");
        }
    }
    problems
}

/// Every Rust file of the crates in `server`; what a guest is built from is not ours to lay out.
fn sources(server: &Path) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(server).with_context(|| format!("reading {}", server.display()))? {
        let folder = entry?.path().join("src");
        if folder.is_dir() {
            collect(&folder, &mut found)?;
        }
    }
    found.sort();
    Ok(found)
}

fn collect(folder: &Path, found: &mut Vec<PathBuf>) -> Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            collect(&path, found)?;
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            found.push(path);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn package(name: &str, dependencies: &[(&str, Option<&str>)]) -> Package {
        let of = |&(name, kind): &(&str, Option<&str>)| Dependency { name: name.into(), kind: kind.map(Into::into) };
        Package { name: name.into(), dependencies: dependencies.iter().map(of).collect() }
    }

    #[test]
    fn the_house_is_tidy() {
        let problems = problems().expect("the sources are there");
        assert!(problems.is_empty(), "{}", problems.join("\n"));
    }

    #[test]
    fn an_import_goes_down_and_never_to_a_sibling() {
        let broken = |name, dependencies: &[_]| import_problems(&package(name, dependencies)).len();
        assert_eq!(broken("bridge", &[("model", None), ("tokio", None)]), 0);
        assert_eq!(broken("bridge", &[("catalog", None)]), 1);
        assert_eq!(broken("model", &[("daemon", None)]), 1);
        assert_eq!(broken("mcp", &[("engine", None)]), 1);
        assert_eq!(broken("mcp", &[("testkit", Some("dev"))]), 0);
        assert_eq!(broken("mcp", &[("testkit", None)]), 1);
        assert_eq!(broken("newcomer", &[]), 1);
    }

    #[test]
    fn a_library_has_one_owner() {
        assert_eq!(import_problems(&package("ledger", &[("rusqlite", None)])).len(), 0);
        assert_eq!(import_problems(&package("daemon", &[("rusqlite", None)])).len(), 1);
        assert_eq!(import_problems(&package("daemon", &[("rmcp", Some("dev"))])).len(), 0);
    }

    #[test]
    fn a_file_has_a_header_no_unwrap_and_an_end() {
        let of = |name: &str, text: &str| file_problems(Path::new(name), text).len();
        let unwrap = concat!("x.unwrap", "()");
        assert_eq!(of("a.rs", "//! A.\n"), 0);
        assert_eq!(of("a.rs", "fn a() {}\n"), 1);
        assert_eq!(of("a/mod.rs", "//! A.\n"), 1);
        assert_eq!(of("a.rs", &format!("//! A.\n{unwrap};\n")), 1);
        assert_eq!(of("a.rs", &format!("//! A.\n#[cfg(test)]\n{unwrap};\n")), 0);
        assert_eq!(of("a.rs", &format!("//! A.\n{}", "//\n".repeat(LINES_MAX))), 1);
    }
}
