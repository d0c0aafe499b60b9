//! Tool calls: parallel, in order, bounded, contained.

use crate::host::{Scripted, engine, failure, program, run, value};
use engine::{Engine, Outcome};
use model::{ErrorKind, Language, Limits, RunStatus};
use serde_json::json;
use std::sync::Arc;
use tokio_util::sync::CancellationToken;

const PY: Language = Language::Python;
const JS: Language = Language::JavaScript;

async fn over(engine: &Engine, host: &Arc<Scripted>, language: Language, code: &str, limits: Limits) -> Outcome {
    engine.run(program(language, code), limits, Arc::clone(host) as _, CancellationToken::new()).await
}

#[tokio::test(flavor = "multi_thread")]
async fn calls_carry_their_arguments_and_answers() {
    let engine = engine();
    let python = "from servers import echo, files\na = await echo.get_sum(a=40, b=2)\nb = await files.read_text_file(path='x')\n[a, b]";
    assert_eq!(value(&engine, PY, python).await, json!([42, "text of x"]));
    let script = "import * as echo from 'servers/echo'; import { readTextFile } from 'servers/files';\n\
                  [await echo.getSum({ a: 40, b: 2 }), await readTextFile({ path: 'x' })]";
    assert_eq!(value(&engine, JS, script).await, json!([42, "text of x"]));
    assert_eq!(value(&engine, Language::TypeScript, script).await, json!([42, "text of x"]));
}

#[tokio::test(flavor = "multi_thread")]
async fn calls_made_together_share_a_wave() {
    let engine = engine();
    let host = Arc::new(Scripted::default());
    let code = "import asyncio\nfrom servers import echo\nawait echo.echo(n=0)\n\
                await asyncio.gather(*[echo.sleep(ms=20) for _ in range(3)])\nawait echo.echo(n=4)\n1";
    let outcome = over(&engine, &host, PY, code, Limits::default()).await;
    assert_eq!(outcome.status, RunStatus::Ok, "{:?}", outcome.error);
    let calls = host.calls.lock().expect("no panic");
    let seen: Vec<_> = calls.iter().map(|call| (call.index, call.wave, call.line)).collect();
    assert_eq!(seen, [(0, 0, Some(3)), (1, 1, Some(4)), (2, 1, Some(4)), (3, 1, Some(4)), (4, 2, Some(5))]);
}

