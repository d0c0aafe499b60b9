//! `tta`: reads the command line, starts a daemon in this process, and hands over to one command.
//!
//! stdout carries results only; everything else goes to stderr. The exit code is the contract's.

mod args;
mod bench;
mod dashboard;
mod elicit;
mod failure;
mod import;
mod ledger;
mod login;
mod output;
mod program;
mod progress;
mod receipt;
mod report;
mod run;
mod serve;
mod session;
mod status;
mod tools;

use args::{BenchCommand, Cli, Command, ServersCommand};
use clap::Parser as _;
use failure::{Failure, Outcome};
use std::process::ExitCode;

fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(e) => return output::misread(&e).into(),
    };
    session::init_logging(cli.common.verbose);
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(e) => {
            return output::failure(&Failure::fault(format!("no runtime: {e}")), cli.common.json).into();
        }
    };
    let json = cli.common.json;
    let code = runtime.block_on(dispatch(cli)).unwrap_or_else(|failure| output::failure(&failure, json));
    // A thread may still block on stdin; the daemon has already ended.
    runtime.shutdown_background();
    code.into()
}

async fn dispatch(Cli { common, command }: Cli) -> Outcome {
    match command {
        Command::Run(args) => Ok(run::run(&args, &common).await),
        Command::Tools(command) => tools::tools(command, &common).await,
        Command::Call(args) => tools::call(args, &common).await,
        Command::Servers(args) => match args.command {
            None => status::servers(&common).await,
            Some(ServersCommand::Import(args)) => import::import(args, &common).await,
            Some(ServersCommand::Login { server }) => login::login(&server, &common).await,
            Some(ServersCommand::Logout { server }) => login::logout(&server, &common).await,
            Some(ServersCommand::Log { server }) => status::log(&server, &common).await,
            Some(ServersCommand::Restart { server }) => status::restart(&server, &common).await,
        },
        Command::Bench(BenchCommand::Tokens(args)) => bench::tokens(args, &common).await,
        Command::Ledger(command) => ledger::ledger(command, &common).await,
        Command::Report(args) => report::report(&args, &common).await,
        Command::Explain(args) => report::explain(args, &common).await,
        Command::Doctor => status::doctor(&common).await,
        Command::Mcp(args) => serve::mcp(&args, &common).await,
        Command::Dashboard(args) => dashboard::dashboard(&args, &common).await,
        Command::Lsp => serve::lsp(&common).await,
    }
}
