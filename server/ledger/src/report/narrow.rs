//! A report's narrowing as conditions of SQL. Values are always bound, never written into the text.

use crate::error::Error;
use crate::report::Period;
use model::report::ReportFilter;
use rusqlite::types::Value;

/// What runs and calls must be like.
#[derive(Clone, Debug, Default)]
pub(crate) struct Narrowing {
    pub(crate) server: Option<String>,
    pub(crate) tool: Option<String>,
    pub(crate) language: Option<String>,
    pub(crate) front: Option<String>,
    pub(crate) status: Option<String>,
    pub(crate) tag: Option<String>,
}

/// Conditions joined by AND, each with one before it, and the values that they name by `?`.
#[derive(Debug, Default)]
pub(crate) struct Conditions {
    pub(crate) sql: String,
    pub(crate) values: Vec<Value>,
}

impl Narrowing {
    pub(crate) fn new(only: &ReportFilter) -> Result<Self, Error> {
        if let Some(tag) = only.tag.as_ref().filter(|tag| !tag.contains('=')) {
            return Err(Error::Request(format!("the tag `{tag}` has no value: write it as key=value")));
        }
        Ok(Self {
            server: only.server.clone(),
            tool: only.tool.clone(),
            language: only.language.clone(),
            front: only.front.clone(),
            status: only.status.map(|status| status.as_str().to_owned()),
            tag: only.tag.clone(),
        })
    }

    /// Whether it takes runs in this language that ended like this.
    pub(crate) fn takes(&self, language: &str, status: &str) -> bool {
        self.language.as_deref().is_none_or(|only| only == language)
            && self.status.as_deref().is_none_or(|only| only == status)
    }

    /// Whether it takes runs that this front asked for. Sums over calls do not know theirs (`front.rs`).
    pub(crate) fn takes_front(&self, front: &str) -> bool {
        self.front.as_deref().is_none_or(|only| only == front)
    }

    /// Whether it takes calls of this tool.
    pub(crate) fn calls(&self, server: &str, tool: &str) -> bool {
        self.server.as_deref().is_none_or(|only| only == server) && self.tool.as_deref().is_none_or(|only| only == tool)
    }

    /// Whether it asks for something of a call.
    pub(crate) fn is_of_calls(&self) -> bool {
        self.server.is_some() || self.tool.is_some()
    }

    /// Whether it asks for something of a call's run.
    pub(crate) fn is_of_runs(&self) -> bool {
        self.language.is_some() || self.front.is_some() || self.status.is_some() || self.tag.is_some()
    }

    /// Of rows of `runs r`.
    pub(crate) fn of_runs(&self, period: Period, all: &mut Conditions) {
        all.within("r.at_ms", period);
        all.equal("r.language", self.language.as_ref());
        all.equal("r.front", self.front.as_ref());
        all.equal("r.status", self.status.as_ref());
    }

    /// Of rows of `run_tags t`.
    pub(crate) fn of_tags(&self, period: Period, all: &mut Conditions) {
        all.equal("t.tag", self.tag.as_ref());
        all.within("t.at_ms", period);
    }

    /// Of rows of `calls c` that belong to runs; `servers` and `tools` are those that what is asked for can be of.
    pub(crate) fn of_calls(&self, period: Period, (servers, tools): (&[String], &[String]), all: &mut Conditions) {
        all.and("c.run_id IS NOT NULL");
        if self.is_of_calls() {
            all.one_of("c.server", servers);
            all.one_of("c.tool", tools);
        }
        all.within("c.at_ms", period);
    }
}

impl Conditions {
    /// One more, without values.
    pub(crate) fn and(&mut self, condition: &str) {
        self.text(" AND ");
        self.text(condition);
    }

    pub(crate) fn text(&mut self, text: &str) {
        self.sql.push_str(text);
    }

    fn within(&mut self, column: &str, Period { since_ms, until_ms }: Period) {
        let number = |ms: u64| Value::Integer(i64::try_from(ms).unwrap_or(i64::MAX));
        self.and(&format!("{column} >= ? AND {column} < ?"));
        self.values.extend([number(since_ms), number(until_ms)]);
    }

    fn one_of(&mut self, column: &str, values: &[String]) {
        self.and(&format!("{column} IN ({})", vec!["?"; values.len()].join(", ")));
        self.values.extend(values.iter().map(|value| Value::Text(value.clone())));
    }

    fn equal(&mut self, column: &str, value: Option<&String>) {
        if let Some(value) = value {
            self.and(&format!("{column} = ?"));
            self.values.push(Value::Text(value.clone()));
        }
    }
}
