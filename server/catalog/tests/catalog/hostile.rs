//! Servers that mean harm, or know no better: names, texts and schemas made to break what reads them.

use catalog::{Catalog, ServerTools};
use model::{Detail, Language, ToolDefinition};
use serde_json::{Value, json};
use std::collections::HashSet;
use std::sync::Arc;

const NAMES: &[&str] = &[
    "__proto__",
    "constructor",
    "then",
    "prototype",
    "toString",
    "to_string",
    "class",
    "import",
    "await",
    "default",
    "a-b",
    "a.b",
    "a_b",
    "a b",
    "aB",
    "A_B",
    "1x",
    "_1x",
    "",
    " ",
    "\n",
    "日本",
    "中文",
    "re\u{430}d_file",
    "read_file",
    "\u{202e}elif_daer",
    "re\u{200b}ad_file",
    "\"\"\"",
    "*/",
    "'; import os #",
    "../../etc/passwd",
    "\u{0}",
    "tta",
    "😀",
];

const TEXTS: &[&str] = &[
    "\"\"\"\nimport os\n\"\"\"",
    "*/ evil(); /*",
    "ends with a quote\"",
    "ends with a backslash\\",
    "\u{202e}reversed\u{202c} \u{200b}zero\u{2066}isolate\u{2069}",
    "line\u{2028}separator\u{2029}paragraph\r\nand more",
    "tags \u{e0049}\u{e0067}\u{e006e}ore",
    "\u{1b}[31mred\u{7}",
    "",
];

fn definition(name: &str, description: &str, schema: &Value) -> ToolDefinition {
    let tool = json!({"name": name, "description": description, "inputSchema": schema, "outputSchema": schema});
    serde_json::from_value(tool).expect("a definition")
}

fn is_deceptive(c: char) -> bool {
    (c.is_control() && c != '\n')
        || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{e0000}'..='\u{e0fff}')
}

/// What holds of every stub, whatever it was made of.
fn assert_sound(stub: &str, language: Language) {
    assert!(!stub.contains(is_deceptive), "{stub:?}");
    assert!(stub.len() < 64 << 10, "{} bytes", stub.len());
    if language == Language::Python {
        let (head, doc) = stub.split_once('\n').unwrap_or((stub, ""));
        assert!(head.starts_with("async def "), "{stub}");
        assert!(doc.is_empty() || doc.matches("\"\"\"").count() == 2 && doc.ends_with("\"\"\""), "{stub}");
        let text = doc.strip_suffix("\"\"\"").unwrap_or(doc);
        let backslashes = text.chars().rev().take_while(|c| *c == '\\').count();
        assert!(!text.ends_with('"') && backslashes % 2 == 0, "{stub}");
    } else {
        let comment = stub.rsplit_once('\n').map_or("", |(comment, _)| comment);
        // A comment does not nest, so only its end matters.
        let body = comment.strip_prefix("/** ").and_then(|rest| rest.strip_suffix("*/"));
        assert!(comment.is_empty() || body.is_some_and(|body| !body.contains("*/")), "{stub}");
        let last = stub.lines().last().unwrap_or_default();
        assert!(last.starts_with("function "), "{stub}");
    }
}

fn assert_all_sound(server: &ServerTools) {
    for tool in server.tools() {
        assert!(tool.summary().chars().count() <= 120 && !tool.summary().contains('\n'));
        assert!(!tool.summary().contains(is_deceptive));
        for language in [Language::Python, Language::TypeScript, Language::JavaScript] {
            for detail in [Detail::Signature, Detail::Full] {
                assert_sound(&tool.stub(language, detail), language);
            }
        }
    }
}

#[test]
fn every_name_gets_an_identifier_of_its_own_and_stays_callable() {
    let tools: Vec<ToolDefinition> = NAMES.iter().map(|name| definition(name, "", &json!({}))).collect();
    let server = ServerTools::new("s", "s", tools.into());
    let identifiers: HashSet<&str> = server.tools().iter().map(|tool| tool.identifier.as_str()).collect();
    assert_eq!(identifiers.len(), NAMES.len());
    for (name, tool) in NAMES.iter().zip(server.tools()) {
        assert_eq!(server.find(name).map(|found| found.definition.name.as_str()), Some(*name), "by its own name");
        let first = tool.identifier.chars().next().expect("an identifier is not empty");
        assert!(first.is_ascii_alphabetic() || first == '_');
        assert!(tool.identifier.chars().all(|c| c.is_ascii_alphanumeric() || c == '_'));
        assert!(!tool.identifier.starts_with("__"));
    }
    for alias in server.tools().iter().filter_map(|tool| tool.alias.as_deref()) {
        assert!(!identifiers.contains(alias), "{alias} is another tool");
    }
    let module: Value = serde_json::from_str(server.module_json()).expect("JSON");
    assert_eq!(module["server"], "s");
    let mapped = module["tools"].as_object().expect("an object");
    assert_eq!(mapped.len(), NAMES.len());
    assert!(mapped.values().zip(NAMES).all(|(mapped, name)| mapped == name));
    assert_all_sound(&server);
}

#[test]
fn no_text_leaves_the_comment_or_string_it_stands_in() {
    let mut tools = Vec::new();
    for text in TEXTS {
        for name in NAMES {
            let schema = json!({
                "type": "object",
                "description": text,
                "properties": {
                    *name: {"type": "string", "description": text, "default": text, "enum": [text, name]},
                    *text: {"const": text}
                },
                "required": [text]
            });
            tools.push(definition(name, text, &schema));
        }
    }
    assert_all_sound(&ServerTools::new("\u{202e}s", "s", tools.into()));
}

