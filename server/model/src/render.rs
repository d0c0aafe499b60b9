//! A report as a text or a file.

use crate::report::ReportRequest;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// What to report on, and as what.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(deny_unknown_fields, default)]
pub struct RenderRequest {
    /// The period and its narrowing.
    pub report: ReportRequest,
    /// The format.
    pub format: ReportFormat,
    /// The one list of groups that is wanted; servers, tools and languages where absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub by: Option<ReportBy>,
    /// To hand on: without any program's name, run, tool or advice; names of servers, tools or tags only where `by` asks for
    /// them.
    pub share: bool,
}

/// The formats of a report.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "lowercase")]
pub enum ReportFormat {
    /// For a terminal.
    #[default]
    Text,
    /// Markdown.
    Md,
    /// The data of the page that the fronts have, as JSON: its `report`, and where it is not to be handed on the `calls` and the
    /// explanation (`explained`) of the runs that it lists first.
    Html,
    /// A line a run, or a group where `by` asks for them, or a step in time where it is to be handed on.
    Csv,
    /// The report itself.
    Json,
}

/// What runs or calls are grouped by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "lowercase")]
pub enum ReportBy {
    /// Calls by server.
    Server,
    /// Calls by tool.
    Tool,
    /// Runs by language.
    Language,
    /// Runs by front.
    Front,
    /// Runs by tag.
    Tag,
}
