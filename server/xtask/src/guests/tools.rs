//! The pinned tools from `PyPI`, in a private virtual environment beside the guests.

use super::{Places, say};
use anyhow::{Context, Result, bail};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// An environment that holds what `requirements.txt` names.
pub(super) struct Tools {
    /// Its interpreter.
    python: PathBuf,
    /// Where the C compiler keeps what it has compiled.
    zig_cache: PathBuf,
}

impl Tools {
    /// Finds the environment, or makes it.
    pub(super) fn prepare(places: &Places) -> Result<Self> {
        let folder = places.out.join("venv");
        let python = folder.join(if cfg!(windows) { "Scripts/python.exe" } else { "bin/python3" });
        let wanted = fs::read_to_string(places.sources.join("requirements.txt"))?;
        let stamp = folder.join("installed.txt");
        if fs::read_to_string(&stamp).is_ok_and(|installed| installed == wanted) && python.exists() {
            return Ok(Self { python, zig_cache: places.out.join("zig-cache") });
        }
        say("installing componentize-py and zig from PyPI into target/guests/venv (about 500 MB, once)");
        if folder.exists() {
            fs::remove_dir_all(&folder)?;
        }
        run(Command::new(base_python()?).args(["-m", "venv"]).arg(&folder))?;
        run(Command::new(&python)
            .args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--only-binary=:all:", "-r"])
            .arg(places.sources.join("requirements.txt")))
        .context("installing the tools (is the package index reachable?)")?;
        // Last, so that an interrupted installation starts afresh.
        fs::write(&stamp, wanted)?;
        Ok(Self { python, zig_cache: places.out.join("zig-cache") })
    }

    /// `componentize-py`, whose launcher lies elsewhere on each system.
    pub(super) fn componentize(&self) -> Command {
        let mut command = self.python();
        command.args(["-c", "import sys; from componentize_py import script; sys.exit(script())"]);
        command
    }

    /// The C compiler for WebAssembly.
    pub(super) fn cc(&self) -> Command {
        let mut command = self.zig();
        command.args(["cc", "-target", "wasm32-wasi"]);
        command
    }

    /// The linker for WebAssembly, for what the compiler does not link by itself: shared libraries.
    pub(super) fn wasm_ld(&self) -> Command {
        let mut command = self.zig();
        command.arg("wasm-ld");
        command
    }

    fn zig(&self) -> Command {
        let mut command = self.python();
        command.args(["-m", "ziglang"]);
        command.env("ZIG_GLOBAL_CACHE_DIR", &self.zig_cache).env("ZIG_LOCAL_CACHE_DIR", &self.zig_cache);
        command
    }

    /// Where packages of pure Python are installed.
    pub(super) fn packages(&self) -> Result<PathBuf> {
        let text = run(self.python().args(["-c", "import sysconfig; print(sysconfig.get_path('purelib'))"]))?;
        Ok(text.trim().into())
    }

    fn python(&self) -> Command {
        let mut command = Command::new(&self.python);
        // Nothing of the user's own Python may reach the build.
        command.env_remove("PYTHONPATH").env_remove("PYTHONHOME").env("PYTHONNOUSERSITE", "1");
        command
    }
}

/// A Python that can make virtual environments. A version manager's shim may be on the path and lead nowhere, so each
/// candidate is asked.
fn base_python() -> Result<PathBuf> {
    let candidates = ["python3", "python", "/usr/bin/python3"];
    let mut problem =
        "no python3 was found: install Python 3.9 or later (Debian, Ubuntu: apt install python3 python3-venv)";
    for candidate in candidates {
        let script = "import sys; assert sys.version_info >= (3, 9); print(sys.executable)";
        let Ok(found) = run(Command::new(candidate).args(["-c", script])) else { continue };
        let found = PathBuf::from(found.trim());
        if run(Command::new(&found).args(["-c", "import ensurepip, venv"])).is_ok() {
            return Ok(found);
        }
        problem = "this Python cannot make virtual environments: install its venv package (Debian, Ubuntu: apt install python3-venv)";
    }
    bail!(problem)
}

/// Runs a command to its end; what it printed is its value, or is in the error.
pub(super) fn run(command: &mut Command) -> Result<String> {
    let name = Path::new(command.get_program()).file_name().unwrap_or_default().to_string_lossy().into_owned();
    let output = command.stdin(Stdio::null()).output().with_context(|| format!("starting {name}"))?;
    let stdout = String::from_utf8_lossy(&output.stdout).into_owned();
    if !output.status.success() {
        let stderr = String::from_utf8_lossy(&output.stderr);
        bail!("{name} failed ({}):\n{}\n{}", output.status, stdout.trim(), stderr.trim());
    }
    Ok(stdout)
}
