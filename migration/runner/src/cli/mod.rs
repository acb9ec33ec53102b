//! The command line of a migration crate, which is also what `sea-orm-cli migrate` expects.
//!
//! `sea-orm-cli` builds the crate and runs it with a subcommand, `-n` where a number was given, and the URL in
//! `DATABASE_URL`. [`Args`] reads that, [`run`] carries it out on every target and prints what came of it:
//!
//! ```no_run
//! # mod migration_shop {
//! #     pub struct Migrator;
//! #     impl sea_orm_migration::MigratorTrait for Migrator {
//! #         fn migrations() -> Vec<Box<dyn sea_orm_migration::MigrationTrait>> { Vec::new() }
//! #     }
//! # }
//! use migration_runner::{Runner, cli};
//!
//! # async fn example() -> std::process::ExitCode {
//! cli::main(Runner::new::<migration_shop::Migrator>("shop")).await
//! # }
//! ```
//!
//! A program for several databases, or one that finds their URLs elsewhere, reads [`Args`] and calls [`run`]. One with a command line of its own embeds [`Command`] and calls [`confirm_loss`], [`confirm_changes`]
//! and [`carry_out`] itself.

mod args;
mod confirm;
mod execute;
mod new;
mod progress;
mod report;

use std::ffi::OsString;
use std::io::Write as _;
use std::process::ExitCode;
use std::time::Duration;

use clap::Parser as _;
use futures_util::future::join_all;
use sea_orm::sqlx::{Connection as _, PgConnection};
use sea_orm::{ConnectOptions, Database, DatabaseConnection, DbErr};

pub use args::{Args, Baseline, Command, Down, History, New, Plan, Repair, Up, Yes};
pub use confirm::{Refusal, Stake, confirm_changes, confirm_loss, refuse_production, stake};
pub use execute::{carry_out, carry_out_in_one};
pub use new::{add, added_to};
pub use progress::describe;
pub use report::{BAD, FAINT, GOOD, Report, Row, WARN, differences, how_long, nothing, paint, rows, when};

use crate::{Error, Result, Runner, driver};

/// A server that is there answers sooner.
const CONNECTING: Duration = Duration::from_secs(10);

/// A database and its migrations.
pub struct Target {
    /// The migrations.
    pub runner: Runner,
    /// `postgres://user:password@host:port/database`; several targets may share one.
    pub url: String,
}

/// The whole program of one set of migrations: reads the command line and `DATABASE_URL`, and carries it out.
pub async fn main(runner: Runner) -> ExitCode {
    main_from(std::env::args_os(), runner).await
}

/// [`main`] with arguments from elsewhere; the first is the program's name.
pub async fn main_from<I, T>(arguments: I, runner: Runner) -> ExitCode
where
    I: IntoIterator<Item = T>,
    T: Into<OsString> + Clone,
{
    let args = Args::parse_from(arguments);
    let url = match args.database_url.clone() {
        Some(url) => url,
        None if !args.command.needs_database() => String::new(),
        None => {
            eprintln!(
                "error: where is the database? Set DATABASE_URL, or give it with -u postgres://user@host/database"
            );
            return ExitCode::from(2);
        }
    };
    run(&args, vec![Target { runner, url }]).await
}

/// Carries out the command on every target, those of different URLs at the same time. What it did goes to
/// standard output, errors and questions to standard error.
///
/// The exit code is 1 when any target failed, else 3 when `verify` or a dry `repair` has found something.
/// `status` with something pending is 0, because `sea-orm-cli` takes everything else for a failure.
pub async fn run(args: &Args, targets: Vec<Target>) -> ExitCode {
    let command = &args.command;
    if let Command::New(new) = command {
        #[expect(clippy::disallowed_methods, reason = "a command is where time enters")]
        return print(args, &[add(new, chrono::Utc::now())]);
    }
    let prepare = |runner| {
        let runner = command.prepare(runner);
        if args.json { runner } else { progress::in_lines(runner, command.name()) }
    };
    let targets: Vec<Target> =
        targets.into_iter().map(|Target { runner, url }| Target { runner: prepare(runner), url }).collect();
    let connections = join_all(targets.iter().map(|target| connect(target, args))).await;
    let reports = match confirm(command, &targets, &connections).await {
        Ok(()) => carry_out_on_all(command, &targets, &connections).await,
        Err(refusal) => targets.iter().map(|target| Report::failed(target.runner.name(), &refusal)).collect(),
    };
    for db in connections.into_iter().flatten() {
        if let Err(error) = db.close().await {
            tracing::warn!(%error, "a pool of connections did not close cleanly");
        }
    }
    print(args, &reports)
}

