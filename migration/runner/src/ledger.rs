//! The table of applied migrations: exactly the one that `sea-orm-migration` keeps.

use sea_orm::sqlx::{self, AssertSqlSafe, PgConnection};
use sea_orm::{ConnectionTrait, DbErr, Statement};

use crate::driver::execute;
use crate::sql::quoted;
use crate::{Direction, catalog};

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
        if catalog::is_there(connection, &self.name).await? {
            return Ok(());
        }
        let create = format!(
            "create table {} (version varchar not null primary key, applied_at bigint not null)",
            self.quoted()
        );
        execute(connection, &create).await
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

    /// Records `version` as applied now, in whole seconds that have passed, as `sea-orm-migration` counts them;
    /// or down, as not applied.
    pub(crate) async fn record_in(
        &self,
        db: &impl ConnectionTrait,
        direction: Direction,
        version: &str,
    ) -> Result<(), DbErr> {
        let sql = self.record_sql(direction);
        let statement = Statement::from_sql_and_values(sea_orm::DbBackend::Postgres, sql, [version.into()]);
        db.execute_raw(statement).await.map(drop)
    }

    /// As [`Ledger::record_in`], on a connection that no migration has had its hands on.
    pub(crate) async fn record(
        &self,
        connection: &mut PgConnection,
        direction: Direction,
        version: &str,
    ) -> sqlx::Result<()> {
        let sql = self.record_sql(direction);
        sqlx::query(AssertSqlSafe(sql)).bind(version).execute(connection).await.map(drop)
    }

    fn record_sql(&self, direction: Direction) -> String {
        let ledger = self.quoted();
        match direction {
            Direction::Up => format!(
                "insert into {ledger} (version, applied_at) \
                 values ($1, floor(extract(epoch from clock_timestamp()))::bigint)"
            ),
            Direction::Down => format!("delete from {ledger} where version = $1"),
        }
    }

    pub(crate) fn quoted(&self) -> String {
        quoted(&self.name)
    }
}
