//! Outlines of small texts: what is imported, mentioned and called.

#![expect(clippy::needless_raw_string_hashes, reason = "expect-test writes them")]

use expect_test::{Expect, expect};
use model::Language::{self, JavaScript, Python, TypeScript};
use syntax::{Arguments, Call, Symbol, Usage, outline};

/// What is mentioned, line by line.
fn mentions(languages: &[Language], text: &str, expected: &Expect) {
    check(languages, text, expected, |outline, line| {
        let on_line = outline.mentions.iter().filter(|mention| line.contains(&mention.range.start));
        on_line
            .map(|mention| {
                let symbol = match &mention.symbol {
                    Symbol::Server(server) => server.clone(),
                    Symbol::Tool { server, tool } => format!("{server}.{tool}"),
                };
                if mention.is_original { symbol } else { format!("{symbol} as {}", &text[mention.range.clone()]) }
            })
            .collect()
    });
}

/// What is called, with what, and what becomes of it, line by line.
fn calls(languages: &[Language], text: &str, expected: &Expect) {
    check(languages, text, expected, |outline, line| {
        let on_line = outline.calls.iter().filter(|call| line.contains(&call.range.start));
        on_line.map(|call| shown(call, text)).collect()
    });
}

fn check(
    languages: &[Language],
    text: &str,
    expected: &Expect,
    show: impl Fn(&syntax::Outline, std::ops::Range<usize>) -> Vec<String>,
) {
    let of = |language: &Language| {
        let outline = outline(text, *language).expect("small enough");
        let mut start = 0;
        let lines = text.split_inclusive('\n').zip(1..).filter_map(|(line, number)| {
            start += line.len();
            let found = show(&outline, start - line.len()..start);
            (!found.is_empty()).then(|| format!("{number}: {}\n", found.join("; ")))
        });
        lines.collect::<String>()
    };
    let all: Vec<String> = languages.iter().map(of).collect();
    assert!(all.iter().all(|one| *one == all[0]), "the languages differ: {all:?}");
    expected.assert_eq(&all[0]);
}

fn shown(call: &Call, text: &str) -> String {
    let Arguments { named, is_open, misplaced, .. } = &call.arguments;
    let named = named.iter().map(|argument| {
        let value = argument.value.as_ref().map_or_else(|| "?".to_owned(), ToString::to_string);
        format!("{}: {value}", argument.name.text)
    });
    let misplaced = misplaced.iter().map(|range| format!("!{}", &text[range.clone()]));
    let open = is_open.then(|| "…".to_owned());
    let all = named.chain(misplaced).chain(open).collect::<Vec<_>>().join(", ");
    let usage = match call.usage {
        Usage::Awaited => "awaited",
        Usage::Kept => "kept",
        Usage::Dropped => "dropped",
        Usage::Misused => "misused",
    };
    format!("{}.{}({all}) {usage}", call.server, call.tool)
}

