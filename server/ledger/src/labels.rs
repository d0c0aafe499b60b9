//! What each figure of a receipt is: measured (counted on bytes that existed), computed (from measured ones by the
//! formula) or estimated, and on what it rests. Made from the stored [`Basis`] at every reading.

use crate::count::Encoding;
use crate::receipt::{Basis, MEDIA_TOKENS, NO_CAP};
use crate::text::grouped;
use std::collections::BTreeMap;
use std::fmt::Write;

/// The labels of one run's receipt.
pub(crate) fn labels(basis: &Basis) -> BTreeMap<String, String> {
    let counted = if basis.estimated {
        "estimated: some text was too long or came too fast to be counted whole"
    } else {
        "measured"
    };
    let capped = match basis.cap_tokens {
        NO_CAP => String::new(),
        cap => format!(", at most {cap} tokens each"),
    };
    let mut labels = BTreeMap::new();
    let mut label = |figure: &str, text: String| labels.insert(figure.to_owned(), text);
    label("encoding", encoding_label(basis.encoding));
    label("code_mode.definitions", format!("{counted}, the definitions of run_code and search_tools"));
    label(
        "code_mode.output",
        format!("{counted}, the program and {} searches as the model wrote them", basis.discoveries),
    );
    label("code_mode.results", format!("{counted}, what the model saw{capped}"));
    label(
        "code_mode.total",
        format!(
            "computed: prompts and outputs of all turns; system prompt and user text, alike on both sides, left out{}",
            limits(basis, 0)
        ),
    );
    if !basis.credited {
        let why = "computed: zero, because only runs that end well and make calls are credited to direct calling";
        label("direct", why.to_owned());
        label("saved", "computed: 0 - code_mode.total".to_owned());
        return labels;
    }
    let mut results = format!("{counted}, the calls' answers{capped}");
    if basis.media > 0 {
        let _ = write!(results, "; {} images or sounds estimated at {MEDIA_TOKENS} tokens each", basis.media);
    }
    if basis.repeated > 0 {
        let _ = write!(results, "; {} calls that repeat an equal call of the run left out", basis.repeated);
    }
    label("direct.results", results);
    label(
        "direct.deferred",
        format!(
            "computed; the host's search tool estimated to be as large as search_tools; definitions of {} of {} tools known{}",
            basis.tools_known,
            basis.tools_all,
            limits(basis, 1)
        ),
    );
    label(
        "direct.all_servers",
        format!(
            "computed; definitions of {} of {} servers known{}",
            basis.servers_known,
            basis.servers_all,
            limits(basis, 2)
        ),
    );
    label(
        "direct.needed_servers",
        format!(
            "computed; definitions of {} of {} servers known{}",
            basis.needed_known,
            basis.needed_all,
            limits(basis, 3)
        ),
    );
    label("saved", "computed: direct.deferred.total - code_mode.total".to_owned());
    labels
}

/// What is counted in, and what that is worth for other models.
fn encoding_label(encoding: Encoding) -> String {
    let whose = match encoding {
        Encoding::O200k => "OpenAI's since gpt-4o; Claude's is not public and counts up to 47 % more",
        Encoding::Cl100k => "OpenAI's of gpt-4 and gpt-3.5; other models count otherwise",
    };
    format!("measured in {}, {whose}", encoding.name())
}

/// What kept a side's context or turns from growing as the formula would have them; empty where nothing did.
fn limits(basis: &Basis, side: usize) -> String {
    let mut text = String::new();
    if side > 0 && basis.folded > 0 {
        let _ = write!(text, "; {} waves counted as {} turns", grouped(basis.waves.into()), basis.folded);
    }
    if let turn @ 1.. = basis.compacted[side] {
        let window = grouped(basis.window_tokens);
        let _ = write!(text, "; prompts compacted at the window of {window} tokens, first at turn {turn}");
    }
    text
}
