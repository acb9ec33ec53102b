//! What a migration would send, found out without sending it.
//!
//! The migration runs against a connection that executes nothing: a statement is written down and answered
//! with "no rows", a question is answered with no rows too, and marks the migration as one whose SQL depends
//! on what the database holds.
//!
//! A migration that asks for the pool of connections itself panics here, since there is none. The panic is
//! caught, but the process's panic hook has printed it by then: a hook is the program's own, and a library
//! that swapped it would swallow the panics of other threads.

use std::any::Any;
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures_util::FutureExt;
use sea_orm::{
    Database, DbBackend, DbErr, ProxyDatabaseTrait, ProxyExecResult, ProxyRow, Statement, TransactionTrait,
};
use sea_orm_migration::{MigrationTrait, SchemaManager};

use crate::run::is_transactional;
use crate::{Claims, Direction, sql};

tokio::task_local! {
    static RECORDER: Recorder;
}

/// What one direction of a migration would send.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Capture {
    /// One text per call, as it was sent, its values written into it.
    pub(crate) statements: Vec<String>,
    /// It asked the database something, or got no further without an answer, so the statements may be
    /// others on another database.
    pub(crate) depends_on_data: bool,
    /// The error it returned. After a question that is to be expected: nothing was there to find.
    pub(crate) failure: Option<String>,
    rerunnable: bool,
}

impl Capture {
    /// Whether everything it sends was said to be rerunnable by the helper that sends it.
    pub(crate) fn rerunnable(&self) -> bool {
        self.rerunnable
    }
}

/// Writes down what is sent.
#[derive(Clone, Debug, Default)]
pub(crate) struct Recorder(Arc<Mutex<Notes>>);

#[derive(Debug, Default)]
struct Notes {
    statements: Vec<String>,
    rerunnable: usize,
    asked: bool,
}

impl Recorder {
    /// Writes down a statement that does no harm where it ran before, wholly or in part.
    pub(crate) fn push_rerunnable(&self, sql: impl Into<String>) {
        let mut notes = self.notes();
        notes.statements.push(sql.into());
        notes.rerunnable += 1;
    }

    /// Takes what was pushed since the last time.
    pub(crate) fn drain(&self) -> Vec<String> {
        std::mem::take(&mut self.notes().statements)
    }

    /// Lets `migration` find this recorder with [`recording`].
    pub(crate) async fn scope<T>(&self, migration: impl Future<Output = T>) -> T {
        RECORDER.scope(self.clone(), migration).await
    }

    fn push(&self, sql: String) {
        self.notes().statements.push(sql);
    }

    fn asked(&self) {
        self.notes().asked = true;
    }

    fn notes(&self) -> MutexGuard<'_, Notes> {
        // A list that a panic left behind is as good as any.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait::async_trait]
impl ProxyDatabaseTrait for Recorder {
    async fn query(&self, statement: Statement) -> Result<Vec<ProxyRow>, DbErr> {
        self.asked();
        if sql::writes(&statement.sql) {
            self.push(statement.to_string());
        }
        Ok(Vec::new())
    }

