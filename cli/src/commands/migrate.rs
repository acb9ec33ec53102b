//! `archer migrate`: every database, ClickHouse included, with one set of commands.

use clap::{Args, Subcommand, ValueEnum};
use dev::endpoints::Needs;
use migration_runner::Extent;
use serde::Serialize;

use crate::Context;
use crate::output::{self, BAD, FAINT, GOOD, Outcome, STRONG, WARN, paint};
use crate::stores::Stores;

/// What to do with the migrations.
#[derive(Clone, Debug, Subcommand)]
pub enum Command {
    /// Shows what is applied and what is pending; exit code 3 while anything is
    #[command(after_help = "Example:\n  archer migrate status --db ardb,events --json")]
    Status {
        /// Which databases
        #[command(flatten)]
        databases: Databases,
    },
    /// Applies what is pending: in PostgreSQL all of it in one transaction
    #[command(after_help = "Examples:\n  archer migrate up\n  archer migrate up --db ardb -n 1")]
    Up {
        /// Which databases
        #[command(flatten)]
        databases: Databases,
        /// At most this many for each database
        #[arg(short, long, value_name = "COUNT")]
        num: Option<u32>,
    },
    /// Reverts the migration applied last, or the last few
    #[command(after_help = "Example:\n  archer migrate down --db ardb -n 1")]
    Down {
        /// Which databases
        #[arg(long, value_enum, value_delimiter = ',', required = true)]
        db: Vec<Name>,
        /// How many for each database
        #[arg(short, long, value_name = "COUNT", default_value_t = 1)]
        num: u32,
    },
}

/// Which databases a command is for.
#[derive(Args, Clone, Debug)]
pub struct Databases {
    /// Which databases
    #[arg(long, value_enum, value_delimiter = ',', default_value = "all")]
    db: Vec<Name>,
}

/// A database as `--db` names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Name {
    /// Packages
    Ardb,
    /// People
    Identitydb,
    /// Reports
    Analyticsdb,
    /// ClickHouse
    Events,
    /// All four
    All,
}

/// What came of a command on one database.
#[derive(Debug, Serialize)]
struct Report {
    database: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    migrations: Option<Vec<Migration>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    applied: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reverted: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
}

#[derive(Debug, Serialize)]
struct Migration {
    name: String,
    state: serde_json::Value,
}

/// Carries out the command on each database in turn. One that fails keeps none of the others from
/// their turn, and the outcome is then [`Outcome::Failed`].
///
/// # Errors
///
/// When the servers can't be found, started or reached.
pub async fn run(context: &Context, command: Command) -> anyhow::Result<Outcome> {
    let (Command::Status { databases: Databases { db } }
    | Command::Up { databases: Databases { db }, .. }
    | Command::Down { db, .. }) = &command;
    let reports = Stores::with(context, needs(db), async |stores| {
        let mut reports = Vec::new();
        for (name, db) in stores.postgres() {
            let runner = migration::runner(name).expect("the open databases are the ones with migrations");
            let report = on_postgres(&command, &runner, db).await;
            reports.push(finish(name, report.map_err(Into::into)));
        }
        if let Ok(client) = stores.events() {
            reports.push(finish("events", on_clickhouse(&command, client).await.map_err(Into::into)));
        }
        Ok(reports)
    })
    .await?;
    if context.json {
        output::json(&reports)?;
    } else {
        output::text(reports.iter().map(describe).collect::<Vec<_>>().join("\n"))?;
    }
    Ok(outcome(&reports))
}

async fn on_postgres(
    command: &Command,
    runner: &migration_runner::Runner,
    db: &sea_orm::DatabaseConnection,
) -> migration_runner::Result<Report> {
    Ok(match command {
        Command::Status { .. } => {
            let known = runner.status(db).await?.migrations;
            Report::status(known.into_iter().map(|one| (one.name, serde_json::json!(one.state))))
        }
        Command::Up { num, .. } => {
            Report::applied(runner.up_by(db, &num.map_or(Extent::All, Extent::Count)).await?)
        }
        Command::Down { num, .. } => Report::reverted(runner.down(db, &Extent::Count(*num)).await?),
    })
}

async fn on_clickhouse(command: &Command, client: &events::Client) -> events::Result<Report> {
    Ok(match command {
        Command::Status { .. } => {
            let known = events::migration::status(client).await?.migrations;
            Report::status(known.into_iter().map(|one| (one.name, serde_json::json!(one.state))))
        }
        Command::Up { num, .. } => Report::applied(
            events::migration::up(client, &events::migration::Extent::at_most(*num)).await?.migrations,
        ),
        Command::Down { num, .. } => Report::reverted(
            events::migration::down(client, &events::migration::Extent::Count(*num)).await?.migrations,
        ),
    })
}

impl Report {
    const EMPTY: Self = Self { database: "", migrations: None, applied: None, reverted: None, error: None };

    fn status(migrations: impl Iterator<Item = (String, serde_json::Value)>) -> Self {
        let migrations = migrations.map(|(name, state)| Migration { name, state }).collect();
        Self { migrations: Some(migrations), ..Self::EMPTY }
    }

    fn applied(names: Vec<String>) -> Self {
        Self { applied: Some(names), ..Self::EMPTY }
    }

    fn reverted(names: Vec<String>) -> Self {
        Self { reverted: Some(names), ..Self::EMPTY }
    }
}

fn finish(database: &'static str, report: anyhow::Result<Report>) -> Report {
    match report {
        Ok(report) => Report { database, ..report },
        Err(error) => Report { database, error: Some(format!("{error:#}")), ..Report::EMPTY },
    }
}

fn needs(names: &[Name]) -> Needs {
    let any = |name| names.contains(&name) || names.contains(&Name::All);
    Needs {
        ardb: any(Name::Ardb),
        identitydb: any(Name::Identitydb),
        analyticsdb: any(Name::Analyticsdb),
        clickhouse: any(Name::Events),
    }
}

fn outcome(reports: &[Report]) -> Outcome {
    let unapplied = |migration: &Migration| migration.state == "pending" || migration.state == "partial";
    if reports.iter().any(|report| report.error.is_some()) {
        Outcome::Failed
    } else if reports.iter().flat_map(|report| report.migrations.iter().flatten()).any(unapplied) {
        Outcome::No
    } else {
        Outcome::Done
    }
}

fn describe(report: &Report) -> String {
    let mut lines = vec![paint(STRONG, report.database)];
    for migration in report.migrations.iter().flatten() {
        let state = migration.state.as_str().unwrap_or("?");
        let style = if state == "applied" { GOOD } else { WARN };
        lines.push(format!("  {}  {}", paint(style, format!("{state:<8}")), migration.name));
    }
    for (verb, names) in [("applied", &report.applied), ("reverted", &report.reverted)] {
        let Some(names) = names else { continue };
        lines.extend(names.iter().map(|name| format!("  {}  {name}", paint(GOOD, format!("{verb:<8}")))));
        if names.is_empty() {
            lines.push(format!("  {}", paint(FAINT, "nothing to do")));
        }
    }
    if let Some(error) = &report.error {
        lines.push(format!("  {}  {error}", paint(BAD, "failed  ")));
    }
    lines.join("\n")
}
