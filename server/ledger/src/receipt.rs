//! From counts to a receipt: both sides of one run by the formula, and what each figure rests on.
//!
//! Code mode: one turn for each search of the tools, one for the program, one for the answer. Direct calling: one turn
//! for each wave of calls that were in flight together (up to a number, `formula.rs`), one for the answer; with deferred definitions one more, in which
//! the host's own tool search finds the tools. Both sides write the tool's name beside its arguments, and the host's cap
//! holds for what either gets back. A run that did not end well, or made no call, credits nothing to direct calling: its
//! cost is a loss. So is a call that the cache answered from an equal call of the same run: a model that calls directly
//! has that answer in its context. A subscription to a resource, which direct calling has not, is one call in a wave of its
//! own, answered with all the changes that were told.

use crate::count::{Count, Encoding};
use crate::definitions::ServerTokens;
use crate::formula::{NO_WINDOW, Step, fold, side};
use crate::labels::labels;
use model::tokens::{Baselines, SideTokens, TokenReport};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

/// Tokens charged for one image or sound: what gpt-4o's rule gives for a 1024 x 1024 image at high detail
/// (85 + 4 tiles of 170). An estimate: the ledger sees how many there were, not how large.
pub const MEDIA_TOKENS: u64 = 765;

/// A cap that caps nothing; the largest number the database holds.
pub(crate) const NO_CAP: u64 = i64::MAX as u64;

/// A counted call.
#[derive(Clone, Debug)]
pub(crate) struct CountedCall {
    pub(crate) server: String,
    pub(crate) tool: String,
    pub(crate) wave: u32,
    /// The call as the model would have written it.
    pub(crate) output: Count,
    /// Its answer, uncapped.
    pub(crate) result: Count,
    pub(crate) media: u32,
    /// The cache answered it from an equal call of the same run.
    pub(crate) repeated: bool,
}

/// A counted run.
#[derive(Clone, Debug)]
pub(crate) struct CountedRun {
    pub(crate) ended_well: bool,
    pub(crate) code: Count,
    pub(crate) reply: Count,
    pub(crate) calls: Vec<CountedCall>,
}

/// A counted exchange of the sandbox's tool search.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Exchange {
    pub(crate) arguments: Count,
    pub(crate) result: Count,
}

/// What a run is measured against.
pub(crate) struct Terms<'a> {
    pub(crate) own: Count,
    pub(crate) own_search: Count,
    /// The counted definitions of every server that was ever listed.
    pub(crate) servers: &'a HashMap<String, Arc<ServerTokens>>,
    pub(crate) servers_all: &'a [String],
    pub(crate) servers_used: &'a [String],
    /// Tokens of the call by which a host's tool search would find the tools of this run.
    pub(crate) host_search: Count,
    pub(crate) cap_tokens: u64,
    pub(crate) window_tokens: u64,
    pub(crate) encoding: Encoding,
}

/// What the figures of one run rest on; kept beside them, so that labels are made anew at every reading.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Basis {
    /// What everything was counted in.
    pub(crate) encoding: Encoding,
    pub(crate) credited: bool,
    /// Some text could not be counted whole.
    pub(crate) estimated: bool,
    pub(crate) discoveries: u32,
    pub(crate) servers_known: u32,
    pub(crate) servers_all: u32,
    pub(crate) needed_known: u32,
    pub(crate) needed_all: u32,
    pub(crate) tools_known: u32,
    pub(crate) tools_all: u32,
    pub(crate) media: u32,
    pub(crate) repeated: u32,
    pub(crate) cap_tokens: u64,
    /// The model's window; 0 in runs that were counted without one.
    pub(crate) window_tokens: u64,
    /// Waves of the credited calls.
    pub(crate) waves: u32,
    /// The turns they were spread over; 0 where each is a turn of its own.
    pub(crate) folded: u32,
    /// Each side's first turn whose prompt was brought down to fit the window; 0 where none was.
    pub(crate) compacted: [u32; 4],
}

impl Basis {
    /// The window by which the run was counted.
    pub(crate) fn window(&self) -> u64 {
        if self.window_tokens == 0 { NO_WINDOW } else { self.window_tokens }
    }
}

/// The sides of one run: code mode, then the baselines deferred, all servers, needed servers.
pub(crate) type Sides = [SideTokens; 4];

/// What a run came to.
pub(crate) type Settled = (Sides, Basis);

