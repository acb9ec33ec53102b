//! `default_versions`: the version of a package that its registry shows when none is asked for.

use sea_orm::entity::prelude::*;

use crate::{PackageId, VersionId};

/// Id of a row in `default_versions`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, DeriveValueType)]
pub struct DefaultVersionId(pub i64);

/// A row of `default_versions`.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "default_versions")]
pub struct Model {
    #[sea_orm(primary_key)]
    pub id: DefaultVersionId,
    #[sea_orm(unique)]
    pub package_id: PackageId,
    /// A version of the package.
    pub version_id: VersionId,
    pub created_at: DateTimeUtc,
    pub updated_at: DateTimeUtc,
    pub deleted_at: Option<DateTimeUtc>,
    #[sea_orm(belongs_to, from = "package_id", to = "id")]
    pub package: BelongsTo<super::package::Entity>,
    #[sea_orm(belongs_to, from = "version_id", to = "id")]
    pub version: BelongsTo<super::version::Entity>,
}

impl ActiveModelBehavior for ActiveModel {}
