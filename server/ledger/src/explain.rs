//! One run's figures taken apart: every turn of both sides, made again from what is stored of its calls and searches.
//!
//! Invariant: turns are only shown where their sums are exactly the stored ones; else a note says why there are none. The
//! definitions' tokens are those of the run's own time: they stand in the sides' sums.

use crate::count::Count;
use crate::error::Error;
use crate::formula::{Step, TURNS_MAX, fold, side, turn_of, turns};
use crate::reader::{BASIS, basis_from, counted_calls, sides, summary};
use crate::receipt::{Basis, CountedCall, Exchange, MEDIA_TOKENS, NO_CAP, Sides, code_steps, waves};
use crate::store::connect;
use crate::{prices, sheet, why};
use model::RunId;
use model::explain::{ExplainedCall, Explanation, SideExplanation, TurnTokens};
use model::reply::RunSummary;
use model::report::Price;
use rusqlite::{Connection, OptionalExtension};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

/// Turns of one side, calls, and kinds of calls of one turn that are given.
const TURNS_SHOWN: usize = 250;
const CALLS_SHOWN: usize = 1_000;
const KINDS_SHOWN: usize = 3;

/// Explains a run, or the newest counted one; `None` where there is none.
pub(crate) fn explain(path: &Path, run: Option<&RunId>, price: &Price) -> Result<Option<Explanation>, Error> {
    let mut connection = connect(path, false)?;
    // One transaction: all parts are of the same state.
    let connection = connection.transaction()?;
    let run = match run {
        Some(run) => Some(run.as_str().to_owned()),
        None => connection
            .query_row(
                "SELECT run_id FROM runs WHERE counted = 1 ORDER BY at_ms DESC, run_id DESC LIMIT 1",
                [],
                |row| row.get(0),
            )
            .optional()?,
    };
    let Some(run) = run else { return Ok(None) };
    let found = connection
        .query_row(
            &format!(
                "SELECT r.run_id, r.at_ms, r.language, r.status, r.front, r.label, r.calls, r.wall_ms, r.counted, {BASIS}
                 FROM runs r WHERE r.run_id = ? AND r.counted = 1"
            ),
            [&run],
            |row| Ok((summary(&connection, row)?, basis_from(row, 9)?)),
        )
        .optional()?;
    let Some((summary, basis)) = found else { return Ok(None) };
    let stored = Stored {
        sides: sides(&connection, &run)?,
        calls: counted_calls(&connection, &run, false)?,
        searches: searches(&connection, &run)?,
    };
    Ok(Some(explanation(summary, &basis, &stored, price)))
}

/// What the database has of a run.
struct Stored {
    sides: Sides,
    calls: Vec<CountedCall>,
    searches: Vec<Exchange>,
}

fn searches(connection: &Connection, run: &str) -> rusqlite::Result<Vec<Exchange>> {
    let mut statement = connection
        .prepare("SELECT argument_tokens, result_tokens, exact FROM discoveries WHERE run_id = ? ORDER BY id")?;
    let rows = statement.query_map([run], |row| {
        let exact = row.get(2)?;
        let count = |tokens| Count { tokens, exact };
        Ok(Exchange { arguments: count(row.get(0)?), result: count(row.get(1)?) })
    })?;
    rows.collect()
}

fn explanation(run: RunSummary, basis: &Basis, stored: &Stored, price: &Price) -> Explanation {
    let [code_mode, deferred, all, needed] = taken_apart(basis, stored);
    let mut notes = Vec::new();
    if [&code_mode, &deferred, &all, &needed].iter().any(|side| side.tokens.turns > 0 && side.turns.is_empty()) {
        notes.push(
            "not every turn can be made again from what was stored of this run: an earlier version kept less, or a call's row \
             is gone. The sums are those that were counted then"
                .to_owned(),
        );
    }
    if basis.window_tokens == 0 {
        notes.push("this run was counted before contexts had a window and direct calling a bound of turns".to_owned());
    }
    let tokens = run.tokens.clone().unwrap_or_default();
    let mut explanation = Explanation {
        why: why::why(&run, &tokens, basis),
        code_mode,
        deferred,
        all_servers: all,
        needed_servers: needed,
        calls: stored.calls.iter().take(CALLS_SHOWN).map(|call| explained(call, basis.cap_tokens)).collect(),
        calls_left_out: stored.calls.len().saturating_sub(CALLS_SHOWN) as u64,
        cap_tokens: Some(basis.cap_tokens).filter(|cap| *cap != NO_CAP),
        window_tokens: Some(basis.window_tokens).filter(|window| *window > 0),
        dollars: Some(prices::dollars(&tokens, price)),
        notes,
        text: String::new(),
        run,
    };
    explanation.text = sheet::markdown(&explanation);
    explanation
}

