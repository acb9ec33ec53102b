//! One migrator at a time: a session lock on a connection of its own.
//!
//! The lock is polled with `pg_try_advisory_lock` in autocommit. A blocking `pg_advisory_lock`
//! holds a snapshot while it waits, and `create index concurrently` waits for every snapshot, so
//! the two together are a deadlock.

use std::time::Duration;

use sea_orm::sqlx::{self, Connection, PgConnection, Row, raw_sql};
use sea_orm::{ConnectionTrait, DatabaseConnection};
use tokio::time::Instant;

use crate::driver::{db_err, execute};
use crate::event::{Event, Observer};
use crate::session::{Session, milliseconds};
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
    work: String,
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
        let lock_timeout = milliseconds(patience.max(Duration::from_secs(1)));
        let lock_timeout = format!("set lock_timeout = {lock_timeout}");
        execute(&mut connection, &lock_timeout).await.map_err(failed)?;
        let schema: Option<String> = sqlx::query_scalar("select current_schema()::text")
            .fetch_one(&mut connection)
            .await
            .map_err(failed)?;
        let Some(schema) = schema else { return Err(Error::NoSchema { database: database.to_owned() }) };
        let key = format!("migrations of {schema}.{ledger}");
        let work = format!("work of {schema}.{ledger}");

        let start = Instant::now();
        let mut told = false;
        loop {
            if locked(&mut connection, &key, &work).await.map_err(failed)? {
                return Ok(Self { connection, work });
            }
            let is_over = start.elapsed() >= patience;
            if (is_over || !told)
                && let Some((pids, holder)) =
                    holders(&mut connection, &[&key, &work]).await.map_err(failed)?
            {
                if is_over {
                    return Err(Error::Locked {
                        database: database.to_owned(),
                        waited: patience,
                        holder,
                        pids,
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

    /// The key of the second lock, which every connection that does the work shares. A server process keeps it
    /// until its last statement ends, whatever has become of the program, so nobody begins before that.
    pub(crate) fn work_key(&self) -> &str {
        &self.work
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

/// Tries to take the lock, and to see that nobody works without it any more.
async fn locked(connection: &mut PgConnection, key: &str, work: &str) -> sqlx::Result<bool> {
    let take = "select pg_try_advisory_lock(hashtextextended($1, 0))";
    let give_back = "select pg_advisory_unlock(hashtextextended($1, 0))";
    if !sqlx::query_scalar::<_, bool>(take).bind(key).fetch_one(&mut *connection).await? {
        return Ok(false);
    }
    let is_free: bool = sqlx::query_scalar(take).bind(work).fetch_one(&mut *connection).await?;
    // Without it, the next to come has to see who works, and not who waits for that.
    let other = if is_free { work } else { key };
    sqlx::query(give_back).bind(other).execute(connection).await?;
    Ok(is_free)
}

/// The processes that hold one of the locks, and what is to be said of them; `None` when they were given back in
/// the meantime.
async fn holders(connection: &mut PgConnection, keys: &[&str]) -> sqlx::Result<Option<(Vec<i32>, String)>> {
    let row = sqlx::query(
        "select array_agg(pid order by pid), \
                string_agg(format('%s (process %s, since %s)', name, pid, since), ', ' order by pid) \
         from (select distinct a.pid, coalesce(nullif(a.application_name, ''), 'unnamed program') as name, \
                      to_char(a.backend_start at time zone 'UTC', 'YYYY-MM-DD HH24:MI:SS \"UTC\"') as since \
               from pg_locks l join pg_stat_activity a on a.pid = l.pid \
               where l.locktype = 'advisory' and l.granted and l.objsubid = 1 and l.pid <> pg_backend_pid() \
                 and l.database = (select oid from pg_database where datname = current_database()) \
                 and (l.classid::bigint << 32 | l.objid::bigint) \
                     in (select hashtextextended(key, 0) from unnest($1::text[]) as key)) as holder",
    )
    .bind(keys.iter().map(|key| (*key).to_owned()).collect::<Vec<_>>())
    .fetch_one(connection)
    .await?;
    let (pids, holder): (Option<Vec<i32>>, Option<String>) = (row.try_get(0)?, row.try_get(1)?);
    Ok(pids.zip(holder))
}

/// Whether somebody migrates right now, or the server still works for somebody who did. One statement.
pub(crate) async fn is_held(db: &impl ConnectionTrait, ledger: &str) -> Result<bool, sea_orm::DbErr> {
    let held = "select exists (select from pg_locks l, unnest(array['migrations', 'work']) as kind \
                where l.locktype = 'advisory' and l.granted and l.objsubid = 1 and l.pid <> pg_backend_pid() \
                  and l.database = (select oid from pg_database where datname = current_database()) \
                  and (l.classid::bigint << 32 | l.objid::bigint) \
                      = hashtextextended(kind || ' of ' || current_schema() || '.' || $1, 0)) as held";
    let statement = sea_orm::Statement::from_sql_and_values(db.get_database_backend(), held, [ledger.into()]);
    db.query_one_raw(statement).await?.map_or(Ok(false), |row| row.try_get("", "held"))
}
