//! Taking servers over from other tools' files. The written file is noticed like any other change of it.

use crate::core::Core;
use crate::error::Error;
use model::Reply;
use model::import::ImportRequest;
use std::sync::Arc;

/// Does what is asked, or says what it would do.
pub(crate) async fn servers(core: Arc<Core>, request: ImportRequest) -> Result<Reply, Error> {
    let work = move || core.paths.with_sources(&core.options, |sources| config::import(&request, sources));
    let imported = tokio::task::spawn_blocking(work).await.map_err(|e| Error::Fault(e.to_string()))?;
    imported.map(|reply| Reply::Import(Box::new(reply))).map_err(|e| Error::Usage(e.to_string()))
}
