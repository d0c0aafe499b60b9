//! Why the ledger could not be opened or read. Recording never fails: what cannot be stored is counted in memory and
//! said in [`crate::Ledger::problem`].

use std::path::PathBuf;

/// What can go wrong.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The folder of the database could not be made, or a damaged database not be set aside.
    #[error("cannot prepare the ledger's folder for {}: {source}. Check that it is writable, or set another data folder", path.display())]
    Folder {
        /// The database.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A later version of the program wrote the database.
    #[error("the ledger {} has schema {found}, this program knows up to {known}. Update it, or move the file away to start a new ledger", path.display())]
    Newer {
        /// The database.
        path: PathBuf,
        /// Its schema.
        found: u32,
        /// The newest one known here.
        known: u32,
    },
    /// The database engine refused.
    #[error("the ledger's database: {0}")]
    Database(#[from] rusqlite::Error),
    /// A file to take in cannot be read.
    #[error("{}: {source}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A line of a file to take in is wrong; nothing of it was taken in.
    #[error("{}, line {number}: {what}. Nothing was taken in", path.display())]
    Line {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        number: usize,
        /// What is wrong with it.
        what: String,
    },
    /// A file to take in was sound, and was changed while it was taken in.
    #[error(
        "{}, line {number}: {what}. The file was changed while it was read, and what stood before was taken in. Import it again when nobody writes to it: what is there already is left as it is",
        path.display()
    )]
    Changed {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        number: usize,
        /// What is wrong with it now.
        what: String,
    },
    /// What was asked for cannot be given.
    #[error("the report: {0}")]
    Request(String),
    /// The worker thread could not be started, or a reader of the database stopped.
    #[error("the ledger's thread: {0}")]
    Thread(String),
    /// The sandbox's own tool definitions are not what the formula needs.
    #[error(
        "own tool definitions: {0}. Expected a JSON array of tools {{name, description, input_schema}} with a tool named search_tools"
    )]
    OwnDefinitions(String),
}