fn explained(call: &CountedCall, cap_tokens: u64) -> ExplainedCall {
    ExplainedCall {
        server: call.server.clone(),
        tool: call.tool.clone(),
        wave: call.wave,
        output_tokens: call.output.tokens,
        result_tokens: call.result.tokens,
        entered_tokens: call.result.tokens.min(cap_tokens) + u64::from(call.media) * MEDIA_TOKENS,
        media: call.media,
        repeated: call.repeated,
        exact: call.output.exact && call.result.exact,
    }
}

/// Each side with its turns.
fn taken_apart(basis: &Basis, stored: &Stored) -> [SideExplanation; 4] {
    let [code_mode, deferred, all, needed] = &stored.sides;
    let searched: u64 = stored.searches.iter().map(|it| it.arguments.tokens).sum();
    let found: u64 = stored.searches.iter().map(|it| it.result.tokens.min(basis.cap_tokens)).sum();
    let rest = |sum: u64, part: u64| Count { tokens: sum.saturating_sub(part), exact: true };
    let (code, reply) = (rest(code_mode.output, searched), rest(code_mode.results, found));
    let code_steps = code_steps(&code, &reply, &stored.searches, basis.cap_tokens);
    let code_names = std::iter::repeat_n("search_tools", stored.searches.len()).chain(["run_code: the program"]);
    let code_side = turns_of(code_mode, &code_steps, code_names.map(str::to_owned).collect(), basis);
    if !basis.credited {
        return [code_side, SideExplanation::default(), SideExplanation::default(), SideExplanation::default()];
    }
    let credited = || stored.calls.iter().filter(|call| !call.repeated);
    let waves = waves(credited(), basis.cap_tokens);
    let was_folded = basis.folded > 0;
    let names = wave_names(credited(), was_folded);
    let waves = if was_folded { fold(waves) } else { waves };
    let search = Step {
        output: deferred.output.saturating_sub(all.output),
        results: deferred.results.saturating_sub(all.results),
    };
    let deferred_steps: Vec<Step> = std::iter::once(search).chain(waves.iter().copied()).collect();
    let deferred_names = std::iter::once("the host's tool search".to_owned()).chain(names.iter().cloned()).collect();
    [
        code_side,
        turns_of(deferred, &deferred_steps, deferred_names, basis),
        turns_of(all, &waves, names.clone(), basis),
        turns_of(needed, &waves, names, basis),
    ]
}

/// A side's turns, where their sums are the stored ones.
fn turns_of(stored: &model::tokens::SideTokens, steps: &[Step], names: Vec<String>, basis: &Basis) -> SideExplanation {
    let mut explained = SideExplanation { tokens: stored.clone(), ..SideExplanation::default() };
    if side(stored.definitions, steps, basis.window()).0 != *stored {
        return explained;
    }
    let names = names.into_iter().chain(["the answer".to_owned()]);
    for (number, (turn, what)) in (1..).zip(turns(stored.definitions, steps, basis.window()).zip(names)) {
        if explained.turns.len() >= TURNS_SHOWN {
            explained.turns_left_out += 1;
            continue;
        }
        explained.turns.push(TurnTokens {
            turn: number,
            what,
            prompt: turn.prompt,
            cached: turn.cached,
            output: turn.step.output,
            results: turn.step.results,
            compacted: turn.compacted,
        });
    }
    explained
}

/// What is called in each turn of direct calling.
fn wave_names<'a>(calls: impl Iterator<Item = &'a CountedCall>, folded: bool) -> Vec<String> {
    let mut waves: BTreeMap<u32, Vec<&CountedCall>> = BTreeMap::new();
    for call in calls {
        waves.entry(call.wave).or_default().push(call);
    }
    let many = waves.len();
    let mut turns: Vec<(usize, Vec<&CountedCall>)> = Vec::new();
    for (at, calls) in waves.into_values().enumerate() {
        let turn = if folded { turn_of(at, many.max(TURNS_MAX)) } else { at };
        if turns.len() <= turn {
            turns.resize_with(turn + 1, Default::default);
        }
        turns[turn].0 += 1;
        turns[turn].1.extend(calls);
    }
    turns.into_iter().map(|(waves, calls)| named(waves, &calls)).collect()
}

fn named(waves: usize, calls: &[&CountedCall]) -> String {
    let mut kinds: BTreeMap<(&str, &str), usize> = BTreeMap::new();
    for call in calls {
        *kinds.entry((&call.server, &call.tool)).or_default() += 1;
    }
    let shown = kinds.iter().take(KINDS_SHOWN).map(|((server, tool), times)| match times {
        1 => format!("{server}.{tool}"),
        _ => format!("{times} × {server}.{tool}"),
    });
    let mut text = shown.collect::<Vec<_>>().join(", ");
    if kinds.len() > KINDS_SHOWN {
        let _ = write!(text, ", and {} more tools", kinds.len() - KINDS_SHOWN);
    }
    if waves > 1 { format!("{text} ({waves} waves)") } else { text }
}
