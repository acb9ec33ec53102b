//! `packages`: a package of an ecosystem.

use sea_orm::entity::prelude::*;

use crate::{EcosystemId, RepositoryId};

/// Id of a row in `packages`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, DeriveValueType)]
pub struct PackageId(pub i64);

/// Whether a package can be relied on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "kebab-case")]
pub enum PackageStatus {
    /// Nothing speaks against it.
    Active,
    /// Its publisher advises against it.
    Deprecated,
    /// No longer worked on.
    Archived,
    /// No longer in the registry.
    Removed,
}

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
    /// The package URL, without a version; null: the ecosystem has no purl type, or not imported since the column
    /// came.
    pub purl: Option<String>,
    pub status: PackageStatus,
    /// As published; empty: none given. So are the two links.
    pub description: String,
    pub homepage_url: String,
    pub documentation_url: String,
    /// Where it is developed; null: not given, or no URL of a repository.
    pub repository_id: Option<RepositoryId>,
    #[sea_orm(belongs_to, from = "ecosystem_id", to = "id")]
    pub ecosystem: BelongsTo<super::ecosystem::Entity>,
    #[sea_orm(belongs_to, from = "repository_id", to = "id")]
    pub repository: BelongsTo<Option<super::repository::Entity>>,
    #[sea_orm(has_many)]
    pub versions: HasMany<super::version::Entity>,
    #[sea_orm(has_one)]
    pub default_version: HasOne<super::default_version::Entity>,
    #[sea_orm(has_one)]
    pub downloads: HasOne<super::package_download::Entity>,
    /// What depends on it, not what it depends on.
    #[sea_orm(has_many)]
    pub dependents: HasMany<super::dependency::Entity>,
    #[sea_orm(has_many)]
    pub affected_packages: HasMany<super::affected_package::Entity>,
    #[sea_orm(has_many)]
    pub inventory_components: HasMany<super::inventory_component::Entity>,
    #[sea_orm(has_many)]
    pub maintainers: HasMany<super::maintainer_package::Entity>,
    #[sea_orm(has_many)]
    pub keywords: HasMany<super::keyword_package::Entity>,
    #[sea_orm(has_many)]
    pub categories: HasMany<super::category_package::Entity>,
}

impl ActiveModelBehavior for ActiveModel {}
