//! What can go wrong while migrating, each with the place and the way out.

use std::time::Duration;

use sea_orm::DbErr;

/// Shorthand for this crate's results.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What can go wrong while migrating.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The database refused a statement of the runner's own, or could not be reached.
    #[error("{database}: {source}")]
    Database {
        /// The runner's name for the database.
        database: String,
        /// What the driver said.
        source: DbErr,
    },

    /// A migration's `up` or `down` returned an error. The transaction it ran in was rolled back; one that
    /// opted out of transactions may have done a part of its work.
    #[error("{database}: {direction} of {migration} failed: {source}")]
    Migration {
        /// The runner's name for the database.
        database: String,
        /// The migration's name.
        migration: String,
        /// `up` or `down`.
        direction: &'static str,
        /// What the migration said.
        source: DbErr,
    },

    /// Somebody else held the lock until the deadline passed.
    #[error(
        "{database}: another migration has been running for {waited:?}: {holder}; wait for it to end, or end it with \
         `select pg_terminate_backend({pid})`"
    )]
    Locked {
        /// The runner's name for the database.
        database: String,
        /// How long this run waited.
        waited: Duration,
        /// Who holds the lock: application name and since when.
        holder: String,
        /// The holder's server process.
        pid: i32,
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
        "{database}: {late} is pending but comes before {applied}, which is applied; give it a later name, or revert \
         down to before it and go up again"
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
         have parted; build from a revision that has both"
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
}
