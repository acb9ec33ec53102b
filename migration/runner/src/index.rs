//! Builds and drops an index while its table is read and written, from inside a migration.
//!
//! `create index concurrently` keeps nobody from the table, and has a price: it can't run in a transaction,
//! it waits for every transaction that is older than itself, and when it fails it leaves an INVALID index
//! behind that costs every write and serves no read. [`ConcurrentIndex`] pays it: what an interrupted run
//! left is found and built again, a wait for somebody else's transaction is ended and tried again, and how
//! far it has come is told.
//!
//! ```
//! use migration_runner::ConcurrentIndex;
//! use sea_orm_migration::prelude::*;
//!
//! #[derive(DeriveMigrationName)]
//! pub struct Migration;
//!
//! fn users_email_idx() -> ConcurrentIndex {
//!     ConcurrentIndex::new("users_email_idx", "users", "(lower(email)) where deleted_at is null").unique()
//! }
//!
//! #[async_trait::async_trait]
//! impl MigrationTrait for Migration {
//!     fn use_transaction(&self) -> Option<bool> {
//!         Some(false)
//!     }
//!
//!     async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
//!         users_email_idx().create(manager).await
//!     }
//!
//!     async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
//!         users_email_idx().drop(manager).await
//!     }
//! }
//! ```

mod server;

use std::time::Duration;

use sea_orm::{ConnectionTrait, DatabaseConnection, DatabaseConnectionType, DbBackend, DbErr};
use sea_orm_migration::{SchemaManager, SchemaManagerConnection};
use tokio::time::{Instant, sleep};

use crate::capture;
use crate::sql::quoted;
use server::{Found, Server};

/// Between two looks at how a build goes.
const POLL: Duration = Duration::from_millis(500);

/// The first pause between two attempts; it doubles up to [`LONGEST_PAUSE`].
const PAUSE: Duration = Duration::from_millis(500);

const LONGEST_PAUSE: Duration = Duration::from_secs(60);

/// An index that is built and dropped with `concurrently`; see the [module](self).
///
/// The work is done on two connections of its own, with the role, the search path and the other session
/// settings of the migration's. Dropping the future leaves the server to finish or to fail by itself; the
/// next run waits for that, or clears it away.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use = "nothing is sent before `create` or `drop`"]
pub struct ConcurrentIndex {
    name: String,
    table: String,
    definition: String,
    method: Option<String>,
    unique: bool,
    lock_timeout: Duration,
    patience: Duration,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Goal {
    Built,
    Dropped,
}

impl ConcurrentIndex {
    /// The index `name` on `table`, both without quotes, found by the search path. `definition` is SQL: what
    /// follows the table and the method in `create index`, beginning with the columns in parentheses.
    pub fn new(name: impl Into<String>, table: impl Into<String>, definition: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            table: table.into(),
            definition: definition.into(),
            method: None,
            unique: false,
            lock_timeout: Duration::from_secs(5 * 60),
            patience: Duration::from_secs(30 * 60),
        }
    }

    /// Refuses two rows with the same key.
    pub fn unique(mut self) -> Self {
        self.unique = true;
        self
    }

    /// The access method, such as `gin`; `btree` unless told.
    pub fn using(mut self, method: impl Into<String>) -> Self {
        self.method = Some(method.into());
        self
    }

    /// How long one attempt waits for one other transaction; five minutes unless told. The wait keeps no
    /// reader and no writer out. It comes once more at the end of the build, and an attempt that is given
    /// up there begins from nothing: set it longer than the longest transaction on the database usually takes.
    pub fn lock_timeout(mut self, timeout: Duration) -> Self {
        self.lock_timeout = timeout;
        self
    }

    /// No attempt begins later than this after the first; thirty minutes unless told. A build that has begun
    /// takes as long as it takes.
    pub fn patience(mut self, patience: Duration) -> Self {
        self.patience = patience;
        self
    }

