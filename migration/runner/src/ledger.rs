//! The table of applied migrations: exactly the one that `sea-orm-migration` keeps.

use sea_orm::sqlx::{self, AssertSqlSafe, PgConnection, raw_sql};
use sea_orm::{ConnectionTrait, DbErr, Statement};

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
    pub(crate) async fn create(&self, connection: &mut PgConnection) -> sqlx::Result<()> {
        let create = format!(
            "create table if not exists {} (version varchar not null primary key, applied_at bigint not null)",
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

    /// Records `version` as applied now, in whole seconds that have passed, as `sea-orm-migration` counts them.
    pub(crate) async fn insert(&self, db: &impl ConnectionTrait, version: &str) -> Result<(), DbErr> {
        let insert = format!(
            "insert into {} (version, applied_at) values ($1, floor(extract(epoch from clock_timestamp()))::bigint)",
            self.quoted()
        );
        db.execute_raw(statement(&insert, version)).await.map(drop)
    }

    pub(crate) async fn delete(&self, db: &impl ConnectionTrait, version: &str) -> Result<(), DbErr> {
        let delete = format!("delete from {} where version = $1", self.quoted());
        db.execute_raw(statement(&delete, version)).await.map(drop)
    }

    pub(crate) fn quoted(&self) -> String {
        format!("\"{}\"", self.name.replace('"', "\"\""))
    }
}

fn statement(sql: &str, version: &str) -> Statement {
    Statement::from_sql_and_values(sea_orm::DbBackend::Postgres, sql, [version.into()])
}
