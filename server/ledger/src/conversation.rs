//! What a conversation cost as one context: it begins once, grows from run to run, and every prompt carries what is in it.
//!
//! A run by itself (`receipt.rs`) begins with an empty context. Here the definitions stand at the front of one context,
//! each run adds its turns and ends with an answer, and the next one's prompts carry all that. A failed program is followed by the
//! next one, without an answer between. With deferred definitions the host's search finds the tools that no run before has
//! used; those it found stay. Read from what was stored; `media` and caps as in a run's receipt. Left out: the user's texts and the
//! answers', which are the same on both sides.

use crate::count::{Counter, Encoding};
use crate::definitions::ServerTokens;
use crate::error::Error;
use crate::formula::{self, NO_WINDOW, Step, fold};
use crate::reader::{counted_calls, sides};
use crate::receipt::{CountedCall, host_search_call, report, waves};
use crate::store::connect;
use model::report::ConversationReport;
use model::tokens::{Baselines, SideTokens};
use model::{ConversationId, TokenReport};
use rusqlite::Connection;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::Path;
use std::sync::Arc;

/// The definitions that are known, by server.
pub(crate) type Known = HashMap<String, Arc<ServerTokens>>;

/// One run of the conversation, as it was stored.
#[derive(Clone, Debug, Default)]
struct Run {
    id: String,
    credited: bool,
    estimated: bool,
    cap_tokens: u64,
    window_tokens: u64,
    encoding: Encoding,
    code: SideTokens,
    /// The host's search tool, before any run; zero where the run is not credited.
    search_definitions: u64,
    all_definitions: u64,
    needed_definitions: u64,
    searches: Vec<Step>,
    calls: Vec<CountedCall>,
}

/// What the conversation's counted runs cost, both ways.
pub(crate) fn conversation(path: &Path, id: &ConversationId, known: &Known) -> Result<ConversationReport, Error> {
    let runs = stored(&connect(path, false)?, id)?;
    // Runs of one sitting are counted with one window, unless it was configured anew meanwhile.
    let window = runs.iter().map(|run| run.window_tokens).max().filter(|window| *window > 0).unwrap_or(NO_WINDOW);
    Ok(compare(&runs, known, window))
}

fn compare(runs: &[Run], known: &Known, window: u64) -> ConversationReport {
    let each = |run: &Run| waves(run.calls.iter(), run.cap_tokens);
    let (waves, once) = (
        direct(runs, known, window, |run| fold(each(run))),
        direct(runs, known, window, |run| each(run).into_iter().reduce(plus).into_iter().collect()),
    );
    let tokens = report([code_mode(runs, window), waves.deferred, waves.all_servers, waves.needed_servers]);
    let calls = runs.iter().map(|run| run.calls.len() as u64).sum();
    let labels = BTreeMap::from([("total".to_owned(), label(runs))]);
    ConversationReport {
        runs: runs.len() as u64,
        calls,
        tokens: TokenReport { labels, encoding: encoding(runs).name().to_owned(), ..tokens },
        at_once: once,
        ..ConversationReport::default()
    }
}

/// What the last run was counted in; a sitting has one, unless it was configured anew meanwhile.
fn encoding(runs: &[Run]) -> Encoding {
    runs.last().map(|run| run.encoding).unwrap_or_default()
}

fn label(runs: &[Run]) -> String {
    let estimated = runs.iter().filter(|run| run.estimated).count();
    format!("computed: one context over {} runs, {estimated} with estimated counts", runs.len())
}

fn code_mode(runs: &[Run], window: u64) -> SideTokens {
    let definitions = runs.iter().map(|run| run.code.definitions).max().unwrap_or_default();
    let exchanges = runs.iter().map(|run| {
        let searched = run.searches.iter().fold(Step::default(), |sum, it| plus(sum, *it));
        let program = Step { output: run.code.output - searched.output, results: run.code.results - searched.results };
        (run.searches.iter().copied().chain([program]).collect(), run.credited)
    });
    side(definitions, &joined(exchanges), window)
}

