//! What is being written at the cursor, `|`, most of it in texts that are broken there.

#![expect(
    clippy::needless_raw_string_hashes,
    clippy::too_many_lines,
    reason = "expect-test writes the former; tables are long"
)]

use expect_test::{Expect, expect};
use model::Language;
use std::ops::Range;
use syntax::{CallPlace, Context, Place, outline};

const PYTHON: &str =
    "from servers import fs, github as gh\nfrom servers.fs import read_text_file as read\nimport servers\n";
const TYPESCRIPT: &str = "import * as fs from \"servers/fs\";\nimport { readTextFile as read } from \"servers/fs\";\n";

fn contexts(language: Language, head: &str, cases: &[&str], expected: &Expect) {
    let line = |case: &&str| {
        let whole = format!("{head}{case}");
        let cursor = whole.find('|').expect("a cursor");
        let text = whole.replacen('|', "", 1);
        let outline = outline(&text, language).expect("small enough");
        format!("{} => {}\n", case.replace('\n', "⏎"), shown(&outline.context_at(cursor), &text))
    };
    expected.assert_eq(&cases.iter().map(line).collect::<String>());
}

fn shown(context: &Context, text: &str) -> String {
    let at = |range: &Range<usize>| format!("‹{}›", &text[range.clone()]);
    let but = |taken: &[String]| if taken.is_empty() { String::new() } else { format!(" but {}", taken.join(", ")) };
    match context {
        Context::Nothing => "nothing".to_owned(),
        Context::Server { replace, taken } => format!("server {}{}", at(replace), but(taken)),
        Context::Tool { server, replace, taken, is_import } => {
            format!("{}tool of {server} {}{}", if *is_import { "imported " } else { "" }, at(replace), but(taken))
        }
        Context::Member { server, group, replace } => format!("member of {server}.{group} {}", at(replace)),
        Context::Call(CallPlace { server, tool, place, given, in_braces, .. }) => {
            let place = match place {
                Place::Name { replace, is_quoted, has_value } => {
                    let marks = [(*is_quoted, " quoted"), (*has_value, " with value")];
                    let marks: String = marks.iter().filter(|(is, _)| *is).map(|(_, mark)| *mark).collect();
                    format!("name {}{marks}", at(replace))
                }
                Place::Value { name, replace, is_quoted } => {
                    format!("value of {name} {}{}", at(replace), if *is_quoted { " quoted" } else { "" })
                }
                Place::First { replace } => format!("first text {}", at(replace)),
                Place::Inside { name } => format!("inside {}", name.as_deref().unwrap_or("-")),
            };
            let braces = if *in_braces { " {}" } else { "" };
            format!("{server}.{tool}{braces}: {place}{}", but(given))
        }
    }
}

