//! The log of every run, beside the ledger: what ran, which way, when, for how long, to what end, from which SQL.
//!
//! The ledger stays what `sea-orm-migration` knows: a name and a second. The log is written on the connection
//! that holds the lock, outside the migrations' transaction, so a run that failed or was killed is in it. An
//! entry without `success` is running, or was ended from outside.

use chrono::{DateTime, Utc};
use sea_orm::sqlx::{self, AssertSqlSafe, PgConnection, Row};
use sea_orm::{ConnectionTrait, DbErr, FromQueryResult, Statement};
use serde::Serialize;

use crate::capture::Recorded;
use crate::catalog;
use crate::driver::execute;
use crate::sql::quoted;

/// The longest name that PostgreSQL keeps, in bytes.
const LONGEST_NAME: usize = 63;

/// What an entry of the log records.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Action {
    /// The migration was applied, or that was tried.
    Up,
    /// It was reverted, or that was tried.
    Down,
    /// It was marked as applied without being run, because its schema was there.
    Baseline,
    /// Its changed SQL was accepted, or what came of an interrupted run was settled by hand.
    Repair,
}

impl Action {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Up => "up",
            Self::Down => "down",
            Self::Baseline => "baseline",
            Self::Repair => "repair",
        }
    }
}

/// One entry of the log, as [`Runner::history`](crate::Runner::history) reads it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, FromQueryResult)]
pub struct HistoryEntry {
    /// Grows with every entry.
    pub id: i64,
    /// The migration's name.
    pub migration: String,
    /// `up`, `down`, `baseline` or `repair`.
    pub action: String,
    /// Whether it ran in the transaction of its run.
    pub transactional: bool,
    /// By the server's clock (UTC).
    pub started_at: DateTime<Utc>,
    /// By the server's clock (UTC); `None` while it runs, and for ever if the program was killed before the end.
    pub finished_at: Option<DateTime<Utc>>,
    /// Between the two, in milliseconds.
    pub duration_ms: Option<i64>,
    /// `None` while it runs; `false` as well for what was rolled back because a later migration failed.
    pub success: Option<bool>,
    /// Why it failed.
    pub error: Option<String>,
    /// SHA-256 of the SQL of `up` and `down`; `None` where that depends on data.
    pub checksum: Option<String>,
    /// Whether the SQL depends on what the database holds.
    pub depends_on_data: bool,
    /// Name and version of the program that ran it.
    pub program: String,
    /// The machine that the program ran on.
    pub host: String,
    /// The database role.
    pub role: String,
}

/// Who writes an entry, and about what.
pub(crate) struct Subject<'a> {
    pub(crate) migration: &'a str,
    pub(crate) transactional: bool,
    pub(crate) recorded: &'a Recorded,
}

/// The log of one ledger.
#[derive(Clone, Debug)]
pub(crate) struct History {
    name: String,
    runner: String,
    program: String,
    host: String,
}

