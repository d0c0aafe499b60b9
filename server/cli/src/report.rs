//! `tta report` and `tta explain`: what a period's programs saved, and how one run's figures came about. The daemon writes
//! both; here are the periods in people's words, and where a report goes.

use crate::args::{ByArg, Common, ExplainArgs, FormatArg, ReportArgs};
use crate::failure::{Failure, Outcome};
use crate::output::{self, for_stdout};
use crate::session::Session;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use jiff::{Span, Timestamp};
use model::explain::ExplainRequest;
use model::render::{RenderRequest, ReportBy, ReportFormat};
use model::report::{ReportFilter, ReportRequest};
use model::{Reply, Request, RunId, RunStatus};
use std::path::Path;

/// Runs in a spreadsheet where no number is given: as many as a report lists at most.
const CSV_RUNS: u32 = 1_000;

/// `tta report`.
pub(crate) async fn report(args: &ReportArgs, common: &Common) -> Outcome {
    let request = request(args, common.json, Timestamp::now())?;
    let is_page = request.format == ReportFormat::Html;
    let text = Session::with(common, async |session| match session.ask(Request::RenderReport(request)).await? {
        Reply::Rendered(text) => Ok(text),
        _ => Err(Failure::fault("the daemon answered another question than for the report")),
    })
    .await?;
    let text = if is_page { mcp::report_page(&text) } else { text };
    match &args.output {
        Some(file) => {
            std::fs::write(file, &text).map_err(|e| {
                Failure::usage(
                    format!("{} cannot be written: {e}", file.display()),
                    "name a file in a folder that is there",
                )
            })?;
            output::note(&format!("wrote {}", file.display()), common.quiet);
        }
        None => output::out(&for_stdout(text.trim_end())),
    }
    Ok(0)
}

/// `tta explain`.
pub(crate) async fn explain(args: ExplainArgs, common: &Common) -> Outcome {
    let request = ExplainRequest { run_id: args.run.as_deref().map(RunId::from), model: args.model };
    let explanation = Session::with(common, async |session| match session.ask(Request::Explain(request)).await? {
        Reply::Explain(explanation) => Ok(explanation),
        _ => Err(Failure::fault("the daemon answered another question than for the explanation")),
    })
    .await?;
    if common.json {
        output::json(&explanation);
    } else {
        output::out(&for_stdout(explanation.text.trim_end()));
    }
    Ok(0)
}

/// What the command line asks for.
fn request(args: &ReportArgs, json: bool, now: Timestamp) -> Result<RenderRequest, Failure> {
    let format = match (args.format, json) {
        (Some(format), false) => format.into(),
        (Some(FormatArg::Json) | None, true) => ReportFormat::Json,
        (Some(_), true) => return Err(Failure::usage("--json and --format name two formats", "leave one of them out")),
        (None, false) => args.output.as_deref().map_or(Ok(ReportFormat::Text), of_ending)?,
    };
    let moment = |option, text: &Option<String>| text.as_deref().map(|text| moment(option, text, now)).transpose();
    let (since_ms, until_ms) = (moment("--since", &args.since)?, moment("--until", &args.until)?);
    let lists_runs = format == ReportFormat::Csv && args.by.is_none();
    let report = ReportRequest {
        since_ms,
        until_ms,
        compare: args.compare,
        only: only(&args.only)?,
        model: args.model.clone(),
        top: args.top.or(lists_runs.then_some(CSV_RUNS)),
    };
    Ok(RenderRequest { report, format, by: args.by.map(Into::into), share: args.share })
}

/// The format that a file's ending names.
fn of_ending(file: &Path) -> Result<ReportFormat, Failure> {
    match file.extension().and_then(|ending| ending.to_str()).map(str::to_ascii_lowercase).as_deref() {
        Some("txt") => Ok(ReportFormat::Text),
        Some("md" | "markdown") => Ok(ReportFormat::Md),
        Some("html" | "htm") => Ok(ReportFormat::Html),
        Some("csv") => Ok(ReportFormat::Csv),
        Some("json") => Ok(ReportFormat::Json),
        _ => Err(Failure::usage(
            format!("the ending of {} names no format", file.display()),
            "end it in .txt, .md, .html, .csv or .json, or say --format",
        )),
    }
}

/// A moment in milliseconds since 1970: so long ago, or a day or a time, in UTC where it names no zone.
fn moment(option: &str, text: &str, now: Timestamp) -> Result<u64, Failure> {
    let at = |time: DateTime| time.to_zoned(TimeZone::UTC).map(|zoned| zoned.timestamp());
    let ago = |span: Span| now.to_zoned(TimeZone::UTC).checked_sub(span.abs()).map(|zoned| zoned.timestamp());
    let found = if let Ok(time) = text.parse::<Timestamp>() {
        Ok(time)
    } else if let Ok(time) = text.parse::<DateTime>() {
        at(time)
    } else {
        text.parse::<Span>().and_then(ago)
    };
    let milliseconds = found.ok().and_then(|time| u64::try_from(time.as_millisecond()).ok());
    milliseconds.ok_or_else(|| {
        let hint = "write how long ago (7d, 12h, 2w, 1mo) or when (2026-11-28, 2026-11-28T14:00, both in UTC)";
        Failure::usage(format!("{option} {text:?} is no moment"), hint)
    })
}

