//! What pending migrations would do, statement by statement: the locks, the rewrites, the scans.
//!
//! Nothing here is guessed from the text. The migrations run on a throwaway database of the same server,
//! first those that the real one has, then the pending ones, and the server is asked what each statement
//! did. From the real database come only the numbers of rows and bytes.
//!
//! The throwaway database is empty but for what the migrations themselves insert, so a statement that fails
//! on the real database for a row that is there does not fail here. Nor does one that its own transaction
//! stands in the way of, such as the use of an enum's value that the same transaction has added: here every
//! statement is committed by itself, or the locks of the second on a table could not be told from the first's.

mod lock;
mod measure;
mod observe;
mod outside;
mod render;

use std::panic::AssertUnwindSafe;

use futures_util::FutureExt;
use sea_orm::{ConnectionTrait, DatabaseConnection, DbErr};
use sea_orm_migration::MigrationTrait;
use serde::Serialize;

pub use lock::{Blocks, LockMode};

use crate::capture::{self, Recorder};
use crate::run::is_transactional;
use crate::scratch::Scratch;
use crate::{Claims, Direction, Error, Extent, Result, Runner, driver};
use measure::Meter;

/// What applying the pending migrations of a database would do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Plan {
    /// The runner's name for the database.
    pub database: String,
    /// In the order in which they would be applied; none after one that would fail.
    pub migrations: Vec<PlannedMigration>,
}

/// One migration of a [`Plan`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PlannedMigration {
    /// Its name.
    pub name: String,
    /// Whether it runs in the transaction of its run. Every lock is then held until that transaction ends.
    pub transactional: bool,
    /// Whether it can be reverted.
    pub reversible: Reversible,
    /// Whether it asks the database something, or claims to depend on it: the real database may get other
    /// statements than these.
    pub depends_on_data: bool,
    /// What it sends, in order, up to the statement that would fail.
    pub statements: Vec<PlannedStatement>,
    /// Why it would fail, in the server's words.
    pub error: Option<String>,
}

/// Whether a migration can be reverted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Reversible {
    /// It has a `down`.
    Yes,
    /// It has none.
    No {
        /// What its `down` says.
        reason: String,
    },
}

/// One statement of a [`PlannedMigration`].
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct PlannedStatement {
    /// Its text, with its values in it.
    pub sql: String,
    /// Whether it is undone when a later one fails.
    pub transactional: bool,
    /// What it locks of what was there before the first pending migration, strongest first.
    pub locks: Vec<TableLock>,
    /// The tables whose every row it writes anew.
    pub rewrites: Vec<String>,
    /// The tables that it reads from end to end.
    pub scans: Vec<String>,
    /// Whether everything that it locks is made by these very migrations, so that nobody can be waiting.
    pub new: bool,
}

/// A lock that a statement takes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct TableLock {
    /// A table, view or sequence, or an index that is locked harder than its table; with its schema where the
    /// search path does not lead to it.
    pub table: String,
    /// How hard.
    pub mode: LockMode,
    /// What has to wait meanwhile.
    pub blocks: Blocks,
    /// As the planner of the real database estimates it; `None` when the table was never analyzed.
    pub estimated_rows: Option<i64>,
    /// In the real database, with indexes and TOAST; `None` for what holds no rows.
    pub size_bytes: Option<i64>,
}

impl Runner {
    /// What [`Runner::up`] would do to the database, as far as `extent` goes: which locks every statement
    /// takes, what it rewrites and what it scans.
    ///
    /// It is measured on a throwaway database of the same server, on which all migrations run; the database
    /// itself is only read.
    ///
    /// # Errors
    ///
    /// What [`Runner::up`] refuses before it begins; [`Error::Scratch`] if the role may not create databases,
    /// [`Error::Database`] if the ledger can't be read, or if what is applied here can't be applied to an empty
    /// database.
    pub async fn plan(&self, db: &DatabaseConnection, extent: &Extent) -> Result<Plan> {
        let status = self.status(db).await?;
        self.check(db, &status).await?;
        let pending: Vec<_> =
            self.to_apply(&status, extent)?.into_iter().map(|step| (step.migration, step.claims)).collect();
        let known = self.migrations.iter().zip(&status.migrations);
        let applied: Vec<_> =
            known.filter(|(_, known)| known.is_applied()).map(|(migration, _)| migration.as_ref()).collect();
        plan(db, &self.name, &applied, &pending)
            .await
            .map_err(|source| Error::from_scratch(&self.name, source))
    }
}

