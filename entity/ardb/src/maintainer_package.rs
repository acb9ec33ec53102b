//! `maintainers_packages`: which maintainer may publish which package.

use sea_orm::entity::prelude::*;

use crate::{MaintainerId, PackageId};

/// Id of a row in `maintainers_packages`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, DeriveValueType)]
pub struct MaintainerPackageId(pub i64);

/// A row of `maintainers_packages`.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "maintainers_packages")]
pub struct Model {
    #[sea_orm(primary_key)]
    pub id: MaintainerPackageId,
    #[sea_orm(unique_key = "pair")]
    pub maintainer_id: MaintainerId,
    #[sea_orm(unique_key = "pair")]
    pub package_id: PackageId,
    pub created_at: DateTimeUtc,
    pub updated_at: DateTimeUtc,
    pub deleted_at: Option<DateTimeUtc>,
    #[sea_orm(belongs_to, from = "maintainer_id", to = "id")]
    pub maintainer: BelongsTo<super::maintainer::Entity>,
    #[sea_orm(belongs_to, from = "package_id", to = "id")]
    pub package: BelongsTo<super::package::Entity>,
}

impl ActiveModelBehavior for ActiveModel {}
