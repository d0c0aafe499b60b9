//! What a model reads of a tool before it calls it.

#![expect(clippy::needless_pass_by_value, reason = "tables read better without references")]

use catalog::ServerTools;
use expect_test::{Expect, expect};
use model::{Detail, Language, ToolDefinition};
use serde_json::{Value, json};

fn stub(tool: Value, language: Language, detail: Detail) -> String {
    let tools: Vec<ToolDefinition> = vec![serde_json::from_value(tool).expect("a definition")];
    ServerTools::new("my-fs", "fs", tools.into()).tools()[0].stub(language, detail)
}

fn check(tool: Value, python: Expect, typescript: Expect) {
    python.assert_eq(&stub(tool.clone(), Language::Python, Detail::Signature));
    typescript.assert_eq(&stub(tool, Language::TypeScript, Detail::Signature));
}

fn with(properties: Value, required: Value) -> Value {
    json!({"name": "t", "inputSchema": {"type": "object", "properties": properties, "required": required}})
}

#[test]
fn a_usual_tool() {
    check(
        json!({
            "name": "read-text-file",
            "description": "Read a file as text.\nWorks on several encodings.",
            "inputSchema": {
                "type": "object",
                "properties": {"head": {"type": "number"}, "path": {"type": "string"}, "sort": {"enum": ["a", "b"], "default": "a"}},
                "required": ["path"]
            },
            "outputSchema": {"type": "object", "properties": {"content": {"type": "string"}}, "required": ["content"]}
        }),
        expect![[r#"
            async def fs.read_text_file(*, path: str, head: float = ..., sort: Literal["a", "b"] = "a") -> {"content": str}:
                """Read a file as text.""""#]],
        expect![[r#"
            /** Read a file as text. */
            function fs.read_text_file(args: { path: string; head?: number; sort?: "a" | "b" /*="a"*/ }): Promise<{ content: string }>"#]],
    );
}

#[test]
fn no_parameters_no_words() {
    check(
        json!({"name": "ping", "inputSchema": {"type": "object"}}),
        expect!["async def fs.ping() -> Any: ..."],
        expect!["function fs.ping(): Promise<any>"],
    );
}

#[test]
fn every_kind_of_type() {
    check(
        with(
            json!({
                "any": {},
                "flag": {"type": "boolean", "default": true},
                "count": {"type": "integer", "default": 10},
                "maybe": {"type": ["string", "null"], "default": null},
                "either": {"anyOf": [{"type": "integer"}, {"type": "number"}, {"type": "array", "items": {"enum": ["x", 1, null]}}]},
                "pair": {"type": "array", "prefixItems": [{"type": "string"}, {"type": "integer"}]},
                "map": {"type": "object", "additionalProperties": {"type": "array", "items": {"type": "string"}}},
                "free": {"type": "object"},
                "nested": {"type": "object", "properties": {"a": {"type": "string"}, "b-c": {"type": "integer"}}, "required": ["a"]},
                "fixed": {"const": "v1"},
                "all": {"allOf": [{"$ref": "#/properties/nested"}, {"properties": {"d": {"type": "null"}}, "required": ["d"]}]},
                "kinds": {"oneOf": [{"const": "a"}, {"const": "b"}]}
            }),
            json!(["any"]),
        ),
        expect![[
            r#"async def fs.t(*, any: Any, flag: bool = True, count: int = 10, maybe: str | None = None, either: float | list[Literal["x", 1, None]] = ..., pair: tuple[str, int] = ..., map: dict[str, list[str]] = ..., free: dict = ..., nested: {"a": str, "b-c"?: int} = ..., fixed: Literal["v1"] = ..., all: {"a": str, "b-c"?: int, "d": None} = ..., kinds: Literal["a", "b"] = ...) -> Any: ..."#
        ]],
        expect![[
            r#"function fs.t(args: { any: any; flag?: boolean /*=true*/; count?: number /*=10*/; maybe?: string | null /*=null*/; either?: number | ("x" | 1 | null)[]; pair?: [string, number]; map?: Record<string, string[]>; free?: object; nested?: { a: string; "b-c"?: number }; fixed?: "v1"; all?: { a: string; "b-c"?: number; d: null }; kinds?: "a" | "b" }): Promise<any>"#
        ]],
    );
}

#[test]
fn names_that_are_no_parameters_are_passed_in_a_dict() {
    check(
        with(json!({"from": {"type": "string"}, "a-b": {"type": "integer"}}), json!(["from"])),
        expect![[r#"async def fs.t(args: {"from": str, "a-b"?: int}, /) -> Any: ..."#]],
        expect![[r#"function fs.t(args: { from: string; "a-b"?: number }): Promise<any>"#]],
    );
}

#[test]
fn references_are_followed_and_cycles_are_cut() {
    check(
        json!({
            "name": "t",
            "inputSchema": {
                "properties": {"node": {"$ref": "#/$defs/node"}, "elsewhere": {"$ref": "https://example.com/x"}},
                "$defs": {"node": {"type": "object", "properties": {
                    "name": {"type": "string"}, "children": {"type": "array", "items": {"$ref": "#/$defs/node"}}
                }}}
            }
        }),
        expect![[
            r#"async def fs.t(*, node: {"name"?: str, "children"?: list} = ..., elsewhere: Any = ...) -> Any: ..."#
        ]],
        expect!["function fs.t(args?: { node?: { name?: string; children?: any[] }; elsewhere?: any }): Promise<any>"],
    );
}

#[test]
fn a_full_stub_documents_every_parameter() {
    let tool = json!({
        "name": "edit",
        "description": "Edit a file.\n\nEach edit replaces lines. \"\"\" and */ are only text.",
        "inputSchema": {"type": "object", "required": ["edits"], "properties": {
            "dryRun": {"type": "boolean", "default": false, "description": "Preview\nchanges"},
            "edits": {"type": "array", "description": "What to do", "items": {"type": "object", "required": ["oldText"], "properties": {
                "oldText": {"type": "string", "description": "Must match exactly"}
            }}}
        }}
    });
    expect![[r#"
        async def fs.edit(*, edits: list[{"oldText": str}], dryRun: bool = False) -> Any:
            """Edit a file. Each edit replaces lines. ''' and */ are only text.
            edits: What to do
            edits[].oldText: Must match exactly
            dryRun: Preview changes
            """"#]]
    .assert_eq(&stub(tool.clone(), Language::Python, Detail::Full));
    expect![[r#"
        /** Edit a file. Each edit replaces lines. """ and *\/ are only text.
         * edits: What to do
         * edits[].oldText: Must match exactly
         * dryRun: Preview changes
         */
        function fs.edit(args: { edits: { oldText: string }[]; dryRun?: boolean /*=false*/ }): Promise<any>"#]]
    .assert_eq(&stub(tool.clone(), Language::TypeScript, Detail::Full));
    assert_eq!(stub(tool, Language::Python, Detail::Name), "fs.edit");
}

#[test]
fn what_is_too_long_is_cut_from_the_inside() {
    let part = json!({"type": "object", "properties": {"some_long_name": {"type": "string"}, "another_long_name": {"type": "string"}}});
    let properties: serde_json::Map<String, Value> =
        (0..20).map(|n| (format!("parameter_{n}"), part.clone())).collect();
    let text = stub(with(json!(properties), json!(["parameter_3"])), Language::Python, Detail::Signature);
    assert!(text.starts_with("async def fs.t(*, parameter_3: dict, parameter_0: dict = ..."), "{text}");
    assert!(text.len() < 1_200, "{}", text.len());
    let properties: serde_json::Map<String, Value> =
        (0..90).map(|n| (format!("parameter_{n}"), part.clone())).collect();
    let text = stub(with(json!(properties), json!(["parameter_80"])), Language::TypeScript, Detail::Signature);
    assert!(
        text.contains("parameter_80: object;") && text.contains("more optional parameters; detail \"full\""),
        "{text}"
    );
    assert!(text.len() < 1_200, "{}", text.len());
}
