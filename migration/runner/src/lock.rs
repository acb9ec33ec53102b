//! One migrator at a time: a session lock on a connection of its own.
//!
//! The lock is polled with `pg_try_advisory_lock` in autocommit. A blocking `pg_advisory_lock`
//! holds a snapshot while it waits, and `create index concurrently` waits for every snapshot, so
//! the two together are a deadlock.

use std::time::Duration;

use sea_orm::sqlx::{self, Connection, PgConnection, Row, raw_sql};
use sea_orm::{ConnectionTrait, DatabaseConnection};
use tokio::time::Instant;

use crate::driver::db_err;
use crate::event::{Event, Observer};
use crate::session::Session;
use crate::{Error, Result};

/// Between two attempts: short beside a migration, long beside a round trip.
const POLL: Duration = Duration::from_millis(50);

/// Whom a lock is for, and how long to wait for it.
pub(crate) struct Request<'a> {
    pub(crate) database: &'a str,
    pub(crate) ledger: &'a str,
    pub(crate) patience: Duration,
    pub(crate) observer: &'a Observer,
}

/// The lock, for as long as its connection lives.
pub(crate) struct Lock {
    connection: PgConnection,
}

impl Lock {
    /// Takes the lock of the ledger in the connection's schema, waiting until the patience is over.
    pub(crate) async fn acquire(
        db: &DatabaseConnection,
        session: &Session,
        request: &Request<'_>,
    ) -> Result<Self> {
        let Request { database, ledger, patience, observer } = *request;
        let failed = |source| Error::from_db(database, db_err(source));
        let mut connection = session.connect(&format!("migration of {database}")).await.map_err(failed)?;
        refuse_pooler(db, &mut connection, database).await?;
        let schema: Option<String> = sqlx::query_scalar("select current_schema()::text")
            .fetch_one(&mut connection)
            .await
            .map_err(failed)?;
        let Some(schema) = schema else { return Err(Error::NoSchema { database: database.to_owned() }) };
        let key = format!("migrations of {schema}.{ledger}");

        let start = Instant::now();
        let mut told = false;
        loop {
            let locked: bool = sqlx::query_scalar("select pg_try_advisory_lock(hashtextextended($1, 0))")
                .bind(&key)
                .fetch_one(&mut connection)
                .await
                .map_err(failed)?;
            if locked {
                return Ok(Self { connection });
            }
            let is_over = start.elapsed() >= patience;
            if (is_over || !told)
                && let Some((pid, holder)) = holder(&mut connection, &key).await.map_err(failed)?
            {
                if is_over {
                    return Err(Error::Locked {
                        database: database.to_owned(),
                        waited: patience,
                        holder,
                        pid,
                    });
                }
                tracing::info!(database, holder, "waiting for another migration");
                observer.tell(&Event::Waiting { holder });
                told = true;
            }
            tokio::time::sleep(POLL).await;
        }
    }

    /// The connection that holds the lock, in autocommit: what is written here is there whatever becomes of
    /// the migrations, and can only be written while the lock is held.
    pub(crate) fn connection(&mut self) -> &mut PgConnection {
        &mut self.connection
    }

    /// Gives the lock back by closing its connection.
    pub(crate) async fn release(self) {
        if let Err(error) = self.connection.close().await {
            tracing::warn!(%error, "the connection of the migration lock did not close cleanly");
        }
    }
}

/// Refuses a pooler in transaction mode, which lends one server process to several clients in turn: a session
/// lock taken through it belongs to whoever comes next.
///
/// In turns this program's two connections ask for their server process. In session mode, and without a
/// pooler, the first keeps its own and the second has another. Plain-text queries, because prepared ones fail
/// there first, with an error that says nothing.
async fn refuse_pooler(db: &DatabaseConnection, connection: &mut PgConnection, database: &str) -> Result<()> {
    let failed = |source| Error::from_db(database, db_err(source));
    let mut own = None;
    for _ in 0..3 {
        let row = raw_sql("select pg_backend_pid()").fetch_one(&mut *connection).await.map_err(failed)?;
        let pid: i32 = row.try_get(0).map_err(failed)?;
        let pool = db.get_postgres_connection_pool();
        let row = raw_sql("select pg_backend_pid()").fetch_one(pool).await.map_err(failed)?;
        let other: i32 = row.try_get(0).map_err(failed)?;
        if *own.get_or_insert(pid) != pid || pid == other {
            return Err(Error::Pooled { database: database.to_owned() });
        }
    }
    Ok(())
}

/// Who holds the lock; `None` when it was given back in the meantime.
async fn holder(connection: &mut PgConnection, key: &str) -> sqlx::Result<Option<(i32, String)>> {
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

/// Whether somebody migrates right now. One statement.
pub(crate) async fn is_held(db: &impl ConnectionTrait, ledger: &str) -> Result<bool, sea_orm::DbErr> {
    let held = "select exists (select from pg_locks l \
                where l.locktype = 'advisory' and l.granted and l.objsubid = 1 \
                  and l.database = (select oid from pg_database where datname = current_database()) \
                  and (l.classid::bigint << 32 | l.objid::bigint) \
                      = hashtextextended('migrations of ' || current_schema() || '.' || $1, 0)) as held";
    let statement = sea_orm::Statement::from_sql_and_values(db.get_database_backend(), held, [ledger.into()]);
    db.query_one_raw(statement).await?.map_or(Ok(false), |row| row.try_get("", "held"))
}
