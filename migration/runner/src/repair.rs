//! Bringing the records back in line with what is: changed SQL, interrupted runs, schemas made by other means.

use sea_orm::DatabaseConnection;
use sea_orm::sqlx::raw_sql;
use sea_orm_migration::MigrationTrait;
use serde::Serialize;

use crate::catalog;
use crate::history::{Action, Subject};
use crate::lock::Lock;
use crate::run::is_transactional;
use crate::scratch::Scratch;
use crate::status::{Migration, State, Status};
use crate::{Direction, Error, Result, Runner, driver};

/// A migration whose SQL is no longer what it was applied from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Accepted {
    /// Its name.
    pub migration: String,
    /// The SQL then and now, as a unified diff.
    pub difference: String,
}

/// What came of a migration that was interrupted outside a transaction, by somebody who has looked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Settled {
    /// All of it is in the database.
    Applied,
    /// Nothing of it is.
    Pending,
}

impl Runner {
    /// The applied migrations whose SQL has changed since, in order; what [`Runner::repair`] would accept.
    ///
    /// # Errors
    ///
    /// As [`Runner::status`].
    pub async fn changes(&self, db: &DatabaseConnection) -> Result<Vec<Accepted>> {
        self.changes_in(db, &self.status(db).await?).await
    }

    async fn changes_in(&self, db: &DatabaseConnection, status: &Status) -> Result<Vec<Accepted>> {
        let mut changes = Vec::new();
        let known = self.migrations.iter().zip(&status.migrations);
        for (migration, _) in known.filter(|(_, known)| known.state == State::Changed) {
            let difference = self.difference(db, migration.as_ref()).await?;
            changes.push(Accepted { migration: migration.name().to_owned(), difference });
        }
        Ok(changes)
    }

    /// Accepts the SQL that applied migrations have now, and says what changed. Nothing of it is run.
    ///
    /// What was applied by plain `sea-orm-migration` has no checksum until it is accepted here; its difference is
    /// empty.
    ///
    /// Entries of the log that a killed program left open are closed as well. What an interrupted migration
    /// has left is for [`Runner::settle`].
    ///
    /// # Errors
    ///
    /// [`Error::Locked`] while somebody migrates, [`Error::Database`] if the log can't be written.
    pub async fn repair(&self, db: &DatabaseConnection) -> Result<Vec<Accepted>> {
        self.locked(db, async |_, lock| {
            let status = self.status(db).await?;
            let mut changes = self.changes_in(db, &status).await?;
            let applied = status.migrations.into_iter().filter(Migration::is_applied);
            let unrecorded = applied
                .filter(|one| one.state == State::Applied && one.checksum.is_none() && !one.depends_on_data);
            changes.extend(unrecorded.map(|one| Accepted { migration: one.name, difference: String::new() }));
            for change in &changes {
                let migration = &self.migrations[self.find(&change.migration)?];
                self.note(lock, Action::Repair, migration.as_ref()).await?;
            }
            Ok(changes)
        })
        .await
    }

    /// Says what came of the interrupted migration called `migration`, so that runs go on.
    ///
    /// # Errors
    ///
    /// [`Error::NoSuchMigration`]; [`Error::AlreadyApplied`] or [`Error::NotApplied`] if the migration is not
    /// interrupted; otherwise as [`Runner::repair`].
    pub async fn settle(&self, db: &DatabaseConnection, migration: &str, settled: Settled) -> Result<()> {
        let position = self.find(migration)?;
        self.locked(db, async |_, lock| {
            let known = &self.status(db).await?.migrations[position];
            let (database, migration) = (self.name.clone(), migration.to_owned());
            match (known.state, known.is_applied()) {
                (State::Interrupted, _) => {}
                (_, true) => return Err(Error::AlreadyApplied { database, migration }),
                (_, false) => return Err(Error::NotApplied { database, migration }),
            }
            let direction = match (settled, known.is_applied()) {
                (Settled::Applied, false) => Some(Direction::Up),
                (Settled::Pending, true) => Some(Direction::Down),
                _ => None,
            };
            if let Some(direction) = direction {
                let recorded = self.ledger.record(lock.connection(), direction, &known.name).await;
                recorded.map_err(|e| self.failed(driver::db_err(e)))?;
            }
            // What was completed by hand has its place in the order of application from now on.
            let action = if direction == Some(Direction::Up) { Action::Baseline } else { Action::Repair };
            self.note(lock, action, self.migrations[position].as_ref()).await
        })
        .await
    }