/// Both sides of a run.
pub(crate) fn settle(run: &CountedRun, discoveries: &[Exchange], terms: &Terms<'_>) -> Settled {
    let window = terms.window_tokens;
    let mut basis =
        Basis { encoding: terms.encoding, cap_tokens: terms.cap_tokens, window_tokens: window, ..Basis::default() };
    basis.discoveries = clamp(discoveries.len());
    basis.estimated = !is_exact(run, discoveries, terms);
    let (code_mode, compacted) =
        side(terms.own.tokens, &code_steps(&run.code, &run.reply, discoveries, terms.cap_tokens), window);
    basis.compacted[0] = compacted;
    let credited: Vec<&CountedCall> = run.calls.iter().filter(|call| !call.repeated).collect();
    basis.repeated = clamp(run.calls.len() - credited.len());
    basis.credited = run.ended_well && !credited.is_empty();
    if !basis.credited {
        return ([code_mode, SideTokens::default(), SideTokens::default(), SideTokens::default()], basis);
    }
    basis.media = credited.iter().map(|call| call.media).sum();
    let waves = waves(credited.iter().copied(), terms.cap_tokens);
    basis.waves = clamp(waves.len());
    let waves = fold(waves);
    basis.folded = if clamp(waves.len()) < basis.waves { clamp(waves.len()) } else { 0 };
    let (all, known) = definitions(terms, terms.servers_all.iter().map(String::as_str));
    (basis.servers_all, basis.servers_known) = (clamp(terms.servers_all.len()), known);
    let (needed, known) = definitions(terms, terms.servers_used.iter().map(String::as_str));
    (basis.needed_all, basis.needed_known) = (clamp(terms.servers_used.len()), known);
    let tools: BTreeSet<(&str, &str)> =
        credited.iter().map(|call| (call.server.as_str(), call.tool.as_str())).collect();
    let found: Vec<u64> =
        tools.iter().filter_map(|(server, tool)| terms.servers.get(*server)?.tools.get(*tool).copied()).collect();
    (basis.tools_all, basis.tools_known) = (clamp(tools.len()), clamp(found.len()));

    let search = Step { output: terms.host_search.tokens, results: found.iter().sum() };
    let deferred: Vec<Step> = std::iter::once(search).chain(waves.iter().copied()).collect();
    let direct = [(terms.own_search.tokens, &deferred), (all, &waves), (needed, &waves)];
    let [deferred, all, needed] = direct.map(|(definitions, steps)| side(definitions, steps, window));
    basis.compacted = [compacted, deferred.1, all.1, needed.1];
    ([code_mode, deferred.0, all.0, needed.0], basis)
}

fn is_exact(run: &CountedRun, discoveries: &[Exchange], terms: &Terms<'_>) -> bool {
    let calls = run.calls.iter().flat_map(|call| [call.output, call.result]);
    let exchanges = discoveries.iter().flat_map(|exchange| [exchange.arguments, exchange.result]);
    let mut counts =
        calls.chain(exchanges).chain([run.code, run.reply, terms.own, terms.own_search, terms.host_search]);
    let mut servers = terms.servers_all.iter().chain(terms.servers_used).filter_map(|name| terms.servers.get(name));
    counts.all(|count| count.exact) && servers.all(|server| server.exact)
}

/// The steps of code mode: the searches, then the program.
pub(crate) fn code_steps(code: &Count, reply: &Count, discoveries: &[Exchange], cap_tokens: u64) -> Vec<Step> {
    let capped = |count: Count| count.tokens.min(cap_tokens);
    let searches = discoveries.iter().map(|it| Step { output: it.arguments.tokens, results: capped(it.result) });
    searches.chain([Step { output: code.tokens, results: capped(*reply) }]).collect()
}

/// One step for each wave, in order.
pub(crate) fn waves<'a>(calls: impl Iterator<Item = &'a CountedCall>, cap_tokens: u64) -> Vec<Step> {
    let mut waves: BTreeMap<u32, Step> = BTreeMap::new();
    for call in calls {
        let step = waves.entry(call.wave).or_default();
        step.output += call.output.tokens;
        step.results += call.result.tokens.min(cap_tokens) + u64::from(call.media) * MEDIA_TOKENS;
    }
    waves.into_values().collect()
}

/// The definitions of the servers named, and how many of them are known.
fn definitions<'a>(terms: &Terms<'_>, servers: impl Iterator<Item = &'a str>) -> (u64, u32) {
    let known: Vec<u64> = servers.filter_map(|server| Some(terms.servers.get(server)?.total)).collect();
    (known.iter().sum(), clamp(known.len()))
}

/// The call by which a host's tool search would find these tools.
pub(crate) fn host_search_call(calls: &[CountedCall]) -> String {
    let tools: BTreeSet<&str> = calls.iter().map(|call| call.tool.as_str()).collect();
    let query = tools.into_iter().collect::<Vec<_>>().join(" ");
    serde_json::json!({"name": "search_tools", "arguments": {"query": query}}).to_string()
}

