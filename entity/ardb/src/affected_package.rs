//! `affected_packages`: a package that an advisory is about.

use sea_orm::entity::prelude::*;

use crate::{AdvisoryId, EcosystemId, PackageId};

/// Id of a row in `affected_packages`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, DeriveValueType)]
pub struct AffectedPackageId(pub i64);

/// A row of `affected_packages`.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "affected_packages")]
pub struct Model {
    #[sea_orm(primary_key)]
    pub id: AffectedPackageId,
    #[sea_orm(unique_key = "name")]
    pub advisory_id: AdvisoryId,
    #[sea_orm(unique_key = "name")]
    pub ecosystem_id: EcosystemId,
    /// The package meant; null: not known here, until it is imported.
    pub package_id: Option<PackageId>,
    /// The purl namespace; empty: none.
    #[sea_orm(unique_key = "name")]
    pub namespace: String,
    /// As published.
    pub name: String,
    #[sea_orm(unique_key = "name")]
    pub normalized_name: String,
    pub created_at: DateTimeUtc,
    pub updated_at: DateTimeUtc,
    pub deleted_at: Option<DateTimeUtc>,
    /// The release of the distribution that it is about, such as 12 of Debian; empty: all, or no distribution.
    #[sea_orm(unique_key = "name")]
    pub release: String,
    #[sea_orm(belongs_to, from = "advisory_id", to = "id")]
    pub advisory: BelongsTo<super::advisory::Entity>,
    #[sea_orm(belongs_to, from = "ecosystem_id", to = "id")]
    pub ecosystem: BelongsTo<super::ecosystem::Entity>,
    #[sea_orm(belongs_to, from = "package_id", to = "id")]
    pub package: BelongsTo<Option<super::package::Entity>>,
    #[sea_orm(has_many)]
    pub versions: HasMany<super::affected_version::Entity>,
    #[sea_orm(has_many)]
    pub ranges: HasMany<super::affected_range::Entity>,
}

impl ActiveModelBehavior for ActiveModel {}
