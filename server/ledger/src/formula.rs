//! The one formula, for both sides of the comparison.
//!
//! A model turn t is prompted with P(t), writes A(t), and R(t) enters the context:
//! `P(1) = D`, `P(t+1) = P(t) + A(t) + R(t)`, where D are the tool definitions. The system prompt and the user's text
//! are the same on both sides and left out, and so is the text of the answer, the last turn, whose A is 0.
//! `total = sum P + sum A` is what is billed without caching; `peak = P(last) + A(last)` is the largest context.
//!
//! Each run is one such exchange by itself: D stands once in its context and once in each of its prompts. A conversation
//! is the sum of its runs; what earlier runs left in the context is charged to neither side.

use model::tokens::SideTokens;

/// One model turn that uses a tool.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Step {
    /// A: what the model writes.
    pub(crate) output: u64,
    /// R: what comes back into the context, after the host's cap.
    pub(crate) results: u64,
}

/// One side: the steps in order, then the answer.
pub(crate) fn side(definitions: u64, steps: &[Step]) -> SideTokens {
    let mut sum = SideTokens { definitions, turns: 1, ..SideTokens::default() };
    let mut prompt = definitions;
    for step in steps {
        sum.total += prompt + step.output;
        sum.output += step.output;
        sum.results += step.results;
        sum.turns += 1;
        prompt += step.output + step.results;
    }
    sum.total += prompt;
    sum.peak_context = prompt;
    sum
}

/// Adds a side to a sum of sides: everything adds, the peak is the largest.
pub(crate) fn add(sum: &mut SideTokens, side: &SideTokens) {
    sum.definitions += side.definitions;
    sum.output += side.output;
    sum.results += side.results;
    sum.turns += side.turns;
    sum.total += side.total;
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
        let steps = [Step { output: 10, results: 1_000 }, Step { output: 20, results: 5 }];
        let expected =
            SideTokens { definitions: 100, output: 30, results: 1_005, turns: 3, total: 2_375, peak_context: 1_135 };
        assert_eq!(side(100, &steps), expected);
    }

    #[test]
    fn without_steps_there_is_only_the_answer() {
        let expected = SideTokens { definitions: 7, turns: 1, total: 7, peak_context: 7, ..SideTokens::default() };
        assert_eq!(side(7, &[]), expected);
    }

    #[test]
    fn sums_add_and_keep_the_largest_peak() {
        let mut sum = side(1, &[]);
        add(&mut sum, &side(100, &[Step { output: 1, results: 2 }]));
        assert_eq!((sum.definitions, sum.turns, sum.peak_context), (101, 3, 103));
    }
}
