//! What tokens cost in US dollars: a bundled table of facts with its date and source, the user's own prices over it, and the
//! formula. Always estimated: a price is a day's, and a provider counts by its own tokenizer.
//!
//! `uncached = input * sum P + output * sum A`; `cached = cache_read * C + cache_write * (sum P - C) + output * sum A`, where C
//! is what `formula.rs` calls cacheable: W of the first prompt, and of each later one the whole prompt before it. All of it is
//! linear in the sums that are stored: `sum P = total - output`. So the dollars of many runs are those of their sums.
//!
//! Left out, and said with the figures: higher prices of very long prompts, the shortest length that a provider caches, a
//! cache that has run out between two turns, and what keeping a cache costs by the hour.

use model::TokenReport;
use model::report::{Cost, Dollars, Price};
use model::tokens::SideTokens;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// Whose prices are shown where nobody says: the middle model of one provider, at the same price as that of another
/// (`claude-sonnet-5-5`), and far from the dearest, so that no saving is made large by it.
pub const DEFAULT_MODEL: &str = "gpt-6.1-sol";

/// The context window that runs are counted with where nobody says.
pub const CONTEXT_TOKENS: u64 = 200_000;

const BUNDLED: &str = include_str!("../assets/prices.json");

#[derive(Deserialize)]
struct Table {
    source: String,
    date: String,
    prices: Vec<Row>,
}

#[derive(Deserialize)]
struct Row {
    model: String,
    /// The first day of this price; the rows of one model stand in the order of their days.
    from: Option<String>,
    input: f64,
    output: f64,
    cache_read: Option<f64>,
    cache_write: Option<f64>,
    context_tokens: Option<u64>,
    prompt_tokens_max: Option<u64>,
}

/// The bundled prices as they are on a day (milliseconds since 1970), with the user's own in place of them or after them.
pub fn prices(own: &[Price], at_ms: u64) -> Vec<Price> {
    let table: Table = serde_json::from_str(BUNDLED).expect("the bundled table is read in a test");
    let today = crate::text::day(at_ms);
    let mut prices: Vec<Price> = Vec::new();
    let bundled = table.prices.into_iter().filter(|row| row.from.as_ref().is_none_or(|from| *from <= today));
    let bundled = bundled.map(|row| Price {
        cache_read: row.cache_read.unwrap_or(row.input),
        cache_write: row.cache_write.unwrap_or(row.input),
        model: row.model,
        input: row.input,
        output: row.output,
        date: table.date.clone(),
        source: table.source.clone(),
        context_tokens: row.context_tokens,
        prompt_tokens_max: row.prompt_tokens_max,
    });
    for price in bundled.chain(own.iter().cloned()) {
        match prices.iter_mut().find(|known| known.model == price.model) {
            Some(known) => *known = price,
            None => prices.push(price),
        }
    }
    prices
}

/// The price of a model, or of the default one. `Err` names the models that have one.
pub fn price(model: Option<&str>, own: &[Price], at_ms: u64) -> Result<Price, String> {
    let prices = prices(own, at_ms);
    let wanted = model.unwrap_or(DEFAULT_MODEL);
    if let Some(price) = prices.iter().find(|price| price.model == wanted) {
        return Ok(price.clone());
    }
    let known = prices.iter().map(|price| price.model.as_str()).collect::<Vec<_>>().join(", ");
    Err(format!(
        "no price is known for the model `{wanted}`; there is one for {known}. Add it to tta.toml: [prices.\"{wanted}\"] with \
         input and output"
    ))
}

/// The window that runs are counted with: what is configured, else the usual one, or the model's where that is smaller.
pub fn context_tokens(configured: Option<u64>, model: Option<&str>, own: &[Price], at_ms: u64) -> u64 {
    let models = || price(model, own, at_ms).ok().and_then(|price| price.context_tokens);
    configured.unwrap_or_else(|| models().unwrap_or(CONTEXT_TOKENS).min(CONTEXT_TOKENS))
}

/// Both sides in dollars; of one run, or of the sum of many.
pub fn dollars(tokens: &TokenReport, price: &Price) -> Dollars {
    let direct = &tokens.direct;
    let sides = [&tokens.code_mode, &direct.deferred, &direct.all_servers, &direct.needed_servers];
    let [code_mode, deferred, all_servers, needed_servers] = sides.map(|side| cost(side, price));
    let peak = sides.iter().map(|side| side.peak_context).max().unwrap_or_default();
    Dollars {
        price: price.clone(),
        code_mode,
        deferred,
        all_servers,
        needed_servers,
        labels: labels(price, tokens, peak),
    }
}

fn cost(side: &SideTokens, price: &Price) -> Cost {
    let prompts = side.total.saturating_sub(side.output);
    let read = side.cacheable.min(prompts);
    let written = million(side.output) * price.output;
    Cost {
        uncached: million(prompts) * price.input + written,
        cached: million(read) * price.cache_read + million(prompts - read) * price.cache_write + written,
    }
}

/// Tokens as the unit that prices are for.
#[expect(clippy::cast_precision_loss, reason = "a sum of dollars needs no more than 52 bits of tokens")]
fn million(tokens: u64) -> f64 {
    tokens as f64 / 1e6
}

