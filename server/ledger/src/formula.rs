//! The one formula, for both sides of the comparison.
//!
//! A model turn t is prompted with P(t), writes A(t), and R(t) enters the context:
//! `P(1) = D`, `P(t+1) = P(t) + A(t) + R(t)`, where D are the tool definitions. The system prompt and the user's text
//! are the same on both sides and left out, and so is the text of the answer, the last turn, whose A is 0.
//! `total = sum P + sum A` is what is billed without caching; `peak` is the largest prompt.
//!
//! **The window.** No context grows without end: a host whose prompt no longer fits the model's window compacts or fails.
//! Here it compacts, at once, for nothing, and keeps nothing but the definitions and what the model has not seen yet: where
//! P(t) + A(t) + R(t) is above the window, `P(t+1) = min(D + A(t) + R(t), window)`. That is the least that a host which
//! goes on could bill: real ones also keep a summary, pay for writing it, and lose what it leaves out. The rule is the
//! same on both sides, and it is direct calling that meets it, so that it is credited less than it would cost.
//!
//! **Turns.** A model that sees thousands of like calls before it asks for many at once, and hosts ask a person whether to
//! go on after some dozens of turns. So direct calling is credited with [`TURNS_MAX`] turns of calls at most: the waves of
//! a longer run are spread over these turns evenly, in their order.
//!
//! **The prompt cache.** Of P(t), what an earlier prompt has sent already, unchanged and from its begin, can be read from the
//! provider's cache: P(t-1), or D after a compaction. Of the first prompt that is W = D: the definitions stand at the begin
//! of every prompt of a sitting, so that all but its very first turn find them cached, on both sides. (They are largest in
//! direct calling, which W = D therefore makes cheaper.) `cacheable` is the sum; `prices.rs` makes dollars of it.
//!
//! Each run is one such exchange by itself: D stands once in its context and once in each of its prompts. A conversation
//! is the sum of its runs; what earlier runs left in the context is charged to neither side.

use model::tokens::SideTokens;

/// Turns of calls that direct calling is credited with at most.
pub const TURNS_MAX: usize = 100;

/// A window that nothing meets; the largest number the database holds.
pub(crate) const NO_WINDOW: u64 = i64::MAX as u64;

/// One model turn that uses a tool.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Step {
    /// A: what the model writes.
    pub(crate) output: u64,
    /// R: what comes back into the context, after the host's cap.
    pub(crate) results: u64,
}

/// One turn, by the formula.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Turn {
    /// P.
    pub(crate) prompt: u64,
    /// Of P, what an earlier prompt has sent already.
    pub(crate) cached: u64,
    /// A and R.
    pub(crate) step: Step,
    /// P was brought down to fit the window.
    pub(crate) compacted: bool,
}

/// The turns of one side: the steps in order, then the answer.
pub(crate) fn turns(definitions: u64, steps: &[Step], window: u64) -> impl Iterator<Item = Turn> {
    let first = definitions.min(window);
    let mut next = (first, first, definitions > window);
    steps.iter().copied().chain(std::iter::once(Step::default())).map(move |step| {
        let (prompt, cached, compacted) = next;
        let grown = prompt + step.output + step.results;
        next = if grown <= window {
            (grown, prompt, false)
        } else {
            ((first + step.output + step.results).min(window), first, true)
        };
        Turn { prompt, cached, step, compacted }
    })
}

/// One side, and the first turn whose prompt was brought down to fit the window: 0 where none was.
pub(crate) fn side(definitions: u64, steps: &[Step], window: u64) -> (SideTokens, u32) {
    let mut sum = SideTokens { definitions: definitions.min(window), ..SideTokens::default() };
    let mut compacted = 0;
    for turn in turns(definitions, steps, window) {
        sum.turns += 1;
        sum.total += turn.prompt + turn.step.output;
        sum.output += turn.step.output;
        sum.results += turn.step.results;
        sum.cacheable += turn.cached;
        sum.peak_context = sum.peak_context.max(turn.prompt);
        if turn.compacted && compacted == 0 {
            compacted = sum.turns;
        }
    }
    (sum, compacted)
}

/// Spreads the waves of a long run over [`TURNS_MAX`] turns, in their order.
pub(crate) fn fold(waves: Vec<Step>) -> Vec<Step> {
    if waves.len() <= TURNS_MAX {
        return waves;
    }
    let mut folded = vec![Step::default(); TURNS_MAX];
    for (at, wave) in waves.iter().enumerate() {
        let turn = &mut folded[turn_of(at, waves.len())];
        turn.output += wave.output;
        turn.results += wave.results;
    }
    folded
}

