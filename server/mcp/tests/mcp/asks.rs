//! What servers ask in the middle of a call, passed on to the client: by requests of ours, and by the answer to its own.

#![expect(deprecated, reason = "the newest protocol drops sampling; today's hosts offer it")]

use rmcp::model::{
    CallToolRequestParams, CallToolResponse, ClientCapabilities, ClientConfig, CreateMessageRequestParams,
    CreateMessageResult, CustomNotification, ElicitRequestParams, ElicitResult, ElicitationAction,
    ElicitationCapability, FormElicitationCapability, Implementation, ProtocolVersion, SamplingCapability,
    SamplingMessage, UrlElicitationCapability,
};
use rmcp::service::{ClientLifecycleMode, ClientServiceExt as _, NotificationContext, RequestContext, RunningService};
use rmcp::{ClientHandler, ErrorData, RoleClient, ServiceExt as _};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::time::Duration;
use testkit::TestDaemon;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

/// Longest that anything here may take; the first run may compile a guest.
const PATIENCE: Duration = Duration::from_mins(5);

/// A host whose person and model answer at once, where it has them.
struct Host(ClientCapabilities);

impl ClientHandler for Host {
    fn get_info(&self) -> ClientConfig {
        ClientConfig::new(self.0.clone(), Implementation::new("host", "1"))
    }

    async fn create_elicitation(
        &self,
        request: ElicitRequestParams,
        _: RequestContext<RoleClient>,
    ) -> Result<ElicitResult, ErrorData> {
        Ok(match request {
            // What was asked comes back as the answer.
            ElicitRequestParams::FormElicitationParams { message, requested_schema, .. } => {
                let schema = json!(requested_schema);
                assert_eq!(schema["properties"]["n"], json!({"type": "integer", "minimum": 1, "title": "N"}));
                assert_eq!(schema["properties"]["c"]["oneOf"][1], json!({"const": "b", "title": "B"}));
                let content = json!({"said": message, "n": 2, "c": "b"});
                ElicitResult::new(ElicitationAction::Accept).with_content(content)
            }
            ElicitRequestParams::UrlElicitationParams { url, .. } => {
                assert_eq!(url, "https://good.example/");
                ElicitResult::new(ElicitationAction::Accept)
            }
            other => panic!("no such question: {other:?}"),
        })
    }

    async fn create_message(
        &self,
        params: CreateMessageRequestParams,
        _: RequestContext<RoleClient>,
    ) -> Result<CreateMessageResult, ErrorData> {
        let asked = json!(params);
        assert_eq!((&asked["maxTokens"], &asked["systemPrompt"]), (&json!(3), &json!("Be brief")));
        let text = asked["messages"][0]["content"][0]["text"].as_str().expect("a text");
        Ok(CreateMessageResult::new(SamplingMessage::assistant_text(format!("{text}!")), "m".to_owned()))
    }
}

fn everything() -> ClientCapabilities {
    let mut capabilities = ClientCapabilities::default();
    let mut elicitation = ElicitationCapability::new().with_form(FormElicitationCapability::default());
    elicitation.url = Some(UrlElicitationCapability::new());
    capabilities.elicitation = Some(elicitation);
    capabilities.sampling = Some(SamplingCapability::default());
    capabilities
}

fn form() -> Value {
    let properties = json!({
        "said": {"type": "string"},
        "n": {"type": "integer", "minimum": 1, "title": "N"},
        "c": {"type": "string", "oneOf": [{"const": "a", "title": "A"}, {"const": "b", "title": "B"}]},
    });
    json!({"message": "How `many`?", "requestedSchema": {"type": "object", "properties": properties, "required": ["n"]}})
}

const PAGE: &str = r#"{"mode": "url", "message": "Log in", "url": "https://good.example/", "elicitationId": "1"}"#;
const PROMPT: &str = r#"{"messages": [{"role": "user", "content": {"type": "text", "text": "hi"}}], "maxTokens": 3, "systemPrompt": "Be brief"}"#;

fn program(method: &str, params: &str) -> CallToolRequestParams {
    let code = format!(
        "import json\nfrom servers import s\nawait s.ask(method='{method}', params=json.loads('''{params}'''))"
    );
    let Value::Object(arguments) = json!({"code": code, "language": "python"}) else { unreachable!() };
    CallToolRequestParams::new("run_code").with_arguments(arguments)
}