#[test]
fn quoted_names_stay_exact() {
    let schema = json!({"properties": {"a\u{200b}b": {"enum": ["x\ny"]}}});
    let server = ServerTools::new("s", "s", vec![definition("t", "", &schema)].into());
    let stub = server.tools()[0].stub(Language::TypeScript, Detail::Signature);
    assert!(stub.contains(r#""a\u200bb"?: "x\ny""#), "{stub}");
}

/// A small generator of numbers, so that a failure can be repeated.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).expect("31 bits") % sides
    }

    fn pick<'a>(&mut self, from: &[&'a str]) -> &'a str {
        from[self.roll(from.len())]
    }

    /// Any JSON, mostly in the shape of a schema.
    fn schema(&mut self, depth: usize) -> Value {
        if depth == 0 {
            return json!({"type": self.pick(&["string", "integer", "object", "array", "null", "banana"])});
        }
        let mut out = serde_json::Map::new();
        for _ in 0..=self.roll(4) {
            let keyword = self.pick(&[
                "type",
                "properties",
                "items",
                "anyOf",
                "allOf",
                "oneOf",
                "$ref",
                "enum",
                "const",
                "default",
                "required",
                "additionalProperties",
                "prefixItems",
                "not",
                "pattern",
                "$defs",
                "description",
                "title",
                "nullable",
                "$id",
            ]);
            let value = match (self.roll(4), keyword) {
                (0, _) => self.anything(depth - 1),
                (_, "type") => json!(self.pick(&["string", "integer", "object", "array", "null", "number"])),
                (_, "properties" | "$defs") => {
                    json!({self.pick(NAMES): self.schema(depth - 1), "a": self.schema(depth - 1)})
                }
                (_, "anyOf" | "allOf" | "oneOf" | "prefixItems") => {
                    json!([self.schema(depth - 1), self.schema(depth - 1)])
                }
                (_, "items" | "additionalProperties" | "not") => self.schema(depth - 1),
                (_, "$ref") => json!(self.pick(&["#", "#/$defs/a", "#/properties/a", "https://x", "#/~1~0", "#/"])),
                (_, "enum") => json!([self.pick(NAMES), self.roll(9), null, true]),
                (_, "required") => json!([self.pick(NAMES)]),
                (_, "nullable") => json!(true),
                (_, _) => json!(self.pick(TEXTS)),
            };
            out.insert(keyword.to_owned(), value);
        }
        Value::Object(out)
    }

    /// What a keyword should not hold.
    fn anything(&mut self, depth: usize) -> Value {
        match self.roll(4) {
            0 => json!(self.roll(1_000)),
            1 => json!([self.pick(NAMES), [self.schema(depth)]]),
            2 => Value::Null,
            _ => self.schema(depth),
        }
    }
}

#[test]
fn random_schemas_break_nothing() {
    let mut dice = Dice(20_26);
    let mut checked = 0;
    for round in 0..400 {
        let tools: Vec<ToolDefinition> = (0..5)
            .map(|n| definition(NAMES[(round + n) % NAMES.len()], TEXTS[n % TEXTS.len()], &dice.schema(4)))
            .collect();
        let server = Arc::new(ServerTools::new("s", "s", tools.into()));
        assert_all_sound(&server);
        for tool in server.tools() {
            for arguments in
                [Value::Null, json!({"a": 1, "": "x"}), json!({"a": {"a": {"a": [1, "x", null]}}}), json!(1)]
            {
                if let Err(problem) = tool.validate(&arguments) {
                    assert!(!problem.message.contains(is_deceptive), "{}", problem.message);
                    assert!(problem.message.len() < 4_000);
                }
            }
            checked += usize::from(tool.unchecked().is_none());
        }
        Catalog::new(vec![server]).search(dice.pick(NAMES), None, 10);
    }
    assert!(checked > 200, "only {checked} of the schemas could be compiled: the generator says little");
}

#[test]
fn schemas_that_grow_without_end_have_small_stubs() {
    let mut doubling = json!({"$ref": "#/$defs/d0", "$defs": {"d40": {"type": "string"}}});
    for n in 0..40 {
        let next = json!({"$ref": format!("#/$defs/d{}", n + 1)});
        doubling["$defs"][format!("d{n}")] =
            json!({"anyOf": [{"type": "array", "items": next}, {"properties": {"a": next, "b": next}}]});
    }
    let names: serde_json::Map<String, Value> =
        (0..5_000).map(|n| (format!("{}{n}", "x".repeat(300)), json!({}))).collect();
    let literals: Vec<String> = (0..5_000).map(|n| "y".repeat(n)).collect();
    let deep = (0..100).fold(
        json!({"type": "string"}),
        |inner, _| json!({"type": "array", "items": {"anyOf": [inner, {"type": "null"}]}}),
    );
    let schemas = [
        json!({"properties": {"a": doubling["$defs"]["d0"], "b": doubling["$ref"]}, "$defs": doubling["$defs"]}),
        json!({"properties": names, "required": ["x"]}),
        json!({"properties": {"a": {"enum": literals}}}),
        json!({"properties": {"a": deep}}),
    ];
    let long = "word ".repeat(1 << 20);
    let tools: Vec<ToolDefinition> = schemas.iter().map(|schema| definition(&"n".repeat(200), &long, schema)).collect();
    let server = ServerTools::new(&"s".repeat(10_000), "s", tools.into());
    assert_all_sound(&server);
    for tool in server.tools() {
        assert!(tool.stub(Language::Python, Detail::Signature).len() < 4_000);
        assert!(tool.identifier.len() <= 70);
    }
}
