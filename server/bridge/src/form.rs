//! What a server asks, out of the protocol's types into ours: bounded, and without the server's secrets.

#![expect(deprecated, reason = "the newest protocol drops sampling; today's servers ask for it")]

use crate::redact::Redactor;
use model::PageId;
use model::ask::{Choice, ElicitRequest, Field, FieldKind, SampleMessage, SampleRequest, TextFormat};
use model::editor::EditorContent;
use rmcp::model::{
    ConstTitle, CreateMessageRequestParams, ElicitRequestParams, ElicitationSchema, EnumSchema, MultiSelectEnumSchema,
    PrimitiveSchemaDefinition, Role, SamplingMessageContentBlock, SingleSelectEnumSchema, StringFormat,
};
use std::borrow::Cow;

/// Bytes of a form, of a page's address, and of a prompt with its images.
const FORM_BYTES: usize = 64 << 10;
const URL_BYTES: usize = 8 << 10;
const PROMPT_BYTES: usize = 4 << 20;
/// Fields of a form, values of a field, and messages of a prompt.
const FIELDS_MAX: usize = 40;
const OPTIONS_MAX: usize = 200;
const MESSAGES_MAX: usize = 200;
/// Names of models, and texts at which an answer ends.
const HINTS_MAX: usize = 16;

/// What `elicitation/create` asks; an error says why it cannot be asked.
pub(crate) fn question(
    server: &str,
    params: ElicitRequestParams,
    redactor: &Redactor,
) -> Result<ElicitRequest, String> {
    let server = server.to_owned();
    match params {
        ElicitRequestParams::FormElicitationParams { message, requested_schema, .. } => {
            let size = serde_json::to_vec(&requested_schema).map_or(usize::MAX, |json| json.len());
            bounded("the form", size + message.len(), FORM_BYTES)?;
            let fields = fields(requested_schema, redactor)?;
            Ok(ElicitRequest::Form { server, message: redactor.clean(&message), fields })
        }
        ElicitRequestParams::UrlElicitationParams { message, url, .. } => {
            bounded("the message", message.len(), FORM_BYTES)?;
            let (url, message) = (page(&url)?.into(), redactor.clean(&message));
            Ok(ElicitRequest::Url { server, message, url, id: PageId::new(), awaited: false })
        }
        _ => Err("this kind of question is not known here".to_owned()),
    }
}

/// A page's address as it was parsed, so that what is shown of it and what is opened are the same.
pub(crate) fn page(url: &str) -> Result<reqwest::Url, String> {
    bounded("the page's address", url.len(), URL_BYTES)?;
    let parsed = reqwest::Url::parse(url).map_err(|e| format!("the page's address is no URL: {e}"))?;
    if !matches!(parsed.scheme(), "http" | "https") || !parsed.has_host() {
        return Err("the page is no web page: http and https are opened, nothing else".to_owned());
    }
    if !parsed.username().is_empty() || parsed.password().is_some() {
        return Err("the page's address has a user's name in it, which hides where it leads".to_owned());
    }
    Ok(parsed)
}

/// What `sampling/createMessage` asks, likewise.
pub(crate) fn prompt(
    server: &str,
    content_hash: &str,
    params: CreateMessageRequestParams,
    redactor: &Redactor,
) -> Result<SampleRequest, String> {
    if params.tools.is_some_and(|tools| !tools.is_empty()) {
        return Err("tools for the model are not offered: leave `tools` out".to_owned());
    }
    at_most("messages", params.messages.len(), MESSAGES_MAX)?;
    let mut bytes = params.system_prompt.as_ref().map_or(0, String::len);
    let mut messages = Vec::with_capacity(params.messages.len());
    for message in params.messages {
        let mut content = Vec::new();
        for block in message.content.into_vec() {
            let (block, size) = block_of(block, redactor)?;
            bytes = bytes.saturating_add(size);
            content.push(block);
        }
        messages.push(SampleMessage { assistant: message.role == Role::Assistant, content });
    }
    bounded("the prompt", bytes, PROMPT_BYTES)?;
    let hints = params.model_preferences.and_then(|preferences| preferences.hints).unwrap_or_default();
    let stop = params.stop_sequences.unwrap_or_default();
    at_most("stop sequences", stop.len(), HINTS_MAX)?;
    bounded("a stop sequence", stop.iter().map(String::len).max().unwrap_or(0), URL_BYTES)?;
    Ok(SampleRequest {
        server: server.to_owned(),
        content_hash: content_hash.to_owned(),
        messages,
        system: params.system_prompt.map(|text| redactor.clean(&text)),
        hints: hints.into_iter().filter_map(|hint| hint.name).take(HINTS_MAX).collect(),
        max_tokens: params.max_tokens,
        temperature: params.temperature,
        stop,
    })
}

fn block_of(block: SamplingMessageContentBlock, redactor: &Redactor) -> Result<(EditorContent, usize), String> {
    match block {
        SamplingMessageContentBlock::Text(text) => {
            Ok((EditorContent::Text { text: redactor.clean(&text.text) }, text.text.len()))
        }
        SamplingMessageContentBlock::Image(image) => {
            let size = image.data.len();
            Ok((EditorContent::Image { mime_type: image.mime_type, data: image.data }, size))
        }
        SamplingMessageContentBlock::Audio(_) => Err("the model is given text and images, no audio".to_owned()),
        _ => Err("the model is given text and images, no calls of tools".to_owned()),
    }
}

