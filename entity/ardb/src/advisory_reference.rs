//! `advisory_references`: where more is said about an advisory.

use sea_orm::entity::prelude::*;

use crate::AdvisoryId;

/// Id of a row in `advisory_references`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, DeriveValueType)]
pub struct AdvisoryReferenceId(pub i64);

/// A row of `advisory_references`.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "advisory_references")]
pub struct Model {
    #[sea_orm(primary_key)]
    pub id: AdvisoryReferenceId,
    #[sea_orm(unique_key = "reference")]
    pub advisory_id: AdvisoryId,
    /// What is said there, by OSV's name: ADVISORY, ARTICLE, FIX, REPORT, PACKAGE, WEB, …
    #[sea_orm(unique_key = "reference")]
    pub kind: String,
    /// As published.
    #[sea_orm(unique_key = "reference")]
    pub url: String,
    pub created_at: DateTimeUtc,
    pub updated_at: DateTimeUtc,
    pub deleted_at: Option<DateTimeUtc>,
    #[sea_orm(belongs_to, from = "advisory_id", to = "id")]
    pub advisory: BelongsTo<super::advisory::Entity>,
}

impl ActiveModelBehavior for ActiveModel {}