#[tokio::test(flavor = "multi_thread")]
async fn many_calls_are_on_their_way_at_once() {
    let engine = engine();
    for (language, code) in [
        (
            PY,
            "import asyncio\nfrom servers import echo\nlen(await asyncio.gather(*[echo.sleep(ms=100) for _ in range(100)]))",
        ),
        (
            JS,
            "import * as echo from 'servers/echo'; (await Promise.all(Array.from({ length: 100 }, () => echo.sleep({ ms: 100 })))).length",
        ),
    ] {
        let outcome = run(&engine, language, code, Limits::default()).await;
        assert_eq!(outcome.result.as_ref().map(|r| r.get()), Some("100"), "{:?}", outcome.error);
        assert!(outcome.usage.wall_ms < 5_000.0, "one after the other takes ten seconds: {:?}", outcome.usage);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_goes_on_while_its_program_computes() {
    let engine = engine();
    let python = "import time\nfrom servers import echo\ncall = echo.timed(ms=20)\nend = time.perf_counter() + 1\n\
                  while time.perf_counter() < end: pass\nawait call";
    let script = "import * as echo from 'servers/echo'; const call = echo.timed({ ms: 20 });\n\
                  await new Promise(done => setTimeout(done, 5)); const end = performance.now() + 1000;\n\
                  while (performance.now() < end); await call";
    for (language, code) in [(PY, python), (JS, script)] {
        let took = value(&engine, language, code).await;
        assert!(took.as_u64().is_some_and(|ms| (20..800).contains(&ms)), "{language:?}: it took {took} ms");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn calls_over_the_limit_wait_their_turn_in_order() {
    let engine = engine();
    let host = Arc::new(Scripted::default());
    let limits = Limits { calls_in_flight: 1, ..Limits::default() };
    let code = "import asyncio\nfrom servers import echo\n\
                r = await asyncio.gather(*[echo.sleep(ms=2, n=i) for i in range(30)])\nsum(x['n'] for x in r)";
    let outcome = over(&engine, &host, PY, code, limits).await;
    assert_eq!(outcome.result.as_ref().map(|r| r.get()), Some("435"), "{:?}", outcome.error);
    let order: Vec<u32> = host.calls.lock().expect("no panic").iter().map(|call| call.index).collect();
    assert_eq!(order, (0..30).collect::<Vec<_>>());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_number_of_calls_is_bounded() {
    let engine = engine();
    for (language, code) in [
        (
            PY,
            "from servers import echo\nwhile True:\n    try:\n        await echo.echo()\n    except BaseException: pass",
        ),
        (JS, "import * as echo from 'servers/echo'; for (;;) { try { await echo.echo({}) } catch {} }"),
    ] {
        let host = Arc::new(Scripted::default());
        let outcome = over(&engine, &host, language, code, Limits { calls: 5, ..Limits::default() }).await;
        assert_eq!((outcome.status, failure(&outcome).kind), (RunStatus::Limit, ErrorKind::Calls));
        assert_eq!(host.calls.lock().expect("no panic").len(), 5);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn oversized_and_deep_calls_fail_alone() {
    let engine = engine();
    let limits = Limits { arguments_bytes: 1000, call_result_bytes: 500, nesting: 8, ..Limits::default() };
    for (arguments, kind) in
        [("a='x' * 2000", "arguments"), ("a=[[[[[[[[1]]]]]]]]", "arguments"), ("a='x' * 600", "output")]
    {
        let host = Arc::new(Scripted::default());
        let code = format!(
            "from servers import echo\ntry:\n    await echo.echo({arguments})\nexcept Exception as e:\n    result = e.kind"
        );
        let outcome = over(&engine, &host, PY, &code, limits.clone()).await;
        assert_eq!(
            outcome.result.map(|r| r.get().to_owned()),
            Some(format!("\"{kind}\"")),
            "{arguments} {:?}",
            outcome.error
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_waits_on_behalf_of_a_program_is_bounded() {
    let engine = engine();
    let roomy = Limits { memory_bytes: 2 << 30, ..Limits::default() };
    // 9 times 15 MiB of arguments under way; then 18 times 15 MiB of answers that nobody takes.
    for (tool, calls, kind) in [("hang", 9, "arguments"), ("echo", 18, "output")] {
        let code = format!(
            "from servers import echo\nbig = 'x' * (15 << 20)\ncalls = [echo.{tool}(a=big) for _ in range({calls})]\n\
             try:\n    await calls[-1]\nexcept Exception as e:\n    result = e.kind"
        );
        let outcome = run(&engine, PY, &code, roomy.clone()).await;
        assert_eq!(outcome.result.map(|r| r.get().to_owned()), Some(format!("\"{kind}\"")), "{:?}", outcome.error);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_panic_of_the_host_is_an_error_of_one_call() {
    let engine = engine();
    let code = "import tta\ntry:\n    await tta.call('echo', 'panic', {})\nexcept Exception as e:\n    result = [e.kind, e.server, e.tool]";
    assert_eq!(value(&engine, PY, code).await, json!(["fault", "echo", "panic"]));
    let outcome =
        run(&engine, JS, "import * as tta from 'tta';\nawait tta.call('echo', 'panic', {})", Limits::default()).await;
    assert_eq!(failure(&outcome).kind, ErrorKind::Fault);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failed_call_is_told_with_its_line() {
    let engine = engine();
    for (language, code) in [
        (PY, "from servers import echo\n\nawait echo.fail()"),
        (JS, "import * as echo from 'servers/echo';\n\nawait echo.fail({})"),
        (
            Language::TypeScript,
            "interface Unused { a: string }\nimport * as echo from 'servers/echo';\nawait echo.fail({})",
        ),
    ] {
        let outcome = run(&engine, language, code, Limits::default()).await;
        let error = failure(&outcome);
        assert_eq!((outcome.status, error.kind, error.line), (RunStatus::Error, ErrorKind::Tool, Some(3)), "{error:?}");
        assert!(error.message.contains("nope"), "{error:?}");
    }
}
