//! Sums over the tasks of a set, and the table of them.

use comfy_table::{CellAlignment, Table, presets};
use model::report::{ConversationReport, Cost, Dollars};
use model::tokens::{Baselines, SideTokens};
use serde::Serialize;

/// One task set's outcome.
#[derive(Debug, Serialize)]
pub(crate) struct Sums {
    suite: String,
    tasks: u64,
    runs: u64,
    calls: u64,
    /// Tokens billed, over all turns and tasks.
    code_mode_tokens: u64,
    /// Each call a turn of its own, as the programs make them.
    direct: Ways,
    /// The calls of one turn of the user all at once: the least that direct calling can cost.
    direct_at_once: Ways,
    code_mode_dollars: Money,
    /// The task that gains least against the headline, and how much, in percent.
    worst: Option<(String, f64)>,
    /// The task that gains most.
    best: Option<(String, f64)>,
    /// Tasks that cost more as programs.
    lost: u64,
    /// Tasks that could not be compared, and why.
    left_out: Vec<(String, String)>,
    /// Whose prices the dollars are at, their date and source.
    price: Option<String>,
    encoding: String,
}

/// What each baseline costs.
#[derive(Debug, Default, Serialize)]
struct Ways {
    deferred: Side,
    all_servers: Side,
    needed_servers: Side,
}

/// One baseline's cost.
#[derive(Debug, Default, Serialize)]
struct Side {
    tokens: u64,
    dollars: Money,
}

/// US dollars at the model's prices; zero where they are not known.
#[derive(Clone, Copy, Debug, Default, Serialize)]
struct Money {
    uncached: f64,
    cached: f64,
}

impl Sums {
    /// Of no task yet.
    pub(crate) fn new(suite: &str) -> Self {
        Self {
            suite: suite.to_owned(),
            tasks: 0,
            runs: 0,
            calls: 0,
            code_mode_tokens: 0,
            direct: Ways::default(),
            direct_at_once: Ways::default(),
            code_mode_dollars: Money::default(),
            worst: None,
            best: None,
            lost: 0,
            left_out: Vec::new(),
            price: None,
            encoding: String::new(),
        }
    }

    /// Adds a task that was played both ways.
    pub(crate) fn add(&mut self, task: &str, report: &ConversationReport) {
        let tokens = &report.tokens;
        self.tasks += 1;
        self.runs += report.runs;
        self.calls += report.calls;
        self.code_mode_tokens += tokens.code_mode.total;
        self.lost += u64::from(tokens.saved < 0);
        self.direct.add(&tokens.direct, report.dollars.as_ref());
        self.direct_at_once.add(&report.at_once, report.dollars_at_once.as_ref());
        if let Some(dollars) = &report.dollars {
            self.code_mode_dollars.add(&dollars.code_mode);
            let price = &dollars.price;
            self.price = Some(format!("{}, {} of {}", price.model, price.source, price.date));
        }
        let share = tokens.saved_percent.unwrap_or_default();
        if self.worst.as_ref().is_none_or(|(_, worst)| share < *worst) {
            self.worst = Some((task.to_owned(), share));
        }
        if self.best.as_ref().is_none_or(|(_, best)| share > *best) {
            self.best = Some((task.to_owned(), share));
        }
        tokens.encoding.clone_into(&mut self.encoding);
    }

    /// Notes a task that could not be compared.
    pub(crate) fn leave_out(&mut self, task: &str, why: String) {
        self.left_out.push((task.to_owned(), why));
    }

    /// Tasks in the sums.
    pub(crate) fn compared(&self) -> u64 {
        self.tasks
    }

