//! The one prompt: when to write a program and when to call a tool, with the stubs of a server where one is named.
//!
//! Its text is the instruction file of the tool set, so that every front says the same.

use rmcp::ErrorData;
use rmcp::model::{GetPromptRequestParams, GetPromptResult, Prompt, PromptArgument, PromptMessage, Role};
use serde_json::Value;

/// Its name, and that of its argument.
pub(crate) const NAME: &str = "code-or-call";
pub(crate) const SERVER: &str = "server";

const TITLE: &str = "Code, or a direct call?";
const DESCRIPTION: &str = "When to run a program over MCP tools, and when to call a tool directly";
const INSTRUCTIONS: &str = include_str!("../../../toolsets/tta.instructions.md");

pub(crate) fn prompt() -> Prompt {
    let server = PromptArgument::new(SERVER)
        .with_title("Server")
        .with_description("A server to use: the stubs of its tools follow")
        .with_required(false);
    Prompt::new(NAME, Some(DESCRIPTION), Some(vec![server])).with_title(TITLE)
}

/// The server that is asked for, if one is.
pub(crate) fn server(request: &GetPromptRequestParams) -> Result<Option<String>, ErrorData> {
    let wrong = |why: String| Err(ErrorData::invalid_params(why, None));
    if request.name != NAME {
        let name = &request.name[..request.name.floor_char_boundary(100)];
        return wrong(format!("no prompt `{name}`: there is {NAME}"));
    }
    let mut server = None;
    for (name, value) in request.arguments.iter().flatten() {
        match (name.as_str(), value) {
            (SERVER, Value::String(name)) => server = Some(name.clone()).filter(|name| !name.is_empty()),
            _ => return wrong(format!("{NAME} takes `{SERVER}`, the name of a server, and nothing else")),
        }
    }
    Ok(server)
}

/// The prompt: the instructions, what servers there are, and the stubs.
pub(crate) fn text(servers: &str, stubs: Option<&str>) -> GetPromptResult {
    let stubs = stubs.map(|stubs| format!("\n\n```python\n{stubs}\n```")).unwrap_or_default();
    let text = format!("{}\n\n{}{stubs}", instructions(), servers.trim_start());
    GetPromptResult::new(vec![PromptMessage::new_text(Role::User, text)]).with_description(DESCRIPTION)
}

/// The file without what it tells editors about itself.
fn instructions() -> &'static str {
    let body = INSTRUCTIONS.strip_prefix("---\n").and_then(|rest| rest.split_once("\n---\n"));
    body.map_or(INSTRUCTIONS, |(_, body)| body).trim()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn asked(request: &Value) -> Result<Option<String>, ErrorData> {
        server(&serde_json::from_value(request.clone()).expect("a request"))
    }

    #[test]
    fn the_prompt_is_the_instruction_file_without_its_head() {
        let prompt = text("Servers: fs.", Some("fs.read()"));
        let text = prompt.messages[0].content.as_text().expect("a text").text.clone();
        assert!(text.starts_with("# Code or a direct call?") && !text.contains("applyTo"), "{text}");
        assert!(text.ends_with("\n\nServers: fs.\n\n```python\nfs.read()\n```"), "{text}");
    }

    #[test]
    fn its_one_argument_may_be_left_out_and_no_other_is_taken() {
        assert_eq!(asked(&json!({"name": NAME})), Ok(None));
        assert_eq!(asked(&json!({"name": NAME, "arguments": {"server": ""}})), Ok(None));
        assert_eq!(asked(&json!({"name": NAME, "arguments": {"server": "fs"}})), Ok(Some("fs".to_owned())));
        for wrong in [json!({"name": "x"}), json!({"name": NAME, "arguments": {"servers": "fs"}})] {
            assert!(asked(&wrong).is_err(), "{wrong}");
        }
    }
}
