//! Putting the history right by hand: accepting changed SQL, settling a partial run, and marking what is there.

use serde::Serialize;

use super::catalog;
use super::checksum::Recorded;
use super::history::{Action, Run};
use super::run::count;
use super::runner::Change;
use super::scratch::Scratch;
use super::status::{Record, Standing, State};
use super::verify::{apply, names_database};
use super::{Direction, Extent, Migration, Runner};
use crate::client::Client;
use crate::error::{Error, Result};

/// A migration whose SQL was accepted as it is now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Accepted {
    /// Its name.
    pub migration: String,
    /// From what was recorded to what is there now, as a unified diff; `None` if nothing had been recorded.
    pub difference: Option<String>,
}

impl Runner {
    /// The applied migrations whose SQL is another now, in order, and those that none was recorded of; what
    /// [`Runner::repair`] would accept.
    ///
    /// # Errors
    ///
    /// As [`Runner::status`].
    pub async fn changes(&self) -> Result<Vec<Accepted>> {
        self.changes_in(&self.standing().await?).await
    }

    async fn changes_in(&self, standing: &Standing) -> Result<Vec<Accepted>> {
        let mut changes = Vec::new();
        for (migration, status) in self.migrations.iter().zip(&standing.status.migrations) {
            let record = standing.records.get(&status.name);
            let difference = self.change_of(migration.as_ref(), status, record).await?;
            let is_unrecorded = status.applied && status.checksum.is_none();
            if difference.is_some() || is_unrecorded {
                changes.push(Accepted { migration: status.name.clone(), difference });
            }
        }
        Ok(changes)
    }

    /// Accepts the SQL of applied migrations as it is now, where it has changed or was never recorded, and says
    /// where. Runs none of it.
    ///
    /// # Errors
    ///
    /// [`Error::Server`] or [`Error::Unreachable`] if the ledger cannot be read or written.
    pub async fn repair(&self) -> Result<Vec<Accepted>> {
        let standing = self.standing().await?;
        let changes = self.changes_in(&standing).await?;
        for change in &changes {
            let migration = self.migrations[self.position(&change.migration)?].as_ref();
            let record = standing.records.get(&change.migration);
            self.mark(migration, Action::Repair, Direction::Up, record).await?;
        }
        Ok(changes)
    }

    /// Marks the partial migration `name` as applied: what was left to do was done by hand.
    ///
    /// # Errors
    ///
    /// [`Error::NoSuchMigration`], [`Error::NotPartial`], and as [`Runner::repair`].
    pub async fn applied(&self, name: &str) -> Result<()> {
        self.settle(name, Direction::Up).await
    }

    /// Marks the partial migration `name` as reverted: what it left behind was taken away by hand.
    ///
    /// # Errors
    ///
    /// As [`Runner::applied`].
    pub async fn reverted(&self, name: &str) -> Result<()> {
        self.settle(name, Direction::Down).await
    }

    async fn settle(&self, name: &str, direction: Direction) -> Result<()> {
        let position = self.position(name)?;
        let standing = self.standing().await?;
        let state = standing.status.migrations[position].state;
        if state != State::Partial {
            return Err(Error::NotPartial { migration: name.to_owned(), state });
        }
        self.mark(self.migrations[position].as_ref(), Action::Repair, direction, standing.records.get(name))
            .await
    }

    /// Marks what is pending as applied, as far as `extent` says, without running it, and says what it marked.
    ///
    /// Before, it applies those and the migrations that are applied to a throwaway database on the same server:
    /// the schema has to be the same as that of this one.
    ///
    /// # Errors
    ///
    /// [`Error::BaselineDiffers`] if it is not, [`Error::NamesDatabase`] if that can't be tried, [`Error::Partial`]
    /// if one of them was begun, and what [`Runner::up`] refuses before anything is done.
    pub async fn baseline(&self, extent: &Extent) -> Result<Change> {
        self.mark_pending(extent, true).await
    }

    /// [`Runner::baseline`] without looking at the schema.
    ///
    /// # Errors
    ///
    /// As [`Runner::baseline`], but for [`Error::BaselineDiffers`] and [`Error::NamesDatabase`].
    pub async fn baseline_unchecked(&self, extent: &Extent) -> Result<Change> {
        self.mark_pending(extent, false).await
    }

    async fn mark_pending(&self, extent: &Extent, is_checked: bool) -> Result<Change> {
        let standing = self.standing().await?;
        let todo = self.todo(&standing, Direction::Up, extent).await?;
        if let Some(partial) = todo.iter().find(|one| one.status.state == State::Partial) {
            return Err(Error::Partial { migration: partial.status.name.clone() });
        }
        let names: Vec<String> = todo.iter().map(|one| one.status.name.clone()).collect();
        if let (Some(to), true) = (names.last(), is_checked) {
            let statuses = self.migrations.iter().zip(&standing.status.migrations);
            let expected = statuses.filter(|(_, status)| status.applied || names.contains(&status.name));
            let expected: Vec<_> = expected.map(|(migration, _)| migration.as_ref()).collect();
            for migration in &expected {
                if let Some(about) = names_database(*migration) {
                    return Err(Error::NamesDatabase { migration: migration.name().to_owned(), about });
                }
            }
            let scratch = Scratch::create(&self.client).await?;
            let difference = difference_from(scratch.client(), &expected, &self.client).await;
            let dropped = scratch.drop().await;
            let difference = difference?;
            dropped?;
            if !difference.is_empty() {
                return Err(Error::BaselineDiffers { to: to.clone(), difference });
            }
        }
        for one in &todo {
            self.mark(one.migration, Action::Baseline, Direction::Up, one.record).await?;
        }
        Ok(Change { direction: Direction::Up, migrations: names })
    }

    /// Records a run in `direction` that has come to its end.
    async fn mark(
        &self,
        migration: &dyn Migration,
        action: Action,
        direction: Direction,
        record: Option<&Record>,
    ) -> Result<()> {
        self.ledger.create().await?;
        let run = Run {
            name: migration.name(),
            action,
            direction,
            started_at: self.ledger.time_after(record.map(|record| record.last.started_at)).await?,
            steps: count(direction.statements(migration).len()),
            recorded: &Recorded::of(migration),
        };
        self.ledger.record(&run, run.steps, None).await
    }
}

/// How the schema of `client` differs from what `migrations` make of the empty database `scratch`.
async fn difference_from(
    scratch: &Client,
    migrations: &[&dyn Migration],
    client: &Client,
) -> Result<Vec<String>> {
    for migration in migrations {
        apply(scratch, Direction::Up, *migration).await?;
    }
    Ok(catalog::snapshot(scratch).await?.difference(&catalog::snapshot(client).await?))
}