/// Plans `pending` on top of `applied`; sizes are those of `db`.
pub(crate) async fn plan(
    db: &DatabaseConnection,
    database: &str,
    applied: &[&dyn MigrationTrait],
    pending: &[(&dyn MigrationTrait, Claims)],
) -> Result<Plan, DbErr> {
    let mut plan = Plan { database: database.to_owned(), migrations: Vec::new() };
    if pending.is_empty() {
        return Ok(plan);
    }
    let sizes = observe::sizes(db).await?;
    let scratch = Scratch::create(db).await?;
    let planned = async {
        let one = same_but_empty(&scratch, applied).await?;
        let known = observe::relations(&one).await?;
        for (migration, claims) in pending {
            let planned = measured(*migration, claims, &one, &known, &sizes).await?;
            let fails = planned.error.is_some();
            plan.migrations.push(planned);
            if fails {
                break;
            }
        }
        one.close().await
    }
    .await;
    scratch.drop().await.and(planned)?;
    Ok(plan)
}

/// Runs `up` of `migration` and notes what it does.
async fn measured(
    migration: &dyn MigrationTrait,
    claims: &Claims,
    db: &DatabaseConnection,
    known: &observe::Relations,
    sizes: &observe::Sizes,
) -> Result<PlannedMigration, DbErr> {
    let transactional = is_transactional(migration);
    let recorder = Recorder::default();
    let meter = Meter::new(db.clone(), known.clone(), sizes.clone(), transactional, recorder.clone());
    let run = recorder.scope(capture::run(migration, Direction::Up, meter.clone()));
    let outcome = AssertUnwindSafe(run).catch_unwind().await;
    let notes = meter.finish().await;
    db.execute_unprepared("reset all").await?;
    let failure = match outcome {
        Ok(Ok(())) => None,
        Ok(Err(error)) => Some(driver::words(&error)),
        Err(panic) => Some(format!("it can't be planned: {}", capture::message(panic.as_ref()))),
    };
    let down = capture::capture(migration, Direction::Down).await;
    Ok(PlannedMigration {
        name: migration.name().to_owned(),
        transactional,
        reversible: reversible(claims, &down),
        depends_on_data: notes.asked || claims.is_dependent_on_data(),
        statements: notes.statements,
        error: notes.error.or(failure),
    })
}

fn reversible(claims: &Claims, down: &capture::Capture) -> Reversible {
    match &down.failure {
        // After a question an error says only that nothing was there to be found.
        Some(failure) if claims.is_irreversible() || !down.depends_on_data => {
            let reason = failure.strip_prefix("Migration Error: ").unwrap_or(failure);
            Reversible::No { reason: reason.to_owned() }
        }
        None if claims.is_irreversible() => {
            Reversible::No { reason: "it claims to be irreversible".to_owned() }
        }
        _ => Reversible::Yes,
    }
}

/// Brings the throwaway database to where the real one is; a pool of one connection to it.
async fn same_but_empty(
    scratch: &Scratch,
    applied: &[&dyn MigrationTrait],
) -> Result<DatabaseConnection, DbErr> {
    for migration in applied {
        scratch.run(*migration, Direction::Up).await.map_err(|error| {
            let (name, error) = (migration.name(), driver::words(&error));
            DbErr::Custom(format!("{name}, which is applied, can't be applied to an empty database: {error}"))
        })?;
    }
    Ok(scratch.single())
}