    /// Builds the index, unless it is there. An INVALID one is dropped and built again, or awaited where
    /// somebody is building it just now.
    ///
    /// An index of the name that is there and valid has to have the same definition. That is asked of the
    /// server, on an empty temporary copy of the table; a role that may not make one has only uniqueness
    /// and method compared.
    ///
    /// # Errors
    ///
    /// [`DbErr::Custom`] in a transaction, where the name belongs to something else, and when `patience` is
    /// over, with who was in the way; [`DbErr::Exec`] with what the server said otherwise, such as the
    /// violation of a unique index. What was begun is dropped before that, or by the next run where somebody
    /// is in the way of that too.
    pub async fn create(&self, manager: &SchemaManager<'_>) -> Result<(), DbErr> {
        if let Some(recorder) = capture::recording() {
            recorder.push_rerunnable(self.create_sql("concurrently"));
            return Ok(());
        }
        let db = self.connection(manager)?;
        if !is_pool(db) {
            return db.execute_unprepared(&self.create_sql("concurrently if not exists")).await.map(drop);
        }
        self.reach(db, Goal::Built).await
    }

    /// Drops the index if it is there, valid or not.
    ///
    /// # Errors
    ///
    /// [`DbErr::Custom`] in a transaction, where the name belongs to something else, and when `patience` is
    /// over, with who was in the way; [`DbErr::Exec`] with what the server said otherwise.
    pub async fn drop(&self, manager: &SchemaManager<'_>) -> Result<(), DbErr> {
        if let Some(recorder) = capture::recording() {
            recorder.push_rerunnable(format!("drop index concurrently {}", quoted(&self.name)));
            return Ok(());
        }
        let db = self.connection(manager)?;
        if !is_pool(db) {
            let sql = format!("drop index concurrently if exists {}", quoted(&self.name));
            return db.execute_unprepared(&sql).await.map(drop);
        }
        self.reach(db, Goal::Dropped).await
    }

    fn create_sql(&self, how: &str) -> String {
        let unique = if self.unique { "unique " } else { "" };
        let (name, table) = (quoted(&self.name), quoted(&self.table));
        format!("create {unique}index {how} {name} on {table} {}", self.body())
    }

    /// What follows the table.
    fn body(&self) -> String {
        match &self.method {
            Some(method) => format!("using {method} {}", self.definition),
            None => self.definition.clone(),
        }
    }

    fn connection<'m>(&self, manager: &'m SchemaManager<'_>) -> Result<&'m DatabaseConnection, DbErr> {
        let SchemaManagerConnection::Connection(db) = manager.get_connection() else {
            return Err(self.refusal(
                "can't be built or dropped concurrently in a transaction; opt out of it with \
                 `fn use_transaction(&self) -> Option<bool> { Some(false) }` in the migration",
            ));
        };
        match db.get_database_backend() {
            DbBackend::Postgres => Ok(db),
            other => Err(self.refusal(&format!(
                "can't be built or dropped concurrently: that needs PostgreSQL, and this is {other:?}"
            ))),
        }
    }

    /// Tries until it is as wished, or there is no hope, or `patience` is over.
    async fn reach(&self, db: &DatabaseConnection, goal: Goal) -> Result<(), DbErr> {
        let mut server = Server::connect(db, &self.name, self.lock_timeout).await?;
        let start = Instant::now();
        let mut attempts = 1;
        let mut outcome = loop {
            match self.attempt(&mut server, goal).await {
                Err(error) if server::is_passing(&error) && start.elapsed() < self.patience => {
                    let pause = pause(attempts);
                    let (index, blockers) = (&self.name, server.blockers());
                    tracing::warn!(index, %error, blockers, ?pause, "an index was not to be had; trying again");
                    sleep(pause).await;
                    attempts += 1;
                }
                outcome => break outcome,
            }
        };
        if let Err(error) = &outcome {
            if server::is_passing(error) {
                outcome = Err(self.stuck(&server, goal, attempts, start.elapsed(), error));
            }
            if goal == Goal::Built
                && let Err(error) = self.clear(&mut server).await
            {
                tracing::warn!(index = self.name, %error, "an INVALID index stays behind; the next run drops it");
            }
        }
        server.close().await;
        outcome
    }