fn fields(mut schema: ElicitationSchema, redactor: &Redactor) -> Result<Vec<Field>, String> {
    at_most("fields", schema.properties.len(), FIELDS_MAX)?;
    let required = schema.required.unwrap_or_default();
    let order = schema.property_order.unwrap_or_else(|| schema.properties.keys().cloned().collect());
    let known = order.into_iter().filter_map(|name| Some((schema.properties.remove(&name)?, name)));
    known
        .map(|(definition, name)| {
            let (title, description, kind) = kind(definition)?;
            let clean = |text: Option<Cow<'_, str>>| text.map(|text| redactor.clean(&text));
            let required = required.contains(&name);
            Ok(Field { name, title: clean(title), description: clean(description), required, kind })
        })
        .collect()
}

type Text = Option<Cow<'static, str>>;

fn kind(definition: PrimitiveSchemaDefinition) -> Result<(Text, Text, FieldKind), String> {
    Ok(match definition {
        PrimitiveSchemaDefinition::Enum(choice) => return self::choice(choice),
        PrimitiveSchemaDefinition::String(s) => {
            let format = s.format.and_then(|format| match format {
                StringFormat::Email => Some(TextFormat::Email),
                StringFormat::Uri => Some(TextFormat::Uri),
                StringFormat::Date => Some(TextFormat::Date),
                StringFormat::DateTime => Some(TextFormat::DateTime),
                _ => None,
            });
            let kind = FieldKind::Text { format, least: s.min_length, most: s.max_length, default: s.default };
            (s.title, s.description, kind)
        }
        PrimitiveSchemaDefinition::Number(n) => {
            let kind = FieldKind::Number { whole: false, least: n.minimum, most: n.maximum, default: n.default };
            (n.title, n.description, kind)
        }
        PrimitiveSchemaDefinition::Integer(n) => {
            let float = |number: Option<i64>| number.map(rounded);
            let (least, most, default) = (float(n.minimum), float(n.maximum), float(n.default));
            (n.title, n.description, FieldKind::Number { whole: true, least, most, default })
        }
        PrimitiveSchemaDefinition::Boolean(b) => (b.title, b.description, FieldKind::Boolean { default: b.default }),
        _ => return Err("a field of this kind is not known here".to_owned()),
    })
}

#[expect(clippy::cast_precision_loss, reason = "beyond 53 bits a bound is near enough")]
fn rounded(number: i64) -> f64 {
    number as f64
}

fn choice(choice: EnumSchema) -> Result<(Text, Text, FieldKind), String> {
    let (title, description, kind) = match choice {
        EnumSchema::Single(SingleSelectEnumSchema::Untitled(s)) => {
            (s.title, s.description, FieldKind::Choice { options: plain(s.enum_), default: s.default })
        }
        EnumSchema::Single(SingleSelectEnumSchema::Titled(s)) => {
            (s.title, s.description, FieldKind::Choice { options: titled(s.one_of), default: s.default })
        }
        EnumSchema::Legacy(s) => {
            let names = s.enum_names.unwrap_or_default();
            let mut options = plain(s.enum_);
            options.iter_mut().zip(names).for_each(|(option, name)| option.title = name);
            (s.title, s.description, FieldKind::Choice { options, default: s.default })
        }
        EnumSchema::Multi(MultiSelectEnumSchema::Untitled(s)) => {
            let kind = choices(plain(s.items.enum_), s.min_items, s.max_items, s.default);
            (s.title, s.description, kind)
        }
        EnumSchema::Multi(MultiSelectEnumSchema::Titled(s)) => {
            let kind = choices(titled(s.items.any_of), s.min_items, s.max_items, s.default);
            (s.title, s.description, kind)
        }
        _ => return Err("a choice of this kind is not known here".to_owned()),
    };
    let (FieldKind::Choice { options, .. } | FieldKind::Choices { options, .. }) = &kind else {
        unreachable!("a choice is made of each above")
    };
    at_most("values of a field", options.len(), OPTIONS_MAX)?;
    Ok((title, description, kind))
}

fn choices(options: Vec<Choice>, least: Option<u64>, most: Option<u64>, default: Option<Vec<String>>) -> FieldKind {
    let count = |count: Option<u64>| count.map(|count| u32::try_from(count).unwrap_or(u32::MAX));
    FieldKind::Choices { options, least: count(least), most: count(most), default: default.unwrap_or_default() }
}

fn plain(values: Vec<String>) -> Vec<Choice> {
    values.into_iter().map(|value| Choice { title: value.clone(), value }).collect()
}

fn titled(values: Vec<ConstTitle>) -> Vec<Choice> {
    values.into_iter().map(|value| Choice { title: value.title, value: value.const_ }).collect()
}

fn bounded(what: &str, bytes: usize, most: usize) -> Result<(), String> {
    if bytes <= most { Ok(()) } else { Err(format!("{what} has {bytes} bytes; {most} are taken")) }
}

fn at_most(what: &str, count: usize, most: usize) -> Result<(), String> {
    if count <= most { Ok(()) } else { Err(format!("there are {count} {what}; {most} are taken")) }
}
