//! The record of imports: which ran when over what, how they ended, and what they rejected.

use entity_ardb::{ImportRunId, import_error, import_run};
use sea_orm::{ColumnTrait as _, ConnectionTrait, EntityTrait as _, QueryFilter as _, QueryOrder as _};

use crate::{
    Result,
    scope::{AtMost as _, Live as _},
};

/// The last `limit` live runs, newest first; those that are running or were killed have no `finished_at`.
///
/// # Errors
///
/// [`Error::Database`](crate::Error::Database) if the query does not run.
pub async fn newest(db: &impl ConnectionTrait, limit: u64) -> Result<Vec<import_run::Model>> {
    use import_run::Column;
    let found = import_run::Entity::find().live().order_by_desc(Column::StartedAt).order_by_desc(Column::Id);
    Ok(found.at_most(limit).all(db).await?)
}

/// The live run with this id; `None` when there is none.
///
/// # Errors
///
/// [`Error::Database`](crate::Error::Database) if the query does not run.
pub async fn by_id(db: &impl ConnectionTrait, run: ImportRunId) -> Result<Option<import_run::Model>> {
    Ok(import_run::Entity::find_by_id(run).live().one(db).await?)
}

/// What `run` rejected, in the order of its input, at most `limit` records.
///
/// Empty when it rejected nothing or does not exist.
///
/// # Errors
///
/// [`Error::Database`](crate::Error::Database) if the query does not run.
pub async fn errors(
    db: &impl ConnectionTrait,
    run: ImportRunId,
    limit: u64,
) -> Result<Vec<import_error::Model>> {
    use import_error::Column;
    let found = import_error::Entity::find().filter(Column::ImportRunId.eq(run)).live();
    Ok(found.order_by_asc(Column::Id).at_most(limit).all(db).await?)
}
