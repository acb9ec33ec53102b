//! What is applied, what is pending, up and down.

use std::time::Duration;

use sea_orm::{ConnectionTrait, DatabaseConnection, DatabaseTransaction, DbBackend, DbErr, TransactionTrait};
use sea_orm_migration::{MigrationTrait, MigratorTrait, SchemaManager};
use serde::Serialize;

use crate::catalog::{self, Catalog};
use crate::ledger::{Entry, Ledger};
use crate::lock::Lock;
use crate::{Error, Result};

/// The migrations of one database, and how to apply and revert them.
pub struct Runner {
    name: String,
    ledger: Ledger,
    migrations: Vec<Box<dyn MigrationTrait>>,
    patience: Duration,
}

/// Whether a migration is in the database.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// Applied, and known to this program.
    Applied,
    /// Known to this program, not applied yet.
    Pending,
    /// Applied by another release; this program does not know it.
    Unknown,
}

/// One migration as [`Runner::status`] reports it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Migration {
    /// `mYYYYMMDD_HHMMSS_<change>`.
    pub name: String,
    /// Where it stands.
    pub state: State,
    /// Seconds since 1970 (UTC); `None` while pending.
    pub applied_at: Option<i64>,
}

/// Where a database stands: its migrations in the order of the migrator, unknown ones at the end.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Status {
    /// The runner's name for the database.
    pub database: String,
    /// Every migration that the program or the ledger knows.
    pub migrations: Vec<Migration>,
}

impl Status {
    /// Whether anything is left to apply.
    pub fn is_pending(&self) -> bool {
        self.migrations.iter().any(|migration| migration.state == State::Pending)
    }

    fn first(&self, state: State) -> Option<&Migration> {
        self.migrations.iter().find(|migration| migration.state == state)
    }

    /// Refuses a database whose history this program's migrations do not continue.
    fn check(&self) -> Result<()> {
        let Some(pending) = self.first(State::Pending) else { return Ok(()) };
        let database = self.database.clone();
        if let Some(unknown) = self.first(State::Unknown) {
            return Err(Error::Diverged {
                database,
                unknown: unknown.name.clone(),
                pending: pending.name.clone(),
            });
        }
        let last_applied = self.migrations.iter().rposition(|migration| migration.state == State::Applied);
        let first_pending = self.migrations.iter().position(|migration| migration.state == State::Pending);
        match (last_applied, first_pending) {
            (Some(applied), Some(late)) if late < applied => Err(Error::OutOfOrder {
                database,
                late: self.migrations[late].name.clone(),
                applied: self.migrations[applied].name.clone(),
            }),
            _ => Ok(()),
        }
    }
}

