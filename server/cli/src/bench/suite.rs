//! Task sets as files: a line of JSON is a task. Lines are read one by one; a wrong one is named with its number.

use crate::failure::Failure;
use serde::Deserialize;
use serde_json::{Map, Value};
use std::fs::{self, File};
use std::io::{BufRead as _, BufReader, Lines};
use std::path::{Path, PathBuf};

/// A task set that is being read.
pub(crate) struct Suite {
    /// The file's name without its ending.
    pub(crate) name: String,
    file: PathBuf,
    lines: Lines<BufReader<File>>,
    number: usize,
}

/// One task.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Task {
    /// Its name.
    #[serde(rename = "task")]
    pub(crate) name: String,
    /// What its servers are to play; theirs to understand.
    scenario: Map<String, Value>,
    /// What the user asks for, one after the other.
    pub(crate) turns: Vec<Turn>,
}

/// One turn of the user.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Turn {
    /// The calls that are right, in order.
    pub(crate) calls: Vec<Call>,
    /// A Python program that makes them and returns the list of their answers.
    pub(crate) program: String,
}

/// One call.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Call {
    pub(crate) server: String,
    pub(crate) tool: String,
    pub(crate) arguments: Value,
}

impl Suite {
    /// Opens a file of tasks.
    pub(crate) fn open(file: &Path) -> Result<Self, Failure> {
        let opened = File::open(file).map_err(|e| {
            Failure::usage(
                format!("{} cannot be read: {e}", file.display()),
                "name a file of tasks, a line of JSON each",
            )
        })?;
        let name = file.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        Ok(Self { name, file: file.to_owned(), lines: BufReader::new(opened).lines(), number: 0 })
    }
}

impl Iterator for Suite {
    type Item = Result<Task, Failure>;

    fn next(&mut self) -> Option<Self::Item> {
        let line = self.lines.next()?;
        self.number += 1;
        let place = format!("{}:{}", self.file.display(), self.number);
        let task =
            line.map_err(|e| e.to_string()).and_then(|line| serde_json::from_str(&line).map_err(|e| e.to_string()));
        Some(task.map_err(|why| {
            Failure::usage(
                format!("{place}: no task: {why}"),
                "a task has `task`, `scenario` and `turns` of `calls` and `program`",
            )
        }))
    }
}

impl Task {
    /// Tells the servers what to play: each pass begins the scenario anew.
    pub(crate) fn stage(&self, file: &Path, pass: &str) -> Result<(), Failure> {
        let mut scenario = self.scenario.clone();
        scenario.insert("pass".to_owned(), Value::from(pass));
        fs::write(file, Value::from(scenario).to_string()).map_err(|e| {
            Failure::usage(
                format!("{} cannot be written: {e}", file.display()),
                "--scenario names the file that the servers read",
            )
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wrong_line_is_named_and_a_scenario_says_its_pass() {
        let folder = tempfile::tempdir().expect("a folder");
        let (file, scenario) = (folder.path().join("set.jsonl"), folder.path().join("scenario.json"));
        let task = r#"{"task":"a","scenario":{"n":1},"turns":[{"calls":[{"server":"s","tool":"t","arguments":{}}],"program":"1"}]}"#;
        fs::write(&file, format!("{task}\n{{\"task\":\"b\"}}\n")).expect("written");
        let mut suite = Suite::open(&file).expect("opened");
        assert_eq!(suite.name, "set");
        let first = suite.next().expect("a line").expect("a task");
        first.stage(&scenario, "direct").expect("staged");
        assert_eq!(fs::read_to_string(&scenario).expect("read"), r#"{"n":1,"pass":"direct"}"#);
        let refused = suite.next().expect("a line").expect_err("no task");
        assert!(refused.0.message.contains("set.jsonl:2: no task: missing field"), "{}", refused.0.message);
        assert!(suite.next().is_none());
    }
}
