//! The WebAssembly engine's settings, and the clock that interrupts spinning programs.
//!
//! Bounded here: what any program may ever have, whatever its own limits say (slots, stacks, tables, memory). What one
//! run may use is in `sandbox.rs`. A change of a setting that alters compiled code changes wasmtime's own compatibility
//! hash, which is part of the name of every compiled artifact.

use crate::error::Error;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;

/// The length of one epoch: how long a spinning program can hold a thread against others.
pub(crate) const EPOCH: Duration = Duration::from_millis(10);

/// Stack of the guest. `CPython` needs this much for deep JSON; below 32 MiB it traps before its own check.
const GUEST_STACK_BYTES: usize = 32 << 20;
/// What the host's own functions get on top when the guest has used up its share.
const HOST_STACK_BYTES: usize = 4 << 20;
/// Ticks without a live program after which the clock stops; starting it again costs a wake-up.
const IDLE_TICKS: u32 = 20;

/// An engine for running. `instances` is how many may exist at once.
pub(crate) fn engine(instances: u32) -> Result<wasmtime::Engine, Error> {
    start(&config(instances))
}

/// An engine for compiling what other machines of this kind will run: naming the target leaves out the extras of this
/// machine's processor.
pub(crate) fn portable_engine() -> Result<wasmtime::Engine, Error> {
    let mut config = config(1);
    if let Some(target) = target() {
        config.target(target).map_err(|e| Error::Platform(format!("{e:#}")))?;
    }
    start(&config)
}

fn start(config: &wasmtime::Config) -> Result<wasmtime::Engine, Error> {
    wasmtime::Engine::new(config).map_err(|e| Error::Platform(format!("{e:#}")))
}

/// This machine's kind, where packages are made for it.
fn target() -> Option<&'static str> {
    match (std::env::consts::ARCH, std::env::consts::OS, cfg!(target_env = "musl")) {
        ("x86_64", "linux", false) => Some("x86_64-unknown-linux-gnu"),
        ("x86_64", "linux", true) => Some("x86_64-unknown-linux-musl"),
        ("aarch64", "linux", false) => Some("aarch64-unknown-linux-gnu"),
        ("aarch64", "linux", true) => Some("aarch64-unknown-linux-musl"),
        ("x86_64", "macos", _) => Some("x86_64-apple-darwin"),
        ("aarch64", "macos", _) => Some("aarch64-apple-darwin"),
        _ => None,
    }
}

fn config(instances: u32) -> wasmtime::Config {
    let mut config = wasmtime::Config::new();
    config
        .epoch_interruption(true)
        .max_wasm_stack(GUEST_STACK_BYTES)
        .async_stack_size(GUEST_STACK_BYTES + HOST_STACK_BYTES)
        .memory_init_cow(true)
        .wasm_component_model(true)
        // Nobody reads a guest's native frames: the interpreters report the program's own.
        .wasm_backtrace_max_frames(None)
        .generate_address_map(false)
        .native_unwind_info(false)
        .allocation_strategy(wasmtime::InstanceAllocationStrategy::Pooling(pool(instances)));
    config
}

fn pool(instances: u32) -> wasmtime::PoolingAllocationConfig {
    let mut pool = wasmtime::PoolingAllocationConfig::default();
    // A Python component links some forty core modules around one memory and one large table.
    pool.total_component_instances(instances)
        .max_core_instances_per_component(60)
        .total_core_instances(instances.saturating_mul(60))
        .max_tables_per_component(60)
        .max_memories_per_component(8)
        .total_tables(instances.saturating_mul(8))
        .total_memories(instances.saturating_mul(2))
        .total_stacks(instances)
        .table_elements(100_000)
        .max_core_instance_size(1 << 20)
        .max_component_instance_size(1 << 20)
        .max_memory_size(4 << 30)
        // Giving a slot's pages back to the kernel interrupts every other thread (to flush its TLB) and makes the next
        // program fault them in again. Instead the kernel is asked which pages were written, and those are copied from
        // the snapshot; it doubles the programs per second in JavaScript. What is kept so is bounded for each slot.
        .pagemap_scan(wasmtime::Enabled::Auto)
        .linear_memory_keep_resident(1 << 20)
        .table_keep_resident(512 << 10)
        .async_stack_keep_resident(128 << 10)
        .max_unused_warm_slots(16);
    pool
}

