//! `categories_packages`: which package is in which category.

use sea_orm::entity::prelude::*;

use crate::{CategoryId, PackageId};

/// Id of a row in `categories_packages`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, DeriveValueType)]
pub struct CategoryPackageId(pub i64);

/// A row of `categories_packages`.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "categories_packages")]
pub struct Model {
    #[sea_orm(primary_key)]
    pub id: CategoryPackageId,
    #[sea_orm(unique_key = "pair")]
    pub category_id: CategoryId,
    #[sea_orm(unique_key = "pair")]
    pub package_id: PackageId,
    pub created_at: DateTimeUtc,
    pub updated_at: DateTimeUtc,
    pub deleted_at: Option<DateTimeUtc>,
    #[sea_orm(belongs_to, from = "category_id", to = "id")]
    pub category: BelongsTo<super::category::Entity>,
    #[sea_orm(belongs_to, from = "package_id", to = "id")]
    pub package: BelongsTo<super::package::Entity>,
}

impl ActiveModelBehavior for ActiveModel {}
