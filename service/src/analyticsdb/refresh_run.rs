//! The history of refreshes: which report, when, how far, and what went wrong.

use chrono::{DateTime, Utc};
use entity_analyticsdb::refresh_run::{ActiveModel, Column, Entity, Model};
use sea_orm::sea_query::Expr;
use sea_orm::{ActiveModelTrait, ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, Set};

use crate::error::Result;

/// Records that a refresh of `report` starts at `started_at`.
///
/// # Errors
///
/// [`Error::Database`](crate::Error::Database) if it can't be written.
pub async fn start(db: &impl ConnectionTrait, report: &str, started_at: DateTime<Utc>) -> Result<Model> {
    let run =
        ActiveModel { report: Set(report.to_owned()), started_at: Set(started_at), ..Default::default() };
    Ok(run.insert(db).await?)
}

/// Records that `run` ended well: the report now covers ardb up to `watermark`, and `rows_changed` of
/// its rows are not what they were.
///
/// # Errors
///
/// [`Error::Database`](crate::Error::Database) if it can't be written.
pub async fn succeed(
    db: &impl ConnectionTrait,
    run: &Model,
    watermark: DateTime<Utc>,
    rows_changed: u64,
) -> Result<()> {
    let update = Entity::update_many()
        .col_expr(Column::FinishedAt, Expr::cust("clock_timestamp()"))
        .col_expr(Column::Watermark, Expr::value(watermark))
        .col_expr(Column::RowsChanged, Expr::value(i64::try_from(rows_changed).unwrap_or(i64::MAX)));
    update.filter(Column::Id.eq(run.id)).exec(db).await?;
    Ok(())
}

/// Records that `run` failed with `error`.
///
/// # Errors
///
/// [`Error::Database`](crate::Error::Database) if it can't be written.
pub async fn fail(db: &impl ConnectionTrait, run: &Model, error: &str) -> Result<()> {
    let update = Entity::update_many()
        .col_expr(Column::FinishedAt, Expr::cust("clock_timestamp()"))
        .col_expr(Column::Error, Expr::value(error));
    update.filter(Column::Id.eq(run.id)).exec(db).await?;
    Ok(())
}

/// The last refresh of `report` that ended well; `None` when there was none.
///
/// # Errors
///
/// [`Error::Database`](crate::Error::Database) if the query does not run.
pub async fn last_success(db: &impl ConnectionTrait, report: &str) -> Result<Option<Model>> {
    let succeeded = Entity::find()
        .filter(Column::Report.eq(report))
        .filter(Column::DeletedAt.is_null())
        .filter(Column::Watermark.is_not_null());
    Ok(succeeded.order_by_desc(Column::StartedAt).order_by_desc(Column::Id).one(db).await?)
}
