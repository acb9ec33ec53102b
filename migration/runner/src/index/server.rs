//! What a concurrent index asks of the server, on two connections: one works, the other looks on.
//!
//! Both are in autocommit, so that neither holds a snapshot that a build would wait for.

use std::time::Duration;

use sea_orm::sqlx::postgres::PgRow;
use sea_orm::sqlx::{self, AssertSqlSafe, Connection, PgConnection, Row};
use sea_orm::{DatabaseConnection, DbErr};
use tokio::time::sleep;

use super::POLL;
use crate::driver::{self, db_err, execute};
use crate::event::{self, Event};
use crate::session::milliseconds;
use crate::sql::quoted;

/// How far a build is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Progress {
    pub(super) pid: i32,
    pub(super) phase: String,
    done: u64,
    total: u64,
}

/// What has the name in the schema of the table.
pub(super) enum Found {
    Nothing,
    /// An index of the table.
    Index {
        oid: i64,
        schema: String,
        valid: bool,
    },
    /// Something else, in words.
    Other(String),
}

pub(super) struct Server {
    work: PgConnection,
    work_pid: i32,
    /// As the role that logged in, which sees its own processes where a role that was taken on may not.
    watch: PgConnection,
    blockers: Option<String>,
    phase: Option<String>,
}

impl Server {
    /// Two connections as `db` makes them; the one that works with the session settings of one of its own.
    pub(super) async fn connect(
        db: &DatabaseConnection,
        index: &str,
        lock_timeout: Duration,
    ) -> Result<Self, DbErr> {
        let pool = db.get_postgres_connection_pool();
        let options =
            (*pool.connect_options()).clone().application_name(&format!("concurrent index {index}"));
        // The role comes last: it may not be allowed to set what was set before it was taken on.
        let settings: Vec<(String, String)> = sqlx::query_as(
            "(select name, setting from pg_settings \
              where source = 'session' and context in ('user', 'superuser') \
                and name !~ '^transaction_|_timeout$|^application_name$') \
             union all select 'search_path', current_setting('search_path') \
             union all select 'role', current_setting('role') where current_setting('role') <> 'none'",
        )
        .fetch_all(pool)
        .await
        .map_err(db_err)?;
        let mut work = PgConnection::connect_with(&options).await.map_err(db_err)?;
        let mut watch = PgConnection::connect_with(&options).await.map_err(db_err)?;
        // 0 would be no limit at all.
        let lock_timeout_ms = milliseconds(lock_timeout).max(1);
        let limits = format!(
            "select set_config(name, case name when 'lock_timeout' then '{lock_timeout_ms}' else '0' end, false) \
             from pg_settings where name ~ '^(lock|statement|transaction|idle_session|idle_in_transaction_session)_timeout$'"
        );
        execute(&mut work, &limits).await.map_err(db_err)?;
        execute(&mut watch, &limits).await.map_err(db_err)?;
        for (name, setting) in settings {
            sqlx::query("select set_config($1, $2, false)")
                .bind(name)
                .bind(setting)
                .execute(&mut work)
                .await
                .map_err(db_err)?;
        }
        let work_pid =
            sqlx::query_scalar("select pg_backend_pid()").fetch_one(&mut work).await.map_err(db_err)?;
        Ok(Self { work, work_pid, watch, blockers: None, phase: None })
    }

    pub(super) async fn close(self) {
        for connection in [self.work, self.watch] {
            if let Err(error) = connection.close().await {
                tracing::warn!(%error, "a connection of a concurrent index did not close cleanly");
            }
        }
    }

    /// Looks where a new index would go: in the schema of the table, not in that of the search path.
    pub(super) async fn find(&mut self, name: &str, table: &str) -> Result<Found, DbErr> {
        let row = sqlx::query(
            "select c.oid::bigint, n.nspname::text, c.relkind::text, x.indisvalid, x.indrelid = t.oid, \
                    x.indrelid::regclass::text \
             from pg_class t join pg_class c on c.relnamespace = t.relnamespace and c.relname = $1::text::name \
             join pg_namespace n on n.oid = c.relnamespace left join pg_index x on x.indexrelid = c.oid \
             where t.oid = to_regclass(quote_ident($2))",
        )
        .bind(name)
        .bind(table)
        .fetch_optional(&mut self.work)
        .await
        .map_err(db_err)?;
        row.map_or(Ok(Found::Nothing), |row| found(&row)).map_err(db_err)
    }

