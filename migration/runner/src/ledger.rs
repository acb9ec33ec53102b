//! The table of applied migrations: exactly the one that `sea-orm-migration` keeps.

use sea_orm::sqlx::{self, AssertSqlSafe, PgConnection, raw_sql};
use sea_orm::{ConnectionTrait, DbErr, Statement};

use crate::Direction;

/// A ledger by name, in the first schema of the connection's search path.
#[derive(Clone, Debug)]
pub(crate) struct Ledger {
    name: String,
}

impl Ledger {
    pub(crate) fn new(name: String) -> Self {
        Self { name }
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// The table as `sea-orm-migration` creates it, so that either can go on where the other stopped.
    ///
    /// Not `if not exists`, which wants the right to create tables also where there is nothing to create.
    pub(crate) async fn create(&self, connection: &mut PgConnection) -> sqlx::Result<()> {
        let exists =
            "select to_regclass(quote_ident(current_schema()) || '.' || quote_ident($1)) is not null";
        if sqlx::query_scalar(exists).bind(&self.name).fetch_one(&mut *connection).await? {
            return Ok(());
        }
        let create = format!(
            "create table {} (version varchar not null primary key, applied_at bigint not null)",
            self.quoted()
        );
        raw_sql(AssertSqlSafe(create)).execute(connection).await.map(drop)
    }

    /// Keeps everybody else from writing to the ledger until the transaction ends.
    ///
    /// The session lock does not hold back a plain `sea-orm-migration`, nor is it held any longer by a
    /// program that was killed while the server still works on its last statement.
    pub(crate) async fn lock(&self, db: &impl ConnectionTrait) -> Result<(), DbErr> {
        let lock = format!("lock table {} in share row exclusive mode", self.quoted());
        db.execute_unprepared(&lock).await.map(drop)
    }

    /// Which of `versions` it has.
    pub(crate) async fn applied_of(
        &self,
        db: &impl ConnectionTrait,
        versions: &[String],
    ) -> Result<Vec<String>, DbErr> {
        let select =
            format!("select version::text as version from {} where version = any($1)", self.quoted());
        let statement =
            Statement::from_sql_and_values(sea_orm::DbBackend::Postgres, select, [versions.to_vec().into()]);
        db.query_all_raw(statement).await?.iter().map(|row| row.try_get("", "version")).collect()
    }

    /// Records `version` as applied now, in whole seconds that have passed, as `sea-orm-migration` counts them.
    pub(crate) async fn insert(&self, db: &impl ConnectionTrait, version: &str) -> Result<(), DbErr> {
        db.execute_raw(statement(&self.insert_sql(), version)).await.map(drop)
    }

    /// As [`Ledger::insert`] and [`Ledger::delete`], on a connection that no migration has had its hands on.
    pub(crate) async fn record(
        &self,
        connection: &mut PgConnection,
        direction: Direction,
        version: &str,
    ) -> sqlx::Result<()> {
        let sql = match direction {
            Direction::Up => self.insert_sql(),
            Direction::Down => self.delete_sql(),
        };
        sqlx::query(AssertSqlSafe(sql)).bind(version).execute(connection).await.map(drop)
    }

    fn insert_sql(&self) -> String {
        format!(
            "insert into {} (version, applied_at) values ($1, floor(extract(epoch from clock_timestamp()))::bigint)",
            self.quoted()
        )
    }

    fn delete_sql(&self) -> String {
        format!("delete from {} where version = $1", self.quoted())
    }

    pub(crate) async fn delete(&self, db: &impl ConnectionTrait, version: &str) -> Result<(), DbErr> {
        db.execute_raw(statement(&self.delete_sql(), version)).await.map(drop)
    }

    pub(crate) fn quoted(&self) -> String {
        format!("\"{}\"", self.name.replace('"', "\"\""))
    }
}

fn statement(sql: &str, version: &str) -> Statement {
    Statement::from_sql_and_values(sea_orm::DbBackend::Postgres, sql, [version.into()])
}