/// `server=fs`, `tool=read`, `language=python`, `status=ok`; any other word is a tag.
fn only(pairs: &[String]) -> Result<ReportFilter, Failure> {
    let mut only = ReportFilter::default();
    for pair in pairs {
        let Some((what, value)) = pair.split_once('=').filter(|(what, value)| !what.is_empty() && !value.is_empty())
        else {
            let hint = "write server=NAME, tool=NAME, language=NAME, status=NAME, or KEY=VALUE of a tag";
            return Err(Failure::usage(format!("--only {pair:?} says nothing to keep to"), hint));
        };
        let value = value.to_owned();
        match what {
            "server" => only.server = Some(value),
            "tool" => only.tool = Some(value),
            "language" => only.language = Some(value),
            "front" => only.front = Some(value),
            "status" => only.status = Some(status(&value)?),
            _ if only.tag.is_some() => {
                return Err(Failure::usage("--only takes one tag", "leave out one, or compare two reports"));
            }
            _ => only.tag = Some(pair.clone()),
        }
    }
    Ok(only)
}

fn status(name: &str) -> Result<RunStatus, Failure> {
    const ALL: [RunStatus; 6] =
        [RunStatus::Ok, RunStatus::Error, RunStatus::Limit, RunStatus::Denied, RunStatus::Cancelled, RunStatus::Fault];
    let known = ALL.into_iter().find(|status| status.as_str() == name);
    let names = || ALL.map(RunStatus::as_str).join(", ");
    known.ok_or_else(|| {
        Failure::usage(format!("no run ends with the status {name:?}"), format!("it is one of {}", names()))
    })
}

impl From<FormatArg> for ReportFormat {
    fn from(format: FormatArg) -> Self {
        match format {
            FormatArg::Text => Self::Text,
            FormatArg::Md => Self::Md,
            FormatArg::Html => Self::Html,
            FormatArg::Csv => Self::Csv,
            FormatArg::Json => Self::Json,
        }
    }
}

impl From<ByArg> for ReportBy {
    fn from(by: ByArg) -> Self {
        match by {
            ByArg::Server => Self::Server,
            ByArg::Tool => Self::Tool,
            ByArg::Language => Self::Language,
            ByArg::Front => Self::Front,
            ByArg::Tag => Self::Tag,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 2026-11-28 12:00 UTC.
    const NOON: i64 = 1_795_867_200_000;

    fn at(text: &str) -> Option<u64> {
        moment("--since", text, Timestamp::from_millisecond(NOON).expect("in range")).ok()
    }

    #[test]
    fn moments_are_how_long_ago_or_when() {
        let (noon, hour) = (NOON.cast_unsigned(), 3_600_000);
        for (text, expected) in [
            ("7d", Some(noon - 7 * 24 * hour)),
            ("12h", Some(noon - 12 * hour)),
            ("2w", Some(noon - 14 * 24 * hour)),
            // From the 28th of November to the 28th of October: 31 days.
            ("1mo", Some(noon - 31 * 24 * hour)),
            ("-7d", Some(noon - 7 * 24 * hour)),
            ("2026-11-28", Some(noon - 12 * hour)),
            ("2026-11-28T14:00", Some(noon + 2 * hour)),
            ("2026-11-28T14:00:00+02:00", Some(noon)),
            ("yesterday", None),
            ("7", None),
            ("", None),
            ("2026-13-01", None),
            ("99999y", None),
            ("1960-01-01", None),
        ] {
            assert_eq!(at(text), expected, "{text}");
        }
    }

    #[test]
    fn what_is_kept_to_is_read_or_refused() {
        let of = |pairs: &[&str]| only(&pairs.iter().map(|&pair| pair.to_owned()).collect::<Vec<_>>());
        let read = of(&["server=fs", "tool=read", "status=limit", "team=web=1"]).expect("all are known");
        assert_eq!(
            (read.server.as_deref(), read.status, read.tag.as_deref()),
            (Some("fs"), Some(RunStatus::Limit), Some("team=web=1"))
        );
        for wrong in [&["server"][..], &["=x"], &["tool="], &["status=fine"], &["a=1", "b=2"]] {
            assert!(of(wrong).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn the_format_is_said_or_the_ending_of_the_file() {
        let of = |format, output: Option<&str>, json| {
            let args = ReportArgs { format, output: output.map(Into::into), ..ReportArgs::default() };
            request(&args, json, Timestamp::UNIX_EPOCH).map(|request| (request.format, request.report.top))
        };
        let format = |of: Result<(ReportFormat, Option<u32>), Failure>| of.map(|(format, _)| format).ok();
        assert_eq!(format(of(None, None, false)), Some(ReportFormat::Text));
        assert_eq!(format(of(None, Some("a/week.MD"), false)), Some(ReportFormat::Md));
        assert_eq!(format(of(Some(FormatArg::Md), Some("week.txt"), false)), Some(ReportFormat::Md));
        assert_eq!(format(of(None, None, true)), Some(ReportFormat::Json));
        assert_eq!(of(None, Some("runs.csv"), false).ok(), Some((ReportFormat::Csv, Some(CSV_RUNS))));
        assert_eq!(format(of(None, Some("week.pdf"), false)), None);
        assert_eq!(format(of(Some(FormatArg::Md), None, true)), None);
    }
}