#[test]
fn imports() {
    contexts(
        Language::Python,
        "",
        &[
            "from servers import |",
            "from servers import |\nx = 1",
            "from servers import f|\nx = 1",
            "from servers import fs, g|h, echo",
            "from servers import (fs,\n  |\n)",
            "from servers import fs as |",
            "from servers.|",
            "import servers.f|",
            "from servers.fs import |",
            "from servers.fs import read as r, wr|",
            "from other import |",
            "from servers import fs\n|",
            "import |",
            "# from servers import |",
        ],
        &expect![[r#"
            from servers import | => server ‹›
            from servers import |⏎x = 1 => server ‹›
            from servers import f|⏎x = 1 => server ‹f›
            from servers import fs, g|h, echo => server ‹gh› but fs, echo
            from servers import (fs,⏎  |⏎) => server ‹› but fs
            from servers import fs as | => nothing
            from servers.| => server ‹›
            import servers.f| => server ‹f›
            from servers.fs import | => imported tool of fs ‹›
            from servers.fs import read as r, wr| => imported tool of fs ‹wr› but read
            from other import | => nothing
            from servers import fs⏎| => nothing
            import | => nothing
            # from servers import | => nothing
        "#]],
    );
    contexts(
        Language::TypeScript,
        "",
        &[
            "import * as fs from \"servers/|\";",
            "import * as fs from \"servers/f|s\";",
            "import * as fs from \"servers/|",
            "const fs = await import('servers/|')",
            "import { | } from \"servers\";",
            "import { fs, g| } from \"servers\";\nconst x = 1;",
            "import { read, | } from \"servers/fs\";",
            "import type { | } from \"servers/fs\";",
            "import files, { | } from \"servers/fs\";",
            "import { | } from \"other\";",
            "const x = \"servers/|\";",
            "import { fs } from \"servers\"; f|",
        ],
        &expect![[r#"
            import * as fs from "servers/|"; => server ‹›
            import * as fs from "servers/f|s"; => server ‹fs›
            import * as fs from "servers/| => server ‹›
            const fs = await import('servers/|') => server ‹›
            import { | } from "servers"; => server ‹›
            import { fs, g| } from "servers";⏎const x = 1; => server ‹g› but fs
            import { read, | } from "servers/fs"; => imported tool of fs ‹› but read
            import type { | } from "servers/fs"; => imported tool of fs ‹›
            import files, { | } from "servers/fs"; => imported tool of fs ‹›
            import { | } from "other"; => nothing
            const x = "servers/|"; => nothing
            import { fs } from "servers"; f| => nothing
        "#]],
    );
}

#[test]
fn members() {
    contexts(
        Language::Python,
        PYTHON,
        &[
            "x = await fs.|",
            "x = await fs.|\ny = 1",
            "x = await fs.rea|d_text(path=1)",
            "gh.|",
            "servers.|",
            "servers.fs.|",
            "self.fs.|",
            "fs.read_text_file.|",
            "other.|",
            "def f(fs):\n    fs.|",
            "x = 'fs.|'",
            "x = f\"{fs.|}\"",
            "# fs.|",
            "x = 1.|",
            "read|",
        ],
        &expect![[r#"
            x = await fs.| => tool of fs ‹›
            x = await fs.|⏎y = 1 => tool of fs ‹›
            x = await fs.rea|d_text(path=1) => tool of fs ‹read_text›
            gh.| => tool of github ‹›
            servers.| => server ‹›
            servers.fs.| => tool of fs ‹›
            self.fs.| => nothing
            fs.read_text_file.| => nothing
            other.| => nothing
            def f(fs):⏎    fs.| => nothing
            x = 'fs.|' => nothing
            x = f"{fs.|}" => tool of fs ‹›
            # fs.| => nothing
            x = 1.| => nothing
            read| => nothing
        "#]],
    );
    contexts(
        Language::TypeScript,
        TYPESCRIPT,
        &[
            "const x = await fs.|",
            "const x = await fs.|\nconst y = 1;",
            "fs?.re|",
            "(fs) => fs.|",
            "const x = `a${await fs.|}`",
            "// fs.|",
            "/* fs.| */",
        ],
        &expect![[r#"
            const x = await fs.| => tool of fs ‹›
            const x = await fs.|⏎const y = 1; => tool of fs ‹›
            fs?.re| => tool of fs ‹re›
            (fs) => fs.| => nothing
            const x = `a${await fs.|}` => tool of fs ‹›
            // fs.| => nothing
            /* fs.| */ => nothing
        "#]],
    );
}

#[test]
fn arguments() {
    contexts(
        Language::Python,
        PYTHON,
        &[
            "await fs.t(|)",
            "await fs.t(|\ny = 1",
            "await fs.t(pa|",
            "await fs.t(a=1, |)",
            "await fs.t(a=1, b|=2, c=3)",
            "await fs.t(a=|)",
            "await fs.t(a=\"|\")",
            "await fs.t(a=\"x|",
            "await fs.t(a=x|, b=1)",
            "await fs.t(a=1 + |)",
            "await fs.t(a=[1, |], b=2)",
            "await fs.t(a={\"k\": |})",
            "await fs.t(a=(1, |))",
            "await fs.t({|})",
            "await fs.t({\"|\"})",
            "await fs.t({\"a\": 1, \"|\": 2})",
            "await fs.t({\"a\": |})",
            "await fs.t({\"a\": \"|\"})",
            "await fs.t(a=len(|))",
            "await read(|)",
            "await asyncio.gather(*[read(p|) for p in q])",
            "await asyncio.gather(read(a=1), |)",
            "await fs.t(a=1)|",
            "await fs.t(a=1)\n|",
            "await fs.t(\n    a=1,\n    |\n)",
            "await fs.t(a=1,\ndef f():\n    x = |",
            "print(|)",
            "await fs.t(a=1, # |\n)",
        ],
        &expect![[r#"
            await fs.t(|) => fs.t: name ‹›
            await fs.t(|⏎y = 1 => fs.t: name ‹› but y
            await fs.t(pa| => fs.t: name ‹pa›
            await fs.t(a=1, |) => fs.t: name ‹› but a
            await fs.t(a=1, b|=2, c=3) => fs.t: name ‹b› with value but a, c
            await fs.t(a=|) => fs.t: value of a ‹› but a
            await fs.t(a="|") => fs.t: value of a ‹› quoted but a
            await fs.t(a="x| => fs.t: value of a ‹x› quoted but a
            await fs.t(a=x|, b=1) => fs.t: value of a ‹x› but a, b
            await fs.t(a=1 + |) => fs.t: inside a but a
            await fs.t(a=[1, |], b=2) => fs.t: inside a but a, b
            await fs.t(a={"k": |}) => fs.t: inside a but a
            await fs.t(a=(1, |)) => fs.t: inside a but a
            await fs.t({|}) => fs.t {}: name ‹›
            await fs.t({"|"}) => fs.t {}: name ‹› quoted
            await fs.t({"a": 1, "|": 2}) => fs.t {}: name ‹› quoted with value but a
            await fs.t({"a": |}) => fs.t {}: value of a ‹› but a
            await fs.t({"a": "|"}) => fs.t {}: value of a ‹› quoted but a
            await fs.t(a=len(|)) => nothing
            await read(|) => fs.read_text_file: name ‹›
            await asyncio.gather(*[read(p|) for p in q]) => fs.read_text_file: name ‹p›
            await asyncio.gather(read(a=1), |) => nothing
            await fs.t(a=1)| => nothing
            await fs.t(a=1)⏎| => nothing
            await fs.t(⏎    a=1,⏎    |⏎) => fs.t: name ‹› but a
            await fs.t(a=1,⏎def f():⏎    x = | => nothing
            print(|) => nothing
            await fs.t(a=1, # |⏎) => nothing
        "#]],
    );
    contexts(
        Language::TypeScript,
        TYPESCRIPT,
        &[
            "await fs.t(|)",
            "await fs.t({|})",
            "await fs.t({ | })",
            "await fs.t({ | \nconst y = 1;",
            "await fs.t({ a: 1, b| })",
            "await fs.t({ a, b, | })",
            "await fs.t({ a|: 1, c: 2 })",
            "await fs.t({ \"|\": 1 })",
            "await fs.t({ a: | })",
            "await fs.t({ a: '|' })",
            "await fs.t({ a: { | } })",
            "await fs.t({ a: [ | ] })",
            "await fs.t({ a: f(|) })",
            "await Promise.all(xs.map((x) => read({ | })))",
            "xs.map((x) => { | })",
            "await fs.t({ ...rest, | })",
        ],
        &expect![[r#"
            await fs.t(|) => fs.t: inside -
            await fs.t({|}) => fs.t {}: name ‹›
            await fs.t({ | }) => fs.t {}: name ‹›
            await fs.t({ | ⏎const y = 1; => fs.t {}: name ‹›
            await fs.t({ a: 1, b| }) => fs.t {}: name ‹b› but a
            await fs.t({ a, b, | }) => fs.t {}: name ‹› but a, b
            await fs.t({ a|: 1, c: 2 }) => fs.t {}: name ‹a› with value but c
            await fs.t({ "|": 1 }) => fs.t {}: name ‹› quoted with value
            await fs.t({ a: | }) => fs.t {}: value of a ‹› but a
            await fs.t({ a: '|' }) => fs.t {}: value of a ‹› quoted but a
            await fs.t({ a: { | } }) => fs.t {}: inside a but a
            await fs.t({ a: [ | ] }) => fs.t {}: inside a but a
            await fs.t({ a: f(|) }) => nothing
            await Promise.all(xs.map((x) => read({ | }))) => fs.readTextFile {}: name ‹›
            xs.map((x) => { | }) => nothing
            await fs.t({ ...rest, | }) => fs.t {}: name ‹›
        "#]],
    );
}
