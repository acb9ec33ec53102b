//! One run: the migrations it was given, in as few transactions as they allow, each with its entry in the log.

use std::time::Duration;

use sea_orm::{ConnectionTrait, DatabaseConnection, DatabaseTransaction, DbErr, Statement, TransactionTrait};
use sea_orm_migration::{MigrationTrait, SchemaManager};
use tokio::time::Instant;

use crate::driver;
use crate::event::{self, Event};
use crate::history::{Action, Subject};
use crate::lock::Lock;
use crate::session::Session;
use crate::{Claims, Direction, Error, Result, Runner};

/// Between two attempts to get a lock: the first, and the longest.
const BACKOFF: (Duration, Duration) = (Duration::from_millis(200), Duration::from_secs(10));

/// One migration of a run.
#[derive(Clone, Copy)]
pub(crate) struct Step<'a> {
    pub(crate) migration: &'a dyn MigrationTrait,
    pub(crate) claims: Claims,
}

impl Step<'_> {
    pub(crate) fn is_transactional(&self) -> bool {
        is_transactional(self.migration)
    }
}

/// Whether a migration runs in the transaction of its run; it does unless it opts out.
pub(crate) fn is_transactional(migration: &dyn MigrationTrait) -> bool {
    migration.use_transaction() != Some(false)
}

/// A run in one direction, by whoever holds the lock.
pub(crate) struct Run<'a> {
    runner: &'a Runner,
    session: &'a Session,
    lock: &'a mut Lock,
    direction: Direction,
    position: usize,
    of: usize,
}

impl<'a> Run<'a> {
    pub(crate) fn new(
        runner: &'a Runner,
        session: &'a Session,
        lock: &'a mut Lock,
        direction: Direction,
    ) -> Self {
        Self { runner, session, lock, direction, position: 0, of: 0 }
    }