async fn test() -> TestDaemon {
    TestDaemon::builder().scripted("s", &["asks"]).start().await
}

/// What the server was told, as the program returned it.
fn told(response: &CallToolResponse) -> Value {
    let CallToolResponse::Complete(result) = response else { panic!("a result, not {response:?}") };
    let text = &result.content.first().and_then(|block| block.as_text()).expect("a text").text;
    serde_json::from_str(text).unwrap_or_else(|_| panic!("JSON: {text}"))
}

#[tokio::test]
async fn a_client_is_asked_by_requests_in_each_questions_own_kind() {
    let test = test().await;
    let (near, far) = tokio::io::duplex(1 << 20);
    tokio::spawn(mcp::serve(test.daemon.clone(), tokio::io::split(far)));
    let client = Host(everything()).serve(near).await.expect("shaken");
    let call = async |method: &str, params: &str| {
        let called = tokio::time::timeout(PATIENCE, client.peer().call_tool_once(program(method, params))).await;
        told(&called.expect("in time").expect("answered"))
    };
    let told = call("elicitation/create", &form().to_string()).await;
    let says = "The MCP server `s` asks: How `many`?";
    assert_eq!(told["result"], json!({"action": "accept", "content": {"said": says, "n": 2, "c": "b"}}));
    assert_eq!(call("elicitation/create", PAGE).await["result"], json!({"action": "accept"}));
    let told = call("sampling/createMessage", PROMPT).await;
    assert_eq!((&told["result"]["content"]["text"], &told["result"]["model"]), (&json!("hi!"), &json!("m")));
}

#[tokio::test]
async fn a_client_that_offers_nothing_is_not_asked() {
    let test = test().await;
    let (near, far) = tokio::io::duplex(1 << 20);
    tokio::spawn(mcp::serve(test.daemon.clone(), tokio::io::split(far)));
    let client = Host(ClientCapabilities::default()).serve(near).await.expect("shaken");
    for (method, params) in [("elicitation/create", PAGE), ("sampling/createMessage", PROMPT)] {
        let called = tokio::time::timeout(PATIENCE, client.peer().call_tool_once(program(method, params))).await;
        let told = told(&called.expect("in time").expect("answered"));
        assert_eq!(told["error"]["code"], -32_601, "{told}");
    }
}

#[tokio::test]
async fn a_client_without_sessions_is_asked_by_the_answer_and_goes_on() {
    let test = test().await;
    let (near, far) = tokio::io::duplex(1 << 20);
    tokio::spawn(mcp::serve(test.daemon.clone(), tokio::io::split(far)));
    let preferred_versions = vec![ProtocolVersion::V_2026_07_28];
    let config = ClientConfig::new(everything(), Implementation::new("host", "1"));
    let lifecycle = ClientLifecycleMode::Discover { preferred_versions };
    let client: RunningService<RoleClient, ClientConfig> =
        config.serve_with_lifecycle(near, lifecycle).await.expect("discovered");
    for (method, params, answer) in [
        ("elicitation/create", form().to_string(), json!({"action": "accept", "content": {"n": 3}})),
        (
            "sampling/createMessage",
            PROMPT.to_owned(),
            json!({"role": "assistant", "content": {"type": "text", "text": "hi!"}, "model": "m"}),
        ),
    ] {
        let call = async |params| {
            let called = tokio::time::timeout(PATIENCE, client.peer().call_tool_once(params)).await;
            called.expect("in time").expect("answered")
        };
        let CallToolResponse::InputRequired(asked) = call(program(method, &params)).await else { panic!("a question") };
        let asks = json!(asked.input_requests)["decision"].clone();
        assert_eq!(asks["method"], method, "{asks}");
        let responses = BTreeMap::from([("decision".to_owned(), answer.clone())]);
        let again = program(method, &params).with_input_responses(responses);
        let ended = call(again.with_request_state(asked.request_state.expect("a state"))).await;
        assert_eq!(told(&ended)["result"], answer);
    }
}

/// A host whose person opens every page and says yes to every form, and what they were asked and told.
struct Visitor(ClientCapabilities, UnboundedSender<Value>);

impl ClientHandler for Visitor {
    fn get_info(&self) -> ClientConfig {
        ClientConfig::new(self.0.clone(), Implementation::new("host", "1"))
    }

    async fn create_elicitation(
        &self,
        request: ElicitRequestParams,
        _: RequestContext<RoleClient>,
    ) -> Result<ElicitResult, ErrorData> {
        let _ = self.1.send(json!(request));
        Ok(ElicitResult::new(ElicitationAction::Accept))
    }

