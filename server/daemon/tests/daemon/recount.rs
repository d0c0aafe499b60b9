//! The ledger's figures against a count of the real traffic, from what went over the servers' wires and from what a model
//! wrote and saw, with the tokenizer alone and the formula written out once more: they agree to the token.
//!
//! Only two things are taken from the daemon's own account: which call was in which wave, and which did not reach a server.

use daemon::Options;
use model::request::SearchRequest;
use model::tokens::SideTokens;
use model::{CallRecord, CallStatus, Language, Reply, Request, RunReply, RunRequest, RunStatus, TokenReport};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use testkit::{TestDaemon, faulty_server};

const SERVERS: [(&str, &str); 3] = [("good", "pictures"), ("notes", "typed-tools"), ("idle", "ok")];
const CAP: u64 = 400;
/// What an image or a sound is charged with.
const MEDIA: u64 = 765;

/// What is run, in its language.
const PROGRAMS: [(Language, &str); 9] = [
    (
        Language::Python,
        "import asyncio\nfrom servers import good\n\
         first = await asyncio.gather(*[good.echo(n=n, said='naïve, 界') for n in range(4)])\n\
         (await good.echo(n=sum(one['n'] for one in first)))['n']",
    ),
    (
        Language::TypeScript,
        "import * as good from 'servers/good';\nimport * as notes from 'servers/notes';\n\
         const [seen, note] = await Promise.all([good.blocks({}), notes.read_note({ path: 'a' })]);\n\
         const more = await good.blocks({});\n[JSON.stringify(seen).length, note.length, JSON.stringify(more).length]",
    ),
    // Caught, and tried again.
    (
        Language::Python,
        "from servers import good\nsaid = []\nfor tool in (good.fail, good.fail, good.echo):\n\
         \x20   try:\n        said.append(await tool(a=1, b=[True, None, 2.5]))\n\
         \x20   except Exception as error:\n        said.append(str(error))\nsaid",
    ),
    // Larger than a host lets in.
    (
        Language::JavaScript,
        "import * as good from 'servers/good';\nlet sum = 0;\n\
         for (const bytes of [30000, 50, 40000]) sum += (await good.big({ bytes })).length;\nsum",
    ),
    // Refused before anything is sent.
    (
        Language::Python,
        "from servers import notes\ntry:\n    await notes.read_note(path=1)\nexcept Exception as error:\n    print(error)\n\
         len(await notes.read_note(path='b', head=3))",
    ),
    (Language::Python, "from servers import good\nawait good.echo(a=1)\n1 / 0"),
    (Language::TypeScript, "import * as good from 'servers/good';\nawait good.fail({ why: 'nobody catches it' });"),
    (Language::JavaScript, "[1, 2, 3].map((n) => n * n)"),
    (
        Language::TypeScript,
        "import * as good from 'servers/good';\nfor (let n = 0; n < 130; n++) await good.echo({ n });\nconsole.log('done')",
    ),
];

/// A server whose both directions are written down.
fn tapped(folder: &Path, name: &str, fault: &str) -> Value {
    let script = r#"tee -a "$1" | "$2" "$3" | tee -a "$4""#;
    let [sent, answered] = wires(folder, name);
    json!({"command": "/bin/sh", "args": ["-c", script, "sh", sent, faulty_server(), fault, answered]})
}

fn wires(folder: &Path, name: &str) -> [PathBuf; 2] {
    ["sent", "answered"].map(|way| folder.join(format!("{name}.{way}")))
}

/// One call as it went over the wire.
struct WireCall {
    tool: String,
    arguments: String,
    /// What a host would have put into a context, and the images beside it.
    seen: String,
    media: u64,
}

/// What a server was asked and what it answered since the last look.
struct Wire {
    folder: PathBuf,
    taken: BTreeMap<&'static str, usize>,
    /// Each server's definitions: the tokens of each tool.
    definitions: BTreeMap<&'static str, BTreeMap<String, u64>>,
}

impl Wire {
    /// The calls of a server, so many, in the order in which they were sent. What passes a tap is written down a moment later.
    fn calls(&mut self, name: &'static str, count: usize) -> Vec<WireCall> {
        let taken = self.taken.get(name).copied().unwrap_or_default();
        let (sent, answers) = loop {
            let [sent, answered] = wires(&self.folder, name).map(|file| messages(&file));
            let answers: BTreeMap<String, Value> = answered.into_iter().map(|it| (it["id"].to_string(), it)).collect();
            let asked: Vec<Value> = sent.into_iter().filter(|it| !it["id"].is_null()).collect();
            let calls = asked.iter().filter(|it| it["method"] == "tools/call").count();
            if calls >= taken + count && asked.iter().all(|it| answers.contains_key(&it["id"].to_string())) {
                break (asked, answers);
            }
            std::thread::yield_now();
        };
        let of = |method: &'static str| {
            sent.iter().filter(move |it| it["method"] == method).map(|it| (it, &answers[&it["id"].to_string()]))
        };
        for (_, answer) in of("tools/list") {
            let of_tool = |it: &Value| (it["name"].as_str().expect("a name").to_owned(), tokens(&prompt_form(it)));
            let listed = answer["result"]["tools"].as_array().expect("tools").iter().map(of_tool).collect();
            self.definitions.insert(name, listed);
        }
        let calls: Vec<WireCall> = of("tools/call").map(|(asked, answer)| call(asked, answer)).collect();
        self.taken.insert(name, calls.len());
        calls.into_iter().skip(taken).collect()
    }
}

