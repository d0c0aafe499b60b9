//! The command line as clap reads it. Names and meanings are the contract's; nothing here acts.

use clap::{Args, Parser, Subcommand, ValueEnum};
use model::import::SecretHandling;
use model::{Detail, Language};
use std::net::SocketAddr;
use std::path::PathBuf;

/// Runs programs over MCP servers in a WebAssembly sandbox, and counts the tokens that this saves.
#[derive(Debug, Parser)]
#[command(name = "tta", version, propagate_version = true, max_term_width = 110)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) common: Common,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// Flags of every command.
#[derive(Args, Clone, Debug, Default)]
pub(crate) struct Common {
    /// The workspace [default: the nearest parent with a configuration, else this folder]
    #[arg(long, global = true, value_name = "DIR")]
    pub(crate) workspace: Option<PathBuf>,
    /// One more configuration file of MCP servers; naming it trusts it
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// The deadline of a program
    #[arg(long, global = true, value_name = "MS", value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) timeout_ms: Option<u64>,
    /// The memory of a program
    #[arg(long, global = true, value_name = "MIB", value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) memory_mb: Option<u64>,
    /// Start the workspace's servers, although it was never trusted
    #[arg(long, global = true)]
    pub(crate) trust: bool,
    /// Print one JSON object to stdout, whatever happens
    #[arg(long, global = true)]
    pub(crate) json: bool,
    /// Say more on stderr; twice for everything
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    pub(crate) verbose: u8,
    /// Leave out the receipt and the notes
    #[arg(short, long, global = true)]
    pub(crate) quiet: bool,
    /// Where the ledger, the artifacts and the caches are kept [default: the platform's data folder]
    #[arg(long, global = true, value_name = "DIR", hide_short_help = true)]
    pub(crate) data_dir: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Run one program
    #[command(after_help = RUN_HELP)]
    Run(RunArgs),
    /// The tools that programs can call
    #[command(subcommand)]
    Tools(ToolsCommand),
    /// Call one tool directly
    Call(CallArgs),
    /// Every configured MCP server, and what is wrong with it
    Servers(ServersArgs),
    /// Measure what programs save, on given tasks
    #[command(subcommand)]
    Bench(BenchCommand),
    /// Take runs and calls out of the ledger, or into it
    #[command(subcommand)]
    Ledger(LedgerCommand),
    /// What programs saved, or cost, in a period: text, Markdown, CSV or JSON
    #[command(after_help = REPORT_HELP)]
    Report(ReportArgs),
    /// How the figures of a run came about: every turn of both sides, what was measured, computed and estimated, and why
    Explain(ExplainArgs),
    /// Check the installation: guests, limits, servers, trust
    Doctor,
    /// Serve the tools `run_code` and `search_tools` as an MCP server, over stdio unless --http is given
    Mcp(McpArgs),
    /// Serve the dashboard to a browser until Ctrl-C: what programs saved or lost, over time and run by run
    #[command(after_help = DASHBOARD_HELP)]
    Dashboard(DashboardArgs),
    /// The daemon as editors start it: LSP over stdio, and MCP over loopback HTTP
    Lsp,
}

#[derive(Debug, Subcommand)]
pub(crate) enum BenchCommand {
    /// Replay task sets without a model, as programs and by direct calls, and compare what both cost
    Tokens(BenchTokensArgs),
}

