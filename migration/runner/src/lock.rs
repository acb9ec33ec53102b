//! One migrator at a time: a session lock on a connection of its own.
//!
//! The lock is polled with `pg_try_advisory_lock` in autocommit. A blocking `pg_advisory_lock`
//! holds a snapshot while it waits, and `create index concurrently` waits for every snapshot, so
//! the two together are a deadlock.

use std::time::Duration;

use sea_orm::sqlx::{self, Connection, PgConnection, Row};
use sea_orm::{DatabaseConnection, DbErr, RuntimeErr};
use tokio::time::Instant;

use crate::{Error, Result};

/// Between two attempts: short beside a migration, long beside a round trip.
const POLL: Duration = Duration::from_millis(50);

/// The lock, for as long as its connection lives.
pub(crate) struct Lock {
    connection: PgConnection,
}

impl Lock {
    /// Takes the lock of `ledger` in the connection's schema, waiting until `patience` is over.
    pub(crate) async fn acquire(
        db: &DatabaseConnection,
        database: &str,
        ledger: &str,
        patience: Duration,
    ) -> Result<Self> {
        let failed = |source: sqlx::Error| Error::Database {
            database: database.to_owned(),
            source: DbErr::Conn(RuntimeErr::SqlxError(source.into())),
        };
        let options = db.get_postgres_connection_pool().connect_options();
        let options = (*options).clone().application_name(&format!("migration of {database}"));
        let mut connection = PgConnection::connect_with(&options).await.map_err(failed)?;
        let schema: Option<String> = sqlx::query_scalar("select current_schema()::text")
            .fetch_one(&mut connection)
            .await
            .map_err(failed)?;
        let Some(schema) = schema else { return Err(Error::NoSchema { database: database.to_owned() }) };
        let key = format!("migrations of {schema}.{ledger}");

        let start = Instant::now();
        loop {
            let locked: bool = sqlx::query_scalar("select pg_try_advisory_lock(hashtextextended($1, 0))")
                .bind(&key)
                .fetch_one(&mut connection)
                .await
                .map_err(failed)?;
            if locked {
                return Ok(Self { connection });
            }
            if start.elapsed() >= patience
                && let Some((pid, holder)) = holder(&mut connection, &key).await.map_err(failed)?
            {
                return Err(Error::Locked { database: database.to_owned(), waited: patience, holder, pid });
            }
            tokio::time::sleep(POLL).await;
        }
    }

    /// Gives the lock back by closing its connection.
    pub(crate) async fn release(self) {
        if let Err(error) = self.connection.close().await {
            tracing::warn!(%error, "the connection of the migration lock did not close cleanly");
        }
    }
}

/// Who holds the lock; `None` when it was given back in the meantime.
async fn holder(connection: &mut PgConnection, key: &str) -> Result<Option<(i32, String)>, sqlx::Error> {
    let row = sqlx::query(
        "select a.pid, format('%s (process %s, since %s)', coalesce(nullif(a.application_name, ''), 'unnamed program'), \
                a.pid, to_char(a.backend_start at time zone 'UTC', 'YYYY-MM-DD HH24:MI:SS \"UTC\"')) \
         from pg_locks l join pg_stat_activity a on a.pid = l.pid \
         where l.locktype = 'advisory' and l.granted and l.objsubid = 1 \
           and l.database = (select oid from pg_database where datname = current_database()) \
           and (l.classid::bigint << 32 | l.objid::bigint) = hashtextextended($1, 0)",
    )
    .bind(key)
    .fetch_optional(connection)
    .await?;
    row.map(|row| Ok((row.try_get(0)?, row.try_get(1)?))).transpose()
}
