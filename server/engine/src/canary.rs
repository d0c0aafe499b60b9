//! Fires every limit once: a limit that an upgrade switched off silently is worse than none.
//!
//! The table's limit is not among them: neither interpreter has an instruction that a program could grow a table with.

use crate::clock::RunClock;
use crate::engine::Engine;
use crate::host::{CallError, GuestCall, ToolHost};
use crate::outcome::{Outcome, Program};
use futures::FutureExt;
use futures::future::BoxFuture;
use model::reply::Check;
use model::{ErrorKind, Language, Limits, ProgramError, RunStatus};
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// One limit, the program that breaks it, and what must come of that.
struct Canary {
    name: &'static str,
    language: Language,
    code: &'static str,
    limit: fn(&mut Limits),
    kind: ErrorKind,
}

const JS: Language = Language::JavaScript;
const PY: Language = Language::Python;

const CANARIES: &[Canary] = &[
    canary("deadline of a program that spins", JS, "for (;;) {}", |l| l.deadline_ms = 50, ErrorKind::Deadline),
    canary(
        "deadline of a program that spins (Python)",
        PY,
        "while True: pass",
        |l| l.deadline_ms = 50,
        ErrorKind::Deadline,
    ),
    canary(
        "deadline of a program that waits for a call",
        JS,
        "import * as tta from 'tta'; await tta.call('canary', 'hang', {})",
        |l| l.deadline_ms = 50,
        ErrorKind::Deadline,
    ),
    canary(
        "deadline of a program that waits for a call (Python)",
        PY,
        "import tta\nawait tta.call('canary', 'hang', {})",
        |l| l.deadline_ms = 50,
        ErrorKind::Deadline,
    ),
    canary(
        "pauses of the deadline while a person is asked",
        JS,
        "import * as tta from 'tta'; await tta.call('canary', 'ask', {})",
        |l| (l.deadline_ms, l.pause_ms) = (50, 50),
        ErrorKind::Deadline,
    ),
    canary(
        "memory",
        JS,
        "const kept = []; for (;;) kept.push(new Uint8Array(1 << 20).fill(1))",
        |l| l.memory_bytes = 64 << 20,
        ErrorKind::Memory,
    ),
    canary(
        "memory (Python)",
        PY,
        "kept = []\nwhile True: kept.append(bytearray(1 << 20))",
        |l| l.memory_bytes = 96 << 20,
        ErrorKind::Memory,
    ),
    canary("stack", JS, "const f = () => 1 + f(); f()", |_| {}, ErrorKind::Stack),
    canary("stack (Python)", PY, "def f(): return 1 + f()\nf()", |_| {}, ErrorKind::Stack),
    canary("printed bytes", JS, "for (;;) console.log('canary')", |l| l.printed_bytes = 10_000, ErrorKind::Output),
    canary("bytes of the result", JS, "'x'.repeat(5000)", |l| l.result_total_bytes = 1000, ErrorKind::Output),
    canary("nesting of the result", JS, "[[[[1]]]]", |l| l.nesting = 3, ErrorKind::Result),
    canary(
        "nesting of arguments",
        JS,
        "import * as tta from 'tta'; await tta.call('canary', 'echo', { a: [[[1]]] })",
        |l| l.nesting = 3,
        ErrorKind::Arguments,
    ),
    canary(
        "bytes of arguments",
        JS,
        "import * as tta from 'tta'; await tta.call('canary', 'echo', { a: 'x'.repeat(5000) })",
        |l| l.arguments_bytes = 1000,
        ErrorKind::Arguments,
    ),
    canary(
        "bytes of an answer",
        JS,
        "import * as tta from 'tta'; await tta.call('canary', 'echo', { a: 'x'.repeat(5000) })",
        |l| l.call_result_bytes = 1000,
        ErrorKind::Output,
    ),
    canary(
        "number of calls",
        JS,
        "import * as tta from 'tta'; for (;;) await tta.call('canary', 'echo', {})",
        |l| l.calls = 3,
        ErrorKind::Calls,
    ),
    canary("bytes of the program", JS, "1 + 1 + 1 + 1", |l| l.code_bytes = 8, ErrorKind::Syntax),
];