    /// Marks the migrations up to and including `to` as applied without running them, for a database whose
    /// schema was made by other means, and says which.
    ///
    /// Unless `unchecked`, they are run on a throwaway database first, and all that they build has to be in
    /// this one, and be equal.
    ///
    /// # Errors
    ///
    /// [`Error::NoSuchMigration`], [`Error::BaselineDiffers`], [`Error::Scratch`] where no throwaway database
    /// can be made, [`Error::Migration`] if a migration does not run there; otherwise as [`Runner::repair`].
    pub async fn baseline(&self, db: &DatabaseConnection, to: &str, unchecked: bool) -> Result<Vec<String>> {
        let end = self.find(to)?;
        if !unchecked {
            self.compare_baseline(db, end).await?;
        }
        self.locked(db, async |_, lock| {
            let status = self.status(db).await?;
            self.check_settled(&status, Direction::Up)?;
            let failed = |source| self.failed(driver::db_err(source));
            raw_sql("begin").execute(lock.connection()).await.map_err(failed)?;
            let mut marked = Vec::new();
            let known = self.migrations.iter().zip(&status.migrations).take(end + 1);
            for (migration, _) in known.filter(|(_, known)| !known.is_applied()) {
                let name = migration.name();
                self.ledger.record(lock.connection(), Direction::Up, name).await.map_err(failed)?;
                self.note(lock, Action::Baseline, migration.as_ref()).await?;
                marked.push(name.to_owned());
            }
            raw_sql("commit").execute(lock.connection()).await.map_err(failed)?;
            Ok(marked)
        })
        .await
    }

    async fn compare_baseline(&self, db: &DatabaseConnection, end: usize) -> Result<()> {
        let scratch = Scratch::create(db).await.map_err(|source| Error::from_scratch(&self.name, source))?;
        let built = self.build(&scratch, end).await;
        let dropped = scratch.drop().await.map_err(|e| self.failed(e));
        let built = built?;
        dropped?;
        let there = self.catalog(db).await?;
        let difference = built.lacking_in(&there);
        if difference.is_empty() {
            return Ok(());
        }
        Err(Error::BaselineDiffers {
            database: self.name.clone(),
            migration: self.migrations[end].name().to_owned(),
            difference,
        })
    }

    async fn build(&self, scratch: &Scratch, end: usize) -> Result<catalog::Catalog> {
        for migration in &self.migrations[..=end] {
            let applied = scratch.run(migration.as_ref(), Direction::Up).await;
            applied.map_err(|source| Error::Migration {
                database: self.name.clone(),
                migration: migration.name().to_owned(),
                direction: Direction::Up,
                source,
            })?;
        }
        self.catalog(scratch.db()).await
    }

    /// Writes an entry for something that is done with being written.
    async fn note(&self, lock: &mut Lock, action: Action, migration: &dyn MigrationTrait) -> Result<()> {
        let recorded = self.record_for_good(migration).await;
        let subject = Subject {
            migration: migration.name(),
            transactional: is_transactional(migration),
            recorded: &recorded,
        };
        let noted = async {
            let id = self.history.start(lock.connection(), action, &subject).await?;
            self.history.succeed(lock.connection(), &[id]).await
        };
        noted.await.map_err(|e| self.failed(driver::db_err(e)))
    }
}
