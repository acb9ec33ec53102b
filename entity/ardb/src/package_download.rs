//! `package_downloads`: how often a package was downloaded in all.

use sea_orm::entity::prelude::*;

use crate::PackageId;

/// Id of a row in `package_downloads`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, DeriveValueType)]
pub struct PackageDownloadId(pub i64);

/// A row of `package_downloads`.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "package_downloads")]
pub struct Model {
    #[sea_orm(primary_key)]
    pub id: PackageDownloadId,
    #[sea_orm(unique)]
    pub package_id: PackageId,
    /// Of all versions together, since the registry counts.
    pub downloads: i64,
    pub created_at: DateTimeUtc,
    pub updated_at: DateTimeUtc,
    pub deleted_at: Option<DateTimeUtc>,
    #[sea_orm(belongs_to, from = "package_id", to = "id")]
    pub package: BelongsTo<super::package::Entity>,
}

impl ActiveModelBehavior for ActiveModel {}