/// A report without labels.
pub(crate) fn report([code_mode, deferred, all_servers, needed_servers]: Sides) -> TokenReport {
    let saved = signed(deferred.total) - signed(code_mode.total);
    TokenReport {
        encoding: Encoding::default().name().to_owned(),
        saved_percent: (deferred.total > 0).then(|| percent(saved, deferred.total)),
        code_mode,
        direct: Baselines { deferred, all_servers, needed_servers },
        saved,
        labels: BTreeMap::new(),
    }
}

/// The receipt of one run.
pub(crate) fn receipt(sides: Sides, basis: &Basis) -> TokenReport {
    TokenReport { encoding: basis.encoding.name().to_owned(), labels: labels(basis), ..report(sides) }
}

/// The report of many runs.
pub(crate) fn sum(sides: Sides, runs: u64, estimated: u64) -> TokenReport {
    let noun = if runs == 1 { "run" } else { "runs" };
    let text =
        format!("computed: the sum over {runs} {noun}, {estimated} with estimated counts; peaks are the largest");
    TokenReport { labels: BTreeMap::from([("total".to_owned(), text)]), ..report(sides) }
}

fn clamp(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}

fn signed(tokens: u64) -> i64 {
    i64::try_from(tokens).unwrap_or(i64::MAX)
}

