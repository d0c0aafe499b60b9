//! Why the engine itself cannot run programs. A program that fails is an [`crate::Outcome`], never one of these.

use model::Language;
use std::path::PathBuf;

/// A fault of the installation or of the machine.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No folder holds the built interpreters.
    #[error(
        "the guest interpreters are not built; run `cargo run -p xtask -- guests`, or set TTA_GUESTS_DIR to the folder \
         that holds manifest.json (looked in {})", join(.looked_in)
    )]
    GuestsMissing {
        /// Every folder that was tried.
        looked_in: Vec<PathBuf>,
    },
    /// The manifest cannot be read.
    #[error("{}: {problem}; run `cargo run -p xtask -- guests` to build the guests again", .file.display())]
    Manifest {
        /// The manifest.
        file: PathBuf,
        /// What is wrong with it.
        problem: String,
    },
    /// A guest is not what the manifest says.
    #[error(
        "{} is not the {} guest that its manifest names ({problem}); run `cargo run -p xtask -- guests` to build it again",
        .file.display(), .language.as_str()
    )]
    GuestDamaged {
        /// The file.
        file: PathBuf,
        /// Which guest.
        language: Language,
        /// What does not match.
        problem: String,
    },
    /// The compiler refused a guest, or it asks for something that the host does not give.
    #[error("the {} guest cannot be loaded: {problem}", .language.as_str())]
    GuestRefused {
        /// Which guest.
        language: Language,
        /// The compiler's or linker's words.
        problem: String,
    },
    /// The machine cannot hold the pool, or threads cannot be started.
    #[error("the WebAssembly engine cannot start: {0}")]
    Platform(String),
}

fn join(paths: &[PathBuf]) -> String {
    paths.iter().map(|p| p.display().to_string()).collect::<Vec<_>>().join(", ")
}
