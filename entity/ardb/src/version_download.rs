//! `version_downloads`: how often a version was downloaded on a day.

use sea_orm::entity::prelude::*;

use crate::VersionId;

/// A row of `version_downloads`, which has no id of its own: a row per version and day is too many for one.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "version_downloads")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub version_id: VersionId,
    /// In UTC, as the registry counts.
    #[sea_orm(primary_key, auto_increment = false)]
    pub day: Date,
    pub downloads: i64,
    #[sea_orm(belongs_to, from = "version_id", to = "id")]
    pub version: BelongsTo<super::version::Entity>,
}

impl ActiveModelBehavior for ActiveModel {}
