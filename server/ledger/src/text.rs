//! The wire names of enums, as the database has them: the same words in both places, from one source.

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
