//! One run in one instance: from the prepared program to its outcome.
//!
//! The deadline covers everything: a spinning guest is stopped by its epoch callback, a waiting one (in a tool call, in
//! a sleep) by the timer around the call; both go by the run's clock, which stands still while a person is asked.
//! Cancellation takes the same two ways. Whatever ends the run, its calls are dropped and seen to be gone before the
//! outcome is given out.

use crate::calls::Calls;
use crate::clock::RunClock;
use crate::ending;
use crate::host::ToolHost;
use crate::json;
use crate::outcome::{Outcome, status_of};
use crate::sandbox::{Ended, Meter, Run, Sandbox, bindings};
use crate::script::Prepared;
use model::{Limits, ProgramError, RunStatus, Usage};
use serde_json::value::RawValue;
use std::future::poll_fn;
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::{Duration, Instant};
use tokio::runtime::Handle;
use tokio_util::sync::CancellationToken;
use wasmtime::{Store, UpdateDeadline};

/// An instantiated guest that has not run yet.
pub(crate) struct Instance {
    store: Store<Sandbox>,
    guest: bindings::Guest,
}

/// What a run needs besides its instance.
pub(crate) struct Job {
    pub(crate) prepared: Prepared,
    /// `{"name": …, "input": …}`.
    pub(crate) context_json: String,
    pub(crate) limits: Limits,
    pub(crate) host: Arc<dyn ToolHost>,
    pub(crate) host_runtime: Handle,
    pub(crate) cancel: CancellationToken,
}

impl Instance {
    /// A fresh instance; its memory is a copy-on-write view of the snapshot.
    pub(crate) async fn new(guest: &bindings::GuestPre<Sandbox>) -> wasmtime::Result<Self> {
        let mut store = Store::new(guest.engine(), Sandbox::new());
        store.limiter(|sandbox| &mut sandbox.meter);
        store.set_epoch_deadline(1);
        store.epoch_deadline_async_yield_and_update(1);
        let guest = guest.instantiate_async(&mut store).await?;
        Ok(Self { store, guest })
    }

    /// Runs the program. The instance is of no further use; dropping it gives its memory back.
    pub(crate) async fn run(&mut self, job: Job) -> Outcome {
        let needed = self.store.data().meter.memory_bytes;
        if needed > job.limits.memory_bytes {
            return Outcome::refused(ending::no_room(&job.limits, needed));
        }
        let started = Instant::now();
        let Limits { deadline_ms, pause_ms, .. } = job.limits;
        let clock = RunClock::new(Duration::from_millis(deadline_ms), Duration::from_millis(pause_ms));
        self.watch(clock.clone(), job.cancel.clone());
        let Prepared { source, lines } = job.prepared;
        self.store.data_mut().begin(Run {
            calls: Calls::new(job.host, job.host_runtime.clone(), clock.clone(), &job.limits),
            limits: job.limits,
            lines,
            output: crate::output::Output::default(),
            started,
            host_runtime: job.host_runtime,
        });
        let (returned, cpu) = self.call(&source, &job.context_json, &clock, &job.cancel).await;
        let mut run = self.store.data_mut().end().expect("nothing else takes the run out of its sandbox");
        run.calls.shutdown().await;
        let computed = cpu.saturating_sub(run.calls.spun());
        conclude(returned, &self.store.data().meter, run, computed)
    }

    /// Ends a guest that spins: at every epoch it either ends or lets others have the thread.
    fn watch(&mut self, clock: RunClock, cancel: CancellationToken) {
        self.store.set_epoch_deadline(1);
        self.store.epoch_deadline_callback(move |mut store| {
            store.data_mut().hand_over();
            if cancel.is_cancelled() {
                Err(Ended::Cancelled.into())
            } else if clock.is_over() {
                Err(Ended::Deadline.into())
            } else {
                Ok(UpdateDeadline::Yield(1))
            }
        });
    }

    /// Calls the guest's export, and tells how long the guest itself ran.
    async fn call(
        &mut self,
        source: &str,
        context_json: &str,
        clock: &RunClock,
        cancel: &CancellationToken,
    ) -> (wasmtime::Result<Result<String, String>>, Duration) {
        let mut cpu = Duration::ZERO;
        let returned = {
            let mut call = pin!(self.guest.call_run(&mut self.store, source, context_json));
            let metered = poll_fn(|context| {
                let polled_at = Instant::now();
                let polled: Poll<_> = call.as_mut().poll(context);
                cpu += polled_at.elapsed();
                polled
            });
            tokio::select! {
                biased;
                returned = metered => returned,
                () = cancel.cancelled() => Err(Ended::Cancelled.into()),
                () = clock.over() => Err(Ended::Deadline.into()),
            }
        };
        (returned, cpu)
    }
}

fn conclude(returned: wasmtime::Result<Result<String, String>>, meter: &Meter, run: Run, cpu: Duration) -> Outcome {
    let Run { limits, lines, output, started, .. } = run;
    let printed_bytes = output.printed_bytes();
    let (stdout, stderr, truncated) = output.finish(&lines);
    let mut result_bytes = 0;
    let value = match returned {
        Ok(Ok(json)) => {
            result_bytes = json.len() as u64;
            value(json, &limits)
        }
        Ok(Err(report)) => Err(lines.error(ending::reported(&report))),
        Err(error) => Err(ending::trapped(&error, meter, &limits)),
    };
    let (status, result, error) = match value {
        Ok(value) => (RunStatus::Ok, Some(value), None),
        Err(error) => (status_of(error.kind), None, Some(error)),
    };
    let usage = Usage {
        wall_ms: milliseconds(started.elapsed()),
        cpu_ms: milliseconds(cpu),
        peak_memory_bytes: meter.memory_bytes as u64,
        output_bytes: printed_bytes + result_bytes,
    };
    Outcome { status, result, error, stdout, stderr, usage, truncated, result_bytes }
}

/// The guest's text as a value, once it is known to be one within the limits.
fn value(json: String, limits: &Limits) -> Result<Box<RawValue>, ProgramError> {
    if json.len() > limits.result_total_bytes {
        return Err(ending::result_too_large(json.len(), limits));
    }
    if json::nesting(&json) > limits.nesting {
        return Err(ending::result_too_deep(limits));
    }
    json::raw(json).map_err(|e| ending::result_not_json(&e))
}

pub(crate) fn milliseconds(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e3
}
