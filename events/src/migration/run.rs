//! Running migrations, step by step, each step in the ledger.

use serde::Serialize;

use super::ledger::{self, MigrationStatus, Run, State, Status};
use super::{Direction, Migration, Statement, all};
use crate::client::Client;
use crate::error::{Error, Result};

/// What a run of [`up`] or [`down`] did.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Change {
    /// Which way.
    pub direction: Direction,
    /// The migrations that it ran, in the order in which it did.
    pub migrations: Vec<String>,
}

/// Says which migrations are applied. Changes nothing, and needs no ledger to be there.
///
/// # Errors
///
/// [`Error::Server`] or [`Error::Unreachable`] if the ledger cannot be read.
pub async fn status(client: &Client) -> Result<Status> {
    status_of(client, &all()).await
}

/// Applies at most `steps` migrations that are not applied, oldest first; all of them if `None`.
///
/// Several starters at once are safe. Nothing is done, and said to be done, if nothing is pending.
///
/// # Errors
///
/// [`Error::Migration`] with the failed step; the ledger has how far it got, and the next `up` goes on there.
pub async fn up(client: &Client, steps: Option<u32>) -> Result<Change> {
    up_of(client, &all(), steps).await
}

/// Takes back the last `steps` migrations, newest first. Their data is lost.
///
/// Nothing is done if none is applied.
///
/// # Errors
///
/// [`Error::Migration`] with the failed step; the next `down` goes on there.
pub async fn down(client: &Client, steps: u32) -> Result<Change> {
    down_of(client, &all(), steps).await
}

/// [`status`] of a list of migrations other than [`all`].
///
/// # Errors
///
/// As [`status`].
pub async fn status_of(client: &Client, migrations: &[Box<dyn Migration>]) -> Result<Status> {
    ledger::read(client, migrations).await
}

/// [`up`] with a list of migrations other than [`all`].
///
/// # Errors
///
/// As [`up`].
pub async fn up_of(client: &Client, migrations: &[Box<dyn Migration>], steps: Option<u32>) -> Result<Change> {
    ledger::create(client).await?;
    let status = ledger::read(client, migrations).await?;
    let pending = migrations.iter().zip(&status.migrations).filter(|(_, status)| !status.applied);
    run_all(client, Direction::Up, pending, steps.unwrap_or(u32::MAX)).await
}

/// [`down`] with a list of migrations other than [`all`].
///
/// # Errors
///
/// As [`down`].
pub async fn down_of(client: &Client, migrations: &[Box<dyn Migration>], steps: u32) -> Result<Change> {
    let status = ledger::read(client, migrations).await?;
    let applied =
        migrations.iter().zip(&status.migrations).rev().filter(|(_, status)| status.state != State::Pending);
    run_all(client, Direction::Down, applied, steps).await
}

async fn run_all<'a>(
    client: &Client,
    direction: Direction,
    migrations: impl Iterator<Item = (&'a Box<dyn Migration>, &'a MigrationStatus)>,
    limit: u32,
) -> Result<Change> {
    let mut done = Vec::new();
    for (migration, status) in migrations.take(limit as usize) {
        run_one(client, direction, migration.as_ref(), status).await?;
        done.push(migration.name().to_owned());
    }
    Ok(Change { direction, migrations: done })
}

async fn run_one(
    client: &Client,
    direction: Direction,
    migration: &dyn Migration,
    status: &MigrationStatus,
) -> Result<()> {
    let statements = match direction {
        Direction::Up => migration.up(),
        Direction::Down => migration.down(),
    };
    let steps = u32::try_from(statements.len()).unwrap_or(u32::MAX);
    // Going on where a run of the same direction stopped; one of the other direction has undone some of it,
    // and a changed number of steps means a changed file.
    let goes_on =
        status.state == State::Partial && status.direction == Some(direction) && status.steps == steps;
    let skip = if goes_on { status.steps_done.min(steps) } else { 0 };
    let started_at = ledger::server_time(client).await?;
    let run = Run { name: migration.name(), direction, started_at, steps };

    ledger::record(client, &run, skip, None).await?;
    for (step, statement) in (1..).zip(&statements).skip(skip as usize) {
        tracing::info!(migration = run.name, step, steps, "{direction}: {}", statement.about);
        if let Err(error) = client.execute(client.query(&statement.sql)).await {
            // The server's refusal matters more than whether it could be noted down.
            if let Err(second) = ledger::record(client, &run, step - 1, Some(&error.to_string())).await {
                tracing::warn!(migration = run.name, "the failed step could not be recorded: {second}");
            }
            return Err(failed(&run, step, statement, error));
        }
        ledger::record(client, &run, step, None).await?;
    }
    Ok(())
}

fn failed(run: &Run, step: u32, statement: &Statement, source: Error) -> Error {
    Error::Migration {
        migration: run.name.to_owned(),
        direction: run.direction,
        step,
        steps: run.steps,
        about: statement.about,
        source: Box::new(source),
    }
}
