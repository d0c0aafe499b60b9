//! The JavaScript guest: QuickJS-NG and our C around it, compiled, started, snapshotted, wrapped as a component.
//!
//! The snapshot is made twice: the second holds the list of the pages that a run in the first one wrote.

use super::tools::{Tools, run};
use super::{Places, pages, say};
use anyhow::{Context, Result, anyhow};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use wasmtime::{Caller, Engine, Extern, Linker, Module, Store};
use wasmtime_wizer::Wizer;
use wit_component::{ComponentEncoder, StringEncoding};
use wit_parser::Resolve;

/// The shadow stack, lowest in memory, so that running over its end traps and corrupts nothing.
const STACK_BYTES: u32 = 1 << 20;

/// The interface that the guest imports.
const HOST: &str = "tta:sandbox/host@0.1.0";

pub(super) fn build(places: &Places, tools: &Tools, scratch: &Path, component: &Path) -> Result<()> {
    let quickjs = quickjs_sources(&places.root)?;
    let module = scratch.join("quickjs.wasm");
    say("javascript: compiling QuickJS-NG");
    compile(places, tools, &quickjs, &module)?;
    say("javascript: taking the snapshot");
    let prelude = places.sources.join("javascript/prelude");
    let module = fs::read(&module)?;
    let first = snapshot(&module, Known { prelude: prelude.clone(), pages: vec![0; pages::LIST_BYTES] })?;
    let snapshot = snapshot(&module, Known { prelude, pages: pages::written(&first, HOST)? })?;
    fs::write(component, wrap(snapshot, &places.sources.join("wit"))?)?;
    Ok(())
}

/// The folder of QuickJS-NG's C sources in the locked package `rquickjs-sys`, which cargo fetches if need be.
fn quickjs_sources(root: &Path) -> Result<PathBuf> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let text = run(Command::new(cargo)
        .args(["metadata", "--format-version=1", "--locked", "--filter-platform=wasm32-wasip1"])
        .current_dir(root))?;
    let metadata: serde_json::Value = serde_json::from_str(&text)?;
    let packages = metadata["packages"].as_array().context("cargo metadata lists no packages")?;
    let package = packages.iter().find(|p| p["name"] == "rquickjs-sys").context("rquickjs-sys is not locked")?;
    let manifest = package["manifest_path"].as_str().context("a package has a manifest")?;
    Ok(Path::new(manifest).with_file_name("quickjs"))
}

fn compile(places: &Places, tools: &Tools, quickjs: &Path, module: &Path) -> Result<()> {
    let ours = places.sources.join("javascript");
    run(tools
        .cc()
        .args(["-std=gnu23", "-O3", "-DNDEBUG", "-D_GNU_SOURCE", "-D_WASI_EMULATED_SIGNAL", "-mexec-model=reactor"])
        .args(["-mcpu=lime1+simd128", "-fno-sanitize=undefined"])
        .arg(format!("-DSTACK_BYTES={STACK_BYTES}"))
        .arg("-I")
        .arg(quickjs)
        // QuickJS's own code warns in plenty; ours is the smaller part.
        .arg("-w")
        .args(["engine.c", "guest.c", "host.c", "memory.c", "pages.c"].map(|file| ours.join(file)))
        .args(["libregexp.c", "libunicode.c", "dtoa.c"].map(|file| quickjs.join(file)))
        .args(["-lwasi-emulated-signal", "-Wl,--strip-debug"])
        .arg(format!("-Wl,-z,stack-size={STACK_BYTES}"))
        .arg("-o")
        .arg(module))?;
    Ok(())
}

/// What the host tells the guest while the snapshot is made.
struct Known {
    /// The folder of the prelude's modules.
    prelude: PathBuf,
    /// The pages that a run writes, as `pages.c` wants them.
    pages: Vec<u8>,
}

/// Runs `init`, which loads the prelude, and keeps the memory as it is then.
fn snapshot(module: &[u8], known: Known) -> Result<Vec<u8>> {
    let known = Arc::new(known);
    let engine = Engine::default();
    let mut store = Store::new(&engine, ());
    let mut wizer = Wizer::new();
    wizer.init_func("init");
    let runtime = tokio::runtime::Builder::new_current_thread().build()?;
    let snapshot = wizer.run(&mut store, module, async |store: &mut Store<()>, module: &Module| {
        let mut linker = Linker::new(store.engine());
        // The prelude reads the clock for its origin only; but for its own modules, every other call would be a mistake.
        for name in ["now", "wall"] {
            linker.func_wrap(HOST, name, || 1_u64)?;
        }
        linker.func_wrap_async(HOST, "describe", move |caller, asked: (u32, u32, u32)| {
            let known = Arc::clone(&known);
            Box::new(async move { describe(caller, asked, &known).await.map_err(wasmtime::Error::from_anyhow) })
        })?;
        linker.define_unknown_imports_as_traps(module)?;
        linker.instantiate_async(store, module).await
    });
    runtime.block_on(snapshot).map_err(|error| anyhow!("{error:?}"))
}

/// The host's `describe` while the snapshot is made: the source of a module of the prelude, `sandbox/NAME`, or the pages
/// that a run writes, at the place that the canonical ABI says.
async fn describe(mut caller: Caller<'_, ()>, asked: (u32, u32, u32), known: &Known) -> Result<()> {
    let (name, length, result) = asked;
    let memory = caller.get_export("memory").and_then(Extern::into_memory).context("the guest exports no memory")?;
    let allocate = caller.get_export("cabi_realloc").and_then(Extern::into_func).context("it cannot allocate")?;
    let allocate = allocate.typed::<(u32, u32, u32, u32), u32>(&caller)?;
    let mut asked = vec![0; length as usize];
    memory.read(&caller, name as usize, &mut asked)?;
    let name = String::from_utf8(asked)?;
    let module = name.strip_prefix("sandbox/").context("only the prelude is there")?;
    let source = match module {
        "pages" => known.pages.clone(),
        _ => fs::read(known.prelude.join(module).with_extension("js")).with_context(|| format!("reading {name}"))?,
    };
    let length = u32::try_from(source.len())?;
    let text = allocate.call_async(&mut caller, (0, 0, 1, length)).await?;
    memory.write(&mut caller, text as usize, &source)?;
    // No error; then the string.
    for (at, word) in [0, text, length].into_iter().enumerate() {
        memory.write(&mut caller, result as usize + 4 * at, &word.to_le_bytes())?;
    }
    Ok(())
}

/// The module as a component of the world `guest`.
fn wrap(mut module: Vec<u8>, wit: &Path) -> Result<Vec<u8>> {
    let mut resolve = Resolve::default();
    let (package, _) = resolve.push_dir(wit)?;
    let world = resolve.select_world(&[package], Some("guest"))?;
    wit_component::embed_component_metadata(&mut module, &resolve, world, StringEncoding::UTF8)?;
    ComponentEncoder::default().validate(true).module(&module)?.encode()
}
