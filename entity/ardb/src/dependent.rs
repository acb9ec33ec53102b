//! `dependents`: which package depends on which.

use sea_orm::entity::prelude::*;

use crate::PackageId;

/// A row of `dependents`. Triggers on `dependencies` derive it; it is not to be written.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "dependents")]
pub struct Model {
    /// The package depended on.
    #[sea_orm(primary_key, auto_increment = false)]
    pub package_id: PackageId,
    /// A package with a version that depends on it.
    #[sea_orm(primary_key, auto_increment = false)]
    pub dependent_package_id: PackageId,
    /// Live dependencies of versions of the one on the other.
    pub dependencies_count: i64,
    #[sea_orm(belongs_to, relation_enum = "Package", from = "package_id", to = "id")]
    pub package: BelongsTo<super::package::Entity>,
    #[sea_orm(belongs_to, relation_enum = "DependentPackage", from = "dependent_package_id", to = "id")]
    pub dependent_package: BelongsTo<super::package::Entity>,
}

impl ActiveModelBehavior for ActiveModel {}
