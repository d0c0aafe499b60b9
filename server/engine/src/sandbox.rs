//! What stands behind one guest instance: its memory meter, its (empty) WASI, and the run it serves.
//!
//! Invariant: an instance serves one run and is dropped; nothing of it is used again. Between instantiation and `begin`
//! it serves none, and every host function then traps.

use crate::calls::{Asked, Calls, Done};
use crate::output::Output;
use crate::script::Lines;
use bindings::tta::sandbox::host;
use model::{ErrorKind, Limits, ProgramError};
use std::time::{Duration, Instant, SystemTime};
use tokio::runtime::Handle;
use tokio_util::task::AbortOnDropHandle;
use wasmtime::component::{HasSelf, Linker, ResourceTable};
use wasmtime_wasi::{WasiCtx, WasiCtxBuilder, WasiCtxView, WasiView};

pub(crate) mod bindings {
    //! The guests' world as Rust types.
    wasmtime::component::bindgen!({
        path: "guests/wit",
        world: "guest",
        imports: {
            "tta:sandbox/host.describe": async | trappable,
            "tta:sandbox/host.wait-any": async | trappable,
            default: trappable,
        },
        exports: { default: async },
    });
}

/// Random bytes that a guest can ask for at once.
const RANDOM_BYTES: u32 = 1024;

/// The same through WASI, where `os.urandom` asks.
const WASI_RANDOM_BYTES: u64 = 1 << 20;
/// Handles that a guest can hold through WASI: timers, streams to nowhere.
const WASI_HANDLES: usize = 1000;

/// Why the host ended a run in the middle of a guest's call or computation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Ended {
    #[error("the deadline passed")]
    Deadline,
    #[error("cancelled")]
    Cancelled,
    #[error("too many calls")]
    Calls,
    #[error("too much output")]
    Output,
    #[error("waits for nothing")]
    Deadlock,
    #[error("no run is being served")]
    NoRun,
}

/// The state of one store.
pub(crate) struct Sandbox {
    wasi: WasiCtx,
    resources: ResourceTable,
    pub(crate) meter: Meter,
    run: Option<Run>,
}

/// The run an instance serves.
pub(crate) struct Run {
    pub(crate) limits: Limits,
    pub(crate) lines: Lines,
    pub(crate) calls: Calls,
    pub(crate) output: Output,
    pub(crate) started: Instant,
    pub(crate) host_runtime: Handle,
}

impl Sandbox {
    pub(crate) fn new() -> Self {
        // No preopened folder, no environment, no arguments, no sockets; stdio goes nowhere and reads nothing.
        let wasi = WasiCtxBuilder::new()
            .allow_tcp(false)
            .allow_udp(false)
            .allow_ip_name_lookup(false)
            .max_random_size(WASI_RANDOM_BYTES)
            .build();
        let mut resources = ResourceTable::new();
        resources.set_max_capacity(WASI_HANDLES);
        Self { wasi, resources, meter: Meter::default(), run: None }
    }

    /// Makes the instance serve a run.
    pub(crate) fn begin(&mut self, run: Run) {
        self.meter.memory_limit_bytes = run.limits.memory_bytes;
        self.meter.table_limit_elements = run.limits.table_elements;
        self.run = Some(run);
    }

    /// Takes the run out again.
    pub(crate) fn end(&mut self) -> Option<Run> {
        self.run.take()
    }

    /// Lets a call go on that nobody drives while the guest computes.
    pub(crate) fn hand_over(&mut self) {
        if let Some(run) = &mut self.run {
            run.calls.hand_over();
        }
    }

    fn run(&mut self) -> wasmtime::Result<&mut Run> {
        self.run.as_mut().ok_or_else(|| Ended::NoRun.into())
    }
}

/// Every import of the world, and an empty WASI.
pub(crate) fn linker(engine: &wasmtime::Engine) -> wasmtime::Result<Linker<Sandbox>> {
    let mut linker = Linker::new(engine);
    wasmtime_wasi::p2::add_to_linker_async(&mut linker)?;
    host::add_to_linker::<_, HasSelf<_>>(&mut linker, |sandbox: &mut Sandbox| sandbox)?;
    Ok(linker)
}

impl WasiView for Sandbox {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView { ctx: &mut self.wasi, table: &mut self.resources }
    }
}

impl host::Host for Sandbox {
    fn servers(&mut self) -> wasmtime::Result<String> {
        let servers = self.run()?.calls.host().servers();
        Ok(serde_json::to_string(&servers)?)
    }

    async fn describe(&mut self, server: String) -> wasmtime::Result<Result<String, String>> {
        let run = self.run()?;
        let (host, clock) = (std::sync::Arc::clone(run.calls.host()), run.calls.clock().clone());
        // Listing a server may start it: that belongs on the host's runtime, and ends with the run.
        let task = AbortOnDropHandle::new(run.host_runtime.spawn(async move { host.describe(&server, &clock).await }));
        let described = task.await.unwrap_or_else(|_panic| {
            Err(ProgramError::new(ErrorKind::Fault, "the sandbox failed while it described this server"))
        });
        Ok(match described {
            Ok(module) => Ok(module),
            Err(error) => Err(serde_json::to_string(&error)?),
        })
    }

