//! Running one migration, step by step, each step in the ledger.

use std::time::Instant;

use super::checksum::{Recorded, begins_alike};
use super::event::Event;
use super::history::{Action, Failure, Run};
use super::status::{MigrationStatus, Record, State};
use super::{Direction, Migration, Runner, Statement};
use crate::client::Client;
use crate::error::{Error, Result};

impl Direction {
    pub(super) fn statements(self, migration: &dyn Migration) -> Vec<Statement> {
        match self {
            Self::Up => migration.up(),
            Self::Down => migration.down(),
        }
    }
}

/// Runs one statement, and waits for the rewriting of data that it asks for.
pub(super) async fn execute(client: &Client, statement: &Statement) -> Result<()> {
    client.execute(client.query(&statement.sql).with_setting("mutations_sync", "1")).await
}

impl Runner {
    /// How many steps of `migration` an unfinished run has done that need not be done again.
    ///
    /// One of the other direction has undone some of it, and so may one whose statements have changed.
    pub(super) async fn steps_to_skip(
        &self,
        direction: Direction,
        statements: &[Statement],
        status: &MigrationStatus,
        record: Option<&Record>,
    ) -> Result<usize> {
        let Some(record) = record else { return Ok(0) };
        if status.state != State::Partial || status.direction != Some(direction) {
            return Ok(0);
        }
        let done = status.steps_done as usize;
        let goes_on = if record.last.checksum.is_some() {
            begins_alike(&self.ledger.sql_of(&record.last).await?, direction, statements, done)
        } else {
            status.steps as usize == statements.len() && done <= statements.len()
        };
        Ok(if goes_on { done } else { 0 })
    }

    /// Runs what is left of `migration`. `record` is what the history has of it.
    pub(super) async fn run_one(
        &self,
        direction: Direction,
        migration: &dyn Migration,
        status: &MigrationStatus,
        record: Option<&Record>,
    ) -> Result<()> {
        let statements = direction.statements(migration);
        let skip = self.steps_to_skip(direction, &statements, status, record).await?;
        let run = Run {
            name: migration.name(),
            action: if direction == Direction::Up { Action::Up } else { Action::Down },
            direction,
            started_at: self.ledger.time_after(record.map(|record| record.last.started_at)).await?,
            steps: count(statements.len()),
            recorded: &Recorded::of(migration),
        };
        let begun = Instant::now();
        self.ledger.record(&run, count(skip), None).await?;
        for (step, statement) in (1..).zip(&statements).skip(skip) {
            tracing::info!(migration = run.name, step, steps = run.steps, "{direction}: {}", statement.about);
            self.observer.tell(&Event::Step { about: statement.about, step, of: run.steps });
            if let Err(error) = execute(&self.client, statement).await {
                let failure = Failure {
                    error: error.to_string(),
                    statement: format!("{}: {}", statement.about, statement.sql.trim()),
                };
                // The server's refusal matters more than whether it could be noted down.
                if let Err(second) = self.ledger.record(&run, step - 1, Some(&failure)).await {
                    tracing::warn!(migration = run.name, "the failed step could not be recorded: {second}");
                }
                return Err(failed(&run, step, statement, error));
            }
            self.ledger.record(&run, step, None).await?;
        }
        self.observer.tell(&Event::Finished { migration: run.name.to_owned(), took: begun.elapsed() });
        Ok(())
    }
}

pub(super) fn count(length: usize) -> u32 {
    u32::try_from(length).unwrap_or(u32::MAX)
}

fn failed(run: &Run<'_>, step: u32, statement: &Statement, source: Error) -> Error {
    Error::Migration {
        migration: run.name.to_owned(),
        direction: run.direction,
        step,
        steps: run.steps,
        about: statement.about,
        source: Box::new(source),
    }
}
