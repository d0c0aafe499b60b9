//! Which pages of the JavaScript snapshot a run writes: found by running a program in it.
//!
//! A reference count that goes up and down again leaves no trace at the end, so memory is compared at every function's
//! entry and every turn of a loop. Leaves out: what a larger program writes besides; that is its own.

use anyhow::{Context, Result, ensure};
use std::sync::atomic::{AtomicU64, Ordering};
use wasmtime::{
    Caller, Config, Engine, Extern, Func, Instance, Linker, Memory, Module, Store, TypedFunc, UpdateDeadline,
};

const PAGE_BYTES: usize = 4096;
/// `LIST_BYTES` of `pages.c`: a bit for each page of the first 4 MiB.
pub(super) const LIST_BYTES: usize = 128;

/// A run that is there for long waits; what that writes is part of it.
const PROGRAM: &str = "await new Promise(done => setTimeout(done, 1)); 1+1";
const CONTEXT: &str = r#"{"name":"main.js","input":null}"#;

#[derive(Default)]
struct Watch {
    memory: Option<Memory>,
    before: Vec<u8>,
    list: Vec<u8>,
}

/// The pages that a run writes which waits once, as the bits that `pages.c` reads.
pub(super) fn written(snapshot: &[u8], host: &str) -> Result<Vec<u8>> {
    let engine = Engine::new(Config::new().epoch_interruption(true))?;
    let mut store = Store::new(&engine, Watch::default());
    store.epoch_deadline_callback(|mut context| {
        let Some(memory) = context.data().memory else { return Ok(UpdateDeadline::Continue(0)) };
        let (now, watch) = memory.data_and_store_mut(&mut context);
        watch.compare(now);
        Ok(UpdateDeadline::Continue(0))
    });
    let module = Module::new(&engine, snapshot)?;
    let mut linker = Linker::new(&engine);
    for name in ["now", "wall"] {
        let clock_ns = AtomicU64::new(0);
        linker.func_wrap(host, name, move || clock_ns.fetch_add(10_000_000, Ordering::Relaxed))?;
    }
    linker.func_wrap(host, "wait-any", wait)?;
    linker.func_wrap(host, "random", random)?;
    linker.define_unknown_imports_as_traps(&module)?;
    let instance = linker.instantiate(&mut store, &module)?;
    let memory = instance.get_memory(&mut store, "memory").context("the guest exports no memory")?;
    let before = memory.data(&store).to_vec();
    *store.data_mut() = Watch { memory: Some(memory), before, list: vec![0; LIST_BYTES] };
    run(&mut store, &instance, memory)?;
    let (now, watch) = memory.data_and_store_mut(&mut store);
    watch.compare(now);
    Ok(std::mem::take(&mut watch.list))
}

impl Watch {
    fn compare(&mut self, now: &[u8]) {
        let pages = self.before.chunks(PAGE_BYTES).zip(now.chunks(PAGE_BYTES));
        for (page, (before, now)) in pages.enumerate().take(8 * LIST_BYTES) {
            let bit = 1 << (page % 8);
            if self.list[page / 8] & bit == 0 && before != now {
                self.list[page / 8] |= bit;
            }
        }
    }
}

/// Calls the export `run` as the canonical ABI does.
fn run(store: &mut Store<Watch>, instance: &Instance, memory: Memory) -> Result<()> {
    let allocate = instance.get_typed_func::<(u32, u32, u32, u32), u32>(&mut *store, "cabi_realloc")?;
    let mut arguments = [(0, 0); 2];
    for (argument, text) in arguments.iter_mut().zip([PROGRAM, CONTEXT]) {
        let length = u32::try_from(text.len())?;
        *argument = (allocate.call(&mut *store, (0, 0, 1, length))?, length);
        memory.write(&mut *store, argument.0 as usize, text.as_bytes())?;
    }
    let [program, context] = arguments;
    let run = instance.get_typed_func::<(u32, u32, u32, u32), u32>(&mut *store, "run")?;
    let outcome = run.call(&mut *store, (program.0, program.1, context.0, context.1))?;
    let mut is_error = [0; 4];
    memory.read(&*store, outcome as usize, &mut is_error)?;
    ensure!(is_error == [0; 4], "`{PROGRAM}` failed in the snapshot");
    Ok(())
}

/// The host's `wait-any`: nothing is done yet.
fn wait(mut caller: Caller<'_, Watch>, _has_timeout: u32, _timeout_ms: u64, result: u32) -> wasmtime::Result<()> {
    let memory = caller.data().memory.ok_or_else(|| wasmtime::Error::msg("no run was begun"))?;
    Ok(memory.write(&mut caller, result as usize, &[0; 8])?)
}

/// The host's `random`, which here is not: nothing depends on it.
fn random(mut caller: Caller<'_, Watch>, count: u32, result: u32) -> wasmtime::Result<()> {
    let allocate: TypedFunc<(u32, u32, u32, u32), u32> = caller
        .get_export("cabi_realloc")
        .and_then(Extern::into_func)
        .map(|f: Func| f.typed(&caller))
        .transpose()?
        .ok_or_else(|| wasmtime::Error::msg("the guest cannot allocate"))?;
    let bytes = allocate.call(&mut caller, (0, 0, 1, count))?;
    let memory = caller.data().memory.ok_or_else(|| wasmtime::Error::msg("no run was begun"))?;
    memory.write(&mut caller, bytes as usize, &vec![7; count as usize])?;
    for (at, word) in [bytes, count].into_iter().enumerate() {
        memory.write(&mut caller, result as usize + 4 * at, &word.to_le_bytes())?;
    }
    Ok(())
}