#[expect(clippy::cast_precision_loss, reason = "a percentage needs no more than 52 bits")]
fn percent(part: i64, whole: u64) -> f64 {
    100.0 * part as f64 / whole as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    const WINDOW: u64 = 10_000;

    fn exact(tokens: u64) -> Count {
        Count { tokens, exact: true }
    }

    fn call(server: &str, tool: &str, wave: u32, output: u64, result: u64) -> CountedCall {
        CountedCall {
            server: server.to_owned(),
            tool: tool.to_owned(),
            wave,
            output: exact(output),
            result: exact(result),
            media: 0,
            repeated: false,
        }
    }

    fn run(calls: Vec<CountedCall>) -> CountedRun {
        CountedRun { ended_well: true, code: exact(120), reply: exact(30), calls }
    }

    /// Servers fs (read 90, list 60, and 350 in tools not used) and git (log 70, and 430 more); `web` was never listed.
    fn settled(run: &CountedRun, discoveries: &[Exchange]) -> (Sides, Basis) {
        let server = |total, tools: &[(&str, u64)]| {
            let tools = tools.iter().map(|(name, tokens)| ((*name).to_owned(), *tokens)).collect();
            Arc::new(ServerTokens { tools, total, exact: true })
        };
        let servers = HashMap::from([
            ("fs".to_owned(), server(500, &[("read", 90), ("list", 60)])),
            ("git".to_owned(), server(500, &[("log", 70)])),
        ]);
        let terms = Terms {
            own: exact(380),
            own_search: exact(160),
            servers: &servers,
            servers_all: &["fs".to_owned(), "git".to_owned(), "web".to_owned()],
            servers_used: &["fs".to_owned()],
            host_search: exact(12),
            cap_tokens: 2_000,
            encoding: Encoding::O200k,
            window_tokens: WINDOW,
        };
        settle(run, discoveries, &terms)
    }

    fn side_of(definitions: u64, output: u64, results: u64, turns: u32, total: u64, peak_context: u64) -> SideTokens {
        // Nothing here meets the window: P(last) is the peak, and all other prompts are sent twice, as D is.
        let cacheable = definitions + total - output - peak_context;
        SideTokens { definitions, output, results, turns, total, peak_context, cacheable }
    }

    /// One listing, then two files read in parallel, the second longer than the cap.
    fn listing_and_reading() -> CountedRun {
        run(vec![call("fs", "list", 0, 20, 100), call("fs", "read", 1, 25, 900), call("fs", "read", 1, 25, 5_000)])
    }

    #[test]
    fn both_sides_of_a_run_are_as_computed_by_hand() {
        let ([code_mode, deferred, all, needed], basis) = settled(&listing_and_reading(), &[]);
        // Code mode: D = 380; the program writes 120 and gets 30; the answer.
        //   P1 = 380, P2 = 380 + 150 = 530; total = 380 + 530 + 120 = 1,030.
        assert_eq!(code_mode, side_of(380, 120, 30, 2, 1_030, 530));
        // Direct: wave 0 writes 20 and gets 100; wave 1 writes 25 + 25 and gets 900 + min(5,000, 2,000) = 2,900.
        // A, needed: D = 500. P1 = 500, P2 = 620, P3 = 620 + 50 + 2,900 = 3,570; total = 4,690 + 70 = 4,760.
        assert_eq!(needed, side_of(500, 70, 3_000, 3, 4_760, 3_570));
        // B, all: D = 500 + 500, the unlisted server unknown. P = 1,000, 1,120, 4,070; total = 6,190 + 70 = 6,260.
        assert_eq!(all, side_of(1_000, 70, 3_000, 3, 6_260, 4_070));
        // C, deferred: D = 160; the search writes 12 and gets list + read = 60 + 90 = 150, then the waves.
        //   P1 = 160, P2 = 322, P3 = 322 + 120 = 442, P4 = 442 + 2,950 = 3,392; total = 4,316 + 82 = 4,398.
        assert_eq!(deferred, side_of(160, 82, 3_150, 4, 4_398, 3_392));
        assert_eq!((basis.servers_known, basis.servers_all, basis.needed_known, basis.needed_all), (2, 3, 1, 1));
        assert_eq!((basis.tools_known, basis.tools_all, basis.credited, basis.estimated), (2, 2, true, false));
        let report = receipt([code_mode, deferred, all, needed], &basis);
        assert_eq!(report.saved, 4_398 - 1_030);
        assert_eq!(report.labels["direct.all_servers"], "computed; definitions of 2 of 3 servers known");
    }

    #[test]
    fn each_search_is_one_more_turn_of_code_mode() {
        let search = Exchange { arguments: exact(15), result: exact(3_000) };
        let ([code_mode, ..], basis) = settled(&listing_and_reading(), &[search]);
        // P1 = 380, P2 = 380 + 15 + min(3,000, 2,000) = 2,395, P3 = 2,395 + 150 = 2,545; total = 5,320 + 135 = 5,455.
        assert_eq!(code_mode, side_of(380, 135, 2_030, 3, 5_455, 2_545));
        assert_eq!(basis.discoveries, 1);
    }

    #[test]
    fn a_failed_run_and_a_run_without_calls_are_losses() {
        for lost in [CountedRun { ended_well: false, ..listing_and_reading() }, run(Vec::new())] {
            let (sides, basis) = settled(&lost, &[]);
            let report = receipt(sides, &basis);
            assert_eq!(report.saved, -1_030);
            assert_eq!((report.direct, report.saved_percent), (Baselines::default(), None));
            assert!(report.labels["direct"].contains("only runs that end well"));
        }
    }

    #[test]
    fn a_small_single_call_costs_more_in_code_mode() {
        // C: P1 = 160, P2 = 160 + 12 + 60 = 232, P3 = 232 + 20 + 10 = 262; total = 654 + 32 = 686.
        let (sides, basis) = settled(&run(vec![call("fs", "list", 0, 20, 10)]), &[]);
        let report = receipt(sides, &basis);
        assert_eq!((report.direct.deferred.total, report.saved), (686, 686 - 1_030));
        assert!(report.saved_percent.is_some_and(|percent| (percent + 50.145).abs() < 0.001));
    }

    #[test]
    fn media_are_charged_by_rule_and_repeats_not_at_all() {
        let mut counted = listing_and_reading();
        counted.calls[0].media = 2;
        counted.calls[2].repeated = true;
        let ([.., needed], basis) = settled(&counted, &[]);
        assert_eq!((needed.output, needed.results), (45, 100 + 2 * MEDIA_TOKENS + 900));
        let labels = labels(&basis);
        assert!(labels["direct.results"].contains("2 images or sounds estimated at 765 tokens each"));
        assert!(labels["direct.results"].contains("1 calls that repeat"));
    }

    #[test]
    fn a_prompt_that_meets_the_window_and_waves_beyond_the_turns_are_said() {
        let labels_of = |calls| labels(&settled(&run(calls), &[]).1);
        // Each of 6 waves gets 2,000: P = 160, 232, 2,252, …, 8,312, then 10,332 > 10,000: 160 + 20 + 2,000 at turn 7.
        let long = labels_of((0..6).map(|wave| call("fs", "list", wave, 20, 5_000)).collect());
        assert!(
            long["direct.deferred"].contains("compacted at the window of 10,000 tokens, first at turn 7"),
            "{long:?}"
        );
        assert!(!long["code_mode.total"].contains("window"), "{long:?}");
        let many = labels_of((0..300).map(|wave| call("fs", "list", wave, 1, 1)).collect());
        assert!(many["direct.needed_servers"].contains("300 waves counted as 100 turns"), "{many:?}");
    }

    #[test]
    fn one_estimated_text_makes_the_labels_say_so() {
        let mut counted = listing_and_reading();
        assert!(!settled(&counted, &[]).1.estimated);
        counted.calls[1].result = Count::estimate(4_000);
        let basis = settled(&counted, &[]).1;
        assert!(labels(&basis)["direct.results"].starts_with("estimated"));
    }

    #[test]
    fn the_hosts_search_names_each_tool_once() {
        let call = host_search_call(&listing_and_reading().calls);
        assert_eq!(call, r#"{"name":"search_tools","arguments":{"query":"list read"}}"#);
    }
}
