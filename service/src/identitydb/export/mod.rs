//! Everything that identitydb has about a user, for the user (GDPR, article 15).

use entity_identitydb::UserId;
use sea_orm::prelude::Json;
use sea_orm::{ConnectionTrait, Statement};

use crate::error::Result;

/// One JSON document: the rows of each table, deleted ones included, by table; null where a table has none. Of
/// passwords and other secrets it has when they were set and used, and neither the secret nor its hash.
///
/// None if there is no such user.
///
/// # Errors
///
/// [`Error::Database`](crate::Error::Database) if the query does not run.
pub async fn of_user(db: &impl ConnectionTrait, user: UserId) -> Result<Option<Json>> {
    let sql = include_str!("export.sql");
    let statement = Statement::from_sql_and_values(db.get_database_backend(), sql, [user.0.into()]);
    let row = db.query_one_raw(statement).await?;
    Ok(row.map(|row| row.try_get("", "document")).transpose()?)
}
