//! The `[ledger]` section of `tta.toml`: how savings are counted, under which tags, and how long they are kept.
//!
//! A bad value is a problem with its place and the default stays. `TTA_TAGS` adds tags and outranks the file's.

use crate::report::Report;
use crate::settings::{CONTEXT_TOKENS, HOST_RESULT_CAP_TOKENS, whole_number};
use crate::tree::{Entry, Value};
use crate::{keys, prices};
use model::Severity;
use model::report::Price;
use std::collections::BTreeMap;
use std::sync::Arc;

/// The ranges of `keep_days` and `keep_mb`.
pub(crate) const KEEP_DAYS: (u64, u64) = (1, 36_500);
pub(crate) const KEEP_MB: (u64, u64) = (16, 1_000_000);
/// The encodings that can be counted in.
pub(crate) const ENCODINGS: &[&str] = &["o200k_base", "cl100k_base"];
/// Tags at most, and the longest key with its value, in characters.
const TAGS_MAX: usize = 8;
const TAG_CHARS: usize = 100;
/// The variable that adds tags: `key=value,key=value`.
pub(crate) const TAGS_VARIABLE: &str = "TTA_TAGS";

const KEYS: &[&str] =
    &["host_result_cap_tokens", "tags", "keep_days", "keep_mb", "encoding", "context_tokens", "model"];

/// The `[ledger]` section.
#[derive(Clone, Debug, PartialEq)]
pub struct LedgerSettings {
    /// Tokens after which a host cuts a tool's result.
    pub host_result_cap_tokens: u64,
    /// What every run is filed under, as `key=value`, in order of the keys.
    pub tags: Arc<[String]>,
    /// Days for which runs and calls are kept; sums stay.
    pub keep_days: u64,
    /// MiB that the database may have before the oldest runs and calls go; the newest 1,000 stay.
    pub keep_mb: u64,
    /// The encoding to count in; the model's, where absent.
    pub encoding: Option<String>,
    /// The context window in tokens that both sides are counted with; where absent, the usual one, or the model's if that
    /// is known to be smaller.
    pub context_tokens: Option<u64>,
    /// The model that writes the programs: its prices and its encoding; the ledger's default where absent.
    pub model: Option<String>,
    /// The `[prices]` section: prices that are not bundled, or in place of bundled ones.
    pub prices: Vec<Price>,
}

impl Default for LedgerSettings {
    fn default() -> Self {
        Self {
            host_result_cap_tokens: 25_000,
            tags: [].into(),
            keep_days: 365,
            keep_mb: 1_024,
            encoding: None,
            context_tokens: None,
            model: None,
            prices: Vec::new(),
        }
    }
}

/// Reads one key.
pub(crate) fn key(entry: &Entry, ledger: &mut LedgerSettings, report: &mut Report<'_>) {
    let mut number = |(least, most), value: &mut u64| {
        *value = whole_number(entry, least, most, report).unwrap_or(*value);
    };
    match entry.key.as_str() {
        "host_result_cap_tokens" => number(HOST_RESULT_CAP_TOKENS, &mut ledger.host_result_cap_tokens),
        "keep_days" => number(KEEP_DAYS, &mut ledger.keep_days),
        "keep_mb" => number(KEEP_MB, &mut ledger.keep_mb),
        "tags" => ledger.tags = tags(entry, report),
        "encoding" => match &entry.node.value {
            Value::Text(name) if ENCODINGS.contains(&name.as_str()) => ledger.encoding = Some(name.clone()),
            _ => {
                let message = format!("`encoding` must be one of {}", ENCODINGS.join(", "));
                report.error(entry.node.at, message, "The model's is used until it is mended.");
            }
        },
        "context_tokens" => {
            let (least, most) = CONTEXT_TOKENS;
            ledger.context_tokens = whole_number(entry, least, most, report).or(ledger.context_tokens);
        }
        "model" => ledger.model = prices::text(entry, report).or_else(|| ledger.model.take()),
        _ => keys::unknown(entry, "setting", KEYS.iter().copied(), Severity::Warning, report),
    }
}

fn tags(entry: &Entry, report: &mut Report<'_>) -> Arc<[String]> {
    let Some(entries) = entry.node.entries() else {
        report.error(entry.node.at, "`tags` must be a table of texts", "Write it as { person = \"…\" }.");
        return [].into();
    };
    let mut tags = BTreeMap::new();
    for entry in entries {
        match entry.node.scalar().ok_or("is no text").and_then(|value| tag(&entry.key, &value)) {
            Ok(_) if tags.len() == TAGS_MAX => {
                report.error(entry.key_at, format!("there are more than {TAGS_MAX} tags"), "Remove some.");
                break;
            }
            Ok(tag) => drop(tags.insert(entry.key.clone(), tag)),
            Err(why) => {
                let message = format!("the tag `{}` {why}", entry.key);
                report.error(entry.node.at, message, "It is left out until it is mended.");
            }
        }
    }
    tags.into_values().collect()
}

fn tag(key: &str, value: &str) -> Result<String, &'static str> {
    let tag = format!("{key}={value}");
    if key.is_empty() || key.contains('=') {
        Err("needs a key without `=`")
    } else if value.is_empty() {
        Err("has no value")
    } else if tag.chars().any(char::is_control) {
        Err("has a control character")
    } else if tag.chars().count() > TAG_CHARS {
        Err("is longer than 100 characters")
    } else {
        Ok(tag)
    }
}

/// Adds the variable's tags to the file's, key by key. What is wrong with one leaves that one out, and is returned.
pub(crate) fn add_variable(text: &str, ledger: &mut LedgerSettings) -> Vec<String> {
    let key = |tag: &str| tag.split('=').next().unwrap_or_default().to_owned();
    let mut tags: BTreeMap<String, String> = ledger.tags.iter().map(|tag| (key(tag), tag.clone())).collect();
    let mut wrong = Vec::new();
    for part in text.split(',').map(str::trim).filter(|part| !part.is_empty()) {
        let (key, value) = part.split_once('=').unwrap_or((part, ""));
        match tag(key.trim(), value.trim()) {
            Ok(_) if tags.len() >= TAGS_MAX && !tags.contains_key(key.trim()) => {
                wrong.push(format!("`{key}` is more than {TAGS_MAX} tags"));
            }
            Ok(tag) => drop(tags.insert(key.trim().to_owned(), tag)),
            Err(why) => wrong.push(format!("the tag `{key}` {why}")),
        }
    }
    ledger.tags = tags.into_values().collect();
    wrong
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_variable_adds_tags_and_outranks_the_files() {
        let tags = ["person=a".to_owned(), "team=x".to_owned()].into();
        let mut ledger = LedgerSettings { tags, ..LedgerSettings::default() };
        let wrong = add_variable("person=b, project = p ,,lonely,=v", &mut ledger);
        assert_eq!(*ledger.tags, ["person=b", "project=p", "team=x"].map(str::to_owned));
        assert_eq!(wrong, ["the tag `lonely` has no value", "the tag `` needs a key without `=`"]);
        let many: Vec<String> = (0..20).map(|n| format!("k{n}=v")).collect();
        assert_eq!(add_variable(&many.join(","), &mut ledger).len(), 15);
        assert_eq!(ledger.tags.len(), TAGS_MAX);
    }
}
