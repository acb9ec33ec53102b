//! The command line that `sea-orm-cli migrate` expects of a migration crate.
//!
//! `sea-orm-cli` builds the crate and runs it with a subcommand, `-n` where a number was given, and
//! the URL in `DATABASE_URL`. [`Args`] reads that, [`run`] carries it out on every target in turn:
//! forwards when something is applied, backwards when something is reverted. A target that fails
//! keeps none of the others from their turn.

use std::fmt::Write as _;
use std::io::{BufRead, IsTerminal, Write as _};
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use sea_orm::{ConnectOptions, Database, DatabaseConnection};

use crate::{Error, Extent, Result, Runner, Status};

/// What `sea-orm-cli migrate` passes on.
#[derive(Debug, Parser)]
#[command(version, about = "Applies and reverts migrations", arg_required_else_help = true)]
#[command(
    after_help = "Examples:\n  sea-orm-cli migrate status\n  sea-orm-cli migrate up -n 1\n  sea-orm-cli migrate down\n\n\
    `fresh` and `reset` ask for the names of the databases; MIGRATION_YES=1 answers for a script. \
    `refresh` asks nobody, and loses all data as they do."
)]
pub struct Args {
    /// Says more
    #[arg(short, long, global = true)]
    pub verbose: bool,

    /// Schema to work in, first on the search path
    #[arg(short = 's', long, global = true, env = "DATABASE_SCHEMA")]
    pub database_schema: Option<String>,

    /// Where the database is
    #[arg(short = 'u', long, global = true, env = "DATABASE_URL", hide_env_values = true)]
    pub database_url: Option<String>,

    /// What to do
    #[command(subcommand)]
    pub command: Command,
}

/// The subcommands of `sea-orm-cli migrate` that need a database.
#[derive(Clone, Copy, Debug, Subcommand)]
pub enum Command {
    /// Shows what is applied and what is pending
    Status,
    /// Applies what is pending, in one transaction
    Up {
        /// At most this many
        #[arg(short, long)]
        num: Option<u32>,
    },
    /// Reverts the last applied migration, or the last `num`
    Down {
        /// How many
        #[arg(short, long, default_value_t = 1)]
        num: u32,
    },
    /// Reverts every migration, then applies all of them: loses all data, asks nobody
    Refresh,
    /// Reverts every migration
    Reset,
    /// Drops everything in the schema, then applies every migration
    Fresh,
}

/// A database and its migrations.
pub struct Target {
    /// The migrations.
    pub runner: Runner,
    /// `postgres://user:password@host:port/database`; several targets may share one.
    pub url: String,
}

/// Carries out the command on every target; what it did goes to standard output, errors to standard
/// error. The exit code is 1 when any target failed.
pub async fn run(args: &Args, mut targets: Vec<Target>) -> ExitCode {
    if matches!(args.command, Command::Reset | Command::Fresh)
        && let Err(refusal) = confirm(&targets)
    {
        eprintln!("{refusal}");
        return ExitCode::FAILURE;
    }
    if matches!(args.command, Command::Down { .. } | Command::Reset) {
        targets.reverse();
    }
    let mut code = ExitCode::SUCCESS;
    let mut failed = |error: Error| {
        eprintln!("{error}");
        code = ExitCode::FAILURE;
    };
    // Databases that share a URL are emptied together, before any of them is migrated again.
    if matches!(args.command, Command::Refresh | Command::Fresh) {
        let mut dropped: Vec<&str> = Vec::new();
        for target in targets.iter().rev() {
            let undone = match args.command {
                Command::Fresh if dropped.contains(&target.url.as_str()) => Ok(()),
                Command::Fresh => drop_everything(target, args).await,
                _ => revert_all(target, args).await,
            };
            dropped.push(&target.url);
            undone.unwrap_or_else(&mut failed);
        }
    }
    for target in &targets {
        match execute(target, args).await {
            Ok(report) => print!("{report}"),
            Err(error) => failed(error),
        }
    }
    code
}

async fn execute(target: &Target, args: &Args) -> Result<String> {
    let db = connect(target, args).await?;
    let runner = &target.runner;
    let report = match args.command {
        Command::Status => describe(&runner.status(&db).await?),
        Command::Up { num } => {
            list(runner, "applied", &runner.up_by(&db, &num.map_or(Extent::All, Extent::Count)).await?)
        }
        Command::Refresh | Command::Fresh => list(runner, "applied", &runner.up(&db).await?),
        Command::Down { num } => list(runner, "reverted", &runner.down(&db, &Extent::Count(num)).await?),
        Command::Reset => list(runner, "reverted", &runner.down(&db, &Extent::All).await?),
    };
    close(runner, db).await?;
    Ok(report)
}

async fn revert_all(target: &Target, args: &Args) -> Result<()> {
    let db = connect(target, args).await?;
    print!("{}", list(&target.runner, "reverted", &target.runner.down(&db, &Extent::All).await?));
    close(&target.runner, db).await
}

async fn drop_everything(target: &Target, args: &Args) -> Result<()> {
    let db = connect(target, args).await?;
    target.runner.drop_everything(&db).await?;
    println!("{}: dropped everything in the schema", target.runner.name());
    close(&target.runner, db).await
}

async fn connect(target: &Target, args: &Args) -> Result<DatabaseConnection> {
    let mut options = ConnectOptions::new(target.url.as_str());
    options.max_connections(2).sqlx_logging(args.verbose);
    if let Some(schema) = &args.database_schema {
        options.set_schema_search_path(schema.as_str());
    }
    Database::connect(options)
        .await
        .map_err(|source| Error::Database { database: target.runner.name().to_owned(), source })
}

async fn close(runner: &Runner, db: DatabaseConnection) -> Result<()> {
    db.close().await.map_err(|source| Error::Database { database: runner.name().to_owned(), source })
}

/// Where a database stands, a line for each migration.
pub fn describe(status: &Status) -> String {
    let mut text = format!("{}\n", status.database);
    for migration in &status.migrations {
        let state = migration.state.as_str();
        let _ = writeln!(text, "  {state}  {}", migration.name);
    }
    text
}

fn list(runner: &Runner, verb: &str, names: &[String]) -> String {
    if names.is_empty() {
        return format!("{}: nothing to do\n", runner.name());
    }
    names.iter().map(|name| format!("{}: {verb} {name}\n", runner.name())).collect()
}

/// Asks for the names of the databases on a terminal; elsewhere takes MIGRATION_YES=1 for an answer.
fn confirm(targets: &[Target]) -> std::result::Result<(), String> {
    if std::env::var_os("MIGRATION_YES").is_some_and(|answer| answer == "1") {
        return Ok(());
    }
    let expected = targets.iter().map(|target| target.runner.name()).collect::<Vec<_>>().join(" ");
    if !std::io::stdin().is_terminal() {
        return Err(format!(
            "this deletes the data of {expected}; set MIGRATION_YES=1 to do it without being asked"
        ));
    }
    eprint!("This deletes the data of {expected}. Type that to go on: ");
    let _ = std::io::stderr().flush();
    let mut answer = String::new();
    let read = std::io::stdin().lock().read_line(&mut answer);
    if read.is_ok() && answer.trim() == expected { Ok(()) } else { Err("nothing was changed".to_owned()) }
}
