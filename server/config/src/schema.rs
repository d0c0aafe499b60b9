//! JSON Schema of `tta.toml`, for editors: made from the same tables that the reader uses.

use crate::LedgerSettings;
use crate::direct::DIRECT_MAX;
use crate::ledger::{ENCODINGS, KEEP_DAYS, KEEP_MB};
use crate::prices::PRICE_KEYS;
use crate::settings::{CONTEXT_TOKENS, HOST_RESULT_CAP_TOKENS, LIMITS, POLL_MS, SERVER_KEYS, SERVER_LIMITS};
use crate::telemetry::TELEMETRY_KEYS;
use model::{Limits, ServerLimits};
use serde_json::{Map, Value, json};

/// The schema of a whole `tta.toml`; `properties.servers` is that of the servers in every other file too.
#[expect(clippy::too_many_lines, reason = "it is one document")]
pub fn schema() -> Value {
    let (least, most) = HOST_RESULT_CAP_TOKENS;
    let ledger = LedgerSettings::default();
    json!({
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": "tta.toml",
        "type": "object",
        "properties": {
            "limits": {
                "type": "object",
                "description": "What one run may use.",
                "additionalProperties": false,
                "properties": limits(),
            },
            "ledger": {
                "type": "object",
                "description": "How savings are counted.",
                "additionalProperties": false,
                "properties": {
                    "host_result_cap_tokens": number(
                        "Tokens after which a host cuts a tool's result.", least, most, ledger.host_result_cap_tokens,
                    ),
                    "tags": {
                        "type": "object",
                        "description": "What every run is filed under, such as person, project and team.",
                        "maxProperties": 8,
                        "additionalProperties": {"type": "string", "minLength": 1, "maxLength": 98},
                    },
                    "keep_days": number(
                        "Days for which runs and calls are kept; sums stay.", KEEP_DAYS.0, KEEP_DAYS.1, ledger.keep_days,
                    ),
                    "keep_mb": number(
                        "MiB of the database after which the oldest runs and calls go; the newest 1,000 stay.", KEEP_MB.0, KEEP_MB.1,
                        ledger.keep_mb,
                    ),
                    "encoding": {
                        "enum": ENCODINGS,
                        "description": "The encoding to count in; the model's where absent.",
                    },
                    "context_tokens": number(
                        "The model's context window: no prompt of either side is counted larger.",
                        CONTEXT_TOKENS.0, CONTEXT_TOKENS.1, 200_000,
                    ),
                    "model": {
                        "type": "string",
                        "description": "The model that writes the programs: its prices and its encoding; gpt-6.1-sol's where absent.",
                    },
                },
            },
            "mcp": {
                "type": "object",
                "description": "What models are offered beside `run_code` and `search_tools`.",
                "additionalProperties": false,
                "properties": {
                    "direct_tools": {
                        "type": "array",
                        "description": "Tools to be called without a program, as \"server.tool\"; each costs its definition in every prompt.",
                        "maxItems": DIRECT_MAX,
                        "uniqueItems": true,
                        "items": {"type": "string", "pattern": "^.+\\..+$"},
                    },
                },
            },
            "prices": {
                "type": "object",
                "description": "Prices of models that are not bundled, or in place of bundled ones.",
                "additionalProperties": {
                    "type": "object",
                    "description": "What the model's tokens cost, in US dollars per million.",
                    "required": ["input", "output"],
                    "additionalProperties": false,
                    "properties": price(),
                },
            },
            "telemetry": {
                "type": "object",
                "description": "What is sent of what happens; nothing unless it says so, and never contents.",
                "additionalProperties": false,
                "properties": telemetry(),
            },
            "watch": {
                "type": "object",
                "description": "How changed files are noticed.",
                "additionalProperties": false,
                "properties": {
                    "poll_ms": {
                        "type": "integer",
                        "description": "Look at the files this often, for a drive that tells of no changes.",
                        "minimum": POLL_MS.0,
                        "maximum": POLL_MS.1,
                    },
                },
            },
            "servers": {
                "type": "object",
                "description": "MCP servers by their names.",
                "additionalProperties": {
                    "type": "object",
                    "description": "An MCP server: a program with `command`, or an endpoint with `url`.",
                    "properties": server(),
                },
            },
        },
    })
}

fn limits() -> Map<String, Value> {
    let defaults = Limits::default();
    let limits = LIMITS.iter();
    limits.map(|l| (l.name.to_owned(), number(l.what, l.least, l.most, (l.get)(&defaults)))).collect()
}

