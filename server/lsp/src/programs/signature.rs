//! The signature of the tool that is being called, and the parameter that is being written.

use super::Program;
use super::hover::{parameter_doc, signature};
use daemon::{Parameter, Tool};
use syntax::{CallPlace, Context, Place};
use tower_lsp::ls_types::{
    Documentation, MarkupContent, MarkupKind, ParameterInformation, ParameterLabel, SignatureHelp, SignatureInformation,
};

pub(super) fn at(program: &Program<'_>, offset: usize) -> Option<SignatureHelp> {
    let Context::Call(place) = program.outline.context_at(offset) else { return None };
    program.tool(&place.server, &place.tool, |tool| {
        let parameters = tool.parameters(program.language());
        let is_object = place.in_braces || program.language() != model::Language::Python;
        let active = active(&place, &parameters);
        let information = information(tool, &place.tool, &parameters, is_object);
        SignatureHelp { signatures: vec![information], active_signature: Some(0), active_parameter: active }
    })
}

/// The parameter at the cursor. Where only a name is due, the next one that is not given.
fn active(place: &CallPlace, parameters: &[Parameter]) -> Option<u32> {
    let at = match &place.place {
        Place::Value { name, .. } | Place::Inside { name: Some(name) } => {
            parameters.iter().position(|p| p.name == *name)
        }
        Place::Name { .. } => parameters.iter().position(|p| !place.given.contains(&p.name)),
        Place::First { .. } => Some(0),
        Place::Inside { name: None } => None,
    };
    // One past the last marks none.
    u32::try_from(at.unwrap_or(parameters.len())).ok()
}

fn information(tool: &Tool, name: &str, parameters: &[Parameter], is_object: bool) -> SignatureInformation {
    let server = tool.path.split('.').next().unwrap_or_default();
    let mut label = format!("{server}.{name}({}", if is_object { "{ " } else { "" });
    let mut of = Vec::with_capacity(parameters.len());
    for (at, parameter) in parameters.iter().enumerate() {
        label += if at > 0 { ", " } else { "" };
        let start = units(&label);
        label += &signature(parameter);
        of.push(ParameterInformation {
            label: ParameterLabel::LabelOffsets([start, units(&label)]),
            documentation: Some(markdown(parameter_doc(parameter))),
        });
    }
    label += if is_object { " })" } else { ")" };
    let summary = (!tool.summary().is_empty()).then(|| Documentation::String(tool.summary().to_owned()));
    SignatureInformation { label, documentation: summary, parameters: Some(of), active_parameter: None }
}

pub(super) fn markdown(value: String) -> Documentation {
    Documentation::MarkupContent(MarkupContent { kind: MarkupKind::Markdown, value })
}

fn units(text: &str) -> u32 {
    u32::try_from(text.encode_utf16().count()).unwrap_or(u32::MAX)
}