    /// Runs `steps` in order and says their names. What opts out of transactions stands alone; what lies
    /// between is one transaction.
    pub(crate) async fn all(mut self, steps: &[Step<'_>]) -> Result<Vec<String>> {
        self.of = steps.len();
        for batch in steps.chunk_by(|a, b| a.is_transactional() && b.is_transactional()) {
            self.with_patience(batch).await?;
            self.position += batch.len();
        }
        Ok(steps.iter().map(|step| step.migration.name().to_owned()).collect())
    }

    /// Tries a batch again for as long as only a lock is in its way.
    async fn with_patience(&mut self, batch: &[Step<'_>]) -> Result<()> {
        let start = Instant::now();
        for attempt in 1.. {
            let Err(error) = self.attempt(batch).await else { break };
            let is_in_the_way = matches!(&error, Error::Migration { source, .. } | Error::Database { source, .. }
                if matches!(driver::code(source), Some("55P03" | "40P01")));
            let can_run_again = batch[0].is_transactional()
                || (self.direction == Direction::Up && batch[0].claims.is_rerunnable());
            if !is_in_the_way || !can_run_again || start.elapsed() >= self.runner.patience {
                return Err(error);
            }
            let longest = BACKOFF.0.saturating_mul(1 << attempt.min(10)).min(BACKOFF.1);
            let after = longest.mul_f64(rand::random_range(0.5..1.0));
            let migration = match &error {
                Error::Migration { migration, .. } => migration.clone(),
                _ => batch[0].migration.name().to_owned(),
            };
            tracing::warn!(database = self.runner.name, migration, attempt, %error, "a lock is in the way");
            self.runner.observer.tell(&Event::Retrying { migration, attempt, after });
            tokio::time::sleep(after).await;
        }
        Ok(())
    }

    async fn attempt(&mut self, batch: &[Step<'_>]) -> Result<()> {
        let name = format!("migrations of {}", self.runner.name);
        let timeouts = if batch[0].is_transactional() { self.runner.timeouts } else { self.runner.alone };
        let db = self.session.holding(self.lock.work_key()).pool(&name, timeouts);
        let done = match batch {
            [step] if !step.is_transactional() => self.alone(&db, *step).await,
            _ => self.together(&db, batch).await,
        };
        // What runs on when the program has given up, as after a cancelled statement, ends with its connection.
        if let Err(error) = db.close().await {
            tracing::warn!(%error, "the connections of the migration did not close cleanly");
        }
        done
    }

    /// All of `batch` in one transaction.
    async fn together(&mut self, db: &DatabaseConnection, batch: &[Step<'_>]) -> Result<()> {
        let runner = self.runner;
        let txn = db.begin().await.map_err(|e| runner.failed(e))?;
        let mut entries = Vec::new();
        match self.steps(&txn, batch, &mut entries).await {
            Ok(()) => match txn.commit().await {
                Ok(()) => {}
                // Whether it was committed the ledger tells, to whoever holds the lock next.
                Err(source) if is_loss(&source) => {
                    return Err(Error::CommitUnknown { database: runner.name.clone(), source });
                }
                Err(source) => {
                    let error = runner.failed(source);
                    self.log_failure(&entries, &error).await;
                    return Err(error);
                }
            },
            Err(error) => {
                if let Err(second) = txn.rollback().await {
                    tracing::warn!(error = %second, "the rollback was not confirmed; the server does it by itself");
                }
                self.log_failure(&entries, &error).await;
                return Err(error);
            }
        }
        // It is committed; where this fails, the next run closes the entries.
        let logged = self.log(async |runner, lock| runner.history.succeed(lock.connection(), &entries).await);
        if let Err(error) = logged.await {
            tracing::warn!(%error, "the log could not be brought up to date");
        }
        Ok(())
    }

    /// The migrations of `batch` in `txn`; `entries` are those of the log that were begun.
    async fn steps(
        &mut self,
        txn: &DatabaseTransaction,
        batch: &[Step<'_>],
        entries: &mut Vec<i64>,
    ) -> Result<()> {
        let runner = self.runner;
        runner.ledger.lock(txn).await.map_err(|e| runner.failed(e))?;
        let versions: Vec<String> = batch.iter().map(|step| step.migration.name().to_owned()).collect();
        let there = runner.ledger.applied_of(txn, &versions).await.map_err(|e| runner.failed(e))?;
        let expected = if self.direction == Direction::Up { 0 } else { versions.len() };
        if there.len() != expected {
            return Err(Error::Overtaken { database: runner.name.clone() });
        }
        let own = transaction_id(txn).await.map_err(|e| runner.failed(e))?;
        for (position, step) in (self.position..).zip(batch) {
            let id = self.start(*step).await?;
            entries.push(id);
            self.step(&SchemaManager::new(txn), *step, position).await?;
            if transaction_id(txn).await.map_err(|e| runner.failed(e))? != own {
                let migration = step.migration.name().to_owned();
                return Err(Error::TransactionEnded { database: runner.name.clone(), migration });
            }
            // What it has set for itself, such as the empty search path that a dump begins with, ends with it.
            txn.execute_unprepared(self.session.settings()).await.map_err(|e| runner.failed(e))?;
            self.record(txn, *step).await?;
            self.log(async |runner, lock| runner.history.finish(lock.connection(), id).await).await?;
        }
        Ok(())
    }

    /// One migration without a transaction around it.
    async fn alone(&mut self, db: &DatabaseConnection, step: Step<'_>) -> Result<()> {
        // Before its entry, so that nothing has to be settled if there is no connection to be had.
        db.ping().await.map_err(|e| self.runner.failed(e))?;
        let id = self.start(step).await?;
        if let Err(error) = self.step(&SchemaManager::new(db), step, self.position).await {
            self.log_failure(&[id], &error).await;
            return Err(error);
        }
        let (direction, version) = (self.direction, step.migration.name());
        self.log(async |runner, lock| {
            runner.ledger.record(lock.connection(), direction, version).await?;
            runner.history.succeed(lock.connection(), &[id]).await
        })
        .await
    }

    async fn start(&mut self, step: Step<'_>) -> Result<i64> {
        let recorded = self.runner.record_for_good(step.migration).await;
        let subject = Subject {
            migration: step.migration.name(),
            transactional: step.is_transactional(),
            recorded: &recorded,
        };
        let action = match self.direction {
            Direction::Up => Action::Up,
            Direction::Down => Action::Down,
        };
        self.log(async |runner, lock| runner.history.start(lock.connection(), action, &subject).await).await
    }

    async fn step(&self, manager: &SchemaManager<'_>, step: Step<'_>, position: usize) -> Result<()> {
        let Step { migration, .. } = step;
        let (runner, direction) = (self.runner, self.direction);
        let name = migration.name().to_owned();
        tracing::info!(database = runner.name, migration = name, %direction, "migrating");
        runner.observer.tell(&Event::Started {
            migration: name.clone(),
            position: position + 1,
            of: self.of,
        });
        let start = Instant::now();
        let work = direction.run(migration, manager);
        let outcome = event::CURRENT.scope(runner.observer.clone(), work).await;
        outcome.map_err(|source| Error::Migration {
            database: runner.name.clone(),
            migration: name.clone(),
            direction,
            source,
        })?;
        runner.observer.tell(&Event::Finished { migration: name, took: start.elapsed() });
        Ok(())
    }

    async fn record(&self, db: &impl ConnectionTrait, step: Step<'_>) -> Result<()> {
        let recorded = self.runner.ledger.record_in(db, self.direction, step.migration.name()).await;
        recorded.map_err(|e| self.runner.failed(e))
    }

    async fn log<T>(
        &mut self,
        write: impl AsyncFnOnce(&Runner, &mut Lock) -> sea_orm::sqlx::Result<T>,
    ) -> Result<T> {
        let runner = self.runner;
        write(runner, self.lock).await.map_err(|e| runner.failed(driver::db_err(e)))
    }

    /// Notes `error` at the entry that it comes from, the last, and at the others what has become of them.
    async fn log_failure(&mut self, entries: &[i64], error: &Error) {
        let Some(failed) = entries.last() else { return };
        let why = match error {
            Error::Migration { source, .. } | Error::Database { source, .. } => driver::words(source),
            other => other.to_string(),
        };
        let rest = format!("rolled back: {error}");
        let logged = self.log(async |runner, lock| {
            match error {
                Error::TransactionEnded { .. } => {
                    runner.history.escaped(lock.connection(), *failed, &why).await?;
                }
                _ => runner.history.fail(lock.connection(), *failed, &why).await?,
            }
            runner.history.close(lock.connection(), &runner.ledger.quoted(), Some(&rest)).await
        });
        // What the migration said matters more than whether it could be noted down.
        if let Err(error) = logged.await {
            tracing::warn!(%error, "the failure could not be written to the log");
        }
    }
}

/// Which transaction this is; another one after somebody has said `commit`.
async fn transaction_id(txn: &DatabaseTransaction) -> Result<String, DbErr> {
    let id = Statement::from_string(txn.get_database_backend(), "select pg_current_xact_id()::text as id");
    let row = txn.query_one_raw(id).await?;
    row.ok_or_else(|| DbErr::RecordNotFound("a select without from".to_owned()))?.try_get("", "id")
}

/// Whether the connection is gone, rather than the server having refused.
fn is_loss(error: &DbErr) -> bool {
    driver::code(error).is_none_or(|code| code.starts_with("08") || code.starts_with("57P"))
}
