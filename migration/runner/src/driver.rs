//! The driver's errors: wrapped as SeaORM wraps them, and read for what the server said.

use sea_orm::sqlx::postgres::PgDatabaseError;
use sea_orm::sqlx::{self, AssertSqlSafe, PgConnection, raw_sql};
use sea_orm::{DbErr, RuntimeErr};

/// The driver's error as SeaORM wraps it.
pub(crate) fn db_err(source: sqlx::Error) -> DbErr {
    DbErr::Exec(RuntimeErr::SqlxError(source.into()))
}

/// Runs `sql`, which may be several statements, without preparing it.
pub(crate) async fn execute(connection: &mut PgConnection, sql: &str) -> sqlx::Result<()> {
    raw_sql(AssertSqlSafe(sql.to_owned())).execute(connection).await.map(drop)
}

/// The five characters of PostgreSQL's error code, if the server said anything at all.
pub(crate) fn code(error: &DbErr) -> Option<&str> {
    of_the_server(error).map(PgDatabaseError::code)
}

/// Whether this is what the default of `MigrationTrait::down` returns.
pub(crate) fn is_not_written(error: &DbErr) -> bool {
    matches!(error, DbErr::Migration(text) if text == "We Don't Do That Here")
}

/// What the server said, with its detail and its hint, without the wrappings; what SeaORM says where it was
/// not the server.
pub(crate) fn words(error: &DbErr) -> String {
    match (of_the_server(error), error) {
        (Some(said), _) => {
            let more = [said.detail(), said.hint()].into_iter().flatten();
            more.fold(said.message().to_owned(), |text, more| format!("{text} ({more})"))
        }
        (None, DbErr::Custom(text)) => text.clone(),
        (None, error) if is_not_written(error) => "it is not written in the migration".to_owned(),
        (None, DbErr::Migration(text)) => text.clone(),
        (None, other) => other.to_string(),
    }
}

/// What the server said, if it was the server.
pub(crate) fn of_the_server(error: &DbErr) -> Option<&PgDatabaseError> {
    let (DbErr::Conn(RuntimeErr::SqlxError(source))
    | DbErr::Exec(RuntimeErr::SqlxError(source))
    | DbErr::Query(RuntimeErr::SqlxError(source))) = error
    else {
        return None;
    };
    source.as_database_error()?.try_downcast_ref()
}