#[derive(Args, Debug)]
pub(crate) struct BenchTokensArgs {
    /// Task sets, a line of JSON for each task
    #[arg(required = true, value_name = "FILE")]
    pub(crate) suites: Vec<PathBuf>,
    /// The file from which the servers read what task is played
    #[arg(long, value_name = "FILE")]
    pub(crate) scenario: PathBuf,
    /// The first tasks of each set only
    #[arg(long, value_name = "N")]
    pub(crate) limit: Option<usize>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum LedgerCommand {
    /// Print runs with their calls: names, counts, sizes and times, no content
    Export {
        /// JSON lines, which `import` takes in again, or a CSV row for each run
        #[arg(long, value_enum, default_value = "jsonl")]
        format: LedgerFormat,
        /// Only from this day on, 2026-01-31, or of so many days, 30d
        #[arg(long, value_name = "WHEN")]
        since: Option<String>,
    },
    /// Take exported JSON lines in; runs that are there already are left as they are
    Import {
        /// The file
        #[arg(value_name = "FILE")]
        file: PathBuf,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum LedgerFormat {
    Jsonl,
    Csv,
}

#[derive(Args, Debug)]
pub(crate) struct ServersArgs {
    #[command(subcommand)]
    pub(crate) command: Option<ServersCommand>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum ServersCommand {
    /// Log in to a remote server: says the page to open, and waits until that is done
    Login {
        /// The server, by name or by identifier
        #[arg(value_name = "NAME")]
        server: String,
    },
    /// Forget the login to a remote server, and tell the server that gave it out, where it takes that
    Logout {
        /// The server, by name or by identifier
        #[arg(value_name = "NAME")]
        server: String,
    },
    /// Take servers over from other tools' files
    #[command(after_help = IMPORT_HELP)]
    Import(ImportArgs),
    /// Show the last that a server printed and said in log messages, in whatever window or terminal it ran last
    Log {
        /// The server, by name or by identifier
        #[arg(value_name = "NAME")]
        server: String,
    },
    /// See whether a server starts now, and take it out of quarantine for every window and terminal
    Restart {
        /// The server, by name or by identifier
        #[arg(value_name = "NAME")]
        server: String,
    },
}

const IMPORT_HELP: &str = "\
Looks into the files of claude, cursor, codex, gemini, windsurf and zed; `--from vscode` into the editor's own. Values that
look like secrets are not copied: `${input:…}` or `${env:…}` stands in their places, and which is said.";

#[derive(Args, Debug)]
pub(crate) struct ImportArgs {
    /// Only these servers [default: all]
    #[arg(value_name = "NAME")]
    pub(crate) names: Vec<String>,
    /// Only this tool's or this file's; can be given several times
    #[arg(long, value_name = "TOOL or FILE")]
    pub(crate) from: Vec<String>,
    /// The file to write [default: .vscode/mcp.json of the workspace]
    #[arg(long, value_name = "FILE")]
    pub(crate) to: Option<PathBuf>,
    /// Say what would be written, and write nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Replace servers that have the same name
    #[arg(long)]
    pub(crate) force: bool,
    /// What becomes of secrets [default: input where the file can ask, else env]
    #[arg(long, value_enum)]
    pub(crate) secrets: Option<SecretsArg>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum SecretsArg {
    /// The editor asks for them
    Input,
    /// Variables of the environment
    Env,
    /// Copied as they stand
    Copy,
}

impl From<SecretsArg> for SecretHandling {
    fn from(secrets: SecretsArg) -> Self {
        match secrets {
            SecretsArg::Input => Self::Input,
            SecretsArg::Env => Self::Env,
            SecretsArg::Copy => Self::Copy,
        }
    }
}

const REPORT_HELP: &str = "\
A moment is how long ago (7d, 12h, 2w, 1mo) or when (2026-11-28, 2026-11-28T14:00), in UTC; a period is counted in whole
hours. Dollars are estimated at the dated price of a model: a bundled one, or one of [prices.\"MODEL\"] in tta.toml.";

#[derive(Args, Debug, Default)]
pub(crate) struct ReportArgs {
    /// The period's begin [default: the oldest run]
    #[arg(long, value_name = "MOMENT", allow_hyphen_values = true)]
    pub(crate) since: Option<String>,
    /// The period's end [default: now]
    #[arg(long, value_name = "MOMENT", allow_hyphen_values = true)]
    pub(crate) until: Option<String>,
    /// Compare with the period of the same length before it
    #[arg(long)]
    pub(crate) compare: bool,
    /// One list of groups in place of the usual ones
    #[arg(long, value_enum, value_name = "WHAT")]
    pub(crate) by: Option<ByArg>,
    /// Dollars at this model's price [default: `model` of [ledger] in tta.toml, else gpt-6.1-sol]
    #[arg(long)]
    pub(crate) model: Option<String>,
    /// Only runs like this: server=, tool=, language=, status=, or KEY=VALUE of a tag; can be given several times
    #[arg(long, value_name = "WHAT=NAME")]
    pub(crate) only: Vec<String>,
    /// The format [default: the ending of the file, else text]
    #[arg(long, value_enum)]
    pub(crate) format: Option<FormatArg>,
    /// Write it to this file
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
    /// To hand on: no names of programs, runs, servers, tools or tags but those that --by asks for
    #[arg(long)]
    pub(crate) share: bool,
    /// Entries of each list
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub(crate) top: Option<u32>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum FormatArg {
    Text,
    #[value(alias = "markdown")]
    Md,
    Html,
    Csv,
    Json,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum ByArg {
    Server,
    Tool,
    Language,
    Front,
    Tag,
}

#[derive(Args, Debug)]
pub(crate) struct ExplainArgs {
    /// The run, as `tta report` lists it [default: the newest]
    #[arg(value_name = "RUN")]
    pub(crate) run: Option<String>,
    /// Dollars at this model's price [default: as in a report]
    #[arg(long)]
    pub(crate) model: Option<String>,
}

const RUN_HELP: &str = "\
Output: stdout carries the result alone: text as it is, everything else as JSON (indented on a terminal), nothing for
null. What the program prints goes to stderr, and the receipt after it.
Exit status: 0 ok, 1 the program failed, 2 wrong usage or configuration, 3 a limit ended it, 4 denied, 5 fault of the
daemon, 130 cancelled.";

#[derive(Args, Debug)]
pub(crate) struct RunArgs {
    /// The program; `-` reads it from stdin
    #[arg(value_name = "FILE", required_unless_present = "code", conflicts_with = "code")]
    pub(crate) file: Option<PathBuf>,
    /// The program itself
    #[arg(short = 'e', long = "code", value_name = "CODE")]
    pub(crate) code: Option<String>,
    /// Its language, where the file's ending does not tell [default: guessed, and said]
    #[arg(long, value_enum)]
    pub(crate) lang: Option<Lang>,
    /// What the program sees as `tta.inputs`: JSON, or @FILE
    #[arg(long, value_name = "JSON")]
    pub(crate) input: Option<String>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum ToolsCommand {
    /// The tools that fit a task, best first
    Search {
        /// What you want to do, in words
        #[arg(required = true, value_name = "QUERY")]
        query: Vec<String>,
        #[command(flatten)]
        shape: Shape,
    },
    /// Every tool
    List {
        #[command(flatten)]
        shape: Shape,
    },
    /// The stub of one tool
    Show {
        /// SERVER.TOOL, by name or by identifier
        #[arg(value_name = "SERVER.TOOL")]
        tool: String,
        /// The language of the stub
        #[arg(long, value_enum)]
        lang: Option<Lang>,
    },
}

/// Which tools, and how much of each.
#[derive(Args, Debug)]
pub(crate) struct Shape {
    /// Only this server's
    #[arg(long)]
    pub(crate) server: Option<String>,
    /// How much of each
    #[arg(long, value_enum, default_value = "name")]
    pub(crate) detail: DetailArg,
    /// The language of the stubs
    #[arg(long, value_enum)]
    pub(crate) lang: Option<Lang>,
    /// At most this many
    #[arg(long, value_name = "N")]
    pub(crate) limit: Option<usize>,
}

#[derive(Args, Debug)]
pub(crate) struct CallArgs {
    /// The server, by name or by identifier
    pub(crate) server: String,
    /// The tool, by name or by identifier
    pub(crate) tool: String,
    /// Its arguments: a JSON object, or @FILE
    #[arg(value_name = "JSON")]
    pub(crate) arguments: Option<String>,
}

#[derive(Args, Debug)]
pub(crate) struct McpArgs {
    /// Serve streamable HTTP at /mcp on this loopback address; port 0 picks a free one. URL and token are said on stderr
    #[arg(long, value_name = "ADDR")]
    pub(crate) http: Option<SocketAddr>,
    /// Ask no bearer token: every process and user of this machine may then run programs. `TTA_HTTP_TOKEN` sets a token
    #[arg(long, requires = "http")]
    pub(crate) insecure_no_token: bool,
}

const DASHBOARD_HELP: &str = "\
The address on stdout holds the key of the page: who has it can look at figures, names and times until the command ends, and
run nothing. No content of any call is shown.";

#[derive(Args, Debug)]
pub(crate) struct DashboardArgs {
    /// The loopback address; port 0 picks a free one. `TTA_HTTP_TOKEN` sets the key
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:0")]
    pub(crate) http: SocketAddr,
    /// Open it in the browser
    #[arg(long)]
    pub(crate) open: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Lang {
    #[value(alias = "py")]
    Python,
    #[value(alias = "ts")]
    Typescript,
    #[value(alias = "js")]
    Javascript,
}

impl From<Lang> for Language {
    fn from(lang: Lang) -> Self {
        match lang {
            Lang::Python => Self::Python,
            Lang::Typescript => Self::TypeScript,
            Lang::Javascript => Self::JavaScript,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum DetailArg {
    Name,
    Signature,
    Full,
}

impl From<DetailArg> for Detail {
    fn from(detail: DetailArg) -> Self {
        match detail {
            DetailArg::Name => Self::Name,
            DetailArg::Signature => Self::Signature,
            DetailArg::Full => Self::Full,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory as _;

    #[test]
    fn the_command_line_is_well_formed() {
        Cli::command().debug_assert();
    }

    #[test]
    fn command_lines_are_read_or_refused() {
        for (line, read) in [
            ("run x.py", true),
            ("run - --lang ts", true),
            ("run -e 1+1 --json --timeout-ms 5", true),
            ("--json --workspace /w run x.py", true),
            ("run", false),
            ("run x.py -e 1", false),
            ("run x.py --timeout-ms 0", false),
            ("run x.py --lang cobol", false),
            ("tools search read a file --limit 3", true),
            ("tools search", false),
            ("tools show fs.read --lang js", true),
            ("tools", false),
            ("call fs read {}", true),
            ("call fs", false),
            ("servers --json", true),
            ("servers restart fs --json", true),
            ("servers restart", false),
            ("servers log fs --json", true),
            ("servers login gh", true),
            ("servers logout gh --json", true),
            ("servers login", false),
            ("servers import", true),
            (
                "servers import a b --from claude --from x.json --to .mcp.json --dry-run --force --secrets env --json",
                true,
            ),
            ("servers import --secrets steal", false),
            ("servers mend", false),
            ("bench tokens a.jsonl b.jsonl --scenario s.json --limit 5 --json", true),
            ("bench tokens --scenario s.json", false),
            ("bench tokens a.jsonl", false),
            ("ledger export --format csv --since 30d", true),
            ("ledger import x.jsonl --json", true),
            ("ledger import", false),
            ("ledger export --format xml", false),
            ("report", true),
            (
                "report --since 7d --compare --by tool --model m --only server=fs --only team=a -o x.md --share --top 5",
                true,
            ),
            ("report --format pdf", false),
            ("report --top 0", false),
            ("explain", true),
            ("explain 0190 --json", true),
            ("doctor -vv", true),
            ("mcp", true),
            ("mcp --http 127.0.0.1:0 --insecure-no-token", true),
            ("mcp --insecure-no-token", false),
            ("mcp --http localhost", false),
            ("dashboard", true),
            ("dashboard --http 127.0.0.1:7001 --open --json", true),
            ("dashboard --http everywhere", false),
            ("lsp", true),
            ("frobnicate", false),
        ] {
            let parsed = Cli::try_parse_from(std::iter::once("tta").chain(line.split(' ')));
            assert_eq!(parsed.is_ok(), read, "tta {line}: {parsed:?}");
        }
    }
}