    /// Who builds the index just now, and how far it is.
    ///
    /// Of another role's process the server may show nothing but that it builds an index. Then it counts if
    /// it holds the lock of such a build on the table.
    pub(super) async fn builder(&mut self, oid: i64) -> Result<Option<Progress>, DbErr> {
        let of_index = "p.index_relid::bigint = $1 or (p.relid is null and exists (\
                            select from pg_locks l join pg_index x on x.indrelid = l.relation \
                            where x.indexrelid::bigint = $1 and l.pid = p.pid and l.database = p.datid \
                              and l.mode = 'ShareUpdateExclusiveLock' and l.granted))";
        progress(&mut self.watch, of_index, oid).await.map_err(db_err)
    }

    /// Everything that tells two indexes of a table apart but their names, as the server writes it.
    pub(super) async fn definition(&mut self, oid: i64) -> Result<String, DbErr> {
        definition(&mut self.work, "indexrelid::bigint = $1", oid).await.map_err(db_err)
    }

    /// What [`Server::definition`] would say of `create`, an index on the empty temporary copy that this makes
    /// of the table; `None` where the role may not.
    pub(super) async fn normalized(
        &mut self,
        schema: &str,
        table: &str,
        create: &str,
    ) -> Result<Option<String>, DbErr> {
        let copied = async {
            let mut txn = self.work.begin().await?;
            let table = quoted(table);
            let copy = format!("create temporary table {table} (like {}.{table})", quoted(schema));
            execute(&mut txn, &copy).await?;
            execute(&mut txn, create).await?;
            let found = definition(&mut txn, "indrelid = to_regclass('pg_temp.' || $1)", table).await?;
            txn.rollback().await?;
            Ok(found)
        };
        match copied.await.map_err(db_err) {
            Ok(definition) => Ok(Some(definition)),
            Err(error) if driver::code(&error) == Some("42501") => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Runs `sql`, tells how it goes, and notes whom it waits for.
    pub(super) async fn watched(&mut self, index: &str, sql: &str) -> Result<(), DbErr> {
        self.blockers = None;
        let Self { work, work_pid, watch, blockers, phase } = self;
        let running = execute(work, sql);
        let looking = async {
            loop {
                match progress(watch, "p.pid = $1", *work_pid).await {
                    Ok(Some(progress)) => tell(index, &progress, phase),
                    Ok(None) => {}
                    Err(error) => break error,
                }
                match in_the_way_of(watch, *work_pid).await {
                    Ok(None) => {}
                    Ok(seen) => *blockers = seen,
                    Err(error) => break error,
                }
                sleep(POLL).await;
            }
        };
        tokio::pin!(running);
        let done = tokio::select! {
            done = &mut running => done,
            error = looking => {
                tracing::warn!(index, %error, "how the index goes can't be seen");
                running.await
            }
        };
        done.map_err(db_err)
    }

    pub(super) fn tell(&mut self, index: &str, progress: &Progress) {
        tell(index, progress, &mut self.phase);
    }

    /// Whom the last statement was seen waiting for.
    pub(super) fn blockers(&self) -> &str {
        self.blockers.as_deref().unwrap_or("nobody was seen")
    }
}

/// Whether another attempt may do better: a lock was not to be had in time, two waited for each other, or
/// somebody else was quicker to begin the same index.
pub(super) fn is_passing(error: &DbErr) -> bool {
    matches!(driver::code(error), Some("55P03" | "40P01" | "42P07"))
}

fn found(row: &PgRow) -> sqlx::Result<Found> {
    let (schema, kind): (String, String) = (row.try_get(1)?, row.try_get(2)?);
    let (valid, of_table): (Option<bool>, Option<bool>) = (row.try_get(3)?, row.try_get(4)?);
    Ok(match (kind.as_str(), valid, of_table) {
        ("i", Some(valid), Some(true)) => Found::Index { oid: row.try_get(0)?, schema, valid },
        ("i", ..) => Found::Other(format!("an index on {}", row.try_get::<String, _>(5)?)),
        ("I", ..) => Found::Other("an index on a partitioned table".to_owned()),
        _ => Found::Other("a table, view or sequence".to_owned()),
    })
}

async fn progress(
    watch: &mut PgConnection,
    whose: &str,
    id: impl Into<i64>,
) -> sqlx::Result<Option<Progress>> {
    let sql = format!(
        "select p.pid, coalesce(p.phase, 'unknown'), \
                case kind when 'lockers' then lockers_done when 'tuples' then tuples_done else blocks_done end, \
                case kind when 'lockers' then lockers_total when 'tuples' then tuples_total else blocks_total end \
         from pg_stat_progress_create_index p, \
              lateral (select case when phase like 'waiting%' then 'lockers' \
                                   when phase like '%tuples%' then 'tuples' else 'blocks' end) _ (kind) \
         where p.datname = current_database() and ({whose}) limit 1"
    );
    let row = sqlx::query(AssertSqlSafe(sql)).bind(id.into()).fetch_optional(watch).await?;
    let count = |row: &PgRow, column: usize| -> sqlx::Result<u64> {
        let count: Option<i64> = row.try_get(column)?;
        Ok(count.and_then(|count| u64::try_from(count).ok()).unwrap_or(0))
    };
    row.map(|row| {
        let (done, total) = (count(&row, 2)?, count(&row, 3)?);
        Ok(Progress { pid: row.try_get(0)?, phase: row.try_get(1)?, done, total })
    })
    .transpose()
}

async fn in_the_way_of(watch: &mut PgConnection, pid: i32) -> sqlx::Result<Option<String>> {
    sqlx::query_scalar(
        "select string_agg(case b.pid when 0 then 'a prepared transaction (see pg_prepared_xacts)' else \
             format('process %s (%s, %s, transaction since %s: %s)', b.pid, \
                 coalesce(nullif(a.application_name, ''), 'unnamed program'), coalesce(a.state, a.backend_type, 'unknown'), \
                 coalesce(to_char(a.xact_start at time zone 'UTC', 'YYYY-MM-DD HH24:MI:SS \"UTC\"'), 'unknown'), \
                 left(regexp_replace(coalesce(a.query, ''), '\\s+', ' ', 'g'), 200)) end, '; ' order by b.pid) \
         from (select distinct unnest(pg_blocking_pids($1)) as pid) b left join pg_stat_activity a on a.pid = b.pid",
    )
    .bind(pid)
    .fetch_one(watch)
    .await
}

/// The part of `pg_get_indexdef` behind index and table.
async fn definition<'q, T>(connection: &mut PgConnection, which: &str, key: T) -> sqlx::Result<String>
where
    T: sqlx::Encode<'q, sqlx::Postgres> + sqlx::Type<sqlx::Postgres> + 'q,
{
    let sql = format!(
        "select case when indisunique then 'unique ' else '' end || substr(pg_get_indexdef(i.oid), 1 + length(format(\
             'CREATE %sINDEX %I ON %I.%I ', case when indisunique then 'UNIQUE ' else '' end, i.relname, \
             case n.oid when pg_my_temp_schema() then 'pg_temp' else n.nspname end, t.relname))) \
         from pg_index x join pg_class i on i.oid = indexrelid join pg_class t on t.oid = indrelid \
         join pg_namespace n on n.oid = t.relnamespace where {which}"
    );
    sqlx::query_scalar(AssertSqlSafe(sql)).bind(key).fetch_one(connection).await
}

fn tell(index: &str, progress: &Progress, phase: &mut Option<String>) {
    let Progress { done, total, .. } = *progress;
    let event = Event::BuildingIndex { index: index.to_owned(), phase: progress.phase.clone(), done, total };
    let told = event::CURRENT.try_with(|observer| observer.tell(&event));
    if told.is_err() && phase.as_ref() != Some(&progress.phase) {
        tracing::info!(index, phase = progress.phase, done, total, "building an index");
    }
    *phase = Some(progress.phase.clone());
}