impl Runner {
    /// The migrations of `M`, whose database is called `name` in messages.
    pub fn new<M: MigratorTrait>(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            ledger: Ledger::new(M::migration_table_name().inner().into_owned()),
            migrations: M::migrations(),
            patience: Duration::from_secs(300),
        }
    }

    /// Waits at most `patience` for somebody else's migration to end; five minutes unless told.
    #[must_use]
    pub fn patience(mut self, patience: Duration) -> Self {
        self.patience = patience;
        self
    }

    /// The name of the database in messages.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The name of the table that records what is applied.
    pub fn ledger(&self) -> &str {
        self.ledger.name()
    }

    /// Where the database stands. Two statements, neither of which changes anything.
    ///
    /// # Errors
    ///
    /// [`Error::Database`] if the ledger can't be read, [`Error::NoSchema`] if the connection has none,
    /// [`Error::Backend`] off PostgreSQL.
    pub async fn status(&self, db: &DatabaseConnection) -> Result<Status> {
        let backend = db.get_database_backend();
        if backend != DbBackend::Postgres {
            return Err(Error::Backend { database: self.name.clone(), backend });
        }
        match self.ledger.read(db).await.map_err(|source| self.database_error(source))? {
            Some(applied) => Ok(self.compare(&applied)),
            None => Err(Error::NoSchema { database: self.name.clone() }),
        }
    }

    /// Applies what is pending, at most `steps` of it, and says what it applied, in order.
    ///
    /// All of it runs in one transaction under the migration lock, so it is applied as a whole or not
    /// at all. A migration that opts out (`use_transaction() == Some(false)`) ends the transaction
    /// before it and stands alone. When nothing is pending no lock is taken.
    ///
    /// # Errors
    ///
    /// [`Error::Migration`] from the migration that failed, [`Error::Locked`] when the deadline
    /// passed, [`Error::OutOfOrder`] and [`Error::Diverged`] before anything is changed.
    pub async fn up(&self, db: &DatabaseConnection, steps: Option<u32>) -> Result<Vec<String>> {
        let status = self.status(db).await?;
        if !status.is_pending() {
            return Ok(Vec::new());
        }
        status.check()?;
        self.locked(db, async || {
            let status = self.status(db).await?;
            status.check()?;
            let limit = steps.map_or(usize::MAX, |steps| usize::try_from(steps).unwrap_or(usize::MAX));
            let pending: Vec<&dyn MigrationTrait> = self
                .migrations
                .iter()
                .zip(&status.migrations)
                .filter(|(_, known)| known.state == State::Pending)
                .map(|(migration, _)| migration.as_ref())
                .take(limit)
                .collect();
            self.run(db, Direction::Up, &pending).await
        })
        .await
    }

    /// Reverts the last `steps` applied migrations, newest first, and says which, in order.
    ///
    /// The order is that of application; where the ledger's seconds are equal, that of the migrator.
    /// Transactions and the lock are as for [`Runner::up`].
    ///
    /// # Errors
    ///
    /// [`Error::Unknown`] if one of them is not known to this program, before anything is changed;
    /// otherwise as [`Runner::up`].
    pub async fn down(&self, db: &DatabaseConnection, steps: u32) -> Result<Vec<String>> {
        self.locked(db, async || {
            let applied = self.status(db).await?.migrations;
            let mut applied: Vec<_> =
                applied.iter().enumerate().filter(|(_, known)| known.state != State::Pending).collect();
            applied.sort_by_key(|(position, known)| (known.applied_at, *position));
            let mut reverted = Vec::new();
            for (position, known) in
                applied.into_iter().rev().take(usize::try_from(steps).unwrap_or(usize::MAX))
            {
                let migration = self.migrations.get(position).ok_or_else(|| Error::Unknown {
                    database: self.name.clone(),
                    migration: known.name.clone(),
                })?;
                reverted.push(migration.as_ref());
            }
            self.run(db, Direction::Down, &reverted).await
        })
        .await
    }

    /// Everything the connection's schema holds beside this runner's ledger.
    ///
    /// # Errors
    ///
    /// [`Error::Database`] if the catalog can't be read.
    pub async fn catalog(&self, db: &impl ConnectionTrait) -> Result<Catalog> {
        catalog::snapshot(db, &[self.ledger()]).await.map_err(|source| self.database_error(source))
    }

    /// Drops every object of the connection's schema, whoever made it, members of extensions excepted, in
    /// one transaction.
    ///
    /// # Errors
    ///
    /// [`Error::Locked`] while somebody migrates, [`Error::Database`] if something can't be dropped.
    pub(crate) async fn drop_everything(&self, db: &DatabaseConnection) -> Result<()> {
        self.locked(db, async || {
            let failed = |source| self.database_error(source);
            let txn = db.begin().await.map_err(failed)?;
            txn.execute_unprepared(include_str!("drop_everything.sql")).await.map_err(failed)?;
            txn.commit().await.map_err(failed)
        })
        .await
    }

    async fn locked<T>(&self, db: &DatabaseConnection, work: impl AsyncFnOnce() -> Result<T>) -> Result<T> {
        let lock = Lock::acquire(db, &self.name, self.ledger(), self.patience).await?;
        let done = work().await;
        lock.release().await;
        done
    }

    /// Runs `migrations` in `direction`, in one transaction as far as they allow it.
    async fn run(
        &self,
        db: &DatabaseConnection,
        direction: Direction,
        migrations: &[&dyn MigrationTrait],
    ) -> Result<Vec<String>> {
        let begin = async || db.begin().await.map_err(|source| self.database_error(source));
        let commit =
            async |txn: DatabaseTransaction| txn.commit().await.map_err(|source| self.database_error(source));
        let mut done = Vec::new();
        let mut txn = begin().await?;
        self.ledger.create(&txn).await.map_err(|source| self.database_error(source))?;
        for migration in migrations {
            if migration.use_transaction() == Some(false) {
                commit(txn).await?;
                self.step(&SchemaManager::new(db), direction, *migration).await?;
                self.record(db, direction, migration.name()).await?;
                txn = begin().await?;
            } else {
                self.step(&SchemaManager::new(&txn), direction, *migration).await?;
                self.record(&txn, direction, migration.name()).await?;
            }
            done.push(migration.name().to_owned());
        }
        commit(txn).await?;
        Ok(done)
    }

    async fn step(
        &self,
        manager: &SchemaManager<'_>,
        direction: Direction,
        migration: &dyn MigrationTrait,
    ) -> Result<()> {
        tracing::info!(
            database = self.name,
            migration = migration.name(),
            direction = direction.as_str(),
            "migrating"
        );
        let outcome = match direction {
            Direction::Up => migration.up(manager).await,
            Direction::Down => migration.down(manager).await,
        };
        outcome.map_err(|source| Error::Migration {
            database: self.name.clone(),
            migration: migration.name().to_owned(),
            direction: direction.as_str(),
            source,
        })
    }

    async fn record(&self, db: &impl ConnectionTrait, direction: Direction, version: &str) -> Result<()> {
        let recorded = match direction {
            Direction::Up => self.ledger.insert(db, version).await,
            Direction::Down => self.ledger.delete(db, version).await,
        };
        recorded.map_err(|source| self.database_error(source))
    }

    fn compare(&self, applied: &[Entry]) -> Status {
        let applied_at =
            |name: &str| applied.iter().find(|entry| entry.version == name).map(|entry| entry.applied_at);
        let known = self.migrations.iter().map(|migration| {
            let applied_at = applied_at(migration.name());
            let state = if applied_at.is_some() { State::Applied } else { State::Pending };
            Migration { name: migration.name().to_owned(), state, applied_at }
        });
        let unknown = applied
            .iter()
            .filter(|entry| self.migrations.iter().all(|migration| migration.name() != entry.version))
            .map(|entry| Migration {
                name: entry.version.clone(),
                state: State::Unknown,
                applied_at: Some(entry.applied_at),
            });
        Status { database: self.name.clone(), migrations: known.chain(unknown).collect() }
    }

    fn database_error(&self, source: DbErr) -> Error {
        Error::Database { database: self.name.clone(), source }
    }
}

#[derive(Clone, Copy, Debug)]
enum Direction {
    Up,
    Down,
}

impl Direction {
    fn as_str(self) -> &'static str {
        match self {
            Self::Up => "up",
            Self::Down => "down",
        }
    }
}