async fn connect(target: &Target, args: &Args) -> Result<DatabaseConnection> {
    let failed = |source| Error::Database { database: target.runner.name().to_owned(), source };
    // SeaORM would show the whole of it, password included; and a pool would try for long, and say only that it did.
    if !target.url.starts_with("postgres://") && !target.url.starts_with("postgresql://") {
        let form = "the URL is none of PostgreSQL: `postgres://user:password@host:5432/database`";
        return Err(failed(DbErr::Custom(form.to_owned())));
    }
    let first = tokio::time::timeout(CONNECTING, PgConnection::connect(&target.url)).await;
    let first = first.map_err(|_| failed(DbErr::Custom(format!("no answer within {CONNECTING:?}"))))?;
    let first = first.map_err(|source| failed(driver::db_err(source)))?;
    first.close().await.map_err(|source| failed(driver::db_err(source)))?;
    let mut options = ConnectOptions::new(target.url.as_str());
    options.max_connections(2).sqlx_logging(args.verbose);
    if let Some(schema) = &args.database_schema {
        options.set_schema_search_path(schema.as_str());
    }
    Database::connect(options).await.map_err(failed)
}

async fn confirm(
    command: &Command,
    targets: &[Target],
    connections: &[Result<DatabaseConnection>],
) -> Result<(), Refusal> {
    let open =
        targets.iter().zip(connections).filter_map(|(target, db)| Some((&target.runner, db.as_ref().ok()?)));
    refuse_production(command, open.clone()).await?;
    if command.is_answered() {
        return Ok(());
    }
    if let Command::Repair(repair) = command {
        if repair.dry_run || repair.applied.is_some() || repair.pending.is_some() {
            return Ok(());
        }
        let changes = open.map(async |(runner, db)| {
            (runner.name().to_owned(), runner.changes(db).await.unwrap_or_default())
        });
        return confirm_changes(&join_all(changes).await, false);
    }
    let stakes = join_all(open.map(|(runner, db)| stake(runner, db, command))).await;
    confirm_loss(&stakes.into_iter().flatten().collect::<Vec<_>>(), false)
}

/// Targets that share a URL take turns; the others do not wait for each other.
async fn carry_out_on_all(
    command: &Command,
    targets: &[Target],
    connections: &[Result<DatabaseConnection>],
) -> Vec<Report> {
    let mut groups: Vec<Vec<usize>> = Vec::new();
    for (at, target) in targets.iter().enumerate() {
        match groups.iter_mut().find(|group| targets[group[0]].url == target.url) {
            Some(group) => group.push(at),
            None => groups.push(vec![at]),
        }
    }
    let done = groups.iter().map(async |group| {
        let open: Vec<_> =
            group.iter().filter_map(|&at| Some((at, connections[at].as_ref().ok()?))).collect();
        let pairs: Vec<_> = open.iter().map(|&(at, db)| (&targets[at].runner, db)).collect();
        let reports = carry_out_in_one(&pairs, command).await;
        open.into_iter().map(|(at, _)| at).zip(reports).collect::<Vec<_>>()
    });
    let mut done: Vec<_> = join_all(done).await.into_iter().flatten().collect();
    for (at, connection) in connections.iter().enumerate() {
        if let Err(error) = connection {
            done.push((at, Report::failed(targets[at].runner.name(), error)));
        }
    }
    done.sort_by_key(|(at, _)| *at);
    done.into_iter().map(|(_, report)| report).collect()
}

/// A reader that has gone away is no reason to fail.
fn print(args: &Args, reports: &[Report]) -> ExitCode {
    if args.json {
        let text = serde_json::to_string_pretty(reports).expect("a report is plain data");
        let _ = writeln!(std::io::stdout().lock(), "{text}");
    } else {
        let mut out = anstream::stdout().lock();
        for report in reports {
            let _ = write!(out, "{report}");
        }
    }
    let mut said: Vec<&str> = Vec::new();
    for error in reports.iter().filter_map(|report| report.error.as_deref()) {
        if !said.contains(&error) {
            anstream::eprintln!("{} {error}", paint(BAD, "error:"));
            said.push(error);
        }
    }
    let is_no = reports.iter().any(|report| report.is_no) && !matches!(args.command, Command::Status);
    match (said.is_empty(), is_no) {
        (false, _) => ExitCode::FAILURE,
        (true, true) => ExitCode::from(3),
        (true, false) => ExitCode::SUCCESS,
    }
}