#[test]
fn python_imports_servers_in_every_form_that_its_guest_accepts() {
    mentions(
        &[Python],
        r#"
from servers import fs, github as gh
from servers.fs import (read_text_file as read, write)
import servers.echo
import servers.files as f
import servers
from servers.fs import *
from .servers import local
from other.servers import foreign
await fs.a()
await gh.b()
await read()
await servers.echo.c()
await f.d()
await local.e()
await foreign.f()
"#,
        &expect![[r#"
            2: fs; github; github as gh
            3: fs; fs.read_text_file; fs.read_text_file as read; fs.write
            4: echo
            5: files; files as f
            7: fs
            10: fs; fs.a
            11: github as gh; github.b
            12: fs.read_text_file as read
            13: echo; echo.c
            14: files as f; files.d
            16: files as f
        "#]],
    );
}

#[test]
fn typescript_imports_servers_in_every_form_that_its_guest_accepts() {
    mentions(
        &[TypeScript, JavaScript],
        r#"
import * as fs from "servers/fs";
import { read_text_file, readTextFile as read } from "servers/fs";
import files, { write } from 'servers/files';
import { echo as say, github } from "servers";
import * as servers from "servers";
const late = await import("servers/late");
import * as path from "node:path";
import { fs as local } from "./servers";
await fs.a(); await read_text_file(); await read(); await files.b(); await write();
await say.c(); await github.d(); await servers.echo.e(); await late.f();
await path.join(); await local.g();
"#,
        &expect![[r#"
            2: fs; fs
            3: fs.read_text_file; fs.readTextFile; fs.readTextFile as read; fs
            4: files; files.write; files
            5: echo; echo as say; github
            10: fs; fs.a; fs.read_text_file; fs.readTextFile as read; files; files.b; files.write
            11: echo as say; echo.c; github; github.d; echo; echo.e; late; late.f
        "#]],
    );
}

#[test]
fn arguments_are_read_as_far_as_they_are_written_out() {
    calls(
        &[Python],
        r#"
from servers import t
await t.a(path="x", n=-1, f=1.5, ok=True, none=None, list=[1, "b", {"k": 0x10}], deep={"a": [1, (2, 3)]})
await t.a({"path": 'it\'s', "n": n, f"{x}": 1}, more=r"\d")
await t.a(**rest, path="a" "b")
await t.a("x", 2)
await t.a(arguments)
await t.a(path=f"{x}", text="""three
lines""", raw="\x41")
"#,
        &expect![[r#"
            3: t.a(path: "x", n: -1, f: 1.5, ok: true, none: null, list: ?, deep: {"a":[1,[2,3]]}) awaited
            4: t.a(path: "it's", n: ?, more: "\\d", …) awaited
            5: t.a(path: "ab", …) awaited
            6: t.a(!"x", !2) awaited
            7: t.a(…) awaited
            8: t.a(path: ?, text: "three\nlines", raw: ?) awaited
        "#]],
    );
    calls(
        &[TypeScript, JavaScript],
        r#"
import * as t from "servers/t";
await t.a({ path: "x", n: -1, f: 1.5, ok: true, none: null, list: [1, 'b', { k: 2 }], "quoted": `plain` });
await t.a({ path, n: n + 1, ...rest, [computed]: 1, text: `a${x}` });
await t.a("x");
await t.a(args);
await t.a({ big: 1n, hex: 0x10, gap: 1_000, not: undefined });
"#,
        &expect![[r#"
            3: t.a(path: "x", n: -1, f: 1.5, ok: true, none: null, list: [1,"b",{"k":2}], quoted: "plain") awaited
            4: t.a(path: ?, n: ?, text: ?, …) awaited
            5: t.a(!"x") awaited
            6: t.a(…) awaited
            7: t.a(big: ?, hex: ?, gap: 1000, not: ?) awaited
        "#]],
    );
}

#[test]
fn what_becomes_of_a_call_is_seen() {
    calls(
        &[Python],
        r#"
import asyncio
from servers import t
async def f():
    t.a(n=1)
    x = t.a(n=2)
    await asyncio.gather(t.a(n=3), *[t.a(n=4) for _ in range(3)])
    task = asyncio.create_task(t.a(n=5))
    (await t.a(n=6))["x"]
    t.a(n=7)["x"]
    t.a(n=8).cancel()
    t.a(n=9).items()
    for y in t.a(n=10): pass
    print(f"{t.a(n=11)}", t.a(n=12))
    return (t.a(n=13))
    await (t.a(n=14))
t.a(n=15)
"#,
        &expect![[r#"
            5: t.a(n: 1) dropped
            6: t.a(n: 2) kept
            7: t.a(n: 3) kept; t.a(n: 4) kept
            8: t.a(n: 5) kept
            9: t.a(n: 6) awaited
            10: t.a(n: 7) misused
            11: t.a(n: 8) kept
            12: t.a(n: 9) misused
            13: t.a(n: 10) misused
            14: t.a(n: 11) misused; t.a(n: 12) kept
            15: t.a(n: 13) kept
            16: t.a(n: 14) awaited
            17: t.a(n: 15) dropped
        "#]],
    );
    calls(
        &[TypeScript, JavaScript],
        r#"
import * as t from "servers/t";
async function f() {
  t.a({ n: 1 });
  const x = t.a({ n: 2 });
  await Promise.all([t.a({ n: 3 }), ...xs.map((x) => t.a({ n: 4 }))]);
  t.a({ n: 5 }).then((x) => x);
  t.a({ n: 6 }).content;
  (await t.a({ n: 7 })).content;
  for (const y of t.a({ n: 8 })) {}
  return t.a({ n: 9 });
}
t.a({ n: 10 });
t.a({ n: 11 });
// The last expression is the result.
"#,
        &expect![[r#"
            4: t.a(n: 1) dropped
            5: t.a(n: 2) kept
            6: t.a(n: 3) kept; t.a(n: 4) kept
            7: t.a(n: 5) kept
            8: t.a(n: 6) misused
            9: t.a(n: 7) awaited
            10: t.a(n: 8) misused
            11: t.a(n: 9) kept
            13: t.a(n: 10) dropped
            14: t.a(n: 11) awaited
        "#]],
    );
}

#[test]
fn a_name_that_is_bound_to_anything_else_means_nothing() {
    mentions(
        &[Python],
        r#"
from servers import a, b, c, d, e, g
from servers import a
def f(a): await a.x()
def b(): pass
b.x()
c = 1
c.x()
for d in []: pass
d.x()
async def h():
    global e
    e = 1
e.x()
[g.x() for g in []]
await g.x()
await a.x()
match 1:
    case g: pass
"#,
        &expect![[r#"
            2: a; b; c; d; e; g
            3: a
            17: a; a.x
        "#]],
    );
    mentions(
        &[TypeScript, JavaScript],
        r#"
import { a, b, c, d, e } from "servers";
const f = (a) => a.x();
{ const a = 1; a.x(); }
function b() {}
b.x();
c = 2;
c.x();
for (const d of []) d.x();
try { } catch (e) { e.x(); }
const { e: q, r = a.x() } = a;
await a.x(), await d.x(), await e.x();
"#,
        &expect![[r#"
            2: a; b; c; d; e
            11: a; a.x; a
            12: a; a.x; d; d.x; e; e.x
        "#]],
    );
}

#[test]
fn a_broken_text_keeps_the_meaning_of_the_rest() {
    mentions(
        &[Python],
        r#"
from servers import fs
async def f():
    x = await fs.
    return 1
y = await fs.read(path="a",
z = await fs.write(path="b")
"#,
        &expect![[r#"
            2: fs
            4: fs
            6: fs; fs.read
            7: fs; fs.write
        "#]],
    );
    mentions(
        &[TypeScript, JavaScript],
        r#"
import * as fs from "servers/fs";
const x = await fs.
const y = await fs.read({ path: "a",
await fs.write({ path: "b" });
"#,
        &expect![[r#"
            2: fs; fs
            3: fs
            4: fs; fs.read
            5: fs
        "#]],
    );
}

#[test]
fn a_text_too_large_or_too_deep_does_no_harm() {
    assert!(outline(&" ".repeat(syntax::TEXT_BYTES_MAX + 1), Python).is_none());
    for language in [Python, TypeScript] {
        assert!(outline(&"[".repeat(syntax::TEXT_BYTES_MAX), language).is_none(), "too many steps");
        assert!(outline(&"a < b < c < ".repeat(80_000), language).is_none());
        // Neither overflows a stack.
        assert!(outline(&format!("x = {}", "[".repeat(100_000)), language).is_some());
        let deep = format!("x = {}1{}", "(".repeat(5_000), ")".repeat(5_000));
        let outline = outline(&deep, language).expect("small enough");
        assert_eq!(outline.context_at(deep.len() / 2), syntax::Context::Nothing);
    }
}