impl History {
    pub(crate) fn new(ledger: &str, runner: &str) -> Self {
        let program = std::env::current_exe().ok();
        let program = program.as_deref().and_then(|path| path.file_stem()).map(|stem| stem.to_string_lossy());
        Self {
            name: format!("{}_log", shortened(ledger, LONGEST_NAME - "_log".len())),
            runner: runner.to_owned(),
            program: program.map_or_else(|| "unknown".to_owned(), std::borrow::Cow::into_owned),
            host: whoami::hostname().unwrap_or_else(|_| "unknown".to_owned()),
        }
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    pub(crate) fn quoted(&self) -> String {
        quoted(&self.name)
    }

    pub(crate) fn set_program(&mut self, program: String) {
        self.program = program;
    }

    /// The table where it is missing. Not `if not exists`, because only its owner may comment on it, and the
    /// next run may be by another role.
    pub(crate) async fn create(&self, connection: &mut PgConnection) -> sqlx::Result<()> {
        if catalog::is_there(connection, &self.name).await? {
            return Ok(());
        }
        let suffix = "_migration_id_idx";
        let index = format!("{}{suffix}", shortened(&self.name, LONGEST_NAME - suffix.len()));
        let sql = include_str!("history.sql")
            .replace("{log}", &self.quoted())
            .replace("{log_index}", &quoted(&index));
        execute(connection, &sql).await
    }

    /// Opens an entry; its id.
    pub(crate) async fn start(
        &self,
        connection: &mut PgConnection,
        action: Action,
        subject: &Subject<'_>,
    ) -> sqlx::Result<i64> {
        let sql = format!(
            "insert into {} (runner, migration, action, transactional, checksum, depends_on_data, up_sql, down_sql, \
                             program, host) \
             values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) returning id",
            self.quoted()
        );
        let Recorded { up, down, .. } = subject.recorded;
        sqlx::query(AssertSqlSafe(sql))
            .bind(&self.runner)
            .bind(subject.migration)
            .bind(action.as_str())
            .bind(subject.transactional)
            .bind(subject.recorded.checksum())
            .bind(subject.recorded.depends_on_data())
            .bind(&up.statements)
            .bind(&down.statements)
            .bind(&self.program)
            .bind(&self.host)
            .fetch_one(connection)
            .await?
            .try_get(0)
    }

    /// Notes that the statements of `id` are done. In a transaction they are not committed yet.
    pub(crate) async fn finish(&self, connection: &mut PgConnection, id: i64) -> sqlx::Result<()> {
        let set = "finished_at = clock_timestamp()";
        self.update(connection, set, &[id], None).await
    }

    /// Notes that what the entries stand for is in the database.
    pub(crate) async fn succeed(&self, connection: &mut PgConnection, ids: &[i64]) -> sqlx::Result<()> {
        let set = "success = true, finished_at = coalesce(finished_at, clock_timestamp())";
        self.update(connection, set, ids, None).await
    }

    /// Notes that it isn't, and why.
    pub(crate) async fn fail(&self, connection: &mut PgConnection, id: i64, error: &str) -> sqlx::Result<()> {
        let set = "success = false, error = $2, finished_at = coalesce(finished_at, clock_timestamp())";
        self.update(connection, set, &[id], Some(error)).await
    }

    async fn update(
        &self,
        connection: &mut PgConnection,
        set: &str,
        ids: &[i64],
        error: Option<&str>,
    ) -> sqlx::Result<()> {
        let sql = format!("update {} set {set} where id = any($1)", self.quoted());
        let update = sqlx::query(AssertSqlSafe(sql)).bind(ids);
        let update = if let Some(error) = error { update.bind(error) } else { update };
        update.execute(connection).await.map(drop)
    }

    /// Closes the entries that are open, by the ledger: what is in it was done, the rest was not, for the reason
    /// `why`. Without one a program was killed: what ran in a transaction left nothing, and outside one it is
    /// not known.
    ///
    /// Only for who holds the lock, because the entries of a running migration look the same. The lock is that of
    /// the ledger, so whichever runner's they are.
    pub(crate) async fn close(
        &self,
        connection: &mut PgConnection,
        ledger: &str,
        why: Option<&str>,
    ) -> sqlx::Result<()> {
        let sql = format!(
            "update {log} e set success = done, error = case when done then null when $1 is not null then $1 \
                 when e.transactional then 'the program ended before the transaction was committed; nothing of it remains' \
                 else 'the program ended in the middle, outside a transaction; a part of it may be done' end, \
                 finished_at = case when $1 is null then e.finished_at else coalesce(e.finished_at, clock_timestamp()) end \
             from (select o.id, case o.action when 'down' then l.version is null else l.version is not null end as done \
                   from {log} o left join {ledger} l on l.version = o.migration \
                   where o.success is null) open \
             where open.id = e.id",
            log = self.quoted(),
        );
        sqlx::query(AssertSqlSafe(sql)).bind(why).execute(connection).await.map(drop)
    }

    /// Notes that the entry's migration has ended the transaction it was to run in.
    pub(crate) async fn escaped(
        &self,
        connection: &mut PgConnection,
        id: i64,
        why: &str,
    ) -> sqlx::Result<()> {
        let set = "transactional = false, success = false, error = $2, finished_at = clock_timestamp()";
        self.update(connection, set, &[id], Some(why)).await
    }

    /// The SQL that was accepted for `migration` last, `up` and `down`; `None` when the log has none.
    pub(crate) async fn accepted_sql(
        &self,
        db: &impl ConnectionTrait,
        migration: &str,
    ) -> Result<Option<(Vec<String>, Vec<String>)>, DbErr> {
        let sql = format!(
            "select up_sql, down_sql from {} where migration = $1 and success \
             and action <> 'down' and checksum is not null order by id desc limit 1",
            self.quoted()
        );
        let values = [migration.into()];
        let row =
            db.query_one_raw(Statement::from_sql_and_values(db.get_database_backend(), sql, values)).await?;
        row.map(|row| Ok((row.try_get("", "up_sql")?, row.try_get("", "down_sql")?))).transpose()
    }

    /// The latest `limit` entries of this runner, and of `migrations` under another name of it, newest first.
    pub(crate) async fn read(
        &self,
        db: &impl ConnectionTrait,
        limit: u64,
        migrations: Vec<String>,
    ) -> Result<Vec<HistoryEntry>, DbErr> {
        let sql = format!(
            "select id, migration, action, transactional, started_at, finished_at, \
                    (extract(epoch from duration) * 1000)::bigint as duration_ms, success, error, checksum, \
                    depends_on_data, program, host, role \
             from {} where runner = $1 or migration = any($3) order by id desc limit $2",
            self.quoted()
        );
        let values =
            [self.runner.as_str().into(), i64::try_from(limit).unwrap_or(i64::MAX).into(), migrations.into()];
        let statement = Statement::from_sql_and_values(db.get_database_backend(), sql, values);
        HistoryEntry::find_by_statement(statement).all(db).await
    }
}

/// As much of `name` as fits into `bytes`.
fn shortened(name: &str, bytes: usize) -> &str {
    let end = name.char_indices().map(|(at, c)| at + c.len_utf8()).take_while(|&end| end <= bytes).last();
    &name[..end.unwrap_or(0)]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_log_is_named_after_its_ledger_within_what_postgresql_keeps() {
        assert_eq!(History::new("seaql_migrations", "shop").name(), "seaql_migrations_log");
        let long = "ü".repeat(40);
        let name = History::new(&long, "shop").name().to_owned();
        assert_eq!(name, format!("{}_log", "ü".repeat(29)));
        assert!(name.len() <= LONGEST_NAME);
    }
}
