//! The migrations of one database: what is applied, what is pending, up and down.

use std::collections::HashMap;
use std::time::Duration;

use sea_orm::{ConnectionTrait, DatabaseConnection, DbErr, TransactionTrait};
use sea_orm_migration::{MigrationTrait, MigratorTrait};

use crate::capture::{self, Recorded};
use crate::catalog::{self, Catalog};
use crate::driver;
use crate::event::{Event, Observer};
use crate::history::{History, HistoryEntry};
use crate::ledger::Ledger;
use crate::lock::{Lock, Request};
use crate::run::Run;
use crate::session::{Session, Timeouts};
use crate::{Claims, Direction, Error, Result};

/// How far to go, up or down.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Extent {
    /// Everything that is pending, or everything that is applied.
    All,
    /// At most this many.
    Count(u32),
    /// Up: this migration and those before it. Down: what was applied after it; it stays.
    To(String),
}

/// What one migration would send, as [`Runner::dry_run`] tells it.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct DryRun {
    /// The migration's name.
    pub name: String,
    /// Its SQL, a text for each call.
    pub statements: Vec<String>,
    /// Whether the SQL depends on what the database holds, so that what is shown may be less than what is sent.
    pub depends_on_data: bool,
    /// Whether it runs in the transaction of its run.
    pub transactional: bool,
}

/// The migrations of one database, and how to apply and revert them.
pub struct Runner {
    pub(crate) name: String,
    pub(crate) ledger: Ledger,
    pub(crate) history: History,
    pub(crate) migrations: Vec<Box<dyn MigrationTrait>>,
    pub(crate) claims: HashMap<String, Claims>,
    pub(crate) patience: Duration,
    pub(crate) timeouts: Timeouts,
    pub(crate) alone: Timeouts,
    pub(crate) observer: Observer,
    pub(crate) allow_late: bool,
}

impl Runner {
    /// The migrations of `M`, which are called `name` in messages and in the log.
    ///
    /// Several migrators may share a ledger, each by its own name.
    pub fn new<M: MigratorTrait>(name: &str) -> Self {
        let ledger = Ledger::new(M::migration_table_name().inner().into_owned());
        Self {
            name: name.to_owned(),
            history: History::new(ledger.name(), name),
            ledger,
            migrations: M::migrations(),
            claims: HashMap::new(),
            patience: Duration::from_secs(300),
            timeouts: Timeouts { lock: Duration::from_secs(5), statement: Duration::from_secs(900) },
            alone: Timeouts { lock: Duration::from_secs(600), statement: Duration::ZERO },
            observer: Observer::default(),
            allow_late: false,
        }
    }

    /// Waits at most `patience` for somebody else's migration to end, and as long for locks on tables, in
    /// several attempts; five minutes unless told.
    #[must_use]
    pub fn patience(mut self, patience: Duration) -> Self {
        self.patience = patience;
        self
    }

    /// Lets a statement wait at most `timeout` for a lock, because everybody who comes after it waits as well;
    /// then everything is undone and tried again later. Five seconds unless told; zero is without end.
    #[must_use]
    pub fn lock_timeout(mut self, timeout: Duration) -> Self {
        self.timeouts.lock = timeout;
        self
    }

    /// Lets a statement run at most `timeout`; fifteen minutes unless told, zero is without end.
    #[must_use]
    pub fn statement_timeout(mut self, timeout: Duration) -> Self {
        self.timeouts.statement = timeout;
        self
    }

    /// The two timeouts for migrations that opt out of transactions, as those that build an index
    /// concurrently do: ten minutes for locks and no end for a statement unless told.
    #[must_use]
    pub fn timeouts_outside_transactions(mut self, lock: Duration, statement: Duration) -> Self {
        self.alone = Timeouts { lock, statement };
        self
    }

    /// Applies migrations also where one that comes before an applied one was added late, or where the
    /// database has migrations that this program does not know.
    #[must_use]
    pub fn allow_late(mut self, allow: bool) -> Self {
        self.allow_late = allow;
        self
    }

    /// What the log calls the program: its name and version. The name of its file unless told.
    #[must_use]
    pub fn program(mut self, program: impl Into<String>) -> Self {
        self.history.set_program(program.into());
        self
    }

    /// Ties `claims` to the migration called `migration`.
    #[must_use]
    pub fn claim(mut self, migration: &str, claims: Claims) -> Self {
        self.claims.insert(migration.to_owned(), claims);
        self
    }

    /// Tells `tell` what happens during a run.
    #[must_use]
    pub fn observe(mut self, tell: impl Fn(&Event) + Send + Sync + 'static) -> Self {
        self.observer = Observer::new(tell);
        self
    }

    /// The name in messages.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The name of the table that records what is applied.
    pub fn ledger(&self) -> &str {
        self.ledger.name()
    }