fn telemetry() -> Map<String, Value> {
    let described = TELEMETRY_KEYS.iter().map(|&(key, what)| {
        let value = match key {
            "otlp_endpoint" => json!({"type": "string", "description": what, "pattern": "^https?://"}),
            "headers" => {
                json!({"type": "object", "description": what, "additionalProperties": {"type": "string"}})
            }
            _ => json!({"type": "boolean", "description": what, "default": false}),
        };
        (key.to_owned(), value)
    });
    described.collect()
}

fn price() -> Map<String, Value> {
    let described = PRICE_KEYS.iter().map(|&(key, what)| {
        let value = match key {
            "date" => json!({"type": "string", "description": what, "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}$"}),
            "source" => json!({"type": "string", "description": what}),
            "context_tokens" => json!({
                "type": "integer", "description": what, "minimum": CONTEXT_TOKENS.0, "maximum": CONTEXT_TOKENS.1,
            }),
            _ => json!({"type": "number", "description": what, "minimum": 0, "maximum": 1_000_000}),
        };
        (key.to_owned(), value)
    });
    described.collect()
}

fn number(what: &str, least: u64, most: u64, default: u64) -> Value {
    json!({"type": "integer", "description": what, "minimum": least, "maximum": most, "default": default})
}

fn server() -> Map<String, Value> {
    SERVER_KEYS.iter().map(|&key| (key.to_owned(), server_key(key))).collect()
}

fn server_key(key: &str) -> Value {
    let texts = |what: &str| json!({"type": "array", "items": {"type": "string"}, "description": what});
    let table = |what: &str| json!({"type": "object", "additionalProperties": {"type": "string"}, "description": what});
    let text = |what: &str| json!({"type": "string", "description": what});
    match key {
        "type" => json!({
            "enum": ["stdio", "http"],
            "description": "How it is reached; known from `command` or `url` where absent.",
        }),
        "command" => text("The program that starts it."),
        "args" => texts("The program's arguments."),
        "env" => table("Variables added to the small environment that it gets."),
        "envFile" => text("A file with more of them, NAME=value on each line."),
        "cwd" => text("Its working directory; the workspace where absent."),
        "url" => text("Its streamable HTTP endpoint."),
        "headers" => table("Headers sent with every request."),
        "oauth" => json!({
            "type": "object",
            "description": "How to log in, where the server asks for it and does not say enough itself.",
            "properties": {
                "clientId": text("The id that was registered for us, or the https URL of a client-ID metadata document."),
                "clientSecret": text("The secret of that id."),
                "scopes": texts("What to ask for."),
                "callbackPort": json!({
                    "type": "integer", "minimum": 1, "maximum": 65_535,
                    "description": "The loopback port that was registered with the id; any free one where absent.",
                }),
            },
        }),
        "disabled" => json!({"type": "boolean", "description": "Switches it off.", "default": false}),
        "enabled" => json!({"type": "boolean", "description": "Switches it off where false.", "default": true}),
        "startup_timeout_ms" => number("Longest time for start and handshake.", 100, 600_000, 30_000),
        "startup_timeout_sec" => number("The same in seconds.", 1, 600, 30),
        "env_vars" => texts("Names of variables that are handed through from your own environment."),
        "bearer_token_env_var" => text("Name of the variable that holds the bearer token for `url`."),
        "description" => text("For people."),
        other => {
            let limit = SERVER_LIMITS.iter().find(|limit| limit.name == other);
            let limit = limit.unwrap_or_else(|| unreachable!("{other} is a key without a description"));
            number(limit.what, limit.least, limit.most, (limit.get)(&ServerLimits::default()))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_limit_and_every_key_is_described_and_the_defaults_are_in_range() {
        let schema = schema();
        let described = |object: &Value| {
            let all = object.as_object().expect("properties").values();
            all.filter(|property| property["description"].as_str().is_some_and(|text| !text.is_empty())).count()
        };
        let properties = &schema["properties"];
        assert_eq!(described(&properties["limits"]["properties"]), LIMITS.len());
        assert_eq!(described(&properties["prices"]["additionalProperties"]["properties"]), PRICE_KEYS.len());
        let servers = &properties["servers"]["additionalProperties"]["properties"];
        assert_eq!(described(servers), SERVER_KEYS.len());
        assert_eq!(properties["limits"]["properties"]["memory_mb"]["default"], 512);
        for limit in properties["limits"]["properties"].as_object().expect("properties").values() {
            let range = limit["minimum"].as_u64()..=limit["maximum"].as_u64();
            assert!(range.contains(&limit["default"].as_u64()), "{limit}");
        }
    }
}
