//! Reports over the ledger and explanations of runs, at the prices that the configuration names.
//!
//! The ledger knows neither the workspace's name nor which model is meant; both are filled in here. A page gets its data: the
//! report, and where it is not to be handed on, the calls and the explanations of the runs that it lists first.

use crate::core::Core;
use crate::direct;
use crate::error::Error;
use crate::run;
use crate::snapshot::Snapshot;
use model::explain::{ExplainRequest, Explanation};
use model::render::{RenderRequest, ReportFormat};
use model::report::{AdviceKind, ConversationReport, Price, ReportRequest, SavingsReport};
use model::{ConversationId, TokenReport};
use serde_json::{Map, json};

/// Runs whose calls and explanations go into a page.
const RUNS_IN_PAGE: usize = 50;

/// What a period cost and saved, under the workspace's name and at a model's prices.
pub(crate) async fn savings(core: &Core, snapshot: &Snapshot, request: ReportRequest) -> Result<SavingsReport, Error> {
    let price = price(snapshot, request.model.as_deref())?;
    let configured = snapshot.servers.iter().filter(|e| !e.spec.disabled).map(|e| e.spec.name.clone()).collect();
    let mut report = core.ledger.report(request, configured).await.map_err(refused)?;
    let name = core.paths.workspace.file_name().unwrap_or_default();
    report.workspace = name.to_string_lossy().into_owned();
    for totals in std::iter::once(&mut report.total).chain(&mut report.before) {
        totals.dollars = Some(ledger::dollars(&totals.tokens, &price));
    }
    let prices = ledger::prices(&snapshot.config.ledger.prices, run::now_ms());
    report.models = prices.into_iter().map(|price| price.model).collect();
    advise(snapshot, &mut report);
    Ok(report)
}

/// Says of the tools that are better called directly what offers them so, where that pays; those that are offered already need
/// no advice.
fn advise(snapshot: &Snapshot, report: &mut SavingsReport) {
    report.advice.retain_mut(|advice| {
        let (AdviceKind::CallDirectly, Some(server), Some(tool)) = (advice.kind, &advice.server, &advice.tool) else {
            return true;
        };
        if advice.cost_tokens.is_none_or(|cost| cost < advice.tokens) {
            advice.setting = direct::setting(&snapshot.config.direct_tools, server, tool);
        }
        !snapshot.direct.has(server, tool)
    });
}

/// A report as a text or a file; as the data of a page, where that is asked for.
pub(crate) async fn render(core: &Core, snapshot: &Snapshot, request: RenderRequest) -> Result<String, Error> {
    let report = savings(core, snapshot, request.report.clone()).await?;
    let report = if request.share { ledger::shared(report, request.by) } else { report };
    if request.format == ReportFormat::Html {
        return page_data(core, snapshot, &report).await;
    }
    Ok(ledger::render(&report, &request))
}

async fn page_data(core: &Core, snapshot: &Snapshot, report: &SavingsReport) -> Result<String, Error> {
    let (mut calls, mut explained) = (Map::new(), Map::new());
    for run in report.runs.iter().filter(|run| run.tokens.is_some()).take(RUNS_IN_PAGE) {
        let (id, model) = (run.run_id.clone(), report.request.model.clone());
        calls.insert(id.to_string(), json!(core.ledger.run_calls(&id).await.map_err(refused)?));
        let asked = ExplainRequest { run_id: Some(id.clone()), model };
        explained.insert(id.to_string(), json!(explain(core, snapshot, &asked).await?));
    }
    Ok(json!({"report": report, "calls": calls, "explained": explained}).to_string())
}

/// What a conversation cost as one context, at the configured model's prices.
pub(crate) async fn conversation(
    core: &Core,
    snapshot: &Snapshot,
    conversation: &ConversationId,
) -> Result<ConversationReport, Error> {
    let price = price(snapshot, None)?;
    let mut report = core.ledger.conversation(conversation).await.map_err(refused)?;
    let at_once = TokenReport { direct: report.at_once.clone(), ..report.tokens.clone() };
    report.dollars = Some(ledger::dollars(&report.tokens, &price));
    report.dollars_at_once = Some(ledger::dollars(&at_once, &price));
    Ok(report)
}

/// How one run's figures came about.
pub(crate) async fn explain(core: &Core, snapshot: &Snapshot, request: &ExplainRequest) -> Result<Explanation, Error> {
    let price = price(snapshot, request.model.as_deref())?;
    let explained = core.ledger.explain(request.run_id.as_ref(), &price).await.map_err(refused)?;
    explained.ok_or_else(|| {
        Error::Usage(match &request.run_id {
            Some(run) => format!("there is no counted run {run}; `tta report` lists the last ones"),
            None => "nothing has been run here yet: there is nothing to explain".to_owned(),
        })
    })
}

/// The price of the model that was asked for, else of the configured one.
fn price(snapshot: &Snapshot, model: Option<&str>) -> Result<Price, Error> {
    let settings = &snapshot.config.ledger;
    let model = model.or(settings.model.as_deref());
    ledger::price(model, &settings.prices, run::now_ms()).map_err(Error::Usage)
}

/// What is wrong with what was asked is the asker's to mend.
pub(crate) fn refused(error: ledger::Error) -> Error {
    match error {
        ledger::Error::Request(_)
        | ledger::Error::File { .. }
        | ledger::Error::Line { .. }
        | ledger::Error::Changed { .. } => Error::Usage(error.to_string()),
        other => Error::Fault(other.to_string()),
    }
}
