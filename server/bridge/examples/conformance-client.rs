//! The bridge as the official conformance suites' client: `conformance-client URL` connects, lists the tools and calls them.
//!
//! A suite gives what its scenario needs in `MCP_CONFORMANCE_CONTEXT`; all of them ask for no more than any program does.
//! Where somebody has to log in, the login's page is opened and followed; forms are sent off as they come.

use bridge::{Bridge, Error, Host, LoginPage, Options};
use futures::future::{BoxFuture, FutureExt as _};
use model::ask::{ElicitReply, ElicitRequest, Offers};
use model::server::OAuth;
use model::{Secret, ServerSpec, ToolDefinition, Transport};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

#[expect(unreachable_pub, reason = "it is public in testkit")]
#[path = "../../testkit/src/faulty.rs"]
mod faulty;

const SERVER: &str = "suite";
/// Less than a suite waits, so that it hears why.
const LIMIT: Duration = Duration::from_secs(20);
/// The document that the suites' authorization servers know us by, where they read such documents.
const CLIENT: &str = "https://conformance-test.local/client-metadata.json";
/// How often one request is made again after a login: once for the login, and for each step up of its rights.
const LOGINS_MAX: usize = 3;

/// What a scenario tells its client.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Context {
    #[serde(rename = "toolCalls")]
    tool_calls: Vec<ToolCall>,
    client_id: Option<String>,
    client_secret: Option<String>,
}

#[derive(Clone, Deserialize)]
struct ToolCall {
    name: String,
    #[serde(default)]
    arguments: Map<String, Value>,
}

/// Who sends every form off as it comes.
#[derive(Debug)]
struct Person;

impl Host for Person {
    fn offers(&self) -> Offers {
        Offers { form: true, ..Offers::default() }
    }

    fn elicit(&self, request: ElicitRequest) -> BoxFuture<'static, Result<ElicitReply, String>> {
        let fields = if let ElicitRequest::Form { fields, .. } = request { fields } else { Vec::new() };
        let content = fields.iter().filter_map(|field| Some((field.name.clone(), field.default_value()?))).collect();
        async { Ok(ElicitReply::Accept { content }) }.boxed()
    }
}

#[tokio::main]
async fn main() -> Result<(), String> {
    let url = std::env::args().nth(1).ok_or("conformance-client URL")?;
    let context = std::env::var("MCP_CONFORMANCE_CONTEXT").unwrap_or_else(|_| "{}".to_owned());
    let context: Context = serde_json::from_str(&context).map_err(|e| format!("MCP_CONFORMANCE_CONTEXT: {e}"))?;
    let bridge = Bridge::new(Options { host: Some(Arc::new(Person)), ..Options::default() }, |_event| {});
    let transport = Transport::Http { url, headers: BTreeMap::new(), sse: false };
    let oauth = OAuth {
        client_id: Some(context.client_id.clone().unwrap_or_else(|| CLIENT.to_owned())),
        client_secret: context.client_secret.clone().map(Secret::new),
        ..OAuth::default()
    };
    bridge.apply(vec![ServerSpec { transport, oauth, ..faulty::faulty_spec(SERVER, "ok") }]);
    let played = tokio::time::timeout(LIMIT, play(&bridge, context)).await;
    bridge.shutdown().await;
    played.map_err(|_| format!("it took longer than {LIMIT:?}"))?.map_err(|e| e.to_string())
}

/// Makes the scenario's calls, or else one of each tool.
async fn play(bridge: &Bridge, context: Context) -> Result<(), Error> {
    let tools = logged_in(bridge, || bridge.tools(SERVER)).await?;
    let calls = match context.tool_calls {
        calls if calls.is_empty() => tools.iter().map(|tool| call_of(tool, &tools)).collect(),
        calls => calls,
    };
    for ToolCall { name, arguments } in calls {
        logged_in(bridge, || bridge.call(SERVER, &name, arguments.clone(), LIMIT)).await?;
    }
    Ok(())
}

/// What a request brings, with whatever logins it takes.
async fn logged_in<T, F: Future<Output = Result<T, Error>>>(
    bridge: &Bridge,
    request: impl Fn() -> F,
) -> Result<T, Error> {
    let mut logins = 0;
    while logins < LOGINS_MAX {
        match request().await {
            Err(error) if error.needs_login() => {}
            outcome => return outcome,
        }
        match bridge.login(SERVER, false, Box::new(browse)).await {
            // It is not asked for again so soon, except by a person who wants it.
            Err(Error::LoginFailed { .. }) if logins > 0 => bridge.login(SERVER, true, Box::new(browse)).await?,
            // A login starts the server anew, which may refuse that too.
            Err(error) if error.needs_login() => {}
            outcome => outcome?,
        }
        logins += 1;
    }
    request().await
}

/// Opens a login's page, and follows it back to us.
fn browse(page: LoginPage) -> BoxFuture<'static, Result<(), String>> {
    // Not waited for: what we come back to answers when the login is over.
    tokio::spawn(async move {
        let client = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).no_proxy().build()?;
        let answer = client.get(&page.url).send().await?;
        if let Some(back) = answer.headers().get("location").and_then(|back| back.to_str().ok()) {
            client.get(back).send().await?;
        }
        Ok::<_, reqwest::Error>(())
    });
    async { Ok(()) }.boxed()
}

/// A call with the least that its schema asks for; one that takes a schema gets that of the first tool.
fn call_of(tool: &ToolDefinition, all: &[ToolDefinition]) -> ToolCall {
    let required = tool.input_schema.get("required").and_then(Value::as_array).into_iter().flatten();
    let value = |name: &str| match tool.input_schema["properties"][name]["type"].as_str() {
        Some("number" | "integer") => json!(7),
        Some("boolean") => json!(true),
        Some("object") if name == "schema" => json!(all[0].input_schema),
        Some("object") => json!({}),
        Some("array") => json!([]),
        _ => json!("text"),
    };
    let arguments = required.filter_map(Value::as_str).map(|name| (name.to_owned(), value(name))).collect();
    ToolCall { name: tool.name.clone(), arguments }
}
