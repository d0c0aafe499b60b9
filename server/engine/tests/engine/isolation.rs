//! Nothing of a run is left in the next, and no run holds up another.

use crate::host::{Scripted, engine, options, program, run, value};
use engine::{Engine, Options};
use model::{Language, Limits, RunStatus};
use serde_json::{Value, json};
use std::sync::Arc;
use tokio_util::sync::CancellationToken;

const PY: Language = Language::Python;
const JS: Language = Language::JavaScript;

#[tokio::test(flavor = "multi_thread")]
async fn no_run_sees_what_another_left() {
    let engine = engine();
    for (language, poison, look, clean) in [
        (PY, "import builtins\nbuiltins.len = lambda x: 99\n0", "len([1])", json!(1)),
        (PY, "import json\njson.dumps = lambda *a, **k: '666'\n0", "[1]", json!([1])),
        (PY, "import sys\nsys.modules['poison'] = sys\n0", "import sys\n'poison' in sys.modules", json!(false)),
        (PY, "secret = 'canary-' + 'in-memory'\n0", "'secret' in globals()", json!(false)),
        (PY, "open('/tmp/x', 'w').write('x')\n0", "import os\nos.path.exists('/tmp/x')", json!(false)),
        (JS, "Object.prototype.poison = 1; 0", "({}).poison === undefined", json!(true)),
        (JS, "JSON.parse = () => 666; 0", "JSON.parse('1')", json!(1)),
        (JS, "Promise.prototype.then = () => 666; 0", "await Promise.resolve(1)", json!(1)),
        (JS, "globalThis.poison = 1; 0", "typeof globalThis.poison", json!("undefined")),
    ] {
        let _ = run(&engine, language, poison, Limits::default()).await;
        for _ in 0..4 {
            assert_eq!(value(&engine, language, look).await, clean, "after {poison}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_run_draws_its_own_randomness() {
    let engine = engine();
    for (language, code) in [
        (PY, "import random\nrandom.random()"),
        (PY, "import uuid\nstr(uuid.uuid4())"),
        (PY, "import secrets\nsecrets.token_hex(16)"),
        (PY, "import os\nos.urandom(16).hex()"),
        (JS, "Math.random()"),
        (JS, "crypto.randomUUID()"),
        (JS, "[...crypto.getRandomValues(new Uint8Array(16))]"),
    ] {
        let mut drawn: Vec<Value> = Vec::new();
        for _ in 0..4 {
            let value = value(&engine, language, code).await;
            assert!(!drawn.contains(&value), "{code} drew {value} twice");
            drawn.push(value);
        }
    }
}

/// A property, not a time: on two threads that four programs spin on, quick programs come and go.
#[tokio::test(flavor = "multi_thread")]
async fn spinning_programs_hold_up_neither_the_host_nor_other_programs() {
    let engine = engine();
    engine.warm(JS).await.expect("the guest");
    let cancel = CancellationToken::new();
    let spinners: Vec<_> = (0..4)
        .map(|_| {
            let (engine, cancel) = (engine.clone(), cancel.clone());
            let host = Arc::new(Scripted::default());
            tokio::spawn(async move { engine.run(program(JS, "for (;;) {}"), Limits::default(), host, cancel).await })
        })
        .collect();
    while engine.live() < 4 {
        tokio::task::yield_now().await;
    }
    let code =
        "import * as echo from 'servers/echo'; await echo.sleep({ ms: 1 }); (await echo.get_sum({ a: 1, b: 2 }))";
    for _ in 0..5 {
        assert_eq!(value(&engine, JS, code).await, json!(3));
        tokio::time::sleep(std::time::Duration::from_millis(1)).await;
    }
    assert_eq!(engine.live(), 4, "the spinning programs went on all the while");
    cancel.cancel();
    for spinner in spinners {
        assert_eq!(spinner.await.expect("no panic").status, RunStatus::Cancelled);
    }
}

/// The time that two programs were on a thread adds up to more than the time that passed, however busy the machine is.
#[tokio::test(flavor = "multi_thread")]
async fn busy_programs_run_on_threads_of_their_own() {
    let engine = Engine::new(Options { threads: 2, ..options() }).expect("an engine");
    engine.warm(JS).await.expect("the guest");
    let code = "let s = 0; for (let i = 0; i < 3e6; i++) s += i; s";
    let started = std::time::Instant::now();
    let (one, two) = tokio::join!(run(&engine, JS, code, Limits::default()), run(&engine, JS, code, Limits::default()));
    let passed_ms = started.elapsed().as_secs_f64() * 1e3;
    assert_eq!((one.status, two.status), (RunStatus::Ok, RunStatus::Ok));
    let ran_ms = one.usage.cpu_ms + two.usage.cpu_ms;
    assert!(ran_ms > 1.3 * passed_ms, "{ran_ms} ms on threads in {passed_ms} ms");
}

#[tokio::test(flavor = "multi_thread")]
async fn many_programs_run_side_by_side() {
    let engine = engine();
    let runs = (0..40).map(|i| {
        let engine = engine.clone();
        let (language, code) = if i % 2 == 0 {
            (PY, format!("from servers import echo\n(await echo.echo(n={i}))['n']"))
        } else {
            (JS, format!("import * as echo from 'servers/echo'; (await echo.echo({{ n: {i} }})).n"))
        };
        tokio::spawn(async move { (i, value(&engine, language, &code).await) })
    });
    for run in runs.collect::<Vec<_>>() {
        let (i, got) = run.await.expect("no panic");
        assert_eq!(got, json!(i));
    }
}
