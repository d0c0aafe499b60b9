//! What a program is told of arguments that do not fit.

#![expect(clippy::needless_pass_by_value, reason = "tables read better without references")]

use catalog::{ServerTools, Tool};
use expect_test::{Expect, expect};
use model::ToolDefinition;
use serde_json::{Value, json};
use std::sync::Arc;

fn server(schema: Value) -> ServerTools {
    let tool = json!({"name": "edit-file", "inputSchema": schema});
    let tools: Vec<ToolDefinition> = vec![serde_json::from_value(tool).expect("a definition")];
    ServerTools::new("fs", "fs", tools.into())
}

fn tool(server: &ServerTools) -> &Tool {
    server.find("edit-file").expect("the tool")
}

fn edit() -> ServerTools {
    server(json!({
        "type": "object",
        "properties": {
            "path": {"type": "string"},
            "limit": {"type": "integer", "minimum": 1},
            "mode": {"enum": ["fast", "safe"]},
            "edits": {"type": "array", "items": {"$ref": "#/$defs/edit"}},
            "when": {"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]}
        },
        "required": ["path"],
        "additionalProperties": false,
        "$defs": {"edit": {"type": "object", "properties": {"oldText": {"type": "string"}}, "required": ["oldText"]}}
    }))
}

fn check(server: &ServerTools, arguments: Value, want: Expect) {
    let told = tool(server).validate(&arguments).map_or_else(|problem| problem.to_string(), |()| "ok".to_owned());
    want.assert_eq(&told);
}

#[test]
fn arguments_that_fit_pass() {
    let edit = edit();
    check(&edit, json!({"path": "a"}), expect!["ok"]);
    check(&edit, json!({"path": "a", "limit": 3, "mode": "safe", "edits": [{"oldText": "x"}]}), expect!["ok"]);
    check(&server(json!({"type": "object"})), Value::Null, expect!["ok"]);
}

#[test]
fn a_problem_names_the_field_what_was_expected_and_what_was_given() {
    let edit = edit();
    check(&edit, Value::Null, expect![[r#"edit-file: "path" is required (string)"#]]);
    check(&edit, json!({"path": 5}), expect!["edit-file: path: expected string, got number 5"]);
    check(
        &edit,
        json!({"path": "a", "limit": "10"}),
        expect![[r#"edit-file: limit: expected integer, got string "10""#]],
    );
    check(
        &edit,
        json!({"path": "a", "limit": 0}),
        expect!["edit-file: limit: value is less than the minimum of 1, got number 0"],
    );
    check(
        &edit,
        json!({"path": "a", "mode": "slow"}),
        expect![[r#"edit-file: mode: expected one of "fast", "safe", got string "slow""#]],
    );
    check(
        &edit,
        json!({"path": "a", "edits": [{"oldText": "x"}, {}]}),
        expect![[r#"edit-file: edits[1]: "oldText" is required (string)"#]],
    );
    check(
        &edit,
        json!({"path": "a", "edits": [{"oldText": null}]}),
        expect!["edit-file: edits[0].oldText: expected string, got null (leave out what is optional)"],
    );
    check(
        &edit,
        json!({"path": "a", "when": {"x": 1, "y": 2}}),
        expect!["edit-file: when: expected string | string[], got object {x, y}"],
    );
    check(&edit, json!(["a"]), expect!["edit-file: expected object, got array of 1"]);
}

#[test]
fn what_was_probably_meant_is_said() {
    let edit = edit();
    check(
        &edit,
        json!({"file_path": "a"}),
        expect![[r#"edit-file: "path" is required (string); "file_path" is not a parameter, did you mean "path"?"#]],
    );
    check(
        &edit,
        json!({"path": "a", "limits": 1}),
        expect![[
            r#"edit-file: "limits" is not a parameter, did you mean "limit"? There are path, limit, mode, edits, when"#
        ]],
    );
    check(
        &edit,
        json!({"path": "a", "colour": 1}),
        expect![[r#"edit-file: "colour" is not a parameter; there are path, limit, mode, edits, when"#]],
    );
    check(
        &server(json!({"type": "object", "properties": {}, "additionalProperties": false})),
        json!({"a": 1}),
        expect![[r#"edit-file: "a" is not a parameter; there are none"#]],
    );
    let open = server(json!({"type": "object", "properties": {"url": {"type": "string"}}, "required": ["url"]}));
    check(
        &open,
        json!({"uri": "x"}),
        expect![[r#"edit-file: "url" is required (string); "uri" is not a parameter, did you mean "url"?"#]],
    );
    check(&open, json!({"url": "x", "urls": 1}), expect!["ok"]);
}

#[test]
fn the_parts_of_a_problem_can_be_used_apart() {
    let problem = tool(&edit()).validate(&json!({"path": "a", "edits": [{}]})).expect_err("oldText is missing");
    assert_eq!((problem.field.as_str(), problem.expected.as_str()), ("edits[0].oldText", "string"));
}

#[test]
fn long_values_are_shortened() {
    let problem =
        tool(&edit()).validate(&json!({"path": "a", "limit": "x".repeat(1 << 20)})).expect_err("not a number");
    assert!(problem.message.len() < 200, "{}", problem.message);
}

#[test]
fn older_drafts_are_understood() {
    let draft7 = server(json!({
        "$schema": "http://json-schema.org/draft-07/schema#",
        "type": "object",
        "properties": {"n": {"type": "number", "exclusiveMinimum": 0}},
        "definitions": {}
    }));
    check(
        &draft7,
        json!({"n": 0}),
        expect!["edit-file: n: value is less than or equal to the minimum of 0, got number 0"],
    );
    let draft4 = server(json!({
        "$schema": "http://json-schema.org/draft-04/schema#",
        "type": "object",
        "properties": {"n": {"type": "number", "minimum": 0, "exclusiveMinimum": true}}
    }));
    check(
        &draft4,
        json!({"n": 0}),
        expect!["edit-file: n: value is less than or equal to the minimum of 0, got number 0"],
    );
}

/// The tool is usable, and says why its arguments are left to the server.
fn left_to_the_server(schema: Value, arguments: Value) -> String {
    let server = server(schema);
    assert_eq!(tool(&server).validate(&arguments), Ok(()));
    tool(&server).unchecked().expect("unchecked").to_owned()
}

#[test]
fn nothing_is_fetched() {
    for reference in
        ["https://example.com/s.json", "http://127.0.0.1:9/s", "file:///etc/passwd", "other.json", "#missing"]
    {
        let why = left_to_the_server(json!({"properties": {"a": {"$ref": reference}}}), json!({"a": 1}));
        assert_eq!(why, "the schema refers to something outside itself", "{reference}");
    }
    let renamed = json!({"$defs": {"a": {"$id": "https://example.com/a", "$ref": "b"}}, "$ref": "#/$defs/a"});
    left_to_the_server(renamed, json!({}));
}

#[test]
fn schemas_that_cannot_be_compiled_leave_the_tool_usable() {
    left_to_the_server(json!({"$ref": "#"}), json!({}));
    left_to_the_server(json!({"type": "banana"}), json!({}));
    left_to_the_server(json!({"properties": {"a": {"required": true}}}), json!({"a": 1}));
    let many: serde_json::Map<String, Value> =
        (0..30_000).map(|n| (format!("p{n}"), json!({"type": "string"}))).collect();
    assert_eq!(left_to_the_server(json!({"properties": many}), json!({})), "the schema has more than 20000 parts");
}

#[test]
fn schemas_made_to_take_forever_do_not() {
    let mut doubling = json!({"$ref": "#/$defs/d0", "$defs": {"d40": {"required": ["x"]}}});
    for n in 0..40 {
        let next = json!({"$ref": format!("#/$defs/d{}", n + 1)});
        doubling["$defs"][format!("d{n}")] = json!({"allOf": [next, next]});
    }
    left_to_the_server(doubling, json!({}));

    let twice = json!({"items": {"$ref": "#/$defs/n"}, "minItems": 1});
    let tree = server(json!({
        "properties": {"a": {"$ref": "#/$defs/n"}},
        "$defs": {"n": {"anyOf": [twice, {"items": {"$ref": "#/$defs/n"}, "minItems": 2}]}}
    }));
    let mut deep = json!([]);
    for _ in 0..100 {
        deep = json!([deep]);
    }
    assert_eq!(tool(&tree).validate(&json!({"a": deep})), Ok(()), "too costly to check, so the server decides");
    assert!(tool(&tree).validate(&json!({"a": []})).is_err(), "shallow values are still checked");
}

#[test]
fn patterns_run_in_linear_time_and_those_that_cannot_are_left_out() {
    let evil = server(json!({"properties": {"a": {"type": "string", "pattern": "^(a+)+$"}}}));
    let arguments = json!({"a": "a".repeat(50_000) + "!"});
    assert!(tool(&evil).validate(&arguments).is_err());
    let backtracking = server(json!({
        "properties": {"pattern": {"type": "string", "pattern": "^(?!x)(a)\\1$"}},
        "patternProperties": {"^(?=y)": {"type": "integer"}},
        "additionalProperties": false
    }));
    assert_eq!(tool(&backtracking).unchecked(), None);
    check(&backtracking, json!({"pattern": "x", "y1": 1}), expect!["ok"]);
    check(&backtracking, json!({"pattern": 1}), expect!["edit-file: pattern: expected string, got number 1"]);
}

#[test]
fn a_tool_can_be_checked_from_many_threads_at_once() {
    let edit = Arc::new(edit());
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| assert!(tool(&edit).validate(&json!({})).is_err()));
        }
    });
}

fn problems(server: &ServerTools, known: Value, hidden: &[&str], is_open: bool, want: Expect) {
    let known = known.as_object().expect("an object");
    let told = tool(server).problems(known, hidden, is_open);
    want.assert_eq(&told.iter().fold(String::new(), |all, problem| format!("{all}{}: {problem}\n", problem.field)));
}

#[test]
fn arguments_that_are_only_partly_known_are_judged_by_what_is_certain() {
    let edit = edit();
    problems(&edit, json!({}), &["path"], false, expect![[""]]);
    problems(&edit, json!({}), &[], true, expect![[""]]);
    problems(
        &edit,
        json!({"limit": "3", "mode": "slow", "pth": 1}),
        &["edits"],
        false,
        expect![[r#"
        limit: edit-file: limit: expected integer, got string "3"
        mode: edit-file: mode: expected one of "fast", "safe", got string "slow"
        pth: edit-file: "pth" is not a parameter, did you mean "path"? There are path, limit, mode, edits, when
        path: edit-file: "path" is required (string); "pth" is not a parameter, did you mean "path"?
    "#]],
    );
    problems(
        &edit,
        json!({"edits": [{}]}),
        &["path", "other"],
        true,
        expect![[r#"
        edits[0].oldText: edit-file: edits[0]: "oldText" is required (string)
        other: edit-file: "other" is not a parameter; there are path, limit, mode, edits, when
    "#]],
    );
    let either = server(json!({"type": "object", "anyOf": [{"required": ["a"]}, {"required": ["b"]}]}));
    problems(
        &either,
        json!({"c": 1}),
        &[],
        false,
        expect![[r"
        : edit-file: expected any, got object {c}
    "]],
    );
    problems(&either, json!({"c": 1}), &[], true, expect![[""]]);
}

#[test]
fn parameters_are_told_one_by_one() {
    let edit = edit();
    let of = |language| {
        let lines = tool(&edit).parameters(language).into_iter().map(|p| {
            let mark = if p.is_required { "" } else { "?" };
            format!("{}{mark}: {} {:?}\n", p.name, p.type_text, p.values)
        });
        lines.collect::<String>()
    };
    expect![[r#"
        path: str []
        limit?: int []
        mode?: Literal["fast", "safe"] [String("fast"), String("safe")]
        edits?: list[{"oldText": str}] []
        when?: str | list[str] []
    "#]]
    .assert_eq(&of(model::Language::Python));
    expect![[r#"
        path: string []
        limit?: number []
        mode?: "fast" | "safe" [String("fast"), String("safe")]
        edits?: { oldText: string }[] []
        when?: string | string[] []
    "#]]
    .assert_eq(&of(model::Language::TypeScript));
}
