//! The table of applied migrations: exactly the one that `sea-orm-migration` keeps.

use sea_orm::{ConnectionTrait, DbErr, Statement};

/// One row of the ledger.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) version: String,
    /// Seconds since 1970, as the stock ledger has it.
    pub(crate) applied_at: i64,
}

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

    /// What is applied, oldest first; nothing when the table does not exist, and `None` when there is not
    /// even a schema for it. Two statements, no DDL, so a role that may only read can ask.
    pub(crate) async fn read(&self, db: &impl ConnectionTrait) -> Result<Option<Vec<Entry>>, DbErr> {
        let exists = "select to_regclass(quote_ident(current_schema()) || '.' || quote_ident($1)) is not null as found \
                      where current_schema() is not null";
        let Some(row) = db.query_one_raw(self.statement(exists, [self.name.as_str().into()])).await? else {
            return Ok(None);
        };
        if !row.try_get::<bool>("", "found")? {
            return Ok(Some(Vec::new()));
        }
        let select =
            format!("select version, applied_at from {} order by applied_at, version", self.quoted());
        let rows = db.query_all_raw(self.statement(&select, [])).await?;
        let entry = |row: &sea_orm::QueryResult| {
            Ok(Entry { version: row.try_get("", "version")?, applied_at: row.try_get("", "applied_at")? })
        };
        rows.iter().map(entry).collect::<Result<_, _>>().map(Some)
    }

    /// The table as `sea-orm-migration` creates it, so that either can go on where the other stopped.
    pub(crate) async fn create(&self, db: &impl ConnectionTrait) -> Result<(), DbErr> {
        let create = format!(
            "create table if not exists {} (version varchar not null primary key, applied_at bigint not null)",
            self.quoted()
        );
        db.execute_unprepared(&create).await?;
        Ok(())
    }

    /// Records `version` as applied now, in whole seconds that have passed, as `sea-orm-migration` counts them.
    pub(crate) async fn insert(&self, db: &impl ConnectionTrait, version: &str) -> Result<(), DbErr> {
        let insert = format!(
            "insert into {} (version, applied_at) values ($1, floor(extract(epoch from clock_timestamp()))::bigint)",
            self.quoted()
        );
        db.execute_raw(self.statement(&insert, [version.into()])).await?;
        Ok(())
    }

    pub(crate) async fn delete(&self, db: &impl ConnectionTrait, version: &str) -> Result<(), DbErr> {
        let delete = format!("delete from {} where version = $1", self.quoted());
        db.execute_raw(self.statement(&delete, [version.into()])).await?;
        Ok(())
    }

    fn quoted(&self) -> String {
        format!("\"{}\"", self.name.replace('"', "\"\""))
    }

    fn statement<const N: usize>(&self, sql: &str, values: [sea_orm::Value; N]) -> Statement {
        Statement::from_sql_and_values(sea_orm::DbBackend::Postgres, sql, values)
    }
}