/// Advances the engine's epoch every [`EPOCH`] while a program is live; an idle process sleeps.
#[derive(Debug)]
pub(crate) struct Clock {
    shared: Arc<ClockState>,
}

#[derive(Debug, Default)]
struct ClockState {
    live: AtomicUsize,
    /// Whether the thread sleeps and must be woken, or must stop.
    gate: Mutex<Gate>,
    wake: Condvar,
}

#[derive(Debug, Default)]
struct Gate {
    asleep: bool,
    stopping: bool,
}

impl Clock {
    pub(crate) fn start(engine: &wasmtime::Engine) -> Result<Self, Error> {
        let shared = Arc::new(ClockState::default());
        let (state, engine) = (Arc::clone(&shared), engine.clone());
        std::thread::Builder::new()
            .name("tta-epoch".into())
            .spawn(move || state.tick(&engine))
            .map_err(|e| Error::Platform(e.to_string()))?;
        Ok(Self { shared })
    }

    /// Programs that hold the clock awake.
    pub(crate) fn live(&self) -> usize {
        self.shared.live.load(Ordering::Relaxed)
    }

    /// Keeps the clock running until the guard is dropped.
    pub(crate) fn hold(&self) -> ClockHold {
        // The order of both sides is count first, gate second; so either this sees `asleep` or the thread sees the count.
        self.shared.live.fetch_add(1, Ordering::SeqCst);
        if self.shared.gate().asleep {
            self.shared.wake.notify_one();
        }
        ClockHold { shared: Arc::clone(&self.shared) }
    }
}

impl Drop for Clock {
    fn drop(&mut self) {
        self.shared.gate().stopping = true;
        self.shared.wake.notify_one();
    }
}

impl ClockState {
    fn gate(&self) -> std::sync::MutexGuard<'_, Gate> {
        self.gate.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn tick(&self, engine: &wasmtime::Engine) {
        let mut idle = 0;
        loop {
            let mut gate = self.gate();
            while idle >= IDLE_TICKS && self.live.load(Ordering::SeqCst) == 0 && !gate.stopping {
                gate.asleep = true;
                gate = self.wake.wait(gate).unwrap_or_else(PoisonError::into_inner);
            }
            gate.asleep = false;
            if gate.stopping {
                return;
            }
            drop(gate);
            std::thread::sleep(EPOCH);
            engine.increment_epoch();
            idle = if self.live.load(Ordering::Relaxed) == 0 { idle + 1 } else { 0 };
        }
    }
}

/// One live program, as the clock counts it.
#[derive(Debug)]
pub(crate) struct ClockHold {
    shared: Arc<ClockState>,
}

impl Drop for ClockHold {
    fn drop(&mut self) {
        self.shared.live.fetch_sub(1, Ordering::SeqCst);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn until(holds: impl Fn() -> bool) {
        while !holds() {
            std::thread::yield_now();
        }
    }

    #[test]
    fn the_clock_sleeps_while_nothing_runs() {
        let clock = Clock::start(&engine(1).expect("an engine")).expect("a thread");
        let asleep = || clock.shared.gate().asleep;
        until(asleep);
        let (first, second) = (clock.hold(), clock.hold());
        until(|| !asleep());
        assert_eq!(clock.live(), 2);
        drop((first, second));
        assert_eq!(clock.live(), 0);
        until(asleep);
    }

    #[test]
    fn a_stopped_clock_leaves_no_thread() {
        let clock = Clock::start(&engine(1).expect("an engine")).expect("a thread");
        let state = Arc::downgrade(&clock.shared);
        drop(clock);
        until(|| state.strong_count() == 0);
    }
}
