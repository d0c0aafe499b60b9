//! Search over real servers' tools: `tests/fixtures/catalog`, asked the questions of `tests/fixtures/search.json`.

use catalog::{Catalog, Found, ServerTools};
use model::ToolDefinition;
use serde::Deserialize;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

#[derive(Deserialize)]
struct Question {
    query: String,
    /// Any of these may be the answer.
    expect: Vec<String>,
}

fn fixtures() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures")
}

fn read<T: serde::de::DeserializeOwned>(path: &Path) -> T {
    let text = std::fs::read_to_string(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    serde_json::from_str(&text).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

fn server(name: &str) -> Arc<ServerTools> {
    let tools: Vec<ToolDefinition> = read(&fixtures().join(format!("catalog/{name}.json")));
    Arc::new(ServerTools::new(name, &model::names::identifier(name), tools.into()))
}

fn all() -> Catalog {
    let files = std::fs::read_dir(fixtures().join("catalog")).expect("the fixtures' folder");
    let paths = files.map(|file| file.expect("a readable folder").path());
    let jsons = paths.filter(|path| path.extension().is_some_and(|ending| ending == "json"));
    let mut names: Vec<String> = jsons.map(|p| p.file_stem().expect("a name").to_string_lossy().into_owned()).collect();
    names.sort();
    Catalog::new(names.iter().map(|name| server(name)).collect())
}

fn names(found: &Found<'_>) -> Vec<String> {
    found.hits.iter().map(|hit| format!("{}.{}", hit.server.name(), hit.tool.definition.name)).collect()
}

#[test]
fn natural_questions_find_the_right_tool() {
    let (catalog, questions) = (all(), read::<Vec<Question>>(&fixtures().join("search.json")));
    assert!(catalog.entry_count() > 250 && questions.len() >= 40, "the fixtures are there");
    let (mut first, mut third, mut reciprocal, mut report) = (0.0, 0.0, 0.0, String::new());
    let share = 1.0 / f64::from(u32::try_from(questions.len()).expect("a few questions"));
    for question in &questions {
        let found = names(&catalog.search(&question.query, None, 50));
        let rank = (1_u32..).zip(&found).find(|(_, name)| question.expect.contains(name)).map(|(rank, _)| rank);
        first += if rank == Some(1) { share } else { 0.0 };
        third += if rank.is_some_and(|rank| rank <= 3) { share } else { 0.0 };
        reciprocal += rank.map_or(0.0, |rank| share / f64::from(rank));
        if rank != Some(1) {
            let _ = writeln!(report, "{rank:?} {:?}: {:?}", question.query, &found[..found.len().min(3)]);
        }
    }
    println!("hit@1 {first:.2}, hit@3 {third:.2}, MRR {reciprocal:.3}; not first:\n{report}");
    assert!(
        first >= 0.80 && third >= 0.90 && reciprocal >= 0.86,
        "hit@1 {first} hit@3 {third} MRR {reciprocal}\n{report}"
    );
}

#[test]
fn every_tool_is_first_for_its_own_name_however_it_is_written() {
    let catalog = all();
    for server in catalog.servers() {
        for tool in server.tools() {
            let name = &tool.definition.name;
            let written = [
                format!("{}.{name}", server.name()),
                tool.path.clone(),
                format!("{} {}", server.name(), name.replace(['_', '-'], " ")),
            ];
            for query in written {
                assert_eq!(names(&catalog.search(&query, None, 1)), [format!("{}.{name}", server.name())], "{query}");
            }
        }
    }
}

#[test]
fn an_empty_query_lists_in_order_and_a_server_narrows() {
    let catalog = Catalog::new(vec![server("time"), server("git")]);
    let found = catalog.search("  ", None, 4);
    assert_eq!(
        names(&found),
        ["time.get_current_time", "time.convert_time", "git.git_status", "git.git_diff_unstaged"]
    );
    assert_eq!((found.matched, found.searched), (14, 14));
    let found = catalog.search("time", Some("git"), 10);
    assert_eq!(found.searched, 12);
    assert!(found.hits.iter().all(|hit| hit.server.name() == "git"));
    assert_eq!(catalog.search("time", Some("nowhere"), 10).searched, 0);
}

#[test]
fn starts_slips_and_compounds_of_words_are_understood() {
    let catalog = all();
    let first = |query: &str| names(&catalog.search(query, None, 1)).pop();
    assert_eq!(first("screenshoot").as_deref(), Some("playwright.browser_take_screenshot"));
    assert_eq!(first("convrt time").as_deref(), Some("time.convert_time"));
    assert_eq!(first("current on call users").as_deref(), Some("grafana.get_current_oncall_users"));
    assert_eq!(first("zzzzqqqq"), None);
}

#[test]
fn the_same_question_has_the_same_answer() {
    let (one, other) = (all(), all());
    for query in ["list", "get a file", "user", "create"] {
        assert_eq!(names(&one.search(query, None, 100)), names(&other.search(query, None, 100)));
    }
}

#[test]
fn queries_and_answers_are_bounded() {
    let catalog = Catalog::new((0..60).map(|n| renamed(&format!("git{n}"))).chain([server("grafana")]).collect());
    assert_eq!(catalog.search("", None, usize::MAX).hits.len(), catalog.entry_count().min(1_000));
    let long = "file 日本 ".repeat(1_000_000);
    assert!(catalog.search(&long, None, 3).hits.len() <= 3);
    assert!(catalog.search("file", None, 0).hits.is_empty());
}

fn renamed(name: &str) -> Arc<ServerTools> {
    Arc::new(ServerTools::new(name, name, Arc::clone(server("git").definitions())))
}
