//! Each limit on its failing side, in both languages, and the next run untouched by it.

use crate::host::{Scripted, engine, failure, options, program, run, value};
use engine::{Engine, Outcome};
use model::{ErrorKind, Language, Limits, RunStatus};
use serde_json::json;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};
use tokio_util::sync::CancellationToken;

const PY: Language = Language::Python;
const JS: Language = Language::JavaScript;

/// Breaks one limit and then asks for a plain sum.
async fn breaks(engine: &Engine, language: Language, code: &str, limits: Limits) -> Outcome {
    let outcome = run(engine, language, code, limits).await;
    assert_eq!(value(engine, language, "1 + 1").await, json!(2), "after {code}");
    assert_eq!(engine.live(), 0, "after {code}");
    outcome
}

fn limits(change: impl FnOnce(&mut Limits)) -> Limits {
    let mut limits = Limits { deadline_ms: 300_000, ..Limits::default() };
    change(&mut limits);
    limits
}

async fn until(holds: impl Fn() -> bool) {
    while !holds() {
        tokio::task::yield_now().await;
    }
}

fn assert_ended(outcome: &Outcome, status: RunStatus, kind: ErrorKind) {
    let error = failure(outcome);
    assert_eq!((outcome.status, error.kind), (status, kind), "{error:?}");
    assert!(!error.message.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_deadline_ends_programs_that_spin() {
    let engine = engine();
    for (language, code) in [
        (PY, "while True: pass"),
        (PY, "while True:\n    try:\n        while True: pass\n    except BaseException: pass"),
        (PY, "10 ** 10 ** 8"),
        (PY, "import re\nre.match(r'(a+)+$', 'a' * 40 + 'b')"),
        (JS, "for (;;) {}"),
        (JS, "for (;;) { try { for (;;) {} } catch {} }"),
        (JS, "/(a+)+$/.test('a'.repeat(40) + 'b')"),
        (JS, "for (;;) await null"),
    ] {
        let outcome = breaks(&engine, language, code, limits(|l| l.deadline_ms = 900)).await;
        assert_ended(&outcome, RunStatus::Limit, ErrorKind::Deadline);
        assert!(failure(&outcome).message.contains("900 ms"));
        assert!(outcome.usage.cpu_ms >= 100.0, "{code}: {:?}", outcome.usage);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_deadline_ends_programs_that_wait() {
    let engine = engine();
    for (language, code) in [
        (PY, "from servers import echo\nawait echo.hang()"),
        (PY, "import time\ntime.sleep(1e9)"),
        (PY, "import asyncio\nawait asyncio.sleep(1e9)"),
        (JS, "import * as echo from 'servers/echo'; await echo.hang({})"),
        (JS, "await new Promise(done => setTimeout(done, 1e9))"),
    ] {
        let outcome = breaks(&engine, language, code, limits(|l| l.deadline_ms = 900)).await;
        assert_ended(&outcome, RunStatus::Limit, ErrorKind::Deadline);
        assert!(outcome.usage.cpu_ms < 700.0, "waiting is not running: {:?}", outcome.usage);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_deadline_stands_still_while_a_person_is_asked() {
    let engine = engine();
    for (language, code) in [
        (PY, "import tta\nawait tta.call('echo', 'ask', {'ms': 500})\n7"),
        (JS, "import * as tta from 'tta'; await tta.call('echo', 'ask', { ms: 500 }); 7"),
        // It spins meanwhile.
        (
            JS,
            "import * as tta from 'tta'; const asked = tta.call('echo', 'ask', { ms: 600 }), start = Date.now();\n\
             while (Date.now() - start < 450);\nawait asked; 7",
        ),
    ] {
        let outcome = run(&engine, language, code, limits(|l| l.deadline_ms = 300)).await;
        assert_eq!(outcome.result.as_ref().map(|r| r.get()), Some("7"), "{code}: {:?}", outcome.error);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_rest_of_the_deadline_holds_after_a_pause_and_pauses_have_an_end() {
    let engine = engine();
    for (code, pause_ms) in [
        ("import * as tta from 'tta'; await tta.call('echo', 'ask', { ms: 300 }); for (;;) {}", 60_000),
        (
            "import * as tta from 'tta'; await tta.call('echo', 'ask', { ms: 300 }); await tta.call('echo', 'hang', {})",
            60_000,
        ),
        ("import * as tta from 'tta'; await tta.call('echo', 'ask', { ms: 60_000 })", 300),
        ("import * as tta from 'tta'; void tta.call('echo', 'ask', { ms: 60_000 }); for (;;) {}", 300),
    ] {
        let bounded = limits(|l| (l.deadline_ms, l.pause_ms) = (200, pause_ms));
        let outcome = breaks(&engine, JS, code, bounded).await;
        assert_ended(&outcome, RunStatus::Limit, ErrorKind::Deadline);
        assert!((500.0..5_000.0).contains(&outcome.usage.wall_ms), "{code}: {:?}", outcome.usage);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_end_of_a_run_drops_its_calls() {
    let engine = engine();
    let host = Arc::new(Scripted::default());
    let code = "import asyncio\nfrom servers import echo\nawait asyncio.gather(*[echo.hang() for _ in range(20)])";
    let outcome =
        engine.run(program(PY, code), limits(|l| l.deadline_ms = 300), host.clone(), CancellationToken::new()).await;
    assert_ended(&outcome, RunStatus::Limit, ErrorKind::Deadline);
    assert_eq!(host.dropped.load(Ordering::SeqCst), 20, "every call is gone before the outcome is there");
}

#[tokio::test(flavor = "multi_thread")]
async fn memory_is_bounded_and_running_out_can_be_caught() {
    let engine = engine();
    let limit = 128 << 20;
    for (language, code) in [
        (PY, "x = [0]\nwhile True: x = x * 2"),
        (PY, "kept = []\nwhile True: kept.append(bytearray(1 << 20))"),
        (PY, "'a' * 2 ** 30"),
        (JS, "const kept = []; for (;;) kept.push(new Uint8Array(1 << 20).fill(1))"),
        (JS, "let s = 'ab'; for (;;) s = [...s, ...s].join('')"),
    ] {
        let outcome = breaks(&engine, language, code, limits(|l| l.memory_bytes = limit)).await;
        assert_ended(&outcome, RunStatus::Limit, ErrorKind::Memory);
        assert!(outcome.usage.peak_memory_bytes <= limit as u64);
    }
    let caught = "try:\n    'a' * 2 ** 30\nexcept MemoryError:\n    pass\n'went on'";
    let outcome = run(&engine, PY, caught, limits(|l| l.memory_bytes = limit)).await;
    assert_eq!(outcome.result.expect("it went on").get(), "\"went on\"");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_limit_below_the_interpreters_own_need_is_said() {
    let engine = engine();
    let outcome = breaks(&engine, PY, "1", limits(|l| l.memory_bytes = 1 << 20)).await;
    assert_ended(&outcome, RunStatus::Limit, ErrorKind::Memory);
    assert!(failure(&outcome).message.contains("interpreter alone"));
}

#[tokio::test(flavor = "multi_thread")]
async fn recursion_is_an_error_of_the_program() {
    let engine = engine();
    for (language, code) in [
        (PY, "def f(): return f() + 1\nf()"),
        (PY, "import json\njson.loads('[' * 100000)"),
        (PY, "x = []\nfor _ in range(200000): x = [x]\nrepr(x)"),
        (JS, "const f = () => 1 + f(); f()"),
        (JS, "let x = []; for (let i = 0; i < 200000; i++) x = [x]; JSON.stringify(x)"),
        (JS, "JSON.parse('['.repeat(100000))"),
        (JS, "const p = new Proxy({}, { get: (t, k, r) => r[k] }); p.x"),
    ] {
        let outcome = breaks(&engine, language, code, limits(|_| {})).await;
        assert_eq!(outcome.status, RunStatus::Error, "{code}: {:?}", outcome.error);
        let error = failure(&outcome);
        assert!(matches!(error.kind, ErrorKind::Stack | ErrorKind::Exception | ErrorKind::Syntax), "{code}: {error:?}");
        let told = format!("{} {}", error.message, error.traceback.as_deref().unwrap_or_default());
        assert!(!told.contains("wasm") && !told.contains("0x"), "{told}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn printing_is_kept_up_to_a_limit_and_ends_the_run_at_another() {
    let engine = engine();
    for (language, code) in [(PY, "while True: print('x' * 100)"), (JS, "for (;;) console.log('x'.repeat(100))")] {
        let bound = limits(|l| (l.stdout_bytes, l.printed_bytes) = (1000, 50_000));
        let outcome = breaks(&engine, language, code, bound).await;
        assert_ended(&outcome, RunStatus::Limit, ErrorKind::Output);
        assert_eq!(outcome.stdout.len(), 1000);
        assert_eq!((outcome.truncated[0].what.as_str(), outcome.truncated[0].kept_bytes), ("stdout", 1000));
        assert!(outcome.truncated[0].total_bytes > 50_000);
    }
    let outcome =
        breaks(&engine, PY, "import sys\nsys.stderr.write('é' * 1000)\n1", limits(|l| l.stdout_bytes = 101)).await;
    assert_eq!((outcome.status, outcome.stderr.len()), (RunStatus::Ok, 100), "cut between characters");
}

#[tokio::test(flavor = "multi_thread")]
async fn one_enormous_print_ends_the_run() {
    let outcome =
        breaks(&engine(), PY, "import sys\nsys.stdout.write('x' * (150 << 20))", limits(|l| l.memory_bytes = 2 << 30))
            .await;
    assert_ended(&outcome, RunStatus::Limit, ErrorKind::Output);
    assert!(outcome.stdout.len() <= Limits::default().stdout_bytes);
}

#[tokio::test(flavor = "multi_thread")]
async fn results_are_bounded_in_size_and_depth() {
    let engine = engine();
    for (language, code) in [(PY, "'x' * 5000"), (JS, "'x'.repeat(5000)")] {
        let outcome = breaks(&engine, language, code, limits(|l| l.result_total_bytes = 1000)).await;
        assert_ended(&outcome, RunStatus::Limit, ErrorKind::Output);
        assert_eq!(outcome.result_bytes, 5002);
        // Between the two limits the whole is handed over: cutting it is the embedder's.
        let outcome = breaks(&engine, language, code, limits(|l| l.result_bytes = 1000)).await;
        assert_eq!((outcome.status, outcome.result.map(|r| r.get().len())), (RunStatus::Ok, Some(5002)));
    }
    for (language, code) in [(PY, "[[[[1]]]]"), (JS, "[[[[1]]]]")] {
        let outcome = breaks(&engine, language, code, limits(|l| l.nesting = 3)).await;
        assert_ended(&outcome, RunStatus::Error, ErrorKind::Result);
        assert_eq!(breaks(&engine, language, code, limits(|l| l.nesting = 4)).await.status, RunStatus::Ok);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn programs_and_inputs_are_bounded() {
    let engine = engine();
    let outcome = breaks(&engine, JS, "1 + 1 + 1", limits(|l| l.code_bytes = 5)).await;
    assert_ended(&outcome, RunStatus::Error, ErrorKind::Syntax);
    let with_input = async |input: &str, limits: Limits| {
        let mut program = program(PY, "import tta\ntta.inputs");
        program.input_json = input.to_owned();
        engine.run(program, limits, Arc::new(Scripted::default()), CancellationToken::new()).await
    };
    assert_ended(&with_input("[1,2,3]", limits(|l| l.input_bytes = 3)).await, RunStatus::Error, ErrorKind::Arguments);
    assert_ended(&with_input("[[[[]]]]", limits(|l| l.nesting = 3)).await, RunStatus::Error, ErrorKind::Arguments);
    assert_ended(&with_input("{oops", limits(|_| {})).await, RunStatus::Error, ErrorKind::Arguments);
    assert_eq!(
        with_input(r#"{"a":[1,"ü"]}"#, limits(|_| {})).await.result.expect("its input").get(),
        r#"{"a":[1,"ü"]}"#
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_house_says_busy() {
    let mut small = options();
    (small.slots, small.waiting) = (1, 1);
    let engine = Engine::new(small).expect("an engine");
    engine.warm(JS).await.expect("the guest");
    let cancel = CancellationToken::new();
    let start = |cancel: CancellationToken| {
        let engine = engine.clone();
        tokio::spawn(async move {
            engine.run(program(JS, "for (;;) {}"), Limits::default(), Arc::new(Scripted::default()), cancel).await
        })
    };
    let first = start(cancel.clone());
    until(|| engine.live() == 1).await;
    let second = start(cancel.clone());
    until(|| engine.waiting() == 1).await;
    let refused = run(&engine, JS, "1", limits(|_| {})).await;
    assert_ended(&refused, RunStatus::Fault, ErrorKind::Busy);
    assert!(failure(&refused).message.contains("1 programs are running and 1 wait"));
    cancel.cancel();
    for run in [first, second] {
        assert_ended(&run.await.expect("no panic"), RunStatus::Cancelled, ErrorKind::Cancelled);
    }
    assert_eq!(value(&engine, JS, "1 + 1").await, json!(2));
}

#[tokio::test(flavor = "multi_thread")]
async fn cancelling_reaches_spinning_waiting_and_queued_programs() {
    let engine = engine();
    for (language, code) in [
        (PY, "while True: pass"),
        (PY, "from servers import echo\nawait echo.hang()"),
        (JS, "for (;;) {}"),
        (JS, "import * as echo from 'servers/echo'; await echo.hang({})"),
    ] {
        engine.warm(language).await.expect("the guest");
        let cancel = CancellationToken::new();
        let running =
            engine.run(program(language, code), Limits::default(), Arc::new(Scripted::default()), cancel.clone());
        let cancelling = async {
            until(|| engine.live() == 1).await;
            cancel.cancel();
            Instant::now()
        };
        let (outcome, cancelled_at) = tokio::join!(running, cancelling);
        assert_ended(&outcome, RunStatus::Cancelled, ErrorKind::Cancelled);
        assert!(cancelled_at.elapsed() < Duration::from_secs(30), "far below the deadline of a minute");
    }
    let already = CancellationToken::new();
    already.cancel();
    let outcome = engine.run(program(PY, "1"), Limits::default(), Arc::new(Scripted::default()), already).await;
    assert_ended(&outcome, RunStatus::Cancelled, ErrorKind::Cancelled);
}

#[tokio::test(flavor = "multi_thread")]
async fn dropping_a_run_stops_it() {
    let engine = engine();
    engine.warm(JS).await.expect("the guest");
    let running = tokio::spawn({
        let engine = engine.clone();
        async move { run(&engine, JS, "for (;;) {}", Limits::default()).await }
    });
    until(|| engine.live() == 1).await;
    running.abort();
    until(|| engine.live() == 0).await;
    assert_eq!(value(&engine, JS, "1 + 1").await, json!(2));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_canary_sees_every_limit_hold() {
    let failed: Vec<_> = engine().canary().await.into_iter().filter(|check| !check.ok).collect();
    assert!(failed.is_empty(), "{failed:#?}");
}