/// Direct calling under each baseline, where `steps` says in what turns a run's calls are made.
fn direct(runs: &[Run], known: &Known, window: u64, steps: impl Fn(&Run) -> Vec<Step>) -> Baselines {
    let credited: Vec<&Run> = runs.iter().filter(|run| run.credited).collect();
    if credited.is_empty() {
        return Baselines::default();
    }
    let most = |figure: fn(&Run) -> u64| credited.iter().map(|run| figure(run)).max().unwrap_or_default();
    let plain = joined(credited.iter().map(|run| (steps(run), true)));
    let mut found = BTreeSet::new();
    let mut counter = Counter::new(encoding(runs));
    let searching = credited.iter().map(|run| {
        let search = search(run, &mut found, known, &mut counter);
        (search.into_iter().chain(steps(run)).collect(), true)
    });
    Baselines {
        deferred: side(most(|run| run.search_definitions), &joined(searching), window),
        all_servers: side(most(|run| run.all_definitions), &plain, window),
        needed_servers: side(needed(&credited, known).max(most(|run| run.needed_definitions)), &plain, window),
    }
}

fn side(definitions: u64, steps: &[Step], window: u64) -> SideTokens {
    formula::side(definitions, steps, window).0
}

/// The definitions of every server that the conversation used.
fn needed(runs: &[&Run], known: &Known) -> u64 {
    let servers: BTreeSet<&str> = runs.iter().flat_map(|run| &run.calls).map(|call| call.server.as_str()).collect();
    servers.into_iter().filter_map(|server| Some(known.get(server)?.total)).sum()
}

/// The host's search for the tools that were not found before; none where all were.
fn search(run: &Run, found: &mut BTreeSet<(String, String)>, known: &Known, counter: &mut Counter) -> Option<Step> {
    let new: Vec<CountedCall> =
        run.calls.iter().filter(|call| found.insert((call.server.clone(), call.tool.clone()))).cloned().collect();
    if new.is_empty() {
        return None;
    }
    let tokens = |call: &CountedCall| known.get(&call.server)?.tools.get(&call.tool).copied();
    let results = new.iter().filter_map(tokens).sum();
    Some(Step { output: counter.count(&host_search_call(&new)).tokens, results })
}

fn plus(a: Step, b: Step) -> Step {
    Step { output: a.output + b.output, results: a.results + b.results }
}

/// The turns of all runs: an answer, which writes nothing here, stands between those that end with one.
fn joined(runs: impl Iterator<Item = (Vec<Step>, bool)>) -> Vec<Step> {
    let mut all = Vec::new();
    let mut answered = false;
    for (steps, answers) in runs {
        if answered {
            all.push(Step::default());
        }
        all.extend(steps);
        answered = answers;
    }
    all
}

fn stored(connection: &Connection, id: &ConversationId) -> rusqlite::Result<Vec<Run>> {
    let mut statement = connection.prepare(
        "SELECT run_id, credited, estimated, cap_tokens, window_tokens, encoding FROM runs
         WHERE conversation = ? AND counted = 1 ORDER BY at_ms, run_id",
    )?;
    let runs = statement.query_map([id.as_str()], |row| {
        Ok(Run {
            id: row.get(0)?,
            credited: row.get(1)?,
            estimated: row.get(2)?,
            cap_tokens: row.get(3)?,
            window_tokens: row.get(4)?,
            encoding: Encoding::named(&row.get::<_, String>(5)?).unwrap_or_default(),
            ..Run::default()
        })
    })?;
    runs.map(|run| fill(connection, run?)).collect()
}