    async fn execute(&self, statement: Statement) -> Result<ProxyExecResult, DbErr> {
        self.push(statement.to_string());
        Ok(ProxyExecResult::default())
    }
}

/// The recorder of the migration that is being captured; `None` when it runs for real.
///
/// For helpers that need a connection of their own: they push what they would send and return.
pub(crate) fn recording() -> Option<Recorder> {
    RECORDER.try_with(Clone::clone).ok()
}

/// What `direction` of `migration` would send. Nothing is executed.
pub(crate) async fn capture(migration: &dyn MigrationTrait, direction: Direction) -> Capture {
    let recorder = Recorder::default();
    let run = recorder.scope(run(migration, direction, recorder.clone()));
    let outcome = AssertUnwindSafe(run).catch_unwind().await;
    let notes = std::mem::take(&mut *recorder.notes());
    let (failure, panicked) = match outcome {
        Ok(Ok(())) => (None, false),
        Ok(Err(error)) => (Some(error.to_string()), false),
        Err(panic) => (Some(message(panic.as_ref()).to_owned()), true),
    };
    Capture {
        // An `up` that fails unasked has looked at how many rows a statement changed.
        depends_on_data: notes.asked || panicked || (direction == Direction::Up && failure.is_some()),
        rerunnable: notes.rerunnable > 0 && notes.rerunnable == notes.statements.len(),
        statements: notes.statements,
        failure,
    }
}

/// Runs `direction` of `migration` against `instead` of a database.
pub(crate) async fn run(
    migration: &dyn MigrationTrait,
    direction: Direction,
    instead: impl ProxyDatabaseTrait + 'static,
) -> Result<(), DbErr> {
    let db = Database::connect_proxy(DbBackend::Postgres, Arc::new(Box::new(instead))).await?;
    if is_transactional(migration) {
        let txn = db.begin().await?;
        direction.run(migration, &SchemaManager::new(&txn)).await?;
        txn.commit().await
    } else {
        direction.run(migration, &SchemaManager::new(&db)).await
    }
}

/// What a panic said.
pub(crate) fn message(panic: &(dyn Any + Send)) -> &str {
    panic
        .downcast_ref::<String>()
        .map(String::as_str)
        .or_else(|| panic.downcast_ref::<&str>().copied())
        .unwrap_or("it panicked")
}

/// Both directions of a migration, which its checksum covers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Recorded {
    pub(crate) up: Capture,
    pub(crate) down: Capture,
    claimed: bool,
}

/// How often a migration is captured to be compared, and to be written down: what differs from one capture to
/// the next was made from the clock, by chance or from something else that is no part of the migration.
const CAPTURES: (usize, usize) = (2, 8);

/// Captures both directions of `migration`.
pub(crate) async fn record(migration: &dyn MigrationTrait, claims: &Claims) -> Recorded {
    recorded(migration, claims, CAPTURES.0).await
}

/// [`record`] for the log, where a false checksum would stand for good: two keys of a `HashMap` are in the same
/// order every second time.
pub(crate) async fn record_for_good(migration: &dyn MigrationTrait, claims: &Claims) -> Recorded {
    recorded(migration, claims, CAPTURES.1).await
}

async fn recorded(migration: &dyn MigrationTrait, claims: &Claims, captures: usize) -> Recorded {
    let up = settled(migration, Direction::Up, captures).await;
    let down = settled(migration, Direction::Down, captures).await;
    Recorded { up, down, claimed: claims.is_dependent_on_data() }
}

async fn settled(migration: &dyn MigrationTrait, direction: Direction, captures: usize) -> Capture {
    let first = capture(migration, direction).await;
    if first.depends_on_data {
        return first;
    }
    for _ in 1..captures {
        if capture(migration, direction).await != first {
            return Capture { depends_on_data: true, ..first };
        }
    }
    first
}

impl Recorded {
    /// Whether the SQL depends on what the database holds, or on the clock or the environment.
    pub(crate) fn depends_on_data(&self) -> bool {
        self.claimed || self.up.depends_on_data || self.down.depends_on_data
    }

    /// The fingerprint of what both directions send, and of the reason why there is no way back if `down`
    /// gives one; `None` when that depends on the database.
    pub(crate) fn checksum(&self) -> Option<String> {
        if self.depends_on_data() {
            return None;
        }
        let mut parts = Vec::new();
        for (direction, capture) in [(Direction::Up, &self.up), (Direction::Down, &self.down)] {
            // With the number, no list of statements can read like another's heading.
            parts.push(format!("{direction} {}", capture.statements.len()));
            parts.extend(capture.statements.iter().cloned());
            parts.push(capture.failure.clone().unwrap_or_default());
        }
        Some(sql::fingerprint(parts.iter().map(String::as_str)))
    }
}

#[cfg(test)]
#[path = "capture_tests.rs"]
mod tests;
