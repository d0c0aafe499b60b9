//! The scripted server (`bin/faulty-server.rs`) as tests use it.

use model::server::{Scope, Source};
use model::{ServerLimits, ServerSpec, Transport};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;
use std::time::SystemTime;

/// The scripted server's program. Cargo does not build the programs of a dev-dependency, so that it is built here where
/// a test of another crate runs alone.
///
/// # Panics
/// Where it cannot be built.
pub fn faulty_server() -> &'static Path {
    static PROGRAM: OnceLock<PathBuf> = OnceLock::new();
    PROGRAM.get_or_init(|| built("faulty-server"))
}

/// A program of `src/bin`, likewise.
///
/// # Panics
/// Where it cannot be built.
pub fn built(name: &str) -> PathBuf {
    let test = std::env::current_exe().expect("a test has a path");
    let folder = test.ancestors().nth(2).expect("tests lie in PROFILE/deps");
    let program = folder.join(name);
    // From the sibling as well, for the crates that include this file because they stand below the daemon.
    let testkit = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../testkit"));
    let source = testkit.join("src/bin").join(name).with_extension("rs");
    if modified(&program) < modified(&source) {
        let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let mut build = Command::new(cargo);
        build.args(["build", "--quiet", "--package", "testkit", "--bin", name]);
        build.current_dir(testkit);
        if folder.ends_with("release") {
            build.arg("--release");
        }
        assert!(build.status().expect("cargo runs").success(), "the scripted server must build");
    }
    program
}

/// The configuration of a scripted server with one fault.
pub fn faulty_spec(name: &str, fault: &str) -> ServerSpec {
    ServerSpec {
        name: name.to_owned(),
        transport: Transport::Stdio {
            command: faulty_server().to_string_lossy().into_owned(),
            args: vec![fault.to_owned()],
            env: BTreeMap::new(),
            cwd: None,
        },
        source: Source { file: PathBuf::from("/test/mcp.json"), line: 1, scope: Scope::Explicit },
        disabled: false,
        unresolved: Vec::new(),
        inputs: Vec::new(),
        oauth: model::server::OAuth::default(),
        scrub: Vec::new(),
        startup_timeout_ms: 20_000,
        limits: ServerLimits::default(),
        content_hash: fault.to_owned(),
    }
}

/// When a file changed last; `None`, which is less than any time, where it does not exist.
fn modified(path: &Path) -> Option<SystemTime> {
    std::fs::metadata(path).and_then(|meta| meta.modified()).ok()
}
