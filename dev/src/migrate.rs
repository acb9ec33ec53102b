//! The program that `sea-orm-cli migrate` runs: it finds the databases, embedded ones where nothing is
//! configured, and hands them to `migration-runner`.

use std::ffi::OsString;
use std::process::ExitCode;

use clap::Parser;
use migration_runner::Runner;
use migration_runner::cli::{self, Args, Target};

use crate::commands::{self, DevCommand};
use crate::endpoints::{self, Needs, Store};
use crate::error::Result;
use crate::program::Program;

/// The first argument with which this program starts itself again, to become an embedded server.
const DEV: &str = "dev";

/// `dev host …`, as [`Program`] puts it.
#[derive(Parser)]
struct Inner {
    #[command(subcommand)]
    command: DevCommand,
}

/// Reads the command line and carries it out on the databases of `runners`, whose names are those of
/// stores. Errors are printed.
pub async fn main(runners: Vec<Runner>) -> ExitCode {
    let arguments: Vec<OsString> = std::env::args_os().collect();
    let done = if arguments.get(1).is_some_and(|first| first == DEV) {
        become_server(arguments).await
    } else {
        migrate(runners).await
    };
    done.unwrap_or_else(|error| {
        eprintln!("error: {error}");
        ExitCode::FAILURE
    })
}

async fn become_server(mut arguments: Vec<OsString>) -> Result<ExitCode> {
    arguments.remove(1);
    commands::run(Inner::parse_from(arguments).command, false, &Program::current()?).await
}

async fn migrate(runners: Vec<Runner>) -> Result<ExitCode> {
    let args = Args::parse();
    if !args.command.needs_database() {
        return Ok(cli::run(&args, Vec::new()).await);
    }
    let stores: Vec<Store> = Store::ALL
        .into_iter()
        .filter(|store| runners.iter().any(|runner| runner.name() == store.database()))
        .collect();
    let overrides = endpoints::of_sea_orm_cli(args.database_url.clone(), &stores)?;
    let resolved = endpoints::resolve(&overrides, Needs::of(&stores), &Program::current()?).await?;
    let url = |runner: &Runner| {
        let store = stores.iter().find(|store| store.database() == runner.name())?;
        resolved.endpoints.owner(*store).map(|url| url.expose().to_owned())
    };
    let targets =
        runners.into_iter().filter_map(|runner| Some(Target { url: url(&runner)?, runner })).collect();
    let code = cli::run(&args, targets).await;
    resolved.finish().await?;
    Ok(code)
}