    fn row(&self) -> Vec<String> {
        let share = |side: &Side| {
            let tokens = percent(side.tokens, self.code_mode_tokens);
            let dollars = (side.dollars.cached > 0.0)
                .then(|| 100.0 * (1.0 - self.code_mode_dollars.cached / side.dollars.cached))
                .map_or("–".to_owned(), |share| format!("{share:.0}"));
            format!("{tokens:.0} / {dollars}")
        };
        let named = |task: &Option<(String, f64)>| {
            task.as_ref().map_or("–".to_owned(), |(name, share)| format!("{share:.0} % ({name})"))
        };
        let mut row = vec![self.suite.clone(), self.tasks.to_string(), self.calls.to_string()];
        row.extend(
            [&self.direct, &self.direct_at_once]
                .into_iter()
                .flat_map(|ways| [share(&ways.all_servers), share(&ways.needed_servers), share(&ways.deferred)]),
        );
        row.extend([self.lost.to_string(), named(&self.worst), self.left_out.len().to_string()]);
        row
    }
}

impl Ways {
    fn add(&mut self, tokens: &Baselines, dollars: Option<&Dollars>) {
        self.deferred.add(&tokens.deferred, dollars.map(|it| &it.deferred));
        self.all_servers.add(&tokens.all_servers, dollars.map(|it| &it.all_servers));
        self.needed_servers.add(&tokens.needed_servers, dollars.map(|it| &it.needed_servers));
    }
}

impl Side {
    fn add(&mut self, tokens: &SideTokens, cost: Option<&Cost>) {
        self.tokens += tokens.total;
        if let Some(cost) = cost {
            self.dollars.add(cost);
        }
    }
}

impl Money {
    fn add(&mut self, cost: &Cost) {
        self.uncached += cost.uncached;
        self.cached += cost.cached;
    }
}

/// What is saved of `direct`, in percent; negative where `program` is more.
#[expect(clippy::cast_precision_loss, reason = "a percentage needs no more than 52 bits")]
fn percent(direct: u64, program: u64) -> f64 {
    if direct == 0 { 0.0 } else { 100.0 * (direct as f64 - program as f64) / direct as f64 }
}

/// The table: saved in percent, tokens / dollars with prompt caching.
pub(crate) fn table(results: &[Sums]) -> String {
    let mut table = Table::new();
    table.load_style(presets::ASCII_MARKDOWN);
    table.set_header([
        "task set",
        "tasks",
        "calls",
        "all servers",
        "needed servers",
        "deferred",
        "all, at once",
        "needed, at once",
        "deferred, at once",
        "lost",
        "worst",
        "left out",
    ]);
    for sums in results {
        table.add_row(sums.row());
    }
    for column in table.column_iter_mut().skip(1) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    let prices = results.iter().find_map(|sums| sums.price.as_deref()).unwrap_or("no prices are known");
    let encoding = results.first().map_or("", |sums| &sums.encoding);
    format!(
        "{table}\n\nSaved by programs, in % of direct calling: tokens billed ({encoding}, computed) / dollars with prompt caching \
         ({prices}; estimated).\nWithout a model: the calls are those that the task set says are right, the program makes them and \
         returns every answer.\nEach call is a turn of its own, or (at once) all calls of one turn of the user are a single turn."
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::TokenReport;

    #[test]
    fn a_row_says_what_was_saved_and_lost() {
        let side = |total| SideTokens { total, ..SideTokens::default() };
        let direct = Baselines { deferred: side(400), all_servers: side(1_000), needed_servers: side(500) };
        let at_once = Baselines { deferred: side(160), all_servers: side(800), needed_servers: side(250) };
        let tokens = TokenReport {
            code_mode: side(200),
            direct,
            saved: 200,
            saved_percent: Some(50.0),
            ..TokenReport::default()
        };
        let mut sums = Sums::new("set");
        sums.add("a", &ConversationReport { runs: 1, calls: 3, tokens, at_once, ..ConversationReport::default() });
        sums.leave_out("b", "no reason".to_owned());
        let row = sums.row();
        assert_eq!(row[..6], ["set", "1", "3", "80 / –", "60 / –", "50 / –"]);
        assert_eq!(row[6..], ["75 / –", "20 / –", "-25 / –", "0", "50 % (a)", "1"]);
    }
}
