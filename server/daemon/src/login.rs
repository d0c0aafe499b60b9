//! Logins to remote servers: whom to show the page, and where the tokens go.
//!
//! Invariants: only what uses a server shows a page, never what merely looks at it; the run stands still meanwhile; a call
//! that was refused for want of a login had no effect, and so is made once more after it. Left out on purpose: the login
//! itself, which is the bridge's.

use crate::admit::Use;
use crate::call::bounded;
use crate::core::Core;
use crate::editor::Editor;
use bridge::{Error, Keeper, LoginPage};
use engine::RunClock;
use futures::FutureExt as _;
use futures::future::BoxFuture;
use model::editor::OpenUrlRequest;
use model::{Secret, ServerSpec};
use std::sync::Arc;

/// Bytes of the editor's words that are quoted.
const CAUSE_BYTES: usize = 256;

/// Has a person log in because of `refused`; that is the error where there is nobody to show the page.
pub(crate) async fn after(core: &Core, spec: &ServerSpec, used: Use<'_>, refused: &Error) -> Result<(), Error> {
    let asker = used.asker.cloned();
    let editor = core.options.editor.clone();
    if asker.is_none() && editor.is_none() {
        return Err(refused.clone());
    }
    let _pause = used.clock.map(RunClock::pause);
    let show = |page: LoginPage| async move {
        let page = OpenUrlRequest { server: page.server, url: page.url, redirect: page.redirect };
        let shown = match &asker {
            Some(asker) => asker.open_url(page.clone()).await,
            None => Err(String::new()),
        };
        match (shown, editor) {
            (Err(_), Some(editor)) => editor.open_url(page).await,
            (shown, _) => shown,
        }
        .map_err(|why| bounded(&why, CAUSE_BYTES).to_owned())
    };
    core.bridge.login(&spec.name, used.by_hand, Box::new(|page| show(page).boxed())).await
}

/// The editor's own store of secrets.
#[derive(Debug)]
pub(crate) struct EditorKeeper(pub(crate) Arc<dyn Editor>);

impl Keeper for EditorKeeper {
    fn get(&self, key: String) -> BoxFuture<'static, Result<Option<Secret>, String>> {
        self.0.kept(key)
    }

    fn set(&self, key: String, value: Option<Secret>) -> BoxFuture<'static, Result<(), String>> {
        self.0.keep(key, value)
    }
}