    async fn attempt(&self, server: &mut Server, goal: Goal) -> Result<(), DbErr> {
        let mut ownerless = None;
        let mut last = (None, Instant::now());
        loop {
            match (server.find(&self.name, &self.table).await?, goal) {
                (Found::Nothing, Goal::Dropped) => return Ok(()),
                (Found::Nothing, Goal::Built) => {
                    return server.watched(&self.name, &self.create_sql("concurrently")).await;
                }
                (Found::Other(what), _) => {
                    return Err(
                        self.refusal(&format!("is the name of {what} already; rename one of the two"))
                    );
                }
                (Found::Index { schema, .. }, Goal::Dropped) => {
                    return server.watched(&self.name, &drop_sql(&schema, &self.name)).await;
                }
                (Found::Index { oid, schema, valid: true }, Goal::Built) => {
                    return self.compare(server, oid, &schema).await;
                }
                // Looked at twice: it may have been finished between this look and the one at its builder.
                (Found::Index { oid, schema, .. }, Goal::Built) => match server.builder(oid).await? {
                    None if ownerless == Some(oid) => {
                        tracing::info!(index = self.name, "dropping an INVALID index, to build it again");
                        server.watched(&self.name, &drop_sql(&schema, &self.name)).await?;
                    }
                    None => ownerless = Some(oid),
                    Some(progress) => {
                        server.tell(&self.name, &progress);
                        if last.0.as_ref() != Some(&progress) {
                            last = (Some(progress), Instant::now());
                        } else if last.1.elapsed() >= self.patience {
                            return Err(self.refusal(&format!(
                                "is being built by process {pid}, which has stood still at `{phase}` for {:?}; \
                                 end it with `select pg_terminate_backend({pid})` and run this again",
                                self.patience,
                                pid = progress.pid,
                                phase = progress.phase,
                            )));
                        }
                        sleep(POLL).await;
                    }
                },
            }
        }
    }

    /// Whether the index that is there is the one that is wanted.
    async fn compare(&self, server: &mut Server, oid: i64, schema: &str) -> Result<(), DbErr> {
        let existing = server.definition(oid).await?;
        let unique = if self.unique { "unique " } else { "" };
        let create = format!("create {unique}index on pg_temp.{} {}", quoted(&self.table), self.body());
        let same = match server.normalized(schema, &self.table, &create).await? {
            Some(wanted) => wanted == existing,
            None => {
                let method = self.method.as_deref().unwrap_or("btree").to_lowercase();
                existing.starts_with(&format!("{unique}USING {method} "))
            }
        };
        if same {
            return Ok(());
        }
        Err(self.refusal(&format!(
            "is there with another definition, `{existing}`, and the migration's is `{unique}{}`; drop it, or give \
             one of the two another name",
            self.body()
        )))
    }

    /// Drops what a failed build left.
    async fn clear(&self, server: &mut Server) -> Result<(), DbErr> {
        let Found::Index { oid, valid: false, .. } = server.find(&self.name, &self.table).await? else {
            return Ok(());
        };
        if server.builder(oid).await?.is_some() {
            return Ok(());
        }
        match server.find(&self.name, &self.table).await? {
            Found::Index { schema, valid: false, .. } => {
                server.watched(&self.name, &drop_sql(&schema, &self.name)).await
            }
            _ => Ok(()),
        }
    }

    fn stuck(&self, server: &Server, goal: Goal, attempts: u32, waited: Duration, error: &DbErr) -> DbErr {
        let done = match goal {
            Goal::Built => "built",
            Goal::Dropped => "dropped",
        };
        let (seconds, blockers) = (waited.as_secs(), server.blockers());
        self.refusal(&format!(
            "could not be {done} within {seconds} s; attempt {attempts} was the last ({error}). In the way: {blockers}. \
             Wait for that to end, or end it with `select pg_terminate_backend(pid)`, and run this again"
        ))
    }

    fn refusal(&self, why: &str) -> DbErr {
        DbErr::Custom(format!("index {} on {} {why}", self.name, self.table))
    }
}

/// Anything else forwards to a database that nobody else uses, or is no connection at all.
fn is_pool(db: &DatabaseConnection) -> bool {
    matches!(db.inner, DatabaseConnectionType::SqlxPostgresPoolConnection(_))
}

fn drop_sql(schema: &str, name: &str) -> String {
    format!("drop index concurrently if exists {}.{}", quoted(schema), quoted(name))
}

/// Doubles with every attempt; the chance in it keeps two programs from meeting again and again.
fn pause(attempts: u32) -> Duration {
    let full = PAUSE.saturating_mul(2_u32.saturating_pow(attempts.saturating_sub(1))).min(LONGEST_PAUSE);
    full.mul_f64(rand::random_range(0.5..1.0))
}

#[cfg(test)]
mod tests;
