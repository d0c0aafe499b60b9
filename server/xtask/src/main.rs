//! The project's own build steps, as `cargo run -p xtask -- COMMAND`.

mod codegen;
mod dist;
mod guests;
mod tidy;

use anyhow::{Result, bail};

const USAGE: &str = "usage: cargo run -p xtask -- COMMAND\n\
    \n  guests [--out DIR]   build the two guest interpreters (default: target/guests)\
    \n  dist DIR             lay what a package ships of them: precompiled, too\
    \n  codegen [--check]    write the extension's wire types, or fail where they are stale\
    \n  tidy                 check the layers and the layout of the sources";

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments.as_slice() {
        ["guests"] => guests::build(None),
        ["guests", "--out", folder] => guests::build(Some(folder.as_ref())),
        ["dist", folder] => dist::run(folder.as_ref()),
        ["codegen"] => codegen::run(),
        ["codegen", "--check"] => codegen::check(),
        ["tidy"] => tidy::run(),
        _ => bail!("{USAGE}"),
    }
}