    fn start_call(&mut self, server: String, tool: String, arguments_json: String, line: u32) -> wasmtime::Result<u64> {
        let run = self.run()?;
        let asked = Asked { server, tool, arguments_json, line: (line > 0).then(|| run.lines.line(line)) };
        Ok(run.calls.start(asked, &run.limits)?)
    }

    fn cancel_call(&mut self, handle: u64) -> wasmtime::Result<()> {
        self.run()?.calls.cancel(handle);
        Ok(())
    }

    async fn wait_any(&mut self, timeout_ms: Option<u64>) -> wasmtime::Result<Vec<host::Completion>> {
        let run = self.run()?;
        // No wait outlasts the run, and a larger number would overflow the clock.
        let timeout = timeout_ms.map(|ms| Duration::from_millis(ms.min(run.limits.deadline_ms)));
        let done = run.calls.wait(timeout).await?;
        Ok(done.into_iter().map(host::Completion::from).collect())
    }

    fn print(&mut self, to: host::Output, text: String) -> wasmtime::Result<()> {
        let run = self.run()?;
        let more = run.output.print(matches!(to, host::Output::Stderr), &text, &run.limits);
        if more { Ok(()) } else { Err(Ended::Output.into()) }
    }

    fn random(&mut self, count: u32) -> wasmtime::Result<Vec<u8>> {
        let mut bytes = vec![0; count.min(RANDOM_BYTES) as usize];
        getrandom::fill(&mut bytes).map_err(wasmtime::Error::msg)?;
        Ok(bytes)
    }

    fn now(&mut self) -> wasmtime::Result<u64> {
        let elapsed = self.run()?.started.elapsed();
        Ok(u64::try_from(elapsed.as_nanos()).unwrap_or(u64::MAX))
    }

    fn wall(&mut self) -> wasmtime::Result<u64> {
        let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        Ok(u64::try_from(since.as_nanos()).unwrap_or(u64::MAX))
    }
}

impl From<Done> for host::Completion {
    fn from(done: Done) -> Self {
        let ok = done.answer.is_ok();
        Self { handle: done.handle, ok, json: done.answer.unwrap_or_else(|error| error) }
    }
}

/// Counts linear memory and refuses what is over the limit; the guest's allocator then reports out of memory, which the
/// program can catch.
#[derive(Debug)]
pub(crate) struct Meter {
    pub(crate) memory_limit_bytes: usize,
    pub(crate) table_limit_elements: usize,
    /// Of all memories together.
    pub(crate) memory_bytes: usize,
    /// Whether memory or a table was ever refused.
    pub(crate) refused: Option<Refused>,
}

/// What was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refused {
    Memory,
    Table,
}

impl Default for Meter {
    /// An instance without a run is bounded by the pool.
    fn default() -> Self {
        Self { memory_limit_bytes: usize::MAX, table_limit_elements: usize::MAX, memory_bytes: 0, refused: None }
    }
}

impl wasmtime::ResourceLimiter for Meter {
    fn memory_growing(&mut self, current: usize, desired: usize, maximum: Option<usize>) -> wasmtime::Result<bool> {
        let total = self.memory_bytes + desired.saturating_sub(current);
        if total > self.memory_limit_bytes || maximum.is_some_and(|max| desired > max) {
            self.refused = Some(Refused::Memory);
            return Ok(false);
        }
        self.memory_bytes = total;
        Ok(true)
    }

    fn memory_grow_failed(&mut self, _error: wasmtime::Error) -> wasmtime::Result<()> {
        self.refused = Some(Refused::Memory);
        Ok(())
    }

    fn table_growing(&mut self, _current: usize, desired: usize, maximum: Option<usize>) -> wasmtime::Result<bool> {
        let fits = desired <= self.table_limit_elements && maximum.is_none_or(|max| desired <= max);
        if !fits {
            self.refused = Some(Refused::Table);
        }
        Ok(fits)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use wasmtime::ResourceLimiter;

    #[test]
    fn memory_is_counted_over_all_memories() {
        let mut meter = Meter { memory_limit_bytes: 100, ..Meter::default() };
        assert!(meter.memory_growing(0, 60, None).expect("no trap"));
        assert!(meter.memory_growing(0, 40, None).expect("no trap"));
        assert_eq!((meter.memory_bytes, meter.refused), (100, None));
        assert!(!meter.memory_growing(60, 61, None).expect("no trap"));
        assert_eq!((meter.memory_bytes, meter.refused), (100, Some(Refused::Memory)));
    }

    #[test]
    fn tables_are_bounded_each() {
        let mut meter = Meter { table_limit_elements: 10, ..Meter::default() };
        assert!(meter.table_growing(0, 10, None).expect("no trap"));
        assert!(meter.table_growing(0, 10, None).expect("no trap"));
        assert_eq!(meter.refused, None);
        assert!(!meter.table_growing(10, 11, None).expect("no trap"));
        assert_eq!(meter.refused, Some(Refused::Table));
    }

    #[test]
    fn an_instance_without_a_run_is_served_nothing() {
        let mut sandbox = Sandbox::new();
        let error = host::Host::now(&mut sandbox).expect_err("there is no run");
        assert_eq!(error.downcast_ref::<Ended>(), Some(&Ended::NoRun));
    }
}