/// The whole lines of a wire.
fn messages(file: &Path) -> Vec<Value> {
    let text = std::fs::read_to_string(file).unwrap_or_default();
    let whole = text.rsplit_once('\n').map_or("", |(whole, _)| whole);
    whole.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
}

fn call(asked: &Value, answer: &Value) -> WireCall {
    let blocks = answer["result"]["content"].as_array().cloned().unwrap_or_default();
    let media = blocks.iter().filter(|block| matches!(block["type"].as_str(), Some("image" | "audio"))).count() as u64;
    let texts =
        blocks.iter().filter(|block| block["type"] == "text").map(|block| block["text"].as_str().expect("text"));
    let others = blocks.iter().filter(|block| !matches!(block["type"].as_str(), Some("image" | "audio" | "text")));
    let parts: Vec<String> = texts.map(str::to_owned).chain(others.map(Value::to_string)).collect();
    let mut seen = parts.join("\n");
    if seen.is_empty() && !answer["result"]["structuredContent"].is_null() {
        seen = answer["result"]["structuredContent"].to_string();
    }
    let params = &asked["params"];
    WireCall {
        tool: params["name"].as_str().expect("a name").to_owned(),
        arguments: params["arguments"].to_string(),
        seen,
        media,
    }
}

fn tokens(text: &str) -> u64 {
    tiktoken_rs::o200k_base_singleton().count_ordinary(text) as u64
}

