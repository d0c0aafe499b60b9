//! `tta ledger export | import`: runs and calls out of the workspace's ledger, as lines on stdout, and into it from a file.

use crate::args::{Common, LedgerCommand, LedgerFormat};
use crate::failure::{Failure, Outcome};
use crate::output;
use crate::session::Session;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use model::ledger::{ExportFormat, Imported};
use model::{Reply, Request};
use std::io::Write as _;
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

/// Milliseconds of a day.
const DAY_MS: u64 = 86_400_000;

pub(crate) async fn ledger(command: LedgerCommand, common: &Common) -> Outcome {
    match command {
        LedgerCommand::Export { format, since } => export(format.into(), since.as_deref(), common).await,
        LedgerCommand::Import { file } => import(&file, common).await,
    }
}

async fn export(format: ExportFormat, since: Option<&str>, common: &Common) -> Outcome {
    let since_ms = since.map_or(Ok(0), |text| since_ms(text, now_ms()))?;
    Session::with(common, async |session| {
        let mut after = None;
        loop {
            let Reply::LedgerPart(part) = session.ask(Request::ExportLedger { format, since_ms, after }).await? else {
                return Err(Failure::fault("the daemon answered another question than the export"));
            };
            if std::io::stdout().write_all(part.text.as_bytes()).is_err() {
                // Whoever reads has read enough.
                return Ok(0);
            }
            after = part.next;
            if after.is_none() {
                return Ok(0);
            }
        }
    })
    .await
}

async fn import(file: &Path, common: &Common) -> Outcome {
    let file = std::path::absolute(file)
        .map_err(|e| Failure::usage(format!("{}: {e}", file.display()), "name a file of exported lines"))?;
    let imported = Session::with(common, async |session| match session.ask(Request::ImportLedger { file }).await? {
        Reply::Imported(imported) => Ok(imported),
        _ => Err(Failure::fault("the daemon answered another question than the import")),
    })
    .await?;
    if common.json {
        output::json(&imported);
        return Ok(0);
    }
    let Imported { runs, calls, skipped } = imported;
    output::out(&format!("{runs} runs and {calls} calls taken in, {skipped} lines were there already or are too old"));
    Ok(0)
}

/// A day, `YYYY-MM-DD` in UTC, or so many days ago, `30d`.
fn since_ms(text: &str, now_ms: u64) -> Result<u64, Failure> {
    if let Some(days) = text.strip_suffix('d').and_then(|days| days.parse::<u64>().ok()) {
        return Ok(now_ms.saturating_sub(days.saturating_mul(DAY_MS)));
    }
    let begin = text.parse::<Date>().and_then(|day| day.to_zoned(TimeZone::UTC));
    let begin = begin.map_err(|e| Failure::usage(format!("--since {text}: {e}"), "write 2026-01-31, or 30d"))?;
    Ok(u64::try_from(begin.timestamp().as_millisecond()).unwrap_or_default())
}

fn now_ms() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

impl From<LedgerFormat> for ExportFormat {
    fn from(format: LedgerFormat) -> Self {
        match format {
            LedgerFormat::Jsonl => Self::Jsonl,
            LedgerFormat::Csv => Self::Csv,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_begin_is_a_day_or_days_ago() {
        let read = |text| since_ms(text, 10 * DAY_MS).ok();
        assert_eq!(read("3d"), Some(7 * DAY_MS));
        assert_eq!(read("99999999999999d"), Some(0));
        assert_eq!(read("1970-01-03"), Some(2 * DAY_MS));
        assert_eq!(read("yesterday"), None);
        assert_eq!(read("2026-13-01"), None);
    }
}
