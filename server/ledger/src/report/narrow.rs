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
    pub(crate) status: Option<String>,
    pub(crate) tag: Option<String>,
}

/// Conditions joined by AND, and the values that they name by `?`.
#[derive(Debug)]
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
            status: only.status.map(|status| status.as_str().to_owned()),
            tag: only.tag.clone(),
        })
    }

    /// Of rows of `runs r`.
    pub(crate) fn of_runs(&self, period: Period) -> Conditions {
        let mut all = Conditions::in_period("r", period);
        all.equal("r.language", self.language.as_ref());
        all.equal("r.status", self.status.as_ref());
        all.tagged(self.tag.as_ref());
        if self.server.is_some() || self.tool.is_some() {
            all.sql.push_str(" AND EXISTS (SELECT 1 FROM calls c WHERE c.run_id = r.run_id");
            all.equal("c.server", self.server.as_ref());
            all.equal("c.tool", self.tool.as_ref());
            all.sql.push(')');
        }
        all
    }

    /// Of rows of `calls c`, whose runs are `runs r`.
    pub(crate) fn of_calls(&self, period: Period) -> Conditions {
        let mut all = Conditions::in_period("c", period);
        all.equal("c.server", self.server.as_ref());
        all.equal("c.tool", self.tool.as_ref());
        all.equal("r.language", self.language.as_ref());
        all.equal("r.status", self.status.as_ref());
        all.tagged(self.tag.as_ref());
        all
    }
}

impl Conditions {
    fn in_period(table: &str, Period { since_ms, until_ms }: Period) -> Self {
        let number = |ms: u64| Value::Integer(i64::try_from(ms).unwrap_or(i64::MAX));
        let sql = format!("{table}.at_ms >= ? AND {table}.at_ms < ?");
        Self { sql, values: vec![number(since_ms), number(until_ms)] }
    }

    fn equal(&mut self, column: &str, value: Option<&String>) {
        if let Some(value) = value {
            self.sql.push_str(&format!(" AND {column} = ?"));
            self.values.push(Value::Text(value.clone()));
        }
    }

    /// No run has a tag yet.
    fn tagged(&mut self, tag: Option<&String>) {
        if tag.is_some() {
            self.sql.push_str(" AND 0");
        }
    }
}