fn written(tool: &str, arguments: &str) -> u64 {
    tokens(&format!(r#"{{"name":"{tool}","arguments":{arguments}}}"#))
}

/// A definition as it stands in a prompt.
fn prompt_form(tool: &Value) -> String {
    let (name, schema) = (&tool["name"], &tool["inputSchema"]);
    match tool["description"].as_str() {
        Some(description) => {
            format!(r#"{{"name":{name},"description":{},"input_schema":{schema}}}"#, Value::from(description))
        }
        None => format!(r#"{{"name":{name},"input_schema":{schema}}}"#),
    }
}

/// Turn by turn: P1 = D, P(t+1) = P(t) + A(t) + R(t); the last turn writes nothing.
fn play(definitions: u64, turns: &[(u64, u64)]) -> SideTokens {
    let mut side = SideTokens { definitions, ..SideTokens::default() };
    let (mut prompt, mut before) = (definitions, definitions);
    for (written, returned) in turns.iter().chain(&[(0, 0)]) {
        side.turns += 1;
        side.total += prompt + written;
        side.cacheable += before;
        (side.output, side.results) = (side.output + written, side.results + returned);
        side.peak_context = prompt;
        (before, prompt) = (prompt, prompt + written + returned);
    }
    side
}

/// Both sides of a run: code mode, then deferred, all servers, needed servers.
fn recount(reply: &RunReply, code: (u64, u64), searches: &[(u64, u64)], wire: &mut Wire) -> [SideTokens; 4] {
    let is_refused = |call: &CallRecord| call.status == CallStatus::Error && call.server == "notes";
    let mut sent: BTreeMap<&str, Vec<WireCall>> = BTreeMap::new();
    for (name, _) in SERVERS {
        let count = reply.calls.iter().filter(|call| call.server == name && !is_refused(call)).count();
        sent.insert(name, wire.calls(name, count));
    }
    let tools: Value = serde_json::from_str(include_str!("../../../../toolsets/tools.json")).expect("JSON");
    let own: Vec<String> = tools["tools"].as_array().expect("tools").iter().map(prompt_form).collect();
    let turns: Vec<(u64, u64)> = searches.iter().copied().chain([code]).collect();
    let code_mode = play(tokens(&format!("[{}]", own.join(","))), &turns);
    let mut waves: BTreeMap<u32, (u64, u64)> = BTreeMap::new();
    for record in &reply.calls {
        let calls = sent.get_mut(record.server.as_str()).expect("a server of ours");
        let call = if is_refused(record) {
            WireCall { tool: record.tool.clone(), arguments: r#"{"path":1}"#.to_owned(), seen: String::new(), media: 0 }
        } else {
            let at = calls.iter().position(|call| call.tool == record.tool);
            calls.remove(at.expect("it was sent"))
        };
        let wave = waves.entry(record.wave).or_default();
        wave.0 += written(&call.tool, &call.arguments);
        wave.1 += tokens(&call.seen).min(CAP) + call.media * MEDIA;
    }
    assert!(sent.values().all(Vec::is_empty), "every call on a wire is in the receipt");
    if reply.status != RunStatus::Ok || reply.calls.is_empty() {
        return [code_mode, SideTokens::default(), SideTokens::default(), SideTokens::default()];
    }
    let waves = spread(waves.into_values().collect());
    let server = |name: &str| wire.definitions[name].values().sum::<u64>();
    let used: BTreeSet<(&str, &str)> = reply.calls.iter().map(|it| (it.server.as_str(), it.tool.as_str())).collect();
    let names: BTreeSet<&str> = used.iter().map(|(_, tool)| *tool).collect();
    let query = json!({"query": names.into_iter().collect::<Vec<_>>().join(" ")}).to_string();
    let found = used.iter().map(|(server, tool)| wire.definitions[server][*tool]).sum();
    let deferred: Vec<_> =
        [(written("search_tools", &query), found)].into_iter().chain(waves.iter().copied()).collect();
    let servers: BTreeSet<&str> = used.iter().map(|(server, _)| *server).collect();
    [
        code_mode,
        play(tokens(&own[1]), &deferred),
        play(SERVERS.iter().map(|(name, _)| server(name)).sum(), &waves),
        play(servers.into_iter().map(server).sum(), &waves),
    ]
}

/// No more than a hundred turns of direct calling.
fn spread(waves: Vec<(u64, u64)>) -> Vec<(u64, u64)> {
    if waves.len() <= 100 {
        return waves;
    }
    let mut turns = vec![(0, 0); 100];
    for (at, wave) in waves.iter().enumerate() {
        let turn: &mut (u64, u64) = &mut turns[at * 100 / waves.len()];
        *turn = (turn.0 + wave.0, turn.1 + wave.1);
    }
    turns
}

fn sides(report: TokenReport) -> [SideTokens; 4] {
    [report.code_mode, report.direct.deferred, report.direct.all_servers, report.direct.needed_servers]
}

async fn asked(test: &TestDaemon, request: Request) -> Reply {
    test.daemon.submit(request, "mcp", &test.conversation).reply().await.expect("an answer")
}

#[tokio::test]
async fn figures_agree_with_a_count_of_the_real_traffic_to_the_token() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut builder =
        TestDaemon::builder().options(Options::default()).toml(&format!("[ledger]\nhost_result_cap_tokens = {CAP}\n"));
    for (name, fault) in SERVERS {
        builder = builder.server(name, tapped(folder.path(), name, fault));
    }
    let test = builder.start().await;
    let Reply::Servers(listed) = asked(&test, Request::Servers { list: true }).await else { panic!("servers") };
    assert_eq!(listed.len(), SERVERS.len());
    let mut wire = Wire { folder: folder.path().to_owned(), taken: BTreeMap::new(), definitions: BTreeMap::new() };
    let mut expected: [SideTokens; 4] = std::array::from_fn(|_| SideTokens::default());
    for (n, (language, code)) in PROGRAMS.into_iter().enumerate() {
        let mut searches = Vec::new();
        for k in 0..n % 3 {
            let search = SearchRequest { query: format!("note {k}"), ..SearchRequest::default() };
            let Reply::Search(found) = asked(&test, Request::Search(search.clone())).await else { panic!("a search") };
            let arguments = serde_json::to_string(&search).expect("JSON");
            let seen = tokens(&model::reply_text::search_text(&found)).min(CAP);
            searches.push((written("search_tools", &arguments), seen));
        }
        let request = RunRequest { code: code.to_owned(), language: Some(language), ..RunRequest::default() };
        let Reply::Run(reply) = asked(&test, Request::Run(request)).await else { panic!("a run") };
        let arguments = json!({"code": code, "language": language.as_str()}).to_string();
        let seen = tokens(&model::reply_text::reply_text(&reply)).min(CAP);
        let counted = recount(&reply, (written("run_code", &arguments), seen), &searches, &mut wire);
        let receipt = asked(&test, Request::Receipt { run_id: reply.run_id.clone() }).await;
        let Reply::Receipt(report, _) = receipt else { panic!("a receipt") };
        assert_eq!(sides(*report), counted, "program {n} of {}: {:?}", reply.status.as_str(), reply.error);
        for (sum, side) in expected.iter_mut().zip(&counted) {
            sum.definitions += side.definitions;
            sum.output += side.output;
            sum.results += side.results;
            sum.turns += side.turns;
            sum.total += side.total;
            sum.cacheable += side.cacheable;
            sum.peak_context = sum.peak_context.max(side.peak_context);
        }
    }
    let Reply::Savings(savings) = asked(&test, Request::Savings).await else { panic!("sums") };
    assert_eq!((savings.workspace.runs, savings.pending), (PROGRAMS.len() as u64, 0));
    assert_eq!(sides(savings.workspace.tokens), expected);
    let Reply::Report(report) = asked(&test, Request::Report(model::report::ReportRequest::default())).await else {
        panic!("a report")
    };
    assert_eq!((sides(report.total.tokens), report.total.estimated_runs), (expected, 0));
}