fn labels(price: &Price, tokens: &TokenReport, peak_context: u64) -> BTreeMap<String, String> {
    let Price { model, date, source, .. } = price;
    let date = if date.is_empty() { "no date given" } else { date };
    let mut price_label = format!("estimated: {model}, {date}, {source}");
    if let Some(most) = price.prompt_tokens_max.filter(|most| peak_context > *most) {
        let most = crate::text::grouped(most);
        let _ = write!(price_label, "; prompts above {most} tokens cost more, which is left out");
    }
    let cached = "estimated: tokens that an earlier prompt has sent at cache_read, other prompt tokens at cache_write, written \
                  ones at output; definitions taken as cached from before, and every turn as within the cache's life";
    let uncached = "estimated: (total - output) at input, output at output";
    let counted = crate::band::label(model, tokens);
    [("price", price_label.as_str()), ("cached", cached), ("uncached", uncached), ("tokens", counted.as_str())]
        .map(|(figure, label)| (figure.to_owned(), label.to_owned()))
        .into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::formula::{NO_WINDOW, Step, side};
    use model::tokens::Baselines;

    /// 2026-11-28 and 2026-12-02, at noon.
    const NOVEMBER: u64 = 1_795_867_200_000;
    const DECEMBER: u64 = NOVEMBER + 4 * 86_400_000;

    fn own(model: &str, input: f64) -> Price {
        Price { model: model.to_owned(), input, output: 7.0, cache_read: input, cache_write: input, ..Price::default() }
    }

    #[test]
    fn every_bundled_price_is_sound_and_the_default_is_one() {
        let prices = prices(&[], NOVEMBER);
        assert_eq!(prices.len(), 15);
        for price in &prices {
            assert!(price.cache_read <= price.input && price.input <= price.output, "{price:?}");
            assert!(price.cache_write >= price.input && price.input > 0.0, "{price:?}");
            assert!((price.date.as_str(), price.source.is_empty()) == ("2026-11-28", false), "{price:?}");
        }
        assert_eq!(price(None, &[], NOVEMBER).map(|price| price.model), Ok(DEFAULT_MODEL.to_owned()));
    }

    #[test]
    fn a_price_holds_from_its_day_and_the_users_own_holds_over_it() {
        let of = |own: &[Price], at| price(Some("gemini-4-argon"), own, at).expect("a price").input;
        assert_eq!((of(&[], NOVEMBER), of(&[], DECEMBER)), (2.0, 4.0));
        assert_eq!((of(&[own("gemini-4-argon", 1.5)], DECEMBER),), (1.5,));
        assert_eq!(price(Some("house-1"), &[own("house-1", 3.0)], DECEMBER), Ok(own("house-1", 3.0)));
        let unknown = price(Some("gpt-9"), &[own("house-1", 3.0)], DECEMBER).expect_err("nobody knows it");
        assert!(
            unknown.contains("`gpt-9`") && unknown.contains("house-1") && unknown.contains("gpt-6-luna"),
            "{unknown}"
        );
    }

    #[test]
    fn dollars_are_as_computed_by_hand_and_linear() {
        // The formula's own example: P = 100, 1,110, 1,135, sum 2,345; A = 30; cacheable = 100 + 100 + 1,110 = 1,310.
        let code_mode = side(100, &[Step { output: 10, results: 1_000 }, Step { output: 20, results: 5 }], NO_WINDOW).0;
        let direct = Baselines { deferred: SideTokens::default(), ..Baselines::default() };
        let one = TokenReport { code_mode: code_mode.clone(), direct, ..TokenReport::default() };
        let price = Price { cache_read: 0.5, cache_write: 2.5, output: 10.0, ..own("m", 2.0) };
        let cost = dollars(&one, &price).code_mode;
        // Uncached: 2,345 * 2 + 30 * 10 = 4,990 per million. Cached: 1,310 * 0.5 + 1,035 * 2.5 + 300 = 655 + 2,587.5 + 300.
        assert!((cost.uncached - 4_990e-6).abs() < 1e-12, "{cost:?}");
        assert!((cost.cached - 3_542.5e-6).abs() < 1e-12, "{cost:?}");
        let mut sum = code_mode.clone();
        crate::formula::add(&mut sum, &code_mode);
        let twice = dollars(&TokenReport { code_mode: sum, ..TokenReport::default() }, &price).code_mode;
        assert!(
            (twice.cached - 2.0 * cost.cached).abs() < 1e-12 && (twice.uncached - 2.0 * cost.uncached).abs() < 1e-12
        );
    }

    #[test]
    fn labels_say_what_is_left_out() {
        let long = SideTokens { peak_context: 300_000, ..SideTokens::default() };
        let report = TokenReport { code_mode: long, ..TokenReport::default() };
        let price = price(None, &[], NOVEMBER).expect("the default");
        assert!(
            dollars(&report, &price).labels["price"]
                .ends_with("prompts above 272,000 tokens cost more, which is left out")
        );
        let short = dollars(&TokenReport::default(), &price);
        assert!(!short.labels["price"].contains("272,000") && short.labels["price"].starts_with("estimated"));
    }

    #[test]
    fn the_window_is_the_configured_one_or_the_smaller_of_the_usual_and_the_models() {
        let small = [Price { context_tokens: Some(128_000), ..own("small", 1.0) }];
        assert_eq!(context_tokens(None, None, &small, NOVEMBER), 200_000);
        assert_eq!(context_tokens(None, Some("small"), &small, NOVEMBER), 128_000);
        assert_eq!(context_tokens(Some(1_000_000), Some("small"), &small, NOVEMBER), 1_000_000);
        assert_eq!(context_tokens(None, Some("unknown"), &small, NOVEMBER), 200_000);
    }
}
