//! Subscriptions to resources, from programs in both languages: what they tell, what the receipt says, and their bounds.

use model::{CallRequest, CallStatus, Language, Reply, Request, RunReply, RunStatus};
use serde_json::{Value, json};
use testkit::TestDaemon;

const PYTHON: &str = "
import asyncio
from servers import hub
told = []

async def take(count):
    async for update in hub.resources.subscribe('text:d'):
        told.append([update, await hub.resources.read(update['uri'])])
        if len(told) == count:
            return

taking = asyncio.create_task(take(2))
log = []
while log != ['+text:d']:
    log = (await hub.subscribed())['log']
await hub.update(uris=['text:d', 'text:d/a', 'text:d'])
await taking
while log[-1:] != ['-text:d']:
    log = (await hub.subscribed())['log']
[told, log]
";

const TYPESCRIPT: &str = "
import * as hub from 'servers/hub';
const told: unknown[] = [];
const updates = await hub.resources.subscribe('text:d');
const made = hub.update({ uris: ['text:d', 'text:d/a', 'text:d'] });
for await (const update of updates) {
  told.push([update, await hub.resources.read(update.uri)]);
  if (told.length === 2) break;
}
await made;
let log: string[] = [];
while (log.at(-1) !== '-text:d') log = (await hub.subscribed()).log;
[told, log];
";

fn value(reply: &RunReply) -> Value {
    assert_eq!(reply.status, RunStatus::Ok, "{:?}", reply.error);
    serde_json::from_str(reply.result.as_ref().expect("a result").get()).expect("JSON")
}

async fn hub(toml: &str) -> TestDaemon {
    TestDaemon::builder().scripted("hub", &["tells"]).toml(toml).start().await
}

/// The records of the subscriptions: status, and bytes of what they told.
fn subscriptions(reply: &RunReply) -> Vec<(CallStatus, u64)> {
    let all = reply.calls.iter().filter(|call| call.tool == "resources/subscribe");
    all.map(|call| (call.status, call.result_bytes)).collect()
}

#[tokio::test]
async fn a_program_takes_changes_in_a_loop_and_leaving_it_unsubscribes() {
    let test = hub("").await;
    let reply = test.run(Language::Python, PYTHON).await;
    let part = json!([{"uri": "text:d/a", "times": 1}, "text:d/a"]);
    let all = value(&reply);
    assert!(all[0].as_array().expect("a list").contains(&part), "{all}");
    assert_eq!(all[1], json!(["+text:d", "-text:d"]));
    let told = subscriptions(&reply);
    assert!(matches!(told.as_slice(), [(CallStatus::Ok, 50..)]), "{told:?}");

    let reply = test.run(Language::TypeScript, TYPESCRIPT).await;
    let parts: Vec<Value> = value(&reply)[0].as_array().expect("a list").iter().map(|one| one[1].clone()).collect();
    assert!(parts.contains(&json!("text:d")), "{parts:?}");
    assert_eq!(subscriptions(&reply).len(), 1);
    let waves: Vec<u32> = reply.calls.iter().map(|call| call.wave).collect();
    assert!(waves.iter().max() > Some(&2), "a subscription that stands holds no wave open: {waves:?}");
}

#[tokio::test]
async fn the_end_of_a_run_ends_its_subscriptions_and_each_is_one_call_that_ended_well() {
    let test = hub("").await;
    let code = "from servers import hub\nu = await hub.resources.subscribe('text:a')\n\
                await hub.update(uris=['text:a'])\nawait anext(u)";
    let reply = test.run(Language::Python, code).await;
    assert_eq!(value(&reply), json!({"uri": "text:a", "times": 1}));
    let line = "{\"uri\":\"text:a\",\"times\":1}\n".len() as u64;
    assert_eq!(subscriptions(&reply), [(CallStatus::Ok, line)], "with what it told");
    let asked = "from servers import hub\nlog = []\nwhile log[-1:] != ['-text:a']:\n    log = (await hub.subscribed())['log']\nlog";
    assert_eq!(value(&test.run(Language::Python, asked).await), json!(["+text:a", "-text:a"]));
    let endless = "from servers import hub\nasync for u in hub.resources.subscribe('text:a'): pass";
    let request = model::RunRequest {
        code: endless.into(),
        language: Some(Language::Python),
        timeout_ms: Some(500),
        ..model::RunRequest::default()
    };
    let Ok(Reply::Run(reply)) = test.ask(Request::Run(request)).await else { panic!("a run answers with a run") };
    assert_eq!(reply.status, RunStatus::Limit, "the deadline holds: {:?}", reply.error);
    assert_eq!(subscriptions(&reply), [(CallStatus::Ok, 0)]);
}

#[tokio::test]
async fn what_ends_or_refuses_a_subscription_is_an_error_in_its_loop() {
    let test = TestDaemon::builder()
        .scripted("hub", &["tells"])
        .scripted("mute", &["ok"])
        .toml("[limits]\nsubscriptions = 2\ncalls_in_flight = 1\n")
        .start()
        .await;
    let python = "
from servers import hub, mute
said = []
async def why(updates):
    try:
        async for _ in updates: pass
    except ToolError as error:
        said.append([str(error), error.hint])
await why(mute.resources.subscribe('text:a'))
one, two = await hub.resources.subscribe('text:a'), await hub.resources.subscribe('text:a')
await why(hub.resources.subscribe('text:b'))
del one
try: await hub.die()
except ToolError: pass
await why(two)
await why(hub.resources.subscribe('none:'))
said
";
    let reply = test.run(Language::Python, python).await;
    let said = value(&reply);
    let texts: Vec<&str> = (0..4).map(|n| said[n][0].as_str().expect("a text")).collect();
    assert!(texts[0].contains("server `mute` offers no subscriptions to resources"), "{said}");
    assert!(said[0][1].as_str().expect("a hint").contains("resources.read(uri)"), "{said}");
    assert!(texts[1].contains("subscribed to 2 resources already"), "{said}");
    assert!(texts[2].contains("died") && texts[2].contains("asked to die"), "{said}");
    assert!(texts[3].contains("there is no none:"), "{said}");
    let script = "import * as hub from 'servers/hub';\nconst updates = await hub.resources.subscribe('text:a');\n\
                  await hub.die().catch(() => {});\nlet said = '';\n\
                  try { for await (const _ of updates); } catch (error) { said = error.message; }\nsaid";
    let died = value(&test.run(Language::JavaScript, script).await);
    assert!(died.as_str().expect("a text").contains("asked to die"), "{died}");
}

#[tokio::test]
async fn a_call_by_hand_subscribes_to_nothing() {
    let test = hub("").await;
    let call = CallRequest {
        server: "hub".into(),
        tool: "resources/subscribe".into(),
        arguments: Some(json!({"uri": "text:a"})),
        timeout_ms: None,
    };
    let refused = test.ask(Request::Call(call)).await.expect_err("it has no answer");
    assert!(refused.to_string().contains("only a program"), "{refused}");
}
