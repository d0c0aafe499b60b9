//! How long the outline of a long program takes, and finding what stands at a cursor in it. The best of twenty: the rest is
//! what else the machine does.

use model::Language;
use std::fmt::Write as _;
use std::time::Instant;

fn main() {
    let mut python = "import asyncio\nfrom servers import fs\n".to_owned();
    let mut typescript = "import * as fs from \"servers/fs\";\n".to_owned();
    for n in 0..500 {
        writeln!(python, "async def total_{n}(month, rows=()):\n    text = (await fs.read_text_file(path=f\"{{month}}.csv\", head={n}))[\"content\"]\n    return sum(int(row[\"cents\"]) for row in rows if row) / 100\n").expect("text");
        writeln!(typescript, "async function total{n}(month: string, rows: Row[] = []): Promise<number> {{\n  const text = (await fs.readTextFile({{ path: `${{month}}.csv`, head: {n} }})).content;\n  return rows.reduce((sum, row) => sum + Number(row.cents), text.length) / 100;\n}}").expect("text");
    }
    for (language, text) in [(Language::Python, python), (Language::TypeScript, typescript)] {
        let mut times = Vec::new();
        for _ in 0..20 {
            let start = Instant::now();
            let outline = syntax::outline(&text, language).expect("small enough");
            let outlined = start.elapsed();
            let start = Instant::now();
            let context = outline.context_at(text.len() - 30);
            times.push((outlined, start.elapsed(), outline.calls.len(), context));
        }
        times.sort_by_key(|(outlined, ..)| *outlined);
        let (outlined, looked, calls, _) = &times[0];
        println!(
            "{}: {} lines, {calls} calls: {outlined:?}, a cursor in it {looked:?}",
            language.as_str(),
            text.lines().count()
        );
    }
}
