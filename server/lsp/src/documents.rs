//! The open documents, as the editor has them and not as the disk does.
//!
//! Invariants: edits are applied in the order of their notifications, before a handler first awaits, so that a request
//! sees every edit sent before it; a [`Document`] never changes under who holds it. Bounded in size and number: what is
//! over is not followed, and has no features. Positions are in UTF-16 units and clamped to the text. Left out: a lone CR
//! as the end of a line, which editors replace when they open a file.

use crate::programs::LastRun;
use model::{Language, RunReply};
use std::borrow::Cow;
use std::collections::HashMap;
use std::ops;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use syntax::Outline;
use tower_lsp::ls_types::{Position, Range, TextDocumentContentChangeEvent, TextDocumentItem, Uri};

/// Bytes of one document.
const BYTES_MAX: usize = 4 << 20;
/// Open documents.
const DOCUMENTS_MAX: usize = 1_000;

/// One open document at one version.
#[derive(Clone, Debug)]
pub(crate) struct Document {
    uri: Uri,
    language: String,
    version: i32,
    text: String,
    /// Where each line starts, in bytes.
    lines: Vec<usize>,
    /// Made when it is first asked for.
    outline: OnceLock<Option<Arc<Outline>>>,
    last_run: Option<Arc<LastRun>>,
}

impl Document {
    pub(crate) fn new(item: TextDocumentItem) -> Self {
        let lines = line_starts(&item.text);
        let TextDocumentItem { uri, language_id: language, version, text } = item;
        Self { uri, language, version, text, lines, outline: OnceLock::new(), last_run: None }
    }

    pub(crate) fn uri(&self) -> &Uri {
        &self.uri
    }

    pub(crate) fn version(&self) -> i32 {
        self.version
    }

    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    /// The file it is, where it is one.
    pub(crate) fn path(&self) -> Option<PathBuf> {
        let is_file = ["file:", "vscode-userdata:"].iter().any(|scheme| self.uri.as_str().starts_with(scheme));
        self.uri.to_file_path().filter(|_| is_file).map(Cow::into_owned)
    }

    /// The language of a document that may be a program.
    pub(crate) fn language(&self) -> Option<Language> {
        match self.language.as_str() {
            "python" => Some(Language::Python),
            "typescript" => Some(Language::TypeScript),
            "javascript" => Some(Language::JavaScript),
            _ => None,
        }
    }

    /// What the text says about servers, where it is in the language of a program and names their package at all.
    pub(crate) fn outline(&self) -> Option<&Outline> {
        let outline = || {
            let language = self.language().filter(|_| self.text.contains("servers"))?;
            syntax::outline(&self.text, language).map(Arc::new)
        };
        self.outline.get_or_init(outline).as_deref()
    }

    /// The last run of exactly this text.
    pub(crate) fn last_run(&self) -> Option<&LastRun> {
        self.last_run.as_deref()
    }

    /// The byte offset of a position; of the end of its line, or of the text, where it is beyond.
    pub(crate) fn offset(&self, position: Position) -> usize {
        let Some(&start) = self.lines.get(position.line as usize) else { return self.text.len() };
        let line = self.text[start..].split('\n').next().unwrap_or_default();
        let line = line.strip_suffix('\r').unwrap_or(line);
        let mut units = position.character as usize;
        let length: usize = line
            .chars()
            .take_while(|c| {
                let fits = units >= c.len_utf16();
                units -= if fits { c.len_utf16() } else { units };
                fits
            })
            .map(char::len_utf8)
            .sum();
        start + length
    }

    /// The position of a byte offset, which must be at the start of a character or at the end of the text.
    pub(crate) fn position(&self, offset: usize) -> Position {
        let line = self.lines.partition_point(|&start| start <= offset) - 1;
        let character = self.text[self.lines[line]..offset].encode_utf16().count();
        Position::new(u32::try_from(line).unwrap_or(u32::MAX), u32::try_from(character).unwrap_or(u32::MAX))
    }

    /// The range of some bytes, likewise.
    pub(crate) fn range(&self, bytes: ops::Range<usize>) -> Range {
        Range::new(self.position(bytes.start), self.position(bytes.end))
    }

    fn edit(&mut self, version: i32, changes: Vec<TextDocumentContentChangeEvent>) {
        for change in changes {
            match change.range {
                Some(range) => {
                    let start = self.offset(range.start);
                    let end = self.offset(range.end).max(start);
                    self.text.replace_range(start..end, &change.text);
                }
                None => self.text = change.text,
            }
            self.lines = line_starts(&self.text);
        }
        self.version = version;
        self.outline = OnceLock::new();
        self.last_run = None;
    }
}

fn line_starts(text: &str) -> Vec<usize> {
    std::iter::once(0).chain(memchr::memchr_iter(b'\n', text.as_bytes()).map(|newline| newline + 1)).collect()
}

/// Every open document.
#[derive(Debug, Default)]
pub(crate) struct Documents(Mutex<HashMap<Uri, Arc<Document>>>);

impl Documents {
    /// The document as it is now.
    pub(crate) fn get(&self, uri: &Uri) -> Option<Arc<Document>> {
        self.lock().get(uri).cloned()
    }

    /// Every one.
    pub(crate) fn all(&self) -> Vec<Arc<Document>> {
        self.lock().values().cloned().collect()
    }

    pub(crate) fn open(&self, item: TextDocumentItem) {
        let mut open = self.lock();
        if item.text.len() > BYTES_MAX || open.len() >= DOCUMENTS_MAX {
            open.remove(&item.uri);
            tracing::warn!(
                "{} is not followed: over {BYTES_MAX} bytes or {DOCUMENTS_MAX} documents",
                item.uri.as_str()
            );
            return;
        }
        open.insert(item.uri.clone(), Arc::new(Document::new(item)));
    }

    pub(crate) fn edit(&self, uri: &Uri, version: i32, changes: Vec<TextDocumentContentChangeEvent>) {
        let mut open = self.lock();
        let Some(document) = open.get_mut(uri) else { return };
        Arc::make_mut(document).edit(version, changes);
        if document.text.len() > BYTES_MAX {
            tracing::warn!("{} is followed no longer: it has grown over {BYTES_MAX} bytes", uri.as_str());
            open.remove(uri);
        }
    }

    pub(crate) fn close(&self, uri: &Uri) {
        self.lock().remove(uri);
    }

    /// Keeps what a run of that version did, until the text changes. Whether it still is that version.
    pub(crate) fn set_run(&self, uri: &Uri, version: i32, run: &RunReply) -> bool {
        let mut open = self.lock();
        let Some(document) = open.get_mut(uri).filter(|document| document.version == version) else { return false };
        Arc::make_mut(document).last_run = Some(Arc::new(LastRun::new(run)));
        true
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Uri, Arc<Document>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
