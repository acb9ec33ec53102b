//! The `archer` command.
//!
//! Every subcommand is a file in [`commands`]: it reads arguments, finds the servers, calls
//! `service`, `events`, `migration` or `dev`, and prints. What a command computes lives there, not
//! here. [`output`] prints for people and programs, [`progress`] shows a bar on long work, and
//! [`stores`] opens the databases that a command needs.
//!
//! Exit codes: 0 done, 1 failed, 2 wrong usage, 3 the answer is no.

pub mod commands;
pub mod output;
pub mod progress;
pub mod sending;
pub mod stores;

use std::io::IsTerminal as _;
use std::process::ExitCode;

use chrono::{DateTime, Utc};
use clap::{Parser, Subcommand};

use crate::commands::{
    demo, derived, digest, identity, import, ingest, inventory, migrate, package, purl, query, refresh,
    search, serve, version,
};
use crate::output::Outcome;

/// Packages, people and events: the data layer of Archer at the command line
#[derive(Debug, Parser)]
#[command(name = "archer", version, arg_required_else_help = true, max_term_width = 100)]
#[command(after_help = "Examples:\n  archer demo\n  archer dev up\n  archer migrate up\n  \
    archer import osv advisories.zip\n  archer digest --scope repo:acme/rocket --period week\n\n\
    Without a URL in a flag, the environment or .env, embedded servers are used: data under .archer/.")]
struct Arguments {
    /// Prints JSON for programs instead of text for people
    #[arg(long, global = true)]
    json: bool,

    /// Says what it does while doing it; twice for statements
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    verbose: u8,

    #[command(flatten)]
    urls: dev::endpoints::Overrides,

    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Shows the whole path on this machine's own data
    Demo(demo::Arguments),
    /// Starts, stops and describes the embedded servers
    #[command(subcommand)]
    Dev(dev::commands::DevCommand),
    /// Applies and reverts migrations
    Migrate(migrate::Arguments),
    /// Loads packages, advisories and lockfiles into ardb
    #[command(subcommand)]
    Import(import::Command),
    /// Loads events into ClickHouse
    #[command(subcommand)]
    Ingest(ingest::Command),
    /// Erases people, sets how long events are kept, prints the tables' definition
    #[command(subcommand)]
    Events(commands::events::Command),
    /// Asks about events
    #[command(subcommand)]
    Query(query::Command),
    /// Tells what happened in a scope during a period
    Digest(digest::Arguments),
    /// Shows what is known of a package
    #[command(subcommand)]
    Package(package::Command),
    /// Finds packages by words and by likeness of names
    Search(search::Arguments),
    /// Shows inventories, and what is known against them
    #[command(subcommand)]
    Inventory(inventory::Command),
    /// Makes, shows, changes and erases users
    #[command(subcommand)]
    User(identity::user::Command),
    /// Makes, shows and changes organizations and their members
    #[command(subcommand)]
    Org(identity::organization::Command),
    /// Makes, shows and changes teams of an organization
    #[command(subcommand)]
    Team(identity::team::Command),
    /// Makes, shows and revokes API tokens
    #[command(subcommand)]
    Token(identity::token::Command),
    /// Shows who did what to users, organizations and what is theirs
    #[command(subcommand)]
    Audit(identity::audit::Command),
    /// Shows what was erased here and is still to be elsewhere
    #[command(subcommand)]
    Erasure(identity::erasure::Command),
    /// Holds derived tables against what they follow from
    #[command(subcommand)]
    Derived(derived::Command),
    /// Holds package URLs against their specification
    #[command(subcommand)]
    Purl(purl::Command),
    /// Holds version numbers against each other and against ranges
    #[command(subcommand)]
    Version(version::Command),
    /// Brings the reports of analyticsdb up to date
    Refresh(refresh::Arguments),
    /// Serves HTTP: health, webhooks, queries
    Serve(serve::Arguments),
}

/// What every command is given beside its own arguments.
#[derive(Clone, Debug)]
pub struct Context {
    /// Whether to print for programs.
    pub json: bool,
    /// Where the databases are, as far as flags say.
    pub urls: dev::endpoints::Overrides,
    /// This program, for the servers that it starts as children.
    pub program: dev::program::Program,
}