    async fn on_custom_notification(&self, told: CustomNotification, _: NotificationContext<RoleClient>) {
        let _ = self.1.send(json!({"method": told.method, "params": told.params}));
    }
}

async fn next(told: &mut UnboundedReceiver<Value>) -> Value {
    tokio::time::timeout(PATIENCE, told.recv()).await.expect("in time").expect("the host lives")
}

async fn pages() -> TestDaemon {
    TestDaemon::builder().server("p", json!({"command": testkit::built("page-server")})).start().await
}

fn python(code: &str) -> CallToolRequestParams {
    let Value::Object(arguments) = json!({"code": code, "language": "python"}) else { unreachable!() };
    CallToolRequestParams::new("run_code").with_arguments(arguments)
}

/// A program whose call needs a page visited.
fn locked(once: &str) -> CallToolRequestParams {
    python(&format!(
        "from servers import p\npage = {{'mode': 'url', 'elicitationId': 'a', 'url': 'https://good.example/', 'message': 'Log in'}}\n\
         await p.locked(pages=[page], once={once})"
    ))
}

#[tokio::test]
async fn a_page_that_a_call_needs_is_passed_on_and_whether_it_is_done_is_asked_or_told() {
    for asks in [true, false] {
        let test = pages().await;
        let (near, far) = tokio::io::duplex(1 << 20);
        tokio::spawn(mcp::serve(test.daemon.clone(), tokio::io::split(far)));
        let (tell, mut host) = unbounded_channel();
        let mut capabilities = everything();
        if !asks {
            capabilities.elicitation.as_mut().expect("offered").form = None;
        }
        let client = Visitor(capabilities, tell).serve(near).await.expect("shaken");
        let peer = client.peer().clone();
        let call = tokio::spawn(async move { peer.call_tool_once(locked(if asks { "True" } else { "False" })).await });
        let page = next(&mut host).await;
        assert_eq!((&page["mode"], &page["url"]), (&json!("url"), &json!("https://good.example/")), "{page}");
        assert_eq!(page["message"], "The MCP server `p` wants a page opened: Log in");
        if asks {
            let form = next(&mut host).await;
            assert_eq!(form["requestedSchema"]["properties"], json!({}), "{form}");
            assert!(form["message"].as_str().expect("a text").contains("https://good.example/"), "{form}");
        } else {
            let opened = python("from servers import p\nawait p.open(ids=['a'])");
            client.peer().call_tool_once(opened).await.expect("opened");
            let done = next(&mut host).await;
            let params = json!({"elicitationId": page["elicitationId"]});
            assert_eq!(done, json!({"method": "notifications/elicitation/complete", "params": params}));
        }
        let answer = tokio::time::timeout(PATIENCE, call).await.expect("in time").expect("it ends");
        assert_eq!(told(&answer.expect("answered")), json!({"calls": 2}));
    }
}

#[tokio::test]
async fn a_client_without_sessions_opens_the_page_and_comes_back_when_it_is_done() {
    let test = pages().await;
    let (near, far) = tokio::io::duplex(1 << 20);
    tokio::spawn(mcp::serve(test.daemon.clone(), tokio::io::split(far)));
    let config = ClientConfig::new(everything(), Implementation::new("host", "1"));
    let lifecycle = ClientLifecycleMode::Discover { preferred_versions: vec![ProtocolVersion::V_2026_07_28] };
    let client: RunningService<RoleClient, ClientConfig> =
        config.serve_with_lifecycle(near, lifecycle).await.expect("discovered");
    let call = async |params| {
        let called = tokio::time::timeout(PATIENCE, client.peer().call_tool_once(params)).await;
        called.expect("in time").expect("answered")
    };
    let mut request = locked("True");
    for mode in ["url", "form"] {
        let CallToolResponse::InputRequired(asked) = call(request).await else { panic!("a question") };
        let asks = json!(asked.input_requests)["decision"].clone();
        assert_eq!(asks["params"]["mode"], mode, "{asks}");
        let answer = json!({"action": "accept", "content": {}});
        let again = locked("True").with_input_responses(BTreeMap::from([("decision".to_owned(), answer)]));
        request = again.with_request_state(asked.request_state.expect("a state"));
    }
    assert_eq!(told(&call(request).await), json!({"calls": 2}));
}
