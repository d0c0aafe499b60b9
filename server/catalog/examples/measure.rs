//! How long indexing and searching take over 10,000 tools: the fixtures' real tools, each copy under other names.
//!
//! `cargo run --release -p catalog --example measure`

use catalog::{Catalog, ServerTools};
use model::ToolDefinition;
use serde_json::Value;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

const TOOLS: usize = 10_000;
const ROUNDS: usize = 20;

fn main() {
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures");
    let sources = servers(&fixtures.join("catalog"));
    let queries: Vec<Value> = read(&fixtures.join("search.json"));
    let copies = copies(&sources);

    let start = Instant::now();
    let parts: Vec<Arc<ServerTools>> = copies.iter().map(|(name, tools)| index(name, tools)).collect();
    let built = start.elapsed();
    let start = Instant::now();
    let one = index(&copies[0].0, &copies[0].1);
    let catalog = Catalog::new(parts.iter().cloned().chain([one]).collect());
    let rebuilt = start.elapsed();

    let mut times: Vec<Duration> = Vec::new();
    let mut slowest = (Duration::ZERO, "");
    for query in queries.iter().filter_map(|q| q["query"].as_str()) {
        let mut own: Vec<Duration> = (0..ROUNDS).map(|_| search(&catalog, query)).collect();
        own.sort_unstable();
        slowest = slowest.max((own[ROUNDS / 2], query));
        times.extend(own);
    }
    times.sort_unstable();
    let at = |per_mille: usize| ms(times[(times.len() - 1) * per_mille / 1_000]);
    println!("{} tools of {} servers", catalog.entry_count(), catalog.servers().len());
    println!("index all: {:.0} ms; one server changed: {:.2} ms", ms(built), ms(rebuilt));
    println!("search: p50 {:.2} ms, p99 {:.2} ms, {} searches", at(500), at(990), times.len());
    // On a busy machine p99 tells of the scheduler; a median does not.
    println!("slowest question: {:?}, median {:.2} ms", slowest.1, ms(slowest.0));

    let tool = parts[0].tools().first().expect("a server with tools");
    let arguments = serde_json::json!({});
    let start = Instant::now();
    let _ = tool.validate(&arguments);
    let first = start.elapsed();
    let start = Instant::now();
    for _ in 0..10_000 {
        let _ = std::hint::black_box(tool.validate(std::hint::black_box(&arguments)));
    }
    println!("check of arguments: first {:.2} ms, then {:.2} us", ms(first), ms(start.elapsed()) / 10.0);
}

fn search(catalog: &Catalog, query: &str) -> Duration {
    let start = Instant::now();
    let found = catalog.search(query, None, 10);
    let taken = start.elapsed();
    assert!(!found.hits.is_empty(), "{query}");
    taken
}

fn index(name: &str, tools: &Arc<[ToolDefinition]>) -> Arc<ServerTools> {
    Arc::new(ServerTools::new(name, &model::names::identifier(name), Arc::clone(tools)))
}

/// As many copies of the servers as make `TOOLS`, with every copy's words partly its own.
fn copies(sources: &[(String, Vec<ToolDefinition>)]) -> Vec<(String, Arc<[ToolDefinition]>)> {
    let mut out = Vec::new();
    let mut count = 0;
    for copy in 0.. {
        for (name, tools) in sources {
            if count >= TOOLS {
                return out;
            }
            let own = tools.iter().map(|tool| ToolDefinition {
                name: format!("{}_v{copy}", tool.name),
                description: tool.description.as_ref().map(|text| format!("{text} Region{copy} tier{}.", copy % 7)),
                ..tool.clone()
            });
            let own: Vec<ToolDefinition> = own.take(TOOLS - count).collect();
            count += own.len();
            out.push((format!("{name}{copy}"), own.into()));
        }
    }
    out
}

fn servers(folder: &Path) -> Vec<(String, Vec<ToolDefinition>)> {
    let entries = std::fs::read_dir(folder).expect("the fixtures' folder");
    let paths = entries.filter_map(|entry| entry.ok().map(|e| e.path()));
    let jsons = paths.filter(|path| path.extension().is_some_and(|e| e == "json"));
    let mut out: Vec<_> =
        jsons.map(|path| (path.file_stem().unwrap_or_default().to_string_lossy().into_owned(), read(&path))).collect();
    out.sort_by(|a: &(String, _), b| a.0.cmp(&b.0));
    out
}

fn read<T: serde::de::DeserializeOwned>(path: &Path) -> T {
    let text = std::fs::read_to_string(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    serde_json::from_str(&text).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

fn ms(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}
