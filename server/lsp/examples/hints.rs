//! Measures how soon hints follow an edit: `cargo run --release -p lsp --example hints`.
//!
//! A front over pipes in memory and an mcp.json of 2,000 lines; each round is an edit, its hints and its problems.

use serde_json::{Value, json};
use std::error::Error;
use std::fmt::Write as _;
use std::time::{Duration, Instant};
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader, DuplexStream, ReadHalf};

const ROUNDS: i32 = 200;
const SERVERS: usize = 333;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let folder = std::env::temp_dir().join(format!("tta-hints-{}", std::process::id()));
    std::fs::create_dir_all(&folder)?;
    let text = config();
    std::fs::write(folder.join(".mcp.json"), &text)?;
    let options = daemon::Options { data_dir: Some(folder.join("data")), ..daemon::Options::default() };
    let (near, far) = tokio::io::duplex(1 << 20);
    let (input, output) = tokio::io::split(far);
    let endpoint = async |_| Ok::<_, String>(lsp::Endpoint { url: String::new(), token: model::Secret::default() });
    let served = tokio::spawn(lsp::serve(input, output, options, endpoint, std::future::pending()));
    let (input, mut output) = tokio::io::split(near);
    let mut input = BufReader::new(input);

    let options = json!({"workspace": folder, "trusted": true});
    let params = json!({"processId": null, "capabilities": {}, "initializationOptions": options});
    output.write_all(&frame(&json!({"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": params}))).await?;
    until(&mut input, 0).await?;
    output.write_all(&notice("initialized", &json!({}))).await?;
    let uri = format!("file://{}/.mcp.json", folder.canonicalize()?.display());
    let document = json!({"uri": uri, "languageId": "json", "version": 1, "text": text});
    output.write_all(&notice("textDocument/didOpen", &json!({"textDocument": document}))).await?;

    let range = json!({"start": {"line": 0, "character": 0}, "end": {"line": 9_999, "character": 0}});
    let mut times = Vec::new();
    for round in 1..=ROUNDS {
        let from = Instant::now();
        let at = json!({"line": 0, "character": 0});
        let change = json!({"range": {"start": at, "end": at}, "text": "\n"});
        let params = json!({"textDocument": {"uri": uri, "version": round + 1}, "contentChanges": [change]});
        output.write_all(&notice("textDocument/didChange", &params)).await?;
        let params = json!({"textDocument": {"uri": uri}, "range": range});
        let ask = json!({"jsonrpc": "2.0", "id": round, "method": "textDocument/inlayHint", "params": params});
        output.write_all(&frame(&ask)).await?;
        let answer = until(&mut input, round).await?;
        times.push(from.elapsed());
        if answer["result"].as_array().map(Vec::len) != Some(SERVERS) {
            return Err(format!("not every server has a hint: {answer}").into());
        }
    }
    times.sort_unstable();
    let at = |percent: usize| Duration::as_secs_f64(&times[times.len() * percent / 100]) * 1e3;
    println!(
        "{} lines, {SERVERS} servers, {ROUNDS} edits: hints after p50 {:.1} ms, p99 {:.1} ms",
        text.lines().count(),
        at(50),
        at(99)
    );
    drop((input, output));
    served.await?;
    std::fs::remove_dir_all(&folder)?;
    Ok(())
}

fn config() -> String {
    let mut text = "{\n  \"mcpServers\": {\n".to_owned();
    for n in 0..SERVERS {
        let comma = if n + 1 < SERVERS { "," } else { "" };
        let _ = write!(
            text,
            "    \"server-{n}\": {{\n      \"command\": \"npx\",\n      \"args\": [\"-y\", \"@example/server-{n}\"],\n      \
             \"env\": {{ \"LEVEL\": \"${{HOME}}\" }},\n      \"disabled\": false\n    }}{comma}\n"
        );
    }
    text + "  }\n}\n"
}

fn notice(method: &str, params: &Value) -> Vec<u8> {
    frame(&json!({"jsonrpc": "2.0", "method": method, "params": params}))
}

fn frame(message: &Value) -> Vec<u8> {
    let text = message.to_string();
    format!("Content-Length: {}\r\n\r\n{text}", text.len()).into_bytes()
}

/// The answer to a request; everything else is read and left.
async fn until(input: &mut BufReader<ReadHalf<DuplexStream>>, id: i32) -> Result<Value, Box<dyn Error>> {
    loop {
        let (mut line, mut length) = (String::new(), 0);
        while input.read_line(&mut line).await? > 2 {
            if let Some(value) = line.strip_prefix("Content-Length: ") {
                length = value.trim().parse()?;
            }
            line.clear();
        }
        let mut body = vec![0; length];
        input.read_exact(&mut body).await?;
        let message: Value = serde_json::from_slice(&body)?;
        if message["id"] == id && message["method"].is_null() {
            return Ok(message);
        }
    }
}