    /// The name of the table that records every run.
    pub fn log(&self) -> &str {
        self.history.name()
    }

    /// The latest `limit` entries of the log, newest first; none where there is no log yet.
    ///
    /// # Errors
    ///
    /// [`Error::Database`] if the log can't be read.
    pub async fn history(&self, db: &DatabaseConnection, limit: u64) -> Result<Vec<HistoryEntry>> {
        let exists = catalog::has_table(db, self.log()).await.map_err(|e| self.failed(e))?;
        if !exists {
            return Ok(Vec::new());
        }
        let own = self.migrations.iter().map(|migration| migration.name().to_owned()).collect();
        self.history.read(db, limit, own).await.map_err(|e| self.failed(e))
    }

    /// Applies everything that is pending and says what it applied, in order. What a service calls before it
    /// listens.
    ///
    /// All of it runs in one transaction under the migration lock, so it is applied as a whole or not
    /// at all. A migration that opts out (`use_transaction() == Some(false)`) ends the transaction
    /// before it and stands alone. When nothing is pending no lock is taken and two statements are sent.
    ///
    /// # Errors
    ///
    /// [`Error::Migration`] from the migration that failed, [`Error::Locked`] when the deadline
    /// passed, [`Error::CommitUnknown`] when the connection was lost at the very end; [`Error::OutOfOrder`],
    /// [`Error::Diverged`], [`Error::Changed`], [`Error::Interrupted`] and [`Error::Pooled`] before anything is
    /// changed.
    pub async fn up(&self, db: &DatabaseConnection) -> Result<Vec<String>> {
        self.up_by(db, &Extent::All).await
    }

    /// [`Runner::up`], as far as `extent` goes.
    ///
    /// # Errors
    ///
    /// As [`Runner::up`]; [`Error::NoSuchMigration`] for a target that the migrator does not have.
    pub async fn up_by(&self, db: &DatabaseConnection, extent: &Extent) -> Result<Vec<String>> {
        let status = self.status(db).await?;
        self.check(db, &status).await?;
        if self.to_apply(&status, extent)?.is_empty() && !status.is_abandoned {
            return Ok(Vec::new());
        }
        self.locked(db, async |session, lock| {
            let mut status = self.status(db).await?;
            loop {
                self.check(db, &status).await?;
                let steps = self.to_apply(&status, extent)?;
                match Run::new(self, session, lock, Direction::Up).all(&steps).await {
                    // By a plain sea-orm-migration: what is left to do is another question now.
                    Err(Error::Overtaken { .. }) => {
                        let before = std::mem::replace(&mut status, self.status(db).await?);
                        if before == status {
                            return Err(Error::Overtaken { database: self.name.clone() });
                        }
                    }
                    done => return done,
                }
            }
        })
        .await
    }

    /// Reverts what was applied last, as far as `extent` goes, newest first, and says what it reverted.
    ///
    /// The order is that of application, whatever the names. Transactions and the lock are as for
    /// [`Runner::up`].
    ///
    /// # Errors
    ///
    /// [`Error::Changed`] if one of them is not what was applied, [`Error::Unknown`] if one is not known to this
    /// program and [`Error::Production`] for more than one where that is refused, before anything is changed;
    /// [`Error::NotApplied`] for a target that is not applied; otherwise as [`Runner::up`].
    pub async fn down(&self, db: &DatabaseConnection, extent: &Extent) -> Result<Vec<String>> {
        let status = self.status(db).await?;
        if self.to_revert(&status, extent)?.is_empty() {
            return Ok(Vec::new());
        }
        self.locked(db, async |session, lock| {
            let status = self.status(db).await?;
            self.check_settled(&status, Direction::Down)?;
            let steps = self.to_revert(&status, extent)?;
            for step in &steps {
                self.check_unchanged(db, &status, step.migration).await?;
            }
            if steps.len() > 1 {
                self.refuse_production(db, "reverting more than one migration").await?;
            }
            Run::new(self, session, lock, Direction::Down).all(&steps).await
        })
        .await
    }

    /// What [`Runner::up_by`] or [`Runner::down`] would send. Nothing is executed.
    ///
    /// # Errors
    ///
    /// Those with which [`Runner::up_by`] or [`Runner::down`] would refuse to begin.
    pub async fn dry_run(
        &self,
        db: &DatabaseConnection,
        direction: Direction,
        extent: &Extent,
    ) -> Result<Vec<DryRun>> {
        let status = self.status(db).await?;
        let steps = match direction {
            Direction::Up => {
                self.check(db, &status).await?;
                self.to_apply(&status, extent)?
            }
            Direction::Down => {
                self.check_settled(&status, Direction::Down)?;
                self.to_revert(&status, extent)?
            }
        };
        let mut runs = Vec::new();
        for step in steps {
            let captured = capture::capture(step.migration, direction).await;
            runs.push(DryRun {
                name: step.migration.name().to_owned(),
                statements: captured.statements,
                depends_on_data: captured.depends_on_data || step.claims.is_dependent_on_data(),
                transactional: step.is_transactional(),
            });
        }
        Ok(runs)
    }

