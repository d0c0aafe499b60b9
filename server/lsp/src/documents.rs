//! The open documents, as the editor has them and not as the disk does.
//!
//! Invariants: edits are applied in the order of their notifications, before a handler first awaits, so that a request
//! sees every edit sent before it; a [`Document`] never changes under who holds it. Bounded in size and number: what is
//! over is not followed, and has no features. Positions are in UTF-16 units and clamped to the text. Left out: a lone CR
//! as the end of a line, which editors replace when they open a file.

use model::{CallRecord, Language};
use std::collections::HashMap;
use std::ops;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tower_lsp::ls_types::{Position, Range, TextDocumentContentChangeEvent, TextDocumentItem, Uri};

/// Bytes of one document.
const BYTES_MAX: usize = 4 << 20;
/// Open documents.
const DOCUMENTS_MAX: usize = 1_000;
/// Calls of a run that are kept with its document. Of a run with more, none are: sums over some would be wrong.
const CALLS_MAX: usize = 10_000;

/// One open document at one version.
#[derive(Clone, Debug)]
pub(crate) struct Document {
    uri: Uri,
    language: String,
    version: i32,
    text: String,
    /// Where each line starts, in bytes.
    lines: Vec<usize>,
    calls: Option<Arc<[CallRecord]>>,
}

impl Document {
    pub(crate) fn new(item: TextDocumentItem) -> Self {
        let lines = line_starts(&item.text);
        let TextDocumentItem { uri, language_id: language, version, text } = item;
        Self { uri, language, version, text, lines, calls: None }
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

    /// The language of a document that may be a program.
    pub(crate) fn language(&self) -> Option<Language> {
        match self.language.as_str() {
            "python" => Some(Language::Python),
            "typescript" => Some(Language::TypeScript),
            "javascript" => Some(Language::JavaScript),
            _ => None,
        }
    }

    /// The calls of the last run of exactly this text.
    pub(crate) fn calls(&self) -> Option<&[CallRecord]> {
        self.calls.as_deref()
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
        self.calls = None;
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

    /// Keeps the calls of a run of that version, until the text changes. Whether it still is that version.
    pub(crate) fn set_calls(&self, uri: &Uri, version: i32, calls: &[CallRecord]) -> bool {
        let mut open = self.lock();
        let Some(document) = open.get_mut(uri).filter(|document| document.version == version) else { return false };
        Arc::make_mut(document).calls = (calls.len() <= CALLS_MAX).then(|| calls.into());
        true
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Uri, Arc<Document>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
