//! `refresh_runs`: one computation of one report.

use sea_orm::entity::prelude::*;

/// Id of a row in `refresh_runs`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, DeriveValueType)]
pub struct RefreshRunId(pub i64);

/// A row of `refresh_runs`.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "refresh_runs")]
pub struct Model {
    #[sea_orm(primary_key)]
    pub id: RefreshRunId,
    /// The table that is computed.
    pub report: String,
    pub started_at: DateTimeUtc,
    /// When it ended, well or not (UTC); null: still running, or killed.
    pub finished_at: Option<DateTimeUtc>,
    /// The newest change in ardb that the report covers (UTC); null: the run has not finished, has failed,
    /// or ardb was empty.
    pub watermark: Option<DateTimeUtc>,
    /// Rows of the report that the run inserted, updated or deleted; null: it has not finished or has failed.
    pub rows_changed: Option<i64>,
    /// Why it failed; null: it did not.
    pub error: Option<String>,
    pub created_at: DateTimeUtc,
    pub updated_at: DateTimeUtc,
    pub deleted_at: Option<DateTimeUtc>,
    #[sea_orm(has_many)]
    pub package_rankings: HasMany<super::package_ranking::Entity>,
}

impl ActiveModelBehavior for ActiveModel {}
