//! `tta dashboard`: the page that shows what was saved, for a browser on this machine, until a signal ends it.
//!
//! The address holds the key, so that it stands on stdout alone, and in no command line: a browser is given a private file
//! that leads there, as other users of this machine can read what a process was started with.

use crate::args::{Common, DashboardArgs};
use crate::failure::{Failure, Outcome};
use crate::output::{self, note};
use crate::serve::{auth, told_to_stop};
use crate::session::options;
use daemon::Daemon;
use mcp::HttpLimits;
use std::io::Write as _;
use std::process::{Command, Stdio};
use tempfile::NamedTempFile;

/// What opens a file as its owner's desktop wants.
const OPENER: &str = if cfg!(target_os = "macos") { "open" } else { "xdg-open" };

/// `tta dashboard`.
pub(crate) async fn dashboard(args: &DashboardArgs, common: &Common) -> Outcome {
    let auth = auth()?;
    let daemon = Daemon::start(options(common)).await?;
    let served = async {
        let server = mcp::serve_dashboard(daemon.clone(), args.http, auth, HttpLimits::default()).await?;
        let url = server.dashboard_url();
        if common.json {
            output::json(&serde_json::json!({ "url": url }));
        } else {
            output::out(&url);
        }
        note("the dashboard is at that address, until Ctrl-C", common.quiet || common.json);
        // Held as long as the browser may read it.
        let _page = if args.open { open(&url) } else { None };
        server.ended().await;
        Ok::<_, Failure>(())
    };
    let outcome = tokio::select! {
        served = served => served,
        () = told_to_stop() => Ok(()),
    };
    daemon.shutdown().await;
    outcome.map(|()| 0)
}

/// Has the desktop open a private file that leads to `url`. Where that cannot be, it is said, and the address still stands
/// on stdout.
fn open(url: &str) -> Option<NamedTempFile> {
    let opened = leading_to(url).and_then(|page| {
        let mut opener = Command::new(OPENER);
        opener.arg(page.path()).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn()?;
        Ok(page)
    });
    opened
        .inspect_err(|e| output::say(&format!("tta: no browser could be opened ({OPENER}: {e}): open the address")))
        .ok()
}

/// A file that only this user can read, and that a browser follows to `url`, an address without signs of markup.
fn leading_to(url: &str) -> std::io::Result<NamedTempFile> {
    let mut page = tempfile::Builder::new().prefix("tta-dashboard-").suffix(".html").tempfile()?;
    let text = format!("<!doctype html><meta charset=\"utf-8\"><meta http-equiv=\"refresh\" content=\"0;url={url}\">");
    page.write_all(text.as_bytes())?;
    page.flush()?;
    Ok(page)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(unix)]
    #[test]
    fn the_file_that_leads_to_the_page_is_this_users_alone() {
        use std::os::unix::fs::PermissionsExt as _;
        let page = leading_to("http://127.0.0.1:1/#token=t").expect("a file");
        let mode = page.as_file().metadata().expect("its metadata").permissions().mode();
        assert_eq!(mode & 0o077, 0, "{mode:o}");
        let text = std::fs::read_to_string(page.path()).expect("its text");
        assert!(text.contains("url=http://127.0.0.1:1/#token=t\""), "{text}");
    }
}
