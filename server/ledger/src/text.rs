//! The wire names of enums, as the database has them: the same words in both places, from one source. Numbers for people.

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

/// The wire name of a unit variant.
pub(crate) fn name_of(value: &impl Serialize) -> String {
    match serde_json::to_value(value) {
        Ok(Value::String(name)) => name,
        other => unreachable!("a unit variant serialises to its name, not to {other:?}"),
    }
}

/// The variant of a wire name; `None` where this program knows no such variant.
pub(crate) fn named<T: DeserializeOwned>(name: String) -> Option<T> {
    serde_json::from_value(Value::String(name)).ok()
}

/// 1234567 as 1,234,567.
pub(crate) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// A number with its noun.
pub(crate) fn plural(number: u64, one: &str, many: &str) -> String {
    format!("{} {}", grouped(number), if number == 1 { one } else { many })
}

/// The day of a time in UTC, `YYYY-MM-DD`.
pub(crate) fn day(at_ms: u64) -> String {
    time(at_ms).strftime("%Y-%m-%d").to_string()
}

/// A time in UTC, `YYYY-MM-DD HH:MM`.
pub(crate) fn minute(at_ms: u64) -> String {
    time(at_ms).strftime("%Y-%m-%d %H:%M").to_string()
}

fn time(at_ms: u64) -> jiff::Timestamp {
    i64::try_from(at_ms).ok().and_then(|ms| jiff::Timestamp::from_millisecond(ms).ok()).unwrap_or(jiff::Timestamp::MAX)
}