const fn canary(
    name: &'static str,
    language: Language,
    code: &'static str,
    limit: fn(&mut Limits),
    kind: ErrorKind,
) -> Canary {
    Canary { name, language, code, limit, kind }
}

impl Engine {
    /// Fires every limit once and says which held. A few seconds; other runs go on meanwhile.
    pub async fn canary(&self) -> Vec<Check> {
        let mut checks = vec![self.runs(PY).await, self.runs(JS).await];
        if checks.iter().all(|check| check.ok) {
            for canary in CANARIES {
                checks.push(self.fire(canary).await);
            }
            checks.push(self.cancels().await);
        }
        checks
    }

    /// Whether a program runs at all.
    async fn runs(&self, language: Language) -> Check {
        let outcome = self.try_out(language, "1 + 1", Limits::default(), CancellationToken::new()).await;
        let ok = outcome.result.as_ref().is_some_and(|value| value.get() == "2");
        let mend = "Build the guests: cargo run -p xtask -- guests";
        check(format!("guest {}", language.as_str()), ok, seen(&outcome), mend)
    }

    async fn fire(&self, canary: &Canary) -> Check {
        // The guests' start is no part of a canary's limits, except where the limit is about it.
        let mut limits = Limits { deadline_ms: 20_000, ..Limits::default() };
        (canary.limit)(&mut limits);
        let memory_bytes = limits.memory_bytes as u64;
        let outcome = self.try_out(canary.language, canary.code, limits, CancellationToken::new()).await;
        let held = outcome.error.as_ref().is_some_and(|error| error.kind == canary.kind);
        let ok = held && outcome.usage.peak_memory_bytes <= memory_bytes;
        check(format!("limit: {}", canary.name), ok, seen(&outcome), "Do not run programs with this build: report it.")
    }

    async fn cancels(&self) -> Check {
        let cancel = CancellationToken::new();
        let spinning = self.try_out(JS, "for (;;) {}", Limits::default(), cancel.clone());
        let cancelling = async {
            tokio::time::sleep(Duration::from_millis(20)).await;
            cancel.cancel();
        };
        let (outcome, ()) = tokio::join!(spinning, cancelling);
        let ok = outcome.status == RunStatus::Cancelled;
        check("limit: cancellation".into(), ok, seen(&outcome), "Do not run programs with this build: report it.")
    }

    async fn try_out(&self, language: Language, code: &str, limits: Limits, cancel: CancellationToken) -> Outcome {
        let program = Program {
            code: code.to_owned(),
            language,
            name: format!("canary.{}", language.extension()),
            input_json: "null".to_owned(),
        };
        self.run(program, limits, Arc::new(CanaryHost), cancel).await
    }
}

fn check(name: String, ok: bool, detail: String, mend: &str) -> Check {
    Check { name, ok, detail, mend: if ok { String::new() } else { mend.to_owned() } }
}

fn seen(outcome: &Outcome) -> String {
    let what = match (&outcome.error, &outcome.result) {
        (Some(error), _) => error.message.clone(),
        (None, Some(value)) => value.get().chars().take(80).collect(),
        (None, None) => String::new(),
    };
    format!("{} in {:.0} ms: {what}", outcome.status.as_str(), outcome.usage.wall_ms)
}

/// One server with three tools: `echo`; `hang`, which never answers; `ask`, which waits for a person who never answers.
struct CanaryHost;

impl ToolHost for CanaryHost {
    fn servers(&self) -> Vec<String> {
        vec!["canary".to_owned()]
    }

    fn describe(&self, server: &str, _: &RunClock) -> BoxFuture<'static, Result<String, ProgramError>> {
        let described = match server {
            "canary" => {
                Ok(r#"{"server":"canary","tools":{"ask":"ask","echo":"echo","hang":"hang"},"aliases":{}}"#.to_owned())
            }
            other => Err(ProgramError::new(ErrorKind::UnknownTool, format!("there is no server {other}"))),
        };
        std::future::ready(described).boxed()
    }

    fn call(&self, call: GuestCall) -> BoxFuture<'static, Result<String, CallError>> {
        match call.tool.as_str() {
            "hang" => std::future::pending().boxed(),
            "ask" => async move {
                let _pause = call.clock.pause();
                std::future::pending().await
            }
            .boxed(),
            _ => std::future::ready(Ok(call.arguments_json)).boxed(),
        }
    }
}