/// The moment at which a command reads the clock, for all that it calls.
pub fn now() -> DateTime<Utc> {
    #[expect(clippy::disallowed_methods, reason = "a command is where time enters")]
    Utc::now()
}

/// Reads the command line, carries it out, and says how it went.
pub fn main() -> ExitCode {
    let arguments = Arguments::parse();
    log(arguments.verbose);
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let done = runtime.map_err(anyhow::Error::from).and_then(|runtime| runtime.block_on(run(arguments)));
    done.unwrap_or_else(|error| {
        if is_closed_pipe(&error) {
            return ExitCode::SUCCESS;
        }
        let label = output::paint(output::BAD, "error:");
        anstream::eprintln!("{label} {}", output::told(&error));
        ExitCode::FAILURE
    })
}

async fn run(arguments: Arguments) -> anyhow::Result<ExitCode> {
    let Arguments { json, urls, command, .. } = arguments;
    let context = Context { json, urls, program: dev::program::Program::current()? };
    let outcome: Outcome = match command {
        Command::Dev(command) => return Ok(dev::commands::run(command, json, &context.program).await?),
        Command::Demo(arguments) => demo::run(&context, arguments).await,
        Command::Migrate(arguments) => migrate::run(&context, arguments).await,
        Command::Import(command) => import::run(&context, command).await,
        Command::Ingest(command) => ingest::run(&context, command).await,
        Command::Events(command) => commands::events::run(&context, command).await,
        Command::Query(command) => query::run(&context, command).await,
        Command::Digest(arguments) => digest::run(&context, arguments).await,
        Command::Package(command) => package::run(&context, command).await,
        Command::Search(arguments) => search::run(&context, arguments).await,
        Command::Inventory(command) => inventory::run(&context, command).await,
        Command::User(command) => identity::user::run(&context, command).await,
        Command::Org(command) => identity::organization::run(&context, command).await,
        Command::Team(command) => identity::team::run(&context, command).await,
        Command::Token(command) => identity::token::run(&context, command).await,
        Command::Audit(command) => identity::audit::run(&context, command).await,
        Command::Erasure(command) => identity::erasure::run(&context, command).await,
        Command::Derived(command) => derived::run(&context, command).await,
        Command::Purl(command) => purl::run(&context, &command),
        Command::Version(command) => version::run(&context, &command),
        Command::Refresh(arguments) => refresh::run(&context, arguments).await,
        Command::Serve(arguments) => serve::run(&context, arguments).await,
    }?;
    Ok(outcome.into())
}

/// `RUST_LOG`, where it is set, says more exactly than `-v` what is logged to standard error.
fn log(verbose: u8) {
    let default = match verbose {
        0 => "warn",
        1 => "info",
        _ => "debug",
    };
    let filter = tracing_subscriber::EnvFilter::try_from_default_env()
        .unwrap_or_else(|_| tracing_subscriber::EnvFilter::new(default));
    let log =
        tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).with_target(false);
    log.with_ansi(std::io::stderr().is_terminal()).init();
}

/// `archer query … | head` is no failure.
fn is_closed_pipe(error: &anyhow::Error) -> bool {
    error.chain().any(|cause| {
        cause.downcast_ref::<std::io::Error>().is_some_and(|io| io.kind() == std::io::ErrorKind::BrokenPipe)
    })
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::Arguments;

    /// Longer lines are broken, and an example that is broken can't be pasted.
    fn too_long(command: &clap::Command) -> Vec<String> {
        let after = command.get_after_help().map(ToString::to_string).unwrap_or_default();
        let examples = after.lines().filter(|line| line.starts_with("  ") && line.chars().count() > 100);
        let own: Vec<String> = examples.map(|line| format!("{}: {line}", command.get_name())).collect();
        own.into_iter().chain(command.get_subcommands().flat_map(too_long)).collect()
    }

    #[test]
    fn every_example_of_the_help_can_be_pasted() {
        let mut command = Arguments::command();
        command.build();
        let too_long = too_long(&command);
        assert!(too_long.is_empty(), "{too_long:#?}");
    }
}
