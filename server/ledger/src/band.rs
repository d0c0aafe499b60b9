//! What counts are worth for a model whose own tokenizer is another one: between which figures they lie, where that was
//! measured, and that nobody knows, where it was not.

use crate::count::Encoding;
use crate::sheet::signed;
use crate::text::grouped;
use model::TokenReport;

/// By how much Claude's tokenizer exceeds `o200k_base` at most, in percent: it was measured on texts of many kinds, of
/// which some counted alike.
const CLAUDE_MORE_PERCENT: u64 = 47;

/// How a model's own tokenizer counts, against the encoding that was counted in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Own {
    /// It is that encoding.
    Same,
    /// It counts as much, or up to so many percent more.
    UpTo(u64),
    Unknown,
}

fn own(model: &str, encoding: &str) -> Own {
    let starts = |prefixes: &[&str]| prefixes.iter().any(|prefix| model.starts_with(prefix));
    let of_openai = starts(&["gpt-", "o1", "o3", "o4", "text-embedding-"]);
    if of_openai && encoding == Encoding::of_model(Some(model)).name() {
        Own::Same
    } else if starts(&["claude-"]) && encoding == Encoding::O200k.name() {
        Own::UpTo(CLAUDE_MORE_PERCENT)
    } else {
        Own::Unknown
    }
}

/// The label of the tokens that a model's dollars are computed from.
///
/// Where the model counts up to m % more, a side of n tokens lies between n and (1 + m/100) n, whichever side it is: so the
/// saving lies between D - (1 + m/100) C and (1 + m/100) D - C, where D is direct calling and C the program.
pub(crate) fn label(model: &str, tokens: &TokenReport) -> String {
    let encoding = &tokens.encoding;
    match own(model, encoding) {
        Own::Same => format!("as counted: {encoding} is {model}'s own encoding"),
        Own::Unknown => format!(
            "estimated: counted in {encoding}, which need not be {model}'s own; by how much that one differs is not known here"
        ),
        Own::UpTo(percent) => {
            let most = |side: u64| i128::from(side) * i128::from(100 + percent) / 100;
            let (code, direct) = (tokens.code_mode.total, tokens.direct.deferred.total);
            let (least, largest) = (i128::from(direct) - most(code), most(direct) - i128::from(code));
            format!(
                "estimated: counted in {encoding}; {model}'s tokenizer is not public and counts 0 to {percent} % more. By it the \
                 program is {} to {} tokens, direct calling {} to {}, and the saving between {} and {}",
                grouped(code),
                signed(most(code)),
                grouped(direct),
                signed(most(direct)),
                signed(least),
                signed(largest)
            )
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::tokens::{Baselines, SideTokens};

    fn tokens(encoding: &str, code: u64, direct: u64) -> TokenReport {
        let side = |total| SideTokens { total, ..SideTokens::default() };
        let direct = Baselines { deferred: side(direct), ..Baselines::default() };
        TokenReport { encoding: encoding.to_owned(), code_mode: side(code), direct, ..TokenReport::default() }
    }

    #[test]
    fn a_model_of_the_same_encoding_needs_no_band() {
        for (model, encoding) in [("gpt-6.1-sol", "o200k_base"), ("o3", "o200k_base"), ("gpt-4", "cl100k_base")] {
            assert_eq!(own(model, encoding), Own::Same, "{model}");
        }
        assert_eq!(own("gpt-4", "o200k_base"), Own::Unknown);
        assert_eq!(own("gemini-4-argon", "o200k_base"), Own::Unknown);
        assert_eq!(own("claude-opus-5-5", "cl100k_base"), Own::Unknown);
        let label = label("gemini-4-argon", &tokens("o200k_base", 1, 2));
        assert!(label.starts_with("estimated: counted in o200k_base, which need not be gemini-4-argon's"), "{label}");
    }

    #[test]
    fn a_band_goes_from_the_worst_to_the_best_and_may_hold_a_loss() {
        // C = 1,000 to 1,470; D = 1,200 to 1,764: saved from 1,200 - 1,470 to 1,764 - 1,000.
        let label = label("claude-sonnet-5-5", &tokens("o200k_base", 1_000, 1_200));
        assert!(
            label.ends_with("the program is 1,000 to 1,470 tokens, direct calling 1,200 to 1,764, and the saving between -270 and 764"),
            "{label}"
        );
    }
}