    /// Everything the connection's schema holds beside this runner's ledger and log.
    ///
    /// # Errors
    ///
    /// [`Error::Database`] if the catalog can't be read.
    pub async fn catalog(&self, db: &impl ConnectionTrait) -> Result<Catalog> {
        catalog::snapshot(db, &[self.ledger(), self.log()]).await.map_err(|e| self.failed(e))
    }

    /// Drops every object of the connection's schema, whoever made it, members of extensions excepted, in
    /// one transaction. `others` are the runners whose migrations may go with it.
    ///
    /// # Errors
    ///
    /// [`Error::Shared`] if somebody else's migrations are there, [`Error::Locked`] while somebody migrates,
    /// [`Error::Production`] where that is refused, [`Error::Database`] if something can't be dropped.
    pub async fn drop_everything(&self, db: &DatabaseConnection, others: &[&Self]) -> Result<()> {
        self.refuse_production(db, "dropping everything").await?;
        let mut ledgers = catalog::ledgers(db).await.map_err(|e| self.failed(e))?;
        ledgers
            .retain(|ledger| ledger != self.ledger() && others.iter().all(|other| ledger != other.ledger()));
        if !ledgers.is_empty() {
            return Err(Error::Shared { database: self.name.clone(), ledgers });
        }
        let session = self.session(db).await?;
        let lock = self.lock(db, &session).await?;
        let work = session.pool(&format!("migrations of {}", self.name), self.timeouts);
        let dropped = async {
            let txn = work.begin().await?;
            txn.execute_unprepared(include_str!("drop_everything.sql")).await?;
            txn.commit().await?;
            work.close().await
        };
        let dropped = dropped.await.map_err(|e| self.failed(e));
        lock.release().await;
        dropped
    }

    /// Whether the database is marked as production.
    ///
    /// The mark is a setting of the database, `alter database shop set migration_runner.production = 'on'`,
    /// read from the catalog, so that no session can set it aside.
    ///
    /// # Errors
    ///
    /// [`Error::Database`] if the catalog can't be read.
    pub async fn is_production(&self, db: &DatabaseConnection) -> Result<bool> {
        catalog::is_production(db).await.map_err(|e| self.failed(e))
    }

    async fn refuse_production(&self, db: &DatabaseConnection, what: &'static str) -> Result<()> {
        if self.is_production(db).await? {
            return Err(Error::Production { database: self.name.clone(), what });
        }
        Ok(())
    }

    pub(crate) async fn session(&self, db: &DatabaseConnection) -> Result<Session> {
        Session::of(db).await.map_err(|e| self.failed(e))
    }

    async fn lock(&self, db: &DatabaseConnection, session: &Session) -> Result<Lock> {
        let request = Request {
            database: &self.name,
            ledger: self.ledger(),
            patience: self.patience,
            observer: &self.observer,
        };
        Lock::acquire(db, session, &request).await
    }

    /// Does `work` under the lock, with ledger and log in place and no entry of a killed program left open.
    pub(crate) async fn locked<T>(
        &self,
        db: &DatabaseConnection,
        work: impl AsyncFnOnce(&Session, &mut Lock) -> Result<T>,
    ) -> Result<T> {
        let session = self.session(db).await?;
        let mut lock = self.lock(db, &session).await?;
        let prepared = async {
            self.ledger.create(lock.connection()).await?;
            self.history.create(lock.connection()).await?;
            self.history.close(lock.connection(), &self.ledger.quoted(), None).await
        };
        let done = match prepared.await {
            Ok(()) => work(&session, &mut lock).await,
            Err(error) => Err(self.failed(driver::db_err(error))),
        };
        lock.release().await;
        done
    }

    pub(crate) fn failed(&self, source: DbErr) -> Error {
        Error::from_db(&self.name, source)
    }

    pub(crate) fn claims_of(&self, migration: &str) -> Claims {
        self.claims.get(migration).copied().unwrap_or_default()
    }

    pub(crate) fn find(&self, migration: &str) -> Result<usize> {
        self.migrations.iter().position(|known| known.name() == migration).ok_or_else(|| {
            let known = self.migrations.iter().map(|known| known.name());
            Error::no_such_migration(&self.name, migration, known)
        })
    }

    pub(crate) async fn record(&self, migration: &dyn MigrationTrait) -> Recorded {
        capture::record(migration, &self.claims_of(migration.name())).await
    }

    /// [`Runner::record`] for the log.
    pub(crate) async fn record_for_good(&self, migration: &dyn MigrationTrait) -> Recorded {
        capture::record_for_good(migration, &self.claims_of(migration.name())).await
    }
}
