//! What can go wrong while migrating, each with the place and the way out.

use std::time::Duration;

use sea_orm::DbErr;

use crate::{Direction, driver};

/// Shorthand for this crate's results.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What can go wrong while migrating.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The database refused a statement of the runner's own, or could not be reached.
    #[error("{database}: {}", driver::words(source))]
    Database {
        /// The runner's name for the database.
        database: String,
        /// What the driver said.
        source: DbErr,
    },

    /// A migration's `up` or `down` returned an error. The transaction it ran in was rolled back; one that
    /// opted out of transactions may have done a part of its work.
    #[error("{database}: {direction} of {migration} failed: {}", driver::words(source))]
    Migration {
        /// The runner's name for the database.
        database: String,
        /// The migration's name.
        migration: String,
        /// Which way it ran.
        direction: Direction,
        /// What the migration said.
        source: DbErr,
    },

    /// Somebody else held the lock until the deadline passed, or the server still worked for them.
    #[error(
        "{database}: another migration has been running for {waited:?}: {holder}; wait for it to end, or end it with \
         `select pg_terminate_backend(pid) from unnest(array{pids:?}) as pid`"
    )]
    Locked {
        /// The runner's name for the database.
        database: String,
        /// How long this run waited.
        waited: Duration,
        /// Who holds the lock and who does the work: application names, processes and since when.
        holder: String,
        /// Their server processes.
        pids: Vec<i32>,
    },

    /// The connection's role may not create in any schema of its search path.
    #[error(
        "{database}: the connection has no schema to create tables in; set `search_path`, or create the schema first"
    )]
    NoSchema {
        /// The runner's name for the database.
        database: String,
    },

    /// A pending migration comes before one that is already applied.
    #[error(
        "{database}: {late} is pending but comes before {applied}, which is applied; give it a later name, revert down \
         to before it and go up again, or apply it all the same with --allow-late"
    )]
    OutOfOrder {
        /// The runner's name for the database.
        database: String,
        /// The pending migration.
        late: String,
        /// The newest applied migration.
        applied: String,
    },

    /// The database has migrations that this program does not know, and lacks some that it does.
    #[error(
        "{database}: {unknown} is applied but not known to this program, while {pending} is pending: two histories \
         have parted; build from a revision that has both, or go on all the same with --allow-late"
    )]
    Diverged {
        /// The runner's name for the database.
        database: String,
        /// The first applied migration that this program lacks.
        unknown: String,
        /// The first pending migration.
        pending: String,
    },

    /// The last applied migration is not known to this program, so it cannot be reverted by it.
    #[error(
        "{database}: {migration} is the last applied migration and this program does not know it; revert it with the \
         release that applied it"
    )]
    Unknown {
        /// The runner's name for the database.
        database: String,
        /// The migration's name.
        migration: String,
    },

    /// The connection is not to PostgreSQL.
    #[error("{database}: migrations run on PostgreSQL, and this connection is to {backend:?}")]
    Backend {
        /// The runner's name for the database.
        database: String,
        /// What the connection is to.
        backend: sea_orm::DbBackend,
    },

    /// The connection goes through a pooler in transaction mode, which lends a server session to one client for
    /// the length of a transaction only. The lock would hold nobody back.
    #[error(
        "{database}: there is a pooler in transaction mode between this program and the server, where a migration lock \
         does not hold; give migrations the server's own address, or a pool in session mode (PgBouncer: pool_mode = \
         session for this database or user)"
    )]
    Pooled {
        /// The runner's name for the database.
        database: String,
    },

    /// An applied migration would send other SQL now than it did then.
    #[error(
        "{database}: {migration} is applied, and its SQL has changed since:\n{difference}\nbring back what was applied and \
         put the change into a migration of its own; or, where the database already is as the new text has it, accept \
         that with `migrate repair`. Where the SQL is made from the clock or in no fixed order, say so with \
         `Claims::depends_on_data`"
    )]
    Changed {
        /// The runner's name for the database.
        database: String,
        /// The migration's name.
        migration: String,
        /// The SQL then and now, as a unified diff.
        difference: String,
    },

    /// A migration that runs outside a transaction came to a bad end, and what it has done so far is not known.
    #[error(
        "{database}: {migration} runs outside a transaction, and its last run did not end well: {error}; look at what it \
         has left and undo it or complete it by hand, then say `migrate repair --pending {migration}` (nothing of it is \
         left) or `migrate repair --applied {migration}` (all of it is done)"
    )]
    Interrupted {
        /// The runner's name for the database.
        database: String,
        /// The migration's name.
        migration: String,
        /// What the log says about that run.
        error: String,
    },

    /// A migration began or ended a transaction in the middle of the run's own, with SQL such as `commit`. What
    /// came before it is committed, and what it has done itself is not known.
    #[error(
        "{database}: {migration} has ended the transaction that all pending migrations run in, so what came before it is \
         committed; take `begin`, `commit` and `rollback` out of its SQL, or let it opt out with `use_transaction`, then \
         say `migrate repair --applied {migration}` (all of it is done) or `--pending {migration}` (undone by hand)"
    )]
    TransactionEnded {
        /// The runner's name for the database.
        database: String,
        /// The migration's name.
        migration: String,
    },

    /// The connection was lost while the transaction was being committed.
    #[error(
        "{database}: the connection was lost while the migrations were being committed, so it is not known whether they \
         were: {}; `migrate status` tells, and running again is safe",
        driver::words(source)
    )]
    CommitUnknown {
        /// The runner's name for the database.
        database: String,
        /// What the driver said.
        source: DbErr,
    },

    /// While this run waited for the ledger, a plain `sea-orm-migration` has changed it.
    #[error(
        "{database}: the ledger was changed by a program that takes no lock while this one was waiting; run it again"
    )]
    Overtaken {
        /// The runner's name for the database.
        database: String,
    },

    /// Two migrations of the migrator have the same name.
    #[error(
        "{database}: two migrations are called {migration}; the ledger knows them by name, so rename the newer one"
    )]
    DuplicateName {
        /// The runner's name for the database.
        database: String,
        /// The name.
        migration: String,
    },

    /// A target that the migrator does not have.
    #[error("{database}: there is no migration {migration}{}", nearest.as_ref().map(|name| format!("; did you mean {name}?")).unwrap_or_default())]
    NoSuchMigration {
        /// The runner's name for the database.
        database: String,
        /// What was asked for.
        migration: String,
        /// The name that looks most like it.
        nearest: Option<String>,
    },

    /// A migration that should be applied is not.
    #[error("{database}: {migration} is not applied; `migrate status` shows what is")]
    NotApplied {
        /// The runner's name for the database.
        database: String,
        /// The migration's name.
        migration: String,
    },

    /// A baseline or a repair says that a migration is pending that is applied.
    #[error("{database}: {migration} is applied already; `migrate status` shows where it stands")]
    AlreadyApplied {
        /// The runner's name for the database.
        database: String,
        /// The migration's name.
        migration: String,
    },

    /// The schema is not what the migrations up to the baseline build.
    #[error(
        "{database}: the schema is not what the migrations up to {migration} build; what they build (-) and what is \
         there (+):\n{}\nbring the schema in line, or mark them all the same with --unchecked", difference.join("\n")
    )]
    BaselineDiffers {
        /// The runner's name for the database.
        database: String,
        /// The last migration of the baseline.
        migration: String,
        /// A line for each object, as [`Catalog::difference`](crate::catalog::Catalog::difference) gives it.
        difference: Vec<String>,
    },

    /// The database is marked as production, and this would lose data.
    #[error(
        "{database}: this database is marked as production, which refuses {what}; if that is meant, take the mark away \
         first: `alter database … reset migration_runner.production`"
    )]
    Production {
        /// The runner's name for the database.
        database: String,
        /// What was refused.
        what: &'static str,
    },

    /// The schema holds what other migrations have made as well.
    #[error(
        "{database}: this schema also holds the migrations of {}, which would be lost; name all of its databases in \
         the command, or revert this one with `reset`", ledgers.join(", ")
    )]
    Shared {
        /// The runner's name for the database.
        database: String,
        /// The tables that record them.
        ledgers: Vec<String>,
    },

    /// The role may not create the throwaway database that plan, verify and baseline work on.
    #[error(
        "{database}: a throwaway database is needed on this server, and the role may not create one: {}; grant it \
         (`alter role … createdb`), or use a development server",
        driver::words(source)
    )]
    Scratch {
        /// The runner's name for the database.
        database: String,
        /// What the server said.
        source: DbErr,
    },
}

impl Error {
    /// The error for what the driver said; a pooler in transaction mode betrays itself by losing prepared
    /// statements.
    pub(crate) fn from_db(database: &str, source: DbErr) -> Self {
        let database = database.to_owned();
        match driver::code(&source) {
            Some("26000" | "42P05") => Self::Pooled { database },
            _ => Self::Database { database, source },
        }
    }

    /// The error for what went wrong on the way to a throwaway database.
    pub(crate) fn from_scratch(database: &str, source: DbErr) -> Self {
        let database = database.to_owned();
        match driver::code(&source) {
            Some("42501") => Self::Scratch { database, source },
            _ => Self::Database { database, source },
        }
    }

    pub(crate) fn no_such_migration<'a>(
        database: &str,
        migration: &str,
        known: impl Iterator<Item = &'a str>,
    ) -> Self {
        let near = known.map(|name| (strsim::jaro_winkler(name, migration), name));
        let nearest = near.filter(|(likeness, _)| *likeness > 0.7).max_by(|a, b| a.0.total_cmp(&b.0));
        Self::NoSuchMigration {
            database: database.to_owned(),
            migration: migration.to_owned(),
            nearest: nearest.map(|(_, name)| name.to_owned()),
        }
    }
}
