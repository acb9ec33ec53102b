//! `packages`: a package of an ecosystem.

use sea_orm::entity::prelude::*;

use crate::EcosystemId;

/// Id of a row in `packages`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, DeriveValueType)]
pub struct PackageId(pub i64);

/// A row of `packages`.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "packages")]
pub struct Model {
    #[sea_orm(primary_key)]
    pub id: PackageId,
    #[sea_orm(unique_key = "name")]
    pub ecosystem_id: EcosystemId,
    /// The purl namespace (npm scope, Maven group, Go host and path); empty: none.
    #[sea_orm(unique_key = "name")]
    pub namespace: String,
    /// As published.
    pub name: String,
    /// The name by which the ecosystem tells packages apart.
    #[sea_orm(unique_key = "name")]
    pub normalized_name: String,
    pub created_at: DateTimeUtc,
    pub updated_at: DateTimeUtc,
    pub deleted_at: Option<DateTimeUtc>,
    #[sea_orm(belongs_to, from = "ecosystem_id", to = "id")]
    pub ecosystem: BelongsTo<super::ecosystem::Entity>,
    #[sea_orm(has_many)]
    pub versions: HasMany<super::version::Entity>,
    /// What depends on it, not what it depends on.
    #[sea_orm(has_many)]
    pub dependents: HasMany<super::dependency::Entity>,
    #[sea_orm(has_many)]
    pub affected_packages: HasMany<super::affected_package::Entity>,
    #[sea_orm(has_many)]
    pub inventory_components: HasMany<super::inventory_component::Entity>,
}

impl ActiveModelBehavior for ActiveModel {}
