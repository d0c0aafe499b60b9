//! What was counted and could not be written: kept without its texts, within a bound, until it can be.

use crate::store::Row;
use std::sync::Arc;

/// Runs, calls and searches that are kept, about 500 bytes each. Of runs beyond them only the number is.
const ROWS_MAX: usize = 50_000;

/// Rows in the order in which they were counted.
#[derive(Debug, Default)]
pub(crate) struct Unwritten {
    pub(crate) rows: Vec<Row>,
    weight: usize,
    /// Runs and calls of which only the number was kept.
    pub(crate) beyond: (u64, u64),
}

impl Unwritten {
    pub(crate) fn is_empty(&self) -> bool {
        self.rows.is_empty() && self.beyond.0 == 0
    }

    /// Keeps what there is room for.
    pub(crate) fn keep(&mut self, rows: Vec<Row>) {
        let nothing: Arc<str> = "".into();
        for mut row in rows {
            let calls = if let Row::Run(run) = &row { run.facts.calls.len() } else { 0 };
            if self.weight + 1 + calls > ROWS_MAX {
                if matches!(row, Row::Run(_)) {
                    self.beyond.0 += 1;
                    self.beyond.1 += calls as u64;
                }
                continue;
            }
            self.weight += 1 + calls;
            drop_texts(&mut row, &nothing);
            self.rows.push(row);
        }
    }
}

/// What is counted is no longer needed.
fn drop_texts(row: &mut Row, nothing: &Arc<str>) {
    let calls = match row {
        Row::Run(run) => {
            (run.facts.code_arguments, run.facts.reply_text) = (Arc::clone(nothing), Arc::clone(nothing));
            run.facts.direct_tools = [].into();
            run.facts.calls.as_mut_slice()
        }
        Row::Direct { facts, .. } => std::slice::from_mut(&mut **facts),
        Row::Discovery { .. } => &mut [],
    };
    for call in calls {
        (call.arguments_json, call.result_text) = (Arc::clone(nothing), Arc::clone(nothing));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::count::Count;
    use crate::facts::{CallFacts, Found, RunFacts};
    use crate::receipt::{CountedRun, Exchange};
    use crate::store::RunRow;
    use model::{CacheOutcome, CallRecord, CallStatus, Language, RunId, RunStatus};

    #[test]
    fn so_many_rows_are_kept_and_no_more() {
        let mut unwritten = Unwritten::default();
        let count = Count::estimate(8);
        let exchange = Exchange { arguments: count, result: count };
        let search = || Row::Discovery { conversation: "one".into(), at_ms: 1, exchange };
        unwritten.keep((0..ROWS_MAX + 7).map(|_| search()).collect());
        assert_eq!((unwritten.rows.len(), unwritten.beyond), (ROWS_MAX, (0, 0)));
    }

    #[test]
    fn no_text_is_kept() {
        let text: Arc<str> = "a long text".repeat(1_000).into();
        let record = CallRecord {
            server: "fs".to_owned(),
            tool: "read".to_owned(),
            status: CallStatus::Ok,
            ms: 1.0,
            cache: CacheOutcome::Miss,
            wave: 0,
            argument_bytes: 1,
            result_bytes: 1,
            result_tokens: None,
            line: None,
            error: None,
        };
        let (arguments_json, result_text) = (Arc::clone(&text), Arc::clone(&text));
        let call = CallFacts { record, arguments_json, result_text, media: 0, found: Found::Tool };
        let facts = RunFacts {
            run_id: RunId::new(),
            conversation: "one".into(),
            front: "mcp".to_owned(),
            language: Language::Python,
            status: RunStatus::Ok,
            name: None,
            at_ms: 1,
            wall_ms: 1.0,
            code_arguments: Arc::clone(&text),
            program: blake3::hash(b"1 + 1"),
            reply_text: Arc::clone(&text),
            calls: vec![call],
            servers_all: [].into(),
            servers_used: Vec::new(),
            tags: [].into(),
            direct_tools: [].into(),
        };
        let count = Count::estimate(8);
        let run = RunRow {
            facts: Box::new(facts),
            code_bytes: 1,
            reply_bytes: 1,
            counted: CountedRun { ended_well: true, code: count, reply: count, calls: Vec::new() },
            own: count,
            host_search: count,
        };
        let mut unwritten = Unwritten::default();
        unwritten.keep(vec![Row::Run(Box::new(run))]);
        let Row::Run(run) = &unwritten.rows[0] else { panic!("a run was kept") };
        assert_eq!((run.facts.text_bytes(), Arc::strong_count(&text)), (0, 1));
    }
}
