//! `latest_versions`: the newest versions of each package that has live ones.

use sea_orm::entity::prelude::*;

use crate::{PackageId, VersionId};

/// A row of `latest_versions`. Triggers on `versions` derive it; it is not to be written.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "latest_versions")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub package_id: PackageId,
    /// Live, not yanked, with the highest sort key; null: there is none.
    pub newest_version_id: Option<VersionId>,
    /// The same without prereleases.
    pub newest_stable_version_id: Option<VersionId>,
    /// Live versions, yanked ones and prereleases included.
    pub versions_count: i64,
    /// When another column changed last (UTC).
    pub updated_at: DateTimeUtc,
    #[sea_orm(belongs_to, from = "package_id", to = "id")]
    pub package: BelongsTo<super::package::Entity>,
    #[sea_orm(belongs_to, relation_enum = "NewestVersion", from = "newest_version_id", to = "id")]
    pub newest_version: BelongsTo<Option<super::version::Entity>>,
    #[sea_orm(
        belongs_to,
        relation_enum = "NewestStableVersion",
        from = "newest_stable_version_id",
        to = "id"
    )]
    pub newest_stable_version: BelongsTo<Option<super::version::Entity>>,
}

impl ActiveModelBehavior for ActiveModel {}
