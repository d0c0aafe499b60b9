//! The `[prices]` section: what a model's tokens cost, where it is not in the bundled table or another price holds.
//!
//! A workspace may set prices: they are shown beside their source, and nothing is decided by them. An entry without the two
//! prices that everything rests on is not used; one without those of the cache bills cached prompts as others.

use crate::keys;
use crate::report::Report;
use crate::tree::{Entry, Value};
use model::Severity;
use model::report::Price;

/// What a key of `[prices."MODEL"]` may be, and what it means.
pub(crate) const PRICE_KEYS: &[(&str, &str)] = &[
    ("input", "US dollars per million prompt tokens."),
    ("output", "US dollars per million tokens that the model writes."),
    ("cache_read", "US dollars per million prompt tokens read from the prompt cache; as `input` where absent."),
    ("cache_write", "US dollars per million prompt tokens written to the prompt cache; as `input` where absent."),
    ("context_tokens", "The model's context window in tokens."),
    ("date", "The day that the price was taken, YYYY-MM-DD."),
    ("source", "Where it was taken from."),
];

/// The most that a million tokens may cost.
const DOLLARS_MAX: f64 = 1_000_000.0;
/// Models with a price.
const PRICES_MAX: usize = 1_000;
/// Characters of a model's name, a date or a source.
const TEXT_CHARS_MAX: usize = 200;

/// Reads one model's price over those that are there.
pub(crate) fn read(model: &Entry, prices: &mut Vec<Price>, report: &mut Report<'_>) {
    let Some(entries) = model.node.entries() else {
        let message = format!("the price of `{}` is {}, not a table", model.key, model.node.kind());
        return report.error(model.node.at, message, "Write `input` and `output` in dollars per million tokens.");
    };
    let mut price = Price { model: model.key.clone(), source: "tta.toml".to_owned(), ..Price::default() };
    let (mut input, mut output, mut cache_read, mut cache_write) = (None, None, None, None);
    for entry in entries {
        match entry.key.as_str() {
            "input" => input = dollars(entry, report),
            "output" => output = dollars(entry, report),
            "cache_read" => cache_read = dollars(entry, report),
            "cache_write" => cache_write = dollars(entry, report),
            "context_tokens" => {
                let (least, most) = crate::settings::CONTEXT_TOKENS;
                price.context_tokens = crate::settings::whole_number(entry, least, most, report);
            }
            "date" => price.date = date(entry, report).unwrap_or_default(),
            "source" => price.source = text(entry, report).unwrap_or(price.source),
            _ => {
                let known = PRICE_KEYS.iter().map(|(name, _)| *name);
                keys::unknown(entry, "key of a price", known, Severity::Warning, report);
            }
        }
    }
    let (Some(input), Some(output)) = (input, output) else {
        let message = format!("the price of `{}` lacks `input` or `output`, and is not used", model.key);
        return report.error(model.key_at, message, "Write both, in dollars per million tokens.");
    };
    (price.input, price.output) = (input, output);
    (price.cache_read, price.cache_write) = (cache_read.unwrap_or(input), cache_write.unwrap_or(input));
    if model.key.is_empty() || model.key.chars().count() > TEXT_CHARS_MAX {
        return report.error(
            model.key_at,
            "a model's name has 1 to 200 characters",
            "Write the provider's name of it.",
        );
    }
    prices.retain(|known| known.model != price.model);
    if prices.len() >= PRICES_MAX {
        return report.error(model.key_at, format!("there are more than {PRICES_MAX} prices"), "Remove some.");
    }
    prices.push(price);
}

fn dollars(entry: &Entry, report: &mut Report<'_>) -> Option<f64> {
    let value = match &entry.node.value {
        Value::Number(text) => text.replace('_', "").parse::<f64>().ok(),
        _ => None,
    };
    let value = value.filter(|value| (0.0..=DOLLARS_MAX).contains(value));
    if value.is_none() {
        let message = format!("`{}` must be a number of dollars per million tokens, from 0 to 1000000", entry.key);
        report.error(entry.node.at, message, "Write it as 2.5.");
    }
    value
}

/// A text of bounded length; a date of TOML is one too.
pub(crate) fn text(entry: &Entry, report: &mut Report<'_>) -> Option<String> {
    let text = match &entry.node.value {
        Value::Text(text) if !text.is_empty() && text.chars().count() <= TEXT_CHARS_MAX => Some(text.clone()),
        _ => None,
    };
    if text.is_none() {
        let message = format!("`{}` must be a text of 1 to {TEXT_CHARS_MAX} characters", entry.key);
        report.error(entry.node.at, message, "Write it in quotes.");
    }
    text
}

fn date(entry: &Entry, report: &mut Report<'_>) -> Option<String> {
    let is_date = |text: &String| {
        text.len() == 10
            && text.bytes().enumerate().all(|(at, b)| if at == 4 || at == 7 { b == b'-' } else { b.is_ascii_digit() })
    };
    let date = match &entry.node.value {
        Value::Text(text) => Some(text.clone()).filter(is_date),
        _ => None,
    };
    if date.is_none() {
        report.error(entry.node.at, "`date` must be a day", "Write it as \"2026-11-28\".");
    }
    date
}