fn fill(connection: &Connection, mut run: Run) -> rusqlite::Result<Run> {
    let [code, deferred, all, needed] = sides(connection, &run.id)?;
    (run.code, run.search_definitions) = (code, deferred.definitions);
    (run.all_definitions, run.needed_definitions) = (all.definitions, needed.definitions);
    let cap = run.cap_tokens;
    run.searches = connection
        .prepare_cached("SELECT argument_tokens, result_tokens FROM discoveries WHERE run_id = ? ORDER BY id")?
        .query_map([&run.id], |row| Ok(Step { output: row.get(0)?, results: row.get::<_, u64>(1)?.min(cap) }))?
        .collect::<Result<_, _>>()?;
    // What the cache answered is an answer that a model which calls directly has in its context already.
    run.calls = counted_calls(connection, &run.id, true)?;
    Ok(run)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::count::Count;

    fn call(tool: &str, wave: u32, output: u64, result: u64) -> CountedCall {
        let exact = |tokens| Count { tokens, exact: true };
        CountedCall {
            server: "fs".to_owned(),
            tool: tool.to_owned(),
            wave,
            output: exact(output),
            result: exact(result),
            media: 0,
            repeated: false,
        }
    }

    fn run(output: u64, results: u64, calls: Vec<CountedCall>) -> Run {
        Run {
            credited: true,
            cap_tokens: 1_000,
            code: SideTokens { definitions: 300, output, results, ..SideTokens::default() },
            search_definitions: 150,
            all_definitions: 900,
            needed_definitions: 500,
            calls,
            ..Run::default()
        }
    }

    fn known() -> Known {
        let tools = HashMap::from([("read".to_owned(), 90), ("list".to_owned(), 60)]);
        HashMap::from([("fs".to_owned(), Arc::new(ServerTokens { tools, total: 500, exact: true }))])
    }

    /// First a listing and two files, of which one is over the cap; then one of them again.
    fn two_runs() -> Vec<Run> {
        let first = vec![call("list", 0, 10, 20), call("read", 1, 10, 100), call("read", 1, 10, 5_000)];
        vec![run(100, 30, first), run(40, 10, vec![call("read", 0, 10, 100)])]
    }

    #[test]
    fn a_conversation_is_one_growing_context() {
        let report = compare(&two_runs(), &known(), NO_WINDOW);
        // D = 300. Run 1: P1 = 300 writes 100, gets 30; the answer: P2 = 430. Run 2: P3 = 430 writes 40, gets 10; P4 = 480.
        // total = 300 + 430 + 430 + 480 + 140 = 1,780.
        let code = &report.tokens.code_mode;
        assert_eq!((code.total, code.turns, code.peak_context, code.definitions), (1_780, 4, 480, 300));
        // Needed, D = 500: P1 = 500 writes 10, gets 20; P2 = 530 writes 20, gets 100 + 1,000; answer P3 = 1,650;
        // P4 = 1,650 writes 10, gets 100; answer P5 = 1,760. total = 500 + 530 + 1,650 + 1,650 + 1,760 + 40 = 6,130.
        let needed = &report.tokens.direct.needed_servers;
        assert_eq!((needed.total, needed.turns, needed.peak_context), (6_130, 5, 1_760));
        // At once: P1 = 500 writes 30, gets 1,120; answer P2 = 1,650; P3 = 1,650 writes 10, gets 100; answer P4 = 1,760.
        assert_eq!(report.at_once.needed_servers.total, 500 + 1_650 + 1_650 + 1_760 + 40);
        assert_eq!((report.runs, report.calls), (2, 4));
    }

    #[test]
    fn tools_are_searched_for_once_in_a_conversation() {
        let deferred = compare(&two_runs(), &known(), NO_WINDOW).tokens.direct.deferred;
        let searched = host_search_call(&two_runs()[0].calls);
        let written = Counter::new(Encoding::O200k).count(&searched).tokens;
        // One search: 60 + 90 tokens of definitions come back; the second run finds `read` in its context.
        assert_eq!((deferred.turns, deferred.output, deferred.results), (6, 40 + written, 150 + 1_220));
    }

    #[test]
    fn a_failed_program_is_paid_for_and_followed_without_an_answer() {
        let mut runs = two_runs();
        runs.insert(0, Run { credited: false, calls: Vec::new(), ..run(100, 50, Vec::new()) });
        let report = compare(&runs, &known(), NO_WINDOW);
        // P1 = 300 writes 100, gets 50; P2 = 450 writes 100, gets 30; answer P3 = 580; P4 = 580 writes 40, gets 10; P5 = 630.
        assert_eq!(
            (report.tokens.code_mode.total, report.tokens.code_mode.turns),
            (300 + 450 + 580 + 580 + 630 + 240, 5)
        );
        assert_eq!(report.tokens.direct, compare(&two_runs(), &known(), NO_WINDOW).tokens.direct);
        assert_eq!(compare(&runs[..1], &known(), NO_WINDOW).tokens.direct, Baselines::default());
    }
}
