//! What a server may have beside its tools, as functions of a program: `fs.resources.read(uri)`, `gh.prompts.get(name)`.
//!
//! They are called like tools, by MCP's names of the methods, and are checked and shown like tools; but they are in no list of
//! tools, as a server does not define them.

use crate::tool::Tool;
use model::{Annotations, Language, Method, ToolDefinition};
use serde_json::{Value, json};
use std::sync::{Arc, LazyLock};

/// The names under which a program finds them in a server's module, unless a tool has that name.
pub(crate) const GROUPS: [&str; 2] = ["resources", "prompts"];

static DEFINITIONS: LazyLock<Arc<[ToolDefinition]>> = LazyLock::new(|| Method::OFFERED.map(definition).into());

/// Every method of a server as a function, in the order of `Method::OFFERED`.
pub(crate) fn functions(server_identifier: &str) -> Vec<Tool> {
    let functions = Method::OFFERED.into_iter().enumerate().map(|(at, method)| {
        let mut function = Tool::new(&DEFINITIONS, at, server_identifier, function(method).to_owned(), None);
        function.method = Some(method);
        function
    });
    functions.collect()
}

/// What a program writes behind the server's name.
fn function(method: Method) -> &'static str {
    match method {
        Method::ListResources => "resources.list",
        Method::ListTemplates => "resources.templates",
        Method::ReadResource => "resources.read",
        Method::Subscribe => "resources.subscribe",
        Method::ListPrompts => "prompts.list",
        Method::GetPrompt => "prompts.get",
        Method::CallTool => unreachable!("it is reached through its tool"),
    }
}

fn definition(method: Method) -> ToolDefinition {
    let (description, properties) = match method {
        Method::ListResources => ("Lists the resources: uri, name, mimeType, description.", json!({})),
        Method::ListTemplates => ("Lists the URI templates of further resources.", json!({})),
        Method::ReadResource => (
            "Reads a resource: its text, or bytes; a list where it has several parts. resources.contents(uri) has the MIME types.",
            json!({"uri": {"type": "string"}}),
        ),
        Method::Subscribe => (
            "Tells of each change of a resource: {uri, times}. Leaving the loop, or the end of the run, ends it.",
            json!({"uri": {"type": "string"}}),
        ),
        Method::ListPrompts => ("Lists the prompts: name, description, arguments.", json!({})),
        Method::GetPrompt => (
            "The messages of a prompt.",
            json!({
                "name": {"type": "string"},
                "arguments": {"type": "object", "description": "What the prompt declares; numbers become text"},
            }),
        ),
        Method::CallTool => unreachable!("it is reached through its tool"),
    };
    let required: Vec<&str> = ["uri", "name"].into_iter().filter(|name| properties.get(name).is_some()).collect();
    let entry = json!({"type": "array", "items": {"type": "object"}});
    let message = json!({"type": "array", "items": {"type": "object", "required": ["role", "content"], "properties": {
        "role": {"type": "string"},
        "content": {"type": "object"},
    }}});
    ToolDefinition {
        name: method.name().to_owned(),
        title: None,
        description: Some(description.to_owned()),
        input_schema: object(json!({
            "type": "object", "properties": properties, "required": required, "additionalProperties": false
        })),
        output_schema: match method {
            Method::ReadResource | Method::Subscribe => None,
            Method::GetPrompt => Some(object(message)),
            _ => Some(object(entry)),
        },
        // By the protocol they only give what is there.
        annotations: Some(Annotations { read_only_hint: Some(true), ..Annotations::default() }),
    }
}

/// How a program writes a subscription, which is no call with one answer.
pub(crate) fn subscription(path: &str, summary: &str, language: Language) -> String {
    match language {
        Language::Python => format!("async for update in {path}(uri: str): ...  # {summary}"),
        _ => format!("for await (const update of {path}(uri: string)) {{}}  // {summary}"),
    }
}

fn object(value: Value) -> Arc<serde_json::Map<String, Value>> {
    match value {
        Value::Object(map) => Arc::new(map),
        _ => unreachable!("only objects are written above"),
    }
}

#[cfg(test)]
mod tests {
    use crate::ServerTools;
    use model::{Detail, Language, Method};
    use serde_json::json;

    fn server(tools: &[&str]) -> ServerTools {
        let tools = tools.iter().map(|name| json!({"name": name, "inputSchema": {"type": "object"}}));
        ServerTools::new("my-fs", "fs", tools.map(|tool| serde_json::from_value(tool).expect("a definition")).collect())
    }

    #[test]
    fn what_stands_beside_the_tools_is_found_and_checked_by_its_method_and_shown_as_programs_write_it() {
        let server = server(&["read"]);
        assert_eq!((server.tools().len(), server.definitions().len()), (1, 1), "a server does not define it");
        let read = server.find("resources/read").expect("every server may have resources");
        assert_eq!((read.method, read.path.as_str()), (Some(Method::ReadResource), "fs.resources.read"));
        assert!(read.validate(&json!({"uri": "a:b"})).is_ok());
        assert!(read.validate(&json!({"url": "a:b"})).expect_err("no uri").message.contains("uri"));
        let stub = |name: &str, language| server.find(name).expect("it is there").stub(language, Detail::Signature);
        let list = stub("prompts/get", Language::Python);
        assert!(
            list.starts_with("async def fs.prompts.get(*, name: str, arguments: dict = ...) -> list[{\"role\": str, "),
            "{list}"
        );
        let read = stub("resources/read", Language::TypeScript);
        assert!(read.ends_with("function fs.resources.read(args: { uri: string }): Promise<any>"), "{read}");
        let subscribe = stub("resources/subscribe", Language::Python);
        assert!(
            subscribe.starts_with("async for update in fs.resources.subscribe(uri: str): ...  # Tells"),
            "{subscribe}"
        );
    }

    #[test]
    fn a_tool_keeps_its_name_and_is_called_by_its_identifier_where_a_method_has_that_name() {
        let server = server(&["resources", "prompts/get", "tools/call"]);
        let module: serde_json::Value = serde_json::from_str(server.module_json()).expect("JSON");
        let tools = json!({"resources": "resources", "prompts_get": "prompts_get", "tools_call": "tools_call"});
        assert_eq!(module["tools"], tools);
        assert_eq!(server.find("prompts_get").expect("the tool").definition.name, "prompts/get");
        assert_eq!(server.find("prompts_get").expect("the tool").method, None);
        assert_eq!(server.find("prompts/get").expect("the method").method, Some(Method::GetPrompt));
        assert!(server.has("resources") && server.has("prompts") && !server.has("prompts/get2"));
    }
}
