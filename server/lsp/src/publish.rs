//! What the server says unasked: diagnostics, and that hints are to be asked for again. By two tasks, so that no handler
//! waits for the client.
//!
//! Invariants: one task publishes, each time from the newest text, and drops what it made where the text has changed
//! meanwhile; so nothing outdated follows something newer. However much changes while it is at work, it looks once
//! more. A refresh is a request: the next one waits for the answer.

use crate::configs;
use crate::documents::{Document, Documents};
use crate::features::{Workers, diagnostics};
use daemon::Daemon;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::Notify;
use tower_lsp::Client;
use tower_lsp::ls_types::{Diagnostic, Uri};

/// What is to be looked at.
#[derive(Debug, Default)]
struct Marks {
    edited: HashSet<Uri>,
    /// Every document, and the files that are not open.
    all: bool,
}

/// What has changed since it was last looked at.
#[derive(Debug, Default)]
pub(crate) struct Changes {
    marks: Mutex<Marks>,
    /// Something to publish.
    publish: Notify,
    /// Hints and lenses to be asked for again.
    refresh: Notify,
}

impl Changes {
    /// A document was edited.
    pub(crate) fn edited(&self, uri: &Uri) {
        self.mark(|marks| {
            marks.edited.insert(uri.clone());
        });
    }

    /// A document was opened or closed.
    pub(crate) fn opened(&self) {
        self.mark(|marks| marks.all = true);
    }

    /// Servers, their tools or their configuration changed: every document may look different.
    pub(crate) fn servers(&self) {
        self.mark(|marks| marks.all = true);
        self.refresh.notify_one();
    }

    /// A run of an open document has ended.
    pub(crate) fn ran(&self) {
        self.refresh.notify_one();
    }

    fn mark(&self, mark: impl FnOnce(&mut Marks)) {
        mark(&mut self.marks.lock().unwrap_or_else(PoisonError::into_inner));
        self.publish.notify_one();
    }

    fn take(&self) -> Marks {
        std::mem::take(&mut *self.marks.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Which requests for a refresh the client answers.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Refreshes {
    pub(crate) hints: bool,
    pub(crate) lenses: bool,
}

/// Asks the client to ask again, for as long as it answers.
pub(crate) async fn refresh(client: Client, changes: Arc<Changes>, can: Refreshes) {
    loop {
        changes.refresh.notified().await;
        if can.hints
            && let Err(e) = client.inlay_hint_refresh().await
        {
            tracing::debug!("hints were not refreshed: {e}");
        }
        if can.lenses
            && let Err(e) = client.code_lens_refresh().await
        {
            tracing::debug!("code lenses were not refreshed: {e}");
        }
    }
}

/// Publishes diagnostics.
#[derive(Debug)]
pub(crate) struct Publisher {
    pub(crate) client: Client,
    pub(crate) daemon: Daemon,
    pub(crate) documents: Arc<Documents>,
    pub(crate) changes: Arc<Changes>,
    pub(crate) workers: Workers,
}

/// What was last published: of open documents, and of other files with the URI that was used.
#[derive(Debug, Default)]
struct Known {
    open: HashMap<Uri, Vec<Diagnostic>>,
    files: BTreeMap<PathBuf, (Uri, Vec<Diagnostic>)>,
}

impl Publisher {
    /// Until it is aborted.
    pub(crate) async fn run(self) {
        let mut known = Known::default();
        loop {
            self.changes.publish.notified().await;
            let Marks { edited, all } = self.changes.take();
            let documents: Option<Vec<_>> = edited.iter().map(|uri| self.documents.get(uri)).collect();
            // One that was edited and is followed no longer has grown too large.
            if let Some(documents) = documents.filter(|_| !all) {
                for document in documents {
                    self.publish(document, true, &mut known).await;
                }
                continue;
            }
            // What is gone goes first: an editor may take two spellings of a URI for one file.
            let documents = self.documents.all();
            let files = self.clear(&documents, &mut known).await;
            for document in documents {
                let is_edited = edited.contains(document.uri());
                self.publish(document, is_edited, &mut known).await;
            }
            self.publish_files(files, &mut known).await;
        }
    }

    /// Takes back what was said of documents that are closed and of files that are mended or open. The other files now.
    async fn clear(&self, open: &[Arc<Document>], known: &mut Known) -> BTreeMap<PathBuf, Vec<Diagnostic>> {
        let (uris, paths): (HashSet<&Uri>, HashSet<_>) =
            open.iter().map(|document| (document.uri(), document.path())).unzip();
        let mut files = configs::elsewhere(&self.daemon);
        files.retain(|file, _| !paths.contains(&Some(file.clone())));
        let closed = known.open.extract_if(|uri, _| !uris.contains(uri)).map(|(uri, before)| (uri, before.is_empty()));
        let mut gone: Vec<(Uri, bool)> = closed.collect();
        known.files.retain(|file, (uri, before)| {
            let keep = files.contains_key(file);
            if !keep {
                gone.push((uri.clone(), before.is_empty()));
            }
            keep
        });
        for (uri, _) in gone.into_iter().filter(|(_, was_empty)| !was_empty) {
            self.client.publish_diagnostics(uri, Vec::new(), None).await;
        }
        files
    }

    /// One open document, unless it has changed before its problems were known.
    async fn publish(&self, document: Arc<Document>, is_edited: bool, known: &mut Known) {
        let (uri, version, daemon) = (document.uri().clone(), document.version(), self.daemon.clone());
        let Some(problems) = self.workers.run(move || diagnostics(&document, &daemon)).await else { return };
        let is_newest = self.documents.get(&uri).is_some_and(|newest| newest.version() == version);
        // An editor moves the marks along with an edit, so the same places after an edit are news too.
        let is_news = match known.open.get(&uri) {
            Some(before) => *before != problems || (is_edited && !problems.is_empty()),
            None => !problems.is_empty(),
        };
        if is_newest && is_news {
            self.client.publish_diagnostics(uri.clone(), problems.clone(), Some(version)).await;
            known.open.insert(uri, problems);
        }
    }

    /// The files that are not open, as the daemon read them.
    async fn publish_files(&self, files: BTreeMap<PathBuf, Vec<Diagnostic>>, known: &mut Known) {
        for (file, problems) in files {
            let Some(uri) = Uri::from_file_path(&file) else { continue };
            if known.files.get(&file).is_none_or(|(_, before)| *before != problems) {
                self.client.publish_diagnostics(uri.clone(), problems.clone(), None).await;
                known.files.insert(file, (uri, problems));
            }
        }
    }
}
