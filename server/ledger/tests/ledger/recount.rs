//! Sixty runs of mixed fortunes, counted a second time from their texts with the tokenizer alone, by the formula written out
//! once more: the totals agree to the token.

use crate::reports::of;
use crate::support::{CAP, OWN, call, definition_tokens, open, play, run, tokens, tool, written_tokens};
use ledger::{CallFacts, Ledger, MEDIA_TOKENS, RunFacts};
use model::report::ReportRequest;
use model::tokens::SideTokens;
use model::{CacheOutcome, CallStatus, RunStatus, ToolDefinition};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

const SERVERS: [&str; 2] = ["fs", "git"];
const TOOLS: [&str; 3] = ["read", "list", "log"];

fn offered(server: &str) -> Arc<[ToolDefinition]> {
    TOOLS.map(|name| tool(name, &format!("What {name} does on {server}."))).into()
}

/// A search of the tools: what was written, and what came back.
type Search = (String, String);

/// What happens: searches, then the run that pays for them.
fn traffic(n: usize) -> (Vec<Search>, RunFacts) {
    let searches =
        (0..n % 3).map(|k| (format!(r#"{{"query":"find {n} {k}"}}"#), "a hit with a stub\n".repeat(k * 30 + 1)));
    let mut calls: Vec<CallFacts> = (0..n % 6).map(|k| nth_call(n, k)).collect();
    if n % 5 == 4 && n % 6 > 1 {
        // The second call is the first once more, and the cache knows it.
        calls[1] = calls[0].clone();
        calls[1].record.cache = CacheOutcome::Hit;
    }
    let status = [RunStatus::Ok, RunStatus::Ok, RunStatus::Error, RunStatus::Ok, RunStatus::Limit][n % 5];
    let facts = RunFacts {
        conversation: format!("conversation {n}").as_str().into(),
        code_arguments: format!(r#"{{"code":"await fs.read({n})\n{}"}}"#, "# naïve, 界\n".repeat(n % 7)).into(),
        reply_text: "a line of the reply\n".repeat(n % 4 * 9 + 1).into(),
        ..run(status, calls)
    };
    (searches.collect(), facts)
}

fn nth_call(n: usize, k: usize) -> CallFacts {
    let (server, tool) = (SERVERS[(n + k) % 2], TOOLS[(n * 7 + k) % 3]);
    let wave = u32::try_from(k / 2).expect("few");
    let mut call = call(server, tool, wave, &format!(r#"{{"path":"{n}-{k}"}}"#), &"some words ".repeat((n * k) % 50));
    if k == 3 {
        call.media = 2;
    }
    if (n + k) % 4 == 3 {
        call.record.status = CallStatus::Error;
    }
    call
}

/// Code mode and the three baselines of one run.
fn recount(searches: &[Search], facts: &RunFacts) -> [SideTokens; 4] {
    let own: Vec<serde_json::Value> = serde_json::from_str(OWN).expect("JSON");
    let own_all = tokens(&serde_json::to_string(&own).expect("JSON"));
    let mut turns: Vec<(u64, u64)> = searches
        .iter()
        .map(|(arguments, result)| (written_tokens("search_tools", arguments), tokens(result).min(CAP)))
        .collect();
    turns.push((written_tokens("run_code", &facts.code_arguments), tokens(&facts.reply_text).min(CAP)));
    let code_mode = play(own_all, &turns);
    let mut seen = BTreeSet::new();
    let credited: Vec<&CallFacts> = facts
        .calls
        .iter()
        .filter(|call| {
            let first = seen.insert((call.record.server.as_str(), call.record.tool.as_str(), &*call.arguments_json));
            first || call.record.cache == CacheOutcome::Miss
        })
        .collect();
    if facts.status != RunStatus::Ok || credited.is_empty() {
        return [code_mode, SideTokens::default(), SideTokens::default(), SideTokens::default()];
    }
    let mut waves: BTreeMap<u32, (u64, u64)> = BTreeMap::new();
    for call in &credited {
        let wave = waves.entry(call.record.wave).or_default();
        wave.0 += written_tokens(&call.record.tool, &call.arguments_json);
        wave.1 += tokens(&call.result_text).min(CAP) + u64::from(call.media) * MEDIA_TOKENS;
    }
    let waves: Vec<(u64, u64)> = waves.into_values().collect();
    let server = |name: &str| offered(name).iter().map(definition_tokens).sum::<u64>();
    let used: BTreeSet<&str> = facts.calls.iter().map(|call| call.record.server.as_str()).collect();
    let found: BTreeSet<(&str, &str)> =
        credited.iter().map(|call| (call.record.server.as_str(), call.record.tool.as_str())).collect();
    let definition = |(server, name): &(&str, &str)| {
        offered(server).iter().find(|tool| tool.name == *name).map(definition_tokens).expect("it is offered")
    };
    let names: Vec<&str> =
        facts.calls.iter().map(|call| call.record.tool.as_str()).collect::<BTreeSet<_>>().into_iter().collect();
    let query = format!(r#"{{"query":"{}"}}"#, names.join(" "));
    let search = (written_tokens("search_tools", &query), found.iter().map(definition).sum());
    let deferred: Vec<(u64, u64)> = std::iter::once(search).chain(waves.iter().copied()).collect();
    [
        code_mode,
        play(tokens(&own[1].to_string()), &deferred),
        play(SERVERS.iter().map(|name| server(name)).sum(), &waves),
        play(used.iter().map(|name| server(name)).sum(), &waves),
    ]
}

#[tokio::test]
async fn the_totals_of_mixed_traffic_agree_with_a_second_count_to_the_token() {
    let folder = tempfile::tempdir().expect("a folder");
    let ledger = open(folder.path());
    for server in SERVERS {
        ledger.definitions(server, offered(server));
    }
    let mut expected: [SideTokens; 4] = std::array::from_fn(|_| SideTokens::default());
    for n in 0..60 {
        let (searches, facts) = traffic(n);
        for (arguments, result) in &searches {
            ledger.discovery(&facts.conversation, arguments.as_str().into(), result.as_str().into());
        }
        let sides = recount(&searches, &facts);
        let id = facts.run_id.clone();
        ledger.record(facts);
        let (report, _) = ledger.receipt(&id).await.expect("counted");
        let counted =
            [report.code_mode, report.direct.deferred, report.direct.all_servers, report.direct.needed_servers];
        assert_eq!(counted, sides, "run {n}");
        for (sum, side) in expected.iter_mut().zip(&sides) {
            sum.definitions += side.definitions;
            sum.output += side.output;
            sum.results += side.results;
            sum.turns += side.turns;
            sum.total += side.total;
            sum.cacheable += side.cacheable;
            sum.peak_context = sum.peak_context.max(side.peak_context);
        }
    }
    assert_totals(&ledger, &expected).await;
    assert_totals(&open(folder.path()), &expected).await;
}

/// The running totals and the sums of a report, which are kept apart.
async fn assert_totals(ledger: &Ledger, expected: &[SideTokens; 4]) {
    let report = of(ledger, ReportRequest::default()).await.total;
    for tokens in [ledger.savings().workspace.tokens, report.tokens] {
        let direct = tokens.direct;
        assert_eq!(&[tokens.code_mode, direct.deferred, direct.all_servers, direct.needed_servers], expected);
    }
    assert_eq!((report.runs, report.estimated_runs), (60, 0));
}
