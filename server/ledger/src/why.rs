//! Why a run saved or cost tokens, in a sentence or two with its numbers. By the headline baseline; pure.

use crate::receipt::Basis;
use crate::text::{grouped, plural};
use model::reply::RunSummary;
use model::{RunStatus, TokenReport};

/// The sentences.
pub(crate) fn why(run: &RunSummary, tokens: &TokenReport, basis: &Basis) -> String {
    let (code, direct) = (&tokens.code_mode, &tokens.direct.deferred);
    let total = grouped(code.total);
    if !basis.credited {
        return if run.status != RunStatus::Ok {
            let status = run.status.as_str();
            format!(
                "The run ended with `{status}`: nothing is credited to direct calling, and its {total} tokens are a loss."
            )
        } else if run.calls == 0 {
            format!(
                "The program called no tool: there is nothing that direct calling would have paid, and its {total} tokens are a loss."
            )
        } else {
            format!(
                "Every call of the program repeats one whose answer it had: nothing is credited, and its {total} tokens are a loss."
            )
        };
    }
    let answers = tokens.direct.all_servers.results;
    let turns = |number: u32| plural(number.into(), "turn", "turns");
    if tokens.saved >= 0 {
        let saved = grouped(tokens.saved.unsigned_abs());
        let more = format!(
            "Calling directly would have cost {saved} tokens more: {} in place of {}",
            turns(direct.turns),
            code.turns
        );
        return if answers > code.results {
            format!(
                "{more}, and {} of answers in the context, sent again with each later prompt, of which the program let {} \
                 through.",
                plural(answers, "token", "tokens"),
                grouped(code.results),
            )
        } else {
            format!("{more}, each of which sends again all that came before it.")
        };
    }
    let calls = match (run.calls, basis.waves) {
        (1, _) => "One call".to_owned(),
        (calls, 1) => format!("{calls} calls at once"),
        (calls, _) => format!("{} calls", grouped(calls.into())),
    };
    let lost = grouped(tokens.saved.unsigned_abs());
    let (ours, theirs) = (code.definitions * u64::from(code.turns), direct.definitions * u64::from(direct.turns));
    let spared = answers.saturating_sub(code.results);
    let spared = match spared {
        0 => "and no answer stayed out of the context to make up for it".to_owned(),
        _ => format!(
            "and {} of answers that stayed out of the context do not make up for it",
            plural(spared, "token", "tokens")
        ),
    };
    // What weighs most is the cause: the definitions, the result, or else what the model wrote.
    let (more_definitions, more_results) = (ours.saturating_sub(theirs), code.results.saturating_sub(answers));
    let cause = if more_definitions >= more_results && more_definitions > 0 {
        let (definitions, turns) = (grouped(code.definitions), code.turns);
        format!("our two tools' definitions ({definitions} tokens) stand in each of {turns} prompts, {spared}")
    } else if more_results > 0 {
        let (returned, answers) = (grouped(code.results), plural(answers, "token", "tokens"));
        format!("the program returned {returned} tokens of {answers} of answers, and its code came on top")
    } else {
        let (written, directly) = (grouped(code.output), grouped(direct.output));
        format!("the model wrote {written} tokens where it would have written {directly}, {spared}")
    };
    format!("{calls}: calling directly would have cost {lost} tokens less, because {cause}.")
}