/// The turn, from 0, in which wave number `at` of `waves` is made.
pub(crate) fn turn_of(at: usize, waves: usize) -> usize {
    if waves <= TURNS_MAX { at } else { at * TURNS_MAX / waves }
}

/// Adds a side to a sum of sides: everything adds, the peak is the largest.
pub(crate) fn add(sum: &mut SideTokens, side: &SideTokens) {
    sum.definitions += side.definitions;
    sum.output += side.output;
    sum.results += side.results;
    sum.turns = sum.turns.saturating_add(side.turns);
    sum.total += side.total;
    sum.cacheable += side.cacheable;
    sum.peak_context = sum.peak_context.max(side.peak_context);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_side_is_the_sum_of_its_prompts_and_outputs() {
        // D = 100; turn 1 writes 10, gets 1,000; turn 2 writes 20, gets 5; turn 3 answers.
        // P1 = 100, P2 = 100 + 10 + 1,000 = 1,110, P3 = 1,110 + 20 + 5 = 1,135
        // total = (100 + 1,110 + 1,135) + (10 + 20 + 0) = 2,345 + 30 = 2,375; peak = 1,135
        // cacheable = D + P1 + P2 = 100 + 100 + 1,110 = 1,310
        let steps = [Step { output: 10, results: 1_000 }, Step { output: 20, results: 5 }];
        let expected = SideTokens {
            definitions: 100,
            output: 30,
            results: 1_005,
            turns: 3,
            total: 2_375,
            peak_context: 1_135,
            cacheable: 1_310,
        };
        assert_eq!(side(100, &steps, NO_WINDOW), (expected.clone(), 0));
        assert_eq!(side(100, &steps, 1_135), (expected, 0), "a window that is just large enough");
    }

    #[test]
    fn without_steps_there_is_only_the_answer() {
        let expected =
            SideTokens { definitions: 7, turns: 1, total: 7, peak_context: 7, cacheable: 7, ..SideTokens::default() };
        assert_eq!(side(7, &[], NO_WINDOW), (expected, 0));
    }

    #[test]
    fn a_prompt_beyond_the_window_starts_again_from_the_definitions() {
        // D = 100, window 500, each turn writes 50 and gets 150: P = 100, 300, 500, then 700 > 500: 100 + 200 = 300, 500.
        let (sum, compacted) = side(100, &[Step { output: 50, results: 150 }; 4], 500);
        assert_eq!((sum.total, sum.output), (100 + 300 + 500 + 300 + 500 + 200, 200));
        // Cached: D, P1, P2, D again, P4.
        assert_eq!((sum.cacheable, sum.peak_context, compacted), (100 + 100 + 300 + 100 + 300, 500, 4));
        // One result that is larger than the window fills it, and so do definitions that are.
        let (sum, compacted) = side(100, &[Step { output: 50, results: 9_000 }], 500);
        assert_eq!((sum.total, sum.peak_context, compacted), (100 + 500 + 50, 500, 2));
        let (sum, compacted) = side(9_000, &[], 500);
        assert_eq!((sum.definitions, sum.total, compacted), (500, 500, 1));
    }

    #[test]
    fn thousands_of_waves_are_a_hundred_turns() {
        let wave = Step { output: 10, results: 8 };
        let folded = fold(vec![wave; 9_000]);
        assert_eq!(folded, vec![Step { output: 900, results: 720 }; TURNS_MAX]);
        assert_eq!(fold(vec![wave; TURNS_MAX]).len(), TURNS_MAX);
        let uneven = fold(vec![wave; TURNS_MAX + 1]);
        assert_eq!(uneven.iter().map(|turn| turn.output).sum::<u64>(), 10 * (TURNS_MAX as u64 + 1));
        // P = 0, 1,620, …, 162,000: 1,620 * (0 + 1 + … + 100) = 8,181,000, and 90,000 written.
        assert_eq!(side(0, &folded, 200_000).0.total, 8_181_000 + 90_000);
    }

    #[test]
    fn sums_add_and_keep_the_largest_peak() {
        let mut sum = side(1, &[], NO_WINDOW).0;
        add(&mut sum, &side(100, &[Step { output: 1, results: 2 }], NO_WINDOW).0);
        assert_eq!((sum.definitions, sum.turns, sum.peak_context, sum.cacheable), (101, 3, 103, 1 + 100 + 100));
    }
}
